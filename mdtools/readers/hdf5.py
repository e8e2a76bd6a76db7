"""HDF5 files through h5py, also packed ones; what h5py says of a damaged file becomes one clear line."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.opened import PACKED, OpenedFile

__all__ = ["SIGNATURE", "has_group", "open_hdf5", "rows", "understood"]

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
        with open_hdf5(path) as file:
            return name in file
    except TrajectoryError:
        return False


def rows(values: Any, frames: np.ndarray) -> np.ndarray:
    """values[frames] of an array or dataset, read as one piece where the frames lie side by side."""
    first, last = int(frames[0]), int(frames[-1])
    if len(frames) == last - first + 1 and np.array_equal(frames, np.arange(first, last + 1)):
        return np.asarray(values[first : last + 1])
    return np.stack([np.asarray(values[int(frame)]) for frame in frames])
