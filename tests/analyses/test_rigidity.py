"""Displacement waves against their definition."""

import numpy as np

from mdtools import synthetic
from mdtools.analyses.rigidity import displacement_waves


def test_the_covariance_is_that_of_the_definition():
    crystal = synthetic.harmonic_crystal(cells=4, n_frames=64)
    found = displacement_waves(crystal, sublattice="A", windows=2, reference="none")
    atoms = crystal.indices("A")
    path = np.asarray(crystal.scaled_positions, dtype=np.float64)[:, atoms] @ crystal.mean_cell
    mean = path.mean(axis=0)
    for wave in (0, 5, 30):
        k = found.wave_vector_xyz.values[wave]
        a = np.einsum("fax,a->fx", path - mean, np.exp(1j * mean @ k)) / len(atoms)
        naive = [np.einsum("fa,fb->ab", part, part.conj()).real / 32 for part in (a[:32], a[32:])]
        np.testing.assert_allclose(found.displacement_covariance.values[:, wave], naive, rtol=1e-6, atol=1e-12)


def test_a_moved_origin_and_whole_cells_change_nothing():
    crystal = synthetic.harmonic_crystal(cells=4, n_frames=64)
    moved = crystal.replace(step={}, scaled_positions=np.asarray(crystal.scaled_positions, dtype=np.float64) + np.array([0.3, -1.7, 5.0]))
    one, other = (displacement_waves(traj, windows=2).displacement_covariance for traj in (crystal, moved))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-9)
