"""A run as a supercell of a primitive cell: which atom sits where, and its motion along wave vectors."""

import re
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from mdtools.analyses.devices import block_bytes, chosen, in_turn, platform, split
from mdtools.analyses.over_atoms import frame_of
from mdtools.analyses.over_frames import block_of_frames
from mdtools.analyses.turning import Rooms, turned
from mdtools.errors import TrajectoryError
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.mapping import SiteMap, mapped
from mdtools.kernels.lattice_modes import cell_sums
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["mapping_of", "mass_weighted", "projected", "symbols_of", "told", "waves_at_once", "waves_of"]

FRAMES = 64  # visited together: few enough for the cache of a processor
PARTS = 16  # of the run, whose mean positions are compared with the sites


def symbols_of(traj: Trajectory, crystal: Crystal) -> np.ndarray:
    """Chemical symbol of each atom: its label, or the symbol that the label starts with ("Li_tet", "Ti1")."""
    known = set(crystal.symbols)

    def symbol(label: str) -> str:
        if label in known:
            return label
        start = re.match(r"[A-Z][a-z]?(?![a-z])", label)
        return start[0] if start else label

    of = {label: symbol(label) for label in traj.species_names}
    return np.array([of[label] for label in traj.species.tolist()])


def mapping_of(traj: Trajectory, crystal: Crystal) -> SiteMap:
    """Sites of the atoms in the primitive cell, by their mean positions over parts of the run, the framework (else the barycentre) at rest."""
    n_parts = min(PARTS, traj.n_frames)
    of_frame = np.minimum(np.arange(traj.n_frames) * n_parts // traj.n_frames, n_parts - 1)
    total = np.zeros((n_parts, traj.n_atoms, 3))
    for frames, (values,) in traj.over_frames("positions", block=min(FRAMES, block_of_frames(traj.n_frames, traj.n_atoms))):
        for part in np.unique(of_frame[frames]).tolist():
            first, last = np.searchsorted(of_frame[frames], [part, part + 1])
            total[part] += values[first:last].reshape(last - first, -1).sum(axis=0, dtype=np.float64).reshape(-1, 3)  # fast in two dimensions
    parts = total / np.bincount(of_frame)[:, None, None]
    steady = np.isin(traj.species, traj.framework) if traj.framework else traj.masses
    drift = np.average(parts, axis=1, weights=steady)
    parts -= (drift - drift[0])[:, None]
    return mapped(parts, traj.mean_cell, traj.species, symbols_of(traj, crystal), crystal, source=traj.source)


def told(mapping: SiteMap, crystal: Crystal) -> dict[str, object]:
    """What the history says of a mapping."""
    return {
        "supercell": mapping.matrix.tolist(),
        "primitive_cell": crystal.source,
        "turned_by": float(np.degrees(np.arccos(np.clip((np.trace(mapping.rotation) * np.linalg.det(mapping.rotation) - 1) / 2, -1, 1)))),
        "furthest_from_site": mapping.furthest,
        "dropped": mapping.dropped,
    }


def waves_at_once(traj: Trajectory, mapping: SiteMap, n_waves: int) -> int:
    """Wave vectors whose sums over cells fit into what a block may take."""
    return int(np.clip(block_bytes() // (4 * 16 * 3 * len(mapping.kept) * traj.n_frames), 1, n_waves))


def waves_of(
    traj: Trajectory, quantity: Quantity, mapping: SiteMap, q: np.ndarray, *, reference: Sequence[str] | str | None
) -> tuple[np.ndarray, Any]:
    """X = sum_l x_lj exp(-2 pi i q . n_l) of each site j, (q, basis, xyz, frame) complex, and the reference that was taken.

    x : displacement from the site, or velocity, of the atom of site j in the cell with lattice vector n_l. q : (q, 3) in
    reciprocal vectors of the primitive cell.
    """
    cell, shift, taken = frame_of(traj, reference, quantity)
    sites = None
    if quantity == "positions":
        shift = shift - shift.mean(axis=0)
        sites = mapping.sites[mapping.members]
        if traj.unwrap == "tor":
            raise TrajectoryError("displacements from sites need unwrap='scaled' or 'lattice', since summed steps wander off; read the run so")
    angle = 2 * np.pi * np.einsum("bcx,qx->bqc", mapping.cells, q)
    phases = np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)
    members = None if np.array_equal(mapping.members.ravel(), np.arange(traj.n_atoms)) else mapping.members
    same = _Constants((sites, members, phases))
    rooms = Rooms()

    def of(visited: tuple[slice, tuple[np.ndarray, ...]]) -> Any:
        frames, (values,) = visited
        at = np.minimum(np.arange(frames.start, frames.start + len(values)), traj.n_frames - 1)  # the last block is padded
        sites, members, phases = same.here()
        return cell_sums(turned(values, rooms), sites, cell[at] if cell.ndim == 3 else cell, shift[at], members, phases)

    block = block_of_frames(traj.n_frames, traj.n_atoms)
    block = min(FRAMES, block) if platform() == "cpu" else split(block, traj.n_frames)  # few enough for the cache of a processor
    out = np.empty((2, len(q), len(mapping.kept), 3, traj.n_frames))
    for (frames, _), part in in_turn(traj.over_frames(quantity, block=block), of):
        out[..., frames] = np.asarray(part).reshape(2, len(q), len(mapping.kept), 3, -1)[..., : frames.stop - frames.start]
    return out[0] + 1j * out[1], taken


class _Constants:
    """Arrays that every block needs, sent once to each device."""

    def __init__(self, arrays: tuple[np.ndarray | None, ...]) -> None:
        self.arrays = arrays
        self.held: dict[Any, tuple[Any, ...]] = {}

    def here(self) -> tuple[Any, ...]:
        place = chosen()
        if place not in self.held:
            self.held[place] = tuple(jax.device_put(self.arrays))
        return self.held[place]


def mass_weighted(waves: np.ndarray, traj: Trajectory, mapping: SiteMap) -> np.ndarray:
    """sqrt(m_j / N) X of (basis, xyz, frame), with the mass of the run's own atoms."""
    assert traj.masses is not None
    mass = traj.masses[mapping.members].mean(axis=1)
    return np.asarray(np.sqrt(mass / mapping.n_cells)[:, None, None] * waves)


def projected(weighted: np.ndarray, vectors: np.ndarray, q: np.ndarray, mapping: SiteMap, crystal: Crystal) -> np.ndarray:
    """(mode, frame): conjugate eigenvectors (mode, basis, xyz), turned into the axes of the run, with the phase of each atom within its cell."""
    phase = np.exp(-2j * np.pi * crystal.scaled[mapping.kept] @ q)
    kept = (vectors[:, mapping.kept] @ mapping.rotation).conj() * phase[:, None]
    return np.asarray(kept.reshape(len(kept), -1) @ weighted.reshape(-1, weighted.shape[-1]))
