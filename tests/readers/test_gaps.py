"""A gap in time is an error or, if asked, a split whose parts no time origin leaves; uneven by intent is no gap."""

import numpy as np
import pytest

import mdtools as md
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.readers import read, write_store
from mdtools.readers.gaps import breaks, segments
from mdtools.series import Series

OPTIONS = {"units": "metal", "timestep": 0.01, "species": {1: "Li"}, "precision": "float64"}


@pytest.fixture
def gapped(dump):
    """Frames every 10 steps of ions that diffuse, with those from step 200 to 340 and step 500 missing; and which are left."""
    rng = np.random.default_rng(11)
    path = rng.uniform(0, 1, (1, 6, 3)) + np.cumsum(rng.normal(0, 0.04, (70, 6, 3)), axis=0)
    left = np.array([k for k in range(70) if not 20 <= k < 35 and k != 50])
    rows = [[[i + 1, 1, *s] for i, s in enumerate(path[k] - np.floor(path[k]))] for k in left]
    return dump("id type xs ys zs", rows, steps=(10 * left).tolist()), path, left


def test_a_gap_is_an_error_that_says_where_and_how_long(gapped):
    with pytest.raises(
        TrajectoryError,
        match=r"frame 20 \(step 350\) comes 1.6 ps after .* where frames are 0.1 ps apart otherwise.*gaps='split'.*\(1 more such place",
    ):
        read(gapped[0], **OPTIONS)


def test_a_part_without_gap_is_read(gapped):
    file, path, _ = gapped
    traj = read(file, end=1.9, **OPTIONS)
    assert np.allclose(traj.scaled_positions - traj.scaled_positions[0], path[:20] - path[0], atol=1e-12)
    assert read(file, begin=3.5, end=4.9, **OPTIONS).n_frames == 15


def test_a_split_gives_the_parts_as_a_series(gapped):
    file, path, _ = gapped
    series = read(file, gaps="split", temperature=900, **OPTIONS)
    assert isinstance(series, Series)
    assert series.names == ("segment 1 (0-1.9 ps)", "segment 2 (3.5-4.9 ps)", "segment 3 (5.1-6.9 ps)")
    assert [row["replica"] for row in series.rows] == [1, 2, 3]
    assert [row["temperature"] for row in series.rows] == [900, 900, 900]
    for (_, member), (low, high) in zip(series, ((0, 20), (35, 50), (51, 70)), strict=True):
        assert member.is_even
        assert np.allclose(member.time, 0.1 * np.arange(low, high))
        assert np.allclose(member.scaled_positions - member.scaled_positions[0], path[low:high] - path[low], atol=1e-12)
    assert len({str(member.history[0]) for _, member in series}) == 3


def test_begin_end_and_stride_hold_for_every_part(gapped):
    series = read(gapped[0], gaps="split", begin=0.5, end=5.4, stride=2, **OPTIONS)
    assert [member.time.round(6).tolist()[0] for _, member in series] == [0.5, 3.5, 5.1]
    assert [member.n_frames for _, member in series] == [8, 8, 2]


def test_no_time_origin_crosses_a_gap(gapped):
    """The MSD over the split run is the mean over the origins that lie, with their ends, in one part."""
    file, path, left = gapped
    series = read(file, gaps="split", **OPTIONS)
    lags = np.array([1, 3, 10])
    found, weights = [], []
    for _, member in series:
        found.append(md.msd(member, reference="none", lags=(0.1 * lags).tolist()).msd.sel(species="Li").values.reshape(-1)[-3:])
        weights.append(member.n_frames - lags)
    pooled = np.sum(np.array(found) * weights, axis=0) / np.sum(weights, axis=0)
    part = np.searchsorted([20, 35], np.arange(len(left)), side="right")  # of every frame that is left
    for lag, value in zip(lags, pooled, strict=True):
        pairs = [(a, b) for a in range(len(left)) for b in range(len(left)) if left[b] - left[a] == lag and part[a] == part[b]]
        moved = np.array([path[left[b]] - path[left[a]] for a, b in pairs]) * 10
        assert value == pytest.approx(np.mean(np.sum(moved**2, axis=-1)), rel=1e-9)


def test_a_frame_alone_between_gaps_is_named(dump):
    steps = [0, 10, 20, 30, 70, 110, 120, 130]
    file = dump("id type x y z", [[[1, 1, 1.0, 1.0, 1.0]]] * len(steps), steps=steps)
    series = read(file, gaps="split", **OPTIONS)
    assert [member.n_frames for _, member in series] == [4, 3]
    assert all("parts of fewer than two frames are left out: at 0.7 ps" in member.notes for _, member in series)


def test_nothing_but_frames_alone_is_refused(dump):
    file = dump("id type x y z", [[[1, 1, 1.0, 1.0, 1.0]]], steps=[0])
    with pytest.raises(NotEnoughData, match="no two frames follow one another without a gap"):
        read(file, gaps="split", **OPTIONS)


def test_a_run_without_gaps_is_a_series_of_one(caf2, metal):
    series = read(caf2 / "wrapped_image.lammpstrj.gz", gaps="split", **metal)
    assert series.names == ("segment 1 (0-20 ps)",)


def test_a_store_is_split_as_well(gapped, tmp_path):
    whole = read(gapped[0], gaps="split", **OPTIONS)
    first = whole.members[0].replace(step={"step": "uneven"}, time=np.concatenate([0.1 * np.arange(10), 5 + 0.1 * np.arange(10)]))
    series = read(write_store(first, tmp_path / "run.zarr"), gaps="split", end=5.55)
    assert [member.n_frames for _, member in series] == [10, 6]
    assert np.array_equal(series.members[1].scaled_positions, first.scaled_positions[10:16])


def test_an_option_that_is_not_known_is_refused(gapped):
    with pytest.raises(TrajectoryError, match="pass gaps='error' or 'split'"):
        read(gapped[0], gaps="ignore", **OPTIONS)


def test_logarithmic_spacing_is_uneven_not_gapped(caf2, metal):
    traj = read(caf2 / "logspaced.lammpstrj.gz", **metal)
    assert traj.n_frames == 39
    assert not traj.is_even


def at(time, broken=()):
    return [(one.at, one.is_gap) for one in breaks(np.asarray(time, dtype=float), broken)]


@pytest.mark.parametrize(
    ("time", "found"),
    [
        (range(20), []),
        ([0], []),
        ([0, 5], []),
        ([0, 1, 2, 3, 10, 11, 12], [(4, True)]),
        ([0, 1, 2, 50, 100, 101, 102, 103, 104], [(3, True), (4, True)]),
        ([0, 1, 2, 2.5, 3.5, 4.5, 5.5], [(3, False)]),  # a restart between two frames: uneven, not missing
        ([0, 1, 2, 3.3, 4.3, 5.3, 6.3], [(3, False)]),
        ([0, 1, 10, 100, 1000], []),
        ([*range(10), *range(10, 100, 10), *range(100, 1000, 100)], []),
        ([*range(10), 10, 20, 30], []),  # cut after its second decade
        (np.add.outer(1000 * np.arange(5), np.arange(20)).ravel(), []),  # bursts
        (np.cumsum(1 + 1e-9 * np.random.default_rng(0).normal(size=50)), []),
    ],
)
def test_what_is_a_gap(time, found):
    assert at(time) == found


def test_a_broken_piece_is_a_break_whatever_its_time():
    assert at(range(10), broken=(4,)) == [(4, True)]
    assert segments(slice(1, 9, 2), breaks(np.arange(10.0), (4,))) == [slice(1, 4, 2), slice(4, 9, 2)]


def test_one_frame_interval_holds_across_a_gap(gapped):
    series = read(gapped[0], gaps="split", units="metal", species={1: "Li"}, frame_interval="50 fs")
    assert np.allclose(series.members[1].time, 0.05 * np.arange(35, 50))
