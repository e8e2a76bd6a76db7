"""Extended xyz (ASE, GPUMD, LAMMPS, OVITO, ...): the comment of a frame holds its cell and names the columns.

Who wrote a file decides the units of its velocities and times: momenta are ASE's, a comment that starts with Time= is GPUMD's
(fs, angstrom/fs); of all others `units` must say them, else they are left out, and that is noted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Block, Frames, Placement
from mdtools.readers.labels import Topology
from mdtools.readers.opened import OpenedFile
from mdtools.readers.rows import SKIP, WORD
from mdtools.readers.xyz_clock import stated_clock
from mdtools.readers.xyz_text import XyzFile, XyzRows, first_words, index_xyz, labels_of, parse_xyz
from mdtools.units import ASE_TIME, UNIT_SYSTEMS

__all__ = ["read_extxyz", "read_files"]

_VALUE = rb'\s*=\s*("[^"]*"|\{[^{}]*\}|\[[^\[\]]*\]|[^\s"]+)'
_KEY = re.compile(rb"(?<![^\s])([A-Za-z_][\w.()/-]*)" + _VALUE)
_LATTICE = re.compile(rb"(?<![^\s])Lattice" + _VALUE)
_SPECIES = ("species", "symbols", "element", "type")
_POSITIONS = ("pos", "positions", "unwrapped_position")
_VELOCITIES = ("vel", "velo", "velocities", "velocity")
_MASSES = ("masses", "mass")
_CHARGES = ("initial_charges", "charge", "q")
_GPUMD = re.compile(rb"Time=[-+.\deE]+ pbc=")


@dataclass(frozen=True)
class _Columns:
    """The columns of a row by name -> (first word, how many words), and how many words there are."""

    named: dict[str, tuple[int, int]]
    width: int

    def first(self, names: Sequence[str], length: int) -> str | None:
        return next((name for name in names if name in self.named and self.named[name][1] == length), None)


def read_files(files: Sequence[Path], units: str | None, topology: Topology | None = None) -> list[Frames]:
    """A record of each file."""
    return [read_extxyz(file, units=units, topology=topology) for file in files]


def read_extxyz(path: Path, *, units: str | None = None, topology: Topology | None = None) -> Frames:
    """An xyz file, extended or plain, packed or not. A plain one has no cell: that of the topology is taken, if there is one.

    Raises TrajectoryError where rows are not as announced, the cell is missing, or `units` are not known.
    """
    if units is not None and units not in UNIT_SYSTEMS:
        raise TrajectoryError(f"{path}: units {units!r} are not known; pass one of {', '.join(UNIT_SYSTEMS)}")
    xyz = index_xyz(OpenedFile(path))
    header = _keys(xyz.comments[0])
    columns = _columns(path, xyz, header)
    position = columns.first(_POSITIONS[::-1], 3)
    if position is None:
        raise TrajectoryError(f"{path}: no column pos of three numbers is announced (Properties=); pass a file with positions")
    cell, cell_notes = _cells(path, xyz, topology)
    velocity, factor, notes = _velocities(xyz, columns, units)
    names = {
        "positions": position,
        "velocities": velocity,
        "charges": columns.first(_CHARGES, 1),
        "masses": columns.first(_MASSES, 1),
        "ids": columns.first(("id",), 1),
        "species": columns.first(_SPECIES, 1),
    }
    taken, at = _taken(columns, names)
    first = parse_xyz(xyz, np.zeros(1, dtype=np.int64), taken)[0]
    words = first[:, list(taken.words)]
    order = np.argsort(first[:, at["ids"]], kind="stable") if "ids" in at else None
    ids = np.arange(1, xyz.n_atoms + 1) if order is None else first[order, at["ids"]].astype(np.int64)
    if len(np.unique(ids)) < len(ids):
        raise TrajectoryError(f"{path}: frame 0: an id stands there twice; pass a file in which every atom has its own")
    labels = _labels(xyz, columns, names["species"], order)
    masses = first[_sorted(order), at["masses"]] if "masses" in at else None
    if velocity == "momenta" and masses is None:
        masses = _standard_masses(path, labels)
    charged = "charges" in at and first[:, at["charges"]].any()
    origin = _origins(xyz) if b"Origin" in header else None

    def load(frames: np.ndarray) -> Block:
        table = parse_xyz(xyz, frames, taken, first=None if order is not None else words)
        if order is not None:
            table = _ordered(path, table, frames, at["ids"], ids)
        at_x = at["positions"]
        positions = table[:, :, at_x : at_x + 3] if origin is None else table[:, :, at_x : at_x + 3] - origin[frames][:, None]
        moving = None
        if velocity is not None:
            moving = table[:, :, at["velocities"] : at["velocities"] + 3] * factor
            if velocity == "momenta" and masses is not None:
                moving /= masses[:, None]
        return Block(scaled=positions @ np.linalg.inv(cell[frames]), velocities=moving, charges=table[:, :, at["charges"]] if charged else None)

    clock, clock_notes = stated_clock([_keys(comment) for comment in xyz.comments], gpumd=_is_gpumd(xyz), units=units)
    placement: Placement = "unwrapped" if position == "unwrapped_position" else "wrapped"
    numbered = labels is not None and all(label.isdigit() for label in set(labels.tolist()))
    return Frames(
        source=str(path),
        kind="extended xyz" if b"Properties" in header or b"Lattice" in header else "xyz",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cell,
        origin=origin,
        periodic=_periodic(header),
        placement=placement,
        columns=position,
        ids=ids,
        labels=labels,
        label_kind="type" if numbered else "element",
        masses=masses,
        charges=first[_sorted(order), at["charges"]] if charged else None,
        has_velocities=velocity is not None,
        steps=clock.steps,
        times=clock.times,
        load=load,
        threads=True,
        notes=(*xyz.notes, *cell_notes, *notes, *clock_notes),
        pieces=((0, str(path)),),
    )


def _keys(comment: bytes) -> dict[bytes, bytes]:
    return {name: value.strip(b'"{}[]') for name, value in _KEY.findall(comment)}


def _is_gpumd(xyz: XyzFile) -> bool:
    return all(_GPUMD.match(comment) for comment in xyz.comments[:2])


def _columns(path: Path, xyz: XyzFile, header: dict[bytes, bytes]) -> _Columns:
    """The columns that Properties= announces, or those of a plain file: a symbol and three coordinates, the rest unknown."""
    text = header.get(b"Properties")
    if text is None:
        width = len(first_words(xyz)[0])
        return _Columns({"species": (0, 1), "pos": (1, 3)}, max(width, 4))
    words = text.decode("ascii", "replace").split(":")
    numbers = [int(word) if word.isdigit() and len(word) < 6 else 0 for word in words[2::3]]
    if len(words) % 3 or not all(numbers):
        raise TrajectoryError(f"{path}: Properties={':'.join(words)[:60]} is not a list of name:type:number; mend the comment of the first frame")
    at = np.cumsum([0, *numbers]).tolist()
    for frame, comment in enumerate(xyz.comments):
        if text not in comment:
            raise TrajectoryError(f"{path}: frame {frame}: the columns (Properties=) are not those of the first frame; pass frames of one kind")
    return _Columns({name.lower(): (start, number) for name, start, number in zip(words[::3], at, numbers, strict=False)}, at[-1])


def _taken(columns: _Columns, names: dict[str, str | None]) -> tuple[XyzRows, dict[str, int]]:
    """The columns to parse, and where in the table each begins; the word that names the element comes last, as its hash."""
    slots = np.full(columns.width, SKIP)
    at: dict[str, int] = {}
    width = 0
    for what, name in names.items():
        if name is None:
            continue
        start, number = columns.named[name]
        at[what] = width
        slots[start : start + number] = np.arange(width, width + number) + (WORD if what == "species" else 0)
        width += number
    return XyzRows(slots, width, (at["species"],) if "species" in at else ()), at


def _sorted(order: np.ndarray | None) -> np.ndarray | slice:
    return slice(None) if order is None else order


def _ordered(path: Path, table: np.ndarray, frames: np.ndarray, column: int, ids: np.ndarray) -> np.ndarray:
    """Rows of every frame in the order of ids."""
    order = np.argsort(table[:, :, column], axis=1, kind="stable")
    table = np.take_along_axis(table, order[:, :, None], axis=1)
    other = (table[:, :, column] != ids).any(axis=1)
    if other.any():
        raise TrajectoryError(f"{path}: frame {int(frames[np.argmax(other)])}: holds other ids than the first frame; pass frames of the same atoms")
    return table


def _labels(xyz: XyzFile, columns: _Columns, name: str | None, order: np.ndarray | None) -> np.ndarray | None:
    if name is None:
        return None
    return labels_of(xyz, columns.named[name][0])[_sorted(order)]


def _standard_masses(path: Path, labels: np.ndarray | None) -> np.ndarray:
    """Masses that ASE has for the elements: it divides momenta by them where a file holds no masses."""
    from ase.data import atomic_masses, atomic_numbers

    if labels is None or not set(labels.tolist()) <= set(atomic_numbers):
        raise TrajectoryError(f"{path}: holds momenta, but neither masses nor chemical symbols; write velocities, or a column masses")
    return np.array([atomic_masses[atomic_numbers[label]] for label in labels.tolist()])


def _cells(path: Path, xyz: XyzFile, topology: Topology | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """(frame, 3, 3) rows are the vectors."""
    cell = np.empty((xyz.n_frames, 3, 3))
    before, values = b"", np.zeros(9)
    for frame, comment in enumerate(xyz.comments):
        found = _LATTICE.search(comment)
        if found is None and topology is not None and topology.cell is not None and not any(map(_LATTICE.search, xyz.comments)):
            return np.broadcast_to(topology.cell, cell.shape).copy(), (f"the cell is that of {topology.source}",)
        if found is None:
            raise TrajectoryError(
                f"{path}: frame {frame} has no cell, or one of zero volume; "
                "pass a format that holds it (extxyz with Lattice), or topology= with a file that does (POSCAR, .cell of CP2K)"
            )
        if found[1] != before:
            before, values = found[1], _nine(path, frame, found[1].strip(b'"{}[]'))
        cell[frame] = values.reshape(3, 3)
    return cell, ()


def _nine(path: Path, frame: int, text: bytes) -> np.ndarray:
    try:
        values = np.array([float(word) for word in text.replace(b",", b" ").split()])
    except ValueError:
        values = np.zeros(0)
    if len(values) != 9 or not np.isfinite(values).all():
        raise TrajectoryError(f"{path}: frame {frame}: Lattice is not nine numbers ({text[:60].decode('ascii', 'replace')!r}); mend its comment")
    return values


def _origins(xyz: XyzFile) -> np.ndarray:
    """(frame, 3) where the cells begin."""
    origins = np.zeros((xyz.n_frames, 3))
    for frame, comment in enumerate(xyz.comments):
        try:
            values = [float(word) for word in _keys(comment).get(b"Origin", b"").split()]
        except ValueError:
            values = []
        if len(values) != 3 or not np.isfinite(values).all():
            raise TrajectoryError(f"{xyz.file.path}: frame {frame}: Origin is not three numbers; mend its comment")
        origins[frame] = values
    return origins


def _periodic(header: dict[bytes, bytes]) -> np.ndarray:
    words = header.get(b"pbc", b"T T T").replace(b",", b" ").split()
    flags = [word[:1] in b"Tt1" for word in words]
    return np.array(flags if len(flags) == 3 else [True] * 3)


def _velocities(xyz: XyzFile, columns: _Columns, units: str | None) -> tuple[str | None, float, tuple[str, ...]]:
    """The column of velocities (or momenta), what makes it angstrom/ps (or amu angstrom/ps), and what to say about it."""
    if columns.first(("momenta",), 3):
        return "momenta", 1.0 if units == "lj" else 1 / ASE_TIME, ()
    name = columns.first(_VELOCITIES, 3)
    if name is None:
        return None, 1.0, ()
    if units is not None:
        return name, UNIT_SYSTEMS[units].velocity, ()
    if _is_gpumd(xyz):
        return name, UNIT_SYSTEMS["real"].velocity, ("velocities are in angstrom/fs, as GPUMD writes them",)
    return (
        None,
        1.0,
        (f"the array {name} is left out, because nothing says its units: pass units='metal' (angstrom/ps) or 'real' (angstrom/fs)",),
    )
