"""Modes against the direct sum of exponentials, by rods, one by one, and on a full grid."""

import itertools

import jax
import numpy as np
import pytest

from mdtools.kernels.waves import modes_by_group, turned


def test_a_turn_is_a_sine_and_a_cosine_to_the_last_digits():
    x = np.concatenate([np.random.default_rng(0).uniform(-30, 30, 5000), np.arange(-16, 17) / 8])
    with jax.enable_x64(True):
        cosine, sine = map(np.asarray, jax.jit(turned)(x))
    exact = x - np.rint(x)  # exact in float64; numpy's own 2 pi x would lose digits
    np.testing.assert_allclose(cosine, np.cos(2 * np.pi * exact), atol=4e-16)
    np.testing.assert_allclose(sine, np.sin(2 * np.pi * exact), atol=6e-16)


def modes(s, hkl, sizes, *, path=None, velocities=None, shared=True, together=1):
    """As the analysis calls it: one tile a group, rods along the third axis."""
    hkl = np.asarray(hkl)
    flip = np.where((hkl[:, 0] < 0) | ((hkl[:, 0] == 0) & (hkl[:, 1] < 0)), -1, 1)
    rods, rod = np.unique(hkl[:, :2] * flip[:, None], axis=0, return_inverse=True)
    start = np.concatenate([[0], np.cumsum(sizes)])
    members = np.zeros((len(sizes), max(sizes)), dtype=int)
    weight = np.zeros(members.shape)
    for k, n in enumerate(sizes):
        members[k, :n], weight[k, :n] = np.arange(start[k], start[k + 1]), 1.0
    with jax.enable_x64(True):
        found = modes_by_group(
            s, np.zeros((len(s), 3)) if path is None else path, velocities, (members, weight, np.arange(len(sizes))),
            (rods, rod.ravel(), hkl[:, 2] * flip, flip.astype(float)),
            highest=int(np.abs(hkl).max()), n_groups=len(sizes), shared=shared, together=together,
        )  # fmt: skip
        return np.asarray(found)


def direct(s, hkl, sizes, weights=None):
    turns = np.einsum("tai,hi->tah", s, np.asarray(hkl, dtype=float))
    wave = np.exp(2j * np.pi * (turns - np.rint(turns)))
    groups = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    weights = np.ones((*s.shape[:2], 1)) if weights is None else weights
    return np.stack([np.einsum("tah,tac->tch", wave[:, g], weights[:, g]) for g in groups], axis=1)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("together", [1, 2])
def test_modes_are_the_direct_sum_over_the_atoms(shared, together):
    random = np.random.default_rng(1)
    s, v = random.uniform(size=(3, 17, 3)), random.normal(size=(3, 17, 3))
    hkl = [[0, 0, 0], [1, 0, 0], [-1, 0, 0], [3, -2, 5], [3, -2, -5], [-3, 2, 5], [0, -4, 1], [0, 0, -9], [12, 12, -12]]
    found = modes(s, hkl, (10, 7), shared=shared, together=together)
    np.testing.assert_allclose(found, direct(s, hkl, (10, 7)), atol=1e-13 * 17)
    found = modes(s, hkl, (10, 7), velocities=v, shared=shared, together=together)
    np.testing.assert_allclose(found, direct(s, hkl, (10, 7), v), atol=1e-13 * 17)


def test_a_full_grid_is_the_direct_sum_to_1e_13():
    random = np.random.default_rng(2)
    s = random.uniform(size=(1, 200, 3))
    hkl = np.array(list(itertools.product(range(-6, 7), repeat=3)))
    found, exact = modes(s, hkl, (200,)), direct(s, hkl, (200,))
    assert np.abs(found - exact).max() / 200 < 1e-13


def test_large_indices_keep_their_digits():
    s = np.random.default_rng(3).uniform(size=(1, 50, 3))
    hkl = [[50, 0, 0], [0, 50, 50], [50, -50, 50]]
    for shared in (True, False):
        assert np.abs(modes(s, hkl, (50,), shared=shared) - direct(s, hkl, (50,))).max() / 50 < 1e-13


def test_the_distance_travelled_and_the_moving_frame_do_not_matter():
    random = np.random.default_rng(4)
    s = random.uniform(size=(4, 9, 3))
    path = random.uniform(-3, 3, (4, 3))
    hkl = [[1, 2, 3], [5, 0, -7]]
    far = s + random.integers(-4000, 4000, (4, 9, 3))
    np.testing.assert_allclose(modes(far, hkl, (9,)), modes(s, hkl, (9,)), atol=1e-10)  # 2e-13 turns are left at 4000 cells
    np.testing.assert_allclose(modes(s + path[:, None], hkl, (9,), path=path), modes(s, hkl, (9,)), atol=1e-12)
