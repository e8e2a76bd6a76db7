"""Draws from a posterior whose logarithm is known at a price, about its maximum: importance sampling in three rounds.

First from Student's t about the maximum, wider than the Gaussian there; then from those with mean and covariance of what the rounds before found.
All are weighted against their mixture (the balance heuristic), so that no tail is left without draws.
Source: O. Cappe, A. Guillin, J. M. Marin, C. P. Robert, J. Comput. Graph. Stat. 13, 907 (2004); E. Veach, L. J. Guibas, SIGGRAPH 95, 419.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["posterior_draws"]

Floats = NDArray[Any]
FREEDOM = 5.0  # of Student's t
ROUNDS = 3
WIDER = 1.3  # than the Gaussian at the maximum, in the first round
LAPLACE = 0.2  # share of the covariance of the later rounds that is that of the maximum


def posterior_draws(log_density: Callable[[Floats], float], theta: Floats, covariance: Floats, *, draws: int, seed: int = 0) -> Floats:
    """Equally likely draws (draw, number) of a density whose logarithm is known but for a constant.

    theta, covariance : of its maximum. draws : evaluations of the density.

    >>> from math import log
    >>> gamma = posterior_draws(lambda x: 3 * x[0] - np.exp(x[0]), np.array([log(3)]), np.array([[1 / 3]]), draws=3000)
    >>> float(np.exp(gamma).mean().round(1))  # of a Gamma variable with shape 3
    3.0
    """
    random = np.random.default_rng(seed)
    rounds: list[tuple[Floats, Floats]] = []
    counts: list[int] = []
    found, log, weight = np.empty((0, len(theta))), np.empty(0), np.empty(0)
    for k in range(ROUNDS):
        mean = weight @ found if k else theta
        spread = (weight[:, None] * (found - mean)).T @ (found - mean)
        rounds.append((mean, (1 - LAPLACE) * spread + LAPLACE * covariance if k else WIDER**2 * covariance))
        counts.append((k + 1) * draws // ROUNDS - len(found))
        more = _student(random, *rounds[-1], counts[-1])
        log = np.append(log, [log_density(one) for one in more])
        found = np.concatenate([found, more])
        weight = _weights(log, found, rounds, counts)
    at = np.searchsorted(np.cumsum(weight), (random.random() + np.arange(draws)) / draws)
    return np.asarray(found[np.minimum(at, draws - 1)])


def _student(random: np.random.Generator, mean: Floats, covariance: Floats, draws: int) -> Floats:
    normal = random.normal(size=(draws, len(mean))) @ np.linalg.cholesky(covariance).T
    return np.asarray(mean + normal / np.sqrt(random.chisquare(FREEDOM, (draws, 1)) / FREEDOM))


def _weights(log: Floats, found: Floats, rounds: list[tuple[Floats, Floats]], counts: list[int]) -> Floats:
    """Of each draw, normalised: density over that of the mixture of the rounds."""
    n = found.shape[1]
    proposed = []
    for (mean, covariance), count in zip(rounds, counts, strict=True):
        square = np.sum((found - mean).T * np.linalg.solve(covariance, (found - mean).T), axis=0)
        determinant = np.linalg.slogdet(covariance)[1]
        proposed.append(np.log(count) - (FREEDOM + n) / 2 * np.log1p(square / FREEDOM) - determinant / 2)
    log = log - np.logaddexp.reduce(proposed, axis=0)
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())
