"""Lines behind the resolution of a spectrometer: Voigt's profile, folded widths, and the width that is found again with its error."""

import numpy as np
import pytest
from scipy import special

from mdtools.statistics.ordinates import ordinates
from mdtools.statistics.quasielastic_lines import lines
from mdtools.statistics.resolution import SHAPES, Shape, evened

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
        np.testing.assert_allclose(Shape(0.8, shape).in_time(np.array([t])), whole, atol=1e-3)  # the tails of a Lorentzian end late
    half = resolution(np.array([0.4]), 0.8, shape) / resolution(np.array([0.0]), 0.8, shape)
    np.testing.assert_allclose(half, 0.5, rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_a_lorentzian_behind_a_gaussian_is_voigts_profile(ratio):
    """The spectrum of one long window, through `ordinates`, and the width at half maximum."""
    full = 2 * WIDTH / ratio
    interval, n = 0.02, 30000
    c = np.exp(-2 * np.pi * WIDTH * interval * np.arange(n))
    seen = ordinates(np.broadcast_to(c, (4, 1, n)), np.ones(1), interval=interval, highest=1.0, resolution=Shape(full))
    f = np.arange(seen.values.shape[-1]) / (n * interval)
    np.testing.assert_allclose(seen.values[0, 0], special.voigt_profile(f, full / GAUSS, WIDTH), rtol=0.02)  # the window is 380 decays
    np.testing.assert_allclose(seen.of_model(np.exp(-2 * np.pi * WIDTH * seen.time)), seen.values[0, 0], rtol=1e-5)  # made at 197 times of 30000
    half = Shape(full).half_width_seen(WIDTH)
    np.testing.assert_allclose(2 * special.voigt_profile(half, full / GAUSS, WIDTH), special.voigt_profile(0.0, full / GAUSS, WIDTH), rtol=1e-9)


def test_the_folded_width_of_a_triangle_and_of_limits():
    f = np.linspace(-60, 60, 240001)
    line = 0.1 / np.pi / (f**2 + 0.01)
    part = np.abs(f) <= 1
    folded = np.convolve(line, resolution(f[part], 0.7, "triangular"), mode="same")
    half = np.interp(0.5, (folded / folded.max())[len(f) // 2 :][::-1], f[len(f) // 2 :][::-1])
    np.testing.assert_allclose(Shape(0.7, "triangular").half_width_seen(0.1), half, rtol=1e-4)
    for shape in SHAPES:
        np.testing.assert_allclose(Shape(0.7, shape).half_width_seen(1e-6), 0.35, rtol=1e-4)  # the resolution alone
        np.testing.assert_allclose(Shape(1e-4, shape).half_width_seen(0.1), 0.1, rtol=1e-3)  # the line alone


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
    seen = {"interval": STEP, "highest": 5.0, "resolution": Shape(full, shape)}
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
    beside = lines(ordinates(c, np.ones(1), interval=STEP, highest=5.0, resolution=Shape(2 * WIDTH / 0.03)))
    assert beside.elastic[0] > 0.8
    free = lines(ordinates(c, np.ones(1), interval=STEP, highest=5.0))
    assert free.elastic[0] < 0.05


def points(full_width, shape="gaussian", step=0.02, reach=4.0):
    """A shape given as points, `step` and `reach` in full widths; not normalised."""
    f = full_width * np.arange(-reach, reach + step / 2, step)
    return f, 37.0 * resolution(f, full_width, shape)


@pytest.mark.parametrize(("shape", "reach"), [("gaussian", 4.0), ("triangular", 1.0), ("lorentzian", 200.0)])
def test_a_shape_given_as_points_is_the_shape(shape, reach):
    full, n = 0.3, 200
    given, curve = Shape(full, shape), evened(*points(full, shape, step=0.005, reach=reach))
    assert curve.full_width == pytest.approx(full, rel=1e-4)
    assert np.trapezoid(curve.values, curve.f) == pytest.approx(1, rel=1e-12)
    atol = 2e-3 if shape == "lorentzian" else 2e-5  # its wings go on beyond any curve
    np.testing.assert_allclose(curve.damping(n, STEP), given.damping(n, STEP), atol=atol)
    assert (np.fft.fft(curve.damping(n, STEP)).real > -1e-12).all()
    for width in (0.02, 0.15, 1.0):
        assert curve.half_width_seen(width) == pytest.approx(given.half_width_seen(width), rel=3e-3 if shape == "lorentzian" else 5e-5)


def test_a_gaussian_given_as_points_finds_the_same_width():
    c = of_walk(np.random.default_rng(4))
    whole, drawn = (lines(ordinates(c, np.ones(1), interval=STEP, highest=5.0, resolution=one)) for one in (Shape(0.2), evened(*points(0.2))))
    np.testing.assert_allclose(drawn.width, whole.width, rtol=2e-4)
    np.testing.assert_allclose(drawn.width_stderr, whole.width_stderr, rtol=2e-3)


def test_of_a_curve_that_is_not_symmetric_both_sides_are_averaged():
    """A sharp rise and an exponential tail, as of a pulsed source: the line folded with it, on both sides, and its transform."""
    f = np.linspace(-0.5, 3.0, 3501)
    tail = np.where(f >= 0, np.exp(-f / 0.2), np.exp(f / 0.02))
    curve = evened(f, 5 * tail)
    fine = np.linspace(-60, 60, 240001)
    line = 0.1 / np.pi / (fine**2 + 0.01)
    part = np.abs(fine) <= 3.5
    kernel = np.interp(fine[part], f, tail, left=0, right=0)
    folded = np.convolve(line, kernel / kernel.sum(), mode="same")
    both = 0.5 * (folded + folded[::-1])
    for at in (0.0, 0.13, 0.4):
        shifted = np.trapezoid(np.interp(at - fine, curve.f, curve.values, left=0, right=0) * line, fine)
        assert np.interp(at, fine, both) == pytest.approx(shifted, rel=2e-3)
    half = np.interp(0.5, (both / both[len(fine) // 2])[len(fine) // 2 :][::-1], fine[len(fine) // 2 :][::-1])
    assert curve.half_width_seen(0.1) == pytest.approx(half, rel=2e-3)
    t = 0.7
    assert curve.damping(4000, t / 10)[10] == pytest.approx(np.trapezoid(tail * np.cos(2 * np.pi * f * t), f) / np.trapezoid(tail, f), abs=1e-3)


def test_the_width_behind_a_measured_curve_is_found_with_its_error():
    """Noisy points of a curve with a tail: data and model are seen through the same, so that its noise is no bias."""
    random = np.random.default_rng(5)
    f = np.linspace(-0.4, 2.0, 241)
    curve = evened(f, np.where(f >= 0, np.exp(-f / 0.15), np.exp(f / 0.05)) * (1 + random.normal(0, 0.05, len(f))))
    found = [lines(ordinates(of_walk(random), np.ones(1), interval=STEP, highest=5.0, resolution=curve)) for _ in range(8)]
    z = np.array([(one.width[0] - WIDTH) / one.width_stderr[0] for one in found])
    assert np.mean(np.abs(z) < special.stdtrit(WINDOWS - 1, 0.975)) >= 0.75
    assert abs(np.mean([one.width[0] for one in found]) / WIDTH - 1) < 0.08
