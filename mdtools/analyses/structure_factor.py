"""Static structure factor: Bragg peaks and diffuse scattering together, by pair of species."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.chosen_waves import Chosen, Convention, per_pair
from mdtools.analyses.labels import common
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.sampled import every, stride_within
from mdtools.analyses.scattering_lengths import Weights
from mdtools.kernels.scattering import mean_products
from mdtools.trajectory import Trajectory

__all__ = ["structure_factor"]

PHASES = 1.5e9  # that are summed unless told: some two seconds on one core


@schema.recorded
def structure_factor(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int = 2000,
    shells: int | None = None,
    windows: int = 4,
    frames: Literal["auto", "all"] | int = "auto",
    phase_budget: float = PHASES,
    reference: Sequence[str] | str | None = None,
    weights: Weights | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Static structure factor S(q), by pair of species.

    S_ab(q) = 1/N Re < rho_a(q) rho_b*(q) >, both orders of unlike species added: the sum over pairs is S(q) of equal scatterers,
    Bragg peaks and diffuse scattering together, and 1 of an ideal gas. Frames may be unevenly spaced. Options as in
    `intermediate_scattering`, and:

    frames : "all", every so many, or "auto": as many as keep the work, a phase for each ion and wave vector of a frame, within
        phase_budget, evenly spaced; the stride that was taken is in the history.
    phase_budget : how many phases are summed at most where frames is "auto"; the default takes seconds.

    Returns `structure_factor` (window, pair, q), and with weights `neutron_structure_factor` or `xray_structure_factor`
    (window, q). Raises TrajectoryError, NotEnoughData, ValueError. Source: reference/science.md A2 row 24.

    >>> from mdtools import synthetic
    >>> S = structure_factor(synthetic.brownian(n_atoms=40, n_frames=200), windows=1, reference="none").structure_factor
    >>> float(S.sum("pair").mean().round(1))
    1.0
    """
    who = "structure_factor"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who, shortest=1)
    which = Chosen(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=n_q, shells=shells, reference=reference, weights=weights)
    work = float(traj.n_atoms) * len(which.indices) * windows * length
    stride = stride_within(phase_budget, work, length, name="phase_budget") if frames == "auto" else 1 if frames == "all" else frames
    if frames == "auto":
        stride = length // (length // stride)  # so that each window has its own frames, up to its end
    if isinstance(stride, bool) or not isinstance(stride, int | np.integer) or not 1 <= stride <= length:
        raise ValueError(f'frames={frames!r} is not understood; write "auto", "all" or every how many frames, 1 to {length}')
    length = length // stride * stride
    thin = every(traj, stride, slice(0, windows * length))

    def square(modes: np.ndarray, pairs: Any, _: Any) -> Any:
        return np.asarray(mean_products(modes[:, 0], pairs=pairs))[None, :, :, None]

    values, taken = which.correlations(square, traj=thin, windows=windows, length=thin.n_frames // windows, frames=np.zeros(1, dtype=int))
    out = {
        **common(traj),
        "structure_factor": (("window", "pair", "q"), which.by_pair(values)[0, ..., 0] / per_pair(traj, convention)[:, None]),
        **which.weighted("structure_factor", values[0, ..., 0], ()),
        **which.coordinates(windows, None),
    }
    found = {"reference": taken, "frames_unused": traj.n_frames - windows * length, **({"frame_stride": stride} if frames == "auto" else {})}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)
