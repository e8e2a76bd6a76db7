"""Van Hove functions: exact counts, exact models, sum rules and refusals."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from mdtools import synthetic
from mdtools.analyses import devices, over_pairs
from mdtools.analyses.displacement import msd
from mdtools.analyses.van_hove import van_hove_distinct, van_hove_self
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.kernels.van_hove import _slots_by_distance
from mdtools.schema import history

TILTED = np.array([[9.0, 0, 0], [4.1, 8.0, 0], [-4.2, 3.4, 7.0]])
IMAGES = np.array(list(itertools.product(range(-2, 3), repeat=3)))


def walks(n_frames=60, n_atoms=12, *, step=0.3, seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(0, 9, (1, n_atoms, 3)) + np.cumsum(random.normal(0, step, (n_frames, n_atoms, 3)), axis=0)


def distinct(traj, **options):
    """Of the whole run: most checks are of one exact number of counts."""
    return van_hove_distinct(traj, **({"windows": 1} | options))


def width(data):
    return float(data.r[1] - data.r[0])


# -- self -------------------------------------------------------------------------------------------------------


def test_the_integral_over_r_is_one_at_every_lag_window_and_species():
    out = van_hove_self(synthetic.brownian(n_atoms=10, n_frames=300), reference="none")
    assert out.sizes["window"] == 4
    np.testing.assert_allclose(out.van_hove_self.sum("r") * width(out), 1.0, rtol=1e-12)
    assert not np.any(out.van_hove_beyond)
    assert out.van_hove_count[..., -1].sum() >= 1  # and the last bin is used


@pytest.mark.parametrize("origins", ["all", "first", 7])
def test_the_second_moment_is_the_msd_with_the_same_origins(from_paths, origins):
    traj = from_paths(walks(), TILTED, species=np.array(list("AB" * 6)))
    out = van_hove_self(traj, windows=2, origins=origins)
    exact = msd(traj, windows=2, lags="all", origins=origins if origins != "all" else 1)
    np.testing.assert_allclose(out.msd, exact.msd.sel(lag=out.lag, method="nearest"), rtol=1e-12, atol=1e-15)


def test_bins_and_moments_tell_the_same_story():
    out = van_hove_self(synthetic.brownian(n_atoms=20, n_frames=400), windows=1, bins=4000, reference="none")
    second = (out.van_hove_self * out.r**2).sum("r") * width(out)
    np.testing.assert_allclose(second[..., 1:], out.msd[..., 1:], rtol=1e-3)


def test_counts_are_those_of_a_double_loop_and_what_lies_beyond_r_max_is_said(from_paths):
    path = walks(30, 3)
    traj = from_paths(path, TILTED, dtype=np.float64)
    out = van_hove_self(traj, windows=1, lags=[0.0, 0.5, 2.9], r_max=1.5, bins=10, reference="none")
    for k, m in enumerate((0, 5, 29)):
        r = np.linalg.norm(path[m:] - path[: 30 - m], axis=-1).ravel()
        np.testing.assert_array_equal(out.van_hove_count[0, 0, k], np.histogram(r, bins=10, range=(0, 1.5))[0])
        np.testing.assert_allclose(out.van_hove_beyond[0, 0, k], np.mean(r >= 1.5), rtol=1e-14)
    assert 0.1 < out.van_hove_beyond.max() < 0.9
    np.testing.assert_allclose(out.van_hove_self.sum("r") * 0.15 + out.van_hove_beyond, 1.0, rtol=1e-12)


def test_brownian_ions_are_gaussian_within_the_statistical_error():
    walk = synthetic.brownian(n_atoms=2000, n_frames=3, diffusivity=0.5, frame_interval=1.0, seed=4)
    out = van_hove_self(walk, windows=1, lags=[2.0], r_max=6.0, bins=40, reference="none").sel(species="A").squeeze()
    variance = 2 * 0.5 * 2.0
    r = np.linspace(0, 6, 40 * 200 + 1)
    density = np.sqrt(2 / np.pi) * r**2 / variance**1.5 * np.exp(-(r**2) / (2 * variance))
    expected = np.add.reduceat((density[1:] + density[:-1]) / 2 * np.diff(r), np.arange(0, 8000, 200)) * 1000
    enough = expected > 5
    square = np.sum((out.van_hove_count.values - expected)[enough] ** 2 / expected[enough])
    assert 1e-4 < chi2.sf(square, enough.sum()) < 1 - 1e-4
    # alpha_2 of N independent ions: standard error sqrt(8 / (15 N)) (delta method on the moments of a 3-D Gaussian)
    assert abs(out.non_gaussian_parameter.item()) < 4 * np.sqrt(8 / (15 * 1000))


def test_hops_that_few_make_are_far_from_gaussian(from_paths):
    path = np.zeros((2, 100, 3)) + np.arange(100)[None, :, None]
    path[1, :10, 0] += 2.0  # one in ten moves by 2 angstrom: <r^2> = 0.4, <r^4> = 1.6
    out = van_hove_self(from_paths(path, 200 * np.eye(3), dtype=np.float64), windows=1, lags=[0.1], reference="none")
    np.testing.assert_allclose(out.msd.item(), 0.4, rtol=1e-12)
    np.testing.assert_allclose(out.non_gaussian_parameter.item(), 3 * 1.6 / (5 * 0.4**2) - 1, rtol=1e-12)


def test_displacements_longer_than_the_cell_are_not_folded_back(from_paths):
    path = np.zeros((11, 2, 3))
    path[:, 0, 0] = np.arange(11) * 3.0
    out = van_hove_self(from_paths(path, 8 * np.eye(3)), windows=1, lags=[1.0], bins=10, reference="none")
    assert 29.9 < history(out)[-1]["r_max"] < 30.1
    np.testing.assert_array_equal(out.van_hove_count.squeeze(), [1, 0, 0, 0, 0, 0, 0, 0, 0, 1])


def test_a_frozen_crystal_has_no_nan(from_paths):
    out = van_hove_self(from_paths(np.zeros((8, 2, 3)) + 0.25, 8 * np.eye(3)), windows=1)
    for name in ("van_hove_self", "msd", "non_gaussian_parameter", "van_hove_beyond"):
        assert np.all(np.isfinite(out[name])), name
    np.testing.assert_allclose(out.van_hove_self.sum("r") * width(out), 1.0)


def test_positions_1000_angstrom_away_give_the_same_self_part(from_paths):
    near, far = (van_hove_self(from_paths(walks() + away, TILTED, dtype=np.float64), reference="none") for away in (0.0, 1000.0))
    np.testing.assert_allclose(far.msd, near.msd, rtol=1e-9, atol=1e-12)
    assert abs(far.van_hove_count - near.van_hove_count).sum() <= 4  # a tie at a bin edge moves one count


def test_along_each_axis_counts_are_those_of_a_double_loop_with_their_sign(from_paths):
    path = walks(30, 3)
    out = van_hove_self(from_paths(path, TILTED, dtype=np.float64), windows=1, lags=[0.5], r_max=1.2, bins=6, reference="none", by_axis=True)
    for axis in range(3):
        d = (path[5:] - path[:-5])[..., axis].ravel()
        expected = np.histogram(d, bins=12, range=(-1.2, 1.2))[0] / d.size / 0.2
        np.testing.assert_allclose(out.van_hove_self_by_axis[0, 0, axis, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(out.displacement[[0, -1]], [-1.1, 1.1])


def test_along_each_axis_a_brownian_ion_has_the_variance_2_d_t():
    walk = synthetic.brownian(n_atoms=2000, n_frames=3, diffusivity=0.5, frame_interval=1.0, seed=4)
    out = van_hove_self(walk, windows=1, lags=[2.0], bins=400, reference="none", by_axis=True).sel(species="A").squeeze()
    step = float(out.displacement[1] - out.displacement[0])
    np.testing.assert_allclose(out.van_hove_self_by_axis.sum("displacement") * step, 1.0, rtol=1e-12)
    variance = (out.van_hove_self_by_axis * out.displacement**2).sum("displacement") * step
    np.testing.assert_allclose(variance, 2.0, atol=4 * 2.0 * np.sqrt(2 / 1000))
    np.testing.assert_allclose(variance.sum(), out.msd, rtol=1e-3)


# -- distinct ---------------------------------------------------------------------------------------------------


def looped(traj, lag, r_max, bins, *, frame=None):
    """Ordered counts (s, t, bin) by a loop over origins, ions and images, in the mean of both cells."""
    names, s = traj.species_names, np.asarray(traj.scaled_positions, dtype=np.float64)
    if frame is not None:
        s = s - s[:, frame].mean(axis=1, keepdims=True)
    group = np.array([names.index(name) for name in traj.species])
    counts = np.zeros((len(names), len(names), bins), dtype=int)
    for k in range(traj.n_frames - lag):
        cell = (traj.cell[k] + traj.cell[k + lag]) / 2
        for i, j in itertools.permutations(range(traj.n_atoms), 2):
            d = s[k + lag, j] - s[k, i]
            r = np.linalg.norm((d - np.floor(d) + IMAGES) @ cell, axis=1).min()
            if r < r_max:
                counts[group[i], group[j], int(r * (bins / r_max))] += 1
    return counts


@pytest.fixture
def breathing(from_paths):
    """Three species in a tilted cell that changes its shape, some way off the first cell."""
    cells = TILTED * (1 + 0.02 * np.random.default_rng(7).normal(size=(9, 3, 1)))
    return from_paths(walks(9, 12) + 300.0, cells, species=np.array(list("AABABBAABCAB")))


def test_counts_are_those_of_a_loop_over_ions_and_images_ordered_and_not(breathing):
    ordered = distinct(breathing, lags=[0.0, 0.4], r_max=2.5, bins=5, ordered=True, reference="B")
    unordered = distinct(breathing, lags=[0.0, 0.4], r_max=2.5, bins=5, reference="B")
    assert list(ordered.pair.values) == ["A-A", "A-B", "A-C", "B-A", "B-B", "B-C", "C-A", "C-B", "C-C"]
    assert list(unordered.pair.values) == ["A-A", "A-B", "A-C", "B-B", "B-C", "C-C"]
    for k, lag in enumerate((0, 4)):
        expected = looped(breathing, lag, 2.5, 5, frame=breathing.species == "B")
        assert expected.sum() > 50
        for pair in ordered.pair.values:
            s, t = ("ABC".index(name) for name in pair.split("-"))
            np.testing.assert_array_equal(ordered.van_hove_count.sel(pair=pair)[0, k], expected[s, t])
        for pair in unordered.pair.values:
            s, t = ("ABC".index(name) for name in pair.split("-"))
            both = expected[s, t] + (expected[t, s] if s != t else 0)
            np.testing.assert_array_equal(unordered.van_hove_count.sel(pair=pair)[0, k], both)
    mean = (ordered.van_hove_distinct.sel(pair="A-B") + ordered.van_hove_distinct.sel(pair="B-A")) / 2
    np.testing.assert_allclose(unordered.van_hove_distinct.sel(pair="A-B"), mean, rtol=1e-12)


def test_along_the_cell_vectors_pairs_are_those_of_a_loop_and_both_orders_mirror_one_another(breathing):
    options = {"lags": [0.4], "windows": 1, "bins": 8, "by_axis": True, "reference": "none"}
    ordered, unordered = distinct(breathing, ordered=True, **options), distinct(breathing, **options)
    scaled = np.asarray(breathing.scaled_positions, dtype=np.float64)
    a, b = np.flatnonzero(breathing.species == "A"), np.flatnonzero(breathing.species == "B")
    for axis, name in enumerate("abc"):
        d = scaled[4:, b, axis][:, None] - scaled[:-4, a, axis][:, :, None]
        expected = np.histogram(d - np.floor(d + 0.5), bins=8, range=(-0.5, 0.5))[0] / (5 * 6 * 5) * 8
        np.testing.assert_allclose(ordered.van_hove_distinct_by_axis.sel(pair="A-B", cell_axis=name).squeeze(), expected, rtol=1e-12)
        mirrored = ordered.van_hove_distinct_by_axis.sel(pair="B-A", cell_axis=name).squeeze().values[::-1]
        np.testing.assert_allclose(
            unordered.van_hove_distinct_by_axis.sel(pair="A-B", cell_axis=name).squeeze(), (expected + mirrored) / 2, rtol=1e-12
        )
    np.testing.assert_allclose(unordered.van_hove_distinct_by_axis.sel(pair="A-B").mean("fraction"), 1.0, rtol=1e-12)


def test_time_reversal_turns_the_order_of_a_pair_around(breathing):
    back = replace(breathing, scaled_positions=breathing.scaled_positions[::-1].copy(), cell=breathing.cell[::-1].copy())
    options = {"lags": [0.3], "r_max": 2.5, "bins": 8, "ordered": True, "reference": "none"}
    forward, backward = distinct(breathing, **options), distinct(back, **options)
    np.testing.assert_array_equal(forward.van_hove_count.sel(pair="A-B"), backward.van_hove_count.sel(pair="B-A"))
    assert np.any(forward.van_hove_count.sel(pair="A-B").values != forward.van_hove_count.sel(pair="B-A").values)


def test_the_normalisation_is_volume_over_shell_and_both_numbers_of_ions_in_each_frame(breathing):
    out = distinct(breathing, lags=[0.0], r_max=2.4, bins=3, ordered=True)
    shells = 4 / 3 * np.pi * np.diff(np.array([0, 0.8, 1.6, 2.4]) ** 3)
    by_hand = 0.0
    for k in range(9):
        frame = replace(breathing, scaled_positions=breathing.scaled_positions[k : k + 1], cell=breathing.cell[k : k + 1], time=breathing.time[:1])
        by_hand = by_hand + looped(frame, 0, 2.4, 3) * abs(np.linalg.det(breathing.cell[k])) / 9
    sizes = np.array([6, 5, 1])
    np.testing.assert_allclose(out.van_hove_distinct[0, :, 0], (by_hand / shells / np.outer(sizes, sizes)[:, :, None]).reshape(9, 3), rtol=1e-12)


def test_windows_split_the_origins(breathing):
    out = distinct(breathing, windows=3, lags=[0.0, 0.2], r_max=2.5, bins=5)
    whole = distinct(breathing, lags=[0.0], r_max=2.5, bins=5)
    assert out.sizes["window"] == 3
    np.testing.assert_array_equal(out.van_hove_count.sel(lag=0.0).sum("window"), whole.van_hove_count.sel(lag=0.0)[0])


def test_an_ideal_gas_is_flat_at_all_times_with_one_ion_less_among_its_like():
    gas = synthetic.brownian(n_atoms=40, n_frames=250, diffusivity=2.0, length=8.0, seed=3)
    out = distinct(gas, lags=[0.0, 0.1, 5.0], bins=4, reference="none")
    for pair, expected in {"A-A": 19 / 20, "A-B": 1.0, "B-B": 19 / 20}.items():
        one = out.sel(pair=pair)
        # pairs of independent ions are uncorrelated; frames decorrelate in (L / 2 pi)^2 / D = 0.8 ps: about 16 frames together
        error = expected * np.sqrt(16 * (2 if pair[0] == pair[-1] else 1) / one.van_hove_count)
        assert np.all(abs(one.van_hove_distinct - expected) < 4 * error), pair


def test_an_ion_that_takes_the_place_of_another_shows_as_a_peak_at_the_origin(from_paths):
    sites = np.stack(np.meshgrid(*[np.arange(4) * 3.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    random = np.random.default_rng(0)
    path = np.repeat(sites[None], 40, axis=0)
    for k in range(0, 64, 2):  # neighbours (k, k + 1) change places half way
        path[20:, [k, k + 1]] = path[20:, [k + 1, k]]
    path = path + random.normal(0, 0.1, path.shape)
    out = distinct(from_paths(path, 12 * np.eye(3)), lags=[0.0, 3.0], r_max=5.0, bins=20, reference="none").squeeze()
    near = out.van_hove_count.sel(r=slice(0, 1)).sum("r")
    # of the 10 origins that have the lag of 30 frames all lie before the exchange
    np.testing.assert_array_equal(near, [0, 64 * 10])
    assert out.van_hove_distinct[1, 0] > 10


def test_vacancy_hops_fill_holes():
    lattice = synthetic.vacancy_hopper(lattice="sc", cells=4, n_frames=20, jumps_per_frame=200, lattice_parameter=3.0, rattle=0.05, seed=1)
    out = distinct(lattice, lags=[0.0, 10.0], r_max=4.0, bins=20, reference="none").squeeze()
    filled = out.van_hove_count.sel(r=slice(0, 1)).sum("r")
    assert filled[0] == 0
    assert filled[1] > 100


def test_a_drift_of_the_whole_crystal_is_no_motion_in_its_own_frame(from_paths):
    sites = np.stack(np.meshgrid(*[np.arange(3) * 3.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    path = sites + np.linspace(0, 10, 20)[:, None, None] + np.random.default_rng(0).normal(0, 0.05, (20, 27, 3))
    drifting = from_paths(path, 9 * np.eye(3))
    own = distinct(drifting, lags=[0.0, 1.0], bins=9, r_max=4.5, reference="A").squeeze()
    lab = distinct(drifting, lags=[0.0, 1.0], bins=9, r_max=4.5, reference="none").squeeze()
    assert own.van_hove_count[1, :4].sum() == 0
    assert lab.van_hove_count[1, :4].sum() > 0
    np.testing.assert_array_equal(own.van_hove_count[0], lab.van_hove_count[0])


def test_unwrapping_and_wrapping_do_not_matter_to_where_the_others_are(breathing):
    options = {"lags": [0.0, 0.3], "r_max": 2.5, "bins": 5, "reference": "B"}
    expected = distinct(breathing, **options).van_hove_count
    np.testing.assert_array_equal(distinct(replace(breathing, unwrap="tor"), **options).van_hove_count, expected)
    stored = np.asarray(breathing.scaled_positions, dtype=np.float64)
    elsewhere = replace(breathing, scaled_positions=stored + np.random.default_rng(0).integers(-50, 50, (1, 12, 3)))
    np.testing.assert_array_equal(distinct(elsewhere, **options).van_hove_count, expected)


def test_one_frame_has_a_g_of_r_and_so_have_uneven_frames(breathing):
    one = replace(breathing, scaled_positions=breathing.scaled_positions[:1], cell=breathing.cell[:1], time=breathing.time[:1])
    np.testing.assert_array_equal(distinct(one, lags=[0], r_max=2.5, bins=5, ordered=True).van_hove_count[0, 0, 0], looped(one, 0, 2.5, 5)[0, 0])
    uneven = replace(breathing, time=np.geomspace(1, 100, 9))
    same = distinct(uneven, lags=[0], r_max=2.5, bins=5)
    np.testing.assert_array_equal(same.van_hove_count, distinct(breathing, lags=[0], r_max=2.5, bins=5).van_hove_count)
    with pytest.raises(TrajectoryError, match="evenly spaced"):
        distinct(uneven)
    with pytest.raises(NotEnoughData):
        distinct(one)


def test_origins_are_thinned_to_the_budget_and_it_is_said(breathing):
    options = {"lags": [0.0], "r_max": 2.5, "bins": 5, "windows": 1}
    assert history(distinct(breathing, **options))[-1]["origin_stride"] == 1
    thin = distinct(breathing, pair_budget=144 * 3, **options)
    assert history(thin)[-1]["origin_stride"] == 3
    np.testing.assert_array_equal(thin.van_hove_count, distinct(breathing, origins=3, **options).van_hove_count)
    np.testing.assert_array_equal(distinct(breathing, origins="all", **options).van_hove_count.sum(), looped(breathing, 0, 2.5, 5).sum())
    with pytest.raises(ValueError, match="pair_budget"):
        distinct(breathing, pair_budget=0, **options)


def test_the_scatter_of_windows_is_the_error_of_thinned_origins():
    """An ideal gas has (N_t - delta_st) / N_t in every bin: 95 % of Student's intervals of four windows hold it."""
    inside = []
    for seed in range(60):
        gas = synthetic.brownian(n_atoms=24, n_frames=160, diffusivity=10.0, length=6.0, seed=seed)
        out = distinct(gas, lags=[1.0], bins=2, windows=4, pair_budget=24**2 * 4 * 10)
        assert history(out)[-1]["origin_stride"] == 3
        each = out.van_hove_distinct.isel(lag=0, r=1)
        error = each.std("window", ddof=1) / 2
        exact = [11 / 12 if pair in ("A-A", "B-B") else 1.0 for pair in each.pair.values]
        inside.append(np.abs(each.mean("window") - exact) < 3.182 * error)
    assert 0.88 < np.mean(inside) < 0.99


@pytest.mark.parametrize("n_atoms", [40, 300], ids=["origins of a tile", "tiles of an origin"])
def test_tiles_and_threads_change_no_count(from_paths, monkeypatch, n_atoms):
    traj = from_paths(np.random.default_rng(2).uniform(0, 9, (7, n_atoms, 3)), TILTED, species=np.array(list("AABBC" * (n_atoms // 5))))
    options = {"lags": [0.0, 0.2], "windows": 1, "bins": 9, "ordered": True, "by_axis": True, "origins": "all"}
    whole = distinct(traj, **options)
    monkeypatch.setattr(over_pairs, "TILE", 7000)
    monkeypatch.setattr(devices.memory, "cores", lambda: 3)
    tiled = distinct(traj, **options)
    for name in ("van_hove_count", "van_hove_distinct", "van_hove_distinct_by_axis"):
        np.testing.assert_array_equal(tiled[name], whole[name])


@pytest.mark.parametrize("n_atoms", [1, 37, 40], ids=["alone", "odd", "even"])
def test_each_pair_of_a_moment_with_itself_is_visited_once_and_counts_as_both_orders(from_paths, monkeypatch, n_atoms):
    """Half a ring of ions ahead of each, against the whole square, which the distributions along the axes need."""
    path = np.random.default_rng(4).uniform(0, 9, (11, n_atoms, 3))
    traj = from_paths(path, TILTED, species=np.array((list("AABBC") * 20)[:n_atoms]))
    monkeypatch.setattr(over_pairs, "TILE", 2000)
    options = {"lags": [0.1, 0.0], "windows": 2, "bins": 9, "ordered": True, "origins": "all"}
    whole = distinct(traj, by_axis=True, **options)
    monkeypatch.setattr(over_pairs, "pair_counts_by_axis", None)
    halved = distinct(traj, **options)
    assert n_atoms == 1 or whole.van_hove_count.sum() > 0
    np.testing.assert_array_equal(halved.van_hove_count, whole.van_hove_count)
    np.testing.assert_allclose(halved.van_hove_distinct, whole.van_hove_distinct, rtol=1e-13)


def test_memory_is_that_of_the_tiles_under_way_however_many_pairs_there_are(from_paths, monkeypatch):
    sizes = []
    count = over_pairs._Tile.count
    monkeypatch.setattr(
        over_pairs._Tile, "count", lambda tile, *args: sizes.append(tile.first.shape[:2] + tile.later.shape[1:2]) or count(tile, *args)
    )
    monkeypatch.setattr(over_pairs, "TILE", 5000)
    traj = from_paths(np.random.default_rng(2).uniform(0, 9, (5, 200, 3)), TILTED)
    distinct(traj, lags=[0.0], windows=1, bins=5)
    assert len(set(sizes)) == 1
    assert np.prod(sizes[0]) <= 5000
    assert len(sizes) == 5 * 8


def test_the_default_r_max_is_half_the_shortest_face_distance_and_more_is_refused_with_the_number(from_paths):
    traj = from_paths(walks(5), TILTED)
    volume = np.linalg.det(TILTED)
    half = min(volume / np.linalg.norm(np.cross(TILTED[k - 2], TILTED[k - 1])) for k in range(3)) / 2
    np.testing.assert_allclose(history(distinct(traj, lags=[0]))[-1]["r_max"], half, rtol=1e-12)
    with pytest.raises(TrajectoryError, match=rf"half the shortest face distance.*up to {np.floor(half * 1e4) / 1e4:g}"):
        distinct(traj, lags=[0], r_max=half * 1.001)


def test_repeated_calls_of_equal_shape_compile_once(from_paths):
    for seed in (0, 1):
        distinct(from_paths(walks(seed=seed), TILTED), lags=[0.0, 1.0 + seed])
        sizes = _slots_by_distance._cache_size()
        if seed == 0:
            before = sizes
    assert sizes == before


@pytest.mark.parametrize("analysis", [van_hove_self, van_hove_distinct])
def test_senseless_bins_and_distances_are_refused(breathing, analysis):
    with pytest.raises(ValueError, match="bins"):
        analysis(breathing, windows=1, bins=0)
    with pytest.raises(ValueError, match="r_max"):
        analysis(breathing, windows=1, r_max=-1.0)
    with pytest.raises(ValueError, match="origins"):
        analysis(breathing, windows=1, origins="some")


def test_results_are_numpy_and_counts_are_integers(breathing):
    for out in (van_hove_self(breathing, windows=1), distinct(breathing, lags=[0])):
        for name, variable in out.variables.items():
            assert type(variable.data) is np.ndarray, name
        assert out.van_hove_count.dtype == np.int64
