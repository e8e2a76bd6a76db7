"""Sites and jumps against lattice hoppers with exact answers, the naive definition, and symmetries."""

from dataclasses import replace

import ase
import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.lattice import unit_repeat
from mdtools.analyses.sites import site_occupation
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.jumps import jump_diffusivity

EXACT = {"sc": (0.653109, 4.0), "bcc": (0.727194, 4 * 0.75**0.5), "fcc": (0.781451, 4 * 0.5**0.5)}  # f, length of a jump


@pytest.fixture(scope="module")
def hopper():
    return synthetic.vacancy_hopper(lattice="fcc", cells=3, vacancies=2, n_frames=1500, jumps_per_frame=1, rattle=0.15, framework=True, seed=1)


@pytest.fixture(scope="module")
def found(hopper):
    return site_occupation(hopper)


def test_the_unit_cell_is_that_which_the_framework_repeats(hopper):
    assert unit_repeat(hopper).tolist() == [3, 3, 3]
    assert unit_repeat(synthetic.brownian(n_atoms=100, n_frames=50), "none").tolist() == [1, 1, 1]


def test_sites_are_those_of_the_lattice_vacancies_included(found):
    assert found.n_sites.sel(species="A").item() == 4 * 27
    np.testing.assert_allclose(found.site_distance.sel(species="A"), 4 * np.sqrt(0.5), rtol=0.01)
    np.testing.assert_allclose(found.empty_sites.sel(species="A"), 2 / 108, atol=1e-12)
    np.testing.assert_allclose(found.vacant_sites.sel(species="A").mean(), 2 / 108, atol=2e-3)
    assert (found.empty_sites.sel(species="X") == 0).all()
    assert (found.jump_count.sel(species="X") == 0).all()
    np.testing.assert_allclose(found.site_occupancy.where(found.site_species == "A", drop=True).mean(), 106 / 108, atol=1e-6)


def test_every_jump_is_seen_once_and_has_the_vector_of_the_lattice(hopper, found):
    exact = np.asarray(replace(hopper, masses=hopper.masses).scaled_positions, dtype=np.float64)[:, :106] * 12.0
    lattice = np.rint((exact - exact[:1]) / 2.0)  # jumps are (2, 2, 0) angstrom, the rattle is 0.15
    n = int(np.count_nonzero(np.any(np.diff(lattice, axis=0) != 0, axis=-1)))
    assert found.sizes["jump"] == pytest.approx(n, rel=0.02)  # an ion that rattles out of its core is counted a frame later, or not
    np.testing.assert_allclose(np.linalg.norm(found.jump_vector, axis=1), 2 * np.sqrt(2), atol=0.1)
    assert set(found.jump_species.values) == {"A"}
    assert (np.diff(found.jump_time) >= 0).all()


def test_the_jumps_of_an_ion_add_up_to_its_displacement(hopper, found):
    path = np.asarray(hopper.scaled_positions, dtype=np.float64) * 12.0
    last = round(found.observed_time.item() / hopper.frame_interval) - 1
    for ion in range(0, 100, 7):
        total = found.jump_vector.values[found.jump_ion.values == ion].sum(axis=0)
        assert np.linalg.norm(total - (path[last, ion] - path[0, ion])) < 2.0


@pytest.mark.parametrize("lattice", ["sc", "bcc", "fcc"])
def test_residence_time_correlation_factor_and_diffusivity_of_a_vacancy(lattice):
    factor, length = EXACT[lattice]
    walk = synthetic.vacancy_hopper(lattice=lattice, cells=4, n_frames=12000, jumps_per_frame=1, seed=2)
    out = jump_diffusivity(site_occupation(walk, repeat=(4, 4, 4), reference="none")).isel(species=0)
    n = walk.n_atoms
    assert out.jump_length.item() == pytest.approx(length, rel=1e-3)
    assert out.residence_time.item() == pytest.approx(n * walk.frame_interval, rel=1e-3)  # one jump of one ion every frame
    assert out.residence_time_lower < out.residence_time < out.residence_time_upper
    assert abs(out.correlation_factor.item() - factor) < 3 * out.correlation_factor_stderr.item()
    exact = factor * length**2 / (6 * n)
    assert abs(out.jump_diffusivity.item() - exact) < 3 * out.jump_diffusivity_stderr.item()
    assert out.jump_diffusivity_stderr < 0.25 * exact


def test_defects_that_are_built_in_are_no_excess(found):
    out = jump_diffusivity(found).sel(species="A")
    assert out.excess_defects.item() == pytest.approx(0.0, abs=1e-9)
    assert out.core_fraction.item() > 0.99


def test_a_species_that_never_jumps_has_a_bound(found):
    out = jump_diffusivity(found).sel(species="X")
    assert np.isnan(out.residence_time)
    assert out.residence_time_lower.item() == pytest.approx(27 * found.observed_time.item() / 3.69, rel=0.01)
    assert np.isnan(out.jump_diffusivity)


def test_ions_that_only_go_back_and_forth_have_a_d_of_nothing_and_its_error(from_paths):
    """Jumps that are all undone: f is 0 to what the last jump leaves, of either sign, and D has an error all the same."""
    sites = synthetic.lattice_sites("sc", 4)[0] * 4.0
    sites = sites[sites[:, 0] < 12]  # a layer is empty
    path = np.repeat(sites[None], 400, axis=0)
    flip = np.flatnonzero(sites[:, 0] == 8)
    for k, ion in enumerate(flip):
        path[:, ion, 0] += 4.0 * (((np.arange(400) + 3 * k) // 25) % 2)
    path += 0.05 * np.random.default_rng(0).normal(size=path.shape)
    run = from_paths(path, 16 * np.eye(3))
    out = jump_diffusivity(site_occupation(run, repeat=(4, 4, 4), reference="none")).isel(species=0)
    assert out.n_jumps.item() > 200
    assert np.isfinite(out.jump_diffusivity_stderr)
    assert abs(out.jump_diffusivity) < 3 * out.jump_diffusivity_stderr + 0.1 * out.jump_diffusivity_uncorrelated


def test_rattling_across_a_border_is_no_jump(from_paths):
    sites = synthetic.lattice_sites("sc", 3)[0] * 4.0
    path = np.repeat(sites[None], 400, axis=0)
    path[:, 0, 0] += np.where(np.arange(400) % 2, 1.9, 2.1) * (np.arange(400) > 10)  # about the middle between two sites
    path += 0.05 * np.random.default_rng(0).normal(size=path.shape)
    out = site_occupation(from_paths(path, 12 * np.eye(3)), sites="first", reference="none")
    assert out.sizes["jump"] == 0
    assert out.empty_sites.max() > 0  # by the nearest site alone it would jump all the time


@pytest.mark.parametrize("change", ["shifted", "wrapped", "permuted", "breathing"])
def test_jumps_do_not_depend_on_how_the_run_is_written(hopper, found, change):
    s = np.asarray(hopper.scaled_positions, dtype=np.float64)
    if change == "shifted":
        other = replace(hopper, scaled_positions=s + np.array([0.37, -2.2, 11.0]))
    elif change == "wrapped":  # whole cells added to single ions: what unwrapping leaves open
        other = replace(hopper, scaled_positions=s + np.random.default_rng(0).integers(-3, 4, (1, hopper.n_atoms, 3)))
    elif change == "permuted":
        order = np.random.default_rng(0).permutation(hopper.n_atoms)
        other = replace(
            hopper, scaled_positions=s[:, order], species=hopper.species[order], masses=hopper.masses[order], charges=hopper.charges[order]
        )
    else:
        other = replace(hopper, cell=hopper.cell * (1 + 0.01 * np.sin(np.arange(hopper.n_frames)))[:, None, None])
    out = site_occupation(other)
    assert out.sizes["jump"] == pytest.approx(found.sizes["jump"], abs=3)
    np.testing.assert_allclose(out.empty_sites.mean("window").sel(species="A"), 2 / 108, atol=1e-4)


def test_blocks_of_memory_do_not_change_it(hopper, found):
    from mdtools import memory

    with memory.limited("2MB"):
        other = site_occupation(hopper)
    np.testing.assert_array_equal(other.jump_ion, found.jump_ion)
    np.testing.assert_allclose(other.flight_time, found.flight_time)
    np.testing.assert_allclose(other.core_fraction, found.core_fraction)


def test_sites_may_be_given_as_a_structure(hopper, found):
    fcc = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    crystal = ase.Atoms("H4He", np.array([*fcc, [0.25] * 3]) * 4.0, cell=4 * np.eye(3), pbc=True)
    named = hopper.relabel({"H": hopper.indices("A"), "He": hopper.indices("X")}).with_framework("He")
    out = site_occupation(named, sites=crystal)
    assert out.n_sites.sel(species="H").item() == 108
    assert out.sizes["jump"] == pytest.approx(found.sizes["jump"], rel=0.02)
    with pytest.raises(TrajectoryError, match="does not repeat"):
        site_occupation(named, sites=ase.Atoms("HHe", [[0, 0, 0], [1, 1, 1]], cell=[5.0, 5.0, 5.0], pbc=True))
    with pytest.raises(TrajectoryError, match="has no sites of"):
        site_occupation(hopper, sites=crystal)


def test_too_little_is_refused(hopper):
    with pytest.raises(NotEnoughData, match="ion_blocks=27"):
        site_occupation(hopper, ion_blocks=40)
    with pytest.raises(ValueError, match="core"):
        site_occupation(hopper, core=0.7)
    with pytest.raises(NotEnoughData, match="windows"):
        jump_diffusivity(site_occupation(hopper, windows=1))
