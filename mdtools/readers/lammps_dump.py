"""LAMMPS text dumps: frame index, grammar of the header, which columns make a position."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import rows
from mdtools.readers.frames import Block, Frames, Placement
from mdtools.readers.opened import OpenedFile

__all__ = ["read_dump"]

# the best first: nothing to undo; image flags; nearest image
_PLACES: tuple[tuple[tuple[str, ...], Placement], ...] = (
    (("xu", "yu", "zu"), "unwrapped"),
    (("xsu", "ysu", "zsu"), "unwrapped"),
    (("xs", "ys", "zs", "ix", "iy", "iz"), "unwrapped"),
    (("x", "y", "z", "ix", "iy", "iz"), "unwrapped"),
    (("xs", "ys", "zs"), "wrapped"),
    (("x", "y", "z"), "wrapped"),
)
_VELOCITY = ("vx", "vy", "vz")
_WORDS = ("element", "type")


@dataclass(frozen=True)
class _Header:
    """What stands above the rows of one frame."""

    step: int
    time: float | None
    units: str | None
    n_atoms: int
    cell: np.ndarray
    origin: np.ndarray
    periodic: tuple[bool, bool, bool]
    columns: tuple[str, ...]
    start: int
    stop: int


def read_dump(path: Path) -> Frames:
    """A LAMMPS text dump (custom or atom style), plain or packed. Raises TrajectoryError where it cannot be trusted."""
    file = OpenedFile(path)
    headers, notes = _index(file)
    first = headers[0]
    _same_everywhere(path, headers)
    plan = _Plan(path, first.columns)
    ids, words, masses = plan.atoms(file, first)
    label_kind = "element" if "element" in words else "type"

    def load(frames: np.ndarray) -> Block:
        return plan.block(file, [headers[i] for i in frames], frames, ids)

    return Frames(
        source=str(path),
        kind="LAMMPS text dump",
        units=first.units,
        cell=np.array([h.cell for h in headers]),
        origin=np.array([h.origin for h in headers]),
        periodic=np.array(first.periodic),
        steps=np.array([h.step for h in headers], dtype=np.int64),
        times=None if first.time is None else np.array([h.time for h in headers], dtype=np.float64),
        placement=plan.placement,
        columns=" ".join(plan.place),
        ids=ids,
        labels=words.get(label_kind),
        label_kind=label_kind,
        types=words.get("type"),
        masses=masses,
        charges=plan.charges(load),
        has_velocities=plan.has_velocities,
        load=load,
        notes=tuple(notes),
        pieces=((0, str(path)),),
    )


# -- frame index ------------------------------------------------------------------------------------------------


def _index(file: OpenedFile) -> tuple[list[_Header], list[str]]:
    """Headers of all whole frames, and what was dropped at the end of the file."""
    content, headers, at, notes = file.bytes, [], 0, []
    end = content.rfind(b"\n") + 1  # a line without its end may lack digits as well
    units = None
    while at < end and (end - at > 4096 or content[at:end].strip()):
        names = content.find(b"ITEM: ATOMS", at, end)
        start = content.find(b"\n", names, end) + 1 if names >= 0 else 0
        if start == 0:
            notes.append(_dropped(file, len(headers), "ends within its header"))
            break
        stop = content.find(b"ITEM:", start, end)
        stop = end if stop < 0 else stop
        header = _header(file, len(headers), at, start, stop, units)
        units = header.units
        if stop == end and _is_cut(file, header):
            hint = "" if end == len(content) else " (its last line has no line end; if the file is whole, add one)"
            notes.append(_dropped(file, len(headers), f"ends before its last atom{hint}"))
            break
        headers.append(header)
        at = stop
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(headers) - 1} are lost")
    if not headers:
        why = notes[-1] if notes else f"{file.path}: holds no frame"
        raise TrajectoryError(f"{why}; no whole frame is left: pass a file with at least one")
    return headers, notes


def _dropped(file: OpenedFile, frame: int, why: str) -> str:
    return f"{file.path.name}: frame {frame}, the last, {why} and is dropped"


def _is_cut(file: OpenedFile, header: _Header) -> bool:
    """Whether the last frame of a file lacks rows, or a part of its last row."""
    slots = np.full(len(header.columns), rows.SKIP, dtype=np.int64)
    nothing = np.empty((1, header.n_atoms, 0))
    status, _, _, at = rows.parse_rows(file.array, np.array([header.start]), np.array([header.stop]), slots, False, nothing)
    if status == rows.SHORT_ROW:
        return bool(at >= header.stop - 1)
    return bool(status == rows.FEW_ROWS)


def _header(file: OpenedFile, frame: int, at: int, start: int, stop: int, units: str | None) -> _Header:
    """The header between two bytes; `units` is what an earlier header said."""
    lines = bytes(file.bytes[at:start]).decode("ascii", "replace").split("\n")
    items: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in lines:
        if line.startswith("ITEM:"):
            name, _, rest = line[5:].strip().partition(" ")
            # names of one and of several words
            for long in ("NUMBER OF ATOMS", "BOX BOUNDS"):
                if line[5:].strip().startswith(long):
                    name, rest = long, line[5:].strip()[len(long) :]
            items[name] = (rest.strip(), [])
        elif name and line.strip():
            items[name][1].append(line.strip())
    try:
        cell, origin, periodic = _box(*items["BOX BOUNDS"])
        if int(items["NUMBER OF ATOMS"][1][0]) < 1:
            raise ValueError("a frame without atoms")
        return _Header(
            step=int(items["TIMESTEP"][1][0]),
            time=float(items["TIME"][1][0]) if "TIME" in items else None,
            units=items["UNITS"][1][0] if "UNITS" in items else units,
            n_atoms=int(items["NUMBER OF ATOMS"][1][0]),
            cell=cell,
            origin=origin,
            periodic=periodic,
            columns=tuple(items["ATOMS"][0].split()),
            start=start,
            stop=stop,
        )
    except (KeyError, IndexError, ValueError) as reason:
        raise TrajectoryError(
            f"{file.path}: the header of frame {frame} (line {file.line(at)}) cannot be understood ({type(reason).__name__}: {reason}); "
            f"pass a dump with ITEM: TIMESTEP, NUMBER OF ATOMS, BOX BOUNDS and ATOMS"
        ) from None


def _box(flags: str, lines: list[str]) -> tuple[np.ndarray, np.ndarray, tuple[bool, bool, bool]]:
    """Cell vectors (rows), origin and periodicity from a BOX BOUNDS item: orthogonal, restricted or general triclinic."""
    numbers = np.array([[float(word) for word in line.split()] for line in lines[:3]])
    if numbers.shape[0] != 3 or not np.isfinite(numbers).all():
        raise ValueError("BOX BOUNDS needs three lines of numbers")
    words = flags.split()
    if words[:2] == ["abc", "origin"]:
        cell, origin, boundary = numbers[:, :3].copy(), numbers[:, 3].copy(), words[2:]
    elif numbers.shape[1] == 3:
        (xy, xz, yz), boundary = numbers[:, 2], words[3:]
        low, high = numbers[:, 0].copy(), numbers[:, 1].copy()
        # the file holds the box around the tilted cell
        low -= (min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0)
        high -= (max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0)
        cell, origin = np.diag(high - low), low
        cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    else:
        cell, origin, boundary = np.diag(numbers[:, 1] - numbers[:, 0]), numbers[:, 0].copy(), words
    periodic = [word == "pp" for word in boundary[:3]] if len(boundary) >= 3 else [True] * 3
    return cell, origin, (periodic[0], periodic[1], periodic[2])


def _same_everywhere(path: Path, headers: list[_Header]) -> None:
    first = headers[0]
    for frame, header in enumerate(headers):
        where = f"{path}: frame {frame} (step {header.step})"
        if header.n_atoms != first.n_atoms:
            raise TrajectoryError(
                f"{where} holds {header.n_atoms} atoms, the first frame {first.n_atoms}; "
                f"dump a group whose atoms never change, or read up to the change with --end (end=...)"
            )
        if header.columns != first.columns:
            raise TrajectoryError(f"{where} has columns {' '.join(header.columns)}, the first frame {' '.join(first.columns)}; pass two files")
        if (header.time is None) != (first.time is None):
            raise TrajectoryError(f"{where} and the first frame differ in ITEM: TIME; pass timestep= (ps), or --timestep")


# -- rows -------------------------------------------------------------------------------------------------------


class _Plan:
    """Which columns of a dump are read, and what becomes of them."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path, self.columns = path, columns
        self.place, self.placement = next(((names, how) for names, how in _PLACES if set(names) <= set(columns)), ((), "none"))
        self.has_velocities = set(_VELOCITY) <= set(columns)
        if "id" not in columns:
            raise TrajectoryError(
                f"{path}: has no column id (there are: {' '.join(columns) or 'none'}), so an atom cannot be followed from frame to frame; "
                f"write it: dump ... custom ... id type {' '.join(c for c in columns if c != 'type')}"
            )
        if not self.place and not self.has_velocities:
            raise TrajectoryError(
                f"{path}: no columns of positions or velocities are known among {' '.join(columns)}; write x y z ix iy iz, xs ys zs ix iy iz, xu yu zu, xsu ysu zsu or vx vy vz"
            )
        self.words = [name for name in _WORDS if name in columns]
        numbers = [*self.place, *(_VELOCITY if self.has_velocities else ()), *(("q",) if "q" in columns else ())]
        self.names = ["id", *self.words, *numbers]
        self.slots = np.full(len(columns), rows.SKIP, dtype=np.int64)
        for slot, name in enumerate(self.names):
            self.slots[columns.index(name)] = slot + (rows.WORD if name in self.words else 0)
        self._kinds: np.ndarray | None = None

    def parse(self, file: OpenedFile, headers: list[_Header], frames: np.ndarray) -> np.ndarray:
        """(frame, atom, column) numbers, in the order of the file."""
        for header, frame in zip(headers, frames, strict=True):
            # before memory is asked for: a row takes at least two bytes
            if 2 * header.n_atoms > header.stop - header.start:
                raise TrajectoryError(
                    f"{file.path}: frame {frame} (step {header.step}) announces {header.n_atoms} atoms, but is too short for them; mend the file"
                )
        out = np.empty((len(headers), headers[0].n_atoms, len(self.names)))
        starts, stops = (np.array([getattr(h, name) for h in headers], dtype=np.int64) for name in ("start", "stop"))
        status, frame, row, at = rows.parse_rows(file.array, starts, stops, self.slots, False, out)
        if status != rows.GOOD:
            header = headers[frame]
            where = f"{file.path}: frame {frames[frame]} (step {header.step}), line {file.line(min(at, len(file.array) - 1))}"
            raise TrajectoryError(
                f"{where}: {_what_is_wrong(status, file, at, row, header)}; mend the file or leave this frame out with begin= or end="
            )
        return out

    def atoms(self, file: OpenedFile, header: _Header) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None]:
        """Sorted ids, the words (element, type) and the masses of the atoms, from the first frame."""
        table = self.parse(file, [header], np.array([0]))[0]
        order = np.argsort(table[:, 0], kind="stable")
        ids = table[order, 0].astype(np.int64)
        twice = np.flatnonzero(np.diff(ids) == 0)
        if len(twice):
            raise TrajectoryError(f"{file.path}: frame 0 holds atom id {ids[twice[0]]} twice; write every atom once (dump group, not a merged file)")
        lines = bytes(file.bytes[header.start : header.stop]).decode("ascii", "replace").split("\n")
        cells = [lines[row].split() for row in order]
        words = {name: np.array([row[self.columns.index(name)] for row in cells]) for name in self.words}
        masses = np.array([float(row[self.columns.index("mass")]) for row in cells]) if "mass" in self.columns else None
        self._kinds = table[order, 1 : 1 + len(self.words)]
        return ids, words, masses

    def charges(self, load: Any) -> np.ndarray | None:
        return load(np.array([0])).charges[0] if "q" in self.columns else None

    def block(self, file: OpenedFile, headers: list[_Header], frames: np.ndarray, ids: np.ndarray) -> Block:
        """Frames with their atoms sorted by id, positions in cell vectors of float64."""
        table = self.parse(file, headers, frames)
        for index, frame in enumerate(frames):
            if not np.array_equal(table[index, :, 0], ids):
                table[index] = table[index][np.argsort(table[index, :, 0], kind="stable")]
                self._check_ids(table[index, :, 0], ids, f"{file.path}: frame {frame} (step {headers[index].step})")
            if self.words and not np.array_equal(table[index, :, 1 : 1 + len(self.words)], self._kinds):
                atom = ids[np.flatnonzero((table[index, :, 1 : 1 + len(self.words)] != self._kinds).any(axis=1))[0]]
                raise TrajectoryError(
                    f"{file.path}: frame {frame} (step {headers[index].step}): atom id {atom} changes its {' or '.join(self.words)}; "
                    f"an atom keeps its species in a trajectory: read up to the change with end=..."
                )
        return Block(
            scaled=self._scaled(table, headers),
            velocities=self._column(table, _VELOCITY) if self.has_velocities else None,
            charges=table[:, :, self.names.index("q")] if "q" in self.names else None,
        )

    def _check_ids(self, found: np.ndarray, ids: np.ndarray, where: str) -> None:
        if np.array_equal(found, ids):
            return
        twice = np.flatnonzero(np.diff(found) == 0)
        if len(twice):
            raise TrajectoryError(f"{where} holds atom id {int(found[twice[0]])} twice; write every atom once")
        new = sorted(set(found.astype(np.int64).tolist()) - set(ids.tolist()))
        raise TrajectoryError(
            f"{where} holds other atoms than the first frame (id {new[0]} is new); dump a group whose atoms never change, or read up to the change with end=..."
        )

    def _column(self, table: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
        first = self.names.index(names[0])
        return table[:, :, first : first + 3]

    def _scaled(self, table: np.ndarray, headers: list[_Header]) -> np.ndarray | None:
        if not self.place:
            return None
        values = self._column(table, self.place[:3])
        if self.place[0] in ("x", "xu"):
            inverse = np.linalg.inv(np.array([h.cell for h in headers]))
            values = (values - np.array([h.origin for h in headers])[:, None]) @ inverse
        if len(self.place) == 6:
            values = values + self._column(table, self.place[3:])
        return values


def _what_is_wrong(status: int, file: OpenedFile, at: int, row: int, header: _Header) -> str:
    if status == rows.BAD_NUMBER:
        return f"{(file.text_of_line(at).split() or ['nothing'])[0]!r} is not a number"
    if status in (rows.FEW_ROWS, rows.MANY_ROWS):
        found = row if status == rows.FEW_ROWS else "more"
        return f"{header.n_atoms} atoms are announced, {found} rows are there"
    return f"the row of atom {row + 1} has {'fewer' if status == rows.SHORT_ROW else 'more'} columns than {' '.join(header.columns)}"
