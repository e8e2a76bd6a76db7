"""Haven ratio: independent and grouped ions, bounded species, different runs."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.errors import TrajectoryError
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
