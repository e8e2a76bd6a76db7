"""Atoms about sites: damped, harmonic, waiting for a gate."""

import numpy as np

from mdtools.synthetic.lattices import lattice_sites
from mdtools.synthetic.made import thermal_speed, trajectory_of
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["damped_oscillator", "gated_hopper", "harmonic_crystal", "harmonic_frequencies", "oscillations"]


def oscillations(
    random: np.random.Generator,
    shape: tuple[int, ...],
    n_frames: int,
    frequency: float,
    damping: float,
    mass: float,
    temperature: float,
    interval: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Displacements and velocities (frame, *shape) of independent damped oscillators x'' + g x' + w^2 x = noise, sampled exactly."""
    import scipy.linalg

    w, speed = 2 * np.pi * frequency, thermal_speed(mass, temperature)
    step = scipy.linalg.expm(np.array([[0.0, 1.0], [-(w**2), -damping]]) * interval)
    stationary = np.diag([speed**2 / w**2, speed**2])
    root = np.linalg.cholesky(stationary - step @ stationary @ step.T)
    state = np.sqrt(np.diag(stationary)).reshape(2, *[1] * len(shape)) * random.normal(size=(2, *shape))
    out = np.empty((2, n_frames, *shape))
    for k in range(n_frames):
        out[:, k] = state
        state = np.einsum("ij,j...->i...", step, state) + np.einsum("ij,j...->i...", root, random.normal(size=state.shape))
    return out[0], out[1]


def damped_oscillator(
    *,
    cells: int = 3,
    n_frames: int = 4000,
    frequency: float = 3.0,
    damping: float = 2.0,
    mass: float = 20.0,
    temperature: float = 300.0,
    frame_interval: float = 0.02,
    lattice_parameter: float = 5.0,
    seed: int = 0,
) -> Trajectory:
    """Ions "A" on a simple cubic lattice, each an independent oscillator x'' + g x' + w0^2 x = noise, any damping.

    frequency w0 / 2 pi in THz, damping g in 1/ps. Exact: <u^2> = 3 k_B T / (m w0^2) (three axes), MSD -> 2 <u^2>,
    velocity spectrum S_v(w) = 2 g w^2 (k_B T / m) / ((w^2 - w0^2)^2 + g^2 w^2), DOS integral 3 N, D = 0.
    """
    random = np.random.default_rng(seed)
    sites = lattice_sites("sc", cells)[0] * lattice_parameter
    moved, velocities = oscillations(random, (len(sites), 3), n_frames, frequency, damping, mass, temperature, frame_interval)
    path = sites + moved
    return trajectory_of(
        path,
        velocities=velocities,
        length=cells * lattice_parameter,
        frame_interval=frame_interval,
        source="damped_oscillator",
        species=np.full(len(sites), "A"),
        masses=np.full(len(sites), mass),
        temperature=temperature,
    )


def gated_hopper(
    *,
    chains: int = 16,
    sites: int = 6,
    n_frames: int = 20_000,
    frame_interval: float = 0.02,
    rate: float = 0.2,
    coupling: float = 0.5,
    frequency: float = 4.0,
    damping: float = 3.0,
    temperature: float = 600.0,
    spacing: float = 4.0,
    gap: float = 2.0,
    seed: int = 0,
) -> Trajectory:
    """One ion "A" on each of several chains of sites along x, between pairs of ions "B" that open and close across every step of the chain.

    B are oscillators of mass 16 along y (`frequency` in THz, `damping` in 1/ps, as in `damped_oscillator`), +-`gap` from the chain; A
    rattles about its site alike, twice as fast. With Q the opening of a window less its mean, (y_1 - y_2) / 2 at the next step, A hops at
    `rate` exp(g Q / k_B T) in 1/ps, g = `coupling` in eV/angstrom, to each side. Sites are at (i + 0, 1/2, 1/2) of unit cells that repeat
    (`sites`, m, m), m = ceil(sqrt(chains)) chains abreast. Velocities are those of the oscillations: a hop takes no time.

    Exact: <Q^2> = k_B T / (2 m w^2), Gaussian; when a hop begins Q has the mean g <Q^2> / k_B T; hops are exp(g^2 <Q^2> / 2 (k_B T)^2)
    times as many as at rest: a barrier lower by g^2 <Q^2> / 2 k_B T. (A hop a frame at most: keep rate frame_interval exp(g Q / k_B T) below 1.)
    """
    random = np.random.default_rng(seed)
    heat, mass = BOLTZMANN * temperature, 16.0
    abreast = int(np.ceil(np.sqrt(chains)))
    row, column = np.divmod(np.arange(chains), abreast)
    apart = 4 * gap + 4.0
    axis = np.stack([0 * row, (column + 0.5) * apart, (row + 0.5) * apart], axis=-1)  # of each chain
    gates, swings = oscillations(random, (chains, sites, 2), n_frames, frequency, damping, mass, temperature, frame_interval)
    rattle, speeds = oscillations(random, (chains, 3), n_frames, 2 * frequency, damping, mass, temperature, frame_interval)
    opening = (gates[..., 0] - gates[..., 1]) / 2  # (frame, chain, gate): gate i lies between sites i and i + 1
    place = np.zeros((n_frames, chains), dtype=np.int64)
    number = np.arange(chains)
    for k in range(n_frames - 1):
        chance = rate * frame_interval * np.exp(coupling * opening[k] / heat)
        draw = random.random((2, chains))
        right = draw[0] < chance[number, place[k] % sites]
        left = draw[1] < chance[number, (place[k] - 1) % sites]
        place[k + 1] = place[k] + right.astype(int) - left.astype(int)
    moving = axis[None] + rattle
    moving[..., 0] += place * spacing
    pairs = np.empty((n_frames, chains, sites, 2, 3))
    pairs[...] = axis[None, :, None, None]
    pairs[..., 0] += (np.arange(sites)[:, None] + 0.5) * spacing
    pairs[..., 1] += gap * np.array([1.0, -1.0]) + gates
    across = np.zeros_like(pairs)
    across[..., 1] = swings
    return trajectory_of(
        np.concatenate([moving, pairs.reshape(n_frames, -1, 3)], axis=1),
        velocities=np.concatenate([speeds, across.reshape(n_frames, -1, 3)], axis=1),
        length=np.array([sites * spacing, abreast * apart, abreast * apart]),
        frame_interval=frame_interval,
        source="gated_hopper",
        species=np.array(["A"] * chains + ["B"] * (2 * chains * sites)),
        masses=np.full(chains * (1 + 2 * sites), mass),
        temperature=temperature,
        framework=("B",),
    )


def harmonic_frequencies(*, cells: int, spring: float, masses: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Eigenfrequencies (THz, one axis) and mass-weighted eigenvectors of `harmonic_crystal`; the first is the drift."""
    sites, near, _ = lattice_sites("sc", cells)
    number = {tuple(site): k for k, site in enumerate(sites.astype(int))}
    mass = np.array([masses[int(site.sum()) % 2] for site in sites.astype(int)])
    matrix = np.zeros((len(sites), len(sites)))
    for k, site in enumerate(sites.astype(int)):
        for step in near.astype(int):
            other = number[tuple((site + step) % cells)]
            matrix[k, k] += spring / mass[k]
            matrix[k, other] -= spring / np.sqrt(mass[k] * mass[other])
    square, vectors = np.linalg.eigh(matrix)
    return np.sqrt(np.maximum(square, 0.0) / KINETIC_TO_EV) / (2 * np.pi), vectors


def harmonic_crystal(
    *,
    cells: int = 4,
    n_frames: int = 4000,
    spring: float = 5.0,
    masses: tuple[float, float] = (40.0, 20.0),
    temperature: float = 300.0,
    frame_interval: float = 0.02,
    lattice_parameter: float = 3.0,
    seed: int = 0,
) -> Trajectory:
    """A rock-salt crystal "A", "B" of springs (eV/angstrom^2) between nearest neighbours, each axis on its own.

    Sampled in its normal modes, drift left out: a canonical amplitude and phase each, then exact motion. Exact: the DOS
    has its lines at `harmonic_frequencies`; its integral is 3 N - 3 in the mean over draws; MSD -> 2 <u^2>; the
    framework keeps its Bragg order; D = 0. `cells` must be even.
    """
    if cells % 2:
        raise ValueError("cells must be even, so that the two species alternate across the boundary")
    random = np.random.default_rng(seed)
    sites = lattice_sites("sc", cells)[0]
    kind = sites.astype(int).sum(axis=1) % 2
    mass = np.array(masses)[kind]
    nu, vectors = harmonic_frequencies(cells=cells, spring=spring, masses=masses)
    w, vectors = 2 * np.pi * nu[1:], vectors[:, 1:]
    n_modes = len(w)
    phase = random.uniform(0, 2 * np.pi, (n_modes, 3))
    # amplitude of the mass-weighted coordinate: |c|^2 exponential, so that <c^2 cos^2> = k_B T / w^2 and speeds are Maxwell's
    amplitude = np.sqrt(2 * random.exponential(size=(n_modes, 3)) * BOLTZMANN * temperature / KINETIC_TO_EV)
    angle = np.arange(n_frames)[:, None, None] * frame_interval * w[None, :, None] + phase
    shape = vectors / np.sqrt(mass)[:, None]
    displacement = np.einsum("am,tmx->tax", shape, amplitude / w[:, None] * np.cos(angle))
    velocities = -np.einsum("am,tmx->tax", shape, amplitude * np.sin(angle))
    return trajectory_of(
        (sites + 0.25) * lattice_parameter + displacement,
        velocities=velocities,
        length=cells * lattice_parameter,
        frame_interval=frame_interval,
        source="harmonic_crystal",
        species=np.array(["A", "B"])[kind],
        charges=np.array([1.0, -1.0])[kind],
        masses=mass,
        temperature=temperature,
    )
