"""Damage that the fuzzer found to be taken for data, or to end in something else than a refusal: one test each, so that it stays mended."""

import gzip

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import opened, read
from mdtools.readers.lammps_data import read_lammps_data

ATOM = "id type x y z"
ROWS = [[1, 1, 1.25, 1.5, 1.75], [2, 2, 5.25, 5.5, 5.75]]
OPTIONS = {"units": "metal", "timestep": 0.001, "species": {1: "Li", 2: "S"}}
HEADER = "title\n 1.0\n 10.0 0.0 0.0\n 0.0 10.0 0.0\n 0.0 0.0 10.0\n Li O\n 1 2\n"
COORDINATES = " 0.10000000 0.20000000 0.30000000\n 0.40000000 0.50000000 0.60000000\n 0.90000000 0.90000000 0.90000000\n"
XDATCAR = HEADER + "".join(f"Direct configuration= {i}\n{COORDINATES}" for i in (1, 2, 3))


def changed(path, old, new, *, which=1):
    """The file with the `which`-th occurrence of a text (from 0) replaced."""
    parts = path.read_text().split(old)
    assert len(parts) > which + 1
    path.write_text(old.join(parts[: which + 1]) + new + old.join(parts[which + 1 :]))
    return path


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("ITEM: ATOMS id type x y z\n", "", "ITEM: TIMESTEP stands there twice"),
        ("ITEM: ATOMS id", "ITEM: ATOM? id", "ITEM: TIMESTEP stands there twice"),
        ("pp pp pp\n0 10\n", "pp pp pp\n0 10\n0 10\n", "4 lines stand below ITEM: BOX BOUNDS"),
        ("pp pp pp\n0 10\n", "pp pp pp\n", "2 lines stand below ITEM: BOX BOUNDS"),
        ("pp pp pp", "pp q? pp", "are no boundaries"),
        ("pp pp pp", "xy xz yz pp pp pp", "does not fit the numbers below it"),
        ("pp pp pp\n0 10", "pp pp pp\n10 0", "end before they begin"),
        ("ATOMS\n2\n", "ATOMS\n9223372036854775808\n", "is not a whole number"),
        ("ATOMS\n2\n", "ATOMS\n2_0\n", "is not a whole number"),
        ("TIMESTEP\n10\n", "TIMESTEP\n1e1\n", "is not a whole number"),
        ("TIMESTEP\n10\n", "TIMESTEP\n" + 5000 * "9" + "\n", "is not a whole number"),
    ],
)
def test_a_header_that_lost_or_gained_a_line_is_no_other_frame(old, new, why, dump):
    path = changed(dump(ATOM, [ROWS] * 3), old, new, which=0 if "10\n" in old and "TIME" in old else 1)
    with pytest.raises(TrajectoryError, match=rf"small.lammpstrj: the header of frame 1 \(line \d+\).*{why}"):
        read(path, **OPTIONS)


def test_a_column_that_is_named_twice_is_refused(dump):
    with pytest.raises(TrajectoryError, match="column x is there twice"):
        read(dump("id type x x y z", [[[1, 1, 0.5, 1.0, 1.0, 1.0]]] * 2), **{**OPTIONS, "species": "Li"})


@pytest.mark.parametrize("start", ["\ufeffITEM: TIMESTEP", "ITEM? TIMESTEP", "\0\0\0\0\0 TIMESTEP"])
def test_a_dump_whose_first_line_is_damaged_is_not_left_to_another_reader(start, dump):
    path = dump(ATOM, [ROWS] * 2)
    path.write_text(path.read_text().replace("ITEM: TIMESTEP", start, 1))
    with pytest.raises(TrajectoryError, match=r"the header of frame 0 \(line 1\)"):
        read(path, **OPTIONS)


def test_the_first_letters_of_a_further_frame_are_said_to_be_dropped(dump):
    path = dump(ATOM, [ROWS] * 2)
    path.write_text(path.read_text() + "ITEM")
    traj = read(path, **OPTIONS)
    assert traj.n_frames == 2
    assert "frame 2, the last, ends within its header and is dropped" in traj.notes[0]


@pytest.mark.parametrize("mass", ["inf", "nan", "1_0", "***"])
def test_a_mass_that_is_no_number_is_refused(mass, dump):
    with pytest.raises(TrajectoryError, match="frame 0 has a column mass that is not of numbers"):
        read(dump("id type mass x y z", [[[1, 1, mass, 1.0, 1.0, 1.0]]] * 2), **{**OPTIONS, "species": "Li"})


@pytest.fixture
def xdatcar(tmp_path):
    def write(text):
        path = tmp_path / "XDATCAR"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_a_row_too_many_shifts_no_atom(frame, xdatcar):
    parts = XDATCAR.split(" 0.90000000 0.90000000 0.90000000\n")
    parts[frame] += " 0.40000000 0.50000000 0.60000000\n"
    with pytest.raises(TrajectoryError, match=rf"frame {frame}, line \d+: 3 atoms are announced, more rows are there"):
        read(xdatcar(" 0.90000000 0.90000000 0.90000000\n".join(parts)), frame_interval=1)


def test_a_broken_last_row_is_no_shorter_number(xdatcar):
    broken = XDATCAR.replace(" 0.90000000\n", " 0.90000000 O\n")
    broken = broken[: broken.rindex("0000 O\n")] + "\n0000 O\n"
    with pytest.raises(TrajectoryError, match="frame 2 is followed by '0000 O', which is neither a row nor the title"):
        read(xdatcar(broken), frame_interval=1)


@pytest.mark.parametrize("length", range(1, 24))
def test_a_separator_that_is_cut_is_the_start_of_a_frame(length, xdatcar):
    assert read(xdatcar(XDATCAR + "Direct configuration= 4\n"[:length]), frame_interval=1).n_frames == 3


def test_a_separator_that_is_damaged_does_not_hide_a_frame(xdatcar):
    damaged = XDATCAR.replace("configuration= 2\n" + COORDINATES, "config\0\0\0\0\0\0" + "\0" * len(COORDINATES) + "\n")
    with pytest.raises(TrajectoryError, match=r"frame 0 is followed by .* \(line 12\)"):
        read(xdatcar(damaged), frame_interval=1)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (" 0.0 10.0 0.0\n", " 0.0 1_0 0.0\n", "is not a cell vector"),
        (" 1 2\n", " 1 " + 300_000 * "9" + "\n", "is not a row of numbers of atoms"),
        (" Li O\n", " Li ?\n", "is not a row of 2 chemical symbols"),
        (" Li O\n", " Li\0O\n", "is not a row of 2 chemical symbols"),
    ],
)
def test_a_header_of_an_xdatcar_is_of_numbers_and_symbols(old, new, why, xdatcar):
    with pytest.raises(TrajectoryError, match=why):
        read(xdatcar(XDATCAR.replace(old, new)), frame_interval=1)


@pytest.fixture
def data(caf2, tmp_path):
    def write(old, new):
        text = (caf2 / "equil.restricted.data").read_text()
        assert old in text
        path = tmp_path / "some.data"
        path.write_text(text.replace(old, new, 1))
        return path

    return write


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("2 2 -1 0.8211430857699411 1.2470500183583824 2.6913870156275435 0 0 0\n", "", "announces 375 atoms, but holds 374"),
        ("2 2 -1 0.82", "5 2 -1 0.82", "holds atom id 5 twice"),
        ("2 2 -1 0.82", "0 2 -1 0.82", r"line 19, an atom: 0 is no atom id"),
        ("2 2 -1 0.82", "2 7 -1 0.82", "atoms are of type 7, of which section Masses says nothing"),
        ("2 2 -1 0.82", "2 2 nan 0.82", "line 19, an atom: 'nan' is not a finite number"),
        ("2 2 -1 0.82", "2 2 0.82", r"line 19, an atom: 8 columns are not those of the atom style"),
        ("2 2 -1 0.82", 300_000 * "9" + " 2 -1 0.82", "is not a whole number"),
        ("Masses", "M?sses", "line 11: 'M\\?sses' is neither of the head nor the name of a section"),
        ("1 40.078", "1 forty", "line 13, a mass: .*forty"),
        ("2 atom types", "3 atom types", "announces 3 atom types, but holds 2"),
    ],
)
def test_a_data_file_is_whole_or_refused_with_the_line(old, new, why, data):
    with pytest.raises(TrajectoryError, match=why):
        read_lammps_data(data(old, new))


def test_of_a_damaged_stream_nothing_is_believed_but_whole_streams_before_it_are(dump, monkeypatch, tmp_path):
    """The checksum of a stream comes last: what was unpacked before it fails may be wrong already."""
    rng = np.random.default_rng(0)
    frames = [[[i + 1, 1, *row] for i, row in enumerate(rng.uniform(0, 10, (50, 3)))] for _ in range(20)]
    content = dump("id type xu yu zu", frames).read_bytes()
    half = content.index(b"ITEM: TIMESTEP\n100\n")
    options = {**OPTIONS, "species": "Li"}
    monkeypatch.setattr(opened, "_PIECE", 512)
    (one := tmp_path / "one.lammpstrj.gz").write_bytes(_with_a_wrong_checksum(gzip.compress(content)))
    with pytest.raises(TrajectoryError, match=r"one.lammpstrj.gz: is not a whole .gz file"):
        read(one, **options)
    (two := tmp_path / "two.lammpstrj.gz").write_bytes(gzip.compress(content[:half]) + _with_a_wrong_checksum(gzip.compress(content[half:])))
    traj = read(two, **options)
    assert traj.n_frames == 10
    assert any("breaks off" in note for note in traj.notes)


def _with_a_wrong_checksum(packed):
    return packed[:-8] + bytes(255 - byte for byte in packed[-8:-4]) + packed[-4:]


def test_a_scale_factor_that_is_no_number_is_refused_by_the_name_of_the_file(files, tmp_path):
    import struct

    content = (files / "lammps" / "forms" / "forms.cdf1.nc").read_bytes()
    # name, type (5: float, 6: double), one value
    at = content.index(b"scale_factor") + 12
    kind = struct.unpack_from(">i", content, at)[0]
    width = {5: 4, 6: 8}[kind]
    path = tmp_path / "forms.nc"
    path.write_bytes(content[: at + 8] + b"\xff" * width + content[at + 8 + width :])
    with pytest.raises(TrajectoryError, match=r"forms.nc: a scale_factor of nan makes no numbers"):
        read(path, units="metal", timestep=0.001, species={1: "Ca", 2: "F"})


@pytest.mark.parametrize(("old", "new"), [("timestep: 1040", "timestep: 1,5"), ("time: 1.04", "time: 1 .04"), ("natoms: 24", "natoms: 24 5")])
def test_a_header_of_a_yaml_dump_holds_one_value_a_key(old, new, files, tmp_path):
    """A step of 1,5 was read as step 1, and the frames before it dropped as those of a restart."""
    text = gzip.decompress((files / "lammps" / "forms" / "forms.yaml.gz").read_bytes()).decode()
    at = text.index(old, text.index("timestep: 1040") - 1)
    path = tmp_path / "forms.yaml"
    path.write_text(text[:at] + text[at:].replace(old, new, 1))
    with pytest.raises(TrajectoryError, match=r"the header of frame 1 .* is not one value"):
        read(path)


def test_a_tilt_that_is_lost_from_one_frame_of_a_yaml_dump_is_no_other_cell(files, tmp_path):
    text = gzip.decompress((files / "lammps" / "forms" / "forms.yaml.gz").read_bytes()).decode()
    first, second, rest = text.split("keywords: [ id", 2)
    path = tmp_path / "forms.yaml"
    path.write_text(first + "keywords: [ id" + second[: second.rindex("  - [")] + "keywords: [ id" + rest)
    with pytest.raises(TrajectoryError, match=r"frame 1 .* has a box of 3 lines, the first frame one of 4"):
        read(path)
