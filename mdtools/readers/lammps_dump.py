"""LAMMPS text dumps, custom and atom style: the rows of their frames as numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers import rows
from mdtools.readers.frames import Frames
from mdtools.readers.lammps_columns import Columns, records
from mdtools.readers.lammps_header import Header, index_dump, real
from mdtools.readers.opened import OpenedFile

__all__ = ["TextDump", "read_dump", "read_dumps", "read_files"]


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """Several dumps; their units are in the files, or resolved later."""
    return read_dumps(files)


def read_dump(path: Path) -> Frames:
    """A LAMMPS text dump (custom or atom style), plain or packed. Raises TrajectoryError where it cannot be trusted."""
    return read_dumps([path])[0]


def read_dumps(paths: Sequence[Path]) -> list[Frames]:
    """Several dumps, each a record of its own."""
    return records(paths, TextDump)


class TextDump:
    """An open text dump; see `lammps_columns.Dump`."""

    kind = "LAMMPS text dump"

    def __init__(self, path: Path) -> None:
        self.file = OpenedFile(path)
        self.headers, self.notes = self.index()

    def index(self) -> tuple[list[Header], list[str]]:
        return index_dump(self.file)

    def rows_of(self, headers: Sequence[Header]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bytes that hold the rows of frames, and where those of each start and stop in them."""
        starts, stops = (np.array([getattr(h, name) for h in headers], dtype=np.int64) for name in ("start", "stop"))
        return self.file.array, starts, stops

    def plan(self) -> Columns:
        return Columns(self.file.path, self.headers[0].columns)

    def at(self, plan: Columns) -> Mapping[str, int]:
        return {name: slot for slot, name in enumerate(plan.names)}

    def table(self, plan: Columns, frames: np.ndarray) -> np.ndarray:
        headers = [self.headers[i] for i in frames]
        for header, frame in zip(headers, frames, strict=True):
            # before memory is asked for: a row takes at least two bytes
            if 2 * header.n_atoms > header.stop - header.start:
                raise TrajectoryError(
                    f"{self.file.path}: frame {frame} (step {header.step}) announces {header.n_atoms} atoms, but is too short for them; mend the file"
                )
        slots = np.full(len(plan.columns), rows.SKIP, dtype=np.int64)
        for slot, name in enumerate(plan.names):
            slots[plan.columns.index(name)] = slot + (rows.WORD if name in plan.kinds else 0)
        out = np.empty((len(headers), headers[0].n_atoms, len(plan.names)))
        text, starts, stops = self.rows_of(headers)
        status, frame, row, at = rows.parse_rows(text, starts, stops, slots, False, out)
        if status != rows.GOOD:
            self._refuse(status, headers[frame], frames[frame], row, headers[frame].start + at - int(starts[frame]))
        return out

    def said(self, plan: Columns, table: np.ndarray) -> dict[str, np.ndarray]:
        text, starts, stops = self.rows_of(self.headers[:1])
        lines = text[starts[0] : stops[0]].tobytes().decode("ascii", "replace").split("\n")
        cells = [line.split() for line in lines[: len(table)]]
        out = {name: np.array([row[plan.columns.index(name)] for row in cells]) for name in plan.kinds}
        for name in ("mass", "q"):
            if name in plan.columns:
                out[name] = self._numbers([row[plan.columns.index(name)] for row in cells], name)
        return out

    def _numbers(self, words: Sequence[str], name: str) -> np.ndarray:
        try:
            return np.array([real(word) for word in words])
        except ValueError as reason:
            raise TrajectoryError(f"{self.file.path}: frame 0 has a column {name} that is not of numbers ({reason}); mend the file") from None

    def _refuse(self, status: int, header: Header, frame: int, row: int, at: int) -> None:
        """Raise for what the parser found in a row. at : byte of the file."""
        where = f"{self.file.path}: frame {frame} (step {header.step}), line {self.file.line(min(at, len(self.file.array) - 1))}"
        if status == rows.BAD_NUMBER:
            what = f"{(self.file.text_of_line(at).split() or ['nothing'])[0]!r} is not a number"
        elif status in (rows.FEW_ROWS, rows.MANY_ROWS):
            what = f"{header.n_atoms} atoms are announced, {row if status == rows.FEW_ROWS else 'more'} rows are there"
        else:
            what = f"the row of atom {row + 1} has {'fewer' if status == rows.SHORT_ROW else 'more'} columns than {' '.join(header.columns)}"
        raise TrajectoryError(f"{where}: {what}; mend the file or leave this frame out with begin= or end=")
