"""Which frames count, when they were, and restarts."""

import json
from pathlib import Path

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.lammps_dump import read_dump

ROWS = [[1, 1, 1.0, 1.0, 1.0]]
OPTIONS = {"units": "metal", "species": {1: "Li"}}


def at(x):
    return [[1, 1, x, 1.0, 1.0]]


def test_time_is_step_times_timestep(dump):
    path = dump("id type x y z", [ROWS] * 4, steps=[500, 600, 700, 800])
    assert np.allclose(read(path, timestep="2 fs", **OPTIONS).time, [1.0, 1.2, 1.4, 1.6])


def test_frame_interval_beats_timestep_and_says_so(dump):
    path = dump("id type x y z", [ROWS] * 3)
    traj = read(path, timestep=0.001, frame_interval="0.5 ps", **OPTIONS)
    assert traj.frame_interval == pytest.approx(0.5)
    assert traj.history[0]["time"] == "from frame_interval"


def test_frame_interval_is_that_of_the_file_before_stride(dump):
    assert read(dump("id type x y z", [ROWS] * 7), frame_interval=0.5, stride=3, **OPTIONS).time.tolist() == [0, 1.5, 3.0]


def test_frame_interval_is_refused_where_steps_are_uneven(dump):
    path = dump("id type x y z", [ROWS] * 3, steps=[1, 10, 100])
    with pytest.raises(TrajectoryError, match=r"frames are 9 to 90 steps apart.*pass timestep="):
        read(path, frame_interval=0.5, **OPTIONS)
    assert np.allclose(read(path, timestep=0.001, **OPTIONS).time, [0.001, 0.01, 0.1])


def test_time_of_the_header_is_converted_from_the_units_of_the_file(dump):
    path = dump("id type x y z", [ROWS] * 2, head="ITEM: UNITS\nreal\nITEM: TIME\n0\n")
    path.write_text(path.read_text().replace("ITEM: TIMESTEP\n10", "ITEM: TIME\n250\nITEM: TIMESTEP\n10"))
    traj = read(path, species={1: "Li"})
    assert np.allclose(traj.time, [0, 0.25])
    told = read(path, species={1: "Li"}, timestep=1.0)
    assert np.allclose(told.time, [0, 10])
    assert "timestep= was given and beats the times of the file" in told.notes


def test_a_single_frame_needs_no_time(dump):
    assert read(dump("id type x y z", [ROWS]), **OPTIONS).time.tolist() == [0]


def test_begin_and_end_are_times_and_both_included(dump):
    path = dump("id type x y z", [ROWS] * 11)
    traj = read(path, timestep=0.1, begin="2 ps", end=7, **OPTIONS)
    assert np.allclose(traj.time, np.arange(2, 8))
    assert np.allclose(read(path, timestep=0.1, begin=2, end=7, stride=2, **OPTIONS).time, [2, 4, 6])


def test_what_lies_outside_the_wanted_part_may_be_damaged(dump):
    path = dump("id type x y z", [ROWS, ROWS, [[1, 1, "nan", 1.0, 1.0]]])
    assert read(path, timestep=0.1, end=1, **OPTIONS).n_frames == 2


def test_frames_written_twice_by_a_restart_are_dropped_and_the_later_kept(caf2, files, metal):
    expected = json.loads((files / "EXPECTED.json").read_text())["restart_overlap"]
    path = caf2 / "restart_overlap.lammpstrj.gz"
    frames = read_dump(path)
    assert frames.n_frames == expected["frames_in_file"]
    traj = read(path, **metal, precision="float64")
    assert traj.n_frames == expected["unique_steps"]
    assert traj.is_even
    low, high = min(expected["duplicated_steps"]), max(expected["duplicated_steps"])
    assert any(f"5 frames written twice by 1 restart dropped, the later copy kept (steps {low} to {high})" in note for note in traj.notes)
    # of the two copies of step 12000 the later is in the file after the earlier
    copies = np.flatnonzero(frames.steps == high)
    later = frames.load(copies).scaled[1]
    kept = traj.scaled_positions[np.argmin(np.abs(traj.time - high * 0.001))]
    assert np.abs(np.mod(kept - later + 0.5, 1) - 0.5).max() < 1e-9


def test_a_tail_that_the_restart_wrote_at_other_steps_is_superseded(dump):
    path = dump("id type x y z", [at(x) for x in (1, 2, 3, 4, 2.5, 3.5)], steps=[0, 10, 20, 30, 15, 25])
    traj = read(path, timestep=0.1, **OPTIONS)
    assert np.allclose(traj.time, [0, 1, 1.5, 2.5])
    assert np.allclose(traj.scaled_positions[:, 0, 0], [0.1, 0.2, 0.25, 0.35])


def test_a_frame_cut_by_the_kill_does_no_harm_where_the_restart_wrote_it_again(dump):
    path = dump("id type x y z", [at(x) for x in (1, 2, 3, 3)], steps=[0, 10, 20, 20])
    text = path.read_text()
    path.write_text(text.replace("1 1 3 1 1\n", "1 1 3 ", 1))
    assert read(path, timestep=0.1, **OPTIONS).n_frames == 3


def test_files_in_any_order_are_put_in_the_order_of_their_steps(dump):
    one = dump("id type x y z", [at(1), at(2)], steps=[0, 10], name="b.lammpstrj")
    two = dump("id type x y z", [at(2), at(3)], steps=[10, 20], name="a.lammpstrj")
    traj = read([two, one], timestep=0.1, **OPTIONS)
    assert np.allclose(traj.scaled_positions[:, 0, 0], [0.1, 0.2, 0.3])
    assert "1 frames written twice" in traj.notes[0]


def test_a_pattern_counts_numbers_as_numbers(dump, tmp_path):
    for step in (100, 25, 0, 75, 50):
        dump("id type x y z", [at(1 + step / 100)], steps=[step], name=f"run.{step}.dump")
    traj = read(str(tmp_path / "run.*.dump"), timestep=0.01, **OPTIONS)
    assert np.allclose(traj.time, [0, 0.25, 0.5, 0.75, 1.0])
    assert traj.source.endswith("run.100.dump (5 files)")


def test_a_run_may_be_more_files_than_can_be_open_at_once(dump, tmp_path):
    import resource

    for step in range(60):
        dump("id type x y z", [at(1 + step / 100)], steps=[step], name=f"run.{step}.dump")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 20, hard))
    try:
        traj = read(str(tmp_path / "run.*.dump"), timestep=0.01, **OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert np.allclose(traj.scaled_positions[:, 0, 0], 0.1 + np.arange(60) / 1000)


@pytest.mark.parametrize(
    ("name", "key"), [("truncated_last_frame.lammpstrj.gz", "truncated_last_frame"), ("truncated_stream.lammpstrj.gz", "truncated_stream_gz")]
)
def test_what_is_whole_of_a_cut_file_is_read_and_the_rest_said(name, key, files, metal):
    traj = read(files / "lammps" / "bad" / name, **metal)
    assert traj.n_frames == json.loads((files / "EXPECTED.json").read_text())[key]["complete_frames"]
    assert "dropped" in traj.notes[0]


@pytest.mark.parametrize("cut", [1, 2, 5, 9, 20, 60, 100])
def test_a_file_cut_anywhere_in_its_last_frame_loses_that_frame_only(cut, dump):
    path = dump("id type x y z", [[[1, 1, 1.25, 1.5, 1.75], [2, 1, 2.25, 2.5, 2.75]]] * 3)
    path.write_text(path.read_text()[:-cut])
    traj = read(path, timestep=0.1, **OPTIONS)
    assert traj.n_frames == 2
    assert "frame 2, the last, ends" in traj.notes[0]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_every_packing_gives_the_same_numbers(suffix, dump, tmp_path):
    import bz2
    import gzip
    import lzma

    import zstandard

    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard.compress}[suffix]
    plain = dump("id type x y z", [at(x) for x in (1, 2, 3)])
    content = plain.read_bytes()
    packed = tmp_path / f"small.lammpstrj.{suffix}"
    # two streams one after the other, as an appended file has
    packed.write_bytes(pack(content[:50]) + pack(content[50:]))
    assert np.array_equal(read(packed, timestep=1, **OPTIONS).scaled_positions, read(plain, timestep=1, **OPTIONS).scaled_positions)
    broken = tmp_path / f"broken.lammpstrj.{suffix}"
    two = content.index(b"ITEM: TIMESTEP\n20")
    broken.write_bytes(pack(content[:two]) + pack(content[two:])[:-9])
    traj = read(broken, timestep=1, **OPTIONS)
    assert traj.n_frames >= 2
    assert np.array_equal(traj.scaled_positions, read(plain, timestep=1, **OPTIONS).scaled_positions[: traj.n_frames])
    assert any("breaks off" in note for note in traj.notes)
