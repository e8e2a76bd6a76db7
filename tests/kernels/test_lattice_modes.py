"""Sums over cells: the definition, in the precision that each kernel states."""

import jax
import numpy as np
import pytest

from mdtools.kernels.lattice_modes import cell_sums

BASIS, CELLS, FRAMES, WAVES = 2, 60, 7, 4


@pytest.fixture
def drawn():
    random = np.random.default_rng(3)
    members = random.permutation(BASIS * CELLS).reshape(BASIS, CELLS)
    return random.normal(size=(BASIS * CELLS, 3, FRAMES)), random.normal(size=(FRAMES, 3)), members, random.normal(size=(BASIS, WAVES, CELLS))


def _naive(x, shift, members, phases):
    """(wave, basis, xyz, frame) of Cartesian x."""
    return np.einsum("bwc,bcxt->wbxt", phases, (x - shift.T)[members])


def test_displacements_are_summed_in_float64_whatever_the_precision_of_positions(drawn):
    values, shift, members, phases = drawn
    random = np.random.default_rng(4)
    sites, cells = random.normal(size=(BASIS * CELLS, 3)), 20 * np.eye(3) + random.normal(size=(FRAMES, 3, 3))
    values = values.astype(np.float32)
    for cell in (cells, cells[0]):
        each = np.broadcast_to(cell, cells.shape)
        x = np.einsum("axt,txy->ayt", values - sites[:, :, None], each)
        with jax.enable_x64(True):
            found = np.asarray(cell_sums(values, sites[members], cell, shift, members, phases))
        exact = _naive(x, shift, members, phases)
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-13 * np.abs(exact).max())


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-13), (np.float32, 5e-7)])
def test_velocities_are_summed_in_their_own_precision(drawn, dtype, error):
    values, shift, members, phases = drawn
    values = values.astype(dtype)
    exact = _naive(values.astype(np.float64), shift, members, phases)
    with jax.enable_x64(True):
        found = np.asarray(cell_sums(values, None, np.eye(3), shift, members, phases))
        in_order = np.asarray(cell_sums(values[members.ravel()], None, np.eye(3), shift, None, phases))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, exact, rtol=0, atol=error * np.abs(exact).max())
    np.testing.assert_array_equal(in_order, found)
