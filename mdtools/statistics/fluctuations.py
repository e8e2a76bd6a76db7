"""Limits of fluctuations: a structure factor at q = 0, numbers in a large part of a larger whole.

A value measured in windows of a run (window, x), smooth in x, is extrapolated to x = 0 by a weighted line, averaged over cut-offs by
exp(-chi^2 / 2) / variance. Its error is the jackknife over windows, and its interval has Student's quantile of windows - 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["FEWEST_POINTS", "FEWEST_WINDOWS", "zero_limit"]

Floats = NDArray[Any]
FEWEST_POINTS = 4
FEWEST_WINDOWS = 4


def zero_limit(x: Floats, values: Floats, count: Floats, *, every: bool = False) -> tuple[float, float, float]:
    """Limit of values (window, x) at x = 0, its stderr, and the quantile of its 95 % interval; x ascending.

    count : (x,) how many samples each value is the mean of: relative errors go as one over its root. every : only the line through all x, else
    cut-offs from FEWEST_POINTS on.

    >>> x = np.arange(1.0, 7.0)
    >>> round(zero_limit(x, np.array([2.0, 2.01, 1.99, 2.0])[:, None] * (1 + x), np.ones(6), every=True)[0], 6)
    2.0
    """
    windows = len(values)
    spread = float(np.mean(count * values.var(axis=0, ddof=1) / np.square(values.mean(axis=0))))  # relative, of one sample in a window
    whole = _limit(x, values.mean(axis=0), count, spread / windows, every=every)
    parts = np.array([_limit(x, np.delete(values, k, axis=0).mean(axis=0), count, spread / (windows - 1), every=every) for k in range(windows)])
    stderr = float(np.sqrt((windows - 1) * np.mean(np.square(parts - parts.mean()))))
    return whole, stderr, float(special.stdtrit(windows - 1, 0.975))


def _limit(x: Floats, y: Floats, count: Floats, spread: float, *, every: bool) -> float:
    ends = [len(x)] if every else range(FEWEST_POINTS, len(x) + 1)
    found = np.array([_line(x[:end], y[:end], count[:end], spread) for end in ends])
    log_weight = -found[:, 2] / 2 - np.log(found[:, 1])
    weight = np.exp(log_weight - log_weight.max())
    return float(weight @ found[:, 0] / weight.sum())


def _line(x: Floats, y: Floats, count: Floats, spread: float) -> tuple[float, float, float]:
    """Intercept, its variance, and what chi^2 exceeds its mean by; errors are relative to the line, in two passes."""
    design = np.stack([np.ones_like(x), x], axis=-1)
    line = np.full(len(x), y @ count / count.sum())
    for _ in range(2):
        weight = count / (max(spread, 1e-300) * np.square(line))
        covariance = np.linalg.inv((design.T * weight) @ design)
        solution = covariance @ (design.T * weight) @ y
        line = np.maximum(design @ solution, 0.05 * np.abs(line))
    excess = float(np.sum(weight * np.square(y - design @ solution))) - (len(x) - 2)
    return float(solution[0]), float(covariance[0, 0]), max(excess, 0.0)
