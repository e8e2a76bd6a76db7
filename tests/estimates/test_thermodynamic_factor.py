"""Thermodynamic factors that are known: an ideal gas, a lattice gas, hard rods."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.number_fluctuations import number_fluctuations
from mdtools.analyses.structure_factor import structure_factor
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.thermodynamic_factor import thermodynamic_factor
from mdtools.statistics.fluctuations import zero_limit
from mdtools.trajectory import Trajectory

LENGTH = 10.0


def run(scaled, cell=LENGTH):
    """A run of one species from scaled positions (frame, ion, axis)."""
    frames, ions, _ = scaled.shape
    return Trajectory(
        scaled_positions=scaled,
        cell=np.broadcast_to(np.eye(3) * cell, (frames, 3, 3)).copy(),
        time=np.arange(frames) * 1.0,
        species=np.full(ions, "A"),
        source="drawn",
    )


def lattice_gas(*, cells, occupancy, frames, seed):
    """Every frame a new choice of occupied sites of a simple cubic lattice, a fixed number of them."""
    random = np.random.default_rng(seed)
    sites = (np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) + 0.5) / cells
    ions = round(occupancy * len(sites))
    return run(np.array([sites[random.permutation(len(sites))[:ions]] for _ in range(frames)]))


def hard_rods(*, ions, packing, frames, seed):
    """Rods on a ring: gaps are those of uniform points on what the rods leave free."""
    random = np.random.default_rng(seed)
    free = np.sort(random.uniform(0, 1 - packing, (frames, ions)), axis=1) + packing / ions * np.arange(ions)
    scaled = random.uniform(0, 1, (frames, ions, 3))
    scaled[..., 0] = free + random.uniform(0, 1, (frames, 1))
    return run(scaled)


def inside(found, truth, name="thermodynamic_factor"):
    one = found.sel(species="A")
    return one[f"{name}_lower"] < truth < one[f"{name}_upper"] and one[f"{name}_stderr"] < 0.15 * truth


def test_an_ideal_gas_has_one_by_both_routes(tmp_path, reloaded, same):
    gas = run(np.random.default_rng(1).uniform(0, 1, (2000, 200, 3)))
    factor, numbers = structure_factor(gas, q_max=1.5, shells=0, reference="none"), number_fluctuations(gas)
    found = thermodynamic_factor(factor, numbers, q_max=1.5)
    assert inside(found, 1.0)
    assert inside(found, 1.0, "thermodynamic_factor_sub_volume")
    same(found, thermodynamic_factor(reloaded(factor, tmp_path), reloaded(numbers, tmp_path), q_max=1.5))


@pytest.mark.parametrize("occupancy", [0.3, 0.7])
def test_a_lattice_gas_has_one_over_its_vacancies(occupancy):
    """science.md A1 row 20: Theta = 1 / (1 - c), by sub-volumes that hold whole sites and by small q."""
    gas = lattice_gas(cells=12, occupancy=occupancy, frames=800, seed=2)
    found = thermodynamic_factor(
        structure_factor(gas, q_max=1.5, shells=0, reference="none"), number_fluctuations(gas, divisions=[2, 3, 4, 6]), q_max=1.5
    )
    assert inside(found, 1 / (1 - occupancy))
    assert inside(found, 1 / (1 - occupancy), "thermodynamic_factor_sub_volume")


def test_hard_rods_have_the_compressibility_of_tonks():
    """Theta = 1 / (1 - packing)^2, and S(q) that rises with q: 8 of 32 rods that fill half of the line."""
    rods = hard_rods(ions=200, packing=0.5, frames=3000, seed=3)
    factor = structure_factor(rods, hkl=[f"{k} 0 0" for k in range(1, 25)], reference="none")
    assert inside(thermodynamic_factor(factor, q_max=20.0), 4.0)


def test_the_numbers_in_parts_of_the_cell_are_those_of_a_naive_count():
    traj = synthetic.brownian(n_atoms=20, n_frames=12)
    found = number_fluctuations(traj, divisions=[2, 3], windows=1)
    place = np.asarray(traj.scaled_positions, dtype=np.float64) % 1
    for k in (2, 3):
        sums = {"A-A": 0.0, "A-B": 0.0, "B-B": 0.0}
        for frame in place:
            counts = {s: np.histogramdd(frame[traj.species == s], bins=[np.linspace(0, 1, k + 1)] * 3)[0] - 10 / k**3 for s in "AB"}
            for pair in sums:
                sums[pair] += np.mean(counts[pair[0]] * counts[pair[2]]) / len(place)
        for pair, value in sums.items():
            assert found.number_covariance.sel(pair=pair, division=k).item() == pytest.approx(value)


def test_the_interval_of_a_limit_holds_it_as_often_as_it_says():
    """1000 runs of 6 windows, values that scatter by 10 % about 2 + x."""
    random, x = np.random.default_rng(4), np.arange(1.0, 9.0) / 4
    count = np.array([3.0, 6, 4, 3, 12, 12, 6, 4])
    hits = 0
    for _ in range(1000):
        values = (2 + x) * (1 + 0.2 / np.sqrt(count) * random.standard_normal((6, len(x))))
        value, stderr, quantile = zero_limit(x, values, count)
        hits += abs(value - 2) < quantile * stderr
    assert 0.92 < hits / 1000 < 0.985


def test_too_little_is_refused():
    gas = run(np.random.default_rng(1).uniform(0, 1, (40, 20, 3)))
    with pytest.raises(NotEnoughData, match="at least 4; this measurement has 2: pass windows="):
        thermodynamic_factor(structure_factor(gas, q_max=1.5, windows=2, reference="none"))
    with pytest.raises(NotEnoughData, match=r"different lengths of q up to 0\.4"):
        thermodynamic_factor(structure_factor(gas, q_max=1.5, shells=0, reference="none"), q_max=0.4)
    with pytest.raises(TrajectoryError, match="whole numbers from 2"):
        number_fluctuations(gas, divisions=[1])
