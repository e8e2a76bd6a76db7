"""Weighted straight line through independent points, with an honest error where the line does not hold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import fit_line, quality

__all__ = ["StraightLine", "straight_line"]


@dataclass(frozen=True)
class StraightLine:
    """y = intercept + slope x; `misfit` is the probability of a worse chi^2 if the line held."""

    intercept: float
    intercept_stderr: float
    slope: float
    slope_stderr: float
    misfit: float


def straight_line(x: NDArray[Any], y: NDArray[Any], stderr: NDArray[Any]) -> StraightLine:
    """Least squares with weights 1 / stderr^2; standard errors times sqrt(max(1, chi^2 / dof)), as quoted for two points (misfit NaN).

    >>> line = straight_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), np.ones(3))
    >>> round(line.intercept, 6), round(line.slope, 6), round(line.misfit, 6)
    (1.0, 2.0, 1.0)
    """
    line = fit_line(x, y, np.diag(np.square(stderr)))
    free = len(x) > 2
    stretch = np.sqrt(max(1.0, float(line.chi2) / line.dof)) if free else 1.0
    errors = np.sqrt(np.diag(line.covariance)) * stretch
    intercept, slope = float(line.intercept), float(line.slope)
    return StraightLine(intercept, float(errors[0]), slope, float(errors[1]), float(quality(line.chi2, line.dof)) if free else np.nan)
