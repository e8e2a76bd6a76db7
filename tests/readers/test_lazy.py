"""Importing the readers costs nothing: what reads a format is loaded when a file of that format is."""

import subprocess
import sys


def test_importing_the_readers_loads_no_reader():
    heavy = ["ase", "MDAnalysis", "numba", "zarr", "h5py", "zstandard", "jax", "xarray"]
    code = f"import sys, mdtools.readers; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
