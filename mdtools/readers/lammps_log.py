"""LAMMPS logs: the tables of one-line, multi and yaml style, run by run, with whatever is printed between their rows."""

import re
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.lammps_input import Commands
from mdtools.readers.logged import Logged
from mdtools.readers.opened import OpenedFile

__all__ = ["read_lammps_log"]

_LOOP = re.compile(r"^Loop time of \S+ on \d+ procs.* for (\d+) steps with (\d+) atoms")
_MULTI = re.compile(r"^-{3,} Step\s+(-?\d+) -+ CPU")
_PAIR = re.compile(r"([A-Za-z_][\w\[\]./]*)\s*=\s*([-+]?(?:\d|\.\d|nan|inf)\S*)", re.IGNORECASE)
_YAML_ROW = re.compile(r"^\s*-\s*\[(.*)\]\s*$")
_COUNTED = re.compile(r"^\s*(?:Created )?(\d+) atoms$")


class _Table:
    """One run's rows as they come."""

    def __init__(self, style: str, names: list[str]) -> None:
        self.style, self.names = style, names
        self.rows: list[list[float]] = []
        self.values: dict[str, float] = {}  # of the step that is being read, multi style
        self.lost = 0
        self.n_atoms: int | None = None
        self.finished = False

    def take(self, line: str) -> None:
        """A row, a part of one, or something printed in between."""
        if self.style == "multi":
            self._take_multi(line)
            return
        words = _words_of_yaml(line) if self.style == "yaml" else line.split()
        numbers = _numbers(words)
        if numbers is None:
            return
        if len(numbers) == len(self.names):
            self.rows.append(numbers)
        elif words:
            self.lost += 1

    def _take_multi(self, line: str) -> None:
        started = _MULTI.match(line)
        if started:
            self.end_of_step()
            self.values = {"Step": float(started[1])}
        elif self.values:
            self.values |= {name: float(value) for name, value in _PAIR.findall(line) if _numbers([value])}

    def end_of_step(self, *, followed: bool = True) -> None:
        """Keep the step that was read; one with other names than the first is a broken one, and so is a first one that nothing follows."""
        if not self.values:
            return
        if not self.rows and followed:
            self.names = list(self.values)
        if list(self.values) == self.names:
            self.rows.append(list(self.values.values()))
        else:
            self.lost += 1
        self.values = {}

    def in_order(self) -> np.ndarray:
        """(row, column), without rows whose step is no whole number beyond the one before: those were printed by something else."""
        kept: list[list[float]] = []
        at = self.names.index("Step")
        for row in self.rows:
            if np.isfinite(row[at]) and row[at] == int(row[at]) and (not kept or row[at] > kept[-1][at]):
                kept.append(row)
            else:
                self.lost += 1
        return np.array(kept)


def read_lammps_log(path: Path) -> list[Logged]:
    """Every run of a log (plain or packed), minimizations apart. A row that was cut or mixed with other output is dropped and counted.

    Raises TrajectoryError for a log without any table of the column Step.
    """
    file = OpenedFile(path)
    text = bytes(file.bytes[:]).decode("utf-8", "replace")
    return _Reader(path, broken=file.broken).read(text)


class _Reader:
    def __init__(self, path: Path, *, broken: bool) -> None:
        self.path, self.broken = path, broken
        self.commands = Commands()
        self.runs: list[Logged] = []
        self.n_atoms: int | None = None
        self.table: _Table | None = None
        self.head: list[str] = []  # what may be the names of columns, if a row follows

    def read(self, text: str) -> list[Logged]:
        lines = text.split("\n")
        for line in lines[:-1]:
            self._line(line.rstrip("\r"))
        self._cut(lines[-1])
        self._close()
        if not self.runs:
            raise TrajectoryError(
                f"{self.path}: holds no table of a run with the column Step; pass the log.lammps of the run, with thermo_style custom step temp ..."
            )
        return self.runs

    def _line(self, line: str) -> None:
        loop = _LOOP.match(line)
        if loop:
            self.n_atoms = int(loop[2])
            if self.table is not None:
                self.table.n_atoms, self.table.finished = self.n_atoms, True
                self._close()
            return
        if line.startswith("LAMMPS ("):  # a log that was appended to
            self._close()
            self.commands = Commands()
        if self.table is not None and not line.startswith(("Per MPI rank memory", "Memory usage per processor")):
            if self.table.style == "yaml" and line.strip() == "...":
                self.table.finished = True
            self.table.take(line)
            return
        self._between(line)

    def _between(self, line: str) -> None:
        """A line outside of tables: the head of one, a command, or talk."""
        self._close()
        if _MULTI.match(line):
            self.table = _Table("multi", [])
            self.table.take(line)
        elif line.startswith("keywords:"):
            self.table = _Table("yaml", [word.strip("'\" ") for word in line.partition("[")[2].rstrip("] ").split(",") if word.strip("'\" ")])
        elif self.head and len(_numbers(line.split()) or ()) == len(self.head):
            self.table = _Table("one", self.head)
            self.table.take(line)
        elif "Step" in line.split() and not line.startswith("#"):
            self.head = line.split()
            return
        elif line.startswith("WARNING"):
            return
        else:
            counted = _COUNTED.match(line)
            self.n_atoms = int(counted[1]) if counted else self.n_atoms
            if line.startswith("Minimization stats") and self.runs:
                self.runs.pop()
            self.commands.read(line)
        self.head = []

    def _cut(self, line: str) -> None:
        """The last line, which has no end: its last number may have been cut, so it is not used."""
        table = self.table
        if table is None or not line:
            return
        if table.style == "multi":
            if not _MULTI.match(line):
                table.values = {}
                table.lost += 1
        elif _numbers(_words_of_yaml(line) if table.style == "yaml" else line.split()) or table.style == "yaml":
            table.lost += 1

    def _close(self) -> None:
        table, self.table = self.table, None
        if table is None:
            return
        table.end_of_step(followed=table.finished)
        if not table.rows or "Step" not in table.names or self.commands.minimizing:
            return
        number, source = len(self.runs) + 1, str(self.path)
        values = table.in_order()
        notes = []
        if table.lost:
            notes.append(f"{source}: {table.lost} row{'s' if table.lost > 1 else ''} of run {number} cut or mixed with other output, left out")
        elif not table.finished:
            notes.append(f"{source}: run {number} did not reach its end")
        columns = {name: values[:, k] for k, name in enumerate(table.names)}
        steps = np.rint(columns.pop("Step")).astype(np.int64)
        of = self.commands
        self.runs.append(
            Logged(
                source=f"{source} (run {number})",
                steps=steps,
                columns=columns,
                units=of.units,
                timestep=of.timestep,
                n_atoms=table.n_atoms or self.n_atoms,
                per_atom=of.norm,
                thermostats=tuple(of.thermostats.values()),
                dumps=frozenset(of.dumps.values()),
                commands=of.seen,
                notes=tuple(notes),
            )
        )


def _words_of_yaml(line: str) -> list[str]:
    row = _YAML_ROW.match(line)
    return [] if row is None else [word.strip() for word in row[1].split(",") if word.strip()]


def _numbers(words: list[str]) -> list[float] | None:
    """The words as numbers; None where one is not a number, or there is none."""
    try:
        return [float(word) for word in words] or None
    except ValueError:
        return None
