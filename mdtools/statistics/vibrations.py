"""What a density of states says: moments, harmonic thermodynamics, the fluidity of the two-phase model, jackknife over windows.

Densities are (..., frequency), frequencies even from 0. x = h f / k_B T. Energies are in k_B T, entropies in k_B, per mode.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["THERMODYNAMICS", "displacement", "fluidity", "integral", "jackknife", "jackknife_of_rows", "moment"]

Floats = NDArray[Any]


def integral(density: Floats, frequency: Floats) -> Floats:
    """By the trapezoidal rule, the rule by which a density is normalised."""
    return np.asarray(np.trapezoid(density, frequency, axis=-1))


def moment(density: Floats, frequency: Floats, power: float) -> Floats:
    """<f^power> over the density, power >= 0."""
    return integral(density * frequency**power, frequency) / integral(density, frequency)


def displacement(density: Floats, frequency: Floats, lowest: float) -> Floats:
    """int g / (2 pi f)^2 df: <u^2> is k_B T / (N m) times it. Below `lowest` g is taken as a f^2, with the integral that it has up to there.

    What a taper leaks from the lines above into f = 0 has no say: of the part below only the integral counts, and it is small.
    """
    edge = int(np.clip(np.searchsorted(frequency, lowest), 2, len(frequency) - 1))
    f = frequency[edge:]
    above = integral(density[..., edge:] / f**2, f)
    below = 3 * integral(density[..., : edge + 1], frequency[: edge + 1]) / frequency[edge] ** 2
    return (above + below) / (2 * np.pi) ** 2


def _at_zero(values: Floats, first: float) -> Floats:
    """A weight whose value at f = 0 is its mean over the half bin there, which is finite for logarithms."""
    out = np.asarray(values, dtype=np.float64).copy()
    out[..., 0] = first
    return out


def _free_energy(x: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return _at_zero(x / 2 + np.log(-np.expm1(-x)), np.log(x[1] / 2) - 1)


def _energy(x: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return _at_zero(x / 2 + x / np.expm1(x), 1.0)


def _heat_capacity(x: Floats) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):
        return _at_zero(np.square(x / 2 / np.sinh(np.minimum(x / 2, 300.0))), 1.0)


def _classical_free_energy(x: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return _at_zero(np.log(x), np.log(x[1] / 2) - 1)


# of one oscillator: quantum, then classical
THERMODYNAMICS: dict[str, Callable[[Floats], Floats]] = {
    "free_energy": _free_energy,
    "energy": _energy,
    "entropy": lambda x: _energy(x) - _free_energy(x),
    "heat_capacity": _heat_capacity,
    "free_energy_classical": _classical_free_energy,
    "entropy_classical": lambda x: 1.0 - _classical_free_energy(x),
}


def fluidity(delta: Floats) -> Floats:
    """f of 2 D^-9/2 f^15/2 - 6 D^-3 f^5 - D^-3/2 f^7/2 + 6 D^-3/2 f^5/2 + 2 f - 2 = 0, D the normalised diffusivity: 0 solid, 1 gas.

    Source: S.-T. Lin, M. Blanco, W. A. Goddard, J. Chem. Phys. 119, 11792 (2003), eq. 34.

    >>> fluidity(np.array([1e-4, 1e4])).round(2).tolist()
    [0.0, 1.0]
    """
    d = np.asarray(delta, dtype=np.float64)
    low, high = np.zeros(d.shape), np.ones(d.shape)
    root = np.maximum(d, 1e-12) ** 1.5
    for _ in range(60):
        f = (low + high) / 2
        over = 2 * f**7.5 / root**3 - 6 * f**5 / root**2 - f**3.5 / root + 6 * f**2.5 / root + 2 * f - 2 > 0
        low, high = np.where(over, low, f), np.where(over, f, high)
    return np.where(d > 0, (low + high) / 2, 0.0)


def jackknife(function: Callable[[Floats], Floats], windows: Floats) -> tuple[Floats, Floats]:
    """function of the mean over the windows (window, ...), less its bias of the first order, and its standard error."""
    return jackknife_of_rows(lambda rows: function(rows.mean(axis=0)), windows)


def jackknife_of_rows(function: Callable[[Floats], Floats], rows: Floats) -> tuple[Floats, Floats]:
    """function of all rows (row, ...), less its bias of the first order, and its standard error."""
    n = len(rows)
    left = np.array([function(np.delete(rows, k, axis=0)) for k in range(n)])
    mean = left.mean(axis=0)
    return n * function(rows) - (n - 1) * mean, np.sqrt((n - 1) / n * np.sum(np.square(left - mean), axis=0))
