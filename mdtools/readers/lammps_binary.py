"""LAMMPS binary dumps (`dump atom|custom FILE.bin`), as they are written since the end of 2020, when they began to name their columns.

A frame: a negative length and a magic word, byte order, revision, step, atoms, box, number of columns, units, time, names of the
columns, and one chunk of float64 for each processor that wrote. Every count is checked against the size of the file before use.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.readers.lammps_columns import Columns, records
from mdtools.readers.lammps_header import Header, check_same, dropped, tilted_cell
from mdtools.readers.opened import OpenedFile

__all__ = ["BinaryDump", "read_files"]

_MAGIC = (b"DUMPATOM", b"DUMPCUSTOM")
_REVISION = 2
_MOST_CHUNKS = 2**24  # processors
_TYPE_NUMBERS = ("element", "typelabel")  # binary dumps hold the number of the type in these columns as well


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """Several binary dumps; their units are in the files, or resolved later."""
    return records(files, BinaryDump)


class BinaryDump:
    """An open binary dump; see `lammps_columns.Dump`."""

    kind = "LAMMPS binary dump"

    def __init__(self, path: Path) -> None:
        self.file = OpenedFile(path)
        self.order, self.bigint = _layout(self.file)
        self._box: tuple[bytes, np.ndarray, np.ndarray] = (b"", np.empty(0), np.empty(0))
        self.headers, self.notes = self._index()

    def plan(self) -> Columns:
        return Columns(self.file.path, self.headers[0].columns, kinds=("type",))

    def at(self, plan: Columns) -> Mapping[str, int]:
        return {name: index for index, name in enumerate(plan.columns)}

    def table(self, plan: Columns, frames: np.ndarray) -> np.ndarray:
        first = self.headers[0]
        out = np.empty((len(frames), first.n_atoms, len(first.columns)))
        content = self.file.bytes
        for goal, frame in zip(out.reshape(len(frames), -1), frames, strict=True):
            done = 0
            for at, count in _chunks(_Cursor(content, self.headers[frame].start, self.order)):
                goal[done : done + count] = np.frombuffer(content, dtype=f"{self.order}f8", count=count, offset=at)
                done += count
        return out

    def said(self, plan: Columns, table: np.ndarray) -> dict[str, np.ndarray]:
        at = self.at(plan)
        out = {name: table[:, at[name]] for name in ("mass", "q") if name in at}
        if "type" in at:
            types = table[:, at["type"]]
            if not ((np.abs(types) < 2**31).all() and (types == np.rint(types)).all()):
                raise TrajectoryError(f"{self.file.path}: frame 0 holds types that are not whole numbers; the file is damaged")
            out["type"] = types.astype(np.int64).astype(str)
        return out

    def _index(self) -> tuple[list[Header], list[str]]:
        """Headers of all whole frames, and what was dropped at the end of the file."""
        content, at, size = self.file.bytes, 0, len(self.file.bytes)
        headers: list[Header] = []
        notes: list[str] = []
        while at < size:
            where = f"{self.file.path}: frame {len(headers)} (byte {at})"
            try:
                header = self._header(_Cursor(content, at, self.order), where)
            except _BeyondEnd:
                # a frame takes as many bytes as the first, but for the digits of units and the number of processors
                if headers and size - at >= headers[0].stop:
                    raise TrajectoryError(f"{where} announces more than the file holds; the file is damaged: read up to it with end=...") from None
                notes.append(dropped(self.file, len(headers), "is cut"))
                break
            headers.append(header)
            at = header.stop
        if self.file.broken:
            notes.append(f"{self.file.path.name}: the packed stream breaks off; frames after {len(headers) - 1} are lost")
        if not headers:
            raise TrajectoryError(f"{self.file.path}: no whole frame is left: pass a file with at least one")
        check_same(self.file.path, headers)
        return headers, notes

    def _header(self, cursor: "_Cursor", where: str) -> Header:
        """The frame at a cursor, its chunks checked: `start` is that of the number of chunks."""
        length = -cursor.take(self.bigint)
        magic = cursor.bytes(length) if 0 < length <= 64 else b""
        if magic not in _MAGIC or cursor.take("i") != 1:
            raise TrajectoryError(f"{where} does not begin as a binary dump of LAMMPS does; the file is damaged: read up to it with end=...")
        revision = cursor.take("i")
        if revision != _REVISION:
            raise TrajectoryError(
                f"{where} is of revision {revision} of the format, which {'names no columns' if revision == 1 else 'is not known'}; {_REMEDY}"
            )
        step, n_atoms, tilted = cursor.take(self.bigint), cursor.take(self.bigint), cursor.take("i")
        sides = cursor.several("i", 6)
        cell, origin = self._cell(cursor, tilted, where)
        n_columns, units = cursor.take("i"), cursor.text()
        time = cursor.take("d") if cursor.take("b") else None
        columns = tuple(cursor.text().split())
        if not set(sides) <= {0, 1, 2, 3}:
            raise TrajectoryError(f"{where} has a boundary of the unknown kind {max(sides)}; the file is damaged")
        if n_atoms < 1 or n_columns < 1 or len(columns) != n_columns or not (time is None or np.isfinite(time)):
            raise TrajectoryError(f"{where} holds {n_atoms} atoms and {n_columns} columns ({' '.join(columns)[:80]}); the file is damaged")
        columns = tuple("type" if name in _TYPE_NUMBERS and "type" not in columns else name for name in columns)
        start = cursor.at
        if sum(count for _, count in _chunks(cursor, where, n_columns)) != n_atoms * n_columns:
            raise TrajectoryError(f"{where} announces {n_atoms} atoms, but its chunks hold another number; the file is damaged")
        return Header(
            step=step,
            time=time,
            units=units or None,
            n_atoms=n_atoms,
            cell=cell,
            origin=origin,
            periodic=(sides[0] == sides[1] == 0, sides[2] == sides[3] == 0, sides[4] == sides[5] == 0),
            columns=columns,
            start=start,
            stop=cursor.at,
        )

    def _cell(self, cursor: "_Cursor", tilted: int, where: str) -> tuple[np.ndarray, np.ndarray]:
        """Cell vectors (rows) and origin: of an orthogonal box, a restricted triclinic one (1) or a general one (2)."""
        if tilted not in (0, 1, 2):
            raise TrajectoryError(f"{where} has a box of the unknown kind {tilted}; the file is damaged")
        raw = cursor.bytes((48, 72, 96)[tilted])
        if self._box[0] == raw:  # most runs keep their box
            return self._box[1:]
        numbers = np.frombuffer(raw, dtype=f"{self.order}f8").astype(np.float64)
        if not np.isfinite(numbers).all():
            raise TrajectoryError(f"{where} has a box that is not of finite numbers; the file is damaged")
        low, high = numbers[:6].reshape(3, 2).T
        if tilted == 2:
            cell, origin = numbers[:9].reshape(3, 3), numbers[9:]
        elif tilted == 1:
            cell, origin = tilted_cell(low, high, numbers[6:])
        else:
            cell, origin = np.diag(high - low), low.copy()
        self._box = raw, cell, origin
        return cell, origin


_REMEDY = (
    "convert it with binary2txt of LAMMPS and write the names of its columns behind each ITEM: ATOMS, "
    "or dump the run again by a LAMMPS of 2021 or newer"
)


class _BeyondEnd(Exception):
    """A frame goes on where the file has ended."""


class _Cursor:
    """Reads numbers one after the other, never beyond the end of the file."""

    def __init__(self, content: Any, at: int, order: str) -> None:
        self.content, self.at, self.order, self.size = content, at, order, len(content)

    def skip(self, length: int) -> int:
        """Go on by some bytes; where they began."""
        if length < 0 or self.at + length > self.size:
            raise _BeyondEnd
        self.at += length
        return self.at - length

    def several(self, code: str, number: int) -> tuple[Any, ...]:
        form = f"{self.order}{number}{code}"
        return struct.unpack_from(form, self.content, self.skip(struct.calcsize(form)))

    def take(self, code: str) -> Any:
        return self.several(code, 1)[0]

    def bytes(self, length: int) -> bytes:
        at = self.skip(length)
        return bytes(self.content[at : at + length])

    def text(self) -> str:
        """A word with its length in front."""
        return self.bytes(self.take("i")).decode("ascii", "replace")


def _chunks(cursor: _Cursor, where: str = "", n_columns: int = 1) -> list[tuple[int, int]]:
    """Where the numbers of each processor begin, and how many they are."""
    number = cursor.take("i")
    if number < 0 or number > _MOST_CHUNKS or 4 * number > cursor.size - cursor.at:
        raise TrajectoryError(f"{where} is in {number} chunks, which the file cannot hold; the file is damaged") if number < 0 else _BeyondEnd
    out = []
    for _ in range(number):
        count = cursor.take("i")
        if count < 0 or count % n_columns:
            raise TrajectoryError(f"{where} has a chunk of {count} numbers for rows of {n_columns}; the file is damaged")
        out.append((cursor.skip(8 * count), count))
    return out


def _layout(file: OpenedFile) -> tuple[str, str]:
    """Byte order ("<" or ">") and format of step and number of atoms (8 bytes, or 4 of builds for small systems)."""
    start = bytes(file.bytes[:32])
    for order in "<>":
        for bigint in "qi":
            width = struct.calcsize(f"={bigint}")
            length = -struct.unpack_from(f"{order}{bigint}", start.ljust(32, b"\0"))[0]
            if start[width : width + max(length, 0)] in _MAGIC:
                return order, bigint
    if len(start) < 32:
        raise TrajectoryError(f"{file.path}: has {len(start)} bytes, too few for a frame; pass a file with at least one")
    raise TrajectoryError(f"{file.path}: {_without_magic(file)}")


def _without_magic(file: OpenedFile) -> str:
    """What a file is that does not name its columns."""
    for order in "<>":
        try:
            cursor = _Cursor(file.bytes, 0, order)
            step, n_atoms, tilted = cursor.take("q"), cursor.take("q"), cursor.take("i")
            sides = cursor.several("i", 6)
            cursor.several("d", 9 if tilted else 6)
            n_columns = cursor.take("i")
        except _BeyondEnd:
            break
        if step >= 0 and 0 < n_atoms < 2**40 and tilted in (0, 1) and set(sides) <= {0, 1, 2, 3} and 0 < n_columns < 2**16:
            return f"is a binary dump of an older LAMMPS: {n_atoms} atoms in {n_columns} columns without names; {_REMEDY}"
    return "is not a binary dump of LAMMPS, its first bytes say otherwise; pass one, or name the file after what it holds"
