"""Trajectories whose answers are known exactly: for tests, examples and checks of other tools."""

import numpy as np

from mdtools.trajectory import Trajectory

__all__ = ["brownian"]


def brownian(
    *,
    n_atoms: int = 64,
    n_frames: int = 1000,
    diffusivity: float = 1.0,
    frame_interval: float = 0.1,
    length: float = 20.0,
    seed: int = 0,
) -> Trajectory:
    """Independent Brownian ions "A" in a cubic box. Exact: MSD = 6 D t, G_s Gaussian, alpha_2 = 0, H_R = 1.

    diffusivity in angstrom^2/ps, frame_interval in ps, length of the box in angstrom.
    """
    random = np.random.default_rng(seed)
    start = random.uniform(0, 1, (1, n_atoms, 3))
    steps = random.normal(0.0, np.sqrt(2 * diffusivity * frame_interval) / length, (n_frames - 1, n_atoms, 3))
    path = np.concatenate([start, start + np.cumsum(steps, axis=0)])
    return Trajectory(
        scaled_positions=path.astype(np.float32),
        cell=np.broadcast_to(length * np.eye(3), (n_frames, 3, 3)).copy(),
        time=np.arange(n_frames) * frame_interval,
        species=np.full(n_atoms, "A"),
        masses=np.ones(n_atoms),
        source="synthetic.brownian",
    )
