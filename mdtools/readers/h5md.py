"""H5MD trajectories (LAMMPS, ESPResSo, ZnH5MD, ...): one group of particles, with steps and times of its own for every quantity.

LAMMPS writes no units, so they are asked for; where a file has `unit` attributes they are followed. Quantities are matched by
their steps, never by their place in the file.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.dcd import MOVING_CELL
from mdtools.readers.frames import Block, Frames
from mdtools.readers.hdf5 import attribute, open_hdf5, refuse_impossible_size, rows, understood
from mdtools.readers.lammps_columns import inverse_or_nan
from mdtools.units import BOHR

__all__ = ["read_files", "read_h5md"]

# to angstrom and ps
_LENGTHS = {"angstrom": 1.0, "a": 1.0, "å": 1.0, "nm": 10.0, "pm": 0.01, "bohr": BOHR}
_TIMES = {"ps": 1.0, "fs": 1e-3, "ns": 1e3}


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; units are in the files, or resolved later."""
    return [read_h5md(file) for file in files]


def read_h5md(path: Path) -> Frames:
    """An H5MD file with one group of particles. Raises TrajectoryError where it cannot be trusted."""
    file = open_hdf5(path)
    try:
        with understood(path):
            groups = list(file["particles"]) if "particles" in file else []
            if len(groups) != 1:
                raise TrajectoryError(
                    f"{path}: has {len(groups)} groups of particles ({', '.join(groups)[:100] or 'none'}), and one is read; pass a file with one"
                )
            return _Particles(path, file["particles"][groups[0]]).record()
    except TrajectoryError:
        file.close()
        raise


class _Element:
    """A quantity: its values, whether they go with time, and their steps and times as far as the file has them."""

    def __init__(self, path: Path, item: Any) -> None:
        self.moving = not hasattr(item, "shape")
        self.values = item["value"] if self.moving else item
        refuse_impossible_size(path, self.values)
        length = len(self.values) if self.moving else 1
        steps, times = (_of_frames(path, item, name, length) if self.moving else None for name in ("step", "time"))
        # a killed job may have written values without their step
        self.length = min(len(part) for part in (range(length), steps, times) if part is not None)
        self.steps = None if steps is None else steps[: self.length].astype(np.int64)
        self.times = None if times is None else times[: self.length].astype(np.float64)
        self.cut = length - self.length
        self.unit = str(attribute(self.values, "unit") or "")
        self.time_unit = str(attribute(item["time"], "unit") or "") if self.moving and "time" in item else ""

    def at(self, steps: np.ndarray | None, n_frames: int) -> np.ndarray | None:
        """Index of the value that belongs to each frame; None where one has no value."""
        if not self.moving:
            return np.zeros(n_frames, dtype=np.int64)
        if self.steps is None or steps is None or np.array_equal(self.steps[:n_frames], steps):
            return np.arange(n_frames) if self.length >= n_frames else None
        order = np.argsort(self.steps, kind="stable")
        place = np.minimum(np.searchsorted(self.steps[order], steps), self.length - 1)
        return order[place] if self.length and np.array_equal(self.steps[order[place]], steps) else None

    def read(self, frames: np.ndarray) -> np.ndarray:
        """(frame, ...) values at these indices."""
        return rows(self.values, frames) if self.moving else np.broadcast_to(np.asarray(self.values[...]), (len(frames), *self.values.shape))


def _of_frames(path: Path, item: Any, name: str, length: int) -> np.ndarray | None:
    """Steps or times: one for each frame, or an increment with an offset."""
    if name not in item:
        return None
    data = item[name]
    refuse_impossible_size(path, data)
    if data.shape == ():
        return np.asarray(attribute(data, "offset") or 0) + np.asarray(data[()]) * np.arange(length)
    return np.asarray(data[:]).reshape(-1)


class _Particles:
    """The group of particles of an open file."""

    def __init__(self, path: Path, group: Any) -> None:
        self.path, self.notes = path, list[str]()
        names = ("position", "velocity", "image", "species", "id", "mass", "charge")
        self.elements = {name: _Element(path, group[name]) for name in names if name in group}
        self.box = group.get("box", {})
        main = self.elements.get("position", self.elements.get("velocity"))
        if main is None or main.values.ndim != (3 if main.moving else 2) or main.values.shape[-1] != 3:
            raise TrajectoryError(
                f"{path}: has no position or velocity of (frames, particles, 3) numbers; pass an H5MD file of a run in three dimensions"
            )
        self.main, self.n_frames, self.n_atoms = main, main.length, main.values.shape[-2]
        if self.n_frames < 1 or self.n_atoms < 1:
            raise TrajectoryError(f"{path}: holds no whole frame; pass a file with at least one")
        for name in ("image", "velocity", "id", "charge", "mass", "species"):
            self._check_shape(name)
        if main.cut:
            self.notes.append(f"{path.name}: {main.cut} frames at the end have no step or time and are dropped")
        self.lengths, self.times = self._units()

    def _check_shape(self, name: str) -> None:
        element = self.elements.get(name)
        wanted = (self.n_atoms, 3) if name in ("image", "velocity") else (self.n_atoms,)
        if element is not None and (element.values.shape[1:] if element.moving else element.values.shape) != wanted:
            raise TrajectoryError(f"{self.path}: {name} has the shape {element.values.shape} for {self.n_atoms} particles; the file is damaged")

    def _units(self) -> tuple[float | None, float | None]:
        """Factors to angstrom and to ps; None where the file names no unit."""
        return _factor(self.path, self.main.unit.split(" ")[0].split("/")[0], _LENGTHS), _factor(self.path, self.main.time_unit, _TIMES)

    def record(self) -> Frames:
        steps, cell = self.main.steps, self._cell()
        images = self._with_frames("image") if "position" in self.elements else None
        velocities = self._with_frames("velocity")
        if velocities is not None and self.lengths is not None and self._velocity_factor() is None:
            self.notes.append("velocities are left out, because the file names no unit for them but one for the positions")
            velocities = None
        ids = self._ids()
        order_of = self._order_of(ids)
        charges = self._with_frames("charge")
        positions = self._with_frames("position")
        if images is not None and positions is not None and self._already_unwrapped(cell, positions, images):
            self.notes.append("positions are unwrapped already (dump_modify unwrap yes), so the images of the file are not added again")
            images = None
        factor = self._velocity_factor() or 1.0

        def load(frames: np.ndarray) -> Block:
            # a NaN of the file is refused elsewhere, by the name of its frame
            with understood(self.path), np.errstate(invalid="ignore", over="ignore"):
                order = order_of(frames)
                scaled = None
                if positions is not None:
                    scaled = self._read("position", positions[frames], order) * (self.lengths or 1.0) @ inverse_or_nan(cell[frames])
                    if images is not None:
                        scaled += self._read("image", images[frames], order)
                return Block(
                    scaled=scaled,
                    velocities=None if velocities is None else self._read("velocity", velocities[frames], order) * factor,
                    charges=None if charges is None else self._read("charge", charges[frames], order),
                )

        first = np.array([0])
        labels, kind = self._labels(order_of(first))
        if self.n_frames > 1 and np.ptp(cell, axis=0).max() > 0:
            self.notes.append(MOVING_CELL)
        mass = self.elements.get("mass")
        times = None if self.main.times is None or (self.lengths is not None and self.times is None) else self.main.times * (self.times or 1.0)
        return Frames(
            source=str(self.path),
            kind="H5MD",
            units=None if self.lengths is None else "metal",
            in_angstrom_and_ps=self.lengths is not None,
            cell=cell,
            periodic=self._periodic(),
            steps=steps,
            times=times,
            placement="none" if positions is None else "wrapped" if images is None else "unwrapped",
            columns="" if positions is None else "position" if images is None else "position image",
            ids=np.sort(ids[0]) if ids is not None else np.arange(1, self.n_atoms + 1),
            labels=labels,
            label_kind=kind,
            types=labels if kind == "type" else None,
            masses=None if mass is None else np.take_along_axis(mass.read(first), order_of(first), axis=1)[0].astype(np.float64),
            charges=None if charges is None else self._read("charge", charges[:1], order_of(first))[0],
            has_velocities=velocities is not None,
            load=load,
            notes=tuple(self.notes),
            pieces=((0, str(self.path)),),
        )

    def _with_frames(self, name: str) -> np.ndarray | None:
        """Where the values of a quantity lie that belong to each frame; None (and a note) where some have none."""
        element = self.elements.get(name)
        if element is None:
            return None
        found = element.at(self.main.steps, self.n_frames)
        if found is None and name in ("image", "position", "id"):
            raise TrajectoryError(f"{self.path}: {name} is not there for every step of the positions; write both every so many steps")
        if found is None:
            self.notes.append(f"{name} is left out, because it is not there for every step of the positions")
        return found

    def _read(self, name: str, at: np.ndarray, order: np.ndarray) -> np.ndarray:
        values = self.elements[name].read(at).astype(np.float64)
        return np.take_along_axis(values, order[:, :, None] if values.ndim == 3 else order, axis=1)

    def _ids(self) -> np.ndarray | None:
        """(1, atom) ids of the first frame, where the file has any."""
        found = self._with_frames("id")
        if found is None:
            return None
        ids = self.elements["id"].read(found[:1]).astype(np.int64)
        if (np.diff(np.sort(ids[0])) == 0).any():
            raise TrajectoryError(f"{self.path}: frame 0 holds an id twice; write every particle once")
        return ids

    def _order_of(self, first: np.ndarray | None) -> Any:
        """Frames -> (frame, atom) places of the particles in the order of their ids."""
        if first is None:
            return lambda frames: np.broadcast_to(np.arange(self.n_atoms), (len(frames), self.n_atoms))
        known, found, element = np.sort(first[0]), self._with_frames("id"), self.elements["id"]
        assert found is not None

        def order(frames: np.ndarray) -> np.ndarray:
            ids = element.read(found[frames])
            places = np.argsort(ids, axis=1, kind="stable")
            same = (np.take_along_axis(ids, places, axis=1) == known).all(axis=1)
            if not same.all():
                raise TrajectoryError(
                    f"{self.path}: frame {frames[int(np.argmin(same))]} holds other particles than the first; read up to it with end=..."
                )
            return places

        return order

    def _cell(self) -> np.ndarray:
        """(frame, 3, 3) in angstrom, or in units of the file where it names none; zeros where there is none."""
        if "edges" not in self.box:
            return np.zeros((self.n_frames, 3, 3))
        edges = _Element(self.path, self.box["edges"])
        found = edges.at(self.main.steps, self.n_frames)
        if found is None:
            raise TrajectoryError(f"{self.path}: the edges of the box are not there for every step of the positions; write both every so many steps")
        values = edges.read(found).astype(np.float64) * (_factor(self.path, edges.unit, _LENGTHS) or self.lengths or 1.0)
        if values.shape[1:] not in ((3,), (3, 3)) or not (np.abs(values) < 1e30).all():
            raise TrajectoryError(f"{self.path}: the edges of the box are no three lengths or vectors; the file is damaged")
        return values[:, :, None] * np.eye(3) if values.ndim == 2 else values

    def _periodic(self) -> np.ndarray:
        words = attribute(self.box, "boundary") if hasattr(self.box, "attrs") else None
        words = [word.decode("ascii", "replace") if isinstance(word, bytes) else str(word) for word in np.asarray(words).reshape(-1).tolist()]
        return np.array([word == "periodic" for word in words]) if len(words) == 3 else np.ones(3, dtype=bool)

    def _velocity_factor(self) -> float | None:
        """To angstrom/ps of "nm ps-1", "Angstrom/fs", ...; None where no unit is named."""
        unit = self.elements["velocity"].unit if "velocity" in self.elements else ""
        if not unit:
            return None
        length, _, time = re.sub(r"\s*/\s*|\s+|\*", " ", unit).strip().partition(" ")
        factors = _factor(self.path, length, _LENGTHS), _factor(self.path, re.sub(r"[-^{}+]*1\}?$", "", time), _TIMES)
        return None if factors[0] is None or factors[1] is None else factors[0] / factors[1]

    def _already_unwrapped(self, cell: np.ndarray, positions: np.ndarray, images: np.ndarray) -> bool:
        """Whether positions lie in the image that the file names, so that it is not to be added (LAMMPS: unwrap yes with image)."""
        for frame in {self.n_frames - 1, 0}:
            order = np.arange(self.n_atoms)[None]
            image = self._read("image", images[frame : frame + 1], order)[0]
            scaled = (
                self._read("position", positions[frame : frame + 1], order)[0] * (self.lengths or 1.0) @ inverse_or_nan(cell[frame : frame + 1])[0]
            )
            away = (image != 0).any(axis=1)
            if away.any() and not away.all():
                # the atoms at home tell where the cell is
                home = np.median(scaled[~away], axis=0)
                return bool(np.abs(scaled[away] - image[away] - home).mean() < np.abs(scaled[away] - home).mean())
        return False

    def _labels(self, order: np.ndarray) -> tuple[np.ndarray | None, Literal["type", "label"]]:
        """Species of the particles, which must not change: numbers, or names where the file enumerates them."""
        element = self.elements.get("species")
        if element is None:
            return None, "type"
        first = element.read(np.array([0]))[0]
        for frame in range(1, element.length if element.moving and "id" not in self.elements else 1):
            if not np.array_equal(element.read(np.array([frame]))[0], first):
                raise TrajectoryError(f"{self.path}: particles change their species (entry {frame}); an atom keeps its species in a trajectory")
        if first.dtype.kind not in "iuf" or (first != np.rint(first)).any():
            raise TrajectoryError(f"{self.path}: species are not whole numbers; pass a file in which they number the types")
        import h5py

        names = {number: name for name, number in (h5py.check_enum_dtype(element.values.dtype) or {}).items()}
        numbers = first[order[0]].astype(np.int64)
        if names:
            return np.array([str(names.get(int(number), number)) for number in numbers]), "label"
        return numbers.astype(str), "type"


def _factor(path: Path, unit: str, table: dict[str, float]) -> float | None:
    if not unit:
        return None
    if unit.strip().lower() not in table:
        raise TrajectoryError(f"{path}: has the unit {unit[:40]!r}, which is not known here ({', '.join(table)}); write the file in one of those")
    return table[unit.strip().lower()]
