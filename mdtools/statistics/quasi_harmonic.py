"""Equation of state from free energies at a few volumes: Birch and Murnaghan's form, which is linear in its numbers.

F(v, T) = sum_k a_k(T) y^k, y = (v / v_ref)^(-2/3): order 3 is their equation of the third order, of the second (B' = 4) order 2. Least squares whose
weights do not depend on T commutes with d/dT: entropies fitted in the same way are the exact derivative of the fitted free energy.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Thermal", "VolumeFit", "equilibrium"]

Floats = NDArray[Any]
HALVINGS = 60


@dataclass(frozen=True, eq=False)
class VolumeFit:
    """A polynomial of `order` in y through values at the volumes (run,)."""

    volume: Floats
    order: int

    @property
    def reference(self) -> float:
        return float(np.mean(self.volume))

    def y(self, volume: Floats) -> Floats:
        return np.asarray((volume / self.reference) ** (-2 / 3))

    def coefficients(self, values: Floats) -> Floats:
        """(order + 1, ...) of values (run, ...)."""
        made: Floats = np.linalg.lstsq(self._design, values.reshape(len(values), -1), rcond=None)[0]
        return made.reshape(self.order + 1, *values.shape[1:])

    def scatter(self, values: Floats) -> Floats:
        """Variance of values (run, ...) about their fit; 0 where it goes through all."""
        free = len(values) - self.order - 1
        left = values - np.tensordot(self._design, self.coefficients(values), axes=1)
        return np.asarray(np.sum(left**2, axis=0) / free if free > 0 else np.zeros(values.shape[1:]))

    @property
    def _design(self) -> Floats:
        return np.vander(self.y(self.volume), self.order + 1, increasing=True)


@dataclass(frozen=True, eq=False)
class Thermal:
    """At the volume of equilibrium (column,): energies in one unit, volumes in another, pressures in their ratio; NaN where it is outside.

    expansion : d ln v / dT. modulus : isothermal. heat : at constant volume.
    """

    volume: Floats
    gibbs: Floats
    expansion: Floats
    modulus: Floats
    heat: Floats


def equilibrium(static: Floats, free: Floats, entropy: Floats, heat: Floats, fits: tuple[VolumeFit, VolumeFit], *, pressure: float) -> Thermal:
    """Where -dF/dv is `pressure`, between the volumes that there are.

    static : (run, column) energies; a column is a temperature of a sample. free, entropy, heat : alike, of the vibrations.
    fits : of static energies, and of vibrations.

    >>> v = np.array([9.0, 9.5, 10.0, 10.5, 11.0])
    >>> none = np.zeros((5, 1))
    >>> fits = VolumeFit(v, 3), VolumeFit(v, 2)
    >>> found = equilibrium(((v[:, None] / 10) ** (-2 / 3) - 1) ** 2, none, none, none, fits, pressure=0.0)
    >>> round(float(found.volume[0]), 6), round(float(found.modulus[0]), 6)  # 8 / 9 v
    (10.0, 0.088889)
    """
    still, moving = fits
    terms = max(still.order, moving.order) + 1
    of_energy = np.zeros((terms, free.shape[1]))
    of_energy[: still.order + 1] += still.coefficients(static)
    of_energy[: moving.order + 1] += moving.coefficients(free)
    of_entropy, of_heat = moving.coefficients(entropy), moving.coefficients(heat)

    def exerted(volume: Floats) -> Floats:
        y = still.y(volume)
        return np.asarray(2 / 3 * y * _polynomial(of_energy, y, 1) / volume)

    low, high = (np.full(free.shape[1], end) for end in (still.volume.min(), still.volume.max()))
    inside = (exerted(low) >= pressure) & (exerted(high) <= pressure)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expands = exerted(middle) > pressure
        low, high = np.where(expands, middle, low), np.where(expands, high, middle)
    volume = np.where(inside, (low + high) / 2, np.nan)
    y = still.y(volume)
    first, second = y * _polynomial(of_energy, y, 1), y**2 * _polynomial(of_energy, y, 2)
    modulus = 2 / 3 * (5 / 3 * first + 2 / 3 * second) / volume
    slope = -2 / 3 * y * _polynomial(of_entropy, y, 1) / volume  # (dS/dv)_T = (dP/dT)_v
    return Thermal(volume, _polynomial(of_energy, y) + pressure * volume, slope / modulus, modulus, _polynomial(of_heat, y))


def _polynomial(coefficients: Floats, y: Floats, derivative: int = 0) -> Floats:
    """sum_k a_k y^k, or a derivative by y; coefficients (k, column)."""
    taken = np.polynomial.polynomial.polyder(coefficients, derivative)
    return np.asarray(np.polynomial.polynomial.polyval(y, taken, tensor=False))
