"""Ions that take one another's places: strings, of which cooperative motion is made."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from mdtools import schema
from mdtools.analyses.labels import common, lag_frames, lag_times
from mdtools.analyses.melting import neighbour_distance
from mdtools.analyses.over_atoms import window_length
from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["replacement_strings"]

MOVED, TAKEN = 0.5, 0.4  # neighbour distances: moved farther than the one, and no farther from another's old place than the other
ORIGINS = 8  # in a window, at most
PER_DECADE = 5  # lags
WORK = 4e7  # ions that are looked up at most: fewer time origins of large runs
LONGEST = 16  # ions of the longest string that is counted by its length; longer ones are counted with it


@schema.recorded
def replacement_strings(traj: Trajectory, *, windows: int = 8, reference: Sequence[str] | str | None = None) -> xr.Dataset:
    """Strings of ions that have taken one another's places between t0 and t0 + t, for each species.

    An ion has moved where |r_i(t0 + t) - r_i(t0)| > d / 2, d the distance of neighbours. One that has moved takes the place of another where
    |r_i(t0 + t) - r_j(t0)| < 0.4 d, j of the same species and moved too. Ions that are joined so are a string; one that is joined to no other is a
    string of one. Where each place of a string is taken it is a loop: ions that change places, and carry no charge.

    windows : equal parts of the time origins; one more part of the run is left for the lags, which are as long as a part.
    reference : the lattice frame, as in `msd`.

    Returns, mean numbers of a time origin (window, species, lag): `string_number` of strings, `string_ions` of ions that have moved,
    `string_ions_square`, the sum of the squared lengths, `replaced_ions` whose places were taken, `loop_ions` of loops; `string_number_by_length`
    (window, species, lag, string_ion), the last with what is longer; `replaced_by_chance` (species, lag), the share whose places would be taken if
    as many ions were anywhere.
    Raises TrajectoryError; NotEnoughData for a run of few frames.
    Source: C. Donati et al., Phys. Rev. Lett. 80, 2338 (1998); reference/science.md row 32.

    >>> from mdtools import synthetic
    >>> walk = synthetic.vacancy_hopper(cells=3, n_frames=90, jumps_per_frame=1, framework=True)
    >>> bool((replacement_strings(walk, windows=4).loop_ions.sel(species="X") == 0).all())
    True
    """
    who = "replacement_strings"
    traj.need("scaled_positions", who=who)
    few = [name for name in traj.species_names if len(traj.indices(name)) < 2]
    if few:
        raise TrajectoryError(f"{who} asks which ions of a species take one another's places, and {traj.source} has one {few[0]} only")
    part = window_length(traj, windows, who=who, shortest=4, besides=1)
    lags = lag_frames("log", longest=part, frame_interval=traj.frame_interval, per_decade=PER_DECADE)[1:]
    origins = int(np.clip(WORK // (windows * len(lags) * traj.n_atoms), 1, min(ORIGINS, part)))
    starts = np.arange(windows)[:, None] * part + np.arange(0, part, -(-part // origins))[None, :]
    names, cell = traj.species_names, traj.mean_cell
    distance = np.array([neighbour_distance(traj, name) for name in names])
    path, taken = traj.reference_path(reference)
    tally = np.zeros((windows, len(names), len(lags), 5 + LONGEST))
    for w, start in np.ndenumerate(starts):
        frames = np.concatenate([[start], start + lags])
        s = traj.positions_at(frames) - path[frames][:, None, :]
        for k, name in enumerate(names):
            x = s[:, traj.indices(name)]
            for m in range(len(lags)):
                tally[w[0], k, m] += _strings(x[0], x[m + 1], cell, distance[k])
    tally /= starts.shape[1]
    dims = ("window", "species", "lag")
    volume = 4 / 3 * np.pi * (TAKEN * distance[:, None]) ** 3
    sums = ("string_number", "string_ions", "string_ions_square", "replaced_ions", "loop_ions")
    out: dict[str, Any] = {
        **common(traj),
        **{name: (dims, tally[..., k]) for k, name in enumerate(sums)},
        "string_number_by_length": ((*dims, "string_ion"), tally[..., len(sums) :]),
        "replaced_by_chance": (("species", "lag"), 1 - np.exp(-tally[..., 1].mean(axis=0) * volume / traj.volume)),
        "neighbour_distance": ("species", distance),
        "window": traj.time[starts[:, 0]],
        "lag": lag_times(lags, traj.frame_interval),
        "string_ion": np.arange(1, LONGEST + 1),
    }
    unused = traj.n_frames - (windows + 1) * part
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, origins_per_window=starts.shape[1])


def _strings(first: np.ndarray, last: np.ndarray, cell: np.ndarray, distance: float) -> np.ndarray:
    """Strings, their ions, the squares of their lengths, ions whose places were taken, ions of loops; and strings by length."""
    out = np.zeros(5 + LONGEST)
    moved = np.linalg.norm((last - first) @ cell, axis=1) > MOVED * distance
    n = int(moved.sum())
    if n == 0:
        return out
    old, new = _takes(first[moved], last[moved], cell, TAKEN * distance)
    _, of = connected_components(coo_array((np.ones(len(old)), (old, new)), shape=(n, n)), directed=False)
    length = np.bincount(of)
    replaced = np.zeros(n, dtype=bool)
    replaced[old] = True
    whole = np.bincount(of, weights=replaced) == length
    out[:5] = len(length), n, np.sum(length.astype(float) ** 2), replaced.sum(), length[whole].sum()
    out[5:] = np.bincount(np.minimum(length, LONGEST), minlength=LONGEST + 1)[1:]
    return out


def _takes(first: np.ndarray, last: np.ndarray, cell: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (i, j): j has come within `reach` of where i was, or of an image of it. Scaled positions of the ions that have moved."""
    folded = first - np.floor(first)
    margin = reach * np.linalg.norm(np.linalg.inv(cell), axis=0)  # in cell vectors
    images = np.stack(np.meshgrid(*[[0, -1, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    copies = (folded[None] + images[:, None]).reshape(-1, 3)
    of = np.tile(np.arange(len(first)), len(images))
    near = np.all((copies > -margin) & (copies < 1 + margin), axis=1)
    tree = KDTree(copies[near] @ cell)
    found = tree.query_ball_point((last - np.floor(last)) @ cell, reach)
    new = np.repeat(np.arange(len(last)), [len(one) for one in found])
    old = of[near][np.concatenate([np.asarray(one, dtype=int) for one in found])]
    return old[old != new], new[old != new]
