"""Ions that hop on a lattice: by vacancies, or by knocking others on."""

import functools
from typing import Any

import numpy as np

from mdtools.synthetic.lattices import Lattice, lattice_sites, neighbour_table
from mdtools.synthetic.made import trajectory_of
from mdtools.trajectory import Trajectory

__all__ = ["interstitialcy", "vacancy_hopper"]


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
    neighbour = neighbour_table(sites, near, cells)
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
    return trajectory_of(
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
    return trajectory_of(
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
