"""Symmetry of primitive cells: orders of known groups, stars of wave vectors, eigenvectors that stay eigenvectors, modes that are pooled."""

import ase
import lattices
import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.lattice_modes import mode_spectra
from mdtools.estimates.modes import mode_frequencies
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.force_constants import ForceConstants
from mdtools.harmonic.symmetry import operations, star

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
HEXAGONAL = np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 1.6]])
THIRD = np.array([[1 / 3, 2 / 3, 0.0], [2 / 3, 1 / 3, 0.5]])
CUBE = np.eye(3)
FLUORITE = Crystal(5.5 * FCC, np.array([[0.0] * 3, [0.25] * 3, [0.75] * 3]), ("Ca", "F", "F"), np.array([40.0, 19.0, 19.0]))


@pytest.mark.parametrize(
    ("crystal", "order"),
    [
        (Crystal(CUBE, np.zeros((1, 3)), ("X",)), 48),
        (Crystal(5.4 * FCC, np.array([[0.0] * 3, [0.25] * 3]), ("C", "C")), 48),  # diamond: half of them with a shift of a quarter
        (Crystal(5.4 * FCC, np.array([[0.0] * 3, [0.25] * 3]), ("Zn", "S")), 24),
        (FLUORITE, 48),
        (Crystal(3 * HEXAGONAL, THIRD, ("Mg", "Mg")), 24),
        (Crystal(3 * HEXAGONAL, np.concatenate([THIRD, THIRD + np.array([0, 0, 0.375])]), ("Zn", "Zn", "O", "O")), 12),
        (Crystal(np.diag([4.0, 4.0, 4.1]), np.array([[0.0] * 3, [0.5, 0.5, 0.52]]), ("Ba", "Ti")), 8),
        (lattices.crystal(), 1),
    ],
    ids=["simple cubic", "diamond", "zincblende", "fluorite", "hcp", "wurtzite", "tetragonal", "triclinic"],
)
def test_groups_have_their_order(crystal, order):
    found = operations(crystal)
    assert len(found) == order
    np.testing.assert_array_equal(found[0].whole, np.eye(3))
    for one in found:
        np.testing.assert_allclose(one.rotation @ one.rotation.T, np.eye(3), atol=1e-12)
        apart = crystal.scaled @ one.whole + one.shift - crystal.scaled[one.image]
        np.testing.assert_allclose(apart, np.rint(apart), atol=1e-9)


def test_stars_have_their_members_and_only_those_of_the_supercell():
    whole = np.diag([4, 4, 4])
    for q, members in (([0.5, 0.5, 0.5], 4), ([0.5, 0.5, 0.0], 3), ([0.25, 0.25, 0.0], 3), ([0.0] * 3, 1), ([0.5, 0.25, 0.75], 3)):
        found = star(np.array(q), FLUORITE, whole)
        assert len(found) == members, q
        np.testing.assert_allclose(found[0][0], q)
    assert len(star(np.array([0.5, 0.5, 0.0]), FLUORITE, np.diag([2, 2, 1]))) == 1  # the other two do not fit


@pytest.fixture(scope="module")
def springs():
    positions, basis, _, cell = lattices.supercell(FLUORITE, np.diag([2, 2, 2]))
    fc = lattices.constants(positions, cell, basis)[:3]
    return ForceConstants(FLUORITE, cell, positions @ np.linalg.inv(cell), fc, np.arange(3)).at


@pytest.mark.parametrize("q", [[0.5, 0.5, 0.5], [0.5, 0.5, 0.0], [0.5, 0.0, 0.0]])
def test_eigenvectors_become_eigenvectors_of_the_same_frequencies(springs, q):
    here = springs(np.array(q))
    for other, one in star(np.array(q), FLUORITE, np.diag([2, 2, 2])):
        there = springs(other)
        np.testing.assert_allclose(there.frequency, here.frequency, atol=1e-6)
        overlap = np.abs(np.einsum("abx,cbx->ac", there.vectors.conj(), one.of_vectors(here.vectors, np.array(q)))) ** 2
        apart = np.abs(there.frequency[:, None] - here.frequency[None]) > 1e-3
        assert overlap[apart].max() < 1e-9  # within sets of one frequency alone
        np.testing.assert_allclose(overlap.sum(axis=0), 1, atol=1e-9)


def test_a_star_is_what_its_members_are_one_by_one_and_errors_go_as_the_root_of_their_number():
    run = synthetic.damped_oscillator(cells=4, n_frames=4096, frequency=3.0, damping=2.0, seed=3).relabel({"X": range(64)})
    site = ase.Atoms("X", cell=run.mean_cell / 4, pbc=True)
    of_run = {"primitive": site, "windows": 2}
    found = mode_spectra(run, q=[0.25, 0, 0], pattern={"X": "1 0 0"}, star=True, **of_run)
    assert sorted(np.abs(found.q_reduced.values).tolist()) == [[0, 0, 0.25], [0, 0.25, 0], [0.25, 0, 0]]
    assert set(found.degenerate_set.values.tolist()) == {0}
    squares = 0.0
    for k, q in enumerate(found.q_reduced.values):
        along = " ".join("1" if abs(x) > 0 else "0" for x in q)
        alone = mode_spectra(run, q=q, pattern={"X": along}, **of_run)
        for name in ("mode_coordinate_periodogram", "mode_velocity_square"):
            np.testing.assert_allclose(found[name].isel(mode=k), alone[name].isel(mode=0), rtol=1e-6)
        squares = squares + alone.unprojected_coordinate_square
    np.testing.assert_allclose(found.unprojected_coordinate_square, squares, rtol=1e-9)
    together, each = mode_frequencies(found), mode_frequencies(found, degenerate=False)
    assert np.ptp(together.mode_frequency.values) == 0
    for name in ("mode_frequency", "mode_damping", "static_susceptibility"):
        one, error = float(together[name][0]), float(together[f"{name}_stderr"][0])
        assert error == pytest.approx(float(np.sqrt(np.mean(each[f"{name}_stderr"] ** 2))) / np.sqrt(3), rel=0.1)
        assert abs(one - float(each[name].mean())) < error
    assert abs(float(together.mode_frequency[0]) - 3.0) < 3 * float(together.mode_frequency_stderr[0])


def test_a_cell_without_symmetry_has_no_star():
    run = lattices.sampled(lattices.crystal(), np.diag([2, 2, 2]), n_frames=64, frame_interval=0.02)[0]
    crystal = lattices.crystal()
    cell = ase.Atoms("CaF2", cell=crystal.cell, scaled_positions=crystal.scaled, pbc=True)
    found = mode_spectra(run, primitive=cell, q=[0.5, 0, 0], pattern={"Ca": "1 0 0"}, windows=1, star=True)
    assert found.sizes["mode"] == 1
