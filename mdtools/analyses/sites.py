"""Where ions sit and when they jump: occupation of lattice sites, and the list of jumps, with hysteresis."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.devices import in_turn, places
from mdtools.analyses.folded import frames_in_frame, site_frames
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.lattice import Lattice, lattice_of
from mdtools.analyses.over_atoms import ion_groups, window_length
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.kernels.sites import held, nearest_site
from mdtools.trajectory import Trajectory

__all__ = ["site_occupation"]

CORE = 0.4  # of the distance between neighbouring sites (reference/science.md B8)
VOXEL = 0.35  # of (V/N)^(1/3): edge of the voxels in which nearest sites are looked up
COPIES = 20  # of a frame's positions that each core makes at a time


@schema.recorded
def site_occupation(
    traj: Trajectory,
    *,
    sites: str | Any = "density",
    repeat: Sequence[int] | None = None,
    core: float = CORE,
    windows: int = 8,
    ion_blocks: int = 8,
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Occupation of the sites of each species, and every jump from one to another.

    An ion belongs to the site whose core it was in last: it changes its site only when it enters another core, so that rattling
    across a border is no jump. Places are in vectors of the cell, which breathes under them.

    sites : "density", peaks of the density folded into the unit cell, as many as there are ions; "first", the first frame; "mean", mean
        positions; or a unit cell (a POSCAR or cif; in Python also ase.Atoms) in the orientation of the run.
    repeat : how often that unit cell fits along each cell vector; found from the framework if not given.
    core : radius of a core, in units of the least distance between sites of the species.
    windows, ion_blocks : equal parts of the run, and groups of ions that follow one another, of which a bootstrap draws.
    reference : the lattice frame, as in `msd`.

    Returns `core_fraction`, `jump_count` (window, species, ion_block); `empty_sites`, those nearest to no ion, and `vacant_sites`,
    to which none belongs, as shares of all (window, species), with `empty_sites_variance` over frames; `n_sites`, `site_distance`,
    `core_radius` (species); `site_occupancy`, mean number of ions nearest to each site of the unit cell; of each jump, in the order of
    time, `jump_time`, when it entered the new core, `flight_time` since it was last in the old one, `jump_ion`, `jump_species`,
    `jump_from`, `jump_to` (sites of the unit cell) and `jump_vector` between the sites, in angstrom.
    Raises TrajectoryError; NotEnoughData for fewer than two frames in a window. Source: reference/science.md B8.

    >>> from mdtools import synthetic
    >>> found = site_occupation(synthetic.vacancy_hopper(cells=3, n_frames=64, jumps_per_frame=1), repeat=(3, 3, 3))
    >>> found.n_sites.item(), round(found.empty_sites.mean().item() * found.n_sites.item())
    (108, 1)
    """
    traj.need("scaled_positions", who="site_occupation")
    length = window_length(traj, windows, who="site_occupation")
    few = {name: len(traj.indices(name)) for name in traj.species_names if len(traj.indices(name)) < ion_blocks}
    if few:
        counts = ", ".join(f"{name} {n}" for name, n in few.items())
        raise NotEnoughData(
            f"site_occupation needs an ion of every species in each of ion_blocks={ion_blocks}; {traj.source} has {counts}: "
            f"pass ion_blocks={min(few.values())}"
        )
    if not 0 < core < 0.5:
        raise ValueError(f"core={core!r} is not between 0 and 0.5: two cores must not overlap")
    lattices = lattice_of(traj, sites, repeat, reference)
    without = [name for name in traj.species_names if name not in lattices]
    if without:
        raise TrajectoryError(f"no sites of {', '.join(without)} were found in {traj.source}: give a unit cell with sites=")
    tallies = [
        _Tally(lattices[name], core, ion_groups(traj, ion_blocks)[traj.indices(name)] % ion_blocks, windows, ion_blocks, length)
        for name in traj.species_names
    ]
    ions = [traj.indices(name) for name in traj.species_names]

    def of(visited: tuple[np.ndarray, np.ndarray]) -> list[_Nearest]:
        return [tally.nearest(visited[1][:, which]) for tally, which in zip(tallies, ions, strict=True)]

    visits = frames_in_frame(traj, reference, slice(0, windows * length), bytes_per_frame=(COPIES + 2) * len(places()) * 3 * 8 * traj.n_atoms)
    for (frames, _), found in in_turn(visits, of):
        for tally, nearest in zip(tallies, found, strict=True):
            tally.add(frames, nearest)
    out = _labelled(traj, tallies, windows, ion_blocks, reference)
    return schema.resolved(out, site_frames=len(site_frames(traj))) if sites == "density" else out


class _Nearest(NamedTuple):
    """Of each frame and ion: the address and the number of the nearest site, and whether the ion is in its core."""

    address: np.ndarray
    number: np.ndarray
    inside: np.ndarray


@dataclass
class _Tally:
    """What is counted of one species while frames go by."""

    lattice: Lattice
    core: float
    block_of: np.ndarray  # (ion,)
    windows: int
    ion_blocks: int
    length: int  # frames of a window
    jumps: list[dict[str, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.radius = self.core * self.lattice.spacing
        room = abs(np.linalg.det(self.lattice.cell)) / len(self.lattice.sites)
        self.tables = self.lattice.candidates(VOXEL * room ** (1 / 3))
        self.in_core = np.zeros((self.windows, self.ion_blocks))
        self.empty, self.empty_square, self.vacant = np.zeros((3, self.windows))
        self.visits = np.zeros(self.lattice.n_sites)
        self.share = np.equal.outer(self.block_of, np.arange(self.ion_blocks)) / np.bincount(self.block_of, minlength=self.ion_blocks)
        self.held: np.ndarray | None = None  # (2, ion) address and number of the site that each ion belongs to
        self.last: np.ndarray | None = None  # (ion,) frame when it was in its core last

    def nearest(self, s: np.ndarray) -> _Nearest:
        lattice = self.lattice
        address, number, distance = nearest_site(s, lattice.repeat, lattice.cell, *self.tables, n_sites=len(lattice.sites), far=lattice.far)
        return _Nearest(np.asarray(address), np.asarray(number), np.asarray(distance) < self.radius)

    def add(self, frames: np.ndarray, found: _Nearest) -> None:
        """Count frames that follow those before; what each ion kept from them is `held`."""
        if self.held is None or self.last is None:
            self.held, self.last = np.stack([found.address[0], found.number[0]]), np.full(len(self.block_of), frames[0])
        with jax.enable_x64(True):
            belongs, number, last = (np.asarray(one) for one in held(*found, self.held))
        last = np.where(last < 0, self.last, frames[0] + last)
        window = frames // self.length
        empty = self._empty(found.number)
        np.add.at(self.empty, window, empty / self.length)
        np.add.at(self.empty_square, window, empty**2 / self.length)
        np.add.at(self.vacant, window, self._empty(number) / self.length)
        np.add.at(self.in_core, window, found.inside @ self.share / self.length)
        self.visits += np.bincount(found.number.ravel(), minlength=len(self.visits))
        self._jumps(frames, belongs, last)
        self.held, self.last = np.stack([belongs[-1], number[-1]]), last[-1]

    def _empty(self, number: np.ndarray) -> np.ndarray:
        """Share of the sites of each frame that are the number of no ion."""
        seen = np.zeros((len(number), self.lattice.n_sites), dtype=bool)
        seen[np.arange(len(number))[:, None], number] = True
        return 1 - np.count_nonzero(seen, axis=1) / self.lattice.n_sites

    def _jumps(self, frames: np.ndarray, belongs: np.ndarray, last: np.ndarray) -> None:
        assert self.held is not None
        assert self.last is not None
        before = np.concatenate([self.held[:1], belongs[:-1]])
        left = np.concatenate([self.last[None], last[:-1]])
        at, ion = np.nonzero(before != belongs)
        old, new = before[at, ion], belongs[at, ion]
        self.jumps.append(
            {
                "frame": frames[at],
                "flight": frames[at] - left[at, ion],
                "ion": ion,
                "from": old % len(self.lattice.sites),
                "to": new % len(self.lattice.sites),
                "vector": self.lattice.place(new) - self.lattice.place(old),
            }
        )

    def occupancy(self) -> np.ndarray:
        """Mean number of ions nearest to each site of the unit cell."""
        by_cell = self.visits.reshape(-1, len(self.lattice.sites))
        return np.asarray(by_cell.sum(axis=0) / (self.windows * self.length * len(by_cell)))

    def counted(self) -> np.ndarray:
        """Jumps by (window, ion_block)."""
        out = np.zeros((self.windows, self.ion_blocks))
        for some in self.jumps:
            np.add.at(out, (some["frame"] // self.length, self.block_of[some["ion"]]), 1.0)
        return out


def _labelled(traj: Trajectory, tallies: list[_Tally], windows: int, ion_blocks: int, reference: Any) -> xr.Dataset:
    offset = np.cumsum([0, *(len(tally.lattice.sites) for tally in tallies)])
    keys = tallies[0].jumps[0] if tallies[0].jumps else {}
    jumps = {key: np.concatenate([some[key] for tally in tallies for some in tally.jumps]) for key in keys}
    species = np.concatenate([np.full(len(some["ion"]), k) for k, tally in enumerate(tallies) for some in tally.jumps])
    atom = np.concatenate([traj.indices(traj.species_names[k])[some["ion"]] for k, tally in enumerate(tallies) for some in tally.jumps])
    order = np.argsort(jumps["frame"], kind="stable")
    jumps, species, atom = {key: values[order] for key, values in jumps.items()}, species[order], atom[order]
    by_block = ("window", "species", "ion_block")
    out = {
        **common(traj),
        "core_fraction": (by_block, np.stack([tally.in_core for tally in tallies], axis=1)),
        "jump_count": (by_block, np.stack([tally.counted() for tally in tallies], axis=1)),
        "ions_of_block": (by_block[1:], np.stack([np.bincount(tally.block_of, minlength=ion_blocks) for tally in tallies])),
        "empty_sites": (by_block[:2], np.stack([tally.empty for tally in tallies], axis=1)),
        "empty_sites_variance": (by_block[:2], np.stack([tally.empty_square - tally.empty**2 for tally in tallies], axis=1)),
        "vacant_sites": (by_block[:2], np.stack([tally.vacant for tally in tallies], axis=1)),
        "n_sites": ("species", np.array([tally.lattice.n_sites for tally in tallies])),
        "site_distance": ("species", np.array([tally.lattice.spacing for tally in tallies])),
        "core_radius": ("species", np.array([tally.radius for tally in tallies])),
        "framework": ("species", np.isin(traj.species_names, traj.framework).astype(int)),
        "site": np.arange(offset[-1]),
        "site_position": (("site", "cell_axis"), np.concatenate([tally.lattice.sites for tally in tallies])),
        "site_species": ("site", np.repeat(np.array(traj.species_names), np.diff(offset))),
        "site_occupancy": ("site", np.concatenate([tally.occupancy() for tally in tallies])),
        "lattice": (("cell_axis", "xyz"), tallies[0].lattice.cell),
        "jump_time": ("jump", traj.time[jumps["frame"]]),
        "flight_time": ("jump", jumps["flight"] * _interval(traj)),
        "jump_ion": ("jump", atom),
        "jump_species": ("jump", np.array(traj.species_names)[species]),
        "jump_from": ("jump", jumps["from"] + offset[species]),
        "jump_to": ("jump", jumps["to"] + offset[species]),
        "jump_vector": (("jump", "xyz"), jumps["vector"].reshape(-1, 3)),
        "jump": np.arange(len(species)),
        "observed_time": windows * tallies[0].length * _interval(traj),
        "window": window_starts(traj, windows),
        "ion_block": np.arange(ion_blocks),
        "cell_axis": ["a", "b", "c"],
        "xyz": ["x", "y", "z"],
    }
    taken = traj.reference_path(reference)[1]
    found = {"reference": taken, "repeat": tallies[0].lattice.repeat, "frames_unused": traj.n_frames - windows * tallies[0].length}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


def _interval(traj: Trajectory) -> float:
    """Mean time between frames; a jump is dated by its frame, so that uneven ones do no harm."""
    return float((traj.time[-1] - traj.time[0]) / (traj.n_frames - 1))
