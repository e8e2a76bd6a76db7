"""Which wave vectors are measured, in indices of the simulation cell, and how they are averaged over shells of |q|."""

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["Rods", "Shells", "chosen", "in_cycles", "in_reach", "lengths", "rods_in_parts", "rods_of", "shells_of"]

SHELLS = 40  # of |q|, where wave vectors are not named one by one
REACH = 1.5  # q_max by default, in units of 2 pi (N/V)^(1/3): beyond the first rings of a liquid and the lowest reflections
# a matrix product over rods costs this much less per wave than the wave made on its own (measured on one core, kernels/waves.py)
CHEAPER = 30


def in_cycles(indices: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Wave vectors over 2 pi, 1/angstrom: (q, 3) of indices (q, 3), or (frame, q, 3) for (frame, 3, 3) cells."""
    return np.asarray(indices @ np.swapaxes(np.linalg.inv(cell), -1, -2))


def lengths(traj: Trajectory, indices: np.ndarray) -> np.ndarray:
    """|q| of each in the mean cell, with the factor 2 pi."""
    return 2 * np.pi * np.linalg.norm(in_cycles(indices, traj.mean_cell), axis=-1)


def chosen(
    traj: Trajectory, *, hkl: Any, path: Sequence[str] | None, q_max: float | None, n_q: int, who: str, fractional: bool = False
) -> tuple[np.ndarray, bool]:
    """Indices (q, 3), and whether they were named one by one: those listed, those on a path, or all within q_max, thinned to about n_q.

    Thinned as dynasor does: a wave vector stays with the probability min(1, (q_p / |q|)^2), so that beyond q_p shells of equal
    width hold equally many, and q_p is what leaves n_q. Of q and -q, whose modes are each other's conjugates, one is taken.
    Raises ValueError for what is not understood, and where nothing is left.
    """
    if hkl is not None and path is not None:
        raise ValueError(f"{who}: pass hkl= or path=, not both")
    if hkl is not None:
        return _parsed(hkl, "hkl", fractional=fractional), True
    if path is not None:
        return _along(_parsed(path, "path", fractional=False)), True
    reach = _reach(traj, q_max)
    if not reach > 0 or n_q < 1:
        raise ValueError(f"{who}: q_max={q_max!r} and n_q={n_q!r}; write a positive wave number in 1/angstrom and a number of wave vectors")
    indices = _within(traj.mean_cell, reach, n_q)
    if len(indices) == 0:
        shortest = 2 * np.pi * np.linalg.norm(np.linalg.inv(traj.mean_cell), axis=0).min()
        raise TrajectoryError(
            f"{who}: {traj.source} has no wave vector within q_max={reach:g} 1/angstrom: the shortest is {shortest:.4g}; pass a larger q_max"
        )
    return indices, False


def in_reach(traj: Trajectory, q_max: float | None) -> int:
    """How many wave vectors there are within q_max before any are left out; of q and -q one."""
    return len(_within(traj.mean_cell, _reach(traj, q_max), np.inf))


def _reach(traj: Trajectory, q_max: float | None) -> float:
    return float(REACH * 2 * np.pi * (traj.n_atoms / traj.volume) ** (1 / 3)) if q_max is None else float(q_max)


def _parsed(listed: Any, name: str, *, fractional: bool) -> np.ndarray:
    """Indices from "2 0 0" or [2, 0, 0]."""
    try:
        rows = [[float(x) for x in (one.split() if isinstance(one, str) else one)] for one in ([listed] if isinstance(listed, str) else listed)]
        found = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    except (TypeError, ValueError):
        raise ValueError(
            f'{name}={listed!r} is not understood; write indices of the simulation cell, for instance ["2 0 0", "2 2 0"], or --{name} "2 0 0,2 2 0"'
        ) from None
    if len(found) == 0:
        raise ValueError(f'{name} is empty; write indices of the simulation cell, for instance ["2 0 0", "2 2 0"], or --{name} "2 0 0,2 2 0"')
    if fractional:
        return found
    if not np.array_equal(found, np.rint(found)):
        raise ValueError(f"{name}={listed!r}: density and current modes exist at whole indices of the simulation cell only, since atoms have images")
    return np.rint(found).astype(np.int64)


def _along(corners: np.ndarray) -> np.ndarray:
    """All whole indices on the straight lines from corner to corner, in this order, each once."""
    rows = [corners[0]]
    for first, last in itertools.pairwise(corners):
        step = np.gcd.reduce(last - first)
        rows += [first + (last - first) // step * k for k in range(1, step + 1)] if step else []
    return np.array(list(dict.fromkeys(map(tuple, rows))))


def _within(cell: np.ndarray, q_max: float, n_q: float) -> np.ndarray:
    most = np.floor(q_max * np.linalg.norm(cell, axis=1) / (2 * np.pi) + 1e-9).astype(int)
    h = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in most], indexing="ij"), axis=-1).reshape(-1, 3)
    first = (h[:, 0] > 0) | ((h[:, 0] == 0) & ((h[:, 1] > 0) | ((h[:, 1] == 0) & (h[:, 2] > 0))))
    h = h[first]
    q = 2 * np.pi * np.linalg.norm(in_cycles(h, cell), axis=1)
    h, q = h[q <= q_max * (1 + 1e-12)], q[q <= q_max * (1 + 1e-12)]
    if len(h) > n_q:
        # n_q = 2 pi V / (2 pi)^3 [p^3 / 3 + p^2 (q_max - p)] in half of all directions
        density = 2 * np.pi * abs(np.linalg.det(cell)) / (2 * np.pi) ** 3
        roots = np.roots([-2 / 3, q_max, 0.0, -n_q / density])
        real = roots.real[(np.abs(roots.imag) < 1e-9 * q_max) & (roots.real > 0)]
        keep = np.random.default_rng(0).uniform(size=len(q)) < (real.min(initial=q_max) / q) ** 2
        h, q = h[keep], q[keep]
    return h[np.argsort(q, kind="stable")]


@dataclass(frozen=True)
class Shells:
    """Wave vectors averaged together: their mean |q| and number, and what makes means (q, shell)."""

    q: np.ndarray
    counts: np.ndarray
    share: np.ndarray
    indices: np.ndarray | None  # where each stands for itself

    def mean(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Means over the wave vectors along an axis."""
        return values if self.indices is not None else np.moveaxis(np.moveaxis(values, axis, -1) @ self.share, -1, axis)

    def described(self) -> dict[str, Any]:
        out: dict[str, Any] = {"q": self.q, "n_wave_vectors": ("q", self.counts)}
        if self.indices is not None:
            out |= {"miller_index": (("q", "cell_axis"), self.indices), "cell_axis": ["a", "b", "c"]}
        return out


def shells_of(traj: Trajectory, indices: np.ndarray, shells: int | None, *, named: bool) -> Shells:
    """shells : number of equal shells up to the largest |q|, 0 for none, None for SHELLS unless wave vectors were named one by one."""
    q = lengths(traj, indices)
    number = (0 if named else SHELLS) if shells is None else shells
    if number < 0:
        raise ValueError(f"shells={shells!r}; write a number of shells of |q|, or 0 for every wave vector on its own")
    if number == 0:
        return Shells(q, np.ones(len(q), dtype=int), np.eye(len(q)), indices)
    width = q.max() / number
    shell = np.minimum((q / max(width, 1e-300) * (1 - 1e-12)).astype(int), number - 1)
    there, shell = np.unique(shell, return_inverse=True)
    counts = np.bincount(shell)
    share = np.zeros((len(q), len(there)))
    share[np.arange(len(q)), shell] = 1 / counts[shell]
    return Shells(q @ share, counts, share, None)


@dataclass(frozen=True)
class Rods:
    """How the kernel makes a list of wave vectors: which axis is along the rods, and for each wave vector its rod and its place there."""

    axes: np.ndarray
    rods: np.ndarray
    rod: np.ndarray
    along: np.ndarray
    conjugate: np.ndarray
    highest: int
    shared: bool


def rods_of(indices: np.ndarray) -> Rods:
    """The cheapest choice of the axis along rods.

    >>> rods_of(np.array([[1, 0, 0], [2, 0, 0], [-3, 0, 0]])).rods.tolist()
    [[0, 0]]
    """
    options = []
    for axis in range(3):
        axes = np.array([k for k in range(3) if k != axis] + [axis])
        h = indices[:, axes]
        flip = np.where((h[:, 0] < 0) | ((h[:, 0] == 0) & (h[:, 1] < 0)), -1, 1)
        rods, rod = np.unique(h[:, :2] * flip[:, None], axis=0, return_inverse=True)
        cost = len(rods) * (np.abs(indices).max() + 1)
        options.append((cost, axis, axes, rods, rod.reshape(-1), h[:, 2] * flip, flip))
    cost, _, axes, rods, rod, along, flip = min(options, key=lambda one: one[:2])
    return Rods(axes, rods, rod, along, flip.astype(np.float64), int(np.abs(indices).max()), bool(cost < CHEAPER * len(indices)))


def rods_in_parts(indices: np.ndarray, most: int) -> list[tuple[np.ndarray, Rods]]:
    """The wave vectors in parts of one size, at most so many together: which ones they are, and how they are made.

    The arrays of all parts have one shape, so that there is one compilation: the last wave vector is repeated to fill the last part.

    >>> [which.tolist() for which, _ in rods_in_parts(np.array([[1, 0, 0], [2, 0, 0], [0, 3, 0]]), 2)]
    [[0, 1], [2, 2]]
    """
    size = -(-len(indices) // -(-len(indices) // most))
    parts = np.minimum(np.arange(-(-len(indices) // size) * size), len(indices) - 1).reshape(-1, size)
    plans = [rods_of(indices[which]) for which in parts]
    if len(plans) == 1:
        return [(parts[0], plans[0])]
    n_rods, highest = max(len(plan.rods) for plan in plans), max(plan.highest for plan in plans)
    shared = bool(n_rods * (highest + 1) < CHEAPER * size)
    filled = [np.pad(plan.rods, ((0, n_rods - len(plan.rods)), (0, 0)), mode="edge") for plan in plans]
    alike = [dataclasses.replace(plan, rods=rods, highest=highest, shared=shared) for plan, rods in zip(plans, filled, strict=True)]
    return list(zip(parts, alike, strict=True))
