"""Slips of units are named; what is real, or synthetic, or in reduced units, is not."""

from dataclasses import replace

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.readers import read
from mdtools.readers.sanity import examined, sanity


def found(traj):
    return sanity(traj)[1]


@pytest.fixture(scope="module")
def aln(files):
    """16 atoms heated from 300 K, every step of 0.5 fs, positions and velocities."""
    folder = files / "lammps" / "AlN_npt_triclinic"
    return lambda **more: read(folder / "lmp.out.dump.gz", species={"1": "Al", "2": "N"}, **({"units": "metal", "timestep": 0.0005} | more))


def test_a_sound_run_is_silent_and_shows_its_figures(aln):
    traj = aln()
    figures, notes = sanity(traj)
    assert notes == []
    assert float(figures["temperature of the velocities"].split()[0]) == pytest.approx(218.5, rel=1e-3)
    assert figures["step from frame to frame"] == "0.00262 angstrom (rms)"
    assert 10 < float(figures["mean frequency of the paths"].split()[0]) < 60
    assert traj.describe()["sanity: mean frequency of the paths"] == figures["mean frequency of the paths"]


@pytest.mark.parametrize("step", ["0.5 ps", "5e-4 fs"])
def test_a_time_a_thousand_times_wrong_is_named_from_positions_alone(aln, step):
    wrong = replace(aln(timestep=step), velocities=None)
    (note,) = [note for note in found(wrong) if "no run has" in note]
    assert "check timestep= and frame_interval=" in note
    stated = replace(wrong, temperature=300.0)
    (note,) = [note for note in found(stated) if "where 300 is stated" in note]
    assert "1000 times" in note


@pytest.mark.parametrize("step", ["0.5 ps", "5e-4 fs"])
def test_and_from_velocities(aln, step):
    assert any("as far between frames as their velocities say" in note for note in found(aln(timestep=step)))


@pytest.mark.parametrize("units", ["real", "nano", "si"])
def test_velocities_in_other_units_are_named(aln, units):
    assert any("velocities imply" in note or "as their velocities say" in note for note in aln(units=units, timestep=0.0005).notes)


def test_frames_too_far_apart_for_their_time_are_named():
    """10 ps read as 10 fs: no step is longer than free flight."""
    walk = synthetic.damped_oscillator(cells=2, n_frames=64, frequency=3.0, damping=2.0, frame_interval=10.0, seed=1)
    wrong = replace(walk, velocities=None, time=walk.time * 1e-3)
    assert any("as free flight" in note for note in found(wrong))
    assert found(replace(walk, velocities=None)) == []


def test_lengths_and_charges_in_other_units_are_named(aln):
    traj = aln()
    assert any("denser than any solid" in note for note in found(replace(traj, cell=traj.cell / 10, velocities=None)))
    assert any("no ion has" in note for note in found(replace(traj, charges=np.full(16, 1.6e-19))))
    assert found(replace(traj, charges=np.tile([3.0, -3.0], 8))) == []


@pytest.mark.parametrize(
    "traj",
    [
        synthetic.brownian(n_atoms=20, n_frames=64),
        synthetic.brownian(n_atoms=20, n_frames=64, diffusivity=1e-6),
        synthetic.ornstein_uhlenbeck(n_atoms=20, n_frames=64),
        synthetic.damped_oscillator(cells=2, n_frames=64),
        synthetic.damped_oscillator(cells=2, n_frames=64, frame_interval=1e-4),
        synthetic.harmonic_crystal(cells=2, n_frames=64),
        synthetic.harmonic_crystal(cells=2, n_frames=64, temperature=1.0),
        synthetic.grouped_walkers(n_frames=64),
        synthetic.vacancy_hopper(n_frames=64),
        synthetic.rotor(n_frames=64),
    ],
    ids=lambda traj: traj.source,
)
def test_synthetic_runs_are_silent(traj):
    assert found(traj) == []
    assert found(replace(traj, reduced=True, temperature=None)) == []
    assert found(replace(traj, velocities=None)) == []
    assert found(replace(traj, temperature=None)) == []


def test_real_runs_are_silent(files):
    caf2, other = files / "lammps" / "caf2", files / "lammps"
    metal = {"units": "metal", "timestep": "1 fs"}
    runs = [
        read(caf2 / "unwrapped_element.lammpstrj", **metal),
        read(caf2 / "allcolumns.lammpstrj.gz", **metal),
        read(caf2 / "npt_unwrapped_element.lammpstrj.gz", **metal),
        read(caf2 / "wrapped.dcd", topology=caf2 / "equil.restricted.data", species={"1": "Ca", "2": "F"}, timestep="1 fs"),
        read(other / "units" / "lj.lammpstrj.gz", timestep=0.000927493, species="Ar"),
        read(files / "vasp" / "vasprun" / "vasprun.md.xml.gz"),
        read(files / "vasp" / "vasprun" / "vasprun.ml_md.xml.gz"),
        read(files / "vasp" / "restart_chain" / "run1" / "XDATCAR", frame_interval="1 fs"),
    ]
    for traj in runs:
        assert found(traj) == [], traj.source


def test_a_part_of_the_atoms_is_measured_against_the_log_with_its_own_scatter(files):
    caf2 = files / "lammps" / "caf2"
    traj = read(caf2 / "npt_unwrapped_element.lammpstrj.gz", units="metal", log=caf2 / "log.npt.gz")
    assert found(traj.select("F")) == []
    heavy = replace(traj, masses=traj.masses * 1.5)
    (note,) = found(heavy)
    assert "1.5 times the temperature of the log" in note
    assert "other masses" in note
    (note,) = found(replace(traj, cell=traj.cell * 1.01, velocities=None))
    assert "times as large as the log says" in note


def test_velocities_made_of_positions_are_no_contradiction(files):
    """They are smoothed: at 0.1 ps they hold a fraction of the kinetic energy."""
    caf2 = files / "lammps" / "caf2"
    traj = read(caf2 / "npt_unwrapped_element.lammpstrj.gz", units="metal", log=caf2 / "log.npt.gz", velocities="positions")
    assert [note for note in traj.notes if "imply" in note or "as far" in note] == []
    assert traj.log.time[0] == pytest.approx(traj.time[0])


def test_notes_are_said_once(aln):
    wrong = aln(units="real", timestep=0.0005)
    again = examined(wrong)
    assert again.notes == wrong.notes
