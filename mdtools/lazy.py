"""A part of an array that stays where it is: frames and atoms of a stored array, read when they are asked for."""

from typing import Any

import numpy as np

__all__ = ["Lazy"]

_NEAR = 4  # frames: what lies between two wanted ones is read along with them
_DENSE = 4  # times as many atoms as are wanted are read along with them
_TURNED = 2**22  # bytes that are read and turned at a time, where an array cannot turn them itself


class Lazy:
    """Some frames (a slice) and some atoms (indices, or all) of an array (frame, atom, ...) that may be on disk.

    It is indexed along frames and atoms with numbers, slices and arrays of indices, which give NumPy arrays; `part` gives
    another such view. Arrays of indices for frames and atoms at once mean every pair of them, not pairs one by one.

    >>> view = Lazy(np.arange(24).reshape(4, 2, 3)).part(frames=slice(0, None, 2), atoms=np.array([1]))
    >>> view.shape, view[-1].tolist()
    ((2, 1, 3), [[15, 16, 17]])
    """

    def __init__(self, stored: Any, *, frames: range | None = None, atoms: np.ndarray | None = None) -> None:
        self._stored = stored
        self._frames = range(stored.shape[0]) if frames is None else frames
        self._atoms = atoms
        self.dtype = np.dtype(stored.dtype)
        self.shape = (len(self._frames), stored.shape[1] if atoms is None else len(atoms), *stored.shape[2:])
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """What it would take in memory."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def chunk(self, axis: int = 0) -> int:
        """Frames (axis 0) or atoms (1) that lie together on disk, from the first one on; 1 where that is not known."""
        chunks = getattr(self._stored, "chunks", None)
        whole = self._frames.start == 0 and self._frames.step == 1 if axis == 0 else self._atoms is None
        return int(chunks[axis]) if chunks and whole else 1

    def part(self, *, frames: slice = slice(None), atoms: np.ndarray | None = None) -> "Lazy":
        """Fewer frames and atoms, still not read."""
        left = self._frames[frames]
        if left.step < 0:
            raise ValueError("frames go forward in time; take a slice with a positive step")
        chosen = self._atoms if atoms is None else atoms if self._atoms is None else self._atoms[atoms]
        return Lazy(self._stored, frames=left, atoms=chosen)

    def turn(self, out: np.ndarray, atoms: slice, frames: np.ndarray | None = None) -> None:
        """Read some atoms into (atom, xyz, frame), where time is contiguous. frames : growing numbers of those that are wanted, if not all."""
        run = self._run(atoms)
        if run is not None and hasattr(self._stored, "turn"):
            whole = slice(None) if frames is None else frames
            one_by_one = frames is None and self._frames.step == 1
            self._stored.turn(out, slice(self._frames.start, self._frames.stop) if one_by_one else np.asarray(self._frames)[whole], run)
            return
        n_bytes = out.shape[0] * out.shape[1] * self.dtype.itemsize  # of a frame
        some = -(-max(1, _TURNED // max(1, n_bytes)) // self.chunk(0)) * self.chunk(0)
        for first in range(0, out.shape[2], some):
            part = slice(first, min(first + some, out.shape[2]))
            out[..., part] = np.moveaxis(self[part if frames is None else frames[part], atoms], 0, -1)

    def _run(self, atoms: slice) -> slice | None:
        """Where they lie, if one behind the other."""
        if self._atoms is None:
            return atoms
        chosen = self._atoms[atoms]
        return slice(int(chosen[0]), int(chosen[-1]) + 1) if len(chosen) and np.all(np.diff(chosen) == 1) else None

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        frames, atoms, *rest = key if len(key) > 1 else (*key, slice(None))
        values = self._read(frames, atoms)
        return values[(..., *rest)] if rest else values

    def _read(self, frames: Any, atoms: Any) -> np.ndarray:
        if isinstance(frames, slice):
            return self._rows(self._frames[frames], atoms)
        where = np.asarray(frames)
        if where.dtype == bool:
            where = np.flatnonzero(where)
        if where.ndim == 0:
            return self._rows(self._frames[int(where) : int(where) + 1 or None], atoms)[0]
        if where.size == 0:
            return self._rows(self._frames[:0], atoms)
        first, last = int(where.min()), int(where.max())
        if first < -len(self) or last >= len(self):
            raise IndexError(f"frame {first if first < 0 else last} of {len(self)}")
        # every frame is read once, in the order of the disk, near ones together
        once, back = np.unique(where % len(self), return_inverse=True)
        cuts = np.flatnonzero(np.diff(once) > _NEAR) + 1
        parts = []
        for near in np.split(once, cuts):
            parts.append(self._rows(self._frames[int(near[0]) : int(near[-1]) + 1], atoms)[near - near[0]])
        return np.concatenate(parts)[back.reshape(where.shape)]

    def _rows(self, frames: range, atoms: Any) -> np.ndarray:
        span = slice(frames.start, frames.start + (len(frames) - 1) * frames.step + 1, frames.step) if len(frames) else slice(0, 0)
        if self._atoms is None and isinstance(atoms, slice) and atoms.step in (None, 1):
            return np.asarray(self._stored[span, atoms])
        chosen = np.arange(self._stored.shape[1])[atoms] if self._atoms is None else self._atoms[atoms]
        if np.ndim(chosen) == 0:
            return np.asarray(self._stored[span, int(chosen)])
        if len(chosen) == 0:
            return np.asarray(self._stored[span, :0])
        first, last = int(chosen.min()), int(chosen.max())
        if last - first < _DENSE * len(chosen) or not hasattr(self._stored, "oindex"):
            return np.asarray(self._stored[span, first : last + 1])[:, chosen - first]
        # only the chunks that hold one of the atoms
        once, back = np.unique(chosen, return_inverse=True)
        return np.asarray(self._stored.oindex[span, once])[:, back]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        values = self[:]
        return values if dtype is None else values.astype(dtype, copy=False)
