"""Trajectory files into a store that every command reads block by block."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["convert"]


def convert(files: Sequence[str], *, out: str | None = None, overwrite: bool = False, **reading: Any) -> Path:
    """Write a trajectory as a store (Zarr), chunked in frames and atoms, with everything that was understood.

    Memory stays bounded whatever the length of the run, and a conversion that was killed is taken up where it was when the
    same command is given again. The store may also be named last, after the files: mdtools convert run.lammpstrj run.zarr.

    out : name of the store, ending in .zarr.
    overwrite : replace a store that is there.
    """
    from mdtools.progress import stage
    from mdtools.readers import convert as write

    files, out = _store_among(list(files), out)
    with stage("convert"):
        return write(files[0] if len(files) == 1 else files, out, overwrite=overwrite, say=_say, **reading)


def _store_among(files: list[str], out: str | None) -> tuple[list[str], str]:
    """Files to read, and the store to write."""
    if out is None and len(files) > 1 and files[-1].endswith(".zarr"):
        out = files.pop()
    if out is None or not out.endswith(".zarr"):
        stem = Path(out or files[0])
        raise ValueError(f"a store is called *.zarr; write mdtools convert {' '.join(files)} {stem.with_suffix('.zarr').name}")
    return files, out


def _say(text: str) -> None:
    print(f"mdtools: {text}", file=sys.stderr)
