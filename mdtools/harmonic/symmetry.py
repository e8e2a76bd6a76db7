"""Symmetry of a primitive cell: operations that map it on itself, and the star of a wave vector."""

import itertools
from dataclasses import dataclass

import numpy as np

from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.wave_vectors import nearest_commensurate

__all__ = ["Operation", "operations", "star"]

NEAR = 1e-3  # of lengths, and of positions in cell vectors, that are the same
REACH = 2  # cell vectors to which one may be mapped


@dataclass(frozen=True, eq=False)
class Operation:
    """x -> x @ whole + shift of positions in cell vectors.

    rotation : (3, 3) of Cartesian row vectors, v @ rotation. image : (basis,) the atom on which each atom comes.
    """

    whole: np.ndarray
    shift: np.ndarray
    rotation: np.ndarray
    image: np.ndarray

    def of_wave(self, q: np.ndarray) -> np.ndarray:
        """The wave vector that q becomes, in reciprocal vectors."""
        return np.asarray(q @ np.linalg.inv(self.whole).T)

    def of_vectors(self, vectors: np.ndarray, q: np.ndarray) -> np.ndarray:
        """What eigenvectors (mode, basis, xyz) of q become, those of `of_wave(q)`, with the phase of the atom's position."""
        out = np.empty_like(vectors)
        out[:, self.image] = vectors @ self.rotation
        return np.asarray(out * np.exp(-2j * np.pi * self.of_wave(q) @ self.shift))


def operations(crystal: Crystal) -> list[Operation]:
    """Every operation of the space group of a crystal, translations of the lattice apart; the identity first."""
    found = [one for whole in _of_lattice(crystal.cell) if (one := _of_crystal(crystal, whole)) is not None]
    return sorted(found, key=lambda one: not np.array_equal(one.whole, np.eye(3)))


def _of_lattice(cell: np.ndarray) -> list[np.ndarray]:
    """Whole-number matrices that keep lengths and angles of the cell."""
    metric = cell @ cell.T
    size = np.sqrt(np.diag(metric))
    whole = np.array(list(itertools.product(range(-REACH, REACH + 1), repeat=3)))
    length = np.sqrt(np.einsum("ni,ij,nj->n", whole, metric, whole))
    rows = [whole[np.abs(length - one) < NEAR * one] for one in size]
    out = []
    for a, b in itertools.product(rows[0], rows[1]):
        if abs(a @ metric @ b - metric[0, 1]) < NEAR * size[0] * size[1]:
            for c in rows[2]:
                made = np.stack([a, b, c])
                if np.all(np.abs(made @ metric @ made.T - metric) < NEAR * np.outer(size, size)):
                    out.append(made.astype(np.float64))
    return out


def _of_crystal(crystal: Crystal, whole: np.ndarray) -> Operation | None:
    """The operation with this matrix, where a shift puts every atom on one of its kind."""
    turned, kinds = crystal.scaled @ whole, np.array(crystal.symbols)
    rarest = min(sorted(set(crystal.symbols)), key=crystal.symbols.count)
    first = crystal.symbols.index(rarest)
    for target in np.flatnonzero(kinds == rarest):
        shift = crystal.scaled[target] - turned[first]
        apart = turned[:, None] + shift - crystal.scaled[None]
        on = np.all(np.abs(apart - np.rint(apart)) < NEAR, axis=-1) & (kinds[:, None] == kinds[None])
        if np.all(on.sum(axis=1) == 1):
            rotation = np.linalg.inv(crystal.cell) @ whole @ crystal.cell
            return Operation(whole, shift, rotation, on.argmax(axis=1))
    return None


def star(q: np.ndarray, crystal: Crystal, matrix: np.ndarray) -> list[tuple[np.ndarray, Operation]]:
    """Wave vectors of the supercell `matrix` that are q by symmetry, one of each pair q and -q, each with an operation that makes it; q first.

    >>> sc = Crystal(np.eye(3), np.zeros((1, 3)), ("X",))
    >>> len(star(np.array([0.5, 0.0, 0.0]), sc, np.diag([2, 2, 2]))), len(star(np.array([0.5, 0.0, 0.0]), sc, np.diag([2, 2, 1])))
    (3, 2)
    """
    out: list[tuple[np.ndarray, Operation]] = []
    for one in operations(crystal):
        other = one.of_wave(q)
        near = nearest_commensurate(other, matrix)
        known = any(_same(near, seen) or _same(near, -seen) for seen, _ in out)
        if np.abs(near - other).max() < 1e-6 and not known:
            out.append((near, one))
    return out


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two wave vectors differ by a reciprocal vector."""
    apart = first - second
    return bool(np.abs(apart - np.rint(apart)).max() < 1e-6)
