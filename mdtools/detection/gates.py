"""What must hold of a run before its evidence counts fully: settled, one temperature, no flow, large and long enough."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from mdtools.statistics.stationary import drift_probability, settled_from, unequal_probability

__all__ = ["GATES", "Gates", "gates_of"]

GATES = ("stationary", "species temperatures", "drift", "size", "cell")
RARE = 0.01  # probability of a false alarm, shared among the tests of a gate
FEWEST_IONS, FEWEST_ACROSS = 50, 5.0  # C1: 50 ions of a sublattice; three unit cells are five or more distances of ions
UNEQUAL = 0.02  # relative difference of species temperatures below which it does no harm
AGEING = 1.3  # least factor between the displacements of the halves that counts as ageing
WORTH = 0.4  # of the evidence, where a gate has failed: below what a verdict takes


@dataclass
class Gates:
    """What each gate said: passed, failed, unclear or no data; why; and where to begin instead, in ps."""

    words: dict[str, str] = field(default_factory=lambda: dict.fromkeys(GATES, "no data"))
    reasons: dict[str, str] = field(default_factory=dict)
    begin: float = np.nan

    @property
    def worth(self) -> float:
        """How much the evidence counts."""
        return WORTH if any(self.words[name] == "failed" for name in ("stationary", "species temperatures")) else 1.0

    def say(self, name: str, passed: bool, reason: str = "", *, word: str = "failed") -> None:
        self.words[name] = "passed" if passed else word
        if not passed:
            self.reasons[name] = reason


def gates_of(melting_indicators: xr.Dataset, run_state: xr.Dataset | None, site_occupation: xr.Dataset | None) -> Gates:
    """Every gate that the measurements allow."""
    out = Gates()
    _size(out, melting_indicators)
    if run_state is not None:
        _stationary(out, run_state, site_occupation)
        _temperatures(out, run_state)
        _flow(out, run_state)
        across = float(run_state.cells_across)
        out.say("cell", across >= FEWEST_ACROSS, f"the cell is {across:.2g} distances of ions wide: long waves and images are one", word="unclear")
    return out


def _size(out: Gates, data: xr.Dataset) -> None:
    few = [f"{name} {int(n)}" for name, n in zip(data.species.values, data.n_ions.values, strict=True) if n < FEWEST_IONS]
    out.say("size", not few, f"fewer than {FEWEST_IONS} ions: {', '.join(few)}", word="unclear")


def _stationary(out: Gates, data: xr.Dataset, occupied: xr.Dataset | None) -> None:
    series = {name: data[name].values for name in ("potential_energy", "enthalpy", "volume_by_window") if name in data}
    for k, name in enumerate(map(str, data.species.values)):
        msd = data.window_msd.transpose("window", "species").values[:, k]
        half = len(msd) // 2
        if max(msd[:half].mean(), msd[half:].mean()) > AGEING * min(msd[:half].mean(), msd[half:].mean()):
            series[f"displacement of {name}"] = np.log(np.maximum(msd, 1e-12))
    if occupied is not None:
        for k, name in enumerate(map(str, occupied.species.values)):
            series[f"empty sites of {name}"] = occupied.empty_sites.transpose("window", "species").values[:, k]
    chance = {name: drift_probability(values) for name, values in series.items() if np.isfinite(values).sum() >= 6}
    drifting = {name: values for name, values in series.items() if chance.get(name, 1.0) < RARE / max(len(chance), 1)}
    out.say("stationary", not drifting, "not settled: " + ", ".join(name.replace("_", " ") for name in drifting))
    if drifting:
        starts = data.window.values
        begins = [settled_from(values) / len(values) for values in drifting.values() if np.isfinite(values).all()]
        if begins and max(begins) > 0:
            out.begin = float(np.interp(max(begins) * len(starts), np.arange(len(starts)), starts))


def _temperatures(out: Gates, data: xr.Dataset) -> None:
    if "kinetic_temperature" not in data or data.sizes["species"] < 2:
        return
    kelvin = data.kinetic_temperature.transpose("window", "species").values
    mean = kelvin.mean(axis=0)
    names = list(map(str, data.species.values))
    rare = RARE / max(4, len(names) * (len(names) - 1) // 2)
    unlike = [
        f"{names[a]} {mean[a]:.4g}, {names[b]} {mean[b]:.4g}"
        for a in range(len(names))
        for b in range(a + 1, len(names))
        if abs(mean[a] - mean[b]) > UNEQUAL * mean.mean() and unequal_probability(kelvin[:, a], kelvin[:, b]) < rare
    ]
    out.say("species temperatures", not unlike, "species have unequal temperatures: " + "; ".join(unlike))


def _flow(out: Gates, data: xr.Dataset) -> None:
    """Of the frame through the file; it is taken away, and told, because it says how the run was made."""
    speed = float(data.frame_velocity)
    span = float(data.n_frames) * float(data.frame_interval) if "frame_interval" in data else np.nan
    moved = speed * span
    out.say("drift", not moved > float(data.volume) ** (1 / 3), f"the frame moves {moved:.3g} through the run (it is taken away)", word="unclear")
