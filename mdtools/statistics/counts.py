"""Rates of events that are counted: how much wider than Poisson counts they scatter, and the interval of their mean."""

from typing import Any

import numpy as np
from scipy import special

__all__ = ["count_interval", "dispersion"]


def dispersion(counts: np.ndarray) -> float:
    """Variance of a total over what a Poisson law gives it, from a table (piece of time, group): the largest of 1 and the scatter of either margin.

    >>> dispersion(np.full((4, 4), 3.0))
    1.0
    """
    total = counts.sum()
    margins = [counts.sum(axis=axis) for axis in (0, 1) if counts.shape[1 - axis] > 1]
    return float(max([1.0, *(len(one) * np.var(one, ddof=1) / total for one in margins if total > 0)]))


def count_interval(count: float, spread: float = 1.0, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the mean of a count whose variance is `spread` times that of a Poisson law (which it is for spread 1).

    >>> [round(x, 2) for x in count_interval(0.0)], [round(x, 1) for x in count_interval(100.0)]
    ([0.0, 3.69], [81.4, 121.6])
    """
    tail: Any = (1 - level) / 2
    n = count / spread
    lower = spread * special.gammaincinv(n, tail) if count > 0 else 0.0
    return float(lower), float(spread * special.gammaincinv(n + 1, 1 - tail))
