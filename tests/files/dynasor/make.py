"""What dynasor 2.5 says of a small crystal of springs: python make.py, with dynasor and ase installed. Writes modes.npz."""

import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.units import fs
from dynasor import ModeProjector, compute_spectral_energy_density, project_modes

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2])]
import lattices  # noqa: E402

MATRIX = np.diag([2, 1, 4])
N_FRAMES, INTERVAL = 40, 0.01
POINTS = np.array([[0.5, 0, 0.5], [0, 0, 0.25], [0.5, 0, -0.25]])


class Frame:
    def __init__(self, x, v):
        self.x, self.v = x, v

    def get_positions_as_array(self, _):
        return self.x

    def get_velocities_as_array(self, _):
        return self.v


class Run(list):
    """What dynasor asks of a trajectory, held in memory."""

    frame_step, has_velocities, has_positions, atomic_indices, _atomic_indices = 1, True, True, None, None


def main() -> None:
    crystal = lattices.crystal()
    run, _ = lattices.sampled(crystal, MATRIX, n_frames=N_FRAMES, frame_interval=INTERVAL, seed=8)
    ideal, basis, _, cell = lattices.supercell(crystal, MATRIX)
    symbols = np.array(crystal.symbols)
    primitive = Atoms(symbols, cell=crystal.cell, scaled_positions=crystal.scaled, masses=crystal.masses, pbc=True)
    large = Atoms(symbols[basis], positions=ideal, cell=cell, masses=crystal.masses[basis], pbc=True)
    positions, velocities = run.scaled_positions @ cell, np.asarray(run.velocities)
    frames = Run(Frame(x, v / 1000.0) for x, v in zip(positions, velocities, strict=True))  # angstrom/fs there
    frames.n_atoms, frames.cell = len(large), large.cell.array
    # q and -q, since dynasor keeps one sign of the frequency
    q = 2 * np.pi * np.concatenate([POINTS, -POINTS]) @ np.linalg.inv(crystal.cell).T
    omega, density = compute_spectral_energy_density(frames, large, primitive, q, 1000 * INTERVAL, partial=True)
    projector = ModeProjector(primitive, large, lattices.constants(ideal, cell, basis))
    coordinates, momenta, frequencies = [], [], []
    for point in POINTS:
        at = projector(point)
        coordinate, momentum = project_modes(frames, at.eigenmodes, large)
        coordinates.append(coordinate)
        momenta.append(momentum)
        frequencies.append(at.omegas)
    np.savez_compressed(
        HERE / "modes.npz",
        scaled_positions=run.scaled_positions,
        velocities=velocities,
        species=run.species,
        masses=run.masses,
        cell=cell,
        q=POINTS,
        mass_unit=1 / fs**2,  # of ASE's constants
        omega=omega,
        spectral_energy_density=density,
        coordinates=np.array(coordinates),
        momenta=np.array(momenta),
        frequencies=np.array(frequencies),
    )


main()
