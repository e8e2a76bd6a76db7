"""Fits of the models of a mode to its periodogram by Whittle's likelihood, compared by evidence.

The posterior of the logarithms of the numbers is taken as Gaussian about its mode (Laplace); that of a central peak, which few ordinates at
low frequency tell of, is drawn from. The priors of A, W and G are the same
for all models; of the central peak the prior is flat in the share x = d / (W^2 + d) of the stiffness and in ln(1/tau), from the
resolution to half the fast frequency: a faster neighbour is friction. Evidences are relative, ln Z less what all models share.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mdtools.statistics.oscillator import Sampling, Spectrum
from mdtools.statistics.posterior import posterior_draws

__all__ = ["Fit", "central_peak_draws", "fit_modes"]

Floats = NDArray[Any]
PASSES = 60
CONVERGED = 1e-6  # of a standard error
FRICTIONS = (0.03, 0.1, 0.3, 1.0, 3.0)  # G / W that are tried
SHARES, RATES = (0.1, 0.3, 0.6, 0.9), (0.003, 0.01, 0.03, 0.1, 0.3)  # d / (W^2 + d), and 1 / tau in units of the fast frequency
REFINED = 2  # of the starts, those of largest likelihood
COSINES = 6  # that the residuals are tested for
DRAWS = 900  # of the posterior of a central peak
SIDEWAYS = 2.0  # times wider along x, whose posterior has a tail, than the Gaussian about its mode, draws are first looked for
WIDEST, REACH = 2.0, 10.0  # standard error of ln of a number beyond which it is not known, and from its maximum to where the prior reaches


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One model: ln of its numbers, their covariance, ln of likelihood and of evidence, and the probability of residuals as structured.

    misfit : chi^2 of the residuals for each of the cosines that they are tested for.
    draws : (draw, number) of the posterior, where it is no Gaussian.
    """

    model: str
    theta: Floats
    covariance: Floats
    log_likelihood: float
    log_evidence: float
    quality: float
    misfit: float
    draws: Floats | None = None


def fit_modes(periodogram: Floats, sampling: Sampling, *, series: int, band: tuple[float, float] | None = None) -> list[Fit]:
    """A fit of each model to the mean periodogram of `series` independent series; a model whose search fails is left out.

    band : frequencies taken (THz), all unless told.
    """
    kappa = _kappa(sampling, series, band)
    starts = _oscillators(periodogram, sampling)
    first = _fit("oscillator", starts, periodogram, kappa, sampling)
    if first is not None:
        starts = [first.theta, *starts]
    others = [
        _fit("central peak", _with_neighbours(starts[:1]), periodogram, kappa, sampling),
        _fit("lorentzian", starts, periodogram, kappa, sampling),
    ]
    return [fit for fit in (first, *others) if fit is not None]


def central_peak_draws(fit: Fit, periodogram: Floats, sampling: Sampling, *, series: int, band: tuple[float, float] | None = None) -> Floats:
    """(draw, number) of the posterior of the model "central peak", priors as stated above.

    They are looked for in (ln A W^2, ln(W^2 + d), ln G, x, ln 1/tau), where the prior is flat and the posterior nearly Gaussian: in ln W^2 itself it
    has a tail towards W = 0, x = 1, that a Gaussian about its mode does not reach.
    """
    kappa, spectrum, prior = _kappa(sampling, series, band), Spectrum(fit.model, sampling), _Prior(fit.theta, sampling)

    def log_density(place: Floats) -> float:
        if not 0 < place[3] < 1:
            return -np.inf
        theta = _of_place(place)
        return _log_likelihood(spectrum, theta, periodogram, kappa) if prior.holds(theta) else -np.inf

    known = np.minimum(1.0, WIDEST / np.sqrt(np.diag(fit.covariance)))
    place, slopes = _place(fit.theta)
    covariance = slopes @ (fit.covariance * np.outer(known, known)) @ slopes.T
    covariance += (SIDEWAYS**2 - 1) * np.outer(covariance[3], covariance[3]) / covariance[3, 3]
    return np.array([_of_place(one) for one in posterior_draws(log_density, place, covariance, draws=DRAWS)])


def _place(theta: Floats) -> tuple[Floats, Floats]:
    """(ln A W^2, ln(W^2 + d), ln G, x, ln 1/tau) of ln of A, W^2, G, d, 1/tau, and its derivatives."""
    both = np.logaddexp(theta[1], theta[3])
    x = np.exp(theta[3] - both)
    slopes = np.eye(5)
    slopes[0, 1] = 1.0
    slopes[1, [1, 3]] = 1 - x, x
    slopes[3, [1, 3]] = -x * (1 - x), x * (1 - x)
    return np.array([theta[0] + theta[1], both, theta[2], x, theta[4]]), slopes


def _of_place(place: Floats) -> Floats:
    """The inverse of `_place`."""
    stiffness = place[1] + np.log1p(-place[3])
    return np.array([place[0] - stiffness, stiffness, place[2], place[1] + np.log(place[3]), place[4]])


def _kappa(sampling: Sampling, series: int, band: tuple[float, float] | None) -> Floats:
    """How many independent ordinates each stands for, 0 outside the band."""
    f = sampling.frequency
    low, high = (0.0, f[-1]) if band is None else band
    kappa = np.full(len(f), float(series)) * ((f >= low) & (f <= high)) / sampling.shared
    kappa[0] /= 2
    if sampling.n % 2 == 0:
        kappa[-1] /= 2
    return kappa


class _Prior:
    """Where the prior of a central peak, flat in x and in ln 1/tau, is not 0: from `low` to `high` of ln 1/tau, not too far from the best numbers."""

    def __init__(self, theta: Floats, sampling: Sampling) -> None:
        self.middle = theta
        self.low = np.log(2 * np.pi / (sampling.n * sampling.interval)) - 1
        self.high = np.logaddexp(theta[1], theta[3]) / 2 + np.log(0.5)

    def holds(self, theta: Floats) -> bool:
        return bool(self.low < theta[4] < self.high and np.abs(theta - self.middle).max() <= REACH)


def _fit(model: str, starts: list[Floats], power: Floats, kappa: Floats, sampling: Sampling) -> Fit | None:
    spectrum = Spectrum(model, sampling)
    starts = sorted(starts, key=lambda start: -_log_likelihood(spectrum, start, power, kappa))[:REFINED]
    found = [one for one in (_search(spectrum, start, power, kappa) for start in starts) if one is not None]
    if not found:
        return None
    theta, value = max(found, key=lambda one: one[1])
    log, slopes = spectrum.logarithm(theta)
    information = np.einsum("k,ik,jk->ij", kappa, slopes, slopes)
    try:
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    if not np.all(np.diag(covariance) > 0):
        return None
    misfit = _misfit(power * np.exp(-log) - 1, slopes, kappa, covariance)
    return Fit(
        model=model,
        theta=theta,
        covariance=covariance,
        log_likelihood=value,
        log_evidence=value + _log_occam(model, theta, covariance, sampling),
        quality=float(special.chdtrc(COSINES, misfit)),
        misfit=misfit / COSINES,
    )


def _oscillators(power: Floats, sampling: Sampling) -> list[Floats]:
    """Numbers of the size of the moments: <Q^2>, W^2 = <v^2> / <Q^2> or at the peak, and several frictions."""
    f = sampling.frequency
    square = (2 * np.pi * np.maximum(f, f[1] / 2)) ** 2
    of_position = power / square if sampling.velocity else power
    amplitude = 2 * f[1] * of_position.sum()
    peak = 2 * np.pi * max(float(f[np.argmax(of_position * square * f)]), f[1] / 2)
    stiffness = (2 * f[1] * (of_position * square).sum() / amplitude, peak**2)
    return [np.log([amplitude, w2, ratio * np.sqrt(w2)]) for w2 in stiffness for ratio in FRICTIONS]


def _with_neighbours(starts: list[Floats]) -> list[Floats]:
    """The oscillator's numbers for the fast vibration, and a share of its stiffness that relaxes."""
    out = []
    for amplitude, stiffness, friction in starts:
        for x in SHARES:
            for rate in RATES:
                out.append(np.array([amplitude, stiffness + np.log1p(-x), friction, stiffness + np.log(x), stiffness / 2 + np.log(rate)]))
    return out


def _search(spectrum: Spectrum, theta: Floats, power: Floats, kappa: Floats) -> tuple[Floats, float] | None:
    """Fisher scoring with steps halved until the likelihood rises; (numbers, ln L), None where it does not settle."""
    value = _log_likelihood(spectrum, theta, power, kappa)
    damping = 1e-3
    for _ in range(PASSES):
        log, slopes = spectrum.logarithm(theta)
        gradient = slopes @ (kappa * (power * np.exp(-log) - 1))
        information = np.einsum("k,ik,jk->ij", kappa, slopes, slopes)
        for _ in range(12):
            step = np.linalg.solve(information + damping * np.diag(np.diag(information)) + 1e-12 * np.eye(len(theta)), gradient)
            step = np.clip(step, -1.5, 1.5)
            after = _log_likelihood(spectrum, theta + step, power, kappa)
            if after >= value:
                break
            damping = max(damping, 1e-3) * 4
        else:
            return theta, value
        theta, gained, value = theta + step, after - value, after
        damping /= 5
        if gained < 1e-7 and gradient @ step < CONVERGED:
            return theta, value
    return theta, value


def _log_likelihood(spectrum: Spectrum, theta: Floats, power: Floats, kappa: Floats) -> float:
    with np.errstate(all="ignore"):
        s = spectrum(theta)
        if not np.all(np.isfinite(s)) or s[kappa > 0].min() <= 0:
            return -np.inf
        return float(-np.sum(kappa * (np.log(s) + power / s)))


def _log_occam(model: str, theta: Floats, covariance: Floats, sampling: Sampling) -> float:
    """ln of the share of the prior that the likelihood leaves of x and ln 1/tau; what A, W and G cost is the same for all models."""
    if model != "central peak":
        return 0.0
    prior = _Prior(theta, sampling)
    if not prior.low < theta[4] < prior.high:
        return -np.inf
    x, by = np.exp(theta[3] - np.logaddexp(theta[1], theta[3])), np.array([0.0, -1.0, 0.0, 1.0, 0.0])
    widths = (x * (1 - x) * np.sqrt(by @ covariance @ by), np.sqrt(covariance[4, 4]) / max(prior.high - prior.low - 1, 0.1))
    return float(sum(np.log(min(1.0, np.sqrt(2 * np.pi) * width)) for width in widths))


def _misfit(residual: Floats, slopes: Floats, kappa: Floats, covariance: Floats) -> float:
    """chi^2 of the score test for cosines of the place in the band, beside the model."""
    taken = np.flatnonzero(kappa > 0)
    place = np.cumsum(kappa[taken]) / kappa[taken].sum()
    waves = np.zeros((COSINES, len(kappa)))
    waves[:, taken] = np.cos(np.pi * np.arange(1, COSINES + 1)[:, None] * place)
    beside = waves - (waves * kappa) @ slopes.T @ covariance @ slopes
    information = np.einsum("k,ik,jk->ij", kappa, beside, beside)
    score = beside @ (kappa * residual)
    return float(score @ np.linalg.lstsq(information, score, rcond=1e-8)[0])
