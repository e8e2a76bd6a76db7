"""Diffusion from an MSD: the interval holds the truth as often as it says, and cages are not called diffusion."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from mdtools.errors import NotEnoughData
from mdtools.statistics.diffusion import diffusion, usable_lags
from mdtools.statistics.regime import classify


def _script():
    path = Path(__file__).parents[2] / "scripts" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_script", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["coverage_script"] = module
    spec.loader.exec_module(module)
    return module


COVERAGE = _script()
SEEDS = 200


@pytest.mark.parametrize("name", ["independent, 64 ions", "groups of 16 (64 ions)", "cage then hop, 10 jumps per ion", "one collective walker"])
def test_the_95_percent_interval_holds_the_truth_in_95_percent_of_runs(name):
    kind = COVERAGE.KINDS[name]
    results = COVERAGE.replicas(kind, count=SEEDS, seed=7)
    inside = sum(r.lower <= kind.slope <= r.upper for r in results)
    values = np.array([r.slope for r in results])
    quoted = np.sqrt(np.mean([r.stderr**2 for r in results]))
    assert inside >= 0.95 * SEEDS - 3 * np.sqrt(SEEDS * 0.95 * 0.05)
    assert 0.85 < quoted / values.std() < 1.25
    assert abs(values.mean() - kind.slope) < 0.5 * values.std()
    assert all(r.regime == "diffusive" for r in results)


def test_ions_that_move_together_are_found_out():
    kind = COVERAGE.KINDS["groups of 16 (64 ions)"]
    inflation = [r.inflation for r in COVERAGE.replicas(kind, count=30, seed=3)]
    assert np.mean(inflation) == pytest.approx(16, rel=0.2)


def test_the_quality_of_ions_that_move_together_is_judged_with_their_own_variance():
    """Without the blocks every line through the MSD of a collective system would be refused."""
    with_blocks, without = [], []
    for seed in range(20):
        paths = COVERAGE.walk(np.random.default_rng(seed), together=16)
        msd = COVERAGE.mean_squared_displacement(paths)
        settings = {"n_frames": 400, "n_ions": 64, "first": 2, "last": 100}
        with_blocks.append(diffusion(np.arange(400), msd, blocks=COVERAGE.blocks(paths), **settings).quality)
        without.append(diffusion(np.arange(400), msd, **settings).quality)
    assert np.median(with_blocks) > 0.1
    assert np.median(without) < 0.01


def test_a_harmonic_cage_is_caged_and_has_a_bound_but_no_diffusion():
    results = COVERAGE.replicas(COVERAGE.KINDS["caged, no diffusion"], count=SEEDS, seed=5)
    assert sum(r.regime == "caged" for r in results) >= 0.95 * SEEDS
    assert not any(r.regime in ("diffusive", "subdiffusive") for r in results)
    # what the bound would add to the MSD in a tenth of the run, in units of the plateau 0.6: small, usually tiny
    bound = np.array([r.upper * 40 / 0.6 for r in results])
    assert all(r.lower == 0 for r in results)
    assert np.median(bound) < 0.02
    assert 0 < bound.min() <= bound.max() < 0.5


def test_the_bound_of_rarely_jumping_ions_holds_or_their_diffusion_is_seen():
    kind = COVERAGE.KINDS["cage then hop, 1 jump per ion"]
    results = COVERAGE.replicas(kind, count=40, seed=2)
    assert sum(r.upper >= kind.slope for r in results) >= 35


def test_single_file_motion_is_not_called_diffusive():
    """MSD = sqrt(t) with the noise of many ions: no line holds."""
    lags = np.arange(400)
    msd = np.tile(np.sqrt(lags), (3, 1)) / 3
    assert diffusion(lags, msd, n_frames=400, n_ions=20000).regime == "subdiffusive"


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ((2.0, 0.1, 0.1, 0.5), "caged"),
        ((2.0, 0.6, 0.3, 0.5), "undecided"),
        ((np.nan, 0.0, 0.1, 0.5), "caged"),
        ((9.0, 0.2, 0.1, 0.5), "subdiffusive"),
        ((9.0, 0.9, 0.1, 1e-4), "subdiffusive"),
        ((9.0, 0.9, 0.1, 0.3), "diffusive"),
    ],
)
def test_the_word_follows_from_significance_slope_and_quality(numbers, word):
    significance, log_slope, error, quality = numbers
    assert classify(significance=significance, log_slope=log_slope, log_slope_stderr=error, quality=quality) == word


def test_an_msd_that_oscillates_for_ever_is_caged():
    assert classify(significance=1.0, log_slope=0.5, log_slope_stderr=0.4, quality=0.0, grew=False) == "caged"
    lags = np.arange(600)
    msd = np.tile(1 - np.cos(0.3 * lags) * (0.6 + 0.4 * np.cos(0.041 * lags)), (3, 1))
    found = diffusion(lags, msd, n_frames=600, n_ions=100)
    assert found.regime == "caged"
    assert np.isfinite(found.upper)


def test_anisotropic_diffusion_is_recovered_with_a_wider_error_than_isotropic():
    """All motion along one axis: one sample of a walk instead of three."""
    scale = np.array([1.0, 0.0, 0.0])[None, :, None]
    deviation, errors = [], []
    for seed in range(60):
        paths = COVERAGE.walk(np.random.default_rng(seed), n_ions=32) * scale
        one = COVERAGE.estimate(paths)
        deviation.append(one.slope - 1.0)
        errors.append(one.stderr)
    assert np.std(deviation) == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.3)
    assert abs(np.mean(deviation)) < 3 * np.std(deviation) / np.sqrt(60)


def test_windows_that_are_averaged_share_the_variance():
    """Four windows of 400 frames: half the error of one."""
    paths = [COVERAGE.walk(np.random.default_rng(seed), n_ions=8) for seed in range(4)]
    msd = np.mean([COVERAGE.mean_squared_displacement(p) for p in paths], axis=0)
    four = diffusion(np.arange(400), msd, n_frames=400, n_ions=8, windows=4, first=2, last=40)
    one = diffusion(np.arange(400), msd, n_frames=400, n_ions=8, first=2, last=40)
    assert four.slope == pytest.approx(one.slope, rel=1e-6)
    assert four.stderr == pytest.approx(one.stderr / 2, rel=1e-3)


def test_a_known_intercept_narrows_the_error():
    msd = COVERAGE.mean_squared_displacement(COVERAGE.walk(np.random.default_rng(0)))
    free = diffusion(np.arange(400), msd, n_frames=400, n_ions=64, first=2, last=100)
    known = diffusion(np.arange(400), msd, n_frames=400, n_ions=64, first=2, last=100, intercept=(0.0, 1e-4))
    assert known.stderr < 0.7 * free.stderr
    assert abs(known.slope - 3.0) < 4 * known.stderr
    assert abs(known.intercept) < 1e-3


def test_units_of_length_do_not_matter():
    paths = COVERAGE.walk(np.random.default_rng(0))
    small, large = COVERAGE.estimate(1e-4 * paths), COVERAGE.estimate(1e4 * paths)
    np.testing.assert_allclose(large.slope, 1e16 * small.slope, rtol=1e-5)
    np.testing.assert_allclose(large.upper, 1e16 * small.upper, rtol=1e-5)


def test_the_same_data_give_the_same_answer_twice():
    paths = COVERAGE.walk(np.random.default_rng(0))
    assert COVERAGE.estimate(paths) == COVERAGE.estimate(paths)


def test_too_short_a_run_is_refused_in_one_line():
    with pytest.raises(NotEnoughData, match=r"needs at least 8 lags .* 15 frames leave 4") as refusal:
        usable_lags(np.arange(15), n_frames=15, n_walkers=64)
    assert "\n" not in str(refusal.value)


def test_no_more_than_fifty_lags_are_taken_and_none_beyond_a_third():
    index = usable_lags(np.arange(100000), n_frames=100000, n_walkers=1000)
    assert len(index) <= 50
    assert index[-1] <= 100000 / 3
