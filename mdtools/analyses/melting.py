"""Every number from which it is judged whether a sublattice has melted, kept by window of time and block of ions."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.clustering import moved_together
from mdtools.analyses.devices import block_bytes
from mdtools.analyses.labels import common, lag_frames, lag_times
from mdtools.analyses.over_atoms import ion_groups
from mdtools.analyses.over_tiles import group_means
from mdtools.analyses.reflections import amplitude_stride, density_amplitudes
from mdtools.errors import NotEnoughData
from mdtools.kernels.melting import distance_shares, moments_and_overlap, neighbour_counts, stayed_within
from mdtools.trajectory import Trajectory

__all__ = ["melting_indicators", "neighbour_distance"]

ORIGINS = 64  # time origins in a window, at most
MULTIPLES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)  # of 2 pi / d, where the shape of the elastic part is kept
LATE = 3  # lags over which that is averaged
REACH, BINS = 1.6, 32  # neighbour distances over which displacements are counted, and their bins
SMOOTHING = 1.0  # ps, over which a position is smoothed before it is said to have moved


@schema.recorded
def melting_indicators(traj: Trajectory, *, windows: int = 4, ion_blocks: int = 8, reference: Sequence[str] | str | None = None) -> xr.Dataset:
    """Displacements, self-overlap, persistence and Bragg amplitudes of each species, for `detect_melting`.

    windows : equal parts of the time origins, which lie in the first half of the run; lags reach to the other half.
    ion_blocks : groups of ions of each species that follow one another in the file. A bootstrap draws windows and blocks.
    reference : the lattice frame, as in `msd`.

    Returns, by (window, species, ion_block, lag), dr the displacement in that frame and d the `neighbour_distance`:
    `msd` <dr^2>, `non_gaussian_parameter`, `self_overlap` <sin(k dr)/(k dr)> at k = 2 pi/d; `never_moved` (window, species,
    ion_block): fraction of ions that, smoothed over 1 ps, stayed within d/2 for half the run; `density_amplitude`
    (block, species, reflection, part): mean over a stretch of the run of 1/N sum_i exp(i q r_i), at the reflections that were
    strongest in its first half (`wave_vector`), so that its product between the two halves has no bias of selection; `late_overlap`
    (window, species, ion_block, wave_multiple): self-overlap at the longest lags, at multiples of k; `distance_share` (window, species, ion_block,
    r_reduced): share of the |dr| in a bin of |dr| / d, at the lag `distance_lag` where <dr^2> is nearest to d^2/2; (species), of the
    mean places over the first and the last eighth of the run: `moved_share`, ions that went farther than d/2, `moved_together`: how far those sit
    together, `moved_alike`: correlation of the displacements of neighbours, `moved_tensor` (species, xyz, xyz2).
    Raises TrajectoryError; NotEnoughData for a run of few frames or a species with fewer ions than blocks.
    Source: reference/science.md C3 (definitions), B5.

    >>> from mdtools import synthetic
    >>> walk = synthetic.brownian(n_atoms=16, n_frames=80, seed=1)
    >>> dict(melting_indicators(walk, reference="none").never_moved.sizes)
    {'window': 4, 'species': 2, 'ion_block': 8}
    """
    _enough(traj, windows, ion_blocks)
    half = traj.n_frames // 2
    part = half // windows
    stride = -(-part // ORIGINS)
    starts = np.arange(windows)[:, None] * part + np.arange(0, part, stride)[None, :]
    lags = lag_frames("log", longest=half, frame_interval=traj.frame_interval)[1:]
    distance = np.array([neighbour_distance(traj, name) for name in traj.species_names])
    shared: dict[str, Any] = {"groups": ion_groups(traj, ion_blocks), "reference": reference}
    moments, taken = _over_pairs(moments_and_overlap, traj, starts, lags, 2 * np.pi / distance, shared)
    square, fourth, overlap = _by_species(moments[0], len(distance), ion_blocks)
    never, width = _never_moved(traj, windows, distance, shared)
    shape = _late_overlap(traj, starts, lags, distance, ion_blocks, shared)
    counts, when = _distances(traj, starts, lags, square, distance, shared)
    moved = moved_together(traj, distance, reference)
    blocks, amplitude, length = density_amplitudes(traj, reference)
    dims = ("window", "species", "ion_block", "lag")
    out = {
        **common(traj),
        "msd": (dims, square),
        "non_gaussian_parameter": (dims, _alpha_2(square, fourth)),
        "self_overlap": (dims, overlap),
        "never_moved": (dims[:3], never),
        "late_overlap": ((*dims[:3], "wave_multiple"), shape),
        "distance_share": ((*dims[:3], "r_reduced"), counts),
        "distance_lag": ("species", lag_times(when, traj.frame_interval)),
        "moved_share": ("species", moved.share),
        "moved_together": ("species", moved.together),
        "moved_alike": ("species", moved.alike),
        "moved_tensor": (("species", "xyz", "xyz2"), moved.tensor),
        "neighbour_distance": ("species", distance),
        "framework": ("species", np.isin(traj.species_names, traj.framework).astype(int)),
        "density_amplitude": (("block", "species", "reflection", "part"), amplitude),
        "wave_vector": (("species", "reflection"), length),
        "window": traj.time[starts[:, 0]],
        "ion_block": np.arange(ion_blocks),
        "lag": lag_times(lags, traj.frame_interval),
        "wave_multiple": np.array(MULTIPLES),
        "r_reduced": (np.arange(BINS) + 0.5) * REACH / BINS,
        "xyz": ["x", "y", "z"],
        "xyz2": ["x", "y", "z"],
        "block": blocks,
        "reflection": np.arange(amplitude.shape[2]),
        "part": ["real", "imaginary"],
    }
    found = {"reference": taken, "origin_stride": stride, "smoothing": width * traj.frame_interval}
    found["amplitude_stride"] = amplitude_stride(traj)
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


def _over_pairs(
    kernel: Any, traj: Trajectory, starts: np.ndarray, lags: np.ndarray, more: np.ndarray, shared: dict[str, Any]
) -> tuple[np.ndarray, Any]:
    """`group_means` of a kernel that sees the frames at the origins and a lag later, and no others."""
    ends = starts + np.asarray(lags)[:, None, None]
    frames = np.unique(np.concatenate([starts.ravel(), ends.ravel()]))
    return group_means(kernel, traj, frames=frames, arguments=(np.searchsorted(frames, starts), np.searchsorted(frames, ends), more), **shared)


def _late_overlap(
    traj: Trajectory, starts: np.ndarray, lags: np.ndarray, distance: np.ndarray, ion_blocks: int, shared: dict[str, Any]
) -> np.ndarray:
    """Self-overlap (window, species, ion_block, multiple) over the latest lags at multiples of 2 pi / d: the shape of what stays elastic."""
    waves = (2 * np.pi / distance)[:, None] * np.array(MULTIPLES)
    moments, _ = _over_pairs(moments_and_overlap, traj, starts[:, ::4], lags[-LATE:], waves.ravel(), shared)
    values = moments[0][:, :, 2:].mean(axis=-1).reshape(len(distance), ion_blocks, len(starts), len(distance), len(MULTIPLES))
    return np.stack([values[k, :, :, k] for k in range(len(distance))]).transpose(2, 0, 1, 3)


def _distances(
    traj: Trajectory, starts: np.ndarray, lags: np.ndarray, square: np.ndarray, distance: np.ndarray, shared: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """(window, species, ion_block, bin) shares of the displacements by length, and the lag in frames of each species: <dr^2> = d^2/2."""
    mean = np.maximum(square.mean(axis=(0, 2)), 1e-12)
    chosen = lags[np.argmin(np.abs(np.log(mean / (distance[:, None] ** 2 / 2))), axis=1)]
    edges = distance[:, None] * np.linspace(0.0, REACH, BINS + 1)[None, :]
    values, _ = _over_pairs(distance_shares, traj, starts, chosen, edges, shared)
    by_choice = values[0].reshape(len(distance), -1, len(starts), len(distance), BINS)
    return np.stack([by_choice[k, :, :, k] for k in range(len(distance))]).transpose(2, 0, 1, 3), chosen


def _enough(traj: Trajectory, windows: int, ion_blocks: int) -> None:
    if windows < 1 or ion_blocks < 1:
        raise ValueError("windows and ion_blocks must be at least 1")
    if traj.n_frames < 8 * windows:
        raise NotEnoughData(
            f"melting_indicators needs 8 frames for each window of time origins; {traj.source} has {traj.n_frames} frames for windows={windows}: "
            + (f"pass windows={traj.n_frames // 8}" if traj.n_frames >= 8 else "give a longer run")
        )
    few = {name: len(traj.indices(name)) for name in traj.species_names if len(traj.indices(name)) < ion_blocks}
    if few:
        raise NotEnoughData(
            f"melting_indicators needs an ion of every species in each of ion_blocks={ion_blocks}; {traj.source} has "
            + ", ".join(f"{name} {n}" for name, n in few.items())
            + f": pass ion_blocks={min(few.values())}, or select the other species"
        )


def _by_species(moments: np.ndarray, n_species: int, ion_blocks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(group, window, moment, lag) -> <r^2>, <r^4> and the overlap at the species' own k, each (window, species, ion_block, lag)."""
    values = moments.reshape(n_species, ion_blocks, *moments.shape[1:])
    overlap = np.stack([values[k, :, :, 2 + k] for k in range(n_species)])
    return tuple(x.transpose(2, 0, 1, 3) for x in (values[:, :, :, 0], values[:, :, :, 1], overlap))  # type: ignore[return-value]


def _alpha_2(square: np.ndarray, fourth: np.ndarray) -> np.ndarray:
    """3 <r^4> / (5 <r^2>^2) - 1, and 0 where nothing moved."""
    return 0.6 * np.divide(fourth, square**2, out=np.full_like(fourth, 5 / 3), where=square > 0) - 1.0


def _never_moved(traj: Trajectory, windows: int, distance: np.ndarray, shared: dict[str, Any]) -> tuple[np.ndarray, int]:
    """(window, species, ion_block) fraction that stayed, and the frames over which positions were smoothed."""
    width = max(1, min(round(SMOOTHING / traj.frame_interval), traj.n_frames // (4 * windows)))
    reach = traj.n_frames // width // 2
    part = reach // windows
    starts = np.arange(windows)[:, None] * part + np.arange(0, part, -(-part // 8))[None, :]
    options = {"width": width, "reach": reach}
    values, _ = group_means(stayed_within, traj, arguments=(starts, distance / 2), options=options, **shared)
    n_species = len(distance)
    by_radius = values[0].reshape(n_species, -1, windows, n_species)
    return np.stack([by_radius[k, :, :, k] for k in range(n_species)]).transpose(2, 0, 1), width


def neighbour_distance(traj: Trajectory, name: str, *, frames: int = 32, centres: int = 128, bins: int = 400) -> float:
    """First peak of g(r) within a species, angstrom: histogram over sampled frames, smoothed, its first high maximum.

    A maximum counts when it reaches half the highest; below r = 2 (V/N)^(1/3), where every lattice has its first shell.
    """
    atoms = traj.indices(name)
    chosen = np.unique(np.linspace(0, traj.n_frames - 1, frames).astype(int))
    spacing = (traj.volume / len(atoms)) ** (1 / 3)
    cell = np.asarray(traj.cell[chosen], dtype=np.float64)
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=1).max(axis=0)
    near = 2 * spacing < heights.min() / 2
    images = np.zeros((1, 3)) if near else np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    middle = np.unique(np.linspace(0, len(atoms) - 1, min(centres, len(atoms))).astype(int))
    middle = middle[: max(1, block_bytes() // (12 * 8 * len(atoms) * len(images)))]
    positions = np.stack([np.asarray(traj.scaled_positions[int(k)])[atoms] for k in chosen])
    with jax.enable_x64(True):
        counts = np.asarray(neighbour_counts(positions, cell, middle, images, np.float64(2 * spacing), bins=bins))
    return first_peak(counts, 2 * spacing)


def first_peak(counts: np.ndarray, r_max: float) -> float:
    """Place of the first maximum of a histogram of distances over r^2, smoothed, that reaches half the highest one."""
    width = r_max / len(counts)
    r = (np.arange(len(counts)) + 0.5) * width
    density = np.where(r < 0.1 * r_max, 0.0, counts) / r**2  # an ion and itself are no pair
    reach = np.arange(-40, 41) * 1.0
    weights = np.exp(-0.5 * (reach / 10.0) ** 2)
    smooth = np.convolve(density, weights / weights.sum(), mode="same")
    inner = smooth[1:-1]
    tops = 1 + np.flatnonzero((inner > smooth[:-2]) & (inner >= smooth[2:]) & (inner >= 0.5 * smooth.max()))
    at = int(tops[0]) if len(tops) else int(np.argmax(smooth))
    return float(r[at])
