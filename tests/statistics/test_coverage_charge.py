"""A small part of the table of scripts/coverage_charge.py, and that what it estimates is what a user is given."""

import numpy as np
import pytest
from statistics_coverage import script

COVERAGE = script("coverage_charge.py")
SEED = 7


@pytest.mark.parametrize("name", ["dragged along (H_R 0.45)"])
def test_the_batch_gives_the_numbers_of_the_public_functions(name):
    assert COVERAGE.checked(name, count=1, seed=SEED) < 1e-6


def test_intervals_of_conductivity_haven_ratio_and_shares_hold_the_truth():
    """Limits leave two standard errors of 60 runs beside the target of 2 %."""
    name = "dragged along (H_R 0.45)"
    found, truth = COVERAGE.part(name, SEED, 0, 60), COVERAGE.KINDS[name].truth()
    for quantity, true in truth.items():
        value, stderr, lower, upper = found[quantity].T
        assert np.mean(np.isfinite(value)) > 0.95
        assert np.mean((lower <= true) & (true <= upper)) > 0.95 - 0.02 - 2 * np.sqrt(0.05 * 0.95 / 60)
        assert 0.75 < np.sqrt(np.nanmean(np.square(stderr))) / np.nanstd(value) < 1.35


def test_bound_pairs_are_bounded_and_short_runs_refused_or_right():
    pairs = COVERAGE.part("bound pairs (sigma 0)", SEED, 0, 20)["sigma"]
    assert np.all(np.isnan(pairs[:, 0]))
    assert np.all(pairs[:, 3] > 0)
