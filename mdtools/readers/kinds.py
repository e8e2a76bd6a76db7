"""The table of file formats: how each is told by its content or name, and who reads it. A new format is one row here.

Rows are asked in order; the first that knows the file reads it. Loading this table loads no reader.
"""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mdtools.readers.frames import Frames
    from mdtools.readers.labels import Topology

__all__ = ["KINDS", "Kind", "kind_of"]

_MDANALYSIS = (".dcd", ".xtc", ".trr", ".nc", ".ncdf", ".h5md", ".gro", ".trj", ".mdcrd", ".crdbox", ".coor")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One format: its name, what tells it, and the module whose `read_files(files, units)` gives a record of each file.

    knows : (path, first 4096 bytes unpacked, suffix without that of the packing) -> whether the file is of this kind.
    completed : the format may leave out cell or symbols, so its `read_files` also takes the topology= the user gave.
    """

    name: str
    knows: Callable[[Path, bytes, str], Any]
    module: str
    completed: bool = False

    def read(self, files: Sequence[Path], units: str | None, topology: "Topology | None" = None) -> "list[Frames]":
        more = (topology,) if self.completed else ()
        found: list[Frames] = importlib.import_module(f"mdtools.readers.{self.module}").read_files(files, units, *more)
        return found


KINDS: tuple[Kind, ...] = (
    Kind(name="LAMMPS text dump", knows=lambda path, start, suffix: start.startswith(b"ITEM:"), module="lammps_dump"),
    Kind(
        name="VASP XDATCAR",
        knows=lambda path, start, suffix: "XDATCAR" in path.name.upper() or re.search(rb"^\s*Direct configuration", start, re.MULTILINE),
        module="xdatcar",
    ),
    Kind(name="MDAnalysis", knows=lambda path, start, suffix: suffix in _MDANALYSIS, module="from_mdanalysis"),
    Kind(name="ASE", knows=lambda path, start, suffix: True, module="from_ase"),
)


def kind_of(path: Path, start: bytes, suffix: str) -> Kind:
    """The first row that knows the file."""
    return next(kind for kind in KINDS if kind.knows(path, start, suffix))
