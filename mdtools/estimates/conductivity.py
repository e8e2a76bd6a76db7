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
from mdtools.statistics.conductivity import (
    BOUNDED,
    Alone,
    Estimate,
    combined,
    difference,
    dipole_slope,
    einstein_helfand,
    green_kubo,
    route_correlation,
    steep_alone,
)
from mdtools.statistics.diffusion import Diffusion
from mdtools.statistics.spectral import STEEP, followed, zero_frequencies, zero_frequency
from mdtools.statistics.stretches import in_common
from mdtools.units import CONDUCTIVITY_TO_SI, S_PER_M_TO_MS_PER_CM

__all__ = ["Routes", "ionic_conductivity", "need_measured_alike", "routes", "single_ions"]


FREE_FLIGHT = "not taken: single ions still fly freely at the longest lags that a line may start at; give a longer run"


@schema.recorded
def ionic_conductivity(
    charge_displacement_msd: xr.Dataset, charge_current_acf: xr.Dataset | None = None, *, temperature: float | None = None
) -> xr.Dataset:
    """Ionic conductivity from the charge dipole, and from the charge current where velocities are there.

    Einstein-Helfand: sigma = slope of <|dP|^2> / (6 V k_B T), least squares with the exact covariance of one walker
    (the dipole of many ions is Gaussian and counts once however many ions there are).
    Green-Kubo: sigma = (S(0) - a0 / t_w) / (6 V k_B T), S(0) the zero-frequency limit of the current's spectrum; a0 / t_w
    is what the ends of a window of length t_w add to it, a0 the intercept of <|dP|^2>. Fits that do not follow the spectrum of single ions, which
    show more than their sum does, are left out of the mean over ranges of frequency; where windows are too short for any, it is not taken.

    temperature : K, where the run does not state it.

    Returns `ionic_conductivity` in S/m: the mean of the routes with the least variance, given that both come from one run: their correlation
    `routes_correlation` follows from how each weights the correlation function of the current. What they differ by beyond chance is added
    to the stderr. `_lower` and `_upper` are 95 %;
    `_einstein_helfand`, `_green_kubo`, `_mS_per_cm`, `charge_diffusivity` (slope / 6), each with _stderr;
    `routes_difference` in units of its stderr (a^2 + b^2 - 2 rho a b)^(1/2);
    `regime` of the dipole: "caged" (an insulator within this run) or "undecided" gives NaN and the 95 % bound `_upper`: the
    larger of what the slope allows and of three jumps of one species in the run, each q l of charge (see `self_diffusivity`); no bound (inf) of a run
    in which single ions still fly freely.
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
        "routes_difference": found.difference,
        "routes_correlation": found.correlation if np.isfinite(found.green_kubo.value) else np.nan,
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
    told = {"green_kubo": found.why} if found.why else {}
    if np.isinf(found.both.upper):
        told["einstein_helfand"] = FREE_FLIGHT
    return schema.resolved(schema.dataset(out), temperature_used=found.temperature, **told)


@dataclass(frozen=True)
class Routes:
    """Both routes to one conductivity in S/m with their correlation, and both combined; per_diffusivity: S/m per e^2 angstrom^2 / ps; why one was not
    taken."""

    temperature: float
    per_diffusivity: float
    interval: float
    dipole: Diffusion
    einstein_helfand: Estimate
    green_kubo: Estimate
    correlation: float
    both: Estimate
    why: str

    @property
    def moves(self) -> bool:
        """Whether the dipole has a slope, and not only a bound on it."""
        return self.dipole.regime not in BOUNDED

    @property
    def difference(self) -> float:
        return float(difference(self.einstein_helfand, self.green_kubo, self.correlation))


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
    einstein = einstein_helfand(dipole).scaled(per_diffusivity / (6 * interval))
    current, correlation, why = _green_kubo(charge_displacement_msd, charge_current_acf, dipole)
    current = current.scaled(per_diffusivity / 6)
    both = combined(einstein, current, correlation).numbers()
    one = dipole.reshaped(())
    if one.regime in BOUNDED:
        both = Estimate(np.nan, np.nan, 0.0, max(float(einstein.upper[0]), per_diffusivity * _unseen(charge_displacement_msd)))
    return Routes(kelvin, per_diffusivity, interval, one, einstein.numbers(), current.numbers(), correlation, both, why)


def need_measured_alike(dipole: xr.Dataset, current: xr.Dataset, *, who: str) -> None:
    """Raise TrajectoryError where the dipole and the current are of different runs, or of other charges of one run."""
    need_every_window(current, who=who)
    names, compared = ("charge_displacement_msd", "charge_current_acf"), ("volume", "stated_temperature", "charge")
    need_same_run(dipole, current, names=names, who=who, compared=compared)


def _dipole(data: xr.Dataset, *, who: str) -> Diffusion:
    """A batch of one."""
    frames = lag_frames(data, who=who)
    by_axis = data["charge_displacement_msd_by_axis"].transpose("window", "xyz", "lag").values
    if not by_axis.any():
        raise NotEnoughData(f"{who}: no charge moves in this run, the dipole is constant; check the charges that were passed")
    windows, n_frames = len(by_axis), int(data["n_frames"]) // len(by_axis)
    return dipole_slope(frames, by_axis.mean(axis=0)[None], n_frames=n_frames, windows=windows, alone=_alone(data))


def _alone(data: xr.Dataset) -> Alone | None:
    if "charge_displacement_msd_self_by_axis" not in data:
        return None
    by_axis = data["charge_displacement_msd_self_by_axis"].transpose("window", "xyz", "lag").values.mean(axis=0)
    blocks = data["charge_displacement_block_self"].transpose("xyz", "block_lag", "block").values
    lengths = np.rint(data["block_lag"].values / float(data["frame_interval"]))
    return Alone(by_axis[None], blocks[None], lengths, max(1, round(float(data["independent_charges"]))))


def _alone_and_together(data: xr.Dataset, dipole: Diffusion) -> float:
    """Correlation, over stretches of time, of sum q^2 dr^2 with |dP|^2: what D and sigma have in common. NaN where it was not measured."""
    names = ("charge_displacement_block_self", "charge_displacement_block_by_pair")
    if any(name not in data for name in names) or not np.isfinite(dipole.lag_first):
        return float("nan")
    parts = [part.transpose("xyz", "block_lag", "block").values for part in (data[names[0]], data[names[1]].sum("pair", skipna=False))]
    lengths = np.rint(data["block_lag"].values / float(data["frame_interval"]))
    return float(in_common(np.array(parts), lengths, lag=dipole.lag_first)[0, 1])


def _unseen(data: xr.Dataset) -> float:
    """Charge diffusivity of three jumps of the species whose jumps carry most, e^2 angstrom^2 / ps; 0 where charges are unknown."""
    if "charge" not in data:
        return 0.0
    return float(np.max(three_jumps(data) * data["n_ions"].values * np.square(data["charge"].values)))


def single_ions(displacement: xr.Dataset, data: xr.Dataset) -> tuple[np.ndarray | None, int]:
    """Spectrum (frequency,) of the currents of single ions, mean over windows, and how many ions count in it; None where it was not measured."""
    if "charge_current_periodogram_self" not in data or "independent_charges" not in displacement:
        return None, 1
    alone = data["charge_current_periodogram_self"].sum("species").transpose("window", "frequency").values.mean(axis=0)
    return alone, max(1, round(float(displacement["independent_charges"])))


def _green_kubo(displacement: xr.Dataset, data: xr.Dataset | None, dipole: Diffusion) -> tuple[Estimate, float, str]:
    """S(0) in e^2 angstrom^2 / ps, its correlation with the slope of the dipole, and why there is none."""
    if data is None:
        return Estimate(), 0.0, ""
    if dipole.regime[0] in BOUNDED:
        if np.isinf(dipole.upper[0]):
            return Estimate(), 0.0, FREE_FLIGHT
        return Estimate(), 0.0, f"not taken: the dipole is {dipole.regime[0]}, so that S(0) is only what the ends of the windows leave"
    power = data["charge_current_periodogram"].transpose("window", "frequency").values
    frequency, interval, series = data["frequency"].values, float(data["frame_interval"]), 3 * len(power)
    alone, n_ions = single_ions(displacement, data)
    try:
        allowed = None if alone is None else followed(frequency, alone[None], series=series, n_ions=n_ions)
        zero_frequency(frequency, power.mean(axis=0), series=series, allowed=allowed)
    except NotEnoughData as reason:
        return Estimate(), 0.0, f"not taken: {reason}"
    limit = zero_frequencies(frequency, power.mean(axis=0)[None], series=series, allowed=allowed)
    steep = 1.0 if alone is None else float(steep_alone(frequency, alone, series=series * n_ions))
    length = round(1 / (frequency[1] * interval))
    found = green_kubo(limit, dipole, duration=length * interval, steep=steep)
    if not np.isfinite(found.value[0]):
        if abs(np.log(steep)) > -np.log(STEEP):
            return (
                Estimate(),
                0.0,
                (
                    f"not taken: the spectrum of single ions changes to {steep:.0%} of its limit within the lowest ordinates, and that of their sum "
                    "cannot be followed there: the windows are too short; give longer windows (fewer windows, or a longer run)"
                ),
            )
        return Estimate(), 0.0, "not taken: what is left of S(0) without the ends of the windows is negative; pass fewer windows"
    correlation = route_correlation(dipole, limit, power.mean(axis=0)[None], series=series, length=length)
    return found, float(correlation[0]), ""
