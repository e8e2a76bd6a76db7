"""A trajectory into a store that every command reads block by block."""

from pathlib import Path
from typing import Any

__all__ = ["convert"]


def convert(traj: Any, *, out: str) -> Path:
    """Write a trajectory as a store (Zarr), chunked in frames and atoms, with everything that was understood.

    out : name of the store, ending in .zarr.
    """
    from mdtools.readers import write_store

    if not out.endswith(".zarr"):
        raise ValueError(f"a store is called *.zarr; write --out {Path(out).with_suffix('.zarr')}")
    write_store(traj, out)
    return Path(out)
