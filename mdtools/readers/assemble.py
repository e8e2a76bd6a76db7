"""From what a file holds to a Trajectory: units, time, restarts, species, unwrapping, and a record of all that was understood.

`understand` is about the small things and reads no more than it must; the large arrays are filled afterwards (`fill`),
in memory by `assemble`, or in a store by `stream`.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.fill import Arrays, filled, unwrapper_of
from mdtools.readers.frames import Frames
from mdtools.readers.gaps import segments
from mdtools.readers.labels import both_charges, fitting, resolve_charges, resolve_masses, resolve_species
from mdtools.readers.naive import naive_schemes
from mdtools.readers.parts import parts_note, series_of_parts
from mdtools.readers.room import check_room
from mdtools.readers.standing import standing_box
from mdtools.readers.timeline import Timeline, shortened, timeline
from mdtools.readers.understood import Options, Understood
from mdtools.readers.unwrap import continuous_basis
from mdtools.series import Series
from mdtools.thermo import Thermo
from mdtools.trajectory import Trajectory
from mdtools.units import UNIT_SYSTEMS, UnitSystem

__all__ = ["assemble", "assemble_parts", "check_words", "stated_numbers", "understand", "with_naive_schemes"]


_WORDS = {"precision": ("float32", "float64"), "unwrap": ("scaled", "tor", "lattice"), "gaps": ("error", "split")}
_ASKED_FOR_UNITS = ("extended xyz", "xyz", "ASE")  # their readers were told, and follow it


def assemble(frames: Frames, options: Options) -> Trajectory:
    """The Trajectory that a file and the user's options make, in memory. Raises as `understand`, and for what is wrong in a frame."""
    return _filled(understand(frames, options))


def _filled(run: Understood) -> Trajectory:
    run = replace(run, notes=(*run.notes, *check_room(run.frames, len(run.time), np.dtype(run.options.precision).itemsize)))
    arrays = Arrays(run)
    for block in filled(run, unwrapper_of(run)):
        arrays.put(block)
    run = with_naive_schemes(run, arrays.scaled)
    return run.trajectory(scaled_positions=arrays.scaled, velocities=arrays.velocities, charges=arrays.charges)


def with_naive_schemes(run: Understood, scaled: Any) -> Understood:
    """The run, with what other ways of unwrapping would have made of its positions (an array, or what is sliced like one)."""
    weights = np.isin(run.species, run.framework).astype(np.float64) if run.framework else run.masses
    naive = naive_schemes(scaled, run.cell, run.time, run.species, weights=weights)
    return run if naive is None else replace(run, step={**run.step, "naive_unwrapping": naive})


def assemble_parts(frames: Frames, options: Options) -> Series:
    """The gapless parts of a run as a Series, so that no time origin crosses a gap. Raises as `assemble`."""
    line, system = _timeline(frames, options)
    parts = segments(line.wanted, line.breaks)
    whole = [one for one in parts if len(line.time[one]) > 1]
    left_out = [float(line.time[one][0]) for one in parts if len(line.time[one]) == 1]
    members = []
    for number, one in enumerate(whole, start=1):
        notes = parts_note(number, len(whole), left_out)
        members.append(_filled(_understood(line, one, options, system, notes=notes, step={"segment": number})))
    return series_of_parts(line.frames.source, members)


def understand(frames: Frames, options: Options) -> Understood:
    """What a file and the user's options mean. Raises TrajectoryError where something is missing or contradicts."""
    line, system = _timeline(frames, options)
    line.refuse_gaps()
    return _understood(line, line.wanted, options, system)


def _timeline(frames: Frames, options: Options) -> tuple[Timeline, UnitSystem]:
    """What can be said before any part of the run is chosen."""
    check_words(**{name: getattr(options, name) for name in _WORDS})
    stated_numbers(temperature=options.temperature, pressure=options.pressure)
    if options.log is not None:
        options = replace(options, **options.log.told(options)[0])
    system = _system(frames, options.units)
    _check_cell(frames)
    return timeline(frames, options, system), system


def check_words(**given: str) -> None:
    """Raise TrajectoryError for a precision, unwrap or gaps that is not known."""
    for name, value in given.items():
        if value not in _WORDS[name]:
            raise TrajectoryError(f"{name}={value!r} is not known; pass {name}={_either(_WORDS[name])}")


def stated_numbers(*, temperature: Any, pressure: Any) -> None:
    """Raise TrajectoryError for a temperature or pressure that is none."""
    for name, value, low, example in (("temperature", temperature, 0.0, "300 (K)"), ("pressure", pressure, -np.inf, "0.1 (GPa)")):
        try:
            sound = value is None or low < float(value) < np.inf
        except (TypeError, ValueError):
            sound = False
        if not sound:
            raise TrajectoryError(f"{name}={value!r} is no {name}; pass a number, for instance {name}={example}")


def _either(values: tuple[str, ...]) -> str:
    *first, last = map(repr, values)
    return f"{', '.join(first)} or {last}"


def _understood(
    line: Timeline, chosen: slice, options: Options, system: UnitSystem, *, notes: tuple[str, ...] = (), step: dict[str, Any] | None = None
) -> Understood:
    """The chosen ones of the frames that count. notes, step : what else is to be said of them, and to stand in their history."""
    frames, kept, time = line.frames, line.kept[chosen.start : chosen.stop], line.time[chosen]
    wanted = slice(0, len(kept), chosen.step)
    topology, of_topology = fitting(options.topology, frames)
    options = replace(options, topology=topology)
    said = [*frames.notes, *(topology.notes if topology else ()), *of_topology]
    if options.units and frames.units and options.units != frames.units and frames.kind.startswith("LAMMPS"):
        said.append(f"units={options.units} was given and beats {frames.units} of the file")
    elif options.units not in (None, "metal", "lj") and frames.in_angstrom_and_ps and not frames.kind.startswith(_ASKED_FOR_UNITS):
        said.append(f"units={options.units} has no say: positions of {frames.kind} are in angstrom, and its reader knows its times")
    said += [*line.notes, *notes]
    if frames.temperature is not None and options.temperature is None:
        options = replace(options, temperature=frames.temperature)
        said.append(f"temperature {frames.temperature:g} K is that of the thermostat in the file")
    log: Thermo | None = None
    doubts: list[str] = []
    if options.log is not None:
        log, of_log = options.log.thermo(frames, kept, line.time[chosen.start : chosen.stop], system)
        told, of_told = options.log.told(options)
        doubts = options.log.doubts(replace(options, **told))
        options = replace(options, **told)
        said += [*of_told, *of_log, *doubts]
    species = resolve_species(frames, options.species, options.topology)
    assert species.values is not None
    masses = resolve_masses(frames, species.values, system, options.masses, options.topology)
    framework = (options.framework.split(",") if isinstance(options.framework, str) else options.framework) or ()
    charges = resolve_charges(frames, species.values, options.charges, options.topology, framework)
    cell, origin = frames.cell[kept] * system.length, None if frames.origin is None else frames.origin[kept] * system.length
    standing = standing_box(cell, origin, frames.periodic)
    if standing is not None:
        cell, origin = standing.cell, standing.origin
        said.append(
            f"the box moves along {' and '.join(standing.axes)}, where it is not periodic (LAMMPS wraps it about the atoms): positions are told "
            "in a box that stays, of the mean extent, which the volume means, too"
        )
    cell, basis, flips = continuous_basis(cell, frames.source)
    shift = None
    if standing is not None:
        shift = standing.shift if basis is None else np.einsum("ti,tij->tj", standing.shift, basis)
        basis = standing.matrix if basis is None else standing.matrix @ basis
    if len(flips):
        said.append(
            f"the basis of the cell changed {len(flips)} times (box flip, first at {line.time[chosen.start + flips[0]]:g} ps): cells, positions and "
            "image flags are told in the basis of the first frame; velocities are Cartesian, so a flip leaves them as they are"
        )
    of_charges = both_charges(species.values, charges, frames, system.charge)
    for what, found, there in (("charges", charges, frames.charges), ("masses", masses, frames.masses)):
        if found.origin == f"{what}=" and there is not None:
            said.append(f"{what}= was given and beats the column of the file" + (of_charges.words if of_charges and what == "charges" else ""))
    if masses.origin.startswith("standard"):
        said.append("masses are the standard ones of the chemical symbols")
    history = {
        "step": "read",
        "source": frames.source,
        "format": frames.kind,
        "units": system.name,
        "positions": frames.columns if frames.placement != "none" else "none",
        "unwrapping": {"wrapped": "nearest image", "unwrapped": "by the file", "none": "none"}[frames.placement],
        "n_frames": len(time),
        "n_atoms": frames.n_atoms,
        "frame_interval": _interval(time),
        "time": f"from {line.clock}",
        "species": f"from {species.origin}",
        "masses": f"from {masses.origin}",
        "charges": f"from {charges.origin}",
        **({"charges_of_the_file": of_charges.of_the_file} if of_charges else {}),
        "velocities": frames.has_velocities,
        "thermo": None if log is None else f"from {log.source}",
        **{name: getattr(options, name) for name in ("timestep", "begin", "end", "stride", "precision", "unwrap", "temperature", "pressure")},
        "framework": list(framework),
        **({"pieces": shortened(line.pieces)} if line.pieces else {}),
        **({"doubts": doubts} if doubts else {}),
        **(step or {}),
    }
    return Understood(
        frames=frames,
        options=options,
        system=system,
        kept=kept,
        wanted=wanted,
        basis=basis,
        shift=shift,
        time=time,
        cell=cell[wanted],
        origin=None if origin is None else origin[wanted],
        species=species.values,
        masses=masses.values,
        charges=charges.values,
        framework=tuple(framework),
        notes=tuple(said),
        log=log,
        step=history,
    )


def _system(frames: Frames, units: str | None) -> UnitSystem:
    name = units or frames.units
    if name is None:
        raise TrajectoryError(
            f"{frames.source}: does not say in which unit system it is written; pass units='metal' (angstrom, ps) or 'real' (angstrom, fs) "
            f"or another of LAMMPS, or log= (--log) with the log of the run, which says it; on the command line --units metal"
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
