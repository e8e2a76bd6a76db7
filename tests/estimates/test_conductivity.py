"""Ionic conductivity: both routes against exact models with their units, bounds, refusals."""

import numpy as np
import pytest
import xarray as xr

from mdtools import synthetic
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.errors import TrajectoryError
from mdtools.estimates.conductivity import _alone_and_together, ionic_conductivity
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.statistics.conductivity import Estimate, combined
from mdtools.statistics.diffusion import diffusion
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV

TEMPERATURE = 1000.0


def test_brownian_charges_conduct_as_nernst_and_einstein_say(walk, walk_dipole):
    sigma = ionic_conductivity(walk_dipole)
    exact = 32 / walk.volume * 0.5 / (BOLTZMANN * TEMPERATURE) * CONDUCTIVITY_TO_SI
    assert sigma.ionic_conductivity_lower < exact < sigma.ionic_conductivity_upper
    assert sigma.ionic_conductivity_stderr < 0.3 * exact
    assert sigma.charge_diffusivity.item() == pytest.approx(32 * 0.5, rel=0.5)
    assert sigma.ionic_conductivity_mS_per_cm.item() == pytest.approx(10 * sigma.ionic_conductivity.item())
    assert np.isnan(sigma.ionic_conductivity_green_kubo)


def test_the_two_routes_agree_with_the_exact_conductivity_of_langevin_ions(gas, tmp_path, reloaded, same):
    dipole, current = charge_displacement_msd(gas), charge_current_acf(gas, windows=8)
    sigma = ionic_conductivity(dipole, current)
    diffusivity = BOLTZMANN * TEMPERATURE / (20.0 * KINETIC_TO_EV * 5.0)
    exact = 16 / gas.volume * diffusivity / (BOLTZMANN * TEMPERATURE) * CONDUCTIVITY_TO_SI
    for route in ("einstein_helfand", "green_kubo"):
        value, stderr = sigma[f"ionic_conductivity_{route}"], sigma[f"ionic_conductivity_{route}_stderr"]
        assert abs(value - exact) < 3.5 * stderr
        assert stderr < 0.3 * exact
    assert abs(sigma.routes_difference) < 3
    least = min(sigma.ionic_conductivity_einstein_helfand_stderr.item(), sigma.ionic_conductivity_green_kubo_stderr.item())
    assert sigma.ionic_conductivity_stderr <= 1.001 * least
    same(sigma, ionic_conductivity(reloaded(dipole, tmp_path), reloaded(current, tmp_path)))


def test_two_routes_are_weighed_by_their_errors_and_by_what_they_have_in_common():
    """Least variance of a mean, of relative errors: by hand for independent routes, the better one alone where the other is that with noise."""
    first, second = Estimate(1.0, 0.1, 0.8, 1.2), Estimate(1.1, 0.22, 0.7, 1.5)
    alone = combined(first, second, 0.0).numbers()
    assert (alone.value, alone.stderr) == (pytest.approx(0.8 + 0.2 * 1.1), pytest.approx(1.02 * np.sqrt(0.8**2 * 0.01 + 0.2**2 * 0.04)))
    same = combined(first, second, 0.5).numbers()  # rho = a / b
    assert (same.value, same.stderr) == (pytest.approx(1.0), pytest.approx(0.1))
    assert combined(first, Estimate(), 0.0).numbers() == first
    assert combined(Estimate(), second, 0.0).numbers() == second


def test_routes_that_disagree_have_the_error_of_their_difference():
    one = combined(Estimate(1.0, 0.1, 0.8, 1.2), Estimate(3.0, 0.3, 2.5, 3.6), 0.0).numbers()
    assert one.value == pytest.approx(2.0)
    assert 1.0 < one.stderr < 1.2  # half of the difference in units of the geometric mean


@pytest.mark.parametrize("other", ["charge", "stated_temperature", "volume", "n_ions"])
def test_a_dipole_and_a_current_of_different_runs_or_charges_are_no_one_conductivity(gas, other):
    dipole, current = charge_displacement_msd(gas, lags="log"), charge_current_acf(gas, windows=8)
    with pytest.raises(TrajectoryError, match=r"charge_displacement_msd \(8 A .* are of different runs"):
        ionic_conductivity(dipole, current.assign({other: 0.8 * current[other]}))


def test_the_mean_over_windows_is_no_measurement(gas):
    dipole = charge_displacement_msd(gas, windows=2, lags="log")
    with pytest.raises(TrajectoryError, match="needs every window"):
        ionic_conductivity(dipole.mean("window", keep_attrs=True))
    with pytest.raises(TrajectoryError, match="needs every window"):
        ionic_conductivity(dipole.isel(window=[0]))


def test_axes_that_differ_are_no_correlation_of_the_ions_with_their_sum():
    """A layered conductor: both are large along x and small along z, and scatter independently."""
    random = np.random.default_rng(3)
    mean = np.array([4.0, 4.0, 0.1])[:, None, None]
    alone, together = mean * (1 + 0.1 * random.standard_normal((2, 3, 1, 400)))
    dims = ("xyz", "block_lag", "block")
    data = xr.Dataset(
        {
            "charge_displacement_block_self": (dims, alone),
            "charge_displacement_block_by_pair": (("pair", *dims), together[None]),
            "frame_interval": 1.0,
        },
        coords={"block_lag": [10.0]},
    )
    line = diffusion(np.arange(100), np.arange(100.0) * np.ones((3, 1)), n_frames=1000)
    assert abs(_alone_and_together(data, line)) < 0.15


def test_a_run_without_a_jump_excludes_no_less_than_three_jumps():
    """However flat the MSD: with the rate of three jumps in the run there is none in exp(-3) = 5 % of all runs."""
    crystal = synthetic.damped_oscillator(cells=3, n_frames=2000, frequency=3.0, damping=5.0, seed=2)
    d = self_diffusivity(msd(crystal, reference="none"))
    assert d.regime.item() == "caged"
    assert d.self_diffusivity_upper.item() >= 3 * 5.0**2 / (6 * 27 * 2000 * 0.02) * (1 - 1e-9)
    sigma = ionic_conductivity(charge_displacement_msd(crystal.with_charges({"A": 1.0}), reference="none"))
    per_diffusivity = 27 / (15.0**3 * 8.617333262e-5 * 300.0) * 1602.176634
    assert sigma.ionic_conductivity_upper.item() >= 3 * 5.0**2 / (6 * 27 * 2000 * 0.02) * per_diffusivity * (1 - 1e-9)


def test_the_dipole_of_an_insulating_crystal_gives_a_bound_only():
    crystal = synthetic.harmonic_crystal(n_frames=3000, seed=1).replace(step={"step": "stated"}, temperature=300.0)
    charges = np.where(np.arange(crystal.n_atoms) % 2 == 0, 1.0, -1.0)
    sigma = ionic_conductivity(charge_displacement_msd(crystal.with_charges(charges)))
    assert sigma.regime.item() in ("caged", "undecided")
    assert np.isnan(sigma.ionic_conductivity)
    assert np.isfinite(sigma.ionic_conductivity_upper)


def test_a_conductivity_needs_a_temperature():
    dipole = charge_displacement_msd(synthetic.brownian(n_atoms=8, n_frames=400))
    with pytest.raises(TrajectoryError, match=r"pass temperature=\.\.\. in K"):
        ionic_conductivity(dipole)
    assert ionic_conductivity(dipole, temperature=500.0).stated_temperature == 500.0
