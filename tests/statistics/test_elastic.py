"""Elastic constants from covariances whose constants are known."""

import numpy as np
import pytest

from mdtools.analyses.rigidity import _indices
from mdtools.statistics.elastic import christoffel, elastic_constants

K = _indices() * 0.2
THERMAL, VOLUME = 0.005, 2.0e4


def drawn(constants, *, cubic, samples, dispersion=0.0, seed=0):
    """Covariances of complex Gaussian waves of these constants."""
    stiff = np.einsum("c,cwab->wab", np.asarray(constants), christoffel(K, cubic=cubic)) * VOLUME / THERMAL
    stiff = stiff * (1 - dispersion * np.sum(K**2, axis=1))[:, None, None]
    roots = np.linalg.cholesky(np.linalg.inv(stiff))
    normal = np.random.default_rng(seed).normal(size=(2, samples, len(K), 3))
    waves = np.einsum("wab,pswb->pswa", roots, (normal[0] + 1j * normal[1])[None] / np.sqrt(2))[0]
    return np.einsum("swa,swb->wab", waves, waves.conj()).real / samples


def test_the_long_wave_of_a_cubic_crystal_bends_as_textbooks_say():
    k = np.array([[0.3, 0.0, 0.0], [0.3, 0.3, 0.0]])
    gamma = np.einsum("c,cwab->wab", np.array([5.0, 2.0, 1.5]), christoffel(k, cubic=True))
    np.testing.assert_allclose(np.diag(gamma[0]) / 0.09, [5.0, 1.5, 1.5])
    np.testing.assert_allclose(np.linalg.eigvalsh(gamma[1]) / 0.18, sorted([1.5, (5 - 2) / 2, (5 + 2 + 2 * 1.5) / 2]))


@pytest.mark.parametrize(("cubic", "constants"), [(True, (0.02, 0.009, 0.01)), (False, (0.03, 0.012))])
def test_the_constants_are_found_without_the_bias_of_an_inverse(cubic, constants):
    found = np.array(
        [
            elastic_constants(drawn(constants, cubic=cubic, samples=20, seed=seed), K, thermal=THERMAL, volume=VOLUME, cubic=cubic, dispersive=False)
            for seed in range(30)
        ]
    )
    scatter = found.std(axis=0, ddof=1) / np.sqrt(30)
    assert np.all(np.abs(found.mean(axis=0) - constants) < 4 * scatter + 0.03 * np.array(constants))
    assert np.all(scatter < 0.02 * np.array(constants).max())


def test_what_the_lattice_disperses_is_taken_back_to_long_waves():
    constants = (0.02, 0.009, 0.01)
    covariance = drawn(constants, cubic=True, samples=4000, dispersion=1.0)
    found = elastic_constants(covariance, K, thermal=THERMAL, volume=VOLUME, cubic=True)
    np.testing.assert_allclose(found, constants, rtol=0.06)
    plain = elastic_constants(covariance, K, thermal=THERMAL, volume=VOLUME, cubic=True, dispersive=False)
    assert np.all(plain[[0, 2]] < 0.9 * np.array(constants)[[0, 2]])
