"""The bootstrap over two directions, against the spread that is known."""

import numpy as np

from mdtools.statistics.bootstrap import resampled, two_way_means


def test_weights_are_whole_shares_that_sum_to_one():
    weights = resampled(7, 50, np.random.default_rng(0))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(weights * 7, np.rint(weights * 7))
    assert np.ptp(weights) > 0


def test_equal_weights_give_the_plain_mean_over_the_two_axes():
    values = np.random.default_rng(1).normal(size=(3, 2, 5, 4))
    mean = two_way_means(values, (0, 2), (np.full((1, 3), 1 / 3), np.full((1, 5), 1 / 5)))
    np.testing.assert_allclose(mean[0], values.mean(axis=(0, 2)))


def test_the_spread_over_draws_is_that_of_rows_and_columns_together():
    random = np.random.default_rng(2)
    n, m, sd_row, sd_column = 40, 30, 1.0, 2.0
    spread = []
    for _ in range(20):
        values = sd_row * random.normal(size=(n, 1)) + sd_column * random.normal(size=(1, m))
        draws = two_way_means(values, (0, 1), (resampled(n, 400, random), resampled(m, 400, random)))
        spread.append(draws.std(ddof=1))
    true = np.sqrt(sd_row**2 / n + sd_column**2 / m)
    np.testing.assert_allclose(np.mean(spread), true, rtol=0.1)
