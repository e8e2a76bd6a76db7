"""Zero-frequency limit of the spectral matrix of several series by the Wishart likelihood, positive semidefinite by construction.

The currents of an equilibrium run are alike forwards and backwards in time, so that their spectral matrix S(f) is real and
the real part I(f) of their periodogram, averaged over M independent series, is sufficient: M I is Wishart distributed about M S
with 2 M degrees of freedom (M at f = 0),

    -ln L = sum_k w_k kappa_k [ln det S_k + tr(S_k^-1 I_k)],    kappa = M (M / 2 at f = 0).

With the modified Cholesky form S = A D A^T, X_i = sum_{l < i} t_il X_l + e_i, D_ii = <|e_i|^2>, the likelihood is a sum over rows:
row 0 is the scalar fit of statistics/spectral.py, unchanged, and row i a regression whose coefficients and whose ln D_ii
are b0 + b1 phi(f) each, averaged over cut-offs and shapes as there. D > 0 makes S positive. What the coefficients cost is
given back to D_ii. Put first what matters most: its value does not depend on the rest.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.spectral import COSINES, MISFIT, PRECISION, SHAPES, STEEP, band, log_spectrum, phi_of, residual_misfit, waves, zero_frequency

__all__ = ["ZeroFrequencyMatrix", "zero_frequency_matrix"]

Floats = NDArray[Any]
EXACT = 1e-9  # of the power of a series: a residual below it is rounding, and the series a combination of those before it
ROUNDS = 3  # of coefficients given D, and of D given coefficients


@dataclass(frozen=True)
class ZeroFrequencyMatrix:
    """S(0) (n, n), the covariance of its elements (n, n, n, n), and of each row the mean cut-off (n,)."""

    value: Floats
    covariance: Floats
    cutoff: Floats


@dataclass(frozen=True)
class _Row:
    """Coefficients t_il (l < i) with their covariance, ln D_ii with its variance (-inf: exactly dependent), the mean cut-off."""

    coefficients: Floats
    covariance: Floats
    log: float
    variance: float
    cutoff: float


def zero_frequency_matrix(frequency: Floats, periodogram: Floats, *, series: int) -> ZeroFrequencyMatrix:
    """S(0) from the real part of the periodogram matrix averaged over `series` independent series of one length (windows times axes).

    frequency : (frequency,) from 0 on, evenly. periodogram : (frequency, n, n), symmetric. One series gives `zero_frequency`.
    Raises NotEnoughData where the scalar does for the first series, or where a coefficient has structure that no cut-off resolves.
    """
    n = periodogram.shape[-1]
    first = zero_frequency(frequency, periodogram[:, 0, 0], series=series)
    rows = [_Row(np.zeros(0), np.zeros((0, 0)), float(np.log(first.value)), (first.stderr / first.value) ** 2, first.cutoff)]
    for i in range(1, n):
        free = [line for line in range(i) if np.isfinite(rows[line].log)]
        rows.append(_row(frequency, periodogram, i, free, series=series))
    return _composed(rows)


def _composed(rows: list[_Row]) -> ZeroFrequencyMatrix:
    """S = A D A^T, A = (1 - T)^-1, and by the derivatives dS = A dT S + S dT^T A^T + A dD A^T the covariance of its elements."""
    n = len(rows)
    below = np.zeros((n, n))
    for i, row in enumerate(rows):
        below[i, :i] = row.coefficients
    mixing = np.linalg.inv(np.eye(n) - below)
    diagonal = np.exp([row.log for row in rows])
    value = (mixing * diagonal) @ mixing.T
    covariance = np.zeros((n, n, n, n))
    for i, row in enumerate(rows):
        along = diagonal[i] * np.outer(mixing[:, i], mixing[:, i])
        covariance += row.variance * np.multiply.outer(along, along)
        if i:
            turned = np.einsum("a,lb->lab", mixing[:, i], value[:i])
            to_value = turned + turned.swapaxes(1, 2)
            covariance += np.einsum("pab,pq,qcd->abcd", to_value, row.covariance, to_value)
    return ZeroFrequencyMatrix(value, covariance, np.array([row.cutoff for row in rows]))


def _row(frequency: Floats, periodogram: Floats, i: int, free: list[int], *, series: int) -> _Row:
    """Series i regressed on those before it, averaged over cut-offs and shapes; `free`: those that are not combinations of others."""
    f, power, kappa, cutoffs, lowest = band(frequency, periodogram, series=series)
    own, cross, others = power[:, i, i], power[:, i, free], power[:, free][:, :, free]
    coefficients, covariance = np.zeros(i), np.zeros((i, i))
    if not own.any():
        return _Row(coefficients, covariance, -np.inf, 0.0, float(cutoffs[-1]))
    plain = np.linalg.lstsq(others.sum(axis=0), cross.sum(axis=0), rcond=None)[0]
    if np.sum(own - 2 * cross @ plain + np.einsum("klm,l,m->k", others, plain, plain)) < EXACT * own.sum():
        coefficients[free] = plain
        return _Row(coefficients, covariance, -np.inf, 0.0, float(cutoffs[-1]))
    fits = [_below(cutoff, f, own, cross, others, kappa) for cutoff in cutoffs]
    logs, slopes, variances, likelihoods = (np.array([getattr(fit, name) for fit in fits]) for name in ("log", "slope", "variance", "likelihood"))
    misfits = np.array([fit.misfit.min() for fit in fits])
    weight = likelihoods - likelihoods.max(axis=1, keepdims=True) - misfits[:, None] / 2 - PRECISION / 2 * np.log(variances)
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    of_cutoff = weight.sum(axis=1)
    _check(float(of_cutoff @ misfits), len(free), lowest, cutoffs[0])
    mean = float(np.sum(weight * logs))
    change = float(np.sum(weight * slopes * phi_of(cutoffs[0] / cutoffs)))
    steep = max(abs(change) + np.log(STEEP), 0.0)  # D is known no better than what it changes by within the lowest ordinates
    variance = float(np.sum(weight * (variances + np.square(logs - mean)))) + steep**2
    found = np.array([fit.coefficients for fit in fits])
    average = np.einsum("cs,csl->l", weight, found)
    apart = found - average
    coefficients[free] = average
    covariance[np.ix_(free, free)] = np.einsum("cs,cslm->lm", weight, [fit.covariance for fit in fits]) + np.einsum(
        "cs,csl,csm->lm", weight, apart, apart
    )
    return _Row(coefficients, covariance, mean, variance, float(of_cutoff @ cutoffs))


def _check(misfit: float, n: int, lowest: int, cutoff: float) -> None:
    if misfit > MISFIT * (1 + n):
        raise NotEnoughData(
            f"the shares of the series in one another have structure that the {lowest} lowest ordinates, up to {cutoff:.3g} THz, do not resolve "
            f"(chi^2 of the residuals is {misfit:.3g}, and {COSINES * (1 + n)} is expected): the windows are too short for its zero-frequency "
            "limit; give longer windows (fewer windows, or a longer run)"
        )


@dataclass(frozen=True)
class _Local:
    """Fits of all shapes with one cut-off: arrays (shape, ...)."""

    coefficients: Floats
    covariance: Floats
    log: Floats
    slope: Floats
    variance: Floats
    likelihood: Floats
    misfit: Floats


def _below(cutoff: float, f: Floats, own: Floats, cross: Floats, others: Floats, kappa: Floats) -> _Local:
    """Coefficients c + e phi by least squares with weights 2 w kappa / D, and D of what they leave, in turn."""
    weight = 1 / (1 + (f / cutoff) ** 8)
    near = weight > 1e-3
    u, own, cross, others, kappa, weight = f[near] / cutoff, own[near], cross[near], others[near], kappa[near], weight[near]
    strength = weight * kappa
    phi = phi_of(u).T
    shapes, n = len(SHAPES), cross.shape[-1]
    model, spectrum = np.zeros((shapes, len(u))), None
    basis = np.concatenate([np.stack([np.ones_like(phi), phi], axis=-1), np.broadcast_to(waves(u), (shapes, len(u), COSINES))], axis=-1)
    for left_to_do in reversed(range(ROUNDS)):
        line = _regression(basis if left_to_do == 0 else basis[..., :2], others, cross, 2 * strength * np.exp(-model), weight)
        at = np.einsum("snj,sjl->snl", basis[..., :2], line.solution)
        left = own - 2 * np.einsum("nl,snl->sn", cross, at) + np.einsum("nlm,snl,snm->sn", others, at, at)
        left = np.maximum(left, 1e-14 * own) / np.maximum(1 - line.leverage / (2 * kappa), 0.05)
        spectrum = log_spectrum(phi, left, strength, weight, spectrum)
        model = spectrum.model
    assert spectrum is not None
    misfit = residual_misfit(waves(u), spectrum, strength, weight) + line.misfit
    likelihood = -np.sum((model + left * np.exp(-model)) * strength, axis=-1)
    return _Local(line.solution[:, 0], line.covariance[:, :n, :n], spectrum.log, spectrum.slope, spectrum.variance, likelihood, misfit)


@dataclass(frozen=True)
class _Regression:
    """solution (shape, 2, n) of the bases 1 and phi; covariance over (basis, n); leverage (shape, ordinate); chi^2 of the cosines."""

    solution: Floats
    covariance: Floats
    leverage: Floats
    misfit: Floats


def _regression(basis: Floats, others: Floats, cross: Floats, strength: Floats, weight: Floats) -> _Regression:
    """Least squares of X_i on (basis x X_l); the first two bases are fitted, the others tested for by their score."""
    shapes, _, n_basis = basis.shape
    n = cross.shape[-1]
    size, fitted = n_basis * n, 2 * n
    products = (basis[..., :, None] * basis[..., None, :]).reshape(shapes, -1, n_basis * n_basis)
    flat = others.reshape(-1, n * n)

    def summed(by: Floats) -> Floats:
        """sum_k by_k basis_j basis_k X_l X_m: (shape, (j, l), (k, m))."""
        parts = (products * by[..., None]).swapaxes(1, 2) @ flat
        return np.asarray(parts.reshape(shapes, n_basis, n_basis, n, n).swapaxes(2, 3).reshape(shapes, size, size))

    hessian, scatter = summed(strength), summed(strength * weight)
    right = ((basis * strength[..., None]).swapaxes(1, 2) @ cross).reshape(shapes, size)
    inverse = np.linalg.inv(hessian[:, :fitted, :fitted])
    solution = np.einsum("spq,sq->sp", inverse, right[:, :fitted])
    covariance = inverse @ scatter[:, :fitted, :fitted] @ inverse
    square = products.reshape(shapes, -1, n_basis, n_basis)[..., :2, :2].reshape(shapes, -1, 4)
    square = square @ inverse.reshape(shapes, 2, n, 2, n).swapaxes(2, 3).reshape(shapes, 4, n * n)
    leverage = np.sum(square * flat, axis=-1) * strength
    misfit = _score(hessian, scatter, inverse, right, solution) if n_basis > 2 else np.zeros(shapes)
    return _Regression(solution.reshape(shapes, 2, n), covariance, leverage, misfit)


def _score(hessian: Floats, scatter: Floats, inverse: Floats, right: Floats, solution: Floats) -> Floats:
    """chi^2 (shape,) of the score test for the bases that were not fitted."""
    shapes, fitted, size = len(solution), solution.shape[-1], right.shape[-1]
    score = right[:, fitted:] - np.einsum("spq,sq->sp", hessian[:, fitted:, :fitted], solution)
    beside = np.concatenate(
        [-hessian[:, fitted:, :fitted] @ inverse, np.broadcast_to(np.eye(size - fitted), (shapes, size - fitted, size - fitted))], axis=-1
    )
    spread = beside @ scatter @ beside.swapaxes(1, 2)
    scale = 1 / np.sqrt(np.maximum(np.einsum("sjj->sj", spread), 1e-300))
    correlation = spread * scale[:, :, None] * scale[:, None, :] + 1e-6 * np.eye(size - fitted)
    z = score * scale
    return np.asarray(np.einsum("sm,smk,sk->s", z, np.linalg.inv(correlation), z))
