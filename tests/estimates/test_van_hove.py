"""Length of a hop and filling of holes: known answers, coverage of the errors, and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.van_hove import van_hove_distinct, van_hove_self
from mdtools.errors import NotEnoughData
from mdtools.estimates.van_hove import hole_filling, hop_distance


def hopper(from_paths, *, length=3.0, rate=0.02, rattle=0.25, n_frames=160, n_atoms=30, seed=0):
    """Ions that hop along x, y or z by `length`, at random and independently, and rattle about their sites."""
    random = np.random.default_rng(seed)
    hops = (random.random((n_frames, n_atoms)) < rate)[..., None] * random.choice([-1.0, 1.0], (n_frames, n_atoms, 1))
    path = np.cumsum(hops * np.eye(3)[random.integers(0, 3, (n_frames, n_atoms))], axis=0) * length
    return from_paths(path + random.normal(0, rattle, path.shape) + 50.0, length * n_atoms ** (1 / 3) * np.eye(3), dtype=np.float64)


def test_the_second_peak_is_the_hop_and_the_fraction_beyond_the_minimum_is_that_of_ions_that_have_hopped(from_paths):
    found = hop_distance(van_hove_self(hopper(from_paths, n_frames=1200, n_atoms=60), reference="none")).isel(species=0)
    assert found.regime == "resolved"
    # (l + 2 s^2 / l): peak of r^2 times a Gaussian shell of width s = sqrt(2) rattle in three dimensions, smoothed by 0.2
    assert abs(found.hop_distance - (3.0 + 2 * 0.25**2 / 3.0)) < 0.06
    expected = 1 - np.exp(-0.02 * found.hop_lag.item() / 0.1)  # those that have hopped at least once; some are back
    assert abs(found.hopped_fraction - expected) < 0.05
    assert 1.2 < found.hop_minimum < 2.4


def test_hops_in_lj_units_are_those_of_the_same_ions_in_angstrom(from_paths):
    run = hopper(from_paths, n_frames=600)  # (V/N)^(1/3) is 3
    real, reduced = replace(run, cell=run.cell * 2.5 / 3), replace(run, cell=run.cell / 3, reduced=True)
    first, second = (hop_distance(van_hove_self(one, reference="none")).isel(species=0) for one in (real, reduced))
    assert first.regime == second.regime == "resolved"
    np.testing.assert_allclose(first.hop_distance, 2.5 * second.hop_distance, rtol=1e-9)
    np.testing.assert_allclose(first.hopped_fraction, second.hopped_fraction, rtol=1e-9)


@pytest.mark.parametrize("rattle", [0.0, 0.02, 0.05])
def test_ions_that_hardly_rattle_have_a_first_peak_too(rattle):
    """Else the first shell would pass for ions that have stayed, and the second, at sqrt(2) l, for the hop."""
    run = synthetic.vacancy_hopper(lattice="sc", cells=4, n_frames=400, jumps_per_frame=1, lattice_parameter=3.0, rattle=rattle, seed=1)
    found = hop_distance(van_hove_self(run, lags=[0.5, 2.0, 5.0, 9.0], reference="none")).isel(species=0)
    assert found.regime == "resolved"
    assert abs(found.hop_distance - 3.0) < 0.05


def test_the_error_of_the_hop_covers(from_paths):
    found = [
        hop_distance(van_hove_self(hopper(from_paths, seed=seed), lags=[1.0], bins=120, r_max=9.0, reference="none")).isel(species=0)
        for seed in range(1, 61)
    ]
    values, errors = (np.array([float(one[name]) for one in found]) for name in ("hop_distance", "hop_distance_stderr"))
    seen = np.isfinite(values)
    assert seen.mean() > 0.8
    middle = values[seen].mean()
    # the error is the scatter, to what 55 runs tell; the interval of 4 windows has half-width 3.18 errors (160 runs: 94 % inside)
    assert 0.65 < np.median(errors[seen]) / values[seen].std() < 1.4
    assert np.mean(abs(values[seen] - middle) < 3.18 * errors[seen]) > 0.86


def test_the_error_covers_where_the_lag_is_chosen_from_many():
    """The lag of the least error would have 0.62 of the scatter for its error, and 87 % in place of 94 % inside."""
    found = []
    for seed in range(60):
        run = synthetic.vacancy_hopper(lattice="sc", cells=3, n_frames=200, jumps_per_frame=1, lattice_parameter=3.0, rattle=0.25, seed=seed)
        lags = [0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]
        found.append(hop_distance(van_hove_self(run, lags=lags, r_max=8.0, bins=120, reference="none")).isel(species=0))
    values, errors = (np.array([float(one[name]) for one in found]) for name in ("hop_distance", "hop_distance_stderr"))
    assert np.isfinite(values).all()
    assert 0.7 < np.median(errors) / values.std(ddof=1) < 1.3
    assert np.mean(abs(values - values.mean()) < 3.18 * errors) > 0.88


@pytest.mark.parametrize("case", ["brownian", "caged", "too loose"])
def test_where_no_hop_is_resolved_there_is_no_value_and_it_is_said(from_paths, case):
    traj = {
        "brownian": lambda: synthetic.brownian(n_atoms=40, n_frames=400),
        "caged": lambda: hopper(from_paths, rate=0.0),
        "too loose": lambda: hopper(from_paths, rattle=0.8, n_frames=1200, n_atoms=60),
    }[case]()
    found = hop_distance(van_hove_self(traj, reference="none"))
    assert np.all(found.regime == "not resolved")
    for name in ("hop_distance", "hop_distance_stderr", "hopped_fraction", "hop_lag"):
        assert np.all(np.isnan(found[name])), name


def test_holes_of_an_ideal_gas_are_filled_as_any_other_place_and_the_error_covers():
    """(N_t - delta_st) / N_t exactly, at every time."""
    inside = {"A-A": 0, "A-B": 0}
    for seed in range(80):
        gas = synthetic.brownian(n_atoms=24, n_frames=120, diffusivity=10.0, length=6.0, seed=seed)
        found = hole_filling(van_hove_distinct(gas, lags=[1.0], bins=3, reference="none"), radius=2.0)
        for pair, exact in (("A-A", 11 / 12), ("A-B", 1.0)):
            one = found.sel(pair=pair).isel(lag=0)
            inside[pair] += int(one.hole_filling_lower <= exact <= one.hole_filling_upper)
    # 95 % of 80, binomial scatter 2.4 %
    assert all(0.875 < count / 80 < 1.0 for count in inside.values()), inside


def test_a_hole_that_is_taken_holds_one_ion(from_paths):
    sites = np.stack(np.meshgrid(*[np.arange(4) * 3.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shifted = np.stack([np.roll(sites, k, axis=0) for k in range(40)])  # each ion in the place of the next, frame by frame
    path = shifted + np.random.default_rng(0).normal(0, 0.1, shifted.shape)
    found = hole_filling(van_hove_distinct(from_paths(path, 12 * np.eye(3)), lags=[0.0, 0.1, 0.5], reference="none")).isel(pair=0)
    assert abs(found.hole_radius - 1.5) < 0.1
    np.testing.assert_allclose(found.hole_occupation, [0, 1, 1], atol=1e-12)
    np.testing.assert_allclose(found.hole_filling[1:], 1 / (64 / 12**3 * 4 / 3 * np.pi * found.hole_radius**3), rtol=1e-6)


def test_what_cannot_be_estimated_is_refused_with_what_to_do():
    gas = synthetic.brownian(n_atoms=20, n_frames=60, length=6.0)
    with pytest.raises(NotEnoughData, match="windows=4"):
        hop_distance(van_hove_self(gas, windows=2, reference="none"))
    with pytest.raises(NotEnoughData, match="windows=4"):
        hole_filling(van_hove_distinct(gas, windows=1, lags=[0.0]))
    later = van_hove_distinct(gas, lags=[1.0], bins=10, reference="none")
    with pytest.raises(NotEnoughData, match="--radius"):
        hole_filling(later)
    with pytest.raises(NotEnoughData, match="as in a gas"):
        hole_filling(van_hove_distinct(synthetic.brownian(n_atoms=100, n_frames=200, length=6.0), lags=[0.0], bins=10, reference="none"))
    with pytest.raises(ValueError, match="radius"):
        hole_filling(later, radius=50.0)
