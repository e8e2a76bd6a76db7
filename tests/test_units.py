"""Every conversion factor against the constants of scipy, ase and pint."""

import math

import ase.calculators.lammps as ase_lammps
import ase.units
import pint
import pytest
import scipy.constants as si

from mdtools import units


def test_the_constants_are_those_of_codata():
    assert pytest.approx(si.k / si.e, rel=1e-9) == units.BOLTZMANN
    assert pytest.approx(si.atomic_mass * 1e4 / si.e, rel=1e-9) == units.KINETIC_TO_EV
    assert pytest.approx(si.e * 1e22, rel=1e-9) == units.CONDUCTIVITY_TO_SI
    assert pytest.approx(1 / (1000 * ase.units.fs), rel=1e-6) == units.ASE_TIME
    assert pytest.approx(si.physical_constants["atomic unit of time"][0] * 1e12, rel=1e-9) == units.ATOMIC_TIME


@pytest.mark.parametrize("name", ["metal", "real", "si", "cgs", "electron"])
def test_unit_systems_of_lammps_are_those_of_ase(name):
    mine = units.UNIT_SYSTEMS[name]
    ours = {"length": ase.units.Ang, "time": 1000 * ase.units.fs, "velocity": ase.units.Ang / (1000 * ase.units.fs)}
    ours |= {"mass": 1.0, "charge": 1.0, "energy": 1.0, "pressure": ase.units.GPa}
    if name == "electron":  # ASE follows the manual of LAMMPS, which is not what LAMMPS does: see units.py
        del ours["velocity"]
    for quantity, unit in ours.items():
        assert getattr(mine, quantity) == pytest.approx(
            ase_lammps.convert(1.0, "distance" if quantity == "length" else quantity, name, "ASE") / unit, rel=2e-5
        ), quantity


@pytest.mark.parametrize(
    ("name", "length", "time", "mass", "charge"),
    [("micro", "micrometer", "microsecond", "picogram", "picocoulomb"), ("nano", "nanometer", "nanosecond", "attogram", "e")],
)
def test_the_small_unit_systems_are_those_of_pint(name, length, time, mass, charge):
    mine, of = units.UNIT_SYSTEMS[name], pint.UnitRegistry()
    assert mine.length == pytest.approx(of(length).m_as("angstrom"))
    assert mine.time == pytest.approx(of(time).m_as("ps"))
    assert mine.velocity == pytest.approx(of(f"{length}/{time}").m_as("angstrom/ps"))
    assert mine.mass == pytest.approx(of(mass).m_as("amu"), rel=1e-6)
    assert mine.charge == pytest.approx(of(charge).m_as("e"), rel=1e-6)
    assert mine.energy == pytest.approx(of(f"{mass}*{length}^2/{time}^2").m_as("eV"), rel=1e-6)
    assert mine.pressure == pytest.approx(of(f"{mass}/({length}*{time}^2)").m_as("GPa"), rel=1e-6)


def test_durations_are_numbers_of_ps_or_carry_their_unit():
    assert units.duration(0.5, "timestep") == 0.5
    assert math.isclose(units.duration("2 fs", "timestep"), 0.002)
    assert units.duration("1e-3 ns", "timestep") == 1.0
    for wrong in ("two fs", "2 parsec", ""):
        with pytest.raises(ValueError, match="timestep="):
            units.duration(wrong, "timestep")
