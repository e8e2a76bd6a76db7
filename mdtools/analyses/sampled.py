"""How much of a long run a measurement visits where nobody says: so much that its work stays within a budget, evenly spaced."""

import dataclasses
from typing import Any

import numpy as np

from mdtools.trajectory import Trajectory

__all__ = ["every", "some_of_each", "stride_within", "waves_within"]


def stride_within(budget: float, work: float, most: int, *, name: str) -> int:
    """Frames from one visit to the next, at most so many, that keep `work`, what visits to all frames amount to, within a budget.

    name : of the option that holds the budget. Raises ValueError for one that is not positive.

    >>> stride_within(1e8, 2.5e8, 1000, name="pair_budget")
    3
    """
    if not budget > 0:
        raise ValueError(f"{name}={budget!r}; write a positive number, for instance 2e8")
    return min(max(1, int(np.ceil(work / budget))), most)


def waves_within(n_q: int | None, *, usual: int, fewest: int, budget: float, per_wave: float) -> int:
    """Number of wave vectors: what was asked for, or the usual one, fewer where each is `per_wave` phases, so that all are within a budget.

    fewest : what is left at least. Raises ValueError for a budget that is not positive.
    """
    if not budget > 0:
        raise ValueError(f"phase_budget={budget!r}; write a positive number, for instance 2e9")
    return int(np.clip(budget / per_wave, min(fewest, usual), usual)) if n_q is None else n_q


def some_of_each(traj: Trajectory, stride: int) -> np.ndarray:
    """One of so many ions of each species, sorted; drawn, because every so many may be all on one kind of site."""
    random = np.random.default_rng(0)
    some = [random.permutation(atoms)[: -(-len(atoms) // stride)] for atoms in map(traj.indices, traj.species_names)]
    return np.sort(np.concatenate(some))


def every(traj: Trajectory, stride: int, frames: slice = slice(None)) -> Trajectory:
    """Every so many of some frames; nothing is read or copied."""
    start, stop, _ = frames.indices(traj.n_frames)
    part = slice(start, stop, stride)
    found: dict[str, Any] = {name: getattr(traj, name) for name in ("scaled_positions", "velocities")}
    thin: dict[str, Any] = {
        name: None if one is None else one.part(frames=part) if hasattr(one, "part") else one[part] for name, one in found.items()
    }
    charges = traj.charges
    if charges is not None and charges.shape == (traj.n_frames, traj.n_atoms):
        charges = charges[part]
    origin = None if traj.origin is None else traj.origin[part]
    return dataclasses.replace(traj, **thin, cell=traj.cell[part], time=traj.time[part], charges=charges, origin=origin)
