"""How far a store has been written, kept in it until it is whole: one small file, replaced in one step after each row of shards.

Killed at any moment, the next attempt takes the work up after the last row that is safely on disk.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError

__all__ = ["Checkpoint", "held", "load", "make_sure", "save"]

NAME = "progress.npz"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """frames : how many are written. identity : of what, in words that can be compared. layout : chunk and shard.

    unwrapping : the state of the Unwrapper after those frames. charges : (atom,) of the frames so far, where they come with
    them. changing : whether charges have changed, so that those of every frame are kept.
    """

    identity: dict[str, Any]
    layout: dict[str, Any]
    frames: int = 0
    unwrapping: dict[str, np.ndarray] = field(default_factory=dict)
    charges: np.ndarray | None = None
    changing: bool = False


def save(point: Checkpoint, folder: Path) -> None:
    """Keep it, durably: the file is whole or is the one before."""
    arrays: dict[str, Any] = {f"unwrapping.{name}": values for name, values in point.unwrapping.items()}
    if point.charges is not None:
        arrays["charges"] = point.charges
    about = {"frames": point.frames, "identity": point.identity, "layout": point.layout, "changing": point.changing}
    beside = folder / f"{NAME}.new"
    with open(beside, "wb") as file:
        np.savez(file, about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8), **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, folder / NAME)
    make_sure(folder)


def load(folder: Path) -> Checkpoint | None:
    """What was kept; None where nothing was, or it cannot be read."""
    try:
        with np.load(folder / NAME) as kept:
            about = json.loads(kept["about"].tobytes())
            unwrapping = {name.partition(".")[2]: kept[name] for name in kept.files if name.startswith("unwrapping.")}
            return Checkpoint(**about, unwrapping=unwrapping, charges=kept["charges"] if "charges" in kept.files else None)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def make_sure(path: Path) -> None:
    """See that a file or folder is on the disk and not only on its way there."""
    with contextlib.suppress(OSError):  # some file systems have no such thing for folders
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def held(folder: Path, path: Path) -> Iterator[None]:
    """The folder made, and kept for this process alone. Raises TrajectoryError where another is at work in it."""
    folder.mkdir(exist_ok=True)
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrajectoryError(f"{path}: is being written by another process; wait for it, or choose another name") from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(handle)
