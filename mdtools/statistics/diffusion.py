"""Self-diffusion from a mean squared displacement: lines by least squares with the exact covariance, averaged over ranges of lags.

MSD(t) = a0 + s t, s = 2 d D. One covariance serves every range of lags: the exact one of a path with the fitted line and,
below the first lag of the best range, the measured MSD (statistics/covariance.py). It is found by iteration.

Average: each range (first, last) is weighted by its precision as long as its two halves agree (`least_squares.agreement`);
ranges with quality Q < 0.01 do not enter while there are others. The agreement is what keeps the transient of the cage
out. The variance of the average is that of the linear combination of MSDs that it is, plus the excess that blocks of time
show (statistics/inflation.py), plus half the variance between ranges (statistics/ranges.py).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.covariance import PartedCovariance, parted_covariance, relative_variance
from mdtools.statistics.inflation import Excess, excess_variance
from mdtools.statistics.interval import score_interval, student, truncated_upper
from mdtools.statistics.least_squares import fit_line
from mdtools.statistics.ranges import NARROW, WIDE, Average, average, lag_ranges
from mdtools.statistics.regime import classify

__all__ = ["FEWEST_LAGS", "Diffusion", "diffusion", "usable_lags"]

Floats = NDArray[Any]
FEWEST_LAGS = 8
PASSES = 3
PER_DECADE = 12


@dataclass(frozen=True)
class Diffusion:
    """slope (of the MSD, per frame) with stderr and 95 % interval; for regime "caged" and "undecided" `upper` is the bound.

    lag_first, lag_last in frames; dof is that of the variance; significance is slope over the error that slope 0 would have.
    """

    slope: float
    stderr: float
    lower: float
    upper: float
    intercept: float
    intercept_stderr: float
    inflation: float
    dof: float
    lag_first: float
    lag_last: float
    quality: float
    log_slope: float
    log_slope_stderr: float
    significance: float
    regime: str


def diffusion(
    lags: Floats,
    msd: Floats,
    *,
    n_frames: int,
    n_ions: int = 1,
    windows: int = 1,
    blocks: tuple[Floats, Floats] | None = None,
    first: float | None = None,
    last: float | None = None,
    earliest: float = 0.0,
    intercept: tuple[float, float] | None = None,
) -> Diffusion:
    """Slope of the MSD, its error and the regime of the motion.

    lags : (lag,) whole frames. msd : (axis, lag), mean over ions, all origins and `windows` equal windows of n_frames.
    blocks : block_msd (axis, block_lag, block) and the lengths of the blocks in frames; None for a single walker that is
        Gaussian by itself, as the dipole of many ions.
    first, last : only ranges of lags that start or end there. earliest : only those that start there or later, where another
        measurement shows a transient that this one is too noisy to see. intercept : Gaussian prior (mean, standard deviation) of a0.
    Raises NotEnoughData for fewer than 8 usable lags.
    """
    resolved: dict[str, Any] = {"n_frames": n_frames, "n_walkers": n_ions * windows, "last": last}

    def attempt(wide: float) -> tuple[_Problem, Average, Excess, bool]:
        chosen = usable_lags(lags, **resolved, per_decade=PER_DECADE if wide == WIDE else 2 * PER_DECADE)
        of = np.asarray(lags)[chosen].astype(np.int64), np.asarray(msd, dtype=np.float64)[:, chosen]
        problem = _Problem(*of, n_frames - 1, n_ions, windows, blocks)
        ranges = lag_ranges(problem.lags, first=first, last=last, earliest=earliest, wide=wide)
        if not ranges:
            raise NotEnoughData(
                f"no range of lags from {first or problem.lags[0]:g} to {last or problem.lags[-1]:g} frames holds six lags to fit a line"
            )
        return problem, *_iterated(problem, ranges, intercept)

    problem, fit, excess, ballistic = attempt(NARROW if earliest else WIDE)
    if ballistic and not earliest:
        problem, fit, excess, _ = attempt(NARROW)
    return _result(problem, fit, problem.covariance(*problem.model(fit)[1:]), excess)


def _iterated(problem: "_Problem", ranges: list[slice], intercept: tuple[float, float] | None) -> tuple[Average, Excess, bool]:
    """The average line with the covariance that it implies itself, its excess variance, and whether the motion starts ballistically."""
    share, cage, slope = problem.guess()
    inflation = 1.0
    for _ in range(PASSES):
        parts = problem.covariance(share, cage)
        fit = average(problem.lags, problem.total, parts.at(slope) * inflation, ranges, prior=intercept)
        ballistic = _starts_ballistically(fit, parts.at(slope) * inflation)
        slope, share, cage = problem.model(fit)
        gaussian = float(fit.weights[1] @ parts.at(slope) @ fit.weights[1])
        excess = problem.excess(fit, parts, share, slope)
        inflation = 1 + excess.variance / gaussian if gaussian > 0 else 1.0
    return fit, excess, ballistic


def _starts_ballistically(fit: Average, covariance: Floats) -> bool:
    """Whether the line hits the axis below zero: a cage lifts it, inertia lowers it, and then the slope still rises with the lag."""
    return fit.intercept < -2 * float(np.sqrt(fit.weights[0] @ covariance @ fit.weights[0]))


def usable_lags(lags: Floats, *, n_frames: int, n_walkers: int, last: float | None = None, per_decade: int = PER_DECADE) -> Floats:
    """Which lags enter: at most 50, about `per_decade`, up to a third of the window (or `last`), with a relative error below 1/4."""
    lags = np.asarray(lags, dtype=np.float64)
    fits = (lags >= 1) & (lags <= ((n_frames - 1) / 3 if last is None else last)) & (lags < n_frames)
    fits[fits] &= relative_variance(lags[fits], n_steps=n_frames - 1, n_walkers=n_walkers) <= 1 / 16 if last is None else True
    index = np.flatnonzero(fits)
    if len(index) < FEWEST_LAGS:
        raise NotEnoughData(
            f"a diffusion coefficient needs at least {FEWEST_LAGS} lags below a third of the window that {n_walkers} walkers resolve; "
            f"{n_frames} frames leave {len(index)}: give a longer run, fewer windows, or shorter times between frames"
        )
    wanted = np.geomspace(lags[index[0]], lags[index[-1]], min(50, 5 + int(per_decade * np.log10(lags[index[-1]] / lags[index[0]]))))
    grid = np.unique(np.abs(np.log(lags[index])[None, :] - np.log(wanted)[:, None]).argmin(axis=1))
    return index[grid] if len(grid) >= FEWEST_LAGS else index


@dataclass(frozen=True)
class _Problem:
    """The measured MSD with what its covariance depends on."""

    lags: Floats
    by_axis: Floats
    n_steps: int
    n_ions: int
    windows: int
    blocks: tuple[Floats, Floats] | None

    @property
    def total(self) -> Floats:
        return self.by_axis.sum(axis=0)

    def guess(self) -> tuple[Floats, Floats, float]:
        """Share of each axis, cage and slope to start with: from the longer two thirds of the lags."""
        start = len(self.lags) // 3
        x = self.lags[start:].astype(np.float64)
        rough = fit_line(x, self.total[start:], np.diag(x * np.square(np.maximum(self.total[start:], 1e-300))))
        return self._split(rough.weights, slice(start, None), start, rough.slope)

    def model(self, fit: Average) -> tuple[float, Floats, Floats]:
        share, cage, slope = self._split(fit.best.line.weights, fit.best.part, fit.best.part.start, fit.slope)
        return slope, share, cage

    def _split(self, weights: Floats, part: slice, start: int, slope: float) -> tuple[Floats, Floats, float]:
        """The MSD as a line along each axis and, up to the first lag of the line, the rest as measured."""
        offsets, slopes = weights @ self.by_axis[:, part].T
        slopes = np.maximum(slopes, 0.0)
        share = slopes / slopes.sum() if slopes.sum() > 0 else np.full(len(slopes), 1 / len(slopes))
        slope = max(slope, 0.0)
        reach = int(self.lags[start])
        h = np.arange(reach + 1)
        known = np.concatenate([[0], self.lags])
        cage = np.stack([np.interp(h, known, np.concatenate([[0.0], axis])) for axis in self.by_axis]) - share[:, None] * slope * h
        cage[:, reach] = offsets
        return share, cage, slope

    def covariance(self, share: Floats, cage: Floats) -> PartedCovariance:
        one = parted_covariance(self.lags, n_steps=self.n_steps, cage=cage, share=share)
        walkers = self.n_ions * self.windows
        return PartedCovariance(one.cage / walkers, one.cross / walkers, one.walk / walkers)

    def excess(self, fit: Average, parts: PartedCovariance, share: Floats, slope: float) -> Excess:
        """Excess variance at the block length whose walk is as uncertain as that of the fit."""
        if self.blocks is None:
            return Excess(0.0, 0.0, np.inf)
        block_msd, lengths = self.blocks
        n_steps = self.n_steps * self.windows
        walk = float(fit.weights[1] @ parts.walk @ fit.weights[1])
        wanted = walk * n_steps * self.n_ions / (2 * float(np.square(share).sum()))
        known = np.concatenate([[0], self.lags])
        expected = np.stack([np.interp(lengths, known, np.concatenate([[0.0], axis])) for axis in self.by_axis])
        beyond = np.maximum(np.asarray(lengths, dtype=np.float64) - self.lags[-1], 0.0)
        expected = expected + share[:, None] * slope * beyond
        return excess_variance(block_msd, lengths, expected=expected, n_ions=self.n_ions, n_steps=n_steps, wanted=max(wanted, fit.lag_first))


def _result(problem: _Problem, fit: Average, parts: PartedCovariance, excess: Excess) -> Diffusion:
    w = fit.weights[1]
    v0, v1, v2 = (float(w @ part @ w) for part in (parts.cage, parts.cross, parts.walk))
    value = fit.slope
    at = max(value, 0.0)
    gaussian = v0 + v1 * at + v2 * at**2
    misfit = max(1.0, fit.misfit)  # where no line holds, the scatter around it is the least that the error can be
    inflation = misfit * (1 + excess.variance / gaussian) if gaussian > 0 else misfit
    variance = gaussian * inflation + fit.spread
    still = misfit * (v0 + excess.variance) + fit.spread
    significance = value / np.sqrt(still) if still > 0 else (np.inf if value > 0 else 0.0)
    # excess is counted as jumps are: its variance goes with the slope
    counts = excess.variance / value if value > 0 else 0.0
    of_value = (misfit * v0 + fit.spread, misfit * (v1 + counts), misfit * v2)
    lower, upper = score_interval(value, of_value, student(excess.dof))
    log_slope, log_slope_stderr = _log_slope(problem, parts.at(at) * (inflation / misfit), holds=misfit == 1.0)
    regime = classify(
        significance=float(significance), log_slope=log_slope, log_slope_stderr=log_slope_stderr, quality=fit.quality, grew=_grew(problem)
    )
    if regime in ("caged", "undecided"):
        # no line from an intercept of 0 or more is steeper than MSD / t; 1.5: what the last, least certain lag may be off
        steepest = 1.5 * float(problem.total[-1] / problem.lags[-1])
        lower, upper = 0.0, min(truncated_upper(value, (still, misfit * v1, misfit * v2)), steepest)
    a0 = float(np.sqrt(max(fit.weights[0] @ parts.at(at) @ fit.weights[0], 0.0) * inflation + fit.intercept_spread))
    return Diffusion(
        slope=value,
        stderr=float(np.sqrt(variance)),
        lower=lower,
        upper=upper,
        intercept=fit.intercept,
        intercept_stderr=a0,
        inflation=inflation,
        dof=excess.dof,
        lag_first=fit.lag_first,
        lag_last=fit.lag_last,
        quality=fit.quality,
        log_slope=log_slope,
        log_slope_stderr=log_slope_stderr,
        significance=float(significance),
        regime=regime,
    )


def _log_slope(problem: _Problem, covariance: Floats, *, holds: bool) -> tuple[float, float]:
    """d ln MSD / d ln t over the last factor of four in lag, with one standard error.

    Where no line holds (an MSD that keeps oscillating), by ordinary least squares, with the scatter about it in the error.
    """
    late = 4 * problem.lags >= problem.lags[-1]
    x, y = np.log(problem.lags[late]), problem.total[late]
    covariance = covariance[np.ix_(late, late)] / np.outer(y, y)
    line = fit_line(x, np.log(y), covariance if holds else np.eye(len(x)))
    variance = float(line.weights[1] @ covariance @ line.weights[1])
    if not holds:
        variance += line.covariance[1, 1] * line.chi2 / max(line.dof, 1)
    return line.slope, float(np.sqrt(variance))


def _grew(problem: _Problem) -> bool:
    """Whether the mean MSD of the longer half of the lags is above the largest one of the first quarter."""
    early, late = 4 * problem.lags <= problem.lags[-1], 2 * problem.lags >= problem.lags[-1]
    return bool(problem.total[late].mean() > problem.total[early].max(initial=0.0))
