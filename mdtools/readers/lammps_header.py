"""LAMMPS text dumps: where the frames are, and the grammar of what stands above each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import rows
from mdtools.readers.opened import OpenedFile

__all__ = ["LONGEST_HEADER", "Header", "check_same", "dropped", "index_dump", "is_cut", "number_of_atoms", "real", "tilted_cell", "whole"]

_ITEM = np.frombuffer(b"ITEM:", dtype=np.uint8)

_LINES_BELOW = {"UNITS": 1, "TIME": 1, "TIMESTEP": 1, "NUMBER OF ATOMS": 1, "BOX BOUNDS": 3, "ATOMS": 0}
_BOUNDARY = re.compile(rb"ITEM: BOX BOUNDS[^\n]*\b[pfsm]{2}\b")
_LARGEST = 1e30  # of a cell or its origin, in any unit system; beyond it lies damage
LONGEST_HEADER = 2**20  # bytes; what is longer is damage, and not worth the memory of reading it


@dataclass(frozen=True)
class Header:
    """What stands above the rows of one frame."""

    step: int
    time: float | None
    units: str | None
    n_atoms: int
    cell: np.ndarray
    origin: np.ndarray
    periodic: tuple[bool, bool, bool]
    columns: tuple[str, ...]
    start: int
    stop: int


def index_dump(file: OpenedFile) -> tuple[list[Header], list[str]]:
    """Headers of all whole frames, and what was dropped at the end of the file."""
    content, array, at = file.bytes, file.array, 0
    headers: list[Header] = []
    notes: list[str] = []
    end = content.rfind(b"\n") + 1  # a line without its end may lack digits as well
    units: str | None = None
    while at < end and (end - at > 4096 or content[at:end].strip()):
        names = content.find(b"ITEM: ATOMS", at, end)
        start = content.find(b"\n", names, end) + 1 if names >= 0 else 0
        if start == 0:
            notes.append(dropped(file, len(headers), "ends within its header"))
            break
        stop = rows.find(array, _ITEM, start, end)
        stop = end if stop < 0 else stop
        header = _header(file, len(headers), at, start, stop, units)
        units = header.units
        if stop == end and is_cut(file.array, start, stop, header):
            hint = "" if end == len(content) else " (its last line has no line end; if the file is whole, add one)"
            notes.append(dropped(file, len(headers), f"ends before its last atom{hint}"))
            break
        headers.append(header)
        at = stop
        file.passed(at)
    if not notes and bytes(content[end : end + 4096]).strip():
        notes.append(dropped(file, len(headers), "ends within its header"))
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(headers) - 1} are lost")
    if not headers:
        why = notes[-1] if notes else f"{file.path}: holds no frame"
        raise TrajectoryError(f"{why}; no whole frame is left: pass a file with at least one")
    check_same(file.path, headers)
    if not _BOUNDARY.search(bytes(content[: headers[0].start])):
        notes.append("the dump does not say which directions are periodic (an old LAMMPS); all are taken to be")
    return headers, notes


def dropped(file: OpenedFile, frame: int, why: str) -> str:
    """What to say of the last frame of a file that is not whole."""
    return f"{file.path.name}: frame {frame}, the last, {why} and is dropped"


def is_cut(text: np.ndarray, start: int, stop: int, header: Header) -> bool:
    """Whether the last frame of a file, whose rows are text[start:stop], lacks rows or a part of its last row."""
    slots = np.full(len(header.columns), rows.SKIP, dtype=np.int64)
    nothing = np.empty((1, header.n_atoms, 0))
    status, _, _, at = rows.parse_rows(text, np.array([start]), np.array([stop]), slots, False, nothing)
    if status == rows.SHORT_ROW:
        return bool(at >= stop - 1)
    return bool(status == rows.FEW_ROWS)


def _header(file: OpenedFile, frame: int, at: int, start: int, stop: int, units: str | None) -> Header:
    """The header between two bytes; `units` is what an earlier header said."""
    try:
        items = _items(bytes(file.bytes[at:start]).decode("ascii", "replace").split("\n"))
        cell, origin, periodic = _box(*items["BOX BOUNDS"])
        return Header(
            step=whole(items["TIMESTEP"][1][0]),
            time=real(items["TIME"][1][0]) if "TIME" in items else None,
            units=items["UNITS"][1][0] if "UNITS" in items else units,
            n_atoms=number_of_atoms(items["NUMBER OF ATOMS"][1][0]),
            cell=cell,
            origin=origin,
            periodic=periodic,
            columns=tuple(items["ATOMS"][0].split()),
            start=start,
            stop=stop,
        )
    except (KeyError, IndexError, ValueError) as reason:
        raise TrajectoryError(
            f"{file.path}: the header of frame {frame} (line {file.line(at)}) cannot be understood ({type(reason).__name__}: {reason}); "
            f"pass a dump with ITEM: TIMESTEP, NUMBER OF ATOMS, BOX BOUNDS and ATOMS"
        ) from None


def _items(lines: list[str]) -> dict[str, tuple[str, list[str]]]:
    """Name of each item -> (what stands behind it, the lines below it). A lost or repeated line is an error, not another box."""
    items: dict[str, tuple[str, list[str]]] = {}
    below: list[str] = []
    for line in filter(None, (line.strip() for line in lines)):
        if line.startswith("ITEM:"):
            text = line[5:].strip()
            # names of one and of several words
            name = next((long for long in ("NUMBER OF ATOMS", "BOX BOUNDS") if text.startswith(long)), (text.split() or [""])[0])
            if name in items:
                raise ValueError(f"ITEM: {name} stands there twice")
            below = []
            items[name] = (text[len(name) :].strip(), below)
        elif not items:
            raise ValueError(f"{line[:40]!r} stands above the first ITEM")
        else:
            below.append(line)
    for name, (_, below) in items.items():
        if len(below) != _LINES_BELOW.get(name, len(below)):
            raise ValueError(f"{len(below)} lines stand below ITEM: {name}, not {_LINES_BELOW[name]}")
    return items


def whole(word: str) -> int:
    """A whole number that fits 64 bits; Python's own int also takes 1_000, which no program writes."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", word):
        raise ValueError(f"{word[:40]!r} is not a whole number")
    return int(word)


def real(word: str) -> float:
    """A finite number."""
    value = float(word) if "_" not in word else np.nan
    if not np.isfinite(value):
        raise ValueError(f"{word[:40]!r} is not a finite number")
    return value


def number_of_atoms(word: str) -> int:
    """A whole number of atoms, at least one."""
    if not 1 <= whole(word) < 2**48:
        raise ValueError(f"{word[:40]} is no number of atoms")
    return whole(word)


def _box(flags: str, lines: list[str]) -> tuple[np.ndarray, np.ndarray, tuple[bool, bool, bool]]:
    """Cell vectors (rows), origin and periodicity from a BOX BOUNDS item: orthogonal, restricted or general triclinic."""
    words = flags.split()
    said = next((form for form in (["abc", "origin"], ["xy", "xz", "yz"]) if words[: len(form)] == form), [])
    boundary = words[len(said) :]
    if len(boundary) not in (0, 3) or not all(re.fullmatch("[pfsm]{2}", word) for word in boundary):
        raise ValueError(f"BOX BOUNDS {flags[:40]} are no boundaries")
    numbers = np.array([[real(word) for word in line.split()] for line in lines])
    if numbers.shape != (3, {0: 2, 2: 4, 3: 3}[len(said)]):
        raise ValueError(f"BOX BOUNDS {flags[:40]} does not fit the numbers below it")
    if len(said) == 2:
        cell, origin = numbers[:, :3].copy(), numbers[:, 3].copy()
    elif len(said) == 3:
        cell, origin = tilted_cell(numbers[:, 0], numbers[:, 1], numbers[:, 2])
    else:
        cell, origin = np.diag(numbers[:, 1] - numbers[:, 0]), numbers[:, 0].copy()
    if len(said) != 2 and (np.diag(cell) < 0).any():
        raise ValueError("BOX BOUNDS end before they begin")
    periodic = [word == "pp" for word in boundary[:3]] if len(boundary) >= 3 else [True] * 3
    return cell, origin, (periodic[0], periodic[1], periodic[2])


def tilted_cell(low: np.ndarray, high: np.ndarray, tilt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cell vectors (rows) and origin from the box around a tilted cell, which is what every form of dump holds; tilt : xy, xz, yz."""
    xy, xz, yz = (float(value) for value in tilt)
    low = low - (min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0)
    high = high - (max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0)
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    return cell, low


def check_same(path: Path, headers: Sequence[Header]) -> None:
    """Refuse frames of other numbers of atoms, columns, periodic directions, units or times than the first, and boxes that cannot be."""
    first = headers[0]
    cell, origin = np.array([header.cell for header in headers]), np.array([header.origin for header in headers])
    bad = (np.abs(cell) > _LARGEST).any(axis=(1, 2)) | (np.abs(origin) > _LARGEST).any(axis=1)
    # the cell of a general triclinic run may have a negative diagonal; in all others it is the length
    bad |= (np.triu(cell, 1) == 0).all(axis=(1, 2)) & (np.diagonal(cell, axis1=1, axis2=2) < 0).any(axis=1)
    if bad.any():
        frame = int(np.argmax(bad))
        raise TrajectoryError(
            f"{path}: frame {frame} (step {headers[frame].step}) has a box that ends before it begins, or at no place; mend the file"
        )
    for frame, header in enumerate(headers):
        where = f"{path}: frame {frame} (step {header.step})"
        if header.n_atoms != first.n_atoms:
            raise TrajectoryError(
                f"{where} holds {header.n_atoms} atoms, the first frame {first.n_atoms}; "
                f"dump a group whose atoms never change (group mobile type 2; dump ... mobile custom ...), or cut the file before this frame"
            )
    for frame, header in enumerate(headers):
        where = f"{path}: frame {frame} (step {header.step})"
        if header.columns != first.columns:
            raise TrajectoryError(f"{where} has columns {' '.join(header.columns)}, the first frame {' '.join(first.columns)}; pass two files")
        if header.periodic != first.periodic:
            raise TrajectoryError(f"{where} has other periodic directions (BOX BOUNDS) than the first frame; pass two files")
        if header.units not in (None, first.units):  # binary dumps name them once
            raise TrajectoryError(
                f"{where} is in units {header.units}, the first frame in {first.units or 'units that are not said'}; pass two files"
            )
        if (header.time is None) != (first.time is None):
            raise TrajectoryError(f"{where} and the first frame differ in ITEM: TIME; pass timestep= (ps), or --timestep")
