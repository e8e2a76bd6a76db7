"""Laws of temperature from bounds and from runs that are nearly alike: checked by a minimum found without our code."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.arrhenius import activation_energy
from mdtools.units import BOLTZMANN

ENERGY, PREFACTOR = 0.4, 50.0


def exact(kelvin):
    return PREFACTOR * np.exp(-ENERGY / (BOLTZMANN * kelvin))


def run(kelvin, value, stderr, upper=np.nan):
    columns = {"self_diffusivity": value, "self_diffusivity_stderr": stderr, "self_diffusivity_upper": upper}
    return schema.dataset({"species": ["Li"], "stated_temperature": float(kelvin), **{name: (("species",), [x]) for name, x in columns.items()}})


def bound(kelvin, upper):
    return run(kelvin, np.nan, np.nan, upper)


def test_a_bound_below_the_line_moves_it_as_its_likelihood_says_and_widens_no_error():
    kelvin, error = np.array([600.0, 700.0, 800.0, 900.0]), np.array([0.05, 0.04, 0.03, 0.03])
    log_value, limit = np.log(exact(kelvin)) + np.array([0.02, -0.03, 0.01, 0.02]), 0.8 * exact(500.0)
    runs = [run(t, np.exp(y), np.exp(y) * e) for t, y, e in zip(kelvin, log_value, error, strict=True)]
    found = activation_energy([*runs, bound(500.0, limit)]).sel(species="Li")

    def lost(p):
        residual = (log_value - p[0] + p[1] / (BOLTZMANN * kelvin)) / error
        return 0.5 * residual @ residual + 0.5 * (1.96 * np.exp(p[0] - p[1] / (BOLTZMANN * 500.0)) / limit) ** 2

    best = minimize(lost, [np.log(PREFACTOR), ENERGY], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 20000}).x
    step = 1e-4 * np.eye(2)
    hessian = [[(lost(best + a + b) - lost(best + a - b) - lost(best - a + b) + lost(best - a - b)) / 4e-8 for a in step] for b in step]
    assert found.log_prefactor.item() == pytest.approx(best[0], abs=1e-6)
    assert found.activation_energy.item() == pytest.approx(best[1], abs=1e-7)
    assert found.activation_energy_stderr.item() == pytest.approx(np.sqrt(np.linalg.inv(hessian)[1, 1]), rel=1e-4)


@pytest.mark.parametrize("limit", [1e-3, 1e-12])
def test_a_bound_far_below_a_value_at_the_same_temperature_has_a_finite_answer(limit):
    runs = [run(t, exact(t), 0.05 * exact(t)) for t in (600.0, 700.0, 800.0, 900.0)]
    found = activation_energy([*runs, bound(800.0, limit * exact(800.0))]).sel(species="Li")
    assert np.isfinite([found.activation_energy.item(), found.activation_energy_stderr.item()]).all()
    assert found.misfit < 0.05 or found.activation_energy_stderr > 0.5


def test_a_bound_out_of_reach_of_any_law_is_refused_in_words():
    runs = [run(t, exact(t), 0.05 * exact(t)) for t in (600.0, 700.0, 800.0)]
    with pytest.raises(ValueError, match="too far below the values"):
        activation_energy([*runs, bound(500.0, 1e-300)])


def test_replicas_whose_thermostats_state_slightly_different_temperatures_are_replicas():
    with pytest.raises(NotEnoughData, match="there are 1"):
        activation_energy([run(t, exact(800), 0.05 * exact(800)) for t in (800.0, 800.1, 800.2, 799.9, 799.8)])
    kelvin = [600.1, 600.0, 599.9, 700.1, 700.0, 699.9, 800.1, 800.2, 800.0]
    found = activation_energy([run(t, exact(t), 0.05 * exact(t)) for t in kelvin]).sel(species="Li")
    assert found.replica_scatter.item() < 0.2
    assert found.law_probability.sel(law="two branches").isnull()


@pytest.mark.parametrize("wanted", [[0.0], [300.0, -5.0]])
def test_predictions_at_no_temperature_are_refused(wanted):
    with pytest.raises(ValueError, match="above 0 K"):
        activation_energy([run(t, exact(t), 0.05 * exact(t)) for t in (600.0, 700.0, 800.0)], temperatures=wanted)


def test_a_run_without_a_stated_temperature_is_told_where_to_state_it():
    with pytest.raises(TrajectoryError, match="column temperature"):
        activation_energy([run(t, 0.1, 0.01) for t in (600.0, 700.0, np.nan)])
