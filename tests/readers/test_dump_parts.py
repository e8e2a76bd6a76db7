"""Text dumps of parts: some of the atoms, one file a frame, frames at uneven steps, atoms named by a data file or by types."""

import gzip

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read

METAL = {"units": "metal", "timestep": 0.001}
ALL = {1: "Li", 2: "S", 3: "Li", 4: "P", 5: "S"}


def rows(frame, ids=tuple(ALL)):
    """Positions that tell id and frame apart."""
    return [[number, number + 0.01 * frame, 2.0, 0.5 * number] for number in ids]


@pytest.fixture
def data_file(tmp_path):
    path = tmp_path / "run.data"
    atoms = "\n".join(f"{number} {1 + ['Li', 'S', 'P'].index(label)} 0 0 0" for number, label in ALL.items())
    path.write_text(
        "all five atoms\n\n5 atoms\n3 atom types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\n"
        f"Masses\n\n1 6.941 # Li\n2 32.06 # S\n3 30.974 # P\n\nAtoms # atomic\n\n{atoms}\n"
    )
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_one_file_a_step_without_leading_zeros_is_in_the_order_of_numbers(packed, dump, tmp_path):
    steps = [0, 25, 50, 75, 100, 1000]
    for index, step in enumerate(steps):
        path = dump("id x y z", [rows(index)], steps=[step], name=f"dump.{step}.lammpstrj")
        if packed:
            path.with_suffix(".lammpstrj.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    traj = read(str(tmp_path / "dump.*"), **METAL, species="Li", precision="float64")
    assert np.allclose(traj.time, np.array(steps) * 1e-3)
    assert np.allclose(traj.scaled_positions[:, 0, 0] * 10, 1 + 0.01 * np.arange(6))
    # in the order in which a shell would list them it is the same run
    listed = read(sorted(tmp_path.glob("dump.*")), **METAL, species="Li", precision="float64")
    assert np.array_equal(listed.scaled_positions, traj.scaled_positions)


def test_frames_at_steps_of_powers_of_two_in_one_file_or_in_many(dump, tmp_path):
    steps = [0, *(2**k for k in range(9))]
    one = read(dump("id x y z", [rows(t) for t in range(10)], steps=steps, name="all.lammpstrj"), **METAL, species="Li")
    for t, step in enumerate(steps):
        dump("id x y z", [rows(t)], steps=[step], name=f"log.{step}.dump")
    many = read(str(tmp_path / "log.*.dump"), **METAL, species="Li")
    assert np.array_equal(one.time, many.time)
    assert np.array_equal(one.scaled_positions, many.scaled_positions)
    assert not one.is_even


def test_some_of_the_atoms_keep_their_ids_and_are_named_by_the_data_file_of_all(dump, data_file):
    path = dump("id x y z", [rows(t, (5, 1, 3)) for t in range(3)])
    traj = read(path, **METAL, topology=data_file, precision="float64")
    assert traj.ids.tolist() == [1, 3, 5]
    assert traj.species.tolist() == ["Li", "Li", "S"]
    assert np.allclose(traj.masses, [6.941, 6.941, 32.06])
    assert np.allclose(traj.scaled_positions[2, :, 0] * 10, np.array([1, 3, 5]) + 0.02)


def test_types_of_some_of_the_atoms_are_named_by_the_data_file(dump, data_file):
    path = dump("id type x y z", [[[n, 1 + 2 * (n > 3), *row[1:]] for n, row in zip((1, 3, 4), rows(t, (1, 3, 4)), strict=True)] for t in range(2)])
    named = read(path, **METAL, species={1: "Li", 3: "P"})
    assert named.species.tolist() == ["Li", "Li", "P"]
    assert read(path, **METAL, topology=data_file).species.tolist() == ["Li", "Li", "P"]


def test_an_element_column_needs_no_table_and_a_sublattice_may_be_named_by_type(dump):
    table = [[[n, 1 + n % 2, "Li", n + 0.01 * t, 2.0, 3.0] for n in (1, 2, 3, 4)] for t in range(2)]
    path = dump("id type element x y z", table)
    assert read(path, **METAL).species.tolist() == ["Li"] * 4
    assert read(path, **METAL, species={1: "Li_oct", 2: "Li_tet"}).species.tolist() == ["Li_tet", "Li_oct", "Li_tet", "Li_oct"]


def test_some_of_the_atoms_change_from_frame_to_frame(dump):
    path = dump("id x y z", [rows(0, (1, 2)), rows(1, (1, 3))])
    with pytest.raises(TrajectoryError, match=r"frame 1 \(step 10\) holds atom id 3 which the first frame has not; dump a group whose atoms never"):
        read(path, **METAL, species="Li")


def test_ids_beyond_32_bits_are_told_apart(dump):
    big = 2**40
    path = dump("id x y z", [[[big + n, n + 1.0, 2.0, 3.0] for n in (2, 0, 1)] for _ in range(2)], form="{:.17g}")
    traj = read(path, **METAL, species="Li")
    assert traj.ids.tolist() == [big, big + 1, big + 2]
    assert np.allclose(traj.scaled_positions[0, :, 0] * 10, [1, 2, 3])


def test_columns_in_any_order_and_others_between_them(dump):
    one = dump("id x y z ix iy iz vx vy vz", [[[1, 9.5, 2, 3, 1, 0, -1, 7, 8, 9]] for _ in range(2)], name="a.lammpstrj")
    other = dump("vz c_pe[1] iz z id fx vy x iy v_a ix y vx", [[[9, 0, -1, 3, 1, 0, 8, 9.5, 0, 5, 1, 2, 7]] for _ in range(2)], name="b.lammpstrj")
    first, second = (read(path, **METAL, species="Li", precision="float64") for path in (one, other))
    assert np.array_equal(first.scaled_positions, second.scaled_positions)
    assert np.array_equal(first.velocities, second.velocities)
    assert first.velocities[0, 0].tolist() == [7, 8, 9]


@pytest.mark.parametrize("number", [2, 3])
def test_files_of_one_processor_each_are_refused_with_what_to_write(number, dump):
    """`dump ... run.%` writes a file for each processor, with its part of every frame."""
    dump("id x y z", [rows(t, (1, 2, 3)) for t in range(3)], name="run.0")
    other = dump("id x y z", [rows(t, (4, 5, 6)[:number]) for t in range(3)], name="run.1")
    with pytest.raises(TrajectoryError, match=r"one processor each.*dump without % in the name|dump without % in the name: each of them"):
        read([other.with_name("run.0"), other], **METAL, species="Li")
