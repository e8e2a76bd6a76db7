"""VASP XDATCAR: one header or one a frame, with or without symbols, any separator, numbers that run together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import rows
from mdtools.readers.frames import Block, Frames
from mdtools.readers.labels import Topology
from mdtools.readers.opened import OpenedFile

__all__ = ["read_files", "read_xdatcar"]

_COUNTER = re.compile(rb"\s*(?:direct configuration|konfig)\s*=\s*([0-9]{1,15})\s*$", re.IGNORECASE)
_SEPARATOR = re.compile(rb"\s*(direct|konfig)[ -~\t]*\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class _Header:
    """The seven lines above the frames; six where the symbols are missing, five without cell, as versions of VASP 4 wrote them."""

    cell: np.ndarray
    symbols: tuple[str, ...] | None
    counts: tuple[int, ...]
    stop: int
    completed: str = ""  # the topology that gave the cell


def read_files(files: Sequence[Path], units: str | None, topology: Topology | None = None) -> list[Frames]:
    """A record of each file; VASP has one system of units."""
    return [read_xdatcar(file, topology=topology) for file in files]


def read_xdatcar(path: Path, *, topology: Topology | None = None) -> Frames:
    """An XDATCAR of VASP 4 to 6, plain or packed; coordinates may be wrapped or not. A header without cell takes that of the topology.

    Raises TrajectoryError where it cannot be trusted.
    """
    file = OpenedFile(path)
    header = _header_without_cell(file, topology) or _header(file, 0, 0)
    if header.symbols is None and topology is not None:
        _check_blocks(path, header, topology)
    starts, cells, notes = _index(file, header)
    n_atoms = sum(header.counts)
    kind_of_block = header.symbols or tuple(str(number) for number in range(1, len(header.counts) + 1))
    if header.completed:
        notes.append(f"{path.name}: the header holds no cell; that of {header.completed} is taken")

    def load(frames: np.ndarray) -> Block:
        return Block(scaled=_parse(file, starts, frames, n_atoms))

    return Frames(
        source=str(path),
        kind="VASP XDATCAR",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cells,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",  # or not (VASP 6): the nearest image changes nothing then
        columns="direct",
        ids=np.arange(1, n_atoms + 1),
        labels=np.repeat(kind_of_block, header.counts),
        label_kind="element" if header.symbols else "type",
        counters=_counters(file.bytes, starts[:, 0]),
        load=load,
        threads=True,
        notes=tuple(notes),
        pieces=((0, str(path)),),
    )


def _header_without_cell(file: OpenedFile, topology: Topology | None) -> _Header | None:
    """The header of early VASP 4 (number of atoms, lengths, temperature, CAR, title), with cell and atoms of the topology; None for any other."""
    lines = _lines(file, 0, 5)
    if len(lines) < 5 or lines[3][0] != "CAR" or not re.match(r"[0-9]{1,15}(\s|$)", lines[0][0]):
        return None
    n_atoms = int(lines[0][0].split()[0])
    if topology is None or topology.cell is None:
        raise TrajectoryError(
            f"{file.path}: the header holds neither cell nor symbols (VASP 4); pass topology= with the POSCAR or CONTCAR of the run, "
            f"or on the command line --topology POSCAR"
        )
    if len(topology.ids) != n_atoms or n_atoms == 0:
        raise TrajectoryError(f"{file.path}: holds {n_atoms} atoms and {topology.source} {len(topology.ids)}; pass the POSCAR of the same run")
    return _Header(topology.cell, None, (n_atoms,), lines[4][1], topology.source)


def _check_blocks(path: Path, header: _Header, topology: Topology) -> None:
    """Refuse a topology of other atoms: each block of a header without symbols must be of one label."""
    if topology.labels is None or header.completed:
        return
    edges = np.cumsum([0, *header.counts]).tolist()
    blocks = [topology.labels[start:stop].tolist() for start, stop in pairwise(edges)]
    if len(topology.labels) != edges[-1] or any(len(set(block)) > 1 for block in blocks):
        counts = " ".join(map(str, header.counts))
        raise TrajectoryError(f"{path}: the atoms of {topology.source} are not in blocks of {counts}; pass the POSCAR of the same run")


def _lines(file: OpenedFile, at: int, number: int) -> list[tuple[str, int]]:
    """The next lines, each with the byte where it ends; fewer at the end of the file."""
    out: list[tuple[str, int]] = []
    for _ in range(number):
        end = file.bytes.find(b"\n", at)
        if end < 0:
            break
        out.append((bytes(file.bytes[at:end]).decode("ascii", "replace").strip(), end + 1))
        at = end + 1
    return out


def _header(file: OpenedFile, at: int, frame: int) -> _Header:
    lines = _lines(file, at, 7)
    line = file.line(at)

    def refuse(number: int, what: str) -> TrajectoryError:
        text = lines[number][0] if number < len(lines) else "end of file"
        return TrajectoryError(
            f"{file.path}: frame {frame}, line {line + number}: {text[:50]!r} is not {what}; "
            "mend the header (title, scale, 3 vectors, symbols, counts)"
        )

    scale = _numbers(lines, 1)
    if scale is None or len(scale) not in (1, 3) or not np.all(scale):
        raise refuse(1, "a scale")
    vectors = [_numbers(lines, number) for number in (2, 3, 4)]
    for number, vector in enumerate(vectors, start=2):
        if vector is None or len(vector) != 3:
            raise refuse(number, "a cell vector of three numbers")
    cell = np.array(vectors)
    if len(scale) == 1 and scale[0] < 0:
        scale = (-scale / max(abs(np.linalg.det(cell)), 1e-300)) ** (1 / 3)  # a negative scale is a volume
    cell = cell * scale
    counts, stop = _counts(lines, 5), 6
    symbols = None
    if counts is None:
        symbols, counts, stop = (
            tuple(word.split("/")[0].split("_")[0] for word in lines[5][0].split()) if len(lines) > 5 else (),
            _counts(lines, 6),
            7,
        )
        if counts is None:
            raise refuse(6, "a row of numbers of atoms")
        if len(symbols) != len(counts) or not all(re.fullmatch("[A-Za-z][A-Za-z0-9.+-]*", symbol) for symbol in symbols):
            raise refuse(5, f"a row of {len(counts)} chemical symbols, as the numbers of atoms below it")
    return _Header(cell, symbols, counts, lines[stop - 1][1])


def _numbers(lines: list[tuple[str, int]], number: int) -> np.ndarray | None:
    try:
        words = lines[number][0].split()
        values = np.array([float(word) for word in words if "_" not in word])  # Python alone reads 1_0 as ten
    except (ValueError, IndexError):
        return None
    return values if len(values) == len(words) > 0 and np.isfinite(values).all() else None


def _counts(lines: list[tuple[str, int]], number: int) -> tuple[int, ...] | None:
    words = lines[number][0].split() if number < len(lines) else []
    return tuple(map(int, words)) if words and all(re.fullmatch("[0-9]{1,15}", word) for word in words) else None


def _index(file: OpenedFile, header: _Header) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Where the rows of each whole frame start and stop, the cell of each, and what was dropped at the end."""
    content, array, at = file.bytes, file.array, header.stop
    n_atoms, cell = sum(header.counts), header.cell
    spans: list[tuple[int, int]] = []
    cells: list[np.ndarray] = []
    notes: list[str] = []
    blank, separated = at, True
    title = bytes(content[: content.find(b"\n")]).strip().lower()
    while at < len(content):
        line_end = content.find(b"\n", at)
        line = bytes(content[at : line_end if line_end >= 0 else len(content)])
        if not line.strip() or _SEPARATOR.match(line):
            if line_end < 0:
                break
            blank, at, separated = at, line_end + 1, True
            continue
        if spans and not _starts_like_rows(line):
            at = blank if _numbers([(line.decode("ascii", "replace"), 0)], 0) is not None else at  # the title of the header is blank
            if len(_lines(file, at, 8)) < 8:
                if not separated and not any(known.startswith(line.strip().lower()) for known in (title, b"direct configuration", b"konfig")):
                    raise TrajectoryError(
                        f"{file.path}: frame {len(spans) - 1} is followed by {line[:40].decode('ascii', 'replace')!r}, which is neither a row "
                        f"nor the title of the file (line {file.line(at)}); mend the end of the file"
                    )
                notes.append(f"{file.path.name}: frame {len(spans)}, the last, ends within its header and is dropped")
                break
            new = _header(file, at, len(spans))
            if (new.symbols, new.counts) != (header.symbols, header.counts):
                raise TrajectoryError(
                    f"{file.path}: frame {len(spans)}, line {file.line(at)}: composition changes from {_formula(header)} to {_formula(new)}; "
                    "pass the runs as separate files"
                )
            at, cell, separated = new.stop, new.cell, True
            continue
        if not separated:
            raise TrajectoryError(
                f"{file.path}: frame {len(spans) - 1}, line {file.line(at)}: {n_atoms} atoms are announced, more rows are there; "
                f"mend the file, or pass one without this frame"
            )
        stop, found = rows.end_of_rows(array, at, n_atoms)
        if found == n_atoms - 1 and _is_whole_row(content, stop):
            stop, found = len(content), n_atoms
        if found < n_atoms:
            if bytes(content[stop : stop + 2**16]).count(b"\n") > 1:
                raise TrajectoryError(
                    f"{file.path}: frame {len(spans)}, line {file.line(stop)}: {n_atoms} atoms are announced, {found} rows are there; "
                    f"mend the file, or pass one without this frame"
                )
            notes.append(f"{file.path.name}: frame {len(spans)}, the last, ends after {found} of {n_atoms} atoms and is dropped")
            break
        spans.append((at, stop))
        cells.append(cell)
        at, separated = stop, False
        file.passed(at)
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(spans) - 1} are lost")
    if not spans:
        raise TrajectoryError(f"{notes[-1] if notes else f'{file.path}: holds no frame'}; no whole frame is left: pass a file with at least one")
    return np.array(spans, dtype=np.int64), np.array(cells), notes


def _counters(content: Any, starts: np.ndarray) -> np.ndarray | None:
    """The number in the separator above each frame; None where one has none."""
    found = []
    for start in starts.tolist():
        above = bytes(content[max(0, start - 80) : start]).rstrip(b"\r\n").rpartition(b"\n")[2]
        match = _COUNTER.match(above)
        if match is None:
            return None
        found.append(int(match[1]))
    return np.array(found, dtype=np.int64)


def _starts_like_rows(line: bytes) -> bool:
    """Whether a line is a row of coordinates rather than a title: two numbers, with a point in the first."""
    return re.match(rb"\s*[-+]?\d*\.\d+([eE][-+]?\d+)?(\s+[-+]?|[-+])[\d.]", line) is not None


def _is_whole_row(content: Any, at: int) -> bool:
    """Whether the last line of a file, which lacks its end, has as many decimals as the row above it: then nothing is cut."""
    above = bytes(content[content.rfind(b"\n", 0, at - 1) + 1 : at])
    last = bytes(content[at : at + 200])
    decimals = [[len(digits) for digits in re.findall(rb"\.(\d+)", row)] for row in (above, last)]
    return b"\n" not in last and len(decimals[0]) == 3 and decimals[0] == decimals[1]


def _formula(header: _Header) -> str:
    return " ".join(f"{symbol}{count}" for symbol, count in zip(header.symbols or ("?",) * len(header.counts), header.counts, strict=True))


def _parse(file: OpenedFile, spans: np.ndarray, frames: np.ndarray, n_atoms: int) -> np.ndarray:
    out = np.empty((len(frames), n_atoms, 3))
    status, frame, row, at = rows.parse_rows(file.array, spans[frames, 0], spans[frames, 1], np.arange(3), True, out)
    if status != rows.GOOD:
        text = file.text_of_line(file.bytes.rfind(b"\n", 0, at) + 1)
        raise TrajectoryError(
            f"{file.path}: frame {frames[frame]}, line {file.line(at)}: the row of atom {row + 1} is not three coordinates ({text!r}); "
            f"mend the file, or pass one without this frame"
        )
    return out
