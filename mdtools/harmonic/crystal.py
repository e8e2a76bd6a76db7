"""A primitive cell."""

from dataclasses import dataclass

import numpy as np

from mdtools.errors import TrajectoryError

__all__ = ["Crystal"]


@dataclass(frozen=True, eq=False)
class Crystal:
    """A primitive cell.

    cell : (3, 3) angstrom, rows are the vectors. scaled : (basis, 3) positions in them. symbols : (basis,).
    masses : (basis,) amu; None where the source has none. source : where it is from.
    """

    cell: np.ndarray
    scaled: np.ndarray
    symbols: tuple[str, ...]
    masses: np.ndarray | None = None
    source: str = "memory"

    def __post_init__(self) -> None:
        if np.shape(self.cell) != (3, 3) or abs(np.linalg.det(self.cell)) < 1e-6:
            raise TrajectoryError(f"the primitive cell of {self.source} needs three vectors that span a volume")

    @property
    def shortest_distance(self) -> float:
        """Between two sites, periodic images included, in angstrom."""
        images = np.array(np.meshgrid(*[np.arange(-2, 3)] * 3)).reshape(3, -1).T
        apart = self.scaled[:, None, None] - self.scaled[None, :, None] + images
        distance = np.linalg.norm(apart @ self.cell, axis=-1)
        return float(distance[distance > 1e-6].min())
