"""Any result: curves over its axis, or numbers by label, for what has no figure of its own."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import COLOURS, axis_label, safe

__all__ = ["axis_of", "curves", "numbers"]

# dimensions that are an abscissa; the first that a quantity has is its
AXES = ("lag", "frequency", "q", "r", "predicted_temperature", "temperature")
MOST = 12  # curves or rows of numbers in one figure


def axis_of(one: xr.DataArray) -> str | None:
    """The dimension over which a quantity is a curve, or None."""
    return next((dim for dim in AXES if one.sizes.get(dim, 1) > 1 and dim in one.coords), None)


def curves(data: xr.Dataset, ax: Any, *, name: str) -> None:
    """A quantity over its axis, a line for each of its labels (of an axis without labels the first and a few more values)."""
    axis = axis_of(data[name])
    if axis is None:
        raise ValueError(f"{name} has none of the axes {', '.join(AXES)}")
    x = data[axis].values
    keep = np.arange(int(axis == "lag" and x[0] == 0), len(x))
    for k, (label, one) in enumerate(_labelled(data[name], {axis, "window"})):
        curve(ax, x, one, keep, color=COLOURS[k % len(COLOURS)], label=safe(label))
    if axis == "lag":
        ax.set(xscale="log")
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xlabel(axis_label(axis.replace("_", " "), data[axis].attrs.get("units", "")))
    ax.set_ylabel(axis_label(name.replace("_", " "), data[name].attrs.get("units", "")))
    if ax.get_legend_handles_labels()[1]:
        ax.legend()


def numbers(data: xr.Dataset, ax: Any, *, name: str) -> None:
    """A number by label with its 95 % interval, or two standard errors; a bound is an arrow."""
    rows = list(_labelled(data[name], {"window"}))
    ends = [_labelled(data[f"{name}_{end}"], {"window"}) if f"{name}_{end}" in data else None for end in ("lower", "upper")]
    low, high = ([float(one.mean()) for _, one in found] if found else [np.nan] * len(rows) for found in ends)
    error = _labelled(data[f"{name}_stderr"].broadcast_like(data[name]), {"window"}) if f"{name}_stderr" in data else None
    errors = [float(one.mean()) for _, one in error] if error else [np.nan] * len(rows)
    for k, (_, one) in enumerate(rows):
        value = float(one.mean())
        below, above = low[k], high[k]
        if not np.isfinite(below) and np.isfinite(errors[k]):
            below, above = value - 2 * errors[k], value + 2 * errors[k]
        if np.isfinite(value):
            wide = [[max(value - below, 0.0)], [max(above - value, 0.0)]] if np.isfinite(below) and np.isfinite(above) else None
            ax.errorbar([value], [k], xerr=wide, marker="o", markersize=4, capsize=2, color=COLOURS[0])
        elif np.isfinite(above):
            ax.errorbar([above], [k], xerr=[[0.1 * abs(above)], [0]], xuplims=True, marker="|", markersize=7, color=COLOURS[0])
        else:
            ax.annotate("not known", (0.02, k), xycoords=("axes fraction", "data"), va="center", color="0.4", fontsize=7.5)
    ax.set_yticks(range(len(rows)), [safe(label) or name.replace("_", " ") for label, _ in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(axis_label(name.replace("_", " "), data[name].attrs.get("units", "")))


def _labelled(one: xr.DataArray, kept: set[str]) -> Iterator[tuple[str, xr.DataArray]]:
    """A quantity at every combination of its other dimensions, named by their coordinates; MOST of them, evenly spread."""
    others = [dim for dim in one.dims if dim not in kept]
    every = list(np.ndindex(*(one.sizes[dim] for dim in others)))
    for at in [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(MOST, len(every))).astype(int))]:
        where = dict(zip(others, at, strict=True))
        names = (one[dim].values[k] if dim in one.coords else k for dim, k in where.items())
        yield ", ".join(str(name) if isinstance(name, str) else f"{name:.4g}" for name in names), one.isel(where)
