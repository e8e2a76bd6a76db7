"""Do runs under the same conditions scatter as their quoted errors say?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import quality

__all__ = ["Scatter", "replica_scatter"]


@dataclass(frozen=True)
class Scatter:
    """ratio : sqrt(chi^2 / dof) about the weighted mean of each group; misfit : probability of a larger one. NaN and 1 without replicas."""

    ratio: float
    misfit: float
    dof: int


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
