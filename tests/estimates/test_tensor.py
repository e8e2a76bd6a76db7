"""The tensor of self-diffusion: walks along one, two and three axes, rotated; isotropic noise is not called anisotropic."""

import numpy as np
import pytest

from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.tensor import self_diffusivity_tensor
from mdtools.statistics.tensor import dimensionality, isotropy, principal

TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]


def walk(diffusivities, from_paths, *, seed=0, rattle=0.3):
    """Ions with these D (angstrom^2/ps at 1 ps a frame) along the rows of TURN, vibrating."""
    random = np.random.default_rng(seed)
    steps = random.normal(size=(600, 48, 3)) * np.sqrt(2 * np.asarray(diffusivities))
    paths = np.cumsum(steps, axis=0) + rattle * random.normal(size=steps.shape)
    return msd(from_paths(50.0 + paths @ TURN, 100.0 * np.eye(3)), reference="none", tensor=True)


@pytest.mark.parametrize(("diffusivities", "word"), [((0.05, 0, 0), "1-D"), ((0.05, 0.04, 0), "2-D"), ((0.05, 0.04, 0.03), "3-D")])
def test_channels_layers_and_bulk_are_told_apart(diffusivities, word, from_paths):
    found = self_diffusivity_tensor(walk(diffusivities, from_paths)).isel(species=0)
    assert found.dimensionality.item() == word
    assert found.isotropy < 0.01
    interval = float(found.frame_interval)
    exact = TURN.T @ np.diag(diffusivities) @ TURN / interval
    assert np.all(np.abs(found.self_diffusivity_tensor - exact) < 4 * found.self_diffusivity_tensor_stderr + 2e-4 / interval)
    largest = np.abs(found.principal_axis.values[0] @ TURN[0])
    assert largest > 0.95
    assert abs(found.principal_diffusivity[0] * interval - 0.05) < 4 * found.principal_diffusivity_stderr[0] * interval


def test_isotropic_walks_are_not_called_anisotropic(from_paths):
    found = [self_diffusivity_tensor(walk((0.05,) * 3, from_paths, seed=seed)).isel(species=0) for seed in range(5)]
    assert all(one.dimensionality.item() == "3-D" for one in found)
    assert sum(float(one.isotropy) < 0.01 for one in found) <= 1


def test_a_msd_without_the_tensor_is_refused_in_one_line(walk_msd):
    with pytest.raises(NotEnoughData, match="tensor=True"):
        self_diffusivity_tensor(walk_msd)


def wishart(values, steps, count, seed=0):
    """(draw, 3, 3) sample covariances of Gaussian steps."""
    x = np.random.default_rng(seed).normal(size=(count, steps, 3)) * np.sqrt(values)
    return np.einsum("dni,dnj->dij", x, x) / steps


def test_isotropy_is_rejected_as_often_as_it_says():
    p = np.array([isotropy(one, 2 / 400) for one in wishart(np.ones(3), 400, 4000)])
    assert abs(np.mean(p < 0.01) - 0.01) < 0.007
    assert abs(np.mean(p < 0.5) - 0.5) < 0.05


def test_the_repulsion_of_eigenvalues_is_taken_off():
    exact = np.array([1.6, 1.0, 0.6])
    draws = wishart(exact, 200, 1500)
    raw = np.mean([np.linalg.eigvalsh(one)[::-1] for one in draws], axis=0)
    corrected = np.mean([principal(one, 2 / 200).values for one in draws], axis=0)
    assert raw[0] > exact[0] + 0.01
    assert np.all(np.abs(corrected - exact) < 0.6 * np.abs(raw - exact).max())


def test_equal_eigenvalues_are_not_pushed_apart():
    draws = wishart(np.ones(3), 200, 500)
    raw = np.mean([np.ptp(np.linalg.eigvalsh(one)) for one in draws])
    assert np.mean([np.ptp(principal(one, 2 / 200).values) for one in draws]) < 0.5 * raw


@pytest.mark.parametrize(
    ("lower", "upper", "word"),
    [
        ((0.9, 0.8, 0.7), (1.1, 1.0, 0.9), "3-D"),
        ((0.9, 0.8, 0.0), (1.1, 1.0, 0.05), "2-D"),
        ((0.9, 0.0, 0.0), (1.1, 0.05, 0.05), "1-D"),
        ((0.9, 0.0, 0.0), (1.1, 0.5, 0.05), "undecided"),
        ((0.0, 0.0, 0.0), (1.1, 0.5, 0.05), "undecided"),
    ],
)
def test_the_word_follows_from_the_intervals(lower, upper, word):
    assert dimensionality(np.array(lower), np.array(upper)) == word


def test_intervals_of_equal_principal_values_hold_the_truth_though_measured_ones_repel(from_paths):
    """Without the shift the fastest and the slowest of three equal axes were outside their intervals in a fifth of the runs."""
    inside = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        paths = np.cumsum(np.sqrt(0.1) * random.normal(size=(300, 24, 3)), axis=0) + 0.3 * random.normal(size=(300, 24, 3))
        found = self_diffusivity_tensor(msd(from_paths(50.0 + paths, 100.0 * np.eye(3)), reference="none", tensor=True)).isel(species=0)
        exact = 0.05 / float(found.frame_interval)
        inside.append((found.principal_diffusivity_lower.values <= exact) & (exact <= found.principal_diffusivity_upper.values))
    assert np.mean(inside) > 0.9


def test_the_bound_of_a_crystal_is_not_below_that_of_three_jumps(from_paths):
    random = np.random.default_rng(0)
    paths = random.uniform(0, 10, (1, 16, 3)) + 0.1 * random.normal(size=(600, 16, 3))
    measured = msd(from_paths(paths, 10.0 * np.eye(3)), reference="none", tensor=True)
    found = self_diffusivity_tensor(measured).isel(species=0)
    assert np.all(found.principal_diffusivity_upper >= self_diffusivity(measured).self_diffusivity_upper.item())
