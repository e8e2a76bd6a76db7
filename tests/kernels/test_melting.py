"""Self-overlap, persistence and pair counts against their naive definitions and exact cases."""

import itertools

import jax
import numpy as np
import pytest

from mdtools.kernels.melting import distance_shares, moments_and_overlap, neighbour_counts, stayed_within


@pytest.fixture
def path():
    return np.random.default_rng(0).normal(size=(3, 40)).cumsum(axis=1)


def test_moments_are_their_naive_definition(path):
    lags, starts, k = np.array([1, 5, 20]), np.array([[0, 3, 6], [10, 13, 16]]), np.array([0.7, 2.0])
    with jax.enable_x64(True):
        moments = np.asarray(jax.jit(moments_and_overlap)(path, starts, starts + lags[:, None, None], k))
    for w, m in itertools.product(range(2), range(3)):
        r = np.array([np.linalg.norm(path[:, t + lags[m]] - path[:, t]) for t in starts[w]])
        naive = [np.mean(r**2), np.mean(r**4), *(np.mean(np.sin(q * r) / (q * r)) for q in k)]
        np.testing.assert_allclose(moments[w, :, m], naive, rtol=1e-12)


def test_shares_of_displacements_are_a_histogram_of_their_lengths(path):
    lags, starts, edges = np.array([2, 9]), np.array([[0, 3, 6, 7], [10, 13, 16, 30]]), np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 5.0, 6.0]])
    with jax.enable_x64(True):
        shares = np.asarray(jax.jit(distance_shares)(path, starts, starts + lags[:, None, None], edges))
    assert shares.shape == (2, 2, 3)
    for w, c in itertools.product(range(2), range(2)):
        r = np.linalg.norm(path[:, starts[w] + lags[c]] - path[:, starts[w]], axis=0)
        np.testing.assert_allclose(shares[w, c], np.histogram(r, edges[c])[0] / 4, atol=1e-15)


def test_an_ion_that_does_not_move_overlaps_with_itself():
    with jax.enable_x64(True):
        last = np.array([[[1, 3]], [[4, 6]]])
        moments = np.asarray(jax.jit(moments_and_overlap)(np.full((3, 10), 7.0), np.array([[0, 2]]), last, np.array([1.3])))
    np.testing.assert_array_equal(moments[0], [[0, 0], [0, 0], [1, 1]])


def test_an_ion_stays_until_it_hops_and_its_return_does_not_count():
    x = np.zeros((3, 60))
    x[0, 30:40] = 2.0  # away during the smoothed steps 6 and 7 of 12, then back
    starts = np.array([[0, 1], [2, 5]])
    with jax.enable_x64(True):
        stayed = np.asarray(jax.jit(stayed_within, static_argnames=("width", "reach"))(x, starts, np.array([1.0, 3.0]), width=5, reach=4))
    np.testing.assert_array_equal(stayed, [[1.0, 1.0], [0.0, 1.0]])


def test_staying_is_its_naive_definition(path):
    starts, radii = np.array([[0, 1, 2], [3, 4, 5]]), np.array([3.0, 6.0, 10.0])
    smooth = path[:, :39].reshape(3, 13, 3).mean(axis=2)
    naive = [[np.mean([max(np.linalg.norm(smooth[:, s + b] - smooth[:, s]) for b in range(1, 7)) < r for s in row]) for r in radii] for row in starts]
    with jax.enable_x64(True):
        stayed = np.asarray(jax.jit(stayed_within, static_argnames=("width", "reach"))(path, starts, radii, width=3, reach=6))
    np.testing.assert_allclose(stayed, naive)
    assert 0 < stayed.mean() < 1


def test_pairs_in_a_slanted_cell_are_counted_as_by_all_images():
    random = np.random.default_rng(2)
    s, cell = random.uniform(size=(1, 5, 3)), np.array([[6.0, 0, 0], [2.0, 5.0, 0], [1.0, -1.5, 7.0]])
    r_max, bins = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0).max(), 30
    images = np.array(list(itertools.product([-1.0, 0, 1], repeat=3)))
    wide = np.array(list(itertools.product(range(-4, 5), repeat=3)))
    apart = (s[0][:, None, None] - s[0][None, :, None] + wide) @ cell
    naive = np.histogram(np.linalg.norm(apart, axis=-1), bins=bins, range=(0, r_max))[0]
    with jax.enable_x64(True):
        counts = np.asarray(neighbour_counts(s, cell[None], np.arange(5), images, np.float64(r_max), bins=bins))
    np.testing.assert_array_equal(counts, naive)
    assert counts[0] == 5  # each with itself
