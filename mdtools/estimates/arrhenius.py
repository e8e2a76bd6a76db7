"""Activation of diffusion and of conduction, from runs at several temperatures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import is_reduced, thermal_energy_in_ev
from mdtools.estimates.laws import FEWEST, Fit, columns, fit, grid
from mdtools.statistics.laws import LAWS
from mdtools.statistics.replicas import conditions
from mdtools.statistics.straight_line import straight_line

__all__ = ["activation_energy", "conduction_activation_energy"]

LEVEL = 1.96
FINITE = 700.0  # ln of the largest prediction that a number holds
DIMS = {
    "law_log_evidence": ("law",),
    "law_probability": ("law",),
    "law_misfit": ("law",),
    "branch_activation_energy": ("branch",),
    "branch_activation_energy_stderr": ("branch",),
    "local_activation_energy": ("predicted_temperature",),
    "local_activation_energy_stderr": ("predicted_temperature",),
}


@schema.recorded
def activation_energy(
    self_diffusivity: Sequence[xr.Dataset],
    *,
    temperatures: Sequence[float] | None = None,
    jump_length: float | None = None,
    attempt_frequency: float | None = None,
    jump_neighbours: int | None = None,
    defect_fraction: Sequence[float] | None = None,
) -> xr.Dataset:
    """Activation energy and prefactor of the diffusion of each species, and which law of temperature the data prefer.

    ln D = log_prefactor - E_a / k_B T. Every run is a term of the likelihood: replicas are pooled in it, and a run in which a
    species is caged or undecided counts by its bound, D < D_max. Where replicas scatter more than their quoted errors allow, or no
    law fits, errors are widened to the scatter that is seen (`replica_misfit`, `misfit`).
    Besides the line, a quadratic in 1/T, ln D = ln A - B / (T - T_0), and two branches with a step at a crossover are compared by
    evidence (priors in statistics/laws.py); predictions and local activation energies are averaged over all of them.

    temperatures : K, at which D is wanted besides those between the runs; beyond the runs they are marked `extrapolated`.
    jump_length, attempt_frequency, jump_neighbours : angstrom, THz and number z of the sites an ion can jump to; all three give
        `prefactor_ratio` R = A / (z l^2 nu / 6). R between 0.1 and 10 says that the whole sublattice takes part, R << 1 that few
        defects do; migration entropy alone may move R by a factor of ten, and R and E_a compensate each other.
    defect_fraction : x_d of each run, in their order; splits E_a = `defect_energy` + `mobility_energy` (of D / x_d).

    Returns by species `activation_energy` (eV), `log_prefactor`, each with _stderr, and their covariance; by law
    `law_log_evidence`, `law_probability`, `law_misfit`; by branch (cold, hot) `branch_activation_energy` and
    `crossover_temperature`; by predicted_temperature `predicted_diffusivity` (median, with its 95 % band) and
    `local_activation_energy`. A species with fewer than three temperatures of its own has NaN.
    Raises NotEnoughData where no species has three temperatures; TrajectoryError for a member without stated temperature,
    or without a species that the others have; ValueError for a part of the jump, or defect fractions that do not fit the runs.
    Source: reference/science.md rows 33-36.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> from mdtools.estimates.diffusivity import self_diffusivity
    >>> runs = [synthetic.brownian(n_frames=500, diffusivity=float(np.exp(-0.3 / (8.617333262e-5 * t))), temperature=t, seed=int(t))
    ...         for t in (600.0, 800.0, 1000.0, 1200.0)]
    >>> fit = activation_energy([self_diffusivity(msd(run, reference="none")) for run in runs]).sel(species="A")
    >>> bool(abs(fit.activation_energy - 0.3) < 3 * fit.activation_energy_stderr)
    True
    """
    who = "activation_energy"
    members = _members(self_diffusivity, who=who, what="self-diffusivity")
    jump = (jump_length, attempt_frequency, jump_neighbours)
    if any(part is None for part in jump) and any(part is not None for part in jump):
        raise ValueError(
            "a prefactor is compared with jump_length=, attempt_frequency= and jump_neighbours=, all three; pass the one that is missing"
        )
    reduced = is_reduced(members[0])
    kelvin = np.array([_stated(one, who=who) for one in members])
    species = [str(name) for name in np.atleast_1d(members[0]["species"].values)]
    at, outside = grid(kelvin, temperatures)
    found: list[Fit | None] = []
    bounded: dict[str, list[str]] = {}
    split = np.full((4, len(species)), np.nan)
    for k, name in enumerate(species):
        value, stderr, bound = _points(members, kelvin, name, who=who)
        found.append(fit(kelvin, value, stderr, bound, reduced=reduced))
        bounded[name] = [f"{t:g} K" for t in kelvin[~np.isfinite(value)]]
        if defect_fraction is not None:
            split[:, k] = _defects(kelvin, value, stderr, defect_fraction, reduced=reduced)
    if all(one is None for one in found):
        without = "; ".join(f"{name} at {', '.join(out)}" for name, out in bounded.items() if out)
        raise NotEnoughData(
            f"{who} needs a diffusing species at {FEWEST} temperatures or more; there are {len(np.unique(conditions(kelvin)))}"
            + (f"; caged or undecided: {without}" if without else "")
            + ": add runs at other temperatures"
        )
    table = _table(found, at, "species", predicted="predicted_diffusivity")
    if jump_length is not None and attempt_frequency is not None and jump_neighbours is not None:
        table |= _prefactor(table, jump_neighbours * jump_length**2 * attempt_frequency / 6)
    if defect_fraction is not None:
        names = ("defect_energy", "defect_energy_stderr", "mobility_energy", "mobility_energy_stderr")
        table |= {name: (("species",), row) for name, row in zip(names, split, strict=True)}
    out = schema.dataset(
        {"species": species, **_axes(at), **table, "extrapolated": (("predicted_temperature",), outside)},
        reduced=reduced,
    )
    return schema.resolved(out, run_temperatures=kelvin.tolist(), bounded={name: runs for name, runs in bounded.items() if runs})


@schema.recorded
def conduction_activation_energy(ionic_conductivity: Sequence[xr.Dataset], *, temperatures: Sequence[float] | None = None) -> xr.Dataset:
    """Activation energy of conduction, for ln(sigma T) and for ln D_sigma, and which law of temperature the data prefer.

    ln(sigma T) = log_prefactor - E_a / k_B T; D_sigma = sigma k_B T V / sum_s N_s q_s^2 differs by the volume of each run. Bounds,
    replicas, laws and widened errors as for `activation_energy`.

    temperatures : K, at which sigma is wanted besides those between the runs; beyond the runs they are marked `extrapolated`.

    Returns by transport ("sigma T", "D_sigma") what `activation_energy` has by species, with `predicted_conductivity`
    (S/m, from sigma T) in place of predicted_diffusivity.
    Raises NotEnoughData for fewer than three temperatures with a conductivity, TrajectoryError as `activation_energy`.
    Source: reference/science.md rows 33 and 36.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_displacement_msd
    >>> from mdtools.estimates.conductivity import ionic_conductivity
    >>> runs = [synthetic.brownian(n_frames=1000, diffusivity=float(np.exp(-0.3 / (8.617333262e-5 * t))), temperature=t, seed=int(t))
    ...         for t in (600.0, 800.0, 1000.0)]
    >>> fit = conduction_activation_energy([ionic_conductivity(charge_displacement_msd(run)) for run in runs]).sel(transport="D_sigma")
    >>> bool(abs(fit.activation_energy - 0.3) < 3 * fit.activation_energy_stderr)
    True
    """
    who = "conduction_activation_energy"
    members = _members(ionic_conductivity, who=who, what="ionic conductivity")
    kelvin = np.array([_stated(one, who=who) for one in members])
    sigma, stderr, bound = (
        np.array([float(one[name]) for one in members]) for name in ("ionic_conductivity", "ionic_conductivity_stderr", "ionic_conductivity_upper")
    )
    volume = np.array([float(one["volume"]) for one in members])
    at, outside = grid(kelvin, temperatures)
    per_charge = 1 / np.array([_charges(one, who=who) for one in members])
    factors = (kelvin, kelvin * volume * per_charge)
    found = [fit(kelvin, sigma * f, stderr * f, bound * f, reduced=False) for f in factors]
    if all(one is None for one in found):
        raise NotEnoughData(
            f"{who} needs a conductivity at {FEWEST} temperatures or more; there are {len(np.unique(conditions(kelvin[np.isfinite(sigma)])))}: "
            "add runs at other temperatures"
        )
    table = _table(found, at, "transport", predicted="")
    for name, values in zip(("_lower", "", "_upper"), columns(found[0], at)["log_prediction"], strict=True):
        table[f"predicted_conductivity{name}"] = (("predicted_temperature",), np.exp(np.minimum(values, FINITE)) / at)
    out = schema.dataset(
        {"transport": ["sigma T", "D_sigma"], **_axes(at), **table, "extrapolated": (("predicted_temperature",), outside)},
    )
    return schema.resolved(out, run_temperatures=kelvin.tolist(), bounded=[f"{t:g} K" for t in kelvin[~np.isfinite(sigma)]])


def _members(given: Sequence[xr.Dataset], *, who: str, what: str) -> list[xr.Dataset]:
    members = list(given)
    if not members:
        raise NotEnoughData(f"{who} needs the {what} at {FEWEST} temperatures or more, and was given none")
    return members


def _stated(one: xr.Dataset, *, who: str) -> float:
    kelvin = float(one["stated_temperature"]) if "stated_temperature" in one else np.nan
    if not kelvin > 0:
        raise TrajectoryError(
            f"{who} needs the stated temperature of every run, and one has none: read it with temperature=... in K (--temperature), "
            "or give the series table a column temperature"
        )
    return kelvin


def _axes(at: np.ndarray) -> dict[str, Any]:
    return {"law": list(LAWS), "branch": ["cold", "hot"], "predicted_temperature": at}


def _table(found: Sequence[Fit | None], at: np.ndarray, dim: str, *, predicted: str) -> dict[str, Any]:
    """The columns of every fit, stacked along `dim`."""
    made = [columns(one, at) for one in found]
    table: dict[str, Any] = {
        name: ((dim, *DIMS.get(name, ())), np.array([one[name] for one in made])) for name in made[0] if name != "log_prediction"
    }
    if predicted:
        for k, end in enumerate(("_lower", "", "_upper")):
            table[predicted + end] = ((dim, "predicted_temperature"), np.exp(np.minimum([one["log_prediction"][k] for one in made], FINITE)))
    return table


def _points(members: Sequence[xr.Dataset], kelvin: np.ndarray, name: str, *, who: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D of one species in each member, with its stderr and its upper bound."""
    found = []
    for one, t in zip(members, kelvin, strict=True):
        one = one if "species" in one.dims else one.expand_dims("species")
        if name not in one["species"].values:
            raise TrajectoryError(f"{who}: the run at {t:g} K has no species {name}; give runs of the same species")
        found.append([float(one[f"self_diffusivity{column}"].sel(species=name)) for column in ("", "_stderr", "_upper")])
    value, stderr, bound = np.array(found).T
    return value, stderr, bound


def _charges(data: xr.Dataset, *, who: str) -> float:
    """sum_s N_s q_s^2 of a run."""
    if "charge" not in data:
        raise TrajectoryError(f"{who} needs the charge of each species: measure charge_displacement_msd of a trajectory with charges=")
    return float(np.sum(data["n_ions"].values * np.square(data["charge"].values)))


def _prefactor(table: dict[str, Any], full: float) -> dict[str, Any]:
    """exp(log_prefactor) over the one of a full sublattice (angstrom^2 / ps), with its 95 % interval."""
    dims, log = table["log_prefactor"]
    error = LEVEL * table["log_prefactor_stderr"][1]
    return {f"prefactor_ratio{end}": (dims, np.exp(log + by) / full) for end, by in (("", 0.0), ("_lower", -error), ("_upper", error))}


def _defects(kelvin: np.ndarray, value: np.ndarray, stderr: np.ndarray, fraction: Sequence[float], *, reduced: bool) -> tuple[float, ...]:
    """Energies (each with stderr) of the defect fraction and of the mobility of one defect."""
    x = np.asarray(fraction, dtype=np.float64)
    if x.shape != kelvin.shape or not np.all((x > 0) & (x <= 1)):
        raise ValueError(f"defect_fraction= takes one number above 0 and at most 1 for each of the {len(kelvin)} runs, in their order")
    known = np.isfinite(value)
    if not known.any() or len(np.unique(conditions(kelvin[known]))) < FEWEST:
        return (np.nan,) * 4
    beta = 1 / np.array([thermal_energy_in_ev(t, reduced=reduced) for t in kelvin[known]])
    # the fractions come without errors: they are weighted alike, and their error is the scatter about the line
    defects = straight_line(beta, np.log(x[known]), np.full(int(known.sum()), 1e-3))
    mobility = straight_line(beta, np.log(value[known] / x[known]), stderr[known] / value[known])
    return -defects.slope, defects.slope_stderr, -mobility.slope, mobility.slope_stderr
