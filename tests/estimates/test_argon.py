"""Liquid argon of A. Rahman, Phys. Rev. 136, A405 (1964), run again by LAMMPS (scripts/argon.in, scripts/argon.py)."""

import json

import numpy as np
import pytest

from mdtools import chain
from mdtools.estimates.diffusivity import self_diffusivity

RAHMAN, REPLICATION = 2.43, 2.47  # D, 1e-5 cm^2/s


@pytest.fixture(scope="module")
def argon(files):
    return files / "other" / "argon"


def test_the_diffusivity_is_that_of_1964_and_of_its_replication(argon):
    msd = next(data for _, data in chain.load(argon / "argon.nc") if "msd" in data)
    found = self_diffusivity(msd)
    assert found.regime.item() == "diffusive"
    value, error = (float(found[name][0]) * 1e5 for name in ("self_diffusivity_cm2_per_s", "self_diffusivity_cm2_per_s_stderr"))
    assert error < 0.1
    # theirs have errors of their own, of a like size, and 94.4 K is met to 1 K (1.5 % of D)
    for other in (RAHMAN, REPLICATION):
        assert abs(value - other) < 3 * np.hypot(error, 0.05)


def test_g_of_r_has_the_peaks_of_1964(argon):
    data = next(data for _, data in chain.load(argon / "argon.nc") if "van_hove_distinct" in data)
    g, r = data.van_hove_distinct.mean("window").values[0, 0] * 864 / 863, data.r.values
    for expected, reach, tolerance in ((3.7, 1.0, 0.1), (7.0, 1.2, 0.15), (10.4, 1.2, 0.25)):
        inside = abs(r - expected) < reach
        assert abs(r[inside][np.argmax(g[inside])] - expected) < tolerance
    assert 2.6 < g.max() < 3.1
    np.testing.assert_allclose(g[r > 16].mean(), 1.0, atol=0.01)


def test_the_table_of_the_runs_holds_together(argon):
    table = json.loads((argon / "rahman.json").read_text())
    diffusivity = [run["D (1e-5 cm^2/s)"] for run in table["runs"]]
    assert len(diffusivity) == 3
    assert abs(np.mean(diffusivity) - REPLICATION) < 0.15
    for run in table["runs"]:
        assert abs(run["second moment of G_s over MSD"] - 1) < 1e-3
        assert abs(run["first peak of g(r) (angstrom)"] - 3.7) < 0.05
