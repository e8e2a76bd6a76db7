"""The mean of replicas of which some gave no more than a bound."""

import numpy as np
import pytest

from mdtools.statistics.replicas import mean_with_bounds


def test_without_bounds_it_is_the_weighted_mean():
    value, error = mean_with_bounds(np.array([1.0, 3.0]), np.array([0.3, 0.3]), np.array([]))
    assert value == pytest.approx(2.0, abs=1e-6)
    assert error == pytest.approx(0.3 / np.sqrt(2), rel=1e-3)


def test_what_lies_below_a_bound_is_not_lost():
    """Half of eight normal replicas lie below the bound: the mean of the others is .4 too high, that with bounds is not, and its error is true."""
    random = np.random.default_rng(0)
    z, left = [], []
    for _ in range(400):
        every = random.normal(size=8) * 0.5
        seen = every > 0
        if seen.sum() < 3:
            continue
        value, error = mean_with_bounds(every[seen], np.full(int(seen.sum()), 0.5), np.zeros(int((~seen).sum())))
        z.append(value / error)
        left.append(every[seen].mean())
    assert np.mean(left) > 0.35
    assert abs(np.mean(z)) < 0.25
    assert 0.7 < np.std(z) < 1.15


def test_a_bound_far_above_says_nothing():
    known = np.array([1.0, 1.2])
    alone = mean_with_bounds(known, np.full(2, 0.1), np.array([]))
    assert mean_with_bounds(known, np.full(2, 0.1), np.array([9.0])) == pytest.approx(alone, rel=1e-3)


def test_a_bound_that_contradicts_a_value_is_in_the_error():
    """One replica has 0.00 +- 0.03 and another is below -3: their mean is not known to 0.02."""
    for value in (np.zeros(1), np.array([0.0, 0.1])):
        mean, error = mean_with_bounds(value, np.full(len(value), 0.03), np.array([-3.0]))
        assert -3.5 < mean < -0.3
        assert 0.4 < error < 2.0
