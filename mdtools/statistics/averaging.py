"""The average of lines over ranges of lags, and how much more it varies since the data choose between the ranges."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import NestedLines, Prior, nested_lines, quality, worst_chi2
from mdtools.statistics.ranges import FEWEST, Ranges
from mdtools.statistics.regime import POOR

__all__ = ["DRAWS", "Average", "average", "holds_from"]

Floats = NDArray[Any]
LEFT_OUT = 2.0  # what ln of the weight loses for each lag that is left out: chi^2 of 4, two standard errors, must be gained for it
DRAWS = 64  # of the data, from which the variance of the choice is learnt


@dataclass(frozen=True)
class Average:
    """The weighted average of lines, arrays (...). `weights` (..., 2, lag) give (intercept, slope) from the MSD, were they not chosen by it;
    `choice` is by what factor the variance of the slope is larger since they are; spreads are the variance between ranges; `first` is the
    index of the first lag of the best range."""

    intercept: Floats
    slope: Floats
    weights: Floats
    choice: Floats
    spread: Floats
    intercept_spread: Floats
    quality: Floats
    misfit: Floats
    lag_first: Floats
    lag_last: Floats
    first: Floats


@dataclass(frozen=True)
class _Lines:
    """The lines of all ranges: those through the last points before each end, of lags x, with a covariance known up to a factor with
    `scale_dof` (...) degrees of freedom."""

    x: Floats
    ranges: Ranges
    of_end: dict[int, NestedLines]
    scale_dof: Floats

    def at(self, values: dict[int, Floats], first: Floats) -> Floats:
        """Of values (..., first lag) for each end those of the ranges, (..., range)."""
        return np.stack([values[end][..., k] for k, end in zip(first, self.ranges.end, strict=True)], axis=-1)

    @property
    def dof(self) -> Floats:
        """(range,)."""
        return self.at({end: lines.dof for end, lines in self.of_end.items()}, self.ranges.start)

    def weights(self, chi2: dict[int, Floats], scale_dof: Floats, worst: Floats) -> tuple[Floats, Floats]:
        """Weights (..., range) from the chi^2 (..., first lag) for each end, and that of the ranges; `worst` is that of quality POOR."""
        own, extended = self.at(chi2, self.ranges.start), self.at(chi2, self.ranges.earlier)
        known, some = (scale_dof > 1e6)[..., None], np.where(scale_dof > 1e6, 1.0, scale_dof)[..., None]
        log_likelihood = -0.5 * np.where(known, extended, (some + len(self.x)) * np.log1p(extended / some))
        good = own <= worst
        allowed = good | ~good.any(axis=-1, keepdims=True)
        left_out = len(self.x) - (self.ranges.end - self.ranges.earlier)
        log_weight = np.where(allowed, log_likelihood - LEFT_OUT * left_out, -np.inf)
        weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
        return weight / weight.sum(axis=-1, keepdims=True), own

    def linear(self, weight: Floats) -> Floats:
        """(..., 2, lag): weights of the MSD in (intercept, slope), for weights (..., range) of the lines."""
        found = np.zeros((*weight.shape[:-1], 2, len(self.x)))
        for end, lines in self.of_end.items():
            share = np.zeros(lines.chi2.shape)
            for k in np.flatnonzero(self.ranges.end == end):
                share[..., self.ranges.start[k]] += weight[..., k]
            found[..., :end] += lines.mean_weights(share)
        return found


def average(
    lags: Floats, msd: Floats, covariance: Floats, ranges: Ranges, *, prior: Prior = None, scale_dof: Any = np.inf, draws: int = DRAWS
) -> Average:
    """Fit a line to each range and average.

    msd : (..., lag). covariance : (..., lag, lag), known up to a factor with `scale_dof` (...) degrees of freedom. ln of the weight of a range
    is its ln likelihood less 2 for each lag that is left out, which is a parameter of its own (as G. Schwarz counts them, Ann. Stat. 6, 461
    (1978): half ln of 50 lags); the likelihood is that of the range extended down to half its first lag. A transient that is too small to
    be seen in the extension is much smaller in the range itself; one at the limit of what can be seen shifts the slope by up to 0.8 of its
    standard deviation (a smaller price trades that for scatter where there is none). With draws=0 `choice` is 1, and costs nothing.
    """
    x = np.asarray(lags, dtype=np.float64)
    of_end = {int(end): nested_lines(x[:end], msd[..., :end], covariance[..., :end, :end], prior=prior) for end in np.unique(ranges.end)}
    lines = _Lines(x, ranges, of_end, np.broadcast_to(scale_dof, msd.shape[:-1]))
    intercepts, slopes = (lines.at({end: one.estimate[..., k] for end, one in of_end.items()}, ranges.start) for k in (0, 1))
    worst = worst_chi2(POOR, lines.dof, lines.scale_dof[..., None])
    weight, chi2 = lines.weights({end: one.chi2 for end, one in of_end.items()}, lines.scale_dof, worst)
    good = quality(chi2, lines.dof, lines.scale_dof[..., None])
    intercept, slope = np.sum(weight * intercepts, axis=-1), np.sum(weight * slopes, axis=-1)
    linear = lines.linear(weight)
    line = intercept[..., None] + slope[..., None] * x
    return Average(
        intercept=intercept,
        slope=slope,
        weights=linear,
        choice=_choice(lines, line, msd - line, weight, linear[..., 1, :], worst, draws=draws),
        spread=np.sum(weight * np.square(slopes - slope[..., None]), axis=-1),
        intercept_spread=np.sum(weight * np.square(intercepts - intercept[..., None]), axis=-1),
        quality=np.sum(weight * good, axis=-1),
        misfit=np.where((chi2 <= worst).any(axis=-1), 1.0, np.sum(weight * chi2 / lines.dof, axis=-1)),
        lag_first=weight @ x[ranges.start],
        lag_last=weight @ x[ranges.end - 1],
        first=ranges.start[weight.argmax(axis=-1)],
    )


def _choice(lines: _Lines, line: Floats, residual: Floats, weight: Floats, linear: Floats, worst: Floats, *, draws: int) -> Floats:
    """Variance of the average over that of linear . msd with the weights held fixed, (...), from draws of data about what the truth may be.

    The derivative of the average is no substitute: E|f'|^2 is the variance of f or more for any f (H. Chernoff, Ann. Prob. 9, 533 (1981)),
    half as much again where weights change fast, and far too much in the runs that lie between two ranges.
    Truth: the average line, and at the lags that are left out what the data show beyond it, innovation by innovation from the last lag
    down, each less what noise alone adds, z (1 - 1 / z^2) for |z| > 1: a bootstrap about the data themselves would have their noise twice.
    The part of the average that is linear in the data has its exact variance; only the rest is a mean over draws, which come in pairs of
    opposite sign and are the same in every call.
    """
    ranges, last = lines.ranges, lines.of_end[int(lines.ranges.end.max())]
    if len(ranges.start) == 1 or not draws:
        return np.ones(residual.shape[:-1])
    size = last.factor.shape[-1]

    def coloured(white: Floats) -> Floats:
        """White noise (..., draw, lag), the last lag first, with the covariance of the data."""
        return (white @ np.swapaxes(last.factor, -1, -2))[..., ::-1] / last.scale[..., None, :]

    half = np.random.default_rng(DRAWS).standard_normal((draws // 2, size))
    noise = coloured(np.concatenate([half, -half]))
    z = np.linalg.solve(last.factor, (residual[..., :size] * last.scale)[..., ::-1, None])[..., 0]
    left_out = (weight @ (np.arange(size) < ranges.earlier[:, None]))[..., ::-1]
    beyond = left_out * np.where(np.abs(z) > 1, z - 1 / np.where(z == 0, 1.0, z), 0.0)
    data = line[..., None, :size] + coloured(beyond[..., None, :]) + noise
    again = {end: one.again(lines.x[:end], data[..., :end]) for end, one in lines.of_end.items()}
    slopes = lines.at({end: found[0] for end, found in again.items()}, ranges.start)
    chi2 = {end: one[1] for end, one in again.items()}
    found = np.sum(lines.weights(chi2, lines.scale_dof[..., None], worst[..., None, :])[0] * slopes, axis=-1)
    found = found - found.mean(axis=-1, keepdims=True)
    straight = np.einsum("...di,...i->...d", noise, linear[..., :size])
    known = np.mean(straight**2, axis=-1)
    some = np.where(known > 0, known, 1.0)
    along = np.mean(found * straight, axis=-1) / some
    rest = np.mean(np.square(found - along[..., None] * straight), axis=-1)
    exact = np.square((linear[..., None, :size] / last.scale[..., None, :])[..., ::-1] @ last.factor).sum(axis=-1)[..., 0]
    return np.where(known > 0, along**2 + rest / np.where(exact > 0, exact, 1.0), 1.0)


def holds_from(lines: NestedLines, scale_dof: Any = np.inf) -> Floats:
    """Index of the first point from which a line holds up to the last one, (...); the number of points where there is none."""
    good = (quality(lines.chi2, np.maximum(lines.dof, 1), np.asarray(scale_dof)[..., None]) >= POOR) & (lines.dof + 2 >= FEWEST)
    return np.where(good.any(axis=-1), good.argmax(axis=-1), good.shape[-1])
