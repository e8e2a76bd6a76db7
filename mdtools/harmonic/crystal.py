"""A primitive cell, from a path or from ase.Atoms."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError

__all__ = ["Crystal", "crystal_of"]


@dataclass(frozen=True, eq=False)
class Crystal:
    """A primitive cell.

    cell : (3, 3) angstrom, rows are the vectors. scaled : (basis, 3) positions in them. symbols : (basis,).
    masses : (basis,) amu; None where the source has none. source : where it is from.
    """

    cell: np.ndarray
    scaled: np.ndarray
    symbols: tuple[str, ...]
    masses: np.ndarray | None = None
    source: str = "memory"

    def __post_init__(self) -> None:
        if np.shape(self.cell) != (3, 3) or abs(np.linalg.det(self.cell)) < 1e-6:
            raise TrajectoryError(f"the primitive cell of {self.source} needs three vectors that span a volume")

    @property
    def shortest_distance(self) -> float:
        """Between two sites, periodic images included, in angstrom."""
        images = np.array(np.meshgrid(*[np.arange(-2, 3)] * 3)).reshape(3, -1).T
        apart = self.scaled[:, None, None] - self.scaled[None, :, None] + images
        distance = np.linalg.norm(apart @ self.cell, axis=-1)
        return float(distance[distance > 1e-6].min())


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
            from mdtools.harmonic.phonopy_files import read_phonopy

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
