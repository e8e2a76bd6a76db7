"""Short transforms in place of one of a padded series, against that one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdtools.kernels import padded
from mdtools.kernels.padded import entries, in_order, padded_length, padded_transform, twiddles

SHORT = padded.SHORT


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield
    jax.clear_caches()  # what was compiled for another length of short transforms


@pytest.mark.parametrize("short", [8, 32, 100, SHORT])
@pytest.mark.parametrize(("n", "n_fft"), [(1, 8), (100, 200), (77, 160), (100, 144), (640, 1280), (1000, 2048)])
def test_every_entry_is_one_of_the_transform_or_its_conjugate(n, n_fft, short, monkeypatch):
    monkeypatch.setattr(padded, "SHORT", short)
    x = np.random.default_rng(n).normal(size=(2, 3, n))
    whole = np.fft.rfft(x, n=n_fft)
    pieces = padded_transform(jnp.asarray(x), twiddles(n_fft), n_fft=n_fft)
    assert len(pieces) >= 2 + (n_fft // 2 > short)
    found, wanted = np.concatenate(pieces, axis=-1), whole[..., np.asarray(entries(n_fft))]
    np.testing.assert_allclose(found.real, wanted.real, atol=1e-11)
    np.testing.assert_allclose(np.abs(found.imag), np.abs(wanted.imag), atol=1e-11)
    power = tuple(jnp.square(jnp.abs(piece)) for piece in pieces)
    np.testing.assert_allclose(in_order(power, twiddles(n_fft)), np.abs(whole) ** 2, rtol=1e-10, atol=1e-10)


def test_a_line_in_a_long_series_is_as_sharp_as_in_one_transform():
    n = 3 * SHORT
    n_fft = padded_length(2 * n)
    x = 1e3 * np.cos(0.3 * np.arange(n)) + 1e-6 * np.random.default_rng(0).normal(size=n)
    whole = np.fft.rfft(x, n=n_fft)
    pieces = padded_transform(jnp.asarray(x), twiddles(n_fft), n_fft=n_fft)
    assert len(pieces) >= 4
    power = in_order(tuple(jnp.square(jnp.abs(piece)) for piece in pieces), twiddles(n_fft))
    np.testing.assert_allclose(np.sqrt(power), np.abs(whole), atol=1e-13 * np.abs(whole).max())


def test_lengths_are_little_longer_than_asked_and_can_be_cut():
    for n in [2, 3, 17, 500, 9998, 25001, 65537, 199999, 10**6 + 1]:
        n_fft = padded_length(n)
        assert n <= n_fft <= max(1.07 * n, n + 8)
        assert n_fft % (64 if n > 4 * SHORT else 8) == 0
        assert sorted(np.asarray(entries(n_fft)).tolist()) == list(range(n_fft // 2 + 1))
