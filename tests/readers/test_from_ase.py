"""Lists of ase.Atoms and what ASE reads."""

import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from ase.units import fs

from mdtools.errors import TrajectoryError
from mdtools.readers import read


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    cell = np.array([[6, 0, 0], [2, 6, 0], [1, 2, 6.0]])
    path = rng.uniform(0, 1, (1, 4, 3)) + np.cumsum(rng.uniform(-0.2, 0.2, (9, 4, 3)), axis=0)
    out = []
    for frame in path:
        atoms = Atoms("LiLiSS", scaled_positions=frame - np.floor(frame), cell=cell, pbc=True)
        atoms.set_velocities(rng.normal(size=(4, 3)) * 0.01)
        out.append(atoms)
    return out, path


def test_a_list_of_atoms_is_a_run(images):
    atoms, path = images
    traj = read(atoms, frame_interval="2 fs", temperature=300, precision="float64")
    assert np.allclose(traj.scaled_positions, path - np.floor(path[0]))
    assert traj.frame_interval == pytest.approx(0.002)
    assert traj.species.tolist() == ["Li", "Li", "S", "S"]
    assert traj.temperature == 300
    assert traj.charges is None
    # ASE: 1 fs is 0.098 of its units of time
    assert np.allclose(traj.velocities, np.array([a.get_velocities() for a in atoms]) * fs * 1000)


def test_initial_charges_are_taken_where_there_are_any(images):
    atoms, _ = images
    for one in atoms:
        one.set_initial_charges([1, 1, -1, -1])
    assert read(atoms, frame_interval=1).charges.tolist() == [1, 1, -1, -1]


def test_momenta_that_are_all_zero_are_not_velocities(images):
    atoms, _ = images
    for one in atoms:
        one.set_momenta(np.zeros((4, 3)))
    traj = read(atoms, frame_interval=1)
    assert traj.velocities is None
    assert "all momenta are zero, so they are taken as not stored" in traj.notes


def test_one_atoms_object_is_a_run_of_one_frame(images):
    assert read(images[0][0]).n_frames == 1


@pytest.mark.parametrize("name", ["run.extxyz", "run.traj", "run.extxyz.gz", "run.extxyz.xz"])
def test_files_of_ase_give_what_the_list_gives(name, images, tmp_path):
    atoms, _ = images
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(tmp_path / name, atoms)
    one, two = read(atoms, frame_interval=0.1, precision="float64"), read(tmp_path / name, frame_interval=0.1, precision="float64")
    assert np.allclose(one.scaled_positions, two.scaled_positions, atol=1e-7)
    assert np.allclose(one.velocities, two.velocities, atol=1e-5)


def test_velocities_of_unknown_units_are_left_out_and_said(caf2):
    path = caf2 / "lammps.extxyz.gz"
    traj = read(path, frame_interval=1, end=3)
    assert traj.velocities is None
    assert any("the array vel is left out" in note and "units='metal'" in note for note in traj.notes)
    told = read(path, frame_interval=1, end=3, units="metal")
    dump = read(caf2 / "allcolumns.lammpstrj.gz", units="metal", timestep=0.001, end=3)
    assert np.abs(told.velocities - dump.velocities).max() < 2e-4


def test_a_wrapped_file_with_sparse_frames_is_refused(caf2):
    with pytest.raises(TrajectoryError, match=r"lammps.extxyz.gz: frame 17 .step 17000.: atom id 57 .* too far to tell its image"):
        read(caf2 / "lammps.extxyz.gz", frame_interval=1)


def test_a_file_without_a_cell_is_refused(tmp_path, images):
    write(tmp_path / "plain.xyz", images[0], format="xyz")
    with pytest.raises(TrajectoryError, match="has no cell"):
        read(tmp_path / "plain.xyz", frame_interval=1)


def test_windows_line_ends_are_read(files):
    assert read(files / "other" / "extxyz" / "extended_crlf.xyz").n_atoms == 2


@pytest.mark.parametrize("name", ["run.traj", "run.extxyz", None])
def test_times_in_info_are_taken_where_they_say_their_unit(name, images, tmp_path):
    atoms, _ = images
    for number, one in enumerate(atoms):
        one.info["time_fs"] = 2.0 * number
        one.info["step"] = 4 * number

    def stored():
        if name:
            write(tmp_path / name, atoms)
        return tmp_path / name if name else atoms

    assert read(stored()).frame_interval == pytest.approx(0.002)
    for one in atoms:
        one.info["time"] = one.info.pop("time_fs")
    with pytest.raises(TrajectoryError, match="how long a step is"):
        read(stored())
    assert read(stored(), timestep="1 fs").frame_interval == pytest.approx(0.004)
    assert read(stored(), units="real").frame_interval == pytest.approx(0.002)
