"""OUTCAR of VASP: positions (five decimals of an angstrom) beside the forces, the cell printed before them, the number of the step above.

The most widely kept file of a run and the least precise one: XDATCAR or vasprun.xml of the same run hold eight decimals.
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
from mdtools.readers.vasp_tags import Tags, number_of, thermostat_temperature
from mdtools.units import UNIT_SYSTEMS

__all__ = ["read_files", "read_outcar"]

_BLOCK, _CELL, _END = b"TOTAL-FORCE (eV/Angst)", b"direct lattice vectors", b"General timing and accounting"
_STEP = re.compile(rb"-\s*(?:Iteration\s*(\d{1,12})\s*\(|Ionic step\s+(\d{1,12}))")
_TAG = re.compile(rb"\b(IBRION|LANGEVIN_GAMMA|MDALGO|NSW|NWRITE|POTIM|SMASS|TEBEG|TEEND|ANDERSEN_PROB)\s*=\s*([^\s;]{1,40})")
_SYMBOL = re.compile(rb"VRHFIN\s*=\s*([A-Z][a-z]?)")
_TITLE = re.compile(rb"TITEL\s*=\s*\S+\s+([A-Z][a-z]?)")
_POTCAR_MASS = re.compile(rb"POMASS\s*=\s*(\d+\.\d*);")
_MASSES = re.compile(rb"Mass of Ions in am\s*\n\s*POMASS\s*=([\d.\s]*)")
_COUNTS = re.compile(rb"ions per type\s*=([\d\s]*)")
_NINE = re.compile(rb"[-+]?\d+\.\d{9}")  # they run together where there is no blank left
_LARGEST = 1e200  # what is larger is no coordinate
_ROW = np.array([0, 1, 2, SKIP, SKIP, SKIP])


@dataclass(frozen=True)
class _Head:
    """What stands above the steps. symbols, masses : (atom,)."""

    tags: Tags
    symbols: np.ndarray
    masses: np.ndarray | None


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; VASP has one system of units."""
    return [read_outcar(file) for file in files]


def read_outcar(path: Path) -> Frames:
    """An OUTCAR, plain, packed or cut, also of a run with a learned force field. Time is POTIM times the printed number of the step.

    Raises TrajectoryError where positions were not printed (NWRITE = 0) or atoms are not announced.
    """
    file = OpenedFile(path)
    content = file.bytes
    end = content.find(b"\0")
    end = end if end >= 0 else len(content)
    first = content.find(_BLOCK, 0, end)
    head = _head(file, bytes(content[: first if first >= 0 else end]))
    if first < 0 or (number_of(head.tags, "NWRITE", 2.0) == 0 and (number_of(head.tags, "NSW", 1.0) or 0) > 1):
        why = "NWRITE = 0 leaves the positions of most steps out" if number_of(head.tags, "NWRITE") == 0 else "it ends before the first positions"
        raise TrajectoryError(f"{path}: holds no trajectory ({why}); pass the XDATCAR or vasprun.xml of the same run")
    spans, cells, steps, notes = _steps(file, first, end, len(head.symbols))
    if end < len(content):
        notes.append(f"{path.name}: holds zero bytes from line {file.line(end)} on, as a crashed disk leaves them; it is read up to there")
    elif content.rfind(_END) < 0:
        notes.append(f"{path.name}: has no end (General timing), so the run was stopped or the file is cut; {len(spans)} whole steps are read")
    interval, times, clock_notes = _clock(head.tags, steps)
    temperature, told = thermostat_temperature(head.tags)

    def load(frames: np.ndarray) -> Block:
        return Block(scaled=_parse(file, spans, frames, len(head.symbols)) @ np.linalg.inv(cells[frames]))

    return Frames(
        source=str(path),
        kind="VASP OUTCAR",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cells,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",
        columns="POSITION",
        ids=np.arange(1, len(head.symbols) + 1),
        labels=head.symbols,
        masses=head.masses,
        interval=interval,
        times=times,
        temperature=temperature,
        load=load,
        threads=True,
        notes=(*notes, *clock_notes, *told),
        pieces=((0, str(path)),),
        runs=lambda: vasp_log.read_outcar(file),
    )


def _head(file: OpenedFile, text: bytes) -> _Head:
    tags: dict[str, str] = {}
    for name, value in _TAG.findall(text):
        tags.setdefault(name.decode(), value.decode("ascii", "replace"))  # what the INCAR says comes first, and is not rounded
    found = _COUNTS.search(text)
    counts = [int(word) for word in found[1].split() if len(word) < 10] if found else []
    symbols = next((names for pattern in (_SYMBOL, _TITLE) if len(names := pattern.findall(text)) == len(counts)), None)
    if not counts or symbols is None or not 0 < sum(counts) <= len(file.bytes):
        raise TrajectoryError(f"{file.path}: does not announce its atoms (VRHFIN, ions per type); pass the XDATCAR or vasprun.xml of the same run")
    return _Head(tags, np.repeat([name.decode() for name in symbols], counts), _masses(text, counts))


def _masses(text: bytes, counts: list[int]) -> np.ndarray | None:
    """Mass of each atom: as the run took it (two decimals), with the digits of the potential where it is the same."""
    found = _MASSES.search(text)
    used = [float(word) for word in re.findall(rb"\d*\.\d\d", found[1])] if found else []
    known = [float(word) for word in _POTCAR_MASS.findall(text)]
    if len(used) != len(counts) or not all(mass > 0 for mass in used):
        return None
    if len(known) == len(counts):
        used = [mass if abs(mass - exact) > 0.006 else exact for mass, exact in zip(used, known, strict=True)]
    return np.repeat(used, counts)


def _steps(file: OpenedFile, at: int, end: int, n_atoms: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, list[str]]:
    """Rows of each whole frame, its cell, and its step (None where steps are not numbered); and what was dropped."""
    content, array, path = file.bytes, file.array[:end], file.path
    spans: list[tuple[int, int]] = []
    cells: list[np.ndarray] = []
    steps: list[int | None] = []
    notes: list[str] = []
    before = 0
    while at >= 0:
        start = content.find(b"\n", content.find(b"\n", at) + 1) + 1  # behind the line of dashes
        following = content.find(_BLOCK, at + 1, end)
        stop, found = rows.end_of_rows(array, start, n_atoms) if start > at else (end, 0)
        if found < n_atoms:
            if following >= 0:
                raise TrajectoryError(f"{path}: frame {len(spans)}, line {file.line(stop)}: {found} rows of {n_atoms} atoms; mend the file")
            notes.append(f"{path.name}: frame {len(spans)}, the last, ends after {found} of {n_atoms} atoms and is dropped")
            break
        step = _step(content, before, at)
        # a step may be printed twice, from the electrons and from the learned force field: at the same positions
        again = bool(steps) and steps[-1] is not None and step in (None, steps[-1])
        if not (again and _same_positions(file, spans[-1], (start, stop), n_atoms)):
            spans.append((start, stop))
            cells.append(_cell(file, len(cells), before, at, cells))
            steps.append(step)
        before, at = at, following
        file.passed(before)
    if file.broken:
        notes.append(f"{path.name}: the packed stream breaks off; frames after {len(spans) - 1} are lost")
    if not spans:
        raise TrajectoryError(f"{notes[-1] if notes else f'{path}: holds no frame'}; no whole frame is left: pass a file with at least one")
    numbered = None if None in steps else np.array(steps, dtype=np.int64)
    return np.array(spans, dtype=np.int64), np.array(cells), numbered, notes


def _same_positions(file: OpenedFile, one: tuple[int, int], two: tuple[int, int], n_atoms: int) -> bool:
    first, second = _parse(file, np.array([one, two]), np.arange(2), n_atoms)
    return np.array_equal(first, second)


def _step(content: object, start: int, stop: int) -> int | None:
    """Number of the ionic step that is printed last in a part of the file."""
    for word in (b"- Iteration", b"- Ionic step"):
        at = content.rfind(word, start, stop)  # type: ignore[attr-defined]
        found = _STEP.match(bytes(content[at : at + 60])) if at >= 0 else None  # type: ignore[index]
        if found:
            return int(found[1] or found[2])
    return None


def _cell(file: OpenedFile, frame: int, start: int, stop: int, before: list[np.ndarray]) -> np.ndarray:
    """The last cell printed above a frame; that of the frame before where none is."""
    content = file.bytes
    at = content.rfind(_CELL, start, stop)
    if at < 0 and before:
        return before[-1]
    first = content.find(b"\n", at) + 1
    values = _NINE.findall(bytes(content[first : first + 600]))[:18] if at >= 0 else []
    if len(values) < 18:
        raise TrajectoryError(
            f"{file.path}: frame {frame}, line {file.line(stop)}: no cell (direct lattice vectors) is printed above it; mend the file"
        )
    return np.array([float(word) for word in values]).reshape(3, 6)[:, :3]


def _clock(tags: Tags, steps: np.ndarray | None) -> tuple[float | None, np.ndarray | None, tuple[str, ...]]:
    """Interval where frames are evenly spaced, else times, in ps."""
    potim = number_of(tags, "POTIM")
    if number_of(tags, "IBRION", -1.0) != 0:
        return None, None, ("IBRION is not 0, so this is no molecular dynamics and its frames have no times",)
    if potim is None or not potim > 0 or steps is None:
        return None, None, ()
    spacing = np.diff(steps)
    if (spacing <= 0).any():
        return None, None, ("the numbers of the steps do not grow, so frames have no times",)
    step = potim * UNIT_SYSTEMS["real"].time
    if len(spacing) == 0 or (spacing == spacing[0]).all():
        return float(step * (spacing[0] if len(spacing) else 1)), None, ()
    return None, steps * step, ("frames are not evenly spaced; their times are those of their steps",)


def _parse(file: OpenedFile, spans: np.ndarray, frames: np.ndarray, n_atoms: int) -> np.ndarray:
    out = np.empty((len(frames), n_atoms, 3))
    status, frame, row, at = rows.parse_rows(file.array, spans[frames, 0], spans[frames, 1], _ROW, True, out)
    if status == rows.GOOD and not (np.abs(out) < _LARGEST).all():
        frame, row = np.argwhere(~(np.abs(out) < _LARGEST))[0, :2]
        status, at = rows.BAD_NUMBER, spans[frames[frame], 0]
    if status != rows.GOOD:
        text = file.text_of_line(file.bytes.rfind(b"\n", 0, at) + 1)
        raise TrajectoryError(
            f"{file.path}: frame {frames[frame]}, line {file.line(at)}: the row of atom {row + 1} is not three coordinates and three forces "
            f"({text!r}); mend the file, or pass one without this frame"
        )
    return out
