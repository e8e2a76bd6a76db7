"""What the van Hove functions say of hopping: how far a hop goes, and whether ions take the places that others leave."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.interval import student
from mdtools.units import length_for

__all__ = ["hole_filling", "hop_distance"]

WINDOWS = 3  # fewer give no error
CHANCE = 3  # standard deviations of a depth that comes from counts alone
EMPTY = 0.1  # g(r) of a place that is one
WIDTH = 0.2  # angstrom: the curve is smoothed by a Gaussian of this standard deviation before its peaks are taken


@schema.recorded
def hop_distance(van_hove_self: xr.Dataset, *, minimum_depth: float = 0.15) -> xr.Dataset:
    """Length of a hop: the second peak of 4 pi r^2 G_s(r, t), where a minimum parts it from the ions that have stayed.

    Of the mean over windows, smoothed by 0.2 angstrom (in lj units 0.08 (V/N)^(1/3)): P_1 at the first maximum, P_min at the minimum
    that is deepest below the maximum after it, P_2, up to 2 (V/N)^(1/3): what is farther is no single hop.
    depth = 1 - P_min / min(P_1, P_2). Values are those at the lag with the most independent ions in both peaks among the lags that
    resolve a hop: depth above minimum_depth by 95 % of its error, and above three standard deviations of a count. Errors are those of
    a jackknife over windows.

    minimum_depth : what depth at least parts two peaks. Where hops are so frequent or so loose that no lag has it, or where ions do
        not hop, there is no value (NaN) and `regime` says "not resolved".

    Returns (species) `hop_distance` and `hopped_fraction`, the fraction beyond the minimum at that lag, with _stderr, `hop_lag`,
    `hop_minimum`, the distance of the minimum, and `regime`; (species, lag) `hop_depth` with _stderr.
    Raises NotEnoughData for fewer than three windows.
    Source: reference/science.md B4 and C3 (bimodality of G_s).

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.van_hove import van_hove_self
    >>> hops = synthetic.vacancy_hopper(lattice="sc", cells=4, n_frames=400, jumps_per_frame=1, lattice_parameter=3.0, rattle=0.2, seed=1)
    >>> found = hop_distance(van_hove_self(hops, reference="none"))
    >>> bool(abs(found.hop_distance[0] - 3.0) < 0.1)
    True
    """
    data = van_hove_self
    n_windows = _windows(data, "hop_distance", "van_hove_self")
    curves = data["van_hove_self"].transpose("window", "species", "lag", "r").values
    r = data["r"].values
    width = length_for(WIDTH, reduced=is_reduced(data), volume=float(data["volume"]), n_atoms=int(data["n_atoms"]))
    smooth = _smoothing(r, width)
    plain = np.stack([np.delete(curves, k, axis=0).mean(axis=0) for k in range(n_windows)] + [curves.mean(axis=0)])
    means = plain @ smooth.T
    farthest = 2 * np.cbrt(float(data["volume"]) / data["n_ions"].values)
    n_species, n_lags = curves.shape[1:3]
    names = ("hop_distance", "hop_depth", "hop_minimum", "hopped_fraction", "counted")
    independent = _independent(data, n_windows)
    value, error = ({name: np.full((n_species, n_lags), np.nan) for name in names} for _ in range(2))
    for s in range(n_species):
        for k in range(n_lags):
            each = np.array([_two_peaks(r, means[w, s, k], plain[w, s, k], farthest[s], independent[s, k], width) for w in range(n_windows + 1)])
            spread = np.sqrt((n_windows - 1) / n_windows * np.sum((each[:-1] - each[:-1].mean(axis=0)) ** 2, axis=0))
            for name, one, its in zip(names, each[-1], spread, strict=True):
                value[name][s, k], error[name][s, k] = one, its
    t = float(student(n_windows - 1))
    with np.errstate(invalid="ignore"):
        resolved = (value["hop_depth"] - t * error["hop_depth"] > minimum_depth) & (value["hop_depth"] > CHANCE * value["counted"])
        resolved &= error["hop_distance"] < value["hop_distance"] / 4  # else the peak is another one without some window
    # by the counts alone: the lag of the least error would be one whose error is too small by chance
    chosen = np.argmin(np.where(resolved, value["counted"], np.inf), axis=1)
    there = resolved.any(axis=1)
    pick = (np.arange(n_species), chosen)
    out: dict[str, Any] = {
        **carried(data),
        **{name: ("species", np.where(there, value[name][pick], np.nan)) for name in names[:1] + names[2:4]},
        **{f"{name}_stderr": ("species", np.where(there, error[name][pick], np.nan)) for name in ("hop_distance", "hopped_fraction")},
        "hop_lag": ("species", np.where(there, data["lag"].values[chosen], np.nan)),
        "hop_depth": (("species", "lag"), value["hop_depth"]),
        "hop_depth_stderr": (("species", "lag"), error["hop_depth"]),
        "regime": ("species", np.where(there, "resolved", "not resolved")),
        **{name: (data[name].dims, data[name].values) for name in ("species", "lag")},
    }
    return schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj")


@schema.recorded
def hole_filling(van_hove_distinct: xr.Dataset, *, radius: float | None = None) -> xr.Dataset:
    """How often another ion is in the place where an ion was: G_d(r -> 0, t) / rho, and the number of ions there.

    hole_filling = mean of G_d / rho over r < radius, 0 where no place is taken and 1 where places mean nothing (liquid, long times);
    a lattice whose ions move by hops to the places of others goes far beyond 1. Errors from the scatter over windows.

    radius : of the place in angstrom, in whole bins; by default half the distance of the first peak of g(r) of the pair, the
        highest within 1.2 times the distance at which it first exceeds 1. Pairs whose ions lie there at lag 0 already have no place (NaN).

    Returns (pair, lag) `hole_filling`, `hole_occupation` (mean number of other ions in the place), each with _stderr and
    the first with _lower and _upper (95 %), and `hole_radius` (pair).
    Raises NotEnoughData for fewer than three windows, without lag 0 and radius, or where no pair has places.
    Source: reference/science.md B4.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.van_hove import van_hove_distinct
    >>> gas = synthetic.brownian(n_atoms=40, n_frames=400, length=9.0)
    >>> found = hole_filling(van_hove_distinct(gas, lags=[0.0, 5.0], reference="none"), radius=2.0)
    >>> bool(abs(found.hole_filling.sel(pair="A-B", lag=5.0) - 1) < 0.3)
    True
    """
    data = van_hove_distinct
    n_windows = _windows(data, "hole_filling", "van_hove_distinct")
    ratio = data["van_hove_distinct"].transpose("window", "pair", "lag", "r").values
    r = data["r"].values
    width = 2 * r[0]
    shells = np.diff((np.arange(len(r) + 1) * width) ** 3)
    reach = np.array([_bins_of(data, ratio, k, radius, width) for k in range(ratio.shape[1])])
    if not reach.any():
        raise NotEnoughData("hole_filling finds no place in g(r), whose ions lie in one another as in a gas: pass radius=... in angstrom (--radius)")
    inside = np.where(np.arange(len(r))[None, :] < reach[:, None], shells, 0.0)
    inside = inside / np.where(reach > 0, inside.sum(axis=1), np.nan)[:, None]
    each = np.einsum("wplr,pr->wpl", ratio, inside)
    mean, error = each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(n_windows)
    ions = dict(zip(data["species"].values.tolist(), data["n_ions"].values, strict=True))
    others = np.array([ions[_second(name, ions)] for name in data["pair"].values.tolist()])
    number = (others / float(data["volume"]) * 4 / 3 * np.pi * (reach * width) ** 3)[:, None]
    t = float(student(n_windows - 1))
    dims = ("pair", "lag")
    out: dict[str, Any] = {
        **carried(data),
        "hole_filling": (dims, mean),
        "hole_filling_stderr": (dims, error),
        "hole_filling_lower": (dims, np.maximum(mean - t * error, 0.0)),
        "hole_filling_upper": (dims, mean + t * error),
        "hole_occupation": (dims, mean * number),
        "hole_occupation_stderr": (dims, error * number),
        "hole_radius": ("pair", np.where(reach > 0, reach * width, np.nan)),
        **{name: (data[name].dims, data[name].values) for name in ("species", "pair", "lag")},
    }
    return schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj")


def _windows(data: xr.Dataset, who: str, measured: str) -> int:
    n = data.sizes.get("window", 1)
    if n < WINDOWS:
        raise NotEnoughData(f"{who} learns its errors from {WINDOWS} windows or more, and there are {n}: measure {measured} with windows=4")
    return int(n)


def _smoothing(r: np.ndarray, width: float) -> np.ndarray:
    """Matrix (r, r) of a Gaussian of this standard deviation; what each bin gives to others sums to 1, so that the integral stays, at r = 0 too."""
    weights = np.exp(-((r[:, None] - r[None, :]) ** 2) / (2 * width**2))
    return weights / weights.sum(axis=0, keepdims=True)


def _independent(data: xr.Dataset, n_windows: int) -> np.ndarray:
    """Displacements (species, lag) that do not overlap in time."""
    length = int(data["n_frames"]) // n_windows * float(data["frame_interval"])
    stretches = np.maximum(1.0, length / np.maximum(data["lag"].values, float(data["frame_interval"])))
    return data["n_ions"].values[:, None] * n_windows * stretches[None, :]


def _two_peaks(r: np.ndarray, curve: np.ndarray, plain: np.ndarray, farthest: float, n: float, width: float) -> tuple[float, ...]:
    """Distance of the second peak, depth and distance of the minimum before it, the fraction beyond, and the standard deviation
    of the depth if the counts of n independent displacements scatter about a level curve; NaN without one."""
    rises = np.diff(curve, prepend=0.0) > 0  # ions that hardly rattle have their peak in the first bin
    top = [k for k in range(len(r) - 1) if rises[k] and curve[k] >= curve[k + 1]]
    best: tuple[float, ...] = (np.nan,) * 5
    if not top:
        return best
    for second in [k for k in top[1:] if r[k] <= farthest]:
        low = top[0] + int(np.argmin(curve[top[0] : second + 1]))
        depth = 1 - curve[low] / min(curve[top[0]], curve[second])
        if not depth <= best[1]:
            a, b, c = curve[second - 1 : second + 2]
            place = r[second] + 0.5 * (a - c) / (a - 2 * b + c) * (r[1] - r[0])
            counts = n * min(curve[top[0]], curve[second]) * 2 * np.sqrt(np.pi) * width
            best = (float(place), float(depth), float(r[low]), float(plain[low:].sum() / plain.sum()), float(np.sqrt(2 / counts)))
    return best


def _bins_of(data: xr.Dataset, ratio: np.ndarray, pair: int, radius: float | None, width: float) -> int:
    """Whole bins of the place of an ion; 0 where g(r) shows no place, because ions of the pair lie in one another."""
    n = len(data["r"])
    if radius is not None:
        if not width / 2 < radius <= n * width:
            raise ValueError(f"radius={radius:g} is not between half a bin, {width / 2:g}, and r_max, {n * width:g} angstrom; pass another")
        return int(np.rint(radius / width))
    if data["lag"].values[0] != 0:
        raise NotEnoughData("hole_filling takes the size of a place from g(r), and lag 0 was not measured: pass radius=... in angstrom (--radius)")
    g = ratio[:, pair, 0].mean(axis=0)
    beyond = np.flatnonzero(g > 1)
    if len(beyond) == 0:
        return 0
    first = beyond[0] + int(np.argmax(g[beyond[0] : int(1.2 * beyond[0]) + 1]))
    reach = int(np.rint(0.5 * (first + 0.5)))
    volume = np.diff(np.arange(reach + 1) ** 3)
    return reach if reach and np.sum(g[:reach] * volume) < EMPTY * reach**3 else 0


def _second(pair: str, ions: dict[str, Any]) -> str:
    """The second species of a pair; a name may hold the dash that joins them."""
    return next(name for name in ions if pair.endswith(f"-{name}") and pair[: -len(name) - 1] in ions)
