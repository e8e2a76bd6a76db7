"""vaspout.h5: files of the same layout written here (a real one holds a licensed POTCAR, which nothing may touch)."""

import h5py
import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read

SCALE = 2.0
TAGS = {"IBRION": 0, "NSW": 100, "NBLOCK": 1, "POTIM": 2.0, "TEBEG": 500.0, "SMASS": 0.0}


@pytest.fixture
def path_of_ions():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (1, 3, 3)) + np.cumsum(rng.uniform(-0.01, 0.01, (12, 3, 3)), axis=0)


@pytest.fixture
def vaspout(tmp_path, path_of_ions):
    def write(*, tags=TAGS, velocities=None, atoms="results/positions", name="vaspout.h5", positions=path_of_ions, cells=None):
        target = tmp_path / name
        with h5py.File(target, "w") as file:
            for key, value in tags.items():
                file[f"input/incar/{key}"] = value
            file["input/potcar/content"] = b"a licensed potential"
            file[f"{atoms}/ion_types"] = np.array([b"Li", b"S_pv"])
            file[f"{atoms}/number_ion_types"] = np.array([2, 1])
            steps = file.create_group("intermediate/ion_dynamics")
            steps["scale"] = SCALE
            steps["position_ions"] = positions
            steps["lattice_vectors"] = np.tile(np.diag([3.0, 4.0, 5.0]), (len(positions), 1, 1)) if cells is None else cells
            if velocities is not None:
                steps["ion_velocities"] = velocities
        return target

    return write


def test_positions_cells_time_and_atoms(vaspout, path_of_ions):
    traj = read(vaspout(), precision="float64")
    assert np.allclose(traj.scaled_positions, path_of_ions - np.floor(path_of_ions[0]), atol=1e-12)
    assert np.allclose(traj.cell, np.diag([6.0, 8.0, 10.0]))
    assert traj.species.tolist() == ["Li", "Li", "S"]
    assert traj.frame_interval == pytest.approx(0.002)
    assert traj.temperature == 500


def test_nblock_and_ml_outblock_thin_the_frames(vaspout):
    assert read(vaspout(tags={**TAGS, "NBLOCK": 50})).frame_interval == pytest.approx(0.1)
    assert read(vaspout(tags={**TAGS, "ML_OUTBLOCK": 10})).frame_interval == pytest.approx(0.002)
    assert read(vaspout(tags={**TAGS, "ML_OUTBLOCK": 10, "ML_MODE": "run"})).frame_interval == pytest.approx(0.02)


def test_velocities_are_angstrom_per_fs_and_must_agree_with_the_positions(vaspout, path_of_ions):
    speed = np.gradient(path_of_ions, axis=0) * np.array([6.0, 8.0, 10.0]) / 2.0
    traj = read(vaspout(velocities=speed), precision="float64")
    assert np.allclose(traj.velocities, speed * 1000)
    wrong = read(vaspout(velocities=speed * 1000))
    assert wrong.velocities is None
    assert any("velocities are left out" in note for note in wrong.notes)


def test_a_killed_run_has_atoms_in_its_input_and_unwritten_frames_at_its_end(vaspout, path_of_ions):
    cells = np.tile(np.diag([3.0, 4.0, 5.0]), (12, 1, 1))
    cells[9:] = 0
    traj = read(vaspout(atoms="input/poscar", cells=cells))
    assert traj.n_frames == 9
    assert any("the last 3 frames were not written and are dropped" in note for note in traj.notes)


def test_the_potcar_is_not_read(vaspout, monkeypatch):
    path, seen, get = vaspout(), [], h5py.Group.__getitem__

    def watched(group, name):
        seen.append(str(name))
        return get(group, name)

    monkeypatch.setattr(h5py.Group, "__getitem__", watched)
    traj = read(path)
    assert seen
    assert not any("potcar" in name.lower() or name == "input" for name in seen)
    assert "licensed" not in repr(traj.history)


def test_a_file_without_steps_or_atoms_is_refused(vaspout, tmp_path):
    empty = tmp_path / "vaspout.h5"
    with h5py.File(empty, "w") as file:
        file["version/major"] = 6
    with pytest.raises(TrajectoryError, match="holds no ionic steps"):
        read(empty)
    with pytest.raises(TrajectoryError, match="does not say what its atoms are"):
        read(vaspout(atoms="elsewhere"))
    with pytest.raises(TrajectoryError, match="are not those of 3 atoms"):
        read(vaspout(positions=np.zeros((4, 5, 3))))


def test_a_file_cut_anywhere_is_refused_by_its_name(vaspout):
    path = vaspout()
    content = path.read_bytes()
    for cut in np.random.default_rng(0).integers(1, len(content) - 1, 25).tolist():
        path.write_bytes(content[:cut])
        with pytest.raises(TrajectoryError, match=r"vaspout\.h5"):
            read(path)


def test_a_packed_one_is_refused(vaspout):
    import gzip

    path = vaspout()
    packed = path.with_name("vaspout.h5.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(TrajectoryError, match="unpack it first"):
        read(packed)
