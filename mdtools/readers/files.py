"""Which files are meant by a path, a folder, a pattern or a list: numbers in names count as numbers."""

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdtools.errors import TrajectoryError

if TYPE_CHECKING:
    from mdtools.readers.kinds import Kind

__all__ = ["files_of", "kind_of_file"]


def files_of(path: Any) -> list[Path]:
    """The files of one run in the order in which they are meant: that of a list, else that of the numbers in their names.

    path : a file; a folder that holds trajectories, or folders with one each (run1/XDATCAR, run2/XDATCAR ...); a pattern; a list
    of files. Raises TrajectoryError where nothing is found, or trajectories of several kinds.
    """
    if not isinstance(path, (str, Path)):
        return [Path(one) for one in path]
    if Path(path).is_dir():
        return _of_folder(Path(path))
    if Path(path).exists() or not glob.has_magic(str(path)):
        return [Path(path)]
    found = sorted(glob.glob(str(path)), key=_numbers_count)
    if not found:
        raise TrajectoryError(f"{path}: no file has such a name; check the pattern")
    return [Path(one) for one in found]


def _numbers_count(name: str | Path) -> list[tuple[int, int, str]]:
    """Key that puts run.25 before run.100."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", str(name))]


def _of_folder(folder: Path) -> list[Path]:
    inside = sorted((one for one in folder.iterdir() if not one.name.startswith(".")), key=_numbers_count)
    found = _trajectories(inside) or _trajectories([file for one in inside if one.is_dir() for file in sorted(one.iterdir(), key=_numbers_count)])
    kinds = {kind: path for path, kind in reversed(found)}
    if len(kinds) > 1:
        listed = ", ".join(f"{path.name} ({kind})" for kind, path in sorted(kinds.items()))
        raise TrajectoryError(
            f"{folder}: is a folder with trajectories of several kinds: {listed}; pass a file, or a pattern in quotes: '{folder}/*...'"
        )
    if not found:
        raise TrajectoryError(
            f"{folder}: is a folder, but neither a store of mdtools nor one with trajectories in it; "
            f"pass a file, or a pattern in quotes: '{folder}/*...'"
        )
    return [path for path, _ in found]


def _trajectories(paths: list[Path]) -> list[tuple[Path, str]]:
    """Those of some files that a reader of ours knows by content or name, and its name; what is left to ASE to guess does not count."""
    from mdtools.readers.kinds import KINDS

    out = []
    for path in paths:
        if path.is_file() and path.stat().st_size:
            kind = kind_of_file(path)
            if kind is not KINDS[-1]:
                out.append((path, kind.name))
    return out


def kind_of_file(path: Path) -> "Kind":
    """The format of a file. Raises TrajectoryError for one that cannot be opened, is empty or damaged, or is a folder."""
    from mdtools.readers.kinds import kind_of
    from mdtools.readers.opened import OpenedFile, head, unpacked_suffix

    if path.is_dir():
        raise TrajectoryError(f"{path}: is a folder; pass a file, or a pattern such as '{path}/*.lammpstrj'")
    start = head(path)
    if not start:
        OpenedFile(path).open()  # raises, and says whether the file is empty or damaged
    return kind_of(path, start, unpacked_suffix(path))
