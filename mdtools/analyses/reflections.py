"""Bragg reflections of each species: which wave vectors are strongest, and the density waves there, averaged over stretches of time."""

from collections.abc import Sequence

import jax
import numpy as np

from mdtools.analyses.devices import block_bytes
from mdtools.kernels.reflections import density_on_grid, density_waves
from mdtools.trajectory import Trajectory

__all__ = ["amplitude_stride", "density_amplitudes"]

REFLECTIONS = 8
BLOCKS = 16
SAMPLED = 256  # frames of a stretch of time, at most, evenly spaced: its mean needs no more
# |q| in units of 2 pi (N/V)^(1/3). The strongest low reflections of the lattices lie between 0.87 (diamond) and 1.8 (fcc 220);
# longer waves relax slowly in a liquid, shorter ones are weak
NEAR, FAR = 0.6, 1.8


def amplitude_stride(traj: Trajectory) -> int:
    """From one frame to the next of those that an amplitude is the mean over."""
    return -(-_length(traj) // SAMPLED)


def _length(traj: Trajectory) -> int:
    """Frames of a stretch of time."""
    return traj.n_frames // min(BLOCKS, traj.n_frames // 2)


def density_amplitudes(traj: Trajectory, reference: Sequence[str] | str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index of each stretch (block,), amplitudes (block, species, reflection, part), |q| (species, reflection) in 1/angstrom."""
    path, _ = traj.as_scaled.reference_path(reference)
    length = _length(traj)
    n_blocks = traj.n_frames // length // 2 * 2
    amplitudes, wave_vectors = [], []
    for name in traj.species_names:
        atoms = traj.indices(name)
        miller = _strongest(traj, atoms, path, first=n_blocks // 2 * length)
        taken = (np.arange(n_blocks)[:, None] * length + np.arange(0, length, amplitude_stride(traj))).ravel()
        waves = np.empty((len(taken), len(miller), 2))
        block = int(np.clip(block_bytes() // (8 * 8 * len(atoms)), 1, len(waves)))
        for first in range(0, len(waves), block):
            frames = taken[np.minimum(np.arange(first, first + block), len(waves) - 1)]  # one shape: the last frame is repeated
            with jax.enable_x64(True):
                values = np.asarray(density_waves(_in_frame(traj, atoms, path, frames), miller))
            waves[first : first + block] = values[: len(waves) - first]
        amplitudes.append(waves.reshape(n_blocks, -1, len(miller), 2).mean(axis=1))
        wave_vectors.append(np.linalg.norm(2 * np.pi * miller @ np.linalg.inv(traj.mean_cell).T, axis=1))
    return np.arange(n_blocks), np.stack(amplitudes, axis=1), np.stack(wave_vectors)


def _in_frame(traj: Trajectory, atoms: np.ndarray, path: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Scaled coordinates (frame, atom, xyz) of some atoms in the frame of reference."""
    return np.asarray(traj.scaled_positions[frames])[:, atoms].astype(np.float64) - path[frames][:, None, :]


def _strongest(traj: Trajectory, atoms: np.ndarray, path: np.ndarray, *, first: int, sampled: int = 64) -> np.ndarray:
    """Indices h (reflection, 3) of the strongest waves of the density averaged over the first frames of the run."""
    unit = (len(atoms) / traj.volume) ** (1 / 3)
    cell = traj.mean_cell
    n = [max(4, int(np.ceil(5 * unit * edge))) for edge in np.linalg.norm(cell, axis=1)]
    density = np.zeros(n)
    for frame in np.unique(np.linspace(0, first - 1, min(sampled, first)).astype(int)):
        with jax.enable_x64(True):
            density += np.asarray(density_on_grid(_in_frame(traj, atoms, path, np.array([frame])), shape=(n[0], n[1], n[2])))
    strength = np.abs(np.fft.rfftn(density))
    miller = np.stack(np.meshgrid(*[np.fft.fftfreq(m, 1 / m) for m in n[:2]], np.arange(strength.shape[2]), indexing="ij"), axis=-1)
    q = np.linalg.norm(miller @ np.linalg.inv(cell).T, axis=-1) / unit
    # half of all wave vectors: h and -h are one wave
    h, k, m = miller[..., 0], miller[..., 1], miller[..., 2]
    half = (m > 0) | ((m == 0) & ((k > 0) | ((k == 0) & (h > 0))))
    allowed = np.flatnonzero(((q >= NEAR) & (q <= FAR) & half).ravel())
    order = allowed[np.argsort(-strength.ravel()[allowed], kind="stable")]
    return miller.reshape(-1, 3)[order[:REFLECTIONS]].astype(np.int64)
