"""At which temperature does a sublattice melt, and how? A series of runs, every route to T_c on its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.detection.one_pressure import bulk_modulus_of, enthalpy_fluctuation_of, enthalpy_of, is_held, log_length_of
from mdtools.detection.pooled import Pooled, mean_of, pooled, sizes_of, sweeps_of
from mdtools.detection.states import SYSTEM_STATES
from mdtools.errors import NotEnoughData
from mdtools.statistics.bimodal import UNIFORM, bimodality
from mdtools.statistics.replicas import mean_with_bounds
from mdtools.statistics.transition import Located, change_point, excess_models, knee, largest, steepest, two_branches
from mdtools.units import BOLTZMANN

__all__ = ["detect_transition"]

FEWEST = 6  # temperatures: a maximum with two on either side
ROUTES = (
    "heat capacity",
    "enthalpy fluctuation",
    "thermal expansion",
    "defects",
    "defect fluctuation",
    "probability",
    "activation energy",
    "knee of D",
    "two branches",
)
TYPES = {"smooth": "III", "excess": "II", "step": "I"}
SURE = 0.8
FLOOR = 0.03  # relative error of D that is assumed at least
FEWEST_WINDOWS = 8  # of a run, whose distribution of the enthalpy is looked at
SWEEPS = ("heating", "cooling")


@schema.recorded
def detect_transition(
    run_state: Sequence[xr.Dataset],
    detect_melting: Sequence[xr.Dataset] | None = None,
    site_occupation: Sequence[xr.Dataset] | None = None,
    self_diffusivity: Sequence[xr.Dataset] | None = None,
    shear_modulus: Sequence[xr.Dataset] | None = None,
    *,
    species: str | None = None,
    bulk_modulus: float | None = None,
    sweeps: Sequence[str] | None = None,
    seed: int = 0,
    draws: int = 1000,
) -> xr.Dataset:
    """T_c of a superionic transition by each route on its own, and its type, from runs at six temperatures or more.

    Routes: maximum of C_p = dH/dT (H at one pressure for the series: that of a held cell is brought there by the expansion), of var(H) / T^2 (where
    every thermostat is canonical, and all cells were held or none), of the linear expansion d ln V / 3 dT, of d x_V/dT of empty sites, of
    N var(x_V); the change point of a melted sublattice, from its probability in every run; maximum of the apparent activation energy
    -d ln D / d(1/k_B T); knee, where two straight lines of ln D meet; and where two straight branches of H(T) are left for one another, of a type I
    alone. They answer different questions and are never averaged: in fluorites the knee of D lies above the maximum of C_p. A maximum at an end of
    the series is none. An interval is never narrower than the temperatures on either side.

    Type, by BIC of H(T): I jumps, II has an excess of finite width, III is smooth; `undecided` below 0.8.
    Runs at one temperature are replicas: their means are averaged, their probabilities multiplied. Of runs of several sizes the routes
    are those of the size with most temperatures, the largest where equal (all together, per ion, where none has six), and with six or more of
    another `size_exponent` says how the largest heat capacity per ion grows with N: not, of type II (0), and of type I towards 1 as the
    peak outgrows what lies beside it. Sizes whose H jumps between two runs do not count: dH/dT is then the jump over their distance, whatever N.

    species : the mobile one; by default the one that jumps, or diffuses, most.
    bulk_modulus : B in GPa. A cell that was held at a mean of some ps is off by what such means scatter, and the pressure of the run shows it:
        volumes of held cells are then those at one pressure, ln V + (P - P0) / B. By default B = (C11 + 2 C12) / 3 of the elastic
        constants, on a straight line in T; where there are none volumes stay as they are, with an error of 1e-3.
    sweeps : for each run "heating" or "cooling", the way it was reached. Routes are then those of heating, and
        `hysteresis` is T_c of heating less that of cooling, by H(T) of either, six temperatures each.

    Returns `critical_temperature` (route) with _stderr, _lower, _upper (NaN: this route shows none), `transition_type`, `type_probability`
    (transition_model), `heat_capacity` (k_B per ion) and `thermal_expansion` (1/K) at `mean_temperature` between neighbouring runs, with
    _stderr; `latent_heat` (eV per ion) of a type I with _stderr, and `latent_heat_bound`, the largest sudden step of H that fits between two
    neighbouring runs (two standard errors); `bimodal_temperature`, that of the run at constant pressure whose P(H) most surely has two peaks, as
    near a transition of type I (NaN: none has); `temperature_gap`, the resolution of T_c.
    Raises NotEnoughData for fewer temperatures than six; ValueError for sweeps that are not those of the runs.
    Source: reference/science.md C5, B9.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.run_state import run_state
    >>> gas = [synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=64, temperature=t) for t in range(500, 1100, 100)]
    >>> bool(detect_transition([run_state(one) for one in gas]).critical_temperature.isnull().all())
    True
    """
    random = np.random.default_rng(seed)
    by_sweep = sweeps_of(run_state, sweeps, SWEEPS)
    way = "heating" if sweeps is not None and len(by_sweep["heating"]) >= FEWEST else "cooling" if sweeps is not None else None
    sizes = sizes_of(run_state if way is None else by_sweep[way])
    size = next(iter(sizes), None)
    if size is not None and len(pooled(sizes[size]).kelvin) < FEWEST:
        size = None  # too few of any one: all together, each per ion
    runs = pooled([one for data in sizes.values() for one in data] if size is None else sizes[size])
    kelvin = runs.kelvin
    if len(kelvin) < FEWEST:
        raise NotEnoughData(
            f"detect_transition needs runs at {FEWEST} stated temperatures or more, those on both sides of T_c among them; there are {len(kelvin)}: "
            "add runs at others"
        )
    origins = None if way is None else {_origin(one) for one in by_sweep[way]}

    def others(data: Sequence[xr.Dataset] | None) -> Pooled | None:
        """Those of the other results that are of the runs taken."""
        chosen = [one for one in data or () if (size is None or _size(one) in (size, None)) and (origins is None or _origin(one) in origins)]
        return pooled(chosen) if chosen else None

    found: dict[str, Located] = dict.fromkeys(ROUTES, Located())
    types = dict.fromkeys(TYPES, np.nan)
    latent = (np.nan, np.nan)
    reduced = runs.first.attrs.get("unit_system") == "lj"
    per = 1.0 if reduced else BOLTZMANN
    heat = enthalpy_of(runs)
    nothing = np.full(len(kelvin) - 1, np.nan)
    slope = slope_error = nothing
    bound = np.nan
    if heat is not None:
        found["heat capacity"], slope, slope_error = steepest(kelvin, *heat, draws=draws, random=random)
        types = excess_models(kelvin, *heat)
        bound = _largest_step(kelvin, *heat)
        if types["step"] >= SURE:
            found["two branches"], *step = two_branches(kelvin, *heat)
            latent = step[0], step[1]
    fluctuation = enthalpy_fluctuation_of(runs)
    if fluctuation is not None:
        found["enthalpy fluctuation"] = largest(kelvin, *fluctuation, draws=draws, random=random)
    expansion, expansion_error = nothing, nothing
    size_of_cell = log_length_of(runs, bulk_modulus_of(kelvin, bulk_modulus, others(shear_modulus)))
    if size_of_cell is not None:
        found["thermal expansion"], expansion, expansion_error = steepest(kelvin, *size_of_cell, draws=draws, random=random)
    occupied, diffusing, verdicts = others(site_occupation), others(self_diffusivity), others(detect_melting)
    mobile = species or _mobile(occupied, diffusing)
    if occupied is not None and mobile:
        found |= _of_defects(occupied.having(mobile), draws, random)
    if verdicts is not None:
        found["probability"] = _of_probability(verdicts)
    if diffusing is not None and mobile:
        found |= _of_diffusion(diffusing.having(mobile), draws, random)
    likeliest = max(types, key=lambda name: np.nan_to_num(types[name]))
    out: dict[str, Any] = {
        "route": list(ROUTES),
        **{
            f"critical_temperature{word}": ("route", np.array([getattr(found[name], key) for name in ROUTES]))
            for word, key in {"": "value", "_stderr": "stderr", "_lower": "lower", "_upper": "upper"}.items()
        },
        "transition_model": list(TYPES),
        "type_probability": ("transition_model", np.array([types[name] for name in TYPES])),
        "transition_type": TYPES[likeliest] if np.nan_to_num(types[likeliest]) >= SURE else "undecided",
        "mean_temperature": (kelvin[1:] + kelvin[:-1]) / 2,
        "heat_capacity": ("mean_temperature", slope / per),
        "heat_capacity_stderr": ("mean_temperature", slope_error / per),
        "thermal_expansion": ("mean_temperature", expansion),
        "thermal_expansion_stderr": ("mean_temperature", expansion_error),
        "temperature_gap": float(np.diff(kelvin).max()),
        "latent_heat": latent[0],
        "latent_heat_stderr": latent[1],
        "latent_heat_bound": bound,
        "bimodal_temperature": _bimodal(runs),
        **_of_sizes(sizes, draws, random),
        **_of_sweeps(by_sweep, draws, random),
    }
    used = {"mobile": mobile, "ions": size, "replicas": [len(one) for one in runs.members], "sweep": way}
    return schema.resolved(schema.dataset(out, reduced=reduced), **used)


def _largest_step(t: np.ndarray, h: np.ndarray, error: np.ndarray) -> float:
    """Largest part of a rise of H between neighbouring runs that is more than the lesser slope beside it, and two standard errors."""
    rise, gap, noise = np.diff(h), np.diff(t), np.hypot(error[1:], error[:-1])
    slope = rise / gap
    beside = np.minimum(np.append(slope[1:], slope[-2]), np.insert(slope[:-1], 0, slope[1]))
    return float(np.max(rise - beside * gap + 2 * noise))


def _bimodal(runs: Pooled) -> float:
    """Temperature of the run under a barostat whose enthalpy lies surest about two values; NaN where none does by two standard errors."""
    at, most = np.nan, 2.0
    names = ("enthalpy_by_window", "enthalpy_variance", "enthalpy_third_moment", "enthalpy_fourth_moment")
    for t, members in zip(runs.kelvin, runs.members, strict=True):
        for one in members:
            if is_held(one) or not all(name in one for name in names):
                continue
            rows = np.stack([one[name].values for name in names], axis=1)
            rows = rows[np.isfinite(rows).all(axis=1)]
            if len(rows) >= FEWEST_WINDOWS:
                value, error = bimodality(rows)
                sure = (value[0] - UNIFORM) / max(error[0], 1e-9)
                at, most = (float(t), sure) if sure > most else (at, most)
    return at


def _size(one: xr.Dataset) -> int | None:
    if "n_atoms" in one:
        return int(one.n_atoms)
    return int(one.n_ions.sum()) if "n_ions" in one else None


def _origin(one: xr.Dataset) -> str:
    steps = schema.history(one)
    return str(steps[0]) if steps else ""


def _mobile(occupied: Pooled | None, diffusing: Pooled | None) -> str | None:
    if occupied is not None:
        last = occupied.members[-1][0]
        return str(last.species.values[int(np.argmax((last.jump_count.sum(("window", "ion_block")) / last.n_ions).values))])
    if diffusing is not None:
        last = diffusing.members[-1][0]
        return str(last.species.values[int(np.argmax(np.nan_to_num(last.self_diffusivity.values)))])
    return None


def _of_defects(runs: Pooled, draws: int, random: np.random.Generator) -> dict[str, Located]:
    if len(runs.kelvin) < FEWEST:
        return {}
    kelvin = runs.kelvin
    share, error = runs.mean("empty_sites")
    variance, variance_error = runs.mean("empty_sites_variance", over=lambda one: 1 / float(one.n_sites))
    top = largest(kelvin, variance, variance_error, draws=draws, random=random)
    return {"defects": steepest(kelvin, share, error, draws=draws, random=random)[0], "defect fluctuation": top}


def _of_probability(verdicts: Pooled) -> Located:
    """The change point of a melted sublattice, below the first temperature that is a liquid: that says nothing of the sublattice.

    A run whose evidence counts nothing (too short, a ramp, a flow) is left out: its probabilities are those of all states alike. Of the others
    two questions of two answers each (does it translate, has it molten?) gave 1/4 before any evidence, as do two states of eight.
    """
    names = ["superionic", "superionic glass"]
    kelvin, probability = [], []
    for t, members in zip(verdicts.kelvin, verdicts.members, strict=True):
        members = [one for one in members if "resolved_share" not in one or np.any(one.resolved_share > 0)]
        if not members:
            continue
        if np.mean([float(one.system_probability.sel(system_state="liquid")) for one in members]) > 0.5:
            break
        kelvin += [t] * len(members)
        probability += [float(one.system_probability.sel(system_state=names).sum()) for one in members]
    return change_point(np.array(kelvin), np.array(probability), prior=len(names) / len(SYSTEM_STATES)) if kelvin else Located()


def _of_diffusion(runs: Pooled, draws: int, random: np.random.Generator) -> dict[str, Located]:
    """Of each temperature the mean of ln D of its replicas, those that gave but a bound among them; where all did, it is left out."""
    rows = []
    for t, members in zip(runs.kelvin, runs.members, strict=True):
        d = np.array([float(one.self_diffusivity) for one in members])
        error = np.array([float(one.self_diffusivity_stderr) for one in members])
        known = np.isfinite(d) & (d > 0)
        if not known.any():
            continue
        value, spread = np.log(d[known]), np.maximum(error[known] / d[known], FLOOR)
        upper = np.array([float(one.self_diffusivity_upper) if "self_diffusivity_upper" in one else np.nan for one in members])[~known]
        bound = np.log(upper[np.isfinite(upper) & (upper > 0)])
        rows.append((t, *(mean_with_bounds(value, spread, bound) if len(bound) else mean_of(value, spread))))
    if len(rows) < FEWEST - 1:
        return {}
    kelvin, log_d, error = (np.array(one) for one in zip(*rows, strict=True))
    beta = 1 / (BOLTZMANN * kelvin)
    # steepest wants an ascending axis: ln D falls with beta, which falls with T
    rise, _, _ = steepest(-beta, log_d, error, draws=draws, random=random)
    if np.isfinite(rise.value):
        value = -1 / (BOLTZMANN * rise.value)
        rise = Located(value, rise.stderr * BOLTZMANN * value**2, -1 / (BOLTZMANN * rise.lower), -1 / (BOLTZMANN * rise.upper))
    return {"activation energy": rise, "knee of D": knee(kelvin, log_d, error, draws=draws, random=random)}


def _of_sizes(sizes: dict[int, list[xr.Dataset]], draws: int, random: np.random.Generator) -> dict[str, Any]:
    """How the largest heat capacity per ion grows with the number of ions: slope of ln C against ln N, of two sizes or more that resolve it."""
    rows = []
    for n, data in sizes.items():
        runs = pooled(data)
        heat = enthalpy_of(runs) if len(runs.kelvin) >= FEWEST else None
        if heat is None or excess_models(runs.kelvin, *heat)["step"] >= SURE:
            continue
        gap = np.diff(runs.kelvin)
        noise = random.normal(size=(draws, len(runs.kelvin))) * heat[1]
        largest = (np.diff(heat[0] + noise, axis=1) / gap).max(axis=1)
        top = float((np.diff(heat[0]) / gap).max())
        if top > 0 and (largest > 0).all():
            rows.append((np.log(n), np.log(top), np.log(largest).std()))
    if len(rows) < 2:
        return {}
    x, y, error = (np.array(one) for one in zip(*rows, strict=True))
    weight = 1 / error**2
    centred = x - np.average(x, weights=weight)
    information = float(np.sum(weight * centred**2))
    return {"size_exponent": float(np.sum(weight * centred * y)) / information, "size_exponent_stderr": float(1 / np.sqrt(information))}


def _of_sweeps(by_sweep: dict[str, list[xr.Dataset]], draws: int, random: np.random.Generator) -> dict[str, Any]:
    """T_c of heating less that of cooling; each by the step of its H(T) where H jumps, else by its largest slope."""
    if not by_sweep:
        return {}
    at = []
    for name in SWEEPS:
        sizes = sizes_of(by_sweep[name])
        runs = pooled(next(iter(sizes.values()))) if sizes else None
        heat = enthalpy_of(runs) if runs is not None and len(runs.kelvin) >= FEWEST else None
        if runs is None or heat is None:
            at.append(Located())
        elif excess_models(runs.kelvin, *heat)["step"] >= SURE:
            at.append(two_branches(runs.kelvin, *heat)[0])
        else:
            at.append(steepest(runs.kelvin, *heat, draws=draws, random=random)[0])
    return {
        "sweep": list(SWEEPS),
        "critical_temperature_of_sweep": ("sweep", np.array([one.value for one in at])),
        "critical_temperature_of_sweep_stderr": ("sweep", np.array([one.stderr for one in at])),
        "hysteresis": at[0].value - at[1].value,
        "hysteresis_stderr": float(np.hypot(at[0].stderr, at[1].stderr)),
    }
