"""Density maps as files that VESTA, ASE and others draw: Gaussian cube, and CHGCAR of VASP."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from mdtools.errors import TrajectoryError
from mdtools.units import BOHR

__all__ = ["is_volumetric", "write_density"]


def is_volumetric(path: str | Path) -> bool:
    """Whether a name asks for a cube or a CHGCAR."""
    path = Path(path)
    return path.suffix.lower() == ".cube" or path.name.upper().startswith("CHGCAR")


def write_density(density_map: xr.Dataset, *, out: str | Path, species: str | None = None) -> list[Path]:
    """Write the map of a species, mean of its windows, with the sites as atoms: NAME.cube or CHGCAR.

    species : which one; all of them unless said, each in a file of its own with its name before the suffix (x.F.cube, CHGCAR.F)
        where there are several.

    A cube holds ions per bohr^3 on lengths in bohr, a CHGCAR ions per volume times the volume of the cell, as VASP does. Files are
    written beside their place and renamed. Returns the paths.
    Raises TrajectoryError for another name, or a species that is not in the map.
    """
    path = Path(out)
    names = [str(name) for name in np.atleast_1d(density_map["species"].values)]
    if not is_volumetric(path):
        raise TrajectoryError(f"a density is written as NAME.cube or CHGCAR, not as {path.name}: pass out=... with such a name (--out)")
    if species is not None and species not in names:
        raise TrajectoryError(f"there is no species {species} in this density map; it has {', '.join(names)}")
    chosen = names if species is None else [species]
    cube = path.suffix.lower() == ".cube"
    write: Callable[[xr.Dataset, str, np.ndarray], str] = _cube if cube else _chgcar
    written = []
    for name in chosen:
        to = path if len(chosen) == 1 else path.with_suffix(f".{name}.cube") if cube else path.with_name(f"{path.name}.{name}")
        one = density_map["density_map"].sel(species=name) if "species" in density_map["density_map"].dims else density_map["density_map"]
        values = one.mean("window") if "window" in one.dims else one
        text = write(density_map, name, values.transpose("along_a", "along_b", "along_c").values)
        beside = to.with_name(f".{to.name}.part")
        beside.write_text(text)
        os.replace(beside, to)
        written.append(to)
    return written


def _cube(data: xr.Dataset, name: str, values: np.ndarray) -> str:
    """Lengths in bohr, the last index fastest, six values a line and a new line for every row along c."""
    lattice = data["lattice"].values / BOHR
    positions = data["site_position"].values @ lattice
    lines = [f"mean density of {name}, mdtools", "ions per bohr^3; atoms: peaks of the density", f"{len(positions):5d} {0:12.6f} {0:12.6f} {0:12.6f}"]
    lines += [f"{size:5d} " + " ".join(f"{x:12.6f}" for x in vector / size) for size, vector in zip(values.shape, lattice, strict=True)]
    for label, position in zip(data["site_species"].values, positions, strict=True):
        number = _number(str(label))
        lines.append(f"{number:5d} {float(number):12.6f} " + " ".join(f"{x:12.6f}" for x in position))
    for row in (values * BOHR**3).reshape(-1, values.shape[2]):
        lines += [" ".join(f"{x:13.6E}" for x in row[k : k + 6]) for k in range(0, len(row), 6)]
    return "\n".join(lines) + "\n"


def _chgcar(data: xr.Dataset, name: str, values: np.ndarray) -> str:
    """As VASP: density times the volume of the cell, the first index fastest, five values a line."""
    lattice = data["lattice"].values
    labels = [str(one) for one in data["site_species"].values]
    kinds = list(dict.fromkeys(labels))
    lines = [f"mean density of {name}, mdtools", "1.0"]
    lines += [" ".join(f"{x:16.10f}" for x in vector) for vector in lattice]
    lines += [" ".join(f"{_symbol(kind):>4}" for kind in kinds)]
    lines += [" ".join(f"{labels.count(kind):4d}" for kind in kinds), "Direct"]
    lines += [
        " ".join(f"{x:12.8f}" for x in position) for kind in kinds for position in data["site_position"].values[[one == kind for one in labels]]
    ]
    lines += ["", " ".join(f"{size:5d}" for size in values.shape)]
    flat = (values * abs(np.linalg.det(lattice))).ravel(order="F")
    lines += [" ".join(f"{x:17.10E}" for x in flat[k : k + 5]) for k in range(0, len(flat), 5)]
    return "\n".join(lines) + "\n"


def _symbol(label: str) -> str:
    """Element of a species label that is a symbol, or begins with one as in Li_tet; X for any other."""
    from ase.data import atomic_numbers

    symbol = label.split("_")[0]
    return symbol if symbol in atomic_numbers else "X"


def _number(label: str) -> int:
    from ase.data import atomic_numbers

    return int(atomic_numbers[_symbol(label)])
