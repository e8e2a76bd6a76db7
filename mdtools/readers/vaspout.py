"""vaspout.h5 of VASP 6: positions, cells and (VELOCITY = T) velocities of the ionic steps. Its copy of the POTCAR is never touched."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Block, Frames
from mdtools.readers.opened import PACKED
from mdtools.readers.vasp_tags import frame_interval, thermostat_temperature
from mdtools.units import UNIT_SYSTEMS

__all__ = ["is_vaspout", "read_files", "read_vaspout"]

_STEPS = "intermediate/ion_dynamics"
_ATOMS = ("results/positions", "input/poscar")  # a killed run has no results
_TAGS = (
    "ANDERSEN_PROB", "IBRION", "LANGEVIN_GAMMA", "MDALGO", "ML_ISTART", "ML_MODE", "ML_OUTBLOCK", "NBLOCK", "NSW", "POTIM", "SMASS", "TEBEG", "TEEND",
)  # fmt: skip
_A_PER_FS = UNIT_SYSTEMS["real"].velocity
_SHORT = 0.005  # ps: frames so close that differences of positions tell the units of velocities


def is_vaspout(path: Path) -> bool:
    """Whether an HDF5 file holds the ionic steps of VASP."""
    import h5py

    if "vaspout" in path.name.lower():
        return True
    try:
        with h5py.File(path, "r") as file:
            return "intermediate/ion_dynamics/position_ions" in file or "results/positions/ion_types" in file
    except (OSError, RuntimeError, KeyError):  # what h5py raises for damage
        return False


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; VASP has one system of units."""
    return [read_vaspout(file) for file in files]


def read_vaspout(path: Path) -> Frames:
    """A vaspout.h5. Time is POTIM x NBLOCK a frame; velocities are angstrom/fs, and left out where the positions contradict that.

    Raises TrajectoryError where the file is packed or damaged, or holds no ionic steps or atoms.
    """
    if path.suffix.lower() in PACKED:
        raise TrajectoryError(f"{path}: a packed HDF5 file cannot be read; unpack it first")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _frames(path, file)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as reason:
        if isinstance(reason, TrajectoryError):
            raise
        raise TrajectoryError(
            f"{path}: is no whole vaspout.h5 ({str(reason).splitlines()[0] if str(reason) else type(reason).__name__}); "
            f"pass the XDATCAR or vasprun.xml of the same run"
        ) from None


def _frames(path: Path, file: Any) -> Frames:
    group = file.get(_STEPS)
    if group is None or "position_ions" not in group or "lattice_vectors" not in group:
        raise TrajectoryError(f"{path}: holds no ionic steps ({_STEPS}); pass the vaspout.h5 of a molecular dynamics run")
    positions, lattice = group["position_ions"], group["lattice_vectors"]
    labels = _labels(path, file)
    if positions.ndim != 3 or positions.shape[1:] != (len(labels), 3) or lattice.shape[1:] != (3, 3):
        raise TrajectoryError(f"{path}: positions of shape {positions.shape} are not those of {len(labels)} atoms; pass a file of one run")
    scale = float(np.asarray(group["scale"][()]).reshape(-1)[0]) if "scale" in group else 1.0
    n_frames = min(len(positions), len(lattice))
    if n_frames * 72 > 64 * path.stat().st_size:
        raise TrajectoryError(f"{path}: announces {n_frames} frames, more than it can hold; pass a whole file")
    cell = np.asarray(lattice[:n_frames], dtype=np.float64) * scale
    written = np.flatnonzero(np.abs(np.linalg.det(cell)) > 0)
    whole = int(written[-1]) + 1 if len(written) else 0
    notes = [] if whole == len(positions) else [f"{path.name}: the last {len(positions) - whole} frames were not written and are dropped"]
    if whole == 0:
        raise TrajectoryError(f"{path}: holds no whole ionic step; pass one with at least one")
    tags = _tags(file)
    interval, clock_notes = frame_interval(tags, file="vaspout")
    temperature, told = thermostat_temperature(tags)
    velocities = "ion_velocities" if _has_velocities(file, cell[:whole], interval, notes) else None
    names = tuple(name for name in ("position_ions", velocities) if name)

    def load(frames: np.ndarray) -> Block:
        scaled, *moving = _load(path, names, frames)
        return Block(scaled=scaled, velocities=moving[0] * _A_PER_FS if moving else None)

    return Frames(
        source=str(path),
        kind="VASP vaspout.h5",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cell[:whole],
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",  # or not: the nearest image changes nothing then
        columns="position_ions",
        ids=np.arange(1, len(labels) + 1),
        labels=labels,
        has_velocities=velocities is not None,
        interval=interval,
        temperature=temperature,
        load=load,
        notes=(*notes, *clock_notes, *told),
        pieces=((0, str(path)),),
    )


def _labels(path: Path, file: Any) -> np.ndarray:
    """Symbol of each atom."""
    for name in _ATOMS:
        if f"{name}/ion_types" in file and f"{name}/number_ion_types" in file:
            types = [_text(value).split("/")[0].split("_")[0] for value in file[f"{name}/ion_types"][()]]
            counts = np.asarray(file[f"{name}/number_ion_types"][()])
            if len(types) == len(counts) > 0 and (counts > 0).all() and counts.sum() <= path.stat().st_size:
                return np.repeat(types, counts)
    raise TrajectoryError(f"{path}: does not say what its atoms are (ion_types, number_ion_types); pass the XDATCAR of the same run")


def _text(value: Any) -> str:
    return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip()


def _tags(file: Any) -> dict[str, str]:
    """The tags that matter here, as an INCAR would write them."""
    group = file.get("input/incar")
    if group is None:
        return {}
    found = {name: group[name][()] for name in _TAGS if name in group}
    return {name: " ".join(map(_text, value.tolist())) if isinstance(value, np.ndarray) else _text(value) for name, value in found.items()}


def _has_velocities(file: Any, cell: np.ndarray, interval: float | None, notes: list[str]) -> bool:
    """Whether there are velocities that agree with how far the atoms go, where frames are close enough to tell."""
    group = file[_STEPS]
    if "ion_velocities" not in group:
        return False
    if group["ion_velocities"].shape != group["position_ions"].shape:
        notes.append("velocities are left out, because they are not of the same frames and atoms as the positions")
        return False
    if interval is None or interval > _SHORT or len(cell) < 3:
        return True
    few = slice(0, min(len(cell), 20))
    positions = np.asarray(group["position_ions"][few], dtype=np.float64)
    steps = np.diff(positions, axis=0)
    speed = ((steps - np.rint(steps)) @ cell[: len(steps)]) / interval
    ratio = np.sqrt(np.mean((np.asarray(group["ion_velocities"][few], dtype=np.float64) * _A_PER_FS) ** 2) / max(np.mean(speed**2), 1e-300))
    if not 0.5 < ratio < 2:
        notes.append(f"velocities are left out, because read in angstrom/fs they are {ratio:.2g} times those of the positions")
        return False
    return True


def _load(path: Path, names: Sequence[str], frames: np.ndarray) -> list[np.ndarray]:
    """Some frames of some arrays."""
    import h5py

    low, high = int(frames.min()), int(frames.max()) + 1
    try:
        with h5py.File(path, "r") as file:
            return [np.asarray(file[f"{_STEPS}/{name}"][low:high], dtype=np.float64)[frames - low] for name in names]
    except (OSError, KeyError, RuntimeError) as reason:
        raise TrajectoryError(f"{path}: frame {low} cannot be read ({str(reason).splitlines()[0]}); pass a whole file") from None
