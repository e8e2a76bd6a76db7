"""Matrix of the parts of one collective current, from the dipoles of the parts and from their cross-spectra, with the covariance of its elements.

The parts are turned to (all together, all that move but the last one), since the total matters most; parts that do not move carry nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.collective import slope_matrix, wishart_covariance
from mdtools.statistics.conductivity import apart, variance_of_mean
from mdtools.statistics.cross_spectral import ZeroFrequencyMatrix
from mdtools.statistics.diffusion import Diffusion

__all__ = ["LEVEL", "Shares", "basis", "by_current", "by_dipole", "combined", "difference", "neutral"]

Floats = NDArray[Any]
LEVEL = 1.96
ROUNDING = 1e-5  # of a share: what numbers of single precision leave of one that is exact


@dataclass(frozen=True)
class Shares:
    """A matrix S (part, part) in any unit with the covariance of its elements (4 indices); intercept : of lines, in the turned basis."""

    value: Floats
    covariance: Floats
    intercept: Floats | None = None

    @property
    def total(self) -> float:
        return float(self.value.sum())

    @property
    def shares(self) -> Floats:
        return np.asarray(self.value.sum(axis=1) / self.total)

    @property
    def shares_covariance(self) -> Floats:
        """t_a = S_a / S: dt_a = (dS_a - t_a dS) / S."""
        of_sums = self.covariance.sum(axis=(1, 3))
        turn = np.eye(len(self.value)) - self.shares[:, None]
        return np.asarray(turn @ of_sums @ turn.T / self.total**2)

    @property
    def relative(self) -> float:
        """Standard error of the shares over (S_ab / S - t_a t_b)^(1/2), all together; 1 where they are known but for rounding."""
        spread = np.trace(self.value) / self.total - np.square(self.shares).sum()
        scatter = np.trace(self.shares_covariance)
        return float(np.sqrt(scatter / spread)) if min(scatter, spread) > ROUNDING**2 else 1.0

    def scaled_to(self, total: float, stderr: float) -> "Shares":
        """The matrix with another total, whose error replaces that of the total of this one.

        S_ab = S t_a t_b + R_ab: the total is independent of shares and rest.
        """
        outer = np.outer(self.shares, self.shares)
        own = self.covariance.sum() / self.total**2
        factor = total / self.total
        rest = self.covariance - own * np.multiply.outer(outer, outer) * self.total**2
        return Shares(factor * self.value, factor**2 * rest + stderr**2 * np.multiply.outer(outer, outer))


def basis(moving: Floats, n: int) -> tuple[Floats, Floats]:
    """What takes the n parts to the turned basis (row, n), and back (n, row)."""
    forth = np.zeros((len(moving), n))
    forth[0] = 1
    back = np.zeros((n, len(moving)))
    for row, a in enumerate(moving[:-1], start=1):
        forth[row, a] = back[a, row] = 1
    back[moving[-1], 0] = 1
    back[moving[-1], 1:] = -1
    return forth, back


def by_dipole(lags: Floats, dipoles: Floats, moving: Floats, dipole: Diffusion, *, n_frames: int, windows: int) -> Shares:
    """From <dP_a . dP_b> (lag, n, n) over the lags of the line of the whole dipole."""
    forth, back = basis(moving, dipoles.shape[-1])
    line = slope_matrix(
        lags,
        forth @ dipoles @ forth.T,
        n_frames=n_frames,
        windows=windows,
        first=dipole.lag_first,
        last=dipole.lag_last,
        noise=dipole.intercept / dipole.slope,
    )
    slope = _positive(line.slope)
    relative = max(line.relative_variance, (dipole.stderr / dipole.slope) ** 2)
    return _back(slope, wishart_covariance(slope, dof=2 / relative), back, line.intercept)


def by_current(limit: ZeroFrequencyMatrix, dipole: Shares, moving: Floats, *, duration: float) -> Shares | None:
    """From S(0) in the turned basis less what the ends of windows of `duration` add to it; None where nothing is left of the total."""
    assert dipole.intercept is not None
    value = _positive(limit.value - dipole.intercept / duration)
    return _back(value, limit.covariance, basis(moving, len(dipole.value))[1]) if value[0, 0] > 0 else None


def neutral(lags: Floats, dipoles: Floats, moving: Floats, bound: float, *, n_frames: int, windows: int, dipole: Diffusion) -> Shares:
    """The matrix where the total does not move: S_ab of all parts but the last from their own dipoles, whose line `dipole` is that of the first
    one, and rows that sum to nothing, within `bound` (a 95 % bound of the total, per frame)."""
    forth, back = basis(moving, dipoles.shape[-1])
    part = forth[1:] @ dipoles @ forth[1:].T
    noise = dipole.intercept / dipole.slope
    line = slope_matrix(lags, part, n_frames=n_frames, windows=windows, first=dipole.lag_first, last=dipole.lag_last, noise=noise)
    value = np.zeros((len(moving), len(moving)))
    value[1:, 1:] = _positive(line.slope)
    spread = value.copy()
    spread[0, 0] = bound / LEVEL
    covariance = wishart_covariance(spread, dof=2 / max(line.relative_variance, (dipole.stderr / dipole.slope) ** 2))
    covariance[0, 0, 0, 0] = spread[0, 0] ** 2
    return _back(value, covariance, back)


def combined(first: Shares, second: Shares | None, weight: float, correlation: float) -> Shares:
    """The mean of two routes of one run, of a total of 1 without an error, by the `weight` that the first one has in the total.

    One combination of the routes makes the total and all shares. A weight from the errors of the shares would favour the route whose error is too
    low by chance: a range of frequencies that is too wide has a share that is off and an error that is small. Of a Wishart matrix of nu degrees of
    freedom shares have the covariance (S_ab / S - t_a t_b) / nu, and so has their mean, of the nu of the mean.
    """
    if second is None:
        return first.scaled_to(1.0, 0.0)
    a, b = first.relative, second.relative
    unit = [one.scaled_to(1.0, 0.0) for one in (first, second)]
    each = [one.covariance / error**2 for one, error in zip(unit, (a, b), strict=True)]
    square_apart = np.square(difference(first, second, correlation)).max() * apart(a, b, correlation)
    variance = variance_of_mean(weight, a, b, correlation, square_apart)
    return Shares(weight * unit[0].value + (1 - weight) * unit[1].value, variance * (weight * each[0] + (1 - weight) * each[1]))


def difference(first: Shares, second: Shares | None, correlation: float) -> Floats:
    """Of the shares by two routes, in units of the stderr of that difference; NaN where one is missing."""
    if second is None:
        return np.full(len(first.value), np.nan)
    a, b = first.relative, second.relative
    unit = (np.diag(first.shares_covariance) / a**2 + np.diag(second.shares_covariance) / b**2) / 2
    variance = np.maximum(unit, 0.0) * apart(a, b, correlation)
    return np.asarray((first.shares - second.shares) / np.sqrt(variance + ROUNDING**2))


def _back(value: Floats, covariance: Floats, back: Floats, intercept: Floats | None = None) -> Shares:
    turned = np.einsum("ap,bq,pqrs,cr,ds->abcd", back, back, covariance, back, back, optimize=True)
    return Shares(back @ value @ back.T, turned, intercept)


def _positive(matrix: Floats) -> Floats:
    """The first diagonal element and the row beside it as they are, and of the rest what is positive semidefinite."""
    if matrix[0, 0] <= 0:
        return matrix
    shares = matrix[:, 0] / matrix[0, 0]
    rest = matrix - matrix[0, 0] * np.outer(shares, shares)
    values, vectors = np.linalg.eigh((rest + rest.T) / 2)
    return np.asarray(matrix[0, 0] * np.outer(shares, shares) + (vectors * np.maximum(values, 0.0)) @ vectors.T)
