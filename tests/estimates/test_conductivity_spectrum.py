"""Conductivity and dielectric function against frequency: Lorentzian of Langevin ions, oscillators whose constants are known."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.conductivity_spectrum import ionic_conductivity_spectrum
from mdtools.estimates.dielectric import dielectric_function
from mdtools.units import CONDUCTIVITY_TO_SI, KINETIC_TO_EV, VACUUM_PERMITTIVITY

FRICTION, FREQUENCY, DAMPING = 5.0, 3.0, 3.0


@pytest.fixture(scope="module")
def current(gas):
    return charge_current_acf(gas, windows=4, reference="none")


def test_langevin_ions_have_a_lorentzian_and_the_f_sum(gas, current):
    """sigma(f) = sigma(0) / (1 + (2 pi f / g)^2); bands where the sampling does not fold what is faster into it."""
    found = ionic_conductivity_spectrum(current)
    dc = 16 / gas.volume * CONDUCTIVITY_TO_SI / (20.0 * KINETIC_TO_EV * FRICTION)
    low = found.sel(frequency=slice(0, 4.0))
    exact = dc / (1 + (2 * np.pi * low.frequency / FRICTION) ** 2)
    inside = (low.ionic_conductivity_spectrum_lower < exact) & (exact < low.ionic_conductivity_spectrum_upper)
    assert inside.mean() > 0.95 - 3 * np.sqrt(0.05 * 0.95 / inside.size)
    np.testing.assert_allclose(low.ionic_conductivity_spectrum_stderr, 0.1 * low.ionic_conductivity_spectrum, rtol=0.1)
    z = (low.ionic_conductivity_spectrum - exact) / (exact * 0.096)
    assert 0.7 < float(z.std()) < 1.3
    assert abs(found.conductivity_sum - 1) < 3 * found.conductivity_sum_stderr
    assert found.conductivity_sum_stderr < 0.05


def test_nothing_is_told_below_one_over_a_window(current):
    found = ionic_conductivity_spectrum(current)
    assert found.frequency[0] - found.frequency_resolution / 2 >= current.frequency[1] / 2 - 1e-12
    fine = ionic_conductivity_spectrum(current, resolution=float(current.frequency[1]))
    assert fine.frequency[0] == current.frequency[1]
    with pytest.raises(NotEnoughData, match="give longer windows, or a wider resolution"):
        ionic_conductivity_spectrum(current, resolution=0.5 * float(current.frequency[1]))


def test_infrared_absorption_has_its_prefactor(current):
    """alpha n = sigma / (epsilon_0 c): 1 S/m is 3.767 / cm."""
    found = ionic_conductivity_spectrum(current)
    np.testing.assert_allclose(found.infrared_absorption, 3.767303 * found.ionic_conductivity_spectrum, rtol=1e-6)


def test_a_hann_taper_widens_the_errors(gas):
    plain, hann = (
        ionic_conductivity_spectrum(charge_current_acf(gas, windows=4, taper=taper, reference="none"), resolution=0.4) for taper in ("none", "hann")
    )
    relative = [float((one.ionic_conductivity_spectrum_stderr / one.ionic_conductivity_spectrum)[0]) for one in (plain, hann)]
    assert relative[1] == pytest.approx(relative[0] * np.sqrt(1 + 8 / 9 + 2 / 36), rel=0.05)


def test_currents_of_positions_are_put_right_up_to_half_of_the_band(gas, current):
    found = ionic_conductivity_spectrum(charge_current_acf(gas, windows=4, velocities="positions", reference="none"), resolution=1.0)
    other = ionic_conductivity_spectrum(current, resolution=1.0).sel(frequency=found.frequency, method="nearest")
    low = slice(0, 6)
    np.testing.assert_allclose(found.ionic_conductivity_spectrum[low], other.ionic_conductivity_spectrum[low], rtol=0.1)
    assert "conductivity_sum" not in found
    assert found.frequency.max() < 0.5 * current.frequency.max()


@pytest.fixture(scope="module")
def oscillators():
    crystal = synthetic.damped_oscillator(cells=3, n_frames=12000, frequency=FREQUENCY, damping=DAMPING, lattice_parameter=2.5, seed=2)
    return crystal.with_charges({"A": 1.0})


def test_charged_oscillators_have_their_dielectric_constant_and_obey_lyddane_sachs_and_teller(oscillators):
    """epsilon = 1 + w_p^2 / (w0^2 - w^2 - i g w), w_p^2 = N q^2 / (V epsilon_0 m): f_LO^2 = f_TO^2 + f_p^2."""
    plasma = 27 / oscillators.volume / (VACUUM_PERMITTIVITY * 20.0 * KINETIC_TO_EV)
    w0 = 2 * np.pi * FREQUENCY
    found = dielectric_function(charge_displacement_msd(oscillators, reference="none"), charge_current_acf(oscillators, windows=2, reference="none"))
    assert found.regime == "caged"
    assert abs(found.static_dielectric_constant - 1 - plasma / w0**2) < 3.5 * found.static_dielectric_constant_stderr
    assert found.static_dielectric_constant_stderr < 0.15 * found.static_dielectric_constant
    w = 2 * np.pi * found.frequency.values
    exact = 1 + plasma / (w0**2 - w**2 - 1j * DAMPING * w)
    near = (w > 0.3 * w0) & (w < 2 * w0)
    for part in ("real", "imaginary"):
        z = (found[f"dielectric_function_{part}"] - getattr(exact, part[:4]))[near] / found[f"dielectric_function_{part}_stderr"][near]
        assert float(np.sqrt((z**2).mean())) < 2.5
    assert found.transverse_frequency.item() == pytest.approx(FREQUENCY, abs=3 * found.transverse_frequency_stderr.item())
    assert abs(found.lyddane_sachs_teller - 1) < 3 * found.lyddane_sachs_teller_stderr


def test_the_dielectric_function_of_steps_of_positions_is_that_of_velocities(oscillators):
    """The mean over a frame interval is undone in amplitude and phase."""
    dipole = charge_displacement_msd(oscillators, reference="none")
    exact = dielectric_function(dipole, charge_current_acf(oscillators, windows=2, reference="none"), resolution=0.5)
    steps = charge_current_acf(oscillators, windows=2, velocities="positions", reference="none")
    found = dielectric_function(dipole, steps, resolution=0.5)
    assert found.frequency.max() <= 0.25 / oscillators.frame_interval
    same = exact.sel(frequency=found.frequency.values, method="nearest")
    # below, velocities alone leave a conductivity at f = 0 that steps of positions do not have
    low = (found.frequency.values > 0.6 * FREQUENCY) & (found.frequency.values < 2 * FREQUENCY)
    for part in ("real", "imaginary"):
        off = (found[f"dielectric_function_{part}"] - same[f"dielectric_function_{part}"].values)[low]
        assert np.all(np.abs(off) < 0.6 * found[f"dielectric_function_{part}_stderr"][low])
    assert found.lyddane_sachs_teller.item() == pytest.approx(exact.lyddane_sachs_teller.item(), rel=0.05)


def test_a_conductor_has_no_static_dielectric_constant(gas, current):
    found = dielectric_function(charge_displacement_msd(gas, reference="none"), current)
    assert np.isnan(found.static_dielectric_constant)
    assert "lyddane_sachs_teller" not in found
    low = found.isel(frequency=0)
    sigma = 16 / gas.volume * CONDUCTIVITY_TO_SI / (20.0 * KINETIC_TO_EV * FRICTION)
    expected = sigma / CONDUCTIVITY_TO_SI / (2 * np.pi * float(low.frequency) * VACUUM_PERMITTIVITY)
    assert abs(low.dielectric_function_imaginary - expected) < 4 * low.dielectric_function_imaginary_stderr


def test_a_spectrum_needs_a_temperature_and_files_are_enough(current, tmp_path, reloaded, same):
    with pytest.raises(TrajectoryError, match=r"pass temperature=\.\.\. in K"):
        ionic_conductivity_spectrum(current.drop_vars("stated_temperature"))
    same(ionic_conductivity_spectrum(current), ionic_conductivity_spectrum(reloaded(current, tmp_path)))


def charged(interval):
    return synthetic.damped_oscillator(cells=3, n_frames=4000, frequency=3.0, damping=5.0, frame_interval=interval, seed=2).with_charges({"A": 1.0})


def stepped(run, **options):
    return charge_current_acf(run, velocities="positions", reference="none", **options)


def test_steps_of_positions_too_far_apart_for_the_vibrations_are_refused_with_the_interval_that_would_do():
    """Lines at 3 THz, seen up to 2.5 THz: folded to 2 THz, where a maximum would be taken for a mode."""
    coarse = charged(0.2)
    dipole, steps = charge_displacement_msd(coarse, reference="none"), stepped(coarse)
    with pytest.raises(
        NotEnoughData, match=r"steps of positions 0.2 ps apart hold 0\.[34]\d* of what <J\^2> must be.*store frames every 0.06\d* ps or less"
    ):
        dielectric_function(dipole, steps)
    assert ionic_conductivity_spectrum(steps).frequency.max() < 0.05  # of 2.5 THz
    with pytest.raises(NotEnoughData, match="the rest is folded into every band"):
        ionic_conductivity_spectrum(stepped(charged(0.3)))
    assert np.isfinite(dielectric_function(dipole).static_dielectric_constant)
    half = charged(0.1)  # seen, but above a quarter of the frame frequency
    found = dielectric_function(charge_displacement_msd(half, reference="none"), stepped(half))
    assert "transverse_frequency" not in found
    assert np.isfinite(found.static_dielectric_constant)


def test_bands_that_what_is_folded_back_would_spoil_are_left_out():
    """Langevin ions at frames longer than their memory: sigma(f) as far as it is given."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=6000, friction=5.0, temperature=1000.0, frame_interval=0.3, seed=2)
    steps = stepped(gas, windows=4)
    found = ionic_conductivity_spectrum(steps)
    fine = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=6000, friction=5.0, temperature=1000.0, frame_interval=0.02, seed=2)
    assert ionic_conductivity_spectrum(stepped(fine, windows=4)).frequency.max() > 11.5  # nothing lacks
    assert float(found.frequency.max()) > 0.3
    dc = 16 / gas.volume * CONDUCTIVITY_TO_SI / (20.0 * KINETIC_TO_EV * FRICTION)
    exact = dc / (1 + (2 * np.pi * found.frequency / FRICTION) ** 2)
    z = (found.ionic_conductivity_spectrum - exact) / found.ionic_conductivity_spectrum_stderr
    assert float(np.abs(z).max()) < 4
