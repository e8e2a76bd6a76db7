"""Van Hove functions as maps in space: density on a grid, transformed, multiplied over time, transformed back."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import memory, schema
from mdtools.analyses.displacement import origin_frames
from mdtools.analyses.folded import grid_shape, own_length, repeats
from mdtools.analyses.grid_pairs import Grid, fits_over_time, summed
from mdtools.analyses.labels import common, even_interval, lag_frames, lag_times, window_starts
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.sampled import stride_within
from mdtools.trajectory import Trajectory

__all__ = ["van_hove_map"]

POINTS = 5e8  # grid points that are transformed unless told: some tens of seconds on one core
SPACING = 0.5  # angstrom
MOVES = 2**20  # displacements that are counted together
ALONG = ("along_a", "along_b", "along_c")


@schema.recorded
def van_hove_map(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["log", "all"] | Sequence[float] = "log",
    spacing: float | None = None,
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
    spacing : largest distance between grid points, angstrom; by default 0.5 (of runs in lj units a fifth of (V/N)^(1/3)).
    repeat : how often the unit cell fits along each cell vector: the map reaches one unit cell to each side, or half the cell of the
        run where that is less. Differences are in vectors of the unit cell.
    origins : "all" (one transform over time for all lags, where memory holds it), "first", every so many frames, or "auto": all where
        that keeps the work within 5e8 grid points, else as many as do, evenly spaced.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the framework that
        the trajectory declares, else the barycentre.

    Returns `van_hove_self_map` (window, species, lag, along_a, along_b, along_c) in 1/angstrom^3, of the unwrapped path: what has gone
    farther is not in the map; `van_hove_distinct_map` (window, pair, lag, along_a, along_b, along_c); `lattice` (cell_axis, xyz).
    For VESTA: `mdtools van-hove-map FILE --out x.cube` (or CHGCAR), in Python `write_density`.
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
    unit = np.array(grid_shape(traj, n, own_length(traj, SPACING) if spacing is None else spacing))
    shape = unit * n
    half = np.minimum(unit, (shape - 1) // 2)
    groups = species_groups(traj)
    sizes = np.bincount(groups)
    _need_room(len(sizes), windows, len(frames), shape, half)
    path, taken = traj.as_scaled.reference_path(reference)
    grid = Grid(traj, path, groups, shape)
    room = fits_over_time(grid, length, len(frames))
    of_frame = float(np.prod(shape)) * len(sizes) * windows
    every_frame = room and of_frame * length <= POINTS  # one transform of each does
    stride = 1 if every_frame else stride_within(POINTS, of_frame * float(np.sum(length - frames)), length, name="points")
    starts = origin_frames(stride if origins == "auto" else origins, length)
    over_time = room and len(starts) == length
    n_origins = np.array([np.sum(starts + lag < length) for lag in frames])
    extent = tuple(2 * half + 1)
    first, second = (index.ravel() for index in np.indices((len(sizes), len(sizes))))
    alone = np.empty((windows, len(sizes), len(frames), *extent))
    others = np.empty((windows, len(first), len(frames), *extent))
    for k in range(windows):
        pairs = summed(grid, k * length, length, frames, starts, over_time=over_time)
        for number, (lag, here) in enumerate(zip(frames.tolist(), pairs, strict=True)):
            own, folded = _moved(grid, k * length + starts[starts + lag < length], lag, half)
            here[np.arange(len(sizes)), np.arange(len(sizes))] -= folded
            alone[k, :, number] = own
            others[k, :, number] = [one[_within(half, shape)] for one in here.reshape(-1, *shape)]
    each = n_origins[:, None, None, None]
    alone /= sizes[:, None, None, None, None] * each * (traj.volume / np.prod(shape))
    others /= (sizes[first] * sizes[second])[:, None, None, None, None] * each / np.prod(shape)
    names = traj.species_names
    out: dict[str, Any] = {
        **common(traj),
        "van_hove_self_map": (("window", "species", "lag", *ALONG), alone),
        "van_hove_distinct_map": (("window", "pair", "lag", *ALONG), others),
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


def _moved(grid: Grid, starts: np.ndarray, lag: int, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of displacements of ions of each group (group, x, y, z): within the map, of the unwrapped path; and all, folded into the cell."""
    extent, n = 2 * half + 1, grid.n_groups
    own = np.zeros(n * int(np.prod(extent)), dtype=np.int64)
    folded = np.zeros(n * int(np.prod(grid.shape)), dtype=np.int64)
    together = max(1, MOVES // len(grid.groups))
    for k in range(0, len(starts), together):
        some = starts[k : k + together]
        moved = (grid.points(some + lag) - grid.points(some)).reshape(-1, 3)
        group = np.tile(grid.groups, len(some))
        inside = np.all(abs(moved) <= half, axis=1)
        own += _counted(group[inside], moved[inside] + half, extent, len(own))
        folded += _counted(group, moved % grid.shape, grid.shape, len(folded))
    return own.reshape(n, *extent), folded.reshape(n, *grid.shape)


def _counted(group: np.ndarray, place: np.ndarray, extent: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(group * int(np.prod(extent)) + np.ravel_multi_index(tuple(place.T), tuple(extent)), minlength=size)


def _within(half: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, ...]:
    """Indices of the map among the differences 0 ... n - 1 along each cell vector."""
    return np.ix_(*[np.arange(-m, m + 1) % size for m, size in zip(half, shape, strict=True)])


def _room(n_groups: int, windows: int, n_lags: int, shape: np.ndarray, half: np.ndarray) -> float:
    """Bytes of the maps and of one window's transformed sums, of all lags, and of the sums of one lag while they are transformed back."""
    maps = 8.0 * np.prod(2 * half + 1.0) * windows * n_lags * n_groups * (n_groups + 1)
    points = 8.0 * np.prod(shape, dtype=float) * n_groups**2
    return maps + points * n_lags * (1 + 2 / shape[2]) + 4 * points


def _need_room(n_groups: int, windows: int, n_lags: int, shape: np.ndarray, half: np.ndarray) -> None:
    """Raises ValueError where maps and sums of all lags do not fit."""
    needed = _room(n_groups, windows, n_lags, shape, half)
    if needed > memory.limit():
        raise ValueError(
            f"the maps of {n_lags} lags on {' x '.join(map(str, shape))} grid points take {memory.in_words(needed)}, and "
            f"{memory.in_words(memory.limit())} may be taken: pass fewer lags or windows, a larger spacing, or more memory (--memory)"
        )
