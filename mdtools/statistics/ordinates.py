"""Spectra of F_s in windows, and what the same windows, seen through the same resolution, make of any model of it.

The periodogram of one window of L frames is the transform of its circular correlation c(m) = (1 - m/L) F(m) + m/L F(L - m), so its
mean under a model is the same transform of the model: what a finite window does to a line is part of the model, not a bias.
A resolution multiplies c by R(t) and its images, R summed over t + j L dt, which smooths the periodogram and keeps it positive.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.resolution import Resolution

__all__ = ["NARROWEST", "Ordinates", "ordinates"]

Floats = NDArray[Any]
NARROWEST = 0.05  # of the width of the resolution: a line narrower than that is elastic to the spectrometer


@dataclass(frozen=True)
class Ordinates:
    """Periodograms (window, q, frequency) at the lowest frequencies, and what belongs to them."""

    values: Floats
    kappa: Floats  # (q,) of one window
    q: Floats
    n: int  # frames of a window
    interval: float
    damping: Floats | None = None  # (lag,) of the circular correlation, by the resolution
    full_width: float = 0.0  # of the resolution

    @property
    def weight(self) -> Floats:
        """(q, frequency) of one window: neighbours that a resolution makes alike share the weight of one."""
        w = np.ones(self.values.shape[-1])
        w[0] = 0.5
        return self.kappa[:, None] * w * (1.0 if self.damping is None else np.mean(self.damping**2) / self.damping[0] ** 2)

    @property
    def time(self) -> Floats:
        return np.arange(self.n) * self.interval

    @property
    def hidden(self) -> float:
        """Rate of a relaxation whose line is too narrow for the resolution."""
        return np.pi * NARROWEST * self.full_width

    @property
    def slowest(self) -> float:
        """Rate below which a relaxation is taken for none: one over a window, or what the resolution hides."""
        return max(1 / (self.n * self.interval), self.hidden)

    def of_model(self, correlation: Floats) -> Floats:
        """Mean of the ordinates of a model of F (..., lag)."""
        return _transform(correlation, self.interval, self.damping)[..., : self.values.shape[-1]]


def ordinates(correlation: Floats, q: Floats, *, interval: float, highest: float, resolution: Resolution | None = None) -> Ordinates:
    """Periodograms up to the frequency `highest` of F_s (window, q, lag) at every lag of its windows, seen through a resolution."""
    n = correlation.shape[-1]
    damping = None if resolution is None else resolution.damping(n, interval)
    each = _transform(correlation, interval, damping)[..., : max(4, int(highest * n * interval) + 1)]
    each = np.maximum(each, 1e-12 * each.max())  # ions that do not move have nothing at other frequencies
    scatter = np.mean((each.var(axis=0, ddof=1) / each.mean(axis=0) ** 2)[:, 1:], axis=-1)
    full_width = 0.0 if resolution is None else resolution.full_width
    return Ordinates(each, 1 / np.maximum(scatter, 1e-6), np.asarray(q), n, interval, damping, full_width)


def _transform(correlation: Floats, interval: float, damping: Floats | None) -> Floats:
    """dt sum_m c(m) cos(2 pi k m / L) of the circular correlation c, damped, k = 0 ... L/2."""
    n = correlation.shape[-1]
    share = np.arange(n) / n
    back = np.concatenate([correlation[..., :1], correlation[..., :0:-1]], axis=-1)
    circular = (1 - share) * correlation + share * back
    return np.asarray(interval * np.fft.rfft(circular if damping is None else circular * damping, axis=-1).real)
