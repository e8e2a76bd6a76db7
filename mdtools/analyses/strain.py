"""How the cell is strained from frame to frame, under a barostat that lets it."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.trajectory import Trajectory

__all__ = ["cell_strain"]

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@schema.recorded
def cell_strain(traj: Trajectory, *, windows: int = 16) -> xr.Dataset:
    """Mean strain of the cell and second moments of the strain, by window, in Voigt's order xx, yy, zz, yz, xz, xy (shear strains doubled).

    e = (F F^T - 1) / 2 with F = H0^-1 H of the cell H, rows its vectors, and H0 the mean cell of the run: rotations do not count.
    windows : equal parts of the run.

    Returns `strain` (window, voigt), `strain_product` (window, voigt, voigt2), both about the mean cell, and `lattice`, that cell.
    A held cell has zeros. Raises NotEnoughData for a run of few frames. Source: reference/science.md A2 row 27.

    >>> from mdtools import synthetic
    >>> float(abs(cell_strain(synthetic.brownian(n_atoms=8, n_frames=64)).strain).max())
    0.0
    """
    length = window_length(traj, windows, who="cell_strain")
    cell = np.asarray(traj.cell[: windows * length], dtype=np.float64)
    mean = cell.mean(axis=0)
    f = np.linalg.inv(mean)[None] @ cell
    tensor = (f @ f.transpose(0, 2, 1) - np.eye(3)) / 2
    held = np.ptp(cell, axis=0).max() == 0
    strain = np.stack([tensor[:, a, b] * (1 if a == b else 2) for a, b in VOIGT], axis=1) * (0 if held else 1)
    by_window = strain.reshape(windows, length, 6)
    out = {
        **common(traj),
        "strain": (("window", "voigt"), by_window.mean(axis=1)),
        "strain_product": (("window", "voigt", "voigt2"), np.einsum("wta,wtb->wab", by_window, by_window) / length),
        "lattice": (("cell_axis", "xyz"), mean),
        "window": window_starts(traj, windows),
        "voigt": ["xx", "yy", "zz", "yz", "xz", "xy"],
        "voigt2": ["xx", "yy", "zz", "yz", "xz", "xy"],
        "cell_axis": ["a", "b", "c"],
        "xyz": ["x", "y", "z"],
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), frames_unused=traj.n_frames - windows * length)
