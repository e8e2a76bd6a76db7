"""Motions that are known, seen through the spectra of exp(i q . r): the right one is found, with its parameters and their errors."""

import numpy as np
import pytest
from scipy import special

from mdtools.statistics.motions import MOTIONS
from mdtools.statistics.ordinates import ordinates
from mdtools.statistics.quasielastic import compared, fitted
from mdtools.statistics.quasielastic_lines import lines

STEP, FRAMES, IONS, WINDOWS = 0.1, 800, 24, 8
Q = np.linspace(0.5, 2.5, 5)


def correlation(path, q=Q):
    """F_s (window, q, lag) over three axes, by FFT."""
    length = len(path) // WINDOWS
    out = np.zeros((WINDOWS, len(q), length))
    for w in range(WINDOWS):
        x = path[w * length : (w + 1) * length]
        for k, one in enumerate(q):
            spectrum = np.fft.fft(np.exp(1j * one * (x - x[0])).reshape(length, -1), 2 * length, axis=0)
            out[w, k] = np.fft.ifft((np.abs(spectrum) ** 2).mean(axis=1))[:length].real / np.arange(length, 0, -1)
    return out


def seen(path, **more):
    return ordinates(correlation(path), Q, interval=STEP, **({"highest": 1.0} | more))


def continuous(random):
    return random.normal(0, np.sqrt(2 * 0.3 * STEP), (FRAMES, IONS, 3)).cumsum(axis=0)


def jumps(random):
    """Of 2 angstrom in random directions, every 2 ps on average, rattling."""
    number, step = random.poisson(STEP / 2.0, (FRAMES, IONS)), np.zeros((FRAMES, IONS, 3))
    for k in range(number.max()):
        direction = random.normal(size=step.shape)
        step += np.where((number > k)[..., None], 2.0 * direction / np.linalg.norm(direction, axis=-1, keepdims=True), 0.0)
    return step.cumsum(axis=0) + random.normal(0, 0.15, step.shape)


def confined(random):
    path, keep = np.zeros((FRAMES, IONS, 3)), np.exp(-STEP / 1.5)
    path[0] = random.normal(0, 0.5, (IONS, 3))
    for k in range(1, FRAMES):
        path[k] = keep * path[k - 1] + random.normal(0, 0.5 * np.sqrt(1 - keep**2), (IONS, 3))
    return path


def still(random):
    return random.uniform(0, 9, (IONS, 3)) + random.normal(0, 0.15, (FRAMES, IONS, 3))


CASES = {"continuous": (continuous, [0.3]), "jump": (jumps, [2.0, 2.0]), "confined": (confined, [0.5, 1.5]), "elastic": (still, [])}


@pytest.mark.parametrize("motion", CASES)
def test_the_right_motion_is_found_with_its_parameters(motion):
    make, truth = CASES[motion]
    fits = {fit.motion: fit for fit in compared(seen(make(np.random.default_rng(1))))}
    assert max(fits.values(), key=lambda fit: fit.log_evidence).motion == motion
    found = fits[motion]
    z = (np.log(found.theta) - np.log(truth)) / found.log_stderr
    assert np.all(np.abs(z) < special.stdtrit(WINDOWS - 1, 0.999))
    assert np.all(found.log_stderr < 0.2)


@pytest.mark.parametrize("motion", ["continuous", "jump", "confined"])
def test_errors_are_those_of_repeated_runs(motion):
    make, truth = CASES[motion]
    random = np.random.default_rng(2)
    fits = [fitted(seen(make(random)), motion) for _ in range(24)]
    z = np.array([(np.log(fit.theta) - np.log(truth)) / fit.log_stderr for fit in fits])
    # Student's t of seven degrees of freedom has a root mean square of 1.18; 24 runs scatter by 15 to 20 %
    assert np.all((np.sqrt(np.mean(z**2, axis=0)) > 0.7) & (np.sqrt(np.mean(z**2, axis=0)) < 1.9))
    assert np.mean(np.abs(z) < special.stdtrit(WINDOWS - 1, 0.975)) > 0.8


def test_the_mean_of_the_ordinates_is_that_of_the_model_in_any_window():
    """Windows shorter than the line is narrow: leakage is in the model."""
    random = np.random.default_rng(3)
    path = random.normal(0, np.sqrt(2 * 0.02 * STEP), (FRAMES * 4, IONS, 3)).cumsum(axis=0)
    data = ordinates(correlation(path, Q[:2]), Q[:2], interval=STEP, highest=5.0)
    expected = at_every_lag("continuous", data, np.array([0.02]))
    ratio = data.values.mean(axis=0) / expected[:, : data.values.shape[-1]]
    np.testing.assert_allclose(ratio[:, 1:20].mean(axis=1), 1, atol=0.1)
    np.testing.assert_allclose(ratio[:, 0], 1, atol=0.2)


def at_every_lag(motion, data, theta):
    """Mean of the ordinates from a model at every frame of a window."""
    c = MOTIONS[motion][0](data.q, np.arange(data.n) * data.interval, theta)
    share = np.arange(data.n) / data.n
    circular = (1 - share) * c + share * np.concatenate([c[:, :1], c[:, :0:-1]], axis=1)
    return data.interval * np.fft.rfft(circular).real


@pytest.mark.parametrize("frames", [9, 60, 733, 5869])
def test_a_model_at_few_times_has_the_ordinates_of_one_at_every_frame(frames):
    """Relative to each ordinate, which far from the line is 1e-5 of that at its middle."""
    data = ordinates(np.random.default_rng(0).random((4, len(Q), frames)), Q, interval=STEP, highest=1.0)
    assert len(data.time) <= frames
    assert len(data.time) < 200
    for time in np.geomspace(0.3, 2 * frames, 9) * STEP:
        for length in (0.3, 1.0, 4.0):
            theta = {"continuous": [1 / (9 * time)], "jump": [length, time], "rotor": [length, 1 / time], "confined": [length, time]}
            for motion, values in theta.items():
                found = data.of_model(MOTIONS[motion][0](data.q, data.time, np.array(values)))
                expected = at_every_lag(motion, data, np.array(values))[:, : found.shape[1]]
                np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7 * STEP)


def test_models_start_at_one_and_have_their_limits():
    q, t = np.array([0.5, 2.0]), np.array([0.0, 0.3, 1e6])
    theta = {"elastic": [], "continuous": [0.7], "jump": [1.5, 2.0], "rotor": [1.2, 0.4], "confined": [0.4, 2.0]}
    for name, (model, kinds) in MOTIONS.items():
        values = model(q, t, np.array(theta[name]))
        assert len(kinds) == len(theta[name])
        np.testing.assert_allclose(values[:, 0], 1, rtol=1e-12)
        assert np.all(np.diff(values) <= 0)
    np.testing.assert_allclose(MOTIONS["rotor"][0](q, t, np.array([1.2, 0.4]))[:, 2], np.sinc(1.2 * q / np.pi) ** 2, atol=1e-9)
    np.testing.assert_allclose(MOTIONS["confined"][0](q, t, np.array([0.4, 2.0]))[:, 2], np.exp(-((0.4 * q) ** 2)))
    small = MOTIONS["jump"][0](np.array([0.01]), t[:2], np.array([1.5, 2.0]))
    np.testing.assert_allclose(-np.log(small[0, 1]) / (0.01**2 * 0.3), 1.5**2 / 12, rtol=1e-4)  # D = l^2 / 6 tau


def test_each_line_has_its_width_or_its_elastic_part():
    random = np.random.default_rng(4)
    free, well = lines(seen(continuous(random))), lines(seen(confined(random)))
    assert np.all(well.width_beside_stderr < 0.3 * well.width_beside)
    np.testing.assert_allclose(free.width, 0.3 * Q**2 / (2 * np.pi), atol=4 * np.max(free.width_stderr[np.isfinite(free.width_stderr)]))
    assert np.all(free.elastic < 3 * free.elastic_stderr + 0.02)  # the slowest outlasts a window
    np.testing.assert_allclose(well.elastic, np.exp(-((0.5 * Q) ** 2)), atol=0.05)
