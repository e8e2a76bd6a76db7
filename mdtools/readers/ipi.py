"""i-PI xyz: step, bead, cell and the units of both in the comment of every frame; velocities in a file of their own beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.beside import beside, matched
from mdtools.readers.frames import Block, Frames
from mdtools.readers.lengths_angles import cell_vectors
from mdtools.readers.opened import OpenedFile
from mdtools.readers.rows import WORD
from mdtools.readers.xyz_text import XyzFile, XyzRows, index_xyz, labels_of, parse_xyz
from mdtools.units import ATOMIC_TIME, BOHR, UNIT_SYSTEMS

__all__ = ["read_files", "read_ipi"]

_CELL = re.compile(r"CELL\s*[({]\s*(abcABC|H|GENH)\s*[)}]\s*:?([^A-Za-z]*(?:[eE][-+]?\d[^A-Za-z]*)*)")
_STEP = re.compile(r"Step:\s*(\d{1,15})")
_BEAD = re.compile(r"Bead:\s*(\d{1,9})")
_WHAT = re.compile(r"(?<!\S)(\w+)\{([^{}\s]*)\}")
_LENGTHS = {"atomic_unit": BOHR, "angstrom": 1.0, "nanometer": 10.0}
_VELOCITIES = {
    "atomic_unit": BOHR / ATOMIC_TIME,
    "angstrom/ps": 1.0,
    "angstrom/fs": UNIT_SYSTEMS["real"].velocity,
    "m/s": UNIT_SYSTEMS["si"].velocity,
}
_POSITIONS = ("positions", "x_centroid", "xc")
_ROW = XyzRows(np.array([WORD + 3, 0, 1, 2]), 4, (3,))


@dataclass(frozen=True)
class _Run:
    """One file. factor : from its units to angstrom, or angstrom/ps. cell : (frame, 3, 3) angstrom. symbols : hashes of the first frame."""

    xyz: XyzFile
    what: str
    factor: float
    steps: np.ndarray
    bead: str
    cell: np.ndarray
    symbols: np.ndarray

    def load(self, frames: np.ndarray) -> np.ndarray:
        return parse_xyz(self.xyz, frames, _ROW, first=self.symbols)[:, :, :3] * self.factor


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file of positions. Raises TrajectoryError for beads of one ring polymer, which are no run one after the other."""
    runs = [_read(file) for file in files]
    positions = [run for run in runs if run.what in _POSITIONS]
    if not positions:
        raise TrajectoryError(f"{files[0]}: holds {runs[0].what}, not positions; pass the file of positions, with this one beside it or in the list")
    beads = sorted({run.bead for run in positions})
    if len(beads) > 1:
        raise TrajectoryError(f"{files[0]} ... are beads {', '.join(beads[:4])} of one ring polymer; pass one bead, or the centroid")
    found = []
    for run in positions:
        listed = next((other for other in runs if other.what not in _POSITIONS), None) if len(positions) == 1 else None
        found.append(read_ipi(run, listed))
    return found


def read_ipi(run: _Run, listed: _Run | None = None) -> Frames:
    """Positions, with velocities matched by step: those listed, else those of a file beside, which are left out and noted where they do not fit."""
    path, n_frames = run.xyz.file.path, run.xyz.n_frames
    notes = list(run.xyz.notes)
    mate = beside(path, r"\.pos_(\w+)", r".vel_\1") or beside(path, r"\.xc", ".vc")
    moving: _Run | None = None
    if listed is not None or mate is not None:
        try:
            moving, rows, told = _velocities(run, listed or _read(mate or path))
        except TrajectoryError as reason:
            if listed is not None:
                raise
            notes.append(f"the velocities beside are left out ({reason})")
        else:
            notes += [*moving.xyz.notes, *told]
            n_frames = len(rows)

    def load(frames: np.ndarray) -> Block:
        return Block(
            scaled=run.load(frames) @ np.linalg.inv(run.cell[frames]),
            velocities=None if moving is None else moving.load(rows[frames]),
        )

    return Frames(
        source=str(path),
        kind="i-PI xyz",
        units="metal",
        in_angstrom_and_ps=True,
        cell=run.cell[:n_frames],
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",  # i-PI leaves atoms where they go: the nearest image changes nothing then
        columns=run.what,
        ids=np.arange(1, run.xyz.n_atoms + 1),
        labels=labels_of(run.xyz, 0),
        has_velocities=moving is not None,
        steps=run.steps[:n_frames],
        load=load,
        threads=True,
        notes=tuple(notes),
        pieces=((0, str(path)),),
    )


def _velocities(run: _Run, moving: _Run) -> tuple[_Run, np.ndarray, tuple[str, ...]]:
    """The velocities of the same atoms, and the frame of them that belongs to each frame."""
    path, other = run.xyz.file.path, moving.xyz.file.path
    if moving.what in _POSITIONS or not np.array_equal(moving.symbols, run.symbols):
        raise TrajectoryError(f"{other}: its atoms are not those of {path.name}; leave it out, or pass the velocities of the same run")
    return moving, *matched(path, run.steps, other, moving.steps, "velocities")


def _read(path: Path) -> _Run:
    xyz = index_xyz(OpenedFile(path))
    comments = [comment[:1000].decode("ascii", "replace") for comment in xyz.comments]
    what, factor, length = _units(path, comments[0])
    cell = np.empty((xyz.n_frames, 3, 3))
    steps = np.empty(xyz.n_frames, dtype=np.int64)
    beads = set()
    for frame, comment in enumerate(comments):
        if frame and _units(path, comment) != (what, factor, length):
            raise TrajectoryError(f"{path}: frame {frame}: quantity or units change within the file; pass one with the same in all frames")
        step, bead = _STEP.search(comment), _BEAD.search(comment)
        if step is None:
            raise TrajectoryError(f"{path}: frame {frame}: its comment says no Step:; mend it")
        cell[frame] = _cell(path, frame, comment) * length
        steps[frame] = int(step[1])
        beads.add(bead[1] if bead else "centroid")
        if len(beads) > 1:
            raise TrajectoryError(f"{path}: frame {frame} is of another bead ({', '.join(sorted(beads))}); pass one bead, or the centroid")
    symbols = parse_xyz(xyz, np.zeros(1, dtype=np.int64), _ROW)[0, :, 3:]
    return _Run(xyz, what, factor, steps, beads.pop(), cell, symbols)


def _units(path: Path, comment: str) -> tuple[str, float, float]:
    """What a file holds, and the factors of it and of its cell."""
    stated = dict(_WHAT.findall(comment))
    length = _LENGTHS.get(stated.pop("cell", ""))
    what, unit = next(iter(stated.items()), ("", ""))
    factor = (_LENGTHS if what in _POSITIONS else _VELOCITIES).get(unit)
    if length is None or factor is None:
        raise TrajectoryError(
            f"{path}: the comment does not state units that are known ({comment[-60:]!r}); "
            f"write positions{{angstrom}} or {{atomic_unit}} and cell{{...}} in it, as i-PI 2 does"
        )
    return what, factor, length


def _cell(path: Path, frame: int, comment: str) -> np.ndarray:
    """(3, 3) rows are the vectors, in the units of the file."""
    found = _CELL.search(comment)
    kind = found[1] if found else ""
    try:
        values = np.array([float(word) for word in found[2].split()]) if found else np.zeros(0)
    except ValueError:
        values = np.zeros(0)
    if len(values) != (6 if kind == "abcABC" else 9) or not np.isfinite(values).all():
        raise TrajectoryError(f"{path}: frame {frame}: its comment holds no cell ({comment[:60]!r}); mend it")
    if kind != "abcABC":
        return values.reshape(3, 3).T  # i-PI's matrix has the vectors as columns
    return cell_vectors(values[None, :3], values[None, 3:])[0]
