"""Correlations of modes, self parts and spectra against the sums that define them."""

import jax
import numpy as np
import pytest

from mdtools.kernels.scattering import current_correlations, even_spectrum, from_power, mean_products, mode_correlations, self_power


def naive(a, b, longest):
    """Re <a(t) b*(t + m)> over all origins, both orders averaged, along the last axis."""
    n = a.shape[-1]
    each = [np.mean(a[..., : n - m] * b[..., m:].conj() + b[..., : n - m] * a[..., m:].conj(), axis=-1).real / 2 for m in range(longest + 1)]
    return np.stack(each, axis=-1)


def complex_series(*shape, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=shape) + 1j * random.normal(size=shape)


@pytest.mark.parametrize("longest", [0, 3, 20])
def test_correlations_are_their_definition_with_unlike_pairs_counted_twice(longest):
    modes = complex_series(2, 5, 21)
    with jax.enable_x64(True):
        found = np.asarray(mode_correlations(modes, pairs=((0, 0), (0, 1), (1, 1)), longest=longest))
    expected = [naive(modes[0], modes[0], longest), 2 * naive(modes[0], modes[1], longest), naive(modes[1], modes[1], longest)]
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_the_sum_over_pairs_is_the_correlation_of_the_sum():
    modes = complex_series(3, 4, 30, seed=1)
    pairs = tuple((a, b) for a in range(3) for b in range(a, 3))
    with jax.enable_x64(True):
        parts = np.asarray(mode_correlations(modes, pairs=pairs, longest=29))
        whole = np.asarray(mode_correlations(modes.sum(axis=0)[None], pairs=((0, 0),), longest=29))[0]
        now = np.asarray(mean_products(modes, pairs=pairs))
    np.testing.assert_allclose(parts.sum(axis=0), whole, atol=1e-12)
    np.testing.assert_allclose(now, parts[..., 0], atol=1e-13)


def test_currents_along_and_across_the_wave_vector():
    modes = complex_series(2, 3, 4, 25, seed=2)
    e = np.random.default_rng(3).normal(size=(4, 3, 25))
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    with jax.enable_x64(True):
        along, across = np.asarray(current_correlations(modes, e, pairs=((0, 0), (0, 1)), longest=10))
    unit = e.transpose(1, 0, 2)[None]
    part = (modes * unit).sum(axis=1)
    rest = modes - part[:, None] * unit
    np.testing.assert_allclose(along, [naive(part[0], part[0], 10), 2 * naive(part[0], part[1], 10)], atol=1e-13)
    sums = [sum(naive(rest[a, x], rest[b, x], 10) for x in range(3)) for a, b in ((0, 0), (0, 1))]
    np.testing.assert_allclose(across, [sums[0] / 2, sums[1]], atol=1e-13)


@pytest.mark.parametrize("windows", [1, 3])
def test_the_self_part_is_the_mean_cosine_of_the_displacements(windows):
    random = np.random.default_rng(4)
    path = random.normal(size=(31, 6, 3)).cumsum(axis=0) + 500.0
    q = random.normal(size=(4, 3)) / 7
    weights = np.zeros((6, 2))
    weights[:2, 0], weights[2:, 1] = 1 / 2, 1 / 4
    n = 31 // windows
    longest = n - 1
    with jax.enable_x64(True):
        power = self_power(path.transpose(1, 2, 0), np.eye(3), np.zeros((31, 3)), weights, q, windows=windows, longest=longest)
        found = np.asarray(from_power(power, n=n, longest=longest))
    wave = np.exp(2j * np.pi * path @ q.T)
    for w in range(windows):
        part = wave[w * n : (w + 1) * n].transpose(1, 2, 0)
        each = naive(part, part, longest)
        np.testing.assert_allclose(found[w], [each[:2].mean(axis=0), each[2:].mean(axis=0)], atol=1e-12)


@pytest.mark.parametrize("last", [0, 1, 7, 83])  # 167 is prime
def test_the_spectrum_is_the_cosine_sum_and_keeps_the_area(last):
    n = 2 * last + 1
    c, taper = np.random.default_rng(5).normal(size=(2, 3, last + 1)), np.linspace(1, 0, last + 1)
    with jax.enable_x64(True):
        found = np.asarray(even_spectrum(c, taper, np.float64(0.1)))
    m, k = np.arange(1, last + 1), np.arange(last + 1)
    expected = 0.1 * (c[..., :1] + 2 * (taper[1:] * c[..., 1:]) @ np.cos(2 * np.pi * np.outer(m, k) / n))
    np.testing.assert_allclose(found, expected, atol=2e-14)
    area = (found[..., 0] + 2 * found[..., 1:].sum(axis=-1)) / (n * 0.1)
    np.testing.assert_allclose(area, c[..., 0], atol=1e-13)
