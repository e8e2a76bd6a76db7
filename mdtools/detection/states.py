"""From indicators to log-odds, and from log-odds to probabilities: what a sublattice does, and what the system is.

A line of evidence adds scale * (x - boundary), or scale * ln(x / boundary), to its question, kept within -3 ... 3. The sum
over the lines of a question counts its `WEIGHT`, because the lines look at one motion and are not independent: so one line alone
never reaches the probability 0.9 that a verdict takes. Boundaries, scales and weights are in calibration.json, whose version is in the
history of every verdict; weights are fitted by scripts/calibrate.py. Boundaries come from the calibration runs of science.md C0, C3
(CaF2 1000-2200 K, its melt, CaF2 with Schottky vacancies) and from the walkers of `mdtools.synthetic`:

question     line                   boundary  why there
translates?  displacement           0.15      C3; crystals to the melting point stay below 0.08 (framework) and 0.07 (F, 1200 K)
             log_slope              0.40      0.0-0.2 in crystals with a few Frenkel pairs, 0.64-0.86 with vacancies
             growth                 0.03      1000-1300 K <= 0.015; 1400 K 0.08-0.3; vacancies 0.2-0.3 (10 ps)
             linear_evidence        0         gain of AIC by a line over a plateau (may only say no: a long run sees the least slope)
             overlap_ratio          0.94      crystals 0.975-1.01; vacancies 0.7-0.9
             never_moved            0.97      C3: 0.98; 1200 K 0.985; 1400 K 0.6-0.9
             rigidity               5         shear modulus over n k_B T: CaF2 90 to 30, melt 1 (may only say no)
molten?      hops_per_vibration     0.0094    between vacancies at 1300 K (0.0055) and superionic 1500 K (0.016)
             decays_per_vibration   0.011     residence time 17 ps at the C_p peak of 1450 K, period 0.19 ps
             subdiffusion           0.75      log_slope again, which may only say no: caged motion that has not become diffusive in the run
             plateau_slope          0.25      least log-slope: vacancies 0.1, superionic 0.4 (1600 K) to 0.7 (2000 K), melt 0.7-0.9
             heterogeneity          1.3       largest alpha_2: hoppers 1.6 and more, superionic 1.1 (1600 K) to 0.4 (2000 K)
             jumps_per_vibration  0.010   C3; jumps between sites: 0.018 at 1500 K, 0.004 at 1400 K, 0.009 between vacancies at 1300 K
             excess_defects       0.012   empty sites less built-in ones: 0.013 at the C_p peak, 0.017 at 1500 K; vacancies 0.004
             core_fraction        0.95    at the C_p peak; 0.927 at 1500 K, 0.968 between vacancies
             bimodality           0.5     C3: least density of displacement lengths between sites over that about the next sites (may only say no:
                                          ions that turn slowly have no hops either)
             fluidity             0.093   two-phase model by the density of states: between vacancies at 1300 K (0.075) and superionic 1500 K (0.119);
                                          0.017 at 1200 K, 0.057 at 1400 K, 0.17 at 1600 K, 0.28 at 2000 K
confined?    lindemann              0.24      superionic F 0.21, vibrations less; rotors and hops between few sites 0.27 and more
rotates?     elastic_shape        2       misfit of a Gaussian well, or of two sites, over that of a sphere j_0(kb)^2
ordered?     bragg_amplitude        0.30      framework 0.78-0.95, also the mobile sublattice 0.4; melt 0.02; a frozen liquid (3/N)^(1/2)

Not used to set a boundary: argon crystal and liquid (Lennard-Jones), NaCl melt, liquid Na (ab initio) are called right, Li6PS5Cl
at 500 K superionic; Li6PS5I (10 ps), a quenched liquid that ages, and F alone are left undecided. Each CaF2 run cut to 1/2 ... 1/16 or
thinned to every 3rd or 10th frame gives its own answer or none. Runs at 1450-1550 K, where 20 ps cannot tell, were not available.

`molten?` asks for rates against the vibration, not against the run: in a long run every ion of a vacancy conductor has
moved, and its sublattice has not melted.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = [
    "CAP",
    "LINES",
    "STATES",
    "SYSTEM_STATES",
    "VERSION",
    "WEIGHT",
    "Line",
    "log_odds",
    "logistic",
    "order_log_odds",
    "species_probabilities",
    "system_probabilities",
]

STATES = ("localised", "confined", "hopping", "molten")
SYSTEM_STATES = ("crystal", "defect conductor", "superionic", "plastic crystal", "glass", "superionic glass", "liquid", "coexistence")
CAP = 3.0
PER_FACTOR_3 = CAP / np.log(3.0)


@dataclass(frozen=True)
class Line:
    """One line of evidence: the question it bears on, where it turns, how steeply, and the words for no and yes."""

    question: str
    boundary: float
    scale: float
    no: str
    yes: str
    logarithm: bool = True
    loss: bool = False  # what counts is 1 - x

    def odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of "yes", 0 where there is no number."""
        value, boundary = (1.0 - x, 1.0 - self.boundary) if self.loss else (x, self.boundary)
        ratio = np.log(np.maximum(value, 1e-9) / boundary) if self.logarithm else value - boundary
        return np.nan_to_num(np.clip(self.scale * ratio, -CAP, CAP), nan=0.0)


_CALIBRATION = json.loads((Path(__file__).parent / "calibration.json").read_text(encoding="utf-8"))
VERSION: str = _CALIBRATION["version"]
WEIGHT: dict[str, float] = _CALIBRATION["weight"]
LINES: dict[str, Line] = {name: Line(**row) for name, row in _CALIBRATION["lines"].items()}
# "yes" would be said by what is no sign of it: a log-slope of 1 is that of hoppers; ions without long waves may be independent oscillators
WIDE = ("displacement", "overlap_ratio", "never_moved")
MUTE = ("subdiffusion", "rigidity", "linear_evidence", "bimodality")


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + np.exp(-x))


def log_odds(evidence: dict[str, np.ndarray], *, bound: bool, followed: bool) -> dict[str, np.ndarray]:
    """Log-odds (draw,) of each line.

    bound : the period is only an upper bound, so that a rate against it may say no, not yes. followed : the frames follow the
    vibration; where they do not, a plateau that is not seen says nothing. A log-slope of 1 is no sign of melting: hoppers have it.
    """
    odds = {name: LINES[name].odds(np.asarray(x, dtype=np.float64)) for name, x in evidence.items()}
    mute = (
        [*MUTE] + (["hops_per_vibration", "decays_per_vibration", "jumps_per_vibration"] if bound else []) + ([] if followed else ["plateau_slope"])
    )
    odds |= {name: np.minimum(odds[name], 0.0) for name in mute if name in odds}
    if "lindemann" in odds:  # a wide well takes an ion as far as its neighbours, and it goes nowhere: only what grows speaks of motion then
        narrow = np.minimum(1.0, 2.0 * logistic(-odds["lindemann"]))
        odds |= {name: np.where(odds[name] > 0, narrow * odds[name], odds[name]) for name in WIDE if name in odds}
    return odds


def species_probabilities(odds: dict[str, np.ndarray], *, share: float) -> np.ndarray:
    """Probabilities (draw, state) of a species. share : 0 where the run is too short to tell anything, to 1."""

    def answer(question: str) -> np.ndarray:
        total = np.stack([x for name, x in odds.items() if LINES[name].question == question]).sum(axis=0)
        return logistic(share * WEIGHT[question] * total)

    translates, molten, confined = answer("translates"), answer("molten"), answer("confined")
    still = 1 - translates
    return np.stack([still * (1 - confined), still * confined, translates * (1 - molten), translates * molten], axis=-1)


def order_log_odds(amplitude: np.ndarray, n_ions: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds that a sublattice has Bragg order, and that it has any static density wave at all, from its amplitude (draw,).

    Few ions make weak order (C1: 50). Without a static wave N Phi^2 stays below 1 (melt 0.3), while the density of a mobile
    sublattice in a framework that is not in the file has 8 to 30; a frozen liquid has N Phi^2 of about 3.
    """
    wave = np.clip(PER_FACTOR_3 * np.log(np.maximum(n_ions * amplitude**2, 1e-9) / 2.0), -CAP, CAP)
    return LINES["bragg_amplitude"].odds(amplitude) * min(1.0, n_ions / 50), wave


def system_probabilities(
    probability: np.ndarray,
    ordered: np.ndarray,
    wave: np.ndarray,
    framework: np.ndarray,
    rotates: np.ndarray | None = None,
    coexists: float = 0.0,
) -> np.ndarray:
    """Probabilities (draw, system state) by the table of science.md C4.

    probability (draw, species, state); ordered and wave (draw, species): probabilities of Bragg order and of any static
    density wave; framework (species,) bool; rotates (draw, species): probability that what confines an ion is a sphere; coexists: that part
    of the framework has melted in one place. The framework is as solid as its least solid species, as ordered as its most
    ordered; the rest is as mobile as its most mobile species. What fits no row (a molten framework with a static density
    wave, as of mobile ions alone in a file; ions confined to no sphere) is shared out evenly: it speaks for nothing.
    """
    localised, hopping, molten = (probability[:, :, STATES.index(name)] for name in ("localised", "hopping", "molten"))
    order, static = ordered[:, framework].max(axis=1), wave[:, framework].max(axis=1)
    fluid = molten[:, framework].max(axis=1)
    drifts = np.minimum(hopping[:, framework].max(axis=1), 1 - fluid)
    melted = molten[:, ~framework].max(axis=1, initial=0.0)
    still = localised.min(axis=1)
    hops = np.minimum(hopping.max(axis=1), 1 - np.maximum(still, melted))
    solid = 1 - fluid
    turning = np.zeros_like(fluid)
    if rotates is not None and not framework.all():
        turning = (probability[:, :, STATES.index("confined")] * rotates)[:, ~framework].max(axis=1)
    rigid = np.maximum(solid - drifts, 0.0)
    rows = {
        "crystal": order * solid * still * (1 - melted),
        "plastic crystal": order * solid * turning,
        "defect conductor": order * solid * hops,
        "superionic": order * solid * melted,
        "glass": (1 - order) * (rigid * (1 - melted) + 0.5 * drifts),
        "superionic glass": (1 - order) * rigid * melted,
        "liquid": (1 - static) * (fluid + 0.5 * drifts),
    }
    rows = {name: (1 - coexists) * one for name, one in rows.items()} | {"coexistence": np.full_like(fluid, coexists)}
    table = np.stack([rows[name] for name in SYSTEM_STATES], axis=-1)
    table = table / np.maximum(table.sum(axis=-1, keepdims=True), 1.0)
    return table + np.maximum(1 - table.sum(axis=-1, keepdims=True), 0.0) / len(SYSTEM_STATES)
