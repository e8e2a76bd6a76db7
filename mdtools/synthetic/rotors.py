"""Groups that turn about their centres."""

import numpy as np

from mdtools.synthetic.lattices import lattice_sites
from mdtools.synthetic.made import trajectory_of
from mdtools.trajectory import Trajectory

__all__ = ["rotor"]


def rotor(
    *,
    cells: int = 3,
    n_frames: int = 1000,
    radius: float = 1.5,
    rotational_diffusivity: float = 1.0,
    frame_interval: float = 0.05,
    lattice_parameter: float = 6.0,
    rattle: float = 0.0,
    seed: int = 0,
) -> Trajectory:
    """Rigid tetrahedra "X" (centre) and four "Y" at `radius` b, turning freely on a simple cubic lattice.

    Each frame turns a group about a random axis by the one angle that makes <n(0).n(t)> = e^{-2 D_r t} exactly.
    Exact: MSD_Y = 2 b^2 (1 - e^{-2 D_r t}), EISF = j_0(k b)^2, D = 0 for both. rattle as in `vacancy_hopper`.
    """
    random = np.random.default_rng(seed)
    centres = (lattice_sites("sc", cells)[0] + 0.5) * lattice_parameter
    corners = radius / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    cos = (3 * np.exp(-2 * rotational_diffusivity * frame_interval) - 1) / 2
    if cos < -1:
        raise ValueError("frame_interval is too long for this rotational_diffusivity: keep D_r frame_interval below 0.54")
    sin = np.sqrt(1 - cos**2)
    ligands = np.einsum("gij,kj->gki", _random_rotations(random, len(centres)), corners)
    frames = np.empty((n_frames, len(centres), 4, 3))
    for k in range(n_frames):
        frames[k] = ligands
        axis = random.normal(size=(len(centres), 1, 3))
        axis = np.broadcast_to(axis / np.linalg.norm(axis, axis=-1, keepdims=True), ligands.shape)
        along = np.sum(axis * ligands, axis=-1, keepdims=True) * axis
        ligands = cos * (ligands - along) + along + sin * np.cross(axis, ligands)
    path = np.concatenate([np.broadcast_to(centres, (n_frames, *centres.shape)), (centres[:, None] + frames).reshape(n_frames, -1, 3)], axis=1)
    return trajectory_of(
        path + rattle * random.normal(size=path.shape),
        length=cells * lattice_parameter,
        frame_interval=frame_interval,
        source="rotor",
        species=np.array(["X"] * len(centres) + ["Y"] * (4 * len(centres))),
        masses=np.array([31.0] * len(centres) + [32.0] * (4 * len(centres))),
        framework=("X",),
    )


def _random_rotations(random: np.random.Generator, n: int) -> np.ndarray:
    """Uniformly distributed rotation matrices (n, 3, 3), from random quaternions."""
    quaternion = random.normal(size=(4, n))
    a, b, c, d = quaternion / np.linalg.norm(quaternion, axis=0)
    rows = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
