"""Series: a table of runs, one member a row."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mdtools.in_words import html_table
from mdtools.trajectory import Trajectory

__all__ = ["Series"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """A table of runs: one member a row, in the order of the table. Replicas are members, never concatenated.

    names : (run,) label of each member. members : the trajectories, or for a refused member the reason.
    rows : the table as it was given.
    """

    names: tuple[str, ...]
    members: tuple[Trajectory | Exception, ...]
    rows: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[str, Trajectory]]:
        """The members that could be read."""
        for name, member in zip(self.names, self.members, strict=True):
            if isinstance(member, Trajectory):
                yield name, member

    @property
    def refused(self) -> dict[str, Exception]:
        """The members that could not be read, with the reason."""
        return {n: m for n, m in zip(self.names, self.members, strict=True) if isinstance(m, Exception)}

    @property
    def temperatures(self) -> dict[str, float | None]:
        return {name: member.temperature for name, member in self}

    def describe(self) -> dict[str, str]:
        rows = {name: repr(member)[1:-1] for name, member in self}
        return rows | {name: f"refused: {reason}" for name, reason in self.refused.items()}

    def __repr__(self) -> str:
        return f"<Series of {len(self)} runs: {json.dumps(list(self.names))}>"

    def _repr_html_(self) -> str:
        return html_table(self.describe())
