"""Haven ratio: independent and grouped ions, bounded species, different runs."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.conductivity import ionic_conductivity
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.haven import haven_ratio

TEMPERATURE = 1000.0


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


def test_a_run_with_other_numbers_of_ions_in_the_same_cell_is_a_different_run(walk_msd, walk_dipole):
    with pytest.raises(TrajectoryError, match="different runs"):
        haven_ratio(self_diffusivity(walk_msd.assign(n_ions=walk_msd.n_ions - 1)), ionic_conductivity(walk_dipole))


def test_ions_that_move_as_one_have_an_exact_haven_ratio():
    """16 like charges and as many of the other sign that stay: H_R = 1/16, and D and sigma err together, so that the ratio does not."""
    walk = synthetic.brownian(n_atoms=32, n_frames=1500, temperature=TEMPERATURE, seed=7)
    path = np.array(walk.scaled_positions, dtype=np.float64)
    path = path[:1] + np.where(walk.species == "A", 1.0, 0.0)[:, None] * (path[:, :1] - path[:1, :1])
    block = walk.replace(step={"step": "block"}, scaled_positions=path)
    sigma = ionic_conductivity(charge_displacement_msd(block, reference="B"))
    ratio = haven_ratio(self_diffusivity(msd(block, reference="B")), sigma)
    assert sigma.self_collective_correlation > 0.999
    assert abs(ratio.haven_ratio * 16 - 1) < 3 * max(ratio.haven_ratio_stderr * 16, 0.02)
    assert ratio.haven_ratio_stderr < 0.5 * ratio.haven_ratio * sigma.ionic_conductivity_stderr / sigma.ionic_conductivity


def test_species_that_move_alike_have_diffusivities_that_err_together():
    """Two species that feel one flow: what D of both have in common is in sigma_NE, and independent species have nothing in common."""
    walk = synthetic.brownian(n_atoms=32, n_frames=1500, diffusivity=0.5, temperature=TEMPERATURE, seed=3)
    steps = np.cumsum(np.random.default_rng(2).normal(0, 3 * 0.5 / 20.0 * np.sqrt(walk.frame_interval), (1500, 1, 3)), axis=0)
    flow = walk.replace(step={"step": "flow"}, scaled_positions=np.asarray(walk.scaled_positions, dtype=np.float64) + steps)
    alone, together = (self_diffusivity(msd(one, reference="none")) for one in (walk, flow))
    assert alone.self_diffusivity_correlation.sel(species="A", species2="B") < 0.25
    assert together.self_diffusivity_correlation.sel(species="A", species2="B") > 0.7
    sigma = ionic_conductivity(charge_displacement_msd(flow))
    found, apart = (haven_ratio(one, sigma) for one in (together, together.drop_vars("self_diffusivity_correlation")))
    name = "ionic_conductivity_nernst_einstein_stderr"
    assert found[name] > 1.2 * apart[name]
    assert found.haven_ratio_lower < found.haven_ratio < found.haven_ratio_upper


def test_bound_pairs_have_no_haven_ratio():
    walk = synthetic.brownian(n_atoms=32, n_frames=1500, diffusivity=0.5, temperature=TEMPERATURE, seed=5)
    path = np.array(walk.scaled_positions, dtype=np.float64)
    path[:, 16:] = path[:, :16] + 0.1 + np.random.default_rng(1).normal(0, 0.3 / 20.0, (1500, 16, 3))
    pairs = walk.replace(step={"step": "bound"}, scaled_positions=path)
    with pytest.raises(NotEnoughData, match="the dipole of this run is caged"):
        haven_ratio(self_diffusivity(msd(pairs, reference="none")), ionic_conductivity(charge_displacement_msd(pairs, reference="none")))


@pytest.mark.parametrize(("jumps", "seed"), [(0.1, 1), (1.0, 2)])
def test_rare_jumps_are_bounded_or_within_their_error(jumps, seed):
    """64 caged ions that jump 6 and 64 times in all: the dipole is refused with a bound above the truth, or its interval holds it."""
    random = np.random.default_rng(seed)
    steps = np.zeros((2000, 64, 3))
    where = (random.integers(0, 2000, round(64 * jumps)), random.integers(0, 64, round(64 * jumps)), random.integers(0, 3, round(64 * jumps)))
    np.add.at(steps, where, random.choice([-2.0, 2.0], round(64 * jumps)))
    cage = synthetic.damped_oscillator(cells=4, n_frames=2000, frequency=2.0, damping=8.0, mass=20.0, temperature=600.0, seed=seed)
    walk = cage.replace(
        step={"step": "jumps"},
        scaled_positions=np.asarray(cage.scaled_positions, dtype=np.float64) + np.cumsum(steps, axis=0) / 20.0,
        species=np.where(np.arange(64) % 2, "B", "A"),
        charges=np.where(np.arange(64) % 2, -1.0, 1.0),
        velocities=None,
    )
    sigma = ionic_conductivity(charge_displacement_msd(walk, reference="none"))
    exact = 64 * jumps * 4.0 / (2000 * 0.02) / 6 / 20.0**3 / (8.617333262e-5 * 600.0) * 1602.176634
    if jumps < 1:
        assert sigma.regime == "caged"
        assert np.isnan(sigma.ionic_conductivity)
        assert exact < sigma.ionic_conductivity_upper
    else:
        assert abs(sigma.ionic_conductivity - exact) < 3.5 * sigma.ionic_conductivity_stderr
