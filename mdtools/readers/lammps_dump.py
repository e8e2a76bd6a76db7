"""LAMMPS text dumps: which columns make a position, and frames with their atoms in order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import arrange, rows
from mdtools.readers.frames import Block, Frames, Placement
from mdtools.readers.lammps_header import Header, index_dump
from mdtools.readers.opened import OpenedFile

__all__ = ["read_dump", "read_dumps", "read_files"]

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
_MOST_OPEN = 32  # files at once; the system allows about a thousand, and a run may be one file a frame


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """Several dumps; their units are in the files, or resolved later."""
    return read_dumps(files)


def read_dump(path: Path) -> Frames:
    """A LAMMPS text dump (custom or atom style), plain or packed. Raises TrajectoryError where it cannot be trusted."""
    return read_dumps([path])[0]


def read_dumps(paths: Sequence[Path]) -> list[Frames]:
    """Several dumps, each a record of its own; files of the same columns and number of atoms share what is known of the atoms."""
    pieces: list[Frames] = []
    plan: _Plan | None = None
    for path in paths:
        file = OpenedFile(path)
        headers, notes = index_dump(file)
        first = headers[0]
        if plan is None or (plan.columns, len(plan.about["id"])) != (first.columns, first.n_atoms):
            plan = _Plan(path, first.columns)
            plan.meet(file, first)
        pieces.append(_record(file, headers, plan, tuple(notes), keep_open=len(paths) <= _MOST_OPEN))
    return pieces


def _record(file: OpenedFile, headers: list[Header], plan: "_Plan", notes: tuple[str, ...], *, keep_open: bool) -> Frames:
    first, about, source = headers[0], plan.about, str(file.path)
    label_kind: Literal["element", "type"] = "element" if "element" in about else "type"

    def load(frames: np.ndarray) -> Block:
        block = plan.block(file, [headers[i] for i in frames], frames)
        if not keep_open:
            file.release()
        return block

    if not keep_open:
        file.release()
    return Frames(
        source=source,
        kind="LAMMPS text dump",
        units=first.units,
        cell=np.array([h.cell for h in headers]),
        origin=np.array([h.origin for h in headers]),
        periodic=np.array(first.periodic),
        steps=np.array([h.step for h in headers], dtype=np.int64),
        times=None if first.time is None else np.array([h.time for h in headers], dtype=np.float64),
        placement=plan.placement,
        columns=" ".join(plan.place),
        ids=about["id"],
        labels=about.get(label_kind),
        label_kind=label_kind,
        types=about.get("type"),
        masses=about.get("mass"),
        charges=about.get("q"),
        has_velocities=plan.has_velocities,
        load=load,
        notes=notes,
        pieces=((0, source),),
    )


class _Plan:
    """Which columns of a dump are read, and what becomes of them."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.place, self.placement = next(((names, how) for names, how in _PLACES if set(names) <= set(columns)), ((), "none"))
        self.has_velocities = set(_VELOCITY) <= set(columns)
        if "id" not in columns:
            raise TrajectoryError(
                f"{path}: has no column id (there are: {' '.join(columns) or 'none'}), so an atom cannot be followed from frame to frame; "
                f"write it: dump ... custom ... id type {' '.join(c for c in columns if c != 'type')}"
            )
        if not self.place and not self.has_velocities:
            raise TrajectoryError(
                f"{path}: no columns of positions or velocities are known among {' '.join(columns)}; "
                "write x y z ix iy iz, xs ys zs ix iy iz, xu yu zu, xsu ysu zsu or vx vy vz"
            )
        self.words = [name for name in _WORDS if name in columns]
        numbers = [*self.place, *(_VELOCITY if self.has_velocities else ()), *(("q",) if "q" in columns else ())]
        self.names = ["id", *self.words, *numbers]
        self.slots = np.full(len(columns), rows.SKIP, dtype=np.int64)
        for slot, name in enumerate(self.names):
            self.slots[columns.index(name)] = slot + (rows.WORD if name in self.words else 0)
        self.about: dict[str, np.ndarray] = {}
        self._kinds = np.empty(0)

    def parse(self, file: OpenedFile, headers: list[Header], frames: np.ndarray) -> np.ndarray:
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

    def meet(self, file: OpenedFile, header: Header) -> None:
        """Fill `about` with what the first frame says of the atoms, sorted by id: id, and where it has them element, type, mass, q."""
        table = self.parse(file, [header], np.array([0]))[0]
        order = np.argsort(table[:, 0], kind="stable")
        ids = table[order, 0].astype(np.int64)
        twice = np.flatnonzero(np.diff(ids) == 0)
        if len(twice):
            raise TrajectoryError(f"{file.path}: frame 0 holds atom id {ids[twice[0]]} twice; write every atom once (dump group, not a merged file)")
        lines = bytes(file.bytes[header.start : header.stop]).decode("ascii", "replace").split("\n")
        cells = [lines[row].split() for row in order]
        about = {name: np.array([row[self.columns.index(name)] for row in cells]) for name in self.words}
        for name in ("mass", "q"):
            if name in self.columns:
                about[name] = np.array([float(row[self.columns.index(name)]) for row in cells])
        self._kinds = table[order, 1 : 1 + len(self.words)]
        self.about = about | {"id": ids}

    def block(self, file: OpenedFile, headers: list[Header], frames: np.ndarray) -> Block:
        """Frames with their atoms sorted by id, positions in cell vectors of float64."""
        ids = self.about["id"]
        table = self.parse(file, headers, frames)
        order = np.empty(table.shape[:2], dtype=np.int64)
        status, frame, culprit = arrange.order_of_rows(table[:, :, 0], ids, order)
        if status:
            what = (
                "twice; write every atom once"
                if status == arrange.DUPLICATE
                else ("which the first frame has not; dump a group whose atoms never change, or read up to the change with end=...")
            )
            raise TrajectoryError(f"{self._where(file, headers, frames, frame)} holds atom id {culprit} {what}")
        if self.words:
            kinds = self._taken(table, order, self.words[0], len(self.words))
            if not np.array_equal(kinds, np.broadcast_to(self._kinds, kinds.shape)):
                frame, atom = np.argwhere((kinds != self._kinds).any(axis=2))[0]
                raise TrajectoryError(
                    f"{self._where(file, headers, frames, frame)}: atom id {ids[atom]} changes its {' or '.join(self.words)}; "
                    f"an atom keeps its species in a trajectory: read up to the change with end=..."
                )
        return Block(
            scaled=self._scaled(table, order, headers),
            velocities=self._taken(table, order, _VELOCITY[0]) if self.has_velocities else None,
            charges=self._taken(table, order, "q", 1)[:, :, 0] if "q" in self.names else None,
        )

    def _where(self, file: OpenedFile, headers: list[Header], frames: np.ndarray, index: int) -> str:
        return f"{file.path}: frame {frames[index]} (step {headers[index].step})"

    def _taken(self, table: np.ndarray, order: np.ndarray, name: str, number: int = 3) -> np.ndarray:
        """The columns from `name` on, atoms in order."""
        out = np.empty((*order.shape, number))
        arrange.take(table, order, self.names.index(name), out)
        return out

    def _scaled(self, table: np.ndarray, order: np.ndarray, headers: list[Header]) -> np.ndarray | None:
        if not self.place:
            return None
        if self.place[0] in ("x", "xu"):
            out = np.empty((*order.shape, 3))
            origin, inverse = np.array([h.origin for h in headers]), np.linalg.inv(np.array([h.cell for h in headers]))
            arrange.take_scaled(table, order, self.names.index(self.place[0]), origin, inverse, out)
        else:
            out = self._taken(table, order, self.place[0])
        return out + self._taken(table, order, "ix") if len(self.place) == 6 else out


def _what_is_wrong(status: int, file: OpenedFile, at: int, row: int, header: Header) -> str:
    if status == rows.BAD_NUMBER:
        return f"{(file.text_of_line(at).split() or ['nothing'])[0]!r} is not a number"
    if status in (rows.FEW_ROWS, rows.MANY_ROWS):
        found = row if status == rows.FEW_ROWS else "more"
        return f"{header.n_atoms} atoms are announced, {found} rows are there"
    return f"the row of atom {row + 1} has {'fewer' if status == rows.SHORT_ROW else 'more'} columns than {' '.join(header.columns)}"
