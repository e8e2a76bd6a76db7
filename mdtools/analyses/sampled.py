"""How much of a long run a measurement visits where nobody says: so much that its work stays within a budget, evenly spaced."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from mdtools.trajectory import Trajectory

__all__ = ["every", "some_of_each", "stretch_within", "stride_within", "strides_within", "waves_within"]

SHORTEST = 256  # frames of a stretch at least, where a window has them
ORIGINS = 4  # times the longest lag that was asked for is a stretch at least, so that it has time origins


def stride_within(budget: float, work: float, most: int, *, name: str) -> int:
    """Frames from one visit to the next, at most so many, that keep `work`, what visits to all frames amount to, within a budget.

    name : of the option that holds the budget. Raises ValueError for one that is not positive.

    >>> stride_within(1e8, 2.5e8, 1000, name="pair_budget")
    3
    """
    if not budget > 0:
        raise ValueError(f"{name}={budget!r}; write a positive number, for instance 2e8")
    return min(max(1, int(np.ceil(work / budget))), most)


def strides_within(budget: float, per_ion: float, sizes: Mapping[str, int], *, name: str) -> dict[str, int]:
    """One of how many ions of each species keeps the work, `per_ion` for each ion, within a budget.

    Every species has the same share; one that is too small to use up its own is taken whole, and leaves the rest of it to the others: means of
    all species are then known about equally well. sizes : ions of each species. name : of the option that holds the budget. Raises ValueError
    for one that is not positive.

    >>> strides_within(100.0, 1.0, {"Li": 500, "Br": 300, "Cl": 1}, name="phase_budget")
    {'Li': 11, 'Br': 7, 'Cl': 1}
    """
    if not budget > 0:
        raise ValueError(f"{name}={budget!r}; write a positive number, for instance 2e8")
    left, share = budget / per_ion, 0.0
    for number, size in enumerate(sorted(sizes.values())):
        share = left / (len(sizes) - number)
        left -= min(share, size)
    return {species: min(max(1, int(np.ceil(size / share))), size) for species, size in sizes.items()}


def waves_within(n_q: int | None, *, usual: int, fewest: int, budget: float, per_wave: float) -> int:
    """Number of wave vectors: what was asked for, or the usual one, fewer where each is `per_wave` phases, so that all are within a budget.

    fewest : what is left at least. Raises ValueError for a budget that is not positive.
    """
    if not budget > 0:
        raise ValueError(f"phase_budget={budget!r}; write a positive number, for instance 2e9")
    return int(np.clip(budget / per_wave, min(fewest, usual), usual)) if n_q is None else n_q


def stretch_within(stretch: str | int, *, length: int, lags: np.ndarray, asked: bool, budget: float, per_frame: float) -> tuple[int, np.ndarray]:
    """Frames at the start of each window of `length` that are visited, and the lags (in frames) that they hold.

    stretch : "all", so many, or "auto": as many as keep the work, `per_frame` for each frame of every window, within a budget, though no
    fewer than SHORTEST. asked : whether the lags were named; a stretch then holds them, else they are cut to it.
    Raises ValueError for a stretch that is not understood, or that does not hold what was asked for.

    >>> stretch_within("auto", length=1000, lags=np.arange(1000), asked=False, budget=1e9, per_frame=2e6)[0]
    500
    """
    longest = int(lags[-1])
    if stretch == "auto":
        fewest = max(SHORTEST, ORIGINS * longest) if asked else SHORTEST
        seen = int(np.clip(budget / per_frame, min(fewest, length), length))
    else:
        number = length if stretch == "all" else stretch
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 2 <= number <= length:
            raise ValueError(f'stretch={stretch!r} is not understood; write "auto", "all" or a number of frames of each window, 2 to {length}')
        seen = int(number)
        if asked and longest >= seen:
            raise ValueError(f"stretch={seen} frames do not hold a lag of {longest} frames: pass a longer stretch, or shorter lags")
    return seen, lags[lags < seen]


def some_of_each(traj: Trajectory, stride: Mapping[str, int] | int, *, draw: int = 0) -> np.ndarray:
    """One of so many ions of each species, one at least, sorted; drawn, because every so many may be all on one kind of site.

    stride : the same of all species, or by species. draw : number of the draw; those that follow one another have no ion in common until all have
    had their turn.
    """
    random = np.random.default_rng(0)
    some = []
    for name in traj.species_names:
        atoms = traj.indices(name)
        number = -(-len(atoms) // (stride if isinstance(stride, int | np.integer) else stride[name]))
        some.append(np.take(random.permutation(atoms), draw * number + np.arange(number), mode="wrap"))
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
