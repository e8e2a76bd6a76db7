"""Tests of settled series: how often they cry wolf (1 % asked, 3 % of parts that remember each other), and that they see what drifts."""

import numpy as np

from mdtools.statistics.stationary import drift_probability, settled_from, unequal_probability


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
