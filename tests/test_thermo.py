"""Rows of a log as plain arrays: means with their error, parts, the rows of frames."""

import numpy as np
import pytest

from mdtools.in_words import thermo_in_words
from mdtools.thermo import Thermo


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


def test_means_are_told_with_an_error_that_holds_or_without_one(log):
    random = np.random.default_rng(1)
    settled = Thermo(time=log.time, values={"temperature": 300 + random.normal(size=100), "volume": np.full(100, 50.0)})
    words = thermo_in_words(settled, (), reduced=False)["thermo"]
    assert words.startswith("100 rows; temperature ")
    assert float(words.split(" +- ")[1].split()[0]) == pytest.approx(0.1, rel=0.35)
    assert words.endswith(" K, volume 50 angstrom^3")
    assert settled.means()["temperature"].settled
    drifts = thermo_in_words(log, (), reduced=False)["thermo"]  # 300 to 310 K
    assert drifts == "100 rows; temperature 304.95 K (drifts or relaxes over a fifth of the log or longer: no error)"


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
