"""Mean squared displacement, multi-window and multi-origin."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.labels import common, lag_frames, lag_times, window_starts
from mdtools.analyses.over_atoms import group_means, species_groups, window_length
from mdtools.errors import TrajectoryError
from mdtools.kernels.displacement import block_count, block_displacement, squared_displacement, squared_displacement_at
from mdtools.trajectory import Trajectory

__all__ = ["block_lengths", "block_means", "msd", "origin_frames"]

N_BLOCKS = 64


@schema.recorded
def msd(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    origins: Literal["all", "first"] | int = "all",
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Mean squared displacement of each species.

    MSD(t) = < |r_i(t0 + t) - r_i(t0)|^2 > over the ions i of a species and the time origins t0 of a window.

    windows : the run is cut into this many equal parts, each with its own estimate; frames left over are not used.
    lags : "all", "log", or times in ps. origins : "all" (by FFT), "first", or every so many frames.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the
        framework that the trajectory declares, else the barycentre.

    Returns `msd` (window, species, lag) and `msd_by_axis` (window, species, xyz, lag) in angstrom^2, and `block_msd`
    (species, xyz, block_lag, block): squared displacements over non-overlapping blocks of the whole run, from which
    the estimator learns how far ions move together. Unevenly spaced frames need origins="first".
    Raises TrajectoryError, NotEnoughData, ValueError for lags that a window does not hold.
    Source: reference/science.md B1.

    >>> from mdtools import synthetic
    >>> walk = synthetic.brownian(n_atoms=20, n_frames=400, diffusivity=0.5, seed=1)
    >>> float(msd(walk, lags=[1.0], reference="none").msd.sel(lag=1.0, species="A").item().__round__(0))  # 6 D t
    3.0
    """
    length = window_length(traj, windows, who="msd")
    starts = origin_frames(origins, length)
    every_lag = isinstance(lags, str) and lags == "all"
    if not traj.is_even and not (origins == "first" and windows == 1 and every_lag):
        raise TrajectoryError(f'{traj.source}: frames are unevenly spaced; the msd of such a run needs origins="first", lags="all" and windows=1')
    interval = traj.frame_interval if traj.is_even else 1.0
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval)
    groups = species_groups(traj)
    shared: dict[str, Any] = {"groups": groups, "reference": reference}
    if origins == "all" and every_lag:
        by_axis, taken = group_means(squared_displacement, traj, windows=windows, **shared)
    else:
        by_axis, taken = group_means(squared_displacement_at, traj, windows=windows, arguments=(frames, starts), **shared)
    out = {
        **common(traj),
        "msd": (("window", "species", "lag"), by_axis.sum(axis=2)),
        "msd_by_axis": (("window", "species", "xyz", "lag"), by_axis),
        "window": window_starts(traj, windows),
        "xyz": ["x", "y", "z"],
        "lag": lag_times(frames, interval) if traj.is_even else traj.time - traj.time[0],
    }
    if traj.is_even:
        out |= _blocks(traj, shared)
    unused = traj.n_frames - windows * length
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused)


def origin_frames(origins: Literal["all", "first"] | int, length: int) -> np.ndarray:
    """First frames of the time origins in a window of `length` frames: "all", "first", or every so many frames.

    Raises ValueError for anything else.

    >>> origin_frames(3, 8)
    array([0, 3, 6])
    """
    if isinstance(origins, str) and origins == "first":
        return np.arange(1)
    step = 1 if isinstance(origins, str) and origins == "all" else origins
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < 1:
        raise ValueError(f'origins={origins!r} is not understood; write "all", "first" or a number of frames, at least 1')
    return np.arange(0, length, step)


def block_lengths(n_frames: int, *, fewest: int = 4) -> tuple[int, ...]:
    """Block lengths in frames, a factor sqrt(2) apart, from 1 to what leaves `fewest` blocks."""
    longest = max(1, (n_frames - 1) // fewest)
    return tuple(sorted({round(2 ** (k / 2)) for k in range(64) if round(2 ** (k / 2)) <= longest}))


def _blocks(traj: Trajectory, shared: dict[str, Any]) -> dict[str, Any]:
    """Squared displacements over blocks as variables of the Dataset."""
    values, coordinates = block_means(traj, **shared)
    return {"block_msd": (("species", "xyz", "block_lag", "block"), values), **coordinates}


def block_means(traj: Trajectory, **shared: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Squared displacements over non-overlapping blocks of the whole run, (group, xyz, block_lag, block), and the coordinates.

    NaN where a block does not exist. shared : groups, reference, weights of `group_means`.
    """
    lengths = block_lengths(traj.n_frames)
    values, _ = group_means(block_displacement, traj, options={"lengths": lengths, "n_blocks": N_BLOCKS}, **shared)
    count = np.array([block_count(traj.n_frames, length, N_BLOCKS) for length in lengths])
    values = np.where(np.arange(N_BLOCKS)[None, None, None, :] < count[None, None, :, None], np.moveaxis(values[0], 1, 2), np.nan)
    return values, {"block_lag": lag_times(lengths, traj.frame_interval), "block": np.arange(N_BLOCKS)}
