"""T_c of a stiffness that vanishes: exact laws, errors that cover, and the phi^4 lattice by its kept series (`scripts/phi4.py`).

What the lattice with A = B = 0.25, C = 1 is compared with. reference/science.md D4 gives 1.34 +- 0.04: there Binder's cumulant of 10 cells
reaches its value in the Ising model, 0.465. That is a temperature of 10 cells and no T_c of the infinite lattice: cumulants of 6 and 14 cells
cross at 1.41 +- 0.02, where they are 0.34 (so small a lattice is not yet Ising's), and a cumulant falls with T, so that it is 0.465 below T_c. The
soft mode at q = 0 of 10 cells is shifted in the same way: a cell less than two correlation lengths wide has 1 / chi larger than the infinite
lattice (1.7 times at T = 1.5), and what is extrapolated from it vanishes further down. So like is compared with like: 10 cells with 1.34, and
20 cells, at 1.5 and 1.6 still 2.1 and 3.1 correlation lengths wide, with 1.41.
"""

import numpy as np
import pytest

from mdtools.statistics.soft_mode import vanishing

# temperature; W^2 by the fit of the spectrum, 1 / chi by the mean square, each with its relative error; 10 runs a temperature of 10 cells, 8 of 20
ORDER_DISORDER = (
    (2.1, 0.10747, 0.0373, 0.09829, 0.0281),
    (2.3, 0.25098, 0.0206, 0.23888, 0.0196),
    (2.6, 0.51437, 0.0129, 0.47636, 0.0178),
    (3.0, 0.80328, 0.0306, 0.77638, 0.0175),
    (3.6, 1.27867, 0.0524, 1.20658, 0.0164),
    (4.2, 1.70651, 0.0658, 1.64597, 0.0158),
)
DISPLACIVE_10 = (
    (1.5, 0.02308, 0.0940, 0.02249, 0.0381),
    (1.6, 0.03203, 0.0716, 0.03282, 0.0382),
    (1.75, 0.04883, 0.0467, 0.04986, 0.0403),
    (2.0, 0.07908, 0.0269, 0.08457, 0.0399),
    (2.4, 0.13178, 0.0087, 0.12779, 0.0445),
    (3.0, 0.20257, 0.0074, 0.20537, 0.0425),
)
DISPLACIVE_20 = (
    (1.5, 0.01149, 0.0376, 0.01322, 0.0510),
    (1.6, 0.02400, 0.0250, 0.02517, 0.0485),
    (1.75, 0.04430, 0.0175, 0.04335, 0.0489),
    (2.0, 0.07682, 0.0139, 0.07834, 0.0465),
    (2.4, 0.12987, 0.0104, 0.13492, 0.0470),
    (3.0, 0.20462, 0.0082, 0.21027, 0.0473),
)


def routes(table, first=0):
    """T_c by the frequency and by the susceptibility."""
    t, stiffness, error, inverse, inverse_error = np.array(table[first:]).T
    return vanishing(t, np.log(stiffness), error), vanishing(t, np.log(inverse), inverse_error)


@pytest.mark.parametrize(
    ("table", "first", "known", "known_error"),
    [
        (ORDER_DISORDER, 0, 1.94, 0.08),
        (DISPLACIVE_10, 0, 1.34, 0.04),
        (DISPLACIVE_10, 1, 1.34, 0.04),  # from 1.6 on: without the cell that is 1.5 correlation lengths wide
        (DISPLACIVE_20, 0, 1.41, 0.02),
    ],
    ids=["A=4, 10 cells", "A=.25, 10 cells", "A=.25, 10 cells from 1.6", "A=.25, 20 cells"],
)
def test_both_routes_of_the_phi4_lattice_agree_with_what_is_known_of_its_size_and_with_each_other(table, first, known, known_error):
    found = routes(table, first)
    for one in found:
        assert abs(one.value - known) < 2 * np.hypot(one.stderr, known_error)
        assert one.lower < known + known_error
        assert one.upper > known - known_error
        assert one.stderr < 0.08
        assert one.chi2 < 12  # 3 degrees of freedom, or 2
    assert abs(found[0].value - found[1].value) < 2 * np.hypot(found[0].stderr, found[1].stderr)


def test_a_small_cell_is_too_stiff_near_the_critical_temperature_and_no_further_away():
    small, large = np.array(DISPLACIVE_10), np.array(DISPLACIVE_20)
    for column in (1, 3):
        ratio = np.log(small[:, column] / large[:, column])
        error = np.hypot(small[:, column + 1], large[:, column + 1])
        assert np.all(ratio[:2] > 3 * error[:2])
        assert np.all(np.abs(ratio[3:]) < 2.5 * error[3:])
    assert routes(DISPLACIVE_10)[0].value < routes(DISPLACIVE_20)[0].value - 0.1


def test_intervals_cover_laws_whose_exponents_are_those_of_the_prior():
    random, inside = np.random.default_rng(3), 0
    t = np.array([1.15, 1.3, 1.5, 1.8, 2.2])
    for _ in range(200):
        log = (1 + 0.3 * random.normal()) * np.log(t - 1) + 0.3 * random.normal() * (t - t[0]) / t[0]
        found = vanishing(t, log + 0.04 * random.normal(size=5), np.full(5, 0.04))
        inside += found.lower < 1 < found.upper
    assert 0.9 <= inside / 200 <= 0.995


def test_critical_temperature_of_an_exact_law_and_its_interval():
    random, kelvin, hits = np.random.default_rng(1), np.linspace(1.1, 2.0, 8), 0
    for _ in range(100):
        law = np.log(3.0 * np.abs(kelvin - 1.0) ** 1.1) + 0.05 * random.normal(size=8)
        found = vanishing(kelvin, law, np.full(8, 0.05))
        hits += found.lower < 1.0 < found.upper
    assert hits >= 88
    mirrored = vanishing(3.0 - kelvin[::-1], law[::-1], np.full(8, 0.05))
    assert mirrored.value == pytest.approx(3.0 - found.value, abs=0.5 * found.stderr)  # corrections go with |T - T_c| / T_c
    scaled = vanishing(300.0 * kelvin, law, np.full(8, 0.05))
    assert scaled.value == pytest.approx(300.0 * found.value, rel=1e-9)


@pytest.mark.parametrize("bend", [-0.5, 0.5])
def test_a_law_that_bends_far_from_its_end_moves_no_critical_temperature_out_of_its_interval(bend):
    random, kelvin, hits = np.random.default_rng(4), np.array([2.1, 2.3, 2.6, 3.0, 3.6, 4.2]), 0
    for _ in range(40):
        t = (kelvin - 1.9) / 1.9
        found = vanishing(kelvin, 1.1 * np.log(t) + bend * t + 0.02 * random.normal(size=6), np.full(6, 0.02))
        hits += found.lower < 1.9 < found.upper
    assert hits >= 34


def test_a_condensed_run_bounds_the_critical_temperature():
    kelvin = np.array([1.5, 1.7, 1.9])
    law = np.log(kelvin - 1.0)
    assert vanishing(kelvin, law, np.full(3, 0.3), limit=1.3).lower >= 1.3


def test_a_critical_temperature_sharper_than_the_grid_is_at_its_place():
    kelvin = np.arange(1.0, 9.0)
    step = 4 * 7 / 400
    exact = 1.0 - 10.5 * step
    found = vanishing(kelvin, np.log(kelvin - exact), np.full(8, 1e-3))
    assert abs(found.value - exact) < 0.05 * step


def test_laws_need_three_temperatures():
    with pytest.raises(ValueError, match="three temperatures"):
        vanishing(np.array([1.0, 2.0]), np.zeros(2), np.ones(2))
