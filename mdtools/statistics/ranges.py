"""Ranges of lags, and the average of the lines fitted to them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import NestedLines, Prior, nested_lines, quality
from mdtools.statistics.regime import POOR

__all__ = ["NARROW", "WIDE", "Average", "Ranges", "average", "holds_from", "lag_ranges"]

Floats = NDArray[Any]
FEWEST = 6  # lags in a range
WIDE, NARROW = 4.0, 2.0  # last over first lag of a range; narrow where the motion starts ballistically, to start late enough
LEFT_OUT = 2.0  # what ln of the weight loses for each lag that is left out: chi^2 of 4, two standard errors, must be gained for it


@dataclass(frozen=True)
class Ranges:
    """Indices of lags: a range is lags[start:end], and `earlier` is where it starts when it is extended down to half its first lag."""

    start: Floats
    end: Floats
    earlier: Floats


@dataclass(frozen=True)
class Average:
    """The weighted average of lines, arrays (...). `weights` (..., 2, lag) give (intercept, slope) from the MSD; `gradient` (..., lag) is
    the derivative of the slope with respect to the MSD, the weights and what changes in the weights of the ranges; spreads are the variance
    between ranges; `first` is the index of the first lag of the best range."""

    intercept: Floats
    slope: Floats
    weights: Floats
    gradient: Floats
    spread: Floats
    intercept_spread: Floats
    quality: Floats
    misfit: Floats
    lag_first: Floats
    lag_last: Floats
    first: Floats


def lag_ranges(lags: Floats, *, first: float | None = None, last: float | None = None, earliest: float = 0.0, wide: float = WIDE) -> Ranges:
    """Ranges over at least a factor `wide` in lag and six lags; the last lag is the longest one, or 1/2 or 1/4 of it.

    Only ranges that can be extended down to half their first lag, as long as there are any. `first` and `last` (frames) allow only ranges
    that start at the lag next to `first`, or end next to `last`; `earliest` only those that start there or later, as far as there are any.
    """
    lags = np.asarray(lags, dtype=np.float64)
    ends = sorted({int(np.searchsorted(lags, lags[-1] * factor, side="right")) for factor in ((1,) if last is not None else (1, 0.5, 0.25))})
    starts = np.arange(len(lags)) if first is None else np.array([int(np.abs(lags - first).argmin())])
    wide = 1.0 if first is not None else wide
    start, end = (grid.ravel() for grid in np.meshgrid(starts, ends, indexing="ij"))
    kept = (end - start >= FEWEST) & (lags[end - 1] >= wide * lags[start])
    start, end = start[kept], end[kept]
    for limit in (2 * lags[0], earliest):
        late = lags[start] >= limit
        if late.any():
            start, end = start[late], end[late]
        elif len(start):
            start, end = start[start == start.max()], end[start == start.max()]
    earlier = np.minimum(np.searchsorted(lags, lags[start] / 2 * (1 + 1e-9)), start) if first is None else start
    return Ranges(start, end, earlier)


def average(lags: Floats, msd: Floats, covariance: Floats, ranges: Ranges, *, prior: Prior = None, scale_dof: Any = np.inf) -> Average:
    """Fit a line to each range and average.

    msd : (..., lag). covariance : (..., lag, lag), known up to a factor with `scale_dof` (...) degrees of freedom. ln of the weight of a range
    is its ln likelihood less 2 for each lag that is left out, which is a parameter of its own (as G. Schwarz counts them, Ann. Stat. 6, 461
    (1978): half ln of 50 lags); the likelihood is that of the range extended down to half its first lag. A transient that is too small to
    be seen in the extension is much smaller in the range itself.
    The variance of the average is that of `gradient` . msd, since the data choose the weights (B. Efron, J. Am. Stat. Assoc. 109, 991 (2014)).
    """
    x = np.asarray(lags, dtype=np.float64)
    scale_dof = np.broadcast_to(scale_dof, msd.shape[:-1])
    every = {end: nested_lines(x[:end], msd[..., :end], covariance[..., :end, :end], prior=prior) for end in np.unique(ranges.end)}
    found = [
        _judged(every[end], start, earlier, scale_dof, len(x)) for start, end, earlier in zip(ranges.start, ranges.end, ranges.earlier, strict=True)
    ]
    estimate, good, per_dof, log_likelihood, rate = (np.stack(column, axis=-1) for column in zip(*found, strict=True))
    intercepts, slopes = estimate[..., 0, :], estimate[..., 1, :]
    holds = good >= POOR
    any_holds = np.asarray(holds.any(axis=-1))
    left_out = len(x) - (ranges.end - ranges.earlier)
    log_weight = np.where(holds | ~any_holds[..., None], log_likelihood - LEFT_OUT * left_out, -np.inf)
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    mean = {name: np.sum(weight * values, axis=-1) for name, values in (("intercept", intercepts), ("slope", slopes))}
    pulls = weight * (slopes - mean["slope"][..., None]) * rate
    linear = np.zeros((*msd.shape[:-1], 2, len(x)))
    gradient = np.zeros(msd.shape)
    for end, lines in every.items():
        share, pull = np.zeros((2, *lines.chi2.shape))
        for k in np.flatnonzero(ranges.end == end):
            share[..., ranges.start[k]] += weight[..., k]
            pull[..., ranges.earlier[k]] += pulls[..., k]
        linear[..., :end] += lines.mean_weights(share)
        gradient[..., :end] += lines.pull(pull)
    return Average(
        **mean,
        weights=linear,
        gradient=linear[..., 1, :] + gradient,
        spread=np.sum(weight * np.square(slopes - mean["slope"][..., None]), axis=-1),
        intercept_spread=np.sum(weight * np.square(intercepts - mean["intercept"][..., None]), axis=-1),
        quality=np.sum(weight * good, axis=-1),
        misfit=np.where(any_holds, 1.0, np.sum(weight * per_dof, axis=-1)),
        lag_first=weight @ x[ranges.start],
        lag_last=weight @ x[ranges.end - 1],
        first=ranges.start[weight.argmax(axis=-1)],
    )


def holds_from(lines: NestedLines, scale_dof: Any = np.inf) -> Floats:
    """Index of the first point from which a line holds up to the last one, (...); the number of points where there is none."""
    good = (quality(lines.chi2, np.maximum(lines.dof, 1), np.asarray(scale_dof)[..., None]) >= POOR) & (lines.dof + 2 >= FEWEST)
    return np.where(good.any(axis=-1), good.argmax(axis=-1), good.shape[-1])


def _judged(lines: NestedLines, start: int, earlier: int, scale_dof: Floats, n_lags: int) -> tuple[Floats, ...]:
    """Estimate (..., 2), quality, chi^2 a degree of freedom, ln likelihood of the extended range with the factor of the covariance left open, and
    its derivative with respect to -1/2 chi^2."""
    chi2, dof, extended = lines.chi2[..., start], lines.dof[start], lines.chi2[..., earlier]
    known = scale_dof > 1e6
    some = np.where(known, 1.0, scale_dof)
    log_likelihood = -0.5 * np.where(known, extended, (some + n_lags) * np.log1p(extended / some))
    rate = np.where(known, 1.0, (some + n_lags) / (some + extended))
    return lines.estimate[..., start, :], quality(chi2, dof, scale_dof), chi2 / dof, log_likelihood, rate
