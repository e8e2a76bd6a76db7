"""Intervals: limits that are known."""

import numpy as np
import pytest
from scipy import stats

from mdtools.statistics.inflation import Blocks, collective_factor, jump_variance
from mdtools.statistics.interval import Variance, interval, score, student
from mdtools.statistics.least_squares import fit_line
from mdtools.statistics.straight_line import straight_line


@pytest.mark.parametrize("dof", [8, 20, 100])
def test_the_interval_of_a_mean_of_squares_is_the_exact_one(dof):
    exact = dof / stats.chi2(dof).ppf([0.975, 0.025])
    assert interval(1.0, Variance(0.0, squares=2 / dof), dof=np.inf) == pytest.approx(exact, rel=0.03)


@pytest.mark.parametrize("count", [1, 3, 10, 50])
def test_the_interval_of_a_count_lies_between_the_two_forms_of_garwood(count):
    low, high = interval(float(count), Variance(0.0, counts=1.0), dof=np.inf)
    gamma = [stats.gamma(count + k).ppf([0.025, 0.975]) for k in (0, 1)]
    assert gamma[0][0] < low < gamma[1][0]
    assert gamma[0][1] < high < gamma[1][1]


def test_nothing_counted_excludes_about_three():
    """exp(-3) = 0.05."""
    low, high = interval(0.0, Variance(0.0, counts=1.0), dof=np.inf)
    assert low == 0
    assert 2.5 < high < 3.7


def test_every_end_of_the_interval_is_rejected_at_just_the_level_of_student():
    variance = Variance(0.02, 0.03, 0.04, 0.01)
    low, high = interval(1.0, variance, dof=8.0)
    assert (score(1.0, low, variance), score(1.0, high, variance)) == pytest.approx((student(8.0), -student(8.0)), rel=1e-6)


def test_symmetric_noise_gives_the_interval_of_student():
    assert interval(1.0, Variance(0.01), dof=5.0) == pytest.approx((1 - 0.1 * student(5.0), 1 + 0.1 * student(5.0)))
    assert interval(-1.0, Variance(0.01), dof=np.inf) == pytest.approx((0, 0), abs=1e-9)


def test_a_relative_error_near_one_has_no_upper_end():
    assert interval(1.0, Variance(0.0, squares=2.0), dof=3.0)[1] == np.inf


def blocks_of(total, *, n_ions, by_ion=None):
    """Blocks of 5 frames of walks with a mean squared displacement of 1 along each of three axes."""
    shape = total.shape[:-2]
    return Blocks(total, np.array([5]), np.full((*shape, 1), 6.0), np.zeros((*shape, 1)), by_ion, np.zeros(shape), np.zeros(shape), n_ions, 400)


def test_blocks_of_independent_gaussian_ions_show_no_motion_together():
    total = np.random.default_rng(0).chisquare(120, (400, 1, 64)) / 40
    factor, dof = collective_factor(blocks_of(total, n_ions=40), jumps=np.zeros(400), wanted=np.full(400, 5.0))
    assert np.mean(factor) == pytest.approx(1, abs=0.03)  # without bias, above and below
    assert np.var(factor) == pytest.approx(np.mean(2 / dof), rel=0.2)


@pytest.mark.parametrize("group", [2, 4, 16])
def test_blocks_of_groups_show_their_size(group):
    total = np.random.default_rng(0).chisquare(192 // group, (200, 1, 64)) * group / 64
    factor, _ = collective_factor(blocks_of(total, n_ions=64), jumps=np.zeros(200), wanted=np.full(200, 5.0))
    assert np.mean(factor) == pytest.approx(group, rel=0.1)


def test_few_blocks_leave_the_factor_uncertain():
    total = np.full((1, 1, 64), np.nan)
    total[..., :5] = np.random.default_rng(0).chisquare(12, (1, 1, 5)) / 4
    _, few = collective_factor(blocks_of(total, n_ions=64), jumps=np.zeros(1), wanted=np.full(1, 5.0))
    assert few[0] <= 4


def test_the_jumps_of_single_ions_give_their_fourth_moment():
    """Compound Poisson: kappa = rate l^4, and nothing for Gaussian ions."""
    random = np.random.default_rng(0)
    number = random.poisson(0.05 * 5, (100, 64, 64))
    blocks = Blocks(
        np.zeros((100, 1, 64)),
        np.array([5]),
        np.zeros((100, 1)),
        np.zeros((100, 1)),
        4.0 * number.mean(axis=-1)[..., None],
        np.zeros(100),
        np.zeros(100),
        64,
        320,
    )
    value, chance = jump_variance(blocks, wanted=np.full(100, 5.0))
    assert np.mean(value) == pytest.approx(0.05 * 16 / (320 * 64), rel=0.05)
    assert np.all(chance == 0)


def test_a_line_that_does_not_hold_has_a_wider_error():
    x = np.arange(5.0)
    straight, bent = straight_line(x, 2 * x, np.full(5, 0.1)), straight_line(x, x**2, np.full(5, 0.1))
    assert straight.misfit > 0.99
    assert bent.misfit < 1e-6
    assert bent.slope_stderr > 5 * straight.slope_stderr


def test_least_squares_with_a_full_covariance_is_the_textbook_formula():
    random = np.random.default_rng(4)
    x, y, root = np.arange(6.0), random.normal(size=6), random.normal(size=(6, 6))
    covariance = root @ root.T + np.eye(6)
    design = np.column_stack([np.ones(6), x])
    inverse = np.linalg.inv(design.T @ np.linalg.inv(covariance) @ design)
    line = fit_line(x, y, covariance)
    estimate = inverse @ design.T @ np.linalg.inv(covariance) @ y
    np.testing.assert_allclose([line.intercept, line.slope], estimate, rtol=1e-9)
    np.testing.assert_allclose(line.weights @ y, estimate, rtol=1e-9)
    np.testing.assert_allclose(line.covariance, inverse, rtol=1e-9)
