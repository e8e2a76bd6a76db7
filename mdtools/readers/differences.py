"""Velocities from positions: central differences, made when they are sliced, so that a store stays on disk.

v(t) = [r(t + dt) - r(t - dt)] / 2 dt of unwrapped positions (scaled ones times the mean cell). A vibration of frequency f is
seen with the amplitude |sin(2 pi f dt) / (2 pi f dt)|: exact at f = 0, zero at the Nyquist limit 1 / 2 dt.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mdtools.errors import NotEnoughData
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["BAND", "COLDEST", "LIMIT", "CentralDifference", "Sampled", "sampled", "velocities_from_positions"]

BAND = 0.8  # of the Nyquist limit: what lies above is not made use of, and must hold next to nothing
LIMIT = 0.01  # share of the power above BAND at which lines are folded back into the spectrum
COLDEST = 0.6  # of the stated temperature: a line that is folded back seems slower, and its atoms colder
_FEWEST_FRAMES = 32
_SAMPLE_FRAMES, _GROUPS, _GROUP = 4096, 8, 16


class CentralDifference:
    """(frame, atom, 3) angstrom/ps, sliced like an array: differences over two intervals of stored scaled positions.

    positions : (frame + 2, atom, 3), an array or what is sliced like one. cell : (3, 3). interval : ps.
    """

    ndim = 3

    def __init__(self, positions: Any, cell: np.ndarray, interval: float) -> None:
        self._positions, self._factor = positions, np.asarray(cell, dtype=np.float64) / (2.0 * interval)
        self.dtype = np.dtype(positions.dtype)
        self.shape = (positions.shape[0] - 2, *positions.shape[1:])

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Any) -> np.ndarray:
        frames, *rest = key if isinstance(key, tuple) else (key,)
        which = np.arange(self.shape[0])[frames]
        atoms = rest[0] if rest else slice(None)
        if np.size(which) == 0:
            return np.empty((0, *np.empty(self.shape[1:], dtype=bool)[atoms].shape), dtype=self.dtype)
        first, last = int(np.min(which)), int(np.max(which))
        # one frame more on either side; atoms beside a slice of frames are what a store can be asked for
        path = np.asarray(self._positions[first : last + 3, atoms] if isinstance(atoms, slice) else self._positions[first : last + 3][:, atoms])
        steps = np.asarray(path[2:], dtype=np.float64) - path[:-2]
        values = (steps @ self._factor).astype(self.dtype)[which - first]
        return values[(..., *rest[1:])] if len(rest) > 1 else values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)


class _Inner:
    """All stored frames but the first and the last, sliced like an array and still on disk."""

    ndim = 3

    def __init__(self, stored: Any) -> None:
        self._stored, self.dtype = stored, np.dtype(stored.dtype)
        self.shape = (stored.shape[0] - 2, *stored.shape[1:])

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Any) -> np.ndarray:
        frames, *rest = key if isinstance(key, tuple) else (key,)
        which = np.arange(1, self.shape[0] + 1)[frames]
        if isinstance(frames, slice) and np.size(which) and (np.size(which) == 1 or which[1] > which[0]):
            frames = slice(int(which[0]), int(which[-1]) + 1, int(which[1] - which[0]) if np.size(which) > 1 else 1)
            return np.asarray(self._stored[(frames, *rest)])
        return np.asarray(self._stored[:])[(which, *rest)]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)


def velocities_from_positions(traj: Trajectory) -> Trajectory:
    """The run without its first and last frame, with velocities made of its positions.

    The share of the power beyond what such velocities resolve is kept in the history: analyses of the spectrum refuse on it.
    Raises TrajectoryError (no positions, uneven frames), NotEnoughData.
    """
    traj.need("scaled_positions", who="velocities='positions'")
    if traj.n_frames < _FEWEST_FRAMES:
        raise NotEnoughData(f"velocities='positions' needs {_FEWEST_FRAMES} frames, and {traj.source} has {traj.n_frames}: give a longer run")
    interval = traj.frame_interval
    found = sampled(traj)
    notes = ["velocities are central differences of the positions, so the first and the last frame are left out"]
    if traj.velocities is not None:
        notes.append("the velocities of the file are not used")
    cold = traj.temperature is not None and min(found.temperatures.values(), default=np.inf) < COLDEST * traj.temperature
    if found.beyond > LIMIT or cold:
        notes.append(
            f"frames every {interval:.4g} ps are too far apart for the vibrations: spectra of velocities made of them are refused, their zero "
            f"frequency (conductivity) is right; {found.enough:.2g} ps would do"
        )
    inner = slice(1, -1)
    stored = traj.scaled_positions
    per_frame = traj.charges is not None and traj.charges.shape == (traj.n_frames, traj.n_atoms)
    return replace(
        traj,
        scaled_positions=stored[inner] if isinstance(stored, np.ndarray) else _Inner(stored),
        velocities=CentralDifference(stored, traj.mean_cell, interval),
        time=traj.time[inner],
        cell=traj.cell[inner],
        origin=None if traj.origin is None else traj.origin[inner],
        charges=traj.charges[inner] if per_frame and traj.charges is not None else traj.charges,
        log=None if traj.log is None else traj.log.between(traj.time[1], traj.time[-2]),
        notes=(*traj.notes, *notes),
        history=(
            *traj.history,
            {
                "step": "velocities_from_positions",
                "frame_interval": interval,
                "transfer": "|sin(2 pi f dt) / (2 pi f dt)|",
                "power_beyond": found.beyond,
                "frame_interval_that_would_do": found.enough,
                "temperatures": found.temperatures,
                "band": BAND / (2.0 * interval),
                "limits": {"power_beyond": LIMIT, "of_the_temperature": COLDEST},
            },
        ),
    )


@dataclass(frozen=True)
class Sampled:
    """What a sample of paths says: share of the power beyond BAND, kinetic temperature (K, or reduced) of each species, an interval that would do."""

    beyond: float
    temperatures: dict[str, float]
    enough: float


def sampled(traj: Trajectory) -> Sampled:
    """The spectrum of steps between neighbouring frames, with the transfer function sin(pi f dt) / (pi f dt) of a step divided out.

    Lines beyond the Nyquist limit are folded to just below it, so that a spectrum that is small there has ended before; lines
    further away may be folded over that into the spectrum, where they seem slower and colder than they are.
    """
    interval = traj.frame_interval
    n_frames = min(traj.n_frames, _SAMPLE_FRAMES)
    # a store holds atoms in chunks: groups of neighbours are asked for, spread over all
    starts = np.unique(np.linspace(0, max(traj.n_atoms - _GROUP, 0), _GROUPS).astype(int))
    chosen = np.unique(np.concatenate([np.arange(start, min(start + _GROUP, traj.n_atoms)) for start in starts]))
    parts = [traj.scaled_positions[:n_frames, int(part[0]) : int(part[-1]) + 1] for part in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1)]
    stored = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts], axis=1)
    steps = np.diff(stored @ traj.mean_cell, axis=0) / interval
    masses = np.ones(len(chosen)) if traj.masses is None else traj.masses[chosen]
    power = np.stack([_power(steps[:, atom]) for atom in range(len(chosen))]) * masses[:, None]
    place = np.arange(power.shape[1]) / len(steps)  # f dt
    power /= np.sinc(place) ** 2
    total = power.sum()
    of_atom = power.sum(axis=1) / (3.0 if traj.reduced else 3.0 * BOLTZMANN / KINETIC_TO_EV)
    labels = traj.species[chosen]
    known = traj.masses is not None
    return Sampled(
        beyond=float(power[:, place > 0.5 * BAND].sum() / total) if total > 0 else 0.0,
        temperatures={str(name): float(of_atom[labels == name].mean()) for name in dict.fromkeys(labels.tolist())} if known else {},
        enough=min(interval / 2.0, _resolving(traj, np.square(steps).sum(axis=2).mean(axis=0) * interval**2, masses, labels)),
    )


def _power(steps: np.ndarray) -> np.ndarray:
    """Mean square of one atom's steps (frame, 3) at each frequency, summed over axes, with a Hann taper."""
    n = len(steps)
    taper = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
    spectrum = np.square(np.abs(np.fft.rfft((steps - steps.mean(axis=0)) * taper[:, None], axis=0))).sum(axis=1)
    spectrum[1 : (n + 1) // 2] *= 2.0  # negative frequencies
    return np.asarray(spectrum / (n * np.sum(taper**2)))


def _resolving(traj: Trajectory, squared_step: np.ndarray, masses: np.ndarray, labels: np.ndarray) -> float:
    """Interval that resolves three times the mean frequency of the fastest species: thermal speed over amplitude, from steps r' - r.

    Two frames that remember nothing of each other differ by twice the mean square amplitude.
    """
    if traj.temperature is None or traj.masses is None or traj.reduced:
        return float("inf")
    thermal = 3.0 * BOLTZMANN * traj.temperature / KINETIC_TO_EV
    of = [labels == name for name in set(labels.tolist())]
    frequency = max(np.sqrt(2.0 * thermal / (masses[one].mean() * max(squared_step[one].mean(), 1e-12))) / (2.0 * np.pi) for one in of)
    return float(0.5 * BAND / (3.0 * frequency))
