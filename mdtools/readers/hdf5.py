"""HDF5 files through h5py, also packed ones; what h5py says of a damaged file becomes one clear line."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.opened import PACKED, OpenedFile

__all__ = ["SIGNATURE", "attribute", "has_group", "open_hdf5", "refuse_impossible_size", "rows", "understood"]

_MOST_PACKED = 200  # times: packing inside HDF5 makes coordinates a few times smaller, never this many

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Whatever h5py raises for damage, as a TrajectoryError."""
    try:
        yield
    except TrajectoryError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError, MemoryError, OverflowError) as reason:
        why = (str(reason).splitlines() or [type(reason).__name__])[0][:120]
        raise TrajectoryError(f"{path}: is an HDF5 file that cannot be understood ({why}); it is damaged, cut, or was not closed") from None


def open_hdf5(path: Path) -> Any:
    """The open file. Raises TrajectoryError for what is not there, cut or damaged."""
    import h5py

    if path.suffix.lower() in PACKED:
        content: Any = io.BytesIO(bytes(OpenedFile(path).bytes[:]))
    else:
        content = path
    with understood(path):
        return h5py.File(content, "r")


def has_group(path: Path, name: str) -> bool:
    """Whether an HDF5 file has something of this name at its top."""
    try:
        with understood(path), open_hdf5(path) as file:
            return name in file
    except TrajectoryError:
        return False


def refuse_impossible_size(path: Path, values: Any) -> None:
    """Refuse a dataset that announces far more than its file can hold, before memory is asked for."""
    size = path.stat().st_size
    if path.suffix.lower() not in PACKED and int(values.dtype.itemsize) * int(np.prod(values.shape, dtype=object)) > _MOST_PACKED * size:
        raise TrajectoryError(f"{path}: announces {values.name} of shape {values.shape}, which {size} bytes cannot hold; the file is damaged")


def attribute(item: Any, name: str) -> Any:
    """An attribute as text, number or array; None where there is none."""
    value = item.attrs.get(name)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def rows(values: Any, frames: np.ndarray) -> np.ndarray:
    """values[frames] of an array or dataset, read as one piece where the frames lie side by side."""
    first, last = int(frames[0]), int(frames[-1])
    if len(frames) == last - first + 1 and np.array_equal(frames, np.arange(first, last + 1)):
        return np.asarray(values[first : last + 1])
    return np.stack([np.asarray(values[int(frame)]) for frame in frames])
