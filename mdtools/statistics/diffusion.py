"""Self-diffusion from a mean squared displacement: lines by least squares with the exact covariance, averaged over ranges of lags.

MSD(t) = a0 + s t, s = 2 d D. One covariance serves every range of lags: the exact one of a path with the fitted line and,
below the first lag of the best range, the measured MSD (statistics/covariance.py). It is found by iteration.

The slope of the longer half of the lags stands beside it: where it is less by 2.5 errors of the difference, a transient is as long as the lags,
and the motion is called subdiffusive. The value stays the average: a line through that half alone, taken where chance makes it fall, is off by
many errors of the average.

Average: each range (first, last) is weighted by its likelihood when it is extended down to half its first lag, less a price for each lag left
out (statistics/averaging.py). Its variance is the exact one of the weights, times what the choice of ranges adds (learnt from draws), with what
jumps of single ions and ions that move together add (statistics/inflation.py). Nothing is added for the same thing twice:
the interval has Student's quantile for the error of the error and the skewness of sums of squares and of counted jumps
(statistics/interval.py), and neither a prior nor a margin. Whether D is given or its bound is decided by the data, and so both have
the same upper end, that of the two-sided interval (G. J. Feldman, R. D. Cousins, Phys. Rev. D 57, 3873 (1998)).
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.averaging import DRAWS, Average, average, holds_from
from mdtools.statistics.covariance import jump_covariance
from mdtools.statistics.inflation import Excess, excess_variance
from mdtools.statistics.interval import interval, student
from mdtools.statistics.lags import PER_DECADE, usable_lags
from mdtools.statistics.least_squares import fit_line, nested_lines
from mdtools.statistics.measured import Measured, Split
from mdtools.statistics.ranges import NARROW, WIDE, lag_ranges
from mdtools.statistics.regime import SIGNIFICANT, classify
from mdtools.statistics.slope_spread import SlopeSpread, spread_of_slope

__all__ = ["Diffusion", "diffusion"]

Floats = NDArray[Any]
PASSES = 3
LATEST = 3  # lags of the line through the longest ones, where fewer than that are in the longer half


@dataclass(frozen=True)
class Diffusion:
    """slope (of the MSD, per frame) with stderr, 95 % and 68 % interval; for regime "caged" and "undecided" `upper` is the bound.

    lag_first, lag_last in frames; dof is that of the variance; significance is slope over the error that slope 0 would have, and plateau is the
    part of a bound that this error makes; jump is what one jump adds to the slope. late_slope is that of the longer half of the lags alone,
    and late_z by how many errors of their difference it lies above the average over ranges. weights are the pair (lags, weights) of the slope.
    Numbers for one MSD, arrays for a batch.
    """

    slope: Any
    stderr: Any
    lower: Any
    upper: Any
    lower_68: Any
    upper_68: Any
    intercept: Any
    intercept_stderr: Any
    inflation: Any
    dof: Any
    lag_first: Any
    lag_last: Any
    quality: Any
    log_slope: Any
    log_slope_stderr: Any
    significance: Any
    plateau: Any
    jump: Any
    late_slope: Any
    late_stderr: Any
    late_z: Any
    regime: Any
    weights: Any

    def of(self, k: int) -> "Diffusion":
        """That of one of a flat batch, in numbers."""
        return Diffusion(**{one.name: np.asarray(getattr(self, one.name))[k : k + 1].tolist()[0] for one in fields(self)})

    def reshaped(self, shape: tuple[int, ...]) -> "Diffusion":
        """The batch in `shape`; numbers where that is ()."""
        values = {one.name: np.reshape(getattr(self, one.name), shape) for one in fields(self)}
        return replace(self, **(values if shape else {name: value.item() for name, value in values.items()}))


def diffusion(
    lags: Floats,
    msd: Floats,
    *,
    n_frames: int,
    n_ions: int = 1,
    windows: int = 1,
    blocks: tuple[Floats, Floats] | None = None,
    by_ion: Floats | None = None,
    jump: float = 0.0,
    first: float | None = None,
    last: float | None = None,
    earliest: float = 0.0,
    intercept: tuple[float, float] | None = None,
    draws: int = DRAWS,
) -> Diffusion:
    """Slope of the MSD, its error and the regime of the motion; of one MSD or of a batch (species, temperatures, replicas) at once.

    lags : (lag,) whole frames. msd : (..., axis, lag), mean over ions, all origins and `windows` equal windows of n_frames.
    blocks : block_msd (..., axis, block_lag, block) and the lengths of the blocks in frames; None for a single walker that is
        Gaussian by itself, as the dipole of many ions.
    by_ion : (..., ion, block_lag) squared displacement of each ion, mean over those blocks; without it jumps are seen by the blocks alone.
    jump : what one jump adds to the slope, where single ions are not given here but have shown it (of the sum over axes, say).
    first, last : only ranges of lags that start or end there. earliest : only those that start there or later, where another
        measurement shows a transient that this one is too noisy to see. intercept : Gaussian prior (mean, standard deviation) of a0.
    draws : from which it is learnt what the choice of ranges adds to the error; 0 where the line alone is wanted.
    Raises NotEnoughData for fewer than 8 usable lags.
    """
    shape = msd.shape[:-2]
    flat = msd.reshape(-1, *msd.shape[-2:])
    size = len(flat)
    if blocks is not None:
        blocks = (blocks[0].reshape(size, *blocks[0].shape[-3:]), np.asarray(blocks[1]))
    by_ion = None if by_ion is None else by_ion.reshape(size, *by_ion.shape[-2:])

    def attempt(wide: float, part: Any) -> tuple[Diffusion, Floats]:
        per_decade = PER_DECADE if wide == WIDE else 2 * PER_DECADE
        chosen = usable_lags(lags, n_frames=n_frames, n_walkers=n_ions * windows, last=last, per_decade=per_decade)
        measured = Measured(
            np.asarray(lags)[chosen].astype(np.int64),
            np.asarray(flat[..., chosen], dtype=np.float64),
            n_frames - 1,
            n_ions,
            windows,
            blocks,
            by_ion,
            jump,
        )
        return _estimate(measured[part], intercept, draws, {"first": first, "last": last, "earliest": earliest, "wide": wide})

    found, ballistic = attempt(NARROW if earliest else WIDE, np.arange(size))
    if ballistic.any() and not earliest:
        late = np.flatnonzero(ballistic)
        again, _ = attempt(NARROW, late)
        for one in fields(found):
            getattr(found, one.name)[late] = getattr(again, one.name)
    return found.reshaped(shape)


def _estimate(measured: Measured, prior: tuple[float, float] | None, draws: int, limits: dict[str, Any]) -> tuple[Diffusion, Floats]:
    """The result, and which motions start ballistically: their lines hit the axis below 0."""
    ranges = lag_ranges(measured.lags, **limits)
    if not len(ranges.start):
        low, high = limits["first"] or measured.lags[0], limits["last"] or measured.lags[-1]
        raise NotEnoughData(f"no range of lags from {low:g} to {high:g} frames holds six lags to fit a line")
    split, by_jumps = measured.guess(), jump_covariance(measured.lags, n_steps=measured.n_steps)
    none = np.zeros(len(measured.by_axis))
    excess = Excess(none, none + 1, none + np.inf)
    for to_do in reversed(range(PASSES)):
        parts = measured.covariance(split)
        # only what jumps add: less than Gaussian at long lags may be more than all that there is at short ones
        covariance = excess.factor[:, None, None] * (parts.at(split.slope) + np.maximum(excess.jumps, 0.0)[:, None, None] * by_jumps)
        fit = average(measured.lags, measured.total, covariance, ranges, prior=prior, scale_dof=excess.dof, draws=0 if to_do else draws)
        split = measured.split(fit)
        v0, v1, v2 = parts.along(fit.weights[:, 1])
        blocks = measured.in_blocks(split)
        if blocks is not None:
            wanted = v2 * measured.all_steps * measured.n_ions / (2 * np.square(split.share).sum(axis=-1))
            gaussian = v0 + v1 * split.slope + v2 * split.slope**2
            excess = excess_variance(blocks, wanted=np.maximum(wanted, fit.lag_first), gaussian=np.maximum(gaussian, 0.0))
    offset = np.sqrt(np.maximum(np.einsum("bi,bij,bj->b", fit.weights[:, 0], covariance, fit.weights[:, 0]), 0.0))
    return _result(measured, fit, split, excess, offset, by_jumps), fit.intercept < -SIGNIFICANT * offset


def _result(measured: Measured, fit: Average, split: Split, excess: Excess, offset: Floats, by_jumps: Floats) -> Diffusion:
    spread = spread_of_slope(measured, fit, split, excess, by_jumps)
    covariance = spread.stretch[:, None, None] * measured.covariance(split).at(split.slope)
    late = _late(measured, covariance + (excess.factor * np.maximum(excess.jumps, 0.0))[:, None, None] * by_jumps, fit)
    log_slope, log_slope_stderr = _log_slope(measured, covariance, holds=fit.misfit <= 1)
    regime = classify(
        significance=spread.significance,
        log_slope=log_slope,
        log_slope_stderr=log_slope_stderr,
        quality=fit.quality,
        relative=spread.relative,
        grew=_grew(measured),
        single_file=_single_file(measured, covariance, excess.dof),
        late_z=late[2],
    )
    return Diffusion(
        slope=fit.slope,
        stderr=np.sqrt(spread.variance),
        **_ends(measured, split, spread, excess.dof, bounded=np.isin(regime, ("caged", "undecided"))),
        intercept=fit.intercept,
        intercept_stderr=np.sqrt(np.square(offset) + fit.intercept_spread),
        inflation=spread.inflation,
        dof=excess.dof,
        lag_first=fit.lag_first,
        lag_last=fit.lag_last,
        quality=fit.quality,
        log_slope=log_slope,
        log_slope_stderr=log_slope_stderr,
        significance=spread.significance,
        plateau=student(excess.dof) * np.sqrt(spread.at_rest),
        jump=np.where(fit.slope > 0, np.maximum(excess.jumps, 0.0) / np.where(fit.slope > 0, fit.slope, 1.0), 0.0),
        late_slope=late[0],
        late_stderr=late[1],
        late_z=late[2],
        regime=regime,
        weights=_pairs(measured.lags, fit.weights[:, 1]),
    )


def _ends(measured: Measured, split: Split, spread: SlopeSpread, dof: Floats, *, bounded: Floats) -> dict[str, Floats]:
    """Ends of the intervals; from 0 to the bound where only that is told."""
    counts = np.where(bounded, measured.unseen(split) * spread.edges, spread.stretch * spread.counts)  # one jump at least
    seen = np.where(bounded, split.slope, spread.slope)  # a slope that is negative by chance makes no bound smaller
    (lower, upper), (lower_68, upper_68) = (interval(seen, spread.law(counts), dof=dof, level=level) for level in (0.95, 0.6827))
    # no line from an intercept of 0 or more is steeper than MSD / t; 1.5: what the last, least certain lag may be off
    bound = np.minimum(upper, 1.5 * measured.total[:, -1] / measured.lags[-1])
    return {
        "lower": np.where(bounded, 0.0, lower),
        "upper": np.where(bounded, bound, upper),
        "lower_68": np.where(bounded, 0.0, lower_68),
        "upper_68": np.where(bounded, bound, upper_68),
    }


def _late(measured: Measured, covariance: Floats, fit: Average) -> tuple[Floats, Floats, Floats]:
    """Slope of the longer half of the lags (of the last three at least), its error, and its difference from the average over the error of that.

    A slow transient shifts the average, which rests on the shortest lags that a line fits, and this slope less: their difference sees
    a curve that is too smooth for the misfit of any range (J. A. Hausman, Econometrica 46, 1251 (1978)).
    """
    half = len(measured.lags) - int(np.argmax(2 * measured.lags >= measured.lags[-1]))
    long = np.arange(len(measured.lags) - max(half, LATEST), len(measured.lags))
    line = fit_line(measured.lags[long], measured.total[:, long], covariance[:, long[:, None], long])
    weights = np.zeros_like(fit.weights[:, 1])
    weights[:, long] = line.weights[:, 1]

    def stderr(of: Floats) -> Floats:
        return np.asarray(np.sqrt(np.maximum(np.einsum("bi,bij,bj->b", of, covariance, of), 0.0)))

    apart = np.sqrt(fit.choice) * stderr(weights - fit.weights[:, 1])
    return line.slope, stderr(weights), np.where(apart > 0, (line.slope - fit.slope) / np.where(apart > 0, apart, 1.0), 0.0)


def _pairs(lags: Floats, weights: Floats) -> Floats:
    """One object for each of a batch."""
    out = np.empty(len(weights), dtype=object)
    for k, one in enumerate(weights):
        out[k] = (lags, one)
    return out


def _log_slope(measured: Measured, covariance: Floats, *, holds: Floats) -> tuple[Floats, Floats]:
    """d ln MSD / d ln t over the last factor of four in lag, with one standard error.

    Where no line holds (an MSD that keeps oscillating), by ordinary least squares, with the scatter about it in the error.
    """
    late = np.flatnonzero(4 * measured.lags >= measured.lags[-1])
    x, y = np.log(measured.lags[late]), np.maximum(measured.total[:, late], 1e-300)
    covariance = covariance[:, late[:, None], late] / (y[:, :, None] * y[:, None, :])
    line = fit_line(x, np.log(y), np.where(holds[:, None, None], covariance, np.eye(len(x))))
    variance = np.einsum("bi,bij,bj->b", line.weights[:, 1], covariance, line.weights[:, 1])
    variance = variance + np.where(holds, 0.0, line.covariance[:, 1, 1] * line.chi2 / max(line.dof, 1))
    return line.slope, np.sqrt(np.maximum(variance, 0.0))


def _single_file(measured: Measured, covariance: Floats, scale_dof: Floats) -> Floats:
    """Whether a + b sqrt(t) fits better than a line from where it first holds, and still from twice that lag (a cage's transient is gone by then)."""
    line, root = (nested_lines(x, measured.total, covariance) for x in (measured.lags, np.sqrt(measured.lags)))
    first = holds_from(root, scale_dof)
    better = np.concatenate([line.chi2 - root.chi2, np.full((len(first), 1), -np.inf)], axis=-1)
    lags = np.append(measured.lags, 10 * measured.lags[-1])
    later = np.searchsorted(measured.lags, 2 * lags[first])
    at_first, at_later = (np.take_along_axis(better, index[:, None], axis=-1)[:, 0] for index in (first, later))
    return np.asarray((at_first > 6) & (at_later > 2))


def _grew(measured: Measured) -> Floats:
    """Whether the mean MSD of the longer half of the lags is above the largest one of the first quarter."""
    early, late = 4 * measured.lags <= measured.lags[-1], 2 * measured.lags >= measured.lags[-1]
    return np.asarray(measured.total[:, late].mean(axis=-1) > measured.total[:, early].max(axis=-1, initial=0.0))
