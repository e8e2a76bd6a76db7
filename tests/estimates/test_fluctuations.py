"""Heat capacity, expansion and bulk modulus from fluctuations: exact Gaussian ensembles, a real run, and runs that have no such ensemble."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mdtools import read, schema, synthetic
from mdtools.analyses.run_state import run_state
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.fluctuations import heat_capacity
from mdtools.thermo import Thermo
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

DATA = Path(__file__).parents[2] / "data"
N, T, V = 324, 1200.0, 4700.0
CAPACITY, EXPANSION, BULK = 3.6, 28e-6, 80.0  # k_B per ion, 1/K, GPa


def run(seed, *, held=False, kinetic=1.0, rows=4096, windows=16):
    """What run_state keeps of H and V that fluctuate as they must, remembered over ten rows."""
    random = np.random.default_rng(seed)
    hh = CAPACITY * N * (BOLTZMANN * T) ** 2
    vv = BOLTZMANN * T * V / (BULK / EV_PER_ANGSTROM3_TO_GPA)
    hv = 3 * EXPANSION * BOLTZMANN * T**2 * V
    root = np.linalg.cholesky([[hh, hv], [hv, vv]]) * (np.array([[1.0], [0.0]]) if held else 1.0)
    noise = random.normal(size=(rows, 2))
    for k in range(1, rows):
        noise[k] = 0.9 * noise[k - 1] + np.sqrt(1 - 0.81) * noise[k]
    h, v = ((noise @ root.T) - (noise @ root.T).mean(axis=0)).T

    def by_window(x):
        return "window", x.reshape(windows, -1).mean(axis=1)

    return schema.dataset(
        {
            "window": np.arange(windows), "stated_temperature": T, "volume": V, "n_atoms": N,
            "enthalpy_by_window": by_window(h), "enthalpy_variance": by_window(h**2), "logged_volume_by_window": by_window(v),
            "volume_variance": by_window(v**2), "enthalpy_volume_covariance": by_window(h * v),
            "kinetic_fluctuation": ("window", kinetic * random.chisquare(100, windows) / 100),
        }
    )  # fmt: skip


def test_an_exact_ensemble_gives_its_numbers_and_its_intervals_cover_them():
    found = [heat_capacity(run(seed)) for seed in range(80)]
    for name, exact in (("heat_capacity", CAPACITY), ("thermal_expansion", EXPANSION), ("bulk_modulus", BULK)):
        value = np.array([one[name].item() for one in found])
        error = np.array([one[f"{name}_stderr"].item() for one in found])
        assert value.mean() == pytest.approx(exact, rel=0.04)
        assert np.mean(np.abs(value - exact) < 2 * error) > 0.88
        assert 0.75 < value.std() / error.mean() < 1.25


@pytest.mark.parametrize("stated", [2.0, None])
def test_moments_of_a_log_are_those_of_e_plus_p_v_with_one_pressure(stated):
    """P as stated, else the mean: not that of the moment."""
    random = np.random.default_rng(1)
    gas = synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=64)
    n = gas.n_frames
    values = {"total_energy": random.normal(-50, 3, n), "volume": random.normal(900, 40, n), "pressure": random.normal(3.0, 5.0, n),
              "temperature": random.normal(300, 30, n)}  # fmt: skip
    state = run_state(replace(gas, pressure=stated, log=Thermo(time=gas.time, values=values)), windows=4)
    one = values["pressure"].mean() if stated is None else stated
    h = values["total_energy"] + one / 160.21766 * values["volume"]
    assert state.enthalpy_variance.mean().item() == pytest.approx(h.var(), rel=1e-5)
    assert state.volume_variance.mean().item() == pytest.approx(values["volume"].var(), rel=1e-9)
    assert state.enthalpy_volume_covariance.mean().item() == pytest.approx(np.cov(h, values["volume"], bias=True)[0, 1], rel=1e-5)
    kelvin = values["temperature"]
    assert state.kinetic_fluctuation.mean().item() == pytest.approx(kelvin.var() / (2 * kelvin.mean() ** 2 / (3 * 8 - 3)), rel=1e-9)


def test_a_held_cell_gives_the_capacity_at_constant_volume_alone():
    found = heat_capacity(run(0, held=True))
    assert abs(found.heat_capacity - CAPACITY) < 4 * found.heat_capacity_stderr
    assert np.isnan(found.bulk_modulus)
    assert schema.history(found)[-1]["ensemble"] == "constant volume"


def test_a_large_hard_cold_cell_that_breathes_is_not_taken_for_held():
    """k_B T / B V of 10^6 hard ions at 10 K is 1e-10."""
    found = run(0)
    scale = (1e-10 * V**2 / found.volume_variance.mean().item()) ** 0.5
    for name, power in (("logged_volume_by_window", 1), ("volume_variance", 2), ("enthalpy_volume_covariance", 1)):
        found[name] = found[name] * scale**power
    cold = heat_capacity(found)
    assert schema.history(cold)[-1]["ensemble"] == "constant pressure"
    assert cold.bulk_modulus == pytest.approx(heat_capacity(run(0)).bulk_modulus.item() / scale**2, rel=1e-6)


def test_a_run_that_is_not_canonical_is_refused():
    for kinetic, shown in ((0.5, r"0\.[45]"), (0.1, r"0\.(1|09)"), (2.0, r"(2|1\.9)")):
        with pytest.raises(TrajectoryError, match=f"canonical thermostat, .* fluctuates {shown}"):
            heat_capacity(run(0, kinetic=kinetic))


def test_what_is_missing_is_told():
    with pytest.raises(TrajectoryError, match="--log"):
        heat_capacity(run_state(synthetic.brownian(n_atoms=8, n_frames=64)))
    with pytest.raises(NotEnoughData, match="4 windows"):
        heat_capacity(run(0).isel(window=slice(3)))


def test_crystalline_caf2_has_three_k_an_ion_and_a_canonical_kinetic_energy():
    state = run_state(read(DATA / "caf2_1000K.lammpstrj.zst", framework="Ca", temperature=1000, log=DATA / "caf2_1000K.log.gz"))
    assert state.kinetic_fluctuation.mean() == pytest.approx(1.0, abs=0.35)
    found = heat_capacity(state)
    assert abs(found.heat_capacity - 3.1) < 3 * found.heat_capacity_stderr + 0.2  # classical: 3 and little more at constant volume
