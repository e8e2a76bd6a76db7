"""Activation energy: repetitions, bent lines, caged members, too few temperatures."""

import numpy as np
import pytest

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.arrhenius import activation_energy, conduction_activation_energy
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
    fits = [activation_energy([member(t, arrhenius(t) * np.exp(0.03 * random.normal())) for t in KELVIN]) for _ in range(80)]
    energy = np.array([fit.activation_energy.item() for fit in fits])
    stderr = np.array([fit.activation_energy_stderr.item() for fit in fits])
    assert abs(energy.mean() - 0.3) < 3 * energy.std() / np.sqrt(80)
    assert np.mean(np.abs(energy - 0.3) < 1.96 * stderr) > 0.89
    assert abs(np.mean([fit.log_prefactor.item() for fit in fits]) - np.log(20)) < 0.02


def test_a_bent_line_is_said_and_its_error_is_wider():
    bent = [member(t, arrhenius(t) * np.exp(-(((t - 750) / 250) ** 2))) for t in KELVIN]
    straight, fit = activation_energy([member(t, arrhenius(t)) for t in KELVIN]), activation_energy(bent)
    assert straight.misfit > 0.9
    assert fit.misfit < 1e-6
    assert fit.activation_energy_stderr > 3 * straight.activation_energy_stderr


def test_caged_members_count_by_their_bound():
    hot = [member(t, arrhenius(t)) for t in KELVIN]
    free = activation_energy(hot)
    above = activation_energy([member(400.0, 10 * arrhenius(400.0), regime="caged"), *hot])
    assert above.activation_energy.item() == pytest.approx(free.activation_energy.item(), abs=1e-3)
    assert (above.n_runs.item(), above.n_bounded.item()) == (5, 1)
    assert schema.history(above)[-1]["bounded"] == {"Li": ["400 K"]}
    below = activation_energy([member(400.0, 0.3 * arrhenius(400.0), regime="caged"), *hot])
    assert below.activation_energy > free.activation_energy + 0.01
    assert below.misfit < 0.05


def test_replicas_are_pooled_and_their_scatter_is_tested():
    random = np.random.default_rng(4)
    runs = [(t, arrhenius(t) * np.exp(0.03 * random.normal())) for t in KELVIN for _ in range(4)]
    one, four = activation_energy([member(*run) for run in runs[::4]]), activation_energy([member(*run) for run in runs])
    assert four.activation_energy_stderr.item() == pytest.approx(one.activation_energy_stderr.item() / 2, rel=0.4)
    assert 0.6 < four.replica_scatter < 1.5
    assert four.replica_misfit > 0.01
    boastful = activation_energy([member(*run, relative=0.005) for run in runs])
    assert boastful.replica_misfit < 1e-6
    assert boastful.activation_energy_stderr.item() == pytest.approx(four.activation_energy_stderr.item(), rel=0.5)


def test_the_covariance_of_energy_and_prefactor_gives_the_error_of_the_line():
    fit = activation_energy([member(t, arrhenius(t)) for t in KELVIN])
    beta = np.mean([1 / (BOLTZMANN * t) for t in KELVIN])
    variance = fit.log_prefactor_stderr**2 + beta**2 * fit.activation_energy_stderr**2 - 2 * beta * fit.log_prefactor_covariance
    assert float(np.sqrt(variance).item()) == pytest.approx(0.03 / np.sqrt(5), rel=1e-3)


def test_predictions_cover_the_truth_and_say_where_they_extrapolate():
    random = np.random.default_rng(8)
    inside = []
    for _ in range(60):
        fit = activation_energy([member(t, arrhenius(t) * np.exp(0.03 * random.normal())) for t in KELVIN], temperatures=[300.0, 775.0])
        at = fit.sel(species="Li").sel(predicted_temperature=[300.0, 775.0])
        assert at.extrapolated.values.tolist() == [1, 0]
        inside += (
            (at.predicted_diffusivity_lower <= arrhenius(at.predicted_temperature))
            & (arrhenius(at.predicted_temperature) <= at.predicted_diffusivity_upper)
        ).values.tolist()
    assert np.mean(inside) > 0.9


def test_a_crossover_is_preferred_where_there_is_one_and_its_branches_are_right():
    kelvin = np.linspace(500.0, 1000.0, 11)
    beta = 1 / (BOLTZMANN * kelvin)
    value = np.exp(1.0 - 0.2 * beta - 0.7 * np.maximum(beta - 1 / (BOLTZMANN * 730.0), 0))
    fit = activation_energy(
        [member(t, v * np.exp(0.02 * e)) for t, v, e in zip(kelvin, value, np.random.default_rng(1).normal(size=11), strict=True)]
    )
    one = fit.sel(species="Li")
    assert one.law_probability.sel(law="two branches") > 0.99
    for branch, truth in (("cold", 0.9), ("hot", 0.2)):
        at = one.sel(branch=branch)
        assert abs(at.branch_activation_energy - truth) < 3 * at.branch_activation_energy_stderr
    assert abs(one.crossover_temperature - 730) < 3 * one.crossover_temperature_stderr
    local = one.local_activation_energy.sel(predicted_temperature=[500.0, 1000.0])
    assert local.values == pytest.approx([0.9, 0.2], abs=0.06)


def test_the_prefactor_of_a_full_sublattice_has_ratio_one_and_of_one_percent_a_hundredth():
    full = 12 * 2.5**2 * 5.0 / 6
    for share in (1.0, 0.01):
        runs = [member(t, arrhenius(t, prefactor=share * full)) for t in KELVIN]
        fit = activation_energy(runs, jump_length=2.5, attempt_frequency=5.0, jump_neighbours=12)
        assert fit.prefactor_ratio.item() == pytest.approx(share, rel=1e-2)
        assert fit.prefactor_ratio_lower < share < fit.prefactor_ratio_upper
    with pytest.raises(ValueError, match="all three"):
        activation_energy(runs, jump_length=2.5)


def test_the_energy_is_split_into_defects_and_mobility():
    x = [0.02 * np.exp(-0.1 / (BOLTZMANN * t)) for t in KELVIN]
    fit = activation_energy([member(t, arrhenius(t)) for t in KELVIN], defect_fraction=x)
    assert fit.defect_energy.item() == pytest.approx(0.1, abs=1e-6)
    assert fit.mobility_energy.item() == pytest.approx(0.2, abs=1e-6)
    with pytest.raises(ValueError, match="one number"):
        activation_energy([member(t, arrhenius(t)) for t in KELVIN], defect_fraction=[0.1])


def conducting(kelvin, sigma, relative=0.05, volume=1000.0):
    return schema.dataset(
        {
            "species": ["Li"],
            "n_ions": ("species", [10]),
            "charge": ("species", [1.0]),
            "volume": volume,
            "stated_temperature": kelvin,
            "ionic_conductivity": sigma,
            "ionic_conductivity_stderr": relative * sigma,
            "ionic_conductivity_upper": 1.1 * sigma,
        }
    )


def test_conduction_is_fitted_as_sigma_times_temperature_and_as_a_diffusivity():
    runs = [conducting(t, 1e6 / t * np.exp(-0.25 / (BOLTZMANN * t)), volume=1000.0 * np.exp(-0.01 / (BOLTZMANN * t))) for t in KELVIN]
    fit = conduction_activation_energy(runs, temperatures=[300.0])
    assert fit.activation_energy.sel(transport="sigma T").item() == pytest.approx(0.25, abs=1e-4)
    assert fit.activation_energy.sel(transport="D_sigma").item() == pytest.approx(0.26, abs=1e-4)
    at = fit.sel(predicted_temperature=300.0)
    truth = 1e6 / 300 * np.exp(-0.25 / (BOLTZMANN * 300))
    assert at.predicted_conductivity_lower < truth < at.predicted_conductivity_upper
    assert at.predicted_conductivity.item() == pytest.approx(truth, rel=0.2)


def test_two_temperatures_are_not_enough():
    with pytest.raises(NotEnoughData, match="3 temperatures or more; there are 2"):
        activation_energy([member(t, arrhenius(t)) for t in KELVIN[:2]])
    with pytest.raises(NotEnoughData, match="caged or undecided: Li at 400 K"):
        activation_energy([member(400.0, 1e-6, regime="caged"), *(member(t, arrhenius(t)) for t in KELVIN[:2])])
