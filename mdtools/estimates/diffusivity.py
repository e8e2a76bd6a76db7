"""Self-diffusion coefficient of each species, with an error bar that is true, or a bound."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.estimates.common import (
    KNOWN,
    STILL,
    by_ion_of,
    carried,
    is_reduced,
    lag_frames,
    need_blocks,
    need_every_origin,
    need_every_window,
    run_length,
    three_jumps,
    top_share,
    with_species,
)
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.equal_weights import equal_weights
from mdtools.statistics.plan import run_for_bound, run_for_error
from mdtools.statistics.stretches import in_common
from mdtools.units import ANGSTROM2_PER_PS_TO_CM2_PER_S

__all__ = ["self_diffusivity"]

BY_SPECIES = ("msd", "msd_by_axis", "block_msd", "n_ions", "mass", "charge")


@schema.recorded
def self_diffusivity(
    msd: xr.Dataset,
    *,
    lag_first: float | None = None,
    lag_last: float | None = None,
    intercept: float | None = None,
    intercept_stderr: float | None = None,
    weights: Literal["exact", "equal"] = "exact",
) -> xr.Dataset:
    """Self-diffusion coefficient of each species, with its 95 % interval, or the bound of a species that is caged.

    MSD(t) = a0 + 6 D t by generalised least squares with the exact covariance of overlapping origins, averaged over
    ranges of lags; the variance is inflated by what single ions show beyond Gaussian ones (jumps), and blocks of time beyond
    independent ions (motion together).

    lag_first, lag_last : ps; only ranges that start or end there (by default averaged over). The slope beyond a third
        of a window is not used unless lag_last asks for it.
    intercept, intercept_stderr : Gaussian prior of a0 in angstrom^2 (the vibrational plateau), both or none.
    weights : "equal" is the one ordinary straight line through every lag from lag_first to lag_last (both needed), as spreadsheets draw it,
        to compare with published numbers; its error is the true one of such a line, larger than that of "exact", whose
        regime and inflation it has. Of an msd made elsewhere, without block_msd, it has a value and no error (NaN).

    Returns by species: `self_diffusivity` (+_stderr, _lower and _upper of 95 %, _lower_68 and _upper_68, _cm2_per_s), `cage_size` (a0),
    `variance_inflation`, `effective_ions`, `few_jumpers` (share of the displacement over the longest blocks that the top tenth of the ions
    carries: 0.2 or less where all ions move alike, towards 1 where D rests on few), `lag_first`, `lag_last`, `fit_quality`, `log_slope`,
    `self_diffusivity_late` (+_stderr; from the longer half of the lags alone) and `late_z_score`, by how many errors of their difference it
    lies above D: below -2.5 the slope falls within the run, D is that of the shorter lags, and the motion is subdiffusive;
    `significance` (D over the error it would have if it were 0), `regime`, `self_diffusivity_correlation` (species, species2) of the errors
    of D, from what squared displacements over stretches of time have in common; and the plan: `run_for_10_percent` is how long
    the run must be in all for a standard error of 10 %, `run_for_tenth_of_bound` for a bound ten times smaller of a species that stays caged.
    regime "diffusive" or "subdiffusive" (the slope still falls with the lag, or rests on few jumps) has a value.
    regime "caged" (flat, no slope) or "undecided" (too noisy to tell, or faster than a line: drift, free flight) has NaN for the value
    and its error, lower 0, and as upper the bound D_max, the upper end of the two-sided 95 % interval: the larger of what the slope and
    jumps like those of a crystal's ions (l^2 = 7 a0) allow and of three jumps in the run, 3 l^2 / (6 N t_run) with
    l = (V / N)^(1/3), since jumps too rare to be seen leave no slope. No exception for them: other species of the run stay readable.
    Ions that never move at all (held fixed) have the bound 0.
    Runs in lj units stay in them and have no cm2_per_s.
    Raises NotEnoughData (fewer than 8 usable lags, no time blocks, origins left out), TrajectoryError (uneven frames, windows left out),
    ValueError for half a prior and for lags that are not there.
    Source: reference/transport.md 2.2, 2.6.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> walk = synthetic.brownian(n_atoms=64, n_frames=1000, diffusivity=0.5, seed=1)
    >>> d = self_diffusivity(msd(walk, reference="none")).sel(species="A")
    >>> bool(d.self_diffusivity_lower < 0.5 < d.self_diffusivity_upper), d.regime.item()
    (True, 'diffusive')
    """
    who = "self_diffusivity"
    need_every_origin(msd, who=who)
    need_every_window(msd, who=who)
    frames = lag_frames(msd, who=who)
    if weights != "equal":
        need_blocks(msd, "block_msd", who=who)
    msd = with_species(msd, BY_SPECIES)
    interval = float(msd["frame_interval"])
    prior = _prior(intercept, intercept_stderr)
    _checked(lag_first, lag_last, longest=float(frames.max(initial=0)) * interval, weights=weights)
    limits = {"first": None if lag_first is None else lag_first / interval, "last": None if lag_last is None else round(lag_last / interval)}
    found: list[Diffusion | None] = [None] * msd.sizes["species"]
    for these in _alike(msd):
        part = msd.isel(species=these)
        batch = _batch(part, frames, prior, limits)
        for k, (number, one) in enumerate(zip(these, batch, strict=True)):
            found[number] = one if weights == "exact" else _equal(part.isel(species=k), frames, limits, one)
    out = schema.dataset(
        {"species": msd["species"].values, **carried(msd), **_columns(found, msd, interval, is_reduced(msd)), **_together(found, msd, interval)},
        reduced=is_reduced(msd),
    )
    return out if "block_msd" in msd else schema.resolved(out, error="unknown: the msd has no block_msd, from which it is learnt")


def _together(found: list[Diffusion | None], msd: xr.Dataset, interval: float) -> dict[str, Any]:
    """Correlation of the errors of D of two species, 0 where it is not known."""
    if "block_msd" not in msd or len(found) < 2:
        return {}
    lag = max((one.lag_first for one in found if one is not None and np.isfinite(one.lag_first)), default=1.0)
    blocks = msd["block_msd"].transpose("species", "xyz", "block_lag", "block").values
    matrix = in_common(blocks, np.rint(msd["block_lag"].values / interval), lag=lag)
    matrix[~np.isfinite(matrix)] = 0.0
    np.fill_diagonal(matrix, 1.0)
    return {"species2": msd["species"].values, "self_diffusivity_correlation": (("species", "species2"), matrix)}


def _prior(intercept: float | None, stderr: float | None) -> tuple[float, float] | None:
    if intercept is None and stderr is None:
        return None
    if intercept is None or stderr is None or not (np.isfinite(intercept) and 0 < stderr < np.inf):
        raise ValueError("a prior on the intercept needs both intercept= and intercept_stderr= (above 0), in angstrom^2")
    return float(intercept), float(stderr)


def _checked(first: float | None, last: float | None, *, longest: float, weights: str) -> None:
    """Raise ValueError for lags in ps that no fit can have, and for weights that are not there."""
    if weights not in ("exact", "equal"):
        raise ValueError(f'weights={weights!r} is not understood; write "exact" or "equal"')
    if weights == "equal" and (first is None or last is None):
        raise ValueError(
            'weights="equal" draws one line from a first to a last lag: pass both in ps, as lag_first=5, lag_last=50 (--lag-first 5 --lag-last 50)'
        )
    for name, value in (("lag_first", first), ("lag_last", last)):
        if value is not None and not 0 < value <= longest * (1 + 1e-9):
            raise ValueError(f"{name}={value:g} ps is no lag of this measurement: pass one above 0 and up to {longest:g} ps")
    if first is not None and first >= (longest if last is None else last):
        raise ValueError(f"lag_first={first:g} ps is not before the last lag, {longest if last is None else last:g} ps: pass a smaller one")


def _equal(msd: xr.Dataset, frames: np.ndarray, limits: dict[str, Any], exact: Diffusion) -> Diffusion:
    """One species by the ordinary straight line."""
    by_axis = msd["msd_by_axis"].transpose("window", "xyz", "lag").values
    chosen = (frames >= limits["first"] - 1e-6) & (frames <= limits["last"])
    return equal_weights(
        frames[chosen].astype(np.float64),
        by_axis.mean(axis=0)[:, chosen],
        exact,
        n_steps=int(msd["n_frames"]) // len(by_axis) - 1,
        n_walkers=int(msd["n_ions"]) * len(by_axis),
        known="block_msd" in msd,
    )


def _alike(msd: xr.Dataset) -> Iterator[list[int]]:
    """Species that move and have as many ions, which are estimated at once; atoms that were held fixed are left out."""
    moves = msd["msd_by_axis"].max(("window", "xyz", "lag")).values > STILL * float(msd["volume"]) ** (2 / 3)
    for number in np.unique(msd["n_ions"].values[moves]):
        yield np.flatnonzero(moves & (msd["n_ions"].values == number)).tolist()


def _batch(msd: xr.Dataset, frames: np.ndarray, prior: tuple[float, float] | None, limits: dict[str, Any]) -> list[Diffusion]:
    by_axis = msd["msd_by_axis"].transpose("species", "window", "xyz", "lag").values
    windows = by_axis.shape[1]
    blocks = None
    if "block_msd" in msd:
        lengths = np.rint(msd["block_lag"].values / float(msd["frame_interval"]))
        blocks = msd["block_msd"].transpose("species", "xyz", "block_lag", "block").values, lengths
    found = diffusion(
        frames,
        by_axis.mean(axis=1),
        n_frames=int(msd["n_frames"]) // windows,
        n_ions=int(msd["n_ions"].values[0]),
        windows=windows,
        blocks=blocks,
        by_ion=by_ion_of(msd),
        intercept=prior,
        **limits,
    )
    return [found.of(k) for k in range(len(by_axis))]


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
    upper = np.maximum(column("upper", fixed=0.0, factor=per_slope), unseen)
    columns = {
        "self_diffusivity": value,
        "self_diffusivity_stderr": stderr,
        "self_diffusivity_lower": column("lower", fixed=0.0, factor=per_slope),
        "self_diffusivity_upper": upper,
        "self_diffusivity_lower_68": column("lower_68", fixed=0.0, factor=per_slope),
        "self_diffusivity_upper_68": np.maximum(column("upper_68", fixed=0.0, factor=per_slope), unseen),
        "cage_size": column("intercept", fixed=0.0),
        "cage_size_stderr": column("intercept_stderr", fixed=0.0),
        "variance_inflation": inflation,
        "effective_ions": msd["n_ions"].values / inflation,
        "few_jumpers": top_share(msd),
        "lag_first": column("lag_first", fixed=np.nan, factor=interval),
        "lag_last": column("lag_last", fixed=np.nan, factor=interval),
        "fit_quality": column("quality", fixed=np.nan),
        "log_slope": column("log_slope", fixed=0.0),
        "log_slope_stderr": column("log_slope_stderr", fixed=0.0),
        "self_diffusivity_late": np.where(known, column("late_slope", fixed=0.0, factor=per_slope), np.nan),
        "self_diffusivity_late_stderr": np.where(known, column("late_stderr", fixed=0.0, factor=per_slope), np.nan),
        "late_z_score": np.where(known, column("late_z", fixed=0.0), np.nan),
        "significance": column("significance", fixed=0.0),
        "regime": regime,
        "run_for_10_percent": run_for_error(run_length(msd), value, stderr),
        "run_for_tenth_of_bound": np.where(known, np.nan, run_for_bound(run_length(msd), upper, column("plateau", fixed=0.0, factor=per_slope))),
    }
    if not reduced:
        columns["self_diffusivity_cm2_per_s"] = value * ANGSTROM2_PER_PS_TO_CM2_PER_S
        columns["self_diffusivity_cm2_per_s_stderr"] = stderr * ANGSTROM2_PER_PS_TO_CM2_PER_S
    return {name: (("species",), values) for name, values in columns.items()}
