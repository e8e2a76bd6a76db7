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

    e = (H0^-1 G H0^-T - 1) / 2 with G = H H^T of the cell H, rows its vectors, and H0 H0^T = <G>: only lengths and angles count, not how the
    cell turns. Of the cells that have the mean <G>, H0 is the one that the mean of H is strained to without a turn.
    windows : equal parts of the run.

    Returns `strain` (window, voigt), `strain_product` (window, voigt, voigt2), both about the mean cell, and `lattice`, that cell, H0.
    A held cell has zeros. Raises NotEnoughData for a run of few frames. Source: reference/science.md A2 row 27.

    >>> from mdtools import synthetic
    >>> float(abs(cell_strain(synthetic.brownian(n_atoms=8, n_frames=64)).strain).max())
    0.0
    """
    length = window_length(traj, windows, who="cell_strain")
    cell = np.asarray(traj.cell[: windows * length], dtype=np.float64)
    held = traj.fixed_cell
    metric = cell @ cell.transpose(0, 2, 1)
    mean = cell[0] if held else _mean_cell(cell.mean(axis=0), metric.mean(axis=0))
    inverse = np.linalg.inv(mean)
    tensor = (inverse @ metric @ inverse.T - np.eye(3)) / 2
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


def _mean_cell(cell: np.ndarray, metric: np.ndarray) -> np.ndarray:
    """H0 = H P with P symmetric and H0 H0^T = metric: the mean of cells that turn is too small, the mean of their metrics is not."""
    inverse = np.linalg.inv(cell)
    values, vectors = np.linalg.eigh(inverse @ metric @ inverse.T)
    return np.asarray(cell @ (vectors * np.sqrt(values)) @ vectors.T)
