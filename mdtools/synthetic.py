"""Trajectories whose answers are known exactly: for tests, examples and checks of other tools.

Units are those of the package (angstrom, ps, amu, e, K). Every docstring states the exact answers; their sources are
in reference/science.md B. `seed` fixes the numbers.
"""

import functools
from typing import Any, Literal
from zlib import crc32

import numpy as np

from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = [
    "bound_pairs",
    "brownian",
    "damped_oscillator",
    "gated_hopper",
    "grotthuss_chain",
    "grouped_walkers",
    "harmonic_crystal",
    "interstitialcy",
    "ornstein_uhlenbeck",
    "phi4_lattice",
    "rotor",
    "vacancy_hopper",
]

Lattice = Literal["sc", "bcc", "fcc"]


def _trajectory(path: np.ndarray, *, length: float | np.ndarray, frame_interval: float, source: str, **more: Any) -> Trajectory:
    """A Trajectory of Cartesian paths (frame, atom, 3) in a fixed orthogonal box; the first frame is brought into it."""
    n_frames, n_atoms, _ = path.shape
    scaled = path / np.asarray(length)
    scaled = scaled - np.floor(scaled[:1])
    velocities = more.pop("velocities", None)
    return Trajectory(
        scaled_positions=scaled.astype(more.pop("precision", np.float32)),
        velocities=None if velocities is None else velocities.astype(np.float32),
        cell=np.broadcast_to(np.diag(np.broadcast_to(length, 3)).astype(np.float64), (n_frames, 3, 3)).copy(),
        time=np.arange(n_frames) * frame_interval,
        masses=more.pop("masses", np.ones(n_atoms)),
        source=f"synthetic.{source}",
        history=({"step": "synthetic", "model": source, "checksum": f"{crc32(path[-1].tobytes()):08x}"},),
        **more,
    )


def _thermal_speed(mass: float | np.ndarray, temperature: float) -> Any:
    """sqrt(k_B T / m), angstrom/ps."""
    return np.sqrt(BOLTZMANN * temperature / (np.asarray(mass) * KINETIC_TO_EV))


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
    return _trajectory(
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
    return _trajectory(
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
    return _trajectory(
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
    speed = _thermal_speed(mass, temperature)
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
    return _trajectory(
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


def lattice_sites(lattice: Lattice, cells: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Sites (site, 3), vectors to the nearest neighbours and their length, in units of the cubic lattice parameter."""
    basis = {"sc": [[0, 0, 0]], "bcc": [[0, 0, 0], [0.5] * 3], "fcc": [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]}[lattice]
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    sites = (corners + np.array(basis)).reshape(-1, 3).astype(np.float64)
    around = np.stack(np.meshgrid(*[[-1, -0.5, 0, 0.5, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = {"sc": 1.0, "bcc": np.sqrt(0.75), "fcc": np.sqrt(0.5)}[lattice]
    near = around[np.isclose(np.linalg.norm(around, axis=1), distance)]
    return sites, near, float(distance)


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
    moved, velocities = _oscillations(random, (len(sites), 3), n_frames, frequency, damping, mass, temperature, frame_interval)
    path = sites + moved
    return _trajectory(
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
    gates, swings = _oscillations(random, (chains, sites, 2), n_frames, frequency, damping, mass, temperature, frame_interval)
    rattle, speeds = _oscillations(random, (chains, 3), n_frames, 2 * frequency, damping, mass, temperature, frame_interval)
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
    return _trajectory(
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


def _oscillations(
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

    w, speed = 2 * np.pi * frequency, _thermal_speed(mass, temperature)
    step = scipy.linalg.expm(np.array([[0.0, 1.0], [-(w**2), -damping]]) * interval)
    stationary = np.diag([speed**2 / w**2, speed**2])
    root = np.linalg.cholesky(stationary - step @ stationary @ step.T)
    state = np.sqrt(np.diag(stationary)).reshape(2, *[1] * len(shape)) * random.normal(size=(2, *shape))
    out = np.empty((2, n_frames, *shape))
    for k in range(n_frames):
        out[:, k] = state
        state = np.einsum("ij,j...->i...", step, state) + np.einsum("ij,j...->i...", root, random.normal(size=state.shape))
    return out[0], out[1]


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
    return _trajectory(
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


def vacancy_hopper(
    *,
    lattice: Lattice = "fcc",
    cells: int = 5,
    vacancies: int = 1,
    n_frames: int = 200,
    jumps_per_frame: int = 10_000,
    frame_interval: float = 1.0,
    lattice_parameter: float = 4.0,
    rattle: float = 0.0,
    framework: bool = False,
    seed: int = 0,
) -> Trajectory:
    """Ions "A" (+1 e) that exchange with vacancies on a lattice: every stored frame is `jumps_per_frame` jumps later.

    Exact for one vacancy, N ions and jump length l: MSD(m frames) = f m jumps_per_frame l^2 / N with the correlation
    factor f = 0.781451 (fcc), 0.727194 (bcc), 0.653109 (sc), up to 1/N; H_R = f (reference/science.md B11).
    rattle : standard deviation along an axis (angstrom) of an uncorrelated vibration about each site.
    framework : put immobile ions "X" (-1 e where they balance) in the middle of the cubes, vibrating alike.
    """
    random = np.random.default_rng(seed)
    sites, near, _ = lattice_sites(lattice, cells)
    neighbour = _neighbour_table(sites, near, cells)
    empty = random.permutation(len(sites))[:vacancies]
    occupied = np.setdiff1d(np.arange(len(sites)), empty)
    ion_at = np.full(len(sites), -1)
    ion_at[occupied] = np.arange(len(occupied))
    path = _exchange()(ion_at, empty.copy(), neighbour, near, sites[occupied].copy(), n_frames, jumps_per_frame, random) * lattice_parameter
    species = np.full(len(occupied), "A")
    charges = np.ones(len(occupied))
    if framework:
        fixed = (lattice_sites("sc", cells)[0] + np.array([0.25, 0.25, 0.25])) * lattice_parameter
        path = np.concatenate([path, np.broadcast_to(fixed, (n_frames, *fixed.shape))], axis=1)
        species = np.concatenate([species, np.full(len(fixed), "X")])
        charges = np.concatenate([charges, np.full(len(fixed), -len(occupied) / len(fixed))])
    path = path + rattle * random.normal(size=path.shape)
    return _trajectory(
        path,
        length=cells * lattice_parameter,
        frame_interval=frame_interval,
        source="vacancy_hopper",
        species=species,
        charges=charges,
        masses=np.ones(len(species)),
        framework=("X",) if framework else (),
    )


def interstitialcy(
    *, cells: int = 4, n_frames: int = 200, jumps_per_frame: int = 1000, frame_interval: float = 1.0, lattice_parameter: float = 4.0, seed: int = 0
) -> Trajectory:
    """Ions "A" (+1 e) on an fcc lattice with one interstitial that moves by collinear interstitialcy (AgBr): it pushes a neighbour
    on, along the same line, into the next tetrahedral site, and takes its place. Every frame is `jumps_per_frame` such events later.

    Exact, a the lattice parameter, N ions: squared displacement of the charge |sum dr|^2 = n (3 a^2 / 4) after n events;
    f = 2/3 and H_R = 1/3 (reference/science.md B11; f here by simulation, 0.669 +- 0.002), up to 1/N.
    """
    random = np.random.default_rng(seed)
    period = 4 * cells  # sites in units of a / 4
    grid = np.stack(np.meshgrid(*[np.arange(0, period, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = grid[grid.sum(axis=1) % 4 == 0]
    ion_at = np.full((period,) * 3, -1)
    ion_at[tuple(sites.T)] = np.arange(len(sites))
    where = np.concatenate([sites, [[1, 1, 1]]])
    path = _knock_on()(ion_at, where.copy(), n_frames, jumps_per_frame, random) * (lattice_parameter / 4)
    return _trajectory(
        path,
        length=cells * lattice_parameter,
        frame_interval=frame_interval,
        source="interstitialcy",
        species=np.full(len(where), "A"),
        charges=np.ones(len(where)),
    )


@functools.cache
def _knock_on() -> Any:
    """The compiled loop of interstitialcy events; compiled at first use, because most users never ask for it."""
    import numba

    @numba.njit
    def run(ion_at, where, n_frames, jumps_per_frame, random):
        period = ion_at.shape[0]
        ion = where.shape[0] - 1
        centre = where[ion].copy()
        path = np.empty((n_frames, where.shape[0], 3))
        step = np.empty(3, np.int64)
        for frame in range(n_frames):
            path[frame] = where
            for _ in range(jumps_per_frame):
                while True:  # of the eight corners of the cube four are sites of the lattice
                    even = True
                    for k in range(3):
                        step[k] = 2 * random.integers(0, 2) - 1
                        even = even and (centre[k] + step[k]) % 2 == 0
                    if even and (centre[0] + step[0] + centre[1] + step[1] + centre[2] + step[2]) % 4 == 0:
                        break
                x, y, z = (centre[0] + step[0]) % period, (centre[1] + step[1]) % period, (centre[2] + step[2]) % period
                other = ion_at[x, y, z]
                ion_at[x, y, z] = ion
                for k in range(3):
                    where[ion, k] += step[k]
                    where[other, k] += step[k]
                    centre[k] += 2 * step[k]
                ion = other
        return path

    return run


def _neighbour_table(sites: np.ndarray, near: np.ndarray, cells: int) -> np.ndarray:
    """Number of the site that each neighbour vector leads to: (site, neighbour)."""
    number = {tuple(np.rint(2 * site).astype(int)): k for k, site in enumerate(sites)}
    return np.array([[number[tuple(np.rint(2 * (site + step)).astype(int) % (2 * cells))] for step in near] for site in sites])


@functools.cache
def _exchange() -> Any:
    """The compiled loop of vacancy jumps; compiled at first use, because most users never ask for it."""
    import numba

    @numba.njit
    def run(ion_at, empty, neighbour, near, where, n_frames, jumps_per_frame, random):
        path = np.empty((n_frames, where.shape[0], 3))
        for frame in range(n_frames):
            path[frame] = where
            for _ in range(jumps_per_frame):
                k = random.integers(0, empty.shape[0])
                j = random.integers(0, neighbour.shape[1])
                site = neighbour[empty[k], j]
                ion = ion_at[site]
                if ion >= 0:
                    where[ion] -= near[j]
                    ion_at[empty[k]] = ion
                    ion_at[site] = -1
                    empty[k] = site
        return path

    return run


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
    return _trajectory(
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


def phi4_lattice(
    *,
    cells: int = 10,
    n_frames: int = 4000,
    temperature: float = 2.4,
    on_site: float = 4.0,
    coupling: float = 1.0,
    friction: float = 0.05,
    timestep: float = 0.02,
    every: int = 20,
    relax: int = 10000,
    lattice_parameter: float = 8.0,
    seed: int = 0,
) -> Trajectory:
    """Ions "A" of mass 1 on a simple cubic lattice that move along z, with a soft mode at q = 0, in lj units.

    H = sum_i [p_i^2 / 2 - A z_i^2 / 2 + A z_i^4 / 4] + (C / 2) sum_<ij> (z_i - z_j)^2, A = on_site, C = coupling, in a Langevin
    thermostat of the stated friction. Orders below T_c: 1.94 for A = 4, C = 1 (10 cells, reference/science.md D4). For A = 0.25, C = 1 the
    cumulant of 10 cells has its value of the Ising model at 1.34, that of 14 at 1.35; cumulants of 6 and 14 cells cross at 1.41 +- 0.02, where
    they are 0.34. Limits k_B T_c = 1.3189 C (A << C, displacive) and 4.5115 C (A >> C, Ising).
    Leapfrog with BAOA's splitting, `every` steps a frame, momenta half a step ahead; the first `relax` steps are not kept.
    """
    sites, _, _ = lattice_sites("sc", cells)
    z, p = _phi4_steps()(
        cells, n_frames, every, relax, temperature, on_site, coupling, friction, timestep, np.random.default_rng(seed)
    )  # (frame, x, y, z of the lattice)
    path = np.repeat((sites * lattice_parameter)[None], n_frames, axis=0).astype(np.float64)
    velocities = np.zeros_like(path)
    order = np.ravel_multi_index(np.rint(sites).astype(int).T, (cells,) * 3)
    path[:, :, 2] += z.reshape(n_frames, -1)[:, order]
    velocities[:, :, 2] = p.reshape(n_frames, -1)[:, order]
    return _trajectory(
        path,
        velocities=velocities,
        length=cells * lattice_parameter,
        frame_interval=every * timestep,
        source="phi4_lattice",
        species=np.full(len(sites), "A"),
        masses=np.ones(len(sites)),
        temperature=temperature,
        reduced=True,
    )


@functools.cache
def _phi4_steps() -> Any:
    """Compiled steps on the periodic lattice: kick, half a drift, friction and noise, half a drift."""
    import numba

    @numba.njit(fastmath=True)
    def run(n: int, frames: int, every: int, relax: int, t: float, a: float, c: float, g: float, dt: float, random: Any) -> Any:
        z, p = np.zeros((n, n, n)), np.empty((n, n, n))
        before, after = (np.arange(n) - 1) % n, (np.arange(n) + 1) % n
        for i in range(n):
            for j in range(n):
                for k in range(n):
                    p[i, j, k] = np.sqrt(t) * random.normal()
        path, momenta = np.empty((frames, n, n, n)), np.empty((frames, n, n, n))
        for step in range(-relax, frames * every):
            # friction that is strong at first brings the slow mode to equilibrium
            friction = g if step >= -relax // 2 else 20 * g
            damp = np.exp(-friction * dt)
            kick = np.sqrt(3 * t * (1 - damp**2))  # uniform noise of the right variance: thousands of kicks add up to a Gaussian
            for i in range(n):
                for j in range(n):
                    for k in range(n):
                        here = z[i, j, k]
                        near = (
                            z[before[i], j, k] + z[after[i], j, k] + z[i, before[j], k] + z[i, after[j], k] + z[i, j, before[k]] + z[i, j, after[k]]
                        )
                        p[i, j, k] += dt * (a * here - a * here**3 + c * (near - 6.0 * here))
            if step >= 0 and step % every == 0:
                path[step // every] = z
                momenta[step // every] = p
            for i in range(n):
                for j in range(n):
                    for k in range(n):
                        first = p[i, j, k]
                        last = damp * first + kick * (2 * random.random() - 1)
                        z[i, j, k] += 0.5 * dt * (first + last)
                        p[i, j, k] = last
        return path, momenta

    return run
