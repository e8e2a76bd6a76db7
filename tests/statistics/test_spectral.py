"""Zero-frequency limit of a spectrum whose limit is known."""

import numpy as np
import pytest

from mdtools.errors import NotEnoughData
from mdtools.statistics.spectral import followed, zero_frequencies, zero_frequency


def langevin(f, *, time):
    """First-order autoregression of unit variance and correlation time `time` frames: (1 - r^2) / |1 - r exp(-i w)|^2."""
    keep = np.exp(-1 / time)
    return (1 - keep**2) / (1 - 2 * keep * np.cos(2 * np.pi * f) + keep**2)


def optical(f, *, at, damping, power):
    """Velocity of a damped oscillator, nothing at f = 0; `power` is at its maximum."""
    return power * (damping * f) ** 2 / ((at**2 - f**2) ** 2 + (damping * f) ** 2)


def periodograms(spectrum, *, frames, windows, count, seed=0):
    """Of 3 axes in windows of one run each, drawn on a circle four times as long: what the ends of windows do is in them.

    Returns the frequencies, the mean over series (count, frequency), and what E I(0) exceeds S(0) by.
    """
    circle, length = 4 * frames, frames // windows
    exact = spectrum(np.fft.rfftfreq(circle))
    waves = np.random.default_rng(seed).normal(size=(2, count, 3, len(exact))) * np.sqrt(exact * circle / 2)
    series = np.fft.irfft(waves[0] + 1j * waves[1])[..., : windows * length].reshape(count, 3 * windows, length)
    lags = np.arange(1, length)
    ends = np.fft.irfft(exact)
    shift = ends[0] + 2 * np.sum((1 - lags / length) * ends[lags]) - exact[0]
    return np.fft.rfftfreq(length), np.mean(np.abs(np.fft.rfft(series)) ** 2 / length, axis=1), float(shift)


def ion(f):
    return langevin(f, time=10)


def crystal(f):
    return ion(f) + optical(f, at=0.1, damping=0.05, power=12.0)


def constant(f):
    return np.ones_like(f)


@pytest.mark.parametrize(
    ("spectrum", "frames", "windows"),
    [(ion, 1000, 4), (ion, 2000, 8), (crystal, 1000, 2), (crystal, 2000, 4), (constant, 200, 2)],
)
def test_the_limit_is_recovered_within_its_own_error(spectrum, frames, windows):
    """100 and 200 correlation times of an ion's current: bias, coverage and size of the error bar."""
    f, spectra, ends = periodograms(spectrum, frames=frames, windows=windows, count=40)
    found = [zero_frequency(f, one, series=3 * windows) for one in spectra]
    value, stderr = np.array([one.value for one in found]) - ends, np.array([one.stderr for one in found])
    exact = float(spectrum(np.zeros(1))[0])
    assert abs(value.mean() - exact) < 0.6 * value.std()  # 0.3, and 0.16 is the scatter of a mean of 40
    assert np.mean(np.abs(np.log(value / exact)) < 1.96 * stderr / value) > 0.84  # 0.95 less three of its own scatter
    assert 0.75 < np.sqrt(np.mean(np.square(stderr))) / value.std() < 1.7


def test_longer_runs_have_the_smaller_errors_of_their_length():
    errors = []
    for frames in (1000, 16000):
        f, spectra, _ = periodograms(ion, frames=frames, windows=4, count=10)
        errors.append(np.median([zero_frequency(f, one, series=12).stderr for one in spectra]))
    assert errors[1] < 0.5 * errors[0]


def test_a_spectrum_scales_with_its_unit():
    f, spectra, _ = periodograms(ion, frames=1000, windows=2, count=1)
    one, other = zero_frequency(f, spectra[0], series=6), zero_frequency(f * 40, spectra[0] * 1e-6, series=6)
    assert other.value == pytest.approx(one.value * 1e-6, rel=1e-6)
    assert other.cutoff == pytest.approx(one.cutoff * 40, rel=1e-6)


def test_the_expected_spectrum_gives_the_limit_of_a_lorentzian_and_of_a_parabola():
    f = np.arange(401) / 800
    for spectrum in (1 / (1 + (f / 0.03) ** 2), 1 + (f / 0.2) ** 2):
        assert zero_frequency(f, spectrum, series=12).value == pytest.approx(1, abs=0.03)


def test_windows_shorter_than_the_memory_are_refused():
    f, spectra, _ = periodograms(lambda f: langevin(f, time=100), frames=256, windows=1, count=1)
    with pytest.raises(NotEnoughData, match=r"changes to .* the windows are too short"):
        zero_frequency(f, spectra[0], series=3)


def test_a_spectrum_that_rises_within_the_lowest_ordinates_is_refused():
    f = np.arange(129) / 256
    with pytest.raises(NotEnoughData, match=r"changes to .* the windows are too short"):
        zero_frequency(f, 1 / (1 + 300 / (1 + (f / 0.004) ** 2)), series=24)


def test_a_maximum_that_hides_between_the_lowest_ordinates_and_the_optical_modes_is_refused():
    f = np.arange(21) / 40  # windows of 4 correlation times
    with pytest.raises(NotEnoughData, match="structure that the 2 lowest ordinates"):
        zero_frequency(f, crystal(f), series=48)
    fine = np.arange(401) / 800
    assert zero_frequency(fine, crystal(fine), series=48).value == pytest.approx(20, rel=0.1)


def test_a_few_ordinates_are_refused():
    with pytest.raises(NotEnoughData, match="at least 17 ordinates"):
        zero_frequency(np.arange(10) / 20, np.ones(10), series=3)


def test_a_spectrum_without_low_frequencies_is_refused():
    power = np.where(np.arange(129) < 20, 0.0, 1.0)
    with pytest.raises(NotEnoughData, match="the lowest 9 are not all zero"):
        zero_frequency(np.arange(129) / 256, power, series=3)


def narrow_beside_broad(f):
    """Two kinds of ions: two thirds of S(0) in a line as narrow as 1 / 60 of the band."""
    return (2 * langevin(f, time=9) / langevin(np.zeros(1), time=9) + langevin(f, time=1.5) / langevin(np.zeros(1), time=1.5)) / 3


def test_fits_that_do_not_follow_single_ions_are_left_out():
    """One current of 4 windows does not show the narrow line, and its limit is too low by 0.7 errors; 16 single ions show it."""
    f, power, ends = periodograms(narrow_beside_broad, frames=1000, windows=4, count=2000, seed=3)
    alone, current = power[: 16 * 100].reshape(100, 16, -1).mean(axis=1), power[-400:-300]
    allowed = followed(f, alone, series=12, n_ions=16)
    widest = allowed[-1].mean()
    assert widest < 0.1
    assert allowed.any(axis=(0, 2)).all()
    blind, seen = zero_frequencies(f, current, series=12), zero_frequencies(f, current, series=12, allowed=allowed)
    off = [np.mean(np.log((found.value - ends) / 1.0)) / np.mean(found.stderr / found.value) for found in (blind, seen)]
    assert off[0] < -0.45
    assert off[1] > -0.3
    assert np.mean(np.abs(seen.value - ends - 1) < 1.96 * seen.stderr) > 0.9


def test_fits_of_a_constant_follow_it():
    f, power, _ = periodograms(constant, frames=1000, windows=4, count=800, seed=4)
    alone = power.reshape(50, 16, -1).mean(axis=1)
    assert followed(f, alone, series=12, n_ions=16).mean() > 0.9
