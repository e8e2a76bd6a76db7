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

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PartedCovariance", "parted_covariance", "relative_variance", "walk_covariance"]

Floats = NDArray[Any]
AT_ONCE = 200_000  # numbers gathered at once: they stay in the cache of a core
KEPT = 64  # frames of cage up to which the places of the terms are kept for the next call


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
    """Covariance of an MSD as a polynomial of the step variance s: cage + s cross + s^2 walk, each (..., lag, lag)."""

    cage: Floats
    cross: Floats
    walk: Floats

    def at(self, step_variance: Floats | float) -> Floats:
        s = np.asarray(step_variance, dtype=np.float64)[..., None, None]
        return self.cage + s * self.cross + s**2 * self.walk

    def per(self, walkers: float) -> "PartedCovariance":
        """That of the mean over independent walkers."""
        return PartedCovariance(self.cage / walkers, self.cross / walkers, self.walk / walkers)

    def along(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Variance of weights . msd as a polynomial of s: three arrays (...,) from weights (..., lag)."""
        v0, v1, v2 = (np.einsum("...i,...ij,...j->...", weights, part, weights) for part in (self.cage, self.cross, self.walk))
        return v0, v1, v2


def parted_covariance(lags: Floats, *, n_steps: int, cage: Floats, share: Floats) -> PartedCovariance:
    """Covariance of the MSD summed over axes, for M_a(h) = N_a(h) + share_a s h along axis a.

    cage : (..., axis, h) N_a at h = 0 ... H in frames, N_a(0) = 0, constant beyond H. share : (..., axis), of the step variance.
    lags : (lag,) whole frames. Returns the three parts for one walker in one window of n_steps, (..., lag, lag).
    """
    lags = np.asarray(lags, dtype=np.int64)
    batch = cage.shape[:-2]
    walk = walk_covariance(lags, n_steps=n_steps) * np.square(share).sum(axis=-1)[..., None, None]
    # h first and the batch last: what is gathered are then whole rows
    rows = np.ascontiguousarray(np.moveaxis(cage.reshape(-1, *cage.shape[-2:]), 0, -1).swapaxes(0, 1))
    shares = share.reshape(-1, share.shape[-1]).T
    still, cross = np.zeros((2, rows.shape[-1], len(lags), len(lags)))
    for row in range(len(lags)):
        terms = _terms(tuple(lags.tolist()), row, n_steps, rows.shape[0] - 1)
        step = max(1, AT_ONCE // (len(terms.count) * rows.shape[1]))
        for k in range(0, rows.shape[-1], step):
            part = slice(k, k + step)
            still[part, row, row:], cross[part, row, row:] = terms.summed(rows[..., part], shares[:, part])
    return PartedCovariance(_mirrored(still).reshape(*batch, *walk.shape[-2:]), _mirrored(cross).reshape(*batch, *walk.shape[-2:]), walk)


def _mirrored(upper: Floats) -> Floats:
    return np.triu(upper) + np.swapaxes(np.triu(upper, 1), -1, -2)


@dataclass(frozen=True)
class _Terms:
    """The pairs of origins that matter for the covariance of one lag i with all lags j >= i, (j and h in one row)."""

    at: tuple[Floats, Floats, Floats, Floats]
    count: Floats
    both: Floats
    first: Floats
    scale: Floats

    def summed(self, cage: Floats, share: Floats) -> tuple[Floats, Floats]:
        """Sums over h of (h, axis, batch): of the cage alone, and of its product with the walk, each (batch, j)."""
        plus, minus, middle, other = self.at
        increment = cage[plus]
        increment += cage[minus]
        increment -= cage[middle]
        increment -= cage[other]
        square = np.einsum("pab,pab->pb", increment, increment) * self.count[:, None]
        mixed = np.einsum("pab,ab->pb", increment, share) * self.both[:, None]
        still, cross = (np.add.reduceat(part, self.first, axis=0).T * self.scale for part in (square, mixed))
        return 0.25 * still, 0.5 * cross


def _terms(lags: tuple[int, ...], row: int, n_steps: int, reach: int) -> _Terms:
    return (_kept_terms if reach <= KEPT else _make_terms)(lags, row, n_steps, reach)


def _make_terms(lags: tuple[int, ...], row: int, n_steps: int, reach: int) -> _Terms:
    """g_ij(h) of the cage is not 0 only at h next to -j, 0, i - j and i; each such h once."""
    i, j = lags[row], np.array(lags[row:])[:, None]
    near = np.arange(-min(reach, n_steps), min(reach, n_steps) + 1)
    if len(near) >= i + lags[-1]:  # the four neighbourhoods are everything
        h = np.broadcast_to(np.arange(-lags[-1] - reach, i + reach + 1), (len(j), lags[-1] + i + 2 * reach + 1))
    else:
        h = np.sort(np.concatenate([near[None, :] + centre for centre in (-j, 0 * j, i - j, 0 * j + i)], axis=1), axis=1)
    fresh = np.ones(h.shape, dtype=bool)
    fresh[:, 1:] = h[:, 1:] != h[:, :-1]
    origins = n_steps - i + 1, n_steps - j + 1
    count = np.maximum(np.minimum(origins[0], origins[1] - h) - np.maximum(-h, 0), 0) * fresh
    overlap = np.maximum(np.minimum(i, h + j) - np.maximum(h, 0), 0)
    kept = count > 0
    at = tuple(np.minimum(np.abs(lag[kept]), reach) for lag in (h + j, h - i, h, h + j - i))
    first = np.concatenate([[0], np.cumsum(kept.sum(axis=1))[:-1]])
    weight = count[kept].astype(np.float64)
    return _Terms(at, weight, 2 * weight * overlap[kept], first, 2.0 / (origins[0] * origins[1][:, 0]))


_kept_terms = functools.lru_cache(maxsize=4096)(_make_terms)
