"""Frequency, damping and susceptibility of modes against exact samples of damped oscillators."""

import json
import re

import numpy as np
import pytest

from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.modes import mode_frequencies
from mdtools.units import BOLTZMANN, KINETIC_TO_EV
from tests.langevin import oscillator, spectra, with_neighbour

W, INTERVAL, ENERGY = 2 * np.pi * 2.0, 0.02, 300 * BOLTZMANN / KINETIC_TO_EV


def langevin(ratio, *, runs=1, n=8192, seed=1, **options):
    x = oscillator(W, ratio * W, ENERGY, n, INTERVAL, runs, seed)
    return spectra(x[:, :, 0], x[:, :, 1], INTERVAL, **options)


def near(found, name, truth, k=0, by=4.0):
    value, error = float(found[name][k]), float(found[f"{name}_stderr"][k])
    assert error > 0
    assert abs(value - truth) < by * error, (name, value, error, truth)


@pytest.mark.parametrize(("ratio", "regime"), [(0.05, "underdamped"), (0.3, "underdamped"), (1.0, "underdamped"), (4.0, "overdamped")])
def test_the_numbers_of_an_oscillator_come_back(ratio, regime):
    found = mode_frequencies(langevin(ratio, seed=3))
    assert found.damping_regime[0] == regime
    assert found.mode_model[0] == "oscillator"
    near(found, "mode_frequency", 2.0)
    near(found, "mode_damping", ratio * 2.0)
    near(found, "mode_lifetime", 1 / (ratio * W))
    near(found, "damping_ratio", ratio / 2)
    near(found, "static_susceptibility", W**-2)
    near(found, "static_susceptibility_direct", W**-2)
    assert found.mode_frequency_lower[0] < found.mode_frequency[0] < found.mode_frequency_upper[0]
    if ratio == 4.0:
        root = np.sqrt((ratio * W) ** 2 / 4 - W**2)
        near(found, "relaxation_time_slow", 1 / (ratio * W / 2 - root))
        near(found, "relaxation_time_fast", 1 / (ratio * W / 2 + root))
    else:
        assert np.isnan(found.relaxation_time_slow[0])


def test_the_error_of_the_mean_square_is_its_scatter():
    found = mode_frequencies(langevin(0.3, runs=40, n=1024, seed=8))
    assert found.static_susceptibility_direct.values.std() == pytest.approx(found.static_susceptibility_direct_stderr.values.mean(), rel=0.35)


def test_velocities_give_the_same_numbers():
    found = mode_frequencies(langevin(1.0, seed=5), quantity="velocity")
    near(found, "mode_frequency", 2.0)
    near(found, "mode_damping", 2.0)


def test_windows_and_degenerate_modes_are_pooled():
    data = langevin(0.3, runs=3, seed=6)
    alone = mode_frequencies(data)
    together = mode_frequencies(data.assign(degenerate_set=("mode", [0, 0, 0])))
    assert len(set(together.mode_frequency.values.tolist())) == 1
    assert together.mode_damping_stderr[0] < 0.75 * alone.mode_damping_stderr.values.mean()
    apart = mode_frequencies(data.assign(degenerate_set=("mode", [0, 0, 0])), degenerate=False)
    np.testing.assert_array_equal(apart.mode_frequency, alone.mode_frequency)
    near(mode_frequencies(langevin(0.3, seed=6, windows=4)), "mode_frequency", 2.0)


def test_the_damping_of_the_thermostat_is_taken_off():
    data = langevin(0.3, seed=7)
    plain, less = mode_frequencies(data), mode_frequencies(data, thermostat_damping=1.0)
    assert float(plain.mode_damping[0] - less.mode_damping[0]) == pytest.approx(1 / (2 * np.pi))
    assert float(less.mode_damping_stderr[0]) == pytest.approx(float(plain.mode_damping_stderr[0]))
    assert less.mode_frequency[0] == plain.mode_frequency[0]
    assert less.static_susceptibility[0] == plain.static_susceptibility[0]


def test_a_central_peak_has_its_share_and_time():
    x = with_neighbour(W, 4.0, W**2, 0.5, ENERGY, 16384, INTERVAL, 1, 2)
    found = mode_frequencies(spectra(x[:, :, 0], x[:, :, 1], INTERVAL))
    assert found.mode_model[0] == "central peak"
    near(found, "central_peak_share", 0.5)
    near(found, "central_peak_time", 2.0)
    near(found, "mode_frequency", 2.0)


def test_a_mode_that_is_too_slow_for_its_windows_has_no_number_and_the_history_says_what_would_do():
    found = mode_frequencies(langevin(60.0, n=2048, seed=2))
    assert found.damping_regime[0] == "unresolved"
    assert np.isnan(found.mode_frequency[0])
    assert "ps in a window" in json.loads(found.attrs["history"])[-1]["left_out"][0]


@pytest.mark.parametrize("velocities", [True, False])
def test_a_mode_that_frames_are_too_far_apart_for_has_no_number_and_the_history_names_the_interval(velocities):
    """2 THz in frames 0.3 ps apart: its line is seen at 1.33 THz, its mean squares are what they are."""
    x = oscillator(W, 0.1 * W, ENERGY, 4096, 0.3, 1, 5)
    data = spectra(x[:, :, 0], x[:, :, 1], 0.3).assign(mode_velocity_square=(("window", "mode"), np.mean(x[None, :, :, 1] ** 2, axis=-1)))
    found = mode_frequencies(data if velocities else data.drop_vars(["mode_velocity_square", "mode_velocity_periodogram"]))
    assert found.damping_regime[0] == "unresolved"
    assert np.isnan(found.mode_frequency[0])
    assert re.search(r"store frames every 0\.2\d? ps or less", json.loads(found.attrs["history"])[-1]["left_out"][0])


def test_a_mode_off_its_site_is_condensed():
    x = oscillator(W, 0.3 * W, ENERGY, 4096, INTERVAL, 1, 3)
    found = mode_frequencies(spectra(x[:, :, 0] + 10 * x[:, :, 0].std(), x[:, :, 1], INTERVAL))
    assert found.damping_regime[0] == "condensed"
    assert np.isnan(found.mode_frequency[0])


def test_a_temperature_can_be_given_and_is_needed():
    data = langevin(0.3).assign(stated_temperature=np.nan)
    with pytest.raises(TrajectoryError, match="--temperature"):
        mode_frequencies(data)
    near(mode_frequencies(data, temperature=300.0), "static_susceptibility", W**-2)


def test_what_cannot_be_fitted_is_refused_in_a_line():
    with pytest.raises(TrajectoryError, match="--taper hann"):
        mode_frequencies(langevin(0.3, taper="none"))
    with pytest.raises(NotEnoughData, match="windows=1"):
        mode_frequencies(langevin(0.3), frequency_max=0.01)
    with pytest.raises(NotEnoughData, match="mode_velocity_periodogram"):
        mode_frequencies(langevin(0.3).drop_vars("mode_velocity_periodogram"), quantity="velocity")
