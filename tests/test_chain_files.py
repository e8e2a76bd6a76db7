"""Results in one file: what is read is what was written, and reading does not search the file for names."""

import os
import subprocess
import sys

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


def test_runs_whose_names_make_one_group_are_both_there(runs, tmp_path):
    members = [chain.Chain(name=name, made=run.made) for name, run in zip(("a/gas", "a_gas"), runs, strict=True)]
    chain.save(chain.Chains(members=members), tmp_path / "all.nc")
    found = {(name, chain.stage_of(data)): data for name, data in chain.load(tmp_path / "all.nc")}
    assert {name for name, _ in found} == {"a_gas 1", "a_gas 2"}
    for name, run in zip(("a_gas 1", "a_gas 2"), runs, strict=True):
        assert all(found[name, stage].identical(data) for stage, data in run.made.items())


def test_each_process_writes_beside_the_file_under_its_own_name(tmp_path):
    """What a process that is gone has left is removed; that of another which still writes is not."""
    path, gone = tmp_path / "all.nc", subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = {one: chain.part_of(path, one) for one in (gone.pid, os.getppid())}
    for one in left.values():
        one.write_text("")
    with chain.renamed(path) as beside:
        beside.write_text("whole")
        assert set(tmp_path.iterdir()) == {left[os.getppid()], beside}
    assert path.read_text() == "whole"


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
