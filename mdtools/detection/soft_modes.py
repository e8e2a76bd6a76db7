"""Is a mode going soft? The decision over a series of temperatures, with its evidence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.statistics.soft_mode import Vanishing, vanishing
from mdtools.statistics.straight_line import straight_line

__all__ = ["detect_soft_modes"]

STATES = ("softens to zero", "overdamps", "softens but stays finite", "stable")
ROUTES = ("frequency", "susceptibility")
SURE = 0.8  # probability from which a state is a verdict
DEEP = math.log(1 / 0.35)  # ln of the ratio of stiffnesses over the series that makes a mode a candidate for T_c
NEAR = 0.5  # spans of temperature beyond the last value within which T_c must lie
AGREE = 3.0  # standard errors that the two routes to T_c may differ
CHANGE = math.log(1.15**2)  # of the stiffness: frequencies within 15 % are stable
GRUENEISEN = 4.0  # largest parameter with which thermal expansion is blamed
POOR = 0.5  # relative error of the stiffness beyond which, where no model fits the spectrum, the fit is not believed
APART = math.log(2.0)  # ln of the ratio of the stiffness to that of the mean square beyond which, where no model fits, the fit is not believed
WIDENED = 2.0  # factor on the errors, because no model fits, from which it is said


@schema.recorded
def detect_soft_modes(mode_frequencies: Sequence[xr.Dataset]) -> xr.Dataset:
    """Whether each mode softens to zero at a T_c, softens but stays finite, overdamps, or is stable, from runs at several temperatures.

    Two routes: the stiffness W^2 of the damped oscillator, and 1 / chi, chi = <|Q|^2> / k_B T by the mean square; never the
    position of an overdamped peak. T_c is that of y = a |T - T_c|^p, p free about 1 (statistics/soft_mode.py), on the side
    towards which the mode softens. "softens to zero" needs all of: a stiffness that falls to 0.35 or less over the series; T_c within
    half the measured span of the nearest value, by both routes, which agree within 3 standard errors; no uncondensed value on
    the other side of it. "stable" is a change of the frequency by less than 15 %, or one that thermal expansion explains with a
    Grueneisen parameter from 0 to 4 (volumes of the runs) at a probability of 0.8; a larger change of a cause that is less certain is "softens but
    stays finite", and the reason says so. Runs whose mode is unresolved, condensed, or whose spectrum is so
    unlike any model that its stiffness is not known to a half, or is off that of its mean square by a factor of two or more, and three of
    its errors (another mode crosses it), are left out and named; a condensed run bounds T_c.

    Returns by mode `verdict` (`undecided` below a probability of 0.8, or with fewer than three temperatures), `probability` (mode,
    mode_state), `reason`, and for modes that soften to zero `critical_temperature`, `critical_exponent` (mode, route), with _stderr and
    95 % `_lower` and `_upper` of the first; `stiffness_change`, ln of its ratio over the series; `grueneisen_parameter` that would
    explain it; the series itself, `mode_frequency`, `damping_ratio`, `static_susceptibility_direct` (mode, temperature).
    Never raises for weak data. Raises NotEnoughData for fewer than two runs, TrajectoryError for runs of different modes.
    Source: reference/science.md rows 48 to 51, B7.

    >>> from mdtools.schema import dataset
    >>> try:
    ...     detect_soft_modes([dataset({"n_frames": 3})])
    ... except NotEnoughData as error:
    ...     print(error)
    detect_soft_modes needs runs at three temperatures or more, and was given 1: add runs at others
    """
    who = "detect_soft_modes"
    runs = [one if "mode" in one.dims else one.expand_dims("mode") for one in mode_frequencies]
    if len(runs) < 2:
        raise NotEnoughData(f"{who} needs runs at three temperatures or more, and was given {len(runs)}: add runs at others")
    runs = sorted(runs, key=lambda one: float(one["stated_temperature"]))
    _same_modes(runs, who=who)
    kelvin = np.array([float(one["stated_temperature"]) for one in runs])
    log_volume = np.log([float(one["volume"]) for one in runs])
    unit = "" if runs[0].attrs.get("unit_system") == "lj" else " K"
    judged = [_judged([one.isel(mode=k) for one in runs], kelvin, log_volume, unit) for k in range(runs[0].sizes["mode"])]
    series = {name: (("mode", "temperature"), np.stack([one[name].values for one in runs], axis=1)) for name in _SERIES}
    out: dict[str, Any] = {
        **{name: (runs[0][name].dims, runs[0][name].values) for name in ("q_reduced", "band", "harmonic_frequency") if name in runs[0]},
        "reciprocal": runs[0]["reciprocal"].values,
        "mode": np.arange(len(judged)),
        "temperature": kelvin,
        "mode_state": list(STATES),
        "route": list(ROUTES),
        "verdict": ("mode", [one.verdict for one in judged]),
        "probability": (("mode", "mode_state"), np.array([one.probability for one in judged])),
        "reason": ("mode", ["; ".join(one.reasons) for one in judged]),
        "stiffness_change": ("mode", [one.change[0] for one in judged]),
        "stiffness_change_stderr": ("mode", [one.change[1] for one in judged]),
        "grueneisen_parameter": ("mode", [one.grueneisen for one in judged]),
        **_critical(judged),
        **series,
    }
    return schema.dataset(out, reduced=runs[0].attrs.get("unit_system") == "lj")


_SERIES = (
    "mode_frequency",
    "mode_frequency_stderr",
    "damping_ratio",
    "damping_ratio_stderr",
    "static_susceptibility_direct",
    "static_susceptibility_direct_stderr",
)


@dataclass
class _Judged:
    """One mode over the series."""

    probability: list[float] = field(default_factory=lambda: [float("nan")] * len(STATES))
    reasons: list[str] = field(default_factory=list)
    change: tuple[float, float] = (float("nan"), float("nan"))
    grueneisen: float = float("nan")
    critical: tuple[Vanishing, ...] = ()

    @property
    def verdict(self) -> str:
        best = int(np.nanargmax(self.probability)) if np.isfinite(self.probability).any() else -1
        return STATES[best] if best >= 0 and self.probability[best] >= SURE else "undecided"


def _same_modes(runs: list[xr.Dataset], *, who: str) -> None:
    first = runs[0]
    for one in runs[1:]:
        same = one.sizes["mode"] == first.sizes["mode"] and np.array_equal(one["band"].values, first["band"].values)
        if not same or not np.allclose(one["q_reduced"].values, first["q_reduced"].values, atol=1e-6):
            raise TrajectoryError(f"{who}: the runs are of different modes (q and bands); measure mode_spectra of all with one q= and band=")
        if _pattern(one) != _pattern(first):
            raise TrajectoryError(
                f"{who}: the runs are of different modes (pattern {_pattern(first)} and {_pattern(one)}); measure mode_spectra of all with one "
                "pattern= (--pattern)"
            )


def _pattern(run: xr.Dataset) -> dict[str, list[float]]:
    """Displacements by atom that the run was projected on; none where the modes are those of a file."""
    asked = next((step.get("pattern") for step in schema.history(run) if step.get("step") == "mode_spectra"), None) or {}
    return {name: [float(x) for x in (value.split() if isinstance(value, str) else value)] for name, value in asked.items()}


def _judged(members: list[xr.Dataset], kelvin: np.ndarray, log_volume: np.ndarray, unit: str) -> _Judged:
    regime = np.array([str(one["damping_regime"].item()) for one in members])
    value = np.array([float(one["mode_frequency"]) for one in members])
    inflation = np.array([float(one["fit_inflation"]) for one in members])
    stderr = np.array([float(one["mode_frequency_stderr"]) for one in members])
    poor = (inflation > 1) & ((2 * stderr > POOR * value) | _contradicted(members, value, stderr))
    used = np.isfinite(value) & ~poor
    out = _Judged(reasons=_left_out(regime, poor, kelvin, unit))
    if np.any(inflation[used] > WIDENED):
        out.reasons.append(f"no model fits its spectrum exactly: errors of the stiffness are longer by up to {inflation[used].max():.2g}")
    if len(np.unique(kelvin[used])) < 3:
        out.reasons.append(f"a law needs the mode at three temperatures, and it is resolved at {len(np.unique(kelvin[used]))}: add runs at others")
        return out
    log_stiffness = 2 * np.log(value[used])
    error = 2 * stderr[used] / value[used]
    chi = np.array([float(one["static_susceptibility_direct"]) for one in members])[used]
    chi_error = np.array([float(one["static_susceptibility_direct_stderr"]) for one in members])[used] / chi
    line = straight_line(kelvin[used], log_stiffness, error)
    span = float(np.ptp(kelvin[used]))
    out.change = (line.slope * span, line.slope_stderr * span)
    zero = _to_zero(out, kelvin, regime, used, unit, (log_stiffness, error), (-np.log(chi), chi_error))
    over = _overdamps(out, members, used)
    stable = _stable(out, line.slope, line.slope_stderr, kelvin[used], log_volume[used])
    rest = 1 - zero
    out.probability = [zero, rest * over, rest * (1 - over) * (1 - stable), rest * (1 - over) * stable]
    if out.verdict == "undecided" and out.probability[2] + out.probability[3] >= SURE:
        out.reasons.append("it does not go to zero; whether it is stable or softens needs more temperatures or longer runs")
    return out


def _contradicted(members: list[xr.Dataset], value: np.ndarray, stderr: np.ndarray) -> np.ndarray:
    """Where the stiffness of the fit is not that of the mean square, k_B T / <|Q|^2>: another mode has a part in it."""
    chi = np.array([float(one["static_susceptibility_direct"]) for one in members])
    chi_error = np.array([float(one["static_susceptibility_direct_stderr"]) for one in members]) / chi
    with np.errstate(invalid="ignore"):
        apart = np.abs(2 * np.log(2 * np.pi * value) + np.log(chi))
        return apart > np.maximum(APART, AGREE * np.hypot(2 * stderr / value, chi_error))


def _left_out(regime: np.ndarray, poor: np.ndarray, kelvin: np.ndarray, unit: str) -> list[str]:
    out = []
    for word in ("unresolved", "condensed"):
        if np.any(regime == word):
            out.append(f"{word} at {_listed(kelvin[regime == word], unit)}")
    if np.any(poor):
        out.append(f"no model fits its spectrum at {_listed(kelvin[poor], unit)}: another mode may cross it, or it is no mode any more")
    return out


def _to_zero(
    out: _Judged,
    kelvin: np.ndarray,
    regime: np.ndarray,
    used: np.ndarray,
    unit: str,
    stiffness: tuple[np.ndarray, np.ndarray],
    inverse: tuple[np.ndarray, ...],
) -> float:
    """Probability that the mode softens to zero; T_c of both routes is kept where it is likely."""
    x = kelvin[used]
    log, error = stiffness
    near, far = _softest(log, error), int(np.argmax(log))
    depth, depth_error = log[far] - log[near], math.hypot(error[far], error[near])
    out.reasons.append(f"stiffness W^2 falls to {math.exp(-depth):.2g} of its largest, from {x[far]:g} to {x[near]:g}{unit}")
    if near not in (0, len(x) - 1):
        out.reasons.append(f"it is smallest within the series, at {x[near]:g}{unit}, and rises on both sides")
        return 0.0
    deep = _normal((depth - DEEP) / depth_error)
    beyond = kelvin[(regime == "condensed") & ((kelvin < x[near]) if near == 0 else (kelvin > x[near]))]
    limit = None if len(beyond) == 0 else float(beyond.max() if near == 0 else beyond.min())
    routes = tuple(vanishing(x, log_y, error_y, limit=limit) for log_y, error_y in (stiffness, inverse))
    reach = NEAR * float(np.ptp(x))
    within = [_normal((reach - abs(one.value - x[near])) / max(one.stderr, 1e-12)) if limit is None else 1.0 for one in routes]
    apart = abs(routes[0].value - routes[1].value) / math.hypot(routes[0].stderr, routes[1].stderr)
    said = [f"{name} {one.value:.4g} +- {one.stderr:.2g}{unit}" for name, one in zip(ROUTES, routes, strict=True)]
    out.reasons.append(f"T_c by {said[0]}, by {said[1]}" + (", which contradict each other" if apart > AGREE else ""))
    probability = deep * min(within) * (apart <= AGREE)
    if probability >= SURE:
        out.critical = routes
    return float(probability)


def _softest(log: np.ndarray, error: np.ndarray) -> int:
    """The lower end of the series, unless a value within it is lower by more than two standard errors."""
    lowest, end = int(np.argmin(log)), min((0, len(log) - 1), key=lambda k: float(log[k]))
    return lowest if log[end] - log[lowest] > 2 * math.hypot(error[end], error[lowest]) else end


def _overdamps(out: _Judged, members: list[xr.Dataset], used: np.ndarray) -> float:
    """Probability that the mode is overdamped at one end of the series and not at the other."""
    ratio = np.array([float(one["damping_ratio"]) for one in members])[used]
    error = np.array([float(one["damping_ratio_stderr"]) for one in members])[used] / ratio
    known = error < 1  # a damping that is not known to a factor is no evidence
    if not known.any():
        return 0.0
    ratio, error = ratio[known], error[known]
    chance = np.array([_normal(float(np.log(r)) / e) for r, e in zip(ratio, error, strict=True)])
    if chance.max() > 0.5:
        out.reasons.append(f"damping ratio G / 2 W from {ratio.min():.2g} to {ratio.max():.2g}")
    return float(chance.max() * (1 - chance.min()))


def _stable(out: _Judged, slope: float, slope_error: float, kelvin: np.ndarray, log_volume: np.ndarray) -> float:
    """Probability that the frequency changes by less than 15 %, or only as the volume would make it."""
    span = float(np.ptp(kelvin))
    change, error = slope * span, slope_error * span

    def within(low: float, high: float) -> float:
        return _normal((high - change) / error) - _normal((low - change) / error)

    stable = within(-CHANGE, CHANGE)
    expansion = float(np.polyfit(kelvin, log_volume, 1)[0]) * span
    if abs(expansion) < 1e-4:
        return stable
    out.grueneisen = -change / (2 * expansion)
    relative = error / (2 * abs(expansion))
    most = -2 * GRUENEISEN * expansion
    explained = within(min(most, -CHANGE), max(most, CHANGE))
    words = f"thermal expansion ({expansion:+.2%} in volume) explains the change with a Grueneisen parameter of {out.grueneisen:.2g}"
    sure = explained >= SURE  # a change that is certain is one, whether its cause is known or not
    out.reasons.append(words + ("" if sure else f" +- {relative:.1g}, and whether it is the cause (0 to {GRUENEISEN:g}) is not certain"))
    return explained if sure else stable


def _critical(judged: list[_Judged]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    names = {"": "value", "_stderr": "stderr", "_lower": "lower", "_upper": "upper"}
    columns = {f"critical_temperature{word}": name for word, name in names.items()}
    for name, attribute in {**columns, "critical_exponent": "exponent", "critical_exponent_stderr": "exponent_stderr"}.items():
        rows = [[getattr(one, attribute) for one in each.critical] or [np.nan] * len(ROUTES) for each in judged]
        out[name] = (("mode", "route"), np.array(rows))
    return out


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _listed(kelvin: np.ndarray, unit: str) -> str:
    return ", ".join(f"{one:g}" for one in kelvin) + unit
