"""The .cell file that CP2K writes beside a trajectory: step, time and cell of every frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.opened import OpenedFile, head

__all__ = ["CellFile", "is_cell_file", "read_cell"]

_COLUMNS = 12  # step, time, 3 x 3 components, volume


@dataclass(frozen=True)
class CellFile:
    """steps : (row,). times : (row,) fs. cell : (row, 3, 3) angstrom, rows are the vectors."""

    steps: np.ndarray
    times: np.ndarray
    cell: np.ndarray


def is_cell_file(path: Path) -> bool:
    """Whether a file has the heading of a .cell file."""
    start = head(path, 400)
    return start.lstrip().startswith(b"#") and b"Time [fs]" in start and b"Ax [Angstrom]" in start


def read_cell(path: Path) -> CellFile:
    """The cells of a run. A last line that is cut is dropped: positions without their cell are dropped, and counted, by who asks.

    Raises TrajectoryError for a line that is not twelve numbers.
    """
    content = bytes(OpenedFile(path).bytes[:])
    lines = content.split(b"\n")
    whole = lines[:-1] if lines[-1].strip() else lines
    rows: list[list[float]] = []
    for number, line in enumerate(whole, start=1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            row = []
        if len(row) != _COLUMNS or not np.isfinite(row).all() or row[0] != int(row[0]) or abs(row[0]) > 2**53:
            raise TrajectoryError(
                f"{path}: line {number}: {line[:50].decode('ascii', 'replace')!r} is not a step, a time, nine components of a cell and its volume; "
                f"mend the file"
            )
        rows.append(row)
    if not rows:
        raise TrajectoryError(f"{path}: holds no cell; pass the .cell file of the same run")
    table = np.array(rows)
    return CellFile(steps=table[:, 0].astype(np.int64), times=table[:, 1], cell=table[:, 2:11].reshape(-1, 3, 3))
