"""Internal units and every conversion factor of the project; no other file holds one.

Inside: angstrom, ps, amu, e (elementary charge), K, eV, GPa, THz in cycles (1 THz = 1/ps: no factor).
Readers convert at the door; estimates convert to SI where the field quotes SI. Runs in `lj` units stay in them.
Values: CODATA 2022, as in scipy.constants.
"""

import re
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ANGSTROM2_PER_PS_TO_CM2_PER_S",
    "ASE_TIME",
    "ATOMIC_TIME",
    "BOHR",
    "BOLTZMANN",
    "CONDUCTIVITY_TO_SI",
    "EV_PER_ANGSTROM3_TO_GPA",
    "HARTREE",
    "KINETIC_TO_EV",
    "PLANCK",
    "SIEMENS_PER_M_TO_ABSORPTION",
    "S_PER_M_TO_MS_PER_CM",
    "UNIT_SYSTEMS",
    "VACUUM_PERMITTIVITY",
    "EnergyUnit",
    "UnitSystem",
    "duration",
    "length_for",
    "linewidth",
]

BOLTZMANN = 8.617333262e-5  # eV / K
PLANCK = 4.135667696923859e-3  # eV ps
KINETIC_TO_EV = 1.0364269656e-4  # amu angstrom^2 / ps^2 -> eV
ANGSTROM2_PER_PS_TO_CM2_PER_S = 1e-4
CONDUCTIVITY_TO_SI = 1602.176634  # e^2 / (angstrom ps eV) -> S / m
S_PER_M_TO_MS_PER_CM = 10.0
VACUUM_PERMITTIVITY = 5.52634936e-3  # epsilon_0, e^2 / (eV angstrom)
SIEMENS_PER_M_TO_ABSORPTION = 3.76730313  # 1 / (epsilon_0 c) in ohm, over 100: S / m -> 1 / cm of alpha n
BOHR = 0.529177210544  # angstrom
HARTREE = 27.211386245981  # eV
EV_PER_ANGSTROM3_TO_GPA = 160.2176634  # eV / angstrom^3 -> GPa
ATOMIC_TIME = 2.4188843265857e-5  # ps
SPACING = 2.5  # angstrom: (V / N)^(1/3) of the solids that lengths in the code were chosen for
ASE_TIME = 0.010180505671156723  # ps: angstrom sqrt(amu / eV)


@dataclass(frozen=True)
class UnitSystem:
    """Factors from a file's own units to ours (multiply), and its name in the file."""

    name: str
    length: float = 1.0
    time: float = 1.0
    velocity: float = 1.0
    mass: float = 1.0
    charge: float = 1.0
    energy: float = 1.0  # to eV
    pressure: float = 1.0  # to GPa


_AMU = 1 / 1.66053906660e-27  # amu per kg
_E = 1 / 1.602176634e-19  # e per C, and eV per J
# velocities of `electron` are bohr / fs: the manual of LAMMPS writes bohr per 1.03275e-15 s, but what it writes and integrates is x' = x + v dt with
# dt in fs (its constants mvv2e = 1.06657 and ftm2v = 0.93758 are (1.03275)^2 and its inverse); measured in tests/readers/test_units_of_lammps.py
UNIT_SYSTEMS = {
    system.name: system
    for system in (
        UnitSystem("metal", pressure=1e-4),
        UnitSystem("real", time=1e-3, velocity=1e3, energy=0.0433641042, pressure=1.01325e-4),
        UnitSystem("si", 1e10, 1e12, 1e-2, _AMU, _E, _E, 1e-9),
        UnitSystem("cgs", 1e8, 1e12, 1e-4, 1e-3 * _AMU, 1 / 4.80320471e-10, 1e-7 * _E, 1e-10),
        UnitSystem("electron", BOHR, 1e-3, BOHR * 1e3, energy=HARTREE, pressure=1e-9),
        UnitSystem("micro", 1e4, 1e6, 1e-2, 1e-15 * _AMU, 1e-12 * _E, 1e-15 * _E, 1e-6),
        UnitSystem("nano", 10.0, 1e3, 1e-2, 1e-21 * _AMU, 1.0, 1e-21 * _E, 1e-3),
        UnitSystem("lj"),
    )
}

_TIMES = {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "us": 1e6}


def duration(value: float | str, name: str) -> float:
    """A duration in ps from a number of ps or from a number with its unit ("2 fs"); `name` is for the message.

    Raises ValueError for anything else.

    >>> duration("2 fs", "timestep")
    0.002
    >>> duration(0.5, "timestep")
    0.5
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([-+0-9.eE]+)\s*(fs|ps|ns|us)?\s*", value)
        if match is None:
            raise ValueError(f"{name}={value!r} is not a duration; write a number of ps, or a number with fs, ps, ns or us")
        try:
            return float(match[1]) * _TIMES[match[2] or "ps"]
        except ValueError:
            raise ValueError(f"{name}={value!r} is not a duration; write for instance {name}='2 fs'") from None
    return float(value)


def length_for(angstrom: float, *, reduced: bool, volume: float, n_atoms: int) -> float:
    """A length chosen in angstrom, in the unit of a run: of one in lj units the same fraction of its (V / N)^(1/3).

    >>> length_for(0.25, reduced=True, volume=1000.0, n_atoms=1000)
    0.1
    """
    return angstrom / SPACING * (volume / n_atoms) ** (1 / 3) if reduced else angstrom


EnergyUnit = Literal["meV", "ueV", "THz", "GHz"]
_WIDTHS = {"THz": 1.0, "GHz": 1e-3, "meV": 1e-3 / PLANCK, "ueV": 1e-6 / PLANCK, "\u00b5eV": 1e-6 / PLANCK, "\u03bceV": 1e-6 / PLANCK}


def linewidth(value: str, name: str, *, reduced: bool = False) -> float:
    """A width in THz (cycles) from a number with its unit, of frequency or of energy: E = h f. In lj units a plain number, of 1/tau.

    Raises ValueError for anything else.

    >>> round(linewidth("1 meV", "resolution"), 6)
    0.241799
    >>> linewidth("0.3", "resolution")
    Traceback (most recent call last):
    ...
    ValueError: resolution='0.3' is not a width with its unit; write a positive number with meV, ueV, THz or GHz
    """
    match = re.fullmatch(r"\s*(\d*\.?\d+(?:[eE][-+]?\d+)?|\d+\.)\s*(\S*)\s*", str(value))
    number = float(match[1]) if match else 0.0
    if reduced:
        if match is None or match[2] or not number > 0:
            raise ValueError(f"{name}={value!r}: in lj units a width is a positive number of 1/tau; write for instance {name}='0.05'")
        return number
    if match is None or match[2] not in _WIDTHS or not number > 0:
        raise ValueError(f"{name}={value!r} is not a width with its unit; write a positive number with meV, ueV, THz or GHz")
    return number * _WIDTHS[match[2]]
