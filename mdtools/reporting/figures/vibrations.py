"""Phonon density of states and velocity correlation."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import axis_label, colour, safe, thinned

__all__ = ["phonon_dos", "velocity_acf"]


def phonon_dos(data: xr.Dataset, ax: Any) -> None:
    """Density of states of each species, and of all of them, over frequency."""
    frequency = data.frequency.values
    names = data.species.values
    everything = np.arange(len(frequency))
    if len(names) > 1:
        total = curve(ax, frequency, data.phonon_dos.sum("species"), everything, color="0.45", label="all", linewidth=1.0)
    for name in names:
        one = curve(ax, frequency, data.phonon_dos.sel(species=name), everything, color=colour(name, names), label=safe(name))
        total = one if len(names) == 1 else total
    weight = np.cumsum(np.maximum(total, 0))
    end = frequency[min(int(np.searchsorted(weight, 0.998 * weight[-1])) + 1, len(frequency) - 1)]
    ax.set_xlim(0, 1.15 * end)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(axis_label("frequency", data.frequency.attrs.get("units", "")))
    ax.set_ylabel(axis_label("density of states", data.phonon_dos.attrs.get("units", "")))
    ax.legend()


def velocity_acf(data: xr.Dataset, ax: Any, *, longest: float | None = None) -> None:
    """Velocity correlation of each species over its value at lag 0."""
    lag = data.lag.values
    keep = thinned(int(np.searchsorted(lag, longest or lag[-1], side="right")), first=0, most=2000)
    names = data.species.values
    for name in names:
        one = data.velocity_acf.sel(species=name)
        curve(ax, lag, one / one.isel(lag=0).mean("window"), keep, color=colour(name, names), label=safe(name))
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel("velocity correlation / value at 0")
    ax.legend()
