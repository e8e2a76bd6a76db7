"""Covariance of the MSD of overlapping windows: enumeration of all pairs of origins, simulation, closed variance."""

import numpy as np
import pytest

from mdtools.statistics.covariance import jump_covariance, parted_covariance, relative_variance, walk_covariance


def enumerated(lags, n_steps, msd):
    """2 / (K_i K_j) sum over all pairs of origins of the squared covariance of the two displacements."""
    out = np.empty((len(lags), len(lags)))
    for a, i in enumerate(lags):
        for b, j in enumerate(lags):
            h = np.arange(n_steps - j + 1)[None, :] - np.arange(n_steps - i + 1)[:, None]
            out[a, b] = 2 * np.mean((0.5 * (msd(h + j) + msd(h - i) - msd(h) - msd(h + j - i))) ** 2)
    return out


def simulated_msd(paths, lags):
    """(path, lag) of (path, frame)."""
    return np.stack([np.mean((paths[:, m:] - paths[:, :-m]) ** 2, axis=1) for m in lags], axis=1)


def agrees_with_simulation(covariance, sample):
    """Every element within 4.5 standard errors of the covariance of a sample (path, lag)."""
    centred = sample - sample.mean(axis=0)
    products = centred[:, :, None] * centred[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(sample))
    return np.all(np.abs(products.mean(axis=0) - covariance) < 4.5 * error)


@pytest.mark.parametrize("n_steps", [1, 2, 3, 6, 7, 12])
@pytest.mark.parametrize(("step_variance", "noise"), [(1.0, 0.0), (0.0, 1.0), (0.7, 2.3)])
def test_the_closed_formula_equals_the_enumeration_of_all_pairs_of_origins(n_steps, step_variance, noise):
    lags = np.arange(1, n_steps + 1)
    expected = enumerated(lags, n_steps, lambda h: np.where(h == 0, 0.0, noise + step_variance * np.abs(h)))
    np.testing.assert_allclose(walk_covariance(lags, n_steps=n_steps, step_variance=step_variance, noise=noise), expected, rtol=1e-12, atol=1e-14)


def test_the_closed_formula_holds_for_simulated_walks_with_noise():
    random = np.random.default_rng(1)
    lags = np.array([1, 2, 5, 11, 20, 29])
    walks = np.cumsum(random.normal(0, 0.8, (20000, 31)), axis=1) + random.normal(0, 0.9, (20000, 31))
    covariance = walk_covariance(lags, n_steps=30, step_variance=0.64, noise=2 * 0.81)
    assert agrees_with_simulation(covariance, simulated_msd(walks, lags))
    assert not agrees_with_simulation(1.1 * covariance, simulated_msd(walks, lags))  # the test can fail


def test_without_noise_the_diagonal_is_the_closed_relative_variance():
    lags = np.arange(1, 31)
    diagonal = np.diag(walk_covariance(lags, n_steps=30)) / lags**2
    np.testing.assert_allclose(relative_variance(lags, n_steps=30, n_axes=1), diagonal, rtol=1e-12)
    np.testing.assert_allclose(relative_variance(lags, n_steps=30, n_walkers=5), diagonal / 15, rtol=1e-12)


def test_the_closed_relative_variance_is_that_of_ten_thousand_walks_at_ten_lags():
    """Source: reference/science.md B1. The standard error of a sample variance comes from the fourth moment of the sample."""
    random = np.random.default_rng(3)
    lags = np.array([1, 2, 3, 5, 8, 12, 18, 26, 34, 40])
    n_ions, n_steps = 2, 40
    walks = np.cumsum(random.normal(size=(10_000 * n_ions * 3, n_steps + 1)), axis=1)
    msd = simulated_msd(walks, lags).reshape(10_000, n_ions * 3, -1).sum(axis=1) / n_ions
    square = np.square(msd / (3 * lags) - 1)
    exact = relative_variance(lags, n_steps=n_steps, n_walkers=n_ions)
    error = square.std(axis=0) / np.sqrt(10_000)
    assert np.all(np.abs(square.mean(axis=0) - exact) < 3 * error)
    assert not np.all(np.abs(square.mean(axis=0) - 1.1 * exact) < 3 * error)  # the test can fail


def test_the_relative_variance_has_its_two_limits():
    assert relative_variance(np.array([1]), n_steps=50, n_walkers=7)[0] == pytest.approx(2 / (3 * 7 * 50))
    assert relative_variance(np.array([50]), n_steps=50, n_walkers=7)[0] == pytest.approx(2 / (3 * 7))


@pytest.mark.parametrize("reach", [1, 2, 6])
def test_the_parted_covariance_equals_the_enumeration_for_any_cage(reach):
    cage = np.concatenate([[0.0], np.random.default_rng(reach).uniform(0.5, 1.5, reach)])
    lags = np.array([1, 3, 4, 9, 14, 20])
    parts = parted_covariance(lags, n_steps=20, cage=cage[None, :], share=np.ones(1))
    expected = enumerated(lags, 20, lambda h: cage[np.minimum(np.abs(h), reach)] + 0.3 * np.abs(h))
    np.testing.assert_allclose(parts.at(0.3), expected, rtol=1e-12)


@pytest.mark.parametrize(("n_steps", "knots"), [(20, [0, 1, 3, 4]), (40, [0, 2, 3, 9, 10]), (60, list(range(0, 61, 2)))])
def test_a_cage_that_is_linear_between_knots_is_summed_exactly(n_steps, knots):
    """The closed sums of cubics over whole frames, by quadratic form (few knots) and row by row (many)."""
    values = np.concatenate([[0.0], np.random.default_rng(1).uniform(0.5, 1.5, len(knots) - 1)])
    lags = np.array([1, 3, 4, 9, 14, 20])
    parts = parted_covariance(lags, n_steps=n_steps, cage=values[None, :], share=np.ones(1), knots=np.array(knots))
    expected = enumerated(lags, n_steps, lambda h: np.interp(np.abs(h), knots, values) + 0.3 * np.abs(h))
    np.testing.assert_allclose(parts.at(0.3), expected, rtol=1e-12)


def test_the_covariance_that_jumps_add_is_that_of_counted_origins():
    """An ion that jumps once, by one, in a step k: its MSD at lag i is the number of origins that see step k over all origins."""
    lags, n = np.array([1, 2, 5, 9, 14, 15]), 15
    origins = n - lags + 1
    seen = np.array([[sum(start < k <= start + lag for start in range(n - lag + 1)) for k in range(1, n + 1)] for lag in lags])
    np.testing.assert_allclose(jump_covariance(lags, n_steps=n), n * seen @ seen.T / np.outer(origins, origins), rtol=1e-12)


def test_axes_add_up_each_with_its_own_share_and_cage():
    lags = np.array([2, 5, 9])
    cage = np.array([[0.0, 0.4], [0.0, 0.0], [0.0, 1.0]])
    share = np.array([0.7, 0.3, 0.0])
    whole = parted_covariance(lags, n_steps=40, cage=cage, share=share).at(2.0)
    axes = [walk_covariance(lags, n_steps=40, step_variance=2.0 * s, noise=c) for s, c in zip(share, cage[:, 1], strict=True)]
    np.testing.assert_allclose(whole, sum(axes), rtol=1e-12)


def test_a_cage_that_remembers_is_covered_by_its_measured_msd():
    """Overdamped harmonic motion, M(h) = 2 s (1 - k^h): no model of it enters but M itself."""
    random = np.random.default_rng(2)
    keep, n_paths, n = 0.8, 20000, 60
    path = np.empty((n_paths, n))
    path[:, 0] = random.normal(size=n_paths)
    for k in range(1, n):
        path[:, k] = keep * path[:, k - 1] + np.sqrt(1 - keep**2) * random.normal(size=n_paths)
    lags = np.array([1, 3, 8, 20, 40])
    cage = 2 * (1 - keep ** np.arange(80.0))
    parts = parted_covariance(lags, n_steps=n - 1, cage=cage[None, :], share=np.zeros(1))
    assert agrees_with_simulation(parts.cage, simulated_msd(path, lags))


def test_the_covariance_of_many_lags_of_a_long_run_is_positive_definite():
    lags = np.unique(np.geomspace(1, 30000, 50).astype(int))
    covariance = walk_covariance(lags, n_steps=100000, noise=3.0)
    scale = 1 / np.sqrt(np.diag(covariance))
    assert np.linalg.eigvalsh(covariance * np.outer(scale, scale)).min() > 0
