"""From what a file holds to a Trajectory: units, time, restarts, species, unwrapping, and a record of all that was understood."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mdtools import progress
from mdtools.errors import TrajectoryError
from mdtools.readers.clock import kept_frames, part, time_axis
from mdtools.readers.frames import Frames
from mdtools.readers.labels import Topology, resolve_charges, resolve_masses, resolve_species
from mdtools.readers.unwrap import Unwrapper, continuous_basis
from mdtools.trajectory import Trajectory
from mdtools.units import UNIT_SYSTEMS, UnitSystem

__all__ = ["Options", "assemble"]

_BLOCK_BYTES = 2**21  # of a table of numbers: it stays in the cache of the processor between its passes


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


@dataclass
class _Arrays:
    """The large arrays, filled block by block."""

    scaled: np.ndarray | None
    velocities: np.ndarray | None
    charges: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)


def assemble(frames: Frames, options: Options) -> Trajectory:
    """The Trajectory that a file and the user's options make. Raises TrajectoryError where something is missing or contradicts."""
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
    if frames.times is not None and clock != "the file":
        notes.append(f"{clock}= was given and beats the times of the file")
    wanted = part(time, frames.source, begin=options.begin, end=options.end, stride=options.stride)
    species = resolve_species(frames, options.species, options.topology)
    assert species.values is not None
    masses = resolve_masses(frames, species.values, system, options.masses, options.topology)
    charges = resolve_charges(frames, species.values, options.charges, options.topology)
    cell, basis, flips = continuous_basis(frames.cell[kept][: wanted.stop] * system.length, frames.source)
    if flips:
        notes.append(f"the basis of the cell changed {flips} times (box flip) and was carried through")
    for what, found, there in (("charges", charges, frames.charges), ("masses", masses, frames.masses)):
        if found.origin == f"{what}=" and there is not None:
            notes.append(f"{what}= was given and beats the column of the file")
    if masses.origin.startswith("standard"):
        notes.append("masses are the standard ones of the chemical symbols")
    arrays = _fill(frames, kept, wanted, basis, options, system, need_charges=charges.values is None)
    notes += arrays.notes
    framework = (options.framework.split(",") if isinstance(options.framework, str) else options.framework) or ()
    understood = {
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
        "notes": notes,
    }
    return Trajectory(
        scaled_positions=arrays.scaled,
        cell=cell[wanted],
        time=time[wanted],
        species=species.values,
        masses=masses.values,
        charges=charges.values if charges.values is not None else arrays.charges,
        velocities=arrays.velocities,
        framework=tuple(framework),
        temperature=None if options.temperature is None else float(options.temperature),
        ids=frames.ids,
        origin=None if frames.origin is None else frames.origin[kept][wanted] * system.length,
        unwrap=options.unwrap,
        reduced=system.name == "lj",
        source=frames.source,
        notes=tuple(notes),
        history=(understood,),
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


def _fill(
    frames: Frames, kept: np.ndarray, wanted: slice, basis: np.ndarray | None, options: Options, system: UnitSystem, *, need_charges: bool
) -> _Arrays:
    """Read block by block, so that beside the result only one block is in memory."""
    # the nearest image needs every frame from the first wanted one on; unwrapped positions need only the wanted ones
    dense = slice(wanted.start, wanted.stop) if frames.placement == "wrapped" else wanted
    positions = np.arange(len(kept))[dense]
    stride = options.stride if frames.placement == "wrapped" else 1
    shape = (len(range(*wanted.indices(len(kept)))), frames.n_atoms, 3)
    out = _Arrays(
        scaled=None if frames.placement == "none" else np.empty(shape, options.precision),
        velocities=np.empty(shape, options.precision) if frames.has_velocities else None,
    )
    unwrapper = Unwrapper(frames, basis, keep_home=options.unwrap == "lattice")
    per_block = max(1, _BLOCK_BYTES // (frames.n_atoms * 100))
    for first in range(0, len(positions), per_block):
        which = positions[first : first + per_block]
        block = frames.load(kept[which])
        rows = np.arange(first, first + len(which))
        chosen = rows % stride == 0
        goal = slice(int(-(-first // stride)), int(-(-first // stride)) + int(chosen.sum()))
        for name, values in (("positions", block.scaled), ("velocities", block.velocities), ("charges", block.charges)):
            _check_finite(frames, name, values, kept[which])
        if out.scaled is not None and block.scaled is not None:
            out.scaled[goal] = unwrapper.extend(block.scaled, which, kept[which])[chosen]
        if out.velocities is not None and block.velocities is not None:
            out.velocities[goal] = block.velocities[chosen] * system.velocity
        if need_charges and block.charges is not None:
            _keep_charges(out, block.charges[chosen] * system.charge, goal, shape)
        progress.advance(first + len(which), len(positions), "frames", n_bytes=_n_bytes(block.scaled, block.velocities))
    return out


def _n_bytes(*parts: np.ndarray | None) -> int:
    return sum(part.nbytes for part in parts if part is not None)


def _keep_charges(out: _Arrays, charges: np.ndarray, goal: slice, shape: tuple[int, ...]) -> None:
    """One charge per atom as long as it never changes, else one per frame and atom."""
    if len(charges) == 0:
        return
    if out.charges is None:
        out.charges = charges[0]
    if out.charges.ndim == 1:
        if np.array_equal(charges, np.broadcast_to(out.charges, charges.shape)):
            return
        out.charges = np.broadcast_to(out.charges, shape[:2]).copy()
        out.notes.append("charges change with time and are kept for every frame")
    out.charges[goal] = charges


def _check_finite(frames: Frames, name: str, values: np.ndarray | None, which: np.ndarray) -> None:
    if values is not None and not np.isfinite(values).all():
        frame, atom = np.argwhere(~np.isfinite(values))[0][:2]
        raise TrajectoryError(
            f"{frames.where(int(which[frame]))}: {name} of atom id {frames.ids[atom]} are not finite numbers; "
            "the run blew up or the file is damaged: read up to it with end=..."
        )
