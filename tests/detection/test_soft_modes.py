"""Verdicts on series of modes: exact oscillators with a known law, and the phi^4 lattice from trajectory to T_c."""

import json

import ase
import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.lattice_modes import mode_spectra
from mdtools.detection.soft_modes import detect_soft_modes
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.modes import mode_frequencies
from tests.langevin import oscillator, spectra

INTERVAL = 0.05
PATTERNS = ({"F": "0 0 1"}, {"F": [0, 0, 1.0]}, {"F": "1 0 0"})  # the first two are one


def series(stiffness, friction, kelvin, *, seed=1, n=4096, volume=None, shift=None):
    """mode_frequencies of one mode at several temperatures: stiffness and friction by temperature (k_B = 1)."""
    out = []
    for k, t in enumerate(kelvin):
        x = oscillator(np.sqrt(stiffness(t)), friction(t), t, n, INTERVAL, 1, seed + k)
        q = x[:, :, 0] + (0.0 if shift is None else shift(t))
        cell = 1000.0 if volume is None else volume(t)
        out.append(mode_frequencies(spectra(q, x[:, :, 1], INTERVAL, temperature=t, reduced=True, volume=cell)))
    return out


def verdict(runs):
    found = detect_soft_modes(runs)
    assert abs(float(found.probability[0].sum()) - 1) < 1e-9 or found.verdict[0] == "undecided"
    return str(found.verdict[0].item()), found


KELVIN = np.array([1.1, 1.2, 1.4, 1.7, 2.0, 2.4])


def test_a_mode_that_softens_to_zero_has_its_critical_temperature_by_both_routes():
    word, found = verdict(series(lambda t: 9.0 * (t - 1.0), lambda t: 1.0, KELVIN))
    assert word == "softens to zero"
    for value, error in zip(found.critical_temperature[0].values, found.critical_temperature_stderr[0].values, strict=True):
        assert abs(value - 1.0) < 3 * error
    assert np.all(np.abs(found.critical_exponent[0] - 1.0) < 3 * found.critical_exponent_stderr[0])


def test_it_may_do_so_on_heating():
    assert verdict(series(lambda t: 9.0 * (2.5 - t), lambda t: 1.0, KELVIN))[0] == "softens to zero"


def test_a_mode_that_stays_finite_has_no_critical_temperature():
    word, found = verdict(series(lambda t: 9.0 * (t + 1.0), lambda t: 1.0, KELVIN))
    assert word == "softens but stays finite"
    assert np.all(np.isnan(found.critical_temperature))


def test_a_minimum_within_the_series_is_no_zero():
    word, found = verdict(series(lambda t: 2.0 + 30.0 * abs(t - 1.5), lambda t: 1.0, KELVIN))
    assert word == "softens but stays finite"
    assert "rises on both sides" in found.reason[0].item()


def test_neighbours_that_change_places_within_their_errors_make_no_minimum():
    """1.10 and 1.11 hardly differ: whichever comes out lower by chance, the mode goes to zero."""
    runs = series(lambda t: 9.0 * (t - 1.0), lambda t: 1.0, np.array([1.1, 1.11, 1.4, 1.7, 2.0, 2.4]))
    runs[1] = runs[1].assign(mode_frequency=0.99 * runs[0].mode_frequency)
    assert verdict(runs)[0] == "softens to zero"


def test_a_run_in_which_another_mode_crosses_is_named_and_left_out():
    runs = series(lambda t: 9.0, lambda t: 0.5, KELVIN[::2])
    for faster, seed in ((3.0, 99), (5.0, 98)):
        own = oscillator(3.0, 0.5, 1.3, 4096, INTERVAL, 1, 7) + oscillator(3.0 * faster, 0.5, 1.3 * faster**2, 4096, INTERVAL, 1, seed)
        crossed = mode_frequencies(spectra(own[:, :, 0], own[:, :, 1], INTERVAL, temperature=1.3, reduced=True))
        word, found = verdict([*runs, crossed])
        assert word == "stable"
        assert "no model fits its spectrum at 1.3: another mode may cross it" in found.reason[0].item()


def test_a_mode_that_does_not_change_is_stable():
    assert verdict(series(lambda t: 9.0, lambda t: 1.0, KELVIN))[0] == "stable"


def test_a_mode_that_becomes_overdamped_at_a_finite_stiffness_overdamps():
    assert verdict(series(lambda t: 9.0, lambda t: 0.5 * t**4, KELVIN))[0] == "overdamps"


def test_a_shift_that_thermal_expansion_explains_is_stable_and_says_with_which_parameter():
    volume, parameter = (lambda t: 1000.0 * np.exp(0.1 * t)), 2.0
    word, found = verdict(series(lambda t: 9.0 * np.exp(-2 * parameter * 0.1 * t), lambda t: 1.0, KELVIN, volume=volume))
    assert word == "stable"
    assert float(found.grueneisen_parameter[0]) == pytest.approx(parameter, abs=0.4)
    assert verdict(series(lambda t: 9.0 * np.exp(-2 * parameter * 0.1 * t), lambda t: 1.0, KELVIN))[0] == "softens but stays finite"


def test_a_change_that_is_certain_is_one_though_its_cause_is_not():
    """At the largest Grueneisen parameter that is believed: half the chance that thermal expansion is the cause."""
    for seed in (1, 21):
        runs = series(
            lambda t: 9.0 * np.exp(-2 * 4.0 * 0.06 * t), lambda t: 0.5, KELVIN, volume=lambda t: 1000.0 * np.exp(0.06 * t), n=4096, seed=seed
        )
        word, found = verdict(runs)
        assert word in ("softens but stays finite", "stable")
        if word != "stable":
            assert "whether it is the cause (0 to 4) is not certain" in found.reason[0].item()


@pytest.mark.parametrize("n", [4096, 1024, 256])
def test_a_mode_that_softens_to_zero_is_never_stable_however_short_the_runs_or_large_the_expansion(n):
    for seed, expansion in ((11, 0.1), (21, 0.3)):
        runs = series(lambda t: 9.0 * (t - 1.0), lambda t: 1.0, KELVIN, n=n, seed=seed, volume=lambda t, e=expansion: 1000.0 * np.exp(e * t))
        word, _ = verdict(runs)
        assert word in ("softens to zero", "undecided")
        assert word == "softens to zero" or n < 4096


def test_condensed_runs_are_named_and_too_few_temperatures_leave_it_undecided():
    runs = series(lambda t: 9.0 * abs(t - 1.0) + 0.5, lambda t: 1.0, [0.6, *KELVIN], shift=lambda t: 10.0 * (t < 1))
    assert "condensed at 0.6" in verdict(runs)[1].reason[0].item()
    word, found = verdict(runs[:3])
    assert word == "undecided"
    assert "three temperatures" in found.reason[0].item()


def test_runs_of_different_modes_and_a_single_run_are_refused():
    runs = series(lambda t: 9.0, lambda t: 1.0, KELVIN[:3], n=1024)
    along = [one.assign_attrs(history=json.dumps([{"step": "mode_spectra", "pattern": p}])) for one, p in zip(runs, PATTERNS, strict=True)]
    with pytest.raises(TrajectoryError, match=r"different modes \(pattern .*measure mode_spectra of all with one pattern="):
        detect_soft_modes(along)
    assert detect_soft_modes([along[0], along[1], along[0]]).sizes["temperature"] == 3
    with pytest.raises(TrajectoryError, match="different modes"):
        detect_soft_modes([runs[0], runs[1].assign(band=("mode", [2])), runs[2]])
    with pytest.raises(NotEnoughData, match="was given 1"):
        detect_soft_modes(runs[:1])


@pytest.mark.parametrize(
    ("on_site", "kelvin", "truth"), [(4.0, (2.1, 2.4, 2.8, 3.4), 1.94), (0.25, (1.5, 1.8, 2.2, 3.0), 1.34)], ids=["order-disorder", "displacive"]
)
def test_phi4_lattice_softens_to_zero_at_its_critical_temperature(on_site, kelvin, truth):
    runs = []
    for t in kelvin:
        lattice = synthetic.phi4_lattice(cells=8, n_frames=3000, temperature=t, on_site=on_site, timestep=0.1, every=4, relax=1000, seed=7)
        site = ase.Atoms("X", cell=lattice.mean_cell / 8, pbc=True)
        spectra_of = mode_spectra(
            lattice.relabel({"X": range(512)}), primitive=site, q=[0, 0, 0], pattern={"X": "0 0 1"}, windows=1, reference="none"
        )
        runs.append(mode_frequencies(spectra_of, thermostat_damping=0.05))
    word, found = verdict(runs)
    assert word == "softens to zero", found.reason[0].item()
    for value, error in zip(found.critical_temperature[0].values, found.critical_temperature_stderr[0].values, strict=True):
        assert abs(value - truth) < 0.05 + 2.5 * error  # 8 cells: the finite size moves T_c by a few hundredths
        assert error < 0.3
