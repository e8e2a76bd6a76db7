"""Exact covariance of a mean squared displacement over all time origins, for a Gaussian path of finite length.

A path of n steps has n + 1 positions and K_i = n - i + 1 origins for lag i. For any Gaussian process with stationary
increments and mean squared displacement M(h) (one axis, M(0) = 0)

    C_ij = 2 / (K_i K_j) sum_h c_ij(h) g_ij(h)^2,
    g_ij(h) = (M(h + j) + M(h - i) - M(h) - M(h + j - i)) / 2,   c_ij(h) = pairs of origins that are h apart.

For a walk with white noise the sum is closed (`walk_covariance`). For M(h) = N(h) + s h, where N is what the cage adds
and is constant from some lag on, only h near -j, 0, i - j and i differ from the walk (`parted_covariance`); that N is the measured one,
so that slow or oscillating cages need no model. Between measured lags N is linear, and what is summed a cubic: its sum over
whole h is closed, so that the cost goes with the number of lags and not with the frames that a cage remembers. Lags are whole frames.
Source: walk with white noise: Bullerjahn, von Buelow, Hummer, J. Chem. Phys. 153, 024116 (2020).
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PartedCovariance", "jump_covariance", "parted_covariance", "relative_variance", "walk_covariance"]

Floats = NDArray[Any]
AT_ONCE = 200_000  # numbers gathered at once: they stay in the cache of a core
FEW = 28  # knots of a cage up to which its quadratic form is made, and kept for the next call


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


def jump_covariance(lags: Floats, *, n_steps: int) -> Floats:
    """What independent jumps add to the covariance of the MSD at `lags`, for jumps that add one to the variance of sum of l^2 / n_steps.

    A jump in step k is seen from min(k, i, K_i, n - k + 1) origins of lag i, and so C_ij = n sum_k o_i(k) o_j(k) / (K_i K_j), which is
    i j for lags much shorter than the run. (lag, lag).

    >>> jump_covariance(np.array([1, 3]), n_steps=3)
    array([[1., 3.],
           [3., 9.]])
    """
    lags = np.asarray(lags, dtype=np.float64)
    origins = n_steps - lags + 1
    most = np.minimum(lags, origins)
    a, b = np.minimum.outer(most, most), np.maximum.outer(most, most)
    pairs = a * (a + 1) * (2 * a + 1) / 3 + a * (b * (b + 1) - a * (a + 1)) + a * b * (n_steps - 2 * b)
    return np.asarray(n_steps * pairs / np.outer(origins, origins))


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


def parted_covariance(lags: Floats, *, n_steps: int, cage: Floats, share: Floats, knots: Floats | None = None) -> PartedCovariance:
    """Covariance of the MSD summed over axes, for M_a(h) = N_a(h) + share_a s h along axis a.

    cage : (..., axis, knot) N_a at the frames `knots`, from 0 with N_a(0) = 0, linear between them, constant beyond the last; by default at
    every frame. share : (..., axis), of the step variance. lags : (lag,) whole frames.
    Returns the three parts for one walker in one window of n_steps, (..., lag, lag).
    """
    lags = np.asarray(lags, dtype=np.int64)
    knots = np.arange(cage.shape[-1]) if knots is None else np.asarray(knots, dtype=np.int64)
    batch = cage.shape[:-2]
    walk = walk_covariance(lags, n_steps=n_steps) * np.square(share).sum(axis=-1)[..., None, None]
    rows, shares = cage.reshape(-1, *cage.shape[-2:]), share.reshape(-1, share.shape[-1])
    if len(knots) <= FEW:
        found = _by_form(rows, shares, *_form(tuple(lags.tolist()), n_steps, tuple(knots.tolist())))
    else:
        found = _by_row(rows, shares, lags, n_steps, knots)
    still, cross = np.zeros((2, len(rows), len(lags), len(lags)))
    upper = np.triu_indices(len(lags))
    for whole, part in zip((still, cross), found, strict=True):
        whole[:, upper[0], upper[1]] = whole[:, upper[1], upper[0]] = part
    return PartedCovariance(still.reshape(*batch, *walk.shape[-2:]), cross.reshape(*batch, *walk.shape[-2:]), walk)


def _by_form(cage: Floats, share: Floats, square: Floats, mixed: Floats) -> tuple[Floats, Floats]:
    """Upper triangles (batch, pair of lags) from the quadratic and the linear form of a cage (batch, axis, knot)."""
    products = np.einsum("bak,bal->bkl", cage, cage).reshape(len(cage), -1)
    return products @ square.T, np.einsum("bak,ba->bk", cage, share) @ mixed.T


@functools.lru_cache(maxsize=16)
def _form(lags: tuple[int, ...], n_steps: int, knots: tuple[int, ...]) -> tuple[Floats, Floats]:
    """For each pair of lags the quadratic form (pair, knot * knot) of the cage, and the linear one (pair, knot) of its product with the walk."""
    table = _at_every_frame(np.eye(len(knots)), np.array(knots))
    square: list[Floats] = []
    mixed: list[Floats] = []
    for row in range(len(lags)):
        terms = _terms(np.array(lags), row, n_steps, np.array(knots))
        start, change = terms.increments(table)
        a, b, c = (part[..., None] for part in terms.square)
        turned = np.swapaxes(start, -1, -2)
        form = turned @ (a * start + b * change) + np.swapaxes(change, -1, -2) @ (c * change)
        square.append(form.reshape(len(form), -1))
        mixed.append(np.einsum("jp,jpk->jk", terms.mixed[0], start) + np.einsum("jp,jpk->jk", terms.mixed[1], change))
    return np.concatenate(square), np.concatenate(mixed)


def _by_row(cage: Floats, share: Floats, lags: Floats, n_steps: int, knots: Floats) -> tuple[Floats, Floats]:
    """The same without the forms, for cages of many knots."""
    square: list[Floats] = []
    mixed: list[Floats] = []
    table = _at_every_frame(np.moveaxis(cage, -1, 0), knots)  # frames first: what is gathered are then whole rows
    for row in range(len(lags)):
        terms = _terms(lags, row, n_steps, knots)
        step = max(1, AT_ONCE // (terms.square[0].size * cage.shape[1]))
        parts = [terms.summed(table[:, k : k + step], share[k : k + step]) for k in range(0, len(cage), step)]
        for whole, part in zip((square, mixed), zip(*parts, strict=True), strict=True):
            whole.append(np.concatenate(part))
    return np.concatenate(square, axis=-1), np.concatenate(mixed, axis=-1)


def _at_every_frame(values: Floats, knots: Floats) -> Floats:
    """(knot, ...) -> (frame, ...), linear between the knots."""
    frames = np.arange(knots[-1] + 1)
    right = np.clip(np.searchsorted(knots, frames), 1, max(len(knots) - 1, 1))
    part = ((frames - knots[right - 1]) / (knots[right] - knots[right - 1])).reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray(values[right - 1] * (1 - part) + values[right] * part)


@dataclass(frozen=True)
class _Terms:
    """The pieces of h that matter for the covariance of one lag i with all lags j >= i: everything in them is linear in h.

    at, to : four places in the cage each, (j, piece), where a piece starts and ends. square : coefficients of g^2, g d and d^2 in the sum over
    whole h of count (g + u d)^2, u from 0 to 1; mixed : those of g and d in the sum of its product with the walk.
    """

    at: Floats
    to: Floats
    square: tuple[Floats, Floats, Floats]
    mixed: tuple[Floats, Floats]

    def increments(self, table: Floats) -> tuple[Floats, Floats]:
        """2 g of the cage (frame, ...) where pieces start, and how much it changes over them, (j, piece, ...)."""
        start, end = (table[place[0]] + table[place[1]] - table[place[2]] - table[place[3]] for place in (self.at, self.to))
        return start, end - start

    def summed(self, table: Floats, share: Floats) -> tuple[Floats, Floats]:
        """Of the cage alone, and of its product with the walk, each (batch, j); table (frame, batch, axis)."""
        start, change = self.increments(table)
        products = (start * start, start * change, change * change)
        square = sum(np.einsum("jp,jpba->bj", part, product) for part, product in zip(self.square, products, strict=True))
        mixed = sum(np.einsum("jp,jpba,ba->bj", part, one, share) for part, one in zip(self.mixed, (start, change), strict=True))
        return np.asarray(square), np.asarray(mixed)


def _terms(lags: Floats, row: int, n_steps: int, knots: Floats) -> _Terms:
    """g_ij(h) of the cage is not 0 only at h next to -j, 0, i - j and i; pieces end at the knots about these, and where no origins are left."""
    i, j = int(lags[row]), lags[row:, None]
    origins = n_steps - i + 1, n_steps - j + 1
    near = np.concatenate([-knots[:0:-1], knots])
    h = np.concatenate([near[None, :] + centre for centre in (-j, 0 * j, i - j, 0 * j + i)], axis=1)
    h = np.sort(np.clip(h, -origins[0], origins[1]), axis=1)
    h = h[:, np.append((np.diff(h, axis=1) > 0).any(axis=0), True)]
    count = (np.minimum(origins[0], origins[1] - h) - np.maximum(-h, 0)).astype(np.float64)
    overlap = np.maximum(np.minimum(i, h + j) - np.maximum(h, 0), 0).astype(np.float64)
    places = np.stack([np.minimum(np.abs(lag), knots[-1]) for lag in (h + j, h - i, h, h + j - i)])
    m = np.diff(h, axis=1).astype(np.float64)
    some = np.maximum(m, 1.0)
    p1, p2, p3 = (m - 1) / 2, (m - 1) * (2 * m - 1) / (6 * some), np.square(m - 1) / (4 * some)  # sums of (t / m)^k over t = 0 ... m - 1
    c, dc = count[:, :-1], np.diff(count, axis=1)
    both, dboth, ddboth = c * overlap[:, :-1], c * np.diff(overlap, axis=1) + dc * overlap[:, :-1], dc * np.diff(overlap, axis=1)
    scale = 0.5 / (origins[0] * origins[1])
    return _Terms(
        at=places[:, :, :-1],
        to=places[:, :, 1:],
        square=(scale * (c * m + dc * p1), scale * 2 * (c * p1 + dc * p2), scale * (c * p2 + dc * p3)),
        mixed=(4 * scale * (both * m + dboth * p1 + ddboth * p2), 4 * scale * (both * p1 + dboth * p2 + ddboth * p3)),
    )
