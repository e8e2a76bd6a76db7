"""The phi^4 lattice, whose mode goes soft at a known temperature."""

import functools
from typing import Any

import numpy as np

from mdtools.synthetic.lattices import lattice_sites
from mdtools.synthetic.made import trajectory_of
from mdtools.trajectory import Trajectory

__all__ = ["phi4_lattice"]


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
    return trajectory_of(
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
