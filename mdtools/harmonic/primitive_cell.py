"""The primitive cell that a path or ase.Atoms means."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.phonopy_files import read_phonopy

__all__ = ["crystal_of"]


def crystal_of(source: Any) -> Crystal:
    """The primitive cell that is meant: ase.Atoms, or the path of a phonopy yaml file or of anything ASE reads (POSCAR, cif).

    Raises TrajectoryError for a file that is not there or holds no periodic cell.
    """
    if isinstance(source, Crystal):
        return source
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise TrajectoryError(f"there is no file {path} to take a primitive cell of")
        if path.suffix in (".yaml", ".yml") or path.name.endswith((".yaml.xz", ".yaml.gz")):
            return read_phonopy(path).crystal
        import ase.io

        try:
            atoms = ase.io.read(path)
        except Exception as reason:
            raise TrajectoryError(f"{path} is not understood as a primitive cell ({reason}); give a POSCAR, a cif or a phonopy yaml file") from None
        return _of_atoms(atoms, str(path))
    if hasattr(source, "get_scaled_positions"):
        return _of_atoms(source, "ase.Atoms")
    raise TrajectoryError(f"a primitive cell is a path or ase.Atoms, not {type(source).__name__}")


def _of_atoms(atoms: Any, source: str) -> Crystal:
    if not all(atoms.pbc):
        raise TrajectoryError(f"the primitive cell of {source} must be periodic along three vectors")
    return Crystal(np.array(atoms.cell), atoms.get_scaled_positions(), tuple(atoms.get_chemical_symbols()), atoms.get_masses(), source)
