"""Intervals for a quantity that cannot be negative and whose error depends on its value."""

import math

from scipy import special, stats

__all__ = ["score_interval", "student", "truncated_upper"]


def student(dof: float, level: float = 0.95) -> float:
    """Half width, in standard errors, of the two-sided interval when the variance itself has `dof` degrees of freedom.

    >>> round(student(1e9), 2), round(student(4), 2)
    (1.96, 2.78)
    """
    return float(stats.t.ppf(0.5 + level / 2, dof))


def score_interval(value: float, variance: tuple[float, float, float], t: float) -> tuple[float, float]:
    """All x >= 0 with (value - x)^2 <= t^2 (v0 + v1 x + v2 x^2): the variance is that of the x under test.

    v0 is noise, v1 counts (jumps), v2 is what an average of squares has; the interval is therefore wider upwards, as the
    exact one for a sum of squares is. Where v2 leaves no upper end (t^2 v2 near 1) the interval of ln x is taken instead.

    >>> tuple(round(x, 2) for x in score_interval(1.0, (0.01, 0.0, 0.0), 2.0))
    (0.8, 1.2)
    """
    v0, v1, v2 = variance
    leading, middle = 1 - t**2 * v2, value + 0.5 * t**2 * v1
    root = math.sqrt(max(middle**2 - leading * (value**2 - t**2 * v0), 0.0))
    if leading > 0.2:
        return max((middle - root) / leading, 0.0), max((middle + root) / leading, 0.0)
    relative = t * math.sqrt(max(v0 + v1 * value + v2 * value**2, 0.0)) / value if value > 0 else math.inf
    return value * math.exp(-relative), value * math.exp(min(relative, 700.0)) if value > 0 else math.inf


def truncated_upper(value: float, variance: tuple[float, float, float], level: float = 0.95) -> float:
    """Upper `level` bound of x >= 0 from the Gaussian posterior N(value, v) truncated at 0, with v = v0 + v1 x + v2 x^2 at the bound.

    P(x < bound) = level with density proportional to exp(-(x - value)^2 / 2 v) on x >= 0; solved by iteration, v not
    below v0, and sqrt(v2) not above 0.22: beyond, the Gaussian in x has no end upwards.

    >>> round(truncated_upper(0.0, (1.0, 0.0, 0.0)), 2)
    1.96
    """
    v0, v1, v2 = variance
    bound = max(value, 0.0)
    for _ in range(20):
        sd = math.sqrt(v0 + max(v1 * bound + min(v2, 0.05) * bound**2, 0.0))
        if sd == 0:
            return bound
        tail = (1 - level) * special.ndtr(value / sd)  # what is left above the bound
        bound = value + sd * -float(special.ndtri(tail)) if tail > 0 else sd * -math.log(1 - level) / max(-value / sd, 1.0)
    return bound
