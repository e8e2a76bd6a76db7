"""Onsager matrix and transference numbers: independent ions, ions that are tied to one another, frames, caged species, electrons."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.conductivity import ionic_conductivity
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.onsager import onsager
from mdtools.estimates.transference import transference_number
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV

TEMPERATURE = 1000.0


@pytest.fixture(scope="module")
def measured(gas):
    return charge_displacement_msd(gas, reference="none"), charge_current_acf(gas, windows=8, reference="none")


@pytest.fixture(scope="module")
def matrix(gas, measured):
    return onsager(*measured, self_diffusivity(msd(gas, reference="none")))


def within(value, stderr, exact, *, errors=3.5):
    return np.all(np.abs(np.asarray(value) - exact) < errors * np.asarray(stderr))


def test_langevin_ions_conduct_each_for_themselves(gas, matrix):
    diffusivity = BOLTZMANN * TEMPERATURE / (20.0 * KINETIC_TO_EV * 5.0)
    each = 8 / gas.volume * diffusivity / (BOLTZMANN * TEMPERATURE) * CONDUCTIVITY_TO_SI
    exact = np.diag([each, each])
    for route in ("", "_green_kubo", "_einstein_helfand"):
        assert within(matrix[f"onsager{route}"], matrix[f"onsager{route}_stderr"], exact)
    assert within(matrix.onsager_distinct, matrix.onsager_distinct_stderr, 0.0)
    assert within(matrix.partial_conductivity_nernst_einstein, matrix.partial_conductivity_nernst_einstein_stderr, each)
    assert matrix.onsager_stderr.max() < 0.3 * each
    assert np.abs(matrix.shares_difference).max() < 3


def test_the_matrix_adds_up_to_the_conductivity_and_is_positive(matrix, measured):
    sigma = ionic_conductivity(*measured)
    assert matrix.ionic_conductivity == sigma.ionic_conductivity
    assert matrix.ionic_conductivity_stderr == sigma.ionic_conductivity_stderr
    assert matrix.onsager.sum().item() == pytest.approx(sigma.ionic_conductivity.item(), rel=1e-9)
    assert matrix.partial_conductivity.sum().item() == pytest.approx(sigma.ionic_conductivity.item(), rel=1e-9)
    assert np.linalg.eigvalsh(matrix.onsager).min() > 0
    of_total = matrix.onsager_covariance.values * np.outer([1, 2, 1], [1, 2, 1])
    assert of_total.sum() == pytest.approx(sigma.ionic_conductivity_stderr.item() ** 2, rel=1e-6)
    assert np.linalg.eigvalsh(matrix.onsager_covariance).min() > -1e-9 * of_total.sum()


def test_half_of_the_current_is_carried_by_each_of_two_alike_species(matrix):
    t = transference_number(matrix)
    assert within(t.transference_number, t.transference_number_stderr, 0.5)
    assert t.transference_number.sum().item() == pytest.approx(1)
    # what is common to a species and the total cancels in the joint error
    apart = np.hypot(matrix.partial_conductivity_stderr / matrix.partial_conductivity, matrix.ionic_conductivity_stderr / matrix.ionic_conductivity)
    assert np.all(t.transference_number_stderr < 0.8 * apart * t.transference_number)
    assert within(t.transference_number_nernst_einstein, t.transference_number_nernst_einstein_stderr, 0.5)


def test_estimates_run_from_files_with_the_trajectory_deleted(measured, matrix, tmp_path, reloaded, same, gas):
    again = onsager(*(reloaded(one, tmp_path) for one in (*measured, self_diffusivity(msd(gas, reference="none")))))
    same(matrix, again)
    same(transference_number(matrix), transference_number(reloaded(again, tmp_path)))


def test_in_the_barycentric_frame_the_shares_are_the_masses_of_the_other_and_say_nothing_else():
    """sigma_+ / sigma_- = m_- / m_+ exactly (Sundheim), whatever the ions do: here A diffuses four times as fast as B."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=6000, temperature=TEMPERATURE, seed=4)
    gas = gas.replace(step={"step": "heavier"}, masses=np.where(gas.species == "A", 10.0, 40.0))
    t = transference_number(onsager(charge_displacement_msd(gas, reference="barycentre"), charge_current_acf(gas, windows=4, reference="barycentre")))
    np.testing.assert_allclose(t.transference_number, [0.8, 0.2], rtol=1e-6)
    np.testing.assert_allclose(t.transference_number_stderr, 0, atol=1e-6)
    assert t.frame_of_reference == "barycentre"
    assert "ambipolar_conductivity" not in t  # 0 by the frame, whatever the ions do


def test_a_framework_carries_nothing_and_the_mobile_species_everything():
    lattice = synthetic.vacancy_hopper(lattice="sc", cells=4, vacancies=6, n_frames=1500, jumps_per_frame=20, rattle=0.1, framework=True, seed=1)
    t = transference_number(onsager(charge_displacement_msd(lattice), temperature=600.0))
    np.testing.assert_allclose(t.transference_number.sel(species=["A", "X"]), [1, 0], atol=1e-9)
    assert t.frame_of_reference == "X"


@pytest.fixture(scope="module")
def with_cages(gas):
    """The ions of the gas, and among them as many "C" that vibrate in cages, charges of either sign."""
    random = np.random.default_rng(0)
    site = random.uniform(0, 1, (1, 16, 3))
    keep = np.exp(-0.02 * 20.0)
    shake = np.zeros((gas.n_frames, 16, 3))
    kicks = random.normal(size=shake.shape) * np.sqrt(1 - keep**2)
    for k in range(1, len(shake)):
        shake[k] = keep * shake[k - 1] + kicks[k]
    rattle = 0.3 / 20.0 * shake
    return gas.replace(
        step={"step": "cages"},
        scaled_positions=np.concatenate([gas.scaled_positions, (site + rattle).astype(np.float32)], axis=1),
        velocities=np.concatenate([gas.velocities, (np.gradient(rattle, 0.02, axis=0) * 20.0).astype(np.float32)], axis=1),
        species=np.concatenate([gas.species, np.full(16, "C")]),
        charges=np.concatenate([gas.charges, np.tile([1.0, 1.0, -1.0, -1.0], 4)]),
        masses=np.concatenate([gas.masses, np.full(16, 20.0)]),
    )


def test_a_caged_species_carries_nothing_and_its_bound_is_in_its_error(with_cages):
    found = onsager(charge_displacement_msd(with_cages, reference="none"), charge_current_acf(with_cages, windows=8, reference="none"))
    assert found.species_regime.values.tolist() == ["diffusive", "diffusive", "caged"]
    caged = found.sel(species="C", species2="C")
    assert caged.onsager == 0
    assert 0 < caged.onsager_stderr < 0.2 * found.ionic_conductivity
    t = transference_number(found)
    assert t.transference_number.sel(species="C") == 0
    assert within(t.transference_number.sel(species=["A", "B"]), t.transference_number_stderr.sel(species=["A", "B"]), 0.5)


@pytest.fixture(scope="module")
def bound_pairs():
    """Brownian molecules A+ B-, whose ions vibrate about each other: sigma = 0."""
    walk = synthetic.brownian(n_atoms=32, n_frames=3000, diffusivity=0.5, temperature=TEMPERATURE, seed=5)
    path = np.array(walk.scaled_positions, dtype=np.float64)
    path[:, 16:] = path[:, :16] + 0.1 + np.random.default_rng(1).normal(0, 0.3 / 20.0, (3000, 16, 3))
    return walk.replace(step={"step": "bound"}, scaled_positions=path)


def test_bound_pairs_conduct_nothing_and_their_species_against_each_other(bound_pairs):
    """sigma_AA = sigma_BB = -sigma_AB = n q^2 D / k_B T, rows that sum to 0 within the bound; no share of nothing."""
    dipole = charge_displacement_msd(bound_pairs, reference="none")
    sigma = ionic_conductivity(dipole)
    assert sigma.regime == "caged"
    independent = 32 / bound_pairs.volume * 0.5 / (BOLTZMANN * TEMPERATURE) * CONDUCTIVITY_TO_SI
    assert sigma.ionic_conductivity_upper < 0.05 * independent
    found = onsager(dipole, self_diffusivity=self_diffusivity(msd(bound_pairs, reference="none")))
    assert np.isnan(found.ionic_conductivity)
    assert found.ionic_conductivity_upper == sigma.ionic_conductivity_upper
    np.testing.assert_allclose(found.onsager, found.onsager[0, 0].item() * np.array([[1, -1], [-1, 1]]))
    assert abs(found.onsager[0, 0] - independent / 2) < 3 * found.onsager_stderr[0, 0] < 1.5 * independent
    assert np.all(np.abs(found.partial_conductivity) < found.partial_conductivity_stderr + 1e-9)
    assert abs(found.onsager_distinct[0, 1] + independent / 2) < 3 * found.onsager_distinct_stderr[0, 1]
    with pytest.raises(NotEnoughData, match="of which this run has only a bound"):
        transference_number(found)


def test_ions_of_both_signs_that_move_as_one_share_the_current_by_their_charge():
    """Every A (+2) steps with half as many B (-1): rows of the matrix are as their charges, t_A = 2, t_B = -1."""
    walk = synthetic.brownian(n_atoms=4, n_frames=4000, temperature=TEMPERATURE, seed=6)
    path = np.array(walk.scaled_positions, dtype=np.float64)
    path[:, 1:] = path[:, :1] + np.array([[0.1], [0.2], [0.3]])
    tied = walk.replace(step={"step": "tied"}, scaled_positions=path, charges=np.array([1.0, 1.0, -0.5, -0.5]))
    t = transference_number(onsager(charge_displacement_msd(tied, reference="none")))
    np.testing.assert_allclose(t.transference_number, [2, -1], atol=1e-4)
    assert np.all(t.transference_number_stderr < 1e-2)


def test_electrons_take_their_share_and_limit_neutral_transport(matrix):
    sigma = matrix.ionic_conductivity.item()
    t = transference_number(matrix, electronic_conductivity=3 * sigma)
    assert t.ionic_transference_number.item() == pytest.approx(0.25)
    assert t.transference_number.sum().item() == pytest.approx(0.25)
    assert t.ambipolar_conductivity.item() == pytest.approx(0.75 * sigma)
    assert t.ambipolar_conductivity_stderr.item() == pytest.approx(0.5625 * matrix.ionic_conductivity_stderr.item())
    by_ions = t.transference_number_nernst_einstein.values
    alone = matrix.partial_conductivity_nernst_einstein.values
    np.testing.assert_allclose(by_ions, alone / (alone.sum() + 3 * sigma))
    metal = transference_number(matrix, electronic_conductivity=1e9 * sigma)
    assert metal.ambipolar_conductivity.item() == pytest.approx(sigma)
    assert transference_number(matrix, electronic_conductivity=0.0).ambipolar_conductivity == 0


def test_two_kinds_of_ions_limit_each_other(matrix):
    """Without cross terms sigma_1 sigma_2 / (sigma_1 + sigma_2)."""
    t = transference_number(matrix)
    a, b = np.diag(matrix.onsager)
    assert t.ambipolar_conductivity.item() == pytest.approx(a * b / (a + b), rel=0.2)
    assert 0 < t.ambipolar_conductivity_stderr < 0.3 * t.ambipolar_conductivity


def test_frames_of_reference_are_not_mixed(gas, measured):
    with pytest.raises(TrajectoryError, match="in the frame of none and charge_current_acf in that of barycentre"):
        onsager(measured[0], charge_current_acf(gas, reference="barycentre"))


def test_the_diffusivity_of_another_run_is_refused(gas, measured):
    d = self_diffusivity(msd(gas, reference="none"))
    with pytest.raises(TrajectoryError, match="are of different runs"):
        onsager(*measured, d.assign(volume=2 * d.volume))


def test_a_negative_electronic_conductivity_is_refused(matrix):
    with pytest.raises(TrajectoryError, match="is negative"):
        transference_number(matrix, electronic_conductivity=-1.0)
