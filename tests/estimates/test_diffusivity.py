"""Self-diffusivity: exact walks, ions that move together, crystals, refusals, and the same answer from a file."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.conductivity import ionic_conductivity
from mdtools.estimates.diffusivity import self_diffusivity


def test_brownian_diffusivity_lies_in_its_interval(walk_msd):
    d = self_diffusivity(walk_msd)
    assert np.all((d.self_diffusivity_lower < 0.5) & (d.self_diffusivity_upper > 0.5))
    assert np.all(np.abs(d.self_diffusivity - 0.5) < 4 * d.self_diffusivity_stderr)
    assert np.all(d.self_diffusivity_stderr < 0.05)
    assert d.regime.values.tolist() == ["diffusive", "diffusive"]
    np.testing.assert_allclose(d.self_diffusivity_cm2_per_s, 1e-4 * d.self_diffusivity)
    assert np.all(np.abs(d.log_slope - 1) < 4 * d.log_slope_stderr)


def test_windows_give_the_same_diffusivity_within_the_error(walk, walk_msd):
    one, four = self_diffusivity(walk_msd), self_diffusivity(msd(walk, windows=4, reference="none"))
    assert np.all(np.abs(four.self_diffusivity - 0.5) < 4 * four.self_diffusivity_stderr)
    assert np.all(four.self_diffusivity_stderr / one.self_diffusivity_stderr < 2.5)


def test_logarithmic_lags_do_as_well(walk, walk_msd):
    d = self_diffusivity(msd(walk, lags="log", reference="none"))
    assert np.all(np.abs(d.self_diffusivity - 0.5) < 4 * d.self_diffusivity_stderr)


def test_the_result_from_a_file_is_the_same(walk_msd, tmp_path, reloaded, same):
    direct = self_diffusivity(walk_msd)
    same(direct, self_diffusivity(reloaded(walk_msd, tmp_path)))
    same(direct, reloaded(direct, tmp_path))


def test_one_selected_species_does_as_well(walk_msd):
    both, one = self_diffusivity(walk_msd), self_diffusivity(walk_msd.sel(species="B"))
    assert one.self_diffusivity.item() == pytest.approx(both.self_diffusivity.sel(species="B").item(), rel=1e-9)


def test_a_crystal_is_caged_with_a_bound_and_no_value(tmp_path, reloaded, same):
    crystal = synthetic.harmonic_crystal(n_frames=1200, seed=1)
    d = self_diffusivity(msd(crystal))
    assert set(d.regime.values.tolist()) == {"caged"}
    assert np.isnan(d.self_diffusivity.values).all()
    assert np.all((d.self_diffusivity_upper > 0) & np.isfinite(d.self_diffusivity_upper))
    assert np.all(d.self_diffusivity_lower == 0)
    same(d, reloaded(d, tmp_path))


def test_atoms_held_fixed_are_caged_with_the_bound_zero(from_paths):
    still = np.tile(np.random.default_rng(0).uniform(0, 10, (1, 4, 3)), (200, 1, 1))
    d = self_diffusivity(msd(from_paths(still, 10.0 * np.eye(3)), reference="none"))
    assert d.regime.item() == "caged"
    assert d.self_diffusivity_upper.item() == 0


def test_lags_can_be_given(walk_msd):
    d = self_diffusivity(walk_msd, lag_first=1.0, lag_last=10.0)
    np.testing.assert_allclose(d.lag_first, 1.0, rtol=0.1)
    np.testing.assert_allclose(d.lag_last, 10.0, rtol=0.1)
    assert np.all(np.abs(d.self_diffusivity - 0.5) < 4 * d.self_diffusivity_stderr)


def test_ions_that_move_together_count_as_few():
    grouped = synthetic.grouped_walkers(group=8, n_atoms=64, n_frames=1000, seed=2)
    d = self_diffusivity(msd(grouped, reference="none"))
    assert np.all((d.variance_inflation > 4) & (d.variance_inflation < 16))
    np.testing.assert_allclose(d.effective_ions, 32 / d.variance_inflation)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda t: self_diffusivity(msd(t, origins="first", reference="none")), NotEnoughData, "origins='first'"),
        (lambda t: self_diffusivity(msd(t, windows=100, reference="none")), NotEnoughData, "at least 8 lags"),
        (lambda t: self_diffusivity(msd(t, reference="none").drop_vars("block_msd")), NotEnoughData, "needs block_msd"),
        (lambda t: self_diffusivity(msd(t, reference="none"), intercept=0.1), ValueError, "both"),
        (lambda t: self_diffusivity(msd(t, reference="none").drop_vars("frame_interval")), TrajectoryError, "evenly spaced"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_one_line(walk, make, error, text):
    with pytest.raises(error, match=text) as refusal:
        make(walk)
    assert "\n" not in str(refusal.value)


def test_a_run_in_lj_units_stays_in_them(walk):
    reduced = msd(walk.replace(step={"step": "lj"}, reduced=True), reference="none")
    d = self_diffusivity(reduced)
    assert d.self_diffusivity.attrs["units"] == "1"
    assert "self_diffusivity_cm2_per_s" not in d
    with pytest.raises(TrajectoryError, match="lj units"):
        ionic_conductivity(charge_displacement_msd(walk.replace(step={"step": "lj"}, reduced=True)))


def test_the_plan_says_how_long_a_run_must_be(walk_msd):
    d = self_diffusivity(walk_msd)
    np.testing.assert_allclose(d.run_for_10_percent, 150.0 * (d.self_diffusivity_stderr / (0.1 * d.self_diffusivity)) ** 2)
    assert d.run_for_tenth_of_bound.isnull().all()
    caged = self_diffusivity(msd(synthetic.harmonic_crystal(n_frames=1200, seed=1)))
    assert caged.run_for_10_percent.isnull().all()
    assert np.all((caged.run_for_tenth_of_bound > 2 * 24.0) & (caged.run_for_tenth_of_bound <= 10 * 24.0 + 1e-9))


def test_the_68_percent_interval_lies_within_the_95_percent_interval(walk_msd):
    d = self_diffusivity(walk_msd)
    assert np.all((d.self_diffusivity_lower < d.self_diffusivity_lower_68) & (d.self_diffusivity_upper_68 < d.self_diffusivity_upper))
    assert np.all((d.self_diffusivity_lower_68 < d.self_diffusivity) & (d.self_diffusivity < d.self_diffusivity_upper_68))


def test_a_file_without_single_ions_gives_nearly_the_same(walk_msd):
    with_ions, without = self_diffusivity(walk_msd), self_diffusivity(walk_msd.drop_vars(["ion_msd", "ion_species"]))
    assert np.all(np.abs(with_ions.self_diffusivity - without.self_diffusivity) < with_ions.self_diffusivity_stderr)
    assert without.few_jumpers.isnull().all()


def test_few_jumpers_are_found_out(walk_msd, from_paths):
    random = np.random.default_rng(0)
    paths = random.uniform(0, 10, (1, 40, 3)) + 0.1 * random.normal(size=(400, 40, 3))
    paths[:, :2] += np.cumsum(0.3 * random.normal(size=(400, 2, 3)), axis=0)
    few = self_diffusivity(msd(from_paths(paths, 10.0 * np.eye(3)), reference="none"))
    assert few.few_jumpers.item() > 0.8
    assert np.all(self_diffusivity(walk_msd).few_jumpers < 0.25)
