"""Visit whole frames in blocks of one shape, and reduce each to the charge carried by the species."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mdtools import shares
from mdtools.analyses.devices import block_bytes, in_turn, split
from mdtools.analyses.over_atoms import frame_of, species_groups
from mdtools.kernels.current import charge_sums
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["block_of_frames", "charge_by_species", "in_windows"]


def block_of_frames(n_frames: int, n_atoms: int) -> int:
    """Frames in a block: about half a dozen float64 copies of them fit into what a block may take."""
    return int(np.clip(block_bytes() // (6 * 3 * 8 * n_atoms), 1, n_frames))


def charge_by_species(traj: Trajectory, quantity: Quantity, *, reference: Sequence[str] | str | None) -> tuple[np.ndarray, Any]:
    """sum_i q_i x_i of each species in each frame, (species, xyz, frame) float64, and the reference that was taken.

    x is the position (angstrom) or the velocity (angstrom/ps) in the frame of reference; charges in any of their forms.
    """
    charges = np.asarray(traj.charges, dtype=np.float64)
    of_frame = charges.shape == (traj.n_frames, traj.n_atoms)
    groups = species_groups(traj)
    members = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)
    cell, shift, taken = frame_of(traj, reference, quantity)
    block = split(block_of_frames(traj.n_frames, traj.n_atoms), traj.n_frames)

    def of(visited: tuple[slice, tuple[np.ndarray, ...]]) -> Any:
        frames, (values,) = visited
        at = np.minimum(np.arange(frames.start, frames.start + block), traj.n_frames - 1)  # the last block is padded
        return charge_sums(values, cell[at] if cell.ndim == 3 else cell, shift[at], charges[at] if of_frame else charges, members)

    total = np.zeros((members.shape[1], 3, traj.n_frames))
    for (frames, _), part in in_turn(traj.over_frames(quantity, block=block, shared=True), of, each_core=False):
        total[:, :, frames] = np.moveaxis(np.asarray(part)[: frames.stop - frames.start], 0, -1)
    return shares.summed(total), taken


def in_windows(series: np.ndarray, windows: int) -> np.ndarray:
    """(..., frame) cut into equal parts: (window, ..., frame). What is left over is not used."""
    length = series.shape[-1] // windows
    return np.moveaxis(series[..., : windows * length].reshape(*series.shape[:-1], windows, length), -2, 0)
