"""What bottlenecks say of hopping: stiffness of the window, how much its breathing lowers the barrier, and attempt frequencies."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, temperature_of
from mdtools.statistics.vibrations import jackknife
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["attempt_frequency", "bottleneck_barrier"]

FEWEST = 4  # windows of time, for an error from their spread
FEWEST_HOPS = 20
ESTIMATORS = ("band centre", "crossings", "jump rate")


@schema.recorded
def bottleneck_barrier(
    bottleneck_radius: xr.Dataset, *, coupling: float | None = None, critical_radius: float | None = None, temperature: float | None = None
) -> xr.Dataset:
    """Stiffness and frequency of the windows of a mobile species, and how much lower a barrier their breathing makes.

    Of the radius r less its mean, Q: stiffness k = k_B T / <Q^2> of windows that no ion is under way through; frequency f,
    f^2 = int f^2 S df / int S df; mass M = k / (2 pi f)^2. A barrier that falls with the opening, E - g Q, is on the average passed
    <exp(g Q / k_B T)> times as often: lower by g^2 <Q^2> / (2 k_B T) = g^2 / (2 M w^2), w = 2 pi f. Windows are then wider when a hop
    begins, by g <Q^2> / (k_B T), exactly where Q is Gaussian and does not mind the ion; g is read from that, at the last frame on the old site. There
    the ion has not yet pushed the window open; a window that breathes within its way to the gap makes g too small.
    Steric barrier: k (r_c - <r>)^2 / 2 to open the window to r_c. Without any law: p(r | hop), the density of the radius when a hop begins, and
    the rate of hops along a path while its window has the radius r, Gamma p(r | hop) / p(r), which for E - g Q rises as exp(g r / k_B T), and as a
    step where a window must open to a radius.
    Errors: the jackknife over windows of time, of counts at least that of a Poisson law.

    coupling : g in eV/angstrom, where it is known (a barrier against the radius, -dE/dr). critical_radius : r_c in angstrom, to the centres of the
        corners. temperature : K, where the run does not state it.

    Returns `bottleneck_stiffness` (eV/angstrom^2), `bottleneck_frequency` (THz), `bottleneck_mass` (amu), `bottleneck_share` (frequency), the part of
    <Q^2> below a frequency; `bottleneck_distribution`, `bottleneck_distribution_at_hop` and `hop_rate_at_radius` (r), the last NaN where no
    window ever was; `bottleneck_opening_at_hop` (angstrom), `bottleneck_coupling` (eV/angstrom), `barrier_drop`, `steric_barrier` (eV), each
    with _stderr, and `n_hops`. With fewer than 20 hops g is NaN unless given, and `undetermined` in the history says how long a run would do.
    Raises NotEnoughData below four windows, TrajectoryError (no temperature, a run in lj units). Source: reference/science.md rows 42 to 46, 52.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.bottleneck import bottleneck_radius
    >>> run = synthetic.gated_hopper(chains=9, sites=4, n_frames=4000, seed=2)
    >>> found = bottleneck_barrier(bottleneck_radius(run, mobile="A", corners=["B"], number=2, repeat=(4, 3, 3), sites="0 0.5 0.5"))
    >>> bool(abs(found.bottleneck_coupling - 0.5) < 4 * found.bottleneck_coupling_stderr)
    True
    """
    who = "bottleneck_barrier"
    heat = _heat(bottleneck_radius, temperature, who=who)
    data = _windows(bottleneck_radius, who=who)
    frequency = bottleneck_radius["frequency"].values
    columns = ("bottleneck_variance", "bottleneck_variance_empty", "bottleneck_radius_empty", "opening", "hops")
    column = {name: k for k, name in enumerate(columns)}
    stiffness = _Of(column, lambda get: heat / get("bottleneck_variance_empty"))
    hops = int(data[:, column["hops"]].sum())
    why: dict[str, str] = {}
    if hops < FEWEST_HOPS:
        span = float(bottleneck_radius["window_length"]) * bottleneck_radius.sizes["window"]
        longer = f"{FEWEST_HOPS / hops * span:.3g} ps" if hops else "a hotter or longer run"
        short = f"{hops} hops began in {span:g} ps, and {FEWEST_HOPS} are needed for the width of the windows at a hop: give {longer}"
        why = dict.fromkeys(("bottleneck_opening_at_hop", "bottleneck_distribution_at_hop", "hop_rate_at_radius"), short)
        if coupling is None:
            why |= dict.fromkeys(("bottleneck_coupling", "barrier_drop"), f"{short}, or pass coupling= in eV/angstrom (--coupling)")
    opening = _Of(column, lambda get: get("opening") / get("hops"))
    measured = _Of(column, lambda get: heat * get("opening") / get("hops") / get("bottleneck_variance"))
    g = measured if coupling is None else _Of(column, lambda get: coupling + 0.0 * get("bottleneck_variance"))
    drop = _Of(column, lambda get: g.value(get) ** 2 * get("bottleneck_variance") / (2 * heat))
    enough = hops >= FEWEST_HOPS
    found: dict[str, tuple[_Of, bool]] = {
        "bottleneck_stiffness": (stiffness, True),
        "bottleneck_opening_at_hop": (opening, enough),
        "bottleneck_coupling": (g, enough or coupling is not None),
        "barrier_drop": (drop, enough or coupling is not None),
    }
    if critical_radius is not None:
        found["steric_barrier"] = (_Of(column, lambda get: stiffness.value(get) * (critical_radius - get("bottleneck_radius_empty")) ** 2 / 2), True)
    out: dict[str, Any] = {**carried(bottleneck_radius), "species": bottleneck_radius["species"].values, "n_hops": hops, "frequency": frequency}
    for name, (function, known) in found.items():
        out[name], out[f"{name}_stderr"] = jackknife(function, data) if known else (np.nan, np.nan)
    power = bottleneck_radius["bottleneck_periodogram"].transpose("window", "frequency").values
    out["bottleneck_frequency"], out["bottleneck_frequency_stderr"] = jackknife(functools.partial(_rms, f=frequency), power)
    mass = functools.partial(_mass, f=frequency, heat=heat / KINETIC_TO_EV)
    out["bottleneck_mass"], out["bottleneck_mass_stderr"] = jackknife(mass, power)
    out |= _by_radius(bottleneck_radius, known=enough)
    share, share_error = jackknife(functools.partial(_share, f=frequency), power)
    out |= {"bottleneck_share": ("frequency", share), "bottleneck_share_stderr": ("frequency", share_error)}
    return schema.resolved(schema.dataset(out), undetermined=why)


def _by_radius(data: xr.Dataset, *, known: bool) -> dict[str, Any]:
    """Densities of the radius at all times and when a hop begins, and the rate of hops at a radius; those of hops where they are `known`."""
    r = data["r"].values
    always = data["bottleneck_distribution"].transpose("window", "r").values
    counts = data["bottleneck_counts_at_hop"].transpose("window", "r").values.astype(np.float64)
    width = r[1] - r[0]
    exposure = _exposure(data) * always * width  # of an ion and path in a window of time, at each radius
    measured: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
        "bottleneck_distribution": (lambda mean: mean, always),
        "bottleneck_distribution_at_hop": (lambda mean: mean / max(float(mean.sum()), 1e-12) / width, counts),
        "hop_rate_at_radius": (lambda mean: mean[0] / np.where(mean[1] > 0, mean[1], np.inf), np.stack([counts, exposure], axis=1)),
    }
    one = {"bottleneck_distribution_at_hop": 1 / max(float(counts.sum()), 1.0) / width}
    with np.errstate(divide="ignore"):
        one["hop_rate_at_radius"] = np.where(exposure.sum(axis=0) > 0, 1 / exposure.sum(axis=0), np.nan)
    out: dict[str, Any] = {"r": r}
    for name, (function, windows) in measured.items():
        # no bias taken off: densities and rates stay above 0, and densities of area one
        value, error = function(windows.mean(axis=0)), jackknife(function, windows)[1]
        if name in one:
            error = np.maximum(error, np.sqrt(np.maximum(counts.sum(axis=0), 1.0)) * one[name])
            value, error = np.where(known & np.isfinite(one[name]), value, np.nan), np.where(known, error, np.nan)
        out |= {name: ("r", value), f"{name}_stderr": ("r", error)}
    return out


def _exposure(data: xr.Dataset) -> float:
    """ps that ions spend before paths in a window of time, each path counted."""
    return float(data["window_length"] * data["n_mobile"] * data["n_paths"])


class _Of:
    """A number as a function of the means over windows of the columns, for the jackknife."""

    def __init__(self, column: dict[str, int], value: Callable[[Callable[[str], Any]], Any]) -> None:
        self.column, self.value = column, value

    def __call__(self, means: np.ndarray) -> np.ndarray:
        return np.asarray(self.value(lambda name: means[self.column[name]]))


def _windows(data: xr.Dataset, *, who: str) -> np.ndarray:
    """(window, column) of what is averaged over windows of time; the opening and the hops at time 0 as sums."""
    if "window" not in data.dims:
        raise TrajectoryError(f"{who} needs every window of the measurement: pass bottleneck_radius as it was measured")
    if data.sizes["window"] < FEWEST:
        raise NotEnoughData(
            f"{who} needs {FEWEST} windows for its errors, and this bottleneck_radius has {data.sizes['window']}: "
            f"measure it with windows={FEWEST} or more (--windows)"
        )
    start = int(np.argmin(np.abs(data["lag"].values)))
    at_start = [data[name].transpose("window", "lag").values[:, start] for name in ("bottleneck_opening", "bottleneck_hops")]
    names = ("bottleneck_variance", "bottleneck_variance_empty", "bottleneck_radius_empty")
    return np.stack([*(data[name].values for name in names), *at_start], axis=1).astype(np.float64)


def _heat(data: xr.Dataset, temperature: float | None, *, who: str) -> float:
    """k_B T in eV."""
    if data.attrs.get("unit_system") == "lj":
        raise TrajectoryError(f"{who} gives eV and THz: read the run with its real units")
    return BOLTZMANN * temperature_of(data, temperature, who=who)


def _rms(power: np.ndarray, *, f: np.ndarray) -> np.ndarray:
    return np.sqrt(np.trapezoid(power * f**2, f) / np.trapezoid(power, f))


def _mass(power: np.ndarray, *, f: np.ndarray, heat: float) -> np.ndarray:
    """k_B T / <(dr/dt)^2>, amu."""
    return np.asarray(heat / (2 * np.trapezoid(power * (2 * np.pi * f) ** 2, f)))


def _share(power: np.ndarray, *, f: np.ndarray) -> np.ndarray:
    steps = np.concatenate([[0.0], np.cumsum((power[1:] + power[:-1]) / 2 * np.diff(f))])
    return np.asarray(steps / steps[-1])


@schema.recorded
def attempt_frequency(
    bottleneck_radius: xr.Dataset, vibrational_moments: xr.Dataset, *, activation_energy: float | None = None, temperature: float | None = None
) -> xr.Dataset:
    """Attempt frequency of the hops of a mobile species, by three estimators that agree within a factor of three at best.

    "band centre": int f g df / int g df of the density of states of the species. "crossings": half the rate at which its ions cross the middle
    of their site along the paths. "jump rate": Gamma exp(E / k_B T), Gamma the hops of an ion along one path in a time, E the given barrier. In a
    harmonic well the first two are its frequency (the second from below, where frames are few a period); the third holds the entropy of the barrier.
    Errors: the jackknife over windows of time, of the counts at least that of a Poisson law.

    activation_energy : E in eV (of `activation_energy`, without the energy that makes vacancies); "jump rate" is NaN if not given.

    Returns `attempt_frequency` (estimator) in THz, `jump_rate` in 1/ps, each with _stderr, `attempt_spread`, the largest over the smallest.
    Raises NotEnoughData below four windows, TrajectoryError (no such species, no temperature, lj units). Source: reference/science.md row 40.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.bottleneck import bottleneck_radius
    >>> from mdtools.analyses.phonons import phonon_dos
    >>> from mdtools.estimates.phonons import vibrational_moments
    >>> run = synthetic.gated_hopper(chains=9, sites=4, n_frames=2000, frequency=1.5, seed=2)
    >>> radius = bottleneck_radius(run, mobile="A", corners=["B"], number=2, repeat=(4, 3, 3), sites="0 0.5 0.5", windows=4)
    >>> found = attempt_frequency(radius, vibrational_moments(phonon_dos(run, windows=4)), activation_energy=0.1)
    >>> found.attempt_frequency.sel(estimator="crossings").round(0).item()
    3.0
    """
    who = "attempt_frequency"
    heat = _heat(bottleneck_radius, temperature, who=who)
    _windows(bottleneck_radius, who=who)
    mobile = next(step["mobile"] for step in schema.history(bottleneck_radius) if step.get("step") == "bottleneck_radius")
    if mobile not in vibrational_moments["sublattice"].values:
        raise TrajectoryError(f"{who}: these vibrational_moments hold no species {mobile}: measure phonon_dos of the same run")
    centre = vibrational_moments.sel(sublattice=mobile)
    crossing, crossing_error = jackknife(lambda mean: mean / 2, bottleneck_radius["site_crossings"].values)
    counts = bottleneck_radius["hop_starts"].values.astype(np.float64)
    exposure = _exposure(bottleneck_radius)
    rate = counts.mean() / exposure
    n = len(counts)
    rate_error = float(np.sqrt(max(counts.var(ddof=1), counts.mean()) / n)) / exposure
    gain = np.nan if activation_energy is None else float(np.exp(activation_energy / heat))
    values = np.array([float(centre["band_centre"]), float(crossing), rate * gain])
    errors = np.array([float(centre["band_centre_stderr"]), float(crossing_error), rate_error * gain])
    known = values[np.isfinite(values) & (values > 0)]
    out = {
        **carried(bottleneck_radius),
        "species": bottleneck_radius["species"].values,
        "estimator": list(ESTIMATORS),
        "attempt_frequency": ("estimator", values),
        "attempt_frequency_stderr": ("estimator", errors),
        "attempt_spread": known.max() / known.min(),
        "jump_rate": rate,
        "jump_rate_stderr": rate_error,
    }
    return schema.resolved(schema.dataset(out), mobile=mobile)
