"""Has a sublattice melted? The decision at one temperature, with its evidence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.detection.indicators import HELD, Cage, bragg_amplitudes, cage_of, indicators
from mdtools.detection.states import (
    LINES,
    STATES,
    SYSTEM_STATES,
    log_odds,
    logistic,
    order_log_odds,
    species_probabilities,
    system_probabilities,
)
from mdtools.statistics.bootstrap import resampled, two_way_means
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["detect_melting"]

SURE = 0.8  # probability from which a state is a verdict
NEEDED, HOPELESS = 20.0, 5.0  # periods of vibration in half a run: enough, and too few to see a sublattice melt at CaF2's T_c


@schema.recorded
def detect_melting(melting_indicators: xr.Dataset, *, seed: int = 0, draws: int = 400) -> xr.Dataset:
    """What each sublattice does and what the system is, with probabilities and every reason.

    A species is localised, confined (bounded, but wider than a vibration: rotors, hops between a few sites), hopping (as by
    defects) or molten; the system a crystal, defect conductor, superionic, glass, superionic glass or liquid; `undecided`
    below a probability of 0.8. Windows of time and blocks of ions are drawn `draws` times; in each draw the evidence is turned into
    log-odds (the table in detection/states.py says how, and where the boundaries come from), and probabilities are means
    over draws. Frameworks: as declared, else the species that moves least. A mobile sublattice keeps Bragg
    amplitude in a superionic crystal: the amplitude is asked of the framework only.

    Returns `verdict` and `reason` (species), `probability` (species, state), `system_verdict`, `system_reason`,
    `system_probability` (system_state); `evidence` with `_stderr` and `says` (species, indicator), NaN and "no data" where a line
    does not apply, `threshold` (indicator), and `resolved_share` (species): evidence is weighed down where half the run is shorter than
    20 periods of vibration. Never raises for weak data (ValueError for draws < 2). Source: reference/science.md C3, C4.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.melting import melting_indicators
    >>> crystal = synthetic.harmonic_crystal(cells=4, n_frames=800, temperature=300)
    >>> detect_melting(melting_indicators(crystal)).system_verdict.item()
    'crystal'
    """
    if draws < 2:
        raise ValueError("draws must be at least 2")
    data = melting_indicators
    names = [str(name) for name in data.species.values]
    judged = _judge_all(data, draws, np.random.default_rng(seed))
    framework = _framework(data, judged)
    ordered, wave = (np.stack([j.order[k] for j in judged], axis=1) for k in (0, 1))
    drawn = np.stack([j.probability for j in judged], axis=1)
    probability = drawn[1:].mean(axis=0)
    system = system_probabilities(drawn, ordered, wave, framework)[1:].mean(axis=0)
    verdicts = [_word(STATES, p) for p in probability]
    out: dict[str, Any] = {
        "species": data.species.values,
        "state": list(STATES),
        "system_state": list(SYSTEM_STATES),
        "n_ions": ("species", data.n_ions.values),
        "framework": ("species", framework.astype(int)),
        "stated_temperature": float(data.stated_temperature),
        "verdict": ("species", verdicts),
        "probability": (("species", "state"), probability),
        "system_verdict": _word(SYSTEM_STATES, system),
        "system_probability": ("system_state", system),
        "resolved_share": ("species", [j.share for j in judged]),
        "reason": ("species", [_reason(j) for j in judged]),
        "system_reason": _system_reason(names, verdicts, framework, ordered[0], wave[0], data),
        **_evidence(judged, probability),
    }
    taken = [name for name, is_framework in zip(names, framework, strict=True) if is_framework]
    return schema.resolved(schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj"), framework=taken)


@dataclass(frozen=True)
class _Judged:
    """One species: indicators and log-odds by line (draw,), probabilities (draw, state), of order and of a static wave (draw,).

    share : how much its evidence counts. alone : too few windows and blocks to draw from.
    """

    cage: Cage
    share: float
    alone: bool
    evidence: dict[str, np.ndarray]
    odds: dict[str, np.ndarray]
    probability: np.ndarray
    order: tuple[np.ndarray, np.ndarray]


def _judge_all(data: xr.Dataset, draws: int, random: np.random.Generator) -> list[_Judged]:
    """Every species, from the same draws of windows and blocks; the first draw is the data themselves."""
    n_windows, n_blocks = data.sizes["window"], data.sizes["ion_block"]
    windows = np.concatenate([np.full((1, n_windows), 1 / n_windows), resampled(n_windows, draws, random)])
    blocks = np.concatenate([np.full((1, n_blocks), 1 / n_blocks), resampled(n_blocks, draws, random)])
    parts = data.density_amplitude.transpose("block", "species", "reflection", "part").values
    bragg = bragg_amplitudes(parts[..., 0] + 1j * parts[..., 1], draws, random)
    return [_judge(data.isel(species=k), (windows, blocks), bragg[:, k]) for k in range(data.sizes["species"])]


def _judge(data: xr.Dataset, weights: tuple[np.ndarray, np.ndarray], bragg: np.ndarray) -> _Judged:
    msd = data.msd.transpose("window", "ion_block", "lag").values
    fourth = (data.non_gaussian_parameter.transpose("window", "ion_block", "lag").values + 1) * msd**2 / 0.6
    overlap = data.self_overlap.transpose("window", "ion_block", "lag").values
    never = data.never_moved.transpose("window", "ion_block").values
    square, quartic, overlaps, stayed = (two_way_means(x, (0, 1), weights) for x in (msd, fourth, overlap, never))
    lag, d = data.lag.values, float(data.neighbour_distance)
    cage = cage_of(lag, square[0], speed_squared=_speed_squared(data))
    evidence = indicators(lag, square, quartic, overlaps, stayed, d=d, cage=cage) | {"bragg_amplitude": bragg}
    odds = log_odds(evidence, bound=cage.bound, followed=cage.followed)
    odds["bragg_amplitude"], wave = order_log_odds(bragg, int(data.n_ions))
    alone = msd.shape[0] * msd.shape[1] < 4
    share = 0.0 if alone else _resolved_share(float(lag[-1]), cage, evidence)
    order = (logistic(odds["bragg_amplitude"]), logistic(wave))
    return _Judged(cage, share, alone, evidence, odds, species_probabilities(odds, share=share), order)


def _evidence(judged: list[_Judged], probability: np.ndarray) -> dict[str, Any]:
    """The table of evidence: value, error, boundary and word of each line."""
    values = np.stack([[j.evidence[name] for name in LINES] for j in judged])  # (species, indicator, draw)
    return {
        "indicator": list(LINES),
        "evidence": (("species", "indicator"), values[:, :, 0]),
        "evidence_stderr": (("species", "indicator"), values[:, :, 1:].std(axis=2, ddof=1)),
        "threshold": ("indicator", [line.boundary for line in LINES.values()]),
        "says": (("species", "indicator"), [_says(j, p) for j, p in zip(judged, probability, strict=True)]),
    }


def _speed_squared(data: xr.Dataset) -> float:
    """3 k_B T / m in angstrom^2/ps^2 (or reduced), NaN where temperature or mass is not known."""
    if "mass" not in data or not np.isfinite(data.stated_temperature):
        return np.nan
    factor = 1.0 if data.attrs.get("unit_system") == "lj" else BOLTZMANN / KINETIC_TO_EV
    return float(3 * factor * data.stated_temperature / data.mass)


def _resolved_share(half_run: float, cage: Cage, evidence: dict[str, np.ndarray]) -> float:
    """How much the evidence of a species counts: half the run against its period, or against its way if it shows no cage."""
    if evidence["displacement"][0] < HELD:
        return 1.0
    if not cage.seen:
        return float(np.clip(evidence["displacement"][0], 0.0, 1.0)) if evidence["log_slope"][0] < 1.3 else 0.0
    periods = half_run / cage.period
    return float(np.clip((periods - HOPELESS) / (NEEDED - HOPELESS), 0.0, 1.0))


def _framework(data: xr.Dataset, judged: list[_Judged]) -> np.ndarray:
    """Which species are the framework: those declared, else the one that is most surely not moving."""
    declared = data.framework.values.astype(bool)
    if declared.any():
        return declared
    still = [j.probability[0, :2].sum() for j in judged]
    return np.arange(len(still)) == int(np.argmax(still))


def _word(states: tuple[str, ...], probability: np.ndarray) -> str:
    at = int(np.argmax(probability))
    return states[at] if probability[at] >= SURE else "undecided"


def _says(judged: _Judged, probability: np.ndarray) -> list[str]:
    """The word of each line; a line that asks how an ion moves says nothing of one that does not."""
    words = []
    moves = probability[STATES.index("hopping")] + probability[STATES.index("molten")] >= 0.5
    for name, line in LINES.items():
        x = judged.odds[name][0]
        if not np.isfinite(judged.evidence[name][0]) or (line.question == "molten" and (not moves or x == 0)):
            words.append("no data")
        else:
            words.append(line.yes if x > 1 else line.no if x < -1 else "unclear")
    return words


def _reason(judged: _Judged) -> str:
    """What weighs most for motion and for rest, and what holds the evidence back."""
    cage, share = judged.cage, judged.share
    lines = {name: float(x[0]) for name, x in judged.odds.items() if LINES[name].question == "translates"}
    moving = ", ".join(name for name, x in lines.items() if x > 1) or "nothing"
    resting = ", ".join(name for name, x in lines.items() if x < -1) or "nothing"
    text = f"mobile: {moving}; localised: {resting}"
    if judged.alone:
        return text + "; too few windows and blocks of ions to draw an error from: measure with windows=4, ion_blocks=8"
    if share < 1 and cage.seen:
        text += f"; half the run holds too few periods of vibration ({cage.period:.3g} ps each" + (", at most)" if cage.bound else ")")
    elif share < 1:
        text += "; no vibration about a site is seen, and the ions have not gone as far as their neighbours"
    if cage.seen and cage.bound:
        text += "; the frames do not resolve the vibration: state the temperature, or store frames more often"
    return text


def _system_reason(names: list[str], verdicts: list[str], framework: np.ndarray, ordered: np.ndarray, wave: np.ndarray, data: xr.Dataset) -> str:
    text = ", ".join(
        f"{name} {verdict}" + ((" (framework, " + ("ordered" if o > 0.5 else "no Bragg order") + ")") if f else "")
        for name, verdict, f, o in zip(names, verdicts, framework, ordered, strict=True)
    )
    if not data.framework.values.any():
        text += "; no framework was declared"
    if len(names) == 1 and verdicts[0] in ("molten", "hopping") and wave[0] > 0.5:
        text += f"; {names[0]} moves and keeps a static density wave: the framework that imposes it may be missing from the file"
    return text
