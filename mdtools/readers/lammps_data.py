"""LAMMPS data files as topology: which atom is of which type, mass and charge."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.labels import Topology
from mdtools.readers.opened import OpenedFile, head

__all__ = ["is_lammps_data", "read_lammps_data"]

# columns between the id and the coordinates, for each atom style that has charges or is common
_STYLES = {
    "atomic": ("type",),
    "charge": ("type", "q"),
    "full": ("molecule", "type", "q"),
    "molecular": ("molecule", "type"),
    "bond": ("molecule", "type"),
    "angle": ("molecule", "type"),
    "sphere": ("type", "diameter", "density"),
}
_SECTION = re.compile(r"^([A-Z][A-Za-z ]+?)\s*(?:#\s*(.*))?$")
_MASS_TOLERANCE = 0.02  # amu: how far from the standard mass a mass may be and still name its element


def is_lammps_data(path: Path) -> bool:
    """Whether a file announces atoms and atom types, as the head of a data file does."""
    text = head(path, 2000).decode("ascii", "replace")
    return re.search(r"^\s*\d+\s+atoms\b", text, re.MULTILINE) is not None and "atom types" in text


def read_lammps_data(path: Path) -> Topology:
    """Types, masses, charges and, where a comment or the mass names one, the element of each atom of a data file.

    Raises TrajectoryError where the atom style is neither said nor evident.
    """
    sections = _sections(path)
    if "Atoms" not in sections:
        raise TrajectoryError(f"{path}: has no section Atoms; pass a data file of LAMMPS (write_data)")
    masses, names, notes = _masses(sections.get("Masses", ("", []))[1])
    style, lines = sections["Atoms"]
    columns = _columns(path, style, lines)
    table = sorted((int(line.split()[0]), line.split()) for line in lines)
    types = np.array([row[1 + columns.index("type")] for _, row in table])
    known = all(name in names for name in set(types.tolist()))
    return Topology(
        source=str(path),
        ids=np.array([number for number, _ in table], dtype=np.int64),
        labels=np.array([names[name] for name in types.tolist()]) if known else None,
        types=names,
        type_of=types,
        masses=np.array([masses[name] for name in types.tolist()]) if set(types.tolist()) <= set(masses) else None,
        charges=np.array([float(row[1 + columns.index("q")]) for _, row in table]) if "q" in columns else None,
        notes=notes,
    )


def _sections(path: Path) -> dict[str, tuple[str, list[str]]]:
    """Name of each section -> (comment behind it, its lines without blanks)."""
    sections: dict[str, tuple[str, list[str]]] = {}
    lines: list[str] = []
    for line in bytes(OpenedFile(path).bytes[:]).decode("ascii", "replace").splitlines():
        section = _SECTION.match(line.strip())
        if section and not line.strip()[0].isdigit():
            lines = []
            sections[section[1]] = ((section[2] or "").strip(), lines)
        elif line.strip():
            lines.append(line.strip())
    return sections


def _masses(lines: list[str]) -> tuple[dict[str, float], dict[str, str], tuple[str, ...]]:
    """Mass and element of each type; the element from the comment, else from the mass, and a note that says so."""
    from ase.data import atomic_masses, atomic_numbers, chemical_symbols

    masses: dict[str, float] = {}
    names: dict[str, str] = {}
    guessed: dict[str, str] = {}
    for line in lines:
        numbers, _, comment = line.partition("#")
        name, mass = numbers.split()[0], float(numbers.split()[1])
        masses[name] = mass
        word = (comment.split() or [""])[0]
        nearest = int(np.argmin(np.abs(atomic_masses[1:] - mass))) + 1
        if word in atomic_numbers:
            names[name] = word
        # a mass of exactly 1 is the mass of a model, not of hydrogen
        elif mass != 1 and abs(atomic_masses[nearest] - mass) < _MASS_TOLERANCE:
            names[name] = guessed[name] = chemical_symbols[nearest]
    notes = (f"elements by mass from the topology: {', '.join(f'{k}={v}' for k, v in guessed.items())}",) if guessed else ()
    return masses, names, notes


def _columns(path: Path, style: str, lines: list[str]) -> tuple[str, ...]:
    """Names of the columns after the id: from the comment behind "Atoms", else the one style that fits the shape of a row."""
    word = (style.split() or [""])[0]
    if word in _STYLES:
        return _STYLES[word]
    words = lines[0].split("#")[0].split() if lines else []
    # without the three image flags, which are optional and whole numbers
    number = len(words) - 4 - (3 if len(words) >= 8 and all(re.fullmatch(r"[-+]?\d+", w) for w in words[-3:]) else 0)
    shapes: Mapping[int, str] = {1: "atomic", 3: "full"}
    if number not in shapes:
        raise TrajectoryError(
            f"{path}: the atom style is not said and a row of {len(words)} columns fits several; "
            "write it behind the section: Atoms # charge (or full, molecular, atomic)"
        )
    return _STYLES[shapes[number]]
