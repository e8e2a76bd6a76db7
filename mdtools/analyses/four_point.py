"""How many ions of a species are still where they were, and how that number fluctuates: what a four-point susceptibility is made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.labels import common, lag_frames, lag_times
from mdtools.analyses.melting import neighbour_distance
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.over_tiles import group_means
from mdtools.kernels.four_point import within_radii
from mdtools.trajectory import Trajectory

__all__ = ["overlap_fluctuations"]

ORIGINS = 64  # in a window, at most


@schema.recorded
def overlap_fluctuations(
    traj: Trajectory, *, windows: int = 8, radius: float | None = None, reference: Sequence[str] | str | None = None
) -> xr.Dataset:
    """First and second moment of the overlap Q(t0, t), the share of the ions of a species that are within a radius of where they were.

    Q(t0, t) = 1/N sum_i theta(a - |r_i(t0 + t) - r_i(t0)|), over time origins t0; `four_point_susceptibility` estimates
    N (<Q^2> - <Q>^2) from them.

    windows : equal parts of the time origins; one more part of the run is left for the lags, which are as long as a part.
    radius : a in angstrom; by default half the neighbour distance of each species: wider than a vibration, shorter than a hop.
    reference : the lattice frame, as in `msd`.

    Returns `overlap` <Q> and `overlap_square` <Q^2> (window, species, lag), and `overlap_radius` (species).
    Raises TrajectoryError; NotEnoughData for a run of few frames; ValueError for a radius that is not positive.
    Source: L. Berthier et al., Science 310, 1797 (2005); reference/science.md C3.

    >>> from mdtools import synthetic
    >>> dict(overlap_fluctuations(synthetic.brownian(n_atoms=16, n_frames=90), windows=4, reference="none").overlap.sizes)["window"]
    4
    """
    who = "overlap_fluctuations"
    traj.need("scaled_positions", who=who)
    if radius is not None and not radius > 0:
        raise ValueError(f"{who}: radius={radius!r}; write a positive distance in angstrom (--radius)")
    part = window_length(traj, windows, who=who, shortest=4, besides=1)
    starts = np.arange(windows)[:, None] * part + np.arange(0, part, -(-part // ORIGINS))[None, :]
    lags = lag_frames("log", longest=part, frame_interval=traj.frame_interval)[1:]
    names = traj.species_names
    radii = np.array([neighbour_distance(traj, name) / 2 if radius is None else float(radius) for name in names])
    means, taken = group_means(
        within_radii,
        traj,
        groups=species_groups(traj),
        reference=reference,
        arguments=(lags, starts, radii),
        numbers=len(radii) * starts.size * len(lags),
    )
    each = np.stack([means[0][k, k] for k in range(len(names))])  # (species, window, origin, lag)
    dims = ("window", "species", "lag")
    out: dict[str, Any] = {
        **common(traj),
        "overlap": (dims, each.mean(axis=2).transpose(1, 0, 2)),
        "overlap_square": (dims, np.square(each).mean(axis=2).transpose(1, 0, 2)),
        "overlap_radius": ("species", radii),
        "window": traj.time[starts[:, 0]],
        "lag": lag_times(lags, traj.frame_interval),
    }
    unused = traj.n_frames - (windows + 1) * part
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused)
