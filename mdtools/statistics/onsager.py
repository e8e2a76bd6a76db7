"""Matrix of the parts of one collective current, from the dipoles of the parts and from their cross-spectra, with the covariance of its elements.

The parts are turned to (all together, all that move but the last one), since the total matters most; parts that do not move carry nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.collective import slope_matrix, wishart_covariance
from mdtools.statistics.cross_spectral import ZeroFrequencyMatrix
from mdtools.statistics.diffusion import Diffusion

__all__ = ["LEVEL", "Shares", "basis", "by_current", "by_dipole", "chosen", "difference", "neutral"]

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
    def scatter(self) -> float:
        return float(np.trace(self.shares_covariance))

    def scaled_to(self, total: float, stderr: float, *, stretch: float = 1.0) -> "Shares":
        """The matrix with another total, whose error replaces that of the total of this one; `stretch` is of the variance of the rest.

        S_ab = S t_a t_b + R_ab: the total is independent of shares and rest.
        """
        outer = np.outer(self.shares, self.shares)
        own = self.covariance.sum() / self.total**2
        factor = total / self.total
        rest = self.covariance - own * np.multiply.outer(outer, outer) * self.total**2
        return Shares(factor * self.value, stretch * factor**2 * rest + stderr**2 * np.multiply.outer(outer, outer))


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


def chosen(first: Shares, second: Shares | None) -> tuple[Shares, float]:
    """The route with the smaller errors of the shares, and a factor for their variance: of two routes from one run the better one errs by no less
    than both scatter about their mean."""
    if second is None:
        return first, 1.0
    best, other = (second, first) if second.scatter < first.scatter else (first, second)
    if not np.nanmax(np.abs(difference(first, second))) > LEVEL:
        return best, 1.0
    weight = 1 / (1 + best.scatter / max(other.scatter, 1e-300))
    apart = np.square(best.shares - other.shares).sum()
    return best, float(max(1.0, weight * (1 - weight) * apart / max(best.scatter, 1e-300)))


def difference(first: Shares, second: Shares | None) -> Floats:
    """Of the shares by two routes, in units of the combined stderr; NaN where one is missing."""
    if second is None:
        return np.full(len(first.value), np.nan)
    variance = np.diag(first.shares_covariance) + np.diag(second.shares_covariance)
    return np.asarray((first.shares - second.shares) / np.sqrt(np.maximum(variance, 0.0) + ROUNDING**2))


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
