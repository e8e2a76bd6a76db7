"""Every trajectory of the developers' collection is read, or refused for the reason that is written here.

Collected where MDTOOLS_TEST_DATA names that folder (scripts/test-data DIR); the collection is too large, and in parts too
strictly licensed, to be kept in this repository.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.lammps_dump import read_dump
from mdtools.readers.xdatcar import read_xdatcar

DATA = Path(os.environ["MDTOOLS_TEST_DATA"])

METAL = {"units": "metal", "timestep": 0.001}
CAF2 = {**METAL, "species": {1: "Ca", 2: "F"}}
REAL = {"units": "real", "timestep": 0.001, "species": {i: f"type{i}" for i in range(1, 20)}}
STEP = {"frame_interval": 0.1}
PLAIN = {"frame_interval": 0.1, "species": "X"}
TOPOLOGY = "lammps/caf2/equil.restricted.data"
ALN = {"topology": "lammps/AlN_npt_triclinic/lmp.struct"}

# file -> (options, frames, atoms)
READ = {
    "lammps/caf2/wrapped_image.lammpstrj": (CAF2, 101, 375),
    "lammps/caf2/unwrapped_element.lammpstrj": (METAL, 101, 375),
    "lammps/caf2/unwrapped_element.lammpstrj.zst": (METAL, 101, 375),
    "lammps/caf2/scaled_image_charge.lammpstrj.gz": (CAF2, 101, 375),
    "lammps/caf2/allcolumns.lammpstrj.gz": (METAL, 21, 375),
    "lammps/caf2/general_triclinic.lammpstrj": (METAL, 21, 375),
    "lammps/caf2/header_units_time.lammpstrj": ({"species": {1: "Ca", 2: "F"}}, 21, 375),
    "lammps/caf2/mobile_F_only.lammpstrj.gz": (CAF2, 101, 250),
    "lammps/caf2/logspaced.lammpstrj.gz": (CAF2, 39, 375),
    "lammps/caf2/velF_every5.lammpstrj.gz": ({**METAL, "topology": TOPOLOGY}, 401, 250),
    "lammps/caf2/restart_overlap.lammpstrj": (CAF2, 41, 375),
    "lammps/caf2/npt_scaled_image.lammpstrj.gz": (CAF2, 51, 375),
    "lammps/caf2/npt_unwrapped_element.lammpstrj.gz": (METAL, 51, 375),
    "lammps/caf2/perstep/*.dump": (METAL, 6, 375),
    "lammps/caf2/lj_units.lammpstrj.gz": ({"units": "lj", "timestep": 0.005, "species": {1: "A"}, "masses": {"A": 1}}, 51, 500),
    "lammps/caf2/wrapped.dcd": ({"timestep": 0.001, "topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/unwrapped.dcd": ({"timestep": 0.001, "topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/npt_unwrapped.dcd": ({"timestep": 0.001, "topology": TOPOLOGY}, 51, 375),
    "lammps/caf2/wrapped.xtc": ({"topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/unwrapped.xtc": ({"topology": TOPOLOGY}, 101, 375),
    "lammps/caf2/npt_wrapped.xtc": ({"topology": "lammps/caf2/equil.general.data"}, 51, 375),
    "lammps/bad/truncated_last_frame.lammpstrj": (CAF2, 31, 375),
    "lammps/bad/truncated_stream.lammpstrj.gz": (CAF2, 20, 375),
    "lammps/dump/Al31-1200K-1ps.lammpstrj.gz": ({**METAL, "species": "Al"}, 501, 31),
    "lammps/dump/dump.rdx.gz": (REAL, 11, 21),
    "lammps/dump/dump.tatb": ({"units": "real", "topology": "lammps/data/tatb.data"}, 1, 384),
    "lammps/AlN_npt_triclinic/lmp.out.dump": ({**METAL, "species": {1: "Al", 2: "N"}}, 101, 16),
    "lammps/AlN_npt_triclinic/lmp.out.dcd": ({**ALN, "frame_interval": "0.5 fs"}, 101, 16),
    "lammps/moly_h5md_vs_text/lammps_moly_custom.txt": (REAL, 11, 1024),
    "lammps/mda/image_vf.lammpstrj": (REAL, 3, 7),
    "lammps/mda/test_non_linear.dump.bz2": (REAL, 11, 15),
    "lammps/wildcard_series/*.gz": (REAL, 2, 10479),
    "lammps/kinisi_lj/example_LAMMPS.dcd": ({"units": "lj", "frame_interval": 1, "species": "A"}, 200, 256),
    "vasp/xdatcar/Li6PS5Cl_50p_run1_XDATCAR.gz": (STEP, 140, 416),
    "vasp/xdatcar/Li6PS5Cl_0p_run1_XDATCAR.gz": (STEP, 140, 416),
    "vasp/xdatcar/Li6PS5I_50p_run1_XDATCAR.gz": (STEP, 100, 416),
    "vasp/xdatcar/Li6PS5Cl_50p_run1_inherent_XDATCAR.gz": (STEP, 140, 416),
    "vasp/xdatcar/liquid_Na_671.0K_XDATCAR.gz": ({"frame_interval": "2 fs"}, 2000, 100),
    "vasp/xdatcar/XDATCAR_4": (STEP, 4, 3),
    "vasp/xdatcar/XDATCAR_5": (STEP, 4, 3),
    "vasp/xdatcar/XDATCAR_6": (STEP, 4, 7),
    "vasp/xdatcar/XDATCAR.MD": (STEP, 5, 80),
    "vasp/xdatcar/XDATCAR_monatomic.gz": (STEP, 10, 4),
    "vasp/xdatcar/XDATCAR_traj_combine_test_1": (STEP, 100, 76),
    "vasp/xdatcar/XDATCAR_traj_combine_test_2": (STEP, 100, 36),
    "vasp/xdatcar/XDATCAR_traj_combine_test_full": (STEP, 200, 76),
    "vasp/xdatcar/NaCl_800K_MD_XDATCAR": (STEP, 40, 216),
    "vasp/xdatcar/FePO4_variable_cell_XDATCAR.gz": (STEP, 1684, 24),
    "vasp/xdatcar/CeO2_CO_repeated_species_XDATCAR": (STEP, 75, 38),
    "vasp/xdatcar/BiMoO_blank_separator_XDATCAR": (STEP, 57, 210),
    "vasp/xdatcar/LLZO_ok_XDATCAR": (STEP, 2, 382),
    "vasp/restart_chain/run*/XDATCAR": (STEP, 6, 108),
    "vasp/restart_chain/run*/vasprun.xml.gz": ({}, 6, 108),
    "vasp/restart_chain/run*/OUTCAR.gz": ({}, 6, 108),
    "vasp/vasprun/vasprun.md.xml.gz": ({}, 10, 64),
    "vasp/vasprun/vasprun.h2o.md.10.xml": ({}, 10, 6),
    "vasp/vasprun/vasprun.h2o.md.tribox.xml": ({}, 3, 6),
    "vasp/outcar/OUTCAR.h2o.md.10": ({}, 10, 6),
    "vasp/vasprun/vasprun.ml_md.xml.gz": ({}, 100, 80),
    "vasp/vaspout/vaspout_Li6PS5Cl_synthetic.h5": ({}, 140, 416),
    "vasp/vaspout/vaspout_py4vasp_demo.h5": (STEP, 4, 7),
    "other/cp2k_npt/PROJECT-pos-1.xyz": ({}, 16, 57),
    "other/ipi/ref_simulation.pos_0.xyz": ({"timestep": "0.5 fs"}, 6, 648),
    "other/ase/example_ase.traj": (STEP, 200, 288),
    "other/extxyz/LiPS_first16.extxyz.gz": ({"frame_interval": "20 fs"}, 16, 2688),
    "other/extxyz/BaTiS3_gpumd_npt.extxyz.gz": ({}, 40, 640),
    "other/extxyz/extended_crlf.xyz": (STEP, 1, 2),
    "other/gpumd/dump.xyz": ({}, 10, 1536),
    "other/gpumd/dump_static_PbTe.xyz": (STEP, 1, 250),
    "other/h5md_amber/cu.h5md": (PLAIN, None, 108),
}
# file -> (options, part of the refusal). Where we could do better, a later step of the project does.
REFUSED = {
    "lammps/caf2/noid_unsorted.lammpstrj": (CAF2, "has no column id"),
    "lammps/caf2/atomstyle.lammpstrj": (CAF2, "too far to tell its image"),
    "lammps/caf2/lammps.extxyz.gz": (STEP, "too far to tell its image"),
    "lammps/caf2/varying_natoms_slab.lammpstrj": (CAF2, "holds 140 atoms, the first frame 138"),
    "lammps/caf2/plain.xyz": (STEP, "has no cell"),
    "lammps/caf2/dump.yaml.gz": (CAF2, "neither ours to read"),
    "lammps/bad/atom-duplicated-id.lammpstrj": (CAF2, "holds atom id 2 twice"),
    "lammps/bad/atom-not-enough-lines.lammpstrj": (CAF2, "no whole frame is left"),
    "lammps/dump/detect_best_pos_repr.lammpstrj": ({"units": "real", "species": "X"}, "holds 856 atoms, the first frame 854"),
    "lammps/dump/nacl.lammpstrj": (REAL, "has no column id"),
    "lammps/mda/albite_triclinic.dump": (REAL, "its last line has no line end"),
    "lammps/binary/scaled_traj.nc": (PLAIN, "MDAnalysis cannot read it"),
    "lammps/binary/version-5.nc": (PLAIN, "CDF-5"),
    "lammps/moly_h5md_vs_text/lammps_moly_h5md.h5": (PLAIN, "neither ours to read"),
    "vasp/xdatcar/XDATCAR.bad_fmt.gz": (STEP, "too far to tell its image"),
    "vasp/bad_xdatcar/LLZO_cell_wrong_XDATCAR": (STEP, "is not a cell vector"),
    "vasp/bad_xdatcar/LLZO_composition_wrong_XDATCAR": (STEP, "is not a row of 4 chemical symbols"),
    "vasp/bad_xdatcar/LLZO_pos_wrong_XDATCAR": (STEP, "382 atoms are announced, 381 rows are there"),
    "vasp/bad_xdatcar/LLZO_scale_wrong_XDATCAR": (STEP, "is not a scale"),
    "other/extxyz/mixed_traj.xyz": (STEP, "holds 2 atoms, the first frame 1"),
    "other/cp2k_npt/PROJECT-vel-1.xyz": (STEP, "holds no positions"),
    "other/cp2k_npt/PROJECT-frc-1.xyz": (STEP, "holds no positions"),
    "other/ipi/ref_simulation.vel_0.xyz": (STEP, "not positions"),
    "other/h5md_amber/cu_malformed.h5md": (PLAIN, "MDAnalysis cannot read it"),
    "other/gromacs/traj.trr": ({"species": "X"}, "holds no positions"),
    "other/gromacs/cobrotoxin.xtc": ({"species": "X"}, "too far to tell its image"),
    "other/h5md_amber/ace_tip3p.nc": (PLAIN, ""),
    "other/h5md_amber/cpptraj_traj.nc": (PLAIN, ""),
}
NO_TRAJECTORY = (
    "ref_",
    "in.",
    "log.",
    "pot.inc",
    ".data",
    ".dat",
    ".dat.gz",
    ".lmp.gz",
    "INCAR",
    ".in",
    ".cell",
    ".ener",
    "MANIFEST",
    "READER_",
    "EXPECTED",
)


def given(options):
    return {key: DATA / value if key == "topology" else value for key, value in options.items()}


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read(name):
    options, n_frames, n_atoms = READ[name]
    traj = read(str(DATA / name), **given(options))
    assert traj.n_atoms == n_atoms
    assert n_frames is None or traj.n_frames == n_frames
    for values in (traj.scaled_positions, traj.velocities):
        assert values is None or np.isfinite(values).all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_in_one_line(name):
    options, why = REFUSED[name]
    try:
        traj = read(DATA / name, **given(options))
    except TrajectoryError as refusal:
        lines = str(refusal)
    else:
        assert why == "", f"{name} was read as {traj}"
        return
    assert why in lines
    assert "\n" not in lines


def test_every_file_of_the_collection_is_in_one_of_the_tables():
    known = {path for name in (*READ, *REFUSED) for path in DATA.glob(name)}
    beside = {"restart_chain", "lmp.struct", "structure_moly", "lmp.struct.symbols"}
    missing = [
        path
        for path in sorted(DATA.rglob("*"))
        if path.is_file()
        and path not in known
        and not any(word in path.name for word in NO_TRAJECTORY)
        and not any(word in str(path) for word in beside)
    ]
    assert missing == []


def test_unwrapped_coordinates_are_wrapped_ones_and_images():
    (path, _) = sorted((DATA / "lammps/wildcard_series").glob("*.gz"))
    import gzip

    unwrapped = read(path, **REAL, precision="float64")
    text = gzip.decompress(path.read_bytes()).decode()
    other = path.with_suffix("").name
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / other
        bare.write_text(text.replace(" xu yu zu ", " a b c "))
        by_image = read(bare, **REAL, precision="float64")
    assert by_image.history[0]["positions"] == "x y z ix iy iz"
    assert np.abs((by_image.scaled_positions - unwrapped.scaled_positions) @ unwrapped.cell[0]).max() < 1e-3
    # units real: kinetic temperature of the velocities must be that of a liquid
    kinetic = (unwrapped.masses[:, None] * unwrapped.velocities[0] ** 2).sum() * 1.0364269656e-4
    assert 200 < kinetic / (3 * unwrapped.n_atoms * 8.617333262e-5) < 450


def test_the_lennard_jones_run_has_the_displacement_lammps_computed():
    expected = json.loads((DATA / "EXPECTED.json").read_text())["lj"]
    traj = read(DATA / "lammps/caf2/lj_units.lammpstrj.gz", **READ["lammps/caf2/lj_units.lammpstrj.gz"][0], precision="float64")
    moved = (traj.scaled_positions[-1] - traj.scaled_positions[0]) @ traj.cell[0]
    assert np.mean(np.sum(moved**2, axis=-1)) == pytest.approx(expected["msd_last"], rel=1e-4)
    assert np.mean(np.sum(traj.velocities[0] ** 2, axis=-1)) == pytest.approx(expected["vacf_t0"], rel=1e-4)
    assert traj.frame_interval == pytest.approx(expected["frame_spacing_tau"])


def test_momenta_of_ase_give_the_known_temperature():
    expected = json.loads((DATA / "EXPECTED.json").read_text())["LiPS_first16"]
    traj = read(DATA / "other/extxyz/LiPS_first16.extxyz.gz", frame_interval="20 fs", precision="float64")
    kinetic = (traj.masses[:, None] * traj.velocities[0] ** 2).sum() * 1.0364269656e-4
    assert kinetic / (3 * traj.n_atoms * 8.617333262e-5) == pytest.approx(expected["T_frame0_K"], rel=2e-3)


def test_the_dcd_of_a_triclinic_run_agrees_with_its_text():
    text = read(DATA / "lammps/AlN_npt_triclinic/lmp.out.dump", **READ["lammps/AlN_npt_triclinic/lmp.out.dump"][0], precision="float64")
    binary = read(DATA / "lammps/AlN_npt_triclinic/lmp.out.dcd", **given(READ["lammps/AlN_npt_triclinic/lmp.out.dcd"][0]), precision="float64")
    assert np.allclose(text.cell, binary.cell, atol=1e-4)
    # a DCD does not hold the origin of the cell, which moves here: what is left are displacements against the mean
    moved = [t.scaled_positions - t.scaled_positions[0] for t in (text, binary)]
    moved = [m - m.mean(axis=1, keepdims=True) for m in moved]
    assert np.abs(moved[0] - moved[1]).max() < 1e-4


def test_the_scaled_columns_of_a_triclinic_run_agree_with_the_cartesian_ones(tmp_path):
    path = DATA / "lammps/AlN_npt_triclinic/lmp.out.dump"
    bare = tmp_path / "scaled.dump"
    bare.write_text(path.read_text().replace(" xu yu zu ", " a b c "))
    one, two = read_dump(path), read_dump(bare)
    assert (one.columns, two.columns) == ("xu yu zu", "xsu ysu zsu")
    every = np.arange(one.n_frames)
    # six digits of the box bounds and of the positions
    assert np.abs(one.load(every).scaled - two.load(every).scaled).max() < 1e-5


def test_liquid_sodium_moves_as_is_known():
    expected = json.loads((DATA / "EXPECTED.json").read_text())["liquid_Na_671K"]
    traj = read(DATA / "vasp/xdatcar/liquid_Na_671.0K_XDATCAR.gz", frame_interval="2 fs", precision="float64")
    path = (traj.scaled_positions - traj.scaled_positions.mean(axis=1, keepdims=True)) @ traj.cell[0]
    assert np.mean(np.sum((path[750:] - path[250:-500]) ** 2, axis=-1)) == pytest.approx(expected["msd_lag_1ps_A2"], rel=2e-2)


@pytest.mark.parametrize(
    "name", ["XDATCAR_5", "XDATCAR_6", "XDATCAR.MD", "NaCl_800K_MD_XDATCAR", "CeO2_CO_repeated_species_XDATCAR", "LLZO_ok_XDATCAR"]
)
def test_ase_reads_the_same_coordinates(name):
    import ase.io

    path = DATA / "vasp/xdatcar" / name
    images = ase.io.read(path, index=":", format="vasp-xdatcar")
    ours = read_xdatcar(path)
    assert len(images) == ours.n_frames
    theirs = np.array([atoms.get_scaled_positions(wrap=False) for atoms in images])
    assert np.abs(ours.load(np.arange(ours.n_frames)).scaled - theirs).max() < 1e-7
    assert np.allclose([atoms.cell.array for atoms in images], ours.cell, atol=1e-6)
    assert images[0].get_chemical_symbols() == ours.labels.tolist()


@pytest.mark.parametrize("name", ["vasprun.h2o.md.10.xml", "vasprun.h2o.md.tribox.xml", "vasprun.md.xml.gz"])
def test_ase_reads_the_same_vasprun(name):
    import ase.io

    from mdtools.readers.vasprun import read_vasprun

    path = DATA / "vasp/vasprun" / name
    images = ase.io.read(path, index=":", format="vasp-xml")
    ours = read_vasprun(path)
    theirs = np.array([atoms.get_scaled_positions(wrap=False) for atoms in images])
    assert np.abs(ours.load(np.arange(ours.n_frames)).scaled - theirs).max() < 1e-12
    assert np.allclose([atoms.cell.array for atoms in images], ours.cell, atol=1e-12)


def test_outcar_and_vasprun_of_one_run_agree():
    one = read(DATA / "vasp/outcar/OUTCAR.h2o.md.10", precision="float64")
    two = read(DATA / "vasp/vasprun/vasprun.h2o.md.10.xml", precision="float64")
    assert np.abs((one.scaled_positions - two.scaled_positions) @ one.cell[0]).max() < 1e-5  # five decimals
    assert np.allclose(one.time, two.time)
    assert one.masses.tolist() == two.masses.tolist()
    assert one.temperature is None  # SMASS = -3: no thermostat
    assert two.temperature is None


def test_vaspout_holds_what_the_xdatcar_holds():
    one = read(DATA / "vasp/vaspout/vaspout_Li6PS5Cl_synthetic.h5", precision="float64")
    two = read(DATA / "vasp/xdatcar/Li6PS5Cl_50p_run1_XDATCAR.gz", frame_interval="100 fs", precision="float64")
    assert np.abs(one.scaled_positions - two.scaled_positions).max() < 1e-12
    assert one.species.tolist() == two.species.tolist()
    assert np.allclose(one.time, two.time)


def test_extended_xyz_is_what_ase_reads():
    import gzip
    import io

    import ase.io

    from mdtools.readers.extxyz import read_extxyz
    from mdtools.units import ASE_TIME

    for name in ("extxyz/LiPS_first16.extxyz.gz", "extxyz/BaTiS3_gpumd_npt.extxyz.gz", "gpumd/dump.xyz", "gpumd/dump_static_PbTe.xyz"):
        path = DATA / "other" / name
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        images = ase.io.read(io.StringIO(content.decode()), index=":", format="extxyz")
        ours = read_extxyz(path)
        block = ours.load(np.arange(ours.n_frames))
        assert np.abs(block.scaled @ ours.cell - [atoms.positions for atoms in images]).max() < 1e-9
        assert np.allclose([atoms.cell.array for atoms in images], ours.cell, atol=1e-12)
        assert ours.labels.tolist() == images[0].get_chemical_symbols()
        if block.velocities is not None:
            assert np.allclose(block.velocities, [atoms.get_velocities() / ASE_TIME for atoms in images], atol=1e-9)
