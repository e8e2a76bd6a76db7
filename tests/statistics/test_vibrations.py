"""Harmonic thermodynamics against closed forms, the fluidity against its equation, the jackknife against its definition."""

import numpy as np
import pytest

from mdtools.statistics.vibrations import THERMODYNAMICS, fluidity, integral, jackknife, moment


def test_of_one_frequency_they_are_those_of_an_oscillator():
    x = np.array([0.0, 0.1, 1.0, 5.0, 40.0, 2000.0])
    energy, free = x / 2 / np.tanh(x / 2 + 1e-300), np.log(2 * np.sinh(np.minimum(x, 600) / 2) + 1e-300)
    made = {name: function(x) for name, function in THERMODYNAMICS.items()}
    np.testing.assert_allclose(made["energy"][1:], energy[1:], rtol=1e-12)
    np.testing.assert_allclose(made["free_energy"][1:5], free[1:5], rtol=1e-10)
    np.testing.assert_allclose(made["entropy"][1:5], (energy - free)[1:5], atol=1e-12)
    np.testing.assert_allclose(made["heat_capacity"][1:4], (x[1:4] / 2 / np.sinh(x[1:4] / 2)) ** 2, rtol=1e-12)
    assert made["heat_capacity"][0] == made["energy"][0] == 1
    for values in made.values():
        assert np.all(np.isfinite(values))
    np.testing.assert_allclose(made["entropy_classical"][1], made["entropy"][1], atol=1e-3)


def test_of_a_debye_spectrum_they_are_known():
    """C_V = 12 pi^4 / 5 (T / theta)^3 k_B an atom in the cold, zero-point energy 9/8 k_B theta, <f^2> = 3/5 f_D^2."""
    f = np.linspace(0, 1, 40_001)
    g = 3 * f**2
    assert moment(g, f, 2) == pytest.approx(3 / 5, rel=1e-4)
    cold = 3 * integral(g * THERMODYNAMICS["heat_capacity"](f * 50), f)
    assert cold == pytest.approx(12 * np.pi**4 / 5 / 50**3, rel=1e-4)
    assert 3 * integral(g * THERMODYNAMICS["energy"](f * 1000), f) / 1000 == pytest.approx(9 / 8, rel=1e-3)


def test_the_fluidity_solves_its_equation():
    delta = np.geomspace(1e-3, 1e3, 13)
    f = fluidity(delta)
    left = 2 * delta**-4.5 * f**7.5 - 6 * delta**-3.0 * f**5 - delta**-1.5 * f**3.5 + 6 * delta**-1.5 * f**2.5 + 2 * f - 2
    assert np.abs(left * np.minimum(delta, 1) ** 4.5).max() < 1e-9
    assert np.all(np.diff(f) > 0)
    assert fluidity(np.array([0.0])).tolist() == [0.0]


def test_the_jackknife_of_a_mean_is_its_standard_error():
    x = np.random.default_rng(0).normal(2.0, 1.0, (9, 3))
    value, error = jackknife(lambda mean: mean, x)
    np.testing.assert_allclose(value, x.mean(axis=0))
    np.testing.assert_allclose(error, x.std(axis=0, ddof=1) / 3)
    squares = np.random.default_rng(1).normal(2.0, 1.0, (4000, 6))
    found = np.mean([jackknife(np.square, one)[0] for one in squares])
    assert found == pytest.approx(4.0, abs=4 * 4 / np.sqrt(6 * 4000))  # the bias 1/6 is taken off
