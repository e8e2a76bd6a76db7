"""Elastic constants from a cell that breathes: exact Gaussian strains, rotations, and barostats that hold a part of it."""

from dataclasses import replace

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.strain import cell_strain
from mdtools.errors import TrajectoryError
from mdtools.estimates.strain import strain_elasticity
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

C11, C12, C44 = 160.0, 50.0, 35.0  # GPa
EDGE, KELVIN = 16.0, 300.0
STILL = synthetic.brownian(n_atoms=4, n_frames=2000, temperature=KELVIN)


def stiffness():
    c = np.diag([C11 - C12] * 3 + [C44] * 3)
    c[:3, :3] += C12
    return c


def breathing(seed, *, memory=0.8, parts=slice(None), turn=False):
    """Cells of edge 16 angstrom whose strains are drawn from exp(-V e C e / 2 k_B T), each remembering the one before."""
    random = np.random.default_rng(seed)
    n = STILL.n_frames
    covariance = BOLTZMANN * KELVIN / EDGE**3 * EV_PER_ANGSTROM3_TO_GPA * np.linalg.inv(stiffness())
    e = random.normal(size=(n, 6))
    for k in range(1, n):
        e[k] = memory * e[k - 1] + np.sqrt(1 - memory**2) * e[k]
    e = e @ np.linalg.cholesky(covariance).T
    kept = np.zeros(6)
    kept[parts] = 1.0
    xx, yy, zz, yz, xz, xy = (e * kept).T
    tensor = np.stack([np.stack([xx, xy / 2, xz / 2], -1), np.stack([xy / 2, yy, yz / 2], -1), np.stack([xz / 2, yz / 2, zz], -1)], -2)
    values, vectors = np.linalg.eigh(np.eye(3) + 2 * tensor)
    f = (vectors * np.sqrt(values)[:, None, :]) @ vectors.transpose(0, 2, 1)  # symmetric, F F^T = 1 + 2 e
    if turn:
        angle = 0.3 * np.sin(0.01 * np.arange(n))
        rotation = np.zeros((n, 3, 3))
        rotation[:, 0, 0] = rotation[:, 1, 1] = np.cos(angle)
        rotation[:, 0, 1], rotation[:, 1, 0], rotation[:, 2, 2] = np.sin(angle), -np.sin(angle), 1.0
        f = f @ rotation
    return replace(STILL, cell=EDGE * f)


def test_exact_strains_give_their_constants_and_their_intervals_cover_them():
    found = [strain_elasticity(cell_strain(breathing(seed))) for seed in range(40)]
    for name, exact in (("elastic_c11", C11), ("elastic_c12", C12), ("elastic_c44", C44), ("bulk_modulus", (C11 + 2 * C12) / 3)):
        value = np.array([one[name].item() for one in found])
        error = np.array([one[f"{name}_stderr"].item() for one in found])
        assert abs(value.mean() - exact) < 4 * value.std() / np.sqrt(len(found))
        assert np.mean(np.abs(value - exact) < 2 * error) > 0.85
    voigt = (C11 - C12 + 3 * C44) / 5
    assert np.mean([one.shear_modulus.item() for one in found]) == pytest.approx(voigt, rel=0.02)


def test_rotations_of_the_cell_are_no_strain():
    """e : e and tr e stay as they are to rounding, also where the cell turns by 0.3; their axes turn with the mean cell."""
    still, turned = (cell_strain(breathing(1, turn=turn)) for turn in (False, True))
    volume = [np.linalg.det(one.lattice.values) for one in (still, turned)]
    assert volume[1] == pytest.approx(volume[0], rel=1e-12)
    for weights in (np.diag([1.0, 1.0, 1.0, 0.5, 0.5, 0.5]), np.multiply.outer([1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0])):
        one, other = ((each.strain_product.values * weights).sum(axis=(1, 2)) for each in (still, turned))
        np.testing.assert_allclose(other, one, rtol=1e-9)
    assert np.abs(still.strain.mean("window")).max() < 1e-13  # about the mean of the lengths and angles themselves


def test_a_cell_that_turns_has_the_same_bulk_modulus():
    still, turned = (strain_elasticity(cell_strain(breathing(1, turn=turn))) for turn in (False, True))
    assert turned.bulk_modulus.item() == pytest.approx(still.bulk_modulus.item(), rel=1e-6)


def test_a_barostat_that_frees_a_part_is_refused():
    for parts in (slice(3), slice(1)):
        with pytest.raises(TrajectoryError, match="does not free all six"):
            strain_elasticity(cell_strain(breathing(0, parts=parts)))
    with pytest.raises(TrajectoryError, match="the cell is held"):
        strain_elasticity(cell_strain(STILL))
    rounded = STILL.cell * (1 + 1e-8 * np.random.default_rng(0).normal(size=(STILL.n_frames, 3, 1)))  # of which constants would be 10^9 GPa
    with pytest.raises(TrajectoryError, match="the cell is held"):
        strain_elasticity(cell_strain(replace(STILL, cell=rounded)))
