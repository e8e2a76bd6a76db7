"""Ions in continuous space: free, with memory, in groups, in pairs, along a chain."""

import numpy as np

from mdtools.synthetic.made import thermal_speed, trajectory_of
from mdtools.trajectory import Trajectory

__all__ = ["bound_pairs", "brownian", "grotthuss_chain", "grouped_walkers", "ornstein_uhlenbeck"]


def brownian(
    *,
    n_atoms: int = 64,
    n_frames: int = 1000,
    diffusivity: float = 1.0,
    frame_interval: float = 0.1,
    length: float = 20.0,
    temperature: float | None = None,
    seed: int = 0,
) -> Trajectory:
    """Independent Brownian ions "A" (+1 e) and "B" (-1 e), half each, in a cubic box: an ideal gas of ions.

    Exact: MSD = 6 D t, G_s Gaussian of variance 2 D t an axis, alpha_2 = 0, G_d / rho = (N - delta_st) / N at all
    times, sigma = n q^2 D / k_B T, H_R = 1. diffusivity in angstrom^2/ps, length of the box in angstrom.

    >>> brownian(n_atoms=4, n_frames=3).species_names
    ['A', 'B']
    """
    return grouped_walkers(
        group=1, n_atoms=n_atoms, n_frames=n_frames, diffusivity=diffusivity, frame_interval=frame_interval, length=length,
        temperature=temperature, seed=seed,
    )  # fmt: skip


def grouped_walkers(
    *,
    group: int = 4,
    n_atoms: int = 64,
    n_frames: int = 1000,
    diffusivity: float = 1.0,
    frame_interval: float = 0.1,
    length: float = 20.0,
    temperature: float | None = None,
    seed: int = 0,
) -> Trajectory:
    """Brownian ions that move rigidly in groups of equals: atoms k, k + n/g, k + 2 n/g ... of a species step together.

    Exact: MSD = 6 D t; the variance of its mean over ions is `group` times that of independent ions;
    D_sigma = group D, so H_R = 1 / group.
    """
    random = np.random.default_rng(seed)
    half = n_atoms // 2
    if n_atoms % 2 or half % group:
        raise ValueError(f"n_atoms={n_atoms} must hold two species of whole groups of {group}")
    start = random.uniform(0, length, (1, n_atoms, 3))
    steps = random.normal(0.0, np.sqrt(2 * diffusivity * frame_interval), (n_frames - 1, 2, 1, half // group, 3))
    steps = np.broadcast_to(steps, (n_frames - 1, 2, group, half // group, 3)).reshape(n_frames - 1, n_atoms, 3)
    return trajectory_of(
        np.concatenate([start, start + np.cumsum(steps, axis=0)]),
        length=length,
        frame_interval=frame_interval,
        source="brownian" if group == 1 else "grouped_walkers",
        species=np.repeat(["A", "B"], half),
        charges=np.repeat([1.0, -1.0], half),
        temperature=temperature,
    )


def bound_pairs(
    *,
    n_pairs: int = 32,
    n_frames: int = 1000,
    diffusivity: float = 1.0,
    distance: float = 2.0,
    frame_interval: float = 0.1,
    length: float = 20.0,
    temperature: float | None = None,
    seed: int = 0,
) -> Trajectory:
    """Brownian pairs of "A" (+1 e) and "B" (-1 e), rigid and without rotation, `distance` angstrom apart: neutral and mobile.

    Exact: MSD = 6 D t of every ion; the dipole never changes, so sigma = 0 and H_R is infinite (the neutral-pair trap).
    """
    random = np.random.default_rng(seed)
    axis = random.normal(size=(n_pairs, 3))
    axis *= distance / np.linalg.norm(axis, axis=1)[:, None]
    start = random.uniform(0, length, (1, n_pairs, 3))
    steps = random.normal(0.0, np.sqrt(2 * diffusivity * frame_interval), (n_frames - 1, n_pairs, 3))
    path = np.concatenate([start, start + np.cumsum(steps, axis=0)])
    return trajectory_of(
        np.concatenate([path, path + axis], axis=1),
        length=length,
        frame_interval=frame_interval,
        source="bound_pairs",
        precision=np.float64,
        species=np.repeat(["A", "B"], n_pairs),
        charges=np.repeat([1.0, -1.0], n_pairs),
        temperature=temperature,
    )


def grotthuss_chain(
    *,
    n_chains: int = 9,
    sites: int = 5,
    n_frames: int = 1000,
    hop: float = 0.1,
    diffusivity: float = 0.5,
    carrier_charge: float = 0.0,
    frame_interval: float = 0.1,
    seed: int = 0,
) -> Trajectory:
    """One proton "H" (+1 e) on each chain of carriers "O" 3 angstrom apart: from frame to frame it is handed to either
    neighbour with the probability `hop` each, while all chains together diffuse with `diffusivity` (angstrom^2/ps).

    Exact, m frames: hopping MSD = 2 hop 3^2 m, vehicular MSD = 6 D m frame_interval (one walker), no cross term, bond of 1 angstrom
    constant. carrier_charge : e of each carrier; -1 / sites makes the chains neutral, so that only hand-over conducts.
    """
    random = np.random.default_rng(seed)
    edge = int(np.ceil(np.sqrt(n_chains)))
    row = np.arange(n_chains)
    origin = np.stack([np.zeros(n_chains), 6.0 * (row // edge), 6.0 * (row % edge)], axis=1)
    along = np.array([3.0, 0.0, 0.0])
    drift = np.concatenate([np.zeros((1, 3)), np.cumsum(random.normal(0.0, np.sqrt(2 * diffusivity * frame_interval), (n_frames - 1, 3)), axis=0)])
    kick = random.uniform(size=(n_frames, n_chains))
    site = np.cumsum(np.where(kick < hop, 1, np.where(kick < 2 * hop, -1, 0)), axis=0)
    heavy = (origin[:, None] + np.arange(sites)[:, None] * along).reshape(-1, 3)
    path = np.concatenate([heavy + drift[:, None], origin + site[:, :, None] * along + np.array([0.0, 1.0, 0.0]) + drift[:, None]], axis=1)
    return trajectory_of(
        path,
        length=np.array([3.0 * sites, 6.0 * edge, 6.0 * edge]),
        frame_interval=frame_interval,
        source="grotthuss_chain",
        precision=np.float64,
        species=np.repeat(["O", "H"], [len(heavy), n_chains]),
        charges=np.repeat([carrier_charge, 1.0], [len(heavy), n_chains]),
        masses=np.repeat([15.999, 1.008], [len(heavy), n_chains]),
    )


def ornstein_uhlenbeck(
    *,
    n_atoms: int = 64,
    n_frames: int = 2000,
    friction: float = 5.0,
    mass: float = 20.0,
    temperature: float = 1000.0,
    frame_interval: float = 0.02,
    length: float = 20.0,
    seed: int = 0,
) -> Trajectory:
    """Free ions "A" (+1 e) and "B" (-1 e) under Langevin friction, by the exact joint propagator of v and x.

    Exact, g the friction in 1/ps: VACF = (3 k_B T / m) e^{-g t}; D = k_B T / (m g);
    MSD = (6 k_B T / m g^2)(g t - 1 + e^{-g t}); DOS a Lorentzian g_s(nu) = (12 N D m / k_B T) / (1 + (2 pi nu / g)^2)
    whose integral is 3 N; sigma = n q^2 D / k_B T; <J^2> = 3 k_B T sum q^2 / m.
    """
    random = np.random.default_rng(seed)
    speed = thermal_speed(mass, temperature)
    g, dt = friction, frame_interval
    decay = np.exp(-g * dt)
    var_v = speed**2 * (1 - decay**2)
    var_x = speed**2 / g**2 * (2 * g * dt - 3 + 4 * decay - decay**2)
    cov = speed**2 / g * (1 - decay) ** 2
    root = np.linalg.cholesky(np.array([[var_v, cov], [cov, var_x]]))
    v = random.normal(0.0, speed, (n_atoms, 3))
    x = random.uniform(0, length, (n_atoms, 3))
    path, velocities = np.empty((2, n_frames, n_atoms, 3))
    for k in range(n_frames):
        path[k], velocities[k] = x, v
        kick = np.einsum("ij,j...->i...", root, random.normal(size=(2, n_atoms, 3)))
        x = x + v * (1 - decay) / g + kick[1]
        v = v * decay + kick[0]
    half = n_atoms // 2
    return trajectory_of(
        path,
        velocities=velocities,
        length=length,
        frame_interval=dt,
        source="ornstein_uhlenbeck",
        species=np.array(["A"] * half + ["B"] * (n_atoms - half)),
        charges=np.array([1.0] * half + [-1.0] * (n_atoms - half)),
        masses=np.full(n_atoms, mass),
        temperature=temperature,
    )
