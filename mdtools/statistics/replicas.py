"""Do runs under the same conditions scatter as their quoted errors say?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mdtools.statistics.least_squares import quality

__all__ = ["Scatter", "conditions", "mean_with_bounds", "replica_scatter"]

LIKELY = np.log(2.0)  # within which of the largest log-probability a scatter will do
PLACES = 4001  # of a mean, over which its probability is summed
SCATTERS = 25  # of replicas beyond their errors, of which one is taken
SAME = 1e-3  # relative difference of conditions that count as one


@dataclass(frozen=True)
class Scatter:
    """ratio : sqrt(chi^2 / dof) about the weighted mean of each group; misfit : probability of a larger one. NaN and 1 without replicas."""

    ratio: float
    misfit: float
    dof: int


def conditions(values: NDArray[Any]) -> NDArray[Any]:
    """The condition of each run: of values that lie within a thousandth above it, the smallest.

    >>> conditions(np.array([600.1, 800.0, 600.0])).tolist()
    [600.0, 800.0, 600.0]
    """
    kept: list[float] = []
    for one in np.unique(values):
        if not kept or one > kept[-1] * (1 + SAME):
            kept.append(float(one))
    return np.array(kept, dtype=np.float64)[np.searchsorted(kept, values, side="right") - 1]


def replica_scatter(condition: NDArray[Any], value: NDArray[Any], stderr: NDArray[Any]) -> Scatter:
    """chi^2 of values about the weighted mean of those that share a condition, over all groups of two and more.

    >>> replica_scatter(np.array([300.0, 300.0, 400.0]), np.array([1.0, 3.0, 9.0]), np.ones(3)).ratio.__round__(3)
    1.414
    """
    chi2, dof = 0.0, 0
    for one in np.unique(condition):
        here = condition == one
        weight = 1 / np.square(stderr[here])
        mean = np.sum(weight * value[here]) / weight.sum()
        chi2 += float(np.sum(weight * np.square(value[here] - mean)))
        dof += int(here.sum()) - 1
    return Scatter(float(np.sqrt(chi2 / dof)), quality(chi2, dof), dof) if dof else Scatter(np.nan, 1.0, 0)


def mean_with_bounds(value: NDArray[Any], stderr: NDArray[Any], bound: NDArray[Any]) -> tuple[float, float]:
    """Mean of replicas and its standard error, where of some no more is known than that they lie below a bound.

    Values are normal about the mean with their error or, of three or more, their scatter where that is larger; a bounded one counts with its
    probability to lie where it does. Left out it would raise the mean, since those below are the ones that are not seen. Where bounds contradict
    values, replicas scatter by more than their errors: by the least that makes the bounds half as likely as they can be, and no more
    than values and bounds do together.

    >>> mean_with_bounds(np.array([1.0, 3.0]), np.array([0.3, 0.3]), np.array([1.0]))[0] < 2.0
    True
    """
    wide = np.maximum(stderr, value.std(ddof=1) if len(value) >= 3 else 0.0)
    typical = float(np.sqrt(np.mean(wide**2)))
    every = np.concatenate([value, bound])
    most = float(every.std(ddof=1)) if len(bound) else 0.0
    grid = np.linspace(every.min() - 8 * typical - 4 * most, every.max() + 8 * typical + 4 * most, PLACES)
    more = np.linspace(0.0, most, SCATTERS)[:, None]
    log_p = -0.5 * np.sum(np.square((value - grid[:, None]) / np.hypot(wide, more)[:, None, :]), axis=2)
    both = log_p + special.log_ndtr((bound - grid[:, None]) / np.hypot(typical, more)[:, :, None]).sum(axis=2)
    agree = special.logsumexp(both, axis=1) - special.logsumexp(log_p, axis=1)  # probability of the bounds, from the values
    log_p = both[np.argmax(agree > agree.max() - LIKELY)]
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    mean = float(p @ grid)
    return mean, float(np.sqrt(p @ (grid - mean) ** 2))
