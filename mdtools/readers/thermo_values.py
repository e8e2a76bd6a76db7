"""Columns of a log to the words and units of the vocabulary: energies of the whole system in eV, pressure in GPa."""

import numpy as np

from mdtools.readers.logged import Logged
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA, UnitSystem

__all__ = ["values_of"]

_ALIASES = {"c_thermo_temp": "Temp", "c_thermo_press": "Press", "c_thermo_pe": "PotEng"}
_TENSOR = (("Pxx", "Pxy", "Pxz"), ("Pxy", "Pyy", "Pyz"), ("Pxz", "Pyz", "Pzz"))
_EITHER = 0.5  # of ln N: nearer to which of the two a ratio lies


def values_of(run: Logged, system: UnitSystem) -> tuple[dict[str, np.ndarray], list[str]]:
    """What a run's columns are in our units, and notes on what had to be left out. `Time` stays as it is in the log."""
    columns = {_ALIASES.get(name, name): values for name, values in run.columns.items()}
    out = {name: values for name, values in columns.items() if name == "Time"}
    if "Temp" in columns:
        out["temperature"] = columns["Temp"]
    volume = columns.get("Volume", _product(columns))
    if volume is not None:
        out["volume"] = volume * system.length**3
    if "Press" in columns:
        out["pressure"] = columns["Press"] * system.pressure
    if {name for row in _TENSOR for name in row} <= columns.keys():
        tensor = np.array([[columns[name] for name in row] for row in _TENSOR])
        out["pressure_tensor"] = np.moveaxis(tensor, 2, 0) * system.pressure
        out.setdefault("pressure", np.trace(out["pressure_tensor"], axis1=1, axis2=2) / 3.0)
    energies = _energies(columns)
    if not energies:
        return out, []
    factor, note = _of_the_whole(run, energies, columns.get("Temp"), system)
    if factor is None:
        return out, [f"{run.source}: {note}, so its energies are left out"]
    out |= {name: values * (system.energy * factor) for name, values in energies.items()}
    if {"total_energy", "pressure", "volume"} <= out.keys():
        work = out["pressure"] * out["volume"] / (1.0 if system.name == "lj" else EV_PER_ANGSTROM3_TO_GPA)
        out["enthalpy"] = out["total_energy"] + work
    return out, [] if note is None else [f"{run.source}: {note}"]


def _product(columns: dict[str, np.ndarray]) -> np.ndarray | None:
    """Volume from the lengths of a LAMMPS box, which are those of its projections, so that tilt does not matter."""
    return columns["Lx"] * columns["Ly"] * columns["Lz"] if {"Lx", "Ly", "Lz"} <= columns.keys() else None


def _energies(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Energies as printed; one that is missing is the difference of two that are there."""
    names = {"PotEng": "potential_energy", "KinEng": "kinetic_energy", "TotEng": "total_energy", "Econserve": "conserved_energy"}
    out = {ours: columns[name] for name, ours in names.items() if name in columns}
    if "potential_energy" not in out and "E_pair" in columns:
        out["potential_energy"] = columns["E_pair"] + columns.get("E_mol", 0.0)
    if "kinetic_energy" not in out and {"total_energy", "potential_energy"} <= out.keys():
        out["kinetic_energy"] = out["total_energy"] - out["potential_energy"]
    if "total_energy" not in out and {"kinetic_energy", "potential_energy"} <= out.keys():
        out["total_energy"] = out["kinetic_energy"] + out["potential_energy"]
    if "potential_energy" not in out and {"total_energy", "kinetic_energy"} <= out.keys():
        out["potential_energy"] = out["total_energy"] - out["kinetic_energy"]
    return out


def _of_the_whole(
    run: Logged, energies: dict[str, np.ndarray], temperature: np.ndarray | None, system: UnitSystem
) -> tuple[float | None, str | None]:
    """What printed energies are multiplied with to be those of the whole system (1, or the number of atoms), and a note.

    The kinetic energy and the temperature decide, whatever the log says: E = 3/2 N k T of the whole, 3/2 k T per atom.
    """
    measured = _measured(run, energies, temperature, system)
    if measured is None:
        said = run.per_atom if run.per_atom is not None else system.name == "lj" if run.commands else None
        if said is None:
            return None, "nothing says whether energies are per atom (thermo_modify norm) or of the whole"
        measured = said
    if not measured:
        return 1.0, None
    if run.n_atoms is None:
        return None, "energies are per atom, and the log does not say of how many"
    return float(run.n_atoms), f"energies were printed per atom and are multiplied by {run.n_atoms}"


def _measured(run: Logged, energies: dict[str, np.ndarray], temperature: np.ndarray | None, system: UnitSystem) -> bool | None:
    """Whether energies are per atom, from the mean kinetic energy; None where it cannot be told."""
    if temperature is None or "kinetic_energy" not in energies or run.n_atoms is None or run.n_atoms < 8:
        return None
    boltzmann = 1.0 if system.name == "lj" else BOLTZMANN / system.energy
    thermal, kinetic = 1.5 * boltzmann * float(np.mean(temperature)), float(np.mean(energies["kinetic_energy"]))
    if not (thermal > 0 and kinetic > 0):
        return None
    # 0 of the whole, -1 per atom; rigid molecules and subsets of atoms lower the ratio by less than a factor of two or three
    place = np.log(kinetic / (thermal * run.n_atoms)) / np.log(run.n_atoms)
    return None if abs(place) > 1.3 or abs(place + _EITHER) < 0.1 else bool(place < -_EITHER)
