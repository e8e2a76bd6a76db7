"""Nearest sites and hysteresis against their definitions."""

import jax
import numpy as np

from mdtools.analyses.lattice import Lattice
from mdtools.kernels.sites import held, nearest_site


def test_the_nearest_site_is_that_of_all_images_in_a_tilted_cell():
    random = np.random.default_rng(0)
    lattice = Lattice(np.array([2, 1, 3]), np.array([[4.0, 0, 0], [1.7, 3.6, 0], [-0.8, 1.1, 5.0]]), random.uniform(size=(3, 3)))
    points, parts, near = lattice.candidates(1.0)
    s = random.uniform(-2, 2, (50, 7, 3))
    with jax.enable_x64(True):
        found, number, distance = (
            np.asarray(one) for one in nearest_site(s, lattice.repeat, lattice.cell, points, parts, near, n_sites=3, far=lattice.far)
        )
    images = np.stack(np.meshgrid(*[np.arange(-7, 8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    every = (lattice.sites[:, None] + images).reshape(-1, 3) @ lattice.cell
    place = (s * lattice.repeat) @ lattice.cell
    naive = np.array([[np.linalg.norm(every - one, axis=1).min() for one in row] for row in place])
    np.testing.assert_allclose(distance, naive, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(lattice.place(found) - place, axis=-1), naive, atol=1e-12)
    cells = np.rint(lattice.place(found) @ np.linalg.inv(lattice.cell) - lattice.sites[found % 3]).astype(int)
    assert cells.min() < 0 < cells.max()
    wrapped = np.mod(cells, lattice.repeat)
    assert (number == np.ravel_multi_index((*np.moveaxis(wrapped, -1, 0), found % 3), (2, 1, 3, 3))).all()


def test_the_least_distance_of_sites_counts_images_and_not_the_site_itself():
    random = np.random.default_rng(1)
    cell, sites = np.array([[4.0, 0, 0], [1.7, 3.6, 0], [-0.8, 1.1, 5.0]]), random.uniform(size=(5, 3))
    images = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    every = np.linalg.norm((sites[:, None, None] - sites[None, :, None] + images) @ cell, axis=-1)
    one = np.ones(3, dtype=int)
    assert abs(Lattice(one, cell, sites).spacing - every[every > 1e-6].min()) < 1e-12
    assert Lattice(one, cell, sites[[0, 1, 1]]).spacing == Lattice(one, cell, sites[:2]).spacing
    assert abs(Lattice(one, cell, sites[:1]).spacing - np.linalg.norm(cell[1])) < 1e-12


def test_an_ion_keeps_its_site_until_it_enters_another():
    address = np.array([0, 1, 1, 1, 2, 2])[:, None]
    number = (address + 10).astype(np.int32)
    inside = np.array([True, False, True, True, False, False])[:, None]
    first = np.array([[9], [19]])
    with jax.enable_x64(True):
        belongs, numbers, last = (np.asarray(one)[:, 0].tolist() for one in held(address, number, inside, first))
        before, _, never = (np.asarray(one) for one in held(address, number, np.zeros_like(inside), first))
    assert belongs == [0, 0, 1, 1, 1, 1]
    assert numbers == [10, 10, 11, 11, 11, 11]
    assert last == [0, 0, 2, 3, 3, 3]
    assert (before == 9).all()
    assert (never == -1).all()
