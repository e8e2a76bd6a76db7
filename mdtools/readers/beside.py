"""Files that belong together (positions, velocities, cells of one run): which lie beside each other, and which frames of them match."""

import re
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.opened import PACKED

__all__ = ["beside", "matched"]


def beside(path: Path, pattern: str, replacement: str) -> Path | None:
    """The file in the same folder whose name is that of `path` with a part replaced, packed or not; None where there is none."""
    stem = path.with_suffix("") if path.suffix.lower() in PACKED else path
    name, changed = re.subn(pattern, replacement, stem.name, count=1)
    if not changed:
        return None
    return next((other for suffix in ("", *PACKED) if (other := stem.with_name(name + suffix)).is_file()), None)


def matched(path: Path, steps: np.ndarray, other: Path, others: np.ndarray, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Row of `other` that belongs to each frame of `path`, by step, up to where `other` ends; and a note that counts what is dropped there.

    Of a step that a restart wrote twice the last row counts. Raises TrajectoryError where steps in between are missing, which no cut explains.
    """
    order = np.argsort(others, kind="stable")
    place = np.searchsorted(others[order], steps, side="right") - 1
    rows = order[np.maximum(place, 0)]
    missing = np.flatnonzero(others[rows] != steps)
    shared = int(missing[0]) if len(missing) else len(steps)
    if shared == 0 or len(missing) < len(steps) - shared:
        raise TrajectoryError(f"{other}: does not hold the {what} of all steps in {path.name}; leave it out, or pass that of the same run")
    if shared == len(steps):
        return rows, ()
    return rows[:shared], (f"{path.name}: the last {len(steps) - shared} frames are dropped, because {other.name} ends before them",)
