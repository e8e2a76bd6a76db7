"""LAMMPS data files as topology: which atom is of which type, mass and charge."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.labels import Topology
from mdtools.readers.lammps_header import real, whole
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
    head_lines, sections = _sections(path)
    if "Atoms" not in sections:
        raise TrajectoryError(f"{path}: has no section Atoms; pass a data file of LAMMPS (write_data)")
    masses, names, notes = _masses(path, sections.get("Masses", ("", []))[1])
    style, lines = sections["Atoms"]
    columns = _columns(path, style, [text for _, text in lines])
    table = sorted(_atoms(path, lines, columns))
    _check_counts(path, head_lines, len(table), masses)
    ids = np.array([number for number, _ in table], dtype=np.int64)
    twice = ids[1:][np.diff(ids) == 0]
    if len(twice):
        raise TrajectoryError(f"{path}: section Atoms holds atom id {twice[0]} twice; mend the file")
    types = np.array([row[1 + columns.index("type")] for _, row in table])
    unknown = sorted(set(types.tolist()) - set(masses)) if masses else []
    if unknown:
        raise TrajectoryError(f"{path}: atoms are of type {', '.join(unknown)}, of which section Masses says nothing; mend the file")
    known = all(name in names for name in set(types.tolist()))
    return Topology(
        source=str(path),
        ids=ids,
        labels=np.array([names[name] for name in types.tolist()]) if known else None,
        types=names,
        type_of=types,
        masses=np.array([masses[name] for name in types.tolist()]) if masses else None,
        charges=np.array([real(row[1 + columns.index("q")]) for _, row in table]) if "q" in columns else None,
        notes=notes,
    )


def _sections(path: Path) -> tuple[list[str], dict[str, tuple[str, list[tuple[int, str]]]]]:
    """Lines above the first section; and name of each section -> (comment behind it, numbers and texts of its lines without blanks)."""
    sections: dict[str, tuple[str, list[tuple[int, str]]]] = {}
    above: list[str] = []
    lines: list[tuple[int, str]] | None = None
    for number, line in enumerate(bytes(OpenedFile(path).bytes[:]).decode("ascii", "replace").split("\n"), start=1):
        section = _SECTION.match(line.strip()) if number > 1 else None  # the first line is a title
        if section:
            lines = []
            if section[1] in sections:
                raise TrajectoryError(f"{path}: line {number}: section {section[1]} is there twice; mend the file")
            sections[section[1]] = ((section[2] or "").strip(), lines)
        elif number > 1 and lines is None and line.split("#")[0].strip():
            # "375 atoms", "0 10 xlo xhi": a section whose name is damaged must not pass for these
            if not re.match(r"\s*[-+.\d]\S*\s.*?[a-z]+\s*(#.*)?$", line):
                raise TrajectoryError(f"{path}: line {number}: {line.strip()[:40]!r} is neither of the head nor the name of a section; mend the file")
            above.append(line.strip())
        elif line.split("#")[0].strip() and lines is not None:
            lines.append((number, line.strip()))
    return above, sections


def _atoms(path: Path, lines: list[tuple[int, str]], columns: tuple[str, ...]) -> list[tuple[int, list[str]]]:
    """Id and words of each row of the section Atoms: id, `columns`, three coordinates, and three image flags or none."""
    table = []
    for number, line in lines:
        words = line.split("#")[0].split()
        try:
            if len(words) - len(columns) not in (4, 7):
                raise ValueError(f"{len(words)} columns are not those of the atom style: id {' '.join(columns)} x y z, with ix iy iz or without")
            if "q" in columns:
                real(words[1 + columns.index("q")])
            for word in words[1 + len(columns) : 4 + len(columns)]:
                real(word)
            if whole(words[0]) < 1:
                raise ValueError(f"{words[0]} is no atom id")
            table.append((whole(words[0]), words))
        except ValueError as reason:
            raise TrajectoryError(
                f"{path}: line {number}, an atom: {reason}; mend the file, or write the style behind the section: Atoms # full"
            ) from None
    return table


def _check_counts(path: Path, above: list[str], n_atoms: int, masses: Mapping[str, float]) -> None:
    """The head of the file announces how many atoms and types there are."""
    for what, there in (("atoms", n_atoms), ("atom types", len(masses) or None)):
        said = next((found[1] for line in above if (found := re.match(rf"(\S+)\s+{what}\s*(#.*)?$", line))), None)
        if there is not None and said != str(there):
            raise TrajectoryError(f"{path}: announces {said or 'no'} {what}, but holds {there}; mend the file, or pass one that is whole")


def _masses(path: Path, lines: list[tuple[int, str]]) -> tuple[dict[str, float], dict[str, str], tuple[str, ...]]:
    """Mass and element of each type; the element from the comment, else from the mass, and a note that says so."""
    from ase.data import atomic_masses, atomic_numbers, chemical_symbols

    masses: dict[str, float] = {}
    names: dict[str, str] = {}
    guessed: dict[str, str] = {}
    for line_number, line in lines:
        numbers, _, comment = line.partition("#")
        try:
            name, mass = numbers.split()[0], real(numbers.split()[1])
            if mass <= 0 or name in masses or len(numbers.split()) != 2:
                raise ValueError(f"{numbers.strip()[:40]!r} is not a type and its mass")
        except (ValueError, IndexError) as reason:
            raise TrajectoryError(f"{path}: line {line_number}, a mass: {reason}; mend the file") from None
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
