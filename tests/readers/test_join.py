"""Restart chains: pieces are joined where the coordinates say so, what is written twice counts once, what does not continue is refused."""

import gzip
import json

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read, read_series
from mdtools.readers.seams import seam_between
from mdtools.readers.timeline import shortened
from mdtools.readers.xdatcar import read_xdatcar
from mdtools.series import Series

CELL, ATOMS, FRAMES = 10.0, 12, 90
DUMP = {"units": "metal", "timestep": 0.001, "species": {1: "Li"}, "precision": "float64"}
VASP = {"frame_interval": "100 fs", "precision": "float64"}


@pytest.fixture(scope="module")
def path():
    """Scaled positions of ions that diffuse, far enough in a piece that another piece cannot be mistaken for the next frame."""
    rng = np.random.default_rng(7)
    return rng.uniform(0, 1, (1, ATOMS, 3)) + np.cumsum(rng.normal(0, 0.03, (FRAMES, ATOMS, 3)), axis=0)


@pytest.fixture
def xdatcar(tmp_path):
    """Write scaled positions, wrapped unless said, as an XDATCAR in a folder of its own."""

    def write(scaled, folder, *, wrap=True):
        text = f"Li\n1.0\n{CELL} 0 0\n0 {CELL} 0\n0 0 {CELL}\nLi\n{scaled.shape[1]}\n"
        for number, frame in enumerate(scaled - np.floor(scaled) if wrap else scaled, start=1):
            text += f"Direct configuration= {number:5d}\n" + "".join(f"{x:12.8f}{y:12.8f}{z:12.8f}\n" for x, y, z in frame)
        file = tmp_path / folder / "XDATCAR"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        return file

    return write


@pytest.fixture
def piece(dump):
    """Write scaled positions as a LAMMPS dump, ten steps a frame."""

    def write(scaled, start, name, columns="id type xs ys zs"):
        rows = [[[i + 1, 1, *s] for i, s in enumerate(frame - np.floor(frame))] for frame in scaled]
        return dump(columns, rows, steps=[start + 10 * k for k in range(len(rows))], name=name, box=f"pp pp pp\n0 {CELL}\n0 {CELL}\n0 {CELL}")

    return write


def is_path(traj, path):
    return np.allclose(traj.scaled_positions - traj.scaled_positions[0], path - path[0], atol=2e-8)


def test_where_nothing_shows_whether_frames_are_missing_it_is_said(path, xdatcar):
    rng = np.random.default_rng(3)
    rattling = path[:1] + rng.normal(0, 0.02, (40, ATOMS, 3))  # as far after one frame as after ten
    dark = "nothing shows whether frames are missing before"
    files = [xdatcar(rattling[:15], "run1"), xdatcar(rattling[26:], "run2")]
    assert any(dark in note and "run2" in note for note in read(files, **VASP).notes)
    shared = [files[0], xdatcar(rattling[14:], "run3")]
    assert not any(dark in note for note in read(shared, **VASP).notes)  # a frame is in both
    diffusing = [xdatcar(path[:30], "run4"), xdatcar(path[30:], "run5")]
    assert not any(dark in note for note in read(diffusing, **VASP).notes)  # only the next frame is so near


# -- without steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlap", [0, 1, 2, 9, 29])
def test_frames_that_two_files_share_count_once(overlap, path, xdatcar):
    files = [xdatcar(path[:30], "run1"), xdatcar(path[30 - overlap : 70] + 3, "run2", wrap=False), xdatcar(path[70 - overlap :], "run3")]
    traj = read(files, **VASP)
    assert is_path(traj, path)
    assert traj.is_even
    rows = traj.history[0]["pieces"]
    assert [row["frames"] - row["kept"] for row in rows] == [overlap, overlap, 0]
    assert all(row["seam_rms"] < 1.5 * row["inside_rms"] for row in rows[1:])
    assert any(f"3 pieces joined, {2 * overlap} of {FRAMES + 2 * overlap} frames dropped" in note for note in traj.notes)
    json.dumps(traj.history)


def test_the_later_run_supersedes_the_tail_of_the_earlier(path, xdatcar):
    other = path[20] + np.cumsum(np.random.default_rng(1).normal(0, 0.03, (40, ATOMS, 3)), axis=0)
    again = np.concatenate([path[20:21], other])
    traj = read([xdatcar(path[:30], "run1"), xdatcar(again, "run2")], **VASP)
    assert is_path(traj, np.concatenate([path[:20], again]))
    assert any("it starts again 10 frames before the end of the run before; 10 frames of that run dropped" in note for note in traj.notes)


def test_runs_that_were_appended_to_one_file_are_joined_alike(path, xdatcar):
    one, two = xdatcar(path[:30], "run1"), xdatcar(path[24:], "run2")
    one.write_text(one.read_text() + two.read_text())
    traj = read(one, **VASP)
    assert is_path(traj, path)
    assert [(row["piece"].rpartition("/")[2], row["dropped"]) for row in traj.history[0]["pieces"]] == [("XDATCAR", 6), ("XDATCAR from frame 30", 0)]


def test_a_file_that_holds_all_of_the_one_before_is_refused(path, xdatcar):
    with pytest.raises(TrajectoryError, match=r"is the first frame of .* over again.*leave the earlier one out"):
        read([xdatcar(path[:30], "run1"), xdatcar(path[:60], "run2")], **VASP)


@pytest.mark.parametrize("form", ["run*/XDATCAR", "."])
def test_folders_and_patterns_are_in_the_order_of_their_numbers(form, path, xdatcar, tmp_path):
    for name, part in (("run1", path[:30]), ("run2", path[30:60]), ("run10", path[60:])):
        xdatcar(part, name)
    assert is_path(read(str(tmp_path / form), **VASP), path)


def test_a_folder_of_files_is_a_chain_and_what_is_no_trajectory_is_passed_over(path, piece, tmp_path):
    for number in range(3):
        piece(path[30 * number : 30 * (number + 1)], 300 * number, f"run.{900 * number}.dump")
    (tmp_path / "log.lammps").write_text("LAMMPS (22 Jul 2025)\n")
    (tmp_path / "in.run").write_text("units metal\n")
    assert is_path(read(tmp_path, **DUMP), path)


def test_a_folder_of_several_kinds_is_refused(path, piece, xdatcar, tmp_path):
    piece(path[:5], 0, "run.dump")
    xdatcar(path[:5], "sub").rename(tmp_path / "XDATCAR")
    with pytest.raises(TrajectoryError, match=r"trajectories of several kinds: .*run.dump \(LAMMPS text dump\).*pass a file, or a pattern"):
        read(tmp_path, **VASP)


def test_pieces_in_the_wrong_order_are_a_break_that_is_named(path, xdatcar):
    files = [xdatcar(path[60:], "run2"), xdatcar(path[:60], "run1")]
    with pytest.raises(TrajectoryError, match=r"run1/XDATCAR: frame 0 does not continue the piece before it: atoms lie .*read_series.*gaps='split'"):
        read(files, **VASP)
    split = read(files, gaps="split", **VASP)
    assert [member.n_frames for _, member in split] == [30, 60]
    assert is_path(split.members[1], path[:60])


def test_a_part_that_ends_before_the_break_is_read(path, xdatcar):
    files = [xdatcar(path[60:], "run2"), xdatcar(path[:60], "run1")]
    assert is_path(read(files, end=2.9, **VASP), path[60:])
    assert is_path(read(files, begin=3.0, **VASP), path[:60])


@pytest.fixture
def superionic(kept_xdatcar, tmp_path):
    """Pieces of a real run of Li6PS5Cl, 0.1 ps a frame: superionic(first, stop) writes an XDATCAR."""
    head, *frames = gzip.decompress(kept_xdatcar.read_bytes()).decode().split("Direct")

    def write(first, stop):
        file = tmp_path / f"{first}_XDATCAR"
        file.write_text(head + "".join("Direct" + frame for frame in frames[first:stop]))
        return file

    return write


def test_pieces_of_a_real_superionic_run_are_the_run(superionic, kept_xdatcar):
    whole = read(kept_xdatcar, frame_interval=0.1)
    joined = read([superionic(0, 60), superionic(47, 110), superionic(110, 140)], frame_interval=0.1)
    assert np.array_equal(joined.scaled_positions, whole.scaled_positions)
    assert [row["dropped"] for row in joined.history[0]["pieces"]] == [13, 0, 0]


@pytest.mark.parametrize(("missing", "told"), [(0, 0.0), (1, 0.0), (20, 1.0)])
def test_what_is_told_of_a_real_run_by_coordinates_alone(missing, told, kept_xdatcar):
    """No two neighbours are taken for a break; with twenty frames (2 ps) missing between them every one is, with one nobody could."""
    frames = read_xdatcar(kept_xdatcar)
    seams = [seam_between(frames, k, k + 1 + missing, begin=0, stop=frames.n_frames) for k in range(5, 110, 3)]
    assert np.mean([seam.is_broken(1.0) for seam in seams]) == told


@pytest.mark.parametrize(("first", "second"), [((0, 60), (110, 140)), ((0, 60), (70, 110)), ((110, 140), (0, 60))])
def test_a_real_superionic_run_of_which_a_piece_is_missing_or_misplaced_is_refused(first, second, superionic):
    with pytest.raises(TrajectoryError, match=r"does not continue the piece before it: atoms lie [12]\.\d+ angstrom .* but move 0\.5\d* from frame"):
        read([superionic(*first), superionic(*second)], frame_interval=0.1)


def test_the_restart_chain_of_vasp_continues(files_of_vasp_chain):
    traj = read(files_of_vasp_chain, frame_interval="1 fs")
    row = traj.history[0]["pieces"][1]
    assert traj.n_frames == 6
    assert row["seam_rms"] == pytest.approx(row["inside_rms"], rel=0.1)
    assert row["seam_rms"] < 0.03


@pytest.fixture
def files_of_vasp_chain(files):
    return str(files / "vasp" / "restart_chain" / "run*" / "XDATCAR")


# -- steps that start again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("repeated", [0, 1, 5])
@pytest.mark.parametrize("start", [0, 1000])
def test_steps_that_start_again_are_counted_on_where_coordinates_continue(repeated, start, path, piece):
    files = [piece(path[:40], start, "b.dump"), piece(path[40 - repeated :], 0, "a.dump")]
    traj = read(files, **DUMP)
    assert is_path(traj, path)
    assert np.allclose(traj.time, (start + 10 * np.arange(FRAMES)) * 0.001)
    assert any("a.dump: frame 0" in note and "its steps start again, but its coordinates continue the run before" in note for note in traj.notes)


def test_steps_that_start_again_within_one_file(path, piece):
    one, two = piece(path[:40], 0, "one.dump"), piece(path[39:], 0, "two.dump")
    one.write_text(one.read_text() + two.read_text())
    traj = read(one, **DUMP)
    assert is_path(traj, path)
    assert [row["piece"].rpartition("/")[2] for row in traj.history[0]["pieces"]] == ["one.dump", "one.dump from frame 40"]


def test_times_of_the_file_go_on_as_well(path, piece):
    files = [piece(path[:40], 0, "one.dump"), piece(path[39:], 0, "two.dump")]
    for file in files:
        lines = file.read_text().split("ITEM: TIMESTEP\n")[1:]
        file.write_text("ITEM: UNITS\nmetal\n" + "".join(f"ITEM: TIME\n{0.5 * k}\nITEM: TIMESTEP\n{text}" for k, text in enumerate(lines)))
    traj = read(files, species={1: "Li"}, precision="float64")
    assert np.allclose(traj.time, 0.5 * np.arange(FRAMES))
    assert is_path(traj, path)


def test_replicas_are_not_joined(path, piece):
    other = path[0] + np.cumsum(np.random.default_rng(2).normal(0, 0.03, (40, ATOMS, 3)), axis=0)
    same_start = np.concatenate([path[:1], other])
    for second, why in ((same_start, "first frame of that run over again"), (other[10:], "do not show that it continues")):
        files = [piece(path[:40], 0, "one.dump"), piece(second, 0, "two.dump")]
        with pytest.raises(TrajectoryError, match=rf"two.dump: frame 0 .*steps start again.*{why}.*read_series"):
            read(files, **DUMP)


def test_crystals_that_only_vibrate_cannot_be_told_apart_and_are_refused(piece):
    rng = np.random.default_rng(3)
    site = rng.uniform(0, 1, (1, ATOMS, 3))
    files = [piece(site + rng.normal(0, 0.01, (20, ATOMS, 3)), 0, name) for name in ("one.dump", "two.dump")]
    with pytest.raises(TrajectoryError, match="do not show that it continues"):
        read(files, **DUMP)


def test_files_of_one_frame_each_whose_steps_start_again_are_not_mixed(path, piece):
    files = [piece(path[k : k + 1], 10 * k, f"a.{k}.dump") for k in range(20)] + [
        piece(path[k : k + 1], 10 * (k - 19), f"b.{k}.dump") for k in range(19, 40)
    ]
    assert is_path(read(files, **DUMP), path[:40])


def test_files_with_steps_come_in_any_order(path, piece):
    files = [piece(path[60:], 600, "c.dump"), piece(path[:33], 0, "a.dump"), piece(path[30:60], 300, "b.dump")]
    traj = read(files, **DUMP)
    assert is_path(traj, path)
    assert [row["dropped"] for row in traj.history[0]["pieces"]] == [3, 0, 0]


def test_another_run_under_later_steps_is_a_break(path, piece):
    files = [piece(path[:40], 0, "a.dump"), piece(np.random.default_rng(5).uniform(0, 1, (1, ATOMS, 3)) + path[:20], 400, "b.dump")]
    with pytest.raises(TrajectoryError, match=r"b.dump: frame 0 \(step 400\) does not continue the piece before it"):
        read(files, **DUMP)


def test_a_restart_that_was_not_bit_identical_has_its_seam_in_the_audit(caf2, metal):
    traj = read(caf2 / "restart_overlap.lammpstrj.gz", **metal)
    first, second = traj.history[0]["pieces"]
    assert (first["frames"], first["kept"], first["dropped"], second["kept"]) == (25, 20, 5, 21)
    assert second["seam_interval"] == pytest.approx(0.5)
    assert second["seam_rms"] == pytest.approx(second["inside_rms"], rel=0.2)


def test_a_single_run_has_no_audit(caf2, metal):
    assert "pieces" not in read(caf2 / "wrapped_image.lammpstrj.gz", **metal).history[0]


def test_the_audit_of_a_long_chain_is_shortened_without_losing_what_happened():
    rows = [
        {"piece": str(k), "begin": k, "frames": 3, "kept": 2 if k == 700 else 3, "dropped": int(k == 700), "frame_interval": 1.0} for k in range(1000)
    ]
    for row in rows[1:]:
        row |= {"seam_rms": 5.0 if row["piece"] == "321" else 1.0, "inside_rms": 1.0}
    found = shortened(tuple(rows))
    assert len(found) <= 40
    assert {"0", "321", "700", "999"} <= {row["piece"] for row in found}
    assert sum(row["kept"] for row in found) == 2999


# -- series -----------------------------------------------------------------------------------------------------------------


def test_a_row_of_a_table_that_is_split_gives_a_row_for_each_part(path, xdatcar):
    files = [xdatcar(path[60:], "run2"), xdatcar(path[:60], "run1")]
    series = read_series({"hot": {"paths": files, "temperature": 900, "gaps": "split"}, "cold": files[0]}, **VASP)
    assert isinstance(series, Series)
    assert series.names == ("hot, segment 1 (0-2.9 ps)", "hot, segment 2 (3-8.9 ps)", "cold")
    assert [row.get("replica") for row in series.rows] == [1, 2, None]
    assert [row.get("temperature") for row in series.rows] == [900, 900, None]
