"""Has a series of means over equal parts of a run settled? Arrays in, numbers out."""

import numpy as np
from scipy import special

__all__ = ["drift_probability", "settled_from", "trend_probability", "unequal_probability"]


def _spread(values: np.ndarray) -> tuple[float, float]:
    """Variance of the mean of neighbouring means, and its degrees of freedom, with the memory of one part in the next."""
    n = len(values)
    centred = values - values.mean()
    variance = centred @ centred / (n - 1)
    memory = float(np.clip(centred[1:] @ centred[:-1] / max(centred @ centred, 1e-300), 0.0, 0.8))
    stretch = (1 + memory) / (1 - memory)
    return float(variance * stretch / n), max(1.0, (n - 1) / stretch)


def drift_probability(values: np.ndarray) -> float:
    """Probability that the means of the halves of a settled series differ by as much as these do; 1 for what does not vary.

    >>> drift_probability(np.zeros(8)), drift_probability(np.arange(64.0)) < 0.01
    (1.0, True)
    """
    values = values[np.isfinite(values)]
    half = len(values) // 2
    if half < 3 or np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0):
        return 1.0
    (one, free_one), (other, free_other) = _spread(values[:half]), _spread(values[-half:])
    total = one + other
    freedom = total**2 / (one**2 / free_one + other**2 / free_other)
    t = abs(values[:half].mean() - values[-half:].mean()) / np.sqrt(total)
    return float(2 * special.stdtr(freedom, -t))


def trend_probability(values: np.ndarray) -> tuple[float, float]:
    """Change along the straight line through a series, from its first part to its last, and the probability of one as large where there is none.

    The scatter about the line has a memory, which makes its error longer and its degrees of freedom fewer.

    >>> trend_probability(np.arange(8.0) + np.array([0.1, -0.1] * 4))[0].__round__(2)
    6.93
    """
    n = len(values)
    x = np.arange(n) - (n - 1) / 2
    slope = float(x @ values / (x @ x))
    left = values - values.mean() - slope * x
    square = max(float(left @ left), 1e-300)
    memory = float(np.clip(left[1:] @ left[:-1] / square, 0.0, 0.8))
    stretch = (1 + memory) / (1 - memory)
    t = abs(slope) / np.sqrt(square / (n - 2) * stretch / (x @ x))
    return slope * (n - 1), float(2 * special.stdtr(max(1.0, (n - 2) / stretch), -t))


def unequal_probability(first: np.ndarray, second: np.ndarray) -> float:
    """Probability that two quantities with one mean, measured in the same parts of a run, differ by as much as these do."""
    difference = first - second
    variance, freedom = _spread(difference)
    return float(2 * special.stdtr(freedom, -abs(difference.mean()) / np.sqrt(max(variance, 1e-300))))


def settled_from(values: np.ndarray) -> int:
    """Number of the part from which on the series is best taken: the least of var / n^2 over what is left (MSER), at most half left out.

    Source: K. P. White, Simulation 69, 323 (1997).

    >>> settled_from(np.array([9.0, 5.0, 2.0, 1.0, 1.1, 0.9, 1.0, 1.05]))
    3
    """
    cost = [np.var(values[k:]) / (len(values) - k) for k in range(len(values) // 2 + 1)]
    return int(np.argmin(cost))
