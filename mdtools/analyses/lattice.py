"""The lattice that ions are counted on: the unit cell that the framework repeats, and the sites of each species in it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from mdtools.analyses.folded import repeats, sites
from mdtools.errors import TrajectoryError
from mdtools.harmonic.primitive_cell import crystal_of
from mdtools.trajectory import Trajectory

__all__ = ["Lattice", "lattice_of", "unit_repeat"]

SAMPLED = 64  # frames of which mean positions are taken
PROBES = 256  # ions whose translated places are looked up
ALIKE = 0.9  # share of them that must land on an ion
NEAR = 0.25  # of (V/N)^(1/3): how near


@dataclass(frozen=True)
class Lattice:
    """Sites of one species.

    repeat : unit cells along each vector of the simulation cell. cell : (3, 3) vectors of the unit cell. sites : (site, 3) in them.
    """

    repeat: np.ndarray
    cell: np.ndarray
    sites: np.ndarray

    @property
    def n_sites(self) -> int:
        return len(self.sites) * int(self.repeat.prod())

    @functools.cached_property
    def spacing(self) -> float:
        """Distance of the two sites that are nearest to each other, their images included, in angstrom."""
        distance, _ = self._images(2).query(self.sites @ self.cell, k=8)
        return float(distance[distance > 1e-6].min())  # not the site itself, nor one in the same place

    @property
    def far(self) -> int:
        """R of the addresses in `kernels.sites`: as large as 64 bits allow, so that no ion ever leaves the R^3 unit cells about the first."""
        return int((2**62 / len(self.sites)) ** (1 / 3))

    def place(self, address: np.ndarray) -> np.ndarray:
        """Where the site of an address is, unwrapped, in angstrom."""
        cells, number = np.divmod(address, len(self.sites))
        axes = []
        for _ in range(3):
            axes.append((cells + self.far // 2) % self.far - self.far // 2)
            cells = (cells - axes[-1]) // self.far
        return np.asarray((self.sites[number] + np.stack(axes[::-1], axis=-1)) @ self.cell)

    def candidates(self, edge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """points (point, 3), the parts of their addresses (point, 4), and near (x, y, z, candidate), as `kernels.sites.nearest_site` takes them.

        A voxel at most `edge` wide: no place in it has a nearest site that is farther from its middle than the middle's nearest and a diagonal.
        """
        height = 1 / np.linalg.norm(np.linalg.inv(self.cell), axis=0)
        shape = np.maximum(1, np.ceil(np.linalg.norm(self.cell, axis=1) / edge)).astype(int)
        middle = (np.stack(np.meshgrid(*[np.arange(m) for m in shape], indexing="ij"), axis=-1).reshape(-1, 3) + 0.5) / shape
        corner = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1], indexing="ij"), axis=-1).reshape(-1, 3) / (2 * shape)
        half = np.linalg.norm(corner @ self.cell, axis=1).max()
        reach = self._emptiest(middle) + 2 * half
        many = np.ceil(reach / height).astype(int)
        shifts = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in many], indexing="ij"), axis=-1).reshape(-1, 3)
        points = (self.sites[:, None] + shifts).reshape(-1, 3)
        address = np.concatenate([np.repeat(np.arange(len(self.sites)), len(shifts))[:, None], np.tile(shifts, (len(self.sites), 1))], axis=1)
        kept = np.all((points > -reach / height) & (points < 1 + reach / height), axis=1)
        points, address = points[kept], address[kept]
        tree = KDTree(points @ self.cell)
        radius = tree.query(middle @ self.cell)[0] + 2 * half
        lists = tree.query_ball_point(middle @ self.cell, radius * (1 + 1e-12), return_sorted=True)
        number = np.array([len(one) for one in lists])
        most = int(number.max())
        kth = np.minimum(np.arange(most), number[:, None] - 1)  # the last again where there are fewer
        near = np.concatenate(lists)[(np.cumsum(number) - number)[:, None] + kth].astype(np.int64)
        return points, address.astype(np.int64), near.reshape(*shape, most)

    def _emptiest(self, places: np.ndarray) -> float:
        """An upper bound of the distance from any of some places to its nearest site."""
        return float(self._images(1).query(places @ self.cell)[0].max())

    def _images(self, many: int) -> KDTree:
        """The sites of the unit cell and of `many` unit cells around it on every side, for looking up neighbours."""
        shifts = np.stack(np.meshgrid(*[np.arange(-many, many + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        return KDTree((self.sites[:, None] + shifts).reshape(-1, 3) @ self.cell)


def lattice_of(traj: Trajectory, source: Any, repeat: Sequence[int] | None, reference: Sequence[str] | str | None) -> dict[str, Lattice]:
    """Sites of every species that has any: of "density" (its peaks), "first" (the first frame), "mean" (mean positions), or of a structure.

    A structure is the unit cell, as ase.Atoms or a file that ASE reads, in the orientation of the run and with its origin where the
    first frame of the run has it. Raises TrajectoryError, ValueError.
    """
    if source in ("density", "first", "mean"):
        n = unit_repeat(traj, reference) if repeat is None else repeats(repeat)
        if source == "density":
            found = sites(traj, n, reference)
        else:
            n = np.ones(3, dtype=int)
            places = _mean_positions(traj, reference, frames=1 if source == "first" else SAMPLED)
            found = [places[traj.indices(name)] % 1.0 for name in traj.species_names]
        cell = traj.mean_cell / n[:, None]
        return {name: Lattice(n, cell, one) for name, one in zip(traj.species_names, found, strict=True) if len(one)}
    crystal = crystal_of(source)
    ratio = traj.mean_cell @ np.linalg.inv(crystal.cell)
    n = np.rint(np.diag(ratio)).astype(int) if repeat is None else repeats(repeat)
    if n.min() < 1 or np.abs(ratio - np.diag(n)).max() > 0.1 * n.max():
        raise TrajectoryError(
            f"the unit cell of {crystal.source} does not repeat along the vectors of the cell of {traj.source} "
            f"(they are {np.array2string(ratio, precision=2)} times its own): give the unit cell in the run's orientation"
        )
    symbols = np.array(crystal.symbols)
    missing = [name for name in traj.species_names if not np.any(symbols == name)]
    if missing:
        raise TrajectoryError(f"{crystal.source} has no sites of {', '.join(missing)}; its species are {', '.join(sorted(set(symbols.tolist())))}")
    origin = traj.as_scaled.reference_path(reference)[0][0] * n  # of the frame of reference, in the first frame
    return {name: Lattice(n, traj.mean_cell / n[:, None], (crystal.scaled[symbols == name] - origin) % 1.0) for name in traj.species_names}


def unit_repeat(traj: Trajectory, reference: Sequence[str] | str | None = None) -> np.ndarray:
    """How often a unit cell fits along each cell vector: the largest fractions of it that move the mean framework onto itself.

    The framework is as declared, else the species that keeps its places best. At least nine in ten of its ions must land
    within a quarter of (V/N)^(1/3) of a place where an ion is.
    """
    places = _mean_positions(traj, reference)
    if traj.framework:
        chosen = np.flatnonzero(np.isin(traj.species, traj.framework))
    else:
        spread = _spread(traj, reference)
        chosen = traj.indices(min(traj.species_names, key=lambda name: float(spread[traj.indices(name)].mean())))
    still = places[chosen]
    probes = still[np.unique(np.linspace(0, len(still) - 1, min(PROBES, len(still))).astype(int))]
    spacing = (traj.volume / len(still)) ** (1 / 3)
    out = np.ones(3, dtype=int)
    for axis, edge in enumerate(np.linalg.norm(traj.mean_cell, axis=1)):
        for n in range(int(edge / (0.6 * spacing)), 1, -1):
            step = np.zeros(3)
            step[axis] = 1 / n
            if all(_share_on(probes + k * step, still, traj.mean_cell, NEAR * spacing) >= ALIKE for k in range(1, n)):
                out[axis] = n
                break
    return out


def _share_on(probes: np.ndarray, places: np.ndarray, cell: np.ndarray, reach: float) -> float:
    apart = probes[:, None, :] - places[None, :, :]
    return float((np.linalg.norm((apart - np.rint(apart)) @ cell, axis=-1).min(axis=1) < reach).mean())


def _sampled(traj: Trajectory, reference: Sequence[str] | str | None, frames: int) -> np.ndarray:
    chosen = np.unique(np.linspace(0, traj.n_frames - 1 if frames > 1 else 0, min(frames, traj.n_frames)).astype(int))
    path, _ = traj.as_scaled.reference_path(reference)
    return np.stack([np.asarray(traj.scaled_positions[int(k)], dtype=np.float64) - path[k] for k in chosen])


def _mean_positions(traj: Trajectory, reference: Sequence[str] | str | None, *, frames: int = SAMPLED) -> np.ndarray:
    """Mean scaled position (atom, 3) of each atom over some frames, in the frame of reference."""
    return np.asarray(_sampled(traj, reference, frames).mean(axis=0))


def _spread(traj: Trajectory, reference: Sequence[str] | str | None) -> np.ndarray:
    """Mean squared distance (atom,) of each atom from its mean position, angstrom^2."""
    s = _sampled(traj, reference, SAMPLED)
    return np.asarray(np.sum(((s - s.mean(axis=0)) @ traj.mean_cell) ** 2, axis=-1).mean(axis=0))
