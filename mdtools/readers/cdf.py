"""Classic netCDF files (CDF-1, CDF-2, CDF-5) by memory map: the header, and arrays of its variables without a copy.

Written by us because the libraries that read CDF-5 bring a second HDF5 beside that of h5py, and trust what a damaged header
says; here every count and offset is checked against the size of the file before it is used. Format: the "NetCDF Classic
Format Specification" of Unidata.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.opened import OpenedFile

__all__ = ["Variable", "read_cdf"]

_TYPES = {1: "i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: "u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_MOST = 2**16  # names in a list; no trajectory has more


@dataclass(frozen=True)
class Variable:
    """An array of the file, as it lies there. dims : names of its dimensions. values : indexed like an array, nothing scaled."""

    values: Any
    dims: tuple[str, ...]
    attributes: dict[str, Any]


class _Damaged(Exception):
    """The header says what cannot be."""


def read_cdf(file: OpenedFile) -> tuple[dict[str, Any], dict[str, Variable], int, int]:
    """Global attributes, variables, records (frames) that the file holds whole, and records that its header announces.

    Raises TrajectoryError for a header that cannot be understood.
    """
    if bytes(file.bytes[:3]) != b"CDF":
        raise TrajectoryError(f"{file.path}: is not a netCDF file, its first bytes say otherwise; pass one, or name the file after what it holds")
    try:
        return _Header(file.bytes).read()
    except _Damaged as reason:
        raise TrajectoryError(f"{file.path}: the netCDF header cannot be understood ({reason}); the file is damaged or cut") from None


class _Header:
    def __init__(self, content: Any) -> None:
        self.content, self.at = content, 4
        self.version = content[3] if len(content) > 3 else 0
        # sizes and counts are of 8 bytes in CDF-5, offsets in CDF-2 and CDF-5
        self.count, self.offset = ">Q" if self.version == 5 else ">I", ">I" if self.version == 1 else ">Q"

    def read(self) -> tuple[dict[str, Any], dict[str, Variable], int, int]:
        if self.version not in (1, 2, 5):
            raise _Damaged(f"it is of version {self.version}, and 1, 2 and 5 are known")
        announced = self.number(self.count)
        dims = [(self.name(), self.number(self.count)) for _ in range(self.list_of(_DIMENSIONS))]
        attributes = self.attributes()
        rows = [self.row(dims) for _ in range(self.list_of(_VARIABLES))]
        records = [row for row in rows if row.moving]
        # the records of a file with one variable are not padded to four bytes
        size = sum(row.size if len(records) == 1 else -(-row.size // 4) * 4 for row in records)
        first = min((row.begin for row in records), default=0)
        whole = max(len(self.content) - first, 0) // size if size else 0
        if announced == struct.unpack(self.count, b"\xff" * struct.calcsize(self.count))[0]:
            announced = whole  # written as a stream: the end of the file tells
        for row in records:
            # the last record may end with the file where the one of the first variable did not
            if row.begin < first or row.begin + row.size > first + size:
                raise _Damaged(f"{row.name} lies outside its record")
        n_records = min(announced, whole)
        return attributes, {row.name: row.variable(self.content, n_records, size) for row in rows}, n_records, announced

    def number(self, code: str) -> int:
        size = struct.calcsize(code)
        return int(struct.unpack(code, self.take(size))[0])

    def take(self, size: int) -> bytes:
        if size > len(self.content) - self.at:
            raise _Damaged("it ends within its header")
        self.at += size
        return bytes(self.content[self.at - size : self.at])

    def padded(self, size: int) -> bytes:
        return self.take(-(-size // 4) * 4)[:size]

    def name(self) -> str:
        size = self.number(self.count)
        if size > 4096:
            raise _Damaged(f"a name of {size} letters")
        return ascii(self.padded(size).decode("utf-8", "replace"))[1:-1][:200]  # a name of damage may hold anything

    def list_of(self, what: int) -> int:
        """How many members follow."""
        tag, number = self.number(">I"), self.number(self.count)
        if number > _MOST or tag != (what if number else tag) or (tag == 0 and number):
            raise _Damaged(f"a list of kind {tag} with {number} members where kind {what} should be")
        return number

    def attributes(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for _ in range(self.list_of(_ATTRIBUTES)):
            name, kind, number = self.name(), self.dtype(), self.number(self.count)
            raw = self.padded(number * kind.itemsize)
            values = np.frombuffer(raw, dtype=kind)
            out[name] = raw.decode("utf-8", "replace").rstrip("\0 ") if kind.kind == "S" else values[0] if number == 1 else values
        return out

    def dtype(self) -> np.dtype:
        code = self.number(">I")
        if code not in _TYPES:
            raise _Damaged(f"the unknown type {code}")
        return np.dtype(_TYPES[code])

    def row(self, dims: list[tuple[str, int]]) -> "_Row":
        name, number = self.name(), self.number(self.count)
        if number > 16:
            raise _Damaged(f"{name} has {number} dimensions")
        numbers = [self.number(self.count) for _ in range(number)]
        if any(index >= len(dims) for index in numbers):
            raise _Damaged(f"{name} has a dimension that is not there")
        attributes, kind = self.attributes(), self.dtype()
        self.number(self.count)  # the size in bytes, which overflows for large variables and follows from the shape
        begin = self.number(self.offset)
        names, shape = tuple(dims[index][0] for index in numbers), [dims[index][1] for index in numbers]
        if any(length == 0 for length in shape[1:]):
            raise _Damaged(f"{name} has no members")
        return _Row(name, names, shape, kind, attributes, begin)


class _Row:
    """A variable as the header tells it."""

    def __init__(self, name: str, dims: tuple[str, ...], shape: list[int], kind: np.dtype, attributes: dict[str, Any], begin: int) -> None:
        self.name, self.dims, self.kind, self.attributes, self.begin = name, dims, kind, attributes, begin
        self.moving = bool(shape) and shape[0] == 0  # along the unlimited dimension
        self.shape = tuple(shape[1:] if self.moving else shape)
        self.size = kind.itemsize
        for length in self.shape:
            self.size *= length

    def variable(self, content: Any, n_records: int, record: int) -> Variable:
        shape = (n_records, *self.shape) if self.moving else self.shape
        last = self.begin + self.size + (record * (n_records - 1) if self.moving else 0)
        if self.size > len(content):
            raise _Damaged(f"{self.name} of shape {self.shape} is larger than the file")
        if n_records == 0 and self.moving:
            return Variable(np.empty(shape, self.kind), self.dims, self.attributes)
        if last > len(content):
            raise _Damaged(f"{self.name} lies beyond the end of the file")
        inner = [self.kind.itemsize * int(np.prod(self.shape[axis + 1 :], dtype=np.int64)) for axis in range(len(self.shape))]
        strides = (record, *inner) if self.moving else tuple(inner)
        return Variable(np.ndarray(shape, self.kind, content, self.begin, strides), self.dims, self.attributes)
