"""T_c and the type of a transition of series whose answers are known."""

import numpy as np
import pytest

from mdtools.statistics.transition import change_point, excess_models, knee, largest, steepest, two_branches

T = np.arange(1000.0, 2001.0, 100.0)
ERROR = np.full(len(T), 0.003)


def enthalpy(kind, *, centre=1450.0, width=60.0, seed=0):
    h = 9e-4 * (T - 1500) + 2e-8 * (T - 1500) ** 2
    if kind == "excess":
        h = h + 0.08 / (1 + np.exp(-(T - centre) / width))
    if kind == "step":
        h = h + 0.15 * (centre < T)
    return h + ERROR * np.random.default_rng(seed).normal(size=len(T))


@pytest.mark.parametrize("kind", ["smooth", "excess", "step"])
def test_the_kind_of_transition_is_that_of_the_series(kind):
    found = [excess_models(T, enthalpy(kind, seed=seed), ERROR) for seed in range(10)]
    assert sum(max(one, key=one.get) == kind for one in found) >= 9
    assert np.median([one[kind] for one in found]) > 0.8


def test_a_heat_capacity_that_bends_is_no_excess():
    """A part in T^3 that changes C_p by 0.9 k_B at either end, seen well: a parabola alone leaves it to a wide step."""
    error = ERROR / 6
    random = np.random.default_rng(0)
    for _ in range(5):
        h = 9e-4 * (T - 1500) + 2e-8 * (T - 1500) ** 2 + 1e-10 * (T - 1500) ** 3 + error * random.normal(size=len(T))
        found = excess_models(T, h, error)
        assert max(found, key=found.get) == "smooth"


def test_the_steepest_interval_holds_the_transition():
    random = np.random.default_rng(0)
    values = [steepest(T, enthalpy("excess", seed=seed), ERROR, draws=200, random=random)[0] for seed in range(10)]
    assert sum(one.lower <= 1450 <= one.upper for one in values) >= 9
    assert np.median([one.value for one in values]) == pytest.approx(1450, abs=20)
    smooth = [steepest(T, enthalpy("smooth", seed=seed), ERROR, draws=200, random=random)[0] for seed in range(10)]
    assert sum(np.isfinite(one.value) for one in smooth) <= 2


def test_the_largest_fluctuation_stands_out_or_there_is_none():
    random = np.random.default_rng(0)
    error = np.full(len(T), 0.4)
    peaked = [
        largest(T, 3 + 4 * np.exp(-(((T - 1450) / 120) ** 2)) + error * random.normal(size=len(T)), error, draws=200, random=random)
        for _ in range(40)
    ]
    assert np.mean([one.lower <= 1450 <= one.upper for one in peaked]) > 0.95
    flat = [largest(T, 3 + 1e-3 * T + error * random.normal(size=len(T)), error, draws=200, random=random) for _ in range(200)]
    assert np.mean([np.isfinite(one.value) for one in flat]) < 0.1
    assert np.isnan(largest(T, T, error, draws=200, random=random).value)


def test_the_knee_is_where_two_lines_meet():
    x = 1 / T
    meeting = 1 / 1600.0
    ln_d = -8000 * (x - meeting) - 14000 * np.maximum(x - meeting, 0.0)
    error = np.full(len(T), 0.05)
    random = np.random.default_rng(0)
    values = [knee(T, ln_d + error * random.normal(size=len(T)), error, draws=200, random=random) for _ in range(10)]
    assert sum(one.lower <= 1600 <= one.upper for one in values) >= 8
    sharp = knee(T, ln_d, error / 50, draws=200, random=random)
    assert sharp.upper - sharp.lower >= 99  # no closer than the runs lie
    assert np.isnan(knee(T, -8000 * x, error, draws=200, random=random).value)


def test_a_change_point_lies_between_the_runs_that_tell_it():
    sure = change_point(T, (T > 1450).astype(float))
    assert sure.value == pytest.approx(1450)
    assert (sure.lower, sure.upper) == pytest.approx((1402.5, 1497.5), abs=0.5)
    assert sure.stderr == pytest.approx(100 / np.sqrt(12), rel=0.01)
    one_open = change_point(T, np.where(T == 1500, 0.5, T > 1450))  # says nothing: T_c is anywhere in 1400 ... 1600
    assert (one_open.value, one_open.stderr) == pytest.approx((1500, 200 / np.sqrt(12)), rel=0.01)
    assert np.isnan(change_point(T, np.full(len(T), 0.02)).value)
    assert np.isnan(change_point(T, np.full(len(T), 0.98)).value)


def test_replicas_multiply_in_a_change_point():
    p = np.where(T < 1450, 0.1, 0.9)
    p[T == 1500] = 0.6
    alone, thrice = change_point(T, p), change_point(np.repeat(T, 3), np.repeat(p, 3))
    assert thrice.stderr < alone.stderr
    assert thrice.value == pytest.approx(1450, abs=15)


def test_the_interval_of_a_change_point_covers_where_probabilities_are_calibrated():
    """Evidence of a run is normal about +-m/2 with variance m: its log-odds, so that p is the calibrated probability by construction."""
    random = np.random.default_rng(0)
    inside = [0, 0]
    deviation = []
    for k in range(600):
        centre, m = random.uniform(1000, 2000), (3.0, 8.0)[k % 2]
        odds = np.where(centre < T, 0.5, -0.5) * m + np.sqrt(m) * random.normal(size=len(T))
        found = change_point(T, 1 / (1 + np.exp(-odds)))
        if np.isfinite(found.value):
            inside = [inside[0] + (found.lower <= centre <= found.upper), inside[1] + 1]
            deviation.append((found.value - centre) / found.stderr)
    assert inside[1] > 450
    assert 0.92 < inside[0] / inside[1] < 0.98
    assert 0.85 < np.std(deviation) < 1.15


@pytest.mark.parametrize("prior", [0.25, 0.5])
def test_the_prior_of_a_state_is_no_evidence_against_it(prior):
    """A probability that changes over 60 K is of what each run says and of a prior; taken for 1/2, one of 1/4 would move T_c by 60 ln 3 = 66 K."""
    odds = (T - 1450) / 60 + np.log(prior / (1 - prior))
    found = change_point(T, 1 / (1 + np.exp(-odds)), prior=prior)
    assert found.value == pytest.approx(1450, abs=1)
    silent = np.where(np.abs(T - 1450) < 100, prior, T > 1450)  # runs that say nothing leave T_c anywhere between the others
    assert change_point(T, silent, prior=prior).value == pytest.approx(1450, abs=1)


def test_two_branches_give_the_step_where_one_is_left_for_the_other():
    random = np.random.default_rng(0)
    value, error = [], []
    for _ in range(40):
        h = 9e-4 * (T - 1500) + (0.15 + 2e-4 * (T - 1450)) * (T > 1450) + ERROR * random.normal(size=len(T))
        at, step, stderr = two_branches(T, h, ERROR)
        assert at.lower <= 1450 <= at.upper
        value.append(step)
        error.append(stderr)
    assert np.mean(value) == pytest.approx(0.15, abs=0.005)
    assert np.std(value) < 1.2 * np.mean(error)  # and the step differs along the gap by .01 in all, which is in the error
    assert np.mean(np.abs(np.array(value) - 0.15) < 2 * np.array(error)) > 0.9
    assert np.isnan(two_branches(T[:5], T[:5], ERROR[:5])[1])


def test_two_branches_weigh_a_gap_by_its_width():
    """Errors so large that nothing is told: T_c is anywhere between the third run, at 2, and the third from the end, at 12."""
    t = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 13.0, 14.0])
    at, _, _ = two_branches(t, t, np.full(len(t), 1e6))
    assert at.stderr == pytest.approx(10 / np.sqrt(12), rel=0.02)
    assert at.value == pytest.approx(7.0, abs=0.5)


# reference/science.md D1: CaF2, 768 ions; T, lattice parameter and its error (1e-4 angstrom), enthalpy and its error (1e-4 eV per CaF2)
CAF2 = """1000 5.5517 2 -26.3031 34
1200 5.5802 2 -26.1170 31
1300 5.5953 4 -26.0242 32
1400 5.6132 9 -25.9122 26
1500 5.6338 9 -25.7550 64
1600 5.6498 7 -25.6475 70
1700 5.6652 4 -25.5266 40
1800 5.6802 5 -25.4132 23
1900 5.6945 3 -25.3082 75
2000 5.7098 10 -25.2062 33
2200 5.7437 3 -24.9934 102"""


def test_heat_capacity_and_expansion_of_a_larger_caf2_are_largest_at_1450_kelvin():
    t, a, a_error, h, h_error = np.array([line.split() for line in CAF2.splitlines()], dtype=float).T
    random = np.random.default_rng(0)
    heat, capacity, _ = steepest(t, h, 1e-4 * h_error, draws=1000, random=random)
    length, expansion, _ = steepest(t, np.log(a), 1e-4 * a_error / a, draws=1000, random=random)
    for found in (heat, length):
        assert found.value == pytest.approx(1450, abs=25)
        assert found.stderr < 30
        assert found.lower <= 1424 <= found.upper  # experiment
    assert capacity.max() / 8.617333262e-5 == pytest.approx(18.2, abs=0.1)
    assert expansion.max() == pytest.approx(36.8e-6, rel=0.01)
    assert excess_models(t, h, 1e-4 * h_error)["excess"] > 0.8
