"""Squared displacement of one atom, against its definition written as a loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tidynamics

from mdtools.kernels.displacement import block_count, block_displacement, block_stride, squared_displacement, squared_displacement_at


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def walk(n, *, drift=0.0, away=0.0, seed=0):
    random = np.random.default_rng(seed)
    x = np.cumsum(random.normal(0, 0.3, (3, n)), axis=1) + away
    return x + np.linspace(0, drift, n)


def naive(x, lags, starts=None):
    n = x.shape[1]
    starts = range(n) if starts is None else starts
    return np.stack([np.mean([(x[:, k + m] - x[:, k]) ** 2 for k in starts if k + m < n], axis=0) for m in lags], axis=1)


@pytest.mark.parametrize("n", [2, 3, 97, 128])
def test_every_lag_equals_the_definition(n):
    x = walk(n)
    np.testing.assert_allclose(squared_displacement(jnp.asarray(x)), naive(x, range(n)), rtol=1e-11, atol=1e-14)


def test_a_drift_of_300_angstrom_far_from_the_origin_costs_no_more_than_1e_9_at_any_lag():
    x = np.random.default_rng(1).normal(0, 0.1, (3, 150)) + 1000.0 + np.linspace(0, 300, 150)
    np.testing.assert_allclose(squared_displacement(jnp.asarray(x)), naive(x, range(150)), rtol=1e-9, atol=1e-14)


def test_a_rival_gets_the_same():
    x = walk(200)
    np.testing.assert_allclose(squared_displacement(jnp.asarray(x)).sum(axis=0), tidynamics.msd(x.T), rtol=1e-10, atol=1e-12)


def test_time_reversal_changes_nothing_and_scaling_scales_by_the_square():
    x = walk(64)
    forward = np.asarray(squared_displacement(jnp.asarray(x)))
    np.testing.assert_allclose(squared_displacement(jnp.asarray(x[:, ::-1].copy())), forward, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(squared_displacement(jnp.asarray(3.0 * x)), 9.0 * forward, rtol=1e-11, atol=1e-14)


def test_an_atom_at_rest_has_not_moved():
    np.testing.assert_allclose(squared_displacement(jnp.full((3, 40), 1234.5678)), 0.0, atol=1e-20)


def test_shapes_are_checked_while_the_tests_run():
    with pytest.raises(Exception, match="xyz time"):
        squared_displacement(jnp.zeros(5))


@pytest.mark.parametrize("starts", [np.arange(90), np.arange(1), np.arange(0, 90, 7)], ids=["all", "first", "every seventh"])
def test_chosen_lags_and_origins_equal_the_definition(starts):
    x, lags = walk(90, away=1000.0), np.array([0, 1, 5, 40, 89])
    np.testing.assert_allclose(squared_displacement_at(jnp.asarray(x), jnp.asarray(lags), jnp.asarray(starts)), naive(x, lags, starts), rtol=1e-12)


@pytest.mark.parametrize("n_blocks", [4, 64])
def test_blocks_do_not_overlap_and_are_the_displacements_between_their_ends(n_blocks):
    x, lengths = walk(101), (1, 3, 25, 100)
    blocks = np.asarray(block_displacement(jnp.asarray(x), lengths=lengths, n_blocks=n_blocks))
    assert blocks.shape == (4, 3, n_blocks)
    for row, length in zip(blocks, lengths, strict=True):
        count, stride = block_count(101, length, n_blocks), block_stride(101, length, n_blocks)
        assert 1 <= count <= n_blocks
        assert stride >= length
        assert (count - 1) * stride + length <= 100
        for k in range(count):
            np.testing.assert_allclose(row[:, k], (x[:, k * stride + length] - x[:, k * stride]) ** 2, rtol=1e-13)
        assert not np.any(row[:, count:])


def test_a_block_longer_than_the_path_does_not_exist():
    assert block_count(10, 10, 64) == 0
    assert block_count(10, 9, 64) == 1
