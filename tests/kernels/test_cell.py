"""The periodic cell."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdtools.kernels.cell import face_distances, nearest_image, wrapped

CELLS = {
    "cubic": 7.0 * np.eye(3),
    "fcc primitive": 10.0 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]),
    "strongly tilted": np.array([[9.0, 0, 0], [8.1, 6.0, 0], [-7.2, 5.4, 5.0]]),
}


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", CELLS)
def test_the_face_distance_is_the_height_over_the_other_two_vectors(name):
    cell = CELLS[name]
    heights = []
    for k in range(3):
        normal = np.cross(cell[k - 2], cell[k - 1])
        heights.append(abs(cell[k] @ normal) / np.linalg.norm(normal))
    np.testing.assert_allclose(face_distances(jnp.asarray(cell)), heights, rtol=1e-14)


def test_face_distances_do_not_change_when_the_cell_is_rotated():
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    cells = np.stack(list(CELLS.values()))
    np.testing.assert_allclose(face_distances(jnp.asarray(cells @ rotation)), face_distances(jnp.asarray(cells)), rtol=1e-13)


@pytest.mark.parametrize("name", CELLS)
def test_rounding_finds_the_shortest_of_all_images_up_to_half_the_shortest_face_distance(name):
    cell = CELLS[name]
    scaled = np.random.default_rng(1).uniform(-3, 3, (4000, 3))
    rounded = np.linalg.norm(np.asarray(nearest_image(jnp.asarray(scaled))) @ cell, axis=-1)
    images = np.array(list(itertools.product(range(-3, 4), repeat=3)))
    shortest = np.linalg.norm((scaled - np.floor(scaled))[:, None] @ cell + images @ cell, axis=-1).min(axis=1)
    half = float(face_distances(jnp.asarray(cell)).min()) / 2
    near = shortest < half
    assert near.sum() > 100
    np.testing.assert_allclose(rounded[near], shortest[near], rtol=1e-12)
    assert np.all(rounded[~near] >= half)  # and never takes a far pair for a near one


def test_beyond_that_distance_rounding_can_miss_the_shortest_image():
    cell = CELLS["strongly tilted"]
    difference = np.array([0.49, 0.49, 0.0])
    rounded = np.linalg.norm(np.asarray(nearest_image(jnp.asarray(difference))) @ cell)
    assert np.linalg.norm((difference - [1, 0, 0]) @ cell) < rounded


def test_wrapped_positions_lie_in_the_cell_and_are_the_same_point():
    scaled = np.array([[-1e-20, 0.0, 1.0], [1000.25, -1000.25, 0.999]])
    inside = np.asarray(wrapped(jnp.asarray(scaled)))
    np.testing.assert_allclose(inside, [[0, 0, 0], [0.25, 0.75, 0.999]], atol=1e-12)
    assert np.all((inside >= 0) & (inside < 1))
