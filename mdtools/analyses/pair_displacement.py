"""Where the Haven ratio comes from: which pairs of ions, how far apart, move together."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import progress, schema
from mdtools.analyses.charges import change_with_time, checked_charges
from mdtools.analyses.devices import block_bytes
from mdtools.analyses.displacement import origin_frames
from mdtools.analyses.labels import common, even_interval, lag_frames, lag_times, species_pairs, window_starts
from mdtools.analyses.over_atoms import frame_of, species_groups, window_length
from mdtools.analyses.over_pairs import Moments, within_half_cell
from mdtools.analyses.sampled import stride_within
from mdtools.errors import TrajectoryError
from mdtools.kernels.pair_displacement import displacement_by_distance
from mdtools.trajectory import Trajectory

__all__ = ["charge_displacement_by_distance"]

PER_DECADE = 6
PAIRS = 2e8  # pairs that are visited unless told: four seconds on one core
TILE = {"cpu": 128}  # atoms along an edge of a tile: what stays in the cache of a core; accelerators are slow with small pieces
WIDE = 1024
BLOCK = 16  # visits that are sent to the device together, memory permitting


@schema.recorded
def charge_displacement_by_distance(
    traj: Trajectory,
    *,
    windows: int = 2,
    lags: Literal["log", "all"] | Sequence[float] = "log",
    r_max: float | None = None,
    bins: int = 50,
    origins: Literal["auto", "all", "first"] | int = "auto",
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """The distinct part of the charge displacement, resolved by the distance at which a pair of ions starts.

    D_st(r, t) = < sum_{i in s, j in t, i != j} q_i dr_i . q_j dr_j > over the pairs whose distance at t0 lies in the bin of r,
    dr_i = r_i(t0 + t) - r_i(t0), over the time origins t0 of a window; unlike pairs counted in both orders. Summed over r, with what
    lies beyond r_max and the self part sum_i q_i^2 |dr_i|^2 it is the squared displacement of the dipole, of the same origins:
    1 / H_R - 1 = (sum over r of the distinct part) / (self part), so that a bin is its share of the Haven ratio.
    Positive: the pair carries charge together (like ions that follow each other); negative: it stands in its own way (an ion
    that jumps back into the vacancy; unlike ions moving as a neutral pair).

    windows : equal parts of the run, each with its own estimate. lags : "log", "all", or times in ps.
    r_max : end of the last bin, angstrom: at most half the shortest face distance of the cell, which is the default.
    bins : number of bins. origins : "all", "first", every so many frames, or "auto": as many as keep the work within 2e8 pairs.
    reference : as in `charge_displacement_msd`. Distances are those of nearest images in the cell at t0, displacements those of
        unwrapped paths. Charges are one per atom, or Born tensors.

    Returns, in e^2 angstrom^2, `charge_displacement_by_distance` (window, pair, lag, r), `charge_displacement_beyond` (window, pair,
    lag), `charge_displacement_msd_self` (window, species, lag), `charge_displacement_msd` (window, lag); and the mean number of
    ordered pairs of a bin, `pairs_by_distance` (window, pair, lag, r): the ratio is what one pair adds.
    Raises TrajectoryError (no charges, not neutral, uneven frames, r_max beyond half the cell), NotEnoughData, ValueError for lags
    that a window does not hold. Source: reference/science.md B3 (distinct part), E6.

    >>> from mdtools import synthetic
    >>> block = synthetic.grouped_walkers(group=4, n_atoms=16, n_frames=200)
    >>> out = charge_displacement_by_distance(block, lags=[1.0], origins="all", reference="none").isel(window=0, lag=0)
    >>> parts = out.charge_displacement_by_distance.sum() + out.charge_displacement_beyond.sum() + out.charge_displacement_msd_self.sum()
    >>> bool(abs(parts / out.charge_displacement_msd - 1) < 1e-9)
    True
    """
    who = "charge_displacement_by_distance"
    traj.need("scaled_positions", "charges", who=who)
    if change_with_time(traj):
        raise TrajectoryError(f"{who}: the charges of {traj.source} change with time; pass one charge per atom with charges=")
    if bins < 1:
        raise ValueError(f"bins={bins!r}; write a number of bins, at least 1")
    told = checked_charges(traj, reference, who=who)
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval, per_decade=PER_DECADE)
    frames = frames[frames > 0] if np.any(frames > 0) else frames
    work = float(traj.n_atoms) ** 2 / 2 * windows * float(np.sum(length - frames))
    stride = stride_within(PAIRS, work, length, name="pairs")
    starts = origin_frames(stride if origins == "auto" else origins, length)
    visits = Moments(windows, length, frames, starts)
    edge = within_half_cell(traj, visits, r_max)
    sums, counts, alone, whole, taken = _summed(traj, visits, (windows, len(frames)), edge, bins, reference)
    n_origins = np.array([np.sum(starts + lag < length) for lag in frames], dtype=np.float64)
    first, second, names = species_pairs(traj)
    by_pair, number = (np.moveaxis(each[:, :, first, second] / n_origins[:, None, None], 2, 1) for each in (sums, counts))
    dims = ("window", "pair", "lag")
    out = {
        **common(traj),
        "charge_displacement_by_distance": ((*dims, "r"), by_pair[..., :bins]),
        "charge_displacement_beyond": (dims, by_pair[..., bins]),
        "pairs_by_distance": ((*dims, "r"), number[..., :bins]),
        "charge_displacement_msd_self": (("window", "species", "lag"), np.moveaxis(alone / n_origins[:, None], 2, 1)),
        "charge_displacement_msd": (("window", "lag"), whole / n_origins),
        "window": window_starts(traj, windows),
        "pair": names,
        "lag": lag_times(frames, interval),
        "r": (np.arange(bins) + 0.5) * (edge / bins),
    }
    told |= {"r_max": edge, "frames_unused": traj.n_frames - windows * length, **({"origin_stride": stride} if origins == "auto" else {})}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, **told)


def _summed(
    traj: Trajectory, visits: Moments, shape: tuple[int, int], r_max: float, bins: int, reference: Sequence[str] | str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Any]:
    """Sums over time origins (window, lag, ...): of pairs by distance (.., s, t, r), their numbers, single ions (.., species), the dipole."""
    groups = species_groups(traj)
    n_groups = int(groups.max()) + 1
    members = (groups[:, None] == np.arange(n_groups)).astype(np.float64)
    sums = np.zeros((*shape, n_groups, n_groups, bins + 1))
    counts, alone, whole = np.zeros_like(sums), np.zeros((*shape, n_groups)), np.zeros(shape)
    cell_of_paths, shift, taken = frame_of(traj, reference, "positions")
    done, tile = 0, TILE.get(jax.default_backend(), WIDE)
    with jax.enable_x64(True):
        for rows, start, step, cell in _blocks(traj, visits, cell_of_paths, shift, bins * n_groups**2):
            found = displacement_by_distance(start, step, cell, groups, np.float64(r_max), n_groups=n_groups, bins=bins, tile=tile)
            where = (rows[:, 0], rows[:, 1])
            for total, part in zip((sums, counts), found, strict=True):
                np.add.at(total, where, np.asarray(part)[: len(rows)])
            step = step[: len(rows)]
            np.add.at(alone, where, np.square(step).sum(axis=2) @ members)
            np.add.at(whole, where, np.square(step.sum(axis=1)).sum(axis=1))
            done += len(rows)
            progress.advance(done, len(visits), "pairs of frames", n_bytes=2 * step.nbytes)
    return sums, counts, alone, whole, taken


def _blocks(
    traj: Trajectory, visits: Moments, cell: np.ndarray, shift: np.ndarray, n_counts: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Rows of a block of visits; scaled positions at the first moment, charges times displacements to the second, cells at the first."""
    size = int(np.clip(block_bytes() // (8 * (15 * traj.n_atoms + 6 * n_counts)), 1, min(BLOCK, len(visits))))
    charges, cells = np.asarray(traj.charges, dtype=np.float64), np.asarray(traj.cell, dtype=np.float64)

    def path(frames: np.ndarray) -> np.ndarray:
        return np.matmul(traj.positions_at(frames), cell[frames] if cell.ndim == 3 else cell) - shift[frames, None, :]

    for k in range(0, len(visits), size):
        rows = visits[k : k + size]
        padded = np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])
        first, later = padded[:, 2], padded[:, 3]
        step = path(later) - path(first)
        step = np.einsum("iab,tib->tia", charges, step) if charges.ndim == 3 else step * charges[None, :, None]
        yield rows, np.asarray(traj.scaled_positions[first]).astype(np.float64), step, cells[first]
