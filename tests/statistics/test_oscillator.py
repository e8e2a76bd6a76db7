"""Mean periodograms of the models of a mode, against formulas and against exact samples."""

import numpy as np
import pytest

from mdtools.statistics.oscillator import MODELS, Sampling, Spectrum, correlation, rates
from tests.langevin import oscillator, with_neighbour

W = 2 * np.pi


def hann(n):
    return np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2


@pytest.mark.parametrize("ratio", [0.05, 1.0, 2.0, 2.0000001, 4.0])
def test_correlation_of_the_oscillator_is_the_formula(ratio):
    g, time = ratio * W, np.arange(400) * 0.01
    k = np.sqrt(complex(g**2 / 4 - W**2))
    expected = np.exp(-g * time / 2) * (np.cosh(k * time) + (g / 2 * np.sinh(k * time) / k if abs(k) > 1e-9 else g / 2 * time))
    np.testing.assert_allclose(
        correlation("oscillator", np.log([1.0, W**2, g]), 0.01, 400), expected.real, atol=2e-5 if abs(ratio - 2) < 1e-3 else 1e-12
    )


def test_spectrum_far_from_the_window_and_the_nyquist_limit_is_that_of_the_continuous_oscillator():
    sampling = Sampling(interval=0.002, taper=hann(2**15))
    for g in (1.0, 8.0, 30.0):
        w = 2 * np.pi * sampling.frequency[20:1000]
        expected = 2 * g / ((w**2 - W**2) ** 2 + (g * w) ** 2)  # k_B T = 1, A = 1 / W^2
        found = Spectrum("oscillator", sampling)(np.log([W**-2, W**2, g]))[20:1000]
        np.testing.assert_allclose(found, expected, rtol=0.02)
    extra, rate, g = 20.0, 0.5, 1.0
    w = 2 * np.pi * sampling.frequency[20:1000]
    self_energy = W**2 + extra - w**2 - 1j * w * g - extra * rate / (rate - 1j * w)
    found = Spectrum("central peak", sampling)(np.log([W**-2, W**2, g, extra, rate]))[20:1000]
    np.testing.assert_allclose(found, 2 / w * np.imag(1 / self_energy), rtol=0.02)


@pytest.mark.parametrize("velocity", [False, True], ids=["coordinate", "velocity"])
@pytest.mark.parametrize("taper", ["hann", "none"])
@pytest.mark.parametrize("model", ["oscillator", "overdamped", "central peak"])
def test_mean_of_sampled_periodograms_is_the_spectrum_in_short_windows_too(model, taper, velocity):
    n, interval, runs = 96, 0.05, 1500
    if model == "central peak":
        theta = np.log([W**-2, W**2, 3.0, 30.0, 0.4])
        x = with_neighbour(W, 3.0, 30.0, 0.4, 1.0, n, interval, runs, 1)
    else:
        g = 2.0 if model == "oscillator" else 25.0
        theta, x = np.log([W**-2, W**2, g]), oscillator(W, g, 1.0, n, interval, runs, 2)
    sampling = Sampling(interval=interval, taper=hann(n) if taper == "hann" else np.ones(n), velocity=velocity)
    power = interval * np.abs(np.fft.rfft(x[:, :, int(velocity)] * sampling.taper)) ** 2 / np.sum(sampling.taper**2)
    expected = Spectrum("central peak" if model == "central peak" else "oscillator", sampling)(theta)
    z = (power.mean(axis=0) / expected - 1) * np.sqrt(runs)
    assert np.abs(z[1:-1]).max() < 4.5
    assert np.mean(z[1:-1] ** 2) < 1.8  # ordinates of a steep spectrum without taper are one number


@pytest.mark.parametrize("model", MODELS)
def test_a_correlation_starts_at_its_amplitude_and_an_oscillator_without_a_slope(model):
    theta = np.log([3.0, 40.0, 2.0, 10.0, 0.3])[: 5 if model == "central peak" else 3]
    assert correlation(model, theta, 0.1, 2)[0] == pytest.approx(3.0)
    z, residue = rates(model, theta)
    if model != "lorentzian":
        assert abs(np.sum(residue * z)) < 1e-9


def test_derivatives_are_those_of_finite_steps_of_another_size():
    spectrum = Spectrum("central peak", Sampling(interval=0.05, taper=hann(200)))
    theta = np.log([2.0, 30.0, 4.0, 10.0, 0.5])
    log, slopes = spectrum.logarithm(theta)
    for k in range(5):
        step = 1e-3 * (np.arange(5) == k)
        np.testing.assert_allclose(slopes[k], (np.log(spectrum(theta + step)) - np.log(spectrum(theta - step))) / 2e-3, atol=1e-4)
    np.testing.assert_allclose(log, np.log(spectrum(theta)))
