"""Shear modulus from positions: a crystal whose stress gives another route, and what is no crystal."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mdtools import synthetic
from mdtools.analyses.rigidity import _indices, displacement_waves
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.rigidity import shear_modulus
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

RUNS = Path(__file__).parent / "runs"
BORN = 1.460  # GPa, C44 by Born term, stress fluctuation and kinetic part of the same run (reference/science.md B10)


def test_c44_of_argon_is_that_of_its_stress():
    with xr.open_dataset(RUNS / "argon_60K_waves.nc", engine="h5netcdf") as data:
        found = shear_modulus(data.load())
    assert found.elastic_c44.item() == pytest.approx(BORN, rel=0.05)
    assert abs(found.elastic_c44.item() - BORN) < 2 * found.elastic_c44_stderr.item()
    assert found.elastic_c44_stderr < 0.05 * BORN
    assert found.rigidity_ratio > 40


def test_independent_oscillators_have_no_long_waves():
    """Einstein's crystal: every wave has the same amplitude, so that the modulus at k = 0 vanishes against any k."""
    still = synthetic.damped_oscillator(cells=4, n_frames=2000, frame_interval=0.05)
    waves = displacement_waves(still)
    power = np.trace(waves.displacement_covariance.mean("window").values, axis1=1, axis2=2)
    assert power.std() < 0.35 * power.mean()  # no 1/k^2


def test_a_walk_of_independent_ions_is_not_rigid():
    found = shear_modulus(displacement_waves(synthetic.brownian(n_atoms=200, n_frames=800, temperature=1000.0), reference="none"))
    assert found.rigidity_ratio < 3
    assert found.still_share.item() != 0.5


def test_it_needs_windows_and_a_temperature():
    crystal = synthetic.harmonic_crystal(cells=4, n_frames=100)
    with pytest.raises(NotEnoughData, match="windows=8"):
        shear_modulus(displacement_waves(crystal, windows=2))
    with pytest.raises(TrajectoryError, match="temperature"):
        shear_modulus(displacement_waves(crystal.replace(step={}, temperature=None)))
    with pytest.raises(TrajectoryError, match="species"):
        displacement_waves(crystal, sublattice="Li")


@pytest.mark.parametrize(("lattice", "cells"), [("sc", 3), ("sc", 4), ("sc", 6), ("sc", 8), ("fcc", 2), ("fcc", 3), ("fcc", 4)])
def test_what_short_waves_of_a_small_cell_leave_is_in_the_error(lattice, cells):
    """Exact covariances of crystals of springs, C11, C12, C44 in springs over a: sc of springs along all axes, fcc of central ones."""
    bonds = np.eye(3) if lattice == "sc" else np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / 2
    springs = [np.eye(3) if lattice == "sc" else np.outer(one, one) / (one @ one) for one in bonds]
    exact = np.array([1.0, -1.0, 1.0] if lattice == "sc" else [2.0, 1.0, 1.0])
    n = cells**3 * (1 if lattice == "sc" else 4)
    k = 2 * np.pi * _indices() / cells
    matrix = sum(spring * (2 - 2 * np.cos(k @ bond))[:, None, None] for spring, bond in zip(springs, bonds, strict=True))
    thermal = BOLTZMANN * 100.0
    covariance = np.broadcast_to(thermal / n * np.linalg.inv(matrix + 1e-9 * np.eye(3)), (4, len(k), 3, 3))
    crystal = displacement_waves(synthetic.harmonic_crystal(cells=4, n_frames=100), windows=4)
    cell = {"lattice": (("cell_axis", "xyz"), cells * np.eye(3)), "volume": float(cells**3), "n_framework": n, "stated_temperature": 100.0}
    waves = {"displacement_covariance": (("window", "wave", "xyz", "xyz2"), covariance), "wave_vector_xyz": (("wave", "xyz"), k)}
    found = shear_modulus(crystal.assign(**cell, **waves))
    value, error = (np.array([found[f"elastic_{c}{end}"].item() for c in ("c11", "c12", "c44")]) for end in ("", "_stderr"))
    assert np.all(np.abs(value / EV_PER_ANGSTROM3_TO_GPA - exact) < 2 * error / EV_PER_ANGSTROM3_TO_GPA)
    if n > 500:
        assert np.all(error < 0.03 * np.abs(value))
