"""The slope of the longest lags beside the average: alike where ions diffuse, and less where a transient is as long as the run."""

import numpy as np

import mdtools as md
from mdtools import synthetic


def z_scores(make, seeds):
    return np.array([float(md.self_diffusivity(md.msd(make(seed), windows=1, reference="none")).late_z_score[0]) for seed in seeds])


def walk(seed):
    return synthetic.brownian(n_atoms=64, n_frames=200, diffusivity=1.0, seed=seed)


def slowing(seed):
    """A walk, and each ion about it in a cage that takes forty frames to fill."""
    free = walk(seed)
    dice, keep = np.random.default_rng(seed), np.exp(-1 / 40)
    swing = np.zeros((free.n_frames, free.n_atoms, 3))
    steps = dice.standard_normal(swing.shape) * np.sqrt(1 - keep**2)
    for k in range(1, len(swing)):
        swing[k] = keep * swing[k - 1] + steps[k]
    wide = 1.5 * np.sqrt(2 * 1.0 * free.frame_interval * 40)
    return free.replace(step={"step": "slowing"}, scaled_positions=free.scaled_positions + (wide * swing) @ np.linalg.inv(free.mean_cell))


def test_where_ions_diffuse_the_difference_is_that_of_chance():
    z = z_scores(walk, range(40))
    assert abs(z.mean()) < 3 / np.sqrt(len(z))
    assert 0.7 < z.std(ddof=1) < 1.35


def test_a_slow_transient_makes_it_fall_and_the_motion_subdiffusive():
    runs = [slowing(seed) for seed in range(8)]
    found = [md.self_diffusivity(md.msd(run, windows=1, reference="none")).isel(species=0) for run in runs]
    z = np.array([float(one.late_z_score) for one in found])
    assert z.sum() / np.sqrt(len(z)) < -4
    assert all((one.regime == "subdiffusive").item() for one in found if float(one.late_z_score) < -2.5)
    assert np.mean([float(one.self_diffusivity_late) for one in found]) < 0.9 * np.mean([float(one.self_diffusivity) for one in found])
