"""CP2K: PROJECT-pos-1.xyz with the -vel-1.xyz and -1.cell that lie beside it or are passed in the list; steps and times from the comments.

The files do not say their units; CP2K writes angstrom, bohr per atomic unit of time and fs unless its input (UNIT) asks for others.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.beside import beside, matched
from mdtools.readers.cp2k_cell import is_cell_file, read_cell
from mdtools.readers.frames import Block, Frames
from mdtools.readers.labels import Topology
from mdtools.readers.opened import OpenedFile
from mdtools.readers.rows import WORD
from mdtools.readers.xyz_text import XyzFile, XyzRows, index_xyz, labels_of, parse_xyz
from mdtools.units import ATOMIC_TIME, BOHR, UNIT_SYSTEMS

__all__ = ["read_cp2k", "read_files"]

_COMMENT = re.compile(rb"\s*i\s*=\s*(\d{1,15})\s*,\s*time\s*=\s*([-+.\dEe]{1,40})\s*(?:,|$)")
_ROW = XyzRows(np.array([WORD + 3, 0, 1, 2]), 4, (3,))
_FS = UNIT_SYSTEMS["real"].time


@dataclass(frozen=True)
class _Run:
    """An xyz file with the steps and times (fs) of its frames, and the hash of each atom's symbol."""

    xyz: XyzFile
    steps: np.ndarray
    times: np.ndarray
    symbols: np.ndarray

    def load(self, frames: np.ndarray) -> np.ndarray:
        return parse_xyz(self.xyz, frames, _ROW, first=self.symbols)[:, :, :3]


def read_files(files: Sequence[Path], units: str | None, topology: Topology | None = None) -> list[Frames]:
    """A record of each file of positions; velocities and cells in the list go to the positions of the same run.

    Raises TrajectoryError for a list without positions, or with a file that belongs to none of them.
    """
    positions = [path for path in files if not is_cell_file(path) and not re.search(r"-(vel|frc)-", path.name)]
    if not positions:
        raise TrajectoryError(f"{files[0]}: holds no positions; pass the -pos-1.xyz of the same run, with this file beside it or in the list")
    used: set[Path] = set()
    found = []
    for path in positions:
        others = [other for other in files if other not in positions] if len(positions) == 1 else []
        listed = next((other for other in others if "-vel-" in other.name), None)
        velocities = listed or beside(path, "-pos-", "-vel-")
        cells = next(filter(is_cell_file, others), None) or beside(path, r"-pos-(.*)\.xyz$", r"-\1.cell")
        used |= {mate for mate in (path, velocities, cells) if mate is not None}
        found.append(read_cp2k(path, velocities=velocities, asked=listed is not None, cells=cells, topology=topology))
    stray = [path for path in files if path not in used]
    if stray:
        raise TrajectoryError(f"{stray[0]}: belongs to none of the positions {', '.join(path.name for path in positions[:3])}; leave it out")
    return found


def read_cp2k(
    path: Path, *, velocities: Path | None = None, asked: bool = True, cells: Path | None = None, topology: Topology | None = None
) -> Frames:
    """Positions with their velocities and cells, matched by step. Where a cut file lacks the last ones, frames without them are dropped and counted.

    asked : velocities that do not fit are refused; else, when they only lie beside, left out and noted.
    Raises TrajectoryError where nothing gives the cell, or files are not of one run.
    """
    run = _read(path)
    notes = [*run.xyz.notes, "units are those CP2K writes unless asked: angstrom, fs" + (", bohr per atomic unit of time" if velocities else "")]
    n_frames = run.xyz.n_frames
    moving: _Run | None = None
    if velocities is not None:
        try:
            moving, rows, told = _velocities(run, velocities)
        except TrajectoryError as reason:
            if asked:
                raise
            notes.append(f"the velocities beside are left out ({reason})")
        else:
            notes += [*moving.xyz.notes, *told]
            n_frames = len(rows)
    cell, told = _cells(path, run, cells, topology, n_frames)
    notes += told
    n_frames = len(cell)

    def load(frames: np.ndarray) -> Block:
        return Block(
            scaled=run.load(frames) @ np.linalg.inv(cell[frames]),
            velocities=None if moving is None else moving.load(rows[frames]) * (BOHR / ATOMIC_TIME),
        )

    return Frames(
        source=str(path),
        kind="CP2K xyz",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",
        columns="x y z",
        ids=np.arange(1, run.xyz.n_atoms + 1),
        labels=labels_of(run.xyz, 0),
        has_velocities=moving is not None,
        steps=run.steps[:n_frames],
        times=run.times[:n_frames] * _FS,
        load=load,
        threads=True,
        notes=tuple(notes),
        pieces=((0, str(path)),),
    )


def _read(path: Path) -> _Run:
    xyz = index_xyz(OpenedFile(path))
    found = [_COMMENT.match(comment) for comment in xyz.comments]
    for frame, match in enumerate(found):
        if match is None:
            raise TrajectoryError(
                f"{path}: frame {frame}: the comment {xyz.comments[frame][:50].decode('ascii', 'replace')!r} says no i = step, time = fs; mend it"
            )
    try:
        times = np.array([float(match[2]) for match in found if match])
    except ValueError:
        raise TrajectoryError(f"{path}: a comment says a time that is no number; mend it") from None
    symbols = parse_xyz(xyz, np.zeros(1, dtype=np.int64), _ROW)[0, :, 3:]
    return _Run(xyz, np.array([int(match[1]) for match in found if match], dtype=np.int64), times, symbols)


def _velocities(run: _Run, path: Path) -> tuple[_Run, np.ndarray, tuple[str, ...]]:
    """The velocities of the same atoms, and the frame of them that belongs to each frame."""
    moving = _read(path)
    positions = run.xyz.file.path
    if not np.array_equal(moving.symbols, run.symbols):
        raise TrajectoryError(f"{path}: its atoms are not those of {positions.name}; leave it out, or pass the velocities of the same run")
    return moving, *matched(positions, run.steps, path, moving.steps, "velocities")


def _cells(path: Path, run: _Run, cells: Path | None, topology: Topology | None, n_frames: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """(frame, 3, 3) of the .cell file, else of the topology, for as many frames as have one; and what to say about it."""
    given = topology is not None and is_cell_file(Path(topology.source))
    if topology is not None and given:
        cells = Path(topology.source)
    if cells is not None:
        table = read_cell(cells)
        if given and len(table.steps) == 1:
            return np.broadcast_to(table.cell[0], (n_frames, 3, 3)).copy(), (f"{cells.name} holds one cell, taken for all frames",)
        rows, notes = matched(path, run.steps[:n_frames], cells, table.steps, "cells")
        return table.cell[rows], notes
    if topology is not None and topology.cell is not None:
        return np.broadcast_to(topology.cell, (n_frames, 3, 3)).copy(), (f"the cell is that of {topology.source}",)
    raise TrajectoryError(
        f"{path}: has no cell, and no .cell file lies beside it; pass topology= with the .cell file of CP2K, or a file that holds the cell "
        f"(POSCAR, PDB, CIF), or on the command line --topology"
    )
