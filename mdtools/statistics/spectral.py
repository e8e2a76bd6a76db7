"""Zero-frequency limit of a power spectrum by maximum likelihood.

An ordinate of the periodogram of M independent stationary series is Gamma distributed about the spectrum S(f), with
shape kappa = M (M / 2 at f = 0). Below a cut-off f_c the spectrum is even in f, positive, and

    ln S(f) = b0 + b1 phi(f),    phi(f) = ln(1 + (f / a f_c)^2) / ln(1 + 1 / a^2),    a in SHAPES:

a large `a` is a parabola, a small one a Lorentzian with a tail, of any power. With w = 1 / (1 + (f / f_c)^8)

    -ln L = sum_k w_k kappa_k [ln S_k + I_k / S_k]

is convex in (b0, b1). ln S(0) is the mean of b0 over cut-offs and shapes: shapes with one cut-off count by L, cut-offs
by exp(-chi^2 / 2) / stderr^3, chi^2 what is left in the residuals. What the b0 differ by is part of the error. On
simulated currents of Langevin ions, with and without optical modes, the bias is below a third of the scatter and the 95 %
interval covers 93 % to 100 % in runs of 100 correlation times or more, in windows of 25 or more; the stderr is up to 1.6
times the scatter in runs of thousands. Runs of 20 are refused as a rule, but not all of them: one in four with an optical
mode beside the ion's is not, and its limit is 40 % too small.
Averages over cut-offs are an idea of Toraman, Fauconnier, Verstraelen, J. Chem. Inf. Model. (2025),
10.1021/acs.jcim.5c01475.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData

__all__ = ["ZeroFrequency", "band", "log_spectrum", "phi_of", "residual_misfit", "waves", "zero_frequency"]

Floats = NDArray[Any]
FEWEST = 2  # ordinates between 0 and a cut-off
INFORMATION = 24  # sum of kappa below a cut-off: 20 % error of a constant spectrum
CUTOFFS = 20
SHAPES = np.array([2.0, 0.6, 0.3])
PRECISION = 3  # power of 1 / stderr: less leaves the error of long runs to their narrowest cut-offs, more lets broad ones bias
COSINES = 3  # that the residuals are tested for
MISFIT = 6.0  # chi^2 of the cosines, 3 on average: more is structure that no cut-off resolves
STEEP = 0.4  # change of S, up or down, between 0 and the narrowest cut-off
NEWTON = 60


@dataclass(frozen=True)
class ZeroFrequency:
    """S(0) with one standard error (of the likelihood, and the spread between models) and the mean cut-off."""

    value: float
    stderr: float
    cutoff: float


@dataclass(frozen=True)
class _Local:
    """Fits of all shapes with one cut-off: arrays (shape,)."""

    log: Floats
    slope: Floats
    variance: Floats
    likelihood: Floats
    misfit: Floats


def band(frequency: Floats, periodogram: Floats, *, series: int) -> tuple[Floats, Floats, Floats, Floats, int]:
    """Frequencies, ordinates (frequency, ...), their shapes kappa, the cut-offs, and how many ordinates the narrowest one holds.

    Raises NotEnoughData where there are too few ordinates, or none of them has power.
    """
    inner = slice(None, -1)  # the last may be that of half the sampling frequency, which has another law
    f, power = np.asarray(frequency, dtype=np.float64)[inner], np.asarray(periodogram, dtype=np.float64)[inner]
    lowest = max(FEWEST, -(-INFORMATION // series))
    if len(f) < 2 * lowest or not power[: lowest + 1].max() > 0:
        raise NotEnoughData(
            f"the zero-frequency limit of a spectrum needs at least {2 * lowest + 1} ordinates, of which the lowest {lowest + 1} are not all "
            f"zero, and there are {len(frequency)}: give longer windows"
        )
    kappa = np.full(len(f), float(series))
    kappa[0] /= 2
    return f, power, kappa, np.geomspace(f[lowest], f[-1], CUTOFFS), lowest


def zero_frequency(frequency: Floats, periodogram: Floats, *, series: int) -> ZeroFrequency:
    """S(0) from the periodogram averaged over `series` independent series of one length (windows times axes).

    frequency : (frequency,) from 0 on, evenly. periodogram : (frequency,).
    Raises NotEnoughData where there are too few ordinates, or where the windows are too short to see S level off.
    """
    f, power, kappa, cutoffs, lowest = band(frequency, periodogram, series=series)
    fits = [_below(cutoff, f, power, kappa) for cutoff in cutoffs]
    logs, variances = np.array([fit.log for fit in fits]), np.array([fit.variance for fit in fits])
    misfits = np.array([fit.misfit.min() for fit in fits])
    likelihoods = np.array([fit.likelihood - fit.likelihood.max() for fit in fits])
    weight = likelihoods - misfits[:, None] / 2 - PRECISION / 2 * np.log(variances)
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    changes = np.array([fit.slope for fit in fits]) * phi_of(cutoffs[0] / cutoffs)
    _check(float(np.sum(weight * changes)), float(weight.sum(axis=1) @ misfits), lowest, cutoffs[0])
    mean = float(np.sum(weight * logs))
    variance = float(np.sum(weight * (variances + np.square(logs - mean))))
    value = float(np.exp(mean))
    return ZeroFrequency(value, value * float(np.sqrt(variance)), float(weight.sum(axis=1) @ cutoffs))


def _check(change: float, misfit: float, lowest: int, cutoff: float) -> None:
    """Raises NotEnoughData where S is steep, or has structure, below the narrowest cut-off."""
    cure = "the windows are too short for its zero-frequency limit; give longer windows (fewer windows, or a longer run)"
    if abs(change) > -np.log(STEEP):
        raise NotEnoughData(
            f"the spectrum changes to {np.exp(change):.0%} of its limit within the {lowest} lowest ordinates, up to {cutoff:.3g} THz: {cure}"
        )
    if misfit > MISFIT:
        raise NotEnoughData(
            f"the spectrum has structure that the {lowest} lowest ordinates, up to {cutoff:.3g} THz, do not resolve "
            f"(chi^2 of the residuals is {misfit:.3g}, and {COSINES} is expected): {cure}"
        )


def phi_of(u: Floats) -> Floats:
    """ln(1 + (u / a)^2) / ln(1 + 1 / a^2) of u = f / f_c: (u, shape), 1 at u = 1."""
    return np.asarray(np.log1p(np.square(u[:, None] / SHAPES)) / np.log1p(SHAPES**-2.0))


def _below(cutoff: float, f: Floats, power: Floats, kappa: Floats) -> _Local:
    weight = 1 / (1 + (f / cutoff) ** 8)
    near = weight > 1e-3
    u, power, kappa, weight = f[near] / cutoff, power[near], kappa[near], weight[near]
    strength = weight * kappa
    fit = log_spectrum(phi_of(u).T, np.broadcast_to(power, (len(SHAPES), len(u))), strength, weight)
    likelihood = -np.sum((fit.model + power * np.exp(-fit.model)) * strength, axis=-1)
    return _Local(fit.log, fit.slope, fit.variance, likelihood, residual_misfit(waves(u), fit, strength, weight))


@dataclass(frozen=True)
class LogSpectrum:
    """ln S = log + slope phi of every shape, its variance, the model (shape, ordinate) and what the ordinates leave, I / S - 1."""

    log: Floats
    slope: Floats
    variance: Floats
    model: Floats
    residual: Floats
    x: Floats
    inverse: Floats


def log_spectrum(phi: Floats, power: Floats, strength: Floats, weight: Floats, start: LogSpectrum | None = None) -> LogSpectrum:
    """Fits of ordinates (shape, ordinate): covariance H^-1 G H^-1, H = sum w kappa x x^T, G = sum w^2 kappa x x^T, x = (1, phi)."""
    log, slope = _newton(phi, power, strength, None if start is None else (start.log, start.slope))
    model = log[:, None] + slope[:, None] * phi
    x = np.stack([np.ones_like(phi), phi], axis=-1)
    inverse = np.linalg.inv(np.einsum("snj,n,snk->sjk", x, strength, x))
    variance = (inverse @ np.einsum("snj,n,snk->sjk", x, weight * strength, x) @ inverse)[:, 0, 0]
    return LogSpectrum(log, slope, variance, model, power * np.exp(-model) - 1, x, inverse)


def _newton(phi: Floats, power: Floats, strength: Floats, start: tuple[Floats, Floats] | None = None) -> tuple[Floats, Floats]:
    """b0 and b1 (shape,) of largest likelihood; the Hessian is the mean of observed and expected: never singular."""
    b0, b1 = start if start is not None else (np.log(power @ strength / strength.sum()), np.zeros(len(phi)))
    powers = np.stack([np.ones_like(phi), phi, phi * phi], axis=-1)
    for _ in range(NEWTON):
        ratio = power * np.exp(-np.clip(b0[:, None] + b1[:, None] * phi, -700, 700))
        both = np.stack([strength * (1 - ratio), strength * (1 + ratio) / 2], axis=1) @ powers  # (shape, gradient or curvature, power of phi)
        (g0, g1), (h00, h01, h11) = both[:, 0, :2].T, both[:, 1].T
        determinant = h00 * h11 - h01 * h01
        step0, step1 = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        shorter = np.minimum(1.0, 2.0 / (np.abs(step0[:, None] + step1[:, None] * phi).max(axis=1) + 1e-300))
        b0, b1 = b0 - shorter * step0, b1 - shorter * step1
        if max(np.abs(step0).max(), np.abs(step1).max()) < 1e-7:
            break
    return b0, b1


def waves(u: Floats) -> Floats:
    """Cosines of half, one, ... waves up to 1.25 f_c: (ordinate, cosine)."""
    return np.asarray(np.cos(np.pi * np.arange(1, COSINES + 1) * np.minimum(u / 1.25, 1.0)[:, None]))


def residual_misfit(cosines: Floats, fit: LogSpectrum, strength: Floats, weight: Floats) -> Floats:
    """chi^2 (shape,) of the score test for cosines beside the model."""
    x, inverse = fit.x, fit.inverse
    beside = cosines - np.einsum("snj,sjm->snm", x, inverse @ np.einsum("snj,n,nm->sjm", x, strength, cosines))
    covariance = np.einsum("snj,n,snk->sjk", beside, weight * strength, beside)
    scale = 1 / np.sqrt(np.einsum("sjj->sj", covariance))
    correlation = covariance * scale[:, :, None] * scale[:, None, :] + 1e-6 * np.eye(COSINES)
    z = np.einsum("sn,n,snm->sm", fit.residual, strength, beside) * scale
    return np.asarray(np.einsum("sm,smk,sk->s", z, np.linalg.inv(correlation), z))
