"""Tables of runs: a CSV or TOML file, a dict, or a list of rows, to a Series."""

import csv
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.series import Series
from mdtools.trajectory import Trajectory

__all__ = ["placed_rows", "read_rows", "rows_of"]

_KNOWN = ("name", "path", "paths", "replica")
_OPTIONS = (
    "topology",
    "units",
    "timestep",
    "frame_interval",
    "species",
    "charges",
    "masses",
    "framework",
    "temperature",
    "pressure",
    "unwrap",
    "precision",
    "begin",
    "end",
    "stride",
    "gaps",
    "log",
    "log_run",
    "velocities",
)
_INTEGERS = ("stride", "replica", "log_run")
_NUMBERS = ("temperature", "pressure")


def rows_of(table: Any) -> tuple[list[dict[str, Any]], Path]:
    """The rows of a table, and the folder its relative paths start from. Raises TrajectoryError where it is not understood."""
    if isinstance(table, (str, Path)):
        path = Path(table)
        if not path.is_file():
            raise TrajectoryError(f"{path}: there is no such table; pass a CSV or TOML file with a row for each run")
        rows = _toml(path) if path.suffix.lower() == ".toml" else _csv(path)
        folder = path.parent
    elif isinstance(table, Mapping):
        rows = [{"name": str(name), **row} if isinstance(row, Mapping) else {"name": str(name), "path": row} for name, row in table.items()]
        folder = Path()
    elif isinstance(table, Sequence):
        rows, folder = [dict(row) if isinstance(row, Mapping) else {"path": row} for row in table], Path()
    else:
        raise TrajectoryError("a series is a CSV or TOML file, a dict {name: path} or a list of rows; pass one of those")
    for number, row in enumerate(rows):
        if "path" not in row and "paths" not in row:
            raise TrajectoryError(f"row {number + 1} of the series has no path; write a column path")
        unknown = [key for key in row if key not in (*_KNOWN, *_OPTIONS)]
        if unknown:
            raise TrajectoryError(
                f"row {number + 1} of the series has unknown columns {', '.join(unknown)}; known are {', '.join((*_KNOWN, *_OPTIONS))}"
            )
        row.setdefault("name", str(row.get("path", row.get("paths"))))
    names = [row["name"] for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TrajectoryError(f"the series names {', '.join(twice)} more than once; give each run its own name")
    if not rows:
        raise TrajectoryError("the series holds no run; write a row with a path for each")
    return rows, folder


def _csv(path: Path) -> list[dict[str, Any]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    rows = []
    for row in csv.DictReader(lines, skipinitialspace=True):
        if None in row:
            raise TrajectoryError(f"{path}: a row has more fields than the head; put values that hold commas in quotes")
        cells = {key.strip(): _cell(path, key.strip(), value.strip()) for key, value in row.items() if value and value.strip()}
        # several files of one run stand in one cell
        for name in ("path", "log"):
            if isinstance(cells.get(name), str) and ";" in cells[name]:
                cells[name] = [part.strip() for part in cells[name].split(";")]
        rows.append(cells)
    return rows


def _cell(path: Path, key: str, text: str) -> Any:
    try:
        return int(text) if key in _INTEGERS else float(text) if key in _NUMBERS else text
    except ValueError:
        raise TrajectoryError(f"{path}: {key} is {text!r}, which is not a number; mend the table") from None


def _toml(path: Path) -> list[dict[str, Any]]:
    """Runs are the one array of tables; what stands beside it holds for all runs."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise TrajectoryError(f"{path}: is not a TOML file ({reason}); mend it") from None
    arrays = [key for key, value in content.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(arrays) != 1:
        raise TrajectoryError(f"{path}: needs one array of tables with a row for each run; write [[run]] above each")
    common = {key: value for key, value in content.items() if key != arrays[0]}
    return [{**common, **row} for row in content[arrays[0]]]


def read_rows(table: Any, read: Any, *, errors: Literal["keep", "raise"], options: Mapping[str, Any]) -> Series:
    """Read every row with `read`; what a row says beats `options`."""
    if errors not in ("keep", "raise"):
        raise TrajectoryError(f"errors={errors!r} is not known; pass errors='keep' or 'raise'")
    rows, folder = rows_of(table)
    names: list[str] = []
    members: list[Trajectory | Exception] = []
    listed: list[dict[str, Any]] = []
    for row in rows:
        chosen = {**options, **{key: value for key, value in row.items() if key in _OPTIONS}}
        if isinstance(chosen.get("topology"), str) and "topology" in row:
            chosen["topology"] = folder / chosen["topology"]
        if "log" in row:
            chosen["log"] = _placed(row["log"], folder)
        try:
            found = read(_placed(row.get("path", row.get("paths")), folder), **chosen)
        except (TrajectoryError, NotEnoughData) as reason:
            if errors == "raise":
                raise type(reason)(f"{row['name']}: {reason}") from None
            found = reason
        # a run that was split at its gaps is a row for each part
        parts = found.rows if isinstance(found, Series) else ({"name": ""},)
        names += [", ".join(filter(None, (row["name"], part["name"]))) for part in parts]
        members += found.members if isinstance(found, Series) else (found,)
        listed += [{**row, **part, "name": name} for part, name in zip(parts, names[-len(parts) :], strict=True)]
    return Series(names=tuple(names), members=tuple(members), rows=tuple(listed))


def placed_rows(table: Any) -> list[dict[str, Any]]:
    """The rows of a table, each of which can be read alone: its files as seen from here."""
    rows, folder = rows_of(table)
    return [{key: _placed(value, folder) if key in ("path", "paths", "log", "topology") else value for key, value in row.items()} for row in rows]


def _placed(path: Any, folder: Path) -> Any:
    """A path as seen from the folder of the table; what is not a path stays as it is."""
    if isinstance(path, (str, Path)):
        return folder / path
    if isinstance(path, (list, tuple)) and all(isinstance(part, (str, Path)) for part in path):
        return [folder / part for part in path]
    return path
