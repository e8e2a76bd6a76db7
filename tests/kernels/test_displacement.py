"""Squared displacement of one atom, against its definition written as a loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tidynamics

from mdtools.kernels.displacement import centred, squared_displacement


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
    with pytest.raises(Exception, match="frame atom xyz"):
        centred(jnp.zeros((5, 3)), windows=1)
