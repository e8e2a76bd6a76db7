"""A heating ramp: a map, and temperatures worth holding; no verdict."""

from dataclasses import replace

import numpy as np
import pytest

import mdtools as md
from mdtools import imitators, synthetic
from mdtools.detection.gates import gates_of
from mdtools.thermo import Thermo


def ramp(*, onset=0.6, hot=1600.0, cold=800.0):
    """A crystal for a share of the run, then a molten sublattice; the log says that it was heated all the while."""
    n = 640
    first, second = imitators.crystal(n_frames=int(onset * n)), imitators.superionic(n_frames=n - int(onset * n))
    s = [np.asarray(one.scaled_positions, dtype=np.float64) for one in (first, second)]
    path = np.concatenate([s[0], s[0][-1:] + np.cumsum(np.diff(s[1], axis=0, prepend=s[1][:1]), axis=0)])
    time = np.arange(n) * 0.03
    log = Thermo(time=time, values={"temperature": np.linspace(cold, hot, n)})
    return replace(first, scaled_positions=path, cell=np.repeat(first.cell[:1], n, axis=0), time=time, temperature=None, log=log)


def test_the_onset_is_found_and_runs_about_it_are_suggested():
    found = md.detect_ramp(md.heating_ramp(ramp()))
    assert found.onset_temperature.sel(species="A").item() == pytest.approx(1280, abs=50)
    assert np.isnan(found.onset_temperature.sel(species="X"))
    wanted = found.suggested_temperature.values
    assert (np.diff(wanted) > 0).all()
    for value in (1216, 1280, 1344):  # 5 % about it
        assert np.abs(wanted - value).min() < 55
    assert any("A begins to move" in one for one in found.suggestion_reason.values)
    assert not any("X" in one for one in found.suggestion_reason.values)
    assert not {"probability", "system_probability", "verdict"} & set(found.variables)


def test_a_cooling_ramp_gives_the_same_map():
    heated = ramp()
    s = np.asarray(heated.scaled_positions)[::-1]
    cooled = replace(heated, scaled_positions=s, log=replace(heated.log, values={"temperature": heated.log.values["temperature"][::-1]}))
    one, other = (md.detect_ramp(md.heating_ramp(run)).onset_temperature.sel(species="A").item() for run in (heated, cooled))
    assert one == pytest.approx(other, abs=60)


def test_a_ramp_gets_no_verdict_on_melting():
    run = ramp()
    verdict = md.detect_melting(md.melting_indicators(run), run_state=md.run_state(run))
    assert verdict.gate_says.sel(gate="held temperature") == "failed"
    assert verdict.system_verdict.item() == "undecided"
    assert "mdtools detect melting FILE --ramp" in verdict.system_reason.item()


def test_a_run_at_one_temperature_is_no_ramp():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=64, n_frames=320)
    with pytest.raises(md.NotEnoughData, match="detect_melting judges"):
        md.detect_ramp(md.heating_ramp(gas, reference="none"))
    with pytest.raises(md.TrajectoryError, match="--log"):
        md.heating_ramp(synthetic.brownian(n_atoms=8, n_frames=64))


@pytest.mark.parametrize(("rise", "word"), [(0.0, "passed"), (0.01, "passed"), (0.07, "failed"), (0.3, "failed")])
def test_a_slow_ramp_is_told_by_its_trend(rise, word):
    """A rise by 7 % of T, with the scatter of 324 ions and 13 rows a window, is a ramp as well as one of 30 %; by 1 % it does no harm."""
    walk = imitators.crystal(n_frames=160)
    indicators, state = md.melting_indicators(walk), md.run_state(walk)
    says = []
    for seed in range(20):
        kelvin = 1400 * (1 + rise * (np.arange(16) / 15 - 0.5) + 0.013 * np.random.default_rng(seed).normal(size=16))
        state["temperature_by_window"] = ("window", kelvin)
        gates = gates_of(indicators, state, None)
        says.append(gates.words["held temperature"] == word)
        assert gates.worth == 0.0 or gates.words["held temperature"] == "passed"
    assert sum(says) >= 18
