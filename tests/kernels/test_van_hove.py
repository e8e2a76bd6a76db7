"""Counts of displacements and of pairs, against a double loop."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdtools.kernels import van_hove
from mdtools.kernels.cell import face_distances
from mdtools.kernels.van_hove import displacement_counts, moment_terms, pair_counts, pair_counts_by_axis

TILTED = np.array([[9.0, 0, 0], [8.1, 6.0, 0], [-7.2, 5.4, 5.0]])
IMAGES = np.array(list(itertools.product(range(-3, 4), repeat=3)))


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def looped(first, later, cell, group, r_max, n_groups, bins):
    """Every pair and every image, one after the other: within r_max there is at most one image."""
    counts = np.zeros((n_groups, n_groups, bins), dtype=int)
    for i, j in itertools.permutations(range(len(first)), 2):
        difference = later[j] - first[i]
        for distance in np.linalg.norm((difference - np.floor(difference) + IMAGES) @ cell, axis=1):
            if distance < r_max:
                counts[group[i], group[j], int(distance * (bins / r_max))] += 1
    return counts


def half(cell):
    return float(face_distances(jnp.asarray(cell)).min()) / 2


def counted(first, later, cell, group, r_max, *, rows=slice(None), **shared):
    """`pair_counts` of NumPy arrays: all columns, and the rows that are asked for."""
    ions, group = jnp.arange(first.shape[1]), jnp.asarray(group)
    arrays = (jnp.asarray(one) for one in (first[:, rows], later, cell))
    return np.asarray(pair_counts(*arrays, (ions[rows], ions), (group[rows], group), jnp.asarray(r_max), **shared))


@pytest.mark.parametrize("away", [0, 60000], ids=["in the cell", "far from it"])
@pytest.mark.parametrize("height", [60, 17], ids=["one tile", "many tiles"])
def test_pairs_equal_a_double_loop_over_all_images_in_strongly_tilted_cells(height, away):
    random = np.random.default_rng(0)
    first, later = random.uniform(-2, 2, (2, 3, 60, 3)) + away
    group = random.integers(0, 2, 60)
    cells = TILTED * np.array([1.0, 1.01, 0.97])[:, None, None]
    r_max = half(cells[2])
    tiles = [slice(top, top + height) for top in range(0, 60, height)]
    counts = sum(counted(first, later, cells, group, r_max, rows=rows, n_groups=2, bins=20) for rows in tiles)
    expected = np.stack([looped(a, b, c, group, r_max, 2, 20) for a, b, c in zip(first, later, cells, strict=True)])
    assert expected.sum() > 300
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("n", [8, 9])
def test_on_a_ring_just_one_of_both_orders_is_counted(n):
    ions, group = jnp.arange(n), jnp.zeros(n, int)
    place = jnp.asarray(np.random.default_rng(1).uniform(0, 0.1, (1, n, 3)))
    orders = [
        [int(pair_counts(place[:, i : i + 1], place[:, j : j + 1], jnp.eye(3)[None] * 9.0, (ions[i : i + 1], ions[j : j + 1]),
                         (group[:1], group[:1]), jnp.asarray(4.0), n_groups=1, bins=1, ring=n).sum()) for j in range(n)]
        for i in range(n)
    ]  # fmt: skip
    np.testing.assert_array_equal(np.add(orders, np.transpose(orders)), 1 - np.eye(n, dtype=int))


def test_an_ion_is_no_pair_with_itself_but_is_one_with_an_ion_in_the_same_place():
    first = np.zeros((1, 2, 3))
    counts = counted(first, first, np.eye(3)[None] * 9.0, [0, 0], 4.0, n_groups=1, bins=4)
    np.testing.assert_array_equal(counts[0, 0, 0], [2, 0, 0, 0])


def test_a_row_without_an_ion_is_not_counted():
    first, rows, columns = jnp.zeros((1, 3, 3)), jnp.asarray([0, 1, -1]), jnp.arange(3)
    group = (jnp.zeros(3, jnp.int64), jnp.zeros(3, jnp.int64))
    counts = pair_counts(first, first, jnp.eye(3)[None] * 9.0, (rows, columns), group, jnp.asarray(4.0), n_groups=1, bins=4)
    np.testing.assert_array_equal(counts[0, 0, 0], [4, 0, 0, 0])
    along = pair_counts_by_axis(first, first, (rows, columns), group, axis=1, n_groups=1, bins=4)
    np.testing.assert_array_equal(along[0, 0, 0], [0, 0, 4, 0])


@pytest.mark.parametrize("bins", [5, 5000], ids=["two-byte slots", "four-byte slots"])
def test_counts_are_int64_whatever_the_slots_are(bins):
    random = np.random.default_rng(3)
    first = random.uniform(size=(1, 30, 3))
    group = np.arange(30) % 3
    counts = counted(first, first, np.eye(3)[None], group, 0.5, n_groups=3, bins=bins)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts[0], looped(first[0], first[0], np.eye(3), group, 0.5, 3, bins))


@pytest.mark.parametrize("axis", [0, 2])
def test_pairs_along_an_axis_equal_a_double_loop(axis):
    first, later = np.random.default_rng(5).uniform(-3, 3, (2, 2, 14, 3))
    first[:, 0], later[:, 1] = 0.0, -1e-20  # a hair below 0 is 0 or the last bin, never beyond it
    group = np.arange(14) % 2
    ions, labels = jnp.arange(14), jnp.asarray(group)
    counts = pair_counts_by_axis(jnp.asarray(first), jnp.asarray(later), (ions, ions), (labels, labels), axis=axis, n_groups=2, bins=6)
    expected = np.zeros((2, 2, 2, 6), dtype=int)
    for k, (i, j) in itertools.product(range(2), itertools.permutations(range(14), 2)):
        d = later[k, j, axis] - first[k, i, axis]
        expected[k, group[i], group[j], min(int((d + 0.5 - np.floor(d + 0.5)) * 6), 5)] += 1
    np.testing.assert_array_equal(counts, expected)
    assert counts.sum() == 2 * 14 * 13


def test_pairs_compile_once_for_equal_shapes():
    def count(seed):
        x = np.random.default_rng(seed).uniform(size=(2, 9, 3))
        counted(x, x, np.stack([5.0 * np.eye(3)] * 2), np.zeros(9, dtype=int), 2.0 + seed / 10, n_groups=1, bins=6)
        return van_hove._slots_by_distance._cache_size()

    assert count(0) == count(1)


@pytest.fixture
def path():
    return np.cumsum(np.random.default_rng(1).normal(0, 0.4, (3, 50)), axis=1) + 1000.0


@pytest.mark.parametrize("starts", [np.arange(50), np.arange(0, 50, 7)], ids=["all", "every seventh"])
def test_displacements_equal_a_loop(path, starts):
    lags, r_max, bins = np.array([0, 1, 10, 49]), 2.0, 8
    counts, moments = np.zeros((4, bins + 1)), np.zeros((2, 4))
    for k, m in enumerate(lags):
        r = np.array([np.linalg.norm(path[:, t + m] - path[:, t]) for t in starts if t + m < 50])
        moments[:, k] = np.mean(r**2), np.mean(r**4)
        for one in r:
            counts[k, min(int(one * (bins / r_max)), bins)] += 1
    arguments = jnp.asarray(path), jnp.asarray(lags), jnp.asarray(starts)
    assert 0 < counts[:, bins].sum() < counts.sum()
    np.testing.assert_array_equal(displacement_counts(*arguments, jnp.asarray(r_max), bins=bins), counts)
    summed, kept = moment_terms(arguments[0][:, None], jnp.asarray([2.0]), *arguments[1:], windows=1)
    np.testing.assert_allclose(summed["moments"][0], 2.0 * moments, rtol=1e-13)
    assert kept["largest"].shape == (1,)


def test_the_largest_displacement_of_an_atom_is_found_in_every_window(path):
    paths = np.stack([path, path[:, ::-1] * 2.0], axis=1)  # (xyz, atom, frame)
    lags, starts = np.array([3, 20]), np.arange(25)
    halves = paths[:, :, :25], paths[:, :, 25:]
    expected = np.max([np.linalg.norm(part[..., m:] - part[..., :-m], axis=0).max(axis=1) for part in halves for m in lags], axis=0)
    _, kept = moment_terms(*map(jnp.asarray, (paths, np.ones(2), lags, starts)), windows=2)
    np.testing.assert_allclose(kept["largest"], expected, rtol=1e-13)
