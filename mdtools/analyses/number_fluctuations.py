"""How the number of ions in a part of the cell fluctuates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.labels import common, species_pairs, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["number_fluctuations"]

FRAMES = 64  # counted at once


@schema.recorded
def number_fluctuations(traj: Trajectory, *, divisions: Sequence[int] = (2, 3, 4, 5, 6), windows: int = 4) -> xr.Dataset:
    """Covariance of the numbers of ions of each species in equal parts of the cell, for parts of several sizes.

    Every cell vector is cut into k equal pieces, which makes k^3 boxes of volume v = V / k^3 that hold <n_a> = N_a / k^3 ions each;
    <n_a n_b> - <n_a><n_b> is the mean over boxes and frames of a window. In a crystal only those k are meaningful that cut it into equal parts: k
    divides the number of unit cells along each vector.

    divisions : the k, from 2. windows : as in `msd`.

    Returns `number_covariance` (window, pair, division) and `mean_number` (species, division). Raises TrajectoryError for divisions below 2,
    NotEnoughData. Source: reference/science.md A1 row 20.

    >>> from mdtools import synthetic
    >>> found = number_fluctuations(synthetic.brownian(n_atoms=64, n_frames=400), divisions=[2], windows=1)
    >>> variance = found.number_covariance.sel(pair="A-A").item()  # of the 32 ions of species A: binomial
    >>> bool(abs(variance / (32 / 8 * (1 - 1 / 8)) - 1) < 0.2)
    True
    """
    who = "number_fluctuations"
    traj.need("scaled_positions", who=who)
    divisions = [int(k) for k in divisions]
    if not divisions or min(divisions) < 2:
        raise TrajectoryError(f"{who}: divisions={divisions} must be whole numbers from 2, into how many pieces each cell vector is cut")
    length = window_length(traj, windows, who=who, shortest=1)
    first, second, pairs = species_pairs(traj)
    names = traj.species_names
    members = [traj.indices(name) for name in names]
    covariance = np.zeros((windows, len(pairs), len(divisions)))
    mean = np.array([[len(of) / k**3 for k in divisions] for of in members])
    for window in range(windows):
        for start in range(window * length, (window + 1) * length, FRAMES):
            frames = slice(start, min(start + FRAMES, (window + 1) * length))
            place = np.asarray(traj.scaled_positions[frames], dtype=np.float64) % 1.0
            for at, k in enumerate(divisions):
                counts = [_counts(place[:, of], k) - mean[s, at] for s, of in enumerate(members)]
                covariance[window, :, at] += [np.sum(counts[a] * counts[b]) / k**3 for a, b in zip(first, second, strict=True)]
    out: dict[str, Any] = {
        **common(traj),
        "number_covariance": (("window", "pair", "division"), covariance / length),
        "mean_number": (("species", "division"), mean),
        "window": window_starts(traj, windows),
        "pair": pairs,
        "division": divisions,
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), frames_unused=traj.n_frames - windows * length)


def _counts(place: np.ndarray, k: int) -> np.ndarray:
    """(frame, box) ions in each of the k^3 boxes, of scaled positions (frame, ion, axis)."""
    piece = np.minimum((place * k).astype(np.int64), k - 1)
    box = (piece[..., 0] * k + piece[..., 1]) * k + piece[..., 2]
    frame = np.arange(len(place))[:, None]
    return np.bincount((box + frame * k**3).ravel(), minlength=len(place) * k**3).reshape(len(place), -1).astype(np.float64)
