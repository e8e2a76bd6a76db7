"""Whether one piece of a run continues another: the same frame found in both, and how far atoms move from one to the other.

Everything is decided by coordinates, in images nearest to each other, so that wrapping does not matter.
"""

from dataclasses import dataclass

import numpy as np

from mdtools.readers.frames import Frames
from mdtools.readers.unwrap import basis_change

__all__ = ["SAME", "Seam", "same_frame", "seam_between"]

SAME = 1e-5  # of a cell vector: frames that agree to this are one frame written twice
_AROUND = 4  # intervals on each side of a seam that say how far atoms move from frame to frame
_NEAR = 1.5  # times what is usual: no further does the next frame lie
_FAR = ((64, 1.5), (8, 2.0), (0, 5.0))  # times what is usual, for at least so many atoms: further lies what has frames missing before it
_BEYOND = 1.25  # times the displacement over several intervals: further lies nothing that is nearer in time
_ABSURD, _ABSURD_LENGTH = 5.0, 0.5  # times what is usual, and angstrom: further does nothing move that continues
_NOTHING = 0.05  # angstrom: what moves less did not move
_SEARCHED = 2**25  # atoms x frames looked through for an overlap, beginning at the end of a piece


@dataclass(frozen=True, kw_only=True)
class Seam:
    """Displacement over a seam and inside the pieces beside it, root mean square over atoms and largest, in the file's length.

    inside_rms : over one interval. inside_far : over several of them (`_AROUND`, or as many as there are). atoms : how many.
    intervals : how many usual intervals lie between the two frames of the seam by their steps; None where there are no steps.
    """

    rms: float
    largest: float
    inside_rms: float
    inside_far: float
    atoms: int
    intervals: float | None = None

    def is_next(self) -> bool:
        """Whether the later frame is the next after the earlier beyond doubt: as near as neighbours are, and only neighbours are so near."""
        return self.rms <= _NEAR * self.inside_rms and self.inside_far >= _NEAR * self.inside_rms

    def is_odd(self, length: float) -> bool:
        """Whether atoms move further than over several intervals, so that frames seem to be missing. length : angstrom in a unit of the file."""
        further = next(times for atoms, times in _FAR if self.atoms >= atoms) * self.inside_rms * max(1.0, self.intervals or 1.0)
        return self.rms * length > _NOTHING and self.rms > further and self.rms > _BEYOND * self.inside_far

    def is_broken(self, length: float) -> bool:
        """Whether the pieces cannot be one run: what is odd where no steps vouch for the time, else what is absurd."""
        absurd = self.rms > _ABSURD * self.inside_rms * max(1.0, self.intervals or 1.0) and self.rms * length > _ABSURD_LENGTH
        return absurd or (self.intervals is None and self.is_odd(length))


def seam_between(frames: Frames, last: int, first: int, *, begin: int, stop: int, intervals: float | None = None) -> Seam | None:
    """The seam from frame `last` to frame `first`, against frames from `begin` to `last` and from `first` to before `stop`.

    None where the file holds no positions, or both pieces are single frames.
    """
    before, after = np.arange(max(begin, last - _AROUND), last + 1), np.arange(first, min(stop, first + _AROUND + 1))
    if frames.placement == "none" or len(before) + len(after) < 3:
        return None
    scaled = [np.asarray(frames.load(which).scaled) for which in (before, after)]
    cells = [frames.cell[which] for which in (before, after)]
    lag = max(len(before), len(after)) - 1
    near, far = (
        np.concatenate([_distances(s[:-k], s[k:], c[:-k], c[k:], frames.periodic) for s, c in zip(scaled, cells, strict=True)]) for k in (1, lag)
    )
    over = _distances(scaled[0][-1:], scaled[1][:1], cells[0][-1:], cells[1][:1], frames.periodic)
    return Seam(
        rms=_rms(over),
        largest=float(over.max()),
        inside_rms=_rms(near),
        inside_far=_rms(far),
        atoms=frames.n_atoms,
        intervals=intervals,
    )


def _rms(distances: np.ndarray) -> float:
    return float(np.sqrt(np.mean(distances**2)))


def _distances(one: np.ndarray, other: np.ndarray, cell: np.ndarray, other_cell: np.ndarray, periodic: np.ndarray) -> np.ndarray:
    """(frame, atom) distance between nearest images, without what a change of the cell alone makes of it."""
    change = basis_change(cell, other_cell)
    flipped = np.abs(np.abs(np.linalg.det(change)) - 1) < 1e-6
    change = np.where(flipped[:, None, None], change, np.eye(3))
    with np.errstate(over="ignore", invalid="ignore"):  # positions that cannot be are refused elsewhere, by the name of their frame
        step = other @ np.linalg.inv(change) - one
        step -= np.rint(step) * periodic
        return np.asarray(np.linalg.norm(step @ (cell + change @ other_cell) / 2, axis=-1))


def same_frame(frames: Frames, first: int, *, begin: int, stop: int) -> int | None:
    """The frame between `begin` and before `stop` that is frame `first` over again, in any images; the latest if there are several.

    None where there is none, or the file holds no positions. Beside the first frame, the last `_SEARCHED` atoms x frames are looked through.
    """
    wanted = frames.load(np.array([first])).scaled
    if wanted is None:
        return None
    least = max(begin, stop - max(1, _SEARCHED // frames.n_atoms))
    block = max(1, 2**16 // frames.n_atoms)
    spans = [(max(least, at - block), at) for at in range(stop, least, -block)] + ([(begin, begin + 1)] if least > begin else [])
    for low, high in spans:
        found = frames.load(np.arange(low, high)).scaled
        assert found is not None
        step = found - wanted
        step -= np.rint(step) * frames.periodic
        equal = np.flatnonzero(np.abs(step).max(axis=(1, 2)) < SAME)
        if len(equal):
            return low + int(equal[-1])
    return None
