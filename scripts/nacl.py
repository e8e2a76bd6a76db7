"""What the tests keep of a run of molten NaCl (scripts/nacl.in): displacements, dipole and charge current, three small files.

    python scripts/nacl.py DUMP LOG FOLDER        called by scripts/make_data --nacl

They are Datasets of the public measurements, lags up to 20 ps, numbers to the digits of float32, so that the tests of estimates
against published conductivities always use the estimates as they are.
"""

import sys
from pathlib import Path

sys.path.pop(0)  # scripts/coverage.py would stand in for the package of that name, which numba imports

import numpy as np
import xarray as xr

import mdtools as md

LONGEST = 20.0  # ps


def main(dump: str, log: str, folder: str) -> None:
    traj = md.read(dump, log=log, temperature=1100, masses={"Na": 22.98977, "Cl": 35.453})  # those of the run
    lags = np.arange(0.0, LONGEST + traj.frame_interval / 2, traj.frame_interval)
    found = {
        "msd": md.msd(traj, lags=lags),
        "charge_displacement_msd": md.charge_displacement_msd(traj, lags=lags),
        "charge_current_acf": md.charge_current_acf(traj, windows=4, velocities="positions").isel(lag=slice(0, len(lags))),
    }
    for name, data in found.items():
        keep(data, Path(folder) / f"nacl_1100K_{name}.nc")


def keep(data: xr.Dataset, path: Path) -> None:
    """Write numbers that float32 holds, as float64: what is zero packs away."""
    large = [name for name, one in data.data_vars.items() if one.dtype == np.float64 and one.ndim]
    rounded = data.assign({name: data[name].copy(data=data[name].values.astype(np.float32).astype(np.float64)) for name in large})
    rounded.to_netcdf(path, engine="h5netcdf", encoding={name: {"zlib": True, "complevel": 9, "shuffle": True} for name in large})


if __name__ == "__main__":
    main(*sys.argv[1:4])
