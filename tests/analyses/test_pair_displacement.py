"""The distinct part of the charge displacement by distance: its sum is the total, and models say which pairs move together."""

import dataclasses

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.pair_displacement import charge_displacement_by_distance
from mdtools.errors import TrajectoryError


@pytest.fixture(scope="module")
def tilted():
    """Ions in a tilted cell that breathes and shears, every third of a charge of its own."""
    run = synthetic.ornstein_uhlenbeck(n_atoms=20, n_frames=61, length=9.0, seed=4)
    change = 1 + 0.02 * np.sin(np.arange(61) / 5)
    cell = np.array([[9.0, 0, 0], [2.5, 8.0, 0], [-1.0, 2.0, 10.0]]) * change[:, None, None]
    charges = np.where(np.arange(20) % 3 == 0, 2.0, -1.0)
    return dataclasses.replace(run, cell=cell, charges=charges - charges.mean(), velocities=None)


def parts(out):
    return (
        out.charge_displacement_by_distance.sum(("r", "pair"))
        + out.charge_displacement_beyond.sum("pair")
        + out.charge_displacement_msd_self.sum("species")
    )


@pytest.mark.parametrize("unwrap", ["scaled", "lattice", "tor"])
def test_distances_beyond_and_self_add_up_to_the_dipole(tilted, unwrap):
    run = dataclasses.replace(tilted, unwrap=unwrap)
    lags = [run.frame_interval * k for k in (1, 5, 20)]
    out = charge_displacement_by_distance(run, windows=2, lags=lags, bins=7, origins="all")
    np.testing.assert_allclose(parts(out), out.charge_displacement_msd, rtol=1e-9)
    dipole = charge_displacement_msd(run, windows=2, lags=lags)
    np.testing.assert_allclose(out.charge_displacement_msd, dipole.charge_displacement_msd, rtol=1e-6)
    np.testing.assert_allclose(out.charge_displacement_msd_self, dipole.charge_displacement_msd_self, rtol=1e-6)
    by_pair = out.charge_displacement_by_distance.sum("r") + out.charge_displacement_beyond
    np.testing.assert_allclose(by_pair, dipole.charge_displacement_msd_distinct, rtol=1e-6, atol=1e-6)


def test_every_bin_is_its_definition(tilted):
    out = charge_displacement_by_distance(tilted, windows=1, lags=[3 * tilted.frame_interval], bins=4, r_max=3.2, origins=7, reference="none")
    groups = np.array([tilted.species_names.index(name) for name in tilted.species])
    s = np.asarray(tilted.scaled_positions, dtype=float)
    expected, starts = np.zeros((2, 2, 4)), np.arange(0, 61, 7)[np.arange(0, 61, 7) + 3 < 61]
    for t in starts:
        step = (s[t + 3] - s[t]) @ tilted.mean_cell * tilted.charges[:, None]
        apart = s[t][None] - s[t][:, None]
        r = np.linalg.norm((apart - np.round(apart)) @ tilted.cell[t], axis=-1)
        i, j = np.nonzero((r < 3.2) & ~np.eye(20, dtype=bool))
        np.add.at(expected, (groups[i], groups[j], (r[i, j] / 0.8).astype(int)), np.sum(step[i] * step[j], axis=1) / len(starts))
    found = out.charge_displacement_by_distance.isel(window=0, lag=0)
    np.testing.assert_allclose(found.sel(pair="A-B"), expected[0, 1] + expected[1, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.sel(pair="A-A"), expected[0, 0], rtol=1e-9, atol=1e-12)


def test_ions_that_move_alone_have_nothing_at_any_distance():
    walk = synthetic.brownian(n_atoms=40, n_frames=2000, length=10.0, seed=2)
    out = charge_displacement_by_distance(walk, windows=1, lags=[0.1], bins=5, origins="all", reference="none").isel(window=0, lag=0)
    each = out.charge_displacement_by_distance / out.pairs_by_distance
    # a product of two free steps has the variance 3 (2 D t)^2 = 0.12; pairs of one step are independent of one another
    spread = np.sqrt(0.12 / (out.pairs_by_distance / 2 * 1999))
    assert float((abs(each) / spread).max()) < 4
    np.testing.assert_allclose(out.charge_displacement_msd_self, 40 / 2 * 0.6, rtol=0.02)


def test_a_bound_pair_is_seen_at_its_length_and_cancels_the_self_part():
    """Dimers of +1 and -1 at 2.2 angstrom: D* > 0, sigma = 0; the bin of 2.2 angstrom holds minus the self part, all of it."""
    pairs = synthetic.bound_pairs(n_pairs=6, n_frames=500, length=15.0, distance=2.2, seed=1)
    out = charge_displacement_by_distance(pairs, windows=1, lags=[1.0], bins=15, r_max=7.5, origins="all", reference="none").isel(window=0, lag=0)
    bonded = out.charge_displacement_by_distance.sel(pair="A-B").sel(r=2.25, method="nearest")
    alone = float(out.charge_displacement_msd_self.sum())
    assert float(bonded) == pytest.approx(-alone, rel=0.2)  # other pairs that chance brings there
    assert float(out.charge_displacement_msd) < 1e-9 * alone


def test_what_cannot_be_made_is_refused(tilted):
    with pytest.raises(TrajectoryError, match="half the shortest face distance"):
        charge_displacement_by_distance(tilted, r_max=8.0)
    with pytest.raises(TrajectoryError, match="change with time"):
        charge_displacement_by_distance(tilted.with_charges(np.tile(tilted.charges, (61, 1))))
    with pytest.raises(TrajectoryError, match="sum to"):
        charge_displacement_by_distance(tilted.with_charges({"A": 1, "B": 1}))
    with pytest.raises(ValueError, match="at least 1"):
        charge_displacement_by_distance(tilted, bins=0)
