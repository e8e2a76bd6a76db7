"""Runs with exact answers that several estimates read, and what a file gives back."""

import numpy as np
import pytest
import xarray as xr

from mdtools import schema, synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.displacement import msd

TEMPERATURE = 1000.0


@pytest.fixture(scope="module")
def walk():
    return synthetic.brownian(n_atoms=32, n_frames=1500, diffusivity=0.5, temperature=TEMPERATURE, seed=3)


@pytest.fixture(scope="module")
def walk_msd(walk):
    return msd(walk, reference="none")


@pytest.fixture(scope="module")
def walk_dipole(walk):
    return charge_displacement_msd(walk)


@pytest.fixture(scope="module")
def gas():
    return synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=12000, friction=5.0, temperature=TEMPERATURE, seed=2)


@pytest.fixture(scope="session")
def reloaded():
    """Write a Dataset to a folder and read it back."""
    return _reloaded


def _reloaded(data, folder):
    schema.to_netcdf(data, folder / "data.nc")
    with xr.open_dataset(folder / "data.nc", engine="h5netcdf") as opened:
        return opened.load()


@pytest.fixture(scope="session")
def same():
    """Assert that two Datasets hold the same numbers."""
    return _same


def _same(first, second):
    for name in first.variables:
        if first[name].dtype.kind in "fi":
            np.testing.assert_allclose(first[name].values, second[name].values, rtol=1e-12)
        else:
            assert first[name].values.tolist() == second[name].values.tolist()
    assert set(first.variables) == set(second.variables)
