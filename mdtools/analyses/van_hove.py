"""Van Hove functions: how far each ion has moved, and where the others are, as exact counts."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.displacement import origin_frames
from mdtools.analyses.labels import common, even_interval, lag_frames, lag_times, species_pairs, window_starts
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.over_pairs import Moments, counted_pairs, within_half_cell
from mdtools.analyses.over_tiles import group_means, tile_means
from mdtools.analyses.sampled import stride_within
from mdtools.kernels.van_hove import displacement_counts, displacement_counts_by_axis, moment_terms
from mdtools.trajectory import Trajectory

__all__ = ["van_hove_distinct", "van_hove_self"]

PER_DECADE = 6
DISPLACEMENTS = 1e7  # that van_hove_self counts unless told: a second or two on one core
PAIRS = 5e8  # pairs that van_hove_distinct visits unless told: a few seconds on one core


@schema.recorded
def van_hove_self(
    traj: Trajectory,
    *,
    windows: int = 4,
    lags: Literal["log", "all"] | Sequence[float] = "log",
    r_max: float | None = None,
    bins: int = 400,
    origins: Literal["auto", "all", "first"] | int = "auto",
    displacement_budget: float = DISPLACEMENTS,
    by_axis: bool = False,
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Self part of the van Hove function: distribution of the distance an ion has moved.

    4 pi r^2 G_s(r, t) = < delta(r - |r_i(t0 + t) - r_i(t0)|) > over the ions i of a species and the time origins t0.

    windows : the run is cut into this many equal parts, each with its own estimate; frames left over are not used.
    lags : "log", "all", or times in ps, up to the length of a window.
    r_max : end of the last bin, angstrom; by default just beyond the largest displacement, so that the integral over r is 1.
    bins : number of bins.
    origins : "all", "first", every so many frames, or "auto": as many as keep the work within displacement_budget, evenly spaced; the
        stride that was taken is in the history.
    displacement_budget : how many displacements are counted at most where origins is "auto"; the default takes seconds.
    by_axis : add the distributions of the displacement along each Cartesian axis, with its sign.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the
        framework that the trajectory declares, else the barycentre.

    Returns `van_hove_self` (window, species, lag, r) in 1/angstrom; `van_hove_count`, the exact numbers of displacements it
    is made of; and (window, species, lag): `van_hove_beyond`, the fraction longer than r_max, `msd` and
    `non_gaussian_parameter`, from the displacements themselves and not from bins (the latter 0 where nothing moves).
    With by_axis also `van_hove_self_by_axis` (window, species, xyz, lag, displacement), whose integral is 1 and which is
    exp(-x^2 / 2 <x^2>) / sqrt(2 pi <x^2>) where motion is Gaussian.
    Displacements are those of the unwrapped path: nothing is folded back into the cell.
    Raises TrajectoryError, NotEnoughData, ValueError for lags that a window does not hold.
    Source: reference/science.md B4.

    >>> from mdtools import synthetic
    >>> moved = van_hove_self(synthetic.brownian(n_atoms=8, n_frames=200), windows=1, reference="none")
    >>> float((moved.van_hove_self.sum("r") * (moved.r[1] - moved.r[0])).min().round(9))
    1.0
    """
    _check(bins, r_max)
    length = window_length(traj, windows, who="van_hove_self")
    interval = even_interval(traj, who="van_hove_self")
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval, per_decade=PER_DECADE)
    work = float(traj.n_atoms) * windows * float(np.sum(length - frames))
    stride = stride_within(displacement_budget, work, length, name="displacement_budget")
    starts = origin_frames(stride if origins == "auto" else origins, length)
    shared: dict[str, Any] = {"groups": species_groups(traj), "reference": reference}
    sums, kept, taken = tile_means(moment_terms, traj, arguments=(frames, starts), options={"windows": windows}, **shared)
    second, fourth = np.moveaxis(sums["moments"], (2, 1), (0, 1))  # (moment, window, species, lag)
    # a little more than the largest, so that the last bin holds it; 1 where nothing moves
    edge = (float(kept["largest"].max()) * (1 + 1e-9) or 1.0) if r_max is None else float(r_max)
    shared |= {"windows": windows, "arguments": (frames, starts, np.float64(edge)), "options": {"bins": bins}, "weights": np.ones(traj.n_atoms)}
    numbers = windows * len(frames) * (bins + 1)
    counts, _ = group_means(displacement_counts, traj, numbers=numbers, **shared)
    each = counts.sum(axis=-1)
    square = np.where(second > 0, second, 1.0)
    dims = ("window", "species", "lag")
    out = {
        **common(traj),
        "van_hove_self": ((*dims, "r"), counts[..., :bins] / each[..., None] / (edge / bins)),
        "van_hove_count": ((*dims, "r"), counts[..., :bins].astype(np.int64)),
        "van_hove_beyond": (dims, counts[..., bins] / each),
        "msd": (dims, second),
        "non_gaussian_parameter": (dims, np.where(second > 0, 3 * fourth / (5 * square**2) - 1, 0.0)),
        "window": window_starts(traj, windows),
        "lag": lag_times(frames, interval),
        "r": _middles(edge, bins),
    }
    if by_axis:
        along, _ = group_means(displacement_counts_by_axis, traj, numbers=6 * numbers, **shared)
        density = along / each[:, :, None, :, None] / (edge / bins)
        out |= {"van_hove_self_by_axis": (("window", "species", "xyz", "lag", "displacement"), density)}
        out |= {"xyz": ["x", "y", "z"], "displacement": (np.arange(2 * bins) + 0.5) * (edge / bins) - edge}
    found = {"reference": taken, "r_max": edge, "frames_unused": traj.n_frames - windows * length}
    found |= {"origin_stride": stride} if origins == "auto" else {}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


@schema.recorded
def van_hove_distinct(
    traj: Trajectory,
    *,
    windows: int = 4,
    lags: Literal["log", "all"] | Sequence[float] = "log",
    r_max: float | None = None,
    bins: int = 100,
    origins: Literal["auto", "all", "first"] | int = "auto",
    pair_budget: float = PAIRS,
    ordered: bool = False,
    by_axis: bool = False,
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Distinct part of the van Hove function, G_d(r, t) / rho; at lag 0 it is g(r).

    G_d^st(r, t) / rho_t = < V sum_{i in s} sum_{j in t, j != i} delta(r - |r_j(t0 + t) - r_i(t0)|) > / (4 pi r^2 N_s N_t)

    with the exact volume of each shell. The nearest image is taken in the mean of the cells at the two times (at lag 0
    the cell itself), and V is its volume. An ideal gas has (N_t - delta_st) / N_t at all r and t, so 1 for unlike pairs;
    `compute rdf` of LAMMPS divides like pairs by N (N - 1) and is N / (N - 1) times this.

    windows : the run is cut into this many equal parts, each with its own estimate, whose scatter is the error of their mean
        (1 for a single frame); frames left over are not used.
    lags : "log", "all", or times in ps; [0] gives g(r), also of a single frame or of unevenly spaced ones.
    r_max : end of the last bin, angstrom: at most half the shortest face distance of the cell, which is the default.
    bins : number of bins.
    origins : "all", "first", every so many frames, or "auto": as many as keep the work within pair_budget, evenly spaced; the
        stride that was taken is in the history.
    pair_budget : how many pairs are visited at most where origins is "auto"; the default takes seconds.
    ordered : the pair "s-t" is s at t0 and t at t0 + t; else both orders are averaged, which time reversal makes equal.
    by_axis : add the distributions of the difference along each cell vector, of all pairs, with its sign.
    reference : species whose unweighted mean displacement is subtracted between the two times, "barycentre" or "none"; by
        default the framework that the trajectory declares, else the barycentre. It has no meaning at lag 0.

    Returns `van_hove_distinct` and the exact `van_hove_count` (window, pair, lag, r). What is counted are ordered pairs of
    ions: a like pair counts twice, and so does an unlike one unless `ordered`. With by_axis also
    `van_hove_distinct_by_axis` (window, pair, cell_axis, lag, fraction), 1 on the average over a cell for unlike pairs.
    A peak at r -> 0 at later times is an ion in the place that another has left: hopping along a chain, or by vacancies.
    Raises TrajectoryError, NotEnoughData, ValueError for lags that a window does not hold.
    Source: reference/science.md B4; nearest images: kernels/cell.py.

    >>> from mdtools import synthetic
    >>> gas = synthetic.brownian(n_atoms=40, n_frames=60, length=9.0)
    >>> float(van_hove_distinct(gas, lags=[0], bins=1).van_hove_distinct.sel(pair="A-B").mean().round(1))
    1.0
    """
    traj.need("scaled_positions", who="van_hove_distinct")
    _check(bins, r_max)
    static = not isinstance(lags, str) and not np.any(np.asarray(lags))
    length = window_length(traj, windows, who="van_hove_distinct", shortest=1 if static else 2)
    interval = 1.0 if static else even_interval(traj, who="van_hove_distinct at other lags than [0]")
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval, per_decade=PER_DECADE)
    work = float(traj.n_atoms) ** 2 * windows * float(np.sum(length - frames))
    stride = stride_within(pair_budget, work, length, name="pair_budget")
    starts = origin_frames(stride if origins == "auto" else origins, length)
    visits = Moments(windows, length, frames, starts)
    edge = within_half_cell(traj, visits, r_max)
    counted = counted_pairs(
        traj, visits, shape=(windows, len(frames)), r_max=edge, bins=bins, reference="none" if static else reference, by_axis=by_axis
    )
    n_origins = np.array([np.sum(starts + lag < length) for lag in frames])
    shells = 4 / 3 * np.pi * np.diff((np.arange(bins + 1) * edge / bins) ** 3)
    counts, weighted, norm, names = _by_pair(traj, counted.counts, counted.weighted, ordered)
    dims = ("window", "pair", "lag", "r")
    out = {
        **common(traj),
        "van_hove_distinct": (dims, weighted / (norm[:, None, None] * n_origins[:, None] * shells)),
        "van_hove_count": (dims, counts),
        "window": window_starts(traj, windows),
        "pair": names,
        "lag": lag_times(frames, interval),
        "r": _middles(edge, bins),
    }
    if counted.by_axis is not None:
        along = np.stack([_by_pair(traj, one, one, ordered, mirrored=True)[0] for one in counted.by_axis], axis=2)
        uniform = norm[:, None, None, None] * n_origins[:, None] / bins
        out |= {"van_hove_distinct_by_axis": (("window", "pair", "cell_axis", "lag", "fraction"), along / uniform)}
        out |= {"cell_axis": ["a", "b", "c"], "fraction": (np.arange(bins) + 0.5) / bins - 0.5}
    found = {"reference": counted.reference, "r_max": edge, "frames_unused": traj.n_frames - windows * length}
    found |= {"origin_stride": stride} if origins == "auto" else {}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


def _check(bins: int, r_max: float | None) -> None:
    if bins < 1:
        raise ValueError(f"bins={bins!r}; write a number of bins, at least 1")
    if r_max is not None and not 0 < r_max < np.inf:
        raise ValueError(f"r_max={r_max!r}; write a positive distance in angstrom, or leave it out")


def _middles(edge: float, bins: int) -> np.ndarray:
    return (np.arange(bins) + 0.5) * (edge / bins)


def _by_pair(
    traj: Trajectory, counts: np.ndarray, weighted: np.ndarray, ordered: bool, *, mirrored: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """(window, lag, s, t, r) -> (window, pair, lag, r), the number of ordered pairs of ions behind each, and its label.

    mirrored : r has a sign, which changes with the order of the pair.
    """
    sizes = np.array([len(traj.indices(name)) for name in traj.species_names])
    norm = np.outer(sizes, sizes).astype(np.float64)
    if ordered:
        first, second = (index.ravel() for index in np.indices(norm.shape))
        names = [f"{traj.species_names[s]}-{traj.species_names[t]}" for s, t in zip(first, second, strict=True)]
    else:
        first, second, names = species_pairs(traj)
        like = np.eye(len(sizes), dtype=bool)
        counts, weighted = (
            np.where(like[:, :, None], each, each + each.swapaxes(2, 3)[..., :: -1 if mirrored else 1]) for each in (counts, weighted)
        )
        norm = np.where(like, norm, 2 * norm)
    return np.moveaxis(counts[:, :, first, second], 2, 1), np.moveaxis(weighted[:, :, first, second], 2, 1), norm[first, second], names
