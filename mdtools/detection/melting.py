"""Has a sublattice melted? The decision at one temperature, with its evidence."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.detection.gates import Gates, gates_of
from mdtools.detection.judged import Judged, judge_all
from mdtools.detection.lines import FOUR, lines_of, spoken_for
from mdtools.detection.motion import axes_in_words, moving_axes, time_needed
from mdtools.detection.states import LINES, PER_FACTOR_3, STATES, SYSTEM_STATES, VERSION, logistic, system_probabilities

__all__ = ["detect_melting"]

SURE = 0.9  # probability from which a state is a verdict
PARTLY, TOGETHER, SITTING = 0.1, 6.0, 0.9  # coexistence: least share that moved or stayed, Moran's I, share of ions in cores
TWO = 3.0  # MSD / d^2 over -ln of the share that never moved, from which ions are of two kinds: 1 of hops at random, less of hops back and forth


@schema.recorded
def detect_melting(
    melting_indicators: xr.Dataset,
    site_occupation: xr.Dataset | None = None,
    shear_modulus: xr.Dataset | None = None,
    run_state: xr.Dataset | None = None,
    vibrational_moments: xr.Dataset | None = None,
    *,
    seed: int = 0,
    draws: int = 400,
) -> xr.Dataset:
    """What each sublattice does and what the system is, with probabilities and every reason.

    A species is localised, confined (bounded, but wider than a vibration: rotors, hops between a few sites), hopping (as by
    defects) or molten; the system a crystal, defect conductor, superionic, plastic crystal (rotors), glass, superionic glass, liquid, or
    coexistence in one box of what is melted and what is not (a slab, a surface, a grain boundary); `undecided` below a probability of
    0.9. What is given beside the indicators adds its lines of evidence: sites (excess defects, core fraction, jumps), the shear modulus of
    the framework, the gates on the state of the run, and of velocities the fluidity by the density of states. Windows of time and blocks of
    ions are drawn `draws` times; in each draw the evidence is turned into log-odds (the table in
    detection/states.py says how, and where the boundaries come from), and probabilities are means over draws. Frameworks: as declared,
    else the species that moves least. A mobile sublattice keeps Bragg amplitude in a superionic crystal: the amplitude is asked of
    the framework only.

    Returns `verdict` and `reason` (species), `probability` (species, state), `system_verdict`, `system_reason`,
    `system_probability` (system_state); `evidence` with `_stderr`, `says` and `evidence_log_odds` for the likeliest state (species,
    indicator), NaN and "no data", "not asked" or "no objection" where a line has no say, `threshold` (indicator), and `resolved_share`
    (species): evidence is weighed down where half the run is shorter than 20 periods of vibration, and where the run has not settled or
    its species have unequal temperatures (`gate_says`, `gate_reason`; a `suggested_begin` is offered, not taken). `line_says` (line): whether
    structure, mechanics, dynamics and thermodynamics are for or against the verdict of the system; (species) `diffusivity_bound`:
    what D may be at most, `moving_axes`: along how many axes ions went from site to site, `time_needed`: how long a run must be to hold
    20 periods of vibration and 3 residence times in its half (NaN: no jump was seen that would tell).
    Never raises for weak data (ValueError for draws < 2). Source: reference/science.md C3, C4.

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
    gates = gates_of(data, run_state, site_occupation)
    random = np.random.default_rng(seed)
    judged = judge_all(data, site_occupation, shear_modulus, vibrational_moments, worth=gates.worth, draws=draws, random=random)
    framework = _framework(data, judged)
    ordered, wave = (np.stack([j.order[k] for j in judged], axis=1) for k in (0, 1))
    rotates = np.stack([j.rotates for j in judged], axis=1)
    drawn = np.stack([j.probability for j in judged], axis=1)
    probability = drawn[1:].mean(axis=0)
    coexists = max(_coexists(data.isel(species=k), judged[k], bool(framework[k])) for k in range(len(names)))
    each = system_probabilities(drawn, ordered, wave, framework, rotates, coexists)[1:]
    system = each.mean(axis=0)
    axes = [moving_axes(data.isel(species=k)) for k in range(len(names))]
    channels = "".join(axes_in_words(name, data.isel(species=k), n) for k, (name, n) in enumerate(zip(names, axes, strict=True)) if not framework[k])
    verdicts = [_word(STATES, p) for p in probability]
    lines = lines_of(SYSTEM_STATES[int(np.argmax(system))], judged, framework, shear_modulus)
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
        "system_probability_stderr": ("system_state", each.std(axis=0, ddof=1)),
        "resolved_share": ("species", [j.share for j in judged]),
        "reason": ("species", [_reason(j) + _longer(j, verdict, float(data.lag[-1])) for j, verdict in zip(judged, verdicts, strict=True)]),
        "system_reason": _system_reason(names, verdicts, framework, ordered[0], wave[0], data) + channels + _gated(gates),
        "diffusivity_bound": ("species", [j.bound for j in judged]),
        "moving_axes": ("species", axes),
        "time_needed": ("species", [time_needed(j, float(data.lag[-1])) for j in judged]),
        "gate": list(gates.words),
        "gate_says": ("gate", list(gates.words.values())),
        "gate_reason": ("gate", [gates.reasons.get(name, "") for name in gates.words]),
        "suggested_begin": gates.begin,
        "line": list(FOUR),
        "line_says": ("line", [lines[name].says for name in FOUR]),
        "line_log_odds": ("line", [lines[name].odds for name in FOUR]),
        "lines_available": sum(np.isfinite(lines[name].odds) for name in FOUR),
        **_evidence(judged, probability),
    }
    taken = [name for name, is_framework in zip(names, framework, strict=True) if is_framework]
    return schema.resolved(schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj"), framework=taken, calibration=VERSION)


def _coexists(data: xr.Dataset, judged: Judged, framework: bool) -> float:
    """Probability that a species has melted in one place only (a slab, a surface, a grain boundary): some of its ions moved, and those sit together.

    And, of the framework, they keep no sites; of the others, they went farther than those that stayed would let them if all were alike.
    """
    if "moved_share" not in data or not np.isfinite(data.moved_together):
        return 0.0
    together = 0.5 * (float(data.moved_together) - TOGETHER)
    never = float(judged.evidence["never_moved"][0])
    apart = PER_FACTOR_3 * np.log(max(float(judged.evidence["growth"][0]), 1e-9) / max(-np.log(max(never, 1e-9)), 1e-9) / TWO)
    alike = [_both(never), together, apart]
    core = float(judged.evidence["core_fraction"][0])
    if framework and np.isfinite(core):
        without = PER_FACTOR_3 * np.log(max(1 - core, 1e-9) / (1 - SITTING))
        return max(_all(alike), _all([_both(float(data.moved_share)), together, without]))
    return _all(alike)


def _both(share: float) -> float:
    return float(PER_FACTOR_3 * np.log(max(min(share, 1 - share), 1e-9) / PARTLY))


def _all(odds: list[float]) -> float:
    return float(np.prod(logistic(np.clip(odds, -6, 6))))


def _gated(gates: Gates) -> str:
    text = "".join(f"; {reason}" for reason in gates.reasons.values())
    return text + (f" (it has settled from {gates.begin:.4g} ps on: read with begin=, --begin)" if np.isfinite(gates.begin) else "")


def _evidence(judged: list[Judged], probability: np.ndarray) -> dict[str, Any]:
    """The table of evidence: value, error, boundary and word of each line."""
    values = np.stack([[j.evidence[name] for name in LINES] for j in judged])  # (species, indicator, draw)
    return {
        "indicator": list(LINES),
        "evidence": (("species", "indicator"), values[:, :, 0]),
        "evidence_stderr": (("species", "indicator"), values[:, :, 1:].std(axis=2, ddof=1)),
        "threshold": ("indicator", [line.boundary for line in LINES.values()]),
        "evidence_log_odds": (
            ("species", "indicator"),
            [spoken_for(j, STATES[int(np.argmax(p))]) for j, p in zip(judged, probability, strict=True)],
        ),
        "says": (("species", "indicator"), [_says(j, p) for j, p in zip(judged, probability, strict=True)]),
    }


def _framework(data: xr.Dataset, judged: list[Judged]) -> np.ndarray:
    """Which species are the framework: those declared, else the one that is most surely not moving."""
    declared = data.framework.values.astype(bool)
    if declared.any():
        return declared
    still = [j.probability[0, :2].sum() for j in judged]
    return np.arange(len(still)) == int(np.argmax(still))


def _word(states: tuple[str, ...], probability: np.ndarray) -> str:
    at = int(np.argmax(probability))
    return states[at] if probability[at] >= SURE else "undecided"


def _says(judged: Judged, probability: np.ndarray) -> list[str]:
    """The word of each line; a line that asks how an ion moves says nothing of one that does not."""
    words = []
    moves = probability[STATES.index("hopping")] + probability[STATES.index("molten")] >= 0.5
    for name, line in LINES.items():
        x = judged.odds[name][0]
        if not np.isfinite(judged.evidence[name][0]):
            words.append("no data")
        elif line.question == "molten" and not moves:
            words.append("not asked")
        elif x == 0:  # of the lines that may only say no
            words.append("no objection")
        else:
            words.append(line.yes if x > 1 else line.no if x < -1 else "unclear")
    return words


def _reason(judged: Judged) -> str:
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


def _longer(judged: Judged, verdict: str, half_run: float) -> str:
    needed = time_needed(judged, half_run)
    return f"; a run of {needed:.3g} ps would tell" if verdict == "undecided" and needed > 2 * half_run else ""


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
