"""Lines behind the resolution of a spectrometer: Voigt's profile, folded widths, and the width that is found again with its error."""

import numpy as np
import pytest
from scipy import special

from mdtools.statistics.ordinates import ordinates
from mdtools.statistics.quasielastic_lines import lines
from mdtools.statistics.resolution import SHAPES, half_width_seen, in_time

GAUSS = np.sqrt(8 * np.log(2))
WIDTH, STEP, IONS, WINDOWS = 0.1, 0.1, 16, 8


def resolution(f, full_width, shape):
    if shape == "gaussian":
        return special.voigt_profile(f, full_width / GAUSS, 0.0)
    if shape == "lorentzian":
        return full_width / 2 / np.pi / (f**2 + (full_width / 2) ** 2)
    return np.maximum(0.0, 1 - np.abs(f) / full_width) / full_width


@pytest.mark.parametrize("shape", SHAPES)
def test_the_resolution_in_time_is_its_transform(shape):
    f = np.linspace(-400, 400, 1600001)
    for t in (0.0, 0.3, 1.7):
        whole = np.trapezoid(resolution(f, 0.8, shape) * np.cos(2 * np.pi * f * t), f)
        np.testing.assert_allclose(in_time(np.array([t]), 0.8, shape), whole, atol=1e-3)  # the tails of a Lorentzian end late
    half = resolution(np.array([0.4]), 0.8, shape) / resolution(np.array([0.0]), 0.8, shape)
    np.testing.assert_allclose(half, 0.5, rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_a_lorentzian_behind_a_gaussian_is_voigts_profile(ratio):
    """The spectrum of one long window, through `ordinates`, and the width at half maximum."""
    full = 2 * WIDTH / ratio
    interval, n = 0.02, 30000
    c = np.exp(-2 * np.pi * WIDTH * interval * np.arange(n))
    seen = ordinates(np.broadcast_to(c, (4, 1, n)), np.ones(1), interval=interval, highest=1.0, full_width=full)
    f = np.arange(seen.values.shape[-1]) / (n * interval)
    np.testing.assert_allclose(seen.values[0, 0], special.voigt_profile(f, full / GAUSS, WIDTH), rtol=0.02)  # the window is 380 decays
    np.testing.assert_array_equal(seen.of_model(c), seen.values[0, 0])
    half = half_width_seen(WIDTH, full, "gaussian")
    np.testing.assert_allclose(2 * special.voigt_profile(half, full / GAUSS, WIDTH), special.voigt_profile(0.0, full / GAUSS, WIDTH), rtol=1e-9)


def test_the_folded_width_of_a_triangle_and_of_limits():
    f = np.linspace(-60, 60, 240001)
    line = 0.1 / np.pi / (f**2 + 0.01)
    part = np.abs(f) <= 1
    folded = np.convolve(line, resolution(f[part], 0.7, "triangular"), mode="same")
    half = np.interp(0.5, (folded / folded.max())[len(f) // 2 :][::-1], f[len(f) // 2 :][::-1])
    np.testing.assert_allclose(half_width_seen(0.1, 0.7, "triangular"), half, rtol=1e-4)
    for shape in SHAPES:
        np.testing.assert_allclose(half_width_seen(1e-6, 0.7, shape), 0.35, rtol=1e-4)  # the resolution alone
        np.testing.assert_allclose(half_width_seen(0.1, 1e-4, shape), 0.1, rtol=1e-3)  # the line alone


def of_walk(random, n_frames=1600):
    """F_s of Brownian ions at one wave number, with a line of WIDTH."""
    x = random.normal(0, np.sqrt(4 * np.pi * WIDTH * STEP), (n_frames, IONS, 3)).cumsum(axis=0).reshape(WINDOWS, n_frames // WINDOWS, -1)
    n = x.shape[1]
    power = (np.abs(np.fft.fft(np.exp(1j * (x - x[:, :1])), 2 * n, axis=1)) ** 2).mean(axis=2)
    return (np.fft.ifft(power)[:, :n].real / np.arange(n, 0, -1))[:, None]


@pytest.mark.parametrize(
    ("ratio", "shape", "runs"), [(0.2, "gaussian", 16), (1.0, "gaussian", 16), (5.0, "gaussian", 16), (1.0, "lorentzian", 8), (1.0, "triangular", 8)]
)
def test_the_width_behind_the_resolution_is_found_with_its_error(ratio, shape, runs):
    random = np.random.default_rng(1)
    full = 2 * WIDTH / ratio
    seen = {"interval": STEP, "highest": 5.0, "full_width": full, "shape": shape}
    found = [lines(ordinates(of_walk(random), np.ones(1), **seen)) for _ in range(runs)]
    width, error = (np.array([getattr(one, name)[0] for one in found]) for name in ("width", "width_stderr"))
    assert np.all(error < 0.1 * WIDTH)
    z = (width - WIDTH) / error
    assert np.mean(np.abs(z) < special.stdtrit(WINDOWS - 1, 0.975)) >= 0.8
    assert 0.6 < np.sqrt(np.mean(z**2)) < 2.2  # Student's t of seven degrees of freedom: 1.18
    assert abs(np.mean(width) / WIDTH - 1) < 4 * np.std(width) / WIDTH / np.sqrt(len(width)) + 0.01


def test_a_line_much_narrower_than_the_resolution_is_elastic_to_it():
    random = np.random.default_rng(2)
    c = np.mean([of_walk(random) for _ in range(3)], axis=0)
    beside = lines(ordinates(c, np.ones(1), interval=STEP, highest=5.0, full_width=2 * WIDTH / 0.03))
    assert beside.elastic[0] > 0.8
    free = lines(ordinates(c, np.ones(1), interval=STEP, highest=5.0))
    assert free.elastic[0] < 0.05
