"""Every trajectory of the developers' collection is read, or refused for the reason that is written here.

Collected where MDTOOLS_TEST_DATA names that folder (scripts/test-data DIR); the collection is too large, and in parts too
strictly licensed, to be kept in this repository.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from agreement.collection import DATA, NO_TRAJECTORY, READ, REAL, REFUSED, given

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.lammps_dump import read_dump
from mdtools.readers.xdatcar import read_xdatcar
from mdtools.units import BOLTZMANN, KINETIC_TO_EV


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read(name):
    options, n_frames, n_atoms = READ[name]
    traj = read(str(DATA / name), **given(options))
    assert traj.n_atoms == n_atoms
    assert traj.n_frames == n_frames
    for values in (traj.scaled_positions, traj.velocities):
        assert values is None or np.isfinite(values).all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_in_one_line(name):
    options, why = REFUSED[name]
    with pytest.raises(TrajectoryError) as refusal:
        read(DATA / name, **given(options))
    assert why in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_every_file_of_the_collection_is_in_one_of_the_tables():
    tables = {pattern: set(DATA.glob(pattern)) for pattern in (*READ, *REFUSED, *NO_TRAJECTORY)}
    assert [pattern for pattern, files in tables.items() if not files] == []
    files = {path for path in DATA.rglob("*") if path.is_file()}
    assert files - set().union(*tables.values()) == set()


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


# rows of the table of known defects whose files are not kept in this repository; the others are in test_defects.py --------------


def test_07_velocities_in_units_real_are_those_of_a_liquid():
    traj = read(str(DATA / "lammps/wildcard_series/*.gz"), **REAL, precision="float64")
    kinetic = (traj.masses[:, None] * traj.velocities[0] ** 2).sum() * KINETIC_TO_EV
    assert 250 < kinetic / (3 * traj.n_atoms * BOLTZMANN) < 350  # as angstrom/ps it would be 3e-4 K


def test_13_scale_factors_of_a_netcdf_file_are_applied():
    from scipy.io import netcdf_file

    path = DATA / "lammps/binary/scaled_traj.nc"
    ours = read(path, species="X", precision="float64")
    with netcdf_file(path, mmap=False) as file:
        known = ("id", "coordinates", "velocities", "cell_lengths")
        table = {name: (np.array(v.data), getattr(v, "scale_factor", 1.0)) for name, v in file.variables.items() if name in known}
    ids = table["id"][0][0] if "id" in table else np.arange(1, ours.n_atoms + 1)
    order = np.argsort(ids)
    for name, mine in (("velocities", ours.velocities[0]), ("coordinates", ours.scaled_positions[0] @ ours.cell[0])):
        values, factor = table[name]
        assert factor != 1
        theirs = values[0][order] * factor
        if name == "velocities":
            assert np.allclose(mine, theirs, rtol=1e-5)
        else:
            away = ((mine - theirs) - (mine - theirs)[0]) @ np.linalg.inv(ours.cell[0])
            assert np.abs((away - np.rint(away)) @ ours.cell[0]).max() < 1e-3
    lengths, factor = table["cell_lengths"]
    periodic = lengths[0] > 0
    assert np.allclose(np.linalg.norm(ours.cell[0], axis=1)[periodic], (lengths[0] * factor)[periodic], rtol=1e-5)


def test_14_h5md_written_by_lammps_is_the_text_dump_of_the_run():
    folder = DATA / "lammps/moly_h5md_vs_text"
    text = read(folder / "lammps_moly_custom.txt", **REAL, precision="float64")
    h5md = read(folder / "lammps_moly_h5md.h5", units="real", timestep=0.001, species="type1", precision="float64")
    assert h5md.n_frames == text.n_frames
    assert h5md.velocities is not None
    assert np.allclose(np.diff(h5md.time), np.diff(text.time))
    apart = (h5md.scaled_positions - text.scaled_positions) @ text.cell[0]
    apart -= apart[:, :1]  # the origin of the box
    assert np.abs(apart).max() < 1e-3


@pytest.mark.parametrize(("name", "n_frames"), [("BiMoO_blank_separator_XDATCAR", 57), ("XDATCAR_4", 4), ("XDATCAR_traj_combine_test_full", 200)])
def test_25_frames_behind_blank_lines_and_labels_are_found(name, n_frames):
    assert read(DATA / "vasp/xdatcar" / name, frame_interval=0.1).n_frames == n_frames


def test_27_an_xdatcar_of_29_megabytes_costs_little_time_and_memory(tmp_path):
    import gzip
    import time
    import tracemalloc

    path = tmp_path / "XDATCAR"
    path.write_bytes(gzip.decompress((DATA / "vasp/xdatcar/liquid_Na_671.0K_XDATCAR.gz").read_bytes()))
    size = path.stat().st_size
    read(path, frame_interval=0.002)
    start = time.process_time()
    read(path, frame_interval=0.002)
    assert time.process_time() - start < 0.2 * size / 1e6  # 0.75 s/MB elsewhere
    tracemalloc.start()
    read(path, frame_interval=0.002)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * size
