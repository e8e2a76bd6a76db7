"""Densities and van Hove maps as files that VESTA, ASE and others draw: Gaussian cube, and CHGCAR of VASP."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from mdtools.errors import TrajectoryError
from mdtools.units import BOHR

__all__ = ["is_volumetric", "write_density"]

ALONG = ("along_a", "along_b", "along_c")


@dataclass(frozen=True)
class _Volume:
    """Values on a grid that fills a cell, and what is drawn beside them."""

    of: str  # a species or pair
    name: str  # before the suffix of a file
    title: str
    values: np.ndarray
    lattice: np.ndarray  # of what the values fill, rows, angstrom
    origin: np.ndarray  # of the first value, angstrom
    labels: list[str]
    places: np.ndarray  # of the labels, from the first value in vectors of the lattice
    unit: str
    per_volume: bool


def is_volumetric(path: str | Path) -> bool:
    """Whether a name asks for a cube or a CHGCAR."""
    path = Path(path)
    return path.suffix.lower() == ".cube" or path.name.upper().startswith("CHGCAR")


def write_density(density_map: xr.Dataset, *, out: str | Path, species: str | None = None) -> list[Path]:
    """Write the map of a species, mean of its windows: NAME.cube or CHGCAR, from `density_map` or `van_hove_map`.

    species : which one, or which pair of a `van_hove_map`; all of them unless said, each in a file of its own with its name before the
        suffix (x.F.cube, CHGCAR.F) where there are several. A `van_hove_map` gives one for each lag too (x.F.0.5ps.cube the self
        part, x.F-F.0.5ps.cube the distinct one); `.sel(lag=...)` beforehand takes some.

    A cube holds ions per bohr^3 on lengths in bohr, a CHGCAR ions per volume times the volume of the cell, as VASP does; the distinct
    part, 1 without correlation, is as it is. The atoms are the sites of the density; of a van Hove map the one ion from which
    differences count, at the origin of a cube and in the middle of a CHGCAR. Files are written beside their place and renamed.
    Returns the paths. Raises TrajectoryError for another name, or a species that is not in the map.
    """
    path = Path(out)
    if not is_volumetric(path):
        raise TrajectoryError(f"a density is written as NAME.cube or CHGCAR, not as {path.name}: pass out=... with such a name (--out)")
    hove = "van_hove_self_map" in density_map
    names = [str(name) for kind in (("species", "pair") if hove else ("species",)) for name in np.atleast_1d(density_map[kind].values)]
    if species is not None and species not in names:
        raise TrajectoryError(f"there is no species {species} in this {'van Hove' if hove else 'density'} map; it has {', '.join(names)}")
    cube = path.suffix.lower() == ".cube"
    chosen = [one for one in (_van_hove(density_map) if hove else _density(density_map)) if species in (None, one.of)]
    written = []
    for one in chosen:
        to = path if len(chosen) == 1 else path.with_suffix(f".{one.name}.cube") if cube else path.with_name(f"{path.name}.{one.name}")
        beside = to.with_name(f".{to.name}.part")
        beside.write_text(_cube(one) if cube else _chgcar(one))
        os.replace(beside, to)
        written.append(to)
    return written


def _density(data: xr.Dataset) -> Iterator[_Volume]:
    sites: tuple[list[str], np.ndarray] = [str(one) for one in data["site_species"].values], data["site_position"].values
    for name, values in _each(data["density_map"], data["species"]):
        title = f"mean density of {name}, mdtools"
        yield _Volume(
            name, name, title, _mean(values), data["lattice"].values, np.zeros(3), *sites, "ions per bohr^3; atoms: peaks of the density", True
        )


def _van_hove(data: xr.Dataset) -> Iterator[_Volume]:
    """Every species and every pair at every lag. The cell is what the map reaches over, with the ion at no difference in its middle."""
    first, step = (np.array([part(data[name].values) for name in ALONG]) for part in (lambda x: x[0], lambda x: x[1] - x[0] if len(x) > 1 else 1.0))
    lattice = data["lattice"].values * (np.array([data.sizes[name] for name in ALONG]) * step)[:, None]
    middle = np.array([[(data.sizes[name] - 1) / 2 / data.sizes[name] for name in ALONG]])
    unit = str(data["lag"].attrs.get("units", ""))
    for kind, of, per in (("van_hove_self_map", "species", "ions per bohr^3"), ("van_hove_distinct_map", "pair", "1 without correlation")):
        for name, at_lags in _each(data[kind], data[of]):
            for lag, values in _each(at_lags, data["lag"]):
                title = f"{kind} of {name} at {lag} {unit}, mdtools"
                origin, about = first @ data["lattice"].values, f"{per}; atom: the ion at the first time"
                ion = [name.split("-")[0] if of == "pair" else name]
                yield _Volume(name, f"{name}.{lag}{unit}", title, _mean(values), lattice, origin, ion, middle, about, of == "species")


def _each(values: xr.DataArray, labels: xr.DataArray) -> list[tuple[str, xr.DataArray]]:
    """The parts along a dimension with their labels; the whole with its label where one was chosen before."""
    dim = str(labels.name)
    texts = [f"{one:.6g}" if isinstance(one, float) else str(one) for one in np.atleast_1d(labels.values).tolist()]
    return [(text, values.isel({dim: k}) if dim in values.dims else values) for k, text in enumerate(texts)]


def _mean(values: xr.DataArray) -> np.ndarray:
    return (values.mean("window") if "window" in values.dims else values).transpose(*ALONG).values


def _cube(one: _Volume) -> str:
    """Lengths in bohr, the last index fastest, six values a line and a new line for every row along c."""
    lattice, origin = one.lattice / BOHR, one.origin / BOHR
    positions = one.places @ lattice + origin
    lines = [one.title, one.unit, f"{len(positions):5d} " + " ".join(f"{x:12.6f}" for x in origin)]
    lines += [f"{size:5d} " + " ".join(f"{x:12.6f}" for x in vector / size) for size, vector in zip(one.values.shape, lattice, strict=True)]
    for label, position in zip(one.labels, positions, strict=True):
        number = _number(label)
        lines.append(f"{number:5d} {float(number):12.6f} " + " ".join(f"{x:12.6f}" for x in position))
    for row in (one.values * (BOHR**3 if one.per_volume else 1.0)).reshape(-1, one.values.shape[2]):
        lines += [" ".join(f"{x:13.6E}" for x in row[k : k + 6]) for k in range(0, len(row), 6)]
    return "\n".join(lines) + "\n"


def _chgcar(one: _Volume) -> str:
    """As VASP: density times the volume of the cell, the first index fastest, five values a line."""
    kinds = list(dict.fromkeys(one.labels))
    lines = [one.title, "1.0"]
    lines += [" ".join(f"{x:16.10f}" for x in vector) for vector in one.lattice]
    lines += [" ".join(f"{_symbol(kind):>4}" for kind in kinds)]
    lines += [" ".join(f"{one.labels.count(kind):4d}" for kind in kinds), "Direct"]
    lines += [" ".join(f"{x:12.8f}" for x in place) for kind in kinds for place in one.places[[label == kind for label in one.labels]]]
    lines += ["", " ".join(f"{size:5d}" for size in one.values.shape)]
    flat = (one.values * abs(np.linalg.det(one.lattice))).ravel(order="F")
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
