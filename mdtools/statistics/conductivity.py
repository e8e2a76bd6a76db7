"""A conductivity by two routes, the slope of the dipole (Einstein-Helfand) and the spectrum of the current (Green-Kubo), and both combined.

Both are made of the ordinates I_k of the spectrum of one current, kappa_k the shape of each: the slope sum_l g_l <|dP(l)|^2> is
sum_k E_k I_k, E(f) = sum_l g_l [sin(pi f l) / sin(pi f)]^2 (l, f in frames), and ln of the limit of the spectrum follows ln I_k by u_k, so that

    cov = sum_k E_k S_k u_k / kappa_k,   var(slope) = sum_k (E_k S_k)^2 / kappa_k,   var(limit) = sum_k u_k^2 / kappa_k,

with I_k for S_k and I_k^2 kappa / (kappa + 1), whose mean it is, for S_k^2. The correlation rho of the routes is taken from these.
The mean has the least variance that weights from 0 to 1 allow, w = (b^2 - rho a b) / (a^2 + b^2 - 2 rho a b), a and b the two errors.
Everything is for batches of runs of one length.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.collective import AXES, line_weights
from mdtools.statistics.covariance import relative_variance
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.interval import Variance, interval
from mdtools.statistics.spectral import STEEP, ZeroFrequency, zero_frequencies

__all__ = [
    "BOUNDED",
    "Alone",
    "Estimate",
    "apart",
    "combined",
    "difference",
    "dipole_slope",
    "einstein_helfand",
    "green_kubo",
    "haven_interval",
    "route_correlation",
    "steep_alone",
    "sum_stderr",
    "variance_of_mean",
    "weight_of_first",
]

Floats = NDArray[Any]
FREE = 0.12  # of the standard error of the dipole's slope, which a transient may make
LATER = 1.35  # times the lag from which nothing is seen of it: single ions, few as they are, do not see it to the end
FAST = 1.5  # d ln MSD / d ln t of ions that still fly freely, 2 at first and 1 in the end
PER_DECADE = 24  # lags that a transient may end at
LEVEL = 1.96
CLOSEST = 1 / 3  # of the smaller error, by which two routes of one run differ at least
BOUNDED = ("caged", "undecided")  # regimes without a slope


@dataclass(frozen=True)
class Alone:
    """sum_i q_i^2 dr_i^2 of n_ions single ions: by_axis (batch, axis, lag), blocks (batch, axis, block_lag, block) of `lengths` frames."""

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

    Where single ions fly freely up to lags that a line has to start at, it is "undecided" and has no bound: the slope still rises.

    Raises NotEnoughData as `diffusion` does.
    """
    none = np.zeros(len(by_axis))
    earliest, flight = (none, none) if alone is None else _transients(lags, alone, n_frames=n_frames, windows=windows)
    out: Diffusion | None = None
    for limit in np.unique(earliest):
        these = np.flatnonzero(earliest == limit)
        part = diffusion(lags, by_axis[these], n_frames=n_frames, windows=windows, earliest=float(limit))
        if out is None:
            out = Diffusion(**{one.name: np.empty(len(by_axis), dtype=_wide(getattr(part, one.name))) for one in fields(Diffusion)})
        for one in fields(Diffusion):
            getattr(out, one.name)[these] = getattr(part, one.name)
    assert out is not None
    out.regime[flight > FAST] = "undecided"
    out.upper[flight > FAST] = np.inf
    return out


def _wide(values: Floats) -> Any:
    return "<U12" if values.dtype.kind == "U" else values.dtype


def _transients(lags: Floats, alone: Alone, *, n_frames: int, windows: int) -> tuple[Floats, Floats]:
    """First lag (frames), of each run, from which on the line that the dipole is given goes through single ions as well.

    One dipole is too noisy to show its transient by itself, and a fit that is only precise would start too early. Single ions show it: the line of
    the dipole from a lag on, drawn through them, may differ from that which starts twice as late by FREE of the error that the dipole's slope has.
    LATER than that, and than where their own line starts. Ions that are caged, or whose MSD is no line, count from where their own fit starts.
    Also their d ln MSD / d ln t about the last lag that a line may start at.
    """
    blocks = (alone.blocks, alone.lengths)
    try:
        line = diffusion(lags, alone.by_axis, n_frames=n_frames, n_ions=alone.n_ions, windows=windows, blocks=blocks, draws=0)
    except NotEnoughData:
        return np.zeros(len(alone.by_axis)), np.zeros(len(alone.by_axis))
    grid = 10 ** (np.arange(1 + PER_DECADE * np.log10(max(lags[-1], 2))) / PER_DECADE)
    starts = np.unique(lags[np.minimum(np.searchsorted(lags, grid), len(lags) - 1)])
    known = lags[(lags >= 1) & (3 * lags <= n_frames - 1)]
    known = known[relative_variance(known, n_steps=n_frames - 1, n_walkers=windows) <= 1 / 16]
    msd = alone.by_axis.sum(axis=1)
    last = float(known[-1]) if len(known) else float(lags[-1])
    starts = starts[(starts >= 1) & (starts <= last / 4)]
    if not len(starts):
        return np.asarray(line.lag_first), np.zeros(len(msd))
    early, late = ([line_weights(lags, n_frames=n_frames, first=float(start), last=last) for start in by * starts] for by in (1, 2))
    slope, reference = (np.stack([msd[:, chosen] @ weights[1] for chosen, weights, _ in lines], axis=1) for lines in (early, late))
    variance, later = (np.array([one for _, _, one in lines]) / (AXES * windows) for lines in (early, late))
    # of two lines through the same ions the later one errs more, and by that they differ by chance
    chance = np.maximum(later - variance, 0.0) * np.minimum(line.inflation / alone.n_ions, 1.0)[:, None]
    seen = np.square(slope / reference - 1) - chance > FREE**2 * variance
    place = np.where(seen.any(axis=1), seen.shape[1] - seen[:, ::-1].argmax(axis=1), 0)
    found = np.minimum(LATER * np.minimum(np.append(starts, starts[-1])[place], line.lag_first), starts[-1])
    ends = np.searchsorted(lags, starts[-1] * np.array([1, 2]))
    ends = np.minimum(ends, len(lags) - 1)
    flight = np.diff(np.log(msd[:, ends]), axis=1)[:, 0] / max(np.diff(np.log(lags[ends]))[0], 1e-9)
    return np.where(line.regime == "diffusive", starts[np.searchsorted(starts, found)], line.lag_first), flight


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
    """S(0) less what the ends of windows of `duration` (frames) add to it, the intercept of the dipole over their length; NaN where refused.

    It is a mean of ordinates, each Gamma distributed: so is it taken to be, and its interval is that of a sum of squares.
    """
    value = limit.value - dipole.intercept / duration
    stderr = np.hypot(limit.stderr, dipole.intercept_stderr / duration)
    refused = limit.refused | (np.abs(np.log(steep)) > -np.log(STEEP)) | np.isin(dipole.regime, BOUNDED) | ~(value > 0)
    value, stderr = (np.where(refused, np.nan, one) for one in (value, stderr))
    known = np.where(refused, 1.0, value)
    lower, upper = interval(known, Variance(0.0, squares=np.where(refused, 0.01, np.square(stderr / known))), dof=np.inf)
    return Estimate(value, stderr, *(np.where(refused, np.nan, one) for one in (lower, upper)))


def route_correlation(dipole: Diffusion, limit: ZeroFrequency, periodogram: Floats, *, series: int, length: int) -> Floats:
    """rho of the two routes, (batch,): periodogram (batch, frequency) the mean of `series`, over windows of `length` frames."""
    kappa = np.full(periodogram.shape[1], float(series))
    kappa[0] /= 2
    kappa[-1] /= 1 + (length % 2 == 0)
    counted = kappa / series  # f = 0 once, others as f and -f
    half = np.pi * np.arange(1, len(kappa)) / length
    out = np.zeros(len(periodogram))
    for k in np.flatnonzero(~np.isin(dipole.regime, BOUNDED)):
        lags, weights = dipole.weights[k]
        by_dipole = np.append(weights @ np.square(lags.astype(np.float64)), weights @ np.square(np.sin(np.outer(lags, half)) / np.sin(half)))
        of_slope = counted * by_dipole * periodogram[k]
        variances = np.sum(np.square(of_slope) / (kappa + 1)), np.sum(np.square(limit.response[k]) / kappa)
        out[k] = np.sum(of_slope * limit.response[k] / kappa) / np.sqrt(variances[0] * variances[1])
    return np.clip(np.nan_to_num(out), 0.0, 1.0)


def difference(first: Estimate, second: Estimate, correlation: Any) -> Floats:
    """First minus second in standard errors of that difference."""
    middle, a, b = _relative(first, second)
    return np.asarray((first.value - second.value) / (middle * np.sqrt(apart(a, b, correlation))))


def _relative(first: Estimate, second: Estimate) -> tuple[Floats, Floats, Floats]:
    """The geometric mean of two values and their relative errors: both errors go with the value, and the smaller value is not the better one."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(first.value * second.value), first.stderr / first.value, second.stderr / second.value


def apart(a: Any, b: Any, correlation: Any) -> Floats:
    """Variance of the difference of two errors; of routes that are nearly one what the errors of a, b and rho leave, CLOSEST of the smaller one.

    That is measured, not derived: of four kinds of runs of scripts/coverage_charge.py (350 each) the differences have a standard deviation of 0.94 to
    0.98 of the root of this with a third, and of one with other charges, numbers and times, which it was not chosen on, of 0.98 to 1.01.
    """
    variance = np.square(a) + np.square(b) - 2 * correlation * a * b
    return np.asarray(np.maximum(variance, np.square(CLOSEST * np.minimum(a, b))))


def variance_of_mean(weight: Any, a: Any, b: Any, correlation: Any, square_apart: Any) -> Floats:
    """Of two routes, of errors a and b, by the weight of the first; square_apart is their difference squared.

    Where they differ by more than chance allows, their scatter beyond that is in the variance too. It is about the mean by the errors alone,
    w = b^2 / (a^2 + b^2): a route that adds nothing to the other since both err together (its weight is 0) may still contradict it.

    >>> float(variance_of_mean(0.5, 1.0, 1.0, 0.5, 0.0))
    0.75
    """
    square = np.square(weight * a) + np.square((1 - weight) * b) + 2 * weight * (1 - weight) * correlation * a * b
    beyond = np.maximum(square_apart - LEVEL**2 * apart(a, b, correlation), 0.0)
    return np.asarray(square + np.square(a * b / (a * a + b * b)) * beyond)


def weight_of_first(first: Estimate, second: Estimate, correlation: Any) -> Floats:
    """Weight, from 0 to 1, of the first of two routes of one run in their mean of least variance; NaN where one is."""
    _, a, b = _relative(first, second)
    return np.asarray(np.clip((np.square(b) - correlation * a * b) / apart(a, b, correlation), 0.0, 1.0))


def combined(first: Estimate, second: Estimate, correlation: Any) -> Estimate:
    """The mean of two routes of one run with the least variance; one alone where the other is NaN.

    The interval is that of the better route about the mean, in proportion to the errors.
    """
    middle, a, b = _relative(first, second)
    weight = weight_of_first(first, second, correlation)
    value = weight * first.value + (1 - weight) * second.value
    relative = np.sqrt(variance_of_mean(weight, a, b, correlation, np.square((first.value - second.value) / middle)))
    better = a <= b
    ends = []
    for end in ("lower", "upper"):
        best = np.where(better, getattr(first, end) / first.value, getattr(second, end) / second.value)
        ends.append(np.maximum(value * (1 + (best - 1) * relative / np.where(better, a, b)), 0.0))
    mean = (value, relative * value, *ends)
    alone = [np.where(np.isfinite(first.value), getattr(first, one.name), getattr(second, one.name)) for one in fields(Estimate)]
    return Estimate(*(np.where(np.isfinite(value), one, other) for one, other in zip(mean, alone, strict=True)))


def sum_stderr(errors: Floats, together: Floats) -> float:
    """Of a sum of values with `errors` (n,) whose correlations are `together` (n, n); what is unknown (NaN) counts as 0."""
    together = np.where(np.isfinite(together), together, np.eye(len(errors)))
    return float(np.sqrt(errors @ together @ errors))


def haven_interval(independent: tuple[float, float], sigma: Estimate, together: float) -> tuple[float, tuple[float, float]]:
    """Standard error and 95 % interval of independent (value, stderr) / sigma, whose errors have the correlation `together`; unknown (NaN) is 0.

    >>> error, ends = haven_interval((1.0, 0.03), Estimate(2.0, 0.08, 1.6, 2.5), 0.0)
    >>> round(error, 6), [round(one, 4) for one in ends]
    (0.025, [0.3783, 0.6609])
    """
    ratio, a, b = independent[0] / sigma.value, independent[1] / independent[0], sigma.stderr / sigma.value
    common = together if np.isfinite(together) else 0.0
    stretch = np.sqrt(max(a * a + b * b - 2 * common * a * b, 0.0)) / b
    with np.errstate(divide="ignore"):
        ends = ratio * np.power(sigma.value / np.array([sigma.upper, sigma.lower]), stretch)
    return float(ratio * b * stretch), (float(ends[0]), float(ends[1]))
