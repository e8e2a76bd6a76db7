"""Directions that are not periodic: what moves the box there moves no atom, so positions are told in a box that stays.

LAMMPS wraps its box about the atoms along `s` and `m` boundaries. In cell vectors of that box an atom that stands still
would move with the outermost atoms of the system.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["StandingBox", "standing_box"]

_SAME = 1e-9  # relative change of a cell vector or origin below which the box stands already


@dataclass(frozen=True, kw_only=True)
class StandingBox:
    """A point s of the cell of its frame is s matrix + shift in that of `cell`, (frame, 3, 3) and (frame, 3) each.

    axes : the directions along which something had to be done.
    """

    cell: np.ndarray
    origin: np.ndarray | None
    matrix: np.ndarray
    shift: np.ndarray
    axes: str


def standing_box(cell: np.ndarray, origin: np.ndarray | None, periodic: np.ndarray) -> StandingBox | None:
    """The cells with their mean vector, and the first origin, along directions that are not periodic; None where nothing moves there.

    cell : (frame, 3, 3), rows are the vectors. origin : (frame, 3) or None. With r = o + s H = o' + s' H', s' = (s H + o - o') H'^-1.
    """
    fixed = ~np.asarray(periodic, dtype=bool)
    still, start = cell.copy(), None if origin is None else origin.copy()
    still[:, fixed] = cell[:, fixed].mean(axis=0)
    if start is not None:
        start[:, fixed] = start[0, fixed]
    size = np.abs(cell).max()
    moved = np.abs(cell - still).max(axis=(0, 2)) + (0.0 if origin is None or start is None else np.abs(origin - start).max(axis=0))
    if not (moved[fixed] > _SAME * size).any() or not (np.abs(np.linalg.det(still)) > 0).all():
        return None
    inverse = np.linalg.inv(still)
    away = np.zeros((len(cell), 3)) if origin is None or start is None else origin - start
    return StandingBox(
        cell=still,
        origin=start,
        matrix=cell @ inverse,
        shift=np.einsum("ti,tij->tj", away, inverse),
        axes="".join(name for name, moves in zip("abc", fixed & (moved > _SAME * size), strict=True) if moves),
    )
