"""What every measurement carries besides its own numbers, and how lags and windows are understood."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.kernels.spectrum import hann, sines
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = [
    "arithmetic",
    "common",
    "even_interval",
    "lag_frames",
    "lag_times",
    "noise_width",
    "species_pairs",
    "taper_weights",
    "tapers_of",
    "thermal_energy",
    "window_starts",
]


def arithmetic(values: Any) -> str:
    """What the history says of kernels that work with velocities as precise as they are stored; all others work in float64."""
    return "float64" if values.dtype == np.float64 else f"{values.dtype} velocities, sums in float64"


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
    if traj.pressure is not None:
        out["stated_pressure"] = float(traj.pressure)
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


def lag_times(frames: Sequence[int] | np.ndarray, frame_interval: float) -> np.ndarray:
    """Lags in ps, to 12 digits: what was asked for as 0.3 is found with .sel(lag=0.3), not stored as 0.30000000000000004.

    >>> lag_times([1, 3], 0.1)
    array([0.1, 0.3])
    """
    times = np.asarray(frames, dtype=np.float64) * frame_interval
    # a whole number over a power of ten is the double that its decimal is read as
    power = 10.0 ** np.clip(11 - np.floor(np.log10(np.where(times > 0, times, 1.0))), 0, 22)
    return np.asarray(np.rint(times * power) / power)


def even_interval(traj: Trajectory, *, who: str) -> float:
    """Time between frames in ps. Raises TrajectoryError where frames are unevenly spaced, for analyses that need an FFT."""
    if traj.n_frames > 1 and not traj.is_even:
        steps = np.diff(traj.time)
        raise TrajectoryError(
            f"{who} needs evenly spaced frames, and those of {traj.source} lie {steps.min():g} to {steps.max():g} ps apart: "
            f"read an even part of it with begin=, end= and stride="
        )
    return traj.frame_interval


def species_pairs(traj: Trajectory) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Unordered pairs a <= b of species, in the order of species: numbers a, numbers b, labels "Ca-F"."""
    first, second = np.triu_indices(len(traj.species_names))
    return first, second, [f"{traj.species_names[a]}-{traj.species_names[b]}" for a, b in zip(first, second, strict=True)]


def thermal_energy(traj: Trajectory) -> float:
    """k_B T at the stated temperature in amu angstrom^2/ps^2; in a reduced run T itself. Needs `temperature`."""
    assert traj.temperature is not None
    return float(traj.temperature) * (1.0 if traj.reduced else BOLTZMANN / KINETIC_TO_EV)


def taper_weights(taper: str, length: int) -> np.ndarray:
    """Weights of the frames of a window: "hann" or "none". Raises ValueError for any other word."""
    if taper not in ("hann", "none"):
        raise ValueError(f'taper={taper!r} is not understood; write "hann" or "none"')
    if taper == "none":
        return np.ones(length)
    with jax.enable_x64(True):
        return np.asarray(hann(length))


def tapers_of(taper: str, length: int, count: int) -> tuple[np.ndarray, float]:
    """Tapers (taper, frame) of a window whose spectra are averaged, and the width that they resolve in units of one over the frame interval.

    "hann", "none", or `count` orthonormal tapers, (count + 1) / n wide: "multitaper" of sines, "dpss" of D. Slepian. Raises ValueError for any
    other word or count. Source of "dpss": D. J. Thomson, Proc. IEEE 70, 1055 (1982), with time times half bandwidth (count + 1) / 2.
    """
    if taper not in ("multitaper", "dpss"):
        if taper not in ("hann", "none"):
            raise ValueError(f'taper={taper!r} is not understood; write "hann", "multitaper", "dpss" or "none"')
        weights = taper_weights(taper, length)
        return weights[None], noise_width(weights)
    if not 1 <= count <= length // 4:
        raise ValueError(f"tapers={count} is not between 1 and {length // 4}, a quarter of the frames of a window")
    if taper == "dpss":
        from scipy.signal.windows import dpss

        return dpss(length, (count + 1) / 2, count), (count + 1) / length
    with jax.enable_x64(True):
        return np.asarray(sines(length, count)), (count + 1) / (length + 1)


def noise_width(weights: np.ndarray) -> float:
    """Equivalent noise width of a taper, in units of one over the time between frames: 1/n without, 1.5/n for "hann"."""
    return float(np.sum(weights**2) / np.sum(weights) ** 2)
