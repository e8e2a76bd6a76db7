"""Binary dumps, written here bit by bit: byte orders, word lengths, chunks, and every count made impossible."""

import struct

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.lammps_binary import BinaryDump, read_files

OPTIONS = {"units": "metal", "timestep": 0.001, "species": {1: "Li", 2: "S"}}
COLUMNS = "id type x y z vx vy vz"


def table(frame, n_atoms=6):
    """Rows in an order that changes from frame to frame."""
    rng = np.random.default_rng(frame)
    ids = rng.permutation(n_atoms) + 1
    rows = np.empty((n_atoms, 8))
    rows[:, 0], rows[:, 1] = ids, 1 + ids % 2
    rows[:, 2:5] = ids[:, None] + 0.01 * frame * np.arange(1, 4)
    rows[:, 5:] = ids[:, None] * 0.5
    return rows


def frame_bytes(frame, *, order="<", bigint="q", chunks=(6,), columns=COLUMNS, magic=b"DUMPCUSTOM", revision=2, units=b"", time=None, **change):
    rows = table(frame)
    head = {"n_atoms": len(rows), "tilted": 0, "n_columns": len(columns.split()), "n_chunks": len(chunks)} | change
    pack = lambda code, *values: struct.pack(f"{order}{code}", *values)  # noqa: E731
    out = pack(bigint, -len(magic)) + magic + pack("2i", 1, revision) + pack(f"2{bigint}", 10 * frame, head["n_atoms"])
    out += pack("7i", head["tilted"], *[0] * 6) + pack("6d", 0, 10, 0, 10, 0, 10) + pack("i", head["n_columns"])
    out += pack("i", len(units)) + units + (b"\0" if time is None else pack("bd", 1, time))
    out += pack("i", len(columns)) + columns.encode() + pack("i", head["n_chunks"])
    at = 0
    for length in chunks:
        out += pack("i", 8 * length) + rows[at : at + length].astype(f"{order}f8").tobytes()
        at += length
    return out


@pytest.fixture
def write(tmp_path):
    def write(*frames, name="small.bin"):
        path = tmp_path / name
        path.write_bytes(b"".join(frames))
        return path

    return write


def expected(n_frames):
    rows = [table(frame) for frame in range(n_frames)]
    return np.array([part[np.argsort(part[:, 0])] for part in rows])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bigint", ["q", "i"])
@pytest.mark.parametrize("chunks", [(6,), (2, 4), (0, 3, 0, 3)])
def test_byte_orders_word_lengths_and_chunks(order, bigint, chunks, write):
    path = write(*(frame_bytes(t, order=order, bigint=bigint, chunks=chunks) for t in range(5)))
    traj = read(path, **OPTIONS, precision="float64")
    assert traj.ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert traj.species.tolist() == ["S", "Li", "S", "Li", "S", "Li"]
    assert np.allclose(traj.time, 0.01 * np.arange(5))
    assert np.allclose(traj.scaled_positions * 10, expected(5)[:, :, 2:5], atol=1e-12)
    assert np.array_equal(traj.velocities, expected(5)[:, :, 5:])


def test_number_of_chunks_may_change_with_a_restart_on_other_processors(write):
    path = write(*(frame_bytes(t, chunks=chunks) for t, chunks in enumerate([(6,), (6,), (2, 2, 2), (1, 5)])))
    assert np.allclose(read(path, **OPTIONS, precision="float64").scaled_positions * 10, expected(4)[:, :, 2:5], atol=1e-12)


def test_units_and_time_are_taken_from_the_frames(write):
    path = write(*(frame_bytes(t, units=b"real", time=500.0 * t) for t in range(3)))
    traj = read(path, species=OPTIONS["species"], precision="float64")
    assert np.allclose(traj.time, [0, 0.5, 1.0])
    assert np.allclose(traj.velocities, 1e3 * expected(3)[:, :, 5:])


def test_columns_may_stand_in_any_order(write):
    swapped = "z vx id vz type x vy y"
    places = [COLUMNS.split().index(name) for name in swapped.split()]

    def other(frame):
        plain = frame_bytes(frame, columns=swapped)
        rows = table(frame)[:, places]
        return plain[: -rows.nbytes] + rows.tobytes()

    path = write(*(other(t) for t in range(3)))
    traj = read(path, **OPTIONS, precision="float64")
    assert np.allclose(traj.scaled_positions * 10, expected(3)[:, :, 2:5], atol=1e-12)
    assert np.array_equal(traj.velocities, expected(3)[:, :, 5:])


def test_an_element_column_of_a_binary_dump_holds_types(write):
    path = write(*(frame_bytes(t, columns=COLUMNS.replace("type", "element")) for t in range(2)))
    assert read(path, **OPTIONS).species.tolist() == ["S", "Li", "S", "Li", "S", "Li"]


def refused(message, path, **options):
    with pytest.raises(TrajectoryError, match=message) as caught:
        read(path, **OPTIONS, **options)
    assert "\n" not in str(caught.value)


def test_older_forms_name_no_columns_and_are_refused_with_the_way_out(write):
    old = struct.pack("<2q7i6d2i", 0, 6, 0, *[0] * 6, *[0, 10] * 3, 8, 1) + struct.pack("<i", 48) + table(0).tobytes()
    refused(r"binary dump of an older LAMMPS: 6 atoms in 8 columns without names; convert it with binary2txt .* LAMMPS of 2021 or newer$", write(old))
    refused(r"is of revision 1 of the format, which names no columns; convert it", write(frame_bytes(0, revision=1)))
    refused(r"is of revision 7 of the format, which is not known", write(frame_bytes(0, revision=7)))


def test_a_file_that_is_only_named_like_a_binary_dump_is_refused(write):
    refused("is not a binary dump of LAMMPS, its first bytes say otherwise", write(b"\x11" * 400))
    refused("has 3 bytes, too few for a frame", write(b"abc"))


BIG = 2**31 - 1


@pytest.mark.parametrize("frame", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        {"n_atoms": 0},
        {"n_atoms": -5},
        {"n_atoms": 5},
        {"n_atoms": 2**62},
        {"n_columns": 0},
        {"n_columns": BIG},
        {"n_columns": -8},
        {"n_chunks": 0},
        {"n_chunks": -1},
        {"n_chunks": BIG},
        {"n_chunks": 3},
        {"tilted": 9},
        {"tilted": -1},
        {"magic": b"DUMPCUSTON"},
        {"revision": 3},
        {"chunks": (6, 6)},
        {"chunks": (3,)},
    ],
    ids=str,
)
def test_impossible_counts_are_refused_before_memory_is_asked_for(change, frame, write):
    path = write(*(frame_bytes(t, **(change if t == frame else {})) for t in range(4)))
    refused(r"small.bin: (frame \d|no whole frame|is not a binary|is a binary dump of an older)", path)


def test_damage_to_rows_is_refused_by_the_name_of_the_frame(write):
    good = [frame_bytes(t) for t in range(3)]

    def with_id(value):
        changed = bytearray(good[1])
        row = int(np.flatnonzero(table(1)[:, 0] == 2)[0])
        at = len(changed) - 6 * 64 + 64 * row
        changed[at : at + 8] = struct.pack("<d", value)
        return write(good[0], bytes(changed), good[2])

    refused(r"frame 1 \(step 10\) holds atom id 3 twice", with_id(3))
    refused(r"frame 1 \(step 10\) holds atom id 99 which the first frame has not", with_id(99))
    refused(r"frame 1 \(step 10\) holds atom id nan which", with_id(float("nan")))
    refused(r"frame 1 \(step 10\) holds atom id 1e\+300 which", with_id(1e300))
    refused(r"frame 1 \(step 10\) holds atom id 2.5 which", with_id(2.5))


def test_ids_that_are_no_numbers_in_the_first_frame_are_refused(write):
    changed = bytearray(frame_bytes(0))
    changed[-6 * 64 : -6 * 64 + 8] = struct.pack("<d", float("inf"))
    refused("frame 0 holds atom ids that are not whole numbers", write(bytes(changed), frame_bytes(1)))


def test_files_of_one_run_share_what_is_known_of_the_atoms(write):
    one = write(frame_bytes(0), frame_bytes(1), name="a.bin")
    two = write(frame_bytes(2), frame_bytes(3), name="b.bin")
    first, second = read_files([one, two], None)
    assert first.ids is second.ids
    assert np.allclose(read([two, one], **OPTIONS, precision="float64").scaled_positions * 10, expected(4)[:, :, 2:5], atol=1e-12)


def test_units_are_named_in_the_first_frame_alone(files):
    """As LAMMPS writes them with `dump_modify units yes`."""
    dump = BinaryDump(files / "lammps" / "forms" / "forms.bin")
    assert {header.units for header in dump.headers[1:]} == {None}
    assert read_files([files / "lammps" / "forms" / "forms.bin"], None)[0].units == dump.headers[0].units == "metal"
