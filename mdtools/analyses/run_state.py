"""Whether a run is what its averages are taken for: temperatures, energies, volume and displacements in equal parts of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import memory, schema
from mdtools.analyses.differenced import differenced
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.state_fluctuations import moments_of_log, momentum_temperature, widest_gap
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["run_state"]

FROM_LOG = ("potential_energy", "total_energy", "conserved_energy", "enthalpy", "pressure")


@schema.recorded
def run_state(traj: Trajectory, *, windows: int = 16, reference: Sequence[str] | str | None = None) -> xr.Dataset:
    """Means over equal parts of the run of what must not drift: for the gates of `detect_melting`.

    windows : equal parts. reference : the lattice frame, as in `msd`.

    Returns by window `volume_by_window`, and what the log holds of `potential_energy`, `total_energy`, `conserved_energy`, `enthalpy`
    and `pressure` (NaN in a part without a row); `kinetic_temperature` (window, species) where the file has velocities and masses;
    `window_msd` (window, species), mean squared distance of an ion from where it was when the part began, at its end; `frame_velocity`,
    the mean velocity of the frame of reference in the frame of the file, angstrom/ps; `cells_across`, the shortest distance of two
    faces of the cell in mean distances (V/N)^(1/3) of the ions, and `widest_gap`, the widest empty layer in these.
    What must fluctuate, for `heat_capacity`, `enthalpy_bimodality` and the gate on the thermostat: by window, about the mean of the run and of
    every row of the log, `enthalpy_by_window`, `enthalpy_variance`, `enthalpy_third_moment`, `enthalpy_fourth_moment` (H = E + P V at one P),
    `logged_volume_by_window`, `volume_variance`, `enthalpy_volume_covariance`, `temperature_by_window`, `kinetic_fluctuation` (1 in the canonical
    ensemble); `momentum_temperature` of the total momentum where there are velocities. Raises TrajectoryError; NotEnoughData for a run of few
    frames.

    >>> from mdtools import synthetic
    >>> run_state(synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=64)).kinetic_temperature.shape
    (16, 2)
    """
    who = "run_state"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who)
    path, taken = traj.reference_path(reference)
    cell = traj.mean_cell
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    used = windows * length
    out: dict[str, Any] = {
        **common(traj),
        "volume_by_window": ("window", np.abs(np.linalg.det(traj.cell[:used])).reshape(windows, length).mean(axis=1)),
        "window_msd": (("window", "species"), _window_msd(traj, path, windows, length)),
        "frame_velocity": float(np.linalg.norm((path[used - 1] - path[0]) @ cell) / max(traj.time[used - 1] - traj.time[0], 1e-12)),
        "cells_across": float(heights.min() / (traj.volume / traj.n_atoms) ** (1 / 3)),
        "widest_gap": widest_gap(traj),
        "framework": ("species", np.isin(traj.species_names, traj.framework).astype(int)),
        "window": window_starts(traj, windows),
    }
    if traj.velocities is not None and traj.masses is not None and differenced(traj) is None:
        kelvin, momentum = _temperatures(traj, windows, length)
        out["kinetic_temperature"] = (("window", "species"), kelvin)
        out["momentum_temperature"] = momentum_temperature(momentum, float(traj.masses.sum()), reduced=traj.reduced)
    if traj.log is not None:
        part = np.searchsorted(traj.time[: windows * length : length], traj.log.time, side="right") - 1
        inside = (part >= 0) & (traj.log.time <= traj.time[used - 1])
        for name in FROM_LOG:
            if name in traj.log.values:
                rows = [traj.log.values[name][inside & (part == k)] for k in range(windows)]
                out[name] = ("window", np.array([one.mean() if len(one) else np.nan for one in rows]))
        out |= moments_of_log(traj, part, inside, windows)
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=traj.n_frames - used)


def _window_msd(traj: Trajectory, path: np.ndarray, windows: int, length: int) -> np.ndarray:
    out = np.empty((windows, len(traj.species_names)))
    for k in range(windows):
        first, last = k * length, (k + 1) * length - 1
        ends = traj.positions_at(np.array([first, last])) - path[[first, last]][:, None, :]
        square = np.sum(((ends[1] - ends[0]) @ traj.mean_cell) ** 2, axis=-1)
        out[k] = [square[traj.indices(name)].mean() for name in traj.species_names]
    return out


def _temperatures(traj: Trajectory, windows: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Kinetic temperature (window, species) in K, or in reduced units, and the total momentum (frame, 3)."""
    assert traj.masses is not None
    factor = 1.0 if traj.reduced else KINETIC_TO_EV / BOLTZMANN
    total = np.zeros((windows, len(traj.species_names)))
    momentum = np.zeros((windows * length, 3))
    block = max(1, memory.block() // (8 * 8 * traj.n_atoms))
    members = np.stack([(traj.species == name) * traj.masses / (3 * np.sum(traj.species == name)) for name in traj.species_names], axis=1)
    for frames, (v,) in traj.over_frames("velocities", block=block, within=slice(0, windows * length)):
        some = np.arange(frames.start, frames.stop)
        each = v[: len(some)].astype(np.float64)
        np.add.at(total, some // length, factor * (np.sum(each**2, axis=-1) @ members) / length)
        momentum[some] = np.einsum("tax,a->tx", each, traj.masses)
    return total, momentum
