"""DCD files (LAMMPS, NAMD, CHARMM) by memory map: Cartesian positions in single precision, cell, step numbers.

The format holds neither atoms nor units, and its time step means something else for every program that writes it: LAMMPS
fills in its own dt in whatever units the run has. So times come from the step numbers and what the user says of a step.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Block, Frames
from mdtools.readers.lammps_columns import inverse_or_nan
from mdtools.readers.lengths_angles import cell_vectors
from mdtools.readers.opened import OpenedFile

__all__ = ["MOVING_CELL", "read_dcd", "read_files"]

MOVING_CELL = "the file does not hold the origin of the cell: if the cell moves (LAMMPS, NPT), all atoms seem to move against it"


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file."""
    return [read_dcd(file) for file in files]


def read_dcd(path: Path) -> Frames:
    """A DCD file; atoms are numbered 1, 2, ... in its order. Raises TrajectoryError where it cannot be trusted."""
    file = OpenedFile(path)
    order, announced, first_step, spacing, n_atoms, start = _head(file)
    record = _record(path, order, n_atoms)
    n_frames = (len(file.bytes) - start) // record.itemsize
    notes = []
    if n_frames < 1:
        raise TrajectoryError(f"{path}: ends before its first frame of {n_atoms} atoms is whole; pass a file with at least one")
    if (len(file.bytes) - start) % record.itemsize or announced > n_frames:
        of = f" of the {announced} that its header announces" if announced > n_frames else ""
        notes.append(f"{path.name}: is cut; its {n_frames} whole frames{of} are read")

    def table() -> np.ndarray:
        return np.ndarray(n_frames, record, file.bytes, start)

    cell = _cells(path, table())

    def load(frames: np.ndarray) -> Block:
        part = table()[frames]
        for name, size in (("x", 4 * n_atoms), ("y", 4 * n_atoms), ("z", 4 * n_atoms)):
            good = (part[f"before_{name}"] == size) & (part[f"after_{name}"] == size)
            if not good.all():
                raise TrajectoryError(f"{path}: frame {frames[int(np.argmin(good))]} is not whole; the file is damaged: read up to it with end=...")
        with np.errstate(invalid="ignore"):  # a NaN of the file is refused elsewhere, by the name of its frame
            positions = np.stack([part[name] for name in "xyz"], axis=-1).astype(np.float64)
        return Block(scaled=positions @ inverse_or_nan(cell[frames]))

    if n_frames > 1 and np.ptp(cell, axis=0).max() > 0:
        notes.append(MOVING_CELL)
    return Frames(
        source=str(path),
        kind="DCD",
        units="metal",  # angstrom by habit; LAMMPS writes its own units, so that what the user says of them counts
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",  # or not: the nearest image changes nothing then
        columns="Cartesian",
        ids=np.arange(1, n_atoms + 1),
        steps=first_step + spacing * np.arange(n_frames, dtype=np.int64) if spacing > 0 else None,
        load=load,
        notes=tuple(notes),
        pieces=((0, str(path)),),
    )


def _head(file: OpenedFile) -> tuple[str, int, int, int, int, int]:
    """Byte order, frames announced, first step, steps between frames, atoms, and where the frames begin."""
    content, path = file.bytes, file.path
    start = bytes(content[:92]).ljust(92, b"\0")
    order = next((order for order in "<>" if struct.unpack_from(f"{order}i", start)[0] == 84), "")
    if not order or start[4:8] != b"CORD":
        raise TrajectoryError(f"{path}: is not a DCD file, its first bytes say otherwise; pass one, or name the file after what it holds")
    control = struct.unpack_from(f"{order}20i", start, 8)
    if control[8] > 0 or control[11]:
        raise TrajectoryError(f"{path}: is a DCD with fixed atoms or a fourth dimension, which are not read; pass a text dump, XTC or TRR of the run")
    if not control[10]:
        raise TrajectoryError(f"{path}: is a DCD without a cell; write it with one, or pass a format that holds it (LAMMPS dump, XTC)")
    at, n_atoms = 92, 0
    for what in ("title", "atoms"):
        if at + 8 > len(content):
            raise TrajectoryError(f"{path}: ends within its header; pass a file with at least one frame")
        (size,) = struct.unpack_from(f"{order}i", content, at)
        if size < 4 or at + 8 + size > len(content) or struct.unpack_from(f"{order}i", content, at + 4 + size)[0] != size:
            raise TrajectoryError(f"{path}: the {what} in its header cannot be understood; the file is damaged or cut")
        (n_atoms,) = struct.unpack_from(f"{order}i", content, at + 4)
        at += 8 + size
    if n_atoms < 1:
        raise TrajectoryError(f"{path}: announces {n_atoms} atoms; the file is damaged")
    return order, control[0], control[1], control[2], n_atoms, at


def _record(path: Path, order: str, n_atoms: int) -> np.dtype:
    """One frame: every array between two marks of its size in bytes."""
    if 12 * n_atoms + 80 > 2**31 - 1:
        # beyond what one numpy record can be; marks of 4 bytes end not far above
        raise TrajectoryError(f"{path}: announces {n_atoms} atoms, more than a DCD can hold; the file is damaged")
    fields: list[tuple] = [("before_cell", f"{order}i4"), ("cell", f"{order}f8", (6,)), ("after_cell", f"{order}i4")]
    for name in "xyz":
        fields += [(f"before_{name}", f"{order}i4"), (name, f"{order}f4", (n_atoms,)), (f"after_{name}", f"{order}i4")]
    return np.dtype(fields)


def _cells(path: Path, table: np.ndarray) -> np.ndarray:
    """Cell vectors of all frames, from A, gamma, B, beta, alpha, C with angles as cosines (LAMMPS, NAMD) or degrees (CHARMM)."""
    good = (table["before_cell"] == 48) & (table["after_cell"] == 48)
    if not good.all():
        raise TrajectoryError(f"{path}: frame {int(np.argmin(good))} has no cell where it should be; the file is damaged: read up to it with end=...")
    values = table["cell"].astype(np.float64)
    lengths, angles = values[:, [0, 2, 5]], values[:, [4, 3, 1]]
    cosines = (np.abs(angles) <= 1).all(axis=1)
    degrees = ((angles > 1) & (angles < 180)).all(axis=1)
    if not ((np.abs(values) < 1e30).all(axis=1) & (cosines | degrees)).all():
        frame = int(np.argmin((np.abs(values) < 1e30).all(axis=1) & (cosines | degrees)))
        raise TrajectoryError(
            f"{path}: frame {frame} has a cell that is neither lengths and cosines nor lengths and degrees (CHARMM's own form is not read); "
            "pass a text dump, XTC or TRR of the run"
        )
    # arccos(0) is not exactly the right angle that is meant
    angles[cosines] = np.where(angles[cosines] == 0, 90.0, np.degrees(np.arccos(angles[cosines])))
    return cell_vectors(lengths, angles)
