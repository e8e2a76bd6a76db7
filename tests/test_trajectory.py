"""The frozen value that every stage reads: changed copies, visits, frames of reference, and what it refuses."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
import zarr

from mdtools import memory, synthetic
from mdtools.errors import TrajectoryError
from mdtools.histories import Histories
from mdtools.lazy import Lazy
from mdtools.readers import read, write_store
from mdtools.series import Series
from mdtools.trajectory import Trajectory


@pytest.fixture(scope="module")
def run():
    return synthetic.ornstein_uhlenbeck(n_atoms=10, n_frames=23, seed=1)


def test_it_is_frozen(run):
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.temperature = 300.0


@pytest.mark.parametrize("block", [1, 3, 4, 10, 99])
def test_blocks_of_atoms_have_one_shape_and_hold_every_atom_once(run, block):
    blocks = list(run.over_atoms("velocities", block=block))
    assert {values.shape for _, values in blocks} == {(min(block, 10), 3, 23)}
    together = np.concatenate([values[: atoms.stop - atoms.start] for atoms, values in blocks])
    assert np.array_equal(together, run.velocities.transpose(1, 2, 0))
    assert np.array_equal(blocks[-1][1][-1], run.velocities[:, -1].T)  # which fills it up


@pytest.mark.parametrize("frames", [slice(3, 20), slice(0, 23, 5), np.array([0, 1, 7, 22])])
@pytest.mark.parametrize("atoms", [slice(2, 9), slice(None, None, 3), np.array([7, 1, 2])])
def test_chosen_frames_of_blocks_of_atoms_are_the_same_in_memory_and_on_disk(run, tmp_path, frames, atoms):
    chosen = np.arange(10)[atoms]
    with memory.limited("2 MB"):
        stored = read(write_store(run, tmp_path / "run.zarr"))
    lazy = dataclasses.replace(run, scaled_positions=Lazy(run.scaled_positions))
    expected = run.scaled_positions[frames][:, chosen].transpose(1, 2, 0)
    for one in (run, lazy, stored):
        blocks = list(one.select(chosen).over_atoms(block=4, frames=frames))
        together = np.concatenate([values[: at.stop - at.start] for at, values in blocks])
        assert np.array_equal(together, expected)
        assert {values.shape[0] for _, values in blocks} == {min(4, len(chosen))}
        assert all(values.flags.c_contiguous for _, values in blocks) or one is run


@pytest.mark.parametrize("shards", [None, (8, 12, 3)])
def test_an_array_that_is_sliced_like_one_is_visited_as_one_in_memory(run, tmp_path, shards):
    group = zarr.open_group(tmp_path / "bare", mode="w")
    group.create_array("s", shape=(23, 10, 3), chunks=(4, 3, 3), shards=shards, dtype=run.scaled_positions.dtype)[:] = run.scaled_positions
    bare = dataclasses.replace(run, scaled_positions=zarr.open_group(tmp_path / "bare", mode="r")["s"], velocities=group["s"])
    assert (bare.in_memory(), bare.atoms_together(), bare.precision()) == (False, 3, run.precision())
    for frames in (None, slice(3, 20), np.array([0, 1, 7, 22])):
        pairs = zip(bare.over_atoms(block=4, frames=frames), run.over_atoms(block=4, frames=frames), strict=True)
        assert all(one == other and np.array_equal(values, expected) for (one, values), (other, expected) in pairs)
    pairs = zip(bare.over_frames("positions", "velocities", block=6), run.over_frames("positions", "positions", block=6), strict=True)
    assert all(one == other and np.array_equal(values, expected) for (one, values), (other, expected) in pairs)
    assert np.array_equal(bare.reference_path("A")[0], run.reference_path("A")[0])
    assert np.array_equal(bare.positions_at(np.array([5, 2])), run.positions_at(np.array([5, 2])))


def test_of_blocks_in_memory_no_more_than_the_wanted_frames_are_copied():
    long = synthetic.brownian(n_atoms=10, n_frames=20000)
    picked = np.arange(0, 20000, 5000)
    list(long.over_atoms(block=4, frames=picked))
    tracemalloc.start()
    blocks = list(long.over_atoms(block=4, frames=picked))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < long.scaled_positions.nbytes / 100
    assert np.array_equal(blocks[-1][1][1:3], long.scaled_positions[picked][:, [9, 9]].transpose(1, 2, 0))  # which fill it up


@pytest.mark.parametrize("block", [1, 5, 23, 99])
def test_blocks_of_frames_have_one_shape_and_hold_every_frame_once(run, block):
    blocks = list(run.over_frames("positions", "velocities", block=block))
    assert {values.shape for _, both in blocks for values in both} == {(min(block, 23), 10, 3)}
    for k, stored in enumerate((run.scaled_positions, run.velocities)):
        assert np.array_equal(np.concatenate([both[k][: frames.stop - frames.start] for frames, both in blocks]), stored)


class Slow(Lazy):
    """An array on disk that notes what is read of it, and fails where it is told to."""

    def __init__(self, stored, fails_at=None):
        super().__init__(stored)
        self.read, self.fails_at = [], fails_at

    def __getitem__(self, key):
        self.read.append(key)
        if len(self.read) == self.fails_at:
            raise TrajectoryError("the disk is gone")
        return super().__getitem__(key)


def test_from_disk_the_next_piece_is_read_meanwhile_and_no_piece_twice(run):
    slow = Slow(run.scaled_positions)
    stored = dataclasses.replace(run, scaled_positions=slow)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "block", lambda: 3 * 23 * 3 * 4 * 2)  # two atoms at a time
        visit = stored.over_atoms(block=2)
        first = next(visit)
        rest = list(visit)
    assert [key[1].start for key in slow.read] == [0, 2, 4, 6, 8]
    together = np.concatenate([values[: atoms.stop - atoms.start] for atoms, values in [first, *rest]])
    assert np.array_equal(together, run.scaled_positions.transpose(1, 2, 0))


class OnDisk:
    """An array in chunks, which counts the chunks that are read."""

    def __init__(self, values, chunks):
        self.values, self.chunks, self.shape, self.dtype, self.read = values, chunks, values.shape, values.dtype, []

    def __getitem__(self, key):
        for axis, one in enumerate(key):
            first, stop, _ = one.indices(self.shape[axis])
            if (first, stop) != (0, self.shape[axis]):
                self.read += list(range(first // self.chunks[axis], -(-stop // self.chunks[axis])))
        return self.values[key]


@pytest.mark.parametrize(("visit", "chunk", "block"), [("atoms", 3, 2), ("atoms", 4, 3), ("frames", 5, 3), ("frames", 4, 6)])
def test_blocks_that_lie_across_the_chunks_on_disk_read_each_chunk_once(run, visit, chunk, block):
    disk = OnDisk(run.scaled_positions, (chunk, 15, 3) if visit == "frames" else (23, chunk, 3))
    stored = dataclasses.replace(run, scaled_positions=Lazy(disk))
    axis = int(visit == "atoms")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "block", lambda: 4 * chunk * (23 if axis else 15) * 3 * 4)  # a chunk at a time
        if axis:
            parts = [values[: at.stop - at.start].transpose(2, 0, 1) for at, values in stored.over_atoms(block=block)]
        else:
            parts = [values[: at.stop - at.start] for at, (values,) in stored.over_frames("positions", block=block)]
    assert disk.read == list(range(-(-run.scaled_positions.shape[axis] // chunk)))
    assert np.array_equal(np.concatenate(parts, axis=axis), run.scaled_positions)


def test_a_block_of_whole_chunks_is_handed_on_as_it_was_read(run, monkeypatch):
    stored = dataclasses.replace(run, scaled_positions=Lazy(OnDisk(run.scaled_positions, (23, 2, 3))))
    assert (stored.atoms_together(), stored.select([0, 1]).atoms_together(), run.atoms_together()) == (2, 1, 1)
    pieces, read_atoms = [], Histories.__getitem__
    monkeypatch.setattr(Histories, "__getitem__", lambda self, atoms: pieces.append(read_atoms(self, atoms)) or pieces[-1])
    for block in (2, 4):
        pieces.clear()
        blocks = [values for at, values in stored.over_atoms(block=block) if at.stop - at.start == block]
        assert all(any(values.base is piece for piece in pieces) for values in blocks)
        assert len(blocks) == 10 // block


def test_what_nearly_every_analysis_asks_for_is_visited_once(run):
    slow = Slow(run.scaled_positions)
    stored = dataclasses.replace(run, scaled_positions=slow)
    first, taken = stored.reference_path("A,B")
    n_reads = len(slow.read)
    again, _ = stored.reference_path(["A", "B"])
    assert taken == ["A", "B"]
    assert again is first
    assert len(slow.read) == n_reads > 0
    assert stored.reference_path("barycentre")[0] is not first


def test_it_is_held_in_memory_where_there_is_room(run):
    stored = dataclasses.replace(run, scaled_positions=Lazy(run.scaled_positions), velocities=Lazy(run.velocities))
    size = run.scaled_positions.nbytes + run.velocities.nbytes
    assert stored.held(size - 1) is stored
    held = stored.held(size)
    assert isinstance(held.scaled_positions, np.ndarray)
    assert np.array_equal(held.velocities, run.velocities)
    assert run.held(0) is run


def test_what_fails_in_reading_ahead_is_raised_where_it_was_needed(run):
    stored = dataclasses.replace(run, velocities=Slow(run.velocities, fails_at=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "block", lambda: 3 * 10 * 3 * 4 * 5)  # five frames at a time
        visit = stored.over_frames("velocities", block=5)
        assert [frames.start for frames, _ in (next(visit), next(visit))] == [0, 5]
        with pytest.raises(TrajectoryError, match="the disk is gone"):
            next(visit)


def test_species_and_indices_select_the_same_atoms_in_every_part(run):
    by_name, by_index = run.select(["B"]), run.select(run.indices("B"))
    for part in (by_name, by_index):
        assert part.species_names == ["B"]
        assert np.array_equal(part.scaled_positions, run.scaled_positions[:, 5:])
        assert np.array_equal(part.velocities, run.velocities[:, 5:])
        assert np.array_equal(part.charges, run.charges[5:])
        assert np.array_equal(part.masses, run.masses[5:])
    assert run.n_atoms == 10
    assert by_name.history[-1]["step"] == "select"


def test_an_expression_is_evaluated_at_the_moment_that_is_stated(run):
    def height(frame):
        scaled = np.asarray(run.scaled_positions[frame], dtype=np.float64)
        return (scaled - np.floor(scaled))[:, 2] * 20.0

    for when, frame in (("first", 0), (float(run.time[20]), 20)):
        expected = np.flatnonzero((height(frame) > 10) & (run.species == "A"))
        assert 0 < len(expected) < 5
        chosen = run.select("A and prop z > 10", when=when)
        assert np.array_equal(chosen.scaled_positions, run.scaled_positions[:, expected])


@pytest.mark.parametrize("text", ["Zn", "A and prop", "prop z > 1000"])
def test_a_selection_that_is_empty_or_not_understood_says_so(run, text):
    with pytest.raises(TrajectoryError, match="selection"):
        run.select(text)


def test_a_label_can_name_a_sublattice(run):
    named = run.relabel({"A_top": [0, 1]})
    assert named.species_names == ["A_top", "A", "B"]
    assert run.species_names == ["A", "B"]


def test_charges_are_given_for_every_species_or_refused(run):
    assert run.with_charges({"A": 2.0, "B": -2.0}).charges.tolist() == [2.0] * 5 + [-2.0] * 5
    with pytest.raises(TrajectoryError, match=r"no charge for B; pass"):
        run.with_charges({"A": 2.0})


def test_framework_that_is_no_species_is_refused(run):
    assert run.with_framework("A").framework == ("A",)
    with pytest.raises(TrajectoryError, match="framework names X, but the species are A, B"):
        run.with_framework("X")


def test_the_frame_of_reference_is_the_mean_of_its_species_the_barycentre_or_nothing(run):
    heavy = run.replace(step={"step": "heavier"}, masses=np.arange(1.0, 11.0))
    scaled = np.asarray(run.scaled_positions, dtype=np.float64)
    np.testing.assert_allclose(heavy.reference_path(["B"])[0], scaled[:, 5:].mean(axis=1))
    np.testing.assert_allclose(heavy.reference_path("A,B")[0], scaled.mean(axis=1))
    np.testing.assert_allclose(heavy.reference_path("barycentre")[0], np.average(scaled, axis=1, weights=np.arange(1.0, 11.0)))
    assert not heavy.reference_path("none")[0].any()
    assert heavy.reference_path()[1] == "barycentre"
    assert heavy.with_framework("A").reference_path()[1] == ["A"]
    with pytest.raises(TrajectoryError, match="other choices are"):
        heavy.reference_path("Q")


def test_uneven_frames_have_no_frame_interval(run):
    uneven = run.replace(step={"step": "thinned"}, time=run.time**2 + run.time)
    assert not uneven.is_even
    with pytest.raises(TrajectoryError, match="unevenly spaced"):
        _ = uneven.frame_interval


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"masses": np.ones(3)}, "masses has shape"),
        ({"charges": np.ones((2, 2))}, "charges have shape"),
        ({"time": np.zeros(23)}, "time does not increase from frame 0"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(run, change, text):
    with pytest.raises(TrajectoryError, match=text):
        dataclasses.replace(run, **change)


def test_it_tells_what_was_understood_in_a_notebook_and_escapes_it(run):
    hostile = run.relabel({"<script>": [0]})
    assert "frame interval 0.02 ps" in hostile._repr_html_()
    assert "<script>" not in hostile._repr_html_()


def test_a_series_keeps_what_could_not_be_read(run):
    series = Series(names=("hot", "cold"), members=(run, TrajectoryError("no file")), rows=({}, {}))
    assert [name for name, _ in series] == ["hot"]
    assert list(series.refused) == ["cold"]
    assert "refused: no file" in series._repr_html_()
    assert isinstance(dict(series)["hot"], Trajectory)
