"""Where the ions of each species are on the average: a map of the density in the crystal frame."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.folded import density, grid_shape, own_length, repeats, site_frames, sites
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.trajectory import Trajectory

__all__ = ["density_map"]

SPACING = 0.25  # angstrom


@schema.recorded
def density_map(
    traj: Trajectory,
    *,
    windows: int = 1,
    spacing: float | None = None,
    repeat: Sequence[int] = (1, 1, 1),
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Density of each species averaged over time, in vectors of the cell, folded into a unit cell where its repeat is given.

    rho(r) = < sum_i delta(r - r_i(t)) >: number of ions in a voxel of the frames, over its volume. The cell breathes under the map,
    whose vectors are those of the mean cell. For VESTA: `mdtools density-map FILE --out x.cube` (or CHGCAR), in Python `write_density`.

    windows : the run is cut into this many equal parts, each with its own map; frames left over are not used.
    spacing : largest distance between grid points, angstrom; by default 0.25 (of runs in lj units a tenth of (V/N)^(1/3)). A grid
        point is the middle of its voxel; the first is the corner of the cell.
    repeat : how often the unit cell fits along each cell vector; all its images are averaged.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the framework that
        the trajectory declares, else the barycentre. With a framework that drifts, "none" smears the map.

    Returns `density_map` (window, species, along_a, along_b, along_c), whose integral over the cell is the number of ions in it;
    `lattice` (cell_axis, xyz); `site_position` (site, cell_axis) and `site_species` (site), the peaks of the density, as many as ions.
    Raises TrajectoryError, NotEnoughData, ValueError for a grid that does not fit the memory.
    Source: reference/science.md A1 row 25.

    >>> from mdtools import synthetic
    >>> crystal = synthetic.damped_oscillator(cells=3, n_frames=50)
    >>> out = density_map(crystal, repeat=(3, 3, 3))
    >>> voxel = np.linalg.det(out.lattice) / out.density_map[0, 0].size
    >>> out.density_map.sum(("along_a", "along_b", "along_c")).values.ravel() * voxel
    array([1.])
    """
    traj.need("scaled_positions", who="density_map")
    length = window_length(traj, windows, who="density_map")
    n = repeats(repeat)
    shape = grid_shape(traj, n, own_length(traj, SPACING) if spacing is None else spacing)
    cell = traj.mean_cell / n[:, None]
    voxel = abs(np.linalg.det(cell)) / np.prod(shape)
    each = [density(traj, n, shape, reference, slice(k * length, (k + 1) * length)) / voxel for k in range(windows)]
    found = sites(traj, n, reference)
    _, taken = traj.reference_path(reference)
    along = ("along_a", "along_b", "along_c")
    out = {
        **common(traj),
        "density_map": (("window", "species", *along), np.stack(each)),
        "lattice": (("cell_axis", "xyz"), cell),
        "site_position": (("site", "cell_axis"), np.concatenate(found)),
        "site_species": ("site", np.repeat(np.array(traj.species_names), [len(one) for one in found])),
        "window": window_starts(traj, windows),
        "site": np.arange(sum(len(one) for one in found)),
        "cell_axis": ["a", "b", "c"],
        "xyz": ["x", "y", "z"],
        **{name: np.arange(size) / size for name, size in zip(along, shape, strict=True)},
    }
    told = {"reference": taken, "frames_unused": traj.n_frames - windows * length, "site_frames": len(site_frames(traj))}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **told)
