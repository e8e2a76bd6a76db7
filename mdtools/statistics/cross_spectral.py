"""Zero-frequency limit of the spectral matrix of several series by the Wishart likelihood, positive semidefinite by construction.

The currents of an equilibrium run are alike forwards and backwards in time, so that their spectral matrix S(f) is real and
the real part I(f) of their periodogram, averaged over M independent series, is sufficient: M I is Wishart distributed about M S
with 2 M degrees of freedom (M at f = 0),

    -ln L = sum_k w_k kappa_k [ln det S_k + tr(S_k^-1 I_k)],    kappa = M (M / 2 at f = 0).

With the modified Cholesky form S = A D A^T, X_i = sum_{l < i} t_il X_l + e_i, D_ii = <|e_i|^2>, the likelihood is a sum over rows:
row 0 is the scalar fit of statistics/spectral.py, unchanged, and row i a regression whose coefficients and whose ln D_ii
are b0 + b1 phi(f) each, averaged over cut-offs and shapes as there, the variance that of the derivative of the average. D > 0 makes S positive.
What the coefficients cost is given back to D_ii. Put first what matters most: its value does not depend on the rest.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.spectral import (
    COSINES,
    MISFIT,
    SHAPES,
    STEEP,
    Averaged,
    Local,
    averaged,
    band,
    local,
    log_spectrum,
    phi_of,
    residual_misfit,
    waves,
    zero_frequencies,
    zero_frequency,
)

__all__ = ["ZeroFrequencyMatrix", "zero_frequency_matrices", "zero_frequency_matrix"]

Floats = NDArray[Any]
EXACT = 1e-9  # of the power of a series: a residual below it is rounding, and the series a combination of those before it
ROUNDS = 3  # of coefficients given D, and of D given coefficients


@dataclass(frozen=True)
class ZeroFrequencyMatrix:
    """S(0) (..., n, n), the covariance of its elements (..., n, n, n, n), and of each row the mean cut-off (..., n); which are `refused` (...,)."""

    value: Floats
    covariance: Floats
    cutoff: Floats
    misfit: Floats
    refused: Any


@dataclass(frozen=True)
class _Row:
    """Coefficients t_il (batch, l < i) with their covariance, ln D_ii with its variance (-inf: exactly dependent), the mean cut-off, and
    chi^2 of what is left over what it may be."""

    coefficients: Floats
    covariance: Floats
    log: Floats
    variance: Floats
    cutoff: Floats
    misfit: Floats


def zero_frequency_matrix(frequency: Floats, periodogram: Floats, *, series: int, allowed: Floats | None = None) -> ZeroFrequencyMatrix:
    """S(0) from the real part of the periodogram matrix averaged over `series` independent series of one length (windows times axes).

    frequency : (frequency,) from 0 on, evenly. periodogram : (frequency, n, n), symmetric. One series gives `zero_frequency`. allowed : as there.
    Raises NotEnoughData where the scalar does for the first series, or where a coefficient has structure that no cut-off resolves.
    """
    zero_frequency(frequency, periodogram[:, 0, 0], series=series, allowed=allowed)  # refuses in words
    found = zero_frequency_matrices(frequency, periodogram[None], series=series, allowed=allowed)
    bad = np.flatnonzero(found.misfit[0] > MISFIT * (1 + np.arange(len(found.misfit[0]))))
    if len(bad):
        _, _, _, cutoffs, lowest = band(frequency, periodogram[:, 0, 0], series=series)
        raise NotEnoughData(
            f"the shares of the series in one another have structure that the {lowest} lowest ordinates, up to {cutoffs[0]:.3g} THz, do not resolve "
            f"(chi^2 of the residuals is {found.misfit[0, bad[0]]:.3g}, and {COSINES * (1 + bad[0])} is expected): the windows are too short for its "
            "zero-frequency limit; give longer windows (fewer windows, or a longer run)"
        )
    return ZeroFrequencyMatrix(found.value[0], found.covariance[0], found.cutoff[0], found.misfit[0], False)


def zero_frequency_matrices(frequency: Floats, periodogram: Floats, *, series: int, allowed: Floats | None = None) -> ZeroFrequencyMatrix:
    """`zero_frequency_matrix` of a batch (batch, frequency, n, n) at once, which refuses none: see `refused`."""
    batch, _, n, _ = periodogram.shape
    first = zero_frequencies(frequency, periodogram[..., 0, 0], series=series, allowed=allowed)
    out = ZeroFrequencyMatrix(
        value=np.zeros((batch, n, n)),
        covariance=np.zeros((batch, n, n, n, n)),
        cutoff=np.zeros((batch, n)),
        misfit=np.zeros((batch, n)),
        refused=np.zeros(batch, dtype=bool),
    )
    tied = np.array([_tied(one) for one in periodogram[:, :-1]])
    for pattern in np.unique(tied, axis=0):
        these = np.flatnonzero((tied == pattern).all(axis=1))
        nothing = np.zeros((len(these), 0))
        logs = (np.log(first.value), np.square(first.stderr / first.value), first.cutoff, first.misfit)
        rows = [_Row(nothing, nothing[..., None], *(part[these] for part in logs))]
        for i in range(1, n):
            some = None if allowed is None else allowed[:, these]
            free = np.flatnonzero(~pattern[:i])
            rows.append(_row(frequency, periodogram[these], i, free, tied=bool(pattern[i]), series=series, allowed=some))
        out.value[these], out.covariance[these] = _composed(rows)
        out.cutoff[these], out.misfit[these] = (np.stack(column, axis=1) for column in zip(*((row.cutoff, row.misfit) for row in rows), strict=True))
    out.refused[:] = first.refused | (out.misfit > MISFIT * (1 + np.arange(n))).any(axis=1)
    return out


def _tied(power: Floats) -> Floats:
    """Which series of a periodogram (frequency, n, n) are nothing but combinations of those before them."""
    n = power.shape[-1]
    out = np.zeros(n, dtype=bool)
    whole = power.sum(axis=0)
    for i in range(1, n):
        free = np.flatnonzero(~out[:i])
        plain = np.linalg.lstsq(whole[np.ix_(free, free)], whole[free, i], rcond=None)[0]
        out[i] = whole[i, i] - 2 * whole[i, free] @ plain + plain @ whole[np.ix_(free, free)] @ plain < EXACT * whole[i, i] or not whole[i, i] > 0
    return out


def _composed(rows: list[_Row]) -> tuple[Floats, Floats]:
    """S = A D A^T, A = (1 - T)^-1, and by the derivatives dS = A dT S + S dT^T A^T + A dD A^T the covariance of its elements."""
    n, batch = len(rows), len(rows[0].log)
    below = np.zeros((batch, n, n))
    for i, row in enumerate(rows):
        below[:, i, :i] = row.coefficients
    mixing = np.linalg.inv(np.eye(n) - below)
    diagonal = np.exp(np.stack([row.log for row in rows], axis=1))
    value = (mixing * diagonal[:, None, :]) @ mixing.swapaxes(1, 2)
    covariance = np.zeros((batch, n, n, n, n))
    for i, row in enumerate(rows):
        along = diagonal[:, i, None, None] * mixing[:, :, None, i] * mixing[:, None, :, i]
        covariance += np.einsum("x,xab,xcd->xabcd", row.variance, along, along)
        if i:
            turned = np.einsum("xa,xlb->xlab", mixing[:, :, i], value[:, :i])
            to_value = turned + turned.swapaxes(2, 3)
            covariance += np.einsum("xpab,xpq,xqcd->xabcd", to_value, row.covariance, to_value, optimize=True)
    return value, covariance


def _row(frequency: Floats, periodogram: Floats, i: int, free: Floats, *, tied: bool, series: int, allowed: Floats | None) -> _Row:
    """Series i regressed on those before it, averaged over cut-offs and shapes; `free`: those that are not combinations of others."""
    f, _, kappa, cutoffs, _ = band(frequency, periodogram[..., 0, 0], series=series)
    power = np.asarray(periodogram[:, : len(f)], dtype=np.float64)
    batch, n = len(power), len(free)
    own, cross, others = power[:, :, i, i], power[:, :, i, free], power[:, :, free[:, None], free]
    coefficients, covariance = np.zeros((batch, i)), np.zeros((batch, i, i))
    if tied:
        if own.any():
            whole, beside = others.sum(axis=1), cross.sum(axis=1)
            coefficients[:, free] = np.einsum("xlm,xm->xl", np.linalg.pinv(whole, hermitian=True), beside)
        nothing = np.zeros(batch)
        return _Row(coefficients, covariance, nothing - np.inf, nothing, nothing + cutoffs[-1], nothing)
    fits = [_below(cutoff, f, own, cross, others, kappa) for cutoff in cutoffs]
    mean = averaged([fit.local for fit in fits], allowed)
    of_cutoff = mean.weight.sum(axis=2)
    change = np.einsum("cbs,cbs,cs->b", mean.weight, np.array([fit.local.slope for fit in fits]), phi_of(cutoffs[0] / cutoffs))
    steep = np.maximum(np.abs(change) + np.log(STEEP), 0.0)  # D is known no better than what it changes by within the lowest ordinates
    average = np.einsum("cbs,cbsl->bl", mean.weight, [fit.coefficients for fit in fits])
    by_own, by_others = _responses(fits, mean, average)
    shape = kappa[: by_own.shape[-1]]
    spread = np.einsum("bpk,bqk,k->bpq", by_own, by_own, 1 / shape) + np.einsum(
        "bpkl,bklm,bqkm,k->bpq", by_others, others[:, : len(shape)], by_others, 0.5 / shape, optimize=True
    )
    coefficients[:, free] = average
    covariance[:, free[:, None], free] = spread[:, :n, :n]
    misfit = np.einsum("cb,cb->b", of_cutoff, [fit.local.misfit for fit in fits])
    return _Row(coefficients, covariance, mean.value, spread[:, n, n] + steep**2, cutoffs @ of_cutoff, misfit)


@dataclass(frozen=True)
class _Fits:
    """Fits with one cut-off: coefficients (batch, shape, n), `local` those of ln D, `line` how both came to be, root of D."""

    coefficients: Floats
    local: Local
    line: "_Regression"
    root: Floats


def _responses(fits: list[_Fits], mean: Averaged, average: Floats) -> tuple[Floats, Floats]:
    """Derivatives of the mean coefficients and of ln D (batch, n + 1, ordinate): by ln |e_i|^2, and by the co-spectra of e_i / D^1/2
    with those before it, (.., ordinate, n). Of the fits, and of their weights."""
    batch, n = average.shape
    longest = max(fit.root.shape[-1] for fit in fits)
    by_own, by_others = np.zeros((batch, n + 1, longest)), np.zeros((batch, n + 1, longest, n))
    for fit, weight in zip(fits, mean.weight, strict=True):
        near = slice(fit.root.shape[-1])
        apart = np.concatenate([fit.coefficients - average[:, None], (fit.local.log - mean.value[:, None])[..., None]], axis=-1)
        apart = np.swapaxes(apart * weight[..., None], 1, 2)
        by_own[:, :, near] += mean.of_weights(fit.local, apart)
        by_own[:, n, near] += weight @ fit.local.response
        by_others[:, :n, near] += fit.line.response(weight, fit.root)
        by_others[:, :, near] -= np.einsum("bp,bkl->bpkl", apart.sum(axis=-1) / 2, fit.line.tension(fit.local.least, fit.root))
    return by_own, by_others


def _below(cutoff: float, f: Floats, own: Floats, cross: Floats, others: Floats, kappa: Floats) -> _Fits:
    """Coefficients c + e phi by least squares with weights 2 w kappa / D, and D of what they leave, in turn."""
    weight = 1 / (1 + (f / cutoff) ** 8)
    near = weight > 1e-3
    u, own, cross, others, kappa, weight = f[near] / cutoff, own[:, near], cross[:, near], others[:, near], kappa[near], weight[near]
    strength = weight * kappa
    phi = phi_of(u).T
    shapes = len(SHAPES)
    model, spectrum = np.zeros((len(own), shapes, len(u))), None
    basis = np.concatenate([np.stack([np.ones_like(phi), phi], axis=-1), np.broadcast_to(waves(u), (shapes, len(u), COSINES))], axis=-1)
    for left_to_do in reversed(range(ROUNDS)):
        line = _regression(basis if left_to_do == 0 else basis[..., :2], others, cross, 2 * strength * np.exp(-model), weight)
        at = np.einsum("skj,bsjl->bskl", basis[..., :2], line.solution)
        left = own[:, None] - 2 * np.einsum("bkl,bskl->bsk", cross, at) + np.einsum("bklm,bskl,bskm->bsk", others, at, at, optimize=True)
        left = np.maximum(left, 1e-14 * own[:, None]) / np.maximum(1 - line.leverage / (2 * kappa), 0.05)
        spectrum = log_spectrum(phi, left, strength, weight, None if spectrum is None else (spectrum.log, spectrum.slope))
        root, model = np.exp(model / 2), spectrum.model
    assert spectrum is not None
    found = local(spectrum, residual_misfit(waves(u), spectrum, strength, weight), strength, line.misfit)
    return _Fits(line.solution[:, :, 0], found, line, root)


@dataclass(frozen=True)
class _Regression:
    """solution (batch, shape, 2, n) of the bases 1 and phi; leverage (batch, shape, ordinate); chi^2 `misfit` (batch, shape) of the other bases.

    basis (shape, ordinate, basis), strength (batch, shape, ordinate) and inverse are what it was made with; `toward` (batch, shape, (basis, n)) is
    half the derivative of chi^2 by sum_k strength basis (x) the co-spectrum.
    """

    solution: Floats
    leverage: Floats
    misfit: Floats
    basis: Floats
    strength: Floats
    inverse: Floats
    toward: Floats

    def response(self, weight: Floats, root: Floats) -> Floats:
        """Of the mean (batch, shape) of the coefficients by the co-spectra over D^1/2: (batch, n, ordinate, n)."""
        n = self.solution.shape[-1]
        first = self.inverse[:, :, :n].reshape(*self.inverse.shape[:2], n, 2, n) * weight[..., None, None, None]
        return np.asarray(np.einsum("bspjl,skj,bsk->bpkl", first, self.basis[..., :2], self.strength * root, optimize=True))

    def tension(self, shape: Floats, root: Floats) -> Floats:
        """d chi^2 of one shape (batch,) each by the co-spectra over D^1/2: (batch, ordinate, n)."""
        each, n = np.arange(len(shape)), self.solution.shape[-1]
        toward = self.toward[each, shape].reshape(len(shape), -1, n)
        return np.asarray(2 * np.einsum("bjl,bkj,bk->bkl", toward, self.basis[shape], (self.strength * root)[each, shape], optimize=True))


def _regression(basis: Floats, others: Floats, cross: Floats, strength: Floats, weight: Floats) -> _Regression:
    """Least squares of X_i on (basis x X_l); the first two bases are fitted, the others tested for by their score."""
    shapes, _, n_basis = basis.shape
    batch, n = len(cross), cross.shape[-1]
    size, fitted = n_basis * n, 2 * n
    products = (basis[..., :, None] * basis[..., None, :]).reshape(shapes, -1, n_basis * n_basis)
    flat = others.reshape(batch, 1, -1, n * n)

    def summed(by: Floats) -> Floats:
        """sum_k by_k basis_j basis_k X_l X_m: (batch, shape, (j, l), (k, m))."""
        parts = (products * by[..., None]).swapaxes(2, 3) @ flat
        return np.asarray(parts.reshape(batch, shapes, n_basis, n_basis, n, n).swapaxes(3, 4).reshape(batch, shapes, size, size))

    hessian = summed(strength)
    right = ((basis * strength[..., None]).swapaxes(2, 3) @ cross[:, None]).reshape(batch, shapes, size)
    inverse = np.linalg.inv(hessian[..., :fitted, :fitted])
    solution = np.einsum("bspq,bsq->bsp", inverse, right[..., :fitted])
    square = products.reshape(shapes, -1, n_basis, n_basis)[..., :2, :2].reshape(shapes, -1, 4)
    square = square @ inverse.reshape(batch, shapes, 2, n, 2, n).swapaxes(3, 4).reshape(batch, shapes, 4, n * n)
    leverage = np.sum(square * flat, axis=-1) * strength
    misfit, toward = np.zeros((batch, shapes)), np.zeros((batch, shapes, size))
    if n_basis > 2:
        misfit, toward = _score(hessian, summed(strength * weight), inverse, right, solution)
    return _Regression(solution.reshape(batch, shapes, 2, n), leverage, misfit, basis, strength, inverse, toward)


def _score(hessian: Floats, scatter: Floats, inverse: Floats, right: Floats, solution: Floats) -> tuple[Floats, Floats]:
    """chi^2 (batch, shape) of the score test for the bases that were not fitted, and half its derivative by `right`."""
    fitted, size = solution.shape[-1], right.shape[-1]
    back = -hessian[..., fitted:, :fitted] @ inverse
    beside = np.concatenate([back, np.broadcast_to(np.eye(size - fitted), (*back.shape[:2], size - fitted, size - fitted))], axis=-1)
    score = np.einsum("bsmp,bsp->bsm", beside, right)
    spread = beside @ scatter @ beside.swapaxes(2, 3)
    scale = 1 / np.sqrt(np.maximum(np.einsum("bsjj->bsj", spread), 1e-300))
    correlation = spread * scale[..., :, None] * scale[..., None, :] + 1e-6 * np.eye(size - fitted)
    z = score * scale
    toward = np.einsum("bsmk,bsk->bsm", np.linalg.inv(correlation), z)
    return np.sum(z * toward, axis=-1), np.einsum("bsm,bsmp->bsp", toward * scale, beside)
