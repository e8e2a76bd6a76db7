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
    C is scaled to unit diagonal and 1e-12 is added there, or as many powers of ten more as its Cholesky factor needs to be
    real: neighbouring lags of a smooth path hold the same information, and a C made from data may
    miss that by rounding. Then `weights` refer to y alone, and the prior's pull is in
    `intercept` and `slope` only.
    """
    scale = 1.0 / np.sqrt(np.diag(covariance))
    factor = _factor(covariance * np.outer(scale, scale))
    # not solve_triangular: its BLAS starts threads for a 50 x 50 matrix and is a hundred times slower where cores are busy
    white = np.linalg.solve(factor, np.column_stack([np.ones(len(x)), x, y]) * scale[:, None])
    design, data = white[:, :2], white[:, 2]
    information = design.T @ design
    pull = np.zeros(2)
    if prior is not None:
        information = information + np.diag([prior[1] ** -2, 0.0])
        pull[0] = prior[0] / prior[1] ** 2
    inverse = _inverse(information)
    estimate = inverse @ (design.T @ data + pull)
    weights = inverse @ np.linalg.solve(factor.T, design).T * scale
    chi2 = float(np.square(data - design @ estimate).sum())
    if prior is not None:
        chi2 += float(((estimate[0] - prior[0]) / prior[1]) ** 2)
    return Line(float(estimate[0]), float(estimate[1]), inverse, weights, chi2, len(x) - 2 + (prior is not None))


def _factor(correlation: Floats) -> Floats:
    """Lower Cholesky factor of a matrix of unit diagonal with the smallest ridge, from 1e-12 up, that makes it positive definite."""
    for ridge in np.geomspace(1e-12, 1e-1, 12):
        try:
            return linalg.cholesky(correlation + ridge * np.eye(len(correlation)), lower=True, check_finite=False)
        except linalg.LinAlgError:
            continue
    return np.sqrt(np.diag(np.diag(correlation)))  # no matrix of covariances at all: each point by itself


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


def agreement(difference: Floats, covariance: Floats, variance: float) -> float:
    """ln of the weight of a range of data in an average over ranges, -max(0, chi^2 - 2) - ln variance.

    difference : of the two parameters from the two halves of the range, expected to be 0 with `covariance`; chi^2 is
        theirs. variance : of the number that is averaged.
    Ranges count by their precision while the halves differ by no more than two parameters do by chance (chi^2 = 2), and
    quickly cease to count beyond: a lenient weight would follow the noise, and what it follows widens the error.
    Comparing halves is an idea of Toraman, Fauconnier, Verstraelen, J. Chem. Inf. Model. (2025), 10.1021/acs.jcim.5c01475.
    """
    scale = 1.0 / np.sqrt(np.diag(covariance))
    z = difference * scale
    chi2 = float(z @ np.linalg.solve(covariance * np.outer(scale, scale), z))
    return -max(0.0, chi2 - 2) - float(np.log(variance))
