"""What ASE reads (.traj, PDB, CIF, ...), and lists of ase.Atoms."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Block, Frames
from mdtools.readers.opened import PACKED, unpacked_suffix
from mdtools.readers.xyz_clock import stated_clock
from mdtools.units import ASE_TIME, UNIT_SYSTEMS

__all__ = ["frames_of_atoms", "read_files", "read_with_ase"]


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file."""
    return [read_with_ase(file, units=units) for file in files]


def read_with_ase(path: Path, *, units: str | None = None) -> Frames:
    """A file through ase.io. Raises TrajectoryError for a format ASE does not know, or is known to read wrongly."""
    _refuse_what_ase_reads_wrongly(path)
    import ase.io

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images = ase.io.read(path, index=":")
    except Exception as reason:
        raise TrajectoryError(
            f"{path}: neither ours to read nor understood by ASE ({type(reason).__name__}: "
            f"{str(reason).splitlines()[0] if str(reason) else 'no reason given'}); "
            f"pass a LAMMPS text dump, XDATCAR, extxyz, or a format of ASE or MDAnalysis"
        ) from None
    if not images:  # ASE takes a text that it does not know for an empty file of some format
        raise TrajectoryError(f"{path}: ASE finds no atoms in it; pass a LAMMPS text dump, XDATCAR, extxyz, or a format of ASE or MDAnalysis")
    return frames_of_atoms(list(images), source=str(path), units=units)


def _refuse_what_ase_reads_wrongly(path: Path) -> None:
    if path.suffix.lower() in PACKED and unpacked_suffix(path) in (".traj", ".h5", ".nc"):
        raise TrajectoryError(f"{path}: a packed binary file cannot be read; unpack it first")


def frames_of_atoms(images: Sequence[Any], *, source: str = "list of ase.Atoms", units: str | None = None) -> Frames:
    """A sequence of ase.Atoms. Velocities are made from momenta, or from an array `vel` where `units` says its units."""
    if len(images) == 0:
        raise TrajectoryError(f"{source}: holds no frame; pass at least one")
    first = images[0]
    symbols = first.get_chemical_symbols()
    for number, atoms in enumerate(images):
        if len(atoms) != len(first):
            raise TrajectoryError(f"{source}: frame {number} holds {len(atoms)} atoms, the first frame {len(first)}; pass frames of the same atoms")
        if not np.array_equal(atoms.numbers, first.numbers):
            raise TrajectoryError(f"{source}: the order of the elements changes in frame {number}; pass frames in which an atom keeps its place")
    velocities, notes = _velocities(images, units)
    charged = any(atoms.has("initial_charges") and np.any(atoms.get_initial_charges()) for atoms in images)
    cell = np.array([atoms.cell.array for atoms in images], dtype=np.float64)
    volume = np.abs(np.linalg.det(cell))
    clock, told = stated_clock([_numbers_of(atoms.info) for atoms in images], gpumd=False, units=units)

    def load(frames: np.ndarray) -> Block:
        positions = np.array([images[i].positions for i in frames], dtype=np.float64)
        return Block(
            scaled=positions @ np.linalg.inv(cell[frames]),
            velocities=None if velocities is None else np.array([velocities(images[i]) for i in frames]),
            charges=np.array([images[i].get_initial_charges() for i in frames]) if charged else None,
        )

    if not volume.all():
        raise TrajectoryError(
            f"{source}: frame {int(np.argmin(volume))} has no cell, or one of zero volume; "
            "pass a format that holds it (extxyz with Lattice), or atoms.set_cell"
        )
    return Frames(
        source=source,
        kind="ASE",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cell,
        periodic=np.array(first.pbc, dtype=bool),
        placement="wrapped",
        columns="Cartesian",
        ids=np.arange(1, len(first) + 1),
        labels=np.array(symbols),
        masses=first.get_masses() if first.has("masses") else None,
        charges=first.get_initial_charges() if charged else None,
        has_velocities=velocities is not None,
        steps=clock.steps,
        times=clock.times,
        load=load,
        notes=(*notes, *told),
        pieces=((0, source),),
    )


def _numbers_of(info: dict[Any, Any]) -> dict[bytes, bytes]:
    """The numbers in atoms.info, as a comment would hold them."""
    return {str(key).encode(): str(value).encode() for key, value in info.items() if isinstance(value, (int, float, np.integer, np.floating))}


def _velocities(images: Sequence[Any], units: str | None) -> tuple[Any, tuple[str, ...]]:
    """How to get the velocities (angstrom/ps) of a frame, or None; and what to say about it."""
    if all(atoms.has("momenta") for atoms in images):
        if not any(np.any(atoms.get_momenta()) for atoms in images):
            return None, ("all momenta are zero, so they are taken as not stored",)
        time = 1.0 if units == "lj" else ASE_TIME
        return lambda atoms: atoms.get_velocities() / time, ()
    name = next((name for name in ("vel", "velo", "velocities") if all(name in atoms.arrays for atoms in images)), None)
    if name is None:
        return None, ()
    if units is None:
        return None, (f"the array {name} is left out, because nothing says its units: pass units='metal' (angstrom/ps) or 'real' (angstrom/fs)",)
    if units not in UNIT_SYSTEMS:
        raise TrajectoryError(f"units {units!r} are not known; pass one of {', '.join(UNIT_SYSTEMS)}")
    factor = UNIT_SYSTEMS[units].velocity
    return lambda atoms: atoms.arrays[name] * factor, ()
