"""Mean squared displacement with its fit, and the self-overlap."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import axis_label, colour, decades, safe, thinned

__all__ = ["msd", "self_overlap"]


def msd(data: xr.Dataset, ax: Any, *, self_diffusivity: xr.Dataset | None = None) -> None:
    """MSD of each species on logarithmic axes, a guide of slope 1, and the fit with its range where D was estimated.

    Dots: squared displacements over non-overlapping blocks of time, with two standard errors from their own scatter.
    """
    lag = data.lag.values
    keep = thinned(len(lag))
    names = data.species.values
    largest = 0.0
    for name in names:
        values = curve(ax, lag, data.msd.sel(species=name), keep, floor=0.0, color=colour(name, names), label=safe(name))
        largest = max(largest, float(np.nanmax(values, initial=0.0)))
        if "block_msd" in data:
            _blocks(ax, data.sel(species=name), colour(name, names))
        if self_diffusivity is not None and name in self_diffusivity.species.values:
            _fit(ax, self_diffusivity.sel(species=name), lag, colour(name, names))
    if largest > 0:
        end = lag[-1]
        top = 2.2 * largest
        ax.plot([end / 10, end], [top / 10, top], color="0.55", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        ax.annotate("slope 1", (end, top), xytext=(-9, -2), textcoords="offset points", ha="right", color="0.4", fontsize=7.5)
    ax.set(xscale="log", yscale="log")
    decades(ax)
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("mean squared displacement", data.msd.attrs.get("units", "")))
    ax.legend(loc="upper left")


def _blocks(ax: Any, data: xr.Dataset, tint: str) -> None:
    """What the blocks of time say by themselves, where at least four are independent."""
    total = data.block_msd.sum("xyz", skipna=False)
    count = total.notnull().sum("block")
    mean = total.mean("block").values
    error = 2 * (total.std("block", ddof=1) / np.sqrt(count)).values
    shown = (count.values >= 4) & (data.block_lag.values <= data.lag.values[-1]) & (mean > 0)
    error = np.minimum(error, 0.9 * mean)
    look = {"color": tint, "marker": "o", "markersize": 2.5, "linestyle": "none", "elinewidth": 0.8, "alpha": 0.7}
    ax.errorbar(data.block_lag.values[shown], mean[shown], yerr=error[shown], **look)


def _fit(ax: Any, estimate: xr.Dataset, lag: np.ndarray, tint: str) -> None:
    """The fitted line over the lags that were fitted, with its band."""
    if "lag_first" not in estimate or not np.isfinite(estimate.lag_first) or not np.isfinite(estimate.self_diffusivity):
        return
    times = np.geomspace(max(float(estimate.lag_first), lag[1]), float(estimate.lag_last), 40)
    offset = float(estimate.cage_size) if "cage_size" in estimate and np.isfinite(estimate.cage_size) else 0.0
    slope, error = float(estimate.self_diffusivity), float(estimate.self_diffusivity_stderr)
    line = offset + 6 * slope * times
    ax.plot(times, line, color="black", linewidth=0.9, zorder=5)
    low = np.maximum(offset + 6 * (slope - 2 * error) * times, 0.02 * line)
    ax.fill_between(times, low, offset + 6 * (slope + 2 * error) * times, color=tint, alpha=0.35, linewidth=0, zorder=4)
    for end in (times[0], times[-1]):
        ax.plot([end], [offset + 6 * slope * end], marker="|", markersize=7, color="black", zorder=6)


def self_overlap(data: xr.Dataset, ax: Any) -> None:
    """Self-overlap of each species: 1 where ions stay, 0 where they have moved by a neighbour distance."""
    lag = data.lag.values
    keep = thinned(len(lag), first=int(lag[0] == 0))
    overlap = data.self_overlap.mean([dim for dim in data.self_overlap.dims if dim == "ion_block"])
    names = data.species.values
    for name in names:
        curve(ax, lag, overlap.sel(species=name), keep, color=colour(name, names), label=safe(name))
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set(xscale="log", ylim=(-0.08, 1.03))
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel("self-overlap")
    ax.legend()
