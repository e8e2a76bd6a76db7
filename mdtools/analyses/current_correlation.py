"""Current modes: how they correlate along and across the wave vector."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.chosen_waves import Chosen, Convention, per_pair
from mdtools.analyses.labels import common, lag_times
from mdtools.analyses.sampled import stretch_within, waves_within
from mdtools.analyses.self_scattering import correlation_times
from mdtools.analyses.wave_vectors import SHELLS, in_cycles
from mdtools.kernels.scattering import current_correlations
from mdtools.trajectory import Trajectory

__all__ = ["current_correlation"]

PHASES = 1.5e8  # of which three components are summed, unless told: a few seconds on one core
USUAL = 100  # wave vectors unless told, of a run that is not long


@schema.recorded
def current_correlation(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int | None = None,
    stretch: Literal["auto", "all"] | int = "auto",
    phase_budget: float = PHASES,
    shells: int | None = None,
    windows: int = 4,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    longest: float | None = None,
    reference: Sequence[str] | str | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Longitudinal and transverse current correlations C_L(q, t) and C_T(q, t), by pair of species.

    C_L,ab = 1/N Re < (e.j_a)(t0) (e.j_b)*(t0 + t) >, e = q/|q|, j_s(q, t) = sum_{i in s} v_i exp(i q . r_i), and C_T half of
    1/N Re < j_a . j_b* > of what is left across q; both orders of unlike species added. C_L(0) = C_T(0) = k_B T / m of one species, and
    C_L = -(d^2/dt^2) F / q^2. Velocities are those of the frame of reference, and e follows the cell. Options as in
    `intermediate_scattering` (stretch too), n_q 100, down to 40 in long runs; the numbers of dynasor are in angstrom^2/fs^2.

    Returns `longitudinal_current_acf` and `transverse_current_acf` (window, pair, q, lag) in angstrom^2/ps^2.
    Raises TrajectoryError (no velocities, uneven frames), NotEnoughData, ValueError for q = 0, which has no direction.

    >>> from mdtools import synthetic
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=20, n_frames=600, seed=1)
    >>> C = current_correlation(gas, hkl=["1 0 0", "0 1 0"], shells=1, windows=1, reference="none", lags=[0.0])
    >>> kt_over_m = 1000 * 8.617e-5 / (20 * 1.0364e-4)
    >>> bool(abs(C.transverse_current_acf.sum("pair").item() / kt_over_m - 1) < 0.3)
    True
    """
    who = "current_correlation"
    traj.need("scaled_positions", "velocities", who=who)
    length, interval, frames = correlation_times(traj, windows, lags, longest, who=who)
    waves = waves_within(n_q, usual=USUAL, fewest=SHELLS, budget=phase_budget, per_wave=float(traj.n_atoms) * windows * length)
    which = Chosen(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=waves, shells=shells, reference=reference)
    if not np.all(np.any(which.indices, axis=1)):
        raise ValueError(f"{who}: q = 0 has no direction, along which a current could be longitudinal; leave out 0 0 0")

    seen, frames = stretch_within(
        stretch,
        length=length,
        lags=frames,
        asked=longest is not None or not isinstance(lags, str),
        budget=phase_budget,
        per_frame=float(traj.n_atoms) * windows * len(which.indices),
    )

    def correlate(modes: np.ndarray, pairs: Any, at: tuple[np.ndarray, slice]) -> Any:
        return current_correlations(modes, _directions(traj, which.indices[at[0]], at[1]), pairs=pairs, longest=int(frames[-1]))

    values, taken = which.correlations(correlate, windows=windows, length=length, stretch=seen, frames=frames, currents=True)
    values = which.by_pair(values) / per_pair(traj, convention)[:, None, None]
    dims = ("window", "pair", "q", "lag")
    out = {
        **common(traj),
        "longitudinal_current_acf": (dims, values[0]),
        "transverse_current_acf": (dims, values[1]),
        **which.coordinates(windows, lag_times(frames, interval)),
    }
    found = {"reference": taken, "frames_unused": traj.n_frames - windows * length, "stretch": seen, "window_frames": length}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found, **which.told(n_q, USUAL))


def _directions(traj: Trajectory, indices: np.ndarray, frames: slice) -> np.ndarray:
    """Unit vectors of q in the cell of each frame, (q, xyz, frame)."""
    cell = np.asarray(traj.cell[frames], dtype=np.float64)
    q = in_cycles(indices, cell[:1] if traj.fixed_cell else cell)
    unit = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return np.broadcast_to(np.moveaxis(unit, 0, -1), (len(indices), 3, len(cell))).copy()
