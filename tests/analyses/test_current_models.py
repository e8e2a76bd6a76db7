"""Charge transport of models whose answers are exact: science.md B3, B11, B12. Slopes are plain: errors are the estimates' affair."""

import dataclasses

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV


def haven(traj, *, lag):
    """Self part of the charge displacement over the whole, of walkers that forget from frame to frame."""
    out = charge_displacement_msd(traj, lags=[lag * traj.frame_interval], reference="none").isel(window=0, lag=0)
    return float(out.charge_displacement_msd_self.sum() / out.charge_displacement_msd)


def spread(n_frames, lag=1):
    """Relative standard error of the squared displacement of one walker in 3-D, steps of independent frames."""
    return np.sqrt(2 / (3 * n_frames) * (1 if lag == 1 else 2 * lag / 3))


def test_brownian_ions_conduct_as_nernst_and_einstein_say():
    walk = synthetic.brownian(n_atoms=20, n_frames=8001, diffusivity=0.7, frame_interval=0.1, temperature=900.0, seed=5)
    out = charge_displacement_msd(walk, lags=[0.1], reference="none").isel(window=0, lag=0)
    sigma = float(out.charge_displacement_msd) / 0.1 / (6 * walk.volume * BOLTZMANN * 900) * CONDUCTIVITY_TO_SI
    exact = 20 / walk.volume * 0.7 / (BOLTZMANN * 900) * CONDUCTIVITY_TO_SI
    assert sigma == pytest.approx(exact, rel=4 * spread(8000))
    spectrum = charge_current_acf(walk, windows=1, reference="none").charge_current_periodogram  # no velocities: steps of positions
    assert float(spectrum.mean()) / (6 * walk.volume * BOLTZMANN * 900) * CONDUCTIVITY_TO_SI == pytest.approx(exact, rel=4 * spread(8000))
    assert haven(walk, lag=1) == pytest.approx(1, rel=4 * spread(8000))


def test_bound_pairs_diffuse_and_do_not_conduct():
    pairs = synthetic.bound_pairs(n_pairs=8, n_frames=2000, diffusivity=0.5, seed=2)
    out = charge_displacement_msd(pairs, lags=[1.0], reference="none").isel(window=0, lag=0)
    alone = float(out.charge_displacement_msd_self.sum())
    assert alone == pytest.approx(16 * 6 * 0.5, rel=0.15)
    assert float(out.charge_displacement_msd) < 1e-12 * alone
    spectrum = charge_current_acf(pairs, windows=4, reference="none")
    assert float(spectrum.charge_current_periodogram.max()) < 1e-12 * float(spectrum.charge_current_periodogram_self.max())


@pytest.mark.parametrize("group", [2, 8])
def test_ions_that_move_as_a_block_have_a_haven_ratio_of_one_over_their_number(group):
    walk = synthetic.grouped_walkers(group=group, n_atoms=32, n_frames=20_001, seed=3)
    assert haven(walk, lag=1) == pytest.approx(1 / group, rel=4 * spread(20_000))


def test_the_current_of_langevin_ions_is_lorentzian_and_keeps_the_f_sum():
    """S(f) = S(0) / (1 + (2 pi f / g)^2), C_J(0) = 3 k_B T sum q^2 / m, int Re sigma d omega = (pi / 2) sum q^2 / (m V)."""
    g, dt = 5.0, 0.02
    gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=20_000, friction=g, frame_interval=dt, seed=21)
    out = charge_current_acf(gas, windows=8, reference="none")
    exact = 3 * BOLTZMANN * 1000 / KINETIC_TO_EV * 16 / 20.0
    f = out.frequency.values
    # sampled every dt: an AR(1) series, whose spectrum is the folded Lorentzian
    decay = np.exp(-g * dt)
    folded = exact * dt * (1 - decay**2) / (1 - 2 * decay * np.cos(2 * np.pi * f * dt) + decay**2)
    ratio = out.charge_current_periodogram.mean("window").values / folded
    for first, last in ((1, 50), (50, 200), (200, 800)):
        assert ratio[first:last].mean() == pytest.approx(1, abs=4 * np.sqrt(1 / 3 / 8 / (last - first)) + 0.01)
    power = float(out.charge_current_acf.isel(lag=0).mean())
    error = np.sqrt(2 / (3 * 2 * 400 * g / 2))  # of 3 axes that forget at the rate 2 g
    assert power == pytest.approx(exact, rel=4 * error)
    conductivity = out.charge_current_periodogram.mean("window") / (6 * gas.volume * BOLTZMANN * 1000) * CONDUCTIVITY_TO_SI
    integral = 2 * np.pi * float(conductivity.integrate("frequency"))
    f_sum = np.pi / 2 * 16 / (20.0 * gas.volume) * CONDUCTIVITY_TO_SI / KINETIC_TO_EV
    assert integral == pytest.approx(f_sum, rel=4 * error + 0.01)


def test_the_golden_rule_holds_at_every_frame_in_the_barycentre():
    """Ions of unlike mass: m+ J+ / q+ = - m- J- / q-, so sigma+ / sigma- = m- / m+ in each spectrum ordinate, lag and block."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=12, n_frames=400, seed=8)
    masses = np.where(gas.species == "A", 22.98977, 35.453)
    gas = dataclasses.replace(gas, masses=masses)
    ratio = 22.98977 / 35.453
    out, dipole = charge_current_acf(gas, reference="barycentre"), charge_displacement_msd(gas, reference="barycentre")
    for data, name in ((out, "charge_current_acf"), (out, "charge_current_periodogram"), (dipole, "charge_displacement_msd")):
        parts = data[f"{name}_by_pair"]
        scale = float(abs(parts).max())
        np.testing.assert_allclose(parts.sel(pair="B-B"), ratio**2 * parts.sel(pair="A-A"), rtol=1e-5, atol=1e-6 * scale)
        np.testing.assert_allclose(parts.sel(pair="A-B"), 2 * ratio * parts.sel(pair="A-A"), rtol=1e-5, atol=1e-6 * scale)
    blocks = dipole.charge_displacement_block_by_pair
    np.testing.assert_allclose(blocks.sel(pair="B-B"), ratio**2 * blocks.sel(pair="A-A"), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("lattice", "factor"), [("fcc", 0.781451), ("bcc", 0.727194), ("sc", 0.653109)])
def test_a_vacancy_has_the_haven_ratio_of_its_lattice(lattice, factor):
    """One vacancy is an uncorrelated walker: H_R = f. Frames far enough apart that the ion's next jump no longer knows the last."""
    cells = {"fcc": 4, "bcc": 5, "sc": 6}[lattice]
    frames, jumps = 3001, 2000
    walk = synthetic.vacancy_hopper(lattice=lattice, cells=cells, n_frames=frames, jumps_per_frame=jumps, seed=7)
    near = {"fcc": 8.0, "bcc": 12.0, "sc": 16.0}[lattice]
    out = charge_displacement_msd(walk, lags=[1.0], reference="none").isel(window=0, lag=0)
    alone = float(out.charge_displacement_msd_self.sum())
    found = alone / (jumps * near)
    assert float(out.charge_displacement_msd) == pytest.approx(jumps * near, rel=4 * spread(frames))
    assert found == pytest.approx(factor, abs=0.01)  # of the exact charge displacement, so that only the self part scatters


@pytest.mark.parametrize("occupied", [0.5, 0.8])
def test_a_lattice_gas_without_interaction_has_the_haven_ratio_of_its_tracer(occupied):
    """f_I = 1: the charge moves as c (1 - c) says; the tracer as Nakazato and Kitahara, sc 0.850 and 0.739 (KMC 0.843, 0.738)."""
    sites = 6**3
    vacancies = round((1 - occupied) * sites)
    walk = synthetic.vacancy_hopper(lattice="sc", cells=6, vacancies=vacancies, n_frames=1501, jumps_per_frame=40 * vacancies, seed=9)
    out = charge_displacement_msd(walk, lags=[1.0], reference="none").isel(window=0, lag=0)
    tried = 40 * vacancies * 16.0  # l^2 for every attempt of a vacancy, of which occupied * sites / (sites - 1) succeed
    whole = tried * walk.n_atoms / (sites - 1)
    assert float(out.charge_displacement_msd) == pytest.approx(whole, rel=4 * spread(1500))
    exact = 1 / (1 + (1 - 0.653109) / 0.653109 * occupied / (2 - occupied))
    assert float(out.charge_displacement_msd_self.sum()) / whole == pytest.approx(exact, abs=0.02)


def test_collinear_interstitialcy_has_two_thirds_and_one_third():
    """Each event moves two ions by a sqrt(3) / 4 and charge twice as far: f = 2/3 of 2 (3 a^2 / 16) per event, H_R = f / 2 = 1/3."""
    walk = synthetic.interstitialcy(cells=4, n_frames=3001, jumps_per_frame=2000, seed=3)
    out = charge_displacement_msd(walk, lags=[1.0], reference="none").isel(window=0, lag=0)
    charge = 2000 * 12 / 16 * 16.0
    assert float(out.charge_displacement_msd) == pytest.approx(charge, rel=4 * spread(3000))
    assert float(out.charge_displacement_msd_self.sum()) / charge == pytest.approx(1 / 3, abs=0.01)
    assert float(out.charge_displacement_msd_self.sum()) / (2000 * 2 * 3) == pytest.approx(2 / 3, abs=0.01)
