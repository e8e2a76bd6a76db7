"""What looks like a melted sublattice and is none (reference/science.md C6), and what is one: each called by its name, or not at all."""

from dataclasses import replace

import numpy as np
import pytest

import mdtools as md
from mdtools import imitators, synthetic


def judged(traj, **options):
    """The verdict from everything that can be measured of positions."""
    rigid = md.shear_modulus(md.displacement_waves(traj)) if traj.temperature is not None else None
    return md.detect_melting(md.melting_indicators(traj, **options), md.site_occupation(traj, **options), rigid, md.run_state(traj, **options))


RUN = {"n_frames": 350, "frame_interval": 0.06}

SURE = 0.9
KNOWN = {
    "crystal": (lambda: imitators.crystal(**RUN), "crystal"),
    "vacancy conductor": (lambda: imitators.defect_conductor(**RUN), "defect conductor"),
    "many vacancies": (lambda: imitators.defect_conductor(vacancies=8, rate=3.0, **RUN), "defect conductor"),
    "neutral pair exchange": (lambda: imitators.pair_exchange(**RUN), "defect conductor"),
    "closed loops": (lambda: imitators.pair_exchange(ring=4, rate=0.1, **RUN), "defect conductor"),
    "molten sublattice": (lambda: imitators.superionic(**RUN), "superionic"),
    "liquid": (lambda: imitators.liquid(**RUN), "liquid"),
    "glass": (lambda: imitators.glass(**RUN), "glass"),
    "conducting glass": (lambda: imitators.glass(mobile=True, **RUN), "superionic glass"),
    "slab that melts from one side": (lambda: imitators.coexistence(cells=3, **RUN), "coexistence"),
    "grain boundary that has melted": (lambda: imitators.coexistence(cells=3, share=0.25, **RUN), "coexistence"),
    "surface": (lambda: imitators.surface(**RUN), "coexistence"),
    "planes": (lambda: imitators.superionic(axes=2, **RUN), "superionic"),
    "liquid that was declared to have a framework": (lambda: replace(imitators.liquid(**RUN), framework=("X",)), "liquid"),
    "overdamped crystal": (lambda: imitators.crystal(damping=100.0, **RUN), "crystal"),
    "rotors": (lambda: synthetic.rotor(cells=4, rattle=0.1, n_frames=700), "plastic crystal"),
}


@pytest.fixture(scope="module")
def verdicts():
    return {name: judged(make()) for name, (make, _) in KNOWN.items()}


@pytest.mark.parametrize("name", KNOWN)
def test_it_is_called_what_it_is(verdicts, name):
    assert verdicts[name].system_verdict.item() == KNOWN[name][1]
    assert verdicts[name].system_probability.max() > SURE


# -- what exposes an imitator (the rows of C6 that ask for more than a verdict) ----------------------------------------


def test_channels_and_planes_are_told_by_the_axes_of_motion(verdicts):
    """One D for all directions looks like that of any superionic; ions of channels keep a strong wave that the framework imposes."""
    channels = judged(imitators.superionic(axes=1, **RUN))
    assert channels.system_verdict.item() in ("superionic", "undecided")
    assert channels.moving_axes.sel(species="A") == 1
    assert "A moves along one axis (0.00, 0.00, 1.00)" in channels.system_reason.item()
    assert channels.evidence.sel(species="A", indicator="bragg_amplitude") > 0.5
    assert verdicts["planes"].moving_axes.sel(species="A") == 2
    assert "A moves in planes normal to (1.00" in verdicts["planes"].system_reason.item()
    assert verdicts["molten sublattice"].moving_axes.sel(species="A") == 3
    assert verdicts["vacancy conductor"].moving_axes.sel(species="A") == 3
    assert verdicts["crystal"].moving_axes.sel(species="A") == 0


def test_the_order_of_the_mobile_sublattice_is_no_sign_of_a_crystal(verdicts):
    planes = verdicts["planes"]
    assert planes.evidence.sel(species="A", indicator="bragg_amplitude") > 0.3
    assert planes.says.sel(species="A", indicator="bragg_amplitude") == "ordered"
    assert planes.system_probability.sel(system_state="crystal") < 0.01


def test_creep_and_shear_flow_are_told_and_leave_no_verdict(verdicts):
    verdict = judged(imitators.creep(**RUN))
    assert verdict.gate_says.sel(gate="flow") == "failed"
    assert verdict.system_verdict.item() == "undecided"
    assert "creep or shear flow: X" in verdict.system_reason.item()
    for name in KNOWN:
        assert verdicts[name].gate_says.sel(gate="flow") == "passed", name


def test_a_vacuum_beside_a_slab_is_told(verdicts):
    assert verdicts["surface"].gate_says.sel(gate="vacuum") == "unclear"
    assert "is empty" in verdicts["surface"].system_reason.item()
    for name in ("crystal", "liquid", "glass", "rotors"):
        assert verdicts[name].gate_says.sel(gate="vacuum") == "passed", name


def test_a_few_hops_bound_d_and_say_how_long_a_run_would_tell():
    """Exchanges of neighbours at 0.002 pairs/ps an ion: D = rate d^2 / 6; 21 ps show that some moved and no more."""
    caged = judged(imitators.pair_exchange(rate=0.004, **RUN)).sel(species="A")
    exact = 0.004 * 2.8**2 / 6
    assert caged.system_verdict.item() in ("undecided", "defect conductor", "crystal")
    assert exact < caged.diffusivity_bound < 5 * exact
    assert caged.verdict == "undecided"
    assert "would tell" in caged.reason.item()
    assert 6 / 0.004 / 2 < caged.time_needed < 6 / 0.004 * 2


def test_a_bath_on_every_atom_is_told_by_the_total_momentum():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=100, n_frames=400, friction=5.0)
    state = md.run_state(gas, reference="none")
    assert 0.3 < state.momentum_temperature / gas.temperature < 1.7
    verdict = md.detect_melting(md.melting_indicators(gas, reference="none"), run_state=state)
    assert verdict.gate_says.sel(gate="thermostat") == "unclear"
    assert "Langevin" in verdict.gate_reason.sel(gate="thermostat").item()
    still = replace(gas, velocities=gas.velocities - np.mean(gas.velocities, axis=1, keepdims=True))
    assert md.run_state(still, reference="none").momentum_temperature < 1e-3 * gas.temperature


@pytest.mark.parametrize(("ratio", "word"), [(1.0, "passed"), (0.45, "unclear"), (0.1, "unclear")])
def test_a_thermostat_that_is_not_canonical_is_told_by_its_kinetic_energy(ratio, word):
    """Constant energy halves the fluctuation of a solid, Berendsen's thermostat leaves less."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=100, n_frames=400)
    state = md.run_state(gas, reference="none").drop_vars("momentum_temperature")
    state["kinetic_fluctuation"] = ("window", ratio * np.random.default_rng(0).chisquare(20, 16) / 20)
    verdict = md.detect_melting(md.melting_indicators(gas, reference="none"), run_state=state)
    assert verdict.gate_says.sel(gate="thermostat") == word


def test_vacancies_leave_the_lines_that_would_show_melting_silent(verdicts):
    """An ion moves like that of a melted sublattice, and no site is empty that was not so from the start."""
    conductor = verdicts["many vacancies"].sel(species="A")
    assert conductor.evidence.sel(indicator="log_slope") > 0.9
    assert conductor.evidence.sel(indicator="excess_defects") < 1e-3
    assert conductor.evidence.sel(indicator="core_fraction") > 0.99
    assert conductor.says.sel(indicator="excess_defects") == "hopping"


def test_rotors_are_told_from_wells_by_the_shape_of_their_elastic_line(verdicts):
    assert verdicts["rotors"].evidence.sel(species="Y", indicator="elastic_shape") > 5
    assert verdicts["crystal"].evidence.sel(species="A", indicator="elastic_shape") < 3
    assert verdicts["rotors"].diffusivity_bound.sel(species="Y") < 1e-2


def test_each_line_of_evidence_says_whether_it_is_for_the_verdict(verdicts):
    crystal = verdicts["crystal"].line_says
    assert crystal.sel(line=["structure", "mechanics", "dynamics"]).values.tolist() == ["for"] * 3
    assert crystal.sel(line="thermodynamics").item() == "no data"
    assert verdicts["crystal"].lines_available.item() == 3
    alone = md.detect_melting(md.melting_indicators(imitators.crystal(**RUN)))
    assert alone.line_says.sel(line="mechanics").item() == "no data"


# -- what a run may look like ----------------------------------------------------------------------------------------


def with_positions(traj, change):
    """The run with other scaled positions, made of the old ones in float64."""
    return replace(traj, scaled_positions=change(np.asarray(traj.scaled_positions, dtype=np.float64)))


def drifting(traj, step):
    return with_positions(traj, lambda s: s + np.arange(traj.n_frames)[:, None, None] * np.array(step))


CHANGED = {
    "three decimals": lambda traj: with_positions(traj, lambda s: (np.round(s * 16.8, 3) / 16.8).astype(np.float32)),
    "drift": lambda traj: drifting(traj, [2e-3, 0, -1e-3]),
    "breathing cell": lambda traj: replace(traj, cell=traj.cell * (1 + 0.01 * np.sin(0.3 * np.arange(traj.n_frames)))[:, None, None]),
    "whole cells": lambda traj: with_positions(traj, lambda s: s + np.arange(traj.n_atoms)[None, :, None] % 3),
}


@pytest.mark.parametrize("change", CHANGED)
def test_how_a_run_is_written_changes_no_verdict(verdicts, change):
    other = judged(CHANGED[change](KNOWN["molten sublattice"][0]()))
    assert other.system_verdict.item() == "superionic"
    np.testing.assert_allclose(other.system_probability, verdicts["molten sublattice"].system_probability, atol=0.05)


@pytest.mark.parametrize(("make", "system"), [(imitators.crystal, "crystal"), (imitators.superionic, "superionic")])
def test_a_cell_of_five_is_called_as_one_of_three(make, system):
    assert judged(make(cells=5, n_frames=240, frame_interval=0.08)).system_verdict.item() == system


# -- gates -----------------------------------------------------------------------------------------------------------


def test_a_run_that_has_not_settled_is_told_and_weighed_down():
    hot, cold = imitators.superionic(n_frames=175, frame_interval=0.06), imitators.crystal(n_frames=175, frame_interval=0.06)
    s = [np.asarray(one.scaled_positions, dtype=np.float64) for one in (hot, cold)]
    path = np.concatenate([s[0], s[0][-1:] + np.cumsum(np.diff(s[1], axis=0, prepend=s[1][:1]), axis=0)])
    quenched = replace(hot, scaled_positions=path, cell=np.repeat(hot.cell[:1], 350, axis=0), time=np.arange(350) * 0.06)
    verdict = judged(quenched)
    assert verdict.gate_says.sel(gate="stationary").item() == "failed"
    assert "displacement of A" in verdict.gate_reason.sel(gate="stationary").item()
    assert verdict.system_verdict.item() == "undecided"
    assert 0 < verdict.suggested_begin.item() <= 11
    assert "begin=" in verdict.system_reason.item()


def test_species_of_unequal_temperature_are_told():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=200, n_frames=350, frame_interval=0.06)
    hot = np.array(gas.velocities)
    hot[:, :100] *= 1.1
    indicators = md.melting_indicators(gas, reference="none")
    for velocities, word, system in ((gas.velocities, "passed", "liquid"), (hot, "failed", "undecided")):
        verdict = md.detect_melting(indicators, run_state=md.run_state(replace(gas, velocities=velocities), reference="none"))
        assert verdict.gate_says.sel(gate="species temperatures").item() == word
        assert verdict.system_verdict.item() == system


def test_few_ions_and_a_frame_that_flows_are_told():
    small = md.melting_indicators(synthetic.harmonic_crystal(cells=4, n_frames=350))
    assert md.detect_melting(small).gate_says.sel(gate="size").item() == "unclear"
    still = imitators.crystal(**RUN)
    indicators = md.melting_indicators(still)
    for step, word in ((1e-3, "passed"), (1e-2, "unclear")):  # a third of the cell in all, and three and a half: both are taken away
        verdict = md.detect_melting(indicators, run_state=md.run_state(drifting(still, [step, 0.0, 0.0])))
        assert verdict.gate_says.sel(gate="drift").item() == word
        assert ("taken away" in verdict.system_reason.item()) == (word == "unclear")


def test_a_settled_run_passes_its_gates():
    failed = 0
    indicators = None
    for seed in range(20):
        walk = synthetic.ornstein_uhlenbeck(n_atoms=100, n_frames=320, seed=seed)
        indicators = md.melting_indicators(walk, reference="none") if indicators is None else indicators
        says = md.detect_melting(indicators, run_state=md.run_state(walk, reference="none"), draws=2).gate_says
        failed += int((says.sel(gate=["stationary", "species temperatures"]) == "failed").any())
    assert failed <= 1
