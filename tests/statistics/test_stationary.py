"""Tests of settled series: how often they cry wolf (1 % asked, 3 % of parts that remember each other), and that they see what drifts."""

import numpy as np
import pytest

from mdtools.statistics.stationary import drift_probability, settled_from, trend_probability, unequal_probability


def walks(memory, n=4000, length=16):
    random = np.random.default_rng(0)
    values = np.empty((n, length))
    values[:, 0] = random.normal(size=n)
    for k in range(1, length):
        values[:, k] = memory * values[:, k - 1] + np.sqrt(1 - memory**2) * random.normal(size=n)
    return values


def test_false_alarms_are_as_rare_as_said():
    for memory, most in ((0.0, 0.012), (0.4, 0.04)):
        chance = np.array([drift_probability(one) for one in walks(memory)])
        assert np.mean(chance < 0.01) < most
    pairs = walks(0.0, length=32)
    assert np.mean([unequal_probability(one[:16], one[16:]) < 0.01 for one in pairs]) < 0.015


def test_a_drift_of_three_scatters_is_seen():
    seen = [drift_probability(one + np.linspace(0, 6, 16)) < 0.01 for one in walks(0.0, n=300)]
    assert np.mean(seen) > 0.3
    assert np.mean([drift_probability(one + 6 * (np.arange(16) > 7)) < 0.01 for one in walks(0.0, n=300)]) > 0.95


def test_the_begin_that_is_offered_leaves_the_transient_out():
    found = [settled_from(one + 20 * np.exp(-np.arange(16) / 1.5)) for one in walks(0.0, n=200)]
    assert 2 <= np.median(found) <= 7
    assert np.median([settled_from(one) for one in walks(0.0, n=200)]) <= 4


def test_a_trend_is_told_from_scatter_and_from_memory():
    """False alarms at 1 % of white and of remembered noise; a trend of three standard deviations over the run is seen."""
    random = np.random.default_rng(0)
    white = [trend_probability(random.normal(size=16))[1] for _ in range(2000)]
    assert 0.004 < np.mean(np.array(white) < 0.01) < 0.02
    remembered = [trend_probability(one)[1] for one in walks(0.4, n=2000)]
    assert np.mean(np.array(remembered) < 0.01) < 0.05
    change, chance = np.array([trend_probability(random.normal(size=16) + np.linspace(0, 3, 16)) for _ in range(200)]).T
    assert np.mean(change) == pytest.approx(3.0, abs=0.2)
    assert np.mean(chance < 0.01) > 0.6
