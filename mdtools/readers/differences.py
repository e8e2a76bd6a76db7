"""Velocities from positions: central differences, made when they are sliced, so that a store stays on disk.

v(t) = [r(t + dt) - r(t - dt)] / 2 dt of unwrapped positions (scaled ones times the mean cell). A vibration of frequency f is
seen with the amplitude |sin(2 pi f dt) / (2 pi f dt)|: exact at f = 0, zero at the Nyquist limit 1 / 2 dt.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mdtools.errors import NotEnoughData
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["BAND", "LIMIT", "CentralDifference", "power_beyond", "velocities_from_positions"]

BAND = 0.8  # of the Nyquist limit: what lies above is not made use of, and must hold next to nothing
LIMIT = 0.01  # share of the power above BAND at which lines are folded back into the spectrum
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
    beyond, enough = power_beyond(traj)
    notes = ["velocities are central differences of the positions, so the first and the last frame are left out"]
    if traj.velocities is not None:
        notes.append("the velocities of the file are not used")
    if beyond > LIMIT:
        notes.append(
            f"frames every {interval:.4g} ps are too far apart for the vibrations ({100 * beyond:.2g} % of the power lies in the last fifth below "
            f"the Nyquist limit): spectra of these velocities are refused, their zero frequency (conductivity) is right; "
            f"{enough:.2g} ps would do"
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
                "power_beyond": beyond,
                "frame_interval_that_would_do": enough,
                "band": BAND / (2.0 * interval),
            },
        ),
    )


def power_beyond(traj: Trajectory) -> tuple[float, float]:
    """Share of the vibrational power in the last fifth below the Nyquist limit, and the frame interval (ps) that would do.

    Of a sample: the spectrum of steps between neighbouring frames, with the transfer function sin(pi f dt) / (pi f dt) of a
    step divided out. Lines beyond the limit are folded to just below it, so that a spectrum that is small there has ended before.
    """
    interval = traj.frame_interval
    n_frames = min(traj.n_frames, _SAMPLE_FRAMES)
    # a store holds atoms in chunks: groups of neighbours are asked for, spread over all
    starts = np.unique(np.linspace(0, max(traj.n_atoms - _GROUP, 0), _GROUPS).astype(int))
    chosen = np.unique(np.concatenate([np.arange(start, min(start + _GROUP, traj.n_atoms)) for start in starts]))
    parts = [traj.scaled_positions[:n_frames, int(part[0]) : int(part[-1]) + 1] for part in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1)]
    stored = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts], axis=1)
    steps = np.diff(stored @ traj.mean_cell, axis=0) / interval
    weights = np.ones(len(chosen)) if traj.masses is None else traj.masses[chosen]
    centred = steps - steps.mean(axis=0)
    taper = np.sin(np.pi * (np.arange(len(steps)) + 0.5) / len(steps)) ** 2
    power = np.zeros(len(steps) // 2 + 1)
    for atom, weight in enumerate(weights):
        power += weight * np.square(np.abs(np.fft.rfft(centred[:, atom] * taper[:, None], axis=0))).sum(axis=1)
    place = np.arange(len(power)) / len(steps)  # f dt
    power /= np.sinc(place) ** 2
    total = power.sum()
    beyond = float(power[place > 0.5 * BAND].sum() / total) if total > 0 else 0.0
    return beyond, min(interval / 2.0, _resolving(traj, np.square(steps).sum(axis=2).mean(axis=0) * interval**2, weights))


def _resolving(traj: Trajectory, squared_step: np.ndarray, masses: np.ndarray) -> float:
    """Interval that resolves twice the mean frequency: thermal speed over amplitude, from a temperature and steps of r' - r.

    Two frames that remember nothing of each other differ by twice the mean square amplitude.
    """
    if traj.temperature is None or traj.masses is None or traj.reduced:
        return float("inf")
    thermal = 3.0 * BOLTZMANN * traj.temperature / KINETIC_TO_EV / masses
    frequency = np.sqrt(thermal / np.maximum(squared_step / 2.0, 1e-12)) / (2.0 * np.pi)
    return float(0.5 * BAND / (2.0 * frequency.max()))
