"""Stiffness, coupling, barrier drop and attempt frequencies of the exact model of gated hops; refusals."""

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.bottleneck import bottleneck_radius
from mdtools.analyses.displacement import msd
from mdtools.analyses.phonons import phonon_dos
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.bottleneck import attempt_frequency, bottleneck_barrier
from mdtools.estimates.phonons import vibrational_moments
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

HEAT = BOLTZMANN * 600
VARIANCE = HEAT / KINETIC_TO_EV / (2 * 16 * (2 * np.pi * 4.0) ** 2)
CHOICE = {"mobile": "A", "corners": ["B"], "number": 2, "repeat": (6, 3, 3), "sites": "0 0.5 0.5", "windows": 6}


@pytest.fixture(scope="module")
def run():
    return synthetic.gated_hopper(chains=9, sites=6, n_frames=6000, seed=1)


@pytest.fixture(scope="module")
def measured(run):
    return bottleneck_radius(run, **CHOICE)


def near(found, name, truth, by=4.5, **sel):
    one, error = found[name].sel(sel).item(), found[f"{name}_stderr"].sel(sel).item()
    assert 0 < error < 0.2 * truth
    assert abs(one - truth) < by * error, (name, one, error, truth)


def test_the_barrier_falls_by_g_squared_over_two_m_omega_squared(measured):
    found = bottleneck_barrier(measured, critical_radius=2.4)
    near(found, "bottleneck_stiffness", HEAT / VARIANCE)
    near(found, "bottleneck_opening_at_hop", 0.5 * VARIANCE / HEAT)
    near(found, "bottleneck_coupling", 0.5)
    near(found, "barrier_drop", 0.25 * VARIANCE / (2 * HEAT))
    assert found.bottleneck_frequency.item() == pytest.approx(4.0, rel=0.02)
    assert found.bottleneck_mass.item() == pytest.approx(32.0, rel=0.04)  # of the half sum of two ions of 16
    drop = found.bottleneck_coupling**2 / (2 * found.bottleneck_mass * KINETIC_TO_EV * (2 * np.pi * found.bottleneck_frequency) ** 2)
    assert drop.item() == pytest.approx(found.barrier_drop.item(), rel=0.02)
    assert found.steric_barrier.item() == pytest.approx(HEAT / VARIANCE * 0.4**2 / 2, rel=0.1)
    assert float(found.bottleneck_share.sel(frequency=3.0, method="nearest")) < 0.2
    assert float(found.bottleneck_share[-1]) == 1


def test_as_many_hops_as_the_barrier_drop_says(measured):
    """<exp(g Q / k_B T)> = exp(drop / k_B T)."""
    found = bottleneck_barrier(measured)
    rate = float(measured.hop_starts.sum()) / (9 * 120 * 2)
    error = rate / np.sqrt(float(measured.hop_starts.sum()))
    assert abs(rate - 0.2 * np.exp(found.barrier_drop.item() / HEAT)) < 4.5 * (error + rate * found.barrier_drop_stderr.item() / HEAT)


def test_the_rate_of_hops_rises_exponentially_with_the_radius_that_the_window_has(measured):
    found = bottleneck_barrier(measured)
    width = float(found.r[1] - found.r[0])
    assert float(found.bottleneck_distribution_at_hop.sum()) * width == pytest.approx(1, abs=1e-12)
    rate, error = found.hop_rate_at_radius.values, found.hop_rate_at_radius_stderr.values
    law = 0.2 * np.exp(0.5 * (found.r.values - 2.0) / HEAT)  # of the middle of a bin; within it the mean is 4 % more at most
    seen = np.isfinite(rate) & (measured.bottleneck_counts_at_hop.sum("window").values >= 10)
    assert seen.sum() >= 8
    z = (rate - law)[seen] / np.hypot(error, 0.04 * law)[seen]
    assert np.abs(z).max() < 4
    assert np.sqrt(np.mean(z**2)) < 1.7
    assert law[seen].max() > 8 * law[seen].min()
    never = measured.bottleneck_distribution.sum("window").values == 0
    assert np.all(np.isnan(rate[never]))


def test_densities_and_rates_are_those_of_all_hops_and_never_negative(measured):
    """Hops that begin nearly all in one window of time: counts over counts, and counts over the time that windows have the radius."""
    counts = np.zeros(measured.bottleneck_counts_at_hop.shape, dtype=int)
    middle = int(np.argmax(measured.bottleneck_distribution.mean("window").values))
    counts[:, middle] = [1, 100, 1, 1, 1, 1]
    counts[0, middle + 1] = 1
    uneven = measured.assign(bottleneck_counts_at_hop=(("window", "r"), counts))
    found = bottleneck_barrier(uneven)
    hops, width = counts.sum(axis=0), 0.05
    np.testing.assert_allclose(found.bottleneck_distribution_at_hop, hops / hops.sum() / width, atol=1e-12)
    before = float(measured.window_length * measured.n_mobile * measured.n_paths) * measured.bottleneck_distribution.values.sum(axis=0) * width
    np.testing.assert_allclose(found.hop_rate_at_radius, np.where(before > 0, hops / np.where(before > 0, before, 1), np.nan), rtol=1e-9)


def test_three_attempt_frequencies_are_listed_beside_one_another(run, measured):
    moments = vibrational_moments(phonon_dos(run, windows=6))
    found = attempt_frequency(measured, moments, activation_energy=0.1)
    rate = float(measured.hop_starts.sum()) / (9 * 120 * 2)
    assert found.jump_rate.item() == pytest.approx(rate, rel=1e-12)
    near(found, "jump_rate", 0.2 * np.exp(0.25 * VARIANCE / 2 / HEAT**2))
    assert found.attempt_frequency.sel(estimator="jump rate").item() == pytest.approx(rate * np.exp(0.1 / HEAT))
    for name in ("band centre", "crossings"):  # of oscillators at 8 THz
        assert found.attempt_frequency.sel(estimator=name).item() == pytest.approx(8.0, rel=0.06)
    without = attempt_frequency(measured, moments)
    assert np.isnan(without.attempt_frequency.sel(estimator="jump rate"))
    assert without.attempt_spread.item() < 1.1


def test_a_harmonic_crystal_has_the_displacement_of_its_density_of_states_and_half_the_plateau_of_its_msd():
    crystal = synthetic.harmonic_crystal(cells=4, n_frames=4000, seed=1)
    found = vibrational_moments(phonon_dos(crystal))
    plateau = msd(crystal, reference="none").msd.sel(lag=slice(3, 8)).mean(["window", "lag"]) / 2
    np.testing.assert_allclose(found.vibrational_displacement[:2], plateau, rtol=0.01)
    assert np.isnan(found.vibrational_displacement.sel(sublattice="all"))
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=4000, friction=5.0, seed=1)
    assert np.all(np.isnan(vibrational_moments(phonon_dos(gas)).vibrational_displacement))


def test_the_centre_of_a_band_is_that_of_the_band_alone():
    lines = phonon_dos(synthetic.harmonic_crystal(cells=4, n_frames=2000, seed=1))
    density = lines.phonon_dos.sel(species="A").mean("window")
    whole, band = vibrational_moments(lines), vibrational_moments(lines, frequency_range=(14.0, 30.0))
    inside = density.sel(frequency=slice(14.0, 30.0))
    expected = float((inside * inside.frequency).integrate("frequency") / inside.integrate("frequency"))
    assert band.band_centre.sel(sublattice="A").item() == pytest.approx(expected, rel=0.02)
    assert band.band_centre.sel(sublattice="A").item() > whole.band_centre.sel(sublattice="A").item()
    assert band.band_centre_stderr.sel(sublattice="A").item() > 0
    assert band.mean_square_frequency.sel(sublattice="A").item() == whole.mean_square_frequency.sel(sublattice="A").item()
    for bad in ((5.0, 2.0), (4.0,), (4.0, 4.001)):
        with pytest.raises(TrajectoryError, match="--frequency-range"):
            vibrational_moments(lines, frequency_range=bad)


def test_a_caged_run_has_no_coupling_and_says_what_would_do():
    run = synthetic.gated_hopper(chains=4, sites=4, n_frames=1600, rate=0.002, seed=1)
    measured = bottleneck_radius(run, **{**CHOICE, "repeat": (4, 2, 2)})
    found = bottleneck_barrier(measured)
    assert np.isnan(found.bottleneck_coupling)
    assert np.all(np.isnan(found.hop_rate_at_radius))
    assert np.all(found.bottleneck_distribution_stderr >= 0)
    assert "pass coupling=" in schema.history(found)[-1]["undetermined"]["bottleneck_coupling"]
    given = bottleneck_barrier(measured, coupling=0.5)
    missing = schema.history(given)[-1]["undetermined"]
    assert set(missing) == {"bottleneck_opening_at_hop", "bottleneck_distribution_at_hop", "hop_rate_at_radius"}
    assert not any("coupling=" in why for why in missing.values())
    assert given.barrier_drop.item() == pytest.approx(0.25 * VARIANCE / (2 * HEAT), rel=0.15)
    with pytest.raises(NotEnoughData, match="windows=4 or more"):
        bottleneck_barrier(measured.isel(window=slice(0, 2)))
    with pytest.raises(TrajectoryError, match="every window"):
        bottleneck_barrier(measured.mean("window"))
