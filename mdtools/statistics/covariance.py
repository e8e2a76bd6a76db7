"""Exact covariance of a mean squared displacement over all time origins, for a Gaussian path of finite length.

A path of n steps has n + 1 positions and K_i = n - i + 1 origins for lag i. For any Gaussian process with stationary
increments and mean squared displacement M(h) (one axis, M(0) = 0)

    C_ij = 2 / (K_i K_j) sum_h c_ij(h) g_ij(h)^2,
    g_ij(h) = (M(h + j) + M(h - i) - M(h) - M(h + j - i)) / 2,   c_ij(h) = pairs of origins that are h apart.

For a walk with white noise the sum is closed (`walk_covariance`). For M(h) = N(h) + s h, where N is what the cage adds
and is constant from some lag on, only a few h differ from the walk (`parted_covariance`); that N is the measured one,
so that slow or oscillating cages need no model. Lags are whole frames everywhere.
Source: walk with white noise: Bullerjahn, von Buelow, Hummer, J. Chem. Phys. 153, 024116 (2020).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PartedCovariance", "parted_covariance", "relative_variance", "walk_covariance"]

Floats = NDArray[Any]


def walk_covariance(lags: Floats, *, n_steps: int, step_variance: float = 1.0, noise: float = 0.0) -> Floats:
    """Covariance of the MSD of one walker along one axis at `lags`, for M(m) = noise + step_variance m.

    C_ij = s^2/3 [2 m (1 + 3 i j - m^2) / K_m + (m^2 - m^4 + o^4 - o^2) / (K_i K_j)]
           + [(1 + delta_ij) a^2 + 4 a s m] / K_m + a^2 max(n - i - j + 1, 0) / (K_i K_j)
    with m = min(i, j), o = max(i + j - n - 1, 0), s = step_variance, a = noise.

    lags : (lag,) whole frames, 1 ... n_steps. Returns (lag, lag), unit: square of that of `noise`.
    Source: reference/transport.md 2.2, checked by enumeration.

    >>> round(float(walk_covariance(np.array([1]), n_steps=10)[0, 0]), 12)  # 2 s^2 / n
    0.2
    """
    i, j = np.asarray(lags, dtype=np.float64)[:, None], np.asarray(lags, dtype=np.float64)[None, :]
    m = np.minimum(i, j)
    pairs = (n_steps - i + 1) * (n_steps - j + 1)
    over = np.maximum(i + j - n_steps - 1, 0)
    walk = 2 * m * (1 + 3 * i * j - m**2) / (n_steps - m + 1) + (m**2 - m**4 + over**4 - over**2) / pairs
    rattle = ((1 + (i == j)) * noise + 4 * step_variance * m) * noise / (n_steps - m + 1)
    return step_variance**2 / 3 * walk + rattle + noise**2 * np.maximum(n_steps - i - j + 1, 0) / pairs


def relative_variance(lags: Floats, *, n_steps: int, n_walkers: int = 1, n_axes: int = 3) -> Floats:
    """Variance of the MSD of independent walkers over the square of its mean, at each of `lags`.

    2/(d N) (4 m^2 K + 2 K + m - m^3) / (6 m K^2) for m <= K, else 2/(d N) (1 + (K^3 - 4 m K^2 + 4 m - K) / (6 m^2 K)),
    with K = n_steps - m + 1, d = n_axes, N = n_walkers.
    Source: reference/science.md B1.

    >>> round(float(relative_variance(np.array([1]), n_steps=10, n_walkers=4, n_axes=1)[0]), 12)
    0.05
    """
    m = np.asarray(lags, dtype=np.float64)
    k = n_steps - m + 1
    short = (4 * m**2 * k + 2 * k + m - m**3) / (6 * m * k**2)
    long = 1 + (k**3 - 4 * m * k**2 + 4 * m - k) / (6 * m**2 * k)
    return 2 / (n_axes * n_walkers) * np.where(m <= k, short, long)


@dataclass(frozen=True)
class PartedCovariance:
    """Covariance of an MSD as a polynomial of the step variance s: cage + s cross + s^2 walk, each (lag, lag)."""

    cage: Floats
    cross: Floats
    walk: Floats

    def at(self, step_variance: float) -> Floats:
        return self.cage + step_variance * self.cross + step_variance**2 * self.walk


def parted_covariance(lags: Floats, *, n_steps: int, cage: Floats, share: Floats) -> PartedCovariance:
    """Covariance of the MSD summed over axes, for M_a(h) = N_a(h) + share_a s h along axis a.

    cage : (axis, h) N_a at h = 0 ... H in frames, N_a(0) = 0, constant beyond H. share : (axis,), of the step variance.
    lags : (lag,) whole frames. Returns the three parts for one walker in one window of n_steps.
    """
    lags = np.asarray(lags, dtype=np.int64)
    walk = walk_covariance(lags, n_steps=n_steps) * float(np.square(share).sum())
    still, cross = np.zeros_like(walk), np.zeros_like(walk)
    for row in range(len(lags)):
        i, j = lags[row], lags[row:]
        h, fresh = _differing(i, j, n_steps=n_steps, reach=cage.shape[1] - 1)
        origins_i, origins_j = n_steps - i + 1, n_steps - j[:, None] + 1
        count = np.maximum(np.minimum(origins_i, origins_j - h) - np.maximum(-h, 0), 0) * fresh
        overlap = np.maximum(np.minimum(i, h + j[:, None]) - np.maximum(h, 0), 0)
        rattle = _increments(cage, i, j[:, None], h)
        scale = 2.0 / (origins_i * origins_j[:, 0])
        still[row, row:] = scale * (count * np.square(rattle).sum(axis=0)).sum(axis=1)
        cross[row, row:] = scale * (2 * count * overlap * np.einsum("a,ajh->jh", share, rattle)).sum(axis=1)
    return PartedCovariance(_mirrored(still), _mirrored(cross), walk)


def _mirrored(upper: Floats) -> Floats:
    return np.triu(upper) + np.triu(upper, 1).T


def _differing(i: Any, j: Floats, *, n_steps: int, reach: int) -> tuple[Floats, Floats]:
    """The h at which the cage matters, next to -j, 0, i - j and i: (lag, h), and which of them are no repetition."""
    reach = min(reach, n_steps)
    if 2 * reach + 1 >= int(i) + int(j.max()):  # the four neighbourhoods are everything
        whole = np.arange(-int(j.max()) - reach, int(i) + reach + 1)
        return np.broadcast_to(whole, (len(j), len(whole))), np.ones((len(j), len(whole)))
    near = np.arange(-reach, reach + 1)
    h = np.concatenate([near[None, :] + centre[:, None] for centre in (-j, 0 * j, i - j, 0 * j + i)], axis=1)
    h = np.sort(h, axis=1)
    fresh = np.ones(h.shape)
    fresh[:, 1:] = h[:, 1:] != h[:, :-1]
    return h, fresh


def _increments(cage: Floats, i: Any, j: Floats, h: Floats) -> Floats:
    """g_ij(h) of the part N alone, (axis, lag, h)."""
    last = cage.shape[1] - 1

    def at(lag: Floats) -> Floats:
        return cage[:, np.minimum(np.abs(lag), last)]

    return 0.5 * (at(h + j) + at(h - i) - at(h) - at(h + j - i))
