"""The thermodynamic log beside a trajectory: which run of it belongs to the frames, in our units and on their clock.

Rows are matched by the step of the integrator where frames carry it, else by time, else (VASP) by counting; never by guessing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.readers.logged import Logged
from mdtools.readers.thermo_values import values_of
from mdtools.thermo import Thermo
from mdtools.units import UNIT_SYSTEMS, UnitSystem

__all__ = ["Log", "open_log", "read_logs"]


def read_logs(paths: Any) -> list[Logged]:
    """The runs of one log or several, in the order given. Raises TrajectoryError for a file that is no log."""
    from mdtools.readers.lammps_log import read_lammps_log
    from mdtools.readers.opened import head
    from mdtools.readers.vasp_log import is_outcar, is_vasprun, read_outcar, read_vasprun

    runs: list[Logged] = []
    for path in [paths] if isinstance(paths, (str, Path)) else list(paths):
        start = head(Path(path))
        reader = read_vasprun if is_vasprun(start) else read_outcar if is_outcar(start) else read_lammps_log
        runs += reader(Path(path))
    return runs


@dataclass(frozen=True, kw_only=True, eq=False)
class Log:
    """The runs of a log that belong to the frames of a trajectory.

    by : what frames and rows have in common: "steps", "times", or "count" of ionic steps. given : units that the user named.
    """

    runs: tuple[Logged, ...]
    by: str
    frames: Frames
    given: str | None = None

    @classmethod
    def of(cls, frames: Frames, runs: Sequence[Logged], *, run: int | None = None, units: str | None = None) -> "Log":
        """Choose the runs. run : number of the run in the log, from 1, where several would do. units : what the user said.

        Raises TrajectoryError where none or several cover the frames.
        """
        if run is not None:
            if not 1 <= run <= len(runs):
                raise TrajectoryError(f"log_run={run}: the log holds the runs 1 to {len(runs)}; pass one of those")
            runs = [runs[run - 1]]
        _check_atoms(frames, runs)
        if all(one.counted for one in runs):
            out = cls(runs=tuple(runs), by="count", frames=frames, given=units)
            out._places()
            return out
        if frames.steps is not None:
            by, span = "steps", (float(frames.steps.min()), float(frames.steps.max()))
            return cls(runs=_chosen(runs, span, frames), by=by, frames=frames, given=units)
        if frames.times is None:
            raise TrajectoryError(
                f"{frames.source}: frames carry neither steps nor times, so the rows of {runs[0].source} cannot be told to belong to them; "
                "leave log= out, or pass a trajectory that holds them (LAMMPS dump)"
            )
        return cls(runs=tuple(runs), by="times", frames=frames, given=units)

    @property
    def units(self) -> str | None:
        """Name of the unit system that the log states."""
        return next((run.units for run in self.runs if run.units), None) if self.by != "count" else None

    def told(self, options: Any) -> tuple[dict[str, Any], list[str]]:
        """Options of `read` that the log states where neither the user (`options`) nor the trajectory does, and notes on them."""
        frames, source = self.frames, self.runs[0].source
        out: dict[str, Any] = {}
        notes: list[str] = []
        if options.units is None and frames.units is None and self.units:
            out["units"] = self.units
            notes.append(f"units {self.units} are those of {source}")
        name = self.units or options.units or frames.units
        timed = frames.times is not None or frames.interval is not None or options.timestep is not None or options.frame_interval is not None
        if not timed and name in UNIT_SYSTEMS:
            length = self.interval() if frames.steps is None else self.timestep(UNIT_SYSTEMS[name])
            if length is not None:
                out["frame_interval" if frames.steps is None else "timestep"] = length
                notes.append(f"the {'time between frames' if frames.steps is None else 'time step'} {length:g} is that of {source}")
        return out | self._thermostat(options, notes), notes

    def doubts(self, options: Any) -> list[str]:
        """A question where the trajectory is read in other units than those of the log."""
        read_in = options.units or self.frames.units
        if not self.units or self.frames.in_angstrom_and_ps or self.units == read_in:
            return []
        return [f"{self.runs[0].source} is in units {self.units}, the trajectory is read in {read_in}: is that a slip?"]

    def _thermostat(self, options: Any, notes: list[str]) -> dict[str, Any]:
        stated, note = self.temperature()
        if options.temperature is None and self.frames.temperature is None:
            notes += [] if note is None else [note]
            return {} if stated is None else {"temperature": stated}
        given = self.frames.temperature if options.temperature is None else options.temperature
        if stated is not None and given is not None and abs(stated - float(given)) > 1e-3 * stated:
            notes.append(f"temperature {given:g} was given and beats {stated:g} of the thermostat in {self.runs[0].source}")
        return {}

    def timestep(self, system: UnitSystem) -> float | None:
        """One step of the integrator in ps, where the log states one for all its runs."""
        stated = {run.timestep for run in self.runs}
        only = stated.pop() if len(stated) == 1 else None
        return None if only is None else only * system.time

    def interval(self) -> float | None:
        """Time between the frames in ps as VASP states it: POTIM x NBLOCK, of files whose frames are counted."""
        if self.by != "count":
            return None
        _, every = self._places()
        stated = {None if run.timestep is None else run.timestep * (1 if every else run.block) for run in self.runs}
        return stated.pop() if len(stated) == 1 else None

    def temperature(self) -> tuple[float | None, str | None]:
        """What the thermostats say, and a note on it: one temperature that was held, or none."""
        stated = {pair for run in self.runs for pair in run.thermostats}
        told = all(run.thermostats for run in self.runs)
        if not stated:
            return None, None
        first, last = next(iter(stated))
        if len(stated) == 1 and first == last and told:
            return first, f"temperature {first:g} is that of the thermostat in {self.runs[0].source}"
        words = " and ".join(sorted({f"{a:g} to {b:g}" if a != b else f"{a:g}" for a, b in stated}))
        return None, f"the thermostats of {self.runs[0].source} were set to {words}, so no temperature is stated by them"

    def system(self, default: UnitSystem) -> UnitSystem:
        """The unit system of the log: its own word, else what the user said, else that of the trajectory."""
        name = next((run.units for run in self.runs if run.units), None) or self.given
        if name is None and self.frames.in_angstrom_and_ps:
            raise TrajectoryError(
                f"{self.runs[0].source}: does not say in which units it is written; pass units='metal' or another of LAMMPS (--units)"
            )
        return default if name is None else UNIT_SYSTEMS.get(name, default)

    def thermo(self, frames: Frames, kept: np.ndarray, time: np.ndarray, system: UnitSystem) -> tuple[Thermo, list[str]]:
        """The rows from the first to the last of these frames, and notes. kept, time : (frame,) indices and ps; system : of the trajectory."""
        system = self.system(system)
        source = self.runs[0].source + (f" ... {self.runs[-1].source}" if len(self.runs) > 1 else "")
        notes = [note for run in self.runs for note in run.notes]
        parts = []
        for run in self.runs:
            values, more = values_of(run, system)
            parts.append(values)
            notes += more
        names = [name for name in parts[0] if all(name in part for part in parts)]
        left = [np.ones(len(run.steps), dtype=bool) for run in self.runs]
        if self.by != "count" and len(_sequences(self.runs)) == 1:
            # a run writes the last row of the one before it again, or supersedes its end
            left = [run.steps < min((later.first for later in self.runs[k + 1 :]), default=run.last + 1) for k, run in enumerate(self.runs)]
        steps = np.concatenate([run.steps[mask] for run, mask in zip(self.runs, left, strict=True)])
        table = {name: np.concatenate([part[name][mask] for part, mask in zip(parts, left, strict=True)]) for name in names}
        rows, at, keep_steps = self._placed(steps, table, frames, kept, time, system)
        inside = np.flatnonzero(rows)
        if np.any(np.diff(at[inside]) <= 0):
            raise TrajectoryError(
                f"{self.frames.source}: its times are those of several runs in {source} (reset_timestep?); pass log_run={len(self.runs)} "
                f"for instance, or on the command line --log-run {len(self.runs)}"
            )
        if len(inside) == 0:
            raise TrajectoryError(
                f"{self.runs[0].source}: has no row between the first and the last frame of {self.frames.source}; pass the log of this run"
            )
        values = {name: array[inside] for name, array in table.items() if name != "Time"}
        thermo = Thermo(time=at[inside], values=values, steps=steps[inside] if keep_steps else None, source=source)
        first, last = thermo.time[0], thermo.time[-1]
        spacing = float(np.median(np.diff(thermo.time))) if len(thermo) > 1 else 0.0
        if len(time) > 1 and (first - time[0] > spacing + 1e-9 or time[-1] - last > spacing + 1e-9):
            notes.append(f"{source}: covers {first:g} to {last:g} ps of a trajectory from {time[0]:g} to {time[-1]:g} ps")
        return thermo, notes

    def _placed(
        self, steps: np.ndarray, table: dict[str, np.ndarray], frames: Frames, kept: np.ndarray, time: np.ndarray, system: UnitSystem
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Which rows lie within the frames, their time in ps, and whether their steps mean something beside the frames."""
        if self.by == "count":
            return (*self._counted(kept, time), False)
        if self.by == "steps":
            assert frames.steps is not None
            own = frames.steps[kept]
            inside = (steps >= own[0]) & (steps <= own[-1])
            return inside, np.interp(steps, own, time), True
        step = self.timestep(system)
        if "Time" not in table and step is None:
            raise TrajectoryError(
                f"{self.runs[0].source}: says neither the time of its rows nor its timestep; write thermo_style custom step time ..."
            )
        at = table["Time"] * system.time if "Time" in table else steps * float(step or 0.0)
        slack = 1e-6 * max(1e-3, abs(float(time[-1])))
        return (at >= time[0] - slack) & (at <= time[-1] + slack), at, True

    def _places(self) -> tuple[np.ndarray, bool]:
        """Where the ionic steps of VASP lie among the frames (frame k is 1.0 * k), and whether each frame is one step.

        Counted file by file where there is a log for each; a log that was cut may lack the last step of its file.
        Raises TrajectoryError where the numbers do not fit.
        """
        starts = [first for first, _ in self.frames.pieces] or [0]
        if len(starts) == len(self.runs):
            parts = [(run.source, len(run.steps), run.block, start) for run, start in zip(self.runs, starts, strict=True)]
        else:
            parts = [(self.runs[0].source, sum(len(run.steps) for run in self.runs), self.runs[0].block, 0)]
        out, every = [], True
        for (source, n_rows, block, start), stop in zip(parts, [*(start for *_, start in parts[1:]), self.frames.n_frames], strict=True):
            n_frames = stop - start
            each = 0 <= n_frames - n_rows <= 1
            if not each and n_rows // block != n_frames:
                raise TrajectoryError(
                    f"{source}: holds {n_rows} ionic steps{f' with NBLOCK = {block}' if block > 1 else ''}, but {self.frames.source} {n_frames} "
                    "frames, so they are not of one run; pass the log of every file, or leave log= out"
                )
            every = every and each
            out.append(start + (np.arange(n_rows) if each else (np.arange(n_rows) + 1.0) / block - 1.0))
        return np.concatenate(out), every

    def _counted(self, kept: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places, _ = self._places()
        inside = (places >= kept[0]) & (places <= kept[-1]) & np.isin(np.ceil(places), kept)
        return inside, np.interp(places, kept, time)


def open_log(log: Any, frames: Frames, *, run: int | None, units: str | None) -> Log | None:
    """The log that was passed; of a file that is a log itself (vasprun.xml, OUTCAR) that one; else None. Raises TrajectoryError."""
    if log is not None:
        return Log.of(frames, read_logs(log), run=run, units=units)
    if run is not None:
        raise TrajectoryError(f"log_run={run} says which run of a log is meant; pass log=... too (--log)")
    if frames.runs is None:
        return None
    try:
        return Log.of(frames, frames.runs())
    except TrajectoryError:
        return None  # nobody asked for it: a relaxation, or a file cut before its first step


def _check_atoms(frames: Frames, runs: Sequence[Logged]) -> None:
    """Refuse a log of other atoms. A dump may hold some of them, a file of VASP holds all."""
    for run in runs:
        if run.n_atoms is not None and (run.n_atoms < frames.n_atoms or (run.counted and run.n_atoms != frames.n_atoms)):
            raise TrajectoryError(f"{run.source}: is of {run.n_atoms} atoms, and {frames.source} holds {frames.n_atoms}; pass the log of this run")


def _chosen(runs: Sequence[Logged], span: tuple[float, float], frames: Frames) -> tuple[Logged, ...]:
    """The runs, one continuing the other, that cover the steps of the frames. Raises TrajectoryError where none or several do."""
    first, last = span
    within = [_overlapping(sequence, span) for sequence in _sequences(runs)]
    found = [sequence for sequence in within if sequence]
    names = {_bare(piece) for _, piece in frames.pieces} | {_bare(frames.source)}
    writing = [sequence for sequence in found if any(names & {_bare(dump) for dump in run.dumps} for run in sequence)]
    found = writing or found
    covering = [sequence for sequence in found if sequence[0].first <= first and sequence[-1].last >= last]
    found = covering or found
    if not found:
        told = "; ".join(f"{run.source}: steps {run.first} to {run.last}" for run in list(runs)[:4])
        raise TrajectoryError(
            f"{frames.source}: none of the runs in the log covers its steps {first:g} to {last:g} ({told}); pass the log of this run"
        )
    if len(found) > 1:
        numbers = [list(runs).index(sequence[0]) + 1 for sequence in found]
        raise TrajectoryError(
            f"{frames.source}: its steps {first:g} to {last:g} are those of {len(found)} runs in the log ({', '.join(map(str, numbers))}: "
            f"reset_timestep?); pass log_run={numbers[-1]} for instance, or on the command line --log-run {numbers[-1]}"
        )
    return tuple(found[0])


def _sequences(runs: Sequence[Logged]) -> list[list[Logged]]:
    """Runs whose steps go on from one to the next; a restart may go back a little, a reset goes back to the start."""
    out: list[list[Logged]] = []
    for run in runs:
        if out and run.first > out[-1][0].first:
            out[-1].append(run)
        else:
            out.append([run])
    return out


def _overlapping(sequence: list[Logged], span: tuple[float, float]) -> list[Logged]:
    first, last = span
    inner = [run for run in sequence if run.last > first and run.first < last]
    return inner or [run for run in sequence if run.last >= first and run.first <= last][-1:]


def _bare(name: str) -> str:
    """Name of a file without folder and packing."""
    path = Path(name)
    return path.stem if path.suffix in (".gz", ".bz2", ".xz", ".zst") else path.name
