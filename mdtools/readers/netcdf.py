"""netCDF trajectories of the AMBER convention, classic (CDF-1, 2, 5) and HDF5-based: AMBER's own, and those of LAMMPS with its extras.

LAMMPS adds any column of its dumps, the origin of the cell, and a scale_factor that makes times of its step numbers. Every
scale_factor is applied; a cell length of zero says that a direction is not periodic.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.cdf import Variable, read_cdf
from mdtools.readers.dcd import MOVING_CELL
from mdtools.readers.frames import Block, Frames
from mdtools.readers.hdf5 import SIGNATURE, attribute, open_hdf5, refuse_impossible_size, rows, understood
from mdtools.readers.lammps_columns import Columns, leaves_cell
from mdtools.readers.lengths_angles import cell_vectors, evened
from mdtools.readers.opened import OpenedFile, head

__all__ = ["read_files", "read_netcdf"]

_VECTORS = {
    "coordinates": ("x", "y", "z"),
    "unwrapped_coordinates": ("xu", "yu", "zu"),
    "scaled_coordinates": ("xs", "ys", "zs"),
    "velocities": ("vx", "vy", "vz"),
}
# words for length and time -> unit system
_SYSTEMS = {
    ("angstrom", "picosecond"): "metal",
    ("angstrom", "femtosecond"): "real",
    ("meter", "second"): "si",
    ("centimeter", "second"): "cgs",
    ("bohr", "femtosecond"): "electron",
    ("micrometer", "microsecond"): "micro",
    ("nanometer", "nanosecond"): "nano",
    ("lj", "lj"): "lj",
}
_NEVER_WRITTEN = 1e36  # netCDF fills with 9.97e36 what nobody wrote
_LARGEST = 1e30  # of a cell, in any unit system; beyond it lies damage
_WHOLE_FLOAT32 = 2**24  # up to here single precision holds every whole number
_BLOCK_BYTES = 2**24


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; units are in the files, or resolved later."""
    return [read_netcdf(file) for file in files]


def read_netcdf(path: Path) -> Frames:
    """A netCDF trajectory. Raises TrajectoryError where it cannot be trusted."""
    return _Trajectory(path).record()


class _Trajectory:
    """An open file: its variables, and which of them are columns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.attributes, self.variables, self.n_frames, announced = _opened(path)
        self.by_lammps = str(self.attributes.get("program", "")).upper() == "LAMMPS"
        first = next((self.variables[name] for name in _VECTORS if name in self.variables), None)
        if first is None:
            raise TrajectoryError(
                f"{path}: is a netCDF file without coordinates or velocities (there are: {', '.join(self.variables)[:200] or 'none'}); "
                "pass a trajectory of the AMBER convention"
            )
        shape = first.values.shape
        if len(shape) != 3 or shape[2] != 3 or shape[1] < 1:
            raise TrajectoryError(
                f"{path}: its coordinates have the shape {shape} in place of (frames, atoms, 3); pass a trajectory, not a restart file"
            )
        if self.n_frames < 1:
            raise TrajectoryError(f"{path}: holds no whole frame (its header announces {announced}); pass a file with at least one")
        self.n_atoms = shape[1]
        cut = f"{path.name}: is cut; its {self.n_frames} whole frames of the {announced} that its header announces are read"
        self.notes = [cut] if announced > self.n_frames else []
        self.sources = self._sources()
        self.plan = Columns(path, tuple(self.sources), kinds=("type",))

    def _sources(self) -> dict[str, tuple[Variable | None, int | None]]:
        """For each column by its name in a dump the variable that holds it, and which component of it."""
        out: dict[str, tuple[Variable | None, int | None]] = {}
        for name, variable in self.variables.items():
            shape = variable.values.shape
            if name in _VECTORS and shape == (self.n_frames, self.n_atoms, 3):
                out |= {column: (variable, axis) for axis, column in enumerate(_VECTORS[name])}
            elif shape in ((self.n_frames, self.n_atoms), (self.n_atoms,)) and variable.values.dtype.kind in "iuf":
                out[name] = (variable, None)
        if "id" not in out:
            out["id"] = (None, None)
        return out

    def table(self, names: Sequence[str], frames: np.ndarray) -> np.ndarray:
        """(frame, atom, column) numbers of these columns, scaled as the file says."""
        out = np.empty((len(frames), self.n_atoms, len(names)))
        read: dict[int, np.ndarray] = {}
        for slot, name in enumerate(names):
            variable, axis = self.sources[name]
            if variable is None:
                out[..., slot] = np.arange(1, self.n_atoms + 1)
                continue
            if id(variable) not in read:
                with understood(self.path):
                    read[id(variable)] = np.asarray(variable.values[:]) if variable.values.ndim == 1 else rows(variable.values, frames)
            values = read[id(variable)]
            with np.errstate(invalid="ignore"):  # a NaN of the file is refused elsewhere, by the name of its frame
                out[..., slot] = values if axis is None else values[..., axis]
            if values.dtype.kind == "f" and (np.abs(out[..., slot]) > _NEVER_WRITTEN).any():
                frame = int(np.argmax((np.abs(out[..., slot]) > _NEVER_WRITTEN).any(axis=1)))
                raise TrajectoryError(
                    f"{self.path}: frame {frames[frame]} has {name} that were never written; write x, y and z, or read up to it with end=..."
                )
            with np.errstate(invalid="ignore", over="ignore"):
                out[..., slot] *= _factor(self.path, variable)
        return out

    def record(self) -> Frames:
        plan, names = self.plan, self.plan.names
        about: list[str] = [name for name in ("mass", "q") if name in self.sources]
        first = self.table([*names, *(name for name in about if name not in names)], np.array([0]))[0]
        at = {name: slot for slot, name in enumerate([*names, *(name for name in about if name not in names)])}
        said: dict[str, np.ndarray] = {name: first[:, at[name]] for name in about}
        if plan.kinds:
            if not (np.abs(first[:, at["type"]]) < 2**31).all():
                raise TrajectoryError(f"{self.path}: frame 0 holds types that are no numbers of types; the file is damaged")
            said["type"] = first[:, at["type"]].astype(np.int64).astype(str)
        plan.meet(self.path, first, at, said)
        units, fixed = self._units()
        cell, origin, periodic = self._cell()
        self._check_frame_of_axes(first, at, cell[0], origin)
        steps, times = self._clock()
        if self.by_lammps and origin is None and self.n_frames > 1 and np.ptp(cell, axis=0).max() > 0:
            self.notes.append(MOVING_CELL)
        start = np.zeros((self.n_frames, 3)) if origin is None else origin

        def load(frames: np.ndarray) -> Block:
            table = self.table(names, frames)
            return plan.block(table, at, cell[frames], start[frames], lambda i: f"{self.path}: frame {frames[i]}")

        return Frames(
            source=str(self.path),
            kind="LAMMPS netCDF dump" if self.by_lammps else "AMBER netCDF",
            units=units,
            in_angstrom_and_ps=fixed,
            cell=cell,
            origin=origin,
            periodic=periodic,
            steps=steps,
            times=times,
            placement=plan.placement,
            columns=" ".join(plan.place),
            ids=plan.about["id"],
            labels=plan.about.get("type"),
            label_kind="type",
            types=plan.about.get("type"),
            masses=plan.about.get("mass"),
            charges=plan.about.get("q"),
            has_velocities=plan.has_velocities,
            load=load,
            notes=tuple(self.notes),
            pieces=((0, str(self.path)),),
        )

    def _units(self) -> tuple[str | None, bool]:
        """Unit system, and whether the convention leaves no choice."""
        length = next((_word(self.variables[name]) for name in ("cell_lengths", "coordinates") if _word(self.variables.get(name))), "")
        time = _word(self.variables.get("time"))
        if not self.by_lammps:
            # what the convention prescribes where nothing is said
            length, time = length or "angstrom", time or "picosecond"
        time = time or _word(self.variables.get("velocities")).partition("/")[2]
        if not length or not time:
            return None, False
        if (length, time) not in _SYSTEMS:
            raise TrajectoryError(
                f"{self.path}: is in units of {length[:40]} and {time[:40]}, which are those of no unit system of LAMMPS; pass a text dump of the run"
            )
        system = _SYSTEMS[length, time]
        return system, system == "metal" and not self.by_lammps

    def _per_frame(self, name: str, *shape: int) -> np.ndarray | None:
        """A variable of all frames, scaled; None where it is not there."""
        variable = self.variables.get(name)
        if variable is None or variable.values.dtype.kind not in "iuf":
            return None
        if variable.values.shape != (self.n_frames, *shape):
            raise TrajectoryError(f"{self.path}: {name} has the shape {variable.values.shape} for {self.n_frames} frames; the file is damaged")
        with understood(self.path), np.errstate(invalid="ignore"):
            return np.asarray(variable.values[:]).astype(np.float64) * _factor(self.path, variable)

    def _cell(self) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Cells, origins (None where the file has none), and which directions are periodic."""
        lengths, angles, origin = (self._per_frame(f"cell_{name}", 3) for name in ("lengths", "angles", "origin"))
        if lengths is None or angles is None:
            raise TrajectoryError(f"{self.path}: has no cell (cell_lengths and cell_angles); pass a trajectory of a run with a periodic box")
        for what, values in (("lengths", lengths), ("angles", angles), ("origin", origin)):
            bad = None if values is None else ~(np.abs(values) < _LARGEST).all(axis=1)
            if bad is not None and bad.any():
                raise TrajectoryError(
                    f"{self.path}: frame {int(np.argmax(bad))} has cell_{what} that were never written or are damaged; read up to it with end=..."
                )
        periodic = lengths[0] > 0
        for axis in np.flatnonzero((lengths == 0).all(axis=0)):
            lengths[:, axis] = length = self._extent(int(axis))
            self.notes.append(
                f"direction {'abc'[axis]} is not periodic and the file holds no length for it: {length:.6g}, the extent of the atoms, is taken; "
                "the volume and what depends on it (density, conductivity) mean that box"
            )
        return cell_vectors(lengths, angles), origin, periodic

    def _extent(self, axis: int) -> float:
        """Range of the positions of all frames along x, y or z."""
        name = next((names[axis] for names in (("x", "y", "z"), ("xu", "yu", "zu")) if names[axis] in self.sources), None)
        if name is None:
            raise TrajectoryError(f"{self.path}: direction {'abc'[axis]} has neither a length nor Cartesian positions; pass a text dump of the run")
        low, high = np.inf, -np.inf
        per_block = max(1, _BLOCK_BYTES // (8 * self.n_atoms))
        for begin in range(0, self.n_frames, per_block):
            values = self.table([name], np.arange(begin, min(begin + per_block, self.n_frames)))
            low, high = min(low, float(values.min())), max(high, float(values.max()))
        return high - low

    def _check_frame_of_axes(self, first: np.ndarray, at: Mapping[str, int], cell: np.ndarray, origin: np.ndarray | None) -> None:
        """LAMMPS writes positions of a general triclinic run in the user's axes, and no cell vectors in them."""
        if not self.by_lammps or origin is None or self.plan.place[:1] != ("x",) or np.count_nonzero(cell) == 3 or np.linalg.det(cell) == 0:
            return
        scaled = (first[:, [at[name] for name in "xyz"]] - origin[0]) @ np.linalg.inv(cell)
        if leaves_cell(scaled):
            raise TrajectoryError(
                f"{self.path}: frame 0 has positions outside its cell, as LAMMPS writes them with triclinic/general yes "
                "(this format holds lengths and angles, not the axes of the cell); dump without it, or as dump custom"
            )

    def _clock(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Steps (of LAMMPS) and times; neither where they cannot be told from what single precision left of them."""
        variable = self.variables.get("time")
        if variable is None or self._per_frame("time") is None:
            return None, None
        with understood(self.path):
            raw = np.asarray(variable.values[:])
        if not np.isfinite(raw).all() or (np.abs(raw) > _NEVER_WRITTEN).any():
            raise TrajectoryError(f"{self.path}: has times that were never written or are no numbers; the file is damaged")
        if not (self.by_lammps and "scale_factor" in variable.attributes):
            return None, evened(raw) * _factor(self.path, variable)
        steps = raw.astype(np.float64)
        even = len(steps) < 3 or np.ptp(np.diff(steps)) == 0
        if raw.dtype.itemsize == 4 and np.abs(steps).max() > _WHOLE_FLOAT32 and not even:
            self.notes.append("steps are in single precision and no longer whole numbers, so the times of the file are left out")
            return None, None
        if (steps != np.rint(steps)).any():
            return None, steps * _factor(self.path, variable)
        return np.rint(steps).astype(np.int64), steps * _factor(self.path, variable)


def _opened(path: Path) -> tuple[dict[str, Any], dict[str, Variable], int, int]:
    """Attributes, variables, frames that are there, and frames that should be."""
    if head(path, 8) != SIGNATURE:
        return read_cdf(OpenedFile(path))
    with understood(path):
        file = open_hdf5(path)
        attributes = {"program": attribute(file, "program")}
        variables = {
            name: Variable(item, (), {key: attribute(item, key) for key in ("units", "scale_factor") if key in item.attrs})
            for name, item in file.items()
            if hasattr(item, "shape") and item.dtype.kind in "iufS"
        }
        for variable in variables.values():
            refuse_impossible_size(path, variable.values)
        n_frames = next((variables[name].values.shape[0] for name in _VECTORS if name in variables and variables[name].values.ndim == 3), 0)
        return attributes, variables, n_frames, n_frames


def _factor(path: Path, variable: Variable) -> float:
    """What the values of a variable are multiplied with."""
    factor = variable.attributes.get("scale_factor", 1.0)
    try:
        # a float32 of 0.001 is 0.00100000005; the shortest decimal that it stands for is what was meant
        value = float(str(factor)) if isinstance(factor, np.float32) else float(factor)
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value) or value == 0:
        raise TrajectoryError(f"{path}: a scale_factor of {str(factor)[:40]} makes no numbers; the file is damaged")
    return value


def _word(variable: Variable | None) -> str:
    """The unit of a variable: lower case, singular."""
    units = "" if variable is None else variable.attributes.get("units", "")
    return units.strip().lower().removesuffix("s") if isinstance(units, str) else ""
