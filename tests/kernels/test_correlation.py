"""Correlations by FFT against the sums that define them."""

import jax
import numpy as np
import pytest

from mdtools.kernels.correlation import crosscorrelation, origins


def naive(x, y):
    """1/(n - m) sum_k [x(k) y(k + m) + y(k) x(k + m)] / 2 along the last axis."""
    n = x.shape[-1]
    return np.stack([np.mean(x[..., : n - m] * y[..., m:] + y[..., : n - m] * x[..., m:], axis=-1) / 2 for m in range(n)], axis=-1)


def at64(function, *arrays):
    with jax.enable_x64(True):
        return np.asarray(function(*arrays))


@pytest.mark.parametrize("n", [2, 7, 64])
def test_autocorrelation_is_its_definition_for_every_lag(n):
    x = np.random.default_rng(n).normal(size=(2, 3, n))
    np.testing.assert_allclose(at64(crosscorrelation, x, x), naive(x, x), atol=1e-13)


def test_crosscorrelation_is_its_definition_symmetrised_in_time():
    x, y = np.random.default_rng(1).normal(size=(2, 3, 33))
    np.testing.assert_allclose(at64(crosscorrelation, x, y), naive(x, y), atol=1e-13)
    np.testing.assert_allclose(at64(crosscorrelation, x, y), at64(crosscorrelation, y, x), atol=1e-13)


def test_correlation_does_not_know_the_direction_of_time():
    x, y = np.random.default_rng(2).normal(size=(2, 50))
    np.testing.assert_allclose(at64(crosscorrelation, x, y), at64(crosscorrelation, x[::-1], y[::-1]), atol=1e-13)


def test_correlation_of_a_sum_is_the_sum_over_pairs():
    x, y = np.random.default_rng(3).normal(size=(2, 50))
    parts = at64(crosscorrelation, x, x) + at64(crosscorrelation, y, y) + 2 * at64(crosscorrelation, x, y)
    np.testing.assert_allclose(at64(crosscorrelation, x + y, x + y), parts, atol=1e-13)


def test_a_long_series_keeps_its_digits_until_few_origins_are_left():
    x = np.random.default_rng(4).normal(size=20_001) + 3.0
    found = at64(crosscorrelation, x, x)
    for lag in (0, 1, 777, 20_000):
        exact = np.mean(x[: len(x) - lag] * x[lag:])
        assert abs(found[lag] - exact) < 1e-15 * found[0] * len(x) / (len(x) - lag)


def test_every_lag_has_one_origin_less_than_the_one_before():
    assert at64(lambda: origins(4)).tolist() == [4.0, 3.0, 2.0, 1.0]
