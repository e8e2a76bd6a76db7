"""Visit two moments at a time, in tiles of one shape, and count pairs of ions by distance.

A tile is some origins of all pairs of a small system, or some rows of one origin of a large one: its slots stay in the cache of a
processor core, and memory is bounded by it. Tiles go to all places (`devices`), and the moments to all processes.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdtools import progress, shares
from mdtools.analyses.devices import block_bytes, evenly, in_turn, platform
from mdtools.analyses.over_atoms import species_groups
from mdtools.errors import TrajectoryError
from mdtools.kernels.cell import face_distances
from mdtools.kernels.van_hove import pair_counts, pair_counts_by_axis
from mdtools.trajectory import Trajectory

__all__ = ["Counted", "Moments", "counted_pairs", "within_half_cell"]

TILE = 2**20  # pairs of a tile on a CPU: their slots are 2 or 4 MB
DEVICE_TILE = 2**24  # on an accelerator, where calls cost more than memory
ORIGINS = 16  # of a tile at most: each keeps counts of its own, because the cell may change
PARTS = 8  # of the ions, whose rows make a tile of a moment with itself: with the half of all ions that lies ahead of each row
PART_ORIGINS = 64  # of such a tile at most


@dataclass(frozen=True)
class Counted:
    """Pairs (window, lag, s, t, r) int64, the same times the volume of the cell, along the cell vectors (axis, window, lag, s, t,
    fraction) or None, and the reference that was taken."""

    counts: np.ndarray
    weighted: np.ndarray
    by_axis: np.ndarray | None
    reference: Any


class Moments:
    """Rows (window, number of the lag, first frame, later frame), for every time origin that has the lag, made when they are asked for:
    there are as many as lags times origins.

    >>> Moments(2, 3, np.array([0, 1]), np.array([0, 1, 2]))[4:7].tolist()
    [[0, 1, 1, 2], [1, 0, 3, 3], [1, 0, 4, 4]]
    """

    def __init__(self, windows: int, length: int, frames: np.ndarray, starts: np.ndarray, numbers: np.ndarray | None = None) -> None:
        self.windows, self.length, self.frames, self.starts = windows, length, frames, starts
        self.numbers = np.arange(len(frames)) if numbers is None else numbers
        self.ends = np.cumsum(np.searchsorted(starts, length - frames))  # origins ascend, and the first so many have the lag

    def __len__(self) -> int:
        return self.windows * int(self.ends[-1])

    def __getitem__(self, part: slice) -> np.ndarray:
        window, within = np.divmod(np.arange(*part.indices(len(self))), self.ends[-1])
        number = np.searchsorted(self.ends, within, side="right")
        first = window * self.length + self.starts[within - np.concatenate([[0], self.ends])[number]]
        return np.stack([window, self.numbers[number], first, first + self.frames[number]], axis=1)

    def at(self, wanted: np.ndarray) -> "Moments":
        """Those of some of the lags, (lag,) True or False, which keep their numbers."""
        return Moments(self.windows, self.length, self.frames[wanted], self.starts, self.numbers[wanted])


def within_half_cell(traj: Trajectory, visits: Moments, r_max: float | None) -> float:
    """r_max, by default half the shortest face distance among the cells of the visits. Raises TrajectoryError beyond that."""
    number = 1 if traj.fixed_cell else len(visits)
    with jax.enable_x64(True):
        half = min(float(np.min(face_distances(jnp.asarray(_cell(traj, visits[k : k + 4096]))))) for k in range(0, number, 4096)) / 2
    if r_max is not None and not 0 < r_max <= half * (1 + 1e-12):
        raise TrajectoryError(
            f"{traj.source}: r_max={r_max:g} angstrom, but nearest images are unique only up to half the shortest face distance "
            f"of the cell: pass a positive r_max up to {np.floor(half * 1e4) / 1e4:g}"
        )
    return half if r_max is None else float(r_max)


def counted_pairs(
    traj: Trajectory,
    visits: Moments,
    *,
    shape: tuple[int, int],
    r_max: float,
    bins: int,
    reference: Sequence[str] | str | None,
    by_axis: bool = False,
) -> Counted:
    """Every pair of the visits by distance, and with by_axis along the cell vectors.

    shape : (number of windows, number of lags). Counts never leave integers.
    """
    groups = species_groups(traj)
    n_groups = int(groups.max()) + 1
    # where the others are is a matter of the cell, not of how paths are unwrapped
    path, taken = traj.as_scaled.reference_path(reference)
    counts = np.zeros((*shape, n_groups, n_groups, bins), dtype=np.int64)
    weighted = np.zeros(counts.shape)
    along = np.zeros((3, *counts.shape), dtype=np.int64) if by_axis else None
    done = 0
    same = visits.frames == 0
    once = platform() == "cpu" and not by_axis  # an accelerator is faster with large tiles
    parts = [visits.at(some) for some in (same, ~same) if np.any(some)] if once else [visits]
    tiles = itertools.chain.from_iterable(_tiles(traj, part, path, groups, ring=once and not np.any(part.frames)) for part in parts)
    for tile, found in in_turn(tiles, lambda tile: tile.count(r_max, n_groups, bins, by_axis)):
        volume = np.abs(np.linalg.det(tile.cell))
        for k, (window, lag) in enumerate(tile.rows[:, :2].tolist()):
            counts[window, lag] += found[0][k]
            weighted[window, lag] += found[0][k] * volume[k]
            if along is not None:
                along[:, window, lag] += np.stack([part[k] for part in found[1:]])
        if tile.is_last:
            done += len(tile.rows)
            progress.advance(done, len(visits), "pairs of frames", n_bytes=48 * len(tile.rows) * traj.n_atoms)
    return Counted(shares.summed(counts), shares.summed(weighted), None if along is None else shares.summed(along), taken)


@dataclass(frozen=True)
class _Tile:
    """Scaled positions of some ions at the first moments and of all ions at the later ones."""

    rows: np.ndarray  # of the visits
    cell: np.ndarray
    is_last: bool  # of the tiles of these visits
    first: np.ndarray
    later: np.ndarray
    ions: tuple[np.ndarray, np.ndarray]
    groups: tuple[np.ndarray, np.ndarray]
    ring: int  # of ions, where the moments are the same and the tiles hold each pair in one order; else 0

    def count(self, r_max: float, n_groups: int, bins: int, by_axis: bool) -> list[np.ndarray]:
        """In 64-bit JAX."""
        shared: dict[str, Any] = {"n_groups": n_groups, "bins": bins}
        first, later = jnp.asarray(self.first), jnp.asarray(self.later)
        ions, groups = ((jnp.asarray(row), jnp.asarray(column)) for row, column in (self.ions, self.groups))
        found = [pair_counts(first, later, jnp.asarray(self.cell), ions, groups, jnp.asarray(r_max), **shared, ring=self.ring)]
        if self.ring:
            found = [found[0] + jnp.swapaxes(found[0], 1, 2)]
        if by_axis:
            found += [pair_counts_by_axis(first, later, ions, groups, axis=axis, **shared) for axis in range(3)]
        return [np.asarray(one) for one in found]


def _tiles(traj: Trajectory, visits: Moments, path: np.ndarray, groups: np.ndarray, *, ring: bool) -> Iterator[_Tile]:
    """Tiles of one shape, of this process's moments; what fills the last ones are moments that are not in `rows`, and ions with the number -1.

    ring : the moments are the same; a row meets only the ions that lie ahead of it by up to half of them, the first following the last.
    """
    n = traj.n_atoms
    pairs = int(min(DEVICE_TILE if platform() != "cpu" else TILE, block_bytes() // 16))
    height, width = (-(-n // PARTS), min(n, n // 2 + -(-n // PARTS))) if ring else (n, n)
    start, stop = shares.mine(len(visits))
    origins = int(np.clip(pairs // (height * width), 1, min(PART_ORIGINS if ring else ORIGINS, len(visits))))
    origins = evenly(max(1, stop - start), origins) if ring else origins  # else one shape for all lags, and compilations are few
    height = evenly(height, pairs // width) if origins == 1 else height
    groups = groups.astype(np.int32)

    def positions(frames: np.ndarray) -> np.ndarray:
        return np.asarray(traj.scaled_positions[frames]).astype(np.float64) - path[frames, None, :]

    for k in range(start, stop, origins):
        rows = visits[k : min(k + origins, stop)]
        filled = np.concatenate([rows, np.repeat(rows[-1:], origins - len(rows), axis=0)])
        cell, first = _cell(traj, filled), positions(filled[:, 2])
        later = first if ring else positions(filled[:, 3])
        for top in range(0, n, height):
            number = np.arange(top, top + height, dtype=np.int32)
            some = np.minimum(number, n - 1)
            row = np.where(number < n, number, -1).astype(np.int32)
            column = (np.arange(width, dtype=np.int32) + (top if ring else 0)) % n
            ions, shared = (row, column), (groups[some], groups[column])
            yield _Tile(rows, cell, top + height >= n, first[:, some], later[:, column] if ring else later, ions, shared, n if ring else 0)


def _cell(traj: Trajectory, rows: np.ndarray) -> np.ndarray:
    """Mean of the cells at the two moments: the cell itself at lag 0, and the same whichever moment comes first."""
    return (np.asarray(traj.cell, dtype=np.float64)[rows[:, 2]] + traj.cell[rows[:, 3]]) / 2
