"""What the log of a run says beside its trajectory: plain arrays over time, and their Dataset when it is asked for."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mdtools.statistics.series_mean import SeriesMean

__all__ = ["Thermo"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Thermo:
    """Thermodynamic state of the whole system in every row of a log, which may be finer or coarser than the frames.

    time : (row,) ps, on the clock of the trajectory. steps : (row,) of the integrator, where the log has them.
    values : name -> (row,), or (row, 3, 3) for `pressure_tensor`; words and units are those of `schema`.
    """

    time: np.ndarray
    values: dict[str, np.ndarray] = field(default_factory=dict)
    steps: np.ndarray | None = None
    source: str = "log"

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, which: Any) -> "Thermo":
        """Some of the rows: a slice, a mask or indices."""
        return replace(
            self,
            time=self.time[which],
            steps=None if self.steps is None else self.steps[which],
            values={name: values[which] for name, values in self.values.items()},
        )

    def between(self, first: float, last: float) -> "Thermo":
        """The rows from one time to another, both included."""
        slack = 1e-6 * max(abs(first), abs(last), 1e-3)
        return self.rows((self.time >= first - slack) & (self.time <= last + slack))

    def at(self, time: np.ndarray) -> tuple["Thermo", np.ndarray]:
        """The rows written at these (increasing) times, and the indices of the times that have one."""
        if len(self) == 0 or len(time) == 0:
            return self.rows(slice(0, 0)), np.empty(0, dtype=np.intp)
        right = np.clip(np.searchsorted(self.time, time), 1, len(self) - 1) if len(self) > 1 else np.zeros(len(time), dtype=np.intp)
        left = np.maximum(right - 1, 0)
        nearest = np.where(np.abs(self.time[left] - time) <= np.abs(self.time[right] - time), left, right)
        spacings = [np.diff(one).min() for one in (self.time, time) if len(one) > 1]
        there = np.flatnonzero(np.abs(self.time[nearest] - time) <= 1e-3 * min(spacings, default=1.0))
        return self.rows(nearest[there]), there

    def means(self) -> "dict[str, SeriesMean]":
        """Mean over the rows and its standard error, of each scalar that every row has."""
        from mdtools.statistics.series_mean import mean_of_series

        scalars = {name: values for name, values in self.values.items() if values.ndim == 1 and np.isfinite(values).all()}
        return {name: mean_of_series(values) for name, values in scalars.items() if len(values)}

    def dataset(self, *, reduced: bool = False) -> Any:
        """The Dataset over `time`, with the unit and the meaning of each."""
        from mdtools import schema

        out: dict[str, Any] = {"time": self.time}
        if self.steps is not None:
            out["step"] = (("time",), self.steps)
        for name, values in self.values.items():
            out[name] = (("time", "xyz", "face")[: values.ndim] if values.ndim > 1 else ("time",), values)
        if "pressure_tensor" in self.values:
            out |= {"xyz": ["x", "y", "z"], "face": ["x", "y", "z"]}
        data = schema.dataset(out, reduced=reduced)
        data.attrs["source"] = self.source
        return data
