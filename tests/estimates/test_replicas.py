"""Twenty runs of CaF2 at 1800 K that differ in their seed: do they scatter as the error bar of one of them says?

tests/estimates/runs/caf2_1800K.nc (our own LAMMPS runs, CC0; scripts/make_data --replicas) keeps the mean squared displacement of F.
"""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.statistics.replicas import replica_scatter

CHANCE = (0.68, 1.32)  # of 20 runs, 95 %


@pytest.fixture(scope="module")
def runs():
    with xr.open_dataset(Path(__file__).parent / "runs" / "caf2_1800K.nc", engine="h5netcdf") as data:
        together = data.load()
    members = [together.isel(replica=k).drop_vars("replica") for k in range(together.sizes["replica"])]
    return [self_diffusivity(member).sel(species="F") for member in members]


def test_the_runs_scatter_as_their_errors_say(runs):
    value = np.array([float(run.self_diffusivity) for run in runs])
    stderr = np.array([float(run.self_diffusivity_stderr) for run in runs])
    assert len(runs) == 20
    assert CHANCE[0] < value.std(ddof=1) / np.sqrt(np.mean(stderr**2)) < CHANCE[1]
    found = replica_scatter(np.full(20, 1800.0), np.log(value), stderr / value)
    assert CHANCE[0] < found.ratio < CHANCE[1]


def test_every_run_is_diffusive_and_most_intervals_hold_the_mean_of_the_others(runs):
    assert {run.regime.item() for run in runs} == {"diffusive"}
    value = np.array([float(run.self_diffusivity) for run in runs])
    others = (value.sum() - value) / 19
    inside = [float(run.self_diffusivity_lower) < mean < float(run.self_diffusivity_upper) for run, mean in zip(runs, others, strict=True)]
    assert np.sum(inside) >= 17  # 19 of 20 expected; fewer than 17 has 1.6 %
