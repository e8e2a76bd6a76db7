"""At which temperature does a sublattice melt, and how? A series of runs, every route to T_c on its own."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.detection.states import SYSTEM_STATES
from mdtools.errors import NotEnoughData
from mdtools.statistics.transition import Located, excess_models, half_way, knee, steepest
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

__all__ = ["detect_transition"]

FEWEST = 6  # temperatures: a maximum with two on either side
ROUTES = ("heat capacity", "thermal expansion", "defects", "defect fluctuation", "probability", "activation energy", "knee of D")
TYPES = {"smooth": "III", "excess": "II", "step": "I"}
SURE = 0.8
FLOOR = 0.03  # relative error of D that is assumed at least
HELD_CELL = 3e-4  # relative error of the volume of a cell that was held fixed, at the mean of some 10 ps at constant pressure


@schema.recorded
def detect_transition(
    run_state: Sequence[xr.Dataset],
    detect_melting: Sequence[xr.Dataset] | None = None,
    site_occupation: Sequence[xr.Dataset] | None = None,
    self_diffusivity: Sequence[xr.Dataset] | None = None,
    *,
    species: str | None = None,
    seed: int = 0,
    draws: int = 1000,
) -> xr.Dataset:
    """T_c of a superionic transition by each route on its own, and its type, from runs at six temperatures or more.

    Routes: maximum of C_p = dH/dT (H = E + P V, one P for the series), of the linear expansion d ln V / 3 dT, of d x_V/dT of empty
    sites, of N var(x_V); probability of a melted sublattice 1/2; maximum of the apparent activation energy -d ln D / d(1/k_B T); knee,
    where two straight lines of ln D meet. They answer different questions and are never averaged: in fluorites the knee of D lies above
    the maximum of C_p. A maximum at an end of the series is none. An interval is never narrower than the temperatures on either side.

    Type, by BIC of H(T): I jumps, II has an excess of finite width, III is smooth; `undecided` below 0.8.
    species : the mobile one; by default the one that jumps, or diffuses, most.

    Returns `critical_temperature` (route) with _stderr, _lower, _upper (NaN: this route shows none), `transition_type`, `type_probability`
    (transition_model), `heat_capacity` (k_B per ion) and `thermal_expansion` (1/K) at `mean_temperature` between neighbouring runs, with
    _stderr, and `temperature_gap`, the resolution of T_c. Of runs at equal temperature the first is taken; `runs_unused` in the
    history says how many are not.
    Raises NotEnoughData for fewer temperatures than six. Source: reference/science.md C5, B9.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.run_state import run_state
    >>> gas = [synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=64, temperature=t) for t in range(500, 1100, 100)]
    >>> bool(detect_transition([run_state(one) for one in gas]).critical_temperature.isnull().all())
    True
    """
    runs = _ascending(run_state)
    kelvin = np.array([float(one.stated_temperature) for one in runs])
    if len(kelvin) < FEWEST:
        raise NotEnoughData(
            f"detect_transition needs runs at {FEWEST} stated temperatures or more, those on both sides of T_c among them; there are {len(kelvin)}"
        )
    random = np.random.default_rng(seed)
    found: dict[str, Located] = dict.fromkeys(ROUTES, Located())
    curves: dict[str, np.ndarray] = {name: np.full(len(kelvin) - 1, np.nan) for name in ("heat_capacity", "thermal_expansion")}
    curves |= {f"{name}_stderr": one.copy() for name, one in curves.items()}
    types = dict.fromkeys(TYPES, np.nan)
    n = np.array([float(one.n_atoms) for one in runs])
    reduced = runs[0].attrs.get("unit_system") == "lj"
    if all("total_energy" in one and np.isfinite(one.total_energy).sum() > 1 for one in runs):
        h, error = _enthalpy(runs, n)
        per = 1.0 if reduced else BOLTZMANN
        found["heat capacity"], slope, slope_error = steepest(kelvin, h, error, draws=draws, random=random)
        curves["heat_capacity"], curves["heat_capacity_stderr"] = slope / per, slope_error / per
        types = excess_models(kelvin, h, error)
    volume, error = _means(runs, "volume_by_window", n)
    if np.ptp(volume) > 1e-6 * volume.mean():
        held = np.array([float(np.ptp(one.volume_by_window.values)) < 1e-6 * float(one.volume) for one in runs])
        relative = np.where(held, HELD_CELL, error / volume) / 3
        found["thermal expansion"], slope, slope_error = steepest(kelvin, np.log(volume) / 3, relative, draws=draws, random=random)
        curves["thermal_expansion"], curves["thermal_expansion_stderr"] = slope, slope_error
    mobile = species or _mobile(site_occupation, self_diffusivity)
    if site_occupation is not None and mobile:
        found |= _of_defects(_ascending(site_occupation), mobile, draws, random)
    if detect_melting is not None:
        found["probability"] = _of_probability(_ascending(detect_melting), draws, random)
    if self_diffusivity is not None and mobile:
        found |= _of_diffusion(_ascending(self_diffusivity), mobile, draws, random)
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
        **{name: ("mean_temperature", values) for name, values in curves.items()},
        "temperature_gap": float(np.diff(kelvin).max()),
    }
    return schema.resolved(schema.dataset(out, reduced=reduced), mobile=mobile, runs_unused=len(run_state) - len(runs))


def _ascending(data: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """One Dataset of each stated temperature, ascending; of replicas the first."""
    by_kelvin: dict[float, xr.Dataset] = {}
    for one in data:
        kelvin = float(one.stated_temperature)
        if np.isfinite(kelvin):
            by_kelvin.setdefault(round(kelvin, 6), one)
    return [by_kelvin[kelvin] for kelvin in sorted(by_kelvin)]


def _kelvin(data: list[xr.Dataset]) -> np.ndarray:
    return np.array([float(one.stated_temperature) for one in data])


def _means(runs: list[xr.Dataset], name: str, over: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the parts of each run and its standard error, each over a number of its own."""
    values = [one[name].values[np.isfinite(one[name].values)] / by for one, by in zip(runs, over, strict=True)]
    return np.array([v.mean() for v in values]), np.array([max(v.std(ddof=1) / np.sqrt(len(v)), 1e-9 * abs(v.mean()) + 1e-12) for v in values])


def _enthalpy(runs: list[xr.Dataset], n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E + P V per ion with one pressure for all runs: that stated, else the mean. At a fixed cell P V of the moment would only add noise."""
    energy, error = _means(runs, "total_energy", n)
    stated = [float(one.stated_pressure) for one in runs if "stated_pressure" in one]
    measured = [float(np.nanmean(one.pressure)) for one in runs if "pressure" in one]
    pressure = np.mean(stated or measured or [0.0]) / (1.0 if runs[0].attrs.get("unit_system") == "lj" else EV_PER_ANGSTROM3_TO_GPA)
    return energy + pressure * np.array([float(one.volume) for one in runs]) / n, error


def _mobile(occupied: Sequence[xr.Dataset] | None, diffusing: Sequence[xr.Dataset] | None) -> str | None:
    if occupied:
        last = _ascending(occupied)[-1]
        return str(last.species.values[int(np.argmax((last.jump_count.sum(("window", "ion_block")) / last.n_ions).values))])
    if diffusing:
        last = _ascending(diffusing)[-1]
        return str(last.species.values[int(np.argmax(np.nan_to_num(last.self_diffusivity.values)))])
    return None


def _of_defects(occupied: list[xr.Dataset], mobile: str, draws: int, random: np.random.Generator) -> dict[str, Located]:
    one = [data.sel(species=mobile) for data in occupied if mobile in data.species.values]
    if len(one) < FEWEST:
        return {}
    kelvin = _kelvin(one)
    share, error = _means(one, "empty_sites", np.ones(len(one)))
    variance, variance_error = _means(one, "empty_sites_variance", 1 / np.array([float(data.n_sites) for data in one]))
    peak = int(np.argmax(variance))
    top = Located()
    if 0 < peak < len(kelvin) - 1:
        drawn = np.argmax(variance + variance_error * random.normal(size=(draws, len(kelvin))), axis=1)
        if np.mean((drawn > 0) & (drawn < len(kelvin) - 1)) >= SURE:
            lower, upper = np.quantile(kelvin[drawn], [0.025, 0.975])
            ends = kelvin[peak - 1], kelvin[peak + 1]
            top = Located(float(kelvin[peak]), float(kelvin[drawn].std() + np.ptp(ends) / 4), float(min(lower, ends[0])), float(max(upper, ends[1])))
    return {"defects": steepest(kelvin, share, error, draws=draws, random=random)[0], "defect fluctuation": top}


def _of_probability(verdicts: list[xr.Dataset], draws: int, random: np.random.Generator) -> Located:
    """Where a melted sublattice becomes likelier than none; probabilities made monotone by pooling neighbours.

    Below the first run that is a liquid: where all has melted it says nothing of the sublattice.
    """
    liquid = [float(one.system_probability.sel(system_state="liquid")) > 0.5 for one in verdicts]
    verdicts = verdicts[: liquid.index(True)] if any(liquid) else verdicts
    names = [name for name in ("superionic", "superionic glass") if name in SYSTEM_STATES]
    p = np.array([float(one.system_probability.sel(system_state=names).sum()) for one in verdicts])
    pools = [[value] for value in p]
    while any(np.mean(a) > np.mean(b) for a, b in itertools.pairwise(pools)):
        k = next(k for k in range(len(pools) - 1) if np.mean(pools[k]) > np.mean(pools[k + 1]))
        pools[k : k + 2] = [pools[k] + pools[k + 1]]
    rising = np.concatenate([np.full(len(one), np.mean(one)) for one in pools])
    return half_way(_kelvin(verdicts), rising, 0.5 * rising * (1 - rising), 0.5, draws=draws, random=random) if len(p) >= 2 else Located()


def _of_diffusion(diffusing: list[xr.Dataset], mobile: str, draws: int, random: np.random.Generator) -> dict[str, Located]:
    one = [data.sel(species=mobile) for data in diffusing if mobile in data.species.values]
    one = [data for data in one if np.isfinite(data.self_diffusivity) and data.self_diffusivity > 0]
    if len(one) < FEWEST - 1:
        return {}
    kelvin = _kelvin(one)
    d = np.array([float(data.self_diffusivity) for data in one])
    error = np.maximum(np.array([float(data.self_diffusivity_stderr) for data in one]) / d, FLOOR)
    beta = 1 / (BOLTZMANN * kelvin)
    # steepest wants an ascending axis: ln D falls with beta, which falls with T
    rise, _, _ = steepest(-beta, np.log(d), error, draws=draws, random=random)
    if np.isfinite(rise.value):
        value = -1 / (BOLTZMANN * rise.value)
        rise = Located(value, rise.stderr * BOLTZMANN * value**2, -1 / (BOLTZMANN * rise.lower), -1 / (BOLTZMANN * rise.upper))
    return {"activation energy": rise, "knee of D": knee(kelvin, np.log(d), error, draws=draws, random=random)}
