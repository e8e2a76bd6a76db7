"""Zero-frequency limit of a power spectrum by maximum likelihood.

An ordinate of the periodogram of M independent stationary series is Gamma distributed about the spectrum S(f), with
shape kappa = M (M / 2 at f = 0). Below a cut-off f_c the spectrum is even in f, positive, and

    ln S(f) = b0 + b1 phi(f),    phi(f) = ln(1 + (f / a f_c)^2) / ln(1 + 1 / a^2),    a in SHAPES:

a large `a` is a parabola, a small one a Lorentzian with a tail, of any power. With w = 1 / (1 + (f / f_c)^8)

    -ln L = sum_k w_k kappa_k [ln S_k + I_k / S_k]

is convex in (b0, b1). ln S(0) is the mean of b0 over cut-offs and shapes: shapes with one cut-off count by L, cut-offs
by exp(-chi^2 / 2) / stderr^2, chi^2 what is left in the residuals. Fits of neighbouring cut-offs are made of the same ordinates, so that the
mean errs less than each and more than if its weights were given: its variance is that of its derivative with respect to the ordinates,
u_k = d ln S(0) / d ln I_k, sum_k u_k^2 / kappa_k, the derivative of the weights in it (B. Efron, J. Am. Stat. Assoc. 109, 991 (2014)).
Averages over cut-offs are an idea of Toraman, Fauconnier, Verstraelen, J. Chem. Inf. Model. (2025),
10.1021/acs.jcim.5c01475.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData

__all__ = [
    "Averaged",
    "Local",
    "ZeroFrequency",
    "averaged",
    "band",
    "followed",
    "local",
    "log_spectrum",
    "phi_of",
    "residual_misfit",
    "waves",
    "zero_frequencies",
    "zero_frequency",
]

Floats = NDArray[Any]
Start = tuple[Floats, Floats] | None  # b0 and b1 that a search starts from
FEWEST = 2  # ordinates between 0 and a cut-off
INFORMATION = 24  # sum of kappa below a cut-off: 20 % error of a constant spectrum
CUTOFFS = 20
SHAPES = np.array([2.0, 0.6, 0.3])
COSINES = 3  # that the residuals are tested for
MISFIT = 6.0  # chi^2 of the cosines, 3 on average: more is structure that no cut-off resolves
STEEP = 0.4  # change of S, up or down, between 0 and the narrowest cut-off
NEWTON = 60
FREE = 0.25  # of the standard error of a fit, by which single ions may show it to be off: 3 % of its root mean square


@dataclass(frozen=True)
class ZeroFrequency:
    """S(0) with one standard error and the mean cut-off, numbers or arrays (...); response (..., frequency): d ln S(0) / d ln I of each ordinate.

    change : S at the narrowest cut-off over S(0). misfit : chi^2 of what no cut-off resolves. Both decide about `refused`.
    """

    value: Any
    stderr: Any
    cutoff: Any
    response: Floats
    change: Any
    misfit: Any

    @property
    def refused(self) -> Any:
        return (np.abs(np.log(self.change)) > -np.log(STEEP)) | (self.misfit > MISFIT)


def band(frequency: Floats, periodogram: Floats, *, series: int) -> tuple[Floats, Floats, Floats, Floats, int]:
    """Frequencies, ordinates (..., frequency), their shapes kappa, the cut-offs, and how many ordinates the narrowest one holds.

    Raises NotEnoughData where there are too few ordinates, or none of them has power.
    """
    inner = slice(None, -1)  # the last may be that of half the sampling frequency, which has another law
    f, power = np.asarray(frequency, dtype=np.float64)[inner], np.asarray(periodogram, dtype=np.float64)[..., inner]
    lowest = max(FEWEST, -(-INFORMATION // series))
    if len(f) < 2 * lowest or not np.all(power[..., : lowest + 1].max(axis=-1) > 0):
        raise NotEnoughData(
            f"the zero-frequency limit of a spectrum needs at least {2 * lowest + 1} ordinates, of which the lowest {lowest + 1} are not all "
            f"zero, and there are {len(frequency)}: give longer windows"
        )
    kappa = np.full(len(f), float(series))
    kappa[0] /= 2
    return f, power, kappa, np.geomspace(f[lowest], f[-1], CUTOFFS), lowest


def zero_frequency(frequency: Floats, periodogram: Floats, *, series: int, allowed: Floats | None = None) -> ZeroFrequency:
    """S(0) from the periodogram averaged over `series` independent series of one length (windows times axes).

    frequency : (frequency,) from 0 on, evenly. periodogram : (frequency,). allowed : see `followed`, of a batch of one.
    Raises NotEnoughData where there are too few ordinates, or where the windows are too short to see S level off.
    """
    found = zero_frequencies(frequency, np.asarray(periodogram), series=series, allowed=allowed)
    lowest = max(FEWEST, -(-INFORMATION // series))
    cutoff = float(frequency[lowest])
    cure = "the windows are too short for its zero-frequency limit; give longer windows (fewer windows, or a longer run)"
    if abs(np.log(found.change)) > -np.log(STEEP):
        raise NotEnoughData(
            f"the spectrum changes to {found.change:.0%} of its limit within the {lowest} lowest ordinates, up to {cutoff:.3g} THz: {cure}"
        )
    if found.misfit > MISFIT:
        raise NotEnoughData(
            f"the spectrum has structure that the {lowest} lowest ordinates, up to {cutoff:.3g} THz, do not resolve "
            f"(chi^2 of the residuals is {found.misfit:.3g}, and {COSINES} is expected): {cure}"
        )
    return found


def followed(frequency: Floats, alone: Floats, *, series: int, n_ions: int) -> Floats:
    """Which fits (cut-off, batch, shape) follow the spectrum of n_ions single ions (batch, frequency) to its limit.

    One collective current is too noisy to show that a fit is wrong by as much as its own error, and the widest cut-off has the smallest one. Single
    ions move on the same times and are n_ions times as many: what a fit to their spectrum is off from their own limit, beyond chance, may be
    FREE of the error that it has for one current. The one that is off least is always followed.
    """
    f, power, kappa, cutoffs, _ = band(frequency, alone, series=series)
    fits = _fits(f, power, kappa * n_ions, cutoffs)
    mean = averaged(fits)
    known = np.sum(np.square(mean.response(fits)) / (kappa * n_ions), axis=1)
    variance = np.array([np.broadcast_to(fit.variance, fit.log.shape) for fit in fits])
    off = np.square(np.array([fit.log for fit in fits]) - mean.value[:, None]) - np.maximum(variance - known[:, None], 0.0)
    off /= n_ions * variance
    return np.asarray(off <= np.maximum(FREE**2, off.min(axis=(0, 2), keepdims=True)))


def zero_frequencies(frequency: Floats, periodogram: Floats, *, series: int, allowed: Floats | None = None) -> ZeroFrequency:
    """`zero_frequency` of a batch (..., frequency) at once, which refuses none: see `refused`."""
    f, power, kappa, cutoffs, _ = band(frequency, periodogram, series=series)
    shape = power.shape[:-1]
    power = power.reshape(-1, len(f))
    fits = _fits(f, power, kappa, cutoffs)
    mean = averaged(fits, allowed)
    change = np.exp(np.einsum("cbs,cbs,cs->b", mean.weight, np.array([fit.slope for fit in fits]), phi_of(cutoffs[0] / cutoffs)))
    of_cutoff = mean.weight.sum(axis=2)
    misfit = np.einsum("cb,cb->b", of_cutoff, [fit.misfit for fit in fits])
    response = np.zeros((len(power), len(frequency)))
    response[:, : len(f)] = mean.response(fits)
    value = np.exp(mean.value)
    stderr = value * np.sqrt(np.sum(np.square(response[:, : len(f)]) / kappa, axis=1))

    def shaped(one: Floats) -> Any:
        return one.reshape(shape) if shape else float(one[0])

    return ZeroFrequency(
        value=shaped(value),
        stderr=shaped(stderr),
        cutoff=shaped(cutoffs @ of_cutoff),
        response=response.reshape(*shape, -1),
        change=shaped(change),
        misfit=shaped(misfit),
    )


def phi_of(u: Floats) -> Floats:
    """ln(1 + (u / a)^2) / ln(1 + 1 / a^2) of u = f / f_c: (u, shape), 1 at u = 1."""
    return np.asarray(np.log1p(np.square(u[:, None] / SHAPES)) / np.log1p(SHAPES**-2.0))


@dataclass(frozen=True)
class Local:
    """Fits of all shapes with one cut-off, to the first ordinates of a batch.

    log, slope, likelihood : (batch, shape), the last one against that of the best shape. variance : (shape,) of log.
    misfit : (batch,) of the shape that leaves least, `least` (batch,). Derivatives by ln I: response (shape, ordinate) of log, pull
    (batch, shape, ordinate) of the likelihood, tension (batch, ordinate) of the misfit.
    """

    log: Floats
    slope: Floats
    variance: Floats
    likelihood: Floats
    misfit: Floats
    least: Floats
    response: Floats
    pull: Floats
    tension: Floats

    @property
    def log_weight(self) -> Floats:
        """(batch, shape)."""
        return np.asarray(self.likelihood - self.misfit[:, None] / 2 - np.log(self.variance))


@dataclass(frozen=True)
class Averaged:
    """Mean of `log` (batch,) over cut-offs and shapes, by weights (cut-off, batch, shape)."""

    value: Floats
    weight: Floats

    def response(self, fits: list[Local]) -> Floats:
        """d mean / d ln I of every ordinate, (batch, ordinate): of the fits, and of their weights."""
        out = np.zeros((len(self.value), max(fit.response.shape[-1] for fit in fits)))
        for fit, weight in zip(fits, self.weight, strict=True):
            out[:, : fit.response.shape[-1]] += weight @ fit.response + self.of_weights(fit, weight * (fit.log - self.value[:, None]))
        return out

    @staticmethod
    def of_weights(fit: Local, apart: Floats) -> Floats:
        """(batch, ..., ordinate) of apart (batch, ..., shape): weights times how far each fit is from the mean."""
        return np.asarray(np.einsum("b...s,bsn->b...n", apart, fit.pull) - apart.sum(axis=-1)[..., None] * _each(fit.tension, apart) / 2)


def _each(values: Floats, apart: Floats) -> Floats:
    """(batch, ordinate) beside one more axis where `apart` has it."""
    return values if apart.ndim == 2 else values[:, None]


def averaged(fits: list[Local], allowed: Floats | None = None) -> Averaged:
    """The mean over all fits, or those `allowed` (cut-off, batch, shape), by exp(log_weight)."""
    weight = np.array([fit.log_weight for fit in fits])
    if allowed is not None:
        weight = np.where(allowed, weight, -np.inf)
    weight = np.exp(weight - weight.max(axis=(0, 2), keepdims=True))
    weight /= weight.sum(axis=(0, 2), keepdims=True)
    return Averaged(np.einsum("cbs,cbs->b", weight, [fit.log for fit in fits]), weight)


def _fits(f: Floats, power: Floats, kappa: Floats, cutoffs: Floats) -> list[Local]:
    fits: list[Local] = []
    for k, cutoff in enumerate(cutoffs):  # the curve of the last cut-off is where the next one starts
        start = (fits[-1].log, fits[-1].slope * phi_of(cutoff / cutoffs[k - 1 : k])[0]) if fits else None
        fits.append(_below(cutoff, f, power, kappa, start))
    return fits


def _below(cutoff: float, f: Floats, power: Floats, kappa: Floats, start: Start) -> Local:
    weight = 1 / (1 + (f / cutoff) ** 8)
    near = weight > 1e-3
    u, power, kappa, weight = f[near] / cutoff, power[:, near], kappa[near], weight[near]
    strength = weight * kappa
    fit = log_spectrum(phi_of(u).T, np.broadcast_to(power[:, None], (len(power), len(SHAPES), len(u))), strength, weight, start)
    return local(fit, residual_misfit(waves(u), fit, strength, weight), strength)


def local(fit: "LogSpectrum", misfit: "Misfit", strength: Floats, beside: Floats | float = 0.0) -> Local:
    """What an average needs to know of fits with one cut-off; `beside`: chi^2 (batch, shape) of other residuals."""
    likelihood = -((fit.model + fit.residual) @ strength)
    best = likelihood.argmax(axis=1)
    best_model = np.take_along_axis(fit.model, best[:, None, None], axis=1)
    chi2 = misfit.chi2 + beside
    least = chi2.argmin(axis=1)
    return Local(
        log=fit.log,
        slope=fit.slope,
        variance=fit.variance,
        likelihood=likelihood - likelihood.max(axis=1, keepdims=True),
        misfit=np.take_along_axis(chi2, least[:, None], axis=1)[:, 0],
        least=least,
        response=fit.response,
        pull=-strength * np.expm1(np.clip(best_model - fit.model, -50.0, 50.0)),
        tension=misfit.tension(least),
    )


@dataclass(frozen=True)
class LogSpectrum:
    """ln S = log + slope phi of every shape (batch, shape), the variance of log (shape,), its response to the ordinates (shape, ordinate),
    the model (batch, shape, ordinate) and what the ordinates leave, I / S - 1."""

    log: Floats
    slope: Floats
    variance: Floats
    response: Floats
    model: Floats
    residual: Floats
    x: Floats
    inverse: Floats


def log_spectrum(phi: Floats, power: Floats, strength: Floats, weight: Floats, start: Start = None) -> LogSpectrum:
    """Fits of ordinates (batch, shape, ordinate): covariance H^-1 G H^-1, H = sum w kappa x x^T, G = sum w^2 kappa x x^T, x = (1, phi)."""
    log, slope = _newton(phi, power, strength, start)
    model = log[..., None] + slope[..., None] * phi
    x = np.stack([np.ones_like(phi), phi], axis=-1)
    inverse = np.linalg.inv(np.einsum("snj,n,snk->sjk", x, strength, x))
    response = np.einsum("sj,snj->sn", inverse[:, 0], x) * strength
    variance = np.square(response) @ (weight / strength)
    return LogSpectrum(log, slope, variance, response, model, power * np.exp(-model) - 1, x, inverse)


def _newton(phi: Floats, power: Floats, strength: Floats, start: Start) -> tuple[Floats, Floats]:
    """b0 and b1 (batch, shape) of largest likelihood; the Hessian is the observed one with some of the expected one: never singular."""
    b0, b1 = start if start is not None else (np.log(power @ strength / strength.sum()), np.zeros(power.shape[:2]))
    powers = np.stack([np.ones_like(phi), phi, phi * phi], axis=-1)
    for step in range(NEWTON):
        expected = 0.5 if step < 2 else 0.01
        ratio = power * np.exp(-np.clip(b0[..., None] + b1[..., None] * phi, -700, 700))
        both = (
            np.stack([strength * (1 - ratio), strength * (expected + (1 - expected) * ratio)], axis=2) @ powers
        )  # (.., gradient or curvature, power of phi)
        g0, g1, h00, h01, h11 = (both[:, :, row, column] for row, column in ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2)))
        determinant = h00 * h11 - h01 * h01
        step0, step1 = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        shorter = np.minimum(1.0, 2.0 / (np.abs(step0[..., None] + step1[..., None] * phi).max(axis=-1) + 1e-300))
        b0, b1 = b0 - shorter * step0, b1 - shorter * step1
        if max(np.abs(step0).max(), np.abs(step1).max()) < 1e-7:
            break
    return b0, b1


def waves(u: Floats) -> Floats:
    """Cosines of half, one, ... waves up to 1.25 f_c: (ordinate, cosine)."""
    return np.asarray(np.cos(np.pi * np.arange(1, COSINES + 1) * np.minimum(u / 1.25, 1.0)[:, None]))


@dataclass(frozen=True)
class Misfit:
    """chi^2 (batch, shape) of the score test for cosines beside the model; `tension` is its derivative by ln I."""

    chi2: Floats
    toward: Floats
    beside: Floats

    def tension(self, shape: Floats) -> Floats:
        """(batch, ordinate), of one shape (batch,) each."""
        return np.asarray(2 * np.einsum("bnm,bm->bn", self.beside[shape], self.toward[np.arange(len(shape)), shape]))


def residual_misfit(cosines: Floats, fit: LogSpectrum, strength: Floats, weight: Floats) -> Misfit:
    """Of what the ordinates leave, for cosines (ordinate, cosine)."""
    x, inverse = fit.x, fit.inverse
    beside = cosines - np.einsum("snj,sjm->snm", x, inverse @ np.einsum("snj,n,nm->sjm", x, strength, cosines))
    covariance = np.einsum("snj,n,snk->sjk", beside, weight * strength, beside)
    scale = 1 / np.sqrt(np.einsum("sjj->sj", covariance))
    precision = np.linalg.inv(covariance * scale[:, :, None] * scale[:, None, :] + 1e-6 * np.eye(COSINES))
    beside = beside * scale[:, None, :] * strength[:, None]
    z = np.einsum("bsn,snm->bsm", fit.residual, beside)
    toward = np.einsum("smk,bsk->bsm", precision, z)
    return Misfit(np.sum(z * toward, axis=-1), toward, beside)
