"""Results in one file: what is read is what was written, and reading does not search the file for names."""

import pytest
import xarray as xr
from h5netcdf.core import BaseVariable

from mdtools import chain, synthetic


@pytest.fixture(scope="module")
def runs():
    members = [chain.Chain(name=f"walk {k}", traj=synthetic.brownian(n_atoms=8, n_frames=40, seed=k)) for k in range(2)]
    for run in members:
        run.options = {"msd": {"reference": "none"}}
        run.make("self_diffusivity")
    return chain.Chains(members=members)


def test_a_file_gives_back_what_was_written(runs, tmp_path):
    chain.save(runs, tmp_path / "all.nc")
    found = {(name, chain.stage_of(data)): data for name, data in chain.load(tmp_path / "all.nc")}
    assert set(found) == {(run.name, stage) for run in runs for stage in run.made}
    for (name, stage), data in found.items():
        made = next(run for run in runs if run.name == name).made[stage]
        xr.testing.assert_identical(data, made)


def test_reading_asks_for_no_name_of_a_dimension(runs, tmp_path, monkeypatch):
    """HDF5 would search the whole file for each: of six runs with all their results that is minutes."""
    chain.save(runs, tmp_path / "all.nc")
    searched = []
    lookup = BaseVariable._lookup_dimensions

    def watched(variable):
        if "DIMENSION_LIST" in variable._h5ds.attrs:
            searched.append(variable.name)
        return lookup(variable)

    monkeypatch.setattr(BaseVariable, "_lookup_dimensions", watched)
    assert len(chain.load(tmp_path / "all.nc")) == 4
    assert not searched
