"""Where ions are on the average, folded into a repeated part of the cell: density on a grid, and the sites at its peaks."""

from collections.abc import Iterator, Sequence

import jax
import numpy as np

from mdtools import memory, progress
from mdtools.analyses.devices import block_bytes
from mdtools.errors import TrajectoryError
from mdtools.kernels.reflections import density_on_grid
from mdtools.trajectory import Trajectory
from mdtools.units import length_for

__all__ = ["density", "frames_in_frame", "grid_shape", "own_length", "repeats", "site_frames", "sites"]

FINE = 0.2  # angstrom between grid points where sites are looked for
SAMPLED = 2048  # frames of a run whose density shows where its sites are, at most, evenly spaced
WIDTH = 0.25  # angstrom: smoothing of a density before its peaks are taken, less than a thermal amplitude


def repeats(repeat: Sequence[int]) -> np.ndarray:
    """How often the folded cell fits along each cell vector. Raises ValueError for what is not three whole numbers."""
    n = np.asarray(repeat)
    if n.shape != (3,) or n.dtype.kind not in "iu" or n.min() < 1:
        raise ValueError(f"repeat={list(repeat)!r}; write three whole numbers, how often the unit cell fits along each cell vector, as 3,3,3")
    return n.astype(int)


def own_length(traj: Trajectory, angstrom: float) -> float:
    """A length that was chosen in angstrom, in the unit of the run."""
    return length_for(angstrom, reduced=traj.reduced, volume=traj.volume, n_atoms=traj.n_atoms)


def grid_shape(traj: Trajectory, n: np.ndarray, spacing: float, *, instead: str = "a larger spacing, ") -> tuple[int, int, int]:
    """Grid points along each vector of the folded cell, at most `spacing` apart. Raises TrajectoryError where they are too many for the memory."""
    if not spacing > 0:
        raise ValueError(f"spacing={spacing!r}; write the distance between grid points in angstrom, for instance 0.2")
    edges = np.linalg.norm(traj.mean_cell, axis=1) / n
    shape = tuple(int(one) for one in np.ceil(edges / spacing - 1e-9))
    most = memory.block_alone()
    if 8 * np.prod(shape, dtype=float) > most:
        raise TrajectoryError(
            f"spacing={spacing:g} makes {' x '.join(map(str, shape))} grid points, {memory.in_words(8 * np.prod(shape, dtype=float))} a species, and "
            f"{memory.in_words(most)} may be taken: pass {instead}a repeat of the unit cell (--repeat 3,3,3), or more memory (--memory)"
        )
    return shape[0], shape[1], shape[2]


def frames_in_frame(
    traj: Trajectory, reference: Sequence[str] | str | None, frames: slice, *, bytes_per_frame: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames in blocks, and their scaled positions (frame, atom, xyz) float64 in the frame of reference.

    bytes_per_frame : what the caller makes of a frame besides.
    """
    path, _ = traj.as_scaled.reference_path(reference)
    every = np.arange(traj.n_frames)[frames]
    block = _of_one_length(len(every), int(np.clip(block_bytes() // (8 * 8 * traj.n_atoms + bytes_per_frame), 1, len(every))))
    for first in range(0, len(every), block):
        some = every[first : first + block]
        stored = np.asarray(traj.scaled_positions[int(some[0]) : int(some[-1]) + 1 : int(every[1] - every[0]) if len(every) > 1 else 1]).astype(
            np.float64
        )
        yield some, stored - path[some][:, None, :]
        progress.advance(first + len(some), len(every), "frames", n_bytes=stored.nbytes)


def _of_one_length(n: int, most: int) -> int:
    """Frames in a block, at most so many: where a number not much smaller divides n, all blocks have one shape, and there is one compilation.

    >>> _of_one_length(1000, 300), _of_one_length(997, 300)
    (250, 300)
    """
    return next((n // k for k in range(-(-n // most), 2 * -(-n // most)) if n % k == 0), most)


def density(
    traj: Trajectory, n: np.ndarray, shape: tuple[int, int, int], reference: Sequence[str] | str | None, frames: slice = slice(None)
) -> np.ndarray:
    """Mean number of ions of each species (species, x, y, z) at each grid point of the folded cell, of all its images together divided
    by their number. Grid point (i, j, k) stands for what is nearer to it than to others: it is the middle of its voxel.
    """
    total = np.zeros((len(traj.species_names), *shape))
    count = 0
    for some, s in frames_in_frame(traj, reference, frames):
        count += len(some)
        for k, name in enumerate(traj.species_names):
            folded = s[:, traj.indices(name)] * n + 0.5 / np.array(shape)
            with jax.enable_x64(True):
                total[k] += np.asarray(density_on_grid(folded, shape=shape))
    return total / (count * n.prod())


def site_frames(traj: Trajectory) -> range:
    """The frames whose density shows where the sites are."""
    return range(0, traj.n_frames, -(-traj.n_frames // SAMPLED))


def sites(traj: Trajectory, n: np.ndarray, reference: Sequence[str] | str | None) -> list[np.ndarray]:
    """Of each species as many sites (site, xyz) as it has ions in a folded cell (to the nearest whole number: there may be vacancies; less
    where the density has fewer peaks), in vectors of that cell.

    Two sites of a species are no nearer than half of (V / number)^(1/3); where ions do not keep to sites, the peaks mean nothing.
    """
    cell = traj.mean_cell / n[:, None]
    shape = grid_shape(traj, n, own_length(traj, FINE), instead="")
    found = []
    for name, each in zip(traj.species_names, density(traj, n, shape, reference, slice(None, None, site_frames(traj).step)), strict=True):
        number = round(len(traj.indices(name)) / int(n.prod()))
        found.append(
            _peaks(_smooth(each, cell, own_length(traj, WIDTH)), cell, number, apart=0.5 * (abs(np.linalg.det(cell)) / max(number, 1)) ** (1 / 3))
        )
    return found


def _smooth(each: np.ndarray, cell: np.ndarray, width: float) -> np.ndarray:
    """The density under a Gaussian of this standard deviation."""
    waves = [*(np.fft.fftfreq(m, 1 / m) for m in each.shape[:-1]), np.fft.rfftfreq(each.shape[-1], 1 / each.shape[-1])]
    h = np.stack(np.meshgrid(*waves, indexing="ij"), axis=-1)
    square = np.sum((2 * np.pi * h @ np.linalg.inv(cell).T) ** 2, axis=-1)
    return np.fft.irfftn(np.fft.rfftn(each) * np.exp(-square * width**2 / 2), s=each.shape, axes=(0, 1, 2))


def _peaks(each: np.ndarray, cell: np.ndarray, number: int, *, apart: float) -> np.ndarray:
    """At most `number` maxima, the highest first, each moved to the centre of what lies within apart / 2, and no other within `apart`."""
    size = np.array(each.shape)
    reach = np.ceil(apart * np.linalg.norm(np.linalg.inv(cell), axis=0) * size).astype(int)  # grid points that a sphere spans
    reach = np.minimum(reach, (size - 1) // 2)
    offset = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in reach], indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(offset / size @ cell, axis=1)
    around, near = offset[distance < apart], offset[distance < apart / 2]
    top = np.all([each >= np.roll(each, step, axis) for axis in range(3) for step in (-1, 1)], axis=0) & (each > 0)
    candidates = np.argwhere(top)
    taken = np.zeros(each.shape, dtype=bool)
    out: list[np.ndarray] = []
    for point in candidates[np.argsort(-each[top], kind="stable")]:
        if len(out) == number:
            break
        if not taken[tuple(point)]:
            taken[tuple(((point + around) % size).T)] = True
            weight = np.maximum(each[tuple(((point + near) % size).T)], 0.0)
            out.append(((point + weight @ near / weight.sum()) / size) % 1.0)
    return np.array(out).reshape(-1, 3)
