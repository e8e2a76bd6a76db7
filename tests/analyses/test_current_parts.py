"""Charge current and dipole taken apart: self and distinct, tensor, blocks of time, and the current of runs without velocities."""

import dataclasses

import numpy as np
import pytest

import mdtools as md
from mdtools import schema, synthetic
from mdtools.analyses.blocks import time_blocks
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.errors import NotEnoughData, TrajectoryError

MEASURES = (charge_displacement_msd, charge_current_acf)


@pytest.fixture(scope="module")
def gas():
    """Nine free ions of three species under friction, with a charge of its own for each."""
    run = synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=301, seed=3)
    run = run.relabel({"C": [2, 3]})
    charges = np.array([1.0, 1.2, 2.0, 1.7, -1.5, -1.4, -1.6, -1.4])
    return run.with_charges(charges - charges.mean())


def paths(traj, quantity="positions"):
    return np.asarray(traj.scaled_positions, dtype=float) @ traj.cell[0] if quantity == "positions" else np.asarray(traj.velocities, dtype=float)


def members(traj):
    return [traj.indices(name) for name in traj.species_names]


@pytest.mark.parametrize("measure", MEASURES)
def test_self_and_distinct_parts_add_up_to_the_total_and_to_every_pair(gas, measure):
    out = measure(gas, windows=3, reference="none")
    name = measure.__name__
    total = out[f"{name}_self"].sum("species") + out[f"{name}_distinct"].sum("pair")
    scale = float(out[name].max())
    np.testing.assert_allclose(total, out[name], rtol=1e-9, atol=1e-12 * scale)
    for one in gas.species_names:
        like = out[f"{name}_self"].sel(species=one) + out[f"{name}_distinct"].sel(pair=f"{one}-{one}")
        np.testing.assert_allclose(like, out[f"{name}_by_pair"].sel(pair=f"{one}-{one}"), rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_array_equal(out[f"{name}_distinct"].sel(pair="A-B"), out[f"{name}_by_pair"].sel(pair="A-B"))


def test_the_self_parts_are_their_definitions(gas):
    out = charge_displacement_msd(gas, windows=3, reference="none")
    acf = charge_current_acf(gas, windows=3, reference="none", taper="hann")
    r, v, q = paths(gas), paths(gas, "velocities"), gas.charges
    w = np.sin(np.pi * (np.arange(100) + 0.5) / 100) ** 2
    for number, atoms in enumerate(members(gas)):
        for window in range(3):
            x, u = (part[100 * window : 100 * (window + 1), atoms] for part in (r, v))
            power = np.square(np.abs(np.fft.rfft(u * w[:, None, None], axis=0))).sum(axis=2) @ q[atoms] ** 2 * gas.frame_interval / np.sum(w**2)
            np.testing.assert_allclose(acf.charge_current_periodogram_self[window, number], power, rtol=1e-9, atol=1e-10)
            for lag in (0, 1, 40, 99):
                moved = np.square(x[lag:] - x[: 100 - lag]).sum(axis=2).mean(axis=0)
                np.testing.assert_allclose(out.charge_displacement_msd_self[window, number, lag], moved @ q[atoms] ** 2, rtol=1e-9, atol=1e-10)
                kept = np.sum(u[lag:] * u[: 100 - lag], axis=2).mean(axis=0)
                np.testing.assert_allclose(acf.charge_current_acf_self[window, number, lag], kept @ q[atoms] ** 2, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_tensor_holds_the_axes_and_its_trace_is_the_total(gas, measure):
    name = measure.__name__
    out, plain = measure(gas, windows=3, tensor=True), measure(gas, windows=3)
    for label in (name, f"{name}_self"):
        tensor = out[f"{label}_tensor"]
        np.testing.assert_allclose(tensor, tensor.transpose("window", "xyz2", "xyz", "lag"), rtol=1e-12)
        trace = sum(tensor.sel(xyz=k, xyz2=k) for k in "xyz")
        expected = out[label] if label == name else out[label].sum("species")
        np.testing.assert_allclose(trace, expected, rtol=1e-9, atol=1e-11 * float(expected.max()))
    for label in plain:
        np.testing.assert_allclose(out[label], plain[label], rtol=1e-12)


def test_the_elements_of_the_tensors_are_their_definitions(gas):
    dipole = np.einsum("tix,i->tx", paths(gas), gas.charges)[:300].reshape(3, 100, 3)
    j = np.einsum("tix,i->tx", paths(gas, "velocities"), gas.charges)[:300].reshape(3, 100, 3)
    out = charge_displacement_msd(gas, windows=3, reference="none", tensor=True).charge_displacement_msd_tensor
    acf = charge_current_acf(gas, windows=3, reference="none", tensor=True)
    for lag in (1, 40):
        step = dipole[:, lag:] - dipole[:, :-lag]
        np.testing.assert_allclose(out[..., lag], np.einsum("wta,wtb->wab", step, step) / (100 - lag), rtol=1e-9, atol=1e-9)
        kept = np.einsum("wta,wtb->wab", j[:, :-lag], j[:, lag:]) / (100 - lag)
        np.testing.assert_allclose(acf.charge_current_acf_tensor[..., lag], (kept + kept.swapaxes(1, 2)) / 2, rtol=1e-9, atol=1e-9)
    z = np.fft.rfft(j, axis=1)
    matrix = np.einsum("wfa,wfb->wabf", z.conj(), z).real * gas.frame_interval / 100
    np.testing.assert_allclose(acf.charge_current_periodogram_tensor, matrix, rtol=1e-9, atol=1e-9)


def test_the_blocks_of_time_hold_the_steps_of_the_dipole(gas):
    out = charge_displacement_msd(gas, windows=3, reference="none", tensor=True)
    parts = [np.einsum("tix,i->tx", paths(gas)[:, atoms], gas.charges[atoms]) for atoms in members(gas)]
    blocks = time_blocks(gas.n_frames)
    number = 3
    first, last = ((one[np.repeat(np.arange(len(blocks.lengths)), blocks.counts) == number]) for one in (blocks.first, blocks.last))
    steps = np.array([part[last] - part[first] for part in parts])  # (species, block, xyz)
    found = out.isel(block_lag=number, block=slice(0, len(first)))
    np.testing.assert_allclose(found.charge_displacement_block_by_pair.sel(pair="A-C"), 2 * (steps[0] * steps[1]).T, rtol=1e-9, atol=1e-10)
    whole = steps.sum(axis=0)
    np.testing.assert_allclose(found.charge_displacement_block_by_pair.sum("pair"), np.square(whole).T, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.charge_displacement_block_tensor, np.einsum("ka,kb->abk", whole, whole), rtol=1e-9, atol=1e-10)
    alone = np.einsum("kix,i->xk", np.square(paths(gas)[last] - paths(gas)[first]), gas.charges**2)
    np.testing.assert_allclose(found.charge_displacement_block_self, alone, rtol=1e-6)


def test_without_velocities_the_current_is_the_mean_over_the_frame_interval(gas):
    bare = dataclasses.replace(gas, velocities=None)
    out = charge_current_acf(bare, windows=3, reference="none")
    dt = gas.frame_interval
    step = np.diff(paths(gas), axis=0) / dt
    j = np.einsum("tix,i->tx", step, gas.charges)[:300].reshape(3, 100, 3)
    for lag in (0, 7):
        expected = np.mean(np.sum(j[:, : 100 - lag] * j[:, lag:], axis=2), axis=1)
        np.testing.assert_allclose(out.charge_current_acf[:, lag], expected, rtol=1e-9)
    spectrum = dt / 100 * np.square(np.abs(np.fft.rfft(j, axis=1))).sum(axis=2)
    np.testing.assert_allclose(out.charge_current_periodogram, spectrum, rtol=1e-8, atol=1e-9)
    alone = np.einsum("tix,i->", np.square(step[:300]), gas.charges**2) / 300
    np.testing.assert_allclose(out.charge_current_acf_self.isel(lag=0).sum("species").mean("window"), alone, rtol=1e-6)
    total = out.charge_current_acf_self.sum("species") + out.charge_current_acf_distinct.sum("pair")
    np.testing.assert_allclose(total, out.charge_current_acf, rtol=1e-8, atol=1e-9)
    step = schema.history(out)[-1]
    assert step["velocities_taken"] == "steps of the dipole between frames"
    assert step["transfer"] == "|sin(pi f dt) / (pi f dt)|"
    assert "charge_current_sum_rule" not in out
    assert "charge_current_sum_rule" in charge_current_acf(gas)


@pytest.mark.parametrize("stride", [3, 20, 60])
def test_the_zero_frequency_of_steps_of_positions_is_exact_at_any_frame_interval(gas, stride):
    """It is |P(end) - P(start)|^2 over the length of the window, whatever happened in between."""
    bare = dataclasses.replace(gas, velocities=None)
    sparse = dataclasses.replace(bare, scaled_positions=gas.scaled_positions[::stride], time=gas.time[::stride], cell=gas.cell[::stride])
    fine, coarse = (charge_current_acf(run, windows=1, reference="none").charge_current_periodogram for run in (bare, sparse))
    assert float(coarse[0, 0]) == pytest.approx(float(fine[0, 0]), rel=1e-9)


def test_there_is_one_route_from_positions_however_they_were_read(gas):
    """read(velocities="positions") makes central differences for phonons; the current takes the steps themselves."""
    import ase

    images = [ase.Atoms("Li4F4", positions=paths(gas)[k], cell=gas.cell[k], pbc=True) for k in range(200)]
    options = {"frame_interval": gas.frame_interval, "charges": {"Li": 1, "F": -1}, "temperature": 1000.0}
    made = md.read(images, velocities="positions", **options)
    inner = md.read(images[1:-1], **options)
    one, other = (charge_current_acf(run, reference="none") for run in (made, inner))
    np.testing.assert_allclose(one.charge_current_periodogram, other.charge_current_periodogram, rtol=1e-4, atol=1e-6)
    with pytest.raises(TrajectoryError, match="were made of its positions"):
        charge_current_acf(made, velocities="file")


def test_charges_of_every_frame_act_by_their_mean_over_a_step(gas):
    q = gas.charges + 0.3 * np.random.default_rng(1).normal(size=(gas.n_frames, gas.n_atoms))
    q -= q.mean(axis=1, keepdims=True)
    out = charge_current_acf(dataclasses.replace(gas, charges=q), windows=1, velocities="positions", reference="none")
    step = np.diff(paths(gas), axis=0) / gas.frame_interval
    j = np.einsum("tix,ti->tx", step, (q[1:] + q[:-1]) / 2)
    assert float(out.charge_current_acf[0, 0]) == pytest.approx(np.mean(np.sum(j**2, axis=1)), rel=1e-9)
    assert "charge_current_acf_self" not in out


def test_a_step_in_every_window_takes_a_frame_more(gas):
    bare = dataclasses.replace(gas, velocities=None)
    short = dataclasses.replace(bare, scaled_positions=gas.scaled_positions[:4], time=gas.time[:4], cell=gas.cell[:4])
    with pytest.raises(NotEnoughData, match="fewer windows"):
        charge_current_acf(short, windows=2)
    assert charge_current_acf(short, windows=1).charge_current_acf.shape == (1, 3)


def test_the_tail_of_a_coarse_run_has_the_transfer_function_it_states():
    """Langevin ions: S of block averages is the folded sum of S(f) [sin(pi f dt) / (pi f dt)]^2; with 8 frames a memory one term does."""
    plasma = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=20_000, friction=5.0, frame_interval=0.02, seed=11)
    file, steps = (charge_current_acf(plasma, windows=20, velocities=v, reference="none").charge_current_periodogram for v in ("file", "positions"))
    f = steps.frequency.values
    band = (f > 2) & (f < 10)
    transfer = np.sinc(f * 0.02) ** 2
    ratio = steps.values[:, band].mean() / (file.values[:, : len(f)] * transfer)[:, band].mean()
    assert ratio == pytest.approx(1.0, abs=0.05)
