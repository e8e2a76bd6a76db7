"""Van Hove functions: the self part as curves and as a map, the distinct part as curves."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.numbers import plain
from mdtools.reporting.style import axis_label, shades

__all__ = ["van_hove_distinct", "van_hove_distinct_map", "van_hove_self", "van_hove_self_map"]

SHOWN = 60  # bins of a curve of the self part
PEAK = 2.0  # heights of g(r) that are shown: few pairs make the first bins of G_d tall and uncertain


def van_hove_self(data: xr.Dataset, ax: Any, *, species: str, n_lags: int = 6) -> None:
    """4 pi r^2 G_s(r, t) of one species at some lags, evenly spaced in the logarithm."""
    one = _smoothed(data, species)
    chosen = _lags(data.lag.values, n_lags)
    unit = data.lag.attrs.get("units", "")
    for k, tint in zip(chosen, shades(len(chosen)), strict=True):
        ax.plot(one.r.values, one.isel(lag=k).values, color=tint, label=f"{plain(float(data.lag[k]), 3)} {unit}")
    ax.set_ylim(bottom=0)
    ax.set_xlim(0, _reach(data, species))
    ax.set_xlabel(axis_label("displacement r", data.r.attrs.get("units", "")))
    ax.set_ylabel(axis_label("4πr² Gₛ", data.van_hove_self.attrs.get("units", "")))
    ax.legend(title="after", title_fontsize=8, handlelength=1.2)


def van_hove_self_map(data: xr.Dataset, ax: Any, *, species: str) -> Any:
    """4 pi r^2 G_s(r, t) of one species as a map over time and distance; returns the map for a colour bar.

    Each column of the map is scaled to its own maximum, so that hopping shows as a second ridge and diffusion as a fan.
    """
    one = _smoothed(data, species).isel(lag=slice(1, None))
    values = one.transpose("r", "lag").values
    shown = values / np.maximum(values.max(axis=0, keepdims=True), 1e-300)
    mesh = ax.pcolormesh(one.lag.values, one.r.values, shown, shading="nearest", cmap="viridis", vmin=0, vmax=1, rasterized=True)
    ax.set(xscale="log", ylim=(0, _reach(data, species)))
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("displacement r", data.r.attrs.get("units", "")))
    return mesh


def van_hove_distinct(data: xr.Dataset, ax: Any, *, pair: str, n_lags: int = 5) -> None:
    """G_d(r, t) / rho of one pair at some lags, the first is g(r); band: one standard error of the mean over windows."""
    one = data.van_hove_distinct.sel(pair=pair).mean("window")
    error = data.van_hove_distinct.sel(pair=pair).std("window", ddof=min(1, data.sizes["window"] - 1)) / np.sqrt(data.sizes["window"])
    chosen = [0, *[k for k in _lags(data.lag.values, n_lags - 1) if k > 0]]
    unit = data.lag.attrs.get("units", "")
    for k, tint in zip(chosen, shades(len(chosen)), strict=True):
        middle, band = one.isel(lag=k).values, error.isel(lag=k).values
        ax.fill_between(data.r.values, middle - band, middle + band, color=tint, alpha=0.25, linewidth=0)
        ax.plot(data.r.values, middle, color=tint, label=f"{plain(float(data.lag[k]), 3)} {unit}")
    ax.axhline(1, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xlim(0, float(data.r[-1]))
    ax.set_ylim(0, min(1.1 * float(one.isel(lag=chosen).max()), PEAK * max(float(one.isel(lag=0).max()), 1.0)) or 1.0)  # no pair within r_max
    ax.set_xlabel(axis_label("distance r", data.r.attrs.get("units", "")))
    ax.set_ylabel("G$_d$ / ρ")
    ax.legend(title="after", title_fontsize=8, handlelength=1.2)


def van_hove_distinct_map(data: xr.Dataset, ax: Any, *, pair: str) -> Any:
    """G_d(r, t) / rho of one pair as a map over time and distance; returns the map for a colour bar.

    The shells of neighbours fade into 1 where places are forgotten; light at the bottom is ions that take the places of others.
    """
    one = data.van_hove_distinct.sel(pair=pair).mean("window").isel(lag=slice(1, None))
    mesh = ax.pcolormesh(one.lag.values, one.r.values, one.transpose("r", "lag").values, shading="nearest", cmap="viridis", vmin=0, vmax=PEAK)
    mesh.set_rasterized(True)
    ax.set(xscale="log")
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("distance r", data.r.attrs.get("units", "")))
    return mesh


def _lags(lag: np.ndarray, n: int) -> list[int]:
    """Indices of `n` lags, evenly spaced in the logarithm of the lag, without 0 where there are others."""
    positive = np.flatnonzero((lag > 0) & (lag <= max(lag[-1] / 2, lag[min(1, len(lag) - 1)])))  # longer ones have few origins
    if len(positive) == 0:
        return [0]
    wanted = np.geomspace(lag[positive[0]], lag[positive[-1]], n)
    return sorted({int(positive[np.argmin(np.abs(np.log(lag[positive] / one)))]) for one in wanted})


def _smoothed(data: xr.Dataset, species: str) -> xr.DataArray:
    """Mean over windows, bins joined where there are more than SHOWN within reach: finer ones show only the noise of counts."""
    one = data.van_hove_self.sel(species=species).mean("window")
    joined = int((data.r <= _reach(data, species)).sum()) // SHOWN
    return one.coarsen(r=joined, boundary="trim").mean() if joined > 1 else one


def _reach(data: xr.Dataset, species: str) -> float:
    """Distance within which 99.5 % of the ions are at the last lag."""
    last = data.van_hove_self.sel(species=species).mean("window").isel(lag=-1).values
    total = np.cumsum(last) / max(last.sum(), 1e-300)
    k = int(np.searchsorted(total, 0.995))
    return float(data.r[min(k + 1, data.sizes["r"] - 1)]) * 1.05
