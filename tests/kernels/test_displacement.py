"""Squared displacements, against their definition written as a loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdtools.kernels.displacement import (
    block_terms,
    centred,
    correlation_terms,
    mean_displacement,
    pair_terms,
    squared_displacement,
)
from mdtools.kernels.grouped import AXES, TENSOR, summed_atoms, tile_sums
from mdtools.kernels.padded import in_order, padded_transform, twiddles


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def walk(n, *, drift=0.0, away=0.0, seed=0):
    random = np.random.default_rng(seed)
    x = np.cumsum(random.normal(0, 0.3, (3, n)), axis=1) + away
    return x + np.linspace(0, drift, n)


def naive(x, lags):
    n = x.shape[1]
    return np.stack([np.mean([(x[:, k + m] - x[:, k]) ** 2 for k in range(n) if k + m < n], axis=0) for m in lags], axis=1)


def tile(n_frames, n_atoms, *, seed=0):
    """Paths (frame, atom, xyz) whose axes move together, far from the origin, and weights."""
    random = np.random.default_rng(seed)
    mixed = random.normal(0, 0.3, (n_frames, n_atoms, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -0.4], [0.0, 0.0, 1.0]])
    return np.cumsum(mixed, axis=0) + 1000.0, random.uniform(0.5, 1.5, n_atoms)


@pytest.mark.parametrize("n", [2, 3, 97, 128])
def test_every_lag_equals_the_definition(n):
    x = walk(n)
    np.testing.assert_allclose(squared_displacement(jnp.asarray(x)), naive(x, range(n)), rtol=1e-11, atol=1e-14)


def test_a_drift_of_300_angstrom_far_from_the_origin_costs_no_more_than_1e_9_at_any_lag():
    x = np.random.default_rng(1).normal(0, 0.1, (3, 150)) + 1000.0 + np.linspace(0, 300, 150)
    np.testing.assert_allclose(squared_displacement(jnp.asarray(x)), naive(x, range(150)), rtol=1e-9, atol=1e-14)


def test_a_rival_gets_the_same():
    tidynamics = pytest.importorskip("tidynamics", reason="tidynamics is not installed: pip install tidynamics")
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
    pytest.importorskip("jaxtyping", reason="without jaxtyping and beartype shapes are only words: pip install jaxtyping beartype")
    with pytest.raises(Exception, match="xyz atom frame"):
        centred(jnp.zeros((5, 3)), windows=1)


@pytest.mark.parametrize(("n_atoms", "n_fft"), [(3, 80), (8, 96), (16, 80), (11, 64)], ids=["three", "eight", "sixteen", "lags up to 24"])
def test_products_of_displacements_summed_before_the_inverse_transform_equal_the_loop_over_atoms(n_atoms, n_fft):
    path, weight = tile(40, n_atoms)
    x = centred(jnp.asarray(path.transpose(2, 1, 0)), windows=1)
    power, square = correlation_terms(x, padded_transform(x, twiddles(n_fft), n_fft=n_fft), jnp.asarray(weight), products=TENSOR)
    found = np.asarray(mean_displacement(in_order(power, twiddles(n_fft)), square, n_fft=n_fft))[0]
    assert found.shape == (6, min(40, n_fft - 39))
    for k, (a, b) in enumerate(TENSOR):
        for m in range(found.shape[1]):
            step = path[m:] - path[: 40 - m]
            np.testing.assert_allclose(found[k, m], np.sum(weight * np.mean(step[..., a] * step[..., b], axis=0)), rtol=1e-10, atol=1e-11)


def test_a_sum_over_atoms_is_the_sum_over_atoms():
    for n in (1, 5, 8, 12, 24):
        x, weight = np.random.default_rng(n).normal(size=(2, n, 7)), np.arange(1.0, n + 1)
        np.testing.assert_allclose(summed_atoms(jnp.asarray(x), jnp.asarray(weight)), np.einsum("bat,a->bt", x, weight), rtol=1e-12, atol=1e-12)


def test_pairs_of_frames_equal_the_loop_over_pairs_summed_or_of_each_atom():
    path, weight = tile(30, 5)
    random = np.random.default_rng(2)
    first, last = random.integers(0, 30, (2, 3, 4, 6))
    lag, share = random.integers(0, 7, (3, 4)), random.uniform(0, 1, (3, 4, 6))
    step = path[last] - path[first]
    square = np.sum(step**2, axis=-1)
    expected = np.zeros((5, 7, 7))
    for t in range(3):
        for r in range(4):
            terms = np.concatenate([step[t, r] ** 2, step[t, r] ** 4, square[t, r, :, :, None] ** 2], axis=-1)
            expected[:, lag[t, r]] += np.einsum("p,pam->am", share[t, r], terms)
    arguments = [jnp.asarray(one) for one in (path, weight, first, last, share, lag)]
    each = pair_terms(*arguments, n_lags=7, products=AXES, fourth=True, ions=True)
    np.testing.assert_allclose(each, expected, rtol=1e-11)
    summed = pair_terms(*arguments, n_lags=7, products=AXES, fourth=True)
    np.testing.assert_allclose(summed, np.einsum("alm,a->lm", expected, weight), rtol=1e-11)


def test_blocks_are_the_displacements_between_their_ends():
    path, weight = tile(20, 6)
    first, last = np.array([0, 3, 0, 10]), np.array([3, 6, 9, 19])
    share = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    step = path[last] - path[first]
    summed, kept = block_terms(*[jnp.asarray(one) for one in (path.transpose(2, 1, 0), weight, first, last, share)], products=TENSOR)
    expected = np.stack([np.einsum("pa,a->p", step[..., a] * step[..., b], weight) for a, b in TENSOR])
    np.testing.assert_allclose(summed["block"], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kept["block"], np.einsum("lp,pa->al", share, np.sum(step**2, axis=-1)), rtol=1e-12)


@pytest.mark.parametrize("changing", [False, True], ids=["one cell", "a cell a frame"])
def test_a_tile_sees_the_cartesian_paths_of_its_atoms(changing):
    random = np.random.default_rng(4)
    values = random.uniform(0, 1, (20, 6, 3)).astype(np.float32)
    cell = 10 * np.eye(3) + random.normal(0, 1, (20, 3, 3) if changing else (3, 3))
    shift, weights = random.normal(size=(20, 3)), random.uniform(size=(2, 3))
    members, groups = np.array([[0, 2, 5], [4, 1, 3]]), np.array([1, 0])
    summed, kept = tile_sums(
        lambda path, weight: ({"sum": summed_atoms(path, weight)}, {"path": path}),
        *[jnp.asarray(one) for one in (values.transpose(1, 2, 0)[members], cell, shift, weights, groups)],
        n_groups=2,
    )
    path = np.einsum("tai,tij->jat" if changing else "tai,ij->jat", values.astype(float), cell) - shift.T[:, None]
    np.testing.assert_allclose(kept["path"], np.stack([path[:, m] for m in members]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(summed["sum"][groups], np.einsum("jwat,wa->wjt", path[:, members], weights), rtol=1e-12, atol=1e-12)
