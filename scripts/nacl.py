"""What the tests keep of a run of molten NaCl (scripts/nacl.in): displacements, dipole and charge current, small files.

    python scripts/nacl.py DUMP LOG CURRENT FOLDER        called by scripts/make_data --nacl

They are Datasets of the public measurements, lags up to 20 ps, numbers to the digits of float32, so that the tests of estimates
against published conductivities always use the estimates as they are. Beside them lies the low end of the spectrum of the currents
that LAMMPS summed every 4 fs (CURRENT), a witness of another route.
"""

import sys
from pathlib import Path

sys.path.pop(0)  # scripts/coverage.py would stand in for the package of that name, which numba imports

import numpy as np
import xarray as xr

import mdtools as md

LONGEST = 20.0  # ps


def main(dump: str, log: str, current: str, folder: str) -> None:
    traj = md.read(dump, log=log, temperature=1100, masses={"Na": 22.98977, "Cl": 35.453})  # those of the run
    lags = np.arange(0.0, LONGEST + traj.frame_interval / 2, traj.frame_interval)
    found = {
        "msd": md.msd(traj, lags=lags),
        "charge_displacement_msd": md.charge_displacement_msd(traj, lags=lags),
        "charge_current_acf": md.charge_current_acf(traj, windows=4, velocities="positions").isel(lag=slice(0, len(lags))),
    }
    for name, data in found.items():
        keep(data, Path(folder) / f"nacl_1100K_{name}.nc")
    summed = np.loadtxt(current)
    header = "S(f) of the charge current, sum of axes, e^2 angstrom^2/ps: f (THz), windows of 100 ps; by LAMMPS every 4 fs (scripts/nacl.in)"
    np.savetxt(Path(folder) / "nacl_1100K_spectrum_lammps.txt", low_spectrum(summed[:, 1:4] + summed[:, 4:7]), fmt="%.6g", header=header)


def low_spectrum(current: np.ndarray, *, interval: float = 0.004, windows: int = 4, ordinates: int = 51) -> np.ndarray:
    """Rows of frequency and two-sided density of each window, by the definition."""
    length = len(current) // windows
    parts = current[: windows * length].reshape(windows, length, 3)
    power = interval / length * np.square(np.abs(np.fft.rfft(parts, axis=1))).sum(axis=2)
    return np.column_stack([np.arange(ordinates) / (length * interval), power[:, :ordinates].T])


def keep(data: xr.Dataset, path: Path) -> None:
    """Write numbers that float32 holds, as float64: what is zero packs away."""
    large = [name for name, one in data.data_vars.items() if one.dtype == np.float64 and one.ndim]
    rounded = data.assign({name: data[name].copy(data=data[name].values.astype(np.float32).astype(np.float64)) for name in large})
    rounded.to_netcdf(path, engine="h5netcdf", encoding={name: {"zlib": True, "complevel": 9, "shuffle": True} for name in large})


if __name__ == "__main__":
    main(*sys.argv[1:5])
