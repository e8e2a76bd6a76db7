"""What is missing or wrong is refused in one line that ends in what to pass."""

import gzip
import re

import numpy as np
import pytest
from ase import Atoms

from mdtools.errors import TrajectoryError
from mdtools.readers import read

ATOM = "id type x y z"
GOOD = [[1, 1, 1.0, 1.0, 1.0], [2, 2, 5.0, 5.0, 5.0]]
OPTIONS = {"units": "metal", "timestep": 0.001, "species": {1: "Li", 2: "S"}}


def refused(message, path, **options):
    with pytest.raises(TrajectoryError, match=message) as caught:
        read(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without(name):
    return {key: value for key, value in OPTIONS.items() if key != name}


def test_a_dump_without_time(dump):
    refused(r"nothing says how long a step is; pass timestep=0.001 .* --timestep 0.001$", dump(ATOM, [GOOD, GOOD]), **without("timestep"))


def test_a_dump_without_units(dump):
    refused(r"pass units='metal' .* --units metal$", dump(ATOM, [GOOD, GOOD]), **without("units"))


def test_a_dump_with_types_and_no_species(dump):
    message = refused(r"types 1, 2, and nothing says what 1, 2 are", dump(ATOM, [GOOD]), **without("species"))
    assert message.endswith("--species 1=...,2=...")


def test_a_dump_with_one_type_unmapped(dump):
    refused(r"nothing says what 2 is; .*--species 1=Li,2=...$", dump(ATOM, [GOOD]), **{**OPTIONS, "species": {1: "Li"}})


def test_a_dump_without_types(dump):
    refused(r"neither elements nor types.*--topology or --species", dump("id x y z", [[[1, 1.0, 1.0, 1.0]]]), **without("species"))


def test_species_that_name_nothing_in_the_file(dump):
    refused(
        r"species= names Na, but the file holds Li; name those",
        dump("id element x y z", [[[1, "Li", 1.0, 1.0, 1.0]]]),
        **{**OPTIONS, "species": {"Na": "Na"}},
    )


def test_a_dump_without_positions_or_velocities(dump):
    refused(r"no columns of positions or velocities .* id type fx fy fz; write x y z ix iy iz", dump("id type fx fy fz", [GOOD]), **OPTIONS)


def test_a_dump_with_two_of_three_coordinates(dump):
    refused("no columns of positions", dump("id type x y", [[row[:4] for row in GOOD]]), **OPTIONS)


def test_missing_ids(caf2):
    refused(r"has no column id .* write it: dump ... custom ... id type x y z", caf2 / "noid_unsorted.lammpstrj.gz", **OPTIONS)


@pytest.mark.parametrize("bad", ["nan", "-nan", "inf", "1.0.0", "abc"])
def test_what_is_not_a_number(bad, dump):
    rows = [GOOD[0], [2, 2, 5.0, bad, 5.0]]
    refused(rf"small.lammpstrj: frame 1 \(step 10\), line 22: '{bad}' is not a number", dump(ATOM, [GOOD, rows, GOOD]), **OPTIONS)


def test_a_row_that_is_too_short(dump):
    refused(
        r"frame 1 \(step 10\), line 21: the row of atom 1 has fewer columns than id type x y z",
        dump(ATOM, [GOOD, [GOOD[0][:4], GOOD[1]], GOOD]),
        **OPTIONS,
    )


def test_a_row_that_is_too_long(dump):
    refused(r"frame 0 \(step 0\), line 11: the row of atom 2 has more columns", dump(ATOM, [[GOOD[0], [*GOOD[1], 7]], GOOD]), **OPTIONS)


def test_fewer_rows_than_announced_inside_the_file(dump):
    path = dump(ATOM, [GOOD, GOOD])
    path.write_text(path.read_text().replace("2 2 5 5 5\n", "", 1))
    refused(r"frame 0 .*: 2 atoms are announced, 1 rows are there", path, **OPTIONS)


def test_more_rows_than_announced(dump):
    path = dump(ATOM, [GOOD, GOOD])
    path.write_text(path.read_text().replace("2 2 5 5 5\n", "2 2 5 5 5\n3 2 5 5 5\n", 1))
    refused(r"frame 0 .*line 12: 2 atoms are announced, more rows are there", path, **OPTIONS)


def test_a_huge_number_of_atoms_takes_no_memory(dump):
    path = dump(ATOM, [GOOD, GOOD])
    path.write_text(path.read_text().replace("ATOMS\n2\n", "ATOMS\n2000000000000\n"))
    refused(r"announces 2000000000000 atoms, but is too short", path, **OPTIONS)


def test_a_number_of_atoms_that_changes(caf2):
    refused(
        r"frame 1 \(step 500\) holds 140 atoms, the first frame 138; dump a group whose atoms never change",
        caf2 / "varying_natoms_slab.lammpstrj",
        **OPTIONS,
    )


def test_ids_that_appear_twice(files, dump):
    refused(r"frame 0 holds atom id 2 twice", files / "lammps" / "bad" / "atom-duplicated-id.lammpstrj", **OPTIONS)
    refused(r"frame 1 \(step 10\) holds atom id 1 twice", dump(ATOM, [GOOD, [GOOD[0], [1, 2, 5.0, 5.0, 5.0]]]), **OPTIONS)


def test_ids_that_change(dump):
    refused(r"frame 1 \(step 10\) holds atom id 3 which the first frame has not", dump(ATOM, [GOOD, [GOOD[0], [3, 2, 5.0, 5.0, 5.0]]]), **OPTIONS)


def test_an_atom_that_changes_its_type(dump):
    refused(r"frame 1 \(step 10\): atom id 2 changes its type", dump(ATOM, [GOOD, [GOOD[0], [2, 1, 5.0, 5.0, 5.0]]]), **OPTIONS)


def test_columns_that_change(files):
    refused(r"differ|has columns|holds", files / "lammps" / "dump" / "detect_best_pos_repr.lammpstrj.gz", units="real", species="O")


def test_atoms_that_change_from_file_to_file(dump):
    one = dump(ATOM, [GOOD], name="one.lammpstrj")
    two = dump(ATOM, [[GOOD[0], [3, 2, 5.0, 5.0, 5.0]]], steps=[10], name="two.lammpstrj")
    refused(r"two.lammpstrj: frame 0 \(step 10\) holds atom id 3 which the first frame has not", [one, two], **OPTIONS)


def test_files_of_different_kinds(dump, kept_xdatcar):
    refused(r"are of different kinds \(LAMMPS text dump, VASP XDATCAR\)", [dump(ATOM, [GOOD]), kept_xdatcar], **OPTIONS)


def test_a_cell_of_zero_volume(dump):
    flat = "pp pp pp\n0 10\n0 10\n3 3"
    refused(r"frame 0 \(step 0\) has no cell, or one of zero volume", dump(ATOM, [GOOD, GOOD], box=flat), **OPTIONS)


def test_a_header_that_cannot_be_understood(dump):
    path = dump(ATOM, [GOOD, GOOD])
    path.write_text(path.read_text().replace("ITEM: NUMBER OF ATOMS\n2\n", "ITEM: NUMBER OF ATOMS\ntwo\n"))
    refused(r"the header of frame 0 \(line 1\) cannot be understood", path, **OPTIONS)


def test_a_frame_that_is_not_whole_and_the_only_one(files):
    refused(r"no whole frame is left", files / "lammps" / "bad" / "atom-not-enough-lines.lammpstrj", **OPTIONS)


def test_files_that_are_not_there_empty_or_unknown(tmp_path):
    refused(r"cannot be opened \(No such file or directory\); check the path", tmp_path / "nothing.lammpstrj")
    refused(r"no file has such a name; check the pattern", str(tmp_path / "nothing*.lammpstrj"))
    (tmp_path / "empty.lammpstrj").touch()
    refused(r"is empty", tmp_path / "empty.lammpstrj")
    (tmp_path / "empty.lammpstrj.gz").write_bytes(gzip.compress(b""))
    refused(r"is empty", tmp_path / "empty.lammpstrj.gz")
    (tmp_path / "noise.lammpstrj.gz").write_bytes(b"this is no gzip file")
    refused(r"is empty|not a whole .gz file", tmp_path / "noise.lammpstrj.gz")
    (tmp_path / "noise.dat").write_bytes(bytes(range(256)) * 4)
    refused(r"neither ours to read nor understood by ASE .* pass a LAMMPS text dump", tmp_path / "noise.dat")
    (tmp_path / "folder").mkdir()
    refused(r"is a folder, but neither a store of mdtools nor one with trajectories", tmp_path / "folder")


@pytest.mark.parametrize("thing", [3, [], [1, 2], None, {}])
def test_things_that_are_no_run(thing):
    with pytest.raises((TrajectoryError, TypeError)):
        read(thing)


def test_files_that_do_not_belong_together(dump):
    one = dump(ATOM, [GOOD], name="one.lammpstrj")
    fewer = dump(ATOM, [GOOD[:1]], steps=[10], name="fewer.lammpstrj")
    refused(r"fewer.lammpstrj and .*one.lammpstrj differ in atoms .* read them apart", [one, fewer], **OPTIONS)
    other = dump("id type xu yu zu", [GOOD], steps=[10], name="other.lammpstrj")
    refused(r"differ in columns of positions", [one, other], **OPTIONS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": "imperial"}, "units 'imperial' are not known; pass one of metal, real"),
        ({"timestep": 0}, "timestep=0 must be longer than zero"),
        ({"timestep": "2 parsec"}, "is not a duration"),
        ({"stride": 0}, "stride=0 must be a whole number"),
        ({"begin": 5, "end": 6}, "no frame lies between begin=5 and end=6; the frames go from 0 to 0.01 ps"),
        ({"precision": "float16"}, "pass precision='float32' or 'float64'"),
        ({"unwrap": "nojump"}, "pass unwrap='scaled', 'tor' or 'lattice'"),
        ({"charges": {"Li": 1}}, r"charges= has none for S; pass charges={'Li': 1.0, 'S': ...}, or --charges Li=1.0,S=..."),
        ({"charges": [1, 2, 3]}, r"has shape \(3,\) for 2 atoms"),
        ({"masses": "heavy"}, "masses='heavy' is not understood"),
        ({"species": ["Li"]}, "species= lists 1 labels for 2 atoms"),
        ({"species": "1=Li,S"}, "mixes words with and without ="),
        ({"framework": "P"}, "framework names P, but the species are Li, S"),
        ({"topology": "nowhere.data"}, "there is no such topology file"),
        ({"units": "lj", "timestep": "2 fs"}, "in lj units a time is a number of tau"),
    ],
)
def test_options_that_make_no_sense(options, message, dump):
    refused(message, dump(ATOM, [GOOD, GOOD]), **{**OPTIONS, **options})


def test_atoms_that_cannot_be_one_run():
    box = {"cell": [5, 5, 5], "pbc": True}
    one, two = Atoms("LiS", [[0, 0, 0], [1, 1, 1]], **box), Atoms("SLi", [[0, 0, 0], [1, 1, 1]], **box)
    refused(r"frame 1 holds 1 atoms, the first frame 2", [one, one[:1]], frame_interval=1)
    refused(r"the order of the elements changes in frame 1", [one, two], frame_interval=1)
    refused(r"has no cell", [Atoms("Li")] * 2, frame_interval=1)
    refused(r"pass frame_interval=0.1", [one, one])
    bad = one.copy()
    bad.positions[1, 1] = np.nan
    refused(r"frame 1: positions of atom id 2 are not finite", [one, bad], frame_interval=1)


@pytest.mark.parametrize(
    ("place", "message"), [(2, "positions of atom id 2 are beyond 1e[+]06 cell vectors"), (5, "velocities of atom id 2 are beyond 1e[+]30")]
)
@pytest.mark.parametrize("unwrapped", [False, True])
def test_absurd_numbers_are_refused_at_the_door(place, message, unwrapped, dump):
    columns = "id type xu yu zu vx vy vz" if unwrapped else "id type x y z vx vy vz"
    frames = [[[k, 1, 1.0, 1.0, 1.0, 0.1, 0.0, 0.0] for k in (1, 2)] for _ in range(40)]
    frames[12][1][place] = 1e300
    boxes = [f"pp pp pp\n0 10\n0 10\n0 {10 + 0.01 * t}" for t in range(40)]  # changing, so that unwrapping is looked at
    refused(rf"frame 12 \(step 120\): {message}", dump(columns, frames, boxes=boxes), units="metal", timestep=0.001, species="Li")


def test_every_message_names_the_file(dump):
    path = dump(ATOM, [GOOD, GOOD])
    for name in OPTIONS:
        assert re.search(r"small\.lammpstrj", refused("pass", path, **without(name)))
