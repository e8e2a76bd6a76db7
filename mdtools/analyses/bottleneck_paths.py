"""Where bottlenecks are: neighbouring sites of a mobile species, and the ions of the framework about the middle of each path."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mdtools.analyses.folded import frames_in_frame
from mdtools.analyses.folded import sites as peaks
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["Paths", "paths_of"]

NEIGHBOURS = 1.2  # times the shortest distance between sites, up to which they are neighbours
CLEAR = 1.1  # times further than the corners of a window must the next ion be


@dataclasses.dataclass(frozen=True, eq=False)
class Paths:
    """sites (site, xyz), and for each bottleneck: its two sites, its corners (atoms) and the cell vectors by which each is moved.

    distance : mean length of a path, angstrom. axes : unit vectors along the paths (axis, xyz). next_corner : distance of the next ion of the
    framework from the middle of a path over that of the furthest corner, the least of all paths.
    """

    sites: np.ndarray
    ends: np.ndarray
    corners: np.ndarray
    images: np.ndarray
    distance: float
    axes: np.ndarray
    next_corner: float

    @property
    def n_sites(self) -> int:
        return len(self.sites)

    def numbers(self) -> np.ndarray:
        """(site, site) -> number of the bottleneck between them, or -1."""
        out = np.full((self.n_sites, self.n_sites), -1)
        out[self.ends[:, 0], self.ends[:, 1]] = out[self.ends[:, 1], self.ends[:, 0]] = np.arange(len(self.ends))
        return out


def paths_of(
    traj: Trajectory,
    mobile: str,
    corners: Sequence[str],
    number: int,
    n: np.ndarray,
    sites: str | None,
    path_length: float | None,
    reference: Any,
    *,
    who: str,
) -> Paths:
    """The bottlenecks of a run. Raises TrajectoryError where the windows have no clear corners, or sites are missing."""
    if number < 2:
        raise TrajectoryError(f"{who}: a window has two corners or more, and number={number}: pass number=3, or as many as it has (--number 3)")
    cell = traj.mean_cell
    place = _sites(traj, mobile, n, sites, reference, who=who)
    ends, vector = _neighbours(place, cell, path_length, who=who)
    middle = place[ends[:, 0]] + vector @ np.linalg.inv(cell) / 2
    atoms = np.flatnonzero(np.isin(traj.species, list(corners)))
    mean = _mean_structure(traj, reference)[atoms]
    if len(atoms) <= number:
        raise TrajectoryError(
            f"{who}: {len(atoms)} ions of {', '.join(corners)} make no windows of {number} corners: pass a smaller number= (--number), or the "
            "species that form the windows as corners= (--corners)"
        )
    apart = mean[None] - middle[:, None]
    image = -np.rint(apart)
    length = np.linalg.norm((apart + image) @ cell, axis=-1)
    order = np.argsort(length, axis=1, kind="stable")[:, : number + 1]
    sorted_length = np.take_along_axis(length, order, axis=1)
    clear = float((sorted_length[:, number] / sorted_length[:, number - 1]).min())
    if clear < CLEAR:
        worst = int(np.argmin(sorted_length[:, number] / sorted_length[:, number - 1]))
        counts = np.flatnonzero(sorted_length[worst, 1:] > CLEAR * sorted_length[worst, :-1]) + 1
        raise TrajectoryError(
            f"{who}: windows of {', '.join(corners)} have no clear {number} corners: the middle of a path is {sorted_length[worst, number - 1]:.3g} "
            f"angstrom from the last of them and {sorted_length[worst, number]:.3g} from the next ion; pass number="
            + (" or ".join(str(one) for one in counts if one > 1) or f"{number + 1} or more")
            + " (--number), or other corners"
        )
    chosen = order[:, :number]
    along = vector / np.linalg.norm(vector, axis=1, keepdims=True)
    along = np.unique(np.round(along * np.sign(along[np.arange(len(along)), np.argmax(np.abs(along), axis=1)])[:, None], 2), axis=0)
    return Paths(
        sites=place,
        ends=ends,
        corners=atoms[chosen],
        images=np.take_along_axis(image, chosen[:, :, None], axis=1),
        distance=float(np.linalg.norm(vector, axis=1).mean()),
        axes=along / np.linalg.norm(along, axis=1, keepdims=True),
        next_corner=clear,
    )


def _sites(traj: Trajectory, mobile: str, n: np.ndarray, text: str | None, reference: Any, *, who: str) -> np.ndarray:
    """Of the whole run (site, xyz): those given in the unit cell, or at the peaks of its density."""
    if text is None:
        folded = peaks(traj, n, reference)[traj.species_names.index(mobile)]
        wanted = round(len(traj.indices(mobile)) / int(n.prod()))
        if len(folded) < max(wanted, 1):
            raise NotEnoughData(
                f"{who}: the density of {mobile} has {len(folded)} peaks in the unit cell, and {wanted} sites are looked for: pass "
                "sites='0.25 0.25 0.25  ...' (--sites), in vectors of the unit cell, or repeat"
            )
    else:
        try:
            folded = np.array(str(text).replace(",", " ").split(), dtype=np.float64).reshape(-1, 3)
        except ValueError:
            folded = np.empty((0, 3))
        if len(folded) == 0:
            raise TrajectoryError(f"{who}: sites={text!r} is not understood; write three numbers a site, as '0.25 0.25 0.25  0.75 0.75 0.75'")
        # of a file's axes: the frame of reference has its origin in the mean of the species that is at rest
        path, _ = traj.as_scaled.reference_path(reference)
        folded = folded - path[0] * n
    steps = np.stack(np.meshgrid(*[np.arange(m) for m in n], indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return ((folded[None] + steps) / n).reshape(-1, 3) % 1.0


def _neighbours(place: np.ndarray, cell: np.ndarray, path_length: float | None, *, who: str) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of neighbouring sites (path, 2), each once, and the vector between them (angstrom)."""
    if len(place) < 2:
        raise TrajectoryError(f"{who}: one site has no neighbour; pass repeat, how often the unit cell fits into this one (--repeat 3,3,3)")
    apart = place[None] - place[:, None]
    vectors = (apart - np.rint(apart)) @ cell
    length = np.linalg.norm(vectors, axis=-1)
    np.fill_diagonal(length, np.inf)
    reach = NEIGHBOURS * float(length.min()) if path_length is None else path_length
    faces = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    if 2 * reach >= faces.min():
        raise TrajectoryError(
            f"{who}: sites within {reach:.3g} angstrom are neighbours, and faces of the cell {faces.min():.3g} angstrom apart: two sites may be "
            "neighbours through two images; pass a shorter path_length (--path-length), or give a larger cell"
        )
    first, second = np.nonzero(np.triu(length <= reach))
    if len(first) == 0:
        raise TrajectoryError(
            f"{who}: no two sites are within path_length={reach:g} angstrom; the nearest are {length.min():.3g} apart: "
            "pass a longer one (--path-length)"
        )
    return np.stack([first, second], axis=1), vectors[first, second]


def _mean_structure(traj: Trajectory, reference: Any) -> np.ndarray:
    """Mean scaled positions (atom, xyz), in the frame of reference."""
    total = np.zeros((traj.n_atoms, 3))
    for _, scaled in frames_in_frame(traj, reference, slice(None)):
        total += scaled.sum(axis=0)
    return total / traj.n_frames
