"""One run of 32 argon atoms in every unit system of LAMMPS: files/lammps/units (made by make.py there) must say the same thing."""

import re

import numpy as np
import pytest

from mdtools.readers import read
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

SYSTEMS = ["real", "si", "cgs", "electron", "micro", "nano"]
EPSILON, SIGMA, MASS = 119.8 * BOLTZMANN, 3.405, 39.948  # eV, angstrom, amu


@pytest.fixture(scope="module")
def of(files):
    folder = files / "lammps" / "units"
    return lambda name: read(folder / f"{name}.lammpstrj.gz", log=folder / f"log.{name}.gz", species="Ar", precision="float64")


@pytest.fixture(scope="module")
def metal(of):
    return of("metal")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_unit_system_says_the_same(of, metal, name):
    traj = of(name)
    for part in ("time", "cell", "masses"):
        np.testing.assert_allclose(getattr(traj, part), getattr(metal, part), rtol=1e-6)
    np.testing.assert_allclose(traj.scaled_positions, metal.scaled_positions, atol=2e-6)
    np.testing.assert_allclose(traj.velocities, metal.velocities, atol=1e-4)
    names = ("temperature", "pressure", "potential_energy", "kinetic_energy", "total_energy")
    for quantity in (*names, *(("volume", "pressure_tensor", "enthalpy") if "volume" in traj.log.values else ())):
        said, meant = traj.log.values[quantity], metal.log.values[quantity]
        # LAMMPS has its own digits of the constants of each system
        np.testing.assert_allclose(said, meant, rtol=2e-5, atol=2e-5 * np.abs(meant).max(), err_msg=quantity)


def test_reduced_units_are_those_of_argon(of, metal):
    reduced = of("lj")
    assert reduced.reduced
    for quantity, unit in {
        "temperature": EPSILON / BOLTZMANN,
        "volume": SIGMA**3,
        "pressure": EPSILON / SIGMA**3 * EV_PER_ANGSTROM3_TO_GPA,
        "total_energy": EPSILON,
        "kinetic_energy": EPSILON,
        "enthalpy": EPSILON,
    }.items():
        np.testing.assert_allclose(reduced.log.values[quantity] * unit, metal.log.values[quantity], rtol=2e-5, err_msg=quantity)
    assert {reduced.thermo[quantity].attrs["units"] for quantity in ("pressure", "volume", "enthalpy")} == {"1"}


@pytest.mark.parametrize("name", ["metal", *SYSTEMS, "lj"])
def test_velocities_and_log_agree_and_nothing_is_absurd(of, name):
    traj = of(name)
    said, found = (float(word) for word in traj.history[-1]["sanity"]["velocities against the log"].split(" where the log says "))
    assert found == pytest.approx(said, rel=2e-4)
    assert not [note for note in traj.notes if "imply" in note or "as far" in note or "denser" in note or "as large" in note]


def test_kinetic_energy_is_that_of_the_velocities(metal):
    square = np.einsum("tax,a->t", np.square(np.asarray(metal.velocities)), metal.masses)
    np.testing.assert_allclose(0.5 * 1.0364269656e-4 * square, metal.log.values["kinetic_energy"], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("metal", "real", "velocities imply"),  # angstrom/ps read as angstrom/fs: 10^6 times too hot
        ("real", "metal", "velocities imply"),
        ("metal", "nano", "denser|velocities imply|as large"),
        ("si", "cgs", "denser|as large"),
        ("metal", "electron", "as large"),
        ("micro", "si", "denser|as large"),
    ],
)
def test_a_slip_of_units_is_named(files, name, wrong, words):
    folder = files / "lammps" / "units"
    traj = read(folder / f"{name}.lammpstrj.gz", units=wrong, timestep=0.002, species="Ar", log=folder / f"log.{name}.gz", masses={"Ar": 39.948})
    assert any(re.search(words, note) for note in traj.notes), traj.notes
    assert any("is that a slip?" in note or f"units={wrong} was given" in note for note in traj.notes)
