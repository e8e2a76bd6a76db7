"""Reading: files, lists of ase.Atoms and Universes to a Trajectory, tables of runs to a Series.

Nothing is guessed: what a file does not say is asked for, and what was understood is in the notes and the history.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.series import Series
from mdtools.trajectory import Trajectory, Unwrap

if TYPE_CHECKING:
    from mdtools.readers.frames import Frames
    from mdtools.readers.labels import Topology
    from mdtools.readers.understood import Options

__all__ = ["convert", "read", "read_series", "write_store"]


def read(
    path: Any,
    *,
    topology: str | Path | None = None,
    units: str | None = None,
    timestep: float | str | None = None,
    frame_interval: float | str | None = None,
    species: Mapping[Any, str] | Sequence[str] | str | None = None,
    charges: Mapping[str, float] | Sequence[float] | str | None = None,
    masses: Mapping[str, float] | Sequence[float] | str | None = None,
    framework: Sequence[str] | str | None = None,
    temperature: float | None = None,
    pressure: float | None = None,
    unwrap: Unwrap = "scaled",
    precision: Literal["float32", "float64"] = "float32",
    begin: float | str | None = None,
    end: float | str | None = None,
    stride: int = 1,
    gaps: Literal["error", "split"] = "error",
    log: str | Path | Sequence[str] | None = None,
    log_run: int | None = None,
    velocities: Literal["file", "positions"] = "file",
) -> Trajectory:
    """Read a run: a file, several files, a list of ase.Atoms, an MDAnalysis Universe or a store.

    path : LAMMPS dump; VASP XDATCAR, vasprun.xml, OUTCAR, vaspout.h5; extended xyz, CP2K, i-PI (texts plain, gz, bz2, xz, zst);
        anything ASE or MDAnalysis reads; a store written by `write_store`; a list of files in the order of time, a folder of them,
        or a pattern (numbers in names count as numbers).
    topology : LAMMPS data file, POSCAR, PDB, ... that says what the atoms are.
    units : unit system of a LAMMPS file that does not say it: "metal", "real", "lj", ...
    timestep : one step of the integrator, ps or "1 fs". frame_interval : time between the frames in the file (before
        `stride`), ps or "0.1 ps"; it beats timestep, which beats what the file says.
    species : {type: label} or {label: new label}, one label for all atoms, or one for each (in the order of ids).
    charges, masses : e and amu, by species or for each atom; charges also (atom, 3, 3) Born tensors.
    framework : species whose mean displacement is the lattice frame. temperature : K, as stated by the thermostat.
    pressure : GPa, as stated by the barostat; runs that differ in it give an activation volume.
    unwrap : how displacements are made of scaled positions, see `Trajectory`.
    precision : of the stored positions and velocities; unwrapping is done in float64 whatever it is.
    begin, end : first and last time that is wanted, ps or with a unit. stride : take every stride-th frame of those.
    gaps : what to do where frames are missing among evenly spaced ones, or a file does not continue the one before: "error", or
        "split": a `Series` of the parts is returned instead of a Trajectory, and no time origin crosses a gap.
    log : log of LAMMPS, vasprun.xml or OUTCAR of the run (several: a list): its rows within the run become `thermo`, and what it
        states (units, time of a step, the thermostat's temperature) is taken where nothing else says it.
    log_run : number of the run in the log, from 1, where the steps of several would do.
    velocities : those of the "file", or made of "positions" by central differences, for files that have none.
    Raises TrajectoryError where something is missing or contradicts; the message ends in what to pass.

    >>> from ase.build import bulk
    >>> traj = read([bulk("NaCl", "rocksalt", a=5.64, cubic=True)] * 4, frame_interval="2 fs", charges={"Na": 1, "Cl": -1})
    >>> traj
    <Trajectory list of ase.Atoms: 8 (Na 4, Cl 4), 4 frames, 0 to 0.006 ps; frame interval 0.002 ps, run 0.006 ps>
    """
    if _is_path(path) and _is_store(Path(path)):
        given = {"topology": topology, "units": units, "timestep": timestep, "frame_interval": frame_interval, "species": species, "masses": masses}
        given |= {"log": log, "log_run": log_run}
        changed = {"charges": charges, "framework": framework, "temperature": temperature, "pressure": pressure}
        changed |= {"unwrap": unwrap if unwrap != "scaled" else None}
        stored = _read_store(Path(path), given, changed, precision=precision, begin=begin, end=end, stride=stride, gaps=gaps)
        return _finished(stored, velocities)
    from mdtools.readers.assemble import assemble, assemble_parts

    frames, options = _asked(
        path,
        topology=topology,
        units=units,
        timestep=timestep,
        frame_interval=frame_interval,
        species=species,
        charges=charges,
        masses=masses,
        framework=framework,
        temperature=temperature,
        pressure=pressure,
        unwrap=unwrap,
        precision=precision,
        begin=begin,
        end=end,
        stride=stride,
        gaps=gaps,
        log=log,
        log_run=log_run,
    )
    return _finished(assemble_parts(frames, options) if gaps == "split" else assemble(frames, options), velocities)


def read_series(table: Any, *, errors: Literal["keep", "raise"] = "keep", **options: Any) -> Series:
    """Read a table of runs: a CSV or TOML file, a dict {name: path or row}, or a list of rows.

    A row has a path (or paths) and may have name, temperature (K), pressure (GPa), replica, begin, end and every other
    option of `read`, which beats the same option given here. In a CSV several files of one run are joined by ";"; in a
    TOML file each run is a [[run]], and what stands above them holds for all. Relative paths start at the table's folder.
    errors : "keep" a run that is refused in the series with its reason, or "raise" it.
    Raises TrajectoryError for a table that is not understood.

    >>> from ase.build import bulk
    >>> cold = [bulk("Cu", cubic=True)] * 3
    >>> read_series({"300 K": {"path": cold, "temperature": 300}, "no time": cold[:2] * 2}, frame_interval=0.1)
    <Series of 2 runs: ["300 K", "no time"]>
    """
    from mdtools.readers.series import read_rows

    return read_rows(table, read, errors=errors, options=options)


def _finished(found: "Trajectory | Series", velocities: str) -> Any:
    """What was read, looked at, and with the velocities that were asked for; whoever asks for parts expects a Series."""
    from mdtools.readers.differences import velocities_from_positions
    from mdtools.readers.sanity import examined

    if velocities not in ("file", "positions"):
        raise TrajectoryError(f"velocities={velocities!r} is not known; pass velocities='file' or 'positions'")
    if isinstance(found, Series):
        return _finished_parts(found, velocities)
    looked_at = examined(found)  # with the velocities of the file: those of positions are smoothed
    return velocities_from_positions(looked_at) if velocities == "positions" else looked_at


def _finished_parts(found: Series, velocities: str) -> Series:
    """The parts of a run; one that is refused stays in the table with its reason, as long as another is not."""
    members: list[Trajectory | Exception] = []
    for one in found.members:
        try:
            members.append(_finished(one, velocities) if isinstance(one, Trajectory) else one)
        except (TrajectoryError, NotEnoughData) as reason:
            members.append(reason)
    if not any(isinstance(one, Trajectory) for one in members):
        raise next(one for one in members if isinstance(one, Exception))
    return dataclasses.replace(found, members=tuple(members))


def write_store(traj: Trajectory, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a trajectory as a Zarr store that `read` opens without loading it; see `mdtools.readers.store`."""
    from mdtools.readers.store import write_store as write

    return write(traj, path, overwrite=overwrite)


def convert(path: Any, out: str | Path, *, overwrite: bool = False, say: Callable[[str], None] = lambda text: None, **reading: Any) -> Path:
    """Files to a Zarr store that `read` opens without loading it, in bounded memory whatever the length of the run.

    path, reading : as for `read`. out : folder to make, for instance "run.zarr"; it is written beside its place and renamed.
    overwrite : replace a store that is there. say : is told in words when the work of an earlier attempt is used or given up.
    A conversion that was killed is taken up where it was when the same is asked for again and the files are the same.
    Returns the path. Raises TrajectoryError as `read`, and where something is there already.

    >>> import tempfile
    >>> from ase.build import bulk
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = convert([bulk("Cu", cubic=True)] * 3, folder + "/run.zarr", frame_interval="2 fs")
    ...     read(store).n_frames
    3
    """
    if _is_path(path) and _is_store(Path(path)):
        return write_store(read(path, **reading), out, overwrite=overwrite)
    asked = {name: one.default for name, one in inspect.signature(read).parameters.items() if one.kind is one.KEYWORD_ONLY} | reading
    if asked.pop("velocities") != "file" or asked["gaps"] != "error":
        raise TrajectoryError(
            "a store holds one run as its files hold it; pass velocities='positions' and gaps='split' to read when it is read from the store, "
            "and convert the parts of a run that was interrupted one by one with begin= and end="
        )
    from mdtools.readers.assemble import understand
    from mdtools.readers.store import check_place
    from mdtools.readers.stream import stream

    check_place(Path(out), overwrite=overwrite)
    frames, options = _asked(path, **asked)
    logs = asked["log"] if isinstance(asked["log"], (list, tuple)) else [asked["log"]]
    files = [*(name for _, name in frames.pieces), asked["topology"], *logs]
    run = understand(frames, options)
    return stream(run, Path(out), files=files, asked=asked, finish=lambda traj: _finished(traj, "file"), overwrite=overwrite, say=say)


def _asked(path: Any, *, topology: Any, log: Any, log_run: int | None, **options: Any) -> "tuple[Frames, Options]":
    """The record of what was passed, and the options with the files among them read."""
    from mdtools.readers.thermo import open_log
    from mdtools.readers.topology import read_topology
    from mdtools.readers.understood import Options

    atoms = None if topology is None else read_topology(topology)
    frames = _frames(path, options["units"], atoms)
    return frames, Options(topology=atoms, log=open_log(log, frames, run=log_run, units=options["units"]), **options)


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, Path))


def _frames(path: Any, units: str | None, topology: "Topology | None" = None) -> "Frames":
    """The record of whatever was passed."""
    if hasattr(path, "trajectory") and hasattr(path, "atoms"):
        from mdtools.readers.from_mdanalysis import frames_of_universe

        return frames_of_universe(path)
    if hasattr(path, "get_positions"):
        path = [path]
    if not _is_path(path):
        path = list(path)
        if path and all(hasattr(one, "get_positions") for one in path):
            from mdtools.readers.from_ase import frames_of_atoms

            return frames_of_atoms(path, units=units)
        if not path or not all(_is_path(one) for one in path):
            raise TrajectoryError("read takes a path, a list of paths, a list of ase.Atoms or a Universe; pass one of those")
    from mdtools.readers.chain import chain
    from mdtools.readers.files import files_of

    return chain(_records(files_of(path), units, topology))


def _records(files: list[Path], units: str | None, topology: "Topology | None") -> "list[Frames]":
    """The record of each file; all must be of one kind."""
    from mdtools.readers.files import kind_of_file

    kinds = {kind.name: kind for kind in map(kind_of_file, files)}
    if len(kinds) > 1:
        raise TrajectoryError(f"{files[0]} ... {files[-1]} are of different kinds ({', '.join(sorted(kinds))}); pass the files of one run")
    return next(iter(kinds.values())).read(files, units, topology)


def _is_store(path: Path) -> bool:
    from mdtools.readers.store import is_store

    return is_store(path)


def _read_store(
    path: Path, given: dict[str, Any], changed: dict[str, Any], *, precision: str, begin: Any, end: Any, stride: int, gaps: str
) -> "Trajectory | Series":
    """A store, a part of it, or its parts; what it knows already is not told again."""
    from mdtools.readers.assemble import check_words, stated_numbers
    from mdtools.readers.clock import part
    from mdtools.readers.gaps import breaks, segments
    from mdtools.readers.parts import parts_note, series_of_parts
    from mdtools.readers.store import read_store

    told = [name for name, value in given.items() if value is not None]
    if told:
        raise TrajectoryError(
            f"{path}: a store knows its {', '.join(told)} already; leave {'= and '.join(told)}= out, or read the file it was made from"
        )
    check_words(precision=precision, unwrap=changed["unwrap"] or "scaled", gaps=gaps)
    stated_numbers(temperature=changed["temperature"], pressure=changed["pressure"])
    traj = read_store(path)
    if precision == "float64" and any(values is not None and values.dtype != precision for values in (traj.scaled_positions, traj.velocities)):
        raise TrajectoryError(f"{path}: holds float32, of which precision='float64' makes no more; convert the files again with it")
    wanted = part(traj.time, str(path), begin=begin, end=end, stride=stride, reduced=traj.reduced)
    step = {"step": "read", "source": str(path), "format": "store", "begin": begin, "end": end, "stride": stride}
    if gaps != "split":
        return _changed(traj if wanted == slice(0, traj.n_frames, 1) else read_store(path, wanted), step, changed)
    parts = segments(slice(0, traj.n_frames, 1), breaks(traj.time))
    parts = [slice(max(one.start, wanted.start), min(one.stop, wanted.stop), wanted.step) for one in parts]
    whole = [one for one in parts if len(traj.time[one]) > 1]
    left_out = [float(traj.time[one][0]) for one in parts if len(traj.time[one]) == 1]
    members = []
    for number, one in enumerate(whole, start=1):
        member = read_store(path, one)
        notes = member.notes + parts_note(number, len(whole), left_out)
        members.append(dataclasses.replace(_changed(member, step | {"segment": number}, changed), notes=notes))
    return series_of_parts(str(path), members)


def _changed(traj: Trajectory, step: dict[str, Any], changed: dict[str, Any]) -> Trajectory:
    """What a store holds, with what the user says differently."""
    new = {name: value for name, value in changed.items() if value is not None}
    traj = traj.replace(step=step, **{name: value for name, value in new.items() if name in ("temperature", "pressure", "unwrap")})
    if "framework" in new:
        traj = traj.with_framework(new["framework"].split(",") if isinstance(new["framework"], str) else new["framework"])
    if "charges" in new:
        from mdtools.readers.labels import pairs

        traj = traj.with_charges(pairs(new["charges"]))
    return traj
