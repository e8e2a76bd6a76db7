"""Density and current modes of each species, frame by frame in blocks, and window by window where there is no room for all."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mdtools import shares
from mdtools.analyses.devices import block_bytes, in_turn, pieces, platform, split
from mdtools.analyses.over_atoms import species_groups
from mdtools.analyses.wave_vectors import Rods, rods_in_parts
from mdtools.kernels.waves import modes_by_group
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["DensityModes"]

TILE = 256  # atoms of one species whose waves are in the cache of a processor together
FRAMES = 256  # that are sent to the device together, at most: two such blocks are under way
ABREAST = 64  # frames side by side on an accelerator; a processor takes them one by one


class DensityModes:
    """rho_s(q, t) or j_s(q, t) of a trajectory in a frame of reference, at whole indices of the cell of each frame.

    reference : as in `msd`; `taken` is what it came to. currents : sum v exp(i q . r) in place of sum exp(i q . r).
    """

    def __init__(self, traj: Trajectory, *, reference: Sequence[str] | str | None, currents: bool = False) -> None:
        # density lives in the cell of its own time: whatever rule makes displacements has no say
        self.traj = traj.as_scaled
        self.currents = currents
        self.quantities: tuple[Quantity, ...] = ("positions", "velocities") if currents else ("positions",)
        self.path, self.taken = self.traj.reference_path(reference)
        self.drift = self.traj.reference_path(reference, "velocities")[0] if currents else None
        self.n_groups = len(traj.species_names)
        self.components = 3 if currents else 1
        self.tiles = _tiles(species_groups(traj), self.n_groups)

    def over(self, indices: np.ndarray, *, windows: int, length: int, stretch: int | None = None) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """(window, which wave vectors, modes (group, component, q, frame)): as many wave vectors at a time as there is room for.

        Always equally many: the last one of all is repeated where there are fewer. stretch : frames that are visited at the start of
        each window of `length`, by default all.
        """
        seen = length if stretch is None else stretch
        room = block_bytes() // (6 * 16 * self.n_groups * self.components * seen)
        n_q = int(np.clip(room, 1, len(indices)))
        for which, rods in rods_in_parts(indices, n_q):
            for window in range(windows):
                yield window, which, self._within(slice(window * length, window * length + seen), rods)

    def _within(self, frames: slice, rods: Rods) -> np.ndarray:
        out = np.zeros((self.n_groups, self.components, len(rods.rod), frames.stop - frames.start), dtype=np.complex128)
        per_frame = 8 * (2 * 3 * len(self.quantities) * self.traj.n_atoms + 4 * self.n_groups * self.components * len(rods.rod))
        n_frames, alone = frames.stop - frames.start, platform() == "cpu"
        most = min(FRAMES, pieces(n_frames)[1] if alone else n_frames)  # every core of a processor makes frames of its own
        block = split(int(np.clip(block_bytes() // per_frame, 1, most)), n_frames)
        waves = (rods.rods, rods.rod, rods.along, rods.conjugate)
        options: dict[str, Any] = {"highest": rods.highest, "n_groups": self.n_groups, "shared": rods.shared}
        options["together"] = 1 if alone else ABREAST

        def of(visited: tuple[slice, tuple[np.ndarray, ...]]) -> Any:
            at, values = visited
            padded = np.minimum(np.arange(at.start, at.start + block), self.traj.n_frames - 1)
            v = None if self.drift is None else values[1].astype(np.float64) - self.drift[padded][:, None, :]
            return modes_by_group(values[0][:, :, rods.axes], self.path[padded][:, rods.axes], v, self.tiles, waves, **options)

        for (at, _), sums in in_turn(self.traj.over_frames(*self.quantities, block=block, within=frames, shared=True), of):
            here = slice(at.start - frames.start, at.stop - frames.start)
            out[..., here] = np.moveaxis(np.asarray(sums), 0, -1)[..., : at.stop - at.start]
        return shares.summed(out)


def _tiles(groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atoms of each tile, all of one group, 1 or 0 where an atom only fills it up, and the group: tiles of nearly equal filling."""
    sizes = np.bincount(groups, minlength=n_groups)
    width = max(-(-int(n) // -(-int(n) // TILE)) for n in sizes)
    members, weights, owners = [], [], []
    for group in range(n_groups):
        atoms = np.flatnonzero(groups == group)
        for first in range(0, len(atoms), width):
            some = atoms[first : first + width]
            members.append(np.pad(some, (0, width - len(some)), mode="edge"))
            weights.append(np.arange(width) < len(some))
            owners.append(group)
    return np.array(members), np.array(weights, dtype=np.float64), np.array(owners)
