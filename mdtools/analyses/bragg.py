"""Bragg reflections of each sublattice: its density waves at the reciprocal lattice, by window of time, and all that is scattered there."""

from collections.abc import Sequence

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.folded import frames_in_frame, repeats, site_frames, sites
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.errors import TrajectoryError
from mdtools.kernels.reflections import density_waves
from mdtools.trajectory import Trajectory

__all__ = ["bragg_reflections"]

MOST = 20000  # reflections
COPIES = 4  # of the waves of a block that are there at a time


@schema.recorded
def bragg_reflections(
    traj: Trajectory,
    *,
    windows: int = 8,
    repeat: Sequence[int] = (1, 1, 1),
    q_max: float | None = None,
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Density waves of each species at the reciprocal lattice, averaged in time as complex numbers, and the intensity before averaging.

    rho(G, t) = 1/N sum_i exp(i G . r_i(t)): a crystal keeps its phase, so that its mean stays (Bragg); a liquid does not, and the
    modulus of its mean falls with the length of the window. The indices hkl are fixed and the cell breathes under them.

    windows : the run is cut into this many equal parts, each with its own mean; their products tell order from what a finite time leaves.
    repeat : how often the unit cell fits along each cell vector: the reflections are those of the unit cell, h repeat of the run.
    q_max : largest |G| in 1/angstrom; by default 4 pi (N/V)^(1/3) of the densest species.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the framework that
        the trajectory declares, else the barycentre.

    Returns `density_amplitude` (window, species, reflection, part); `scattered_intensity` (window, species, reflection), N <|rho|^2> at
    each frame; `lattice_amplitude` (species, reflection, part), the wave of ions at rest on the peaks of the folded density;
    `miller` (reflection, cell_axis) and `wave_vector` (reflection). Of G and -G one is kept.
    Raises TrajectoryError, NotEnoughData, ValueError.
    Source: reference/science.md A1 rows 23, 24.

    >>> from mdtools import synthetic
    >>> crystal = synthetic.damped_oscillator(cells=3, n_frames=400)
    >>> bragg = bragg_reflections(crystal, repeat=(3, 3, 3), windows=4)
    >>> bool(np.hypot(*bragg.density_amplitude.mean("window").isel(species=0, reflection=0)) > 0.9)
    True
    """
    who = "bragg_reflections"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who)
    n = repeats(repeat)
    miller, q = _within(traj, n, q_max)
    indices = [traj.indices(name) for name in traj.species_names]
    amplitude = np.zeros((windows, len(indices), len(miller), 2))
    intensity = np.zeros((windows, len(indices), len(miller)))
    waves_of_frame = COPIES * 16 * len(miller)
    for some, s in frames_in_frame(traj, reference, slice(0, windows * length), bytes_per_frame=waves_of_frame):
        window = some // length
        for k, atoms in enumerate(indices):
            with jax.enable_x64(True):
                waves = np.asarray(density_waves(s[:, atoms], miller * n))
            np.add.at(amplitude[:, k], window, waves / length)
            np.add.at(intensity[:, k], window, len(atoms) * np.sum(waves**2, axis=-1) / length)
    with jax.enable_x64(True):
        still = np.stack([np.asarray(density_waves(one[None], miller))[0] for one in sites(traj, n, reference)])
    _, taken = traj.reference_path(reference)
    out = {
        **common(traj),
        "density_amplitude": (("window", "species", "reflection", "part"), amplitude),
        "scattered_intensity": (("window", "species", "reflection"), intensity),
        "lattice_amplitude": (("species", "reflection", "part"), still),
        "miller": (("reflection", "cell_axis"), miller),
        "wave_vector": ("reflection", q),
        "window": window_starts(traj, windows),
        "reflection": np.arange(len(miller)),
        "part": ["real", "imaginary"],
        "cell_axis": ["a", "b", "c"],
    }
    found = {"reference": taken, "q_max": float(q[-1]), "frames_unused": traj.n_frames - windows * length, "site_frames": len(site_frames(traj))}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


def _within(traj: Trajectory, n: np.ndarray, q_max: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Indices (reflection, 3) of the unit cell and |G|, ascending, one of G and -G."""
    densest = max(len(traj.indices(name)) for name in traj.species_names)
    reach = 4 * np.pi * (densest / traj.volume) ** (1 / 3) if q_max is None else float(q_max)
    reciprocal = 2 * np.pi * np.linalg.inv(traj.mean_cell / n[:, None]).T
    most = np.floor(reach * np.linalg.norm(traj.mean_cell / n[:, None], axis=1) / (2 * np.pi)).astype(int) if reach > 0 else np.zeros(3, int)
    if np.prod(2 * most + 1.0) > 4 * MOST:
        raise ValueError(
            f"there are about {np.prod(2 * most + 1.0) / 4:.0f} reflections up to q_max={reach:g} per angstrom, and {MOST} are taken at most: "
            f"pass repeat, how often the unit cell fits into this one (--repeat 3,3,3), or a smaller q_max"
        )
    h = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    half = h[np.lexsort(h.T[::-1])][len(h) // 2 + 1 :]  # lexicographic order puts -G as far before the middle as G lies behind it
    q = np.linalg.norm(half @ reciprocal, axis=1)
    order = np.argsort(q, kind="stable")
    order = order[q[order] <= reach * (1 + 1e-9)]
    if len(order) == 0:
        raise TrajectoryError(
            f"{traj.source}: no reflection of the unit cell has |G| up to {reach:g} per angstrom; the first is at "
            f"{np.linalg.norm(reciprocal, axis=1).min():.3g}: pass a larger q_max (--q-max)"
        )
    return half[order].astype(np.int64), q[order]
