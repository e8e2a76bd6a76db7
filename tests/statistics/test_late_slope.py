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
    falls = [one.regime.item() for one in found if float(one.late_z_score) < -2.5]
    assert len(falls) >= 1
    assert set(falls) == {"subdiffusive"}
    assert np.mean([float(one.self_diffusivity_late) for one in found]) < 0.9 * np.mean([float(one.self_diffusivity) for one in found])


def test_lags_far_apart_have_a_late_slope_of_the_last_three():
    run = synthetic.brownian(n_atoms=8, n_frames=9000, diffusivity=0.5, seed=4)
    lags = 3.0 ** np.arange(8) * run.frame_interval
    found = md.self_diffusivity(md.msd(run, windows=1, reference="none", lags=lags.tolist())).isel(species=0)
    assert 0 < float(found.self_diffusivity_late_stderr) < 0.2
    assert abs(float(found.self_diffusivity_late) - 0.5) < 4 * float(found.self_diffusivity_late_stderr)
    assert 0 < abs(float(found.late_z_score)) < 4


def test_the_late_slope_is_that_of_naive_least_squares():
    """A random walk: covariances from overlaps of steps counted pair by pair, nothing of the code but D and the frames."""
    run = synthetic.brownian(n_atoms=16, n_frames=60, diffusivity=0.5, seed=4)
    found = md.self_diffusivity(md.msd(run, windows=1, reference="none")).isel(species=0)
    x = (np.asarray(run.scaled_positions, dtype=np.float64) @ run.mean_cell)[:, run.indices(str(found.species.values))]
    lags, n, per_frame = np.array([10, 12, 14, 16, 19]), len(x), 6 * run.frame_interval
    squares = np.array([np.mean(np.sum((x[lag:] - x[:-lag]) ** 2, axis=-1)) for lag in lags])
    step = float(found.self_diffusivity) * per_frame / 3

    def shared(one, other):
        i, j = np.arange(n - one)[:, None], np.arange(n - other)
        steps = np.maximum(np.minimum(i + one, j + other) - np.maximum(i, j), 0)
        return 6 * np.sum((steps * step) ** 2) / ((n - one) * (n - other)) / x.shape[1]

    inverse = np.linalg.inv([[shared(one, other) for other in lags] for one in lags])
    line = np.stack([np.ones(len(lags)), lags], axis=1)
    covariance = np.linalg.inv(line.T @ inverse @ line)
    slope = (covariance @ line.T @ inverse @ squares)[1]
    assert abs(float(found.self_diffusivity_late) * per_frame / slope - 1) < 2e-3
    assert 0.8 < float(found.self_diffusivity_late_stderr) * per_frame / np.sqrt(covariance[1, 1]) < 1.25
