"""Generalised least squares of lines with known covariances, in closed form, for any number of data sets at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Line", "NestedLines", "fit_line", "nested_lines", "quality", "worst_chi2"]

Floats = NDArray[Any]
Prior = tuple[float, float] | None
UNKNOWN = 1e200  # variance of what is not determined


@dataclass(frozen=True)
class Line:
    """y = intercept + slope x, arrays (...). `weights` (..., 2, point): estimate = weights y; chi2 (...) over `dof`."""

    intercept: Any
    slope: Any
    covariance: Floats
    weights: Floats
    chi2: Any
    dof: int


@dataclass(frozen=True)
class NestedLines:
    """Lines through points[k:] for every k: estimates (..., k, 2), covariances (..., k, 2, 2), chi2 (..., k) over dof (k,).

    Those of fewer than two points are not there to be used. `mean_weights` takes linear combinations of them back to the points.
    """

    estimate: Floats
    covariance: Floats
    chi2: Floats
    dof: Floats
    whitened: Floats
    factor: Floats
    scale: Floats
    rough: Floats
    prior_pull: Floats
    prior_square: Floats

    def mean_weights(self, share: Floats) -> Floats:
        """Weights (..., 2, point) of sum_k share_k estimate_k, share (..., k), on the data; a prior's pull is not in them."""
        inner = np.cumsum(share[..., None, None] * self.covariance, axis=-3)
        return np.swapaxes(self._back(np.einsum("...kab,...kb->...ka", inner, self.whitened)), -1, -2)

    def again(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Slopes and chi^2 (..., draw, k) of other data y (..., draw, point) with the same covariance."""
        columns = y - self.rough[..., None, :1] - self.rough[..., None, 1:] * x
        white = np.linalg.solve(self.factor, (columns * self.scale[..., None, :])[..., ::-1].swapaxes(-1, -2))[..., ::-1, :]
        pull = np.cumsum((white[..., :, None, :] * self.whitened[..., :, :, None])[..., ::-1, :, :], axis=-3)[..., ::-1, :, :]
        square = np.cumsum(np.square(white)[..., ::-1, :], axis=-2)[..., ::-1, :]
        pull = pull + self.prior_pull[..., None, :, None]
        slope, offset = (np.einsum("...kb,...kbd->...kd", self.covariance[..., a, :], pull) for a in (1, 0))
        chi2 = np.maximum(square + self.prior_square[..., None, None] - slope * pull[..., 1, :] - offset * pull[..., 0, :], 0.0)
        return (slope + self.rough[..., None, 1:]).swapaxes(-1, -2), chi2.swapaxes(-1, -2)

    def _back(self, on_white: Floats) -> Floats:
        """(..., point, column) of whitened data on the data."""
        return np.asarray(np.linalg.solve(np.swapaxes(self.factor, -1, -2), on_white[..., ::-1, :])[..., ::-1, :] * self.scale[..., None])


def fit_line(x: Floats, y: Floats, covariance: Floats, *, prior: Prior = None) -> Line:
    """Minimise (y - A p)^T C^-1 (y - A p) over p = (intercept, slope).

    p = (A^T C^-1 A)^-1 A^T C^-1 y; with a Gaussian `prior` (mean, standard deviation) on the intercept one more row. Then
    `weights` refer to y alone, and the prior's pull is in `intercept` and `slope` only.
    x : (point,). y : (..., point). covariance : (..., point, point).
    """
    nested = nested_lines(x, y, covariance, prior=prior)
    whole = np.zeros(nested.chi2.shape)
    whole[..., 0] = 1.0
    return Line(
        intercept=nested.estimate[..., 0, 0],
        slope=nested.estimate[..., 0, 1],
        covariance=nested.covariance[..., 0, :, :],
        weights=nested.mean_weights(whole),
        chi2=nested.chi2[..., 0],
        dof=int(nested.dof[0]),
    )


def nested_lines(x: Floats, y: Floats, covariance: Floats, *, prior: Prior = None) -> NestedLines:
    """The lines of `fit_line` through the last points, for every first point, from one Cholesky factor.

    With the points in reverse order, the factor of the covariance of the last points is a leading block of that of all, and what it
    whitens are the first rows: every sum over points is a cumulative one.
    x : (point,). y : (..., point). covariance : (..., point, point); scaled to unit diagonal, 1e-12 is added there, or as many powers
    of ten more as its Cholesky factor needs to be real: neighbouring lags of a smooth path hold the same information,
    and a C made from data may miss that by rounding.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    scale = 1.0 / np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    factor = _factor((covariance * scale[..., :, None] * scale[..., None, :])[..., ::-1, ::-1])
    rough = _rough(x, y)  # taken off first, so that chi^2 is no difference of large numbers
    columns = np.stack(np.broadcast_arrays(1.0, x, y - rough[..., :1] - rough[..., 1:] * x), axis=-1) * scale[..., None]
    white = np.linalg.solve(factor, columns[..., ::-1, :])[..., ::-1, :]
    sums = np.cumsum((white[..., :, None] * white[..., None, :])[..., ::-1, :, :], axis=-3)[..., ::-1, :, :]
    information, pull, square = sums[..., :2, :2].copy(), sums[..., :2, 2].copy(), sums[..., 2, 2]
    prior_pull, prior_square = np.zeros(rough.shape), np.zeros(rough.shape[:-1])
    if prior is not None:
        information[..., 0, 0] += prior[1] ** -2
        prior_pull[..., 0] = (prior[0] - rough[..., 0]) / prior[1] ** 2
        prior_square = np.square((prior[0] - rough[..., 0]) / prior[1])
        pull, square = pull + prior_pull[..., None, :], square + prior_square[..., None]
    inverse = _inverse(information)
    estimate = np.einsum("...ab,...b->...a", inverse, pull)
    chi2 = np.maximum(square - np.einsum("...a,...a->...", estimate, pull), 0.0)
    dof = np.arange(len(x), 0, -1) - 2 + (prior is not None)
    return NestedLines(estimate + rough[..., None, :], inverse, chi2, dof, white[..., :2], factor, scale, rough, prior_pull, prior_square)


def _rough(x: Floats, y: Floats) -> Floats:
    """(intercept, slope) of the line through the first and the last point, (..., 2)."""
    slope = (y[..., -1] - y[..., 0]) / (x[-1] - x[0]) if len(x) > 1 else np.zeros(y.shape[:-1])
    return np.stack([y[..., -1] - slope * x[-1], slope], axis=-1)


def _factor(correlation: Floats) -> Floats:
    """Lower Cholesky factors of matrices of unit diagonal with the smallest ridge, from 1e-12 up, that makes each positive definite."""
    one = np.eye(correlation.shape[-1])
    try:
        return np.linalg.cholesky(correlation + 1e-12 * one)
    except np.linalg.LinAlgError:
        if correlation.ndim > 2:
            return np.stack([_factor(part) for part in correlation])
    for ridge in np.geomspace(1e-11, 1e-1, 11):
        try:
            return np.linalg.cholesky(correlation + ridge * one)
        except np.linalg.LinAlgError:
            continue
    return one  # no matrix of covariances at all: each point by itself


def _inverse(matrix: Floats) -> Floats:
    """Inverses of symmetric 2 x 2 matrices (..., 2, 2); UNKNOWN on the diagonal of those that have none."""
    a, b, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    determinant = a * d - b * b
    sound = determinant > 1e-13 * a * d
    adjugate = np.stack([np.stack([d, -b], axis=-1), np.stack([-b, a], axis=-1)], axis=-2)
    return np.where(sound[..., None, None], adjugate / np.where(sound, determinant, 1.0)[..., None, None], UNKNOWN * np.eye(2))


def quality(chi2: Any, dof: Any, scale_dof: Any = np.inf) -> Any:
    """Q = P(a worse chi^2); 0.5 is typical, below 0.01 the line does not hold. The covariance may be known up to a factor that
    was estimated with `scale_dof` degrees of freedom: then chi^2 / dof has the distribution F.

    >>> round(float(quality(1.0, 1)), 3), round(float(quality(1.0, 1, 4.0)), 3)
    (0.317, 0.374)
    """
    known = np.asarray(scale_dof) > 1e6
    return np.where(known, special.chdtrc(dof, chi2), special.fdtrc(dof, np.where(known, 1.0, scale_dof), chi2 / np.maximum(dof, 1)))


def worst_chi2(limit: float, dof: Any, scale_dof: Any = np.inf) -> Any:
    """chi^2 at which `quality` falls to `limit`.

    >>> bool(np.isclose(quality(worst_chi2(0.01, 5, 7.0), 5, 7.0), 0.01)), bool(np.isclose(quality(worst_chi2(0.01, 5), 5), 0.01))
    (True, True)
    """
    known, some = np.asarray(scale_dof) > 1e6, np.maximum(dof, 1)
    return np.where(known, special.chdtri(some, limit), some * special.fdtri(some, np.where(known, 1.0, scale_dof), 1 - limit))
