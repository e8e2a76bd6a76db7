"""A crystal of springs whose supercell is diagonalised in real space, without Fourier: the exact model of the harmonic layer."""

import numpy as np

from mdtools.harmonic.crystal import Crystal
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

STIFF, SOFT, REACH = 4.0, 0.7, 4.0  # along and across a bond, eV/angstrom^2; bonds up to this length, angstrom


def crystal():
    """A triclinic cell of three atoms without inversion, so that eigenvectors are complex and no mode is degenerate by symmetry."""
    cell = np.array([[3.1, 0.2, -0.1], [0.5, 3.4, 0.3], [-0.2, 0.6, 3.8]])
    return Crystal(cell, np.array([[0.02, 0.05, 0.01], [0.45, 0.30, 0.62], [0.75, 0.70, 0.21]]), ("Ca", "F", "F"), np.array([40.0, 19.0, 19.0]))


def supercell(primitive, matrix):
    """Positions (atom, 3) in angstrom, basis atom and lattice vector of each, and the cell."""
    matrix = np.asarray(matrix)
    inverse = np.linalg.inv(matrix)
    most = np.abs(matrix).sum(axis=0).max() + 1
    grid = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = grid @ inverse
    lattice = grid[np.all((inside > -1e-9) & (inside < 1 - 1e-9), axis=1)]
    assert len(lattice) == abs(round(np.linalg.det(matrix)))
    basis = np.tile(np.arange(len(primitive.symbols)), len(lattice))
    lattice = np.repeat(lattice, len(primitive.symbols), axis=0)
    return (primitive.scaled[basis] + lattice) @ primitive.cell, basis, lattice, matrix @ primitive.cell


def constants(positions, cell, basis):
    """Force constants (atom, atom, 3, 3) of springs between all images within reach, stronger between unlike atoms."""
    n = len(positions)
    images = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ cell
    out = np.zeros((n, n, 3, 3))
    for a in range(n):
        apart = positions[None] + images[:, None] - positions[a]
        distance = np.linalg.norm(apart, axis=-1)
        for image, b in zip(*np.nonzero((distance > 1e-6) & (distance < REACH)), strict=True):
            along = apart[image, b] / distance[image, b]
            strength = np.exp(1.5 * (2.0 - distance[image, b])) * (1.0 if basis[a] == basis[b] else 1.3)
            spring = strength * (STIFF * np.outer(along, along) + SOFT * (np.eye(3) - np.outer(along, along)))
            out[a, b] -= spring
            out[a, a] += spring
    return out


def sampled(primitive, matrix, *, n_frames, frame_interval, temperature=300.0, seed=0, turned=None, order=None):
    """A canonical draw of all modes of the supercell, drift left out, and its frequencies in THz (3 N, ascending)."""
    positions, basis, _, cell = supercell(primitive, matrix)
    mass = primitive.masses[basis]
    fc = constants(positions, cell, basis)
    dynamical = (fc / np.sqrt(mass[:, None] * mass)[..., None, None]).transpose(0, 2, 1, 3).reshape(3 * len(mass), -1)
    square, vectors = np.linalg.eigh((dynamical + dynamical.T) / 2)
    frequency = np.sqrt(np.maximum(square, 0) / KINETIC_TO_EV) / (2 * np.pi)
    w = 2 * np.pi * frequency[3:]
    random = np.random.default_rng(seed)
    amplitude = np.sqrt(2 * random.exponential(size=len(w)) * BOLTZMANN * temperature / KINETIC_TO_EV)
    angle = np.arange(n_frames)[:, None] * frame_interval * w + random.uniform(0, 2 * np.pi, len(w))
    shape = (vectors[:, 3:] / np.sqrt(np.repeat(mass, 3))[:, None]).T
    moved = (np.cos(angle) * (amplitude / w)) @ shape
    speed = (-np.sin(angle) * amplitude) @ shape
    path = positions + moved.reshape(n_frames, -1, 3)
    velocities = speed.reshape(n_frames, -1, 3)
    turn = np.eye(3) if turned is None else turned
    order = np.arange(len(mass)) if order is None else order
    run = Trajectory(
        scaled_positions=(path @ np.linalg.inv(cell))[:, order],
        cell=np.broadcast_to(cell @ turn, (n_frames, 3, 3)),
        time=np.arange(n_frames) * frame_interval,
        velocities=(velocities @ turn)[:, order],
        species=np.array(primitive.symbols)[basis][order],
        masses=mass[order],
        temperature=temperature,
        source="springs",
    )
    return run, frequency
