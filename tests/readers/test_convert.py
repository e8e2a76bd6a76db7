"""Converting: the store is what read makes, in bounded memory, and a conversion that was stopped goes on where it was."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

from mdtools import memory, progress
from mdtools.errors import TrajectoryError
from mdtools.readers import convert, read, write_store

ROOT = Path(__file__).parents[2]
ARRAYS = ("scaled_positions", "velocities", "cell", "time", "masses", "charges", "ids", "origin")
LITTLE = 2**20  # bytes: a shard then holds a few frames


def same(one, two):
    for name in ARRAYS:
        first, second = (getattr(traj, name) for traj in (one, two))
        assert (first is None) == (second is None), name
        assert first is None or np.array_equal(np.asarray(first[:]), np.asarray(second[:])), name
    assert one.species.tolist() == two.species.tolist()
    assert one.notes == two.notes
    assert one.history[0] == two.history[0]
    for name in ("framework", "temperature", "unwrap", "reduced", "source"):
        assert getattr(one, name) == getattr(two, name), name


FORMS = [
    ("wrapped_image.lammpstrj.gz", {"stride": 4, "precision": "float64", "unwrap": "lattice"}),
    ("npt_unwrapped_element.lammpstrj.gz", {"framework": "Ca", "temperature": 1500, "charges": {"Ca": 2, "F": -1}}),
]


@pytest.mark.parametrize(("name", "options"), FORMS)
def test_a_store_made_from_files_is_what_read_makes(caf2, metal, tmp_path, name, options):
    with memory.limited(LITTLE):
        path = convert(caf2 / name, tmp_path / "run.zarr", **metal, **options)
    assert zarr.open_group(path)["scaled_positions"].shards[0] < 20  # several rows
    same(read(caf2 / name, **metal, **options), read(path))


@pytest.mark.parametrize("options", [{"end": 20}, {"stride": 3, "begin": 0.4, "end": 24.7}])
def test_wrapped_positions_are_converted_to_the_same_paths(kept_xdatcar, tmp_path, options):
    options = options | {"frame_interval": "0.1 ps"}
    with memory.limited(LITTLE):
        path = convert(kept_xdatcar, tmp_path / "run.zarr", **options)
    same(read(kept_xdatcar, **options), read(path))


@pytest.fixture
def changing(dump):
    """A run whose charges change late, in many rows of shards."""
    dice = np.random.default_rng(3)
    x = 5 + np.cumsum(dice.normal(0, 0.1, (400, 40, 3)), axis=0)
    frames = [[[i + 1, 1, *x[k, i] % 10, 0.5 * (-1) ** i + (0.01 * k if k > 250 else 0)] for i in range(40)] for k in range(400)]
    return dump("id type x y z q", frames)


OPTIONS = {"units": "metal", "timestep": 0.001, "species": "Li"}


def test_charges_that_change_late_are_kept_for_every_frame(changing, tmp_path):
    with memory.limited(LITTLE):
        path = convert(changing, tmp_path / "run.zarr", **OPTIONS)
    back = read(path)
    same(read(changing, **OPTIONS), back)
    assert back.charges.shape == (400, 40)


class Stopped(BaseException):
    """Stands for a signal: nothing catches it."""


def stopped_at(number, files, path, **options):
    """Convert, stopped when so many blocks of frames were read."""
    heard = []

    def hear(*what):
        heard.append(what)
        if len(heard) == number:
            raise Stopped

    with memory.limited(LITTLE), pytest.raises(Stopped), progress.listening(hear):
        convert(files, path, **options)


def test_a_stopped_conversion_goes_on_where_it_was(changing, tmp_path, monkeypatch):
    monkeypatch.setattr("mdtools.readers.fill._BLOCK_BYTES", 2**15)
    path, said = tmp_path / "run.zarr", []
    stopped_at(40, changing, path, **OPTIONS)
    assert not path.exists()
    convert(changing, path, **OPTIONS, say=said.append)  # with another limit: the layout stays that of the first attempt
    assert len(said) == 1
    assert said[0].startswith("taken up after ")
    assert 0 < int(said[0].split()[3]) < 400
    same(read(changing, **OPTIONS), read(path))
    assert [one.name for one in tmp_path.iterdir() if "part" in one.name] == []


def test_what_zarr_was_writing_when_it_was_killed_is_taken_away(changing, tmp_path, monkeypatch):
    monkeypatch.setattr("mdtools.readers.fill._BLOCK_BYTES", 2**15)
    path = tmp_path / "run.zarr"
    stopped_at(40, changing, path, **OPTIONS)
    (inside,) = tmp_path.glob(".run.zarr.part/store")
    (inside / "zarr.0123.partial").write_text("{")
    (inside / "scaled_positions" / "zarr.4567.partial").write_text("{")
    convert(changing, path, **OPTIONS)
    assert list(path.rglob("*.partial")) == []
    same(read(changing, **OPTIONS), read(path))


def test_work_on_files_that_have_changed_is_given_up(changing, tmp_path, monkeypatch):
    monkeypatch.setattr("mdtools.readers.fill._BLOCK_BYTES", 2**15)
    path, said = tmp_path / "run.zarr", []
    stopped_at(40, changing, path, **OPTIONS)
    text = changing.read_text()
    changing.write_text(text[: text.rindex("ITEM: TIMESTEP")])
    stopped_at(40, changing, path, **OPTIONS, say=said.append)
    assert "the files have changed" in said[-1]
    convert(changing, path, **OPTIONS | {"timestep": 0.002}, say=said.append)
    assert "other options are given" in said[-1]
    same(read(changing, **OPTIONS | {"timestep": 0.002}), read(path))


def test_what_was_read_is_named_with_size_time_and_hash(changing, tmp_path):
    path = convert(changing, tmp_path / "run.zarr", **OPTIONS)
    (source,) = zarr.open_group(path).attrs["sources"]
    assert source["path"] == str(changing)
    assert source["size"] == changing.stat().st_size
    assert source["mtime_ns"] == changing.stat().st_mtime_ns
    assert len(source["blake2b_of_samples"]) == 32


def test_a_file_that_is_wrong_inside_leaves_nothing_behind(dump, tmp_path):
    rows = [[i + 1, 1, 1.0, 1.0, 1.0] for i in range(4)]
    path = dump("id type x y z", [rows, rows, [[1, 1, 1.0, 1.0, "nan"], *rows[1:]]])
    with pytest.raises(TrajectoryError, match="frame 2"):
        convert(path, tmp_path / "run.zarr", **OPTIONS)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_two_processes_do_not_write_one_store(changing, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    import os

    (tmp_path / ".run.zarr.part").mkdir()
    handle = os.open(tmp_path / ".run.zarr.part", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(TrajectoryError, match="being written by another process"):
        convert(changing, tmp_path / "run.zarr", **OPTIONS)
    os.close(handle)


@pytest.mark.parametrize("options", [{"velocities": "positions"}, {"gaps": "split"}])
def test_what_a_store_does_not_hold_is_asked_of_read(changing, tmp_path, options):
    with pytest.raises(TrajectoryError, match="to read when it is read from the store"):
        convert(changing, tmp_path / "run.zarr", **OPTIONS, **options)


def test_several_threads_give_what_one_gives(changing, monkeypatch):
    monkeypatch.setattr("mdtools.readers.fill._BLOCK_BYTES", 2**16)
    found = []
    for number in (1, 5):
        monkeypatch.setattr("mdtools.readers.fill.workers", lambda number=number: number)
        found.append(read(changing, **OPTIONS, stride=2))
    same(*found)


def test_the_first_frame_that_is_wrong_is_named_whatever_the_threads(dump, monkeypatch):
    monkeypatch.setattr("mdtools.readers.fill._BLOCK_BYTES", 1)
    monkeypatch.setattr("mdtools.readers.fill.workers", lambda: 4)
    rows = [[i + 1, 1, 1.0, 1.0, 1.0] for i in range(4)]
    bad = [[1, 1, 1.0, 1.0, "x"], *rows[1:]]
    path = dump("id type x y z", [rows] * 5 + [bad] * 5)
    with pytest.raises(TrajectoryError, match="frame 5 "):
        read(path, **OPTIONS)


# -- a part of a store ------------------------------------------------------------------------------------------

PARTS = [{"begin": 1}, {"end": 3.05}, {"stride": 3}, {"begin": "0.5 ps", "end": 4.4, "stride": 7}]


@pytest.fixture(scope="module")
def stored(caf2, metal, tmp_path_factory):
    """A run in memory, and its store of many rows."""
    with memory.limited(LITTLE):
        path = convert(caf2 / "npt_unwrapped_element.lammpstrj.gz", tmp_path_factory.mktemp("stored") / "run.zarr", **metal)
    return read(caf2 / "npt_unwrapped_element.lammpstrj.gz", **metal), path


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("atoms", [None, "F", [0, 5, 100], list(range(50, 90))])
def test_a_part_of_a_store_is_that_part_of_the_run_and_is_not_read(stored, part, atoms):
    whole, path = stored
    lazy = read(path, **part)
    chosen = np.flatnonzero(np.isin(whole.time, lazy.time))
    assert len(chosen) == lazy.n_frames < whole.n_frames
    eager = whole.replace(
        step={"step": "test"}, **{name: getattr(whole, name)[chosen] for name in ("scaled_positions", "velocities", "cell", "time", "origin")}
    )
    if atoms is not None:
        eager, lazy = eager.select(atoms), lazy.select(atoms)
    assert not isinstance(lazy.scaled_positions, np.ndarray)
    for name in ARRAYS:
        first, second = getattr(eager, name), getattr(lazy, name)
        assert first is None or np.array_equal(first, np.asarray(second[:])), name
    with memory.limited(LITTLE):
        for (where, one), (_, two) in zip(eager.over_atoms(block=7), lazy.over_atoms(block=7), strict=True):
            assert np.array_equal(one, two), where
        for (where, one), (_, two) in zip(
            eager.over_frames("positions", "velocities", block=4), lazy.over_frames("positions", "velocities", block=4), strict=True
        ):
            assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)), where


def test_a_store_of_a_part_of_a_store(stored, tmp_path):
    _, whole = stored
    part = convert(whole, tmp_path / "part.zarr", begin=1, stride=2)
    assert np.array_equal(read(part).scaled_positions[:], read(whole, begin=1, stride=2).scaled_positions[:])
    chosen = write_store(read(whole).select("Ca"), tmp_path / "calcium.zarr")
    assert np.array_equal(read(chosen).velocities[:], read(whole).select("Ca").velocities[:])


# -- killed, and bounded ----------------------------------------------------------------------------------------


def test_killed_at_random_moments_the_store_is_the_same_byte_for_byte():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "kill_convert.py", "--points", "5", "--seed", "11"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("5 moments")
    assert last.endswith("0 stores differ")
    assert int(last.split(", ")[1].split()[0]) >= 4  # a signal may come after the end


BOUNDED = """
import resource, sys
from mdtools import memory
from mdtools.readers import convert, read
small, large, folder = sys.argv[1:]
options = {"units": "metal", "timestep": 0.001, "species": "Li"}
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
with memory.limited(LIMIT):
    for name in (small, large):
        before = peak()
        path = convert(name, folder + "/" + name.split("/")[-1] + ".zarr", **options)
        run = read(path)
        total = sum(float(values.sum()) for _, values in run.over_atoms(block=10))
        total += sum(float(values.sum()) for _, (values,) in run.over_frames("velocities", block=10))
print(peak() - before)
"""


def test_memory_is_bounded_whatever_the_length(tmp_path):
    """Growth of the peak from a short run to one whose arrays are six times and whose text is twelve times the limit."""
    limit, dice = 2**22, np.random.default_rng(0)
    values = np.round(dice.random((2000, 6)) * 10, 4).tolist()
    body = "".join(f"{i + 1} 1 {' '.join(map(str, row))}\n" for i, row in enumerate(values))
    for name, n_frames in (("small", 50), ("large", 600)):
        with open(tmp_path / name, "w") as file:
            for k in range(n_frames):
                file.write(f"ITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n2000\nITEM: BOX BOUNDS pp pp pp\n0 10\n0 10\n0 10\n")
                file.write(f"ITEM: ATOMS id type xu yu zu vx vy vz\n{body}")
    arrays, text = 600 * 2000 * 24, (tmp_path / "large").stat().st_size
    assert arrays > 6 * limit
    assert text > 12 * limit
    code = BOUNDED.replace("LIMIT", str(limit))
    command = [sys.executable, "-c", code, str(tmp_path / "small"), str(tmp_path / "large"), str(tmp_path)]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert grown < 2 * limit


def test_a_run_without_room_is_refused_with_what_to_do_instead(changing, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 150_000)
    with pytest.raises(TrajectoryError, match=r"take 192 kB, and 150 kB of memory are free: mdtools convert .*small.lammpstrj run.zarr"):
        read(changing, **OPTIONS)
    monkeypatch.setattr(memory, "available", lambda: 300_000)
    assert "192 kB of the 300 kB of memory that are free: better mdtools convert" in " ".join(read(changing, **OPTIONS).notes)
    monkeypatch.setattr(memory, "available", lambda: None)
    assert not any("convert" in note for note in read(changing, **OPTIONS).notes)
    monkeypatch.setattr(memory, "limit", lambda: 100_000)
    monkeypatch.setenv("MDTOOLS_MEMORY", "100 kB")
    assert "more than the limit of 100 kB" in " ".join(read(changing, **OPTIONS).notes)


def test_a_packed_file_beyond_the_limit_is_unpacked_beside_memory(caf2, metal, tmp_path, monkeypatch):
    import mmap

    from mdtools.readers.opened import OpenedFile

    name = caf2 / "npt_unwrapped_element.lammpstrj.gz"
    whole = read(name, **metal)
    with memory.limited(LITTLE):
        content = OpenedFile(name).bytes
        assert isinstance(content, mmap.mmap)
        assert len(content) > LITTLE // 4
        same(whole, read(name, **metal))
    assert isinstance(OpenedFile(name).bytes, bytearray)


def test_many_files_are_named_in_short(tmp_path):
    from mdtools.readers.sources import fingerprints, in_short

    for k in range(120):
        (tmp_path / f"{k:03d}").write_bytes(b"x" * k)
    found = fingerprints(sorted(tmp_path.iterdir()))
    short = in_short(found)
    assert (len(found), len(short), short[1]["files"], short[1]["size"]) == (120, 3, 120, 119 * 60)
    (tmp_path / "050").write_bytes(b"y" * 50)
    assert in_short(fingerprints(sorted(tmp_path.iterdir())))[1] != short[1]
