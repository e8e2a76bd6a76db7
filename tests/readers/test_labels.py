"""Who the atoms are: from the file, a topology or the user, and the history says which."""

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.lammps_data import read_lammps_data

ROWS = [[2, 2, 5.0, 5.0, 5.0], [1, 1, 1.0, 1.0, 1.0], [3, 2, 7.0, 7.0, 7.0]]
TIME = {"units": "metal", "timestep": 0.001}


@pytest.mark.parametrize("species", [{1: "Li", 2: "S"}, {"1": "Li", "2": "S", "3": "P"}, "1=Li,2=S", ["Li", "S", "S"], np.array(["Li", "S", "S"])])
def test_species_may_be_said_in_many_ways(species, dump):
    traj = read(dump("id type x y z", [ROWS] * 2), species=species, **TIME)
    assert traj.species.tolist() == ["Li", "S", "S"]
    assert traj.ids.tolist() == [1, 2, 3]
    assert np.allclose(traj.scaled_positions[0, :, 0], [0.1, 0.5, 0.7])


def test_one_label_holds_for_all_atoms(dump):
    assert read(dump("id x y z", [[[1, 1.0, 1.0, 1.0]]] * 2), species="Al", **TIME).species.tolist() == ["Al"]


def test_elements_of_the_file_may_be_renamed(dump):
    rows = [[1, "Li", 1.0, 1.0, 1.0], [2, "S", 5.0, 5.0, 5.0]]
    assert read(dump("id element x y z", [rows] * 2), **TIME).species.tolist() == ["Li", "S"]
    assert read(dump("id element x y z", [rows] * 2), species={"Li": "Li_tet"}, **TIME).species.tolist() == ["Li_tet", "S"]


def test_types_name_sublattices_of_one_element(dump):
    rows = [[1, 1, "Li", 1.0, 1.0, 1.0], [2, 2, "Li", 5.0, 5.0, 5.0]]
    traj = read(dump("id type element x y z", [rows] * 2), species={1: "Li_a", 2: "Li_b"}, **TIME)
    assert traj.species.tolist() == ["Li_a", "Li_b"]


def test_a_type_table_is_no_contradiction_where_the_file_has_elements(dump):
    rows = [[1, "Li", 1.0, 1.0, 1.0]]
    assert read(dump("id element x y z", [rows] * 2), species={1: "Li", 2: "S"}, **TIME).species.tolist() == ["Li"]


@pytest.mark.parametrize("name", ["equil.restricted.data", "equil.general.data"])
def test_a_data_file_gives_elements_masses_and_charges(name, caf2):
    traj = read(caf2 / "wrapped_image.lammpstrj.gz", topology=caf2 / name, **TIME)
    assert {label: len(traj.indices(label)) for label in traj.species_names} == {"Ca": 125, "F": 250}
    assert set(traj.charges[traj.indices("Ca")]) == {2.0}
    assert np.allclose(traj.masses[traj.indices("F")], 18.998403)
    assert "elements by mass from the topology: 1=Ca, 2=F" in traj.notes
    assert traj.history[0]["species"].startswith("from topology")


def test_a_data_file_names_the_atoms_of_a_dump_of_some_of_them(caf2):
    traj = read(caf2 / "velF_every5.lammpstrj.gz", topology=caf2 / "equil.restricted.data", **TIME)
    assert traj.species_names == ["F"]


def test_elements_in_comments_beat_masses(files):
    topology = read_lammps_data(files / "lammps" / "data" / "Na_bdp_unsym_0.lmp.gz")
    assert len(topology.ids) == 10680
    assert topology.types == {"1": "Na", "2": "Al", "3": "O", "4": "Mg"}
    assert topology.charges is not None


def test_a_dump_of_a_molecular_crystal_is_named_by_its_data_file(files):
    lammps = files / "lammps"
    traj = read(lammps / "dump" / "dump.tatb", topology=lammps / "data" / "tatb.data", units="real")
    assert sorted(traj.species_names) == ["C", "H", "N", "O"]
    assert traj.n_atoms == 384


def write_data(tmp_path, atoms, masses="1 1.0\n2 1.0", style=""):
    path = tmp_path / "some.data"
    head = f"comment\n\n{len(atoms)} atoms\n2 atom types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\nMasses\n\n{masses}\n\n"
    path.write_text(head + f"Atoms{style}\n\n" + "\n".join(atoms) + "\n\nVelocities\n\n1 0 0 0\n")
    return path


def test_a_mass_of_one_is_not_hydrogen(tmp_path, dump):
    path = write_data(tmp_path, ["2 1 1.0 1.0 1.0", "1 2 2.0 2.0 2.0"], style=" # atomic")
    topology = read_lammps_data(path)
    assert topology.labels is None
    assert topology.type_of.tolist() == ["2", "1"]
    rows = [[1, 1.0, 1.0, 1.0], [2, 1.0, 1.0, 1.0]]
    with pytest.raises(TrajectoryError, match=r"types 1, 2, and nothing says what 1, 2 are.*--species 1=...,2=..."):
        read(dump("id x y z", [rows] * 2), topology=path, **TIME)
    assert read(dump("id x y z", [rows] * 2), topology=path, species={1: "A", 2: "B"}, **TIME).species.tolist() == ["B", "A"]


def test_the_style_of_a_data_file_is_told_or_evident_or_refused(tmp_path):
    assert read_lammps_data(write_data(tmp_path, ["1 2 1.0 1.0 1.0 0 -1 0"])).charges is None
    assert read_lammps_data(write_data(tmp_path, ["1 7 2 -0.5 1.0 1.0 1.0"])).charges.tolist() == [-0.5]
    with pytest.raises(TrajectoryError, match=r"atom style is not said .* Atoms # charge"):
        read_lammps_data(write_data(tmp_path, ["1 2 -0.5 1.0 1.0 1.0"]))
    assert read_lammps_data(write_data(tmp_path, ["1 2 -0.5 1.0 1.0 1.0"], style=" # charge")).charges.tolist() == [-0.5]


def test_a_structure_file_is_a_topology_too(tmp_path, dump):
    from ase.build import bulk
    from ase.io import write

    write(tmp_path / "POSCAR", bulk("NaCl", "rocksalt", a=5.64))
    rows = [[1, 1.0, 1.0, 1.0], [2, 3.0, 3.0, 3.0]]
    assert read(dump("id x y z", [rows] * 2), topology=tmp_path / "POSCAR", **TIME).species.tolist() == ["Na", "Cl"]


def test_what_the_user_says_beats_the_file_and_is_noted(caf2, metal):
    traj = read(caf2 / "allcolumns.lammpstrj.gz", **metal, charges={"Ca": 1.5, "F": -0.75}, masses="Ca=40,F=19", end=2)
    assert traj.charges[:2].tolist() == [1.5, -0.75]
    assert traj.masses[:2].tolist() == [40, 19]
    told = "charges= was given and beats the column of the file: Ca +1.5 (file +2), F -0.75 (file -1); sum +0 e (file +0 e)"
    assert told in traj.notes
    assert "masses= was given and beats the column of the file" in traj.notes


def test_a_framework_may_be_left_out_of_the_charges(caf2, metal):
    traj = read(caf2 / "allcolumns.lammpstrj.gz", **metal, charges={"F": -1}, framework="Ca", end=2)
    assert sorted(set(traj.charges.tolist())) == [-1.0, 0.0]
    with pytest.raises(TrajectoryError, match="charges= has none for Ca"):
        read(caf2 / "allcolumns.lammpstrj.gz", **metal, charges={"F": -1}, end=2)


def test_charges_that_change_are_kept_for_every_frame(dump):
    frames = [[[1, 1, 1.0, 1.0, 1.0, 0.5 + 0.1 * (t > 3) * t]] for t in range(8)]
    traj = read(dump("id type x y z q", frames), species={1: "Li"}, **TIME)
    assert traj.charges.shape == (8, 1)
    assert np.allclose(traj.charges[:, 0], [0.5, 0.5, 0.5, 0.5, 0.9, 1.0, 1.1, 1.2])
    assert "charges change with time and are kept for every frame" in traj.notes


def test_masses_come_from_symbols_only_where_all_labels_are_symbols(dump):
    path = dump("id type x y z", [ROWS] * 2)
    assert np.allclose(read(path, species="1=Li,2=S", **TIME).masses, [6.94, 32.06, 32.06])
    assert read(path, species="1=Li_tet,2=S", **TIME).masses is None


def test_born_tensors_may_be_given(dump):
    tensors = np.tile(np.eye(3), (3, 1, 1))
    assert read(dump("id type x y z", [ROWS] * 2), species="1=Li,2=S", charges=tensors, **TIME).charges.shape == (3, 3, 3)


def test_reduced_units_stay_reduced_and_no_mass_is_assumed(dump):
    rows = [[1, 1, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0]]
    traj = read(dump("id type x y z vx vy vz", [rows] * 2), species={1: "H"}, units="lj", timestep=0.005)
    assert traj.reduced
    assert traj.masses is None
    assert traj.velocities[0, 0, 0] == 0.5
    assert np.allclose(traj.time, [0, 0.05])


@pytest.mark.parametrize(
    ("units", "length", "velocity"), [("real", 1, 1000), ("nano", 10, 0.01), ("si", 1e10, 0.01), ("electron", 0.529177210544, 529.177210544)]
)
def test_every_unit_system_is_converted_at_the_door(units, length, velocity, dump):
    rows = [[1, 1, 1.0, 1.0, 1.0, 2.0, 0.0, 0.0]]
    traj = read(dump("id type x y z vx vy vz", [rows] * 2), species={1: "Li"}, units=units, timestep="1 fs")
    assert np.allclose(traj.cell[0], np.eye(3) * 10 * length)
    assert traj.velocities[0, 0, 0] == pytest.approx(2 * velocity, rel=1e-4)
    assert np.allclose(traj.time, [0, 0.01])


def test_the_history_says_what_was_understood(caf2, metal):
    (step,) = read(caf2 / "allcolumns.lammpstrj.gz", **metal, framework="Ca", temperature=1500, begin=4, stride=2).history
    assert step["step"] == "read"
    assert step["source"].endswith("allcolumns.lammpstrj.gz")
    assert step["frame_interval"] == pytest.approx(2.0)
    assert (step["units"], step["positions"], step["begin"], step["stride"]) == ("metal", "xu yu zu", 4, 2)
    assert (step["framework"], step["temperature"], step["timestep"]) == (["Ca"], 1500, 0.001)
    assert (step["n_frames"], step["n_atoms"], step["velocities"]) == (9, 375, True)
    import json

    assert json.loads(json.dumps(step)) == step
