"""T_c and the type of a transition of series whose answers are known."""

import numpy as np
import pytest

from mdtools.statistics.transition import excess_models, half_way, knee, steepest

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


def test_the_steepest_interval_holds_the_transition():
    random = np.random.default_rng(0)
    values = [steepest(T, enthalpy("excess", seed=seed), ERROR, draws=200, random=random)[0] for seed in range(10)]
    assert sum(one.lower <= 1450 <= one.upper for one in values) >= 9
    assert np.median([one.value for one in values]) == 1450
    smooth = [steepest(T, enthalpy("smooth", seed=seed), ERROR, draws=200, random=random)[0] for seed in range(10)]
    assert sum(np.isfinite(one.value) for one in smooth) <= 2


def test_the_knee_is_where_two_lines_meet():
    x = 1 / T
    meeting = 1 / 1600.0
    ln_d = -8000 * (x - meeting) - 14000 * np.maximum(x - meeting, 0.0)
    error = np.full(len(T), 0.05)
    random = np.random.default_rng(0)
    values = [knee(T, ln_d + error * random.normal(size=len(T)), error, draws=200, random=random) for _ in range(10)]
    assert sum(one.lower <= 1600 <= one.upper for one in values) >= 8
    assert np.isnan(knee(T, -8000 * x, error, draws=200, random=random).value)


def test_a_level_is_crossed_once_or_not_at_all():
    random = np.random.default_rng(0)
    y = 1 / (1 + np.exp(-(T - 1460) / 30))
    found = half_way(T, y, np.full(len(T), 0.02), 0.5, draws=200, random=random)
    assert found.value == pytest.approx(1460, abs=20)
    assert found.lower <= 1400 < 1500 <= found.upper
    assert np.isnan(half_way(T, y * 0.3, np.full(len(T), 0.02), 0.5, draws=200, random=random).value)
