"""What the user said of a run, and what its files and these words mean together: values that the steps of reading hand on."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools.readers.frames import Frames
from mdtools.readers.labels import Topology
from mdtools.readers.thermo import Log
from mdtools.thermo import Thermo
from mdtools.trajectory import Trajectory
from mdtools.units import UnitSystem

__all__ = ["Options", "Understood"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user said: the keywords of `read`."""

    topology: Topology | None = None
    units: str | None = None
    timestep: float | str | None = None
    frame_interval: float | str | None = None
    species: Any = None
    charges: Any = None
    masses: Any = None
    framework: Any = None
    temperature: float | None = None
    pressure: float | None = None
    unwrap: Any = "scaled"
    precision: str = "float32"
    begin: float | str | None = None
    end: float | str | None = None
    stride: int = 1
    gaps: str = "error"
    log: Log | None = None


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What a file and the user's options mean: everything of a run but its large arrays, in our units.

    kept : (kept frame,) indices of the frames that count. wanted : of those, as a slice. basis, shift : (kept frame, 3, 3) and
    (kept frame, 3), or None: see `continuous_basis` and `standing_box`. time, cell, origin : of the wanted frames. charges : None
    where they come with the frames.
    """

    frames: Frames
    options: Options
    system: UnitSystem
    kept: np.ndarray
    wanted: slice
    basis: np.ndarray | None
    shift: np.ndarray | None
    time: np.ndarray
    cell: np.ndarray
    origin: np.ndarray | None
    species: np.ndarray
    masses: np.ndarray | None
    charges: np.ndarray | None
    framework: tuple[str, ...]
    notes: tuple[str, ...]
    step: dict[str, Any]
    log: Thermo | None = None

    def trajectory(self, *, scaled_positions: Any, velocities: Any, charges: Any) -> Trajectory:
        """The run with its large arrays. charges : those that came with the frames; they may have changed with time."""
        shape = (len(self.time), self.frames.n_atoms)
        changing = self.charges is None and charges is not None and tuple(charges.shape) == shape
        notes = (*self.notes, *(("charges change with time and are kept for every frame",) if changing else ()))
        return Trajectory(
            scaled_positions=scaled_positions,
            cell=self.cell,
            time=self.time,
            species=self.species,
            masses=self.masses,
            charges=charges if self.charges is None else self.charges,
            velocities=velocities,
            framework=self.framework,
            temperature=None if self.options.temperature is None else float(self.options.temperature),
            pressure=None if self.options.pressure is None else float(self.options.pressure),
            log=self.log,
            ids=self.frames.ids,
            origin=self.origin,
            unwrap=self.options.unwrap,
            reduced=self.system.name == "lj",
            source=self.frames.source,
            notes=notes,
            history=({**self.step, "notes": list(notes)},),
        )
