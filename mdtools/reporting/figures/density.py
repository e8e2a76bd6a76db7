"""Density maps: a slice through the unit cell."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.style import axis_label

__all__ = ["density_slice"]

FAINT = 1e-3  # of the largest density: what lies below is drawn as this


def density_slice(data: xr.Dataset, ax: Any, *, species: str) -> Any:
    """log10 of the density of one species in the plane of the first two cell vectors that holds its highest peak; returns the map for a colour bar.

    Sites within 0.3 angstrom of the plane are marked.
    """
    one = data.density_map.sel(species=species).mean("window").transpose("along_a", "along_b", "along_c").values
    height = int(np.unravel_index(np.argmax(one), one.shape)[2])
    plane = np.concatenate([one[:, :, height], one[:1, :, height]], axis=0)
    plane = np.concatenate([plane, plane[:, :1]], axis=1)
    lattice = data.lattice.values
    i, j = np.meshgrid(np.arange(plane.shape[0]) / one.shape[0], np.arange(plane.shape[1]) / one.shape[1], indexing="ij")
    first, second = _in_plane(lattice)
    x, y = (i * first[k] + j * second[k] for k in range(2))
    shown = np.log10(np.maximum(plane / max(one.max(), 1e-300), FAINT))
    mesh = ax.pcolormesh(x, y, shown, shading="gouraud", cmap="viridis", vmin=np.log10(FAINT), vmax=0, rasterized=True)
    away = data.site_position.values - [0, 0, height / one.shape[2]]
    face = abs(np.linalg.det(lattice)) / np.linalg.norm(np.cross(lattice[0], lattice[1]))
    on = abs(away[:, 2] - np.rint(away[:, 2])) * face < 0.3
    at = data.site_position.values[on]
    ax.plot(at[:, 0] * first[0] + at[:, 1] * second[0], at[:, 0] * first[1] + at[:, 1] * second[1], "+", color="white", markersize=4)
    ax.set_aspect("equal")
    unit = data.lattice.attrs.get("units", "")
    ax.set_xlabel(axis_label("along a", unit))
    ax.set_ylabel(axis_label("in the plane of a and b", unit))
    return mesh


def _in_plane(lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two cell vectors in their plane, the first along x."""
    a = np.linalg.norm(lattice[0])
    along = lattice[1] @ lattice[0] / a
    return np.array([a, 0.0]), np.array([along, np.sqrt(lattice[1] @ lattice[1] - along**2)])
