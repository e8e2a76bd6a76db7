"""What a spectrometer makes of a line: its resolution in time, and the width of a Lorentzian seen through it.

R(t) = int R(f) exp(2 pi i f t) df of a resolution of area 1 whose full width at half maximum is D, in cycles:

    gaussian    exp[-(pi D t)^2 / (4 ln 2)]
    lorentzian  exp(-pi D |t|)
    triangular  [sin(pi D t) / (pi D t)]^2

The spectrometer measures F(q, t) R(t): a product in time is the folding of spectra. A measured curve is straight between its points and 0
beyond them. F(q, t) of classical motion is even in time, so that the two sides of its line, averaged, are the line folded with the even part
of the resolution: nothing else is used of a curve that is not symmetric. Source: M. Bee, Quasielastic Neutron Scattering (Adam Hilger,
1988), chapter 3.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["SHAPES", "Curve", "Resolution", "Shape", "evened"]

Floats = NDArray[Any]
SHAPES = ("gaussian", "lorentzian", "triangular")
GAUSS = np.sqrt(8 * np.log(2))  # full width at half maximum of a Gaussian, in standard deviations
IMAGES = 8


class Resolution(Protocol):
    """A resolution of area 1, even in frequency."""

    @property
    def full_width(self) -> float:
        """Full width at half maximum, in cycles."""
        ...

    def damping(self, n: int, interval: float) -> Floats:
        """R at lags m = 0 ... n - 1 and at all their images m + j n: its transform is R(f) at k / (n dt), which is nowhere negative."""
        ...

    def half_width_seen(self, half_width: float) -> float:
        """Half width at half maximum of a Lorentzian of this half width, folded with the resolution."""
        ...


@dataclass(frozen=True)
class Shape:
    """A resolution that is known by its full width and its shape.

    >>> Shape(0.6, "lorentzian").half_width_seen(0.2)
    0.5
    """

    full_width: float
    shape: str = "gaussian"

    def in_time(self, t: Floats) -> Floats:
        """R(t), 1 at t = 0.

        >>> Shape(1.0, "triangular").in_time(np.array([0.0, 1.0])).round(12)
        array([1., 0.])
        """
        if self.shape == "gaussian":
            return np.asarray(np.exp(-2 * (np.pi * self.full_width / GAUSS * t) ** 2))
        if self.shape == "lorentzian":
            return np.asarray(np.exp(-np.pi * self.full_width * np.abs(t)))
        return np.asarray(np.sinc(self.full_width * t) ** 2)

    def damping(self, n: int, interval: float) -> Floats:
        if self.shape == "triangular":  # its images die away too slowly to be summed
            return _triangle(self.full_width).damping(n, interval)
        image = np.arange(-IMAGES, IMAGES + 1)[:, None] * n
        return np.asarray(self.in_time((np.arange(n) + image) * interval).sum(axis=0))

    def half_width_seen(self, half_width: float) -> float:
        if self.shape == "lorentzian":
            return half_width + self.full_width / 2
        if self.shape == "triangular":
            return _triangle(self.full_width).half_width_seen(half_width)
        sigma, ends = self.full_width / GAUSS, (max(half_width, self.full_width / 2), half_width + self.full_width / 2)
        top = special.voigt_profile(0.0, sigma, half_width)
        found = optimize.brentq(lambda f: special.voigt_profile(f, sigma, half_width) - top / 2, 0.9 * ends[0], 1.1 * ends[1], xtol=1e-14 * ends[1])
        return float(found)


@dataclass(frozen=True)
class Curve:
    """A resolution as it was measured: frequencies from -F to F, and values there, even, not negative, 0 at both ends, of area 1."""

    f: Floats
    values: Floats

    @property
    def full_width(self) -> float:
        """
        >>> round(_triangle(0.6).full_width, 12)
        0.6
        """
        half = self.values.max() / 2
        last = np.flatnonzero(self.values >= half)[-1]
        return 2 * float(np.interp(half, self.values[[last + 1, last]], self.f[[last + 1, last]]))

    def damping(self, n: int, interval: float) -> Floats:
        spacing = 1 / (n * interval)
        most = int(self.f[-1] / spacing)
        k = np.arange(-most, most + 1)
        folded = np.bincount(k % n, np.interp(k * spacing, self.f, self.values), minlength=n)
        return np.asarray(spacing * np.fft.fft(folded).real)

    def half_width_seen(self, half_width: float) -> float:
        slopes = np.concatenate([[0.0], np.diff(self.values) / np.diff(self.f), [0.0]])

        def folded(f: float) -> float:
            """int R(f') L(f - f') df': R'' is a change of slope at each point, and L integrated twice stands there."""
            x = f - self.f
            return float(np.diff(slopes) @ (x * np.arctan(x / half_width) - half_width / 2 * np.log(half_width**2 + x**2)) / np.pi)

        top, end = folded(0.0), half_width + self.full_width
        while folded(end) > top / 2:
            end *= 2
        return float(optimize.brentq(lambda f: folded(f) - top / 2, 0.0, end, xtol=1e-14 * end))


def _triangle(full_width: float) -> Curve:
    return Curve(full_width * np.array([-1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]) / full_width)


def evened(f: Floats, values: Floats) -> Curve:
    """The mean of a curve and its mirror image, with the area 1; f ascending. Negative values count as 0, and it ends at 0 a step further out."""
    f = np.concatenate([[2 * f[0] - f[1]], f, [2 * f[-1] - f[-2]]])
    values = np.concatenate([[0.0], np.maximum(values, 0.0), [0.0]])
    both = np.unique(np.concatenate([f, -f]))
    mean = 0.5 * (np.interp(both, f, values, left=0.0, right=0.0) + np.interp(-both, f, values, left=0.0, right=0.0))
    return Curve(both, mean / np.trapezoid(mean, both))
