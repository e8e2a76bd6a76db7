"""Self-diffusion coefficient of each species, with an error bar that is true, or a bound."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, is_reduced, lag_frames, need_every_origin, three_jumps
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.units import ANGSTROM2_PER_PS_TO_CM2_PER_S

__all__ = ["self_diffusivity"]

BY_SPECIES = ("msd", "msd_by_axis", "block_msd", "n_ions", "mass", "charge")
STILL = 1e-16  # of the squared size of the cell: what rounding leaves of atoms that are held fixed
KNOWN = ("diffusive", "subdiffusive")  # regimes in which D has a value


@schema.recorded
def self_diffusivity(
    msd: xr.Dataset,
    *,
    lag_first: float | None = None,
    lag_last: float | None = None,
    intercept: float | None = None,
    intercept_stderr: float | None = None,
) -> xr.Dataset:
    """Self-diffusion coefficient of each species, with its 95 % interval, or the bound of a species that is caged.

    MSD(t) = a0 + 6 D t by generalised least squares with the exact covariance of overlapping origins, averaged over
    ranges of lags; the variance is inflated by what non-overlapping blocks of time show beyond independent ions.

    lag_first, lag_last : ps; only ranges that start or end there (by default averaged over). The slope beyond a third
        of a window is not used unless lag_last asks for it.
    intercept, intercept_stderr : Gaussian prior of a0 in angstrom^2 (the vibrational plateau), both or none.

    Returns by species: `self_diffusivity` (+_stderr, _lower, _upper, _cm2_per_s), `cage_size` (a0), `variance_inflation`,
    `effective_ions`, `lag_first`, `lag_last`, `fit_quality`, `log_slope`, `regime`.
    regime "diffusive" or "subdiffusive" (the slope still falls with the lag, or rests on few jumps) has a value.
    regime "caged" (flat, no slope) or "undecided" (too noisy to tell) has NaN for the value and its error, lower 0, and
    as upper the 95 % bound D_max: the larger of what the slope allows and of three jumps in the run, 3 l^2 / (6 N t_run) with
    l = (V / N)^(1/3), since jumps too rare to be seen leave no slope. No exception for them: other species of the run
    stay readable. Ions that never move at all (held fixed) have the bound 0.
    Runs in lj units stay in them and have no cm2_per_s.
    Raises NotEnoughData (fewer than 8 usable lags, no time blocks, origins left out), TrajectoryError (uneven frames),
    ValueError for half a prior.
    Source: reference/transport.md 2.2, 2.6.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> walk = synthetic.brownian(n_atoms=64, n_frames=1000, diffusivity=0.5, seed=1)
    >>> d = self_diffusivity(msd(walk, reference="none")).sel(species="A")
    >>> bool(d.self_diffusivity_lower < 0.5 < d.self_diffusivity_upper), d.regime.item()
    (True, 'diffusive')
    """
    who = "self_diffusivity"
    if (intercept is None) != (intercept_stderr is None):
        raise ValueError("a prior on the intercept needs both intercept= and intercept_stderr=, in angstrom^2")
    need_every_origin(msd, who=who)
    frames = lag_frames(msd, who=who)
    if "block_msd" not in msd:
        raise NotEnoughData(f"{who} needs block_msd, from which it learns how far ions move together: measure the msd again with this version")
    if "species" not in msd.dims:  # one species was selected
        msd = msd.assign({name: msd[name].expand_dims("species") for name in BY_SPECIES if name in msd})
    interval = float(msd["frame_interval"])
    prior = None if intercept is None or intercept_stderr is None else (float(intercept), float(intercept_stderr))
    limits = {"first": None if lag_first is None else lag_first / interval, "last": None if lag_last is None else round(lag_last / interval)}
    found = [_one(msd.isel(species=k), frames, prior, limits) for k in range(msd.sizes["species"])]
    return schema.dataset(
        {"species": msd["species"].values, **carried(msd), **_columns(found, msd, interval, is_reduced(msd))}, reduced=is_reduced(msd)
    )


def _one(msd: xr.Dataset, frames: np.ndarray, prior: tuple[float, float] | None, limits: dict[str, Any]) -> Diffusion | None:
    """None for ions that never move at all (atoms that were held fixed)."""
    by_axis = msd["msd_by_axis"].transpose("window", "xyz", "lag").values
    if by_axis.max() <= STILL * float(msd["volume"]) ** (2 / 3):
        return None
    blocks = msd["block_msd"].transpose("xyz", "block_lag", "block").values
    lengths = np.rint(msd["block_lag"].values / float(msd["frame_interval"]))
    return diffusion(
        frames,
        by_axis.mean(axis=0),
        n_frames=int(msd["n_frames"]) // len(by_axis),
        n_ions=int(msd["n_ions"]),
        windows=len(by_axis),
        blocks=(blocks, lengths),
        intercept=prior,
        **limits,
    )


def _columns(found: list[Diffusion | None], msd: xr.Dataset, interval: float, reduced: bool) -> dict[str, Any]:
    """One number a species; D = slope / (6 interval)."""

    def column(name: str, *, fixed: float, factor: float = 1.0) -> np.ndarray:
        return np.array([fixed if one is None else factor * getattr(one, name) for one in found])

    regime = np.array(["caged" if one is None else one.regime for one in found])
    known = np.isin(regime, KNOWN)
    per_slope = 1 / (6 * interval)
    value = np.where(known, column("slope", fixed=0.0, factor=per_slope), np.nan)
    stderr = np.where(known, column("stderr", fixed=0.0, factor=per_slope), np.nan)
    inflation = column("inflation", fixed=1.0)
    unseen = np.where(known | np.array([one is None for one in found]), 0.0, three_jumps(msd))
    columns = {
        "self_diffusivity": value,
        "self_diffusivity_stderr": stderr,
        "self_diffusivity_lower": column("lower", fixed=0.0, factor=per_slope),
        "self_diffusivity_upper": np.maximum(column("upper", fixed=0.0, factor=per_slope), unseen),
        "cage_size": column("intercept", fixed=0.0),
        "cage_size_stderr": column("intercept_stderr", fixed=0.0),
        "variance_inflation": inflation,
        "effective_ions": msd["n_ions"].values / inflation,
        "lag_first": column("lag_first", fixed=np.nan, factor=interval),
        "lag_last": column("lag_last", fixed=np.nan, factor=interval),
        "fit_quality": column("quality", fixed=np.nan),
        "log_slope": column("log_slope", fixed=0.0),
        "log_slope_stderr": column("log_slope_stderr", fixed=0.0),
        "regime": regime,
    }
    if not reduced:
        columns["self_diffusivity_cm2_per_s"] = value * ANGSTROM2_PER_PS_TO_CM2_PER_S
        columns["self_diffusivity_cm2_per_s_stderr"] = stderr * ANGSTROM2_PER_PS_TO_CM2_PER_S
    return {name: (("species",), values) for name, values in columns.items()}
