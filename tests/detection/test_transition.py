"""T_c of CaF2 by every route, from what is kept of its runs."""

from pathlib import Path

import numpy as np
import pytest

from mdtools import chain
from mdtools.detection.transition import detect_transition
from mdtools.errors import NotEnoughData

SERIES = Path(__file__).parent / "runs" / "caf2_series.nc"
NAMES = ("run_state", "detect_melting", "site_occupation", "self_diffusivity")


@pytest.fixture(scope="module")
def runs():
    return {name: [run.made[name] for run in chain.chains_of(str(SERIES))] for name in NAMES}


@pytest.fixture(scope="module")
def found(runs):
    return detect_transition(*(runs[name] for name in NAMES))


def test_the_heat_capacity_is_largest_at_1450_kelvin(found):
    """Experiment 1424 K; this model, 768 ions: 1450 +- 50 K (reference/science.md D1)."""
    one = found.sel(route="heat capacity")
    assert one.critical_temperature.item() == pytest.approx(1450, abs=50)
    assert one.critical_temperature_lower <= 1450 <= one.critical_temperature_upper


def test_the_expansion_is_largest_there_within_its_interval(found):
    """The cells of these runs of 324 ions are means over 10 ps, good to 1e-4: 1350 and 1450 K are not told apart (768 ions: statistics)."""
    one = found.sel(route="thermal expansion")
    assert one.critical_temperature_lower <= 1450 <= one.critical_temperature_upper + 1
    assert one.critical_temperature_upper - one.critical_temperature_lower < 300


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
    cold = [one for one in runs["run_state"] if one.stated_temperature < 1450]
    with pytest.raises(NotEnoughData, match="both sides"):
        detect_transition(cold)
    hot = [one for one in runs["run_state"] if one.stated_temperature > 1450]
    with pytest.raises(NotEnoughData, match="temperatures or more"):
        detect_transition(hot)
    assert np.isnan(detect_transition([*runs["run_state"]][4:]).critical_temperature.sel(route="heat capacity"))
