"""Routes to the temperature of a transition, each on its own, from the runs of a series by temperature."""

from typing import NamedTuple

import numpy as np

from mdtools.detection.one_pressure import enthalpy_fluctuation_of, enthalpy_of, is_held, log_length_of
from mdtools.detection.pooled import Pooled, mean_of
from mdtools.detection.states import SYSTEM_STATES
from mdtools.statistics.bimodal import UNIFORM, bimodality
from mdtools.statistics.replicas import mean_with_bounds
from mdtools.statistics.transition import Located, change_point, excess_models, knee, largest, steepest, two_branches
from mdtools.units import BOLTZMANN

__all__ = ["FEWEST", "SURE", "bimodal_temperature", "of_defects", "of_diffusion", "of_enthalpy", "of_expansion", "of_fluctuation", "of_probability"]

FEWEST = 6  # temperatures: a maximum with two on either side
SURE = 0.8
FLOOR = 0.03  # relative error of D that is assumed at least
FEWEST_WINDOWS = 8  # of a run, whose distribution of the enthalpy is looked at


class OfEnthalpy(NamedTuple):
    """What H(T) shows: routes, probability of each model, dH/dT between neighbours and latent heat with their errors, largest sudden step."""

    routes: dict[str, Located]
    types: dict[str, float]
    slope: tuple[np.ndarray, np.ndarray]
    latent: tuple[float, float]
    bound: float


def of_enthalpy(runs: Pooled, draws: int, random: np.random.Generator) -> OfEnthalpy:
    """Largest dH/dT; the step between two branches, of a type I alone. NaN where a run has no log."""
    heat = enthalpy_of(runs)
    if heat is None:
        nothing = np.full(len(runs.kelvin) - 1, np.nan)
        return OfEnthalpy({}, dict.fromkeys(("smooth", "excess", "step"), np.nan), (nothing, nothing), (np.nan, np.nan), np.nan)
    top, slope, slope_error = steepest(runs.kelvin, *heat, draws=draws, random=random)
    found, types, latent = {"heat capacity": top}, excess_models(runs.kelvin, *heat), (np.nan, np.nan)
    if types["step"] >= SURE:
        found["two branches"], step, step_error = two_branches(runs.kelvin, *heat)
        latent = (step, step_error)
    return OfEnthalpy(found, types, (slope, slope_error), latent, _largest_step(runs.kelvin, *heat))


def of_fluctuation(runs: Pooled, draws: int, random: np.random.Generator) -> dict[str, Located]:
    fluctuation = enthalpy_fluctuation_of(runs)
    return {} if fluctuation is None else {"enthalpy fluctuation": largest(runs.kelvin, *fluctuation, draws=draws, random=random)}


def of_expansion(
    runs: Pooled, bulk: tuple[np.ndarray, np.ndarray], draws: int, random: np.random.Generator
) -> tuple[dict[str, Located], tuple[np.ndarray, np.ndarray]]:
    """The route, and d ln V / 3 dT between neighbours with its error; NaN where all cells have one volume."""
    length = log_length_of(runs, bulk)
    if length is None:
        nothing = np.full(len(runs.kelvin) - 1, np.nan)
        return {}, (nothing, nothing)
    top, slope, slope_error = steepest(runs.kelvin, *length, draws=draws, random=random)
    return {"thermal expansion": top}, (slope, slope_error)


def _largest_step(t: np.ndarray, h: np.ndarray, error: np.ndarray) -> float:
    """Largest part of a rise of H between neighbouring runs that is more than the lesser slope beside it, and two standard errors."""
    rise, gap, noise = np.diff(h), np.diff(t), np.hypot(error[1:], error[:-1])
    slope = rise / gap
    beside = np.minimum(np.append(slope[1:], slope[-2]), np.insert(slope[:-1], 0, slope[1]))
    return float(np.max(rise - beside * gap + 2 * noise))


def bimodal_temperature(runs: Pooled) -> float:
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


def of_defects(runs: Pooled, draws: int, random: np.random.Generator) -> dict[str, Located]:
    if len(runs.kelvin) < FEWEST:
        return {}
    kelvin = runs.kelvin
    share, error = runs.mean("empty_sites")
    variance, variance_error = runs.mean("empty_sites_variance", over=lambda one: 1 / float(one.n_sites))
    top = largest(kelvin, variance, variance_error, draws=draws, random=random)
    return {"defects": steepest(kelvin, share, error, draws=draws, random=random)[0], "defect fluctuation": top}


def of_probability(verdicts: Pooled) -> Located:
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


def of_diffusion(runs: Pooled, draws: int, random: np.random.Generator) -> dict[str, Located]:
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
