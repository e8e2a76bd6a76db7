"""The non-Gaussian parameter: the definition, Gaussian walks, a walk on a lattice whose answer is known."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.displacement import msd
from mdtools.analyses.non_gaussian import non_gaussian_parameter

CUBE = 20.0 * np.eye(3)


@pytest.mark.parametrize(("windows", "origins"), [(1, "all"), (2, "first"), (2, 3)])
def test_it_is_its_definition(from_paths, windows, origins):
    random = np.random.default_rng(0)
    species = np.array(["A", "B", "A", "A"])
    path = 1000.0 + np.cumsum(random.uniform(-1, 1, (40, 4, 3)) ** 3, axis=0)
    traj = from_paths(path, CUBE, species=species)
    path, length = np.asarray(traj.scaled_positions, dtype=np.float64) @ CUBE, 40 // windows
    out = non_gaussian_parameter(traj, windows=windows, origins=origins, lags=[0.1, 0.7, 1.5], reference="none")
    starts = {"all": range(length), "first": range(1), 3: range(0, length, 3)}[origins]
    for w in range(windows):
        for k, m in enumerate((1, 7, 15)):
            step = np.array([path[w * length + s + m] - path[w * length + s] for s in starts if s + m < length])
            for name in "AB":
                of = step[:, species == name]
                r2 = np.sum(of**2, axis=-1)
                here = out.sel(species=name).isel(window=w, lag=k)
                np.testing.assert_allclose(here.non_gaussian_parameter, 3 * np.mean(r2**2) / (5 * np.mean(r2) ** 2) - 1, rtol=1e-9, atol=1e-11)
                axes = np.mean(of**4, axis=(0, 1)) / (3 * np.mean(of**2, axis=(0, 1)) ** 2) - 1
                np.testing.assert_allclose(here.non_gaussian_parameter_by_axis, axes, rtol=1e-9, atol=1e-11)
                np.testing.assert_allclose(here.msd, np.mean(r2), rtol=1e-10)


def test_gaussian_walks_have_none_also_anisotropic_ones_along_each_axis(from_paths):
    walk = synthetic.brownian(n_atoms=200, n_frames=1500, seed=4)
    out = non_gaussian_parameter(walk, lags=[0.1, 1.0], reference="none")
    assert abs(out.non_gaussian_parameter).max() < 0.02
    assert abs(out.non_gaussian_parameter_by_axis).max() < 0.03
    flat = from_paths(np.cumsum(np.random.default_rng(5).normal(0, [1.0, 1.0, 0.01], (1500, 100, 3)), axis=0), CUBE)
    out = non_gaussian_parameter(flat, lags=[0.1], reference="none")
    np.testing.assert_allclose(out.non_gaussian_parameter, 3 * (8 / 4) / 5 - 1, atol=0.02)  # <r^4> = 8 s^4, <r^2> = 2 s^2 in the plane
    assert abs(out.non_gaussian_parameter_by_axis).max() < 0.03


def test_a_walk_on_a_cubic_lattice_has_the_known_value(from_paths):
    """n steps of length a along random axes: <r^2> = n a^2, <r^4> = [n + 5/3 n (n - 1)] a^4, so alpha_2 = -2 / (5 n); along an axis 0 at n = 1."""
    random = np.random.default_rng(6)
    axis, sign = random.integers(0, 3, (2000, 60)), random.choice([-1.0, 1.0], (2000, 60))
    path = np.cumsum(3.0 * sign[..., None] * np.eye(3)[axis], axis=0)
    out = non_gaussian_parameter(from_paths(path, CUBE, dtype=np.float64), lags=[0.1, 0.2, 0.4], reference="none")
    np.testing.assert_allclose(out.non_gaussian_parameter.values.ravel(), [-2 / 5, -2 / 10, -2 / 20], atol=0.01)
    np.testing.assert_allclose(out.non_gaussian_parameter_by_axis[0, 0, :, 0], 0.0, atol=0.03)  # a^4 / 3 over 3 (a^2 / 3)^2


def test_few_ions_that_jump_among_many_at_rest_are_far_from_gaussian(from_paths):
    random = np.random.default_rng(7)
    path = np.zeros((400, 50, 3))
    path[:, :5] = np.cumsum(random.normal(0, 0.3, (400, 5, 3)), axis=0)
    alpha = non_gaussian_parameter(from_paths(path, CUBE), lags=[0.1], reference="none").non_gaussian_parameter.item()
    np.testing.assert_allclose(alpha, 50 / 5 - 1, rtol=0.1)


def test_where_nothing_moved_there_is_no_value(from_paths):
    out = non_gaussian_parameter(from_paths(np.ones((5, 2, 3)), CUBE), lags=[0.0, 0.1], reference="none")
    assert np.all(np.isnan(out.non_gaussian_parameter))
    assert np.all(out.msd == 0)


def test_uneven_frames_give_all_pairs_an_equal_lag_apart(from_paths):
    frame = np.concatenate([16 * k + np.array([0, 1, 2, 4, 8]) for k in range(4)])
    path = np.cumsum(np.random.default_rng(8).normal(size=(20, 3, 3)), axis=0)
    traj = from_paths(path, CUBE, time=0.1 * frame, dtype=np.float64)
    out = non_gaussian_parameter(traj, lags=[0.4, 1.6], reference="none")
    for k, m in enumerate((4, 16)):
        r2 = np.array([np.sum((path[j] - path[i]) ** 2, axis=-1) for i in range(20) for j in range(i, 20) if frame[j] - frame[i] == m])
        assert out.n_origins[0, k] == len(r2)
        np.testing.assert_allclose(out.non_gaussian_parameter[0, 0, k], 3 * np.mean(r2**2) / (5 * np.mean(r2) ** 2) - 1, rtol=1e-10)
    np.testing.assert_allclose(out.msd, msd(traj, lags=[0.4, 1.6], reference="none").msd, rtol=1e-12)
