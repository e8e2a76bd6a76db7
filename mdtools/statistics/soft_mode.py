"""Where a squared frequency goes to zero: y = a |T - T_c|^p, p free, from values with errors on one side of T_c.

The posterior is made on a grid of (T_c, p): for each, ln a is Gaussian by weighted least squares of ln y (flat prior), and
summed exactly. Priors: T_c flat outside the measured values, up to REACH of their span away; p Gaussian, 1 +- 0.3 (mean field 1,
three-dimensional Ising 1.24, tricritical 0.5 at two deviations). The law holds near T_c; further away y is the law times exp(c t),
t = |T - nearest| / nearest, with c Gaussian, 0 +- 0.3, summed exactly too: without it precise runs far from T_c, where a crossover bends the
exponent, set T_c at an error that is too small (chi^2 of 7 for 3 degrees of freedom in the displacive phi^4 lattice). The width 0.3 is a choice, not
a measurement: of bent laws 0.15 misses T_c, and 1 makes its error a tenth longer. That lattice showed the need, and is no independent check.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Vanishing", "vanishing"]

Floats = NDArray[Any]
REACH = 4.0  # spans of temperature beyond the nearest value
EXPONENT, WIDTH = 1.0, 0.3
CORRECTION = 0.3  # of ln y, where |T - nearest| is as large as the nearest temperature
STEPS, POWERS = 400, 41


@dataclass(frozen=True)
class Vanishing:
    """T_c: median, 68 % half-width and 95 % interval; p with its error; chi^2 at the best point, and values less numbers."""

    value: float
    stderr: float
    lower: float
    upper: float
    exponent: float
    exponent_stderr: float
    chi2: float
    free: int


def vanishing(temperature: Floats, log_value: Floats, stderr: Floats, *, limit: float | None = None) -> Vanishing:
    """T_c on the side towards which y falls. stderr : of ln y. limit : T_c is on this side of it, where a condensed run lies there.

    Raises ValueError for fewer than three temperatures.
    """
    if len(np.unique(temperature)) < 3:
        raise ValueError("T_c needs values at three temperatures")
    weight = stderr**-2.0
    middle = np.average(temperature, weights=weight)
    side = -1.0 if np.sum(weight * (temperature - middle) * log_value) > 0 else 1.0  # T_c lies below values that rise with T
    edge, span = (temperature.min() if side < 0 else temperature.max()), float(np.ptp(temperature))
    far = REACH * span if limit is None else abs(limit - edge)
    distance = far * (np.arange(STEPS) + 0.5) / STEPS  # of T_c from the nearest value
    critical = edge + side * distance
    power = EXPONENT + WIDTH * np.linspace(-3, 3, POWERS)
    inside = np.log(np.abs(temperature[None, :] - critical[:, None]))  # (T_c, value)
    residual = log_value[None, None, :] - power[None, :, None] * inside[:, None, :]
    far_away = CORRECTION * (temperature - edge) / max(abs(edge), 1e-12)
    precision = np.linalg.inv(np.diag(stderr**2) + np.outer(far_away, far_away))
    precision -= np.outer(precision.sum(axis=0), precision.sum(axis=0)) / precision.sum()  # ln a
    chi2 = np.einsum("cpt,tu,cpu->cp", residual, precision, residual)
    log_posterior = -chi2 / 2 - np.square((power - EXPONENT) / WIDTH) / 2
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    of_critical, of_power = posterior.sum(axis=1), posterior.sum(axis=0)
    low, lower, value, upper, high = np.interp([0.025, 0.1587, 0.5, 0.8413, 0.975], np.cumsum(of_critical) - of_critical / 2, distance)
    ends = np.sort(edge + side * np.array([low, high]))
    mean = float(of_power @ power)
    return Vanishing(
        float(edge + side * value),
        float((upper - lower) / 2),
        float(ends[0]),
        float(ends[1]),
        mean,
        float(np.sqrt(of_power @ np.square(power - mean))),
        float(chi2.min()),
        len(temperature) - 3,
    )
