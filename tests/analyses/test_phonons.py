"""Velocity correlation and phonon density of states: definitions, exact models, refusals."""

import dataclasses

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.phonons import phonon_dos, velocity_acf
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

K = BOLTZMANN / KINETIC_TO_EV  # amu angstrom^2 / ps^2 / K


@pytest.fixture(scope="module")
def gas():
    """Sixty-four free ions of mass 20 under the friction 5 / ps at 1000 K for 164 ps."""
    return synthetic.ornstein_uhlenbeck(n_atoms=64, n_frames=8192, friction=5.0, mass=20.0, temperature=1000.0, frame_interval=0.02, seed=7)


@pytest.fixture(scope="module")
def small():
    """Seven ions of three unequal masses in two species, an odd number of frames a window."""
    traj = synthetic.ornstein_uhlenbeck(n_atoms=7, n_frames=91, seed=2)
    double = np.asarray(traj.velocities, dtype=np.float64)  # what is stored in single precision is transformed so
    return dataclasses.replace(traj, masses=np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]), velocities=double)


def test_velocity_correlation_is_its_definition(small):
    out = velocity_acf(small, windows=2)
    v = np.asarray(small.velocities, dtype=float)[:90].reshape(2, 45, 7, 3)
    for s, name in enumerate(small.species_names):
        part = v[:, :, small.indices(name)]
        for lag in (0, 1, 20, 44):
            expected = np.sum(part[:, : 45 - lag] * part[:, lag:], axis=-1).mean(axis=(1, 2))
            np.testing.assert_allclose(out.velocity_acf[:, s, lag], expected, rtol=1e-10, atol=1e-10)


def test_one_time_origin_is_the_first_frame_of_the_window(small):
    out = velocity_acf(small, windows=2, origins="first")
    v = np.asarray(small.velocities, dtype=float)[:90].reshape(2, 45, 7, 3)
    expected = np.einsum("wtax->wta", v * v[:, :1])[:, :, small.indices("A")].mean(axis=2)
    np.testing.assert_allclose(out.velocity_acf.sel(species="A"), expected, rtol=1e-10, atol=1e-10)


def test_single_and_multi_origin_agree_at_the_last_lag(small):
    one, all_of_them = velocity_acf(small, windows=1, origins="first"), velocity_acf(small, windows=1)
    np.testing.assert_allclose(one.velocity_acf[..., -1], all_of_them.velocity_acf[..., -1], rtol=1e-9)


def test_uneven_frames_have_one_time_origin_only(small):
    uneven = dataclasses.replace(small, time=small.time**1.5)
    out = velocity_acf(uneven, windows=1, origins="first")
    np.testing.assert_allclose(out.lag, uneven.time - uneven.time[0])
    with pytest.raises(TrajectoryError, match="velocity_acf needs evenly spaced frames"):
        velocity_acf(uneven, windows=1)


def test_free_ions_forget_their_velocity_exponentially(gas):
    out = velocity_acf(gas).velocity_acf.mean(["window", "species"])
    exact = 3 * K * 1000.0 / 20.0 * np.exp(-5.0 * out.lag)
    # 64 * 3 independent components, forgotten in 1 / g: error of each lag below sqrt(2 / (192 * 164 * 5)) of C(0)
    error = float(exact[0]) * np.sqrt(2 / (192 * 164 * 5))
    assert float(np.abs(out - exact).sel(lag=slice(0, 2)).max()) < 4.5 * error
    assert float(np.sqrt(np.mean(((out - exact) / error).sel(lag=slice(0, 2)) ** 2))) < 2


def test_velocity_correlation_of_velocities_agrees_with_the_curvature_of_the_msd(gas):
    """d^2 MSD / dt^2 = 2 C(t), by the symmetric difference of the MSD at short lags."""
    from mdtools.analyses.displacement import msd

    lag = 0.02 * np.arange(40)
    curve = msd(gas, lags=lag, reference="none").msd.mean("species").isel(window=0).values
    acf = velocity_acf(gas, windows=1).velocity_acf.mean("species").isel(window=0).values[1:39]
    second = (curve[2:] - 2 * curve[1:-1] + curve[:-2]) / 0.02**2 / 2
    np.testing.assert_allclose(second, acf, atol=0.01 * acf[0])


def test_the_integral_is_the_kinetic_temperature_over_the_stated_one_exactly(small):
    """Parseval, for an odd and an even window, one species and two, unequal masses inside a species."""
    for windows in (1, 2, 3):
        out = phonon_dos(small, windows=windows, taper="none")
        modes = (3 * out.n_ions * out.kinetic_temperature / out.stated_temperature).transpose("window", "species")
        np.testing.assert_allclose(out.phonon_dos.integrate("frequency"), modes, rtol=1e-12)
    v = np.asarray(small.velocities, dtype=float)
    heat = np.einsum("tax,a->ta", v**2, small.masses) / (3 * K)
    expected = [heat[:, small.indices(name)].mean() for name in small.species_names]
    np.testing.assert_allclose(phonon_dos(small, windows=1).kinetic_temperature[0], expected, rtol=1e-10)


def test_the_density_of_states_is_its_definition(small):
    n = 90
    even = dataclasses.replace(
        small, scaled_positions=small.scaled_positions[:n], velocities=small.velocities[:n], time=small.time[:n], cell=small.cell[:n]
    )
    out = phonon_dos(even, windows=1)
    w = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
    x = 0.02 * np.fft.rfft(w[:, None, None] * np.asarray(even.velocities, dtype=float), axis=0)
    power = np.einsum("fad,a->fad", np.abs(x) ** 2, small.masses) * 2 / (K * 1000.0) / (0.02 * np.sum(w**2))
    for s, name in enumerate(small.species_names):
        expected = power[:, small.indices(name)].sum(axis=1).T
        np.testing.assert_allclose(out.phonon_dos_by_direction[0, s], expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(out.phonon_dos, out.phonon_dos_by_direction.sum("direction"), rtol=1e-12)
    np.testing.assert_allclose(out.frequency, np.fft.rfftfreq(n, 0.02))
    assert float(out.frequency_resolution) == pytest.approx(1.5 / (n * 0.02))


def test_velocities_of_single_precision_give_the_same_to_their_precision(gas, small):
    """Spectra of single precision: 1e-6 of the largest ordinate; what leaks far from a line stays below 1e-12 of it."""
    for run in (gas, dataclasses.replace(small, velocities=small.velocities.astype(np.float32))):
        double = dataclasses.replace(run, velocities=np.asarray(run.velocities, dtype=np.float64))
        one, other = phonon_dos(run), phonon_dos(double)
        np.testing.assert_allclose(one.phonon_dos, other.phonon_dos, rtol=2e-6, atol=1e-6 * float(other.phonon_dos.max()))
        np.testing.assert_allclose(one.kinetic_temperature, other.kinetic_temperature, rtol=1e-12)
    line = synthetic.harmonic_crystal(cells=2, n_frames=2000, seed=1)
    found = phonon_dos(line, windows=1).phonon_dos
    assert float(found.sel(frequency=slice(0, 0.5)).max()) < 1e-10 * float(found.max())


def test_it_is_normalised_by_the_stated_temperature(small):
    cold = dataclasses.replace(small, temperature=500.0)
    np.testing.assert_allclose(phonon_dos(cold).phonon_dos, 2 * phonon_dos(small).phonon_dos, rtol=1e-12)
    np.testing.assert_allclose(phonon_dos(cold).kinetic_temperature, phonon_dos(small).kinetic_temperature, rtol=1e-12)


def test_free_ions_have_a_lorentzian_whose_height_is_the_diffusivity(gas):
    out = phonon_dos(gas, windows=8)
    dos = out.phonon_dos.sum("species").mean("window")
    decay, w = np.exp(-5.0 * 0.02), 2 * np.pi * dos.frequency
    diffusivity = K * 1000.0 / (20.0 * 5.0)
    at_zero = 12 * 20.0 * 64 * diffusivity / (K * 1000.0)
    # the Lorentzian as frames every 0.02 ps show it: equal to 1 / (1 + (w/g)^2) where w dt << 1
    exact = at_zero * (5.0 * 0.02 / 2) * (1 - decay**2) / (1 - 2 * decay * np.cos(0.02 * w) + decay**2)
    assert float(exact[0]) == pytest.approx(at_zero, rel=2e-3)
    np.testing.assert_allclose((exact / at_zero * (1 + (w / 5.0) ** 2)).sel(frequency=slice(0, 2)), 1.0, atol=0.01)
    ratio = (dos / exact).values
    error = np.sqrt(2 / (2 * 192 * 8))  # chi^2 of two degrees of freedom a component and window
    assert np.abs(ratio[1:-1] - 1).max() < 5 * error
    assert np.std(ratio[1:-1]) == pytest.approx(error, rel=0.25)
    assert abs(ratio[0] - 1) < 5 * error * np.sqrt(2)
    temperature_error = np.sqrt(2 / (192 * 164 * 5))
    assert abs(float(dos.integrate("frequency")) / 192 - 1) < 4 * 1.4 * temperature_error


def test_a_damped_oscillator_has_its_exact_spectrum_and_no_diffusion():
    """g(f) = (2 m / k_B T) 3 N S_v, S_v(w) = 2 g w^2 (k_B T / m) / ((w^2 - w0^2)^2 + g^2 w^2)."""
    solid = synthetic.damped_oscillator(cells=3, n_frames=16_000, frequency=3.0, damping=2.0, frame_interval=0.01, seed=5)
    out = phonon_dos(solid, windows=8)
    dos = out.phonon_dos.sel(species="A").mean("window").sel(frequency=slice(1.0, 6.0))
    w, w0 = 2 * np.pi * dos.frequency, 2 * np.pi * 3.0
    exact = 2 * 81 * 2 * 2.0 * w**2 / ((w**2 - w0**2) ** 2 + (2.0 * w) ** 2)
    error = np.sqrt(2 / (2 * 81 * 8))
    np.testing.assert_allclose(dos, exact, rtol=5 * error)
    assert float(np.mean(dos / exact)) == pytest.approx(1.0, abs=4 * error / np.sqrt(50))
    assert float(out.phonon_dos.sel(species="A", frequency=0.0).mean()) < 1e-3 * float(dos.max())


def test_a_harmonic_crystal_has_its_lines_where_its_dynamical_matrix_says():
    options = {"cells": 4, "spring": 5.0, "masses": (40.0, 20.0)}
    lines = synthetic.harmonic_frequencies(**options)[0][1:]
    total, modes = 0.0, []
    for seed in range(6):
        crystal = synthetic.harmonic_crystal(**options, n_frames=4000, frame_interval=0.02, seed=seed)
        out = phonon_dos(crystal, windows=1)
        dos = out.phonon_dos.isel(window=0).sum("species")
        near = np.abs(dos.frequency.values[:, None] - lines).min(axis=1) < 4 * float(out.frequency_resolution)
        assert near.mean() < 0.1
        assert float(dos[~near].sum() / dos.sum()) < 1e-3
        modes.append(float(dos.integrate("frequency")))
        total = total + dos
    heights = np.array([float(total.sel(frequency=line, method="nearest")) for line in lines])
    assert heights.min() > 100 * float(total[~near].max())
    # each of 189 modes has an exponential energy: relative error 1 / sqrt(189 * 6) of the integral
    assert np.mean(modes) == pytest.approx(189, rel=4 / np.sqrt(189 * 6))
    second = float((total * total.frequency**2).integrate("frequency") / total.integrate("frequency"))
    assert second == pytest.approx(np.mean(lines**2), rel=4 * np.std(lines**2) / np.mean(lines**2) / np.sqrt(189 * 6))


def test_a_drift_is_seen_unless_the_reference_moves_with_it(small):
    moving = dataclasses.replace(small, velocities=np.asarray(small.velocities, dtype=float) + 50.0)
    assert float(phonon_dos(moving).phonon_dos.sel(frequency=0.0).min()) > 10 * float(phonon_dos(small).phonon_dos.sel(frequency=0.0).max())
    for reference in ("barycentre", "B"):
        np.testing.assert_allclose(
            phonon_dos(moving, reference=reference).phonon_dos, phonon_dos(small, reference=reference).phonon_dos, rtol=1e-4, atol=1e-9
        )


def test_blocks_of_atoms_do_not_change_the_answer(small, monkeypatch, blocks_of_atoms):
    one = phonon_dos(small)
    before = len(blocks_of_atoms)
    monkeypatch.setattr("mdtools.memory.block", lambda: 2 * 2 * 3 * small.n_frames)
    other = phonon_dos(small)
    assert len(blocks_of_atoms) - before > before
    for name in one:
        np.testing.assert_allclose(other[name], one[name], rtol=1e-12)


def test_turning_the_axes_turns_the_directions_and_keeps_the_total(small):
    turned = dataclasses.replace(small, velocities=np.asarray(small.velocities)[:, :, [1, 2, 0]])
    one, other = phonon_dos(small), phonon_dos(turned)
    np.testing.assert_allclose(other.phonon_dos, one.phonon_dos, rtol=1e-12)
    np.testing.assert_allclose(other.phonon_dos_by_direction.sel(direction="x"), one.phonon_dos_by_direction.sel(direction="y"), rtol=1e-12)


def test_time_twice_as_slow_has_half_the_frequencies(small):
    slow = dataclasses.replace(small, time=2 * small.time, velocities=np.asarray(small.velocities, dtype=float))
    np.testing.assert_allclose(phonon_dos(slow).frequency, phonon_dos(small).frequency / 2)
    np.testing.assert_allclose(phonon_dos(slow).phonon_dos, 2 * phonon_dos(small).phonon_dos, rtol=1e-10)


def test_reduced_units_count_temperature_in_energies():
    velocities = np.random.default_rng(0).normal(0, np.sqrt(2.0), (400, 50, 3))
    traj = dataclasses.replace(synthetic.brownian(n_atoms=50, n_frames=400), velocities=velocities, reduced=True, temperature=2.0, masses=np.ones(50))
    out = phonon_dos(traj, taper="none")
    assert float(out.kinetic_temperature.mean()) == pytest.approx(2.0, rel=4 * np.sqrt(2 / 60_000))
    assert float(out.phonon_dos.integrate("frequency").sum("species").mean()) == pytest.approx(150, rel=4 * np.sqrt(2 / 60_000))
    assert out.frequency.attrs["units"] == "1"


def test_what_is_missing_is_named_with_its_cure(small):
    with pytest.raises(TrajectoryError, match=r"phonon_dos needs velocities.*vx vy vz"):
        phonon_dos(dataclasses.replace(small, velocities=None))
    with pytest.raises(TrajectoryError, match="velocity_acf needs velocities"):
        velocity_acf(dataclasses.replace(small, velocities=None))
    with pytest.raises(TrajectoryError, match=r"phonon_dos needs a stated temperature.*--temperature"):
        phonon_dos(dataclasses.replace(small, temperature=None))
    with pytest.raises(TrajectoryError, match="phonon_dos needs masses"):
        phonon_dos(dataclasses.replace(small, masses=None))
    with pytest.raises(TrajectoryError, match="evenly spaced"):
        phonon_dos(dataclasses.replace(small, time=small.time**1.5))
    with pytest.raises(NotEnoughData, match="windows=45"):
        phonon_dos(small, windows=60)
    with pytest.raises(ValueError, match="taper='welch'"):
        phonon_dos(small, taper="welch")
    with pytest.raises(ValueError, match="origins=3"):
        velocity_acf(small, origins=3)


def test_frames_left_over_and_the_reference_are_in_the_history(small):
    step = schema.history(phonon_dos(small, windows=3))[-1]
    assert (step["frames_unused"], step["reference"], step["taper"]) == (1, "none", "hann")


def test_many_tapers_scatter_less_keep_the_integral_and_no_density_is_negative(gas):
    one, many = phonon_dos(gas, windows=8), phonon_dos(gas, windows=8, taper="multitaper", tapers=8)
    inside = {"frequency": slice(1.0, 8.0)}
    scatter = [float((x.phonon_dos.sel(inside).std("window") / x.phonon_dos.sel(inside).mean("window")).mean()) for x in (one, many)]
    assert scatter[1] == pytest.approx(scatter[0] / np.sqrt(8), rel=0.15)
    for x in (one, many):
        assert float(x.phonon_dos.min()) >= 0
        modes = x.phonon_dos.integrate("frequency").mean() / 96
        assert float(modes) == pytest.approx(1.0, abs=0.03)
    assert float(many.frequency_resolution) == pytest.approx(9 / (1025 * 0.02))
    assert float(one.nyquist_frequency) == pytest.approx(25.0)
    with pytest.raises(ValueError, match="tapers=400 is not between 1 and 256"):
        phonon_dos(gas, taper="multitaper", tapers=400)


def test_a_site_label_is_a_species_of_its_own(small):
    parted = small.relabel({"A_core": small.indices("A")[:1]})
    whole, parts = phonon_dos(small), phonon_dos(parted)
    np.testing.assert_allclose(
        parts.phonon_dos.sel(species="A_core") + parts.phonon_dos.sel(species="A"), whole.phonon_dos.sel(species="A"), rtol=1e-12
    )


def test_neutrons_see_each_species_by_cross_section_over_mass(small):
    out = phonon_dos(small, cross_sections={"A": 2.0, "B": 5.0})
    each = np.array([2.0, 5.0]) / out.mass.values
    expected = (out.phonon_dos * each[None, :, None]).sum("species") * 7 / np.sum(each * out.n_ions.values)
    np.testing.assert_allclose(out.phonon_dos_neutron, expected, rtol=1e-12)
    with pytest.raises(TrajectoryError, match=r"no cross section of B; .*--cross-sections"):
        phonon_dos(small, cross_sections={"A": 2.0})
