"""The log beside a trajectory: which rows belong to it, what they mean, and what is taken from them."""

import gzip
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from mdtools.cli import main
from mdtools.errors import TrajectoryError
from mdtools.readers import read, read_series, write_store
from mdtools.readers.logged import Logged
from mdtools.readers.thermo_values import values_of
from mdtools.units import BOLTZMANN, UNIT_SYSTEMS


@pytest.fixture(scope="module")
def caf2(files):
    return files / "lammps" / "caf2"


@pytest.fixture(scope="module")
def prod(caf2):
    return read(caf2 / "unwrapped_element.lammpstrj", units="metal", log=caf2 / "log.prod.gz")


def test_rows_of_two_runs_stand_at_the_times_of_their_steps(prod):
    assert prod.thermo.sizes["time"] == 101
    np.testing.assert_allclose(prod.thermo.time, np.arange(101) * 0.2)
    np.testing.assert_allclose(prod.thermo.step, np.arange(101) * 200)
    assert prod.thermo_at_frames.sizes["time"] == prod.n_frames
    assert prod.thermo.pressure.attrs["units"] == "GPa"
    assert prod.thermo.temperature.dims == ("time",)
    assert prod.thermo.pressure_tensor.dims == ("time", "xyz", "face")


def test_the_rows_mean_what_lammps_printed(prod):
    """First row of the log: 0 0 1417.11099951 168.40271949 5717.20803932 68.5078140058 -3289.16720455 ... pxx 1054.13738275, pxy -295.750259568."""
    first = prod.thermo.isel(time=0)
    assert float(first.temperature) == 1417.11099951
    assert float(first.pressure) == pytest.approx(168.40271949e-4)
    assert float(first.total_energy) == pytest.approx(-3220.65939055)
    assert float(first.pressure_tensor.sel(xyz="x", face="x")) == pytest.approx(0.105413738275)
    assert float(first.pressure_tensor.sel(xyz="y", face="x")) == pytest.approx(-0.0295750259568)
    assert float(first.enthalpy) == pytest.approx(-3220.65939055 + 0.016840271949 * 5717.20803932 / 160.2176634)
    trace = sum(prod.thermo.pressure_tensor.sel(xyz=axis, face=axis) for axis in "xyz") / 3
    np.testing.assert_allclose(trace, prod.thermo.pressure, atol=1e-9)
    np.testing.assert_allclose(prod.thermo.kinetic_energy, 1.5 * 374 * BOLTZMANN * prod.thermo.temperature, rtol=2e-6)


def test_a_part_has_the_rows_of_its_time_all_of_them(caf2):
    part = read(caf2 / "allcolumns.lammpstrj.gz", units="metal", log=caf2 / "log.prod.gz", begin=5, end="15 ps", stride=2)
    assert part.n_frames < 8
    np.testing.assert_allclose(part.thermo.time, np.arange(part.time[0], part.time[-1] + 0.1, 0.2))
    assert part.thermo_at_frames.sizes["time"] == part.n_frames


def test_what_the_log_states_is_taken_where_nothing_else_says_it(prod, caf2, files):
    assert prod.temperature == 1500.0
    assert prod.frame_interval == pytest.approx(0.2)
    notes = " ".join(prod.notes)
    assert "time step 0.001 is that of" in notes
    assert "temperature 1500 is that of the thermostat" in notes
    said = read(caf2 / "unwrapped_element.lammpstrj", units="metal", timestep="2 fs", temperature=1400, log=caf2 / "log.prod.gz")
    assert (said.temperature, said.frame_interval) == (1400.0, pytest.approx(0.4))
    assert any("1400 was given and beats 1500" in note for note in said.notes)
    runs = read(files / "lammps" / "units" / "runs.lammpstrj.gz", species="Ar", log=files / "lammps" / "units" / "log.runs.gz")
    assert any("units metal are those of" in note for note in runs.notes)


def test_frames_without_steps_are_matched_by_time(caf2):
    traj = read(
        caf2 / "unwrapped.xtc", units="metal", topology=caf2 / "equil.restricted.data", species={"1": "Ca", "2": "F"}, log=caf2 / "log.prod.gz"
    )
    np.testing.assert_allclose(traj.thermo.time, np.arange(101) * 0.2, atol=1e-6)
    assert traj.thermo_at_frames.sizes["time"] == 101


# -- which run ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(files):
    """Ramp over steps 0 to 100, reset, then NPT over 0 to 60 and 60 to 100, of which the dump was written."""
    folder = files / "lammps" / "units"
    return folder / "runs.lammpstrj.gz", gzip.decompress((folder / "log.runs.gz").read_bytes()).decode()


def test_the_run_that_wrote_the_dump_is_meant(runs, tmp_path):
    path, text = runs
    log = tmp_path / "log.lammps"
    log.write_text(text)
    traj = read(path, species="Ar", log=log)
    assert traj.temperature == 60.0
    np.testing.assert_array_equal(traj.log.steps, np.arange(0, 101, 10))
    volume = np.abs(np.linalg.det(traj.cell))
    np.testing.assert_allclose(traj.thermo_at_frames.volume, volume, rtol=1e-7)
    # norm changed between the two runs: energies of the whole system in both
    assert np.ptp(traj.thermo.total_energy.values) < 0.2
    assert any("multiplied by 32" in note for note in traj.notes)


def test_several_runs_that_would_do_are_refused_until_one_is_named(runs, tmp_path):
    path, text = runs
    log = tmp_path / "log.lammps"
    log.write_text(text.replace("runs.lammpstrj", "other.lammpstrj"))
    with pytest.raises(TrajectoryError, match=r"steps 0 to 100 are those of 2 runs .*log_run=2.*--log-run 2"):
        read(path, species="Ar", log=log)
    ramp = read(path, species="Ar", log=log, log_run=1)
    assert ramp.temperature is None
    assert any("20 to 60, so no temperature is stated" in note for note in ramp.notes)
    assert any("times as large as the log says" in note for note in ramp.notes), "its volume is not that of the frames"
    with pytest.raises(TrajectoryError, match="holds the runs 1 to 3"):
        read(path, species="Ar", log=log, log_run=4)
    with pytest.raises(TrajectoryError, match="pass log="):
        read(path, species="Ar", log_run=2, timestep=0.002, units="metal")


def test_a_restart_supersedes_the_end_of_the_run_before_it(runs, tmp_path):
    path, text = runs
    head, production = text.split("reset_timestep 0\n")
    first = tmp_path / "a.log"
    second = tmp_path / "b.log"
    first.write_text("units metal\ntimestep 0.002\nfix hold all npt temp 60 60 0.1 iso 0.0 0.0 1.0\n" + production)
    lines = production.replace("norm yes", "norm no").split("\n")
    second.write_text(
        "\n".join(
            ["units metal", "timestep 0.002", "fix hold all npt temp 60 60 0.1 iso 0.0 0.0 1.0", *lines[lines.index("thermo_modify norm no") :]]
        )
    )
    traj = read(path, species="Ar", log=[first, second])
    np.testing.assert_array_equal(traj.log.steps, np.arange(0, 101, 10))
    assert head


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("with 32 atoms", "with 31 atoms"), "is of 31 atoms"),
        (lambda text: text[: text.index("reset_timestep")].replace("\n         ", "\n      7000"), "none of the runs in the log covers"),
    ],
)
def test_the_log_of_another_run_is_refused(runs, tmp_path, change, words):
    path, text = runs
    log = tmp_path / "log.lammps"
    log.write_text(change(text))
    with pytest.raises(TrajectoryError, match=words):
        read(path, species="Ar", log=log)


def test_a_log_that_was_cut_covers_a_part_and_says_so(caf2, tmp_path):
    text = gzip.decompress((caf2 / "log.prod.gz").read_bytes()).decode()
    log = tmp_path / "log.lammps"
    log.write_text(text[: text.index("\n     10000 ") + 40])
    traj = read(caf2 / "unwrapped_element.lammpstrj", units="metal", log=log)
    assert traj.thermo.time.max() == pytest.approx(9.8)
    assert any("covers 0 to 9.8 ps of a trajectory from 0 to 20 ps" in note for note in traj.notes)


# -- what energies are ----------------------------------------------------------------------------------------------


def logged(columns, **more):
    n = len(next(iter(columns.values())))
    return Logged(source="log", steps=np.arange(n), columns={name: np.asarray(values, dtype=float) for name, values in columns.items()}, **more)


@pytest.mark.parametrize("per_atom", [True, False])
@pytest.mark.parametrize("told", [None, True, False])
def test_kinetic_energy_and_temperature_decide_whether_energies_are_per_atom(per_atom, told):
    n, temperature = 500, np.array([1.0, 1.2])
    kinetic = 1.5 * temperature * ((n - 1) / n if per_atom else n - 1)
    run = logged({"Temp": temperature, "KinEng": kinetic, "PotEng": -6 * kinetic}, n_atoms=n, per_atom=told)
    values, _ = values_of(run, UNIT_SYSTEMS["lj"])
    np.testing.assert_allclose(values["kinetic_energy"], 1.5 * (n - 1) * temperature)
    np.testing.assert_allclose(values["total_energy"], -5 * values["kinetic_energy"])


def test_energies_of_which_nothing_says_what_they_are_are_left_out():
    run = logged({"Temp": [300.0], "PotEng": [-5.0], "Press": [1.0]}, n_atoms=64)
    values, notes = values_of(run, UNIT_SYSTEMS["metal"])
    assert "potential_energy" not in values
    assert "left out" in notes[0]
    assert set(values) == {"temperature", "pressure"}
    said, _ = values_of(replace(run, per_atom=True), UNIT_SYSTEMS["metal"])
    np.testing.assert_allclose(said["potential_energy"], -320.0)
    default, _ = values_of(replace(run, commands=True), UNIT_SYSTEMS["metal"])
    np.testing.assert_allclose(default["potential_energy"], -5.0)


def test_what_is_not_printed_is_derived_where_it_can_be():
    run = logged(
        {"Temp": [300.0], "E_pair": [-80.0], "E_mol": [2.0], "TotEng": [-75.5], "Press": [10.0], "Lx": [2.0], "Ly": [3.0], "Lz": [4.0]}, n_atoms=64
    )
    values, _ = values_of(replace(run, per_atom=False), UNIT_SYSTEMS["metal"])
    assert values["volume"][0] == 24.0
    assert values["potential_energy"][0] == -78.0
    assert values["kinetic_energy"][0] == pytest.approx(2.5)
    assert values["enthalpy"][0] == pytest.approx(-75.5 + 1e-3 * 24.0 / 160.2176634)


# -- VASP -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vasp(files):
    return files / "vasp"


def test_outcar_and_vasprun_of_a_run_say_the_same(vasp):
    chain = [vasp / "restart_chain" / f"run{k}" for k in (1, 2)]
    one = read([folder / "XDATCAR" for folder in chain], log=[folder / "OUTCAR.gz" for folder in chain])
    two = read([folder / "vasprun.xml.gz" for folder in chain])
    assert one.temperature == two.temperature == 300.0
    assert one.frame_interval == pytest.approx(0.001)
    # "(temperature  312.58 K)" in the OUTCAR, whose 24 atoms at the bottom are fixed
    np.testing.assert_allclose(one.thermo.temperature, two.thermo.temperature, atol=8e-3)
    np.testing.assert_allclose(one.thermo.temperature[0], 312.58)
    for name in ("potential_energy", "kinetic_energy", "total_energy", "conserved_energy"):
        np.testing.assert_allclose(one.thermo[name], two.thermo[name], atol=2e-6)
    np.testing.assert_allclose(one.thermo.time, np.arange(6) * 0.001, atol=1e-12)
    np.testing.assert_allclose(one.thermo.volume, 2617.41, rtol=1e-5)


def test_the_pressure_of_vasprun_is_its_stress_with_the_kinetic_part(vasp):
    path = vasp / "vasprun" / "vasprun.md.xml.gz"
    steps = ET.fromstring(gzip.decompress(path.read_bytes())).findall("calculation")
    traj = read(path)
    for row, step in enumerate(steps):
        stress = np.array([[float(word) for word in v.text.split()] for v in step.find("varray[@name='stress']")])
        kinetic = float(step.find("energy/i[@name='kinetic']").text)
        volume = float(step.find("structure/crystal/i[@name='volume']").text)
        # "in kB" is positive under compression
        expected = stress.trace() / 30 + 2 * kinetic / (3 * volume) * 160.2176634
        assert float(traj.thermo.pressure[row]) == pytest.approx(expected, rel=1e-6)
        assert float(traj.thermo.pressure_tensor[row, 0, 1]) == pytest.approx(stress[0, 1] / 10, rel=1e-6)
    n_atoms = traj.n_atoms
    np.testing.assert_allclose(traj.thermo.temperature, 2 * traj.thermo.kinetic_energy / (3 * (n_atoms - 1) * BOLTZMANN), rtol=1e-9)
    assert float(traj.thermo.temperature[0]) == pytest.approx(2000, rel=1e-4)


def test_outcar_lines_are_read_as_vasp_writes_them(vasp, tmp_path):
    text = """ vasp.5.4.4
   number of dos      NEDOS =    301   number of ions     NIONS =      6
   IBRION =      0    ionic relax
   NBLOCK =      1;   KBLOCK =     10    inner block; outer block
   POTIM  = 2.0000    time-step for ionic-motion
   TEBEG  =    400.0;   TEEND  =   400.0 temperature during run
   SMASS  =   0.50    Nose mass-parameter (am)
--------------------------------------- Iteration      1(   1)  ---------------------------------------
  in kB      -2.15814    -0.95564    -4.85014     0.35445    -0.97821     2.40095
  external pressure =       -2.65 kB  Pullay stress =        0.00 kB
  kinetic pressure (ideal gas correction) =      1.00 kB
  total pressure  =     -1.65 kB
  Total+kin.    -1.158       0.044      -3.850       0.354      -0.978       2.401
  volume of cell :     1000.00
  free  energy   TOTEN  =       -28.38622624 eV
  kinetic energy EKIN   =         0.258168
  kin. lattice  EKIN_LAT=         0.000000  (temperature  399.40 K)
  nose potential ES     =         0.100000
  nose kinetic   EPS    =         0.010000
  total energy   ETOTAL =       -28.018058 eV
"""
    from mdtools.readers.vasp_log import read_outcar

    path = tmp_path / "OUTCAR"
    path.write_text(text)
    (run,) = read_outcar(path)
    values, notes = values_of(run, UNIT_SYSTEMS["metal"])
    assert (run.timestep, run.thermostats, run.n_atoms, notes) == (0.002, ((400.0, 400.0),), 6, [])
    assert values["pressure"][0] == pytest.approx(-0.165)
    np.testing.assert_allclose(values["pressure_tensor"][0], np.array([[-1.158, 0.354, 2.401], [0.354, 0.044, -0.978], [2.401, -0.978, -3.85]]) / 10)
    assert values["temperature"][0] == 399.4
    assert values["conserved_energy"][0] == -28.018058
    assert values["enthalpy"][0] == pytest.approx(-28.38622624 + 0.258168 - 0.165 * 1000 / 160.2176634)
    path.write_text(text[: text.index("total energy   ETOTAL")])
    with pytest.raises(TrajectoryError, match="no step of molecular dynamics"):
        read_outcar(path)


def test_an_outcar_of_another_run_is_refused(vasp):
    with pytest.raises(TrajectoryError, match="atoms"):
        read(vasp / "xdatcar" / "LLZO_ok_XDATCAR", log=vasp / "restart_chain" / "run1" / "OUTCAR.gz")
    with pytest.raises(TrajectoryError, match=r"3 ionic steps, but .* 6 frames"):
        read([vasp / "restart_chain" / f"run{k}" / "XDATCAR" for k in (1, 2)], log=vasp / "restart_chain" / "run1" / "OUTCAR.gz")


# -- where it goes --------------------------------------------------------------------------------------------------


def test_a_store_keeps_the_rows(prod, tmp_path):
    path = write_store(prod, tmp_path / "run.zarr")
    again = read(path)
    assert again.thermo.identical(prod.thermo)
    part = read(path, begin=4, end=8, stride=3)
    np.testing.assert_allclose(part.thermo.time, np.arange(part.time[0], part.time[-1] + 0.1, 0.2))
    with pytest.raises(TrajectoryError, match="a store knows its log already"):
        read(path, log="log.lammps")


def test_a_row_of_a_series_has_its_log(caf2, tmp_path):
    for name in ("unwrapped_element.lammpstrj", "log.prod.gz"):
        (tmp_path / name).write_bytes((caf2 / name).read_bytes())
    (tmp_path / "runs.csv").write_text("name, path, units, log\nhot, unwrapped_element.lammpstrj, metal, log.prod.gz\n")
    (member,) = [traj for _, traj in read_series(tmp_path / "runs.csv")]
    assert member.thermo.sizes["time"] == 101
    assert member.temperature == 1500.0


def test_info_shows_thermo_and_what_the_frames_imply(caf2, capsys):
    npt = str(caf2 / "npt_unwrapped_element.lammpstrj.gz")
    assert main(["info", npt, "--units", "metal", "--log", str(caf2 / "log.npt.gz")]) == 0
    shown = capsys.readouterr().out
    assert "51 rows; temperature 1507.49 +- " in shown
    assert "volume 5744.95 +- " in shown
    assert "sanity: velocities against the log" in shown
    assert main(["info", npt, "--units", "metal", "--log", str(caf2 / "no.log")]) == 2


def test_without_a_log_there_is_no_thermo(caf2):
    traj = read(caf2 / "unwrapped_element.lammpstrj", units="metal", timestep="1 fs")
    assert traj.thermo is None
    assert traj.describe()["thermo"] == "no"
    with pytest.raises(TrajectoryError, match="--log"):
        _ = traj.thermo_at_frames
