"""Do runs under the same conditions scatter as their quoted errors say?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import quality

__all__ = ["Scatter", "conditions", "replica_scatter"]

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
