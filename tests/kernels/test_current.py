"""Charge sums and products of collective displacements against the sums that define them."""

import jax
import numpy as np
import pytest

from mdtools.kernels.current import charge_sums, displacement_product
from mdtools.kernels.displacement import squared_displacement

RANDOM = np.random.default_rng(5)
VALUES = RANDOM.normal(size=(4, 6, 3)).astype(np.float32)
CELL = RANDOM.normal(size=(4, 3, 3))
SHIFT = RANDOM.normal(size=(4, 3))
MEMBERS = np.eye(2)[[0, 1, 1, 0, 0, 1]]


def at64(function, *arrays):
    with jax.enable_x64(True):
        return np.asarray(function(*arrays))


@pytest.mark.parametrize("form", ["per atom", "per frame", "tensor"])
@pytest.mark.parametrize("cell", ["one", "each frame"])
def test_charge_sums_are_the_loop_over_frames_and_atoms(form, cell):
    charges = RANDOM.normal(size={"per atom": (6,), "per frame": (4, 6), "tensor": (6, 3, 3)}[form])
    cells = CELL[0] if cell == "one" else CELL
    expected = np.zeros((4, 2, 3))
    for t in range(4):
        for i in range(6):
            x = VALUES[t, i].astype(float) @ (cells if cells.ndim == 2 else cells[t]) - SHIFT[t]
            moved = charges[i] @ x if form == "tensor" else charges[(t, i) if form == "per frame" else i] * x
            expected[t, int(MEMBERS[i, 1])] += moved
    np.testing.assert_allclose(at64(charge_sums, VALUES, cells, SHIFT, charges, MEMBERS), expected, atol=1e-13)


def naive(x, y):
    n = x.shape[-1]
    return np.stack([np.mean((x[..., m:] - x[..., : n - m]) * (y[..., m:] - y[..., : n - m]), axis=-1) for m in range(n)], axis=-1)


@pytest.mark.parametrize("n", [2, 7, 64])
def test_displacement_product_is_its_definition_for_every_lag(n):
    x, y = np.cumsum(np.random.default_rng(n).normal(size=(2, 2, 3, n)), axis=-1)
    np.testing.assert_allclose(at64(displacement_product, x, y), naive(x, y), rtol=1e-11, atol=1e-12)


def test_displacement_product_with_itself_is_the_squared_displacement():
    x = np.cumsum(np.random.default_rng(1).normal(size=(3, 200)), axis=-1)
    np.testing.assert_allclose(at64(displacement_product, x, x), at64(squared_displacement, x), rtol=1e-11, atol=1e-11)


def test_displacement_product_does_not_feel_where_the_dipole_starts():
    x, y = np.cumsum(np.random.default_rng(2).normal(size=(2, 200)), axis=-1)
    np.testing.assert_allclose(at64(displacement_product, x + 1e6, y - 1e6), naive(x, y), rtol=1e-7, atol=1e-7)
