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

_CP2K = re.compile(rb"\s*\d+[ \t\r]*\n\s*i\s*=\s*\d+\s*,\s*time\s*=|\s*#\s*Step\s+Time \[fs\]\s+Ax \[Angstrom\]")
_IPI = re.compile(rb"\s*\d+[ \t\r]*\n\s*#?\s*CELL\s*[({]\s*(?:abcABC|H|GENH)\s*[)}]")
_XYZ = (".extxyz", ".xyz", ".exyz")
_BINARY = (b"DUMPATOM", b"DUMPCUST")
_MDANALYSIS = (".gro", ".trj", ".mdcrd", ".crdbox", ".coor")


def _is_vaspout(path: Path) -> bool:
    """Whether an HDF5 file is VASP's: only its inside tells."""
    from mdtools.readers.vaspout import is_vaspout

    return is_vaspout(path)


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
    Kind(name="LAMMPS text dump", knows=lambda path, start, suffix: b"ITEM:" in start, module="lammps_dump"),
    Kind(
        name="LAMMPS binary dump",
        knows=lambda path, start, suffix: start[8:16] in _BINARY or start[4:12] in _BINARY or suffix in (".bin", ".lammpsbin"),
        module="lammps_binary",
    ),
    Kind(
        name="LAMMPS yaml dump",
        # the logs that LAMMPS writes in yaml have neither of these lines
        knows=lambda path, start, suffix: start.lstrip().startswith(b"---") and b"\ntimestep:" in start and b"\nnatoms:" in start,
        module="lammps_yaml",
    ),
    Kind(
        name="VASP XDATCAR",
        knows=lambda path, start, suffix: "XDATCAR" in path.name.upper() or re.search(rb"^\s*Direct configuration", start, re.MULTILINE),
        module="xdatcar",
        completed=True,
    ),
    Kind(name="VASP vasprun.xml", knows=lambda path, start, suffix: b"<modeling>" in start, module="vasprun"),
    Kind(name="VASP OUTCAR", knows=lambda path, start, suffix: re.match(rb"\s*vasp\.\d", start), module="outcar"),
    Kind(name="VASP vaspout.h5", knows=lambda path, start, suffix: start.startswith(b"\x89HDF") and _is_vaspout(path), module="vaspout"),
    Kind(name="CP2K", knows=lambda path, start, suffix: _CP2K.match(start), module="cp2k", completed=True),
    Kind(name="i-PI", knows=lambda path, start, suffix: _IPI.match(start), module="ipi"),
    Kind(
        name="extended xyz",
        knows=lambda path, start, suffix: suffix in _XYZ or re.match(rb"\s*\d+[ \t\r]*\n[^\n]*\b(Lattice|Properties)\s*=", start),
        module="extxyz",
        completed=True,
    ),
    Kind(
        name="netCDF",
        knows=lambda path, start, suffix: start[:4] in (b"CDF\1", b"CDF\2", b"CDF\5") or suffix in (".nc", ".ncdf"),
        module="netcdf",
    ),
    Kind(name="H5MD", knows=lambda path, start, suffix: suffix == ".h5md" or _has_group(path, start, "h5md"), module="h5md"),
    Kind(name="DCD", knows=lambda path, start, suffix: start[4:8] == b"CORD" or suffix == ".dcd", module="dcd"),
    Kind(name="XTC or TRR", knows=lambda path, start, suffix: suffix in (".xtc", ".trr"), module="gromacs"),
    Kind(name="MDAnalysis", knows=lambda path, start, suffix: suffix in _MDANALYSIS, module="from_mdanalysis"),
    Kind(name="ASE", knows=lambda path, start, suffix: True, module="from_ase"),
)


def _has_group(path: Path, start: bytes, name: str) -> bool:
    if not start.startswith(b"\x89HDF"):
        return False
    from mdtools.readers.hdf5 import has_group

    return has_group(path, name)


def kind_of(path: Path, start: bytes, suffix: str) -> Kind:
    """The first row that knows the file."""
    return next(kind for kind in KINDS if kind.knows(path, start, suffix))
