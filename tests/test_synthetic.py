"""The synthetic trajectories give the answers that their docstrings promise."""

import numpy as np
import pytest

import mdtools as md
from mdtools import synthetic
from mdtools.units import BOLTZMANN, KINETIC_TO_EV


@pytest.mark.parametrize(("lattice", "cells", "factor"), [("fcc", 6, 0.781451), ("bcc", 8, 0.727194), ("sc", 10, 0.653109)])
def test_a_vacancy_moves_its_ions_with_the_exact_correlation_factor(lattice, cells, factor):
    jumps = 20_000
    run = synthetic.vacancy_hopper(lattice=lattice, cells=cells, n_frames=400, jumps_per_frame=jumps, seed=7)
    length = 4.0 * {"fcc": np.sqrt(0.5), "bcc": np.sqrt(0.75), "sc": 1.0}[lattice]
    msd = md.msd(run, lags=[1.0], reference="none").msd.item()
    assert msd * run.n_atoms / (jumps * length**2) == pytest.approx(factor, abs=0.005)


def test_brownian_ions_move_as_einstein_says():
    run = synthetic.brownian(n_atoms=400, n_frames=500, diffusivity=0.7, frame_interval=0.1, seed=2)
    out = md.msd(run, lags=[0.1, 0.5, 2.0], reference="none").msd.mean("species").values[0]
    np.testing.assert_allclose(out, 6 * 0.7 * np.array([0.1, 0.5, 2.0]), rtol=0.02)


def test_a_langevin_ion_moves_from_ballistic_to_diffusive_as_ornstein_and_uhlenbeck_say():
    g, mass, temperature = 5.0, 20.0, 1000.0
    run = synthetic.ornstein_uhlenbeck(n_atoms=400, n_frames=1500, friction=g, seed=4)
    out = md.msd(run, lags=[0.02, 0.2, 2.0], reference="none").msd.mean("species").values[0]
    t = np.array([0.02, 0.2, 2.0])
    exact = 6 * BOLTZMANN * temperature / (mass * KINETIC_TO_EV * g**2) * (g * t - 1 + np.exp(-g * t))
    np.testing.assert_allclose(out, exact, rtol=0.03)


@pytest.mark.parametrize("damping", [0.5, 30.0, 80.0])
def test_an_oscillator_has_twice_its_mean_square_amplitude_as_plateau_in_every_regime(damping):
    run = synthetic.damped_oscillator(cells=4, n_frames=3000, damping=damping, seed=1)
    plateau = md.msd(run, reference="none").msd.sel(lag=slice(20, 40)).mean().item()
    square = 3 * BOLTZMANN * 300 / (20.0 * KINETIC_TO_EV) / (2 * np.pi * 3.0) ** 2
    assert plateau == pytest.approx(2 * square, rel=0.05)


def test_a_harmonic_crystal_has_the_plateau_of_its_modes():
    options = {"cells": 4, "spring": 5.0, "masses": (40.0, 20.0)}
    frequencies, vectors = synthetic.harmonic_frequencies(**options)
    square = BOLTZMANN * 300 / KINETIC_TO_EV / (2 * np.pi * frequencies[1:]) ** 2
    kinds = synthetic.lattice_sites("sc", 4)[0].astype(int).sum(axis=1) % 2
    exact = [3 * np.mean((vectors[:, 1:] ** 2 @ square)[kinds == k]) / options["masses"][k] for k in (0, 1)]
    seen = np.zeros(2)
    for seed in range(12):
        run = synthetic.harmonic_crystal(**options, n_frames=1500, seed=seed)
        seen += md.msd(run, reference="none").msd.sel(lag=slice(5, 25)).mean("lag").values[0] / 12
    # 189 modes, each with an exponential energy: 7 % for one draw, 2 % for twelve
    np.testing.assert_allclose(seen, 2 * np.array(exact), rtol=0.08)


def test_a_rotor_turns_with_the_exact_law_at_every_lag():
    run = synthetic.rotor(cells=5, n_frames=600, seed=5)
    out = md.msd(run, lags=[0.05, 0.5, 3.0], reference="X").msd.sel(species="Y").values[0]
    np.testing.assert_allclose(out, 2 * 1.5**2 * (1 - np.exp(-2 * np.array([0.05, 0.5, 3.0]))), rtol=0.03)


def test_ions_that_step_together_have_a_charge_displacement_of_their_own():
    """Haven ratio 1/g: the dipole of n ions in groups of g moves g times as far (squared) as n independent ions."""
    run = synthetic.grouped_walkers(group=4, n_atoms=64, n_frames=4000, seed=6)
    single = md.msd(run, lags=[0.1], reference="none").msd.mean().item()
    dipole = md.charge_displacement_msd(run, lags=[0.1], reference="none").charge_displacement_msd.item()
    assert dipole / (64 * single) == pytest.approx(4.0, rel=0.05)
