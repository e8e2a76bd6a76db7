"""What two measurements of one run have in common: the correlation of their squared displacements over non-overlapping stretches of time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["in_common"]

Floats = NDArray[Any]
FEWEST = 24  # stretches of time and axes, from which a correlation is taken


def in_common(parts: Floats, lengths: Floats, *, lag: float) -> Floats:
    """Correlations (part, part) of squared displacements parts (part, axis, length, block) over stretches of `lag` frames or the next longer ones.

    1 of motion together, 1 / sqrt(N) of one of N independent ions with their sum, 0 of independent ones. Of Gaussian motions it is the square of a
    correlation: a negative one is noise of few stretches, and 0. NaN for too few stretches, or where nothing moves.

    >>> steps = np.random.default_rng(1).normal(size=(1, 3, 1, 50)) ** 2
    >>> in_common(np.concatenate([steps, 2 * steps]), np.array([4]), lag=3.0).round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    at = min(int(np.searchsorted(lengths, lag)), len(lengths) - 1)
    there = np.isfinite(parts[:, 0, at]).all(axis=0)
    # what differs from axis to axis (layers, channels) is no scatter
    x = parts[:, :, at, there] - parts[:, :, at, there].mean(axis=2, keepdims=True)
    x = x.reshape(len(x), -1)
    size = np.sqrt(np.square(x).sum(axis=1))
    known = (size > 0) & (x.shape[1] >= FEWEST)
    unit = x / np.where(known, size, np.nan)[:, None]
    return np.asarray(np.maximum(unit @ unit.T, 0.0))
