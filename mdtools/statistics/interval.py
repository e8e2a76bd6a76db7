"""Intervals for a quantity that cannot be negative and whose error depends on its value; arrays in, arrays out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["score_interval", "student", "truncated_upper"]

Floats = NDArray[Any]
Parts = tuple[Any, Any, Any]


def student(dof: Any, level: float = 0.95) -> Any:
    """Half width, in standard errors, of the two-sided interval when the variance itself has `dof` degrees of freedom.

    >>> round(float(student(1e9)), 2), round(float(student(4)), 2)
    (1.96, 2.78)
    """
    return special.stdtrit(np.minimum(dof, 1e9), 0.5 + level / 2)


def score_interval(value: Any, variance: Parts, t: Any) -> tuple[Any, Any]:
    """All x >= 0 with (value - x)^2 <= t^2 (v0 + v1 x + v2 x^2): the variance is that of the x under test.

    v0 is noise, v1 counts (jumps), v2 is what an average of squares has; the interval is therefore wider upwards, as the
    exact one for a sum of squares is. Where v2 leaves no upper end (t^2 v2 near 1) the interval of ln x is taken instead.

    >>> tuple(round(float(x), 2) for x in score_interval(1.0, (0.01, 0.0, 0.0), 2.0))
    (0.8, 1.2)
    """
    v0, v1, v2 = variance
    leading, middle = 1 - t**2 * v2, value + 0.5 * t**2 * v1
    ends = leading > 0.2
    below = np.where(ends, leading, 1.0)
    root = np.sqrt(np.maximum(middle**2 - below * (value**2 - t**2 * v0), 0.0))
    positive = np.where(np.asarray(value) > 0, value, 1.0)
    relative = np.minimum(t * np.sqrt(np.maximum(v0 + v1 * positive + v2 * positive**2, 0.0)) / positive, 700.0)
    lower = np.where(ends, (middle - root) / below, positive * np.exp(-relative))
    upper = np.where(ends, (middle + root) / below, np.where(np.asarray(value) > 0, positive * np.exp(relative), np.inf))
    return np.maximum(lower, 0.0), np.maximum(upper, 0.0)


def truncated_upper(value: Any, variance: Parts, level: float = 0.95) -> Any:
    """Upper `level` bound of x >= 0 from the Gaussian posterior N(value, v) truncated at 0, with v = v0 + v1 x + v2 x^2 at the bound.

    P(x < bound) = level with density proportional to exp(-(x - value)^2 / 2 v) on x >= 0; solved by iteration, v not
    below v0, and sqrt(v2) not above 0.22: beyond, the Gaussian in x has no end upwards.

    >>> round(float(truncated_upper(0.0, (1.0, 0.0, 0.0))), 2)
    1.96
    """
    v0, v1, v2 = variance
    bound = np.maximum(value, 0.0) * 1.0
    for _ in range(20):
        sd = np.sqrt(v0 + np.maximum(v1 * bound + np.minimum(v2, 0.05) * bound**2, 0.0))
        some = np.maximum(sd, 1e-300)
        tail = (1 - level) * special.ndtr(value / some)  # what is left above the bound
        far = some * -np.log(1 - level) / np.maximum(-value / some, 1.0)
        bound = np.where(sd > 0, np.where(tail > 0, value - some * special.ndtri(np.maximum(tail, 1e-300)), far), bound)
    return bound
