"""Density waves and visits on a grid against their naive definitions."""

import jax
import numpy as np
import pytest

from mdtools.kernels.reflections import density_on_grid, density_waves


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_density_waves_are_their_naive_definition_however_far_the_ions_have_gone(dtype):
    random = np.random.default_rng(1)
    s = random.uniform(size=(3, 17, 3)).astype(np.float32)
    miller = np.array([[1, 0, 0], [3, -2, 5], [0, 0, 12]])
    naive = np.exp(2j * np.pi * np.einsum("tai,hi->tah", s.astype(np.float64), miller)).mean(axis=1)
    with jax.enable_x64(True):
        here = np.asarray(density_waves(s, miller))
        far = np.asarray(density_waves((s.astype(np.float64) + random.integers(-40, 40, (3, 17, 3))).astype(dtype), miller))
    np.testing.assert_allclose(here[..., 0] + 1j * here[..., 1], naive, atol=1e-13)
    # float32 keeps 2e-6 of a cell vector at 40 cells, 12 turns of the phase each
    np.testing.assert_allclose(far, here, atol=1e-12 if dtype is np.float64 else 2e-4)


def test_every_visit_falls_into_its_voxel():
    s = np.array([[[0.0, 0.0, 0.0], [0.99, 0.5, 0.26], [-0.01, 1.5, 5.26]]])
    with jax.enable_x64(True):
        grid = np.asarray(density_on_grid(s, shape=(4, 2, 4)))
    assert grid.sum() == 3
    assert grid[0, 0, 0] == 1
    assert grid[3, 1, 1] == 2
