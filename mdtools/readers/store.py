"""A Trajectory on disk: a Zarr v3 group whose large arrays are chunked in frames and in atoms.

Both ways of visiting a trajectory (whole histories of some atoms, whole frames of some times) then read what they need.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.stored_thermo import read_thermo, write_thermo
from mdtools.trajectory import Trajectory

__all__ = ["is_store", "read_store", "write_store"]

_FORMAT = 1
_CHUNK = (256, 1024, 3)
_LARGE = ("scaled_positions", "velocities")
_SMALL = ("cell", "time", "masses", "charges", "ids", "origin")
_WORDS = ("temperature", "unwrap", "reduced", "source")


def is_store(path: Path) -> bool:
    return (path / "zarr.json").is_file()


def write_store(traj: Trajectory, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a trajectory as a Zarr store, beside its place and renamed, so that a killed job leaves no half store.

    path : folder to make, for instance "run.zarr". overwrite : replace a store that is there.
    Returns the path. Raises TrajectoryError where something is there already.

    >>> import tempfile
    >>> from mdtools.readers import read, write_store
    >>> from ase.build import bulk
    >>> traj = read([bulk("Cu", cubic=True)] * 3, frame_interval="2 fs")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(write_store(traj, folder + "/run.zarr")).n_frames
    3
    """
    import zarr

    path = Path(path)
    if path.exists() and not (overwrite and is_store(path)):
        raise TrajectoryError(f"{path}: is there already; choose another name, or pass overwrite=True to replace a store")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    group = zarr.open_group(beside, mode="w", zarr_format=3)
    for name in _LARGE:
        _write_large(group, name, getattr(traj, name))
    for name in _SMALL:
        value = getattr(traj, name)
        if value is not None:
            group.create_array(name, data=np.ascontiguousarray(value))
    write_thermo(group, traj.log)
    names = traj.species_names
    group.create_array("species", data=np.array([names.index(label) for label in traj.species.tolist()], dtype=np.int32))
    group.attrs.update(
        {
            "mdtools_store": _FORMAT,
            "units": "lj" if traj.reduced else "angstrom, ps, amu, e, K",
            "species_names": names,
            "framework": list(traj.framework),
            "notes": list(traj.notes),
            "history": [dict(step) for step in traj.history],
            **{name: getattr(traj, name) for name in _WORDS},
        }
    )
    if path.exists():
        shutil.rmtree(path)
    return beside.rename(path)


def _write_large(group: Any, name: str, values: Any) -> None:
    if values is None:
        return
    chunks = tuple(min(size, chunk) for size, chunk in zip(values.shape, _CHUNK, strict=True))
    array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, compressors=None)
    for first in range(0, values.shape[0], chunks[0]):
        array[first : first + chunks[0]] = values[first : first + chunks[0]]


def read_store(path: Path, frames: slice = slice(None)) -> Trajectory:
    """The trajectory of a store. Whole, its large arrays stay on disk and are read when visited; a part is read now."""
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
    except Exception as reason:
        raise TrajectoryError(f"{path}: cannot be read as a Zarr store ({reason}); pass a folder written by mdtools convert") from None
    about: Any = group.attrs.asdict()
    if about.get("mdtools_store") != _FORMAT:
        raise TrajectoryError(f"{path}: is a Zarr store, but not one written by mdtools convert; pass such a store, or the file it was made from")
    species: Any = group["species"]
    kinds = np.asarray(species[:])
    stored: dict[str, Any] = {name: group.get(name) for name in (*_LARGE, *_SMALL)}
    small: dict[str, Any] = {name: None if stored[name] is None else np.asarray(stored[name][:]) for name in _SMALL}
    shape = (len(small["time"]), len(kinds))
    whole = frames == slice(None)
    for name in ("cell", "time", "origin"):
        small[name] = None if small[name] is None else small[name][frames]
    if small["charges"] is not None and small["charges"].shape == shape:
        small["charges"] = small["charges"][frames]
    large = {name: stored[name] if whole or stored[name] is None else np.asarray(stored[name][frames]) for name in _LARGE}
    parts: dict[str, Any] = {**large, **small, **{name: about[name] for name in _WORDS}}
    return Trajectory(
        **parts,
        log=read_thermo(group, small["time"]),
        species=np.array(about["species_names"])[kinds],
        framework=tuple(about["framework"]),
        notes=tuple(about["notes"]),
        history=tuple(about["history"]),
    )
