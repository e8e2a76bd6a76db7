"""What every visit to whole histories of atoms starts from: windows, blocks, groups and the frame of reference."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mdtools.analyses.devices import block_bytes
from mdtools.errors import NotEnoughData
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["block_of_atoms", "frame_of", "ion_groups", "species_groups", "window_length"]


def window_length(traj: Trajectory, windows: int, *, who: str, shortest: int = 2, besides: int = 0) -> int:
    """Frames in each of `windows` equal parts, and in so many more `besides` them, from which no time origin starts.

    Raises NotEnoughData where a part would be shorter than `shortest`.
    """
    length = traj.n_frames // (windows + besides) if windows > 0 else 0
    if length < shortest:
        fewest, most = shortest * (1 + besides), traj.n_frames // shortest - besides
        beside = f", and in {besides} part{'s' if besides > 1 else ''} more" if besides else ""
        given = f"{who} needs at least {shortest} frames in a window{beside}; {traj.source} has {traj.n_frames} frames for windows={windows}: "
        if most < 1:
            raise NotEnoughData(f"{given}give a longer run, of {fewest} frames or more")
        raise NotEnoughData(given + (f"pass windows={most} or fewer" if windows > 0 else f"pass windows=1 to {most} (--windows)"))
    return length


def block_of_atoms(n_frames: int, n_atoms: int) -> int:
    """Atoms in a block: about a dozen float64 copies of their paths (padded FFT included) fit into what a block may take."""
    return int(np.clip(block_bytes() // (12 * 3 * 8 * n_frames), 1, n_atoms))


def species_groups(traj: Trajectory) -> np.ndarray:
    """Group of each atom: the number of its species."""
    number = {name: k for k, name in enumerate(traj.species_names)}
    return np.array([number[name] for name in traj.species.tolist()])


def ion_groups(traj: Trajectory, ion_blocks: int) -> np.ndarray:
    """Group of each atom: its species, and within it a block of ions that follow one another (neighbours, in most files)."""
    groups = np.empty(traj.n_atoms, dtype=int)
    for k, name in enumerate(traj.species_names):
        atoms = traj.indices(name)
        groups[atoms] = k * ion_blocks + np.arange(len(atoms)) * ion_blocks // len(atoms)
    return groups


def frame_of(traj: Trajectory, reference: Sequence[str] | str | None, quantity: Quantity) -> tuple[np.ndarray, np.ndarray, Any]:
    """What makes a Cartesian path in a frame of reference: the cell, the shift (frame, xyz), and the reference taken."""
    path, taken = traj.reference_path(reference, quantity)
    if quantity == "velocities":
        return np.eye(3), path, taken
    cell = traj.dynamics_cell
    shift = np.einsum("ti,tij->tj", path, cell) if cell.ndim == 3 else path @ cell
    if traj.origin is not None and taken == "none" and traj.unwrap == "lattice":
        shift = shift - traj.origin
    return cell, shift, taken
