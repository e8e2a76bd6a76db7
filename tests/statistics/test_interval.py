"""Intervals: limits that are known."""

import numpy as np
import pytest
from scipy import stats

from mdtools.statistics.inflation import excess_variance
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


def test_blocks_of_independent_gaussian_ions_show_no_excess_on_average():
    random = np.random.default_rng(0)
    share = [
        excess_variance(random.chisquare(40, (3, 1, 64)) / 40, np.array([5]), expected=np.ones((3, 1)), n_ions=40, n_steps=400, wanted=5.0)
        for _ in range(100)
    ]
    gaussian = 3 * 2 / 40 / (5 * 400)
    assert np.mean([one.variance for one in share]) < 0.15 * gaussian


def test_few_blocks_have_few_degrees_of_freedom():
    random = np.random.default_rng(0)
    blocks = np.full((3, 1, 64), np.nan)
    blocks[..., :5] = random.chisquare(40, (3, 1, 5)) / 40
    found = excess_variance(blocks, np.array([80]), expected=np.ones((3, 1)), n_ions=40, n_steps=400, wanted=5.0)
    assert found.dof <= 4
    assert student(found.dof) > 2.7


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
