"""Estimates from measured Datasets: exact models with their units, refusals, and the same answer from a file."""

import numpy as np
import pytest
import xarray as xr

from mdtools import schema, synthetic
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.arrhenius import activation_energy
from mdtools.estimates.conductivity import Estimate, _combined, ionic_conductivity
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.haven import haven_ratio
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV

TEMPERATURE = 1000.0


@pytest.fixture(scope="module")
def walk():
    return synthetic.brownian(n_atoms=32, n_frames=1500, diffusivity=0.5, temperature=TEMPERATURE, seed=3)


@pytest.fixture(scope="module")
def walk_msd(walk):
    return msd(walk, reference="none")


@pytest.fixture(scope="module")
def walk_dipole(walk):
    return charge_displacement_msd(walk)


@pytest.fixture(scope="module")
def gas():
    return synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=12000, friction=5.0, temperature=TEMPERATURE, seed=2)


def reloaded(data, folder):
    schema.to_netcdf(data, folder / "data.nc")
    with xr.open_dataset(folder / "data.nc", engine="h5netcdf") as opened:
        return opened.load()


def same(first, second):
    for name in first.variables:
        if first[name].dtype.kind in "fi":
            np.testing.assert_allclose(first[name].values, second[name].values, rtol=1e-12)
        else:
            assert first[name].values.tolist() == second[name].values.tolist()
    assert set(first.variables) == set(second.variables)


# -- self-diffusivity -------------------------------------------------------------------------------------------


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


def test_the_result_from_a_file_is_the_same(walk_msd, tmp_path):
    direct = self_diffusivity(walk_msd)
    same(direct, self_diffusivity(reloaded(walk_msd, tmp_path)))
    same(direct, reloaded(direct, tmp_path))


def test_one_selected_species_does_as_well(walk_msd):
    both, one = self_diffusivity(walk_msd), self_diffusivity(walk_msd.sel(species="B"))
    assert one.self_diffusivity.item() == both.self_diffusivity.sel(species="B").item()


def test_a_crystal_is_caged_with_a_bound_and_no_value(tmp_path):
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


# -- conductivity -----------------------------------------------------------------------------------------------


def test_brownian_charges_conduct_as_nernst_and_einstein_say(walk, walk_dipole):
    sigma = ionic_conductivity(walk_dipole)
    exact = 32 / walk.volume * 0.5 / (BOLTZMANN * TEMPERATURE) * CONDUCTIVITY_TO_SI
    assert sigma.ionic_conductivity_lower < exact < sigma.ionic_conductivity_upper
    assert sigma.ionic_conductivity_stderr < 0.3 * exact
    assert sigma.charge_diffusivity.item() == pytest.approx(32 * 0.5, rel=0.5)
    assert sigma.ionic_conductivity_mS_per_cm.item() == pytest.approx(10 * sigma.ionic_conductivity.item())
    assert np.isnan(sigma.ionic_conductivity_green_kubo)


def test_the_two_routes_agree_with_the_exact_conductivity_of_langevin_ions(gas, tmp_path):
    dipole, current = charge_displacement_msd(gas), charge_current_acf(gas, windows=8)
    sigma = ionic_conductivity(dipole, current)
    diffusivity = BOLTZMANN * TEMPERATURE / (20.0 * KINETIC_TO_EV * 5.0)
    exact = 16 / gas.volume * diffusivity / (BOLTZMANN * TEMPERATURE) * CONDUCTIVITY_TO_SI
    for route in ("einstein_helfand", "green_kubo"):
        value, stderr = sigma[f"ionic_conductivity_{route}"], sigma[f"ionic_conductivity_{route}_stderr"]
        assert abs(value - exact) < 3.5 * stderr
        assert stderr < 0.3 * exact
    assert abs(sigma.routes_difference) < 3
    least = min(sigma.ionic_conductivity_einstein_helfand_stderr.item(), sigma.ionic_conductivity_green_kubo_stderr.item())
    assert sigma.ionic_conductivity_stderr >= 0.999 * least
    same(sigma, ionic_conductivity(reloaded(dipole, tmp_path), reloaded(current, tmp_path)))


def test_routes_that_disagree_have_the_error_of_their_difference():
    one = _combined(Estimate(1.0, 0.1, 0.8, 1.2), Estimate(3.0, 0.1, 2.8, 3.2))
    assert one.value == pytest.approx(2.0)
    assert one.stderr == pytest.approx(1.0)


def test_a_run_without_a_jump_excludes_no_less_than_three_jumps():
    """However flat the MSD: with the rate of three jumps in the run there is none in exp(-3) = 5 % of all runs."""
    crystal = synthetic.damped_oscillator(cells=3, n_frames=2000, frequency=3.0, damping=5.0, seed=2)
    d = self_diffusivity(msd(crystal, reference="none"))
    assert d.regime.item() == "caged"
    assert d.self_diffusivity_upper.item() >= 3 * 5.0**2 / (6 * 27 * 2000 * 0.02) * (1 - 1e-9)
    sigma = ionic_conductivity(charge_displacement_msd(crystal.with_charges({"A": 1.0}), reference="none"))
    per_diffusivity = 27 / (15.0**3 * 8.617333262e-5 * 300.0) * 1602.176634
    assert sigma.ionic_conductivity_upper.item() >= 3 * 5.0**2 / (6 * 27 * 2000 * 0.02) * per_diffusivity * (1 - 1e-9)


def test_the_dipole_of_an_insulating_crystal_gives_a_bound_only():
    crystal = synthetic.harmonic_crystal(n_frames=3000, seed=1).replace(step={"step": "stated"}, temperature=300.0)
    charges = np.where(np.arange(crystal.n_atoms) % 2 == 0, 1.0, -1.0)
    sigma = ionic_conductivity(charge_displacement_msd(crystal.with_charges(charges)))
    assert sigma.regime.item() in ("caged", "undecided")
    assert np.isnan(sigma.ionic_conductivity)
    assert np.isfinite(sigma.ionic_conductivity_upper)


def test_a_conductivity_needs_a_temperature():
    dipole = charge_displacement_msd(synthetic.brownian(n_atoms=8, n_frames=400))
    with pytest.raises(TrajectoryError, match=r"pass temperature=\.\.\. in K"):
        ionic_conductivity(dipole)
    assert ionic_conductivity(dipole, temperature=500.0).stated_temperature == 500.0


# -- Haven ratio ------------------------------------------------------------------------------------------------


def test_independent_ions_have_a_haven_ratio_of_one(walk_msd, walk_dipole):
    ratio = haven_ratio(self_diffusivity(walk_msd), ionic_conductivity(walk_dipole))
    assert abs(ratio.haven_ratio - 1) < 3 * ratio.haven_ratio_stderr
    assert ratio.haven_ratio_stderr < 0.3


def test_ions_that_move_in_groups_of_four_have_a_haven_ratio_of_a_quarter():
    grouped = synthetic.grouped_walkers(group=4, n_atoms=64, n_frames=2000, temperature=TEMPERATURE, seed=5)
    ratio = haven_ratio(self_diffusivity(msd(grouped, reference="none")), ionic_conductivity(charge_displacement_msd(grouped)))
    assert abs(ratio.haven_ratio - 0.25) < 3 * ratio.haven_ratio_stderr


def test_a_caged_species_adds_its_bound_to_the_error_only(walk_msd, walk_dipole):
    d, sigma = self_diffusivity(walk_msd), ionic_conductivity(walk_dipole)
    caged = d.copy(deep=True)
    for name in ("self_diffusivity", "self_diffusivity_stderr"):
        caged[name].loc[{"species": "B"}] = np.nan
    caged["self_diffusivity_upper"].loc[{"species": "B"}] = 0.1
    half = haven_ratio(caged, sigma)
    value = d.self_diffusivity.sel(species="A") / d.self_diffusivity.sum()
    whole = haven_ratio(d, sigma)
    assert (half.haven_ratio / whole.haven_ratio).item() == pytest.approx(value.item())
    assert half.ionic_conductivity_nernst_einstein_stderr > 0.05 / 0.5 * half.ionic_conductivity_nernst_einstein


def test_a_haven_ratio_of_two_different_runs_is_refused(walk_msd, walk_dipole):
    with pytest.raises(TrajectoryError, match="different runs"):
        haven_ratio(self_diffusivity(walk_msd.assign(volume=walk_msd.volume * 2)), ionic_conductivity(walk_dipole))


# -- activation energy ------------------------------------------------------------------------------------------


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
