"""What the columns of a LAMMPS dump mean, in whatever way they are written: positions, image flags, velocities, and who the atoms are.

Text, yaml, binary and netCDF dumps hold the same columns by the same names; only this file knows what becomes of them.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import arrange
from mdtools.readers.frames import Block, Frames, Placement
from mdtools.readers.lammps_header import Header
from mdtools.readers.opened import OpenedFile

__all__ = ["Columns", "Dump", "leaves_cell", "records"]

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
_KINDS = ("element", "type")
_OUTSIDE = 0.15  # of a cell vector: how far wrapped atoms may be out of the cell; LAMMPS rewraps them only with its neighbour lists
_MOST_OPEN = 32  # files at once; the system allows about a thousand, and a run may be one file a frame


class Columns:
    """Which columns of a dump are read, and what becomes of them.

    names : the columns that are read, the id first. about : what the first frame says of the atoms, sorted by id.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], kinds: Sequence[str] = _KINDS) -> None:
        self.columns = columns
        twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
        if twice:
            raise TrajectoryError(f"{path}: column {', '.join(twice)} is there twice ({' '.join(columns)}); write each column once")
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
        self.kinds = [name for name in kinds if name in columns]
        numbers = [*self.place, *(_VELOCITY if self.has_velocities else ()), *(("q",) if "q" in columns else ())]
        self.names = ["id", *self.kinds, *numbers]
        self.about: dict[str, np.ndarray] = {}
        self._first_kinds = np.empty((0, 0))

    def meet(self, path: Path, table: np.ndarray, at: Mapping[str, int], said: Mapping[str, np.ndarray]) -> None:
        """Fill `about`: id, and where the first frame has them element, type, mass, q.

        table : (atom, column) numbers of the first frame. at : column of `table` by name. said : (atom,) those of the
        first frame that are kept as they are written, in the order of the file.
        """
        found = table[:, at["id"]]
        if not (np.isfinite(found).all() and (np.abs(found) < 2**53).all() and (found == np.rint(found)).all()):
            raise TrajectoryError(f"{path}: frame 0 holds atom ids that are not whole numbers; the file is damaged")
        order = np.argsort(found, kind="stable")
        ids = found[order].astype(np.int64)
        twice = np.flatnonzero(np.diff(ids) == 0)
        if len(twice):
            raise TrajectoryError(f"{path}: frame 0 holds atom id {ids[twice[0]]} twice; write every atom once (dump group, not a merged file)")
        self._first_kinds = np.ascontiguousarray(table[order][:, self._at(at, self.kinds)])
        self.about = {name: values[order] for name, values in said.items()} | {"id": ids}

    def block(self, table: np.ndarray, at: Mapping[str, int], cell: np.ndarray, origin: np.ndarray, where: Callable[[int], str]) -> Block:
        """Frames with their atoms sorted by id, positions in cell vectors of float64.

        table : (frame, atom, column) numbers of some frames. cell, origin : of those. where : names one of them, for messages.
        """
        ids = self.about["id"]
        order = np.empty(table.shape[:2], dtype=np.int64)
        status, frame, culprit = arrange.order_of_rows(table, at["id"], ids, self._at(at, self.kinds), self._first_kinds, order)
        if status:
            raise TrajectoryError(f"{where(frame)}{self._why_not(status, f'atom id {culprit:.15g}')}")
        return Block(
            scaled=self._scaled(table, order, at, cell, origin) if self.place else None,
            velocities=self._taken(table, order, self._at(at, _VELOCITY)) if self.has_velocities else None,
            charges=self._taken(table, order, self._at(at, ("q",)))[:, :, 0] if "q" in self.names else None,
        )

    def _why_not(self, status: int, atom: str) -> str:
        if status == arrange.DUPLICATE:
            return f" holds {atom} twice; write every atom once"
        if status == arrange.FOREIGN:
            return (
                f" holds {atom} which the first frame has not; dump a group whose atoms never change, read up to the change with end=..., or, if "
                "these are files of one processor each, dump without % in the name: each of them holds a part of every frame"
            )
        return f": {atom} changes its {' or '.join(self.kinds)}; an atom keeps its species in a trajectory: read up to the change with end=..."

    def _at(self, at: Mapping[str, int], names: Sequence[str]) -> np.ndarray:
        return np.array([at[name] for name in names], dtype=np.int64)

    def _taken(self, table: np.ndarray, order: np.ndarray, columns: np.ndarray) -> np.ndarray:
        out = np.empty((*order.shape, len(columns)))
        arrange.take(table, order, columns, out)
        return out

    def _scaled(self, table: np.ndarray, order: np.ndarray, at: Mapping[str, int], cell: np.ndarray, origin: np.ndarray) -> np.ndarray:
        places, images = self._at(at, self.place[:3]), self._at(at, self.place[3:])
        out = np.empty((*order.shape, 3))
        if self.place[0] in ("x", "xu"):
            arrange.take_scaled(table, order, places, images, origin, inverse_or_nan(cell), out)
        elif len(images):
            arrange.take_sum(table, order, places, images, out)
        else:
            arrange.take(table, order, places, out)
        return out


def leaves_cell(scaled: np.ndarray) -> bool:
    """Whether wrapped positions, in cell vectors, lie outside the cell: they are then told in other axes than it is."""
    return bool((np.abs(scaled - 0.5) > 0.5 + _OUTSIDE).any())


def inverse_or_nan(cell: np.ndarray) -> np.ndarray:
    """Inverses of cells; NaN for a cell without volume, which is refused elsewhere by the name of its frame."""
    flat = np.linalg.det(cell) == 0
    return np.where(flat[:, None, None], np.nan, np.linalg.inv(np.where(flat[:, None, None], np.eye(3), cell)))


class Dump(Protocol):
    """One open file of a dump: the headers of its whole frames, what was dropped, and its rows as numbers."""

    kind: str
    file: OpenedFile
    headers: list[Header]
    notes: list[str]

    def plan(self) -> Columns:
        """Which columns are read."""

    def at(self, plan: Columns) -> Mapping[str, int]:
        """Where a column stands in the tables, by its name."""

    def table(self, plan: Columns, frames: np.ndarray) -> np.ndarray:
        """(frame, atom, column) numbers of frames, in the order of the file. Raises TrajectoryError for what is no number."""

    def said(self, plan: Columns, table: np.ndarray) -> dict[str, np.ndarray]:
        """Columns element, type (as text), mass, q of the first frame, where there are such; `table` is that of the frame."""


def records(paths: Sequence[Path], open_dump: Callable[[Path], Dump]) -> list[Frames]:
    """Several dumps, each a record of its own; files of the same columns and number of atoms share what is known of the atoms."""
    pieces: list[Frames] = []
    plan: Columns | None = None
    for path in paths:
        dump = open_dump(path)
        first = dump.headers[0]
        if plan is None or (plan.columns, len(plan.about["id"])) != (first.columns, first.n_atoms):
            plan = dump.plan()
            table = dump.table(plan, np.array([0]))[0]
            plan.meet(path, table, dump.at(plan), dump.said(plan, table))
        pieces.append(_record(dump, plan, keep_open=len(paths) <= _MOST_OPEN))
    return pieces


def _record(dump: Dump, plan: Columns, *, keep_open: bool) -> Frames:
    headers, about, file, at = dump.headers, plan.about, dump.file, dump.at(plan)
    first, source = headers[0], str(file.path)
    label_kind: Literal["element", "type"] = "element" if "element" in about else "type"
    cell, origin = np.array([h.cell for h in headers]), np.array([h.origin for h in headers])

    def load(frames: np.ndarray) -> Block:
        table = dump.table(plan, frames)
        block = plan.block(table, at, cell[frames], origin[frames], lambda i: f"{file.path}: frame {frames[i]} (step {headers[frames[i]].step})")
        if not keep_open:
            file.release()
        return block

    if not keep_open:
        file.release()
    return Frames(
        source=source,
        kind=dump.kind,
        units=first.units,
        cell=cell,
        origin=origin,
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
        threads=True,
        notes=tuple(dump.notes),
        pieces=((0, source),),
    )
