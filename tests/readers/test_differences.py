"""Velocities from positions: against those that were known, through the transfer function, and refused where frames are too far apart."""

from dataclasses import replace

import numpy as np
import pytest

import mdtools as md
from mdtools import synthetic
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.readers import read, write_store
from mdtools.readers.differences import CentralDifference, sampled, velocities_from_positions


@pytest.fixture(scope="module")
def crystal():
    return synthetic.harmonic_crystal(cells=2, n_frames=4096, spring=5.0, frame_interval=0.01, seed=3)


@pytest.fixture(scope="module")
def without(crystal):
    return replace(crystal, velocities=None)


def test_they_are_differences_over_two_intervals(without):
    made = velocities_from_positions(without)
    path = np.asarray(without.scaled_positions, dtype=np.float64) @ without.mean_cell
    naive = np.array([(path[k + 1] - path[k - 1]) / (2 * 0.01) for k in range(1, len(path) - 1)])
    np.testing.assert_allclose(np.asarray(made.velocities[:]), naive, atol=2e-3)
    assert made.n_frames == without.n_frames - 2
    np.testing.assert_array_equal(made.time, without.time[1:-1])
    np.testing.assert_array_equal(made.scaled_positions, without.scaled_positions[1:-1])
    assert "first and the last frame are left out" in made.notes[-1]


def test_they_are_the_true_ones_to_second_order(crystal, without):
    made = np.asarray(velocities_from_positions(without).velocities[:], dtype=np.float64)
    true = np.asarray(crystal.velocities[1:-1], dtype=np.float64)
    highest = synthetic.harmonic_frequencies(cells=2, spring=5.0, masses=(40.0, 20.0))[0].max()
    worst = 1 - np.sinc(2 * highest * 0.01)
    assert np.sqrt(np.mean((made - true) ** 2) / np.mean(true**2)) < worst
    assert 0.3 * worst < 1 - np.sqrt(np.mean(made**2) / np.mean(true**2)) < worst


@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(5, 9),
        slice(None, None, 7),
        3,
        -1,
        np.array([4, 0, 9]),
        (slice(2, 6), slice(1, 5)),
        (slice(None), 2),
        (7, slice(0, 3), 1),
        slice(3, 3),
    ],
)
def test_they_are_sliced_as_an_array_would_be(key):
    path = np.random.default_rng(1).normal(size=(40, 6, 3))
    cell = np.array([[5.0, 0, 0], [1.0, 6.0, 0], [0.5, 0.2, 7.0]])
    lazy = CentralDifference(path, cell, 0.25)
    whole = (path[2:] - path[:-2]) @ cell / 0.5
    np.testing.assert_allclose(lazy[key], whole[key], atol=1e-12)
    assert lazy.shape == whole.shape
    assert len(lazy) == 38


def test_a_store_is_read_as_it_is_sliced(without, tmp_path):
    store = write_store(without, tmp_path / "run.zarr")
    lazy = read(store, velocities="positions")
    assert isinstance(lazy.velocities, CentralDifference)
    assert not isinstance(lazy.scaled_positions, np.ndarray)
    made = velocities_from_positions(without)
    np.testing.assert_array_equal(lazy.velocities[10:20], made.velocities[10:20])
    np.testing.assert_array_equal(lazy.velocities[:, 3:5], made.velocities[:, 3:5])
    np.testing.assert_array_equal(lazy.scaled_positions[-5:], made.scaled_positions[-5:])
    np.testing.assert_array_equal(lazy.scaled_positions[4:9, 2:6], made.scaled_positions[4:9, 2:6])
    again = read(write_store(lazy, tmp_path / "again.zarr"))
    np.testing.assert_array_equal(again.velocities[:], made.velocities[:])
    one, two = md.phonon_dos(again, windows=2).phonon_dos, md.phonon_dos(made, windows=2).phonon_dos
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_memory_is_that_of_a_block():
    class Counted:
        """Positions that say how many frames at once were asked for."""

        shape, dtype, most = (10_000, 50, 3), np.dtype(np.float32), 0

        def __getitem__(self, key):
            frames, atoms = key
            out = np.zeros(self.shape, dtype=self.dtype)[frames, atoms]
            self.most = max(self.most, out[..., 0].size)
            return out

    positions = Counted()
    lazy = CentralDifference(positions, np.eye(3), 1.0)
    for first in range(0, 300, 100):
        lazy[first : first + 100]
    lazy[:, 3:5]
    assert positions.most == max(102 * 50, 10_000 * 2)


def test_the_density_of_states_is_that_of_the_true_velocities(crystal, without):
    true = md.phonon_dos(replace(crystal, **_inner(crystal)), windows=2)
    made = md.phonon_dos(velocities_from_positions(without), windows=2)
    assert made.frequency.max() <= 0.8 * 0.5 / 0.01 < true.frequency.max()
    part = true.phonon_dos.sel(frequency=made.frequency)
    np.testing.assert_allclose(made.phonon_dos, part, atol=2e-3 * float(part.max()))
    np.testing.assert_allclose(made.kinetic_temperature, true.kinetic_temperature, rtol=5e-3)
    np.testing.assert_allclose(made.phonon_dos.integrate("frequency"), true.phonon_dos.integrate("frequency"), rtol=5e-3)
    step = md.schema.history(made)[-1]
    assert step["transfer_undone_to"] == pytest.approx(40.0)
    assert "sin(2 pi f dt)" in step["transfer"]


def test_without_the_transfer_function_it_would_be_wrong(without):
    made = velocities_from_positions(without)
    blind = replace(made, history=())
    assert not np.allclose(md.phonon_dos(blind).kinetic_temperature, md.phonon_dos(made).kinetic_temperature, rtol=0.02)


def _inner(traj):
    return {"scaled_positions": traj.scaled_positions[1:-1], "velocities": traj.velocities[1:-1], "time": traj.time[1:-1], "cell": traj.cell[1:-1]}


@pytest.mark.parametrize("stride", [1, 2, 3, 5, 8, 12])
def test_spectra_are_refused_where_lines_are_folded_back(without, stride):
    """Lines at 12, 20 and 23.4 THz: resolved up to 0.4 / 23.4 = 0.017 ps between frames; at 0.03 ps all are folded deep into the band."""
    highest = synthetic.harmonic_frequencies(cells=2, spring=5.0, masses=(40.0, 20.0))[0].max()
    coarse = replace(
        without,
        scaled_positions=without.scaled_positions[::stride],
        time=without.time[::stride],
        cell=without.cell[::stride],
        history=({"step": "read"},),
    )
    made = velocities_from_positions(coarse)
    if highest < 0.4 / (0.01 * stride):
        assert md.phonon_dos(made, windows=1).sizes["frequency"] > 10
        return
    with pytest.raises(TrajectoryError, match=r"store frames every 0\.\d+ ps or less") as refusal:
        md.phonon_dos(made, windows=1)
    enough = float(str(refusal.value).split("store frames every ")[1].split(" ps")[0])
    assert 0.003 < enough <= 0.4 / highest, "the frame interval that is recommended would do"
    with pytest.raises(TrajectoryError, match="velocity_acf needs frames"):
        md.velocity_acf(made)
    assert any("too far apart" in note for note in made.notes)


def test_the_zero_frequency_is_exact_at_any_frame_interval():
    """Green and Kubo's limit is that of the displacement, whatever is folded back elsewhere."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=20_000, friction=5.0, frame_interval=0.02, seed=2)
    coarse = replace(gas, velocities=None, scaled_positions=gas.scaled_positions[::10], time=gas.time[::10], cell=gas.cell[::10])
    made = velocities_from_positions(coarse)
    assert sampled(coarse).beyond > 0.01
    acf = md.charge_current_acf(made, windows=1, reference="none")
    whole = md.charge_current_acf(gas, windows=1, reference="none")
    low = slice(1, 40)
    ratio = float(acf.charge_current_periodogram[:, low].mean() / whole.charge_current_periodogram[:, low].mean())
    assert ratio == pytest.approx(1.0, abs=0.03)
    assert "charge_current_sum_rule" not in acf
    assert "charge_current_sum_rule" in whole


def test_uneven_frames_short_runs_and_other_words_are_refused(without):
    with pytest.raises(TrajectoryError, match="unevenly"):
        velocities_from_positions(replace(without, time=without.time**1.1))
    few = replace(without, scaled_positions=without.scaled_positions[:9], time=without.time[:9], cell=without.cell[:9])
    with pytest.raises(NotEnoughData, match="32 frames"):
        velocities_from_positions(few)
    with pytest.raises(TrajectoryError, match="velocities='positions'"):
        md.phonon_dos(without)


def test_of_a_file_they_are_made_on_request(crystal, write_dump, tmp_path):
    part = replace(crystal, **{name: getattr(crystal, name)[:400] for name in ("scaled_positions", "velocities", "time", "cell")})
    path = write_dump(part, tmp_path / "run.lammpstrj")
    made = read(path, velocities="positions", masses={"A": 40, "B": 20})
    assert any("velocities of the file are not used" in note for note in made.notes)
    true = np.asarray(part.velocities[1:-1])
    assert np.corrcoef(np.asarray(made.velocities[:]).ravel(), true.ravel())[0, 1] > 0.99
    with pytest.raises(TrajectoryError, match="'file' or 'positions'"):
        read(path, velocities="guess")
