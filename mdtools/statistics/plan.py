"""How long a run has to be."""

from typing import Any

import numpy as np

__all__ = ["run_for_bound", "run_for_error"]


def run_for_error(run: Any, value: Any, stderr: Any, *, relative: float = 0.1) -> Any:
    """Length of the run at which the standard error is `relative` times the value: run (stderr / (relative value))^2.

    The variance of a slope over given lags goes as 1 / run, and so does what jumps and ions that move together add to it.

    >>> round(float(run_for_error(20.0, 1.0, 0.2)), 6)
    80.0
    """
    return run * np.square(np.asarray(stderr) / (relative * np.asarray(value)))


def run_for_bound(run: Any, bound: Any, plateau: Any, *, factor: float = 10.0) -> Any:
    """Length of the run at which the bound on D is `factor` times smaller if there is still no diffusion.

    plateau is the part of the bound that the noise of a plateau makes; it goes as run^-3/2: the noise as run^-1/2, and the longest lag as
    the run. The rest is jumps too rare to be seen, which goes as 1 / run: plateau / x^(3/2) + rest / x = bound / factor, by bisection.

    >>> float(run_for_bound(20.0, 1.0, 0.0)), float(run_for_bound(20.0, 1.0, 1.0).round(2))
    (200.0, 92.83)
    """
    bound = np.asarray(bound, dtype=np.float64)
    share = np.clip(plateau / np.where(bound > 0, bound, 1.0), 0.0, 1.0)
    low, high = np.full(bound.shape, factor ** (2 / 3)), np.full(bound.shape, float(factor))
    for _ in range(60):
        x = 0.5 * (low + high)
        long_enough = share / x**1.5 + (1 - share) / x < 1 / factor
        low, high = np.where(long_enough, low, x), np.where(long_enough, x, high)
    return np.where(bound > 0, run * high, np.nan)
