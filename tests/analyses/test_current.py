"""Charge displacement and charge current: definitions, symmetries, exact models, refusals."""

import dataclasses

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses import over_frames
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.analyses.over_frames import charge_by_species
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV


@pytest.fixture(scope="module")
def gas():
    """Eight free ions under friction, a few hundred frames."""
    return synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=301, seed=3)


@pytest.fixture(scope="module")
def plasma():
    """Sixteen free ions under friction for 400 ps: 2000 correlation times."""
    return synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=20_000, friction=5.0, frame_interval=0.02, seed=11)


def dipole(traj):
    """sum q r of each species, (species, frame, xyz), from the stored positions."""
    r = np.asarray(traj.scaled_positions, dtype=float) @ traj.cell[0]
    return np.stack([np.einsum("tax,a->tx", r[:, i], traj.charges[i]) for i in map(traj.indices, traj.species_names)])


def current(traj):
    v = np.asarray(traj.velocities, dtype=float)
    return np.stack([np.einsum("tax,a->tx", v[:, i], traj.charges[i]) for i in map(traj.indices, traj.species_names)])


def drifting(traj):
    """The same run seen by an observer who shakes."""
    shake = np.random.default_rng(0).normal(size=(traj.n_frames, 1, 3))
    return dataclasses.replace(
        traj,
        scaled_positions=np.asarray(traj.scaled_positions, dtype=float) + shake,
        velocities=np.asarray(traj.velocities, dtype=float) + 20 * shake,
    )


def test_charge_displacement_is_its_definition_in_every_window_and_pair(gas):
    out = charge_displacement_msd(gas, windows=3, reference="none")
    path = dipole(gas)
    for window in range(3):
        part = path[:, 100 * window : 100 * (window + 1)]
        for lag in (0, 1, 40, 99):
            step = part[:, lag:] - part[:, : 100 - lag]
            product = np.einsum("atx,btx->ab", step, step) / (100 - lag)
            expected = [product[0, 0], 2 * product[0, 1], product[1, 1]]
            np.testing.assert_allclose(out.charge_displacement_msd_by_pair[window, :, lag], expected, rtol=1e-9, atol=1e-9)
            along = np.mean(np.square(step.sum(axis=0)), axis=0)
            np.testing.assert_allclose(out.charge_displacement_msd_by_axis[window, :, lag], along, rtol=1e-9, atol=1e-9)
    assert out.pair.values.tolist() == ["A-A", "A-B", "B-B"]


def test_current_correlation_is_its_definition_in_every_window_and_pair(gas):
    out = charge_current_acf(gas, windows=3, reference="none")
    j = current(gas)[:, :300].reshape(2, 3, 100, 3)
    for lag in (0, 1, 40, 99):
        product = np.einsum("awtx,bwtx->wab", j[:, :, : 100 - lag], j[:, :, lag:]) / (100 - lag)
        expected = np.stack([product[:, 0, 0], product[:, 0, 1] + product[:, 1, 0], product[:, 1, 1]], axis=1)
        np.testing.assert_allclose(out.charge_current_acf_by_pair[:, :, lag], expected, rtol=1e-10, atol=1e-10)
    frames_unused = schema.history(out)[-1]["frames_unused"]
    assert frames_unused == 1


def test_periodogram_is_the_squared_transform_and_keeps_the_power(gas):
    out = charge_current_acf(gas, windows=3, reference="none")
    j = current(gas).sum(axis=0)[:300].reshape(3, 100, 3)
    expected = gas.frame_interval / 100 * np.square(np.abs(np.fft.fft(j, axis=1))).sum(axis=2)
    np.testing.assert_allclose(out.charge_current_periodogram, expected[:, :51], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(out.frequency, np.arange(51) / (100 * gas.frame_interval))
    power = out.charge_current_periodogram.integrate("frequency") * 2  # both signs of the frequency
    np.testing.assert_allclose(power, out.charge_current_acf.isel(lag=0), rtol=1e-10)


@pytest.mark.parametrize("taper", ["none", "hann"])
def test_the_co_spectrum_of_a_pair_is_its_definition_and_pairs_and_axes_add_up(gas, taper):
    out = charge_current_acf(gas, windows=3, reference="none", taper=taper)
    w = np.ones(100) if taper == "none" else np.sin(np.pi * (np.arange(100) + 0.5) / 100) ** 2
    transform = np.fft.fft(current(gas)[:, :300].reshape(2, 3, 100, 3) * w[:, None], axis=2)[:, :, :51]
    matrix = gas.frame_interval / np.sum(w**2) * np.einsum("awfx,bwfx->wabf", transform.conj(), transform)
    expected = np.stack([matrix[:, 0, 0], matrix[:, 0, 1] + matrix[:, 1, 0], matrix[:, 1, 1]], axis=1).real
    np.testing.assert_allclose(out.charge_current_periodogram_by_pair, expected, rtol=1e-10, atol=1e-10)
    for part, dim in (("by_pair", "pair"), ("by_axis", "xyz")):
        np.testing.assert_allclose(out[f"charge_current_periodogram_{part}"].sum(dim), out.charge_current_periodogram, rtol=1e-9, atol=1e-10)
    like = np.einsum("wfx->wxf", np.square(np.abs(transform.sum(axis=0)))) * gas.frame_interval / np.sum(w**2)
    np.testing.assert_allclose(out.charge_current_periodogram_by_axis, like, rtol=1e-10, atol=1e-10)


def test_the_optical_modes_leak_to_zero_frequency_without_a_taper_and_not_with_one():
    """An insulating crystal has no conductivity; its dipole is bounded, so that what is seen at f = 0 is leakage."""
    crystal = synthetic.harmonic_crystal(cells=2, n_frames=2000, frame_interval=0.02, seed=1)
    plain, tapered = (charge_current_acf(crystal, windows=4, taper=taper) for taper in ("none", "hann"))
    at_zero = [float(out.charge_current_periodogram.isel(frequency=0).mean()) for out in (plain, tapered)]
    peak = float(tapered.charge_current_periodogram.max())
    assert at_zero[1] < 1e-4 * at_zero[0] < 1e-5 * peak
    assert float(tapered.frequency_resolution / plain.frequency_resolution) == pytest.approx(1.5)
    assert float(plain.frequency_resolution) == pytest.approx(1 / (500 * 0.02))
    with pytest.raises(ValueError, match="taper='welch'"):
        charge_current_acf(crystal, taper="welch")


@pytest.mark.parametrize("measure", [charge_displacement_msd, charge_current_acf])
@pytest.mark.parametrize("reference", ["none", "barycentre", "A"])
def test_the_sum_over_pairs_is_the_total(gas, measure, reference):
    out = measure(gas, windows=2, reference=reference)
    total = out[measure.__name__]
    np.testing.assert_allclose(out[f"{measure.__name__}_by_pair"].sum("pair"), total, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("measure", [charge_displacement_msd, charge_current_acf])
def test_the_total_of_a_neutral_cell_depends_neither_on_the_reference_nor_on_the_observer(gas, measure):
    name = measure.__name__
    one = measure(gas, windows=2, reference="none")
    for other in (measure(gas, windows=2, reference="A"), measure(drifting(gas), windows=2, reference="none")):
        np.testing.assert_allclose(other[name], one[name], rtol=2e-4, atol=1e-6 * float(one[name].max()))
    parts = f"{name}_by_pair"
    moving = measure(drifting(gas), windows=2, reference="barycentre")
    np.testing.assert_allclose(moving[parts], measure(gas, windows=2)[parts], rtol=2e-4, atol=1e-6 * float(abs(one[parts]).max()))
    assert not np.allclose(one[parts], moving[parts], rtol=1e-2)


def test_partial_currents_obey_the_golden_rule_in_the_barycentre(gas):
    """Sundheim: m+ J+ / q+ + m- J- / q- = 0 in every frame, so the pairs stand in the ratio of the masses."""
    masses = np.where(gas.species == "A", 3.0, 7.0)
    out = charge_current_acf(dataclasses.replace(gas, masses=masses), windows=2, reference="barycentre")
    aa, ab, bb = (out.charge_current_acf_by_pair.isel(pair=k).values for k in range(3))
    np.testing.assert_allclose(aa, (7 / 3) ** 2 * bb, rtol=1e-8, atol=1e-8 * aa.max())
    np.testing.assert_allclose(ab, 2 * (7 / 3) * bb, rtol=1e-8, atol=1e-8 * aa.max())


def test_the_padded_last_block_of_frames_counts_nothing(gas, monkeypatch):
    whole = {q: charge_by_species(gas, q, reference="A")[0] for q in ("positions", "velocities")}
    monkeypatch.setattr("mdtools.memory.block", lambda: 7 * 6 * 3 * 8 * gas.n_atoms)
    assert over_frames.block_of_frames(gas.n_frames, gas.n_atoms) == 7
    for quantity, expected in whole.items():
        np.testing.assert_allclose(charge_by_species(gas, quantity, reference="A")[0], expected, rtol=1e-12, atol=1e-12)


def test_a_breathing_cell_of_each_frame_moves_the_dipole_when_it_is_asked_to(gas, monkeypatch):
    scale = 1 + 0.01 * np.sin(np.arange(gas.n_frames))
    breathing = dataclasses.replace(gas, cell=gas.cell * scale[:, None, None], unwrap="lattice")
    monkeypatch.setattr("mdtools.memory.block", lambda: 7 * 6 * 3 * 8 * gas.n_atoms)
    found, _ = charge_by_species(breathing, "positions", reference="none")
    np.testing.assert_allclose(found, np.moveaxis(dipole(gas), 1, 2) * scale, rtol=1e-10, atol=1e-10)


def test_charges_of_each_frame_and_tensors_enter_the_current(gas):
    random = np.random.default_rng(2)
    v = np.asarray(gas.velocities, dtype=float)
    changing = gas.charges + 0.1 * random.normal(size=(gas.n_frames, gas.n_atoms))
    changing -= changing.mean(axis=1, keepdims=True)
    out = charge_current_acf(gas.with_charges(changing), windows=1, reference="none")
    j = np.einsum("tax,ta->tx", v, changing)
    np.testing.assert_allclose(out.charge_current_acf[0, 0], np.mean(np.sum(j**2, axis=1)), rtol=1e-10)
    born = gas.charges[:, None, None] * np.eye(3) + 0.1 * random.normal(size=(gas.n_atoms, 3, 3))
    born -= born.mean(axis=0)
    out = charge_current_acf(gas.with_charges(born), windows=1, reference="none")
    j = np.einsum("iab,tib->ta", born, v)
    np.testing.assert_allclose(out.charge_current_acf[0, 0], np.mean(np.sum(j**2, axis=1)), rtol=1e-10)
    energy = BOLTZMANN / KINETIC_TO_EV * gas.temperature
    assert float(out.charge_current_sum_rule) == pytest.approx(energy * np.sum(born**2) / gas.masses[0], rel=1e-10)


def test_a_tensor_that_is_a_number_is_that_number(gas):
    born = gas.with_charges(gas.charges[:, None, None] * np.eye(3))
    for measure in (charge_displacement_msd, charge_current_acf):
        one, other = measure(gas, windows=2), measure(born, windows=2)
        # what single ions would do is not told for tensors, which mix the axes
        assert all("_self" in name or "_distinct" in name or name == "independent_charges" for name in set(one) - set(other))
        for name in other:
            np.testing.assert_allclose(other[name], one[name], rtol=1e-10, atol=1e-8)


def test_the_mean_squared_current_is_what_the_sum_rule_says(plasma):
    out = charge_current_acf(plasma, reference="none")
    # <J^2> of 3 axes, forgotten at the rate 2 g = 10 / ps, over 400 ps: relative error sqrt(2 / (3 * 400 * 5))
    ratio = float(out.charge_current_acf.isel(lag=0).mean() / out.charge_current_sum_rule)
    assert abs(ratio - 1) < 4 * np.sqrt(2 / 6000)
    exact = 3 * BOLTZMANN * 1000.0 / KINETIC_TO_EV * 16 / 20.0
    assert float(out.charge_current_sum_rule) == pytest.approx(exact, rel=1e-12)


def test_the_drift_is_taken_off_the_sum_rule_of_a_charged_system(plasma):
    charged = plasma.with_charges({"A": 1.0, "B": 1.5})
    out = charge_current_acf(charged, reference="barycentre")
    ratio = float(out.charge_current_acf.isel(lag=0).mean() / out.charge_current_sum_rule)
    assert abs(ratio - 1) < 4 * np.sqrt(2 / 6000)
    assert "charge_current_sum_rule" not in charge_current_acf(charged, reference="none")


def test_the_spectrum_at_low_frequency_is_the_nernst_einstein_conductivity_of_free_ions(plasma):
    """sigma = S(f -> 0) / (6 V k_B T) = n q^2 D / (k_B T), with D = k_B T / (m g) and S falling as 1 / (1 + (2 pi f / g)^2)."""
    out = charge_current_acf(plasma, windows=8, reference="none")
    low = out.charge_current_periodogram.sel(frequency=slice(0.0, 1.0))
    flat = low * (1 + (2 * np.pi * low.frequency / 5.0) ** 2)
    sigma = float(flat.mean()) / (6 * float(out.volume) * BOLTZMANN * 1000.0) * CONDUCTIVITY_TO_SI
    diffusivity = BOLTZMANN * 1000.0 / KINETIC_TO_EV / (20.0 * 5.0)
    exact = 16 / float(out.volume) * diffusivity / (BOLTZMANN * 1000.0) * CONDUCTIVITY_TO_SI
    freedom = 6 * flat.size - 3 * 8
    assert abs(sigma / exact - 1) < 4 * np.sqrt(2 / freedom)
    integral = out.charge_current_acf.mean("window").sel(lag=slice(0, 3.0)).integrate("lag")
    green_kubo = float(integral) / (3 * float(out.volume) * BOLTZMANN * 1000.0) * CONDUCTIVITY_TO_SI
    assert abs(green_kubo / exact - 1) < 4 * np.sqrt(4 * 3.0 / 400 / 3)


def test_the_ordinates_of_the_periodogram_scatter_as_chi_squared(plasma):
    out = charge_current_acf(plasma, windows=8, reference="none")
    low = out.charge_current_periodogram.sel(frequency=slice(0.01, 1.0))
    flat = low * (1 + (2 * np.pi * low.frequency / 5.0) ** 2)
    assert float(flat.var() / flat.mean() ** 2) == pytest.approx(2 / 6, abs=0.1)


def test_the_charge_dipole_of_free_ions_spreads_as_six_d_t():
    walk = synthetic.brownian(n_atoms=20, n_frames=20_000, diffusivity=0.5, frame_interval=0.1, seed=4)
    out = charge_displacement_msd(walk, lags=[0.1, 1.0], reference="none").charge_displacement_msd.sel(window=0.0)
    exact = 6 * 0.5 * out.lag * 20
    # relative variance of a random walk with overlapping origins: 4 m / (9 T) for lags m much longer than one
    assert abs(float(out[0] / exact[0]) - 1) < 4 * np.sqrt(2 / 3 / 20_000)
    assert abs(float(out[1] / exact[1]) - 1) < 4 * np.sqrt(4 * 10 / 9 / 20_000)


def test_ions_that_step_in_groups_carry_more_charge():
    walk = synthetic.grouped_walkers(group=4, n_atoms=16, n_frames=10_000, diffusivity=0.5, seed=4)
    out = charge_displacement_msd(walk, lags=[0.1], reference="none")
    assert float(out.charge_displacement_msd[0, 0] / (6 * 0.5 * 0.1 * 16)) == pytest.approx(4.0, rel=4 * np.sqrt(2 / 3 / 10_000))


def test_lags_are_picked_out_of_all_lags(gas):
    full = charge_displacement_msd(gas, windows=2)
    for lags in ("log", [0.1, 1.0]):
        some = charge_displacement_msd(gas, windows=2, lags=lags)
        np.testing.assert_array_equal(some.charge_displacement_msd, full.charge_displacement_msd.sel(lag=some.lag, method="nearest"))
    with pytest.raises(ValueError, match="lags must lie between 0 and"):
        charge_displacement_msd(gas, windows=2, lags=[5.0])


def test_a_mobile_species_alone_is_measured_in_a_named_frame(gas):
    mobile = gas.select(["A"])
    for measure in (charge_displacement_msd, charge_current_acf):
        with pytest.raises(TrajectoryError, match=r"sum to \+4 e.*reference=\"none\""):
            measure(mobile, windows=2)
        out = measure(mobile, windows=2, reference="none")
        both = measure(gas, windows=2, reference="none")
        assert out.pair.values.tolist() == ["A-A"]
        np.testing.assert_allclose(out[measure.__name__], both[f"{measure.__name__}_by_pair"].sel(pair="A-A"), rtol=1e-9, atol=1e-9)
        assert schema.history(out)[-1]["net_charge"] == 4.0


def test_reduced_units_stay_reduced(gas):
    reduced = dataclasses.replace(gas, reduced=True, temperature=2.0)
    out = charge_current_acf(reduced)
    assert float(out.charge_current_sum_rule) == pytest.approx(3 * 2.0 * 8 / 20.0)
    assert out.charge_current_acf.attrs["units"] == "1"


def test_what_is_missing_is_named_with_its_cure(gas):
    bare = dataclasses.replace(gas, charges=None)
    for measure in (charge_displacement_msd, charge_current_acf):
        with pytest.raises(TrajectoryError, match=f"{measure.__name__} needs charges.*--charges A=...,B=..."):
            measure(bare)
        with pytest.raises(NotEnoughData, match="windows=400"):
            measure(gas, windows=400)
        with pytest.raises(TrajectoryError, match="evenly spaced"):
            measure(dataclasses.replace(gas, time=gas.time**1.5), windows=2)
    with pytest.raises(TrajectoryError, match=r"charge_current_acf needs velocities.*vx vy vz"):
        charge_current_acf(dataclasses.replace(gas, velocities=None), velocities="file")
    with pytest.raises(TrajectoryError, match=r"charge_current_acf needs positions"):
        charge_current_acf(dataclasses.replace(gas, scaled_positions=None), velocities="positions")
    with pytest.raises(ValueError, match='write "file" or "positions"'):
        charge_current_acf(gas, velocities="dipole")
    with pytest.raises(TrajectoryError, match=r"charges of .* change with time.*use charge_current_acf"):
        charge_displacement_msd(gas.with_charges(np.tile(gas.charges, (gas.n_frames, 1))))
    with pytest.raises(TrajectoryError, match="acoustic sum rule"):
        charge_current_acf(gas.with_charges(np.tile(np.eye(3), (gas.n_atoms, 1, 1))))


def test_a_run_without_temperature_has_no_sum_rule_and_says_nothing_of_it(gas):
    assert "charge_current_sum_rule" not in charge_current_acf(dataclasses.replace(gas, temperature=None))


@pytest.mark.parametrize("n_atoms", [4, 40])
def test_a_tapered_current_of_few_ions_is_that_of_its_definition(n_atoms):
    """So few that there is one piece, whose sums are given back as they are."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=n_atoms, n_frames=40, frame_interval=0.05, seed=1)
    found = charge_current_acf(gas, taper="hann", windows=1, reference="none")
    weight = np.sin(np.pi * (np.arange(40) + 0.5) / 40) ** 2
    spectra = np.abs(np.fft.rfft(weight[:, None, None] * np.asarray(gas.velocities, float), axis=0)) ** 2 / np.sum(weight**2)
    for name in gas.species_names:
        ions = gas.indices(name)
        wanted = 0.05 * np.einsum("fix,i->f", spectra[:, ions], np.asarray(gas.charges)[ions] ** 2)
        np.testing.assert_allclose(found.charge_current_periodogram_self.sel(window=found.window[0], species=name), wanted, rtol=1e-9)
