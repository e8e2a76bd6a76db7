"""Intervals: limits that are known."""

import numpy as np
import pytest
from scipy import stats

from mdtools.statistics.inflation import Blocks, collective_factor, jump_variance
from mdtools.statistics.interval import score_interval, student, truncated_upper
from mdtools.statistics.least_squares import fit_line
from mdtools.statistics.straight_line import straight_line


def test_the_interval_of_a_mean_of_squares_is_near_the_exact_one():
    """chi^2 with 50 degrees of freedom: exact 0.700 to 1.545; the symmetric interval would end at 1.39."""
    lower, upper = score_interval(1.0, (0.0, 0.0, 2 / 50), student(np.inf))
    assert (lower, upper) == pytest.approx((0.700, 1.545), rel=0.07)


def test_every_end_of_the_interval_is_rejected_by_just_t_standard_errors():
    v = (0.02, 0.03, 0.04)
    for end in score_interval(1.0, v, 1.96):
        assert abs(1.0 - end) == pytest.approx(1.96 * np.sqrt(v[0] + v[1] * end + v[2] * end**2))


def test_the_bound_of_a_truncated_gaussian_is_that_of_scipy():
    for value in (-2.0, 0.0, 3.0):
        exact = stats.truncnorm(-value / 0.7, np.inf, loc=value, scale=0.7).ppf(0.95)
        assert truncated_upper(value, (0.49, 0.0, 0.0)) == pytest.approx(exact)


def blocks_of(total, *, n_ions, by_ion=None):
    """Blocks of 5 frames of walks with a mean squared displacement of 1 along each of three axes."""
    shape = total.shape[:-2]
    return Blocks(total, np.array([5]), np.full((*shape, 1), 6.0), np.zeros((*shape, 1)), by_ion, np.zeros(shape), n_ions, 400)


def test_blocks_of_independent_gaussian_ions_show_no_motion_together():
    total = np.random.default_rng(0).chisquare(120, (200, 1, 64)) / 40
    factor, spread = collective_factor(blocks_of(total, n_ions=40), jumps=np.zeros(200), wanted=np.full(200, 5.0))
    assert 1 <= np.median(factor) < 1.02
    assert np.mean(factor) < 1.1
    assert np.median(spread) < 0.05


@pytest.mark.parametrize("group", [2, 4, 16])
def test_blocks_of_groups_show_their_size(group):
    total = np.random.default_rng(0).chisquare(192 // group, (200, 1, 64)) * group / 64
    factor, _ = collective_factor(blocks_of(total, n_ions=64), jumps=np.zeros(200), wanted=np.full(200, 5.0))
    assert np.mean(factor) == pytest.approx(group, rel=0.1)


def test_few_blocks_leave_the_factor_uncertain():
    total = np.full((1, 1, 64), np.nan)
    total[..., :5] = np.random.default_rng(0).chisquare(12, (1, 1, 5)) / 4
    _, few = collective_factor(blocks_of(total, n_ions=64), jumps=np.zeros(1), wanted=np.full(1, 5.0))
    assert 2 / few[0] < 10


def test_the_jumps_of_single_ions_give_their_fourth_moment():
    """Compound Poisson: kappa = rate l^4, and nothing for Gaussian ions."""
    random = np.random.default_rng(0)
    number = random.poisson(0.05 * 5, (100, 64, 64))
    blocks = Blocks(
        np.zeros((100, 1, 64)), np.array([5]), np.zeros((100, 1)), np.zeros((100, 1)), 4.0 * number.mean(axis=-1)[..., None], np.zeros(100), 64, 320
    )
    value, chance, _ = jump_variance(blocks, wanted=np.full(100, 5.0))
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
