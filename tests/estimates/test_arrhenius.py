"""Activation energy: repetitions, bent lines, caged members, too few temperatures."""

import numpy as np
import pytest

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.arrhenius import activation_energy
from mdtools.units import BOLTZMANN


def member(kelvin, value, relative=0.03, regime="diffusive"):
    known = regime == "diffusive"
    return schema.dataset(
        {
            "species": ["Li"],
            "self_diffusivity": (("species",), [value if known else np.nan]),
            "self_diffusivity_stderr": (("species",), [relative * value if known else np.nan]),
            "self_diffusivity_upper": (("species",), [value]),
            "regime": (("species",), [regime]),
            "stated_temperature": kelvin,
        }
    )


def arrhenius(kelvin, energy=0.3, prefactor=20.0):
    return prefactor * np.exp(-energy / (BOLTZMANN * kelvin))


KELVIN = (500.0, 600.0, 700.0, 850.0, 1000.0)


def test_the_activation_energy_and_its_error_are_those_of_many_repetitions():
    random = np.random.default_rng(0)
    fits = [activation_energy([member(t, arrhenius(t) * np.exp(0.03 * random.normal())) for t in KELVIN]) for _ in range(100)]
    energy = np.array([fit.activation_energy.item() for fit in fits])
    stderr = np.array([fit.activation_energy_stderr.item() for fit in fits])
    assert abs(energy.mean() - 0.3) < 3 * energy.std() / 10
    assert np.mean(np.abs(energy - 0.3) < 1.96 * stderr) > 0.89
    assert abs(np.mean([fit.log_prefactor.item() for fit in fits]) - np.log(20)) < 0.02


def test_a_bent_line_is_said_and_its_error_is_wider():
    bent = [member(t, arrhenius(t) * np.exp(-(((t - 750) / 250) ** 2))) for t in KELVIN]
    straight, fit = activation_energy([member(t, arrhenius(t)) for t in KELVIN]), activation_energy(bent)
    assert straight.misfit > 0.9
    assert fit.misfit < 1e-6
    assert fit.activation_energy_stderr > 3 * straight.activation_energy_stderr


def test_caged_members_are_left_out_and_named():
    runs = [member(400.0, 1e-6, regime="caged"), *(member(t, arrhenius(t)) for t in KELVIN)]
    fit = activation_energy(runs)
    assert fit.activation_energy.item() == pytest.approx(0.3)
    assert schema.history(fit)[-1]["left_out"] == {"Li": ["400 K"]}


def test_two_temperatures_are_not_enough():
    with pytest.raises(NotEnoughData, match="3 temperatures or more; there are 2"):
        activation_energy([member(t, arrhenius(t)) for t in KELVIN[:2]])
    with pytest.raises(NotEnoughData, match="left out as caged or undecided are Li without 400 K"):
        activation_energy([member(400.0, 1e-6, regime="caged"), *(member(t, arrhenius(t)) for t in KELVIN[:2])])
