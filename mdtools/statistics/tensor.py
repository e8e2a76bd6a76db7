"""The tensor of self-diffusion from mean products of displacements, its principal values, and how many of them are not zero."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import quality

__all__ = ["Principal", "dimensionality", "isotropy", "principal"]

Floats = NDArray[Any]
LEVEL = 0.01  # probability below which isotropy, or no motion along an axis, is rejected
SMALL = 0.1  # of the largest principal value: what an axis must be shown to lie below for diffusion not to go along it


@dataclass(frozen=True)
class Principal:
    """values (3,), the largest first, and axes (3, 3), a row each."""

    values: Floats
    axes: Floats


def principal(tensor: Floats, variance: float) -> Principal:
    """Eigenvalues of a measured symmetric tensor whose elements scatter with `variance` (relative, see below), without their repulsion.

    The sample covariance S of n Gaussian steps has E[l_i] = d_i + (1/n) sum_{j != i} d_i d_j / (d_i - d_j): the largest is too large and the
    smallest too small. `variance` is var(S_aa) / S_aa^2 = 2 / n, and so n is known; the shift is estimated from the measured values and taken off
    where they are apart by two standard errors (their mean is taken for those that are not), and the order is kept.
    Source: T. W. Anderson, Ann. Math. Stat. 34, 122 (1963).

    >>> principal(np.diag([1.0, 3.0, 2.0]), 1e-6).values.round(2).tolist()
    [3.0, 2.0, 1.0]
    """
    values, vectors = np.linalg.eigh(tensor)
    values, axes = values[::-1], vectors[:, ::-1].T
    clear = np.abs(values[:, None] - values[None, :]) > 2 * np.sqrt(variance * (values[:, None] ** 2 + values[None, :] ** 2))
    gap = np.where(clear, values[:, None] - values[None, :], np.inf)
    shift = 0.5 * variance * np.sum(values[:, None] * values[None, :] / gap, axis=1)
    joined = clear | np.eye(3, dtype=bool)
    together = np.array([values[~joined[k] | (np.arange(3) == k)].mean() for k in range(3)])
    values = np.sort(np.maximum(together - shift, 0.0))[::-1]
    return Principal(values, axes)


def isotropy(tensor: Floats, variance: float) -> float:
    """Probability of a tensor at least as anisotropic if diffusion were isotropic.

    With D the mean of the diagonal and a the deviator, tr(a^2) / (variance D^2) is chi^2 with five degrees of freedom: diagonal elements scatter with
    `variance` D^2, those off it with half of that.

    >>> float(isotropy(np.eye(3), 0.01))
    1.0
    """
    mean = np.trace(tensor) / 3
    deviator = tensor - mean * np.eye(3)
    return float(quality(np.sum(deviator**2) / (variance * mean**2), 5))


def dimensionality(lower: Floats, upper: Floats) -> str:
    """How many axes diffusion goes along, from the intervals (3,) of D along the principal axes, the fastest first.

    An axis counts where its lower end is above zero and its upper end above a tenth of the fastest one; it does not where its upper
    end is below a tenth of the fastest one's lower end. Anything else is undecided.

    >>> dimensionality(np.array([0.9, 0.0, 0.0]), np.array([1.1, 0.05, 0.02]))
    '1-D'
    """
    fastest = lower[0]
    along, still = (lower > 0) & (upper > SMALL * fastest), upper < SMALL * fastest
    if not fastest > 0 or not np.all(along | still):
        return "undecided"
    return f"{int(along.sum())}-D"
