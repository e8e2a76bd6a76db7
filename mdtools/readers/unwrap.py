"""From wrapped to unwrapped: the only code that knows about wrapping, nearest images and changes of cell basis.

All of it in scaled coordinates and float64, where an image is a whole number and triclinic cells are no special case.
"""

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import passes
from mdtools.readers.frames import Frames

__all__ = ["LARGEST_STEP", "Unwrapper", "basis_change", "continuous_basis"]

LARGEST_STEP = 0.4  # of a cell vector; at 0.5 the nearest image is a coin toss
_SAFE_RMS = LARGEST_STEP / 5  # of steps along one vector: the largest of a million normal ones is five times their rms
_RANDOM = 0.25  # rms of nearest-image steps from which on they say nothing (0.29 where every image is as likely)
_AT_LEAST = 10  # times as often: what is advised where the steps say nothing
_TAIL = 3  # and where only the rarest steps are too long: hops are not normal, and twice as often was once too few


def basis_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Integer matrices M for which M H(after) continues H(before), (..., 3, 3) each: identity but for a flip.

    A point s of the later cell is s M^-1 in the continued one. Where |det M| is not 1 the two cells are unrelated.
    """
    return np.asarray(np.rint(before @ np.linalg.inv(after)))


def continuous_basis(cell: np.ndarray, source: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Cells in one basis through the run, the matrices B with s_new = s B (None where nothing changes), and the frames of each change.

    LAMMPS flips a strongly tilted box to an equivalent one: the vectors change, the lattice they span does not. With
    integer M next to H(t-1) H(t)^-1, the cell M H(t) continues the one before, and s M^-1 is the same point in it.
    Raises TrajectoryError where a cell is unrelated to the one before, or sheared so far that a flip cannot be told.
    """
    ratio = cell[:-1] @ np.linalg.inv(cell[1:])
    change = np.rint(ratio)
    unrelated = np.abs(np.abs(np.linalg.det(change)) - 1) > 1e-6
    if unrelated.any():
        raise TrajectoryError(
            f"{source}: the cell of frame {int(np.argmax(unrelated)) + 1} is unrelated to that of the frame before; "
            "read up to it with end=..., or store frames more often"
        )
    sheared = np.abs((ratio - change) * (1 - np.eye(3))).max(axis=(1, 2), initial=0.0)
    if (sheared > LARGEST_STEP).any():
        frame = int(np.argmax(sheared > LARGEST_STEP)) + 1
        raise TrajectoryError(
            f"{source}: the cell of frame {frame} is sheared by {sheared[frame - 1]:.2f} of a vector against the frame before, "
            f"too far to tell whether the box flipped (limit {LARGEST_STEP}); "
            f"store frames at least {int(np.ceil(2 * sheared[frame - 1] / LARGEST_STEP))} times as often"
        )
    flips = np.flatnonzero((change != np.eye(3)).any(axis=(1, 2))) + 1
    if len(flips) == 0:
        return cell, None, flips
    total = np.tile(np.eye(3), (len(cell), 1, 1))
    for frame in flips.tolist():
        total[frame:] = total[frame - 1] @ change[frame - 1]
    return total @ cell, np.linalg.inv(total), flips


class Unwrapper:
    """Continues the paths of all atoms from block to block of frames, in the order of time.

    basis, shift : (kept frame, 3, 3) and (kept frame, 3) or None: a point s of a frame is s basis + shift in the cells of the run.
    keep_home : leave the first frame in the images that the file has, which matter in the lattice view alone.
    state : what is known of the frames so far, by name: enough to take the work up again where it was left. last : (atom, 3)
    positions of the last frame as they were stored; images : cells between those and the path; home : cell of the first frame.
    """

    def __init__(self, frames: Frames, basis: np.ndarray | None, *, shift: np.ndarray | None = None, keep_home: bool = False) -> None:
        self.frames, self.basis, self.shift, self.keep_home = frames, basis, shift, keep_home
        self.nearest = frames.placement == "wrapped"
        self.state: dict[str, np.ndarray] = {}

    def extend(self, scaled: np.ndarray, kept: np.ndarray, which: np.ndarray, out: np.ndarray, *, start: int = 0, stride: int = 1) -> None:
        """Unwrapped positions of some frames, the first frame of all in [0, 1) along periodic directions (unless keep_home).

        kept, which : (frame,) their indices among the kept frames (of `basis`) and among all frames (for messages).
        out : is filled with every stride-th frame from `start` on.
        """
        if self.basis is not None:
            scaled = scaled @ self.basis[kept]
        if self.shift is not None:
            scaled = scaled + self.shift[kept][:, None]
        if not self.state:
            self.state = {
                "last": scaled[0].copy(),
                "images": np.zeros_like(scaled[0]),
                "home": np.zeros_like(scaled[0]) if self.keep_home else np.floor(scaled[0]) * self.frames.periodic,
            }
        home = self.state["home"]
        if not self.nearest:
            passes.settle(scaled, home, 1.0, start, stride, out)
            return
        last, images = self.state["last"].copy(), self.state["images"].copy()
        longest = passes.follow(scaled, last, images, home, self.frames.periodic.astype(np.float64), start, stride, out)
        if longest > LARGEST_STEP:
            steps = np.diff(np.concatenate([self.state["last"][None], scaled]), axis=0)
            self._refuse(steps - np.rint(steps) * self.frames.periodic, which)
        self.state |= {"last": last, "images": images}

    def _refuse(self, steps: np.ndarray, which: np.ndarray) -> None:
        frame, atom, axis = np.unravel_index(np.argmax(np.abs(steps) > LARGEST_STEP), steps.shape)
        times = _times_as_often(steps, self.frames.labels, int(atom))
        spacing = 0 if self.frames.steps is None or len(which) < 2 else int(np.median(np.diff(self.frames.steps[which])))
        every = f" (every {max(1, spacing // times)} steps, not {spacing})" if spacing > 1 else ""
        raise TrajectoryError(
            f"{self.frames.where(int(which[frame]))}: atom id {self.frames.ids[atom]} is {abs(steps[frame, atom, axis]):.2f} of "
            f"cell vector {'abc'[axis]} away from "
            f"where it was one frame before, too far to tell its image (limit {LARGEST_STEP}); "
            f"store frames at least {times} times as often{every}, or dump image flags (ix iy iz) or xu yu zu"
        )


def _times_as_often(steps: np.ndarray, labels: np.ndarray | None, atom: int) -> int:
    """How much more often frames must be stored, from the steps of the atoms of one species: squares of steps grow as their time."""
    alike = slice(None) if labels is None else labels == labels[atom]
    rms = float(np.sqrt(np.mean(steps[:, alike] ** 2, axis=(0, 1)).max()))
    if rms > _RANDOM:
        return _AT_LEAST
    return max(_TAIL, int(np.ceil(max(rms / _SAFE_RMS, np.abs(steps[:, alike]).max() / LARGEST_STEP) ** 2)))
