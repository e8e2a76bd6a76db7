"""phonopy's yaml files without phonopy: cells, force constants, and tabulated modes (band, qpoints, mesh)."""

import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.force_constants import ForceConstants
from mdtools.harmonic.modes import HarmonicCrystal, ModesAt, with_real_coordinates

__all__ = ["read_phonopy"]

UNITS = {"length": "angstrom", "force_constants": "eV/angstrom^2", "atomic_mass": "AMU"}


def read_phonopy(path: Path) -> HarmonicCrystal:
    """The primitive cell and, as far as the file holds them, the modes: phonopy_params.yaml, phonopy.yaml, band.yaml, qpoints.yaml, mesh.yaml.

    Force constants are taken from the file, else from FORCE_CONSTANTS or force_constants.hdf5 beside it, else phonopy itself
    makes them of the forces in the file where it is installed. Raises TrajectoryError for any other file, and `at` of what is
    returned for modes that the file does not hold.
    """
    text = _parsed(path)
    if "phonon" in text:
        return _tabulated(text, _crystal(text if "lattice" in text else _cell_beside(path), path), path)
    if "primitive_cell" not in text:
        raise TrajectoryError(
            f"{path} holds neither a primitive_cell nor tabulated phonons; give phonopy_params.yaml, phonopy.yaml, band.yaml or qpoints.yaml"
        )
    for name, unit in text.get("physical_unit", {}).items():
        if name in UNITS and str(unit).lower() != UNITS[name].lower():
            raise TrajectoryError(f"{path} is in other units ({name}: {unit}); units of {UNITS[name]} are read, as phonopy writes with VASP")
    crystal = _crystal(text["primitive_cell"], path)
    made: list[ForceConstants] = []

    def at(q: np.ndarray) -> ModesAt:
        if not made:
            made.append(_force_constants(text, crystal, path))
        return made[0].at(np.asarray(q, dtype=np.float64))

    return HarmonicCrystal(crystal, at)


def _parsed(path: Path) -> dict[str, Any]:
    import yaml

    opened: Any = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            text = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as reason:
        raise TrajectoryError(f"{path} cannot be read: {reason}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as reason:
        raise TrajectoryError(f"{path} is not a yaml file of phonopy: {str(reason).splitlines()[0]}") from None
    if not isinstance(text, dict):
        raise TrajectoryError(f"{path} is not a yaml file of phonopy")
    return text


def _crystal(block: dict[str, Any], path: Path) -> Crystal:
    points = block["points"]
    masses = [point.get("mass") for point in points]
    return Crystal(
        np.array(block["lattice"], dtype=np.float64),
        np.array([point["coordinates"] for point in points], dtype=np.float64),
        tuple(str(point["symbol"]) for point in points),
        None if None in masses else np.array(masses, dtype=np.float64),
        str(path),
    )


def _cell_beside(path: Path) -> dict[str, Any]:
    """The primitive cell of a table that has none (qpoints.yaml), of the file that phonopy wrote beside it."""
    names = ("phonopy.yaml", "phonopy_params.yaml", "phonopy_disp.yaml")
    found = next((path.parent / name for name in names if (path.parent / name).is_file()), None)
    block = None if found is None else _parsed(found).get("primitive_cell")
    if block is None:
        raise TrajectoryError(
            f"{path} holds modes but no cell, and there is no {', '.join(names[:-1])} or {names[-1]} beside it; copy one there, or give band.yaml"
        )
    return dict(block)


def _tabulated(text: dict[str, Any], crystal: Crystal, path: Path) -> HarmonicCrystal:
    points = text["phonon"]
    listed = np.array([point["q-position"] for point in points], dtype=np.float64)
    has_vectors = bool(points) and "eigenvector" in points[0]["band"][0]

    def place(q: np.ndarray) -> tuple[int, int] | None:
        """Row of q, or of -q with the sign -1."""
        for sign in (1, -1):
            apart = listed - sign * q
            here = np.flatnonzero(np.abs(apart - np.rint(apart)).max(axis=1) < 1e-5)
            if len(here):
                return int(here[0]), sign
        return None

    def at(q: np.ndarray) -> ModesAt:
        found = place(q)
        if found is None:
            raise TrajectoryError(
                f"{path} holds no modes at q = {','.join(f'{x:.6g}' for x in q)}; ask phonopy for it (QPOINTS with EIGENVECTORS = .TRUE.), "
                "or give phonopy_params.yaml"
            )
        if not has_vectors:
            raise TrajectoryError(
                f"{path} holds frequencies without eigenvectors; write them with EIGENVECTORS = .TRUE., or give phonopy_params.yaml"
            )
        row, sign = found
        bands = points[row]["band"]
        parts = np.array([band["eigenvector"] for band in bands], dtype=np.float64)
        vectors = parts[..., 0] + 1j * parts[..., 1]
        if sign < 0:
            vectors = vectors.conj()
        # modes listed at q + G are those at q with the phases of another reciprocal vector
        vectors = vectors * np.exp(2j * np.pi * crystal.scaled @ (sign * listed[row] - q))[:, None]
        frequency = np.array([band["frequency"] for band in bands], dtype=np.float64)
        order = np.argsort(frequency, kind="stable")
        return with_real_coordinates(ModesAt(frequency[order], vectors[order]), q, crystal.scaled)

    return HarmonicCrystal(crystal, at, lambda q: place(q) is not None)


def _force_constants(text: dict[str, Any], crystal: Crystal, path: Path) -> ForceConstants:
    if "supercell" not in text:
        raise TrajectoryError(f"{path} names no supercell, which its force constants belong to; give phonopy_params.yaml")
    supercell = text["supercell"]
    points = supercell["points"]
    cell = np.array(supercell["lattice"], dtype=np.float64)
    scaled = np.array([point["coordinates"] for point in points], dtype=np.float64)
    constants, rows = _constants(text, path, len(points))
    if "reduced_to" in points[0]:
        origin = np.array(list(dict.fromkeys(point["reduced_to"] - 1 for point in points)))
    else:
        from mdtools.harmonic.force_constants import sites_of

        basis = sites_of(scaled @ cell, crystal)
        origin = np.array([int(np.argmax(basis == j)) for j in range(len(crystal.scaled))])
    if len(constants) == len(points):
        constants = constants[origin]
    elif rows is not None and not np.array_equal(rows, origin):
        raise TrajectoryError(f"{path}: the rows of its force constants are not the atoms of the primitive cell")
    if constants.shape != (len(crystal.scaled), len(points), 3, 3):
        raise TrajectoryError(f"{path}: force constants of shape {constants.shape[:2]} fit neither its primitive cell nor its supercell")
    return ForceConstants(crystal, cell, scaled, constants, _in_order_of_the_basis(origin, scaled @ cell, crystal))


def _in_order_of_the_basis(origin: np.ndarray, positions: np.ndarray, crystal: Crystal) -> np.ndarray:
    from mdtools.harmonic.force_constants import sites_of

    if not np.array_equal(sites_of(positions[origin], crystal), np.arange(len(origin))):
        raise TrajectoryError(f"{crystal.source}: the atoms of the primitive cell are in another order in its supercell")
    return origin


def _constants(text: dict[str, Any], path: Path, n_atoms: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Force constants (row, atom, 3, 3) and the atoms that the rows are, where that is said."""
    if "force_constants" in text:
        block = text["force_constants"]
        return np.array(block["elements"], dtype=np.float64).reshape(*block["shape"][:2], 3, 3), None
    plain, hdf5 = path.parent / "FORCE_CONSTANTS", path.parent / "force_constants.hdf5"
    if plain.is_file():
        return _from_text(plain)
    if hdf5.is_file():
        import h5py

        with h5py.File(hdf5) as file:
            rows = np.array(file["p2s_map"]) if "p2s_map" in file else None
            return np.array(file["force_constants" if "force_constants" in file else "fc2"]), rows
    try:
        import phonopy
    except ImportError:
        raise TrajectoryError(
            f"{path} holds no force constants, and there is no FORCE_CONSTANTS or force_constants.hdf5 beside it; write them "
            "(phonopy --include-fc, or FC_FORMAT = HDF5), or install phonopy, which makes them of the forces in the file"
        ) from None
    made = phonopy.load(path, log_level=0, is_nac=False).force_constants
    if made is None:
        raise TrajectoryError(f"{path} holds neither force constants nor forces, and none lie beside it")
    return np.asarray(made), None


def _from_text(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """FORCE_CONSTANTS: the counts, then a line "i j" (counted from 1) and a 3 x 3 block for every pair."""
    try:
        words = np.array(path.read_text().split(), dtype=np.float64)
        head = path.read_text().split("\n", 1)[0].split()
        shape = (int(head[0]), int(head[-1]))
        blocks = words[len(head) :].reshape(*shape, 11)
    except (ValueError, IndexError):
        raise TrajectoryError(f"{path} is not a FORCE_CONSTANTS file of phonopy, or is cut") from None
    return blocks[:, :, 2:].reshape(*shape, 3, 3), blocks[:, 0, 0].astype(int) - 1
