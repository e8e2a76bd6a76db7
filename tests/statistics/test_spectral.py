"""Zero-frequency limit of a spectrum whose limit is known."""

import numpy as np
import pytest

from mdtools.errors import NotEnoughData
from mdtools.statistics.spectral import zero_frequency


def periodograms(random, *, keep, n, series, count):
    """First-order autoregression of unit variance: S(0) = (1 + keep) / (1 - keep) frames."""
    x = random.normal(size=(count, series, n))
    x[..., 1:] *= np.sqrt(1 - keep**2)
    for k in range(1, n):
        x[..., k] += keep * x[..., k - 1]
    return np.mean(np.abs(np.fft.rfft(x)) ** 2 / n, axis=1)


@pytest.mark.parametrize(("keep", "n"), [(0.0, 256), (0.6, 512)])
def test_the_limit_is_recovered_within_its_own_error(keep, n):
    spectra = periodograms(np.random.default_rng(3), keep=keep, n=n, series=12, count=80)
    found = [zero_frequency(np.arange(n // 2 + 1) / n, s, series=12) for s in spectra]
    value, stderr = (np.array(v) for v in zip(*((f.value, f.stderr) for f in found), strict=True))
    exact = (1 + keep) / (1 - keep)
    assert np.mean(np.abs(value - exact) < 1.96 * stderr) > 0.87
    assert abs(value.mean() - exact) < 0.5 * value.std()
    assert 0.75 < np.sqrt(np.mean(stderr**2)) / value.std() < 1.8


def test_a_spectrum_scales_with_its_unit():
    power = periodograms(np.random.default_rng(1), keep=0.5, n=256, series=6, count=1)[0]
    f = np.arange(129) / 256
    one, other = zero_frequency(f, power, series=6), zero_frequency(f * 40, power * 1e-6, series=6)
    assert other.value == pytest.approx(one.value * 1e-6, rel=1e-6)
    assert other.cutoff == pytest.approx(one.cutoff * 40, rel=1e-6)


def test_windows_shorter_than_the_memory_are_refused():
    power = periodograms(np.random.default_rng(1), keep=0.99, n=256, series=24, count=1)[0]
    with pytest.raises(NotEnoughData, match="windows are too short"):
        zero_frequency(np.arange(129) / 256, power, series=24)


def test_a_few_ordinates_are_refused():
    with pytest.raises(NotEnoughData, match="at least 41 ordinates"):
        zero_frequency(np.arange(10) / 20, np.ones(10), series=3)
