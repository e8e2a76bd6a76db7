"""Thermodynamic factor of the ions of a species, from how their number fluctuates."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, need_same_run
from mdtools.statistics.fluctuations import FEWEST_POINTS, FEWEST_WINDOWS, zero_limit

__all__ = ["thermodynamic_factor"]


@schema.recorded
def thermodynamic_factor(structure_factor: xr.Dataset, number_fluctuations: xr.Dataset | None = None, *, q_max: float | None = None) -> xr.Dataset:
    """Thermodynamic factor d ln a / d ln c of each species, from S(q) at q -> 0 and from the numbers of ions in parts of the cell.

    1 / Theta_s = lim_{q -> 0} <|rho_s(q)|^2> / N_s, the limit by lines in q^2 averaged over how many of the smallest q they use. From parts of volume
    v = V / k^3: 1 / Theta_s(v) = (<n^2> - <n>^2) / (<n> (1 - v / V)), extrapolated along a line in k (surface over volume) to large parts. Other
    species are at constant chemical potential as far as they move. Of charged ions on their own both vanish with q (Theta grows without end, screened
    by nothing): what is meant are ions in a rigid frame without long-ranged forces, or components that carry no net charge.
    D of chemical diffusion is Theta D_sigma, D_sigma = D / H_R, and not Theta D.

    q_max : 1/angstrom, of the wave vectors that are used; by default a quarter of 2 pi (N_s / V)^(1/3). Measure the structure factor with `q_max`
        there and `shells=0`, so that the smallest wave vectors are single.

    Returns by species `thermodynamic_factor` with _stderr, _lower and _upper (95 %, Student's for few windows); NaN with the lower bound where
    1 / Theta may be 0; `thermodynamic_factor_sub_volume` with _stderr likewise where number_fluctuations is given.
    Raises NotEnoughData for fewer than 4 windows or 4 different q or divisions; TrajectoryError for different runs.
    Source: reference/science.md A1 rows 19 and 20; parts of a cell: S. K. Schnell et al., Chem. Phys. Lett. 504, 199 (2011).

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.structure_factor import structure_factor
    >>> gas = synthetic.brownian(n_atoms=64, n_frames=400, diffusivity=4.0)
    >>> found = thermodynamic_factor(structure_factor(gas, q_max=1.0, shells=0, reference="none"), q_max=1.0).sel(species="A")
    >>> bool(found.thermodynamic_factor_lower < 1 < found.thermodynamic_factor_upper)
    True
    """
    who = "thermodynamic_factor"
    names = [str(name) for name in structure_factor["species"].values]
    columns = [_at_zero_q(structure_factor, name, q_max, who=who) for name in names]
    out: dict[str, Any] = {**carried(structure_factor), "species": names, **_named("thermodynamic_factor", columns)}
    if number_fluctuations is not None:
        need_same_run(structure_factor, number_fluctuations, names=("structure_factor", "number_fluctuations"), who=who)
        out |= _named("thermodynamic_factor_sub_volume", [_of_parts(number_fluctuations, name, who=who) for name in names])
    return schema.dataset(out, reduced=structure_factor.attrs.get("unit_system") == "lj")


def _at_zero_q(data: xr.Dataset, name: str, q_max: float | None, *, who: str) -> tuple[float, ...]:
    ions = float(data["n_ions"].sel(species=name))
    largest = q_max if q_max is not None else 0.25 * 2 * np.pi * np.cbrt(ions / float(data["volume"]))
    q = data["q"].values
    order = np.argsort(q)
    order = order[(q[order] > 0) & (q[order] <= largest)]
    values = data["structure_factor"].sel(pair=f"{name}-{name}").transpose("window", "q").values[:, order] * float(data["n_atoms"]) / ions
    count = data["n_wave_vectors"].values[order].astype(np.float64) if "n_wave_vectors" in data else np.ones(len(order))
    # wave vectors of one length are one point
    length = np.round(q[order] / q[order][0], 4) if len(order) else np.zeros(0)
    lengths, number = np.unique(length, return_inverse=True)
    total = np.bincount(number, count)
    merged = np.array([np.bincount(number, window * count) / total for window in values]).reshape(len(values), -1)
    _need(len(values), len(lengths), who=who, what=f"different lengths of q up to {largest:.3g} 1/angstrom", cure="q_max= and shells=0")
    return _inverse(*zero_limit(np.square(lengths), merged, total))


def _of_parts(data: xr.Dataset, name: str, *, who: str) -> tuple[float, ...]:
    k = data["division"].values.astype(np.float64)
    share = 1 - k**-3.0
    mean = data["mean_number"].sel(species=name).values
    values = data["number_covariance"].sel(pair=f"{name}-{name}").transpose("window", "division").values / (mean * share)
    _need(len(values), len(k), who=who, what="divisions", cure="divisions=[2, 3, 4, 5]")
    return _inverse(*zero_limit(k, values, k**3 - 1, every=True))


def _need(windows: int, points: int, *, who: str, what: str, cure: str) -> None:
    if windows < FEWEST_WINDOWS:
        raise NotEnoughData(f"{who} takes its error from windows and needs at least {FEWEST_WINDOWS}; this measurement has {windows}: pass windows=")
    if points < FEWEST_POINTS:
        raise NotEnoughData(f"{who} takes its limit from at least {FEWEST_POINTS} {what}, and this measurement has {points}: measure with {cure}")


def _inverse(limit: float, stderr: float, quantile: float) -> tuple[float, ...]:
    """Value, stderr and interval of 1 / limit; without a value where the limit may be 0."""
    upper = np.inf if limit - quantile * stderr <= 0 else 1 / (limit - quantile * stderr)
    lower = 1 / max(limit + quantile * stderr, 1e-300)
    return (1 / limit, stderr / limit**2, lower, upper) if np.isfinite(upper) else (np.nan, np.nan, lower, np.nan)


def _named(name: str, columns: list[tuple[float, ...]]) -> dict[str, Any]:
    return {
        f"{name}{end}": ("species", np.array(values))
        for end, values in zip(("", "_stderr", "_lower", "_upper"), zip(*columns, strict=True), strict=True)
    }
