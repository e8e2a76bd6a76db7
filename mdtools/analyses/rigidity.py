"""How far the framework bends: its long displacement waves, from positions alone."""

from collections.abc import Sequence

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.folded import frames_in_frame
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.sampled import stride_within
from mdtools.errors import TrajectoryError
from mdtools.kernels.rigidity import displacement_waves as waves_of
from mdtools.trajectory import Trajectory

__all__ = ["displacement_waves"]

PHASES = 3e8  # of ions at these waves that are summed at most: frames are sampled evenly in longer runs
FARTHEST = 6  # |h|^2 of the shortest wave taken, h its indices in the simulation cell


@schema.recorded
def displacement_waves(
    traj: Trajectory, *, sublattice: Sequence[str] | str | None = None, windows: int = 8, reference: Sequence[str] | str | None = None
) -> xr.Dataset:
    """Covariance of the longest displacement waves of the framework, of which equipartition makes its shear modulus.

    A(k) = 1/N sum_i u_i exp(i k . R_i) of the displacements u_i of its ions from their mean places R_i over the run, at the wave
    vectors k of the cell with |h|^2 up to 6, of k and -k one. Scaled displacements times the mean cell: a cell that breathes does not count.

    sublattice : species taken; by default the framework that the trajectory declares, else all. Acoustic waves are common to all
        sublattices, but an ion that diffuses has no place R_i.
    windows : equal parts of the run, each with its own mean. reference : the lattice frame, as in `msd`. Of long runs frames are sampled
        evenly, as many as make 3e8 phases (8000 frames of 1000 ions); the stride is in the history.

    Returns `displacement_covariance` (window, wave, xyz, xyz2), the real part of <A_a A_b*> in angstrom^2; `wave_vector_xyz` (wave, xyz);
    `still_share`, the share of the squared displacement from R_i in the second half of the run in that of the first and second, near 1/2
    for ions that keep their places. Raises TrajectoryError, NotEnoughData. Source: reference/science.md A2 row 27, B10.

    >>> from mdtools import synthetic
    >>> bent = displacement_waves(synthetic.harmonic_crystal(cells=4, n_frames=200))
    >>> bent.sizes["wave"]
    40
    """
    who = "displacement_waves"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who)
    names = list(traj.framework) or traj.species_names if sublattice is None else [sublattice] if isinstance(sublattice, str) else list(sublattice)
    missing = [name for name in names if name not in traj.species_names]
    if missing:
        raise TrajectoryError(f"{traj.source} has no {', '.join(missing)}; its species are {', '.join(traj.species_names)}")
    atoms = np.flatnonzero(np.isin(traj.species, names))
    h = _indices()
    stride = stride_within(PHASES, float(len(atoms) * len(h)) * windows * length, length // 2, name="phases")
    part = slice(0, windows * length, stride)
    used = len(range(0, windows * length, stride))
    in_window = np.bincount(np.arange(0, windows * length, stride) // length, minlength=windows)
    mean = np.zeros((len(atoms), 3))
    for _, s in frames_in_frame(traj, reference, part):
        mean += s[:, atoms].sum(axis=0) / used
    cell = traj.mean_cell
    k = 2 * np.pi * h @ np.linalg.inv(cell).T
    places = (mean - np.floor(mean)) @ cell
    covariance = np.zeros((windows, len(h), 3, 3))
    halves = np.zeros(2)
    for some, s in frames_in_frame(traj, reference, part, bytes_per_frame=3 * 8 * 3 * len(atoms)):
        u = (s[:, atoms] - mean) @ cell
        np.add.at(halves, (some >= windows * length // 2).astype(int), np.sum(u**2, axis=(1, 2)))
        with jax.enable_x64(True):
            waves = np.asarray(waves_of(u, places, k))
        np.add.at(covariance, some // length, np.einsum("fwap,fwbp->fwab", waves, waves) / in_window[some // length][:, None, None, None])
    out = {
        **common(traj),
        "displacement_covariance": (("window", "wave", "xyz", "xyz2"), covariance),
        "wave_vector_xyz": (("wave", "xyz"), k),
        "n_framework": len(atoms),
        "still_share": halves[1] / halves.sum() if halves.sum() > 0 else 0.5,
        "lattice": (("cell_axis", "xyz"), cell),
        "window": window_starts(traj, windows),
        "wave": np.arange(len(h)),
        "cell_axis": ["a", "b", "c"],
        "xyz": ["x", "y", "z"],
        "xyz2": ["x", "y", "z"],
    }
    taken = traj.reference_path(reference)[1]
    found = {"reference": taken, "sublattice": names, "frames_unused": traj.n_frames - windows * length, "frame_stride": stride}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


def _indices() -> np.ndarray:
    """Indices (wave, 3) of the longest waves, one of h and -h, the longest wave first."""
    reach = int(np.sqrt(FARTHEST))
    h = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    half = h[len(h) // 2 + 1 :]
    half = half[np.sum(half**2, axis=1) <= FARTHEST]
    return half[np.argsort(np.sum(half**2, axis=1), kind="stable")]
