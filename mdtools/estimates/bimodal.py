"""Two phases in one run: an enthalpy that sits about two values."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.bimodal import UNIFORM, bimodality

__all__ = ["enthalpy_bimodality"]

FEWEST = 8  # windows
HELD = 1e-14  # relative variance of the volume, up to which the cell was held
MOMENTS = ("enthalpy_by_window", "enthalpy_variance", "enthalpy_third_moment", "enthalpy_fourth_moment")


@schema.recorded
def enthalpy_bimodality(run_state: xr.Dataset) -> xr.Dataset:
    """Whether P(H) of a run at constant pressure has two peaks, as near a transition of type I, and how far they are apart.

    b = (skewness^2 + 1) / kurtosis of H: 1/3 where H fluctuates about one value, 1 about two. Two phases are told where b is above that of
    a uniform distribution, 5/9, by two standard errors: peaks of equal shape 6 of their widths apart nearly always, 4 seldom; in N ions a latent
    heat L each lies L sqrt(N) / (k_B T sqrt(c)) widths apart, so that small cells near a weak transition show nothing. Both are phases in equilibrium
    only where the run went back and forth: `changes` counts how often. One change is a run that left one phase for the other, and
    T_c of such runs has the hysteresis of heating or cooling.

    Returns `bimodality` and `enthalpy_step`, the distance of the two values in eV per ion (of peaks of one width; NaN of one value), with
    _stderr; `changes` between windows above and below the middle of the two; `says`: "two values", "one value".
    Raises TrajectoryError for a run without a log of energy and volume or at a held cell, where phases share the box instead; NotEnoughData for
    fewer than eight windows with rows of the log.
    Source: reference/science.md C5; M. S. S. Challa, D. P. Landau, K. Binder, Phys. Rev. B 34, 1841 (1986).

    >>> from mdtools.schema import dataset
    >>> h = np.tile([-1.0, 1.0], 8) + 0.01 * np.arange(16)
    >>> part = {name: ("window", h**k) for k, name in enumerate(MOMENTS, start=1)} | {"volume_variance": ("window", h**2)}
    >>> run = dataset({"window": list(range(16)), "n_atoms": 10, "volume": 200.0, **part})
    >>> two = enthalpy_bimodality(run)
    >>> two.says.item(), round(two.enthalpy_step.item(), 1), int(two.changes)
    ('two values', 0.2, 15)
    """
    data = run_state
    who = "enthalpy_bimodality"
    if not all(name in data for name in MOMENTS):
        raise TrajectoryError(f"{who} needs energies and volume: read the trajectory with its log, log= (--log)")
    if float(np.nanmean(data.volume_variance)) < HELD * float(data.volume) ** 2:
        raise TrajectoryError(f"{who} is for runs under a barostat, and the cell of this one was held: two phases would share it")
    rows = np.stack([data[name].values for name in MOMENTS], axis=1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < FEWEST:
        raise NotEnoughData(f"{who} needs {FEWEST} windows that hold rows of the log; there are {len(rows)}: write the log more often")
    (b, apart), (b_error, apart_error) = bimodality(rows)
    n = float(data.n_atoms)
    high = rows[:, 0] > _middle(rows)
    two = b - 2 * b_error > UNIFORM
    out = {
        **carried(data),
        "bimodality": b,
        "bimodality_stderr": b_error,
        "enthalpy_step": apart / n if two else np.nan,
        "enthalpy_step_stderr": apart_error / n if two else np.nan,
        "changes": int(np.sum(high[1:] != high[:-1])),
        "says": "two values" if two else "one value",
    }
    return schema.dataset(out, reduced=is_reduced(data))


def _middle(rows: np.ndarray) -> float:
    """Middle of two values of the mean, variance and skewness of the run: m + s (x1 + x2) / 2 with x1 x2 = -1, x1 + x2 = the skewness."""
    mean, square, cube, _ = rows.mean(axis=0)
    second = square - mean**2
    return float(mean + 0.5 * (cube - 3 * mean * square + 2 * mean**3) / second)
