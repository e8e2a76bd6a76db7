"""A Trajectory on disk: a Zarr v3 group whose large arrays are chunked in frames and in atoms.

Both ways of visiting a trajectory (whole histories of some atoms, whole frames of some times) then read what they need.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mdtools import memory, progress
from mdtools.errors import TrajectoryError
from mdtools.lazy import Lazy
from mdtools.readers.layout import layout_of
from mdtools.readers.shards import from_shards
from mdtools.readers.stored_thermo import read_thermo, write_thermo
from mdtools.trajectory import Trajectory

__all__ = ["check_place", "is_store", "part_of", "put_in_place", "read_store", "write_small", "write_store"]

_FORMAT = 1
LARGE = ("scaled_positions", "velocities")
_SMALL = ("cell", "time", "masses", "charges", "ids", "origin")
_WORDS = ("temperature", "pressure", "unwrap", "reduced", "source")


def is_store(path: Path) -> bool:
    return (path / "zarr.json").is_file()


def write_store(traj: Trajectory, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a trajectory as a Zarr store, beside its place and renamed, so that a killed job leaves no half store.

    path : folder to make, for instance "run.zarr". overwrite : replace a store that is there.
    Returns the path. Raises TrajectoryError where something is there already. `convert` makes a store straight from files,
    whatever their size.

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
    check_place(path, overwrite=overwrite)
    beside = part_of(path)
    shutil.rmtree(beside, ignore_errors=True)
    group = zarr.open_group(beside, mode="w", zarr_format=3)
    for name in LARGE:
        _write_large(group, name, getattr(traj, name))
    write_small(group, traj)
    return put_in_place(beside, path)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Raise TrajectoryError where something is in the place that a store is to have."""
    if path.exists() and not (overwrite and is_store(path)):
        raise TrajectoryError(f"{path}: is there already; choose another name, or pass overwrite=True (--overwrite) to replace a store")
    path.parent.mkdir(parents=True, exist_ok=True)


def part_of(path: Path) -> Path:
    """Where a store is while it is being written."""
    return path.with_name(f".{path.name}.part")


def put_in_place(beside: Path, path: Path) -> Path:
    """The new store in the place of an old one, which goes at once: of one that is removed bit by bit, shards that are gone would read as zero."""
    if not path.exists():
        return beside.rename(path)
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    path.rename(old)
    placed = beside.rename(path)
    shutil.rmtree(old)
    return placed


def write_small(group: Any, traj: Trajectory, **attributes: Any) -> None:
    """Everything of a trajectory but its positions and velocities."""
    for name in _SMALL:
        value = getattr(traj, name)
        if value is not None and not isinstance(value, Lazy):
            group.create_array(name, data=np.ascontiguousarray(value), overwrite=True)
    names = traj.species_names
    number = {name: k for k, name in enumerate(names)}
    group.create_array("species", data=np.array([number[label] for label in traj.species.tolist()], dtype=np.int32), overwrite=True)
    write_thermo(group, traj.log)
    group.attrs.update(
        {
            "mdtools_store": _FORMAT,
            "units": "lj" if traj.reduced else "angstrom, ps, amu, e, K",
            "species_names": names,
            "framework": list(traj.framework),
            "notes": list(traj.notes),
            "history": [dict(step) for step in traj.history],
            **{name: getattr(traj, name) for name in _WORDS},
            **attributes,
        }
    )


def _write_large(group: Any, name: str, values: Any) -> None:
    if values is None:
        return
    layout = layout_of(values.shape[0], values.shape[1], np.dtype(values.dtype).itemsize)
    array = layout.create(group, name, values.dtype)
    for first in range(0, values.shape[0], layout.row):
        array[first : first + layout.row] = values[first : first + layout.row]
        progress.advance(min(first + layout.row, values.shape[0]), values.shape[0], "frames")


def read_store(path: Path, frames: slice = slice(None)) -> Trajectory:
    """The trajectory of a store, or some of its frames. The large arrays stay on disk and are read when visited."""
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
    stored: dict[str, Any] = {name: group.get(name) for name in (*LARGE, *_SMALL)}
    large = {name: stored[name] for name in LARGE if stored[name] is not None}
    free = memory.available()
    # of what takes most of the memory that there is, visits of one array after the other find little that the last one has read; parts of a store
    # are read as the whole is, since the other parts have their turn
    let_go = free is not None and 2 * sum(one.nbytes for one in large.values()) > free
    small: dict[str, Any] = {name: None if stored[name] is None else np.asarray(stored[name][:]) for name in _SMALL}
    shape = (len(small["time"]), len(kinds))
    for name in ("cell", "time", "origin"):
        small[name] = None if small[name] is None else small[name][frames]
    if small["charges"] is not None and small["charges"].shape == shape:
        small["charges"] = small["charges"][frames]
    parts: dict[str, Any] = {
        **dict.fromkeys(LARGE),
        **{name: Lazy(from_shards(one, path / name, let_go=let_go)).part(frames=frames) for name, one in large.items()},
        **small,
        **{name: about.get(name) for name in _WORDS},
    }
    return Trajectory(
        **parts,
        species=np.array(about["species_names"])[kinds],
        framework=tuple(about["framework"]),
        log=read_thermo(group, small["time"]),
        notes=tuple(about["notes"]),
        history=tuple(about["history"]),
    )
