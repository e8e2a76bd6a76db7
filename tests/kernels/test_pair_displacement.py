"""Products of displacements by distance against a double loop."""

import jax
import numpy as np
import pytest

from mdtools.kernels.pair_displacement import displacement_by_distance


@pytest.mark.parametrize("tile", [4, 7, 64])
def test_sums_and_counts_are_those_of_a_double_loop_in_a_tilted_cell(tile):
    random = np.random.default_rng(0)
    cell = np.array([[[9.0, 0, 0], [2.0, 8.0, 0], [-1.0, 1.5, 10.0]], [[9.5, 0, 0], [2.0, 8.5, 0], [-1.0, 1.5, 9.0]]])
    start, step = random.normal(size=(2, 2, 13, 3))
    group = random.integers(0, 3, size=13)
    bins, r_max = 5, 3.7
    with jax.enable_x64(True):
        sums, counts = map(np.asarray, displacement_by_distance(start, step, cell, group, np.float64(r_max), n_groups=3, bins=bins, tile=tile))
    expected, number = np.zeros((2, 3, 3, bins + 1)), np.zeros((2, 3, 3, bins + 1))
    for k in range(2):
        for i in range(13):
            for j in range(13):
                if i == j:
                    continue
                apart = start[k, j] - start[k, i]
                r = np.linalg.norm((apart - np.round(apart)) @ cell[k])
                s, t = sorted((group[i], group[j]))
                at = (k, s, t, min(int(r / r_max * bins), bins))
                expected[at] += step[k, i] @ step[k, j]
                number[at] += 1
    np.testing.assert_array_equal(counts, number)
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12)
