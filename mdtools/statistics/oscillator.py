"""Spectra of one mode: damped oscillator, oscillator with a relaxing neighbour, Lorentzian; exact means of their periodograms.

Every model is the correlation of the coordinate, c(t) = A sum_j r_j exp(z_j t), z_j the roots of D and r_j = N / D' there:

    oscillator    Q'' + G Q' + W^2 Q = noise:      D = z^2 + G z + W^2, N = z + G
    central peak  friction G + d exp(-t / tau):    D = (z + 1/tau)(z^2 + G z + W^2) + d z, N = (z + G)(z + 1/tau) + d
    lorentzian    A exp(-G t / 2) cos(W t)

so that W^2 is the static stiffness k_B T / A of the mode for both oscillators, and W^2 + d the stiffness that fast vibrations feel.
The correlation of the velocity is -c''. Of a run sampled every dt, with a taper w, the mean of the periodogram is

    S_k = dt sum_m c(m dt) [sum_j w_j w_(j+m) / sum_j w_j^2] exp(-2 pi i k m / n)

which holds what the window and the sampling do to the spectrum: nothing has to be deconvolved. Ordinates are Gamma distributed
about it, -ln L = (1/b) sum_k kappa_k [ln S_k + P_k / S_k], kappa the number of independent series (half at f = 0 and at the Nyquist
frequency), b = n sum w^4 / (sum w^2)^2 what neighbours share (1 without taper). Source: reference/science.md B7; expected
periodograms in Whittle's likelihood: Sykulski, Olhede, Guillaumin, Lilly, Early, Biometrika 106, 251 (2019).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODELS", "Sampling", "Spectrum", "correlation", "rates"]

Floats = NDArray[Any]
MODELS = ("oscillator", "central peak", "lorentzian")
CRITICAL = 1e-5  # roots closer than this, in units of their size, are moved apart: partial fractions would cancel


def rates(model: str, theta: Floats) -> tuple[Floats, Floats]:
    """Roots z_j (1/ps) and residues r_j of the correlation, sum r_j = 1. theta : ln of A, W^2, G (and d, 1/tau)."""
    numbers = np.exp(np.asarray(theta, dtype=np.float64))
    stiffness, friction = numbers[1], numbers[2]
    if model == "lorentzian":
        z = -friction / 2 + 1j * np.sqrt(stiffness) * np.array([1.0, -1.0])
        return z, np.full(2, 0.5 + 0j)
    if model == "oscillator":
        denominator, numerator = np.array([1.0, friction, stiffness]), np.array([1.0, friction])
    else:
        extra, rate = numbers[3], numbers[4]
        denominator = np.array([1.0, friction + rate, stiffness + friction * rate + extra, stiffness * rate])
        numerator = np.array([1.0, friction + rate, friction * rate + extra])
    z = _apart(np.roots(denominator).astype(np.complex128))
    slope = np.array([np.prod(one - np.delete(z, k)) for k, one in enumerate(z)])
    return z, np.polyval(numerator, z) / slope


def correlation(model: str, theta: Floats, interval: float, n: int, *, velocity: bool = False) -> Floats:
    """c(t) of the coordinate, or -c''(t) of the velocity, at t = 0, interval, ... (n - 1) interval."""
    z, residue = rates(model, theta)
    weight = np.exp(theta[0]) * (-residue * z**2 if velocity else residue)
    few = math.isqrt(n - 1) + 1  # exp(z t) of a step of few frames times that of the frames within it
    coarse = np.exp(np.multiply.outer(np.arange(-(-n // few)) * few * interval, z)) * weight
    fine = np.exp(np.multiply.outer(z, np.arange(few) * interval))
    return np.asarray(np.real(coarse @ fine).ravel()[:n])


def _apart(z: Floats) -> Floats:
    for j in range(1, len(z)):
        for k in range(j):
            if abs(z[j] - z[k]) < CRITICAL * (abs(z[j]) + abs(z[k])):
                z[j], z[k] = z[j] * (1 + CRITICAL), z[k] * (1 - CRITICAL)
    return z


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a spectrum was made: time between frames, taper of a window (frame,), and whether it is that of the velocity."""

    interval: float
    taper: Floats
    velocity: bool = False

    @property
    def n(self) -> int:
        return len(self.taper)

    @property
    def frequency(self) -> Floats:
        return np.arange(self.n // 2 + 1) / (self.n * self.interval)

    @property
    def shared(self) -> float:
        """b: how many ordinates count as one."""
        return float(self.n * np.sum(self.taper**4) / np.sum(self.taper**2) ** 2)

    @property
    def overlap(self) -> Floats:
        """sum_j w_j w_(j+m) / sum_j w_j^2 for m = 0 ... n - 1."""
        transform = np.fft.rfft(self.taper, 2 * self.n)
        found = np.fft.irfft(transform.real**2 + transform.imag**2, 2 * self.n)[: self.n]
        return np.asarray(found / found[0])


class Spectrum:
    """Mean periodogram of a model, as a function of its numbers."""

    def __init__(self, model: str, sampling: Sampling) -> None:
        self.model, self.sampling = model, sampling
        self._overlap = sampling.overlap

    def __call__(self, theta: Floats) -> Floats:
        """S_k (frequency,) of the frequencies of the sampling."""
        c = correlation(self.model, theta, self.sampling.interval, self.sampling.n, velocity=self.sampling.velocity) * self._overlap
        n = len(c)
        folded = c + np.concatenate([[0.0], c[:0:-1]])  # lags m and m - n have one phase
        return np.asarray(self.sampling.interval * np.fft.rfft(folded, n).real)

    def logarithm(self, theta: Floats, *, step: float = 1e-4) -> tuple[Floats, Floats]:
        """ln S (frequency,) and its derivatives (number, frequency), by central differences."""
        value = self._logarithm(theta)
        slopes = [np.ones_like(value)]  # S is proportional to A
        for k in range(1, len(theta)):
            shift = step * (np.arange(len(theta)) == k)
            slopes.append((self._logarithm(theta + shift) - self._logarithm(theta - shift)) / (2 * step))
        return value, np.stack(slopes)

    def _logarithm(self, theta: Floats) -> Floats:
        value = self(theta)
        return np.log(np.maximum(value, 1e-14 * value.max()))  # rounding may make the tail of a steep spectrum negative
