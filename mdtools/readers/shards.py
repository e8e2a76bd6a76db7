"""A large array of a store, read straight from its shards.

Chunks lie in a shard uncompressed, so that frames of a chunk are one stretch of a file: they are read there with one call and copied
once, about three times as fast as through zarr, which reads whole chunks. What lies there in another way (compressed, in one piece, not
written by us) is left to zarr.
"""

import collections
import itertools
import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from google_crc32c import value as crc32c

from mdtools.errors import TrajectoryError

__all__ = ["Shards", "from_shards"]

_ABSENT = 2**64 - 1  # where the index of a shard has no chunk: all of it is zero
_INDEX = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
_CHECKSUM = 4  # bytes behind an index
_KNOWN = 2**24  # bytes of the places of chunks that are remembered
_AHEAD = 4  # shards
_TOGETHER = 2**20  # bytes that are read at once, where chunks lie one behind the other: no more than the cache of a processor holds
_PLAIN = [{"name": "bytes", "configuration": {"endian": "little"}}]


def from_shards(array: Any, folder: Path, *, let_go: bool = False) -> Any:
    """The zarr array in a folder, to be read from its shards where they are of the form that `Layout.create` gives; else itself.

    let_go : see `Shards`.
    """
    about = json.loads((folder / "zarr.json").read_text())
    grid = about["chunk_grid"].get("configuration", {}).get("chunk_shape")
    plain = {
        "name": "sharding_indexed",
        "configuration": {"chunk_shape": list(array.chunks), "codecs": _PLAIN, "index_codecs": _INDEX, "index_location": "end"},
    }
    usual = about["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": "/"}} and not about.get("storage_transformers")
    whole = array.ndim == 3 and grid[1] >= array.shape[1] and grid[2] == array.chunks[2] == array.shape[2]
    return (
        Shards(array, folder, frames=grid[0], let_go=let_go)
        if whole and usual and about["codecs"] == [plain] and about["fill_value"] == 0.0
        else array
    )


class Shards:
    """An array (frame, atom, 3) of which slices of frames and atoms are read from its shards, and everything else through zarr.

    array : as zarr has it. folder : in which its shards lie. frames : of a shard, which holds all atoms. let_go : the system need not keep in
    memory what has been read, as where it is pushed out again before anybody comes back to it: pages that are new each time cost more than
    reading into them.
    Raises TrajectoryError for a shard that has been cut off, and where the array was replaced since it was opened: nothing that is known of it
    is right any more.
    """

    def __init__(self, array: Any, folder: Path, *, frames: int, let_go: bool = False) -> None:
        self._array, self._folder, self._frames, self._let_go = array, folder, frames, let_go
        self.shape, self.chunks, self.ndim = tuple(array.shape), tuple(array.chunks), array.ndim
        self.dtype = np.dtype(array.dtype)
        self._stored = self.dtype.newbyteorder("<")
        self._grid = (frames // self.chunks[0], array.shards[1] // self.chunks[1])
        self._chunk_bytes = int(np.prod(self.chunks)) * self.dtype.itemsize
        self._known: dict[int, tuple[_Which, np.ndarray]] = {}
        self._last: tuple[np.ndarray, list[slice], slice, list[list[_Part]]] | None = None
        self._about = _which((folder / "zarr.json").stat())

    @property
    def oindex(self) -> Any:
        """Scattered atoms, as zarr reads them."""
        self._check()
        return self._array.oindex

    def _check(self) -> None:
        """Raise TrajectoryError where the array is not the one that was opened: its chunks, and shards that are all zero, may be others."""
        path = self._folder / "zarr.json"
        try:
            same = _which(path.stat()) == self._about
        except FileNotFoundError:
            same = False
        if not same:
            raise _cut_off(str(path))

    def __getitem__(self, key: Any) -> np.ndarray:
        if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(one, slice) and one.step in (None, 1) for one in key)):
            self._check()
            return np.asarray(self._array[key])
        (first, last, _), (begin, end, _) = (one.indices(n) for one, n in zip(key, self.shape, strict=False))
        out = np.empty((max(last - first, 0), max(end - begin, 0), self.shape[2]), dtype=self._stored)
        for rows, columns, values in self._parts([slice(first, last)], slice(begin, end)):
            out[rows.start - first : rows.stop - first, columns] = values
        return out.astype(self.dtype, copy=False)

    def turn(self, out: np.ndarray, frames: slice | np.ndarray, atoms: slice) -> None:
        """Read into (atom, xyz, frame). frames : a slice without a step, or growing numbers.

        A part is turned while it is in the cache of the processor, so that nothing as large as the histories is there twice.
        """
        if isinstance(frames, slice):
            for rows, columns, values in self._parts([frames], atoms):
                out[columns, :, rows.start - frames.start : rows.stop - frames.start] = values.transpose(1, 2, 0)
            return
        together = np.split(frames, np.flatnonzero(np.diff(frames // self.chunks[0])) + 1) if len(frames) else []
        spans = [slice(int(one[0]), int(one[-1]) + 1) for one in together]  # what no wanted frame lies in is not read
        for rows, columns, values in self._parts(spans, atoms):
            low, high = np.searchsorted(frames, [rows.start, rows.stop])
            out[columns, :, low:high] = values[frames[low:high] - rows.start].transpose(1, 2, 0)

    def _parts(self, spans: list[slice], atoms: slice) -> Iterator[tuple[slice, slice, np.ndarray]]:
        """Growing spans of frames in parts: (which frames, which of these atoms, values), which hold until the next part is asked for.

        Some shards ahead the system is told what will be read of them, so that a disk is not waited for from one to the next.
        """
        if atoms.start >= atoms.stop:
            return
        room = np.empty(max(_TOGETHER, self._chunk_bytes), np.uint8)
        coming: collections.deque[_Shard] = collections.deque()
        self._check()
        wanted = ((number, within) for span in spans if span.start < span.stop for number, within, _ in _cut(span, self._frames))
        try:
            for number, of_shard in itertools.groupby(wanted, lambda one: one[0]):
                coming.append(self._open(number, [within for _, within in of_shard], atoms))
                if len(coming) > _AHEAD:
                    yield from self._read_shard(coming[0], room)
                    coming.popleft().close()
            while coming:
                yield from self._read_shard(coming[0], room)
                coming.popleft().close()
        finally:
            for shard in coming:
                shard.close()
        self._check()  # or what was read may be of two arrays

    def _open(self, number: int, spans: list[slice], atoms: slice) -> "_Shard":
        """A shard of which some spans of frames and atoms are going to be read."""
        path, first = f"{self._folder}/c/{number}/0/0", number * self._frames
        try:
            file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed when it has been read, some shards later)
        except FileNotFoundError:  # all of it is zero
            if number in self._known:
                raise _cut_off(path) from None
            columns = slice(0, atoms.stop - atoms.start)
            return _Shard(path, None, first, [[_Part(_ABSENT, _ABSENT, frames, columns, slice(0, 0)) for frames in spans]])
        try:
            stretches = self._stretches(self._begins(number, file, path), spans, atoms)
            if hasattr(os, "posix_fadvise"):
                if atoms != slice(0, self.shape[1]):  # what lies behind a chunk is not wanted
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
                for together in stretches:
                    if together[0].begin != _ABSENT:
                        os.posix_fadvise(file.fileno(), together[0].begin, together[-1].end - together[0].begin, os.POSIX_FADV_WILLNEED)
        except BaseException:
            file.close()
            raise
        return _Shard(path, file, first, stretches)

    def _read_shard(self, shard: "_Shard", room: np.ndarray) -> Iterator[tuple[slice, slice, np.ndarray]]:
        for together in shard.stretches:
            begin = together[0].begin
            stretch = room[: together[-1].end - begin]
            if begin != _ABSENT:
                shard.file.seek(begin)
                self._read(shard.file, stretch, shard.path)
                # of a chunk that is taken in part, a later block has the rest
                if self._let_go and hasattr(os, "posix_fadvise") and all(one.some.stop == self.chunks[1] for one in together):
                    # whole pages are let go: the first as well, but the last, of which the next atoms have a part, with these
                    page = begin // mmap.PAGESIZE * mmap.PAGESIZE
                    os.posix_fadvise(shard.file.fileno(), page, together[-1].end - page, os.POSIX_FADV_DONTNEED)
            for one in together:
                rows = slice(shard.first + one.rows.start, shard.first + one.rows.stop)
                if begin == _ABSENT:
                    yield rows, one.columns, self._zeros(rows, one.columns)
                    continue
                values = stretch[one.begin - begin : one.end - begin].view(self._stored).reshape(-1, *self.chunks[1:])
                yield rows, one.columns, values[:, one.some]

    def _zeros(self, rows: slice, columns: slice) -> np.ndarray:
        return np.broadcast_to(np.zeros((), self._stored), (rows.stop - rows.start, columns.stop - columns.start, self.shape[2]))

    def _stretches(self, begins: np.ndarray, spans: list[slice], atoms: slice) -> list[list["_Part"]]:
        """Parts of the chunks of a shard, in the order of the disk; those that lie one behind the other there are in one list."""
        last = self._last  # chunks lie in most shards at the same places
        if last is not None and last[0] is begins and last[1:3] == (spans, atoms):
            return last[3]
        stretches = list(self._cut_into_stretches(begins, spans, atoms))
        self._last = begins, spans, atoms, stretches
        return stretches

    def _cut_into_stretches(self, begins: np.ndarray, spans: list[slice], atoms: slice) -> Iterator[list["_Part"]]:
        width = self._chunk_bytes // self.chunks[0]  # bytes of a frame of a chunk
        parts = []
        for first, (row, within, there) in ((span.start, one) for span in spans for one in _cut(span, self.chunks[0])):
            rows = slice(first + there.start, first + there.stop)
            for column, some, columns in _cut(atoms, self.chunks[1]):
                begin = int(begins[row, column])
                begin += 0 if begin == _ABSENT else within.start * width
                parts.append(_Part(begin, begin + (within.stop - within.start) * width, rows, columns, some))
        parts.sort(key=lambda one: one.begin)
        together = parts[:1]
        for one in parts[1:]:
            if one.begin != together[-1].end or one.end - together[0].begin > _TOGETHER:
                yield together
                together = []
            together.append(one)
        yield together

    def _begins(self, shard: int, file: Any, path: str) -> np.ndarray:
        """Where each chunk of a shard begins, (chunk of frames, chunk of atoms). Of the first shards it is remembered: a visit goes round them."""
        which = _which(os.fstat(file.fileno()))
        if shard in self._known:
            before, begins = self._known[shard]
            if which != before:
                raise _cut_off(path)
            return begins
        index = np.empty((*self._grid, 2), dtype="<u8")
        size = which.n_bytes
        if size < index.nbytes + _CHECKSUM:
            raise _cut_off(path)
        file.seek(size - index.nbytes - _CHECKSUM)
        self._read(file, index, path)
        checksum = np.empty(1, dtype="<u4")
        self._read(file, checksum, path)
        if checksum[0] != crc32c(index.tobytes()):
            raise _cut_off(path)
        there = index[..., 0] != _ABSENT
        if np.any(index[there, 1] != self._chunk_bytes) or np.any(index[there, 0] + np.uint64(self._chunk_bytes) > size):
            raise _cut_off(path)
        begins = index[..., 0].copy()
        last = self._last  # once: another thread may set another
        if last is not None and np.array_equal(begins, last[0]):
            begins = last[0]
        if (len(self._known) + 1) * begins.nbytes <= _KNOWN:
            self._known[shard] = which, begins
        return begins

    @staticmethod
    def _read(file: Any, values: np.ndarray, path: str) -> None:
        """Fill an array from where the file stands."""
        room = values.data.cast("B")
        while room:
            n_bytes = file.readinto(room)  # network disks may give less than is asked for
            if not n_bytes:
                raise _cut_off(path)
            room = room[n_bytes:]


class _Which(NamedTuple):
    """A file as it was when it was read: another one in its place, or one that was written to, differs in one of these."""

    number: int
    n_bytes: int
    written: int


def _which(about: os.stat_result) -> _Which:
    return _Which(about.st_ino, about.st_size, about.st_mtime_ns)


class _Part(NamedTuple):
    """Frames of a chunk: from where to where they lie in a file, which frames of the shard, which of the atoms asked for, which of the chunk."""

    begin: int
    end: int
    rows: slice
    columns: slice
    some: slice


class _Shard(NamedTuple):
    """One of which something is read: its file, if there is one, its first frame, and the parts that are read together."""

    path: str
    file: Any
    first: int
    stretches: list[list[_Part]]

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def _cut(span: slice, size: int) -> Iterator[tuple[int, slice, slice]]:
    """Number of each chunk that a span lies in, the part of the chunk, and the part of the span.

    >>> [(k, (a.start, a.stop), (b.start, b.stop)) for k, a, b in _cut(slice(3, 9), 4)]
    [(0, (3, 4), (0, 1)), (1, (0, 4), (1, 5)), (2, (0, 1), (5, 6))]
    """
    for number in range(span.start // size, (span.stop - 1) // size + 1):
        first, last = max(span.start, number * size), min(span.stop, (number + 1) * size)
        yield number, slice(first - number * size, last - number * size), slice(first - span.start, last - span.start)


def _cut_off(path: str) -> TrajectoryError:
    return TrajectoryError(f"{path}: has been cut off or changed; make the store again with mdtools convert --overwrite")
