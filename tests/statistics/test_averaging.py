"""The average over ranges of lags: its variance, with what is added since the data choose the ranges."""

import numpy as np
import pytest

from mdtools.statistics.averaging import average
from mdtools.statistics.covariance import walk_covariance
from mdtools.statistics.ranges import lag_ranges

LAGS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 29, 35, 42])


def drawn(count, *, transient, seed=3, relative=1e-3):
    """MSD of Gaussian data about 1 + 3 t less a transient, and their covariance."""
    covariance = relative * walk_covariance(LAGS, n_steps=127, step_variance=3.0, noise=1.0)
    noise = np.random.default_rng(seed).standard_normal((count, len(LAGS))) @ np.linalg.cholesky(covariance).T
    return 1 + 3 * LAGS - transient * np.exp(-LAGS / 2) + noise, np.broadcast_to(covariance, (count, len(LAGS), len(LAGS)))


@pytest.mark.parametrize("transient", [0.0, 5.0])
def test_the_variance_of_the_average_holds_the_choice_of_ranges(transient):
    msd, covariance = drawn(3000, transient=transient)
    found = average(LAGS, msd, covariance, lag_ranges(LAGS))
    weights = found.weights[:, 1]
    fixed = np.einsum("bi,bij,bj->b", weights, covariance, weights)
    scatter = found.slope.var()
    assert np.mean(fixed) < 0.97 * scatter  # as if the data had not chosen
    assert np.mean(found.choice * fixed) == pytest.approx(scatter, rel=0.1)
    assert abs(found.slope.mean() - 3.0) < 0.35 * np.sqrt(scatter)


def test_one_range_alone_is_no_choice():
    msd, covariance = drawn(3, transient=0.0)
    assert average(LAGS, msd, covariance, lag_ranges(LAGS, first=2, last=42)).choice.tolist() == [1.0] * 3


def test_the_variance_does_not_depend_on_the_units_or_on_the_call():
    msd, covariance = drawn(20, transient=1.0)
    once = average(LAGS, msd, covariance, lag_ranges(LAGS)).choice
    again = average(LAGS, 1e6 * msd, 1e12 * covariance, lag_ranges(LAGS)).choice
    assert again == pytest.approx(once, rel=1e-6)
    alone = average(LAGS, msd[7], covariance[7], lag_ranges(LAGS)).choice
    assert alone == pytest.approx(once[7], rel=1e-9)
