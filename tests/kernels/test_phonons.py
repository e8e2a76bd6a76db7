"""Tapers, periodogram and the velocity kernels of one atom."""

import jax
import numpy as np
import pytest

from mdtools.kernels.correlation import correlation_of_power
from mdtools.kernels.padded import in_order, twiddles
from mdtools.kernels.phonons import velocity_correlation_from_first, velocity_power, velocity_terms
from mdtools.kernels.spectrum import hann, periodogram, sines


def at64(function, *arrays, **options):
    with jax.enable_x64(True):
        return np.asarray(function(*(jax.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in arrays), **options))


def whole(half, n):
    """Sum over positive and negative frequencies of what was given for 0 ... n/2."""
    twice = half[..., 1 : (n + 1) // 2].sum(axis=-1)
    return half[..., 0] + 2 * twice + (half[..., n // 2] if n % 2 == 0 else 0.0)


@pytest.mark.parametrize("n", [8, 9])
def test_periodogram_is_the_squared_sum_of_waves(n):
    x = np.random.default_rng(n).normal(size=(3, n))
    w = at64(hann, n)
    k = np.arange(n)
    waves = np.exp(-2j * np.pi * np.arange(n // 2 + 1)[:, None] * k / n)
    expected = np.abs(np.einsum("fk,ak->af", waves, w * x)) ** 2 / np.sum(w**2)
    np.testing.assert_allclose(at64(periodogram, x, w), expected, atol=1e-13)


@pytest.mark.parametrize(("n", "n_fft"), [(16, 16), (15, 15), (15, 16), (16, 40)])
def test_periodogram_keeps_the_power_of_the_series(n, n_fft):
    x = np.random.default_rng(n).normal(size=n) + 2.0
    w = at64(hann, n)
    found = whole(at64(periodogram, x, w, n_fft=n_fft), n_fft) / n_fft
    assert found == pytest.approx(np.sum(w**2 * x**2) / np.sum(w**2), rel=1e-13)


def test_hann_is_symmetric_and_throws_no_frame_away():
    w = at64(hann, 11)
    np.testing.assert_allclose(w, w[::-1], atol=1e-15)
    assert w.min() > 0
    assert w[5] == pytest.approx(1.0)
    assert np.sum(w**2) / np.sum(w) ** 2 * 11 == pytest.approx(1.5)  # equivalent noise width


def test_velocity_correlation_is_its_definition():
    v, weight = np.random.default_rng(0).normal(size=(3, 2, 41)), np.array([0.5, 2.0])
    parts = v[:, :, :40].reshape(3, 2, 2, 20)
    expected = [np.einsum("xawk,xawk,a->w", parts[..., : 20 - m], parts[..., m:], weight) / (20 - m) for m in range(20)]
    with jax.enable_x64(True):
        sums, _ = velocity_power(*map(jax.numpy.asarray, (v, weight)), twiddles(40), windows=2, n_fft=40)
        found = correlation_of_power(in_order(sums["power"], twiddles(40)), n=20, n_fft=40)
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-13)
    np.testing.assert_allclose(at64(velocity_correlation_from_first, v[:, 0]), v[:, 0, 0] @ v[:, 0], atol=1e-13)


def test_power_and_square_of_an_odd_window_agree_once_it_is_padded():
    v = np.random.default_rng(1).normal(size=(3, 21))
    with jax.enable_x64(True):
        terms, _ = velocity_terms(jax.numpy.asarray(v[:, None]), jax.numpy.ones(1), jax.numpy.ones((1, 21)), windows=1, n_fft=22)
    power = np.asarray(terms["power"])[0]
    assert power.shape == (3, 12)
    assert whole(power, 22).sum() / 22 == pytest.approx(float(terms["square"][0]), rel=1e-13)
    assert float(terms["square"][0]) == pytest.approx(np.sum(v**2) / 21)


def test_sine_tapers_are_orthonormal_and_least_biased_first():
    tapers = at64(sines, 40, 5)
    np.testing.assert_allclose(tapers @ tapers.T, np.eye(5), atol=1e-13)
    assert tapers[0].min() > 0
