"""Static structure factor: Bragg peaks and diffuse scattering together, by pair of species."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.chosen_waves import Chosen, Convention, per_pair
from mdtools.analyses.labels import common
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.scattering_lengths import Weights
from mdtools.kernels.scattering import mean_products
from mdtools.trajectory import Trajectory

__all__ = ["structure_factor"]


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
    reference: Sequence[str] | str | None = None,
    weights: Weights | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Static structure factor S(q), by pair of species.

    S_ab(q) = 1/N Re < rho_a(q) rho_b*(q) >, both orders of unlike species added: the sum over pairs is S(q) of equal scatterers,
    Bragg peaks and diffuse scattering together, and 1 of an ideal gas. Frames may be unevenly spaced. Options as in
    `intermediate_scattering`.

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

    def square(modes: np.ndarray, pairs: Any, _: Any) -> Any:
        return np.asarray(mean_products(modes[:, 0], pairs=pairs))[None, :, :, None]

    values, taken = which.correlations(square, windows=windows, length=length, frames=np.zeros(1, dtype=int))
    out = {
        **common(traj),
        "structure_factor": (("window", "pair", "q"), which.by_pair(values)[0, ..., 0] / per_pair(traj, convention)[:, None]),
        **which.weighted("structure_factor", values[0, ..., 0], ()),
        **which.coordinates(windows, None),
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=traj.n_frames - windows * length)
