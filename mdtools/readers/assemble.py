"""From what a file holds to a Trajectory: units, time, restarts, species, unwrapping, and a record of all that was understood.

`understand` is about the small things and reads no more than it must; the large arrays are filled afterwards (`fill`),
in memory by `assemble`, or in a store by `stream`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.clock import kept_frames, part, time_axis
from mdtools.readers.fill import Arrays, filled, unwrapper_of
from mdtools.readers.frames import Frames
from mdtools.readers.labels import Topology, resolve_charges, resolve_masses, resolve_species
from mdtools.readers.unwrap import continuous_basis
from mdtools.trajectory import Trajectory
from mdtools.units import UNIT_SYSTEMS, UnitSystem

__all__ = ["Options", "Understood", "assemble", "understand"]


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
    unwrap: Any = "scaled"
    precision: str = "float32"
    begin: float | str | None = None
    end: float | str | None = None
    stride: int = 1


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What a file and the user's options mean: everything of a run but its large arrays, in our units.

    kept : (kept frame,) indices of the frames that count. wanted : of those, as a slice. basis : (kept frame, 3, 3) or None,
    see `continuous_basis`. time, cell, origin : of the wanted frames. charges : None where they come with the frames.
    """

    frames: Frames
    options: Options
    system: UnitSystem
    kept: np.ndarray
    wanted: slice
    basis: np.ndarray | None
    time: np.ndarray
    cell: np.ndarray
    origin: np.ndarray | None
    species: np.ndarray
    masses: np.ndarray | None
    charges: np.ndarray | None
    framework: tuple[str, ...]
    notes: tuple[str, ...]
    step: dict[str, Any]

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
            ids=self.frames.ids,
            origin=self.origin,
            unwrap=self.options.unwrap,
            reduced=self.system.name == "lj",
            source=self.frames.source,
            notes=notes,
            history=({**self.step, "notes": list(notes)},),
        )


def assemble(frames: Frames, options: Options) -> Trajectory:
    """The Trajectory that a file and the user's options make, in memory. Raises as `understand`, and for what is wrong in a frame."""
    run = understand(frames, options)
    arrays = Arrays(run)
    for block in filled(run, unwrapper_of(run)):
        arrays.put(block)
    return run.trajectory(scaled_positions=arrays.scaled, velocities=arrays.velocities, charges=arrays.charges)


def understand(frames: Frames, options: Options) -> Understood:
    """What a file and the user's options mean. Raises TrajectoryError where something is missing or contradicts."""
    if options.precision not in ("float32", "float64"):
        raise TrajectoryError(f"precision={options.precision!r} is not known; pass precision='float32' or 'float64'")
    if options.unwrap not in ("scaled", "tor", "lattice"):
        raise TrajectoryError(f"unwrap={options.unwrap!r} is not known; pass unwrap='scaled', 'tor' or 'lattice'")
    system = _system(frames, options.units)
    notes = [*frames.notes, *(options.topology.notes if options.topology else ())]
    if options.units and frames.units and options.units != frames.units and frames.kind.startswith("LAMMPS"):
        notes.append(f"units={options.units} was given and beats {frames.units} of the file")
    _check_cell(frames)
    kept, dropped = kept_frames(frames)
    notes += dropped
    time, clock = time_axis(frames, kept, system, timestep=options.timestep, frame_interval=options.frame_interval)
    if (frames.times is not None or frames.interval is not None) and clock not in ("the file", "a single frame"):
        notes.append(f"{clock}= was given and beats the times of the file")
    if frames.temperature is not None and options.temperature is None:
        options = replace(options, temperature=frames.temperature)
        notes.append(f"temperature {frames.temperature:g} K is that of the thermostat in the file")
    wanted = part(time, frames.source, begin=options.begin, end=options.end, stride=options.stride)
    species = resolve_species(frames, options.species, options.topology)
    assert species.values is not None
    masses = resolve_masses(frames, species.values, system, options.masses, options.topology)
    charges = resolve_charges(frames, species.values, options.charges, options.topology)
    cell, basis, flips = continuous_basis(frames.cell[kept][: wanted.stop] * system.length, frames.source)
    if len(flips):
        notes.append(
            f"the basis of the cell changed {len(flips)} times (box flip, first at {time[flips[0]]:g} ps): cells, positions and image flags are told in "
            "the basis of the first frame; velocities are Cartesian, so a flip leaves them as they are"
        )
    for what, found, there in (("charges", charges, frames.charges), ("masses", masses, frames.masses)):
        if found.origin == f"{what}=" and there is not None:
            notes.append(f"{what}= was given and beats the column of the file")
    if masses.origin.startswith("standard"):
        notes.append("masses are the standard ones of the chemical symbols")
    framework = (options.framework.split(",") if isinstance(options.framework, str) else options.framework) or ()
    step = {
        "step": "read",
        "source": frames.source,
        "format": frames.kind,
        "units": system.name,
        "positions": frames.columns if frames.placement != "none" else "none",
        "unwrapping": {"wrapped": "nearest image", "unwrapped": "by the file", "none": "none"}[frames.placement],
        "n_frames": len(time[wanted]),
        "n_atoms": frames.n_atoms,
        "frame_interval": _interval(time[wanted]),
        "time": f"from {clock}",
        "species": f"from {species.origin}",
        "masses": f"from {masses.origin}",
        "charges": f"from {charges.origin}",
        "velocities": frames.has_velocities,
        **{name: getattr(options, name) for name in ("timestep", "begin", "end", "stride", "precision", "unwrap", "temperature")},
        "framework": list(framework),
    }
    return Understood(
        frames=frames,
        options=options,
        system=system,
        kept=kept,
        wanted=wanted,
        basis=basis,
        time=time[wanted],
        cell=cell[wanted],
        origin=None if frames.origin is None else frames.origin[kept][wanted] * system.length,
        species=species.values,
        masses=masses.values,
        charges=charges.values,
        framework=tuple(framework),
        notes=tuple(notes),
        step=step,
    )


def _system(frames: Frames, units: str | None) -> UnitSystem:
    name = units or frames.units
    if name is None:
        raise TrajectoryError(
            f"{frames.source}: does not say in which unit system it is written; pass units='metal' (angstrom, ps) or 'real' (angstrom, fs) "
            f"or another of LAMMPS, or on the command line --units metal"
        )
    if name not in UNIT_SYSTEMS:
        raise TrajectoryError(f"{frames.source}: units {name!r} are not known; pass one of {', '.join(UNIT_SYSTEMS)}")
    return UNIT_SYSTEMS["metal" if frames.in_angstrom_and_ps and name != "lj" else name]


def _check_cell(frames: Frames) -> None:
    lengths = np.linalg.norm(frames.cell, axis=2).prod(axis=1)
    flat = ~(np.abs(np.linalg.det(frames.cell)) > 1e-9 * lengths)
    if flat.any():
        raise TrajectoryError(
            f"{frames.where(int(np.argmax(flat)))} has no cell, or one of zero volume; "
            "pass a format that holds the cell (LAMMPS dump, XDATCAR, extxyz with Lattice)"
        )


def _interval(time: np.ndarray) -> float | None:
    steps = np.diff(time)
    even = len(steps) > 0 and np.ptp(steps) <= 1e-4 * np.mean(steps)
    return round(float(steps.mean()), 12) if even else None
