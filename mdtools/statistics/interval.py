"""Intervals for a quantity that cannot be negative and whose error depends on its value; arrays in, arrays out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Variance", "interval", "lengthened", "score", "student"]

Floats = NDArray[Any]
DOUBLINGS, HALVINGS = 40, 48


@dataclass(frozen=True)
class Variance:
    """Of a measured value if the true one is x: noise + mixed x + squares x^2 + counts x, numbers or arrays (...).

    noise is symmetric, as is `mixed`, its product with x; squares is that of a sum of squares, relative; counts is what one event adds
    to the value (the variance of a number of events is their mean).
    """

    noise: Any
    mixed: Any = 0.0
    squares: Any = 0.0
    counts: Any = 0.0

    def at(self, x: Any) -> Any:
        return np.maximum(self.noise + (self.mixed + self.counts) * x + self.squares * np.square(x), 1e-200)

    def skewness(self, x: Any) -> Any:
        """Third cumulant over variance^(3/2): 2 squares^2 x^3 of a Gamma variable, counts^2 x of a compound Poisson one."""
        sd = np.sqrt(self.at(x))
        return (2 * np.square(self.squares * (x / sd)) + np.square(self.counts / sd)) * (x / sd)


def student(dof: Any, level: float = 0.95) -> Any:
    """Half width, in standard errors, of the two-sided interval when the variance itself has `dof` degrees of freedom.

    >>> round(float(student(1e9)), 2), round(float(student(4)), 2)
    (1.96, 2.78)
    """
    return special.stdtrit(np.minimum(dof, 1e9), 0.5 + level / 2)


def lengthened(dof: Any) -> Any:
    """What a standard error that was itself learnt from dof + 1 values is multiplied with, so that 1.96 of it are the 95 % interval.

    Numbers that have one error and no interval of their own are given it so: who takes two standard errors is right however few the windows were.

    >>> round(float(lengthened(3)), 2), round(float(lengthened(31)), 2)
    (1.62, 1.04)
    """
    return student(dof) / student(1e9)


def score(value: Any, x: Any, variance: Variance) -> Any:
    """By how many standard normal deviations `value` lies above what it would be if the truth were x.

    The law of the value is taken as Pearson's type III (a shifted Gamma) with mean x, and the variance and the skewness g at x; it is made normal
    as by Wilson and Hilferty, z = 6/g ((1 + g u / 2)^(1/3) - 1) + g / 6 of u = (value - x) / sd.

    >>> round(float(score(12.0, 10.0, Variance(noise=4.0))), 3)
    1.0
    """
    u = (value - x) / np.sqrt(variance.at(x))
    g = np.clip(variance.skewness(x), 1e-6, 1e3)
    return np.where(g > 1e-6, 6 / g * (np.cbrt(1 + g * u / 2) - 1) + g / 6, u)


def interval(value: Any, variance: Variance, *, dof: Any, level: float = 0.95) -> tuple[Any, Any]:
    """Ends of the two-sided interval of x >= 0: all x whose `score` is within Student's quantile for the `dof` of the variance.

    For an ideal count it lies between the two forms of Garwood's interval, for a sum of squares it is that of chi^2. Infinite where no x is
    too large.

    >>> tuple(round(float(x), 2) for x in interval(1.0, Variance(0.01), dof=1e9))
    (0.8, 1.2)
    >>> tuple(round(float(x), 2) for x in interval(25.0, Variance(0.0, squares=2 / 50), dof=1e9))  # chi^2 / 2 of 50: exactly 17.50 to 38.63
    (17.5, 38.64)
    """
    value = np.asarray(value, dtype=np.float64)
    t = student(dof, level)

    def above(x: Floats) -> Floats:
        return np.asarray(score(value, x, variance))

    middle = np.maximum(value, 0.0)
    lower = _crossing(above, np.zeros(value.shape), middle, t)
    return lower, _crossing(above, *_beyond(above, middle, np.sqrt(variance.at(middle)) + variance.counts, -t), -t)


def _beyond(above: Any, middle: Floats, step: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Two ends about the upper crossing; an infinite one where there is none."""
    low, high = middle * 0.0, middle + step
    for _ in range(DOUBLINGS):
        short = above(high) > level
        if not short.any():
            break
        low, step = np.where(short, high, low), np.where(short, 2 * step, step)
        high = np.where(short, high + step, high)
    return low, np.where(above(high) > level, np.inf, high)


def _crossing(above: Any, low: Floats, high: Floats, level: Floats) -> Floats:
    """Where `above` passes `level` between low and high, by bisection; low where it is below there already."""
    finite = np.isfinite(high)
    low, high = low.copy(), np.where(finite, high, low)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        over = above(middle) > level
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(finite, 0.5 * (low + high), np.inf)
