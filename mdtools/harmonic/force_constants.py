"""Dynamical matrix at any wave vector from force constants in real space, by the shortest images of each pair."""

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.modes import ModesAt, of_matrix

__all__ = ["ForceConstants", "sites_of"]

_IMAGES = np.array(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij")).reshape(3, -1).T


class ForceConstants:
    """Force constants between the atoms of the primitive cell and those of a supercell.

    constants : (basis, atom of the supercell, 3, 3) eV/angstrom^2. origin : (basis,) the atom of the supercell that each atom
    of the primitive cell is. At wave vectors of that supercell the dynamical matrix is exact; between them the pair counts by
    the mean over its shortest images, as in phonopy. No non-analytical term is added.
    """

    def __init__(self, crystal: Crystal, cell: np.ndarray, scaled: np.ndarray, constants: np.ndarray, origin: np.ndarray):
        if crystal.masses is None:
            raise TrajectoryError(f"{crystal.source} has no masses, which modes need")
        self.crystal = crystal
        self.basis = sites_of(scaled @ cell, crystal)
        root = np.sqrt(crystal.masses)
        self.matrix = constants / (root[:, None] * root[self.basis][None])[..., None, None]
        self._shortest(cell, scaled, origin)

    def _shortest(self, cell: np.ndarray, scaled: np.ndarray, origin: np.ndarray) -> None:
        apart = scaled[None] - scaled[origin][:, None]
        apart = (apart - np.rint(apart))[:, :, None] + _IMAGES
        distance = np.linalg.norm(apart @ cell, axis=-1)
        self.shortest = distance < distance.min(axis=-1, keepdims=True) + 1e-4
        self.vectors = apart @ cell @ np.linalg.inv(self.crystal.cell)

    def at(self, q: np.ndarray) -> ModesAt:
        """Modes at a wave vector in units of the reciprocal vectors of the primitive cell."""
        phase = np.sum(np.exp(2j * np.pi * self.vectors @ q) * self.shortest, axis=-1) / self.shortest.sum(axis=-1)
        n = len(self.crystal.scaled)
        matrix = np.zeros((n, n, 3, 3), dtype=complex)
        for j in range(n):
            there = self.basis == j
            matrix[:, j] = np.einsum("ka,kaxy->kxy", phase[:, there], self.matrix[:, there])
        flat = matrix.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)
        return of_matrix((flat + flat.conj().T) / 2, q, self.crystal.scaled)


def sites_of(positions: np.ndarray, crystal: Crystal) -> np.ndarray:
    """Which atom of the primitive cell each perfect position (angstrom) is a copy of. Raises TrajectoryError where none is."""
    scaled = positions @ np.linalg.inv(crystal.cell)
    apart = scaled[:, None] - crystal.scaled[None]
    distance = np.linalg.norm((apart - np.rint(apart)) @ crystal.cell, axis=-1)
    if distance.min(axis=1).max() > 0.05:
        raise TrajectoryError(
            f"{crystal.source}: the supercell is not made of the primitive cell: an atom is {distance.min(axis=1).max():.2g} angstrom off"
        )
    return np.asarray(np.argmin(distance, axis=1))
