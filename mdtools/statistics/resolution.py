"""What a spectrometer makes of a line: its resolution in time, and the width of a Lorentzian seen through it.

R(t) = int R(f) exp(2 pi i f t) df of a resolution of area 1 whose full width at half maximum is D, in cycles:

    gaussian    exp[-(pi D t)^2 / (4 ln 2)]
    lorentzian  exp(-pi D |t|)
    triangular  [sin(pi D t) / (pi D t)]^2

The spectrometer measures F(q, t) R(t): a product in time is the folding of spectra. Source: M. Bee, Quasielastic Neutron
Scattering (Adam Hilger, 1988), chapter 3.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["SHAPES", "half_width_seen", "in_time"]

Floats = NDArray[Any]
SHAPES = ("gaussian", "lorentzian", "triangular")
GAUSS = np.sqrt(8 * np.log(2))  # full width at half maximum of a Gaussian, in standard deviations


def in_time(t: Floats, full_width: float, shape: str) -> Floats:
    """R(t), 1 at t = 0.

    >>> in_time(np.array([0.0, 1.0]), 1.0, "triangular").round(12)
    array([1., 0.])
    """
    if shape == "gaussian":
        return np.asarray(np.exp(-2 * (np.pi * full_width / GAUSS * t) ** 2))
    if shape == "lorentzian":
        return np.asarray(np.exp(-np.pi * full_width * np.abs(t)))
    return np.asarray(np.sinc(full_width * t) ** 2)


def half_width_seen(half_width: float, full_width: float, shape: str) -> float:
    """Half width at half maximum of a Lorentzian of this half width, folded with the resolution.

    >>> half_width_seen(0.2, 0.6, "lorentzian")
    0.5
    """
    if shape == "lorentzian":
        return half_width + full_width / 2
    top = _folded(0.0, half_width, full_width, shape)
    ends = max(half_width, full_width / 2), half_width + full_width / 2
    return float(optimize.brentq(lambda f: _folded(f, half_width, full_width, shape) - top / 2, 0.9 * ends[0], 1.1 * ends[1], xtol=1e-14 * ends[1]))


def _folded(f: float, half_width: float, full_width: float, shape: str) -> float:
    """The line at the frequency f: Voigt's, or the second difference of what a Lorentzian is after two integrations."""
    if shape == "gaussian":
        return float(special.voigt_profile(f, full_width / GAUSS, half_width))
    x = f + full_width * np.array([-1.0, 0.0, 1.0])
    twice = (x * np.arctan(x / half_width) - half_width / 2 * np.log(half_width**2 + x**2)) / np.pi
    return float(twice @ [1.0, -2.0, 1.0] / full_width**2)
