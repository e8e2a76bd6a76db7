"""Makes the files of this folder by phonopy itself, of the crystal of springs of tests/lattices.py: python make.py, with phonopy installed."""

import os
import sys
from pathlib import Path

import numpy as np
import phonopy
from phonopy.file_IO import write_FORCE_CONSTANTS
from phonopy.structure.atoms import PhonopyAtoms

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2])]
import lattices  # noqa: E402

MATRIX = np.diag([2, 1, 2])


def main() -> None:
    os.chdir(HERE)
    for folder in ("beside", "without"):
        os.makedirs(folder, exist_ok=True)
    crystal = lattices.crystal()
    atoms = PhonopyAtoms(symbols=list(crystal.symbols), cell=crystal.cell, scaled_positions=crystal.scaled, masses=crystal.masses)
    made = phonopy.Phonopy(atoms, MATRIX, primitive_matrix=np.eye(3), log_level=0)
    large = made.supercell
    basis = np.repeat(np.arange(3), len(large) // 3)
    full = lattices.constants(large.positions, large.cell, basis)
    made.force_constants = full[made.primitive.p2s_map]
    made.save(HERE / "phonopy_params.yaml", settings={"force_constants": True, "force_sets": False, "displacements": False})
    made.save(HERE / "without" / "phonopy.yaml", settings={"force_constants": False, "force_sets": False, "displacements": False})
    write_FORCE_CONSTANTS(full, filename=str(HERE / "beside" / "FORCE_CONSTANTS"))
    made.save(HERE / "beside" / "phonopy.yaml", settings={"force_constants": False, "force_sets": False, "displacements": False})
    made.run_qpoints([[0, 0, 0], [0.5, 0, 0], [0.5, 0.4, 0.2], [0.1, -0.3, 0.37]], with_eigenvectors=True)
    made.write_yaml_qpoints_phonon()
    made.run_band_structure([np.array([[0, 0, 0], [0.25, 0, 0], [0.5, 0, 0]])], with_eigenvectors=True)
    made.write_yaml_band_structure()
    made.force_constants = unstable(made, full)[made.primitive.p2s_map]
    made.save(HERE / "imaginary.yaml", settings={"force_constants": True, "force_sets": False, "displacements": False})


def unstable(made: phonopy.Phonopy, full: np.ndarray) -> np.ndarray:
    """The force constants with the lowest mode at q = (1/2, 0, 1/2) at -1.5 THz, all others as before: D - (w^2 - w'^2) v v^T."""
    made.run_qpoints([[0.5, 0, 0.5]], with_eigenvectors=True)
    found = made.qpoints
    large = made.supercell
    basis = np.repeat(np.arange(3), len(large) // 3)
    vector = (
        found.eigenvectors[0][:, 0].reshape(3, 3)[basis]
        * np.exp(2j * np.pi * large.positions @ np.linalg.inv(made.primitive.cell) @ [0.5, 0, 0.5])[:, None]
    )
    vector = np.real(vector * np.exp(-1j * np.angle(np.sum(vector**2)) / 2))  # q and -q are one, so that a phase makes it real
    vector /= np.linalg.norm(vector)
    mass = np.sqrt(made.supercell.masses)
    change = (found.frequencies[0, 0] ** 2 + 1.5**2) / made.unit_conversion_factor**2
    moved = mass[:, None] * vector
    return full - change * np.einsum("ax,by->abxy", moved, moved)


main()
