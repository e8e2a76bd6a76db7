"""From wrapped to unwrapped: the only code that knows about wrapping, nearest images and changes of cell basis.

All of it in scaled coordinates and float64, where an image is a whole number and triclinic cells are no special case.
"""

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames

__all__ = ["LARGEST_STEP", "Unwrapper", "continuous_basis"]

LARGEST_STEP = 0.4  # of a cell vector; at 0.5 the nearest image is a coin toss


def continuous_basis(cell: np.ndarray, source: str) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Cells in one basis through the run, the matrices B with s_new = s B (None where nothing changes), and how often it changed.

    LAMMPS flips a strongly tilted box to an equivalent one: the vectors change, the lattice they span does not. With
    integer M next to H(t-1) H(t)^-1, the cell M H(t) continues the one before, and s M^-1 is the same point in it.
    """
    unit = np.eye(3)
    ratio = cell[:-1] @ np.linalg.inv(cell[1:])
    if np.array_equal(np.rint(ratio), np.broadcast_to(unit, ratio.shape)):
        return cell, None, 0
    cell, back, flips = cell.copy(), np.tile(unit, (len(cell), 1, 1)), 0
    previous = unit
    for frame in range(1, len(cell)):
        change = np.rint(cell[frame - 1] @ np.linalg.inv(cell[frame]))
        if abs(abs(np.linalg.det(change)) - 1) > 1e-6:
            raise TrajectoryError(
                f"{source}: the cell of frame {frame} is unrelated to that of the frame before; "
                "read up to it with end=..., or store frames more often"
            )
        flips += not np.array_equal(change, previous)
        previous = change
        cell[frame] = change @ cell[frame]
        back[frame] = np.linalg.inv(change)
    return cell, back, flips


class Unwrapper:
    """Continues the paths of all atoms from block to block of frames, in the order of time.

    keep_home : leave the first frame in the images that the file has, which matter in the lattice view alone.
    """

    def __init__(self, frames: Frames, basis: np.ndarray | None, *, keep_home: bool = False) -> None:
        self.frames, self.basis, self.keep_home = frames, basis, keep_home
        self.nearest = frames.placement == "wrapped"
        self._last: np.ndarray | None = None
        self._images: np.ndarray | float = 0.0
        self._home: np.ndarray | None = None

    def extend(self, scaled: np.ndarray, kept: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Unwrapped positions of some frames, the first frame of all in [0, 1) along periodic directions (unless keep_home).

        kept, which : (frame,) their indices among the kept frames (of `basis`) and among all frames (for messages).
        """
        if self.basis is not None:
            scaled = scaled @ self.basis[kept]
        if self.nearest:
            scaled = self._follow(scaled, which)
        if self._home is None:
            self._home = np.zeros_like(scaled[0]) if self.keep_home else np.floor(scaled[0]) * self.frames.periodic
        return scaled - self._home

    def _follow(self, scaled: np.ndarray, which: np.ndarray) -> np.ndarray:
        """The image of each position that is nearest to the frame before: whole cells are counted, so no error adds up."""
        before = scaled[:1] if self._last is None else self._last[None]
        steps = np.diff(np.concatenate([before, scaled]), axis=0)
        jumps = np.rint(steps) * self.frames.periodic
        steps -= jumps
        if np.abs(steps).max(initial=0.0) > LARGEST_STEP:
            self._refuse(steps, which)
        images = self._images + np.cumsum(jumps, axis=0)
        self._last, self._images = scaled[-1], images[-1]
        return scaled - images

    def _refuse(self, steps: np.ndarray, which: np.ndarray) -> None:
        frame, atom, axis = np.unravel_index(np.argmax(np.abs(steps) > LARGEST_STEP), steps.shape)
        raise TrajectoryError(
            f"{self.frames.where(int(which[frame]))}: atom id {self.frames.ids[atom]} is {abs(steps[frame, atom, axis]):.2f} of "
            f"cell vector {'abc'[axis]} away from "
            f"where it was one frame before, too far to tell its image (limit {LARGEST_STEP}); "
            "store frames more often, or dump image flags (ix iy iz) or xu yu zu"
        )
