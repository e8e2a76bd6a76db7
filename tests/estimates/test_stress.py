"""Elastic constants by Born term and fluctuation: an ideal gas, a solid of springs that relax within, and argon by LAMMPS."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mdtools import synthetic
from mdtools.analyses.stress import stress_fluctuations
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.rigidity import shear_modulus
from mdtools.estimates.stress import stress_elasticity
from mdtools.thermo import Thermo
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

KELVIN, ROWS = 300.0, 4000
STILL = synthetic.brownian(n_atoms=4, n_frames=2000, temperature=KELVIN)
THERMAL = BOLTZMANN * KELVIN * EV_PER_ANGSTROM3_TO_GPA  # GPa angstrom^3
BORN_OF_ARGON = [3.4527, 1.9564, 1.9565]  # GPa, means of LAMMPS' compute born/matrix numdiff over the same run
RUNS = Path(__file__).parent / "runs"


def remembering(random, shape, memory=0.8):
    """Unit normal numbers, each row remembering the one before."""
    x = random.normal(size=shape)
    for k in range(1, len(x)):
        x[k] = memory * x[k - 1] + np.sqrt(1 - memory**2) * x[k]
    return x


def run_of(stress, n_atoms=4):
    """A run in whose log this stress (row, xx yy zz yz xz xy) is, in GPa."""
    xx, yy, zz, yz, xz, xy = -stress.T
    tensor = np.stack([np.stack([xx, xy, xz], -1), np.stack([xy, yy, yz], -1), np.stack([xz, yz, zz], -1)], -2)
    log = Thermo(time=np.linspace(STILL.time[0], STILL.time[-1], len(stress)), values={"pressure_tensor": tensor})
    return stress_fluctuations(replace(STILL, log=log)).assign(n_atoms=n_atoms)


def kinetic(random, n_atoms):
    """Kinetic stress of free atoms: -(1 / V) sum m v_a v_b."""
    v = np.sqrt(THERMAL / STILL.volume) * remembering(random, (ROWS, n_atoms, 3))
    return -np.stack([np.einsum("ta,ta->t", v[..., a], v[..., b]) for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))], axis=1)


def z(found, exact):
    return np.array([[(one[name].item() - value) / one[f"{name}_stderr"].item() for name, value in exact.items()] for one in found])


def test_an_ideal_gas_has_a_pressure_and_no_shear_modulus():
    """F = -N k_B T ln V: the bulk modulus is P, C44 as stress goes with strain 0; the kinetic term makes up for the kinetic stress."""
    pressure = 20 * THERMAL / STILL.volume
    found = [stress_elasticity(run_of(kinetic(np.random.default_rng(seed), 20), 20), born=[0.0, 0.0, 0.0]) for seed in range(30)]
    exact = {"elastic_c11": pressure, "elastic_c12": pressure, "elastic_c44": 0.0, "bulk_modulus": pressure, "shear_modulus": 0.0}
    scores = z(found, exact)
    assert np.mean(np.abs(scores) < 2) > 0.88
    assert np.abs(scores.mean(axis=0)).max() < 4 / np.sqrt(len(found))


def test_a_harmonic_crystal_that_relaxes_within():
    """U / V = e B e / 2 + g x e + k x^2 / 2 of inner coordinates x, one for each strain: the constants of the relaxed crystal are B - g^2 / k."""
    b, g, k = np.array([160.0, 50.0, 40.0]), np.array([30.0, 30.0, 30.0, 12.0, 12.0, 12.0]), 25.0  # GPa
    spread = np.sqrt(THERMAL / STILL.volume / k)
    found = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        stress = g * spread * remembering(random, (ROWS, 6)) + kinetic(random, 4)
        found.append(stress_elasticity(run_of(stress), born=b))
    pressure = 4 * THERMAL / STILL.volume  # of the free motion, which adds C11 = C12 = P
    exact = {"elastic_c11": b[0] - 900 / k + pressure, "elastic_c12": b[1] + pressure, "elastic_c44": b[2] - 144 / k}
    scores = z(found, exact)
    assert np.mean(np.abs(scores) < 2) > 0.85
    assert np.abs(scores.mean(axis=0)).max() < 4 / np.sqrt(len(found))
    assert found[0].elastic_c44_stderr < 0.05 * exact["elastic_c44"]


def test_21_numbers_are_those_of_a_cubic_crystal():
    data = run_of(kinetic(np.random.default_rng(0), 4))
    c11, c12, c44 = 100.0, 40.0, 30.0
    every = [c11] * 3 + [c44] * 3 + [c12, c12, 0, 0, 0, c12] + [0] * 9
    xr.testing.assert_allclose(stress_elasticity(data, born=every), stress_elasticity(data, born=[c11, c12, c44]))


def test_a_rotated_axis_is_the_same_crystal():
    """x, y, z taken as y, z, x: the same constants of a cubic mean."""
    stress = kinetic(np.random.default_rng(1), 4)
    one, other = (stress_elasticity(run_of(part), born=[100.0, 40.0, 30.0]) for part in (stress, stress[:, [1, 2, 0, 4, 5, 3]]))
    assert other.elastic_c44.item() == pytest.approx(one.elastic_c44.item(), rel=1e-9)
    assert other.elastic_c12.item() == pytest.approx(one.elastic_c12.item(), rel=1e-9)


def test_argon_by_its_stress_agrees_with_argon_by_positions():
    """fcc argon at 60 K, 300 ps (scripts/make_data --shear): 1.460 GPa by all three terms (reference/science.md B10), less P of .038 GPa."""
    with xr.open_dataset(RUNS / "argon_60K_stress.nc", engine="h5netcdf") as data:
        found = stress_elasticity(data.load(), born=BORN_OF_ARGON)
    with xr.open_dataset(RUNS / "argon_60K_waves.nc", engine="h5netcdf") as data:
        waves = shear_modulus(data.load())
    assert found.elastic_c44.item() == pytest.approx(1.46 - 0.038, abs=0.01)
    assert found.elastic_c44_stderr < 0.02
    for name in ("elastic_c44", "elastic_c11", "elastic_c12"):
        apart = float(waves[name] - found[name])
        assert abs(apart) < 3 * np.hypot(float(waves[f"{name}_stderr"]), float(found[f"{name}_stderr"])), name


def test_what_is_missing_is_told():
    data = run_of(kinetic(np.random.default_rng(0), 4))
    with pytest.raises(TrajectoryError, match=r"cannot come from a trajectory.*--born"):
        stress_elasticity(data)
    with pytest.raises(ValueError, match="21 of LAMMPS"):
        stress_elasticity(data, born=[1.0, 2.0])
    with pytest.raises(TrajectoryError, match="strain_elasticity"):
        stress_elasticity(data.assign(cell_held=0), born=[1.0, 1.0, 1.0])
    with pytest.raises(TrajectoryError, match="--temperature"):
        stress_elasticity(data.assign(stated_temperature=np.nan), born=[1.0, 1.0, 1.0])
    with pytest.raises(NotEnoughData, match="windows=16"):
        stress_elasticity(data.isel(window=slice(0, 4)), born=[1.0, 1.0, 1.0])
    with pytest.raises(TrajectoryError, match="pxx pyy pzz"):
        stress_fluctuations(STILL)
    few = Thermo(time=STILL.time[::500], values={"pressure_tensor": np.zeros((4, 3, 3))})
    with pytest.raises(NotEnoughData, match="12 of 16"):
        stress_fluctuations(replace(STILL, log=few))
