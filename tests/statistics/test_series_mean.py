"""Errors of means of series that remember: their intervals hold, or the series is called unsettled."""

import numpy as np
import pytest
from scipy.signal import lfilter

from mdtools.statistics.series_mean import mean_of_series, means_of_series

ROWS = 1600


def autoregressive(memory, n, series, seed):
    """(series, n) of mean 0 and variance 1 that forget within `memory` values."""
    kept = np.exp(-1 / memory)
    kick = np.random.default_rng(seed).normal(size=(series, n))
    kick[:, 1:] *= np.sqrt(1 - kept**2)
    return lfilter([1], [1, -kept], kick, axis=1)


def windows_of(values, n):
    return values.reshape(len(values), n, -1).mean(axis=2)


def told(many):
    """Means, errors and whether they are settled, of each series on its own."""
    found = [mean_of_series(values) for values in many]
    return np.array([one.value for one in found]), np.array([one.stderr for one in found]), np.array([one.settled for one in found])


def scatter_of_blocks(values, fewest=16):
    """Standard error by the largest of block averages, as it is often taken."""
    lengths = [2**k for k in range(20) if len(values) // 2**k >= fewest]
    blocks = [values[: len(values) // length * length].reshape(-1, length).mean(axis=1) for length in lengths]
    return max(one.std(ddof=1) / np.sqrt(len(one)) for one in blocks)


@pytest.mark.parametrize(("memory", "refused"), [(1.0, 0.0), (ROWS / 100, 0.0), (ROWS / 20, 0.02), (ROWS / 10, 0.15), (ROWS / 5, 0.5)])
def test_95_percent_intervals_hold_whatever_the_memory_up_to_a_fifth_of_the_series(memory, refused):
    many = autoregressive(memory, ROWS, 240, seed=11)
    mean, error, settled = told(many)
    inside = np.abs(mean) < 1.96 * error
    assert inside.mean() > 0.92  # of 240, two standard deviations below 95 %
    assert inside[settled].mean() > 0.87
    assert 1 - settled.mean() <= refused
    assert np.sqrt(np.mean(error**2)) < (1.3 if memory < ROWS / 50 else 2.5) * mean.std()
    if memory >= ROWS / 20:  # where blocks of time alone are not enough
        assert np.mean(np.abs(mean) < 1.96 * np.array([scatter_of_blocks(values) for values in many])) < 0.75


@pytest.mark.parametrize(("memory", "least"), [(ROWS / 100, 0.93), (ROWS / 20, 0.87), (ROWS / 5, 0.82)])
def test_of_sixteen_windows_they_nearly_do(memory, least):
    mean, error, _ = told(windows_of(autoregressive(memory, ROWS, 240, seed=12), 16))
    assert np.mean(np.abs(mean) < 1.96 * error) > least
    assert np.sqrt(np.mean(error**2)) < 1.9 * mean.std()


@pytest.mark.parametrize(("n", "least"), [(8, 0.76), (64, 0.81), (128, 0.9)])
def test_of_few_values_they_hold_as_far_as_the_page_says(n, least):
    """A memory of a fifth of the series, the hardest: 83, 86 and 94 %."""
    mean, error, _ = told(autoregressive(n / 5, n, 300, seed=20))
    assert np.mean(np.abs(mean) < 1.96 * error) > least


def test_a_slow_part_beside_a_fast_one_is_not_overlooked():
    fast, slow = autoregressive(3.0, ROWS, 240, seed=13), autoregressive(ROWS / 20, ROWS, 240, seed=14)
    mean, error, _ = told(np.sqrt(0.7) * fast + np.sqrt(0.3) * slow)
    assert np.mean(np.abs(mean) < 1.96 * error) > 0.85


def test_runs_that_are_alike_learn_their_memory_together():
    """Ten runs without a memory, of which sixteen windows each could not tell so; ten with a long one; and one such among nine without."""
    for memory, most in ((1.0, 1.5), (ROWS / 10, 1.9)):
        many = windows_of(autoregressive(memory, ROWS, 200, seed=15), 16)
        groups = [means_of_series(many[k : k + 10]) for k in range(0, 200, 10)]
        mean, error = (np.array([one[k] for group in groups for one in group]) for k in (0, 1))
        assert np.mean(np.abs(mean) < 1.96 * error) > 0.92
        assert np.sqrt(np.mean(error**2)) < most * mean.std()
    fast = windows_of(autoregressive(1.0, ROWS, 9 * 60, seed=16), 16)
    slow = windows_of(autoregressive(ROWS / 10, ROWS, 60, seed=17), 16)
    found = [means_of_series([one, *fast[9 * k : 9 * k + 9]])[0] for k, one in enumerate(slow)]
    assert all(one.stderr > 0.999 * mean_of_series(values).stderr for one, values in zip(found, slow, strict=True))
    assert np.mean([abs(one.value) < 1.96 * one.stderr for one in found]) > 0.8


def test_a_drift_is_not_settled():
    noise = np.random.default_rng(18).normal(size=1000)
    assert not mean_of_series(np.linspace(0.0, 5.0, 1000) + noise).settled
    assert mean_of_series(noise).settled


def test_units_and_origin_do_not_matter():
    values = autoregressive(20.0, 500, 1, seed=19)[0]
    one, other = mean_of_series(values), mean_of_series(3.0 - 1e3 * values)
    assert other.value == pytest.approx(3.0 - 1e3 * one.value)
    assert other.stderr == pytest.approx(1e3 * one.stderr, rel=1e-6)
    assert other.slow == pytest.approx(one.slow, rel=1e-6)


def test_of_two_values_the_error_is_wide_and_of_one_unknown():
    assert np.isnan(mean_of_series([4.0]).stderr)
    assert mean_of_series([1.0, 2.0]).stderr > 12.7 * 0.5 / 1.96  # Student's quantile of one degree of freedom
    assert mean_of_series(np.ones(64))[:2] == (1.0, 0.0)
    assert [one.value for one in means_of_series([[1.0, 2.0], [3.0], np.arange(5.0)])] == [1.5, 3.0, 2.0]
