"""A large array of a store, read straight from its shards.

Chunks lie in a shard uncompressed, so that frames of a chunk are one stretch of a file: they are read there with one call and copied
once, about three times as fast as through zarr, which reads whole chunks. What lies there in another way (compressed, in one piece, not
written by us) is left to zarr.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google_crc32c import value as crc32c

from mdtools.errors import TrajectoryError

__all__ = ["Shards", "from_shards"]

_ABSENT = 2**64 - 1  # where the index of a shard has no chunk: all of it is zero
_INDEX = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
_CHECKSUM = 4  # bytes behind an index
_PLAIN = [{"name": "bytes", "configuration": {"endian": "little"}}]


def from_shards(array: Any, folder: Path) -> Any:
    """The zarr array in a folder, to be read from its shards where they are of the form that `Layout.create` gives; else itself."""
    about = json.loads((folder / "zarr.json").read_text())
    grid = about["chunk_grid"].get("configuration", {}).get("chunk_shape")
    plain = {
        "name": "sharding_indexed",
        "configuration": {"chunk_shape": list(array.chunks), "codecs": _PLAIN, "index_codecs": _INDEX, "index_location": "end"},
    }
    usual = about["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": "/"}} and not about.get("storage_transformers")
    whole = array.ndim == 3 and grid[1] >= array.shape[1] and grid[2] == array.chunks[2] == array.shape[2]
    return Shards(array, folder, frames=grid[0]) if whole and usual and about["codecs"] == [plain] and about["fill_value"] == 0.0 else array


class Shards:
    """An array (frame, atom, 3) of which slices of frames and atoms are read from its shards, and everything else through zarr.

    array : as zarr has it. folder : in which its shards lie. frames : of a shard, which holds all atoms.
    Raises TrajectoryError for a shard that has been cut off.
    """

    def __init__(self, array: Any, folder: Path, *, frames: int) -> None:
        self._array, self._folder, self._frames = array, folder, frames
        self.shape, self.chunks, self.ndim = tuple(array.shape), tuple(array.chunks), array.ndim
        self.dtype = np.dtype(array.dtype)
        self._stored = self.dtype.newbyteorder("<")
        self._grid = (frames // self.chunks[0], array.shards[1] // self.chunks[1])

    @property
    def oindex(self) -> Any:
        """Scattered atoms, as zarr reads them."""
        return self._array.oindex

    def __getitem__(self, key: Any) -> np.ndarray:
        if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(one, slice) and one.step in (None, 1) for one in key)):
            return np.asarray(self._array[key])
        (first, last, _), (begin, end, _) = (one.indices(n) for one, n in zip(key, self.shape, strict=False))
        out = np.empty((max(last - first, 0), max(end - begin, 0), self.shape[2]), dtype=self._stored)
        if out.size:
            for shard in range(first // self._frames, (last - 1) // self._frames + 1):
                before = shard * self._frames
                here = slice(max(first - before, 0), min(last - before, self._frames))
                self._fill(out[before + here.start - first : before + here.stop - first], shard, here, slice(begin, end))
        return out.astype(self.dtype, copy=False)

    def _fill(self, out: np.ndarray, shard: int, frames: slice, atoms: slice) -> None:
        """Some frames of a shard and some atoms."""
        path = self._folder / "c" / str(shard) / "0" / "0"
        if not path.is_file():
            out[:] = 0
            return
        rows, columns = self.chunks[:2]
        width = columns * self.shape[2] * self.dtype.itemsize  # bytes of a frame of a chunk
        scratch = np.empty((min(rows, frames.stop - frames.start), columns, self.shape[2]), dtype=self._stored)
        with path.open("rb", buffering=0) as file:
            if atoms != slice(0, self.shape[1]) and hasattr(os, "posix_fadvise"):  # what lies behind a chunk is not wanted
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            where = self._index(file, path)
            for row, within, here in _cut(frames, rows):
                for column, some, there in _cut(atoms, columns):
                    target = out[here, there]
                    if where[row, column, 0] == _ABSENT:
                        target[:] = 0
                        continue
                    n = within.stop - within.start
                    whole = target.flags.c_contiguous and some == slice(0, columns)
                    piece = target if whole else scratch[:n]
                    file.seek(int(where[row, column, 0]) + within.start * width)
                    self._read(file, piece, path)
                    if not whole:
                        target[:] = piece[:, some]

    def _index(self, file: Any, path: Path) -> np.ndarray:
        """Where each chunk of a shard begins and how many bytes it has: (chunk of frames, chunk of atoms, 2)."""
        index = np.empty((*self._grid, 2), dtype="<u8")
        size = path.stat().st_size
        if size < index.nbytes + _CHECKSUM:
            raise _cut_off(path)
        file.seek(size - index.nbytes - _CHECKSUM)
        self._read(file, index, path)
        checksum = np.empty(1, dtype="<u4")
        self._read(file, checksum, path)
        if checksum[0] != crc32c(index.tobytes()):
            raise _cut_off(path)
        there = index[..., 0] != _ABSENT
        n_bytes = int(np.prod(self.chunks)) * self.dtype.itemsize
        if np.any(index[there, 1] != n_bytes) or np.any(index[there, 0] + np.uint64(n_bytes) > size):
            raise _cut_off(path)
        return index

    @staticmethod
    def _read(file: Any, values: np.ndarray, path: Path) -> None:
        """Fill an array from where the file stands."""
        room = values.data.cast("B")
        while room:
            n_bytes = file.readinto(room)  # network disks may give less than is asked for
            if not n_bytes:
                raise _cut_off(path)
            room = room[n_bytes:]


def _cut(span: slice, size: int) -> Iterator[tuple[int, slice, slice]]:
    """Number of each chunk that a span lies in, the part of the chunk, and the part of the span.

    >>> [(k, (a.start, a.stop), (b.start, b.stop)) for k, a, b in _cut(slice(3, 9), 4)]
    [(0, (3, 4), (0, 1)), (1, (0, 4), (1, 5)), (2, (0, 1), (5, 6))]
    """
    for number in range(span.start // size, (span.stop - 1) // size + 1):
        first, last = max(span.start, number * size), min(span.stop, (number + 1) * size)
        yield number, slice(first - number * size, last - number * size), slice(first - span.start, last - span.start)


def _cut_off(path: Path) -> TrajectoryError:
    return TrajectoryError(f"{path}: has been cut off or changed; make the store again with mdtools convert --overwrite")
