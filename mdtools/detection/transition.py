"""At which temperature does a sublattice melt, and how? A series of runs, every route to T_c on its own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.detection.one_pressure import bulk_modulus_of, enthalpy_of
from mdtools.detection.pooled import Pooled, pooled, sizes_of, sweeps_of
from mdtools.detection.routes import (
    FEWEST,
    SURE,
    bimodal_temperature,
    of_defects,
    of_diffusion,
    of_enthalpy,
    of_expansion,
    of_fluctuation,
    of_probability,
)
from mdtools.errors import NotEnoughData
from mdtools.statistics.transition import Located, excess_models, steepest, two_branches
from mdtools.units import BOLTZMANN

__all__ = ["detect_transition"]

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
    near a transition of type I (NaN: none has); `temperature_gap`, the resolution of T_c; `reason`, which names the runs that are too short for the
    error of their mean energy or volume.
    Raises NotEnoughData for fewer temperatures than six; ValueError for sweeps that are not those of the runs.
    Source: reference/science.md C5, B9.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.run_state import run_state
    >>> gas = [synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=64, temperature=t) for t in range(500, 1100, 100)]
    >>> bool(detect_transition([run_state(one) for one in gas]).critical_temperature.isnull().all())
    True
    """
    random = np.random.default_rng(seed)
    taken = _taken(run_state, sweeps)
    runs = taken.runs
    occupied, diffusing, verdicts = taken.of(site_occupation), taken.of(self_diffusivity), taken.of(detect_melting)
    bulk = bulk_modulus_of(runs.kelvin, bulk_modulus, taken.of(shear_modulus))
    heat = of_enthalpy(runs, draws, random)
    found = heat.routes | of_fluctuation(runs, draws, random)
    expansion_route, expansion = of_expansion(runs, bulk, draws, random)
    found |= expansion_route
    mobile = species or _mobile(occupied, diffusing)
    if occupied is not None and mobile:
        found |= of_defects(occupied.having(mobile), draws, random)
    if verdicts is not None:
        found["probability"] = of_probability(verdicts)
    if diffusing is not None and mobile:
        found |= of_diffusion(diffusing.having(mobile), draws, random)
    located = [found.get(name, Located()) for name in ROUTES]
    likeliest = max(heat.types, key=lambda name: np.nan_to_num(heat.types[name]))
    reduced = runs.first.attrs.get("unit_system") == "lj"
    per = 1.0 if reduced else BOLTZMANN
    out: dict[str, Any] = {
        "route": list(ROUTES),
        **{
            f"critical_temperature{word}": ("route", np.array([getattr(one, key) for one in located]))
            for word, key in {"": "value", "_stderr": "stderr", "_lower": "lower", "_upper": "upper"}.items()
        },
        "transition_model": list(TYPES),
        "type_probability": ("transition_model", np.array([heat.types[name] for name in TYPES])),
        "transition_type": TYPES[likeliest] if np.nan_to_num(heat.types[likeliest]) >= SURE else "undecided",
        "mean_temperature": (runs.kelvin[1:] + runs.kelvin[:-1]) / 2,
        "heat_capacity": ("mean_temperature", heat.slope[0] / per),
        "heat_capacity_stderr": ("mean_temperature", heat.slope[1] / per),
        "thermal_expansion": ("mean_temperature", expansion[0]),
        "thermal_expansion_stderr": ("mean_temperature", expansion[1]),
        "temperature_gap": float(np.diff(runs.kelvin).max()),
        "latent_heat": heat.latent[0],
        "latent_heat_stderr": heat.latent[1],
        "latent_heat_bound": heat.bound,
        "bimodal_temperature": bimodal_temperature(runs),
        "reason": _too_short(runs),
        **_of_sizes(taken.sizes, draws, random),
        **_of_sweeps(taken.by_sweep, draws, random),
    }
    used = {"mobile": mobile, "ions": taken.size, "replicas": [len(one) for one in runs.members], "sweep": taken.way}
    return schema.resolved(schema.dataset(out, reduced=reduced), **used)


def _too_short(runs: Pooled) -> str:
    """Runs whose energy or volume drifts or relaxes over a fifth of them or longer: by how much their mean is off they do not show."""
    every = [one for members in runs.members for one in members]
    told, unit = [], "" if runs.first.attrs.get("unit_system") == "lj" else " K"
    for word, name in {"energy": "total_energy", "volume": "volume_by_window"}.items():
        if all(name in one and np.isfinite(one[name]).sum() > 1 for one in every) and (short := runs.unsettled(name)):
            told.append(f"mean {word} ({', '.join(f'{t:g}' for t in short)}{unit})")
    return f"too short for the error of their {' and '.join(told)}: make these runs longer, or read them from where they have settled" if told else ""


class _Taken(NamedTuple):
    """The runs that the routes are made of, by temperature; their number of ions (None: several) and their sweep (None: none was told).

    sizes : all that were given, of this sweep, by number of ions. by_sweep : all that were given.
    """

    runs: Pooled
    size: int | None
    way: str | None
    sizes: dict[int, list[xr.Dataset]]
    by_sweep: dict[str, list[xr.Dataset]]

    def of(self, data: Sequence[xr.Dataset] | None) -> Pooled | None:
        """Those of other results that are of these runs."""
        origins = None if self.way is None else {_origin(one) for one in self.by_sweep[self.way]}
        chosen = [
            one for one in data or () if (self.size is None or _size(one) in (self.size, None)) and (origins is None or _origin(one) in origins)
        ]
        return pooled(chosen) if chosen else None


def _taken(run_state: Sequence[xr.Dataset], sweeps: Sequence[str] | None) -> _Taken:
    """Those of heating where sweeps are told and there are enough, and of the size with most temperatures. Raises NotEnoughData."""
    by_sweep = sweeps_of(run_state, sweeps, SWEEPS)
    way = "heating" if sweeps is not None and len(by_sweep["heating"]) >= FEWEST else "cooling" if sweeps is not None else None
    sizes = sizes_of(run_state if way is None else by_sweep[way])
    size = next(iter(sizes), None)
    if size is not None and len(pooled(sizes[size]).kelvin) < FEWEST:
        size = None  # too few of any one: all together, each per ion
    runs = pooled([one for data in sizes.values() for one in data] if size is None else sizes[size])
    if len(runs.kelvin) < FEWEST:
        raise NotEnoughData(
            f"detect_transition needs runs at {FEWEST} stated temperatures or more, those on both sides of T_c among them; there are "
            f"{len(runs.kelvin)}: add runs at others"
        )
    return _Taken(runs, size, way, sizes, by_sweep)


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
