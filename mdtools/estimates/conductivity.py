"""Ionic conductivity by two routes from one run: Einstein-Helfand and Green-Kubo."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import (
    carried,
    is_reduced,
    lag_frames,
    need_every_window,
    need_same_run,
    temperature_of,
    thermal_energy_in_ev,
    three_jumps,
)
from mdtools.statistics.covariance import relative_variance
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.spectral import zero_frequency
from mdtools.units import CONDUCTIVITY_TO_SI, S_PER_M_TO_MS_PER_CM

__all__ = ["Estimate", "Routes", "ionic_conductivity", "need_measured_alike", "routes"]

FREE = 0.25  # of the standard error of the dipole, which a transient may be; bias of sigma -1 % beside a scatter of 16 %, twice that at 0.5
FEWEST_STRETCHES = 24  # of time and axes, from which a correlation is taken


@schema.recorded
def ionic_conductivity(
    charge_displacement_msd: xr.Dataset, charge_current_acf: xr.Dataset | None = None, *, temperature: float | None = None
) -> xr.Dataset:
    """Ionic conductivity from the charge dipole, and from the charge current where velocities are there.

    Einstein-Helfand: sigma = slope of <|dP|^2> / (6 V k_B T), least squares with the exact covariance of one walker
    (the dipole of many ions is Gaussian and counts once however many ions there are).
    Green-Kubo: sigma = (S(0) - a0 / t_w) / (6 V k_B T), S(0) the zero-frequency limit of the current's spectrum; a0 / t_w
    is what the ends of a window of length t_w add to it, a0 the intercept of <|dP|^2>.

    temperature : K, where the run does not state it.

    Returns `ionic_conductivity` in S/m: the mean of the routes with weights 1/stderr^2. Both come from one run, so the
    stderr is not below the smaller one; what they differ by beyond that is added to it. `_lower` and `_upper` are 95 %;
    `_einstein_helfand`, `_green_kubo`, `_mS_per_cm`, `charge_diffusivity` (slope / 6), each with _stderr;
    `routes_difference` in units of the combined stderr (as if they were independent, so it is rather too small);
    `regime` of the dipole: "caged" (an insulator within this run) or "undecided" gives NaN and the 95 % bound `_upper`: the
    larger of what the slope allows and of three jumps of one species in the run, each q l of charge (see `self_diffusivity`).
    A route that cannot be taken is NaN, and the reason is in the history.
    Raises TrajectoryError (no temperature, lj units, uneven frames, dipole and current of different runs or charges),
    NotEnoughData (fewer than 8 lags).
    Source: reference/science.md A1 rows 1 and 2; reference/transport.md 2.3.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_displacement_msd
    >>> walk = synthetic.brownian(n_frames=4000, temperature=1000.0, seed=1)
    >>> sigma = ionic_conductivity(charge_displacement_msd(walk))
    >>> exact = 64 / 20.0**3 * 1.0 / (8.617333262e-5 * 1000) * 1602.176634  # n q^2 D / k_B T
    >>> bool(sigma.ionic_conductivity_lower < exact < sigma.ionic_conductivity_upper)
    True
    """
    who = "ionic_conductivity"
    found = routes(charge_displacement_msd, charge_current_acf, temperature=temperature, who=who)
    dipole, interval = found.dipole, found.interval
    out: dict[str, Any] = {
        **{name: value for name, value in carried(charge_displacement_msd).items() if name != "stated_temperature"},
        "species": charge_displacement_msd["species"].values,
        "stated_temperature": found.temperature,
        "ionic_conductivity": found.both.value,
        "ionic_conductivity_stderr": found.both.stderr,
        "ionic_conductivity_lower": found.both.lower,
        "ionic_conductivity_upper": found.both.upper,
        "routes_difference": _difference(found.einstein_helfand, found.green_kubo),
        "regime": dipole.regime,
        "variance_inflation": dipole.inflation,
        "lag_first": dipole.lag_first * interval,
        "lag_last": dipole.lag_last * interval,
        "fit_quality": dipole.quality,
        "self_collective_correlation": _alone_and_together(charge_displacement_msd, dipole),
    }
    named = {
        "ionic_conductivity_mS_per_cm": found.both.scaled(S_PER_M_TO_MS_PER_CM),
        "ionic_conductivity_einstein_helfand": found.einstein_helfand,
        "ionic_conductivity_green_kubo": found.green_kubo,
        "charge_diffusivity": found.einstein_helfand.scaled(1 / found.per_diffusivity),
    }
    for name, one in named.items():
        out |= {name: one.value, f"{name}_stderr": one.stderr}
    return schema.resolved(schema.dataset(out), temperature_used=found.temperature, **({"green_kubo": found.why} if found.why else {}))


@dataclass(frozen=True)
class Routes:
    """Both routes to one conductivity in S/m, and both combined; per_diffusivity: S/m per e^2 angstrom^2 / ps; why one was not taken."""

    temperature: float
    per_diffusivity: float
    interval: float
    dipole: Diffusion
    einstein_helfand: "Estimate"
    green_kubo: "Estimate"
    both: "Estimate"
    why: str

    @property
    def moves(self) -> bool:
        """Whether the dipole has a slope, and not only a bound on it."""
        return self.dipole.regime not in ("caged", "undecided")


def routes(charge_displacement_msd: xr.Dataset, charge_current_acf: xr.Dataset | None, *, temperature: float | None, who: str) -> Routes:
    """The conductivity by the dipole and by the current. Raises TrajectoryError and NotEnoughData as `ionic_conductivity` says."""
    if is_reduced(charge_displacement_msd):
        raise TrajectoryError(
            f"{who} is in S/m, and this run is in lj units: use the slope of charge_displacement_msd, or read the run with its real units"
        )
    need_every_window(charge_displacement_msd, who=who)
    if charge_current_acf is not None:
        need_measured_alike(charge_displacement_msd, charge_current_acf, who=who)
    kelvin = temperature_of(charge_displacement_msd, temperature, who=who)
    per_diffusivity = CONDUCTIVITY_TO_SI / (float(charge_displacement_msd["volume"]) * thermal_energy_in_ev(kelvin, reduced=False))
    interval = float(charge_displacement_msd["frame_interval"]) if "frame_interval" in charge_displacement_msd else np.nan
    dipole = _dipole(charge_displacement_msd, who=who)
    einstein = _einstein_helfand(dipole, 1 / (6 * interval)).scaled(per_diffusivity)
    current, why = _green_kubo(charge_current_acf, dipole)
    current = current.scaled(per_diffusivity)
    both = _combined(einstein, current)
    if dipole.regime in ("caged", "undecided"):
        both = Estimate(np.nan, np.nan, 0.0, max(einstein.upper, per_diffusivity * _unseen(charge_displacement_msd)))
    return Routes(kelvin, per_diffusivity, interval, dipole, einstein, current, both, why)


def need_measured_alike(dipole: xr.Dataset, current: xr.Dataset, *, who: str) -> None:
    """Raise TrajectoryError where the dipole and the current are of different runs, or of other charges of one run."""
    need_every_window(current, who=who)
    names, compared = ("charge_displacement_msd", "charge_current_acf"), ("volume", "stated_temperature", "charge")
    need_same_run(dipole, current, names=names, who=who, compared=compared)


@dataclass(frozen=True)
class Estimate:
    """A value with one standard error and its 95 % interval; NaN where there is none."""

    value: float = np.nan
    stderr: float = np.nan
    lower: float = np.nan
    upper: float = np.nan

    def scaled(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.stderr * factor, self.lower * factor, self.upper * factor)


def _dipole(data: xr.Dataset, *, who: str) -> Diffusion:
    frames = lag_frames(data, who=who)
    by_axis = data["charge_displacement_msd_by_axis"].transpose("window", "xyz", "lag").values
    if not by_axis.any():
        raise NotEnoughData(f"{who}: no charge moves in this run, the dipole is constant; check the charges that were passed")
    windows, n_frames = len(by_axis), int(data["n_frames"]) // len(by_axis)
    earliest = _transient(data, frames, n_frames=n_frames, windows=windows)
    return diffusion(frames, by_axis.mean(axis=0), n_frames=n_frames, windows=windows, earliest=earliest)


def _transient(data: xr.Dataset, frames: np.ndarray, *, n_frames: int, windows: int) -> float:
    """First lag (frames) from which on single ions are off their line by less than the dipole could show.

    One dipole is too noisy to show its transient by itself, and a fit that is only precise would start too early. Single ions show it; where
    they are on their line for good is later than the dipole needs: a part of its error there, FREE of it, does no harm.
    """
    if "charge_displacement_msd_self_by_axis" not in data:
        return 0.0
    ions = float(data["independent_charges"])
    alone = data["charge_displacement_msd_self_by_axis"].transpose("window", "xyz", "lag").values.mean(axis=0)
    blocks = data["charge_displacement_block_self"].transpose("xyz", "block_lag", "block").values
    lengths = np.rint(data["block_lag"].values / float(data["frame_interval"]))
    try:
        line = diffusion(frames, alone, n_frames=n_frames, n_ions=max(1, round(ions)), windows=windows, blocks=(blocks, lengths))
    except NotEnoughData:
        return 0.0
    early = np.flatnonzero((frames >= 1) & (frames <= line.lag_first))
    if line.regime != "diffusive" or not len(early):
        return float(line.lag_first)
    t = frames[early].astype(np.float64)
    off = np.abs(alone.sum(axis=0)[early] - line.intercept - line.slope * t)
    error = line.slope * t * np.sqrt(relative_variance(t, n_steps=n_frames - 1, n_walkers=windows))
    late = np.flatnonzero(off > FREE * error)
    return float(t[min(late[-1] + 1, len(t) - 1)] if len(late) else t[0])


def _alone_and_together(data: xr.Dataset, dipole: Diffusion) -> float:
    """Correlation, over stretches of time, of sum q^2 dr^2 with |dP|^2: what D and sigma have in common. NaN where it was not measured.

    1 for ions that move as one, 1 / sqrt(N) for N independent ones. Stretches as long as the first lag of the fit, or longer.
    """
    names = ("charge_displacement_block_self", "charge_displacement_block_by_pair")
    if any(name not in data for name in names) or not np.isfinite(dipole.lag_first):
        return float("nan")
    alone = data[names[0]].transpose("xyz", "block_lag", "block").values
    together = data[names[1]].sum("pair", skipna=False).transpose("xyz", "block_lag", "block").values
    frames = np.rint(data["block_lag"].values / float(data["frame_interval"]))
    at = min(int(np.searchsorted(frames, dipole.lag_first)), len(frames) - 1)
    kept = np.isfinite(alone[0, at]) & np.isfinite(together[0, at])
    # what differs from axis to axis (layers, channels) is no scatter
    x, y = (part[:, at, kept] - part[:, at, kept].mean(axis=1, keepdims=True) for part in (alone, together))
    if x.size < FEWEST_STRETCHES or not (x.any() and y.any()):
        return float("nan")
    return float(np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)))


def _unseen(data: xr.Dataset) -> float:
    """Charge diffusivity of three jumps of the species whose jumps carry most, e^2 angstrom^2 / ps; 0 where charges are unknown."""
    if "charge" not in data:
        return 0.0
    return float(np.max(three_jumps(data) * data["n_ions"].values * np.square(data["charge"].values)))


def _einstein_helfand(dipole: Diffusion, per_slope: float) -> Estimate:
    if dipole.regime in ("caged", "undecided"):
        return Estimate(upper=dipole.upper * per_slope, lower=0.0)
    return Estimate(dipole.slope, dipole.stderr, dipole.lower, dipole.upper).scaled(per_slope)


def _green_kubo(data: xr.Dataset | None, dipole: Diffusion) -> tuple[Estimate, str]:
    """Charge diffusivity S(0) / 6 in e^2 angstrom^2 / ps, and why there is none."""
    if data is None:
        return Estimate(), ""
    if dipole.regime in ("caged", "undecided"):
        return Estimate(), f"not taken: the dipole is {dipole.regime}, so that S(0) is only what the ends of the windows leave"
    power = data["charge_current_periodogram"].transpose("window", "frequency").values
    try:
        limit = zero_frequency(data["frequency"].values, power.mean(axis=0), series=3 * len(power))
    except NotEnoughData as reason:
        return Estimate(), f"not taken: {reason}"
    duration = (int(data["n_frames"]) // len(power)) * float(data["frame_interval"])
    value = (limit.value - dipole.intercept / duration) / 6
    stderr = np.hypot(limit.stderr, dipole.intercept_stderr / duration) / 6
    relative = 1.96 * stderr / max(value, 1e-300)
    return (
        (Estimate(value, stderr, value * np.exp(-relative), value * np.exp(min(relative, 700.0))), "")
        if value > 0
        else (
            Estimate(),
            "not taken: what is left of S(0) without the ends of the windows is negative; pass fewer windows",
        )
    )


def _difference(first: Estimate, second: Estimate) -> float:
    return (first.value - second.value) / float(np.hypot(first.stderr, second.stderr))


def _combined(first: Estimate, second: Estimate) -> Estimate:
    """Inverse-variance mean of two routes from the same data: stderr^2 = min(stderr^2) + the scatter beyond it."""
    routes = [one for one in (first, second) if np.isfinite(one.value)]
    if len(routes) < 2:
        return routes[0] if routes else Estimate()
    values, errors = (np.array(v) for v in zip(*((one.value, one.stderr) for one in routes), strict=True))
    weights = errors**-2 / np.sum(errors**-2)
    value, least = float(weights @ values), float(errors.min())
    stderr = float(np.sqrt(max(least**2, weights @ np.square(values - value))))
    best = routes[int(errors.argmin())]
    stretch = stderr / least
    return Estimate(value, stderr, max(value + stretch * (best.lower - best.value), 0.0), value + stretch * (best.upper - best.value))
