"""Carriers with hysteresis and the two kinds of steps, against plain loops."""

import jax
import numpy as np

from mdtools.kernels.grotthuss import carriers_of, hand_over_steps


def test_a_proton_changes_hands_only_beyond_the_margin():
    """Carriers at 0 and 2.4 angstrom on a line, across the face of the cell: 10 angstrom."""
    x = np.array([1.0, 1.25, 1.3, 1.45, 1.2, 1.0, 0.9]) - 0.5
    protons = np.zeros((7, 1, 3))
    protons[:, 0, 0] = x / 10
    carriers = np.broadcast_to(np.array([[9.5, 0, 0], [1.9, 0, 0]]) / 10, (7, 2, 3))
    cell = np.broadcast_to(10 * np.eye(3), (7, 3, 3))
    with jax.enable_x64(True):
        found = [np.asarray(carriers_of(protons, carriers, cell, np.array([-1], dtype=np.int32), np.float64(m)))[:, 0].tolist() for m in (0.0, 0.3)]
        later = np.asarray(carriers_of(protons[4:5], carriers[4:5], cell[4:5], np.array([1], dtype=np.int32), np.float64(0.3)))
    assert found[0] == [0, 1, 1, 1, 1, 0, 0] or found[0] == [0, 1, 1, 1, 0, 0, 0]  # at 1.2 both are as near
    assert found[1] == [0, 0, 0, 1, 1, 0, 0]
    assert later.tolist() == [[1]]


def test_steps_of_carrier_and_hand_over_and_bond_are_the_step_of_the_proton():
    random = np.random.default_rng(3)
    cell = np.array([[9.0, 0, 0], [2.0, 8.0, 0], [-1.0, 1.5, 10.0]])
    carriers = random.uniform(size=(1, 12, 3)) + np.cumsum(0.02 * random.normal(size=(40, 12, 3)), axis=0)
    protons = random.uniform(size=(1, 5, 3)) + np.cumsum(0.05 * random.normal(size=(40, 5, 3)), axis=0)
    cells = np.broadcast_to(cell, (40, 3, 3))
    with jax.enable_x64(True):
        held = np.asarray(carriers_of(protons, carriers, cells, np.full(5, -1, dtype=np.int32), np.float64(0.1)))
        vehicular, hopping = map(np.asarray, hand_over_steps(protons, carriers, carriers @ cell, cells, held))
    assert len(np.unique(held[:, 0])) > 1
    for k in range(39):
        for i in range(5):
            a, b = held[k, i], held[k + 1, i]
            np.testing.assert_allclose(vehicular[k, i], (carriers[k + 1, a] - carriers[k, a]) @ cell, atol=1e-12)
            apart = [protons[k + 1, i] - carriers[k + 1, c] for c in (a, b)]
            bonds = [(s - np.round(s)) @ cell for s in apart]
            np.testing.assert_allclose(hopping[k, i], bonds[0] - bonds[1], atol=1e-12)
