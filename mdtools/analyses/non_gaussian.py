"""How far the displacements of ions are from Gaussian: what tells jumps and a mixture of slow and fast ions from simple diffusion."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.displacement import origin_frames
from mdtools.analyses.labels import common, lag_frames, window_starts
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.over_tiles import tile_means
from mdtools.analyses.sampled import stride_within
from mdtools.analyses.time_pairs import by_window, even_pairs, uneven_pairs
from mdtools.kernels.displacement import moment_terms
from mdtools.trajectory import Trajectory

__all__ = ["BUDGET", "non_gaussian_parameter"]

BUDGET = 1e8  # displacements that are formed unless told: a second or two on one core


@schema.recorded
def non_gaussian_parameter(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["all", "log"] | Sequence[float] = "log",
    origins: Literal["auto", "all", "first"] | int = "auto",
    displacement_budget: float = BUDGET,
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Non-Gaussian parameter alpha_2 of the displacements of each species, in space and along each axis.

    alpha_2(t) = 3 <r^4> / (5 <r^2>^2) - 1, r = |r_i(t0 + t) - r_i(t0)|; along an axis <x^4> / (3 <x^2>^2) - 1. Both are 0
    for Gaussian displacements, also anisotropic ones along an axis; a fraction f of ions that jump rarely among ions at
    rest gives about 1 / f - 1 at short times. Where nothing moved there is no value (NaN).

    windows, lags, reference : as in `msd`; frames may be uneven. Every displacement is formed (the fourth power
        leaves nothing of an FFT behind a drift), which costs the number of lags times that of the origins.
    origins : "all", "first", every so many frames, or "auto": as many as keep the work within displacement_budget, evenly spaced (of
        uneven frames all); the stride that was taken is in the history.
    displacement_budget : how many displacements are formed at most where origins is "auto".

    Returns `non_gaussian_parameter` (window, species, lag), `non_gaussian_parameter_by_axis` (window, species, xyz, lag),
    `msd` of the same displacements and `n_origins` (window, lag).
    Raises TrajectoryError, NotEnoughData, ValueError for lags that a window does not hold.
    Source: Rahman, Phys. Rev. 136, A405 (1964); reference/science.md B1.

    >>> from mdtools import synthetic
    >>> walk = synthetic.brownian(n_atoms=40, n_frames=2000, seed=1)
    >>> alpha = non_gaussian_parameter(walk, lags=[0.1], reference="none").non_gaussian_parameter
    >>> bool(abs(alpha).max() < 0.03)
    True
    """
    length = window_length(traj, windows, who="non_gaussian_parameter")
    sampled: dict[str, int] = {}
    if traj.is_even:
        frames = lag_frames(lags, longest=length - 1, frame_interval=traj.frame_interval)
        if origins == "auto":
            work = float(traj.n_atoms) * windows * float(np.sum(length - frames))
            sampled["origin_stride"] = stride_within(displacement_budget, work, length, name="displacement_budget")
        starts = origin_frames(sampled["origin_stride"] if origins == "auto" else origins, length)
        pairs = even_pairs(frames, starts, length, windows=windows, frame_interval=traj.frame_interval)
    else:
        origin_frames("all" if origins == "auto" else origins, length)  # a word that is not understood is refused
        pairs = uneven_pairs(traj, lags, "all" if origins == "auto" else origins, windows=windows)
    sums, _, taken = tile_means(
        moment_terms,
        traj,
        groups=species_groups(traj),
        reference=reference,
        arguments=pairs.in_rows(traj.n_frames),
        options={"n_lags": windows * len(pairs.lags)},
    )
    moments = by_window(sums["moments"], pairs)
    square, fourth = moments[:, :, :3], moments[:, :, 3:6]
    whole = square.sum(axis=2)
    out = {
        **common(traj),
        "msd": (("window", "species", "lag"), whole),
        "non_gaussian_parameter": (("window", "species", "lag"), _excess(moments[:, :, 6], whole, 3 / 5)),
        "non_gaussian_parameter_by_axis": (("window", "species", "xyz", "lag"), _excess(fourth, square, 1 / 3)),
        "n_origins": (("window", "lag"), pairs.counts),
        "window": window_starts(traj, windows) if pairs.starts is None else pairs.starts,
        "xyz": ["x", "y", "z"],
        "lag": pairs.lags,
    }
    unused = traj.n_frames - windows * length if traj.is_even else 0
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, **sampled)


def _excess(fourth: np.ndarray, square: np.ndarray, factor: float) -> np.ndarray:
    """factor x fourth / square^2 - 1; NaN where nothing moved."""
    return factor * np.divide(fourth, square**2, out=np.full_like(fourth, np.nan), where=square > 0) - 1.0
