"""Pairs of ions by the difference of their grid points between two times: products of transformed densities, summed over time origins.

Where every frame is an origin, the products of all lags come from one transform over time, some planes of wave vectors at a time;
where only some are, product by product. Both give the same whole numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdtools import memory, progress
from mdtools.analyses.devices import block_bytes
from mdtools.kernels.density import correlated_products, density_planes, density_spectrum, difference_counts, spectrum_products
from mdtools.trajectory import Trajectory

__all__ = ["Grid", "fits_over_time", "summed"]

FRAMES = 16  # whose densities are transformed together


@dataclass(frozen=True)
class Grid:
    """Grid points of the ions of a trajectory in a frame of reference."""

    traj: Trajectory
    path: np.ndarray
    groups: np.ndarray
    shape: np.ndarray

    @property
    def n_groups(self) -> int:
        return int(self.groups.max()) + 1

    def points(self, frames: np.ndarray) -> np.ndarray:
        """(frame, atom, xyz) counted on over the cell faces."""
        s = np.asarray(self.traj.scaled_positions[frames]).astype(np.float64) - self.path[frames, None, :]
        return np.floor(s * self.shape).astype(np.int64)

    def density(self, frames: np.ndarray) -> np.ndarray:
        """Number of ions of each group at each grid point, (frame, group, x, y, z)."""
        point = self.points(frames) % self.shape
        owner = np.arange(len(frames))[:, None] * self.n_groups + self.groups
        place = owner * np.prod(self.shape) + np.ravel_multi_index(tuple(np.moveaxis(point, 2, 0)), tuple(self.shape))
        size = len(frames) * self.n_groups * int(np.prod(self.shape))
        return np.bincount(place.ravel(), minlength=size).astype(np.float64).reshape(len(frames), self.n_groups, *self.shape)


def summed(grid: Grid, begin: int, length: int, lags: np.ndarray, starts: np.ndarray, *, over_time: bool) -> Iterator[np.ndarray]:
    """Of one lag after the other the number of pairs (s, t, x, y, z) whose grid points differ by (x, y, z): i in s at an origin, j in t
    later, i = j among them.

    begin, length : of the window, in frames. over_time : all its frames are origins, and there is room for it.
    """
    totals = _over_time(grid, begin, length, lags) if over_time else _by_origin(grid, begin, length, lags, starts)
    size = (int(grid.shape[0]), int(grid.shape[1]), int(grid.shape[2]))
    for total in totals:
        with jax.enable_x64(True):
            counts = np.array(difference_counts(jnp.asarray(total), shape=size))
        yield counts


def fits_over_time(grid: Grid, length: int, n_lags: int) -> bool:
    """Whether memory holds a plane of wave vectors of every frame of a window."""
    return _planes(grid, length, n_lags) > 0


def _planes(grid: Grid, length: int, n_lags: int) -> int:
    """Planes of wave vectors at a time: their modes, as they are made and as they are transformed, and what comes of them."""
    n = grid.n_groups
    each = 16 * int(grid.shape[0] * grid.shape[1]) * (2 * n * length + 2 * n * n * n_lags)
    return min(memory.limit() // 2 // each, int(grid.shape[2]) // 2 + 1)


def _over_time(grid: Grid, begin: int, length: int, lags: np.ndarray) -> np.ndarray:
    n, (nx, ny, nz) = grid.n_groups, grid.shape.tolist()
    half, planes = nz // 2 + 1, _planes(grid, length, len(lags))
    planes = -(-half // -(-half // planes))
    together = int(np.clip(block_bytes() // (32 * n * nx * ny * nz), 1, min(FRAMES, length)))
    out = np.empty((len(lags), n, n, nx, ny, half), dtype=np.complex128)
    modes = np.empty((length, n, nx, ny, planes), dtype=np.complex128)
    with jax.enable_x64(True):
        for first in range(0, half, planes):
            k = jnp.minimum(jnp.arange(first, first + planes), half - 1)
            for at in range(0, length, together):
                some = np.minimum(np.arange(at, at + together), length - 1)
                modes[some] = np.asarray(density_planes(jnp.asarray(grid.density(begin + some)), k))
                done = first * length + min(at + together, length) * min(planes, half - first)
                progress.advance(done, half * length, "planes", n_bytes=24 * together * len(grid.groups))
            found = correlated_products(jnp.asarray(modes.reshape(length, n, -1)), jnp.asarray(lags), longest=int(lags[-1]))
            out[..., first : first + planes] = np.asarray(found).reshape(len(lags), n, n, nx, ny, planes)[..., : half - first]
    return out


def _by_origin(grid: Grid, begin: int, length: int, lags: np.ndarray, starts: np.ndarray) -> list[Any]:
    n, shape = grid.n_groups, grid.shape.tolist()
    number, visits = 0, int(np.sum(starts[:, None] + lags[None, :] < length))
    kept: dict[int, Any] = {}

    def spectrum(frame: int) -> Any:
        if frame not in kept:
            while len(kept) > 2:  # the latest
                kept.pop(next(iter(kept)))
            kept[frame] = density_spectrum(jnp.asarray(grid.density(np.array([begin + frame]))[0]))
        return kept[frame]

    with jax.enable_x64(True):
        totals = [jnp.zeros((n, n, *shape[:2], shape[2] // 2 + 1), jnp.complex128) for _ in lags]
        for start in starts.tolist():
            for k in np.flatnonzero(start + lags < length).tolist():
                first = spectrum(start)
                totals[k] = spectrum_products(totals[k], first, spectrum(start + int(lags[k])))
                number += 1
                progress.advance(number, visits, "pairs of frames", n_bytes=48 * len(grid.groups))
    return totals
