"""XDATCAR: every way it is written, and what is known of real files."""

import gzip
import json

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.xdatcar import read_xdatcar

HEADER = "title\n 1.0\n 10.0 0.0 0.0\n 0.0 10.0 0.0\n 0.0 0.0 10.0\n Li O\n 1 2\n"
ROWS = " 0.10000000 0.20000000 0.30000000\n 0.40000000 0.50000000 0.60000000\n 0.90000000 0.90000000 0.90000000\n"


@pytest.fixture
def xdatcar(tmp_path):
    def write(text, name="XDATCAR"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def configurations(number, header=HEADER):
    return header + "".join(f"Direct configuration= {i + 1:5d}\n{ROWS}" for i in range(number))


COUNTS = {
    "XDATCAR_4": (4, 3, "Li O"),
    "XDATCAR_5": (4, 3, "Li O"),
    "XDATCAR_6": (4, 7, "Fe O Ti"),
    "XDATCAR.MD": (5, 80, "O Fe"),
    "XDATCAR_monatomic.gz": (10, 4, "Ne"),
    "XDATCAR.bad_fmt.gz": (3, 7, "Li Co O"),
    "XDATCAR_traj_combine_test_1.gz": (100, 76, "Li Si"),
    "NaCl_800K_MD_XDATCAR.gz": (40, 216, "Na Cl"),
    "FePO4_variable_cell_XDATCAR.gz": (1684, 24, "Fe P O"),
    "LLZO_ok_XDATCAR": (2, 382, "Li La Zr O"),
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_frame_of_a_real_file_is_found(name, files):
    n_frames, n_atoms, symbols = COUNTS[name]
    frames = read_xdatcar(files / "vasp" / "xdatcar" / name)
    assert (frames.n_frames, frames.n_atoms) == (n_frames, n_atoms)
    assert list(dict.fromkeys(frames.labels.tolist())) == symbols.split()
    assert np.isfinite(frames.load(np.arange(n_frames)).scaled).all()
    assert frames.notes == ()


def test_displacement_of_lithium_is_the_known_one(kept_xdatcar, files):
    expected = json.loads((files / "EXPECTED.json").read_text())["Li6PS5Cl_50p_run1"]
    traj = read(kept_xdatcar, frame_interval="100 fs", framework="P,S,Cl", temperature=expected["T_K"], precision="float64")
    assert (traj.n_frames, traj.n_atoms) == (expected["frames"], expected["natoms"])
    assert traj.frame_interval == pytest.approx(0.1)
    assert traj.framework == ("P", "S", "Cl")
    path, _ = traj.reference_path()
    moved = (traj.scaled_positions - path[:, None])[:, traj.indices("Li")] @ traj.cell[0]
    for lag, known in zip((10, 50, 100, 139), expected["msd_Li_lag_1_5_10_13.9ps_A2"], strict=True):
        assert np.mean(np.sum((moved[lag:] - moved[:-lag]) ** 2, axis=-1)) == pytest.approx(known, rel=1e-5)


def test_a_changing_cell_is_kept_frame_by_frame(files):
    expected = json.loads((files / "EXPECTED.json").read_text())["FePO4_variable_cell"]
    frames = read_xdatcar(files / "vasp" / "xdatcar" / "FePO4_variable_cell_XDATCAR.gz")
    volume = np.linalg.det(frames.cell)
    assert volume[0] == pytest.approx(expected["V_first"], abs=1e-3)
    assert volume[1] == pytest.approx(expected["V_second"], abs=1e-3)
    assert volume.min() == pytest.approx(expected["V_min"], abs=1e-3)


def test_identical_frames_within_one_file_are_not_taken_for_a_restart(files):
    assert read(files / "vasp" / "xdatcar" / "FePO4_variable_cell_XDATCAR.gz", frame_interval=0.001).n_frames == 1684


def test_numbers_that_run_together_are_told_apart(xdatcar):
    text = configurations(1).replace(" 0.10000000 0.20000000 0.30000000", "-0.10000000-0.20000000-0.30000000")
    assert np.allclose(read_xdatcar(xdatcar(text)).load(np.array([0])).scaled[0, 0], [-0.1, -0.2, -0.3])


def test_a_repeated_species_keeps_the_order_of_its_blocks(xdatcar):
    text = configurations(1, HEADER.replace(" Li O\n 1 2\n", " O Li O\n 1 1 1\n"))
    assert read(xdatcar(text), frame_interval=1).species.tolist() == ["O", "Li", "O"]


def test_a_negative_scale_is_the_volume(xdatcar):
    traj = read(xdatcar(configurations(1, HEADER.replace(" 1.0\n", " -8000.0\n"))), frame_interval=1)
    assert np.allclose(traj.cell[0], np.eye(3) * 20)


def test_a_scale_multiplies_the_vectors(xdatcar):
    assert np.allclose(read(xdatcar(configurations(1, HEADER.replace(" 1.0\n", " 1.5\n"))), frame_interval=1).cell[0], np.eye(3) * 15)


def test_a_header_without_symbols_asks_for_them(xdatcar):
    path = xdatcar(configurations(2, HEADER.replace(" Li O\n", "")))
    with pytest.raises(TrajectoryError, match=r"atoms are of types 1, 2.*--species 1=...,2=..."):
        read(path, frame_interval=1)
    for species in ("Li,O", ["Li", "O"], {1: "Li", 2: "O"}, ["Li", "O", "O"]):
        assert read(path, frame_interval=1, species=species).species.tolist() == ["Li", "O", "O"]


@pytest.mark.parametrize("separator", ["\n", "   \n", "Direct configuration=     7\n", "direct\n", "Konfig=    1\n"])
def test_frames_may_be_separated_in_many_ways(separator, xdatcar):
    assert read_xdatcar(xdatcar(HEADER + (separator + ROWS) * 3)).n_frames == 3


def test_a_header_before_every_frame_may_have_a_blank_title(xdatcar):
    blank = HEADER.replace("title", "")
    assert read_xdatcar(xdatcar("".join(configurations(1, blank) for _ in range(3)))).n_frames == 3


def test_windows_line_ends_and_a_missing_last_one_do_no_harm(xdatcar):
    text = configurations(3)
    assert read_xdatcar(xdatcar(text.rstrip("\n"))).n_frames == 3
    path = xdatcar("")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert np.allclose(read_xdatcar(path).load(np.arange(3)).scaled[2, 2], 0.9)


@pytest.mark.parametrize("cut", [3, 12, 40, 90, 110, 130])
def test_a_truncated_last_frame_is_dropped_and_said(cut, xdatcar):
    traj = read(xdatcar(configurations(4)[:-cut]), frame_interval=1)
    assert traj.n_frames == 3
    if cut < 100:
        assert "frame 3, the last, ends" in traj.notes[0]


def test_coordinates_that_vasp_6_left_unwrapped_stay_as_they_are(xdatcar):
    rng = np.random.default_rng(0)
    path = rng.uniform(0, 1, (1, 3, 3)) + np.cumsum(rng.uniform(-0.1, 0.1, (30, 3, 3)), axis=0)
    rows = ["".join("".join(f"{v:12.8f}" for v in atom) + "\n" for atom in frame) for frame in path]
    traj = read(xdatcar(HEADER + "".join(f"Direct configuration= {i}\n{r}" for i, r in enumerate(rows))), frame_interval=1, precision="float64")
    assert np.allclose(traj.scaled_positions, path - np.floor(path[0]), atol=1e-8)


def test_restarts_follow_each_other_in_the_order_of_the_list(files):
    chain = [files / "vasp" / "restart_chain" / run / "XDATCAR" for run in ("run1", "run2")]
    traj = read(chain, frame_interval="1 fs")
    assert traj.n_frames == 6
    assert np.allclose(traj.time, np.arange(6) * 0.001)


def test_a_first_frame_that_repeats_the_last_is_dropped_and_said(xdatcar):
    one, two = xdatcar(configurations(3), "one_XDATCAR"), xdatcar(configurations(2), "two_XDATCAR")
    traj = read([one, two], frame_interval=1)
    assert traj.n_frames == 4
    assert "two_XDATCAR: frame 0: its first frame repeats the last of the run before; 1 frame of that run dropped" in traj.notes[0]


def test_files_of_different_composition_are_refused(files, tmp_path):
    pieces = [files / "vasp" / "xdatcar" / f"XDATCAR_traj_combine_test_{i}.gz" for i in (1, 2)]
    with pytest.raises(TrajectoryError, match="Li38 Si38 and Li36"):
        read(pieces, frame_interval=1)
    both = tmp_path / "XDATCAR"
    both.write_bytes(b"".join(gzip.decompress(p.read_bytes()) for p in pieces))
    with pytest.raises(TrajectoryError, match="composition changes from Li38 Si38 to Li36"):
        read(both, frame_interval=1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("LLZO_cell_wrong_XDATCAR", r"line 3: 'cell 0.0  0.0' is not a cell vector"),
        ("LLZO_composition_wrong_XDATCAR", r"line 6: .* is not a row of 4 chemical symbols"),
        ("LLZO_pos_wrong_XDATCAR", r"frame 0, line 390: 382 atoms are announced, 381 rows are there"),
        ("LLZO_scale_wrong_XDATCAR", r"line 2: 'scale' is not a scale"),
    ],
)
def test_a_broken_file_is_refused_with_the_line(name, message, files):
    with pytest.raises(TrajectoryError, match=message):
        read(files / "vasp" / "bad_xdatcar" / name, frame_interval=1)


def test_the_time_between_frames_is_asked_for(kept_xdatcar):
    with pytest.raises(TrajectoryError, match=r"pass frame_interval=0.1 .* --frame-interval 0.1"):
        read(kept_xdatcar)
    with pytest.raises(TrajectoryError, match=r"POTIM x NBLOCK"):
        read(kept_xdatcar, timestep="2 fs")


@pytest.mark.parametrize("bad", ["nan", "0.1x", "*********"])
def test_a_row_that_is_not_numbers_is_refused_with_the_line(bad, xdatcar):
    text = configurations(3).replace(" 0.40000000", f" {bad}", 2).replace(f" {bad}", " 0.40000000", 1)
    with pytest.raises(TrajectoryError, match=r"frame 1.*line 14"):
        read(xdatcar(text), frame_interval=1)


EARLY = (
    "    3    3   10\n  0.1000E+03  0.1000000E-08  0.1000000E-08  0.1000000E-08  0.2000E-14\n  500.0000000000\n  CAR \n unknown system\n"
    + "".join(f" Konfig=      {i + 1}\n{ROWS}" for i in range(4))
)
POSCAR = "Li O\n1.0\n10 0 0\n1 10 0\n0 0 10\nLi O\n1 2\nDirect\n0 0 0\n0.5 0.5 0.5\n0.7 0.7 0.7\n"


@pytest.fixture
def poscar(tmp_path):
    path = tmp_path / "POSCAR"
    path.write_text(POSCAR)
    return path


def test_an_early_header_takes_cell_and_symbols_of_the_poscar(xdatcar, poscar):
    path = xdatcar(EARLY)
    with pytest.raises(TrajectoryError, match=r"neither cell nor symbols .*; pass topology= with the POSCAR or CONTCAR .* --topology POSCAR"):
        read(path, frame_interval=1)
    traj = read(path, frame_interval=1, topology=poscar, precision="float64")
    assert traj.n_frames == 4
    assert traj.species.tolist() == ["Li", "O", "O"]
    assert np.allclose(traj.cell, [[10, 0, 0], [1, 10, 0], [0, 0, 10]])
    assert np.allclose(traj.scaled_positions[3, 1], [0.4, 0.5, 0.6])
    assert any("the header holds no cell" in note for note in traj.notes)
    poscar.write_text(POSCAR.replace("1 2\n", "1 1\n").replace("0.7 0.7 0.7\n", ""))
    with pytest.raises(TrajectoryError, match=r"holds 3 atoms and .*POSCAR 2; pass the POSCAR of the same run"):
        read(path, frame_interval=1, topology=poscar)


def test_a_header_without_symbols_takes_those_of_the_poscar(xdatcar, poscar):
    path = xdatcar(configurations(2, HEADER.replace(" Li O\n", "")))
    traj = read(path, frame_interval=1, topology=poscar)
    assert traj.species.tolist() == ["Li", "O", "O"]
    assert np.allclose(traj.cell[0], np.eye(3) * 10)  # its own cell
    poscar.write_text(POSCAR.replace("Li O\n1 2\n", "Li O\n2 1\n"))
    with pytest.raises(TrajectoryError, match="are not in blocks of 1 2; pass the POSCAR of the same run"):
        read(path, frame_interval=1, topology=poscar)


@pytest.mark.parametrize("counts", [" 0 0\n", " 1 -2\n", " 999999999999 2\n", " 1" + "0" * 5000 + " 2\n"])
def test_impossible_counts_are_refused_at_once(counts, xdatcar):
    with pytest.raises(TrajectoryError):
        read(xdatcar(configurations(2).replace(" 1 2\n", counts)), frame_interval=1)


def test_a_file_cut_anywhere_gives_its_intact_frames(files, xdatcar, tmp_path):
    content = (files / "vasp" / "xdatcar" / "XDATCAR.MD").read_bytes()
    path = tmp_path / "XDATCAR"
    path.write_bytes(content)
    known = read_xdatcar(path).load(np.arange(5)).scaled
    separators = [i for i in range(len(content)) if content.startswith(b"Direct configuration", i)]
    ends = [*separators[1:], len(content)]
    for cut in [*np.random.default_rng(0).integers(separators[1], len(content), 60).tolist(), *(end - shift for end in ends[1:] for shift in (1, 2))]:
        path.write_bytes(content[:cut])
        frames = read_xdatcar(path)
        # the last line need not have its end
        assert frames.n_frames == sum(end - 1 <= cut for end in ends)
        assert np.array_equal(frames.load(np.arange(frames.n_frames)).scaled, known[: frames.n_frames])


def numbered(numbers):
    return HEADER + "".join(f"Direct configuration= {number:5d}\n{ROWS}" for number in numbers)


@pytest.mark.parametrize(
    "numbers", [(1, 2, 3, 4), (50, 100, 150, 200), (0, 10, 20), (1, 2, 3, 1, 2, 3), (10, 20, 30, 10, 20), (7, 7, 7), (1, 10, 20, 30, 40), (5, 4, 3)]
)
def test_numbers_of_configurations_may_be_anything_that_leaves_none_out(numbers, xdatcar):
    traj = read(xdatcar(numbered(numbers)), frame_interval=0.1)
    assert np.allclose(traj.time, np.arange(len(numbers)) * 0.1)


def test_configurations_that_are_missing_are_a_gap(xdatcar):
    path = xdatcar(numbered([10, 20, 30, 60, 70, 80, 10, 20]))
    with pytest.raises(TrajectoryError, match=r"frame 3 comes 0.3 ps after the frame before it, where frames are 0.1 ps apart.*gaps='split'"):
        read(path, frame_interval=0.1)
    parts = read(path, frame_interval=0.1, gaps="split")
    assert [member.n_frames for member in parts.members] == [3, 5]


def test_numbers_of_several_files_do_not_go_on(xdatcar):
    files = [xdatcar(numbered(numbers), f"{name}_XDATCAR") for name, numbers in (("one", (1, 2, 3)), ("two", (50, 51)))]
    assert np.allclose(np.diff(read(files, frame_interval=0.1).time), 0.1)
