"""T_c of CaF2 by every route, from what is kept of its runs."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from mdtools import chain
from mdtools.detection.states import SYSTEM_STATES
from mdtools.detection.transition import detect_transition
from mdtools.errors import NotEnoughData
from mdtools.estimates.fluctuations import heat_capacity
from mdtools.reporting import melting_sections
from mdtools.units import BOLTZMANN

RUNS = Path(__file__).parent / "runs"
NAMES = ("run_state", "detect_melting", "site_occupation", "self_diffusivity")


@pytest.fixture(scope="module")
def runs():
    """324 ions, 20 ps at a held cell."""
    return {name: [run.made[name] for run in chain.chains_of(str(RUNS / "caf2_series.nc"))] for name in NAMES}


@pytest.fixture(scope="module")
def found(runs):
    return detect_transition(*(runs[name] for name in NAMES))


@pytest.fixture(scope="module")
def larger():
    """768 ions, 50 ps at zero pressure."""
    return {name: [run.made[name] for run in chain.chains_of(str(RUNS / "caf2_768_series.nc"))] for name in NAMES}


@pytest.fixture(scope="module")
def found_larger(larger):
    return detect_transition(*(larger[name] for name in NAMES))


def test_at_zero_pressure_the_peaks_lie_at_1450_kelvin(found_larger):
    """reference/science.md C0, C5: 1450 +- 50 K of 768 ions, by C_p and by expansion; experiment 1424 K. No bulk modulus is asked for.

    Expansion 1435 +- 24; C_p, which stays at 13 to 18 k_B a CaF2 from 1400 to 1600 K, 1510 +- 25: 2.4 errors above.
    """
    heat, expansion = (found_larger.sel(route=route) for route in ("heat capacity", "thermal expansion"))
    assert expansion.critical_temperature.item() == pytest.approx(1450, abs=50)
    assert expansion.critical_temperature_lower <= 1424 <= expansion.critical_temperature_upper
    assert abs(heat.critical_temperature - 1450) < 2.5 * heat.critical_temperature_stderr
    assert max(heat.critical_temperature_stderr, expansion.critical_temperature_stderr) < 40


def test_the_enthalpy_fluctuates_most_there(found_larger):
    one = found_larger.sel(route="enthalpy fluctuation")
    assert one.critical_temperature_lower <= 1450 <= one.critical_temperature_upper
    assert one.critical_temperature_stderr < 100


def test_the_knee_lies_above_both_and_the_type_is_two(found_larger):
    knee = found_larger.sel(route="knee of D").critical_temperature.item()
    assert knee == pytest.approx(1600, abs=75)
    assert (knee > found_larger.critical_temperature.sel(route=["heat capacity", "thermal expansion"])).all()
    assert found_larger.transition_type.item() == "II"
    assert np.isnan(found_larger.bimodal_temperature)  # no two phases at any temperature
    assert np.isnan(found_larger.critical_temperature.sel(route="two branches"))


@pytest.mark.parametrize("name", ["heat_capacity", "thermal_expansion"])
def test_what_fluctuates_in_a_run_is_the_slope_between_its_neighbours(larger, found_larger, name):
    """var(H) and cov(H, V) of each run against dH/dT and dV/dT beside it: two ways that share no number.

    From 1300 K on: at 1200 K too few Frenkel pairs come and go in 50 ps, and the C_p of their fluctuation is 15 % (3.1 errors) short.
    """
    slope, error = found_larger[name].values, found_larger[f"{name}_stderr"].values
    z = []
    for k, state in enumerate(larger["run_state"][1:-1], start=1):
        if state.stated_temperature >= 1300:
            one = heat_capacity(state)
            expected, off = (slope[k - 1] + slope[k]) / 2, np.hypot(error[k - 1], error[k]) / 2
            z.append((float(one[name]) - expected) / np.hypot(float(one[f"{name}_stderr"]), off))
    assert len(z) >= 7
    assert np.abs(z).max() < 3
    assert abs(np.mean(z)) < 2.5 / np.sqrt(len(z))


def test_verdicts_of_the_larger_cell_are_those_of_its_temperature(larger):
    words = {float(one.stated_temperature): one.system_verdict.item() for one in larger["detect_melting"]}
    assert {word for t, word in words.items() if t <= 1200} == {"crystal"}
    assert {word for t, word in words.items() if t >= 1600} == {"superionic"}
    assert {word for t, word in words.items() if 1200 < t < 1450} <= {"crystal", "defect conductor", "undecided"}
    assert {word for t, word in words.items() if 1450 <= t < 1600} <= {"superionic", "undecided"}


def test_the_heat_capacity_is_largest_at_1450_kelvin_within_its_interval(found):
    """Experiment 1424 K; this model, 768 ions: 1450 +- 50 K (reference/science.md D1; tests/statistics has its table). Here 324 ions."""
    one = found.sel(route="heat capacity")
    assert abs(one.critical_temperature - 1450) < 2 * one.critical_temperature_stderr
    assert one.critical_temperature_stderr < 60
    assert one.critical_temperature_lower <= 1450 <= one.critical_temperature_upper


def test_the_expansion_is_largest_there_where_pressures_mend_the_cells(runs, found):
    """Cells held at means over 10 ps are off by .05 GPa: as they stand, the expansion of 324 ions shows no maximum that stands out.

    B by the elastic constants of these runs falls from 63 GPa at 1000 K to 30 GPa at 2000 K and is 48 +- 3 GPa here; at 45 GPa errors of
    the mended volumes leave no maximum either.
    """
    one = detect_transition(runs["run_state"], bulk_modulus=50.0).sel(route="thermal expansion")
    assert one.critical_temperature.item() == pytest.approx(1450, abs=50)
    assert one.critical_temperature_lower <= 1424 <= one.critical_temperature_upper  # experiment
    assert one.critical_temperature_stderr < 80
    for other in (60.0, 80.0):
        moved = detect_transition(runs["run_state"], bulk_modulus=other).sel(route="thermal expansion").critical_temperature
        assert abs(moved - one.critical_temperature) < one.critical_temperature_stderr


def test_the_knee_of_diffusion_lies_above(found):
    one = found.sel(route="knee of D")
    assert one.critical_temperature.item() == pytest.approx(1600, abs=100)
    assert one.critical_temperature > found.critical_temperature.sel(route="heat capacity")


def test_melting_becomes_likelier_than_not_near_the_peak(found):
    one = found.sel(route="probability")
    assert one.critical_temperature.item() == pytest.approx(1450, abs=50)


def test_it_is_of_type_two(found):
    assert found.transition_type.item() == "II"
    assert found.type_probability.sum().item() == pytest.approx(1.0)


def test_verdicts_rise_with_temperature_and_none_is_wrong(runs):
    words = {float(one.stated_temperature): one.system_verdict.item() for one in runs["detect_melting"]}
    for kelvin, word in words.items():
        allowed = ("crystal", "defect conductor", "undecided") if kelvin < 1450 else ("superionic", "undecided")
        assert word in allowed, kelvin
    assert [words[t] for t in (1000.0, 1500.0, 2000.0)] == ["crystal", "superionic", "superionic"]


def test_a_series_that_does_not_reach_over_the_transition_has_none(runs):
    cold = [one for one in runs["run_state"] if one.stated_temperature < 1350]
    with pytest.raises(NotEnoughData, match="both sides"):
        detect_transition(cold)
    hot = [one for one in runs["run_state"] if one.stated_temperature > 1500]
    with pytest.raises(NotEnoughData, match="temperatures or more"):
        detect_transition(hot)
    above = [one for one in runs["run_state"] if one.stated_temperature >= 1400]
    assert np.isnan(detect_transition(above).critical_temperature.sel(route="heat capacity"))


def gas(kelvin, n_atoms):
    """What `run_state` keeps of an ideal gas of one pressure: E = 3/2 k_B T an ion, k_B of the units."""

    def at(t, n, boltzmann, units):
        energy = 1.5 * boltzmann * t * n * (1 + 1e-5 * np.array([-1.0, 1.0, -1.0, 1.0]))
        volume = {"volume": 30.0 * n, "volume_by_window": ("window", np.full(4, 30.0 * n)), "stated_pressure": 0.0}
        return xr.Dataset({"n_atoms": n, "stated_temperature": t, "total_energy": ("window", energy), **volume}, attrs={"unit_system": units})

    return [[at(t, n, k, units) for t, n in zip(kelvin, n_atoms, strict=True)] for k, units in ((BOLTZMANN, "metal"), (1.0, "lj"))]


def test_the_heat_capacity_is_that_of_an_ion_whatever_the_units_and_the_sizes_of_the_boxes():
    kelvin = np.arange(1.0, 9.0)
    for runs in gas(kelvin, [100, 100, 200, 100, 300, 100, 100, 200]):
        out = detect_transition(runs)
        np.testing.assert_allclose(out.heat_capacity, 1.5, rtol=1e-3)
        assert out.thermal_expansion.isnull().all()  # one volume an ion
        assert out.critical_temperature.isnull().all()


def test_runs_that_are_too_short_for_the_error_of_their_energy_are_named(runs, found):
    assert found.reason.item() == ""
    states = [one.copy(deep=True) for one in runs["run_state"]]
    for one in states:
        if one.stated_temperature in (1400, 1500):  # relaxes all the way through
            one.total_energy.values.sort()
    said = detect_transition(states)
    assert said.reason.item().startswith("too short for the error of their mean energy (1400, 1500 K): make these runs longer")
    assert any("mean energy (1400, 1500 K)" in line for line in melting_sections.transition(SimpleNamespace(made={"detect_transition": said})).text)
    volumes = [one.copy(deep=True) for one in runs["run_state"]]
    volumes[2].volume_by_window.values[:] *= np.linspace(1.0, 1.02, volumes[2].sizes["window"])
    assert "mean volume" in detect_transition(volumes).reason.item()


def test_energies_that_were_not_logged_give_no_heat_capacity():
    runs = gas(np.arange(1.0, 9.0), [100] * 8)[0]
    runs[3]["total_energy"][:] = np.nan
    out = detect_transition([*runs, runs[0]])
    assert out.heat_capacity.isnull().all()
    assert out.transition_type.item() == "undecided"


def test_a_liquid_says_nothing_of_the_sublattice():
    def judged(t, superionic, liquid):
        p = np.full(len(SYSTEM_STATES), 0.0)
        p[[SYSTEM_STATES.index(name) for name in ("superionic", "liquid", "crystal")]] = superionic, liquid, 1 - superionic - liquid
        return xr.Dataset({"stated_temperature": t, "system_probability": ("system_state", p)}, coords={"system_state": list(SYSTEM_STATES)})

    runs = gas(np.arange(1.0, 9.0), [100] * 8)[0]
    states = [(0.0, 0.0)] * 3 + [(1.0, 0.0)] * 2 + [(0.0, 1.0)] * 3
    verdicts = [judged(t, *one) for t, one in zip(np.arange(1.0, 9.0), states, strict=True)]
    assert detect_transition(runs, verdicts).critical_temperature.sel(route="probability").item() == pytest.approx(3.5)
