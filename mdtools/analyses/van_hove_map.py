"""Van Hove functions as maps in space: density on a grid, transformed, multiplied over time, transformed back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from mdtools import memory, progress, schema
from mdtools.analyses.displacement import origin_frames
from mdtools.analyses.folded import grid_shape, repeats
from mdtools.analyses.labels import common, even_interval, lag_frames, lag_times, window_starts
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.kernels.density import density_spectrum, difference_counts, spectrum_products
from mdtools.trajectory import Trajectory

__all__ = ["van_hove_map"]

POINTS = 5e8  # grid points that are transformed unless told: some tens of seconds on one core
ALONG = ("along_a", "along_b", "along_c")


@schema.recorded
def van_hove_map(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["log", "all"] | Sequence[float] = "log",
    spacing: float = 0.5,
    repeat: Sequence[int] = (1, 1, 1),
    origins: Literal["auto", "all", "first"] | int = "auto",
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Van Hove functions as maps along the cell vectors: how ions of a species have moved, and where the others are, in space.

    G_s(d, t) = < delta(d - [r_i(t0 + t) - r_i(t0)]) >, per volume; G_d^st(d, t) / rho_t = 1 without correlation, i of s at t0 and
    j != i of t at t0 + t: ordered pairs. d is the difference of grid points, so that what lies within a grid spacing of d counts.
    All pairs come from a product of transformed densities: the cost is that of the grid, not of the pairs.

    windows : the run is cut into this many equal parts, each with its own map; frames left over are not used.
    lags : "log", "all", or times in ps, up to the length of a window.
    spacing : largest distance between grid points, angstrom.
    repeat : how often the unit cell fits along each cell vector: the map reaches one unit cell to each side, or half the cell of the
        run where that is less. Differences are in vectors of the unit cell.
    origins : "all", "first", every so many frames, or "auto": as many as keep the work within 5e8 grid points, evenly spaced.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the framework that
        the trajectory declares, else the barycentre.

    Returns `van_hove_self_map` (window, species, lag, along_a, along_b, along_c) in 1/angstrom^3, of the unwrapped path: what has gone
    farther is not in the map; `van_hove_distinct_map` (window, pair, lag, along_a, along_b, along_c); `lattice` (cell_axis, xyz).
    Raises TrajectoryError, NotEnoughData, ValueError for lags that a window does not hold and grids that memory does not hold.
    Source: reference/science.md B4, reference/dynamics.md 5.

    >>> from mdtools import synthetic
    >>> gas = synthetic.brownian(n_atoms=40, n_frames=60, length=9.0)
    >>> float(van_hove_map(gas, lags=[0.1], spacing=3.0).van_hove_distinct_map.sel(pair="A-B").mean().round(1))
    1.0
    """
    who = "van_hove_map"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval, per_decade=3)
    n = repeats(repeat)
    unit = np.array(grid_shape(traj, n, spacing))
    shape = unit * n
    half = np.minimum(unit, (shape - 1) // 2)
    stride = _affordable_stride(traj, windows, length, frames, shape)
    starts = origin_frames(stride if origins == "auto" else origins, length)
    n_origins = np.array([np.sum(starts + lag < length) for lag in frames])
    groups = species_groups(traj)
    sizes = np.bincount(groups)
    _need_room(len(sizes), len(frames), shape)
    path, taken = replace(traj, unwrap="scaled").reference_path(reference)
    grids = _Grids(traj, path, groups, shape)
    alone, others = zip(*(_of_window(grids, k * length, length, frames, starts, half) for k in range(windows)), strict=True)
    voxel = traj.volume / np.prod(shape)
    each = n_origins[:, None, None, None]
    first, second = (index.ravel() for index in np.indices((len(sizes), len(sizes))))
    names = traj.species_names
    out: dict[str, Any] = {
        **common(traj),
        "van_hove_self_map": (("window", "species", "lag", *ALONG), np.stack(alone) / (sizes[:, None, None, None, None] * each * voxel)),
        "van_hove_distinct_map": (
            ("window", "pair", "lag", *ALONG),
            np.stack(others)[:, first, second] * np.prod(shape) / ((sizes[first] * sizes[second])[:, None, None, None, None] * each),
        ),
        "lattice": (("cell_axis", "xyz"), traj.mean_cell / n[:, None]),
        "window": window_starts(traj, windows),
        "pair": [f"{names[s]}-{names[t]}" for s, t in zip(first, second, strict=True)],
        "lag": lag_times(frames, interval),
        "cell_axis": ["a", "b", "c"],
        "xyz": ["x", "y", "z"],
        **{name: np.arange(-m, m + 1) / size for name, m, size in zip(ALONG, half, unit, strict=True)},
    }
    found = {"reference": taken, "grid": shape.tolist(), "frames_unused": traj.n_frames - windows * length}
    found |= {"origin_stride": stride} if origins == "auto" else {}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


class _Grids:
    """Grid points of the ions of a frame, and the transform of their density; the latest frames are kept."""

    def __init__(self, traj: Trajectory, path: np.ndarray, groups: np.ndarray, shape: np.ndarray) -> None:
        self.traj, self.path, self.groups, self.shape = traj, path, groups, shape
        self.n_groups = int(groups.max()) + 1
        self.kept: dict[int, tuple[np.ndarray, Any]] = {}

    def __call__(self, frame: int) -> tuple[np.ndarray, Any]:
        """(atom, xyz) grid points counted on over the cell faces, and the transform (group, x, y, half)."""
        if frame not in self.kept:
            s = np.asarray(self.traj.scaled_positions[frame]).astype(np.float64) - self.path[frame]
            point = np.floor(s * self.shape).astype(np.int64)
            place = np.ravel_multi_index(tuple((point % self.shape).T), tuple(self.shape)) + self.groups * np.prod(self.shape)
            counts = np.bincount(place, minlength=self.n_groups * np.prod(self.shape)).reshape(self.n_groups, *self.shape)
            self.kept = dict(list(self.kept.items())[-2:])
            self.kept[frame] = point, density_spectrum(jnp.asarray(counts, dtype=jnp.float64))
        return self.kept[frame]


def _of_window(grids: _Grids, begin: int, length: int, frames: np.ndarray, starts: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts of one window within the map: of each species with itself (s, lag, x, y, z), of pairs (s, t, lag, x, y, z) without those."""
    n, shape = grids.n_groups, grids.shape
    spectrum = (n, n, *shape[:2], shape[2] // 2 + 1)
    crop = np.ix_(*[np.arange(-m, m + 1) % size for m, size in zip(half, shape, strict=True)])
    alone = np.zeros((n, len(frames), *(2 * half + 1)), dtype=np.int64)
    others = np.zeros((n, n, len(frames), *(2 * half + 1)), dtype=np.int64)
    folded = np.zeros((len(frames), n, *shape), dtype=np.int64)
    with jax.enable_x64(True):
        totals = [jnp.zeros(spectrum, jnp.complex128) for _ in frames]
        for number, k, start in _by_origin(frames, starts, length):
            (point, first), (later, second) = grids(begin + start), grids(begin + start + int(frames[k]))
            totals[k] = spectrum_products(totals[k], first, second)
            moved = later - point
            inside = np.all(abs(moved) <= half, axis=1)
            np.add.at(alone[:, k], (grids.groups[inside], *(moved[inside] + half).T), 1)
            np.add.at(folded[k], (grids.groups, *(moved % shape).T), 1)
            progress.advance(number, int(np.sum(starts[:, None] + frames[None, :] < length)), "pairs of frames", n_bytes=48 * len(point))
        for k, total in enumerate(totals):
            counts = np.asarray(difference_counts(total, shape=(int(shape[0]), int(shape[1]), int(shape[2])))).copy()
            counts[np.arange(n), np.arange(n)] -= folded[k]
            others[:, :, k] = counts[(slice(None), slice(None), *crop)]
    return alone, others


def _by_origin(frames: np.ndarray, starts: np.ndarray, length: int) -> Iterator[tuple[int, int, int]]:
    """How many are done with this one, the number of the lag and the origin, all lags of an origin together."""
    number = 0
    for start in starts.tolist():
        for k in np.flatnonzero(start + frames < length).tolist():
            number += 1
            yield number, k, start


def _affordable_stride(traj: Trajectory, windows: int, length: int, frames: np.ndarray, shape: np.ndarray) -> int:
    points = float(np.prod(shape)) * len(traj.species_names) * windows * float(np.sum(length - frames))
    return min(max(1, int(np.ceil(points / POINTS))), length)


def _need_room(n_groups: int, n_lags: int, shape: np.ndarray) -> None:
    """Raises ValueError where the sums of all lags do not fit."""
    needed = 8.0 * np.prod(shape) * n_lags * n_groups * (n_groups + 2)
    if needed > memory.limit():
        raise ValueError(
            f"the sums of {n_lags} lags on {' x '.join(map(str, shape))} grid points take {memory.in_words(needed)}, and "
            f"{memory.in_words(memory.limit())} may be taken: pass fewer lags, a larger spacing, or more memory (--memory)"
        )
