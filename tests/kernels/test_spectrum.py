"""Co-spectra of two series (the tapers and the periodogram of one are tested with the phonons)."""

import jax
import numpy as np
import pytest

from mdtools.kernels.spectrum import cross_periodogram, hann, periodogram


@pytest.mark.parametrize("n", [16, 17])
def test_the_co_spectrum_is_the_real_part_of_the_product_of_sums_of_waves(n):
    x, y = np.random.default_rng(0).normal(size=(2, 3, n))
    with jax.enable_x64(True):
        w = np.asarray(hann(n))
        found = np.asarray(cross_periodogram(x, y, w))
        alone = np.asarray(cross_periodogram(x, x, w)), np.asarray(periodogram(x, w))
    waves = np.exp(-2j * np.pi * np.outer(np.arange(n // 2 + 1), np.arange(n)) / n)
    expected = np.real(np.conj((x * w) @ waves.T) * ((y * w) @ waves.T)) / np.sum(w**2)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(*alone, rtol=1e-13)
