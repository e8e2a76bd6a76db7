"""vasprun.xml of VASP: the structures that the run wrote, in <calculation> or, with a learned force field, at the top level.

The text is searched, not parsed as XML: most of a file is electronic steps that nobody needs here, and a file of a killed job is no
whole XML. `index_vasprun` says where each step lies, and also where its energies and stress are (`tails`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import rows, vasp_log
from mdtools.readers.frames import Block, Frames
from mdtools.readers.opened import OpenedFile
from mdtools.readers.rows import SKIP
from mdtools.readers.vasp_tags import Tags, frame_interval, thermostat_temperature

__all__ = ["Vasprun", "index_vasprun", "read_files", "read_vasprun"]

_TAG = re.compile(rb'<[iv]\b[^<>]*name="([A-Z][A-Z_0-9]*)"[^<>]*>([^<]*)<')
_VERSION = re.compile(rb'name="version"[^<>]*>([^<]*)<')
_ATOM = re.compile(rb"<rc>\s*<c>([^<]*)</c>\s*<c>([^<]*)</c>\s*</rc>")
_TYPE = re.compile(rb"<rc>\s*<c>([^<]*)</c>\s*<c>([^<]*)</c>\s*<c>([^<]*)</c>\s*<c>[^<]*</c>\s*<c>([^<]*)</c>\s*</rc>")
_ROW = re.compile(rb"<v>([^<]*)</v>")
_V_ROW = np.array([SKIP, 0, 1, 2, SKIP])  # <v>  0.1  0.2  0.3 </v>
_BASIS, _POSITIONS = b'<varray name="basis"', b'<varray name="positions"'


@dataclass(frozen=True)
class Vasprun:
    """Where everything is. tags : INCAR as VASP took it. symbols, masses : (atom,), amu. cell : (frame, 3, 3) angstrom.

    spans : (frame, 2) bytes of the rows of positions. tails : (frame, 2) bytes from the end of each structure to the beginning of
    the next, which hold <varray name="forces">, <varray name="stress"> (kB) and then the first <energy> (eV) of that step.
    """

    file: OpenedFile
    version: str
    tags: Tags
    symbols: np.ndarray
    masses: np.ndarray
    cell: np.ndarray
    spans: np.ndarray
    tails: np.ndarray
    notes: tuple[str, ...]


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; VASP has one system of units."""
    return [read_vasprun(file) for file in files]


def read_vasprun(path: Path) -> Frames:
    """A vasprun.xml, plain, packed or cut. Time is POTIM a step; velocities are not in it (VASP writes those of the first and last step only).

    Raises TrajectoryError where the atoms are not listed, or a structure is damaged.
    """
    run = index_vasprun(OpenedFile(path))
    interval, clock_notes = frame_interval(run.tags, file="vasprun", version=run.version, n_frames=len(run.spans))
    temperature, notes = thermostat_temperature(run.tags)

    def load(frames: np.ndarray) -> Block:
        return Block(scaled=_parse(run, frames))

    return Frames(
        source=str(path),
        kind="VASP vasprun.xml",
        units="metal",
        in_angstrom_and_ps=True,
        cell=run.cell,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",
        columns="direct",
        ids=np.arange(1, len(run.symbols) + 1),
        labels=run.symbols,
        masses=run.masses,
        interval=interval,
        temperature=temperature,
        load=load,
        threads=True,
        notes=(*run.notes, *clock_notes, *notes),
        pieces=((0, str(path)),),
        runs=lambda: vasp_log.read_vasprun(run.file),
    )


def index_vasprun(file: OpenedFile) -> Vasprun:
    """Atoms, tags and the place of every whole step. A file that breaks off loses what comes after the last whole structure, which is noted.

    Raises TrajectoryError where the atoms are not listed, no structure is whole, or one is damaged that others follow.
    """
    content = file.bytes
    end = content.find(b"\0")
    end = end if end >= 0 else len(content)
    stop = content.find(b"</atominfo>", 0, end)
    if stop < 0:
        raise TrajectoryError(f"{file.path}: ends before its atoms are listed (<atominfo>); pass a vasprun.xml with at least one ionic step")
    head = bytes(content[:stop])
    symbols, masses = _atoms(file, head)
    tags = {name.decode(): value.decode("ascii", "replace").strip() for name, value in _TAG.findall(head)}
    version = _VERSION.search(head)
    spans, cells, tails, notes = _steps(file, stop, end)
    if end < len(content):
        notes.append(f"{file.path.name}: holds zero bytes from line {file.line(end)} on, as a crashed disk leaves them; it is read up to there")
    elif content.rfind(b"</modeling>") < 0:
        notes.append(f"{file.path.name}: has no end (</modeling>), so the run was stopped or the file is cut; {len(spans)} whole steps are read")
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(spans) - 1} are lost")
    if not spans:
        raise TrajectoryError(f"{file.path}: holds no whole ionic step; pass a vasprun.xml with at least one")
    return Vasprun(
        file, version[1].decode("ascii", "replace").strip() if version else "", tags, symbols, masses,
        np.array(cells), np.array(spans, dtype=np.int64), np.array(tails, dtype=np.int64), tuple(notes),
    )  # fmt: skip


def _atoms(file: OpenedFile, head: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Symbol and mass of each atom."""
    start = head.rfind(b"<atominfo>")
    lists = head[start:].partition(b'name="atomtypes"')
    kinds = [(_symbol(name, potential), _mass(mass)) for _, name, mass, potential in _TYPE.findall(lists[2])]
    of_atoms = [number.strip() for _, number in _ATOM.findall(lists[0])]
    announced = re.search(rb"<atoms>\s*(\d{1,12})\s*</atoms>", lists[0])
    sound = all(re.fullmatch("[A-Z][a-z]?", symbol) for symbol, _ in kinds)
    sound &= all(number.isdigit() and 1 <= int(number) <= len(kinds) for number in of_atoms)
    if start < 0 or not of_atoms or not sound or not announced or int(announced[1]) != len(of_atoms) or any(mass <= 0 for _, mass in kinds):
        raise TrajectoryError(f"{file.path}: the list of atoms (<atominfo>) is damaged; pass the XDATCAR of the same run")
    which = np.array([int(number) - 1 for number in of_atoms])
    return np.array([symbol for symbol, _ in kinds])[which], np.array([mass for _, mass in kinds])[which]


def _symbol(name: bytes, potential: bytes) -> str:
    """The symbol of a type. Some versions cut Zr to r and Xe to X; the name of the potential ("PAW_PBE Zr_sv 04Jan2005") then has it."""
    symbol = name.decode("ascii", "replace").strip()
    words = potential.decode("ascii", "replace").split()
    whole = words[1].split("_")[0] if len(words) > 1 else symbol
    return whole if symbol in ("r", "X") else symbol


def _mass(text: bytes) -> float:
    try:
        mass = float(text)
    except ValueError:
        return 0.0
    return mass if np.isfinite(mass) else 0.0


def _steps(file: OpenedFile, at: int, stop: int) -> tuple[list[tuple[int, int]], list[np.ndarray], list[tuple[int, int]], list[str]]:
    """Rows of positions, cell, and what follows, of each structure that is a step; structures with a name are not."""
    content = file.bytes
    spans: list[tuple[int, int]] = []
    cells: list[np.ndarray] = []
    tails: list[tuple[int, int]] = []
    notes: list[str] = []
    before = b""
    starts = _structures(file, at, stop)
    for start, following in zip(starts, [*starts[1:], stop], strict=True):
        if b"name=" in bytes(content[start : content.find(b">", start) + 1]):
            continue
        end = content.find(b"</structure>", start, following)
        if end < 0 and following == stop:
            notes.append(f"{file.path.name}: frame {len(spans)}, the last, ends within its structure and is dropped")
            break
        if end < 0:
            raise _damaged(file, len(spans), start, "has no end (</structure>)")
        spans.append(_array(file, len(spans), start, end, _POSITIONS))
        basis = bytes(content[slice(*_array(file, len(cells), start, end, _BASIS))])
        cells.append(cells[-1] if cells and basis == before else _cell(file, len(cells), start, basis))
        before = basis
        tails.append((end, following))
    return spans, cells, tails, notes


def _structures(file: OpenedFile, at: int, stop: int) -> list[int]:
    """Where structures begin."""
    content, starts = file.bytes, []
    while (at := content.find(b"<structure", at, stop)) >= 0:
        starts.append(at)
        at += 10
        file.passed(at)
    return starts


def _damaged(file: OpenedFile, frame: int, at: int, what: str) -> TrajectoryError:
    return TrajectoryError(
        f"{file.path}: frame {frame}, line {file.line(at)}: its structure {what}; mend the file, or pass the XDATCAR of the same run"
    )


def _array(file: OpenedFile, frame: int, start: int, end: int, name: bytes) -> tuple[int, int]:
    """Bytes between <varray name=...> and </varray>."""
    content = file.bytes
    at = content.find(name, start, end)
    first = content.find(b"\n", at, end) + 1 if at >= 0 else 0  # the rows begin on the next line
    stop = content.find(b"</varray>", first, end) if first else -1
    if stop < 0:
        raise _damaged(file, frame, start, f"lacks its {name[14:-1].decode()}")
    return first, stop


def _cell(file: OpenedFile, frame: int, start: int, text: bytes) -> np.ndarray:
    try:
        cell = np.array([[float(word) for word in row.split()] for row in _ROW.findall(text)])
    except ValueError:
        cell = np.zeros(0)
    if cell.shape != (3, 3) or not np.isfinite(cell).all():
        raise _damaged(file, frame, start, "has a basis that is not three vectors")
    return cell


def _parse(run: Vasprun, frames: np.ndarray) -> np.ndarray:
    out = np.empty((len(frames), len(run.symbols), 3))
    spans = run.spans[frames]
    status, frame, row, at = rows.parse_rows(run.file.array, spans[:, 0], spans[:, 1], _V_ROW, False, out)
    if status != rows.GOOD:
        line = run.file.bytes.rfind(b"\n", 0, at) + 1
        raise TrajectoryError(
            f"{run.file.path}: frame {frames[frame]}, line {run.file.line(at)}: the row of atom {row + 1} is not three coordinates of "
            f"{len(run.symbols)} atoms ({run.file.text_of_line(line)!r}); mend the file, or pass the XDATCAR of the same run"
        )
    return out
