"""Frequencies and eigenvectors of a harmonic crystal at a wave vector.

Convention of phase, phonopy's ("D-type"): the displacement of atom j in cell l is e_j exp(i q . r_lj) / sqrt(m_j), with the
position r_lj of the atom and not of its cell. Frequencies are in THz, negative where the square is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.wave_vectors import is_half_reciprocal
from mdtools.units import KINETIC_TO_EV

__all__ = ["HarmonicCrystal", "ModesAt", "degenerate_sets", "of_matrix", "with_real_coordinates"]

SAME = 1e-3  # THz within which two bands count as one degenerate set


@dataclass(frozen=True, eq=False)
class ModesAt:
    """Modes of one wave vector: frequency (band,) in THz, vectors (band, basis, xyz) complex, orthonormal."""

    frequency: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True, eq=False)
class HarmonicCrystal:
    """A primitive cell with its modes: at(q) raises TrajectoryError where its source does not hold them, which knows(q) tells."""

    crystal: Crystal
    at: Callable[[np.ndarray], ModesAt]
    knows: Callable[[np.ndarray], bool] = lambda q: True


def of_matrix(matrix: np.ndarray, q: np.ndarray, scaled: np.ndarray) -> ModesAt:
    """Modes of a dynamical matrix (3 basis, 3 basis) in eV/(angstrom^2 amu), in the convention above; real where they can be."""
    half = is_half_reciprocal(q)
    turn = np.repeat(np.exp(2j * np.pi * scaled @ q), 3)  # from phases of the atoms to phases of the cells, where q = -q is real
    square, vectors = np.linalg.eigh(np.real(turn[:, None] * matrix * turn.conj()[None]) if half else matrix)
    vectors = vectors.astype(complex)
    if half:
        vectors = turn.conj()[:, None] * vectors
    root = np.sqrt(np.abs(square) / KINETIC_TO_EV) / (2 * np.pi)
    return ModesAt(np.where(square < 0, -root, root), vectors.T.reshape(len(square), -1, 3))


def with_real_coordinates(modes: ModesAt, q: np.ndarray, scaled: np.ndarray) -> ModesAt:
    """The same modes, at q = -q mixed within each degenerate set and turned in phase so that their coordinates are real."""
    if not is_half_reciprocal(q):
        return modes
    turn = np.exp(2j * np.pi * scaled @ q)[:, None]
    flat = (modes.vectors * turn).reshape(len(modes.frequency), -1)
    out = flat.astype(complex)
    sets = degenerate_sets(modes.frequency)
    for number in range(sets.max() + 1):
        members = np.flatnonzero(sets == number)
        # the span of a set is closed under conjugation, so that its projector is real
        projector = np.real(np.einsum("bi,bj->ij", flat[members], flat[members].conj()))
        out[members] = np.linalg.eigh(projector)[1][:, -len(members) :].T
    return ModesAt(modes.frequency, out.reshape(modes.vectors.shape) * turn.conj())


def degenerate_sets(frequency: np.ndarray) -> np.ndarray:
    """Number of the degenerate set of each band, of bands in ascending order.

    >>> degenerate_sets(np.array([0.0, 1.0, 1.0, 2.0])).tolist()
    [0, 1, 1, 2]
    """
    return np.concatenate([[0], np.cumsum(np.diff(frequency) > SAME)]).astype(int)
