"""How the stress of a run fluctuates, from the pressure tensor of its log."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.labels import common, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["stress_fluctuations"]

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@schema.recorded
def stress_fluctuations(traj: Trajectory, *, windows: int = 16) -> xr.Dataset:
    """Mean stress and second moments of the stress, by window, in Voigt's order xx, yy, zz, yz, xz, xy, from every row of the log.

    The stress is minus the pressure tensor, kinetic part and all; `stress_elasticity` makes elastic constants of its covariance and a Born term.
    windows : equal parts of the run.

    Returns, in GPa and GPa^2, `stress` (window, voigt), and `stress_product` (window, voigt, voigt2) about the mean of the run.
    Raises TrajectoryError without a pressure tensor in the log; NotEnoughData for a window without a row.
    Source: reference/science.md A2 row 27, B10.

    >>> from mdtools import synthetic
    >>> from mdtools.thermo import Thermo
    >>> still = synthetic.brownian(n_atoms=8, n_frames=64)
    >>> rows = Thermo(time=still.time, values={"pressure_tensor": np.tile(np.eye(3), (64, 1, 1))})
    >>> from dataclasses import replace
    >>> stress_fluctuations(replace(still, log=rows), windows=8).stress.values[0].tolist()
    [-1.0, -1.0, -1.0, 0.0, 0.0, 0.0]
    """
    who = "stress_fluctuations"
    length = window_length(traj, windows, who=who)
    if traj.log is None or "pressure_tensor" not in traj.log.values:
        there = "its log has no pressure tensor" if traj.log is not None else "it came without a log"
        raise TrajectoryError(
            f"{who} needs the stress along the run, and of {traj.source} {there}: read it with log= (--log), written with pxx pyy pzz pxy pxz pyz "
            "(LAMMPS: thermo_style custom)"
        )
    used = windows * length
    log = traj.log
    inside = (log.time >= traj.time[0]) & (log.time <= traj.time[used - 1]) & np.isfinite(log.values["pressure_tensor"]).all(axis=(1, 2))
    part = np.searchsorted(traj.time[:used:length], log.time[inside], side="right") - 1
    rows = np.bincount(part, minlength=windows)
    if rows.min() < 1:
        raise NotEnoughData(
            f"{who} needs rows of the log in every window; {int(np.sum(rows == 0))} of {windows} have none: write it more often, or pass windows="
        )
    tensor = log.values["pressure_tensor"][inside]
    stress = -np.stack([tensor[:, a, b] for a, b in VOIGT], axis=1)
    mean, product = np.zeros((windows, 6)), np.zeros((windows, 6, 6))
    about = stress - stress.mean(axis=0)
    np.add.at(mean, part, stress / rows[part][:, None])
    np.add.at(product, part, about[:, :, None] * about[:, None] / rows[part][:, None, None])
    voigt = ["xx", "yy", "zz", "yz", "xz", "xy"]
    out = {
        **common(traj),
        "stress": (("window", "voigt"), mean),
        "stress_product": (("window", "voigt", "voigt2"), product),
        "lattice": (("cell_axis", "xyz"), traj.mean_cell),
        "cell_held": int(traj.fixed_cell),
        "window": window_starts(traj, windows),
        "voigt": voigt,
        "voigt2": voigt,
        "cell_axis": ["a", "b", "c"],
        "xyz": ["x", "y", "z"],
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), frames_unused=traj.n_frames - used, rows_of_log=int(rows.sum()))
