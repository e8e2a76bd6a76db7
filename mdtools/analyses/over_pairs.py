"""Visit two moments at a time, in blocks of one shape, and count pairs of ions by distance."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdtools import memory, progress
from mdtools.analyses.over_atoms import species_groups
from mdtools.errors import TrajectoryError
from mdtools.kernels.cell import face_distances
from mdtools.kernels.van_hove import pair_counts
from mdtools.trajectory import Trajectory

__all__ = ["counted_pairs", "moments_visited", "within_half_cell"]

BLOCK = 16  # visits that are sent to the device together, memory permitting


def moments_visited(windows: int, length: int, frames: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Rows (window, number of the lag, first frame, later frame), for every time origin that has the lag."""
    rows = []
    for window in range(windows):
        for number, lag in enumerate(frames):
            first = window * length + starts[starts + lag < length]
            rows.append(np.stack([np.full_like(first, window), np.full_like(first, number), first, first + lag], axis=1))
    return np.concatenate(rows)


def within_half_cell(traj: Trajectory, visits: np.ndarray, r_max: float | None) -> float:
    """r_max, by default half the shortest face distance among the cells of the visits. Raises TrajectoryError beyond that."""
    with jax.enable_x64(True):
        half = min(float(np.min(face_distances(jnp.asarray(_cell(traj, visits[k : k + 4096]))))) for k in range(0, len(visits), 4096)) / 2
    if r_max is not None and not 0 < r_max <= half * (1 + 1e-12):
        raise TrajectoryError(
            f"{traj.source}: r_max={r_max:g} angstrom, but nearest images are unique only up to half the shortest face distance "
            f"of the cell: pass a positive r_max up to {np.floor(half * 1e4) / 1e4:g}"
        )
    return half if r_max is None else float(r_max)


def counted_pairs(
    traj: Trajectory, visits: np.ndarray, *, shape: tuple[int, int], r_max: float, bins: int, reference: Sequence[str] | str | None
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Counts of pairs (window, lag, s, t, r), the same times the volume of the cell, and the reference that was taken.

    shape : (number of windows, number of lags). The counts are int64; their sum over the device never leaves integers.
    """
    groups = species_groups(traj)
    n_groups = int(groups.max()) + 1
    # where the others are is a matter of the cell, not of how paths are unwrapped
    path, taken = replace(traj, unwrap="scaled").reference_path(reference)
    counts = np.zeros((*shape, n_groups, n_groups, bins), dtype=np.int64)
    weighted = np.zeros(counts.shape)
    with jax.enable_x64(True):
        for number, (rows, cell, first, later) in enumerate(_blocks(traj, visits, path, bins * n_groups**2)):
            part = np.asarray(pair_counts(first, later, cell, groups, np.float64(r_max), n_groups=n_groups, bins=bins))[: len(rows)]
            where = (rows[:, 0], rows[:, 1])
            np.add.at(counts, where, part)
            np.add.at(weighted, where, part * np.abs(np.linalg.det(cell[: len(rows)]))[:, None, None, None])
            progress.advance(min((number + 1) * len(first), len(visits)), len(visits), "pairs of frames", n_bytes=2 * first.nbytes)
    return counts, weighted, taken


def _cell(traj: Trajectory, rows: np.ndarray) -> np.ndarray:
    """Mean of the cells at the two moments: the cell itself at lag 0, and the same whichever moment comes first."""
    return (np.asarray(traj.cell, dtype=np.float64)[rows[:, 2]] + traj.cell[rows[:, 3]]) / 2


def _blocks(traj: Trajectory, visits: np.ndarray, path: np.ndarray, n_counts: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Rows of a block of visits, and its cells and scaled positions at both moments in the frame of reference."""
    size = int(np.clip(memory.block() // (8 * (12 * traj.n_atoms + 4 * n_counts)), 1, min(BLOCK, len(visits))))

    def positions(frames: np.ndarray) -> np.ndarray:
        stored = traj.scaled_positions
        return np.asarray(stored[frames]).astype(np.float64) - path[frames, None, :]

    for k in range(0, len(visits), size):
        rows = visits[k : k + size]
        padded = np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])
        yield rows, _cell(traj, padded), positions(padded[:, 2]), positions(padded[:, 3])
