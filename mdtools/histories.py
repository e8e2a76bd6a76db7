"""Whole histories of atoms, (atom, xyz, frame): time is made contiguous while an array that is stored frame by frame is read."""

import numpy as np

from mdtools.lazy import Lazy

__all__ = ["Histories"]


class Histories:
    """An array (frame, atom, xyz) on disk seen as (atom, xyz, frame). A slice of its atoms is read, and lies contiguous in memory.

    frames : those that are wanted, a slice or growing numbers, if not all.

    >>> Histories(Lazy(np.arange(12.0).reshape(2, 2, 3)))[1:].tolist()
    [[[3.0, 9.0], [4.0, 10.0], [5.0, 11.0]]]
    """

    def __init__(self, stored: Lazy, frames: slice | np.ndarray | None = None) -> None:
        self._stored = stored.part(frames=frames) if isinstance(frames, slice) else stored
        self._frames = frames if isinstance(frames, np.ndarray) else None
        self.shape = (*self._stored.shape[1:], len(self._stored) if self._frames is None else len(self._frames))
        self.dtype = self._stored.dtype

    def chunk(self) -> int:
        """Atoms that lie together on disk, from the first one on; 1 where that is not known."""
        return self._stored.chunk(1)

    def __getitem__(self, atoms: slice) -> np.ndarray:
        first, last, _ = atoms.indices(self.shape[0])
        out = np.empty((last - first, *self.shape[1:]), self.dtype)
        self._stored.turn(out, slice(first, last), self._frames)
        return out
