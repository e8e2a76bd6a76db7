"""One value or two: normal series with a memory, mixtures, and the distance of their peaks."""

import numpy as np
import pytest

from mdtools.statistics.bimodal import UNIFORM, bimodality


def rows_of(x, parts=16):
    return np.stack([(x.reshape(parts, -1) ** k).mean(axis=1) for k in (1, 2, 3, 4)], axis=1)


def remembering(random, memory, n=400):
    """A normal series of variance 1 that forgets itself within a share `memory` of its length."""
    keep = np.exp(-1 / (memory * n))
    x, steps = np.empty(n), random.normal(size=n)
    x[0] = steps[0]
    for k in range(1, n):
        x[k] = keep * x[k - 1] + np.sqrt(1 - keep**2) * steps[k]
    return x


@pytest.mark.parametrize(("shape", "exact"), [("normal", 1 / 3), ("uniform", 5 / 9), ("two", 1.0), ("shares", 1.0)])
def test_the_coefficient_is_that_of_the_distribution_wherever_it_lies(shape, exact):
    random = np.random.default_rng(0)
    x = {
        "normal": random.normal(size=64000),
        "uniform": random.uniform(size=64000),
        "two": random.integers(0, 2, 64000).astype(float),
        "shares": (random.uniform(size=64000) < 0.15).astype(float),
    }[shape]
    for shift in (0.0, 3.0):
        value, error = bimodality(rows_of(x + shift))
        assert value[0] == pytest.approx(exact, abs=0.01)
        assert error[0] < 0.01


@pytest.mark.parametrize(("memory", "most"), [(0.01, 0.01), (0.2, 0.02), (3.0, 0.08)])
def test_one_value_is_seldom_taken_for_two(memory, most):
    random = np.random.default_rng(1)
    found = [bimodality(rows_of(remembering(random, memory))) for _ in range(150)]
    assert np.mean([value[0] - 2 * error[0] > UNIFORM for value, error in found]) <= most


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_two_values_are_told_with_their_distance(share):
    random = np.random.default_rng(2)
    told = []
    for _ in range(40):
        x = remembering(random, 0.01) + 8.0 * np.roll(np.arange(400) < 400 * share, random.integers(400))
        value, error = bimodality(rows_of(x))
        told.append(value[0] - 2 * error[0] > UNIFORM)
    assert np.mean(told) > 0.95


@pytest.mark.parametrize(("apart", "share"), [(8.0, 0.5), (6.0, 0.5), (6.0, 0.2), (5.0, 0.5)])
def test_the_distance_of_peaks_is_told_without_their_width(apart, share):
    """Of sharp values of this variance it would be 6.3 for 6 and 5.4 for 5, four errors off."""
    random = np.random.default_rng(3)
    found = []
    for _ in range(100):
        x = random.normal(size=640) + apart * ((np.arange(640) / 80 + random.uniform()) % 1 < share)
        value, error = bimodality(rows_of(x))
        found.append((value[1], error[1]))
    value, error = np.array(found).T
    assert np.mean(np.abs(value - apart) < 1.96 * error) > 0.85
    assert abs(value.mean() - apart) < 0.3 * value.std()
