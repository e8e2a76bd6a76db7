"""A conductivity by two routes, the slope of the dipole (Einstein-Helfand) and the spectrum of the current (Green-Kubo), and both combined.

Both are linear in the correlation C(m) of one current: the slope sum_l g_l <|dP(l)|^2> weights it by e_m = sum_l g_l (l - |m|)_+, and the limit
of the spectrum, over windows of L frames, by r_m, the transform of d ln S(0) / d ln I. Of a white current and n frames in all

    cov = 2/n sum_m (1 - |m| / L) e_m r_m,   var(Green-Kubo) = 2/n sum_m (1 - |m| / L) r_m^2,   var(Einstein-Helfand) as of `walk_covariance`,

and the correlation rho of the routes is taken from these: where they look, the spectrum is flat.
The mean has the least variance that weights from 0 to 1 allow, w = (b^2 - rho a b) / (a^2 + b^2 - 2 rho a b), a and b the two errors.
Everything is for batches of runs of one length.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.collective import line_weights
from mdtools.statistics.covariance import relative_variance
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.spectral import STEEP, ZeroFrequency, zero_frequencies

__all__ = ["BOUNDED", "Alone", "Estimate", "alone_and_together", "combined", "difference", "dipole_slope", "einstein_helfand", "green_kubo", "haven_stderr", "route_correlation", "steep_alone"]

Floats = NDArray[Any]
FREE = 0.25  # of the standard error of the dipole, which a transient may be; bias of sigma -1 % beside a scatter of 16 %, twice that at 0.5
PER_DECADE = 24  # lags that a transient may end at
LEVEL = 1.96
BOUNDED = ("caged", "undecided")  # regimes without a slope
FEWEST_STRETCHES = 24  # of time and axes, from which a correlation is taken


@dataclass(frozen=True)
class Alone:
    """sum_i q_i^2 dr_i^2 of single ions: by_axis (batch, axis, lag), blocks (batch, axis, block_lag, block) of `lengths` frames, and how many ions."""

    by_axis: Floats
    blocks: Floats
    lengths: Floats
    n_ions: int


@dataclass(frozen=True)
class Estimate:
    """A value with one standard error and its 95 % interval, numbers or arrays; NaN where there is none."""

    value: Any = np.nan
    stderr: Any = np.nan
    lower: Any = np.nan
    upper: Any = np.nan

    def scaled(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.stderr * factor, self.lower * factor, self.upper * factor)

    def numbers(self) -> "Estimate":
        """The first of a batch."""
        return Estimate(*(float(np.atleast_1d(getattr(self, one.name))[0]) for one in fields(self)))


def dipole_slope(lags: Floats, by_axis: Floats, *, n_frames: int, windows: int, alone: Alone | None) -> Diffusion:
    """Slope of the squared displacement of dipoles (batch, axis, lag), from where the transient of single ions is over; a batch.

    Raises NotEnoughData as `diffusion` does.
    """
    earliest = np.zeros(len(by_axis)) if alone is None else _transients(lags, alone, n_frames=n_frames, windows=windows)
    out: Diffusion | None = None
    for limit in np.unique(earliest):
        these = np.flatnonzero(earliest == limit)
        part = diffusion(lags, by_axis[these], n_frames=n_frames, windows=windows, earliest=float(limit))
        if out is None:
            out = Diffusion(**{one.name: np.empty(len(by_axis), dtype=_wide(getattr(part, one.name))) for one in fields(Diffusion)})
        for one in fields(Diffusion):
            getattr(out, one.name)[these] = getattr(part, one.name)
    assert out is not None
    return out


def _wide(values: Floats) -> Any:
    return "<U12" if values.dtype.kind == "U" else values.dtype


def _transients(lags: Floats, alone: Alone, *, n_frames: int, windows: int) -> Floats:
    """First lag (frames), of each run, from which on single ions are off their line by less than the dipole could show.

    One dipole is too noisy to show its transient by itself, and a fit that is only precise would start too early. Single ions show it; where
    they are on their line for good is later than the dipole needs: a part of its error there, FREE of it, does no harm.
    """
    blocks = (alone.blocks, alone.lengths)
    try:
        line = diffusion(lags, alone.by_axis, n_frames=n_frames, n_ions=alone.n_ions, windows=windows, blocks=blocks)
    except NotEnoughData:
        return np.zeros(len(alone.by_axis))
    grid = 10 ** (np.arange(1 + PER_DECADE * np.log10(max(lags[-1], 2))) / PER_DECADE)
    places = np.unique(np.minimum(np.searchsorted(lags, grid), len(lags) - 1))
    t = lags[places].astype(np.float64)
    error = line.slope[:, None] * t * np.sqrt(relative_variance(t, n_steps=n_frames - 1, n_walkers=windows))
    off = np.abs(alone.by_axis.sum(axis=1)[:, places] - line.intercept[:, None] - line.slope[:, None] * t) > FREE * error
    off &= t <= line.lag_first[:, None]
    early = np.array([max(int((t <= first).sum()) - 1, 0) for first in line.lag_first])
    late = np.where(off.any(axis=1), len(t) - 1 - off[:, ::-1].argmax(axis=1) + 1, 0)
    straight = (line.regime == "diffusive") & (t[0] <= line.lag_first)
    snapped = t[np.minimum(np.searchsorted(t, line.lag_first), len(t) - 1)]
    return np.where(straight, t[np.minimum(late, early)], snapped)


def einstein_helfand(dipole: Diffusion) -> Estimate:
    """Slope per frame with its interval; of a caged or undecided dipole the bound alone."""
    bounded = np.isin(dipole.regime, BOUNDED)
    return Estimate(
        np.where(bounded, np.nan, dipole.slope), np.where(bounded, np.nan, dipole.stderr), np.where(bounded, 0.0, dipole.lower), dipole.upper
    )


def steep_alone(frequency: Floats, alone: Floats, *, series: int) -> Floats:
    """S at the narrowest cut-off over S(0) of single ions (batch, frequency): they show a slope that one current is too noisy to show."""
    return np.asarray(zero_frequencies(frequency, alone, series=series).change)


def green_kubo(limit: ZeroFrequency, dipole: Diffusion, *, duration: float, steep: Any = 1.0) -> Estimate:
    """S(0) less what the ends of windows of `duration` (frames) add to it, the intercept of the dipole over their length; NaN where refused."""
    value = limit.value - dipole.intercept / duration
    stderr = np.hypot(limit.stderr, dipole.intercept_stderr / duration)
    refused = limit.refused | (np.abs(np.log(steep)) > -np.log(STEEP)) | np.isin(dipole.regime, BOUNDED) | ~(value > 0)
    value, stderr = (np.where(refused, np.nan, one) for one in (value, stderr))
    by = np.exp(np.minimum(LEVEL * stderr / value, 700.0))
    return Estimate(value, stderr, value / by, value * by)


def route_correlation(lags: Floats, dipole: Diffusion, limit: ZeroFrequency, *, n_frames: int, length: int) -> Floats:
    """rho of the two routes, (batch,): dipoles in windows of n_frames, currents in windows of `length` frames."""
    whole = np.concatenate([limit.response, limit.response[:, (length - 1) // 2 : 0 : -1]], axis=1) / 2
    whole[:, 0] *= 2
    by_spectrum = np.fft.fft(whole, axis=1).real
    m = np.arange(length)
    pairs = np.where(m == 0, 1.0, 2.0) * (1 - m / length)
    out = np.zeros(len(whole))
    for k in np.flatnonzero(~np.isin(dipole.regime, BOUNDED)):
        noise = float(dipole.intercept[k] / dipole.slope[k])
        chosen, weights, variance = line_weights(
            lags, n_frames=n_frames, first=float(dipole.lag_first[k]), last=float(dipole.lag_last[k]), noise=noise
        )
        by_dipole = weights[1] @ np.maximum(lags[chosen, None] - m, 0)
        of_spectrum = 2 * pairs @ np.square(by_spectrum[k])
        out[k] = 2 * (pairs * by_dipole) @ by_spectrum[k] / np.sqrt(of_spectrum * variance * n_frames)
    return np.clip(np.nan_to_num(out), 0.0, 1.0)


def difference(first: Estimate, second: Estimate, correlation: Any) -> Floats:
    """First minus second in standard errors of that difference."""
    return np.asarray((first.value - second.value) / np.sqrt(_apart(first, second, correlation)))


def _apart(first: Estimate, second: Estimate, correlation: Any) -> Floats:
    """Variance of the difference; of routes that are nearly one what the errors of the errors leave."""
    variance = np.square(first.stderr) + np.square(second.stderr) - 2 * correlation * first.stderr * second.stderr
    return np.asarray(np.maximum(variance, 0.01 * np.square(np.minimum(first.stderr, second.stderr))))


def combined(first: Estimate, second: Estimate, correlation: Any) -> Estimate:
    """The mean of two routes of one run; where they differ by more than chance allows, their scatter beyond that is in the error too.

    One alone where the other is NaN. The interval is that of the better route about the mean, in proportion to the errors.
    """
    variance = _apart(first, second, correlation)
    weight = np.clip((np.square(second.stderr) - correlation * first.stderr * second.stderr) / variance, 0.0, 1.0)
    weight = np.where(np.isfinite(second.value), np.where(np.isfinite(first.value), weight, 0.0), 1.0)
    a, b = (np.nan_to_num(one) for one in (first.stderr, second.stderr))
    value = weight * np.nan_to_num(first.value) + (1 - weight) * np.nan_to_num(second.value)
    square = np.square(weight * a) + np.square((1 - weight) * b) + 2 * weight * (1 - weight) * correlation * a * b
    beyond = np.maximum(np.square(first.value - second.value) - LEVEL**2 * variance, 0.0)
    stderr = np.sqrt(square + np.nan_to_num(weight * (1 - weight) * beyond))
    better = np.where(np.isfinite(second.stderr) & ~(first.stderr <= second.stderr), 1, 0)
    reach = [np.where(better == 1, getattr(second, end) - second.value, getattr(first, end) - first.value) for end in ("lower", "upper")]
    stretch = stderr / np.where(better == 1, second.stderr, first.stderr)
    none = ~(np.isfinite(first.value) | np.isfinite(second.value))
    return Estimate(*(np.where(none, np.nan, one) for one in (value, stderr, np.maximum(value + stretch * reach[0], 0.0), value + stretch * reach[1])))


def alone_and_together(alone: Floats, together: Floats, lengths: Floats, *, first: float) -> float:
    """Correlation, over stretches of time, of sum q^2 dr^2 with |dP|^2, (axis, block_lag, block) each: what D and sigma have in common.

    1 for ions that move as one, 1 / sqrt(N) for N independent ones. Stretches as long as the first lag of the fit, or longer. NaN for too few.
    """
    at = min(int(np.searchsorted(lengths, first)), len(lengths) - 1)
    kept = np.isfinite(alone[0, at]) & np.isfinite(together[0, at])
    # what differs from axis to axis (layers, channels) is no scatter
    x, y = (part[:, at, kept] - part[:, at, kept].mean(axis=1, keepdims=True) for part in (alone, together))
    if x.size < FEWEST_STRETCHES or not (x.any() and y.any()):
        return float("nan")
    return float(np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)))


def haven_stderr(independent: float, independent_stderr: float, sigma: float, sigma_stderr: float, together: float) -> float:
    """Of sigma_NE / sigma whose errors have the correlation `together`; a negative one is noise of few stretches, and NaN unknown: 0."""
    apart = np.array([independent_stderr / independent, sigma_stderr / sigma])
    common = max(together, 0.0) if np.isfinite(together) else 0.0
    return float(independent / sigma * np.sqrt(max(np.square(apart).sum() - 2 * common * apart.prod(), 0.0)))
