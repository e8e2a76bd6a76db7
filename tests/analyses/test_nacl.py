"""Molten NaCl at 1100 K (scripts/nacl.in, 400 ps of 512 ions): what was measured of it keeps the identities of any melt.

tests/estimates/runs/nacl_1100K_*.nc are our own LAMMPS run (CC0; scripts/make_data --nacl).
"""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

RUNS = Path(__file__).parents[1] / "estimates" / "runs"


@pytest.fixture(scope="module")
def melt():
    names = ("msd", "charge_displacement_msd", "charge_current_acf")
    return {name: xr.load_dataset(RUNS / f"nacl_1100K_{name}.nc", engine="h5netcdf") for name in names}


def test_partial_currents_are_in_the_ratio_of_the_masses(melt):
    """Sundheim: m+ J+ / q+ = -m- J- / q- at every frame in the barycentre, so at every frequency and lag: 0.648458."""
    ratio = 22.98977 / 35.453
    spectra = melt["charge_current_acf"].charge_current_periodogram_by_pair
    np.testing.assert_allclose(spectra.sel(pair="Na-Cl") / spectra.sel(pair="Na-Na"), 2 * ratio, rtol=1e-4)
    np.testing.assert_allclose(spectra.sel(pair="Cl-Cl") / spectra.sel(pair="Na-Na"), ratio**2, rtol=1e-4)
    moved = melt["charge_displacement_msd"].charge_displacement_msd_by_pair.isel(lag=slice(1, None))
    np.testing.assert_allclose(moved.sel(pair="Cl-Cl") / moved.sel(pair="Na-Na"), ratio**2, rtol=1e-4)


def test_steps_of_positions_every_50_fs_have_the_spectrum_that_lammps_summed_every_4_fs(melt):
    """Two routes and two programs: J of LAMMPS from velocities; ours from the positions alone, to [sin(pi f dt) / (pi f dt)]^2."""
    lammps = np.loadtxt(RUNS / "nacl_1100K_spectrum_lammps.txt")
    ours = melt["charge_current_acf"].charge_current_periodogram.isel(frequency=slice(0, 51))
    np.testing.assert_allclose(ours.frequency, lammps[:, 0], rtol=2e-4, atol=1e-12)
    smoothed = lammps[:, 1:].T * np.sinc(0.05 * lammps[:, 0]) ** 2
    np.testing.assert_allclose(ours, smoothed, atol=0.02 * smoothed.mean(), rtol=0.02)


def test_the_zero_frequency_of_currents_is_the_displacement_over_a_window(melt):
    """S(0) of a window of steps is |P(end) - P(start)|^2 / t_w: the mean over windows lies on the line of the dipole."""
    spectrum = melt["charge_current_acf"].charge_current_periodogram
    plateau = spectrum.sel(frequency=slice(0.02, 0.3))
    slope = 6 * 1100 * 8.617333262e-5 * float(melt["msd"].volume) * 348 / 1602.176634  # of sigma = 348 S/m
    assert float(plateau.mean()) == pytest.approx(slope, rel=4 / np.sqrt(3 * plateau.size))


def test_together_ions_carry_less_charge_than_alone(melt):
    """H_R > 1 of a melt (1.18 of 20 x 60 ps): the distinct parts together are negative, though momentum makes those of unlike ions positive."""
    data = melt["charge_displacement_msd"].isel(window=0).sel(lag=slice(2, 10))
    assert float(data.charge_displacement_msd_distinct.sum("pair").mean()) < 0
    assert float(data.charge_displacement_msd_distinct.sel(pair="Na-Cl").mean()) > 0


def test_diffusion_is_that_of_published_runs(melt):
    """20 x 60 ps of 1728 ions: 8.381 and 7.708e-9 m^2/s; 512 ions lose a few per cent to their images."""
    data = melt["msd"].msd.isel(window=0)
    slope = (data.sel(lag=10.0) - data.sel(lag=2.0)) / 8 / 6
    np.testing.assert_allclose(slope * 10, [8.38, 7.71], rtol=0.08)
