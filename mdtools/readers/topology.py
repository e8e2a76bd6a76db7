"""The topology a user passed, whatever it is: a LAMMPS data file or a .cell of CP2K (read by us), or a file ASE or MDAnalysis reads."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.cp2k_cell import is_cell_file, read_cell
from mdtools.readers.labels import Topology
from mdtools.readers.lammps_data import is_lammps_data, read_lammps_data

__all__ = ["read_topology"]


def read_topology(path: str | Path) -> Topology:
    """Labels (and masses, charges) of the atoms of a topology file, in the order of their ids.

    Raises TrajectoryError for a file that neither we, ASE nor MDAnalysis understand.
    """
    path = Path(path)
    if not path.is_file():
        raise TrajectoryError(f"{path}: there is no such topology file; check topology= (--topology)")
    if is_lammps_data(path):
        return read_lammps_data(path)
    if is_cell_file(path):
        return Topology(source=str(path), ids=np.zeros(0, dtype=np.int64), labels=None, types={}, cell=read_cell(path).cell[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels, masses, charges, cell = _through_ase(path) or _through_mdanalysis(path) or (None, None, None, None)
    if labels is None:
        raise TrajectoryError(
            f"{path}: no topology that names its atoms; pass a LAMMPS data file (write_data), POSCAR, PDB, GRO or PSF, or species= instead"
        )
    return Topology(source=str(path), ids=np.arange(1, len(labels) + 1), labels=labels, types={}, masses=masses, charges=charges, cell=cell)


def _through_ase(path: Path) -> Any:
    import ase.io

    try:
        atoms: Any = ase.io.read(path)
    except Exception:
        return None
    symbols = np.array(atoms.get_chemical_symbols())
    if len(symbols) == 0 or "X" in symbols:
        return None
    cell = atoms.cell.array if abs(atoms.cell.volume) > 0 else None
    return symbols, atoms.get_masses() if atoms.has("masses") else None, None, cell


def _through_mdanalysis(path: Path) -> Any:
    import MDAnalysis

    from mdtools.readers.from_mdanalysis import attribute_of_universe, labels_of_universe

    try:
        universe = MDAnalysis.Universe(str(path))
    except Exception:
        return None
    labels, _ = labels_of_universe(universe)
    return labels, attribute_of_universe(universe, "masses"), attribute_of_universe(universe, "charges"), None
