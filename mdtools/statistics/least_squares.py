"""Generalised least squares of a line with a known covariance, in closed form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

__all__ = ["Line", "agreement", "fit_line", "quality"]

Floats = NDArray[Any]


@dataclass(frozen=True)
class Line:
    """y = intercept + slope x. `weights` (2, point): estimate = weights y; chi2 over `dof`."""

    intercept: float
    slope: float
    covariance: Floats
    weights: Floats
    chi2: float
    dof: int


def fit_line(x: Floats, y: Floats, covariance: Floats, *, prior: tuple[float, float] | None = None) -> Line:
    """Minimise (y - A p)^T C^-1 (y - A p) over p = (intercept, slope).

    p = (A^T C^-1 A)^-1 A^T C^-1 y; with a Gaussian `prior` (mean, standard deviation) on the intercept one more row.
    C is scaled to unit diagonal and 1e-12 is added there: below what any MSD resolves, it keeps the Cholesky factor
    real where neighbouring lags hold the same information. Then `weights` refer to y alone, and the prior's pull is in
    `intercept` and `slope` only.
    """
    scale = 1.0 / np.sqrt(np.diag(covariance))
    factor = linalg.cholesky(covariance * np.outer(scale, scale) + 1e-12 * np.eye(len(x)), lower=True, check_finite=False)
    white = linalg.solve_triangular(factor, np.column_stack([np.ones(len(x)), x, y]) * scale[:, None], lower=True, check_finite=False)
    design, data = white[:, :2], white[:, 2]
    information = design.T @ design
    pull = np.zeros(2)
    if prior is not None:
        information = information + np.diag([prior[1] ** -2, 0.0])
        pull[0] = prior[0] / prior[1] ** 2
    inverse = _inverse(information)
    estimate = inverse @ (design.T @ data + pull)
    weights = inverse @ linalg.solve_triangular(factor, design, lower=True, trans=1, check_finite=False).T * scale
    chi2 = float(np.square(data - design @ estimate).sum())
    if prior is not None:
        chi2 += float(((estimate[0] - prior[0]) / prior[1]) ** 2)
    return Line(float(estimate[0]), float(estimate[1]), inverse, weights, chi2, len(x) - 2 + (prior is not None))


def _inverse(matrix: Floats) -> Floats:
    """Inverse of a symmetric 2 x 2 matrix, scaled first so that units do not matter."""
    scale = 1.0 / np.sqrt(np.diag(matrix))
    return np.linalg.inv(matrix * np.outer(scale, scale)) * np.outer(scale, scale)


def quality(chi2: float, dof: int) -> float:
    """Q = P(a worse chi^2); 0.5 is typical, below 0.01 the line does not hold.

    >>> round(quality(1.0, 1), 3)
    0.317
    """
    return float(stats.chi2.sf(chi2, dof))


def agreement(difference: Floats, covariance: Floats) -> float:
    """ln of the Gaussian density of `difference`, whose expectation is 0: how well two parts of the data agree.

    It is the weight of a range of data in an average over ranges: wide ranges have a small covariance and win as long
    as their two halves say the same. Source: criterion after Toraman, Fauconnier, Verstraelen, J. Chem. Inf. Model. (2025).
    """
    scale = 1.0 / np.sqrt(np.diag(covariance))
    correlation = covariance * np.outer(scale, scale)
    z = difference * scale
    sign, log_det = np.linalg.slogdet(correlation)
    return float(-0.5 * z @ np.linalg.solve(correlation, z) - 0.5 * log_det + np.log(scale).sum())
