"""Energies, temperature and pressure of a VASP run, ionic step by ionic step, from vasprun.xml or OUTCAR.

VASP's "in kB" is a pressure: positive where the cell wants to expand (trace / 3 is its "external pressure"). It lacks the kinetic
part; OUTCAR prints both ("Total+kin."), for vasprun.xml the isotropic part 2 E_kin / 3 V is added here.
"""

import re
from pathlib import Path
from typing import Any

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
_LINE = 1000  # bytes: no longer is what is looked at behind a word
_FLOAT = rb"\s*([-+]?\d+\.?\d*(?:[Ee][-+]?\d+)?)"


def is_vasprun(start: bytes) -> bool:
    """Whether a file that begins so is a vasprun.xml."""
    return b"<modeling" in start


def is_outcar(start: bytes) -> bool:
    """Whether a file that begins so is an OUTCAR."""
    return re.match(rb"\s*vasp\.\d", start) is not None


def read_outcar(path: Path | OpenedFile) -> list[Logged]:
    """The ionic steps of an OUTCAR as one run in units `metal`. A step that is not whole is left out."""
    file = path if isinstance(path, OpenedFile) else OpenedFile(path)
    steps = [_outcar_step(file.bytes, start, end) for start, end in _ends(file, b"total energy   ETOTAL =", rb" eV[^\n]*\n")]
    head = _head(file, b"Iteration")
    return [_run(file.path, steps, _settings(head, rb"\b%s\s*=\s*([^\s;]{1,40})"), n_atoms=rb"NIONS\s*=\s*(\d+)", head=head)]


def _ends(file: OpenedFile, word: bytes, behind: bytes) -> list[tuple[int, int]]:
    """Where each ionic step begins and ends: it ends with the line of its total energy, if that is whole."""
    content, line = file.bytes, re.compile(re.escape(word) + _FLOAT + behind)
    spans, start, at = [], 0, 0
    while (at := content.find(word, at)) >= 0:
        found = line.match(bytes(content[at : at + _LINE]))
        at += len(word)
        if found:
            end = at - len(word) + found.end()
            spans.append((start, end))
            start = end
        file.passed(at)
    return spans


def _last(content: Any, word: bytes, start: int, end: int, pattern: bytes) -> tuple[float, ...]:
    """The numbers behind the last `word` of a part of a file; none where it is not there, or is followed by something else."""
    at = content.rfind(word, start, end)
    found = re.match(pattern, bytes(content[at + len(word) : min(at + len(word) + _LINE, end)])) if at >= 0 else None
    return tuple(map(float, found.groups())) if found else ()


def _outcar_step(content: Any, start: int, end: int) -> dict[str, float]:
    """Numbers of one ionic step; what VASP did not print is not there."""
    words = {
        "PotEng": b"free  energy   TOTEN  =",
        "KinEng": b"kinetic energy EKIN   =",
        "Lattice": b"EKIN_LAT=",
        "Econserve": b"total energy   ETOTAL =",
        "Temp": b"(temperature",
        "Volume": b"volume of cell :",
        "Press": b"total pressure  =",
    }
    unit = {"Temp": rb" K", "Press": rb" kB"}
    found = {name: _last(content, word, start, end, _FLOAT + unit.get(name, b"")) for name, word in words.items()}
    out = {name: values[0] for name, values in found.items() if values}
    tensor = _last(content, b"Total+kin.", start, end, _FLOAT * 6)
    out |= {f"P{axes}": value * _KILOBAR for axes, value in zip(_AXES, tensor, strict=False)}
    if "Press" in out:
        out["Press"] *= _KILOBAR
    elif tensor:
        out["Press"] = (out["Pxx"] + out["Pyy"] + out["Pzz"]) / 3.0
    return out


def read_vasprun(path: Path | OpenedFile) -> list[Logged]:
    """The ionic steps of a vasprun.xml as one run in units `metal`; a file that was cut gives its whole steps."""
    file = path if isinstance(path, OpenedFile) else OpenedFile(path)
    head = _head(file, b"</atominfo>")
    freedom = _freedom(file, head)
    # steps of a machine-learned force field stand outside <calculation>, so a step ends where its total energy is told
    steps = [_vasprun_step(file.bytes, start, end, freedom) for start, end in _ends(file, b'<i name="total">', rb"\s*</i>")]
    return [_run(file.path, steps, _settings(head, rb'name="%s">\s*([^<]{1,200})'), n_atoms=rb"<atoms>\s*(\d+)", head=head)]


def _vasprun_step(content: Any, start: int, end: int, freedom: int) -> dict[str, float]:
    names = {"e_fr_energy": "PotEng", "kinetic": "KinEng", "lattice kinetic": "Lattice", "total": "Econserve"}
    energies = bytes(content[max(content.rfind(b"<energy>", start, end), start) : end])
    found = {key.decode(): float(value) for key, value in re.findall(rb'<i name="([^"]+)">' + _FLOAT, energies)}
    out = {names[key]: value for key, value in found.items() if key in names}
    volume = _last(content, b'<i name="volume">', start, end, _FLOAT)
    if volume:
        out["Volume"] = volume[0]
    if "KinEng" in out and freedom > 0:
        out["Temp"] = 2.0 * out["KinEng"] / (freedom * BOLTZMANN)
    stress = _last(content, b'<varray name="stress" >', start, end, rb"\s*" + (rb"<v>" + _FLOAT * 3 + rb"\s*</v>\s*") * 3)
    if stress and volume and "KinEng" in out:
        kinetic = 2.0 * out["KinEng"] / (3.0 * out["Volume"]) * EV_PER_ANGSTROM3_TO_GPA * _GPA
        rows = [stress[at : at + 3] for at in (0, 3, 6)]
        for axes in _AXES:
            on_diagonal = kinetic if axes[0] == axes[1] else 0.0
            out[f"P{axes}"] = rows["xyz".index(axes[0])]["xyz".index(axes[1])] * _KILOBAR + on_diagonal
        out["Press"] = (out["Pxx"] + out["Pyy"] + out["Pzz"]) / 3.0
    return out


def _freedom(file: OpenedFile, head: bytes) -> int:
    """Degrees of freedom of VASP's temperature: 3 N - 3, or with fixed atoms the components that may move."""
    content = file.bytes
    atoms = re.search(rb"<atoms>\s*(\d+)", head)
    n_atoms = int(atoms[1]) if atoms else 0
    at = content.find(b'<varray name="selective"', len(head), content.find(b"<calculation>"))
    if at < 0:
        return 3 * n_atoms - 3
    moving = len(re.findall(rb"\bT\b", bytes(content[at : content.find(b"</varray>", at)])))
    return moving if moving < 3 * n_atoms else 3 * n_atoms - 3


def _head(file: OpenedFile, word: bytes) -> bytes:
    """What stands above the first step, which is above this word; all of a file that does not hold it."""
    content = file.bytes
    at = content.find(word)
    return bytes(content[: at if at > 0 else len(content)])


def _settings(head: bytes, pattern: bytes) -> dict[str, str]:
    """Tags as VASP understood them: their last mention before the first step."""
    found = {name: re.findall(pattern % name.encode(), head) for name in _TAGS}
    return {name: values[-1].decode("ascii", "replace") for name, values in found.items() if values}


def _run(path: Path, steps: list[dict[str, float]], tags: dict[str, str], *, n_atoms: bytes, head: bytes) -> Logged:
    if not steps or not all({"KinEng", "PotEng"} <= step.keys() for step in steps):
        raise TrajectoryError(f"{path}: holds no step of molecular dynamics with its kinetic energy; pass the file of an MD run (IBRION=0)")
    names = [name for name in steps[0] if all(name in step for step in steps)]
    columns = {name: np.array([step[name] for step in steps]) for name in names}
    columns["TotEng"] = columns["PotEng"] + columns["KinEng"]
    lattice = columns.pop("Lattice", None)
    notes = []
    if lattice is not None and np.any(lattice):
        notes.append(f"{path}: the kinetic energy of the lattice is not part of total_energy")
    atoms = re.search(n_atoms, head)
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
