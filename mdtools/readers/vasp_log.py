"""Energies, temperature and pressure of a VASP run, ionic step by ionic step, from vasprun.xml or OUTCAR.

VASP's "in kB" is a pressure: positive where the cell wants to expand (trace / 3 is its "external pressure"). It lacks the kinetic
part; OUTCAR prints both ("Total+kin."), for vasprun.xml the isotropic part 2 E_kin / 3 V is added here.
"""

import re
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.logged import Logged
from mdtools.readers.opened import OpenedFile
from mdtools.readers.vasp_tags import number_of, thermostat_temperature
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA, UNIT_SYSTEMS

__all__ = ["is_outcar", "is_vasprun", "read_outcar", "read_vasprun"]

_KILOBAR = 1000.0  # bar, the pressure of the unit system in which the record is kept
_GPA = 1.0 / UNIT_SYSTEMS["metal"].pressure  # GPa -> bar
_TAGS = ("IBRION", "NSW", "POTIM", "NBLOCK", "TEBEG", "TEEND", "SMASS", "MDALGO", "ANDERSEN_PROB", "LANGEVIN_GAMMA")
_AXES = ("xx", "yy", "zz", "xy", "yz", "xz")  # the order of OUTCAR
_FLOAT = rb"\s*([-+]?\d+\.?\d*(?:[Ee][-+]?\d+)?)"


def is_vasprun(start: bytes) -> bool:
    """Whether a file that begins so is a vasprun.xml."""
    return b"<modeling" in start


def is_outcar(start: bytes) -> bool:
    """Whether a file that begins so is an OUTCAR."""
    return re.match(rb"\s*vasp\.\d", start) is not None


def read_outcar(path: Path) -> list[Logged]:
    """The ionic steps of an OUTCAR as one run in units `metal`. A step that is not whole is left out."""
    text = bytes(OpenedFile(path).bytes[:])
    ends = [match.end() for match in re.finditer(rb"total energy   ETOTAL =" + _FLOAT + rb" eV[^\n]*\n", text)]
    steps = [_outcar_step(text[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)] if ends else []
    return [_run(path, steps, _settings(text, rb"\b%s\s*=\s*([^\s;]{1,40})"), n_atoms=rb"NIONS\s*=\s*(\d+)", text=text)]


def _outcar_step(text: bytes) -> dict[str, float]:
    """Numbers of one ionic step; what VASP did not print is not there."""
    out = {}
    patterns = {
        "PotEng": rb"free  energy   TOTEN  =" + _FLOAT,
        "KinEng": rb"kinetic energy EKIN   =" + _FLOAT,
        "Lattice": rb"EKIN_LAT=" + _FLOAT,
        "Econserve": rb"total energy   ETOTAL =" + _FLOAT,
        "Temp": rb"\(temperature" + _FLOAT + rb" K",
        "Volume": rb"volume of cell :" + _FLOAT,
        "Press": rb"total pressure  =" + _FLOAT + rb" kB",
    }
    for name, pattern in patterns.items():
        found = re.findall(pattern, text)
        if found:
            out[name] = float(found[-1])
    tensor = re.findall(rb"Total\+kin\." + _FLOAT * 6, text)
    if tensor:
        out |= {f"P{axes}": float(value) * _KILOBAR for axes, value in zip(_AXES, tensor[-1], strict=True)}
    if "Press" in out:
        out["Press"] *= _KILOBAR
    elif tensor:
        out["Press"] = (out["Pxx"] + out["Pyy"] + out["Pzz"]) / 3.0
    return out


def read_vasprun(path: Path) -> list[Logged]:
    """The ionic steps of a vasprun.xml as one run in units `metal`; a file that was cut gives its whole steps."""
    text = bytes(OpenedFile(path).bytes[:])
    tags = _settings(text, rb'name="%s">\s*([^<]{1,200})')
    freedom = _freedom(text)
    # steps of a machine-learned force field stand outside <calculation>, so a step ends where its total energy is told
    ends = [match.end() for match in re.finditer(rb'<i name="total">' + _FLOAT + rb"\s*</i>", text)]
    steps = [_vasprun_step(text[start:end], freedom) for start, end in zip([0, *ends[:-1]], ends, strict=True)] if ends else []
    return [_run(path, steps, tags, n_atoms=rb"<atoms>\s*(\d+)", text=text)]


def _vasprun_step(block: bytes, freedom: int) -> dict[str, float]:
    names = {"e_fr_energy": "PotEng", "kinetic": "KinEng", "lattice kinetic": "Lattice", "total": "Econserve"}
    energies = block.rpartition(b"<energy>")[2]
    found = {key.decode(): float(value) for key, value in re.findall(rb'<i name="([^"]+)">' + _FLOAT, energies)}
    out = {names[key]: value for key, value in found.items() if key in names}
    volume = re.match(rb'<i name="volume">' + _FLOAT, block[max(block.rfind(b'<i name="volume">'), 0) :])
    if volume:
        out["Volume"] = float(volume[1])
    if "KinEng" in out and freedom > 0:
        out["Temp"] = 2.0 * out["KinEng"] / (freedom * BOLTZMANN)
    stress = re.match(
        rb'<varray name="stress" >\s*' + (rb"<v>" + _FLOAT * 3 + rb"\s*</v>\s*") * 3, block[max(block.rfind(b'<varray name="stress"'), 0) :]
    )
    if stress and volume and "KinEng" in out:
        tensor = np.array(stress.groups(), dtype=np.float64).reshape(3, 3) * _KILOBAR
        tensor += np.eye(3) * 2.0 * out["KinEng"] / (3.0 * out["Volume"]) * EV_PER_ANGSTROM3_TO_GPA * _GPA
        out |= {f"P{axes}": float(tensor["xyz".index(axes[0]), "xyz".index(axes[1])]) for axes in _AXES}
        out["Press"] = float(np.trace(tensor)) / 3.0
    return out


def _freedom(text: bytes) -> int:
    """Degrees of freedom of VASP's temperature: 3 N - 3, or with fixed atoms the components that may move."""
    fixed = re.search(rb'<varray name="selective"[^>]*>(.*?)</varray>', text, re.DOTALL)
    atoms = re.search(rb"<atoms>\s*(\d+)", text)
    moving = len(re.findall(rb"\bT\b", fixed[1])) if fixed else 0
    n_atoms = int(atoms[1]) if atoms else 0
    return moving if fixed and moving < 3 * n_atoms else 3 * n_atoms - 3


def _settings(text: bytes, pattern: bytes) -> dict[str, str]:
    """Tags as VASP understood them: their last mention before the first step."""
    head = text[: max(text.find(b"</atominfo>"), text.find(b"Iteration"), 0) or len(text)]
    found = {name: re.findall(pattern % name.encode(), head) for name in _TAGS}
    return {name: values[-1].decode("ascii", "replace") for name, values in found.items() if values}


def _run(path: Path, steps: list[dict[str, float]], tags: dict[str, str], *, n_atoms: bytes, text: bytes) -> Logged:
    if not steps or not all({"KinEng", "PotEng"} <= step.keys() for step in steps):
        raise TrajectoryError(f"{path}: holds no step of molecular dynamics with its kinetic energy; pass the file of an MD run (IBRION=0)")
    names = [name for name in steps[0] if all(name in step for step in steps)]
    columns = {name: np.array([step[name] for step in steps]) for name in names}
    columns["TotEng"] = columns["PotEng"] + columns["KinEng"]
    lattice = columns.pop("Lattice", None)
    notes = []
    if lattice is not None and np.any(lattice):
        notes.append(f"{path}: the kinetic energy of the lattice is not part of total_energy")
    atoms = re.search(n_atoms, text)
    held, changing = thermostat_temperature(tags)
    start, potim = number_of(tags, "TEBEG", 0.0) or 0.0, number_of(tags, "POTIM")
    stated = ((held, held),) if held is not None else ((start, number_of(tags, "TEEND", start) or 0.0),) if changing else ()
    return Logged(
        source=str(path),
        steps=np.arange(1, len(steps) + 1),
        columns=columns,
        units="metal",
        timestep=potim * UNIT_SYSTEMS["real"].time if potim and number_of(tags, "IBRION", 0.0) == 0 else None,
        counted=True,
        block=max(1, int(number_of(tags, "NBLOCK", 1.0) or 1.0)),
        n_atoms=int(atoms[1]) if atoms else None,
        per_atom=False,
        thermostats=stated,
        commands=True,
        notes=tuple(notes),
    )
