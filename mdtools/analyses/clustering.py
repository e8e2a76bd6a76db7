"""How the ions of a species moved through a run: which, whether those sit together, whether neighbours went together, and along which axes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mdtools.trajectory import Trajectory

__all__ = ["Moved", "moved_together"]

PART = 8  # of the run: means over its first and its last eighth are compared
SAMPLED = 48  # frames of such a part, at most
NEAR = 1.5  # neighbour distances up to which ions are neighbours
SHUFFLES = 99
MOST = 4000  # ions of a species, of which pairs are made; more are thinned


class Moved(NamedTuple):
    """By species: share of the ions whose mean place moved by more than half the neighbour distance; Moran's I of having moved, in standard
    deviations of shuffled ions (0 where all or none moved); correlation of the displacements of neighbours; mean dr_a dr_b (xyz, xyz)."""

    share: np.ndarray
    together: np.ndarray
    alike: np.ndarray
    tensor: np.ndarray


def moved_together(traj: Trajectory, distance: np.ndarray, reference: Sequence[str] | str | None, *, seed: int = 0) -> Moved:
    """From mean places over the first and the last eighth of the run, for each species with its neighbour distance.

    I = N / W sum_ij w_ij (f_i - f)(f_j - f) / sum_i (f_i - f)^2, w_ij = 1 of neighbours; alike = sum_ij w_ij dr_i . dr_j / W / <dr^2>: near 1
    where matter flows or creeps, small where ions move each for itself. Source: P. A. P. Moran, Biometrika 37, 17 (1950).
    """
    first, last = _mean_places(traj, reference)
    random = np.random.default_rng(seed)
    n = len(traj.species_names)
    out = Moved(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, 3, 3)))
    for k, name in enumerate(traj.species_names):
        atoms = traj.indices(name)
        atoms = atoms[:: max(1, -(-len(atoms) // MOST))]
        step = (last[atoms] - first[atoms]) @ traj.mean_cell
        moved = np.linalg.norm(step, axis=1) > distance[k] / 2
        pairs = _neighbours(first[atoms], traj.mean_cell, NEAR * distance[k])
        out.share[k], out.together[k] = moved.mean(), _moran(moved.astype(float), pairs, random)
        out.tensor[k] = step.T @ step / len(step)
        square = float(np.trace(out.tensor[k]))
        if len(pairs[0]) and square > 0:
            out.alike[k] = np.mean(np.sum(step[pairs[0]] * step[pairs[1]], axis=1)) / square
    return out


def _mean_places(traj: Trajectory, reference: Sequence[str] | str | None) -> list[np.ndarray]:
    """Mean scaled position of each atom over the first and over the last part of the run, in the frame of reference."""
    path, _ = traj.as_scaled.reference_path(reference)
    length = max(1, traj.n_frames // PART)
    out = []
    for begin in (0, traj.n_frames - length):
        frames = begin + np.unique(np.linspace(0, length - 1, min(SAMPLED, length)).astype(int))
        out.append(np.mean([np.asarray(traj.scaled_positions[int(k)], dtype=np.float64) - path[k] for k in frames], axis=0))
    return out


def _neighbours(places: np.ndarray, cell: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (i, j), both ways, that are no farther apart than `reach`."""
    pairs = []
    for first in range(0, len(places), 256):
        apart = places[first : first + 256, None] - places[None]
        near = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=-1) < reach
        i, j = np.nonzero(near)
        pairs.append(np.stack([i + first, j])[:, i + first != j])
    i, j = np.concatenate(pairs, axis=1)
    return i, j


def _moran(flags: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], random: np.random.Generator) -> float:
    centred = flags - flags.mean()
    if not np.any(centred) or len(pairs[0]) == 0:
        return 0.0
    value = np.sum(centred[pairs[0]] * centred[pairs[1]])
    shuffled = [(one := random.permutation(centred))[pairs[0]] @ one[pairs[1]] for _ in range(SHUFFLES)]
    return float((value - np.mean(shuffled)) / max(np.std(shuffled), 1e-12))
