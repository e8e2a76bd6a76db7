"""What two sources say must agree, and what the user says is followed, refused or noted: never passed over."""

import numpy as np
import pytest

from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.readers import convert, read
from mdtools.trajectory import Trajectory

METAL = {"units": "metal", "timestep": "1 fs"}
ROWS = [[1, 1, 1.0, 1.0, 1.0], [2, 2, 2.0, 2.0, 2.0], [3, 2, 3.0, 3.0, 3.0]]


def data_file(tmp_path, types, masses="1 22.98976928\n2 35.45"):
    atoms = "\n".join(f"{k} {kind} {k}.0 0.0 0.0" for k, kind in enumerate(types, start=1))
    path = tmp_path / "some.data"
    head = f"comment\n\n{len(types)} atoms\n2 atom types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\n"
    path.write_text(f"{head}Masses\n\n{masses}\n\nAtoms # atomic\n\n{atoms}\n")
    return path


@pytest.fixture
def store(dump, tmp_path):
    rows = [[*row, 0.1, 0.0, 0.0] for row in ROWS]
    return convert(dump("id type x y z vx vy vz", [rows] * 6), tmp_path / "run.zarr", species="1=Na,2=Cl", **METAL)


def test_a_topology_of_other_types_is_refused(dump, tmp_path):
    path = dump("id type x y z", [ROWS] * 2)
    assert read(path, topology=data_file(tmp_path, "122"), **METAL).species.tolist() == ["Na", "Cl", "Cl"]
    with pytest.raises(TrajectoryError, match=r"contradict each other in the type of 2 atoms \(id 1: 1 and 2\).*pass the topology of this run"):
        read(path, topology=data_file(tmp_path, "212"), **METAL)


def test_a_topology_of_other_elements_is_refused(dump, tmp_path):
    rows = [[k, name, 1.0, 1.0, 1.0] for k, name in ((1, "Na"), (2, "Cl"), (3, "Cl"))]
    path = dump("id element x y z", [rows] * 2)
    assert read(path, topology=data_file(tmp_path, "122"), **METAL).species.tolist() == ["Na", "Cl", "Cl"]
    with pytest.raises(TrajectoryError, match=r"in the element of 1 atoms \(id 3: Cl and Na\)"):
        read(path, topology=data_file(tmp_path, "121"), **METAL)


def test_of_a_topology_in_another_order_at_most_the_cell_is_used(dump, tmp_path):
    rows = [[k, name, 1.0, 1.0, 1.0] for k, name in ((1, "Na"), (2, "Cl"), (3, "Cl"))]
    traj = read(dump("id element x y z", [rows] * 2), topology=data_file(tmp_path, "221"), **METAL)
    assert traj.species.tolist() == ["Na", "Cl", "Cl"]
    assert any("in another order" in note for note in traj.notes)


def test_a_topology_that_lacks_atoms_names_types_at_most(dump, tmp_path):
    traj = read(dump("id type x y z", [ROWS] * 2), topology=data_file(tmp_path, "12"), **METAL)
    assert traj.species.tolist() == ["Na", "Cl", "Cl"]
    assert any("lacks 1 of the 3 atoms" in note and "(first of them id 3)" in note for note in traj.notes)
    rows = [[row[0], *row[2:]] for row in ROWS]
    with pytest.raises(TrajectoryError, match=r"lacks 1 of the 3 atoms .* pass the topology of this run"):
        read(dump("id x y z", [rows] * 2), topology=data_file(tmp_path, "12"), species="Na", **METAL)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"temperature": "hot"}, "temperature='hot' is no temperature"),
        ({"temperature": -5}, "temperature=-5 is no temperature"),
        ({"temperature": float("nan")}, "temperature=nan is no temperature"),
        ({"pressure": "high"}, "pressure='high' is no pressure"),
        ({"gaps": "leave"}, "gaps='leave' is not known"),
        ({"unwrap": "never"}, "unwrap='never' is not known"),
        ({"precision": "int8"}, "precision='int8' is not known"),
    ],
)
def test_what_is_no_option_is_refused_of_files_and_of_stores(wrong, why, dump, store):
    with pytest.raises(TrajectoryError, match=why):
        read(dump("id type x y z", [ROWS] * 2), species="1=Na,2=Cl", **METAL, **wrong)
    with pytest.raises(TrajectoryError, match=why):
        read(store, **wrong)


def test_a_store_says_what_it_cannot_do_any_more(store):
    with pytest.raises(TrajectoryError, match="holds float32, of which precision='float64' makes no more"):
        read(store, precision="float64")
    with pytest.raises(TrajectoryError, match="a store knows its log_run already"):
        read(store, log_run=2)


def test_times_of_reduced_units_carry_none(dump, tmp_path):
    options = {"units": "lj", "timestep": 0.005, "species": "1=A,2=B"}
    path = dump("id type x y z", [ROWS] * 6)
    assert read(path, begin="0.1", **options).time[0] == pytest.approx(0.1)
    with pytest.raises(TrajectoryError, match=r"in lj units a time is a number of tau; pass begin="):
        read(path, begin="0.1 ps", **options)
    with pytest.raises(TrajectoryError, match=r"in lj units a time is a number of tau"):
        read(convert(path, tmp_path / "lj.zarr", **options), end="0.1 ps")


def test_units_of_a_format_that_has_its_own_are_noted(kept_xdatcar):
    traj = read(kept_xdatcar, units="real", frame_interval=0.1, end=1)
    assert any("units=real has no say" in note for note in traj.notes)
    assert not any("has no say" in note for note in read(kept_xdatcar, frame_interval=0.1, end=1).notes)


def test_a_part_too_short_for_velocities_does_not_stop_the_others(dump):
    steps = [*range(40), *range(100, 110)]
    rng = np.random.default_rng(0)
    frames = [[[1, 1, *(1 + 0.01 * rng.random(3))], [2, 1, *(5 + 0.01 * rng.random(3))]] for _ in steps]
    path = dump("id type x y z", frames, steps=steps)
    parts = read(path, species="Li", gaps="split", velocities="positions", **METAL)
    first, second = parts.members
    assert isinstance(first, Trajectory)
    assert first.n_frames == 38
    assert isinstance(second, NotEnoughData)
    with pytest.raises(NotEnoughData, match="needs 32 frames"):
        read(path, species="Li", gaps="split", velocities="positions", begin=0.1, **METAL)
