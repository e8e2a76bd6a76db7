"""Every dump form of one run is one trajectory, to the precision it was printed with."""

import json

import numpy as np
import pytest

from mdtools.readers import read
from mdtools.readers.lammps_dump import read_dump


@pytest.fixture(scope="module")
def best(caf2, metal):
    """The form with ten digits, every ps."""
    return read(caf2 / "allcolumns.lammpstrj.gz", **metal, precision="float64")


@pytest.fixture(scope="module")
def run(caf2):
    """All 101 frames."""
    return read(caf2 / "unwrapped_element.lammpstrj", units="metal", timestep=0.001, precision="float64")


def cartesian_msd(traj, species):
    paths = traj.scaled_positions[:, traj.indices(species)].astype(np.float64)
    path = np.einsum("tai,tij->taj", paths, traj.cell)
    return np.mean(np.sum((path[-1] - path[0]) ** 2, axis=-1))


FORMS = {
    "wrapped_image.lammpstrj.gz": (101, 2e-4),
    "scaled_image_charge.lammpstrj.gz": (101, 2e-4),
    "unwrapped_element.lammpstrj.zst": (101, 1e-9),
    "unwrapped_element.lammpstrj": (101, 1e-9),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_dump_form_gives_the_trajectory_of_the_run(name, caf2, metal, run, distances):
    n_frames, tolerance = FORMS[name]
    traj = read(caf2 / name, **metal, precision="float64")
    assert traj.n_frames == n_frames
    assert np.allclose(traj.cell, run.cell, atol=1e-12)
    assert np.allclose(traj.time, run.time)
    assert traj.species.tolist() == run.species.tolist()
    assert distances(traj.scaled_positions - run.scaled_positions, run.cell[0]).max() < tolerance


def test_the_run_with_ten_digits_is_the_run_with_six(best, run, distances):
    assert distances(best.scaled_positions - run.scaled_positions[::5], run.cell[0]).max() < 2e-4


def test_units_and_time_are_taken_from_the_header(caf2, best, distances):
    traj = read(caf2 / "header_units_time.lammpstrj.gz", species={1: "Ca", 2: "F"}, precision="float64")
    assert np.array_equal(traj.time, np.arange(21.0))
    assert traj.history[0]["units"] == "metal"
    assert distances(traj.scaled_positions - best.scaled_positions, best.cell[0]).max() < 2e-4
    assert np.abs(traj.velocities - best.velocities).max() < 2e-4


def test_general_triclinic_is_the_same_run_rotated(caf2, best):
    traj = read(caf2 / "general_triclinic.lammpstrj.gz", units="metal", timestep=0.001, precision="float64")
    metric = traj.cell @ traj.cell.transpose(0, 2, 1)
    assert np.allclose(metric, best.cell @ best.cell.transpose(0, 2, 1), atol=1e-9)
    assert not np.allclose(traj.cell, best.cell)
    # scaled coordinates know nothing of rotations
    assert np.abs(traj.scaled_positions - best.scaled_positions).max() < 1e-5
    rotation = np.linalg.solve(best.cell[0], traj.cell[0])
    assert np.allclose(best.velocities @ rotation, traj.velocities, atol=2e-4)


def test_log_spaced_frames_keep_their_times(caf2, metal, run, distances):
    traj = read(caf2 / "logspaced.lammpstrj.gz", **metal, precision="float64")
    assert traj.n_frames == 39
    assert not traj.is_even
    shared = [(i, j) for i, t in enumerate(traj.time) for j, u in enumerate(run.time) if abs(t - u) < 1e-9]
    assert len(shared) > 5
    for i, j in shared:
        assert distances(traj.scaled_positions[i] - run.scaled_positions[j], run.cell[0]).max() < 2e-4


@pytest.mark.parametrize("name", ["wrapped.dcd", "unwrapped.dcd", "wrapped.xtc", "unwrapped.xtc"])
def test_binary_forms_give_the_run_up_to_the_origin_they_lack(name, caf2, run, distances):
    clock = {"timestep": "1 fs"} if name.endswith("dcd") else {}
    traj = read(caf2 / name, topology=caf2 / "equil.restricted.data", **clock, precision="float64")
    assert np.allclose(traj.time, run.time, atol=1e-4)
    assert traj.species.tolist() == run.species.tolist()
    assert np.allclose(traj.cell, run.cell, atol=2e-3)
    moved, true = (t.scaled_positions - t.scaled_positions[0] for t in (traj, run))
    assert distances(moved - true, run.cell[0]).max() < (2e-3 if name.endswith("dcd") else 2e-2)


def test_files_of_one_step_each_are_put_in_the_order_of_their_steps(caf2, run, distances):
    forward = read(str(caf2 / "perstep" / "*.dump"), units="metal", timestep=0.001, precision="float64")
    backward = read(sorted((caf2 / "perstep").iterdir(), reverse=True), units="metal", timestep=0.001, precision="float64")
    assert np.array_equal(forward.time, [0, 4, 8, 12, 16, 20])
    assert np.array_equal(forward.scaled_positions, backward.scaled_positions)
    assert distances(forward.scaled_positions - run.scaled_positions[::20], run.cell[0]).max() < 2e-4


def test_velocities_alone_are_a_trajectory_without_positions(caf2, best):
    traj = read(caf2 / "velF_every5.lammpstrj.gz", units="metal", timestep=0.001, species="F", precision="float64")
    assert traj.scaled_positions is None
    assert traj.velocities.shape == (401, 250, 3)
    assert traj.frame_interval == pytest.approx(0.005)
    assert np.abs(traj.velocities[200] - best.velocities[1, best.indices("F")]).max() < 2e-4


def test_charges_are_read_and_kept_once_per_atom(caf2, metal):
    traj = read(caf2 / "scaled_image_charge.lammpstrj.gz", **metal)
    assert traj.charges.shape == (375,)
    assert set(traj.charges[traj.indices("Ca")]) == {2.0}
    assert set(traj.charges[traj.indices("F")]) == {-1.0}
    assert traj.history[0]["charges"] == "from the file"


def test_masses_are_read_where_the_file_has_them(best):
    assert np.allclose(best.masses[best.indices("Ca")], 40.078)
    assert best.history[0]["masses"] == "from the file"


def test_first_frame_lies_in_the_cell_and_paths_leave_it(run):
    assert run.scaled_positions[0].min() >= 0
    assert run.scaled_positions[0].max() < 1
    assert run.scaled_positions.max() > 1.1


@pytest.mark.parametrize("name", ["wrapped_image.lammpstrj.gz", "unwrapped_element.lammpstrj", "scaled_image_charge.lammpstrj.gz"])
def test_displacement_is_what_lammps_computed(name, caf2, metal, files):
    expected = json.loads((files / "EXPECTED.json").read_text())["caf2_nvt"]
    traj = read(caf2 / name, **metal)
    assert traj.n_frames == expected["frames"]
    assert traj.frame_interval == pytest.approx(expected["frame_spacing_ps"])
    assert cartesian_msd(traj, "F") == pytest.approx(expected["msd_F_lag_20ps_A2"], rel=5e-6)
    assert cartesian_msd(traj, "Ca") == pytest.approx(expected["msd_Ca_lag_20ps_A2"], rel=1e-4)


def test_velocities_have_the_size_lammps_computed(best, files):
    expected = json.loads((files / "EXPECTED.json").read_text())["caf2_nvt"]
    assert np.mean(np.sum(best.velocities[0, best.indices("F")] ** 2, axis=-1)) == pytest.approx(expected["vacf_F_t0_A2ps-2"], rel=1e-5)
    current = np.einsum("a,ax->x", best.charges, best.velocities[1])
    assert np.allclose(current, expected["charge_current_step1000_eA/ps"], atol=2e-4)


def test_two_forms_of_a_run_with_changing_cell_agree(caf2, metal, files):
    by_image = read(caf2 / "npt_scaled_image.lammpstrj.gz", **metal, precision="float64")
    unwrapped = read(caf2 / "npt_unwrapped_element.lammpstrj.gz", units="metal", timestep=0.001, precision="float64")
    assert not by_image.fixed_cell
    assert np.allclose(by_image.cell, unwrapped.cell)
    assert np.abs(by_image.scaled_positions - unwrapped.scaled_positions).max() < 1e-5


@pytest.mark.parametrize("name", ["npt_scaled_image.lammpstrj.gz", "npt_unwrapped_element.lammpstrj.gz"])
def test_cells_and_moving_origin_give_the_displacement_of_lammps(name, caf2, files):
    expected = json.loads((files / "EXPECTED.json").read_text())["caf2_npt"]
    frames = read_dump(caf2 / name)
    assert frames.n_frames == expected["frames"]
    # LAMMPS multiplies image flags with the cell of their own time, from the image an atom started in
    scaled = frames.load(np.array([0, frames.n_frames - 1])).scaled
    first, last = (s @ frames.cell[t] + frames.origin[t] for s, t in zip(scaled, (0, -1), strict=True))
    fluorine = np.isin(frames.labels, ["2", "F"])
    msd = np.mean(np.sum((last - first)[fluorine] ** 2, axis=-1))
    assert msd == pytest.approx(expected["msd_F_lag_5ps_A2_LAMMPS"], rel=1e-5)


def test_nearest_image_agrees_with_image_flags_where_frames_are_dense(caf2, metal, run, tmp_path, distances):
    import gzip

    text = gzip.decompress((caf2 / "wrapped_image.lammpstrj.gz").read_bytes()).decode()
    bare = tmp_path / "bare.lammpstrj"
    bare.write_text(text.replace("ITEM: ATOMS id type x y z ix iy iz", "ITEM: ATOMS id type x y z a b c"))
    traj = read(bare, **metal, precision="float64")
    assert traj.history[0]["unwrapping"] == "nearest image"
    assert distances(traj.scaled_positions - run.scaled_positions, run.cell[0]).max() < 3e-4
