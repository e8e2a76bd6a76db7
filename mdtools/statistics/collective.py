"""Slope of the matrix of mean squared displacements of a few collective paths, such as the dipoles of species.

Every element is the same linear combination of lags, so that sums of paths have sums of slopes. Weights: least squares with the
exact covariance of one walker whose mean squared displacement is that of the first path. Gaussian paths: the slope matrix is
Wishart distributed, with as many degrees of freedom as the relative error of the first slope has.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.covariance import walk_covariance

__all__ = ["SlopeMatrix", "slope_matrix", "wishart_covariance"]

Floats = NDArray[Any]
LAGS = 24  # in the fit
AXES = 3
PASSES = 3


@dataclass(frozen=True)
class SlopeMatrix:
    """Slope per frame and intercept (n, n) of the matrix, and the relative variance of the first slope."""

    slope: Floats
    intercept: Floats
    relative_variance: float


def slope_matrix(lags: Floats, msd: Floats, *, n_frames: int, windows: int, first: float, last: float) -> SlopeMatrix:
    """Line through the lags from `first` to `last` (frames) of a matrix (lag, n, n), mean over all origins of `windows` windows of n_frames.

    >>> lags = np.arange(50)
    >>> round(float(slope_matrix(lags, 2.0 * lags[:, None, None], n_frames=100, windows=1, first=1, last=9).slope[0, 0]), 6)
    2.0
    """
    lags = np.asarray(lags)
    inside = np.flatnonzero((lags >= max(first, 1)) & (lags <= max(last, 4 * first, first + 5)))
    chosen = inside[np.unique(np.geomspace(1, len(inside), min(LAGS, len(inside))).astype(int) - 1)]
    x, total = lags[chosen].astype(np.float64), msd[chosen, 0, 0]
    design = np.stack([np.ones_like(x), x])
    steepest = float(total[-1] / x[-1])
    slope, noise = steepest, 0.0
    for _ in range(PASSES):
        covariance = walk_covariance(lags[chosen], n_steps=n_frames - 1, step_variance=slope / AXES, noise=noise / AXES)
        weighted = design @ np.linalg.inv(covariance + 1e-12 * np.diag(np.diag(covariance)))
        weights = np.linalg.solve(weighted @ design.T, weighted)
        offset, slope = (weights @ total).tolist()
        slope, noise = max(slope, 1e-3 * steepest), max(offset, 0.0)
    variance = float(weights[1] @ covariance @ weights[1]) * AXES / windows
    intercepts, slopes = np.einsum("jl,lab->jab", weights, msd[chosen])
    return SlopeMatrix(slopes, intercepts, variance / slope**2)


def wishart_covariance(matrix: Floats, *, dof: float) -> Floats:
    """cov(W_ab, W_cd) = (W_ac W_bd + W_ad W_bc) / dof of a Wishart matrix with mean `matrix`.

    >>> float(wishart_covariance(np.array([[3.0]]), dof=2.0)[0, 0, 0, 0])
    9.0
    """
    return (np.einsum("ac,bd->abcd", matrix, matrix) + np.einsum("ad,bc->abcd", matrix, matrix)) / dof
