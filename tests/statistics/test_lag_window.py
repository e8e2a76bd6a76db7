"""The transform of a correlation function under a lag window errs by what it says, in both parts."""

import numpy as np
import pytest

from mdtools.statistics.lag_window import half_transform, half_variance, hann

INTERVAL, LENGTH, SERIES = 0.02, 2000, 6
STEP, COUNT = 0.05, 400
WINDOW = hann(250)  # 0.2 THz
OF_POWER = WINDOW / (1 - np.arange(250) / LENGTH)


def phonon(f):
    """A sharp line at 5 THz and a broad one at 12 THz."""
    return sum(power * (g * f) ** 2 / ((at**2 - f**2) ** 2 + (g * f) ** 2) for at, g, power in ((5.0, 0.3, 10.0), (12.0, 3.0, 1.0)))


def conductor(f):
    return 1 / (1 + (f / 2.0) ** 2)


def drawn(spectrum, count):
    """Mean correlation (count, lag) and periodogram (count, frequency) of SERIES series each, drawn on a circle four times as long."""
    circle = 4 * LENGTH
    f = np.fft.rfftfreq(circle, INTERVAL)
    waves = np.random.default_rng(3).normal(size=(2, count, SERIES, len(f))) * np.sqrt(spectrum(f) * circle / 2 / INTERVAL)
    series = np.fft.irfft(waves[0] + 1j * waves[1])[..., :LENGTH]
    padded = np.fft.rfft(series, 2 * LENGTH)
    acf = np.fft.irfft(np.abs(padded) ** 2)[..., :LENGTH] / (LENGTH - np.arange(LENGTH))
    exact = np.fft.irfft(spectrum(f))[:LENGTH] / INTERVAL
    return exact, acf.mean(axis=1), np.mean(np.abs(np.fft.rfft(series)) ** 2, axis=1) * INTERVAL / LENGTH


@pytest.mark.parametrize("spectrum", [phonon, conductor])
def test_both_parts_err_by_what_they_say_at_every_frequency(spectrum):
    """60 runs: root mean square of (found - exact) / stderr by eighths of the band, in which neighbours scatter alike.

    Below the phonons the real part is what the ends of windows leave of them, 1e-3 of its maximum: not independent from ordinate to ordinate.
    """
    exact, acf, power = drawn(spectrum, 60)
    frequency = np.fft.rfftfreq(LENGTH, INTERVAL)
    options = {"interval": INTERVAL, "step": STEP, "count": COUNT}
    truth = half_transform(exact[: len(WINDOW)] * WINDOW, interval=INTERVAL, step=STEP, count=COUNT + 1)[1:]
    z = []
    for one, ordinates in zip(acf, power, strict=True):
        found = half_transform(one[: len(WINDOW)] * WINDOW, interval=INTERVAL, step=STEP, count=COUNT + 1)[1:]
        variance = half_variance(OF_POWER, frequency, ordinates, series=SERIES, **options)
        z.append([(getattr(found, part) - getattr(truth, part)) / np.sqrt(spread) for part, spread in zip(("real", "imag"), variance, strict=True)])
    z = np.array(z)  # (run, part, frequency)
    by_part = np.sqrt(np.mean(np.square(z), axis=0)).reshape(2, 8, -1).mean(axis=-1)
    assert np.all(np.abs(by_part - 1) < 0.2), by_part
    assert abs(np.mean(np.abs(z[..., COUNT // 8 :]) < 1.96) - 0.95) < 0.02


@pytest.mark.parametrize("spectrum", [phonon, conductor])
def test_the_variance_is_that_of_the_sum_over_ordinates(spectrum):
    """The convolutions against the naive double sum."""
    frequency = np.arange(LENGTH // 2 + 1) / (LENGTH * INTERVAL)
    power = spectrum(frequency)
    found = half_variance(WINDOW, frequency, power, series=SERIES, interval=INTERVAL, step=STEP, count=COUNT)
    f = STEP * np.arange(1, COUNT + 1)
    by = WINDOW * INTERVAL
    by[0] /= 2
    lags = INTERVAL * np.arange(len(WINDOW))
    of = np.exp(2j * np.pi * np.outer(f, lags)) @ (2 * np.cos(2 * np.pi * np.outer(lags, frequency)) * by[:, None])
    strength = np.square(power) / (SERIES + 1) * frequency[1] ** 2
    strength[[0, -1]] /= 2
    for part, naive in zip(found, (np.square(of.real) @ strength, np.square(of.imag) @ strength), strict=True):
        np.testing.assert_allclose(part, naive, rtol=0.05, atol=1e-6 * naive.max())
