"""What every measurement carries besides its own numbers, and how lags and windows are understood."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mdtools.trajectory import Trajectory

__all__ = ["common", "lag_frames", "window_starts"]


def common(traj: Trajectory) -> dict[str, Any]:
    """Numbers that later stages need when the trajectory is gone: volume, temperature, ions, masses, charges."""
    out: dict[str, Any] = {
        "species": np.array(traj.species_names),
        "n_frames": traj.n_frames,
        "n_atoms": traj.n_atoms,
        "n_ions": ("species", np.array([len(traj.indices(name)) for name in traj.species_names])),
        "volume": traj.volume,
        "stated_temperature": np.nan if traj.temperature is None else float(traj.temperature),
    }
    if traj.is_even:
        out["frame_interval"] = traj.frame_interval
    if traj.masses is not None:
        out["mass"] = ("species", np.array([traj.masses[traj.indices(name)].mean() for name in traj.species_names]))
    if traj.charges is not None:
        per_atom = (
            traj.charges
            if traj.charges.ndim == 1
            else traj.charges.mean(axis=0)
            if traj.charges.ndim == 2
            else np.trace(traj.charges, axis1=1, axis2=2) / 3
        )
        out["charge"] = ("species", np.array([per_atom[traj.indices(name)].mean() for name in traj.species_names]))
    return out


def window_starts(traj: Trajectory, windows: int) -> np.ndarray:
    """Time at which each of the equal windows starts, ps."""
    return traj.time[: windows * (traj.n_frames // windows) : traj.n_frames // windows]


def lag_frames(lags: str | Sequence[float], *, longest: int, frame_interval: float, per_decade: int = 10) -> np.ndarray:
    """Lags in frames, from 0 to `longest`: "all", "log" (`per_decade` a factor of ten), or times in ps.

    Times are rounded to the nearest frame. Raises ValueError for a lag that the window does not hold.
    """
    if isinstance(lags, str) and lags == "all":
        return np.arange(longest + 1)
    if isinstance(lags, str) and lags == "log":
        n = max(2, int(np.ceil(per_decade * np.log10(max(longest, 2)))) + 1)
        return np.unique(np.concatenate([[0], np.rint(np.geomspace(1, longest, n)).astype(int)]))
    if isinstance(lags, str):
        raise ValueError(f'lags={lags!r} is not understood; write "all", "log" or a list of times in ps')
    frames = np.rint(np.asarray(lags, dtype=np.float64) / frame_interval).astype(int)
    if len(frames) == 0 or frames.min() < 0 or frames.max() > longest:
        raise ValueError(f"lags must lie between 0 and {longest * frame_interval:g} ps, the length of a window; pass fewer windows or shorter lags")
    return np.unique(frames)
