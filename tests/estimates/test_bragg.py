"""Debye-Waller line, Bragg and diffuse parts: harmonic crystal, liquid, CaF2 across its transition."""

from dataclasses import replace

import numpy as np
import pytest

import mdtools as md
from mdtools import memory, synthetic
from mdtools.analyses import bragg
from mdtools.analyses.bragg import bragg_reflections
from mdtools.errors import NotEnoughData
from mdtools.estimates.bragg import debye_waller

# science.md C0: amplitude of the reflection 200 of F, one run of 768 ions at each temperature
PUBLISHED = {1000: 0.895, 1200: 0.854, 1400: 0.783, 1600: 0.645, 1800: 0.536, 2000: 0.461}


def einstein(from_paths, variance, *, cells=3, n_frames=80, seed=0):
    """A rock-salt lattice of edge 4 whose ions are Gaussian about their sites, anew in every frame; <u^2> of A and B are given."""
    random = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(*[np.arange(2 * cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    species = np.where(corner.sum(axis=1) % 2, "B", "A")
    width = np.sqrt(np.where(species == "A", *variance) / 3)
    path = corner * 2.0 + 0.37 + random.normal(size=(n_frames, len(corner), 3)) * width[:, None]
    return from_paths(path, 4.0 * cells * np.eye(3), species=species, dtype=np.float64)


def test_a_harmonic_crystal_has_its_debye_waller_factor_and_the_rest_is_diffuse(from_paths):
    found = debye_waller(bragg_reflections(einstein(from_paths, (0.06, 0.15), n_frames=400), repeat=(3, 3, 3), reference="none"))
    assert list(found.species.values) == ["A", "B"]
    assert np.all(abs(found.thermal_displacement - [0.06, 0.15]) < 5 * found.thermal_displacement_stderr)
    assert np.all(found.thermal_displacement_stderr < 0.002)
    assert np.all(abs(found.debye_waller_offset) < 4)
    allowed = np.all(found.miller.values % 2 == found.miller.values[:, :1] % 2, axis=1)  # fcc: all odd or all even
    for k, square in enumerate((0.06, 0.15)):
        weaker = np.exp(-(found.wave_vector.values**2) * square / 3)
        np.testing.assert_array_equal(np.isfinite(found.bragg_amplitude[k]), allowed)
        np.testing.assert_allclose(found.bragg_amplitude[k][allowed], np.sqrt(weaker)[allowed], atol=0.01)
        # independent ions: S_diffuse = 1 - exp(-2W) where the lattice reflects, and where it does not
        np.testing.assert_allclose(found.diffuse_intensity[k], 1 - weaker, atol=0.35)
        assert abs((found.diffuse_intensity[k] - 1 + weaker).mean()) < 0.03
    # the noise null: forbidden reflections pass for Bragg as rarely as they should
    assert (found.bragg_significance.values[:, ~allowed] < 0.01).mean() < 0.05


def test_the_error_of_the_mean_squared_amplitude_covers(from_paths):
    inside = []
    for seed in range(60):
        found = debye_waller(
            bragg_reflections(einstein(from_paths, (0.06, 0.15), cells=2, n_frames=40, seed=seed), repeat=(2, 2, 2), reference="none")
        )
        inside.append((found.thermal_displacement_lower.values <= [0.06, 0.15]) & (found.thermal_displacement_upper.values >= [0.06, 0.15]))
    assert 0.88 < np.mean(inside) <= 1.0  # 95 %, scatter 2 %


def test_a_liquid_has_no_bragg_part_whatever_its_modulus():
    gas = synthetic.brownian(n_atoms=64, n_frames=400, diffusivity=2.0, length=8.0, seed=2)
    found = debye_waller(bragg_reflections(gas, repeat=(2, 2, 2), reference="none"))
    assert np.all(np.isnan(found.thermal_displacement))
    assert (found.bragg_significance.values < 0.01).mean() < 0.05
    assert abs(found.bragg_intensity.values).max() < 0.02
    np.testing.assert_allclose(found.diffuse_intensity.values.mean(), 1.0, atol=0.1)  # S(q) of an ideal gas


@pytest.mark.parametrize("temperature", PUBLISHED)
def test_the_bragg_amplitude_of_fluorine_follows_the_calibration(files, temperature):
    traj = md.read(files.parents[1] / "data" / f"caf2_{temperature}K.lammpstrj.zst", framework="Ca")
    found = debye_waller(bragg_reflections(traj, repeat=(3, 3, 3), q_max=2.4))
    family = [sorted(map(abs, h)) == [0, 0, 2] for h in found.miller.values]
    assert sum(family) == 3
    fluorine = found.bragg_amplitude.sel(species="F")[family].mean()
    assert abs(fluorine - PUBLISHED[temperature]) < 0.03
    assert abs(fluorine - PUBLISHED[temperature]) < 0.012  # what it is today
    assert np.all(found.bragg_significance.sel(species="F")[family] < 1e-6)


@pytest.fixture(scope="module")
def melt(files):
    return md.read(files.parents[1] / "data" / "caf2_melt.lammpstrj.zst", temperature=2200)


def test_the_melt_has_no_bragg_amplitude(melt):
    """science.md C0: .006 of F, .018 of Ca, in a melt of 768 ions."""
    found = debye_waller(bragg_reflections(melt, repeat=(3, 3, 3), q_max=2.4))
    family = [sorted(map(abs, h)) == [0, 0, 2] for h in found.miller.values]
    density = np.sqrt(np.maximum(found.bragg_intensity[:, family].mean("reflection"), 0.0))  # of the wave itself: a melt has no sites
    assert abs(density.sel(species="F") - 0.006) < 0.03
    assert abs(density.sel(species="Ca") - 0.018) < 0.03
    assert abs(np.nanmean(found.bragg_amplitude.sel(species="F")[family]) - 0.006) < 0.03
    assert np.all(found.bragg_significance.sel(species="F") > 0.01 / found.sizes["reflection"])  # none stands out
    assert np.all(np.isnan(found.thermal_displacement))


def test_the_melt_is_a_liquid_whatever_is_called_framework(melt):
    for framework in (None, "Ca"):
        named = melt if framework is None else md.read(melt.source, temperature=2200, framework=framework)
        assert md.detect_melting(md.melting_indicators(named)).system_verdict.item() == "liquid"


def test_a_crystal_in_lj_units_has_the_same_sites(from_paths):
    crystal = einstein(from_paths, (0.06, 0.15), cells=2)  # (V/N)^(1/3) is 2 angstrom
    real, reduced = replace(crystal, cell=crystal.cell * 1.25), replace(crystal, cell=crystal.cell / 2, reduced=True)
    first, second = (debye_waller(bragg_reflections(one, repeat=(2, 2, 2), reference="none")) for one in (real, reduced))
    np.testing.assert_allclose(first.thermal_displacement, second.thermal_displacement * 2.5**2, rtol=1e-9)
    np.testing.assert_allclose(first.bragg_amplitude, second.bragg_amplitude, atol=1e-9)


def test_too_few_windows_and_wrong_repeats_are_refused(from_paths):
    crystal = einstein(from_paths, (0.06, 0.15))
    with pytest.raises(NotEnoughData, match="windows=8"):
        debye_waller(bragg_reflections(crystal, windows=2, repeat=(3, 3, 3)))
    with pytest.raises(ValueError, match="repeat"):
        bragg_reflections(crystal, repeat=(3, 3))
    with pytest.raises(ValueError, match="--repeat"):
        bragg_reflections(crystal, q_max=60.0)
    with pytest.raises(md.TrajectoryError, match="--q-max"):
        bragg_reflections(crystal, repeat=(3, 3, 3), q_max=0.5)


def test_blocks_of_frames_leave_room_for_the_waves(monkeypatch):
    crystal = synthetic.damped_oscillator(cells=3, n_frames=1000)
    whole = bragg_reflections(crystal, windows=4)
    taken = []

    def watched(s, miller):
        taken.append(16 * len(s) * len(miller))
        return waves(s, miller)

    waves = bragg.density_waves
    monkeypatch.setattr(bragg, "density_waves", watched)
    with memory.limited("32MB"):
        parts = bragg_reflections(crystal, windows=4)
        assert max(taken) <= memory.block() / 4 < sum(taken)
    np.testing.assert_allclose(parts.density_amplitude, whole.density_amplitude, atol=1e-12)
    with memory.limited("8MB"), pytest.raises(ValueError, match="may be taken: pass a repeat"):  # it has no spacing to make larger
        bragg_reflections(crystal, windows=4)
