"""Quasi-harmonic argon: densities of states of LAMMPS runs at seven volumes against the pressure of the same runs.

runs/argon_volumes.nc are our own LAMMPS runs (CC0; scripts/argon_volumes.in, measured by scripts/argon_volumes.py, which prints what stands here).
"""

from pathlib import Path

import numpy as np
import pytest

from mdtools.chain import load
from mdtools.errors import NotEnoughData
from mdtools.estimates.quasi_harmonic import quasi_harmonic_thermodynamics

# K; volume per atom (angstrom^3) at which the virial is zero, and bulk modulus (GPa), each with its error
BY_VIRIAL = ((15.0, 38.102, 0.005, 2.204, 0.013), (20.0, 38.370, 0.006, 2.088, 0.012), (25.0, 38.651, 0.008, 1.966, 0.023))
EXPANSION = (4.766e-4, 0.083e-4)  # linear, 1 / K, between 15 and 25 K


@pytest.fixture(scope="module")
def densities():
    return [one for _, one in load(Path(__file__).parent / "runs" / "argon_volumes.nc")]


def test_classical_vibrations_put_the_volume_where_the_virial_is_zero(densities):
    found = quasi_harmonic_thermodynamics(densities, temperatures=[row[0] for row in BY_VIRIAL], classical=True)
    for k, (_, volume, volume_error, modulus, modulus_error) in enumerate(BY_VIRIAL):
        one = found.isel(temperature=k)
        assert abs(one.equilibrium_volume - volume) < 2.5 * np.hypot(one.equilibrium_volume_stderr, volume_error)
        assert abs(one.bulk_modulus - modulus) < 2.5 * np.hypot(one.bulk_modulus_stderr, modulus_error)
        assert one.equilibrium_volume_stderr < 0.002 * volume
        assert one.bulk_modulus_stderr < 0.06 * modulus
    expansion, error = EXPANSION
    assert abs(found.thermal_expansion[1] - expansion) < 2.5 * np.hypot(found.thermal_expansion_stderr[1], error)
    assert found.thermal_expansion_stderr[1] < 0.1 * expansion


def test_zero_point_motion_widens_argon_and_freezes_its_heat_capacity(densities):
    cold = quasi_harmonic_thermodynamics(densities, temperatures=[10.0, 15.0]).isel(temperature=0)
    assert float(cold.equilibrium_volume) > BY_VIRIAL[0][1] + 0.3
    assert float(cold.vibrational_heat_capacity) < 1.0
    with pytest.raises(NotEnoughData, match=r"lies outside those of the runs, 35\.912 to 38\.111"):
        quasi_harmonic_thermodynamics(densities[:5], temperatures=[20.0], classical=True)
