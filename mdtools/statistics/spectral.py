"""Zero-frequency limit of a power spectrum by maximum likelihood.

An ordinate of the periodogram of M independent stationary series is Gamma distributed about the spectrum S(f), with
shape kappa = M (M / 2 at f = 0). Near f = 0 the spectrum is S(f) = exp(b0 + b1 f^2): even in f, positive, one length
of time. With w = 1 / (1 + (f / f_cut)^8)

    -ln L = sum_k w_k kappa_k [ln S_k + I_k / S_k]

is convex in (b0, b1). The cut-off is averaged over, weighted as ranges of lags are (`least_squares.agreement`): by how
well the parameters from below and above f_cut / 2 agree. The idea of weights and halves is that of Toraman, Fauconnier,
Verstraelen, J. Chem. Inf. Model. (2025), 10.1021/acs.jcim.5c01475.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.least_squares import agreement

__all__ = ["ZeroFrequency", "zero_frequency"]

Floats = NDArray[Any]
FEWEST = 4  # ordinates below a cut-off
INFORMATION = 60  # sum of kappa below a cut-off: 13 % error of a constant spectrum
CUTOFFS = 40
NEWTON = 60
STEEP = 0.5  # what may be left of S(0) at the narrowest cut-off


@dataclass(frozen=True)
class ZeroFrequency:
    """S(0) with one standard error (curvature of the likelihood and spread between cut-offs) and the mean cut-off."""

    value: float
    stderr: float
    cutoff: float


def zero_frequency(frequency: Floats, periodogram: Floats, *, series: int) -> ZeroFrequency:
    """S(0) from the periodogram averaged over `series` independent series of one length (windows times axes).

    frequency : (frequency,) from 0 on, evenly. periodogram : (frequency,).
    Raises NotEnoughData where there are too few ordinates, or where the windows are too short to see S level off.
    """
    inner = slice(None, -1)  # the last may be that of half the sampling frequency, which has another law
    f, power = np.asarray(frequency, dtype=np.float64)[inner], np.asarray(periodogram, dtype=np.float64)[inner]
    lowest = max(FEWEST, -(-INFORMATION // series))
    if len(f) < 2 * lowest or not power.max() > 0:
        raise NotEnoughData(
            f"the zero-frequency limit of a spectrum needs at least {2 * lowest + 1} ordinates that are not all zero, and there are "
            f"{len(frequency)}: give longer windows"
        )
    kappa = np.full(len(f), float(series))
    kappa[0] /= 2
    cutoffs = np.geomspace(f[lowest], f[-1], CUTOFFS)
    fits = [_with_cutoff(f, power, kappa, cutoff) for cutoff in cutoffs]
    logs, variances, weights, falls = (np.array(v) for v in zip(*fits, strict=True))
    if falls[0] < np.log(STEEP):
        raise NotEnoughData(
            f"the spectrum falls to {np.exp(falls[0]):.0%} of its limit within the {lowest} lowest ordinates, up to {cutoffs[0]:.3g} THz: "
            f"the windows are too short for its zero-frequency limit; give longer windows"
        )
    weight = np.exp(weights - weights.max())
    weight /= weight.sum()
    mean = float(weight @ logs)
    variance = float(weight @ (variances + np.square(logs - mean)))
    value = float(np.exp(mean))
    return ZeroFrequency(value, value * float(np.sqrt(variance)), float(weight @ cutoffs))


def _with_cutoff(f: Floats, power: Floats, kappa: Floats, cutoff: float) -> tuple[float, float, float, float]:
    """b0, its variance, ln of the weight of this cut-off, and ln S(cut-off) / S(0)."""
    weight = 1 / (1 + (f / cutoff) ** 8)
    near = weight > 1e-4
    x = np.column_stack([np.ones(near.sum()), np.square(f[near] / cutoff)])
    power, kappa, weight = power[near], kappa[near], weight[near]
    whole, covariance = _fit(x, power, kappa, weight)
    low = f[near] < cutoff / 2
    halves = [_fit(x[part], power[part], kappa[part], weight[part]) for part in (low, ~low)]
    difference = halves[0][0] - halves[1][0]
    return whole[0], covariance[0, 0], agreement(difference, halves[0][1] + halves[1][1], covariance[0, 0]), whole[1]


def _fit(x: Floats, power: Floats, kappa: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """(b0, b1) by Newton steps, and their covariance H^-1 G H^-1, H = sum w kappa x x^T, G = sum w^2 kappa x x^T."""
    strength = weight * kappa
    scale = float(strength @ power / strength.sum())
    b = np.array([np.log(scale), 0.0])
    for _ in range(NEWTON):
        ratio = power * np.exp(-np.clip(x @ b, -700, 700))
        hessian = (x * (strength * (ratio + 1) / 2)[:, None]).T @ x  # mean of observed and expected: never singular
        step = np.linalg.solve(hessian, x.T @ (strength * (1 - ratio)))
        b = b - step * min(1.0, 2.0 / float(np.abs(x @ step).max() + 1e-300))
        if np.abs(step).max() < 1e-10:
            break
    inverse = np.linalg.inv((x * strength[:, None]).T @ x)
    return b, inverse @ ((x * (weight * strength)[:, None]).T @ x) @ inverse
