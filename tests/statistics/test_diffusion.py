"""Diffusion from an MSD: the interval holds the truth as often as it says, and cages are not called diffusion."""

import time

import numpy as np
import pytest
from statistics_coverage import script

from mdtools.errors import NotEnoughData
from mdtools.statistics.diffusion import diffusion
from mdtools.statistics.lags import usable_lags
from mdtools.statistics.plan import run_for_bound, run_for_error
from mdtools.statistics.regime import classify

COVERAGE = script()
SEEDS = 200
SEED = 7


def walks(count, *, seed=0, n_ions=64, n_frames=400, **options):
    return COVERAGE.walk(np.random.default_rng(seed), count, n_ions=n_ions, n_frames=n_frames, **options)


def test_what_peers_quote_is_by_their_own_definition():
    """Moments of all displacements, and kinisi's matrix in full: its positive part inverted (reference/transport.md 2.1)."""
    path = walks(1, n_ions=16, n_frames=60, noise=1.0)[0].astype(np.float64)
    mean, variance = COVERAGE.square_moments(path)
    for lag in (1, 7, 59):
        square = np.square(path[..., lag:] - path[..., :-lag]).sum(axis=1)
        assert mean[lag - 1] == pytest.approx(square.mean(), rel=1e-5)
        assert variance[lag - 1] == pytest.approx(square.var(ddof=1), rel=1e-4)
    lag = np.arange(1, 60)
    samples = 16 * 59 / lag
    matrix = np.minimum.outer(lag, lag) - 1
    matrix = variance[matrix] / samples[np.maximum.outer(lag, lag) - 1]
    value, vector = np.linalg.eigh(matrix[1:, 1:])
    assert value.min() < 0  # the case that needs care
    inverse = (vector[:, value > 0] / value[value > 0]) @ vector[:, value > 0].T
    design = np.stack([np.ones(58), lag[1:]], axis=-1)
    covariance = np.linalg.inv(design.T @ inverse @ design)
    slope = (covariance @ design.T @ inverse @ mean[1:])[1]
    found = COVERAGE.peers(path[None], past=2)[0, 2]
    assert found[:2] == pytest.approx([slope, np.sqrt(covariance[1, 1])], rel=1e-4)


def test_quoted_errors_of_others_are_too_small_on_the_same_walks():
    """N = T = 128: ordinary least squares covers 6 %, weighted 19 %, kinisi 98 % (reference/transport.md 2.4)."""
    kind = COVERAGE.KINDS["independent, 128 ions, 128 frames"]
    _, said = COVERAGE.replicas("independent, 128 ions, 128 frames", count=SEEDS, seed=SEED, n_peers=SEEDS)
    ordinary, weighted, kinisi = np.mean((said[..., 2] <= kind.slope()) & (kind.slope() <= said[..., 3]), axis=0)
    assert ordinary < 0.15
    assert 0.1 < weighted < 0.5
    assert kinisi > 0.9


def test_ions_that_move_together_are_found_out():
    found = COVERAGE.estimate(walks(30, seed=3, together=16))
    assert np.mean(found.inflation) == pytest.approx(16, rel=0.25)


def test_ions_that_jump_rarely_are_found_out():
    """One jump an ion and run: the variance of D is that of a count of 64, and nearly nothing else."""
    found = COVERAGE.replicas("cage then hop, 1 jump per ion", count=50, seed=3)[0]
    assert np.sqrt(np.mean(np.square(found.stderr / 0.01))) == pytest.approx(1 / 8, rel=0.25)


def test_the_quality_of_ions_that_move_together_is_judged_with_their_own_variance():
    """Without the blocks every line through the MSD of a collective system would be refused."""
    paths = walks(20, together=16)
    msd = COVERAGE.mean_squared_displacement(paths)
    settings = {"n_frames": 400, "n_ions": 64, "first": 2, "last": 100}
    assert np.median(diffusion(np.arange(400), msd, blocks=COVERAGE.blocks(paths)[:2], **settings).quality) > 0.1
    assert np.median(diffusion(np.arange(400), msd, **settings).quality) < 0.01


def test_a_harmonic_cage_is_caged_and_has_a_bound_but_no_diffusion():
    found = COVERAGE.replicas("caged, no diffusion", count=SEEDS, seed=5)[0]
    assert np.mean(found.regime == "caged") >= 0.98
    refused = found.regime == "caged"
    # no run excludes fewer jumps than two or three; each of l^2 = 7 x the plateau, as ions in crystals are taken to have
    bound = found.upper[refused] / (7 * 0.6 / (400 * 64))
    assert np.all(found.lower[refused] == 0)
    assert bound.min() > 2
    assert np.median(bound) < 6.5
    assert bound.max() < 20


def test_single_file_motion_is_not_called_diffusive():
    lags = np.arange(400)  # without noise; tests/statistics/test_coverage.py has the walks
    msd = np.tile(np.sqrt(lags), (3, 1)) / 3
    assert diffusion(lags, msd, n_frames=400, n_ions=20000).regime == "subdiffusive"


def test_a_batch_gives_what_its_members_give_alone():
    paths = np.concatenate([walks(2), walks(1, together=16)])
    batch = COVERAGE.estimate(paths)
    for k in range(3):
        alone = COVERAGE.estimate(paths[k : k + 1])
        for name in ("slope", "stderr", "lower", "upper", "inflation", "quality"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(batch, name)[k], rel=1e-6)


@pytest.mark.parametrize("options", [{"n_ions": 8}, {"n_ions": 32, "together": 4}])
def test_a_run_as_long_as_planned_has_a_scatter_of_10_percent(options):
    short = COVERAGE.estimate(walks(40, seed=1, n_frames=200, **options))
    planned = int(np.median(run_for_error(200, short.slope, short.stderr)))
    values = COVERAGE.estimate(walks(200, seed=2, n_frames=planned, **options)).slope
    assert values.std() / 3.0 == pytest.approx(0.1, rel=0.2)


def test_a_caged_run_as_long_as_planned_has_a_tenth_of_the_bound():
    def caged(count, n_frames):
        return COVERAGE.estimate(COVERAGE.cage(np.random.default_rng(n_frames), count, n_ions=8, n_frames=n_frames))

    short = caged(60, 300)
    planned = int(np.median(run_for_bound(300, short.upper, short.plateau)))
    assert 1400 < planned <= 3000
    assert np.median(caged(30, planned).upper) / np.median(short.upper) == pytest.approx(0.1, rel=0.3)


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


def test_a_cage_that_remembers_thousands_of_frames_takes_no_longer_than_its_lags():
    lags = np.arange(100_000)
    msd = np.tile(0.2 * (1 - np.exp(-lags / 3000)), (3, 1))
    start = time.process_time()
    assert diffusion(lags, msd, n_frames=100_000, n_ions=16).regime == "caged"
    assert time.process_time() - start < 5


def test_anisotropic_diffusion_is_recovered_with_a_wider_error_than_isotropic():
    """All motion along one axis: one sample of a walk instead of three."""
    one = COVERAGE.estimate(walks(100, n_ions=32) * np.array([1.0, 0.0, 0.0])[:, None])
    assert one.slope.std() == pytest.approx(np.sqrt(np.mean(np.square(one.stderr))), rel=0.3)
    assert abs(np.mean(one.slope - 1.0)) < 3 * one.slope.std() / 10


def test_what_a_jump_adds_is_carried_over_to_one_axis():
    """Single ions show it in the sum over axes only; without it the ends of the run are taken for as good as its middle."""
    paths = COVERAGE.cage_then_hop(np.random.default_rng(4), 80, jumps=3.0, n_ions=64, n_frames=400)
    msd, (block_msd, lengths, by_ion) = COVERAGE.mean_squared_displacement(paths), COVERAGE.blocks(paths)
    settings = {"n_frames": 400, "n_ions": 64}
    whole = diffusion(np.arange(400), msd, blocks=(block_msd, lengths), by_ion=by_ion, **settings)
    assert np.median(whole.jump) == pytest.approx(4 / (399 * 64), rel=0.2)
    found = [
        [diffusion(np.arange(400), msd[k, :1], blocks=(block_msd[k, :1], lengths), jump=jump, **settings) for k, jump in enumerate(given)]
        for given in (whole.jump, np.zeros(80))
    ]
    with_jumps, without = (np.sqrt(np.mean([one.stderr**2 for one in some])) for some in found)
    assert with_jumps > 1.05 * without
    assert with_jumps == pytest.approx(np.std([one.slope for one in found[0]]), rel=0.3)


def test_windows_that_are_averaged_share_the_variance():
    """Four windows of 400 frames: half the error of one."""
    msd = COVERAGE.mean_squared_displacement(walks(4, n_ions=8)).mean(axis=0)
    four = diffusion(np.arange(400), msd, n_frames=400, n_ions=8, windows=4, first=2, last=40)
    one = diffusion(np.arange(400), msd, n_frames=400, n_ions=8, first=2, last=40)
    assert four.slope == pytest.approx(one.slope, rel=1e-6)
    assert four.stderr == pytest.approx(one.stderr / 2, rel=1e-3)


def test_a_known_intercept_narrows_the_error():
    msd = COVERAGE.mean_squared_displacement(walks(1))[0]
    free = diffusion(np.arange(400), msd, n_frames=400, n_ions=64, first=2, last=100)
    known = diffusion(np.arange(400), msd, n_frames=400, n_ions=64, first=2, last=100, intercept=(0.0, 1e-4))
    assert known.stderr < 0.7 * free.stderr
    assert abs(known.slope - 3.0) < 4 * known.stderr
    assert abs(known.intercept) < 1e-3


def test_units_of_length_do_not_matter():
    paths = walks(1)
    small, large = COVERAGE.estimate(1e-4 * paths), COVERAGE.estimate(1e4 * paths)
    np.testing.assert_allclose(large.slope, 1e16 * small.slope, rtol=1e-5)
    np.testing.assert_allclose(large.upper, 1e16 * small.upper, rtol=1e-5)


def test_the_same_data_give_the_same_answer_twice():
    paths = walks(1)
    first, second = COVERAGE.estimate(paths), COVERAGE.estimate(paths)
    assert all(getattr(first, name) == getattr(second, name) for name in ("slope", "stderr", "lower", "upper", "regime"))


def test_too_short_a_run_is_refused_in_one_line():
    with pytest.raises(NotEnoughData, match=r"needs at least 8 lags .* 15 frames leave 4") as refusal:
        usable_lags(np.arange(15), n_frames=15, n_walkers=64)
    assert "\n" not in str(refusal.value)


def test_no_more_than_fifty_lags_are_taken_and_none_beyond_a_third():
    index = usable_lags(np.arange(100000), n_frames=100000, n_walkers=1000)
    assert len(index) <= 50
    assert index[-1] <= 100000 / 3
