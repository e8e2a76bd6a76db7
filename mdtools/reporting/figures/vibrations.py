"""Phonon density of states, velocity correlation, and what volume does to free energies."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import COLOURS, axis_label, colour, safe, thinned

__all__ = ["phonon_dos", "quasi_harmonic_thermodynamics", "velocity_acf"]

CURVES = 5  # temperatures of a figure


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


def quasi_harmonic_thermodynamics(data: xr.Dataset, ax: Any) -> None:
    """Free energy of each run over its volume, less that of equilibrium, at a few temperatures; line: the volume of equilibrium, band: two errors.

    Of a run at a pressure the least value is not 0.
    """
    inside = np.flatnonzero(np.isfinite(data.equilibrium_volume.values))
    order = np.argsort(data.volume_per_atom.values)
    volume = data.volume_per_atom.values[order]
    shown = inside[np.unique(np.linspace(0, len(inside) - 1, CURVES).round().astype(int))]
    for k, place in enumerate(shown):
        one = data.isel(temperature=place)
        energy = 1e3 * (one.free_energy.values[order] - float(one.gibbs_energy))
        look = {"color": COLOURS[k % len(COLOURS)], "linewidth": 1.0, "marker": "o", "markersize": 3, "capsize": 2}
        ax.errorbar(volume, energy, yerr=2e3 * one.free_energy_stderr.values[order], label=f"{float(one.temperature):.4g} K", **look)
        middle, error = float(one.equilibrium_volume), float(one.equilibrium_volume_stderr)
        ax.axvspan(middle - 2 * error, middle + 2 * error, color=COLOURS[k % len(COLOURS)], alpha=0.2, linewidth=0)
        ax.axvline(middle, color=COLOURS[k % len(COLOURS)], linewidth=0.8, linestyle=":")
    ax.set_xlabel(axis_label("volume per atom", data.volume_per_atom.attrs.get("units", "")))
    ax.set_ylabel("free energy (meV per atom)")
    ax.legend()
