"""Thirty-two ways in which readers of the field are known to go wrong, each on a file where one does: a test a row, by its number.

Rows whose files may not be kept here, for their licence or their size, are in test_full_matrix.py under the same numbers.
What the other readers make of the same files is measured in test_agreement.py.
"""

import gzip
import re
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import mdtools as md
from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

TIME = {"units": "metal", "timestep": 0.001}
F_AT_20_PS = 39.9200  # angstrom^2, LAMMPS compute msd
F_NPT_AT_5_PS = 12.3892


def last_msd(traj, species="F"):
    path = np.asarray(traj.scaled_positions, dtype=np.float64)[[0, -1]][:, traj.indices(species)]
    moved = path[1] @ traj.cell[-1] - path[0] @ traj.cell[0]
    return np.mean(np.sum(moved**2, axis=-1))


def temperature(traj, frame):
    """Kinetic temperature of 3 N - 3 degrees of freedom, as LAMMPS counts them."""
    kinetic = (traj.masses[:, None] * np.asarray(traj.velocities[frame], dtype=np.float64) ** 2).sum() * KINETIC_TO_EV
    return kinetic / ((3 * traj.n_atoms - 3) * BOLTZMANN)


def test_01_image_flags_of_a_triclinic_cell_are_cell_vectors(caf2, metal):
    assert last_msd(read(caf2 / "wrapped_image.lammpstrj.gz", **metal)) == pytest.approx(F_AT_20_PS, rel=5e-6)  # not 94.52


def test_02_image_flags_are_added_to_scaled_columns_as_they_are(caf2, metal):
    assert last_msd(read(caf2 / "scaled_image_charge.lammpstrj.gz", **metal)) == pytest.approx(F_AT_20_PS, rel=5e-6)  # not 1e5 times that


def test_03_images_are_not_added_to_columns_that_are_unwrapped(caf2):
    assert last_msd(read(caf2 / "allcolumns.lammpstrj.gz", **TIME)) == pytest.approx(F_AT_20_PS, rel=5e-6)  # not 329.3


def test_04_image_flags_are_used_without_being_asked(caf2, metal):
    traj = read(caf2 / "wrapped_image.lammpstrj.gz", **metal)
    assert (traj.history[0]["positions"], traj.history[0]["unwrapping"]) == ("x y z ix iy iz", "by the file")
    assert last_msd(traj) < 1.001 * F_AT_20_PS  # not 149.3


def test_05_time_is_step_times_timestep_in_every_attribute(caf2, metal):
    traj = read(caf2 / "wrapped_image.lammpstrj.gz", **metal)
    assert np.allclose(traj.time[:3], [0, 0.2, 0.4])
    assert traj.frame_interval == pytest.approx(0.2)
    assert traj.time[-1] - traj.time[0] == pytest.approx(20)
    with pytest.raises(TrajectoryError, match="timestep"):
        read(caf2 / "wrapped_image.lammpstrj.gz", units="metal", species={1: "Ca", 2: "F"})


def test_06_the_moving_origin_of_a_cell_is_not_subtracted_from_unwrapped_atoms(caf2, metal):
    for name in ("npt_scaled_image.lammpstrj.gz", "npt_unwrapped_element.lammpstrj.gz"):
        traj = read(caf2 / name, **metal, unwrap="lattice", precision="float64")
        path = np.einsum("tai,tij->taj", traj.scaled_positions, traj.cell) + traj.origin[:, None]
        moved = (path[-1] - path[0])[traj.indices("F")]
        assert np.mean(np.sum(moved**2, axis=-1)) == pytest.approx(F_NPT_AT_5_PS, rel=1e-5)  # not 12.406


def test_07_velocities_in_units_real_are_converted(files):
    path = files / "lammps" / "AlN_npt_triclinic" / "lmp.out.dump.gz"
    told = {"timestep": 0.001, "species": {1: "Al", 2: "N"}}
    metal, real = (read(path, units=units, **told).velocities for units in ("metal", "real"))
    assert np.allclose(real, 1000 * metal, rtol=1e-6)  # angstrom/fs, not angstrom/ps


@pytest.mark.parametrize("name", ["header_units_time.lammpstrj.gz", "general_triclinic.lammpstrj.gz", "unwrapped_element.lammpstrj.zst"])
def test_08_headers_general_triclinic_and_packings_are_read(name, caf2, metal):
    assert last_msd(read(caf2 / name, **metal)) == pytest.approx(F_AT_20_PS, rel=5e-6)


def test_08_velocities_alone_are_read(caf2):
    traj = read(caf2 / "velF_every5.lammpstrj.gz", topology=caf2 / "equil.restricted.data", **TIME)
    assert (traj.n_frames, traj.n_atoms, traj.scaled_positions) == (401, 250, None)
    assert np.mean(np.sum(np.float64(traj.velocities[0]) ** 2, axis=-1)) == pytest.approx(188.159, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "why"),
    [("noid_unsorted.lammpstrj.gz", "has no column id"), ("varying_natoms_slab.lammpstrj", "holds 140 atoms, the first frame 138")],
)
def test_08_what_cannot_be_followed_is_refused_with_the_reason(name, why, caf2, metal):
    with pytest.raises(TrajectoryError, match=why):
        read(caf2 / name, **metal)


def test_09_steps_that_a_restart_wrote_twice_are_there_once_and_said(caf2, metal):
    traj = read(caf2 / "restart_overlap.lammpstrj.gz", **metal)
    assert traj.n_frames == 41  # not 46
    assert (np.diff(traj.time) > 0).all()
    assert any("5 frames written twice" in note for note in traj.notes)


def test_10_files_of_one_step_are_put_in_the_order_of_their_steps(caf2, tmp_path):
    for path in (caf2 / "perstep").iterdir():
        step = int(path.name.split(".")[1])
        (tmp_path / f"run.{step}.dump").write_bytes(path.read_bytes())
    by_name = sorted(tmp_path.iterdir())
    assert [path.name for path in by_name][:3] == ["run.0.dump", "run.12000.dump", "run.16000.dump"]  # the trap
    for given in (by_name, str(tmp_path / "run.*.dump")):
        assert np.array_equal(read(given, **TIME).time, [0, 4, 8, 12, 16, 20])


@pytest.mark.parametrize("name", ["equil.restricted.data", "equil.general.data"])
def test_11_a_data_file_opens_a_dcd_by_its_own_comment_and_in_both_triclinic_forms(name, caf2):
    traj = read(caf2 / "wrapped.dcd", topology=caf2 / name, timestep=0.001)
    assert {label: traj.indices(label).size for label in traj.species_names} == {"Ca": 125, "F": 250}
    assert set(traj.charges.tolist()) == {2.0, -1.0}


def test_12_the_time_of_a_dcd_is_its_steps_times_the_timestep(caf2):
    traj = read(caf2 / "wrapped.dcd", topology=caf2 / "equil.restricted.data", timestep="1 fs")
    assert traj.frame_interval == pytest.approx(0.2)  # not 0.00978, not 0.0002
    with pytest.raises(TrajectoryError, match="pass timestep="):
        read(caf2 / "wrapped.dcd", topology=caf2 / "equil.restricted.data")


@pytest.mark.parametrize("name", ["forms.cdf1.nc", "forms.cdf2.nc", "forms.cdf5.nc", "forms.hdf5.nc"])
def test_13_netcdf_written_by_lammps_is_the_text_dump_of_the_run(name, files):
    folder = files / "lammps" / "forms"
    told = {"units": "metal", "timestep": 0.001, "precision": "float64"}
    text = read(folder / "forms.lammpstrj.gz", **told, **_labels(folder))
    binary = read(folder / name, **told, **_labels(folder))
    assert np.allclose(binary.time, text.time)
    assert np.abs((binary.scaled_positions - text.scaled_positions) @ text.cell[0]).max() < 2e-4


def _labels(folder):
    return {"species": {1: "Ca", 2: "F"}} if "type" in gzip.open(folder / "forms.lammpstrj.gz", "rt").read(2000) else {}


def test_15_cell_velocities_and_time_of_xyz_files_are_kept(files, unpacked_cp2k):
    gpumd = read(files / "other" / "extxyz" / "BaTiS3_gpumd_npt_first6.extxyz.gz")
    assert not gpumd.fixed_cell
    assert gpumd.frame_interval > 0
    assert gpumd.history[0]["time"] == "from the file"
    cp2k = read(unpacked_cp2k / "PROJECT-pos-1.xyz")
    assert not cp2k.fixed_cell
    assert cp2k.velocities is not None
    assert cp2k.frame_interval == pytest.approx(0.001)
    ipi = read(files / "other" / "ipi" / "ref_simulation.pos_0.xyz.gz", frame_interval=0.001)
    assert np.linalg.det(ipi.cell[0]) > 1000


@pytest.mark.parametrize(
    ("name", "n_frames"),
    [("xdatcar/XDATCAR_5", 4), ("vasprun/vasprun.md.xml.gz", 10), ("restart_chain/run1/OUTCAR.gz", 3), ("restart_chain/run1/vasprun.xml.gz", 3)],
)
def test_16_files_of_vasp_are_read(name, n_frames, files):
    assert read(files / "vasp" / name, frame_interval=0.001).n_frames == n_frames


def test_17_types_are_never_taken_for_hydrogen_and_helium(caf2, metal):
    with pytest.raises(TrajectoryError, match=r"types 1, 2, and nothing says what 1, 2 are"):
        read(caf2 / "wrapped_image.lammpstrj.gz", **TIME)
    traj = read(caf2 / "wrapped_image.lammpstrj.gz", **metal)
    assert {label: traj.indices(label).size for label in traj.species_names} == {"Ca": 125, "F": 250}  # not H125 He250
    assert np.allclose(np.unique(traj.masses), [18.998, 40.078], atol=1e-3)


def test_18_velocities_keep_their_size_whatever_the_masses_are(caf2, metal):
    path = caf2 / "header_units_time.lammpstrj.gz"
    with pytest.raises(TrajectoryError, match="pass units="):
        read(caf2 / "npt_unwrapped_element.lammpstrj.gz", timestep=0.001)
    light, heavy = (read(path, species={1: "Ca", 2: "F"}, masses=masses) for masses in (None, {"Ca": 1.0, "F": 500.0}))
    assert np.array_equal(light.velocities, heavy.velocities)
    assert temperature(light, -1) == pytest.approx(1632.83, rel=1e-5)  # not 1e-5 K


def test_19_ids_are_kept_and_frames_without_duplicate_or_whole_ones_are_not_taken(caf2, files, metal):
    traj = read(caf2 / "wrapped_image.lammpstrj.gz", **metal)
    assert np.array_equal(traj.ids, np.arange(1, 376))
    bad = files / "lammps" / "bad"
    with pytest.raises(TrajectoryError, match="holds atom id 2 twice"):
        read(bad / "atom-duplicated-id.lammpstrj", **metal)
    cut = read(bad / "truncated_last_frame.lammpstrj.gz", **metal)
    assert (cut.n_frames, cut.n_atoms) == (31, 375)  # no frame of 269 atoms
    assert "frame 31, the last, ends before its last atom" in cut.notes[0]


def test_20_scaled_columns_and_cartesian_ones_have_one_origin(caf2, metal):
    scaled = read(caf2 / "npt_scaled_image.lammpstrj.gz", **metal, precision="float64")
    cartesian = read(caf2 / "npt_unwrapped_element.lammpstrj.gz", **TIME, precision="float64")
    assert np.abs(scaled.origin).max() > 1
    assert np.array_equal(scaled.origin, cartesian.origin)
    assert np.abs(scaled.scaled_positions - cartesian.scaled_positions).max() < 1e-5


def test_21_units_and_time_of_the_header_are_used(caf2):
    traj = read(caf2 / "header_units_time.lammpstrj.gz", species={1: "Ca", 2: "F"})
    assert np.array_equal(traj.time, np.arange(21.0))
    assert (traj.history[0]["units"], traj.history[0]["time"]) == ("metal", "from the file")


def test_22_netcdf_gives_velocities_images_and_types_as_the_text_does(files):
    folder = files / "lammps" / "forms"
    told = {"units": "metal", "timestep": 0.001, "precision": "float64"} | _labels(folder)
    text, binary = read(folder / "forms.lammpstrj.gz", **told), read(folder / "forms.cdf2.nc", **told)
    assert text.species.tolist() == binary.species.tolist()
    assert (text.velocities is None) == (binary.velocities is None)
    assert text.velocities is None or np.allclose(text.velocities, binary.velocities, rtol=1e-4, atol=1e-3)


def test_23_the_array_vel_of_an_extxyz_becomes_velocities(caf2, metal):
    told = {"frame_interval": 1.0, "end": 5, "precision": "float64"}
    traj = read(caf2 / "lammps.extxyz.gz", units="metal", **told)
    true = read(caf2 / "allcolumns.lammpstrj.gz", **TIME, end=5, precision="float64")
    assert np.abs(traj.velocities - true.velocities).max() < 2e-4
    without = read(caf2 / "lammps.extxyz.gz", **told)
    assert without.velocities is None
    assert any("nothing says its units" in note for note in without.notes)


def test_24_a_packed_extxyz_takes_hardly_longer_than_a_plain_one(files, tmp_path):
    packed = files / "other" / "extxyz" / "BaTiS3_gpumd_npt_first6.extxyz.gz"
    plain = tmp_path / "plain.extxyz"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    took = []
    for path in (plain, packed):
        read(path)
        took.append(min(_seconds(lambda path=path: read(path)) for _ in range(5)))
    assert took[1] < 3 * took[0] + 0.05  # not 20 to 200 times


def _seconds(call):
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize(("name", "n_frames"), [("XDATCAR_4", 4), ("XDATCAR_monatomic.gz", 10), ("XDATCAR_traj_combine_test_1.gz", 100)])
def test_25_every_frame_of_an_xdatcar_is_found(name, n_frames, files):
    assert read(files / "vasp" / "xdatcar" / name, frame_interval=0.1).n_frames == n_frames


def test_25_a_cut_xdatcar_loses_its_last_frame_alone(files, tmp_path):
    path = tmp_path / "XDATCAR"
    path.write_bytes(gzip.decompress((files / "vasp" / "xdatcar" / "XDATCAR_traj_combine_test_1.gz").read_bytes())[:-500])
    assert read(path, frame_interval=0.1).n_frames == 99


def test_25_numbers_that_run_together_are_read(files):
    from mdtools.readers.xdatcar import read_xdatcar

    frames = read_xdatcar(files / "vasp" / "xdatcar" / "XDATCAR.bad_fmt.gz")
    assert frames.n_frames == 3
    assert np.allclose(frames.load(np.array([1])).scaled[0, 0], [-0.63265286, -0.11227753, -0.15402785])


def test_25_a_wrong_header_or_another_composition_is_refused(files):
    vasp = files / "vasp"
    with pytest.raises(TrajectoryError, match="line 2: 'scale' is not a scale"):
        read(vasp / "bad_xdatcar" / "LLZO_scale_wrong_XDATCAR", frame_interval=0.1)  # not 0 frames
    with pytest.raises(TrajectoryError, match="Li38 Si38 and Li36"):
        read([vasp / "xdatcar" / f"XDATCAR_traj_combine_test_{i}.gz" for i in (1, 2)], frame_interval=0.1)


def test_26_every_step_of_a_run_with_a_machine_learned_force_field_is_read(files):
    traj = read(files / "vasp" / "vasprun" / "vasprun.ml_md.xml.gz")
    assert traj.n_frames == 100  # not 20
    assert traj.is_even
    assert traj.frame_interval == pytest.approx(0.001)  # POTIM 1 fs, every step


def test_26_the_time_between_frames_is_taken_from_vasprun_and_outcar(files):
    assert read(files / "vasp" / "vasprun" / "vasprun.md.xml.gz").frame_interval == pytest.approx(0.003)
    assert read(files / "vasp" / "restart_chain" / "run1" / "OUTCAR.gz").frame_interval == pytest.approx(0.001)


def test_27_an_xdatcar_costs_little_time_and_memory(kept_xdatcar, tmp_path):
    path = tmp_path / "XDATCAR"
    path.write_bytes(gzip.decompress(kept_xdatcar.read_bytes()))
    size = path.stat().st_size
    read(path, frame_interval=0.1)
    seconds = min(_seconds(lambda: read(path, frame_interval=0.1)) for _ in range(3))
    assert seconds < 0.2 * size / 1e6  # 0.75 s/MB elsewhere; here 0.01 on an idle core
    tracemalloc.start()
    read(path, frame_interval=0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * size  # 27 times elsewhere


@pytest.fixture
def unpacked_cp2k(files, tmp_path):
    for path in (files / "other" / "cp2k_npt").iterdir():
        data = path.read_bytes()
        (tmp_path / path.name.removesuffix(".gz")).write_bytes(gzip.decompress(data) if path.suffix == ".gz" else data)
    return tmp_path


def test_28_cp2k_is_positions_velocities_and_cells_and_a_blank_last_line_does_no_harm(unpacked_cp2k):
    path = unpacked_cp2k / "PROJECT-pos-1.xyz"
    path.write_text(path.read_text() + "\n")
    traj = read(path, precision="float64")
    kinetic = 0.5 * (traj.masses[:, None] * traj.velocities[3] ** 2).sum() * KINETIC_TO_EV / 27.211386245988
    assert kinetic == pytest.approx(0.10314558, rel=3e-5)  # CP2K has other last digits of the masses
    assert not traj.fixed_cell


def test_29_ipi_positions_are_in_the_units_of_their_comment(files):
    traj = read(files / "other" / "ipi" / "ref_simulation.pos_0.xyz.gz", frame_interval=0.001, precision="float64")
    bond = np.linalg.norm((traj.scaled_positions[0, 1] - traj.scaled_positions[0, 0]) @ traj.cell[0])
    assert bond == pytest.approx(0.8979, abs=1e-4)  # not 1.697


def test_30_an_xtc_says_how_coarse_it_is(caf2):
    traj = read(caf2 / "unwrapped.xtc", topology=caf2 / "equil.restricted.data")
    found = [float(m[1]) for note in traj.notes if (m := re.search(r"rounded to ([\d.]+) angstrom", note))]
    assert found == [0.005]


def test_31_coordinates_that_vasp_6_left_unwrapped_are_not_wrapped_again(kept_xdatcar, tmp_path):
    wrapped = read(kept_xdatcar, frame_interval=0.1, precision="float64", end=2)
    header = gzip.decompress(kept_xdatcar.read_bytes()).split(b"\n")[:7]
    rows = [
        f"Direct configuration= {i}\n" + "".join(f"{x:13.8f}{y:13.8f}{z:13.8f}\n" for x, y, z in frame)
        for i, frame in enumerate(wrapped.scaled_positions, start=1)
    ]
    path = tmp_path / "XDATCAR"
    path.write_text("\n".join(line.decode() for line in header) + "\n" + "".join(rows))
    assert wrapped.scaled_positions.min() < 0
    again = read(path, frame_interval=0.1, precision="float64")
    assert np.abs(again.scaled_positions - wrapped.scaled_positions).max() < 1e-8


def test_32_charge_transport_of_one_short_run_has_many_origins_and_an_error_bar(kept_xdatcar):
    traj = read(kept_xdatcar, frame_interval="0.1 ps", framework="P,S,Cl", temperature=500, charges={"Li": 1, "P": 5, "S": -2, "Cl": -1})
    assert traj.charges.sum() == 0
    haven = md.haven_ratio(md.self_diffusivity(md.msd(traj)), md.ionic_conductivity(md.charge_displacement_msd(traj)))
    value, stderr = float(haven["haven_ratio"]), float(haven["haven_ratio_stderr"])
    assert 0.1 < value < 10  # not 4e11
    assert 0.2 * value < stderr < 3 * value  # 14 ps of one run say little, and the error says so


def test_every_row_has_its_test():
    here = [int(n) for name in ("test_defects.py", "test_full_matrix.py") for n in _numbers(Path(__file__).with_name(name))]
    assert sorted(set(here)) == list(range(1, 33))


def _numbers(path):
    return re.findall(r"^def test_(\d\d)_", path.read_text(), re.MULTILINE)
