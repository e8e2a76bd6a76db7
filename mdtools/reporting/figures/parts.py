"""Motion taken apart: the Haven ratio by distance of the pairs that make it, and protons by vehicle and hand-over."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import COLOURS, axis_label, colour, decades

__all__ = ["charge_displacement_by_distance", "proton_displacement"]


def charge_displacement_by_distance(data: xr.Dataset, ax: Any, *, lag: float | None = None) -> None:
    """1 / H_R as far as pairs up to a distance make it: 1 + what they add to the self part, by pair and in all, up to r.

    lag : ps; by default the lag in the middle of those there are, of which there are still many origins.
    """
    one = data.isel(lag=data.sizes["lag"] // 2) if lag is None else data.sel(lag=lag, method="nearest")
    share = one.charge_displacement_by_distance.cumsum("r") / one.charge_displacement_msd_self.sum("species")
    keep = np.arange(data.sizes["r"])
    edge = data.r.values + (data.r.values[1] - data.r.values[0]) / 2 if len(keep) > 1 else data.r.values
    names = list(map(str, data.pair.values))
    for name in names:
        curve(ax, edge, share.sel(pair=name), keep, color=colour(name, names), linewidth=1.0, label=name)
    curve(ax, edge, 1 + share.sum("pair"), keep, color="k", label="1 / H, pairs up to r")
    whole = (one.charge_displacement_msd / one.charge_displacement_msd_self.sum("species")).mean()
    ax.axhline(float(whole), color="0.4", linestyle="--", linewidth=1.0, label="1 / H, all pairs")
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_title(f"lag {float(one.lag):.3g} {data.lag.attrs.get('units', '')}")
    ax.set_xlabel(axis_label("distance at the start", data.r.attrs.get("units", "")))
    ax.set_ylabel("part of 1 / H")
    ax.legend()


def proton_displacement(data: xr.Dataset, ax: Any) -> None:
    """Mean squared displacement of protons, and what of it is vehicle and hand-over."""
    lag = data.lag.values
    keep = np.flatnonzero(lag > 0)
    parts = {"proton_msd": "all", "proton_msd_vehicular": "vehicular", "proton_msd_hopping": "hopping"}
    for k, (name, words) in enumerate(parts.items()):
        curve(ax, lag, data[name], keep, floor=1e-6, color=("k", *COLOURS)[k], label=words)
    ax.set(xscale="log", yscale="log")
    decades(ax)
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("proton MSD", data.proton_msd.attrs.get("units", "")))
    ax.legend()
