"""Sites of cubic lattices and their neighbours."""

from typing import Literal

import numpy as np

__all__ = ["Lattice", "lattice_sites", "neighbour_table"]

Lattice = Literal["sc", "bcc", "fcc"]


def lattice_sites(lattice: Lattice, cells: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Sites (site, 3), vectors to the nearest neighbours and their length, in units of the cubic lattice parameter."""
    basis = {"sc": [[0, 0, 0]], "bcc": [[0, 0, 0], [0.5] * 3], "fcc": [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]}[lattice]
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    sites = (corners + np.array(basis)).reshape(-1, 3).astype(np.float64)
    around = np.stack(np.meshgrid(*[[-1, -0.5, 0, 0.5, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = {"sc": 1.0, "bcc": np.sqrt(0.75), "fcc": np.sqrt(0.5)}[lattice]
    near = around[np.isclose(np.linalg.norm(around, axis=1), distance)]
    return sites, near, float(distance)


def neighbour_table(sites: np.ndarray, near: np.ndarray, cells: int) -> np.ndarray:
    """Number of the site that each neighbour vector leads to: (site, neighbour)."""
    number = {tuple(np.rint(2 * site).astype(int)): k for k, site in enumerate(sites)}
    return np.array([[number[tuple(np.rint(2 * (site + step)).astype(int) % (2 * cells))] for step in near] for site in sites])
