"""What MDAnalysis reads (DCD, XTC, TRR, AMBER NetCDF, H5MD, GRO, ...), and Universes."""

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Block, Frames
from mdtools.readers.opened import head

__all__ = ["attribute_of_universe", "frames_of_universe", "labels_of_universe", "read_files", "read_with_mdanalysis"]

_MAGIC = {
    ".dcd": (b"CORD",),
    ".xtc": (b"\0\0\x07\xcb", b"\0\0\x07\xe7"),
    ".trr": (b"\0\0\x07\xc9",),
    ".nc": (b"CDF", b"HDF"),
    ".ncdf": (b"CDF", b"HDF"),
    ".h5md": (b"HDF",),
}
_STEPPED = ("DCD", "LAMMPS")  # no unit of length but angstrom by habit, so that `units=` of the user counts
_TIMED = ("XTC", "TRR")  # formats that hold a time, in ps by definition; all others leave it to a default of 1 ps


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; MDAnalysis converts, and where a format has no units they are resolved later."""
    return [read_with_mdanalysis(file) for file in files]


def read_with_mdanalysis(path: Path) -> Frames:
    """A binary trajectory, without its topology: atoms are numbered 1, 2, ... in the order of the file."""
    _check_magic(path)
    with warnings.catch_warnings():
        # in its own block: MDAnalysis puts filters of its own in front when it is imported
        warnings.simplefilter("ignore")
        from MDAnalysis.coordinates.core import reader
    folder = tempfile.mkdtemp(prefix="mdtools-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trajectory = reader(str(_away_from_its_folder(path, Path(folder))))
        except Exception as reason:
            shutil.rmtree(folder, ignore_errors=True)
            raise TrajectoryError(
                f"{path}: MDAnalysis cannot read it ({type(reason).__name__}: {str(reason).splitlines()[0] if str(reason) else 'no reason given'}); "
                f"pass a text dump of the run, or a DCD, XTC or TRR"
            ) from None
    weakref.finalize(trajectory, shutil.rmtree, folder, ignore_errors=True)
    return _frames(trajectory, source=str(path))


def _away_from_its_folder(path: Path, folder: Path) -> Path:
    """A link to an XTC or TRR in another folder: MDAnalysis writes index files beside what it reads, and data folders stay as they are."""
    if path.suffix.lower() not in (".xtc", ".trr"):
        return path
    link = folder / path.name
    try:
        link.symlink_to(path.resolve())
    except OSError:  # no links on this file system
        return path
    return link


def _check_magic(path: Path) -> None:
    """Refuse what is not what its name says before MDAnalysis does so, which is noisier."""
    start, suffix = head(path, 8), path.suffix.lower()
    if start[:4] == b"CDF\5":
        raise TrajectoryError(
            f"{path}: is a netCDF file of the kind CDF-5, which MDAnalysis cannot read; pass a text dump of the run, or a DCD, XTC or TRR"
        )
    if not start:
        raise TrajectoryError(f"{path}: is empty; pass a file with at least one frame")
    if suffix in _MAGIC and not any(magic in start for magic in _MAGIC[suffix]):
        raise TrajectoryError(
            f"{path}: is not a {suffix[1:].upper()} file, its first bytes say otherwise; pass one, or name the file after what it holds"
        )


def frames_of_universe(universe: Any) -> Frames:
    """A Universe; its own frame is where it was afterwards."""
    labels, kind = labels_of_universe(universe)
    trajectory = universe.trajectory
    source = str(getattr(trajectory, "filename", None) or "Universe")
    if trajectory.format == "LAMMPSDUMP":
        raise TrajectoryError(
            f"{source}: MDAnalysis ignores or misplaces image flags and velocities of LAMMPS dumps; pass the file itself: read({source!r})"
        )
    return _frames(
        trajectory,
        source=source,
        labels=labels,
        label_kind=kind,
        masses=attribute_of_universe(universe, "masses"),
        fixed_charges=attribute_of_universe(universe, "charges"),
    )


def labels_of_universe(universe: Any) -> tuple[np.ndarray | None, Any]:
    """Labels of the atoms that somebody wrote (elements, else types, else names), never those MDAnalysis guessed."""
    for name in ("elements", "types", "names"):
        values = attribute_of_universe(universe, name)
        if values is not None and all(str(value).strip() for value in values):
            labels = np.array([str(value) for value in values])
            return labels, "type" if all(label.isdigit() for label in set(labels.tolist())) else "label"
    return None, "label"


def attribute_of_universe(universe: Any, name: str) -> np.ndarray | None:
    """Values of the atoms under this name, where somebody wrote them; None for guesses and for NaN."""
    found = next((a for a in universe._topology.attrs if a.attrname == name), None)
    if found is None or getattr(found, "is_guessed", False):
        return None
    values = np.asarray(getattr(universe.atoms, name))
    return None if values.dtype.kind == "f" and not np.isfinite(values).all() else values


def _frames(trajectory: Any, *, source: str, fixed_charges: np.ndarray | None = None, **atoms: Any) -> Frames:
    n_frames, home = len(trajectory), trajectory.ts.frame
    # the small things of all frames: one pass, which for binary files costs about as much as reading them
    cell, time, moving = np.zeros((n_frames, 3, 3)), np.zeros(n_frames), True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, ts in enumerate(trajectory):
            if ts.dimensions is not None:
                cell[number] = _vectors(ts.dimensions)
            time[number] = ts.time if trajectory.format in _TIMED else 0.0
            moving = moving and ts.has_velocities
            if not ts.has_positions:
                raise TrajectoryError(f"{source}: frame {number} holds no positions; write positions, and velocities, at the same steps")
        trajectory[home]

    def load(frames: np.ndarray) -> Block:
        home = trajectory.ts.frame
        positions = np.empty((len(frames), trajectory.n_atoms, 3))
        velocities = np.empty_like(positions) if moving else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for row, frame in enumerate(frames):
                ts = trajectory[int(frame)]
                positions[row] = ts.positions
                if velocities is not None:
                    velocities[row] = ts.velocities
            trajectory[home]
        charges = None if fixed_charges is None else np.broadcast_to(fixed_charges, positions.shape[:2])
        return Block(scaled=positions @ np.linalg.inv(cell[frames]), velocities=velocities, charges=charges)

    changing = n_frames > 1 and np.ptp(cell, axis=0).max() > 0
    return Frames(
        source=source,
        kind=f"MDAnalysis {trajectory.format}",
        units="metal",
        in_angstrom_and_ps=trajectory.format not in _STEPPED,
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",  # or not: the nearest image changes nothing then
        columns="Cartesian",
        ids=np.arange(1, trajectory.n_atoms + 1),
        steps=_steps(trajectory, n_frames),
        times=time if trajectory.format in _TIMED else None,
        charges=fixed_charges,
        has_velocities=moving,
        load=load,
        notes=("the file does not hold the origin of the cell: if the cell moves (LAMMPS, NPT), all atoms seem to move against it",)
        if changing
        else (),
        pieces=((0, source),),
        **atoms,
    )


def _vectors(dimensions: np.ndarray) -> np.ndarray:
    """Cell vectors (rows) from lengths and angles: a along x, b in the xy plane."""
    a, b, c, *angles = (float(value) for value in dimensions)
    cos_bc, cos_ac, cos_ab = (0.0 if angle == 90.0 else np.cos(np.radians(angle)) for angle in angles)
    sin_ab = np.sqrt(1 - cos_ab**2)
    x, y = c * cos_ac, c * (cos_bc - cos_ac * cos_ab) / sin_ab if sin_ab else 0.0
    return np.array([[a, 0, 0], [b * cos_ab, b * sin_ab, 0], [x, y, np.sqrt(max(c**2 - x**2 - y**2, 0.0))]])


def _steps(trajectory: Any, n_frames: int) -> np.ndarray | None:
    """Step numbers of a DCD, whose head holds the first and their spacing; None for other formats."""
    if trajectory.format not in _STEPPED:
        return None
    head = trajectory._file.header
    return head["istart"] + head["nsavc"] * np.arange(n_frames, dtype=np.int64) if head["nsavc"] > 0 else None
