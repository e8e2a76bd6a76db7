"""The four lines of evidence that textbooks ask for, each for or against what the system is called."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from mdtools.detection.judged import Judged
from mdtools.detection.states import CAP, LINES, STATES

__all__ = ["FOUR", "Evidence", "lines_of", "spoken_for"]

FOUR = ("structure", "mechanics", "dynamics", "thermodynamics")
ORDERED = ("crystal", "defect conductor", "superionic", "plastic crystal", "coexistence")
FLUID = ("liquid",)
# what yes to a question says of a state of a species
YES = {
    "localised": {"translates": -1, "confined": -1},
    "confined": {"translates": -1, "confined": 1},
    "hopping": {"translates": 1, "molten": -1},
    "molten": {"translates": 1, "molten": 1},
}


class Evidence(NamedTuple):
    """Log-odds for the verdict, within -3 and 3; NaN without data."""

    odds: float

    @property
    def says(self) -> str:
        if not np.isfinite(self.odds):
            return "no data"
        return "for" if self.odds > 1 else "against" if self.odds < -1 else "unclear"


def lines_of(system: str, judged: list[Judged], framework: np.ndarray, rigidity: xr.Dataset | None) -> dict[str, Evidence]:
    """What each line says of the class that is likeliest. Thermodynamics speaks of a series, not of one temperature."""
    fixed = [one for one, is_framework in zip(judged, framework, strict=True) if is_framework]
    mobile = [one for one, is_framework in zip(judged, framework, strict=True) if not is_framework] or fixed
    order = max(_odds(one, "bragg_amplitude") for one in fixed)
    structure = order if system in ORDERED else -order
    sites = [x for one in mobile for x in (_odds(one, "excess_defects"), _odds(one, "core_fraction")) if np.isfinite(x)]
    if system in ("superionic", "defect conductor") and sites:
        structure = min(structure, max(sites) if system == "superionic" else -min(sites))
    mechanics = np.nan
    if rigidity is not None and np.isfinite(rigidity.rigidity_ratio):
        line = LINES["rigidity"]
        mechanics = -float(line.odds(np.array([float(rigidity.rigidity_ratio)]))[0]) * (-1 if system in FLUID else 1)
    dynamics = {
        "crystal": -max(_moves(one) for one in judged),
        "glass": -max(_moves(one) for one in judged),
        "defect conductor": max(_moves(one) for one in mobile),
        "superionic": max(_melted(one) for one in mobile),
        "superionic glass": max(_melted(one) for one in mobile),
        "plastic crystal": max(_log(one, ("confined",)) for one in mobile),
        "liquid": min(_moves(one) for one in judged),
        "coexistence": max(_moves(one) for one in fixed),
    }[system]
    return {
        "structure": Evidence(structure),
        "mechanics": Evidence(mechanics),
        "dynamics": Evidence(float(np.clip(dynamics, -CAP, CAP))),
        "thermodynamics": Evidence(np.nan),
    }


def spoken_for(one: Judged, state: str) -> list[float]:
    """Log-odds of each indicator for a state of a species; NaN where it has no data or is about something else."""
    return [YES[state].get(line.question, np.nan) * _odds(one, name) for name, line in LINES.items()]


def _odds(one: Judged, name: str) -> float:
    return float(one.odds[name][0]) if np.isfinite(one.evidence[name][0]) else np.nan


def _log(one: Judged, states: tuple[str, ...]) -> float:
    p = float(np.clip(sum(one.probability[0, STATES.index(name)] for name in states), 1e-9, 1 - 1e-9))
    return float(np.log(p / (1 - p)))


def _moves(one: Judged) -> float:
    return _log(one, ("hopping", "molten"))


def _melted(one: Judged) -> float:
    return _log(one, ("molten",))
