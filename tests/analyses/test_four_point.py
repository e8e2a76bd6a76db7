"""The overlap of an ensemble of ions with itself: the definition, and walks whose overlap is known."""

import numpy as np
import pytest
from scipy import special

from mdtools import synthetic
from mdtools.analyses.four_point import overlap_fluctuations
from mdtools.errors import NotEnoughData

CUBE = 20.0 * np.eye(3)


def test_it_is_its_definition(from_paths):
    species = np.array(["A", "B", "A", "A", "B"])
    path = np.cumsum(np.random.default_rng(0).normal(0, 0.5, (50, 5, 3)), axis=0)
    traj = from_paths(path, CUBE, species=species, dtype=np.float64)
    out = overlap_fluctuations(traj, windows=4, radius=1.7, reference="none")
    assert out.sizes["window"] == 4
    assert out.lag.values[-1] == pytest.approx(1.0)  # a fifth of the run
    for w in range(4):
        for lag in out.lag.values:
            m = round(lag / 0.1)
            for name in "AB":
                q = [np.mean(np.linalg.norm(path[t + m] - path[t], axis=1)[species == name] < 1.7) for t in range(10 * w, 10 * w + 10)]
                here = out.sel(species=name, lag=lag).isel(window=w)
                np.testing.assert_allclose([here.overlap, here.overlap_square], [np.mean(q), np.mean(np.square(q))], rtol=1e-12)


def test_the_overlap_of_walkers_is_that_of_a_gaussian():
    """P(|dr| < a) = erf(x) - 2 x exp(-x^2) / sqrt(pi), x = a / sqrt(4 D t)."""
    out = overlap_fluctuations(synthetic.brownian(n_atoms=200, n_frames=1350, diffusivity=0.4, seed=2), radius=1.2, reference="none")
    x = 1.2 / np.sqrt(4 * 0.4 * out.lag.values)
    np.testing.assert_allclose(out.overlap.mean(("window", "species")), special.erf(x) - 2 * x * np.exp(-(x**2)) / np.sqrt(np.pi), atol=0.02)


def test_the_radius_is_half_the_distance_of_neighbours_and_few_frames_are_refused(from_paths):
    crystal = synthetic.harmonic_crystal(cells=4, n_frames=60, temperature=300)
    out = overlap_fluctuations(crystal, windows=4)
    assert (out.overlap == 1).all()
    np.testing.assert_allclose(out.overlap_radius, out.overlap_radius.values[0], rtol=0.1)
    few = from_paths(np.zeros((20, 3, 3)), CUBE)
    with pytest.raises(NotEnoughData, match="for windows=8: pass windows=4 or fewer"):  # a part of 4 frames is left for the lags
        overlap_fluctuations(few)
    assert overlap_fluctuations(few, windows=4, radius=1.0, reference="none").sizes["window"] == 4
    for none in (0, -1):
        with pytest.raises(NotEnoughData, match=f"for windows={none}: pass windows=1 to 4"):
            overlap_fluctuations(few, windows=none)
    with pytest.raises(NotEnoughData, match="longer run, of 8 frames"):
        overlap_fluctuations(from_paths(np.zeros((7, 3, 3)), CUBE), windows=1)
    with pytest.raises(ValueError, match="positive"):
        overlap_fluctuations(crystal, radius=0.0)
