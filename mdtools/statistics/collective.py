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

__all__ = ["SlopeMatrix", "line_weights", "slope_matrix", "wishart_covariance"]

Floats = NDArray[Any]
LAGS = 24  # in the fit
AXES = 3


@dataclass(frozen=True)
class SlopeMatrix:
    """Slope per frame and intercept (n, n) of the matrix, and the relative variance of the first slope."""

    slope: Floats
    intercept: Floats
    relative_variance: float


def line_weights(lags: Floats, *, n_frames: int, first: float, last: float, noise: float = 0.0) -> tuple[Floats, Floats, float]:
    """Which of `lags` (frames) a line from `first` to `last` is fitted to, the weights (2, lag) of intercept and slope, and the variance of the slope
    over its square for one walker along one axis in a window of n_frames; `noise` is the intercept over the slope."""
    lags = np.asarray(lags)
    inside = np.flatnonzero((lags >= max(first, 1)) & (lags <= max(last, 4 * first, first + 5)))
    chosen = inside[np.unique(np.geomspace(1, len(inside), min(LAGS, len(inside))).astype(int) - 1)]
    x = lags[chosen].astype(np.float64)
    design = np.stack([np.ones_like(x), x])
    covariance = walk_covariance(x, n_steps=n_frames - 1, noise=max(noise, 0.0))
    weighted = design @ np.linalg.inv(covariance + 1e-12 * np.diag(np.diag(covariance)))
    weights = np.linalg.solve(weighted @ design.T, weighted)
    return chosen, weights, float(weights[1] @ covariance @ weights[1])


def slope_matrix(lags: Floats, msd: Floats, *, n_frames: int, windows: int, first: float, last: float, noise: float = 0.0) -> SlopeMatrix:
    """Line through the lags from `first` to `last` (frames) of a matrix (lag, n, n), mean over all origins of `windows` windows of n_frames;
    noise : intercept over slope of the first path.

    >>> lags = np.arange(50)
    >>> round(float(slope_matrix(lags, 2.0 * lags[:, None, None], n_frames=100, windows=1, first=1, last=9).slope[0, 0]), 6)
    2.0
    """
    chosen, weights, variance = line_weights(lags, n_frames=n_frames, first=first, last=last, noise=noise)
    intercepts, slopes = np.einsum("jl,lab->jab", weights, msd[chosen])
    return SlopeMatrix(slopes, intercepts, variance / (AXES * windows))


def wishart_covariance(matrix: Floats, *, dof: float) -> Floats:
    """cov(W_ab, W_cd) = (W_ac W_bd + W_ad W_bc) / dof of a Wishart matrix with mean `matrix`.

    >>> float(wishart_covariance(np.array([[3.0]]), dof=2.0)[0, 0, 0, 0])
    9.0
    """
    return (np.einsum("ac,bd->abcd", matrix, matrix) + np.einsum("ad,bc->abcd", matrix, matrix)) / dof
