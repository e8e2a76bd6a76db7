"""Estimates from the density of states: exact models, one D, coverage, refusals."""

import dataclasses

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.displacement import msd
from mdtools.analyses.phonons import phonon_dos
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.phonons import vibrational_moments, vibrational_thermodynamics
from mdtools.units import BOLTZMANN, PLANCK


@pytest.fixture(scope="module")
def crystals():
    """Densities of eight draws of a harmonic crystal whose lines are known."""
    options = {"cells": 4, "spring": 5.0, "masses": (40.0, 20.0)}
    lines = synthetic.harmonic_frequencies(**options)[0][1:]
    runs = [synthetic.harmonic_crystal(**options, n_frames=2000, frame_interval=0.02, seed=seed) for seed in range(8)]
    return [phonon_dos(run, windows=4) for run in runs], lines


def test_of_a_harmonic_crystal_they_are_those_of_its_dynamical_matrix(crystals):
    densities, lines = crystals
    made = [vibrational_moments(one).sel(sublattice="all") for one in densities]
    for name, exact in (("band_centre", lines.mean()), ("mean_square_frequency", np.mean(lines**2))):
        each = np.array([float(one[name]) for one in made])
        # each of 189 modes has an exponential energy
        assert each.mean() == pytest.approx(exact, abs=4 * np.std(lines ** (1 if name == "band_centre" else 2)) / np.sqrt(189 * 8))
    debye = np.array([float(one.debye_temperature) for one in made])
    assert debye.mean() == pytest.approx(PLANCK / BOLTZMANN * np.sqrt(5 / 3 * np.mean(lines**2)), rel=0.02)
    for one in made:
        assert float(one.fluidity) < 0.02


def test_thermodynamics_of_a_harmonic_crystal_is_that_of_its_lines(crystals):
    densities, lines = crystals
    at = [100.0, 300.0, 1000.0]
    made = [vibrational_thermodynamics(one, temperatures=at).sel(sublattice="all") for one in densities]
    x = PLANCK * lines / (BOLTZMANN * np.array(at)[:, None])
    exact = {
        "vibrational_heat_capacity": 3 * np.mean((x / 2 / np.sinh(x / 2)) ** 2, axis=1),
        "vibrational_energy": 3 * BOLTZMANN * np.array(at) * np.mean(x / 2 / np.tanh(x / 2), axis=1),
        "vibrational_free_energy": 3 * BOLTZMANN * np.array(at) * np.mean(np.log(2 * np.sinh(x / 2)), axis=1),
        "vibrational_entropy": 3 * np.mean(x / 2 / np.tanh(x / 2) - np.log(2 * np.sinh(x / 2)), axis=1),
        "vibrational_entropy_classical": 3 * np.mean(1 - np.log(x), axis=1),
    }
    for name, value in exact.items():
        each = np.array([one[name].values for one in made])
        scatter = each.std(axis=0, ddof=1) / np.sqrt(8)
        assert np.all(np.abs(each.mean(axis=0) - value) < 5 * scatter + 2e-3 * np.abs(value)), name
    correction = made[0].vibrational_energy - 3 * BOLTZMANN * made[0].temperature
    np.testing.assert_allclose(made[0].quantum_correction, correction, rtol=1e-12)


def test_d_from_zero_frequency_is_exact_covered_and_the_slope_of_the_msd():
    exact = 0.8314462618 * 1000.0 / (20.0 * 5.0)
    pulls, differences = [], []
    for seed in range(24):
        gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=4096, friction=5.0, mass=20.0, temperature=1000.0, frame_interval=0.02, seed=seed)
        out = vibrational_moments(phonon_dos(gas))
        pulls += ((out.dos_diffusivity - exact) / out.dos_diffusivity_stderr).values.tolist()
        if seed < 4:
            other = self_diffusivity(msd(gas, reference="none"))
            error = np.hypot(out.dos_diffusivity_stderr, other.self_diffusivity_stderr)
            differences += ((out.dos_diffusivity - other.self_diffusivity) / error).values.tolist()
    assert np.mean(np.abs(pulls) < 2) > 0.85
    assert np.std(pulls) < 1.3
    assert abs(np.mean(pulls)) < 0.6
    assert np.abs(differences).max() < 3.5


def test_a_crystal_does_not_diffuse(crystals):
    out = vibrational_moments(crystals[0][0])
    known = np.isfinite(out.dos_diffusivity.values)
    assert np.all(out.dos_diffusivity.values[known] < 1e-3)
    assert set(schema.history(out)[-1]["undetermined"]) == set(out.species.values[~known].tolist())


def test_errors_of_moments_cover():
    """Langevin ions on springs: <f^2> of each draw against the mean of all, in its own error."""
    draws = [
        vibrational_moments(phonon_dos(synthetic.damped_oscillator(cells=2, n_frames=4000, frequency=3.0, damping=2.0, seed=seed)))
        for seed in range(40)
    ]
    for name in ("band_centre", "mean_square_frequency", "modes"):
        value = np.array([float(one[name].sel(sublattice="all")) for one in draws])
        error = np.array([float(one[f"{name}_stderr"].sel(sublattice="all")) for one in draws])
        assert np.std(value, ddof=1) / np.sqrt(np.mean(error**2)) == pytest.approx(1.0, abs=0.35), name


def test_a_gas_is_more_fluid_than_a_crystal():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=4096, friction=0.5, mass=20.0, temperature=1000.0, length=40.0, seed=1)
    assert float(vibrational_moments(phonon_dos(gas)).fluidity.sel(sublattice="all")) > 0.8


def test_what_is_missing_is_named_with_its_cure(crystals):
    density = crystals[0][0]
    with pytest.raises(NotEnoughData, match=r"needs 4 windows for its errors, and this phonon_dos has 2: measure it with windows=4"):
        vibrational_moments(density.isel(window=slice(2)))
    with pytest.raises(TrajectoryError, match="needs every window and species"):
        vibrational_thermodynamics(density.mean("window"))
    with pytest.raises(TrajectoryError, match="temperatures must be above 0 K"):
        vibrational_thermodynamics(density, temperatures=[0.0])
    coarse = synthetic.harmonic_crystal(cells=4, n_frames=400, frame_interval=0.15, seed=1)
    with pytest.raises(NotEnoughData, match=r"frames that resolve the vibrations: .* % of the power .*every 0.02 ps shows vibrations up to 20 THz"):
        vibrational_moments(phonon_dos(coarse))
    reduced = dataclasses.replace(synthetic.damped_oscillator(cells=2, n_frames=800), reduced=True, temperature=1.0)
    with pytest.raises(TrajectoryError, match="needs real units"):
        vibrational_thermodynamics(phonon_dos(reduced))
    assert "debye_temperature" not in vibrational_moments(phonon_dos(reduced))
