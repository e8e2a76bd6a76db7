"""What must hold of a run before its evidence counts fully: settled, one temperature, no flow, large and long enough."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from mdtools.statistics.stationary import drift_probability, settled_from, trend_probability, unequal_probability

__all__ = ["GATES", "Gates", "gates_of", "is_canonical"]

GATES = ("stationary", "held temperature", "species temperatures", "flow", "drift", "size", "cell", "vacuum", "thermostat")
RARE = 0.01  # probability of a false alarm, shared among the tests of a gate
FEWEST_IONS, FEWEST_ACROSS = 50, 5.0  # C1: 50 ions of a sublattice; three unit cells are five or more distances of ions
RAREST = 0.001  # of one after which no verdict is left
UNEQUAL = 0.02  # relative difference of temperatures, of species or along the run, below which it does no harm: rates of 1 eV change by a sixth
AGEING = 1.3  # least factor between the displacements of the halves that counts as ageing
FLOWS, CREPT = 0.5, 0.25  # correlation of the displacements of neighbours, and their size over the neighbour distance, that make a flow
RAMP = 0.1  # relative difference of the temperatures of the first and the last quarter that is no held temperature, however they scatter
FEWEST_PARTS = 6  # of the run, whose temperatures show a trend
EMPTY = 2.5  # mean distances of ions: widest empty layer that is no vacuum
DAMPED = 0.2  # of the temperature of the run in the total momentum, from which every atom is coupled to a bath
CANONICAL = (0.75, 1.33)  # fluctuation of the kinetic energy over the canonical one
WORTH = 0.2  # of the evidence, where a gate has failed: all lines together stay below what a verdict takes


@dataclass
class Gates:
    """What each gate said: passed, failed, unclear or no data; why; and where to begin instead, in ps."""

    words: dict[str, str] = field(default_factory=lambda: dict.fromkeys(GATES, "no data"))
    reasons: dict[str, str] = field(default_factory=dict)
    begin: float = np.nan

    @property
    def worth(self) -> float:
        """How much the evidence counts: nothing where displacements are those of a flow, or temperatures many."""
        if any(self.words[name] == "failed" for name in ("flow", "held temperature")):
            return 0.0
        return WORTH if any(self.words[name] == "failed" for name in ("stationary", "species temperatures")) else 1.0

    def say(self, name: str, passed: bool, reason: str = "", *, word: str = "failed") -> None:
        self.words[name] = "passed" if passed else word
        if not passed:
            self.reasons[name] = reason


def gates_of(melting_indicators: xr.Dataset, run_state: xr.Dataset | None, site_occupation: xr.Dataset | None) -> Gates:
    """Every gate that the measurements allow."""
    out = Gates()
    _size(out, melting_indicators)
    _flow(out, melting_indicators)
    if run_state is not None:
        _stationary(out, run_state, site_occupation)
        _held(out, run_state)
        _temperatures(out, run_state)
        _drift(out, run_state)
        _thermostat(out, run_state)
        if "widest_gap" in run_state:
            gap = float(run_state.widest_gap)
            reason = f"a layer of {gap:.2g} distances of ions is empty: surfaces melt below the bulk, and count as all ions do"
            out.say("vacuum", gap <= EMPTY, reason, word="unclear")
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
    """Matter that creeps or is sheared carries neighbours along with one another, however far; ions that melt go each for itself."""
    if "moved_alike" not in data:
        return
    size = np.sqrt(np.trace(data.moved_tensor.transpose("species", "xyz", "xyz2").values, axis1=1, axis2=2)) / data.neighbour_distance.values
    flowing = [
        f"{name} (correlation {alike:.2g})"
        for name, alike, far in zip(data.species.values, data.moved_alike.values, size, strict=True)
        if alike > FLOWS and far > CREPT
    ]
    out.say("flow", not flowing, f"neighbours move with one another, as in creep or shear flow: {', '.join(flowing)}")


def _held(out: Gates, data: xr.Dataset) -> None:
    """A ramp has no one state; `heating_ramp` reads it. A slow one is told by its trend, where temperatures of the parts scatter less than it."""
    if "temperature_by_window" not in data or not np.isfinite(data.temperature_by_window).all():
        return
    kelvin = data.temperature_by_window.values
    part = max(1, len(kelvin) // 4)
    first, last = kelvin[:part].mean(), kelvin[-part:].mean()
    reason = f"the temperature goes from {first:.4g} to {last:.4g} K: a ramp, of which detect_ramp (mdtools detect melting FILE --ramp) makes a map"
    change, chance = trend_probability(kelvin) if len(kelvin) >= FEWEST_PARTS else (0.0, 1.0)
    trend = abs(change) > UNEQUAL * kelvin.mean() and chance < RAREST
    out.say("held temperature", abs(last - first) <= RAMP * kelvin.mean() and not trend, reason)


def _thermostat(out: Gates, data: xr.Dataset) -> None:
    """What a damped or a wrong thermostat leaves in the run: told, since D and spectra, or heat capacities, suffer."""
    reasons = []
    kelvin = float(data.stated_temperature)
    if "momentum_temperature" in data and float(data.momentum_temperature) > DAMPED * kelvin:
        reasons.append(
            "the total momentum fluctuates as if every atom were damped (Langevin): D and line widths are those of the bath too; "
            "or the file leaves atoms out"
        )
    if not is_canonical(data):
        reasons.append(
            f"the kinetic energy fluctuates {_mean(data.kinetic_fluctuation.values)[0]:.2g} of its canonical measure (below 1: constant energy, "
            "Berendsen; above: rigid bonds, a ramp): no heat capacity by fluctuations"
        )
    if "momentum_temperature" in data or "kinetic_fluctuation" in data:
        out.say("thermostat", not reasons, "; ".join(reasons), word="unclear")


def is_canonical(data: xr.Dataset) -> bool:
    """Whether the kinetic energy of a run fluctuates as in the canonical ensemble; also where nothing tells."""
    if "kinetic_fluctuation" not in data or not np.isfinite(data.kinetic_fluctuation).all():
        return True
    ratio, error = _mean(data.kinetic_fluctuation.values)
    return ratio + 3 * error >= CANONICAL[0] and ratio - 3 * error <= CANONICAL[1]


def _mean(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _drift(out: Gates, data: xr.Dataset) -> None:
    """Of the frame through the file; it is taken away, and told, because it says how the run was made."""
    speed = float(data.frame_velocity)
    span = float(data.n_frames) * float(data.frame_interval) if "frame_interval" in data else np.nan
    moved = speed * span
    out.say("drift", not moved > float(data.volume) ** (1 / 3), f"the frame moves {moved:.3g} through the run (it is taken away)", word="unclear")
