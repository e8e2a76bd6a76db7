"""Long runs are sampled so that the work keeps within a budget: what is taken is said, and is what asking for it by hand gives."""

import dataclasses

import numpy as np
import pytest

import mdtools as md
from mdtools import once, synthetic
from mdtools.analyses import folded, reflections, sampled
from mdtools.analyses.sampled import every, some_of_each


@pytest.fixture(scope="module")
def gas():
    return synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=240, frame_interval=0.05, seed=3)


WAVES = {"q_max": 1.2, "reference": "none"}
LIMITED = {  # what is measured, the option that limits it, what is said, and the option that asks for the same
    "non_gaussian_parameter": ({"reference": "none"}, {"displacement_budget": 16 * 2000}, "origin_stride", "origins"),
    "van_hove_self": ({"windows": 2, "bins": 20, "reference": "none"}, {"displacement_budget": 16 * 500}, "origin_stride", "origins"),
    "structure_factor": (WAVES, {"phase_budget": 16 * 240 * 5}, "frame_stride", "frames"),
    "intermediate_scattering_self": (WAVES, {"phase_budget": 16 * 240 * 5}, "ion_stride", "ions"),
}


@pytest.mark.parametrize("name", LIMITED)
def test_what_a_budget_leaves_is_said_and_can_be_asked_for(gas, name):
    options, budget, said, asked = LIMITED[name]
    measure = getattr(md, name)
    thin = measure(gas, **options, **budget)
    stride = md.history(thin)[-1][said]
    assert stride != (every_one := {"A": 1, "B": 1} if said == "ion_stride" else 1)
    same = measure(gas, **options, **{asked: stride})
    np.testing.assert_array_equal(thin[name], same[name])
    whole = measure(gas, **options, **{asked: "all"})
    assert md.history(measure(gas, **options))[-1][said] == every_one
    assert not np.array_equal(thin[name], whole[name])
    error = {"non_gaussian_parameter": 0.5, "van_hove_self": 0.5}.get(name, 0.3)
    assert abs(float((thin[name] - whole[name]).mean())) < error * max(float(abs(whole[name]).mean()), 0.1)
    with pytest.raises(ValueError, match=next(iter(budget))):
        measure(gas, **options, **dict.fromkeys(budget, 0))
    with pytest.raises(ValueError, match=asked):
        measure(gas, **options, **{asked: 0})


def test_each_window_has_frames_of_its_own(gas):
    """A budget of every 35th frame of windows of 60: by that, four windows of one frame would all lie in the first half of the run."""
    n_waves = int(md.structure_factor(gas, **WAVES, shells=0).n_wave_vectors.sum())
    thin = md.structure_factor(gas, **WAVES, shells=0, phase_budget=16 * n_waves * 240 / 35)
    assert md.history(thin)[-1]["frame_stride"] == 60
    alone = md.structure_factor(every(gas, 60), **WAVES, shells=0)
    np.testing.assert_allclose(thin.structure_factor, alone.structure_factor, rtol=1e-9, atol=1e-12)
    assert md.history(md.structure_factor(gas, **WAVES, frames=35))[-1]["frames_unused"] == 100


@pytest.mark.parametrize(("name", "fewest"), [("intermediate_scattering", 80), ("dynamic_structure_factor", 80), ("current_correlation", 40)])
def test_a_long_run_is_seen_at_fewer_wave_vectors_unless_told(gas, name, fewest):
    measure = getattr(md, name)
    few = measure(gas, phase_budget=1.0, q_max=8.0, reference="none")
    usual = {"current_correlation": 100}.get(name, 300)
    assert (md.history(few)[-1]["n_q"], md.history(few)[-1]["usual_n_q"]) == (fewest, usual)
    told = measure(gas, phase_budget=1.0, n_q=20, q_max=8.0, reference="none")
    assert md.history(told)[-1]["n_q"] == 20
    named = measure(gas, phase_budget=1.0, hkl=["1 0 0"], reference="none")
    so_few = measure(gas, phase_budget=1.0, q_max=0.8, reference="none")  # that none is left out
    assert int(so_few.n_wave_vectors.sum()) <= fewest
    for out in (told, named, so_few):
        assert "usual_n_q" not in md.history(out)[-1]
    with pytest.raises(ValueError, match="phase_budget"):
        measure(gas, phase_budget=-1.0, reference="none")


def test_density_correlations_are_made_once_for_function_and_spectrum(gas, monkeypatch):
    options = {**WAVES, "windows": 2}
    alone = md.dynamic_structure_factor(gas, **options)
    visits = []
    over_frames = type(gas).over_frames
    monkeypatch.setattr(type(gas), "over_frames", lambda self, *a, **b: visits.append(a) or over_frames(self, *a, **b))
    with once.kept():
        md.intermediate_scattering(gas, **options)
        n_visits = len(visits)
        after = md.dynamic_structure_factor(gas, **options)
        assert len(visits) == n_visits > 0
        md.dynamic_structure_factor(gas, **options | {"q_max": 1.0})  # other wave vectors are not the same
        assert len(visits) > n_visits
    np.testing.assert_allclose(after.dynamic_structure_factor, alone.dynamic_structure_factor, rtol=1e-9, atol=1e-12)


def test_every_so_many_frames_and_some_ions_of_each_species(gas):
    thin = every(gas, 7, slice(3, 200))
    np.testing.assert_array_equal(thin.scaled_positions, gas.scaled_positions[3:200:7])
    np.testing.assert_array_equal(thin.time, gas.time[3:200:7])
    some = some_of_each(gas, 3)
    assert [int(np.sum(gas.species[some] == name)) for name in gas.species_names] == [3, 3]
    assert (np.diff(some) > 0).all()


def test_frames_that_sites_and_amplitudes_are_taken_from_are_said(monkeypatch):
    crystal = synthetic.damped_oscillator(cells=3, n_frames=400)
    monkeypatch.setattr(folded, "SAMPLED", 100)
    monkeypatch.setattr(reflections, "SAMPLED", 10)
    for found in (md.density_map(crystal, repeat=(3, 3, 3), spacing=0.5), md.bragg_reflections(crystal, repeat=(3, 3, 3), windows=2)):
        assert md.history(found)[-1]["site_frames"] == 100
    occupied = md.site_occupation(crystal, repeat=(3, 3, 3), windows=2, ion_blocks=3)
    assert md.history(occupied)[-1]["site_frames"] == 100
    assert "site_frames" not in md.history(md.site_occupation(crystal, sites="first", windows=2, ion_blocks=3))[-1]
    assert md.history(md.melting_indicators(crystal))[-1]["amplitude_stride"] == 3  # of 25 frames a stretch, at most 10


COHERENT = {"n_q": 20, "q_max": 2.0, "shells": 4, "windows": 2, "reference": "none"}


@pytest.mark.parametrize("name", ["intermediate_scattering", "dynamic_structure_factor", "current_correlation"])
def test_a_stretch_of_each_window_is_said_and_can_be_asked_for(gas, name, monkeypatch):
    monkeypatch.setattr(sampled, "SHORTEST", 16)
    measure = getattr(md, name)
    thin = measure(gas, **COHERENT, phase_budget=16 * 20 * 2 * 40)
    stretch = md.history(thin)[-1]["stretch"]
    assert 30 < stretch < 60
    same = measure(gas, **COHERENT, stretch=stretch)
    for values in thin.data_vars:
        np.testing.assert_array_equal(thin[values], same[values])
    whole = measure(gas, **COHERENT, stretch="all")
    assert md.history(whole)[-1]["stretch"] == md.history(measure(gas, **COHERENT))[-1]["stretch"] == 120
    last = "frequency" if name == "dynamic_structure_factor" else "lag"
    assert thin.sizes[last] == (stretch if last == "lag" else (stretch + 1) // 2)
    named = measure(gas, **COHERENT, longest=1.0, phase_budget=1.0)  # 20 frames, and origins enough for them
    assert md.history(named)[-1]["stretch"] == 80
    assert named.sizes[last] == 21
    for wrong in (1, 121, "some", True):
        with pytest.raises(ValueError, match="stretch"):
            measure(gas, **COHERENT, stretch=wrong)
    with pytest.raises(ValueError, match="longer stretch"):
        measure(gas, **COHERENT, stretch=20, longest=1.0)


def test_a_stretch_is_what_a_run_of_these_frames_gives(gas):
    cut = np.concatenate([np.arange(40), 120 + np.arange(40)])
    fields = {name: np.asarray(getattr(gas, name))[cut] for name in ("scaled_positions", "velocities", "cell")}
    alone = dataclasses.replace(gas, **fields, time=gas.time[:80])
    for name in ("intermediate_scattering", "current_correlation"):
        found, expected = (getattr(md, name)(run, **COHERENT, **more) for run, more in ((gas, {"stretch": 40}), (alone, {})))
        for values in ("intermediate_scattering", "longitudinal_current_acf", "transverse_current_acf"):
            if values in found:
                np.testing.assert_allclose(found[values], expected[values], rtol=1e-9, atol=1e-9)


REPLICAS = 48


def scores(sample, whole, exact):
    """Over replicas (replica, window): mean and root mean square of (sample - what all give) and (sample - exact) over the sample's error bar."""
    sample, whole = np.array(sample), np.array(whole)
    bar = sample.std(axis=1, ddof=1) / np.sqrt(sample.shape[1])
    from_whole, from_exact = (sample.mean(axis=1) - whole.mean(axis=1)) / bar, (sample.mean(axis=1) - exact) / bar
    return from_whole.mean(), np.sqrt(np.mean(from_exact**2)), quoted_over_true(sample, exact)


def quoted_over_true(sample, exact):
    return np.sqrt(np.mean(np.var(sample, axis=1, ddof=1) / np.shape(sample)[1]) / np.mean((np.mean(sample, axis=1) - exact) ** 2))


def half_at_rest(seed):
    """Ions of one species of which half, drawn for each run, never move."""
    walk = synthetic.brownian(n_atoms=256, n_frames=160, diffusivity=0.5, seed=seed)
    positions, rest = np.array(walk.scaled_positions), np.random.default_rng([seed, 1]).permutation(256)[:128]
    positions[:, rest] = positions[:1, rest]
    return dataclasses.replace(walk, scaled_positions=positions).relabel({"Li": range(256)})


def test_a_sample_of_unlike_ions_is_unbiased_and_its_error_bar_holds_what_ions_differ_by():
    """Eight windows: a root mean square of Student's t of seven degrees of freedom is 1.18, and 48 replicas tell it to a tenth."""
    options = {"q": [1.0], "lags": [1.0], "reference": "none"}
    runs = [half_at_rest(seed) for seed in range(REPLICAS)]
    sample, whole = ([md.intermediate_scattering_self(run, **options, ions=ions).intermediate_scattering_self[:, 0, 0, 0] for run in runs]
                     for ions in (64, "all"))  # fmt: skip
    exact = 0.5 + 0.5 * np.exp(-0.5)
    shift, spread, quoted = scores(sample, whole, exact)
    assert abs(shift) < 0.5
    assert 0.85 < spread < 1.5
    assert 0.8 < quoted < 1.25
    # the same ions in every window would be four of 256 in all, and windows would not tell how unlike they are
    same = [md.intermediate_scattering_self(run.select(some_of_each(run, 64)), **options).intermediate_scattering_self[:, 0, 0, 0] for run in runs]
    assert quoted_over_true(same, exact) < 0.6


def with_a_rare_ion(seed):
    """500 ions of one species, which walk, and one of another, which does so too."""
    walk = synthetic.brownian(n_atoms=502, n_frames=80, diffusivity=0.5, seed=seed).select(np.arange(501))
    return walk.relabel({"Li": range(500), "Cl": [500]})


def test_one_ion_of_a_rare_species_leaves_the_budget_to_the_others():
    options = {"q": [1.0], "lags": [0.5], "reference": "none", "phase_budget": 51 * 13 * 80.0}  # of one wave number 13 directions
    run = with_a_rare_ion(0)
    found = md.intermediate_scattering_self(run, **options)
    told = md.history(found)[-1]
    assert told["ions_taken"] == {"Li": 50, "Cl": 1}
    assert told["ion_stride"] == {"Li": 10, "Cl": 1}
    np.testing.assert_array_equal(
        found.intermediate_scattering_self, md.intermediate_scattering_self(run, **options, ions={"Li": 10, "Cl": 1}).intermediate_scattering_self
    )
    # of so many of each species one at least is left
    assert md.history(md.intermediate_scattering_self(run, **options, ions=100))[-1]["ions_taken"] == {"Li": 5, "Cl": 1}
    whole = md.intermediate_scattering_self(run, **options, ions="all")
    assert md.history(whole)[-1]["ions_taken"] == {"Li": 500, "Cl": 1}
    rare = (one.intermediate_scattering_self.sel(species="Cl") for one in (found, whole))
    np.testing.assert_allclose(*rare, rtol=1e-6, atol=1e-9)
    for wrong in ({"Li": 10}, {"Li": 10, "Cl": 0}, {"Li": 10, "Br": 1}, 501):
        with pytest.raises(ValueError, match="ions="):
            md.intermediate_scattering_self(run, **options, ions=wrong)


def test_the_error_bars_of_a_common_and_of_a_rare_species_hold_within_a_budget():
    options = {"q": [1.0], "lags": [0.2], "reference": "none", "phase_budget": 51 * 13 * 80.0}
    found = [md.intermediate_scattering_self(with_a_rare_ion(seed), **options).intermediate_scattering_self[:, :, 0, 0] for seed in range(REPLICAS)]
    for name in ("Li", "Cl"):
        sample = np.array([one.sel(species=name) for one in found])
        assert 0.8 < quoted_over_true(sample, np.exp(-0.1)) < 1.25


@pytest.mark.parametrize("name", ["intermediate_scattering", "current_correlation"])
def test_a_stretch_is_unbiased_and_its_error_bar_holds(name):
    options = {"hkl": ["1 0 0", "0 1 0", "0 0 1"], "shells": 1, "windows": 8, "lags": [0.1], "reference": "none"}
    values = {"intermediate_scattering": "intermediate_scattering", "current_correlation": "transverse_current_acf"}[name]
    sample, whole = [], []
    for seed in range(REPLICAS):
        gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=400, frame_interval=0.1, seed=seed)
        for out, stretch in ((sample, 10), (whole, "all")):
            out.append(getattr(md, name)(gas, **options, stretch=stretch)[values].sum("pair")[:, 0, 0])
    shift, spread, quoted = scores(sample, whole, np.mean(whole))
    assert abs(shift) < 0.5
    assert 0.85 < spread < 1.5
    assert 0.8 < quoted < 1.25
