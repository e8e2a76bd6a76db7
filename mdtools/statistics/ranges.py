"""Ranges of lags, and the average of the lines fitted to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.least_squares import Line, agreement, fit_line, quality
from mdtools.statistics.regime import POOR

__all__ = ["NARROW", "WIDE", "Average", "RangeFit", "average", "lag_ranges"]

Floats = NDArray[Any]
COUNTED = 0.5  # of the variance between ranges
FEWEST = 6  # lags in a range: three in each half


@dataclass(frozen=True)
class RangeFit:
    """A line on one range of lags, how good it is, and ln of its weight."""

    part: slice
    line: Line
    quality: float
    log_weight: float


@dataclass(frozen=True)
class Average:
    """The weighted average of lines. `weights` (2, lag) give (intercept, slope) from the MSD; spreads are what
    the variance between ranges adds to the error."""

    intercept: float
    slope: float
    weights: Floats
    spread: float
    intercept_spread: float
    quality: float
    misfit: float
    lag_first: float
    lag_last: float
    best: RangeFit


WIDE, NARROW = 4.0, 2.0  # last over first lag of a range; narrow where the motion starts ballistically, to start late enough


def lag_ranges(lags: Floats, *, first: float | None = None, last: float | None = None, earliest: float = 0.0, wide: float = WIDE) -> list[slice]:
    """Ranges over at least a factor `wide` in lag and six lags; the last lag is the longest one, or 1/2 or 1/4 of it.

    `first` and `last` (frames) allow only ranges that start at the lag next to `first`, or end next to `last`; `earliest` only
    those that start there or later, as far as there are any.
    """
    lags = np.asarray(lags, dtype=np.float64)
    ends = sorted({int(np.searchsorted(lags, lags[-1] * factor, side="right")) for factor in ((1,) if last is not None else (1, 0.5, 0.25))})
    starts = range(len(lags)) if first is None else [int(np.abs(lags - first).argmin())]
    wide = 1.0 if first is not None else wide
    found = [slice(i, j) for i in starts for j in ends if j - i >= FEWEST and lags[j - 1] >= wide * lags[i]]
    latest = max((part.start for part in found), default=0)
    return [part for part in found if lags[part.start] >= min(earliest, lags[latest])]


def average(lags: Floats, msd: Floats, covariance: Floats, ranges: Sequence[slice], *, prior: tuple[float, float] | None = None) -> Average:
    """Fit a line to each range and average, weighted by the agreement of the two halves of the range."""
    fits = [_fit(lags, msd, covariance, part, prior) for part in ranges]
    admissible = [fit for fit in fits if fit.quality >= POOR]
    fits = admissible or fits
    log_weight = np.array([fit.log_weight for fit in fits])
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    intercepts, slopes = (np.array(v) for v in zip(*((fit.line.intercept, fit.line.slope) for fit in fits), strict=True))
    linear = np.zeros((2, len(lags)))
    for share, fit in zip(weight, fits, strict=True):
        linear[:, fit.part] += share * fit.line.weights
    intercept, slope = float(weight @ intercepts), float(weight @ slopes)
    return Average(
        intercept=intercept,
        slope=slope,
        weights=linear,
        spread=_spread(fits, weight, 1),
        intercept_spread=_spread(fits, weight, 0),
        quality=float(weight @ np.array([fit.quality for fit in fits])),
        misfit=1.0 if admissible else float(weight @ np.array([fit.line.chi2 / fit.line.dof for fit in fits])),
        lag_first=float(weight @ np.array([lags[fit.part][0] for fit in fits])),
        lag_last=float(weight @ np.array([lags[fit.part][-1] for fit in fits])),
        best=fits[int(weight.argmax())],
    )


def _spread(fits: Sequence[RangeFit], weight: Floats, which: int) -> float:
    """COUNTED of sum w (p - mean)^2, the variance between ranges.

    Part of it is noise that the variance of the mean, a linear combination of the MSD, holds already; the rest is
    what the choice of weights from the same data adds. The fraction is calibrated (scripts/coverage.py).
    """
    values = np.array([(fit.line.intercept, fit.line.slope)[which] for fit in fits])
    return COUNTED * float(weight @ np.square(values - weight @ values))


def _fit(lags: Floats, msd: Floats, covariance: Floats, part: slice, prior: tuple[float, float] | None) -> RangeFit:
    x, y, c = lags[part].astype(np.float64), msd[part], covariance[part, part]
    line = fit_line(x, y, c, prior=prior)
    half = len(x) // 2
    low, high = (fit_line(x[s], y[s], c[s, s]) for s in (slice(None, half), slice(half, None)))
    difference = np.concatenate([low.weights, -high.weights], axis=1)
    return RangeFit(part, line, quality(line.chi2, line.dof), agreement(difference @ y, difference @ c @ difference.T, line.covariance[1, 1]))
