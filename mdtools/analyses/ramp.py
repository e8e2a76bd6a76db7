"""A run whose temperature is changed on the way, window by window: an exploratory map."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.melting import neighbour_distance
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.run_state import run_state
from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["heating_ramp"]

ORIGINS = 8  # in the first half of a window


@schema.recorded
def heating_ramp(traj: Trajectory, *, windows: int = 16, reference: Sequence[str] | str | None = None) -> xr.Dataset:
    """Map of a heating or cooling ramp: temperature, displacement of each species, volume and energy of every window.

    windows : equal parts of the run; each is a temperature. reference : the lattice frame, as in `msd`.
    A ramp is never in equilibrium: what it shows lags behind, so that no state is judged of it; `detect_ramp` lists the temperatures that are
    worth runs of their own.

    Returns by window `temperature_by_window` (of the log, else of the velocities), `volume_by_window`, what the log has of `potential_energy`;
    `window_msd` (window, species): mean squared displacement over half a window; `neighbour_distance` (species).
    Raises TrajectoryError where neither a log nor velocities with masses tell the temperature; NotEnoughData for a run of few frames.

    >>> from mdtools import synthetic
    >>> heating_ramp(synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=64), windows=4).window_msd.dims
    ('window', 'species')
    """
    who = "heating_ramp"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who, shortest=4)
    state = run_state(traj, windows=windows, reference=reference)
    path, taken = traj.reference_path(reference)
    if "temperature_by_window" in state and np.isfinite(state.temperature_by_window).all():
        kelvin = state.temperature_by_window.values
    elif "kinetic_temperature" in state:
        kelvin = np.average(state.kinetic_temperature.transpose("window", "species").values, axis=1, weights=state.n_ions.values)
    else:
        raise TrajectoryError(f"{who} needs the temperature along the run: a log (log=, --log), or velocities and masses (masses=, --masses)")
    msd = np.empty((windows, len(traj.species_names)))
    lag = length // 2
    for k in range(windows):
        starts = k * length + np.unique(np.linspace(0, length - 1 - lag, min(ORIGINS, length - lag)).astype(int))
        first, last = (traj.positions_at(frames) - path[frames][:, None, :] for frames in (starts, starts + lag))
        square = np.sum(((last - first) @ traj.mean_cell) ** 2, axis=-1).mean(axis=0)
        msd[k] = [square[traj.indices(name)].mean() for name in traj.species_names]
    out: dict[str, Any] = {
        **common(traj),
        "temperature_by_window": ("window", kelvin),
        "window_msd": (("window", "species"), msd),
        "neighbour_distance": ("species", [neighbour_distance(traj, name) for name in traj.species_names]),
        "framework": ("species", np.isin(traj.species_names, traj.framework).astype(int)),
        **{name: ("window", state[name].values) for name in ("volume_by_window", "potential_energy") if name in state},
        "window": window_starts(traj, windows),
    }
    found = {"reference": taken, "lag": lag * traj.frame_interval, "frames_unused": traj.n_frames - windows * length}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)
