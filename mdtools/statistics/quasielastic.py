"""How ions move, from the spectrum of exp(i q . r): Whittle likelihood of models of F_s(q, t), many wave numbers at once.

Ordinates (statistics/ordinates.py) are taken as Gamma distributed about

    S_k(q) = A_q P_k(q; theta) + B_q,        -ln L = sum_qk w_k kappa_q [ln S_k + I_k / S_k],    w_0 = 1/2, else 1,

A_q what vibrations leave of the motion (Debye-Waller), B_q their flat part, kappa_q the number of independent series by the
scatter over windows. Ions and wave numbers share their noise, so errors come from windows: the influence of each on theta,
H^-1 g_w, squared and summed (a jackknife), with Student's factor for so many windows, times what the fit leaves over.
On 300 synthetic runs of 24 ions, 800 frames and eight windows each (continuous, jump, confined: scripts/coverage_quasielastic.py), the
95 % intervals of the five parameters cover 93.7 to 96.0 %, those of 68 % 65 to 71 %, the bias of ln theta is 0.0 to 0.4 of its scatter, and
the motion is the right one in every run. The elastic line of confined motion beside one Lorentzian, which it has not: 92 % at q u = 0.5
and 76 % at q u = 1.25 (120 runs).
Source: reference/science.md B5; P. Whittle, Ark. Mat. 2, 423 (1953); debiased: A. Sykulski et al., Biometrika 106, 251 (2019).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.motions import MOTIONS
from mdtools.statistics.ordinates import Ordinates

__all__ = ["Fit", "compared", "fitted", "sampling", "scored", "started"]

Floats = NDArray[Any]
STEPS = 120
FAR = (1e-30, 1e30)  # ends of A and B


@dataclass(frozen=True)
class Fit:
    """A model at its most likely theta, with one standard error of ln theta, correlated; and how it compares."""

    motion: str
    theta: Floats
    log_covariance: Floats
    amplitude: Floats  # A_q
    flat: Floats  # B_q
    likelihood: float  # ln L at its maximum
    misfit: float  # chi^2 of the mean ordinates per degree of freedom
    excess: float  # sampling variance over that of independent ordinates
    log_evidence: float = np.nan

    @property
    def log_stderr(self) -> Floats:
        return np.sqrt(np.diag(self.log_covariance))


def fitted(data: Ordinates, motion: str) -> Fit:
    """The most likely theta: the best two of a grid, refined by Fisher scoring."""
    model, kinds = MOTIONS[motion]
    thetas = _grid(data, kinds)
    value, a, b = _profiled(data, _means(data, model, thetas))
    best = np.argsort(-value.sum(axis=-1), kind="stable")[:2]
    x, value = scored(data, model, np.log(np.concatenate([thetas[best], a[best], b[best]], axis=1)), kinds)
    return _fit(data, motion, x[np.argmax(value)], float(value.max()))


def started(data: Ordinates, model: Callable[..., Floats], kinds: str) -> Floats:
    """ln(theta, A, B) (q, parameter) of the best of a grid at each wave number on its own."""
    thetas = _grid(data, kinds)
    value, a, b = _profiled(data, _means(data, model, thetas))
    best, each = np.argmax(value, axis=0), np.arange(len(data.q))
    return np.asarray(np.log(np.concatenate([thetas[best], a[best, each][:, None], b[best, each][:, None]], axis=1)))


def _means(data: Ordinates, model: Callable[..., Floats], thetas: Floats) -> Floats:
    """P_k(q; theta) (..., q, k) of theta (..., parameter), never quite 0."""
    return np.maximum(data.of_model(model(data.q, data.time, np.moveaxis(thetas, -1, 0)[..., None, None])), 1e-9 * data.interval)


def _bounds(data: Ordinates, kinds: str) -> tuple[Floats, Floats]:
    """Smallest and largest theta that the data could tell from another model.

    Lengths: below 0.1 / q_max jumps are continuous, and a confinement (c) beyond 2 / q_min is none. Times: from a frame to some windows.
    """
    time = (0.5 * data.interval, 10 * data.n * data.interval)
    longest = {"l": 6 / data.q.min(), "c": 2 / data.q.min()}
    ends = {kind: (0.1 / data.q.max(), most) for kind, most in longest.items()} | {"t": time, "r": (0.5 / time[1], 0.5 / time[0])}
    ends["D"] = (1e-3 / (data.q.max() ** 2 * time[1]), 10 / (data.q.min() ** 2 * data.interval))
    ends["o"] = (1e-4, 1e4)
    ends["w"] = (data.slowest, np.pi / data.interval)
    ends["v"] = (ends["w"][0] / 10, ends["w"][1])
    return np.array([ends[kind][0] for kind in kinds]), np.array([ends[kind][1] for kind in kinds])


def _grid(data: Ordinates, kinds: str) -> Floats:
    """Values of theta (start, parameter) from which to start, within the bounds."""
    if not kinds:
        return np.zeros((1, 0))
    low, high = _bounds(data, kinds)
    number = 30 if len(kinds) == 1 else 10
    axes = [np.geomspace(2 * first, last / 2, number) for first, last in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(kinds))


def _profiled(data: Ordinates, p: Floats, *, steps: int = 20) -> tuple[Floats, Floats, Floats]:
    """ln L, A and B (theta, q) for given P (theta, q, k), by multiplicative updates that keep them positive."""
    power, w = data.values.mean(axis=0), data.weight
    a = 0.5 * power.sum(axis=-1) / p.sum(axis=-1)
    b = np.broadcast_to(0.5 * power[:, power.shape[1] // 2 :].mean(axis=-1), a.shape)
    for _ in range(steps):
        s = a[..., None] * p + b[..., None]
        a = a * np.sqrt((w * power / s**2 * p).sum(axis=-1) / (w / s * p).sum(axis=-1))
        s = a[..., None] * p + b[..., None]
        b = b * np.sqrt((w * power / s**2).sum(axis=-1) / (w / s).sum(axis=-1))
    s = a[..., None] * p + b[..., None]
    value = -len(data.values) * np.sum(w * (np.log(s) + power / s), axis=-1)
    return value, np.maximum(a, 1e-12), np.maximum(b, 1e-12 * data.interval)


def _parts(x: Floats, n_theta: int) -> tuple[Floats, Floats, Floats]:
    """theta, A and B, (..., parameter), (..., q, 1) and (..., q, 1), of x = ln(theta, A, B)."""
    a, b = np.split(np.exp(x[..., n_theta:, None]), 2, axis=-2)
    return np.exp(x[..., :n_theta]), a, b


def _curve(data: Ordinates, model: Callable[..., Floats], x: Floats, n_theta: int) -> Floats:
    """S (..., q, k) of x (..., parameter)."""
    theta, a, b = _parts(x, n_theta)
    return np.asarray(a * _means(data, model, theta) + b)


def _spectrum(data: Ordinates, model: Callable[..., Floats], x: Floats, n_theta: int) -> tuple[Floats, Floats]:
    """S (fit, q, k) and d ln S / dx (fit, q, k, parameter) of x (fit, parameter)."""
    theta, a, b = _parts(x, n_theta)
    steps = np.exp(1e-4 * np.eye(n_theta))[:, None]
    p, *beside = _means(data, model, np.concatenate([theta[None], theta * steps, theta / steps]))
    s = a * p + b
    slopes = np.zeros((*s.shape, x.shape[-1]))
    for k in range(n_theta):
        slopes[..., k] = a * (beside[k] - beside[n_theta + k]) / 2e-4 / s
    n_q = a.shape[-2]
    for k in range(n_q):
        slopes[:, k, :, n_theta + k] = a[:, k] * p[:, k] / s[:, k]
        slopes[:, k, :, n_theta + n_q + k] = b[:, k] / s[:, k]
    return s, slopes


def scored(data: Ordinates, model: Callable[..., Floats], starts: Floats, kinds: str, *, apart: bool = False) -> tuple[Floats, Floats]:
    """Fisher scoring with damping from several starts (fit, parameter), side by side: the parameters, and ln L of each.

    apart : the first fit is of the first wave number alone, and so on; the model does not ask which it is.
    """
    of_all = data.values.mean(axis=0), data.weight
    shape = (len(starts), *((1,) if apart else ()), *of_all[0].shape[int(apart) :])
    power, weight = (np.broadcast_to(one[:, None] if apart else one, shape) for one in of_all)
    n_theta, n_windows = len(kinds), len(data.values)
    low, high = (np.log(np.concatenate([end, np.full(starts.shape[1] - n_theta, far)])) for end, far in zip(_bounds(data, kinds), FAR, strict=True))

    def likelihood(which: Floats, s: Floats) -> Floats:
        return np.asarray(-n_windows * np.sum(weight[which] * (np.log(s) + power[which] / s), axis=(-2, -1)))

    def expected(which: Floats) -> tuple[Floats, Floats, Floats]:
        """sum excess d ln S and sum weight d ln S d ln S, over wave numbers and frequencies, and ln L."""
        s, slopes = _spectrum(data, model, x[which], n_theta)
        flat, w = slopes.reshape(len(which), -1, slopes.shape[-1]), n_windows * weight[which]
        gradient = (w * (power[which] / s - 1)).reshape(len(which), 1, -1) @ flat
        return gradient[:, 0], np.swapaxes(flat, 1, 2) @ (w.reshape(len(which), -1, 1) * flat), likelihood(which, s)

    x, damping, taken, going = starts.copy(), np.full(len(starts), 1e-3), np.zeros(len(starts), dtype=int), np.arange(len(starts))
    gradient, hessian, value = expected(going)
    while len(going):
        scale = np.einsum("fpp->fp", hessian[going])
        scale = damping[going, None] * (scale + 1e-9 * scale.max(axis=1, keepdims=True))
        step = np.linalg.solve(hessian[going] + scale[:, None] * np.eye(x.shape[1]), gradient[going, :, None])[..., 0]
        trial = np.clip(x[going] + np.clip(step, -1.5, 1.5), low, high)
        new = likelihood(going, _curve(data, model, trial, n_theta))
        better = new >= value[going]
        up, down = going[better], going[~better]
        gain = new[better] - value[up]
        x[up], taken[up] = trial[better], taken[up] + 1
        damping[up], damping[down] = np.maximum(damping[up] / 10, 1e-9), damping[down] * 5
        value[up] = new[better]
        further = up[(gain >= 1e-6) & (taken[up] < STEPS)]  # of ln L, of which an error bar is a half: steps may be short and many
        if len(further):
            gradient[further], hessian[further], value[further] = expected(further)
        going = np.concatenate([further, down[damping[down] < 1e9]])
    return x, value


def _fit(data: Ordinates, motion: str, x: Floats, value: float) -> Fit:
    model, kinds = MOTIONS[motion]
    n_theta, n_q = len(kinds), len(data.q)
    covariance, misfit, excess = sampling(data, model, x, kinds)
    a, b = np.exp(x[n_theta : n_theta + n_q]), np.exp(x[n_theta + n_q :])
    return Fit(motion, np.exp(x[:n_theta]), covariance[:n_theta, :n_theta], a, b, value, misfit, excess)


def sampling(data: Ordinates, model: Callable[..., Floats], x: Floats, kinds: str) -> tuple[Floats, float, float]:
    """Covariance of x by the influence of each window, chi^2 per degree of freedom, and the excess over independent ordinates.

    What the data do not bind (at an end of its range, or less known than a factor of two) has an infinite variance.
    """
    n_theta, n_windows = len(kinds), len(data.values)
    (s,), (slopes,) = _spectrum(data, model, x[None], n_theta)
    hessian = n_windows * np.einsum("qk,qkp,qkr->pr", data.weight, slopes, slopes, optimize=True)
    vague = np.diag(np.full(len(x), 0.01))  # a prior of a factor e^10, so that the inverse exists
    inverse = np.linalg.inv(hessian + vague)
    scores = np.einsum("qk,wqk,qkp->wp", data.weight, data.values / s - 1, slopes, optimize=True)
    influence = (scores - scores.mean(axis=0)) @ inverse
    sampling = influence.T @ influence * n_windows / (n_windows - 1)
    bound = np.diag(inverse) < 0.5
    freedom = max(1, s.size - int(bound.sum()))
    misfit = float(n_windows * np.sum(data.weight * (data.values.mean(axis=0) / s - 1) ** 2) / freedom)
    low, high = map(np.log, _bounds(data, kinds))
    bound[:n_theta] &= (x[:n_theta] > low + 1e-6) & (x[:n_theta] < high - 1e-6)
    known = bound[:n_theta]
    excess = float(np.mean(np.diag(sampling)[:n_theta][known] / np.diag(inverse)[:n_theta][known])) if known.any() else 1.0
    sampling *= max(1.0, misfit)
    sampling[np.diag_indices_from(sampling)] = np.where(bound, np.diag(sampling), np.inf)
    return sampling, misfit, excess


def compared(data: Ordinates, motions: Sequence[str] = tuple(MOTIONS)) -> list[Fit]:
    """All models with their log evidence, -BIC / 2: of a likelihood tempered by what windows scatter beyond, and the best fit leaves over.

    One model is often the limit of another (jump and confined diffusion contain the continuous one), where Laplace's integral fails.
    """
    fits = [fitted(data, motion) for motion in motions]
    top = max(fits, key=lambda one: one.likelihood)
    temper = max(1.0, top.excess) * max(1.0, top.misfit)
    independent = max(np.e, len(data.values) * float(data.weight.sum()) / temper)
    return [replace(fit, log_evidence=fit.likelihood / temper - 0.5 * len(fit.theta) * np.log(independent)) for fit in fits]
