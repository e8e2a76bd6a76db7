"""Cells that a file holds as lengths and angles, and times that it holds in single precision."""

import numpy as np

__all__ = ["cell_vectors", "evened"]


def cell_vectors(lengths: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Cell vectors (frame, 3, 3), rows a along x, b in the xy plane, c above it, of (frame, 3) lengths and angles in degrees.

    That is the orientation in which LAMMPS (but for general triclinic), AMBER and GROMACS write the positions beside them.
    Zeros where the angles make no cell.
    """
    lengths, angles = np.asarray(lengths, dtype=np.float64), np.asarray(angles, dtype=np.float64)
    # exactly orthogonal where the file says so
    cos_bc, cos_ac, cos_ab = np.where(angles == 90.0, 0.0, np.cos(np.radians(angles))).T
    sin_ab = np.sqrt(np.clip(1 - cos_ab**2, 0, None))
    a, b, c = lengths.T
    y = c * (cos_bc - cos_ac * cos_ab) / np.where(sin_ab > 0, sin_ab, 1)
    z2 = c**2 * (1 - cos_ac**2) - y**2
    cell = np.zeros((len(lengths), 3, 3))
    cell[:, 0, 0], cell[:, 1, 0], cell[:, 1, 1] = a, b * cos_ab, b * sin_ab
    cell[:, 2, 0], cell[:, 2, 1], cell[:, 2, 2] = c * cos_ac, y, np.sqrt(np.clip(z2, 0, None))
    cell[~np.isfinite(cell.reshape(len(cell), 9)).all(axis=1)] = 0.0
    return cell


def evened(times: np.ndarray) -> np.ndarray:
    """Times as float64, evenly spaced where they are so to within the rounding of the float32 in which they were stored."""
    times = np.asarray(times)
    exact = times.astype(np.float64)
    if times.dtype.itemsize > 4 or len(times) < 3 or not np.isfinite(exact).all():
        return exact
    even = np.linspace(exact[0], exact[-1], len(exact))
    rounding = float(np.spacing(np.float32(np.abs(exact).max())))
    return even if np.abs(even - exact).max() <= rounding else exact
