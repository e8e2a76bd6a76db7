"""What is read straight from shards is what zarr reads, and a shard that was cut off is told."""

import io
import mmap
import os
import shutil

import numpy as np
import pytest
import zarr

from mdtools import memory
from mdtools.errors import TrajectoryError
from mdtools.readers import read, shards, write_store
from mdtools.readers.shards import Shards, from_shards

DICE = np.random.default_rng(5)


def stored(folder, shape, *, chunk, shard, dtype=np.float32, zeros=None, let_go=False, **options):
    array = zarr.open_group(folder, mode="w", zarr_format=3).create_array(
        "values", shape=shape, dtype=dtype, chunks=chunk, shards=shard, compressors=options.pop("compressors", None), fill_value=0.0, **options
    )
    values = DICE.standard_normal(shape).astype(dtype)
    if zeros:
        values[zeros] = 0.0
    array[:] = values
    return from_shards(zarr.open_group(folder, mode="r")["values"], folder / "values", let_go=let_go), values


LAYOUTS = [
    ((23, 10, 3), (4, 5, 3), (8, 10, 3)),
    ((23, 11, 3), (4, 5, 3), (8, 15, 3)),  # the last chunk of atoms is not full
    ((7, 3, 3), (7, 3, 3), (7, 3, 3)),
    ((40, 6, 3), (1, 2, 3), (16, 6, 3)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "chunk", "shard"), LAYOUTS)
def test_any_slices_are_what_zarr_reads(tmp_path, shape, chunk, shard, dtype):
    found, values = stored(tmp_path, shape, chunk=chunk, shard=shard, dtype=dtype)
    assert isinstance(found, Shards)
    assert (found.shape, found.chunks, found.dtype) == (shape, chunk, dtype)
    assert np.array_equal(found[:, :], values)
    for _ in range(60):
        frames, atoms = (slice(*sorted(DICE.integers(0, n + 1, 2).tolist())) for n in shape[:2])
        assert np.array_equal(found[frames, atoms], values[frames, atoms]), (frames, atoms)
    assert np.array_equal(found[-3:, :2], values[-3:, :2])
    assert np.array_equal(found[1:6:2, :], values[1:6:2])
    assert np.array_equal(found[3, 1], values[3, 1])
    assert np.array_equal(found[0:3], values[0:3])
    assert np.array_equal(found[0:3, 0:2, 0:1], values[0:3, 0:2, 0:1])
    assert np.array_equal(found.oindex[0:3, np.array([0, 2])], values[0:3, [0, 2]])


def histories(found, frames, atoms):
    n_frames = frames.stop - frames.start if isinstance(frames, slice) else len(frames)
    out = np.full((atoms.stop - atoms.start, 3, n_frames), np.nan, found.dtype)
    found.turn(out, frames, atoms)
    return out


@pytest.mark.parametrize("let_go", [False, True])
@pytest.mark.parametrize("together", [100, 2**20])  # bytes: every chunk alone, and all that lie one behind the other
@pytest.mark.parametrize(("shape", "chunk", "shard"), LAYOUTS)
def test_histories_are_turned_as_they_are_read(tmp_path, monkeypatch, shape, chunk, shard, together, let_go):
    monkeypatch.setattr(shards, "_TOGETHER", together)
    found, values = stored(tmp_path, shape, chunk=chunk, shard=shard, let_go=let_go)
    for _ in range(30):
        frames, atoms = (slice(*sorted(DICE.integers(0, n + 1, 2).tolist())) for n in shape[:2])
        assert np.array_equal(histories(found, frames, atoms), values[frames, atoms].transpose(1, 2, 0)), (frames, atoms)
        picked = np.flatnonzero(DICE.random(shape[0]) < 0.3)
        assert np.array_equal(histories(found, picked, atoms), values[picked][:, atoms].transpose(1, 2, 0)), (picked, atoms)


def files_opened(monkeypatch):
    opened = []

    def remembered(*what, **how):
        opened.append(open(*what, **how))  # noqa: SIM115 (the test looks whether it is closed)
        return opened[-1]

    monkeypatch.setattr(shards, "open", remembered, raising=False)
    return opened


def test_what_no_wanted_frame_lies_in_is_not_read(tmp_path):
    found, values = stored(tmp_path, (40, 6, 3), chunk=(4, 2, 3), shard=(8, 6, 3))
    for number in (1, 3):
        (tmp_path / "values" / "c" / str(number) / "0" / "0").write_bytes(b"no shard")
    picked = np.array([0, 7, 16, 17, 39])
    assert np.array_equal(histories(found, picked, slice(1, 5)), values[picked, 1:5].transpose(1, 2, 0))
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        histories(found, np.array([0, 8]), slice(1, 5))


def test_of_picked_frames_each_shard_is_opened_once(tmp_path, monkeypatch):
    found, values = stored(tmp_path, (40, 6, 3), chunk=(2, 2, 3), shard=(8, 6, 3))
    opened = files_opened(monkeypatch)
    picked = np.array([0, 1, 2, 5, 7, 8, 15, 16, 20, 23, 24, 39])
    assert np.array_equal(histories(found, picked, slice(1, 5)), values[picked, 1:5].transpose(1, 2, 0))
    assert [one.name[-5] for one in opened] == list("01234")


def test_chunks_and_shards_that_are_nothing_but_zero_are_zero(tmp_path):
    found, values = stored(tmp_path, (23, 10, 3), chunk=(4, 5, 3), shard=(8, 10, 3), zeros=np.s_[4:16, :5])
    assert np.array_equal(found[:, :], values)
    assert np.array_equal(histories(found, np.arange(1, 23, 2), slice(2, 8)), values[1::2, 2:8].transpose(1, 2, 0))
    found, values = stored(tmp_path, (23, 10, 3), chunk=(4, 5, 3), shard=(8, 10, 3), zeros=np.s_[8:16])
    assert not (tmp_path / "values" / "c" / "1").exists()
    assert np.array_equal(found[3:20, 1:9], values[3:20, 1:9])
    assert np.array_equal(histories(found, slice(3, 20), slice(1, 9)), values[3:20, 1:9].transpose(1, 2, 0))
    assert np.array_equal(histories(found, np.arange(1, 23, 5), slice(2, 8)), values[1::5, 2:8].transpose(1, 2, 0))


def test_no_file_stays_open_whatever_happens(tmp_path, monkeypatch):
    found, _ = stored(tmp_path, (23, 10, 3), chunk=(4, 5, 3), shard=(8, 10, 3))
    opened = files_opened(monkeypatch)
    found[:, :]
    assert len(opened) == 3
    path = tmp_path / "values" / "c" / "1" / "0" / "0"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found[:, :]  # what was known of it is right no more
    assert len(opened) > 3
    assert all(one.closed for one in opened)


@pytest.mark.parametrize("chunk", [(8, 4, 3), (8, 3, 3)])  # of other bytes than before, and of as many
@pytest.mark.parametrize("read_before", [slice(0, 8), slice(0, 4), slice(0, 0)])  # places of chunks are remembered of all, some or no shards
@pytest.mark.parametrize("key", [np.s_[:8, :], np.s_[:8:2, :], np.s_[4:8, :6]])
def test_an_array_that_was_replaced_while_it_is_open_is_told(tmp_path, chunk, read_before, key):
    found, values = stored(tmp_path, (8, 12, 3), chunk=(4, 6, 3), shard=(4, 12, 3))
    assert np.array_equal(found[read_before, :], values[read_before])
    shutil.rmtree(tmp_path)
    again, others = stored(tmp_path, (16, 12, 3), chunk=chunk, shard=(8, 12, 3))
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found[key]
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found.oindex  # noqa: B018
    assert np.array_equal(again[:, :], others)
    shutil.rmtree(tmp_path)
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        again[key]  # it is gone, and not all zero


def test_an_array_that_is_replaced_while_it_is_read_is_told(tmp_path):
    found, _ = stored(tmp_path, (80, 12, 3), chunk=(4, 6, 3), shard=(8, 12, 3))
    parts = found._parts([slice(0, 80)], slice(0, 12))
    next(parts)
    shutil.rmtree(tmp_path)
    stored(tmp_path, (80, 12, 3), chunk=(4, 6, 3), shard=(8, 12, 3))
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        list(parts)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system takes no advice")
def test_what_has_been_read_is_let_go_in_whole_pages(tmp_path, monkeypatch):
    advice, advise = [], os.posix_fadvise
    monkeypatch.setattr(os, "posix_fadvise", lambda *what: advice.append(what[1:]) or advise(*what))
    for let_go in (False, True):
        found, values = stored(tmp_path, (8, 4000, 3), chunk=(8, 500, 3), shard=(8, 4000, 3), let_go=let_go)
        for first in range(0, 4000, 500):
            assert np.array_equal(found[:, first : first + 500], values[:, first : first + 500])
        gone = [(begin, length) for begin, length, kind in advice if kind == os.POSIX_FADV_DONTNEED]
        assert bool(gone) == let_go
    ends = [begin + length for begin, length in gone]
    assert ends == [48000 * k for k in range(1, 9)]  # what is read next may begin in the page where this ends: it is left there
    assert all(begin % mmap.PAGESIZE == 0 and end - 48000 - mmap.PAGESIZE < begin <= end - 48000 for (begin, _), end in zip(gone, ends, strict=True))


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system takes no advice")
def test_a_chunk_that_is_taken_in_part_is_kept_for_the_block_that_has_the_rest(tmp_path, monkeypatch):
    advice, advise = [], os.posix_fadvise
    monkeypatch.setattr(os, "posix_fadvise", lambda *what: advice.append(what[3]) or advise(*what))
    found, values = stored(tmp_path, (8, 4000, 3), chunk=(8, 500, 3), shard=(8, 4000, 3), let_go=True)
    assert np.array_equal(found[:, :700], values[:, :700])
    assert os.POSIX_FADV_DONTNEED not in advice
    assert np.array_equal(found[:, 700:1000], values[:, 700:1000])
    assert os.POSIX_FADV_DONTNEED in advice


def test_places_of_chunks_are_those_of_the_shard_whoever_else_reads(tmp_path, monkeypatch):
    """The last shard is not full: its chunks lie elsewhere, and it is opened while another is compared with the shard before."""
    found, values = stored(tmp_path, (9, 12, 3), chunk=(2, 6, 3), shard=(4, 12, 3))
    assert np.array_equal(found[:4, :], values[:4])
    compare, others = np.array_equal, []

    def and_meanwhile(*what):
        same = compare(*what)
        if not others:
            others.append(None)
            others.append(found[8:, :])
        return same

    monkeypatch.setattr(shards.np, "array_equal", and_meanwhile)
    second = found[4:8, :]
    monkeypatch.undo()
    assert np.array_equal(others[1], values[8:])
    assert np.array_equal(second, values[4:8])
    assert np.array_equal(found[4:8, :], values[4:8])


def test_a_store_of_most_of_the_memory_is_let_go(tmp_path, monkeypatch):
    from ase.build import bulk

    path = write_store(read([bulk("Cu", cubic=True)] * 3, frame_interval="2 fs"), tmp_path / "run.zarr")
    n_bytes = read(path).scaled_positions.nbytes
    for free, let_go in ((None, False), (2 * n_bytes, False), (2 * n_bytes - 1, True)):
        monkeypatch.setattr(memory, "available", lambda free=free: free)
        assert read(path).scaled_positions._stored._let_go == let_go


def test_a_shard_that_was_written_to_after_it_was_read_is_told(tmp_path):
    found, values = stored(tmp_path, (16, 12, 3), chunk=(4, 6, 3), shard=(8, 12, 3))
    assert np.array_equal(found[:, :], values)
    path = tmp_path / "values" / "c" / "1" / "0" / "0"
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(0, 1))
    assert np.array_equal(found[:8, :], values[:8])
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found[:, :]
    path.unlink()
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found[:, :]


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((23, 10, 3), {"chunk": (4, 5, 3), "shard": (8, 10, 3), "compressors": zarr.codecs.ZstdCodec()}),
        ((23, 10, 3), {"chunk": (4, 5, 3), "shard": None}),
        ((23, 10, 3), {"chunk": (4, 5, 3), "shard": (8, 5, 3)}),  # atoms in two shards
    ],
)
def test_what_lies_in_another_way_is_left_to_zarr(tmp_path, shape, options):
    found, values = stored(tmp_path, shape, **options)
    assert isinstance(found, zarr.Array)
    assert np.array_equal(found[2:9, 3:7], values[2:9, 3:7])


def test_a_store_is_read_from_its_shards(tmp_path):
    from ase.build import bulk

    traj = read([bulk("Cu", cubic=True)] * 3, frame_interval="2 fs")
    back = read(write_store(traj, tmp_path / "run.zarr"))
    assert isinstance(back.scaled_positions._stored, Shards)
    assert np.array_equal(back.scaled_positions[:], traj.scaled_positions)


@pytest.mark.parametrize("left", [0.0, 0.3, 0.99])
def test_a_shard_that_was_cut_off_is_told(tmp_path, left):
    found, _ = stored(tmp_path, (23, 10, 3), chunk=(4, 5, 3), shard=(8, 10, 3))
    path = tmp_path / "values" / "c" / "1" / "0" / "0"
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found[:, :]
    found[:8, :]  # the others are whole


def test_an_index_that_was_changed_is_told(tmp_path):
    found, _ = stored(tmp_path, (23, 10, 3), chunk=(4, 5, 3), shard=(8, 10, 3))
    path = tmp_path / "values" / "c" / "1" / "0" / "0"
    whole = bytearray(path.read_bytes())
    whole[-4 - 32 : -4 - 16], whole[-4 - 16 : -4] = whole[-4 - 16 : -4], whole[-4 - 32 : -4 - 16]  # two chunks change their places
    path.write_bytes(whole)
    with pytest.raises(TrajectoryError, match="cut off or changed"):
        found[:, :]


def test_a_disk_that_gives_less_than_is_asked_for_is_asked_again():
    class Slow(io.RawIOBase):
        def __init__(self, content):
            self.content = content

        def readable(self):
            return True

        def readinto(self, room):
            some = self.content[: min(len(room), 5)]
            self.content = self.content[len(some) :]
            room[: len(some)] = some
            return len(some)

    values = np.zeros(4)
    Shards._read(Slow(np.arange(4.0).tobytes()), values, "anywhere")
    assert values.tolist() == [0, 1, 2, 3]
