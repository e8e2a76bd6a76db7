"""Bytes of a file, whatever it is packed in: plain files are memory-mapped, packed ones are unpacked into memory.

What would take too much of it is unpacked into a file without a name in the folder for such (TMPDIR), which is mapped; it is
gone with the process. Pages of a map that have been read are given back now and then, so that a job does not look larger than it is.
A packed stream that breaks off (disk full, killed job) gives what came before the break, and says so.
"""

import bz2
import errno
import lzma
import mmap
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mdtools import memory
from mdtools.errors import TrajectoryError

__all__ = ["PACKED", "OpenedFile", "head", "unpacked_suffix"]


def _gz() -> Any:
    return zlib.decompressobj(wbits=31)


def _zst() -> Any:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


PACKED: dict[str, Callable[[], Any]] = {".gz": _gz, ".bz2": bz2.BZ2Decompressor, ".xz": lzma.LZMADecompressor, ".zst": _zst}
_PIECE = 2**18  # packed bytes at once; unpacked they may be a thousand times as many
_AT_ONCE = 2**22  # unpacked bytes that one visit of a parser may touch


def unpacked_suffix(path: Path) -> str:
    """Suffix of a file without that of its packing, in lower case: ".extxyz" for "run.extxyz.gz"."""
    inner = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return inner.suffix.lower()


class _Spool:
    """Bytes that grow: in memory, beyond a quarter of what the job may take in a file without a name."""

    def __init__(self) -> None:
        self._memory, self._size = bytearray(), 0
        self._most = memory.limit() // 4
        self._file: Any = None

    def __len__(self) -> int:
        return self._size

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._file is None and self._size > self._most:
            self._file = tempfile.TemporaryFile(prefix="mdtools-")  # noqa: SIM115 - lives as long as its map
            self._file.write(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += piece
        else:
            self._file.write(piece)

    def content(self, size: int | None = None) -> Any:
        """The first bytes, all of them unless told: a bytearray or a map. Nothing can be added then."""
        size = self._size if size is None else size
        if self._file is None:
            return self._memory[:size] if size < self._size else self._memory
        with self._file:
            self._file.flush()
            return mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ) if size else bytearray()


def _unpack(path: Path, limit: int | None = None) -> tuple[Any, bool]:
    """Content of a packed file up to `limit` bytes, and whether the stream broke off.

    A stream that ends too early gives what came before; of one that is damaged inside nothing can be trusted, because its
    checksum comes last: only the whole streams before it are kept.
    """
    make = PACKED[path.suffix.lower()]
    out, machine, started, sound = _Spool(), make(), False, 0
    with open(path, "rb") as file:
        while piece := file.read(_PIECE if limit is None else 2**16):
            while piece:
                # a file may be several streams one after the other (appended, or packed in parallel)
                if machine.eof:
                    machine, started, sound = make(), False, len(out)
                try:
                    out.write(machine.decompress(piece))
                except Exception:
                    # each library has its own exception for damage; zero padding behind a whole stream is no damage
                    return out.content(sound), started or not sound or piece.strip(b"\0") != b""
                started = True
                piece = machine.unused_data if machine.eof else b""
            if limit is not None and len(out) >= limit:
                return out.content(limit), False
    return out.content(), not machine.eof


def head(path: Path, size: int = 4096) -> bytes:
    """The first bytes of a file, unpacked. Raises TrajectoryError for a file that cannot be opened or is empty."""
    try:
        if path.suffix.lower() in PACKED:
            return bytes(_unpack(path, size)[0])
        with open(path, "rb") as file:
            return file.read(size)
    except OSError as reason:
        raise TrajectoryError(f"{path}: cannot be opened ({reason.strerror}); check the path") from None


def _give_back(content: Any) -> None:
    """Drop the pages of a map from this process; they stay in the memory of the system as long as that has room."""
    if isinstance(content, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        content.madvise(mmap.MADV_DONTNEED)


class OpenedFile:
    """A file whose bytes are there when asked for, and can be let go of in between."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = False
        self._bytes: Any = None
        self._visits = self._passed = 0

    @property
    def bytes(self) -> Any:
        """The content: a memory map or a bytearray; both have `find` and are sliced into bytes."""
        content = self._bytes  # another thread may let go of it meanwhile
        if content is None:
            content = self._bytes = self.open()
        return content

    @property
    def array(self) -> np.ndarray:
        """The content as uint8, read-only (one type for the compiled parsers)."""
        content = self.bytes
        self._visits += 1
        if self._visits * _AT_ONCE >= memory.limit() // 8:
            self._visits = 0
            _give_back(content)
        array = np.frombuffer(content, dtype=np.uint8)
        array.flags.writeable = False
        return array

    def passed(self, offset: int) -> None:
        """Say that what lies before this byte is not needed for now: its pages are given back when they have become many."""
        if offset - self._passed >= memory.limit() // 8:
            self._passed = offset
            _give_back(self.bytes)

    def release(self) -> None:
        """Let go of the content; the next use opens the file again."""
        self._bytes = None

    def line(self, offset: int) -> int:
        """Number of the line (from 1) that holds this byte, for messages."""
        return int(np.count_nonzero(self.array[:offset] == 10)) + 1

    def text_of_line(self, offset: int) -> str:
        """What is written from this byte to the end of its line, shortened, for messages."""
        end = self.bytes.find(b"\n", offset)
        text = bytes(self.bytes[offset : min(end if end >= 0 else offset + 60, offset + 60)])
        return text.decode("ascii", "replace").strip()

    def open(self) -> Any:
        """The content, opened anew. Raises TrajectoryError for a file that is not there, empty or damaged from the start."""
        content: Any
        try:
            if self.path.suffix.lower() in PACKED:
                content, self.broken = _unpack(self.path)
            else:
                with open(self.path, "rb") as file:
                    content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.path.stat().st_size else b""
        except OSError as reason:
            if reason.errno == errno.ENOSPC:
                raise TrajectoryError(
                    f"{self.path}: there is no room in {tempfile.gettempdir()} to unpack it; unpack it yourself, or point TMPDIR to a larger disk"
                ) from None
            raise TrajectoryError(f"{self.path}: cannot be opened ({reason.strerror}); check the path") from None
        if len(content) == 0:
            what = f"is not a whole {self.path.suffix} file" if self.broken else "is empty"
            raise TrajectoryError(f"{self.path}: {what}; pass a file with at least one frame")
        return content
