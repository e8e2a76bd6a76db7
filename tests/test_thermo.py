"""Rows of a log as plain arrays: means with their error, parts, the rows of frames."""

import numpy as np
import pytest

from mdtools.thermo import Thermo, block_mean


def correlated(n, memory, seed):
    random = np.random.default_rng(seed)
    out = np.empty(n)
    out[0] = random.normal()
    kick = np.sqrt(1 - memory**2) * random.normal(size=n)
    for k in range(1, n):
        out[k] = memory * out[k - 1] + kick[k]
    return out


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_error_of_a_mean_is_its_scatter_over_draws(memory):
    n = 4096
    found = np.array([block_mean(correlated(n, memory, seed)) for seed in range(60)])
    exact = np.sqrt((1 + memory) / (1 - memory) / n)
    assert np.std(found[:, 0]) == pytest.approx(exact, rel=0.25)
    # the largest over block lengths: never far below, a little above
    assert 0.95 * exact < found[:, 1].mean() < 1.6 * exact


def test_of_few_rows_the_error_is_not_known():
    mean, error = block_mean(np.arange(15.0))
    assert mean == 7.0
    assert np.isnan(error)
    assert block_mean(np.ones(64)) == (1.0, 0.0)


@pytest.fixture
def log():
    time = np.arange(100) * 0.1
    return Thermo(time=time, values={"temperature": time + 300, "pressure_tensor": np.zeros((100, 3, 3))}, steps=np.arange(100) * 50)


def test_parts_and_rows_of_frames(log):
    part = log.between(2.0, 4.0)
    assert (part.time[0], part.time[-1], len(part)) == (2.0, pytest.approx(4.0), 21)
    assert part.steps[0] == 1000
    rows, there = log.at(np.array([0.0, 0.35, 0.5, 20.0]))
    np.testing.assert_array_equal(there, [0, 2])
    np.testing.assert_allclose(rows.values["temperature"], [300.0, 300.5])
    assert len(log.at(np.array([]))[0]) == 0
    assert log.rows(slice(0, 0)).means() == {}


def test_the_dataset_has_units_and_no_unit_in_reduced_ones(log):
    assert log.dataset().temperature.attrs["units"] == "K"
    assert log.dataset().pressure_tensor.dims == ("time", "xyz", "face")
    assert log.dataset(reduced=True).temperature.attrs["units"] == "1"
    assert log.dataset().time.attrs["units"] == "ps"


def test_a_dataset_of_thermo_is_written_and_read(log, tmp_path):
    import xarray as xr

    from mdtools import schema

    schema.to_netcdf(log.dataset(), tmp_path / "thermo.nc")
    with xr.open_dataset(tmp_path / "thermo.nc") as again:
        xr.testing.assert_equal(again.load(), log.dataset())
