"""What changes with temperature: curves of several runs, the Arrhenius plot with caged members as bounds, a dashboard."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import axis_label, colour, decades, safe, shades, thinned

__all__ = ["activation_energy", "conduction", "dos_of_runs", "msd_of_runs", "over_temperature"]


def msd_of_runs(members: Sequence[tuple[str, xr.Dataset]], ax: Any, *, species: str) -> None:
    """MSD of one species in several runs, (label, result) each, in the order of temperature."""
    for (label, data), tint in zip(members, shades(len(members)), strict=True):
        lag = data.lag.values
        curve(ax, lag, data.msd.sel(species=species), thinned(len(lag)), floor=0.0, color=tint, label=safe(label))
    ax.set(xscale="log", yscale="log")
    decades(ax)
    ax.set_xlabel(axis_label("time", members[0][1].lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("mean squared displacement", members[0][1].msd.attrs.get("units", "")))
    ax.legend(handlelength=1.2, loc="center left", bbox_to_anchor=(1.0, 0.5))


def dos_of_runs(members: Sequence[tuple[str, xr.Dataset]], ax: Any, *, species: str) -> None:
    """Density of states of one species in several runs, (label, result) each, in the order of temperature."""
    end = 0.0
    for (label, data), tint in zip(members, shades(len(members)), strict=True):
        frequency = data.frequency.values
        values = curve(ax, frequency, data.phonon_dos.sel(species=species), np.arange(len(frequency)), color=tint, label=safe(label))
        weight = np.cumsum(np.maximum(values, 0))
        end = max(end, frequency[min(int(np.searchsorted(weight, 0.995 * weight[-1])) + 1, len(frequency) - 1)])
    ax.set_xlim(0, 1.15 * end)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(axis_label("frequency", members[0][1].frequency.attrs.get("units", "")))
    ax.set_ylabel(axis_label("density of states", members[0][1].phonon_dos.attrs.get("units", "")))
    ax.legend(handlelength=1.2, loc="center left", bbox_to_anchor=(1.0, 0.5))


def activation_energy(members: Sequence[xr.Dataset], ax: Any, *, fit: xr.Dataset | None = None) -> None:
    """ln D over 1000 / T for each species with 95 % intervals; a caged member is an arrow down from its upper bound. Line and band are the fit."""
    names = list(dict.fromkeys(str(name) for data in members for name in data.species.values))
    labelled = set()
    for data in members:
        x = 1000.0 / float(data.stated_temperature)
        for name in map(str, data.species.values):
            one = data.sel(species=name)
            look = {"color": colour(name, names), "label": None if name in labelled else safe(name)}
            if np.isfinite(one.self_diffusivity) and one.self_diffusivity > 0:
                value = float(one.self_diffusivity)
                low, high = value - float(one.self_diffusivity_lower), float(one.self_diffusivity_upper) - value
                ax.errorbar([x], [value], yerr=[[min(low, 0.95 * value)], [high]], marker="o", markersize=4, capsize=2, linestyle="none", **look)
            elif np.isfinite(one.self_diffusivity_upper) and one.self_diffusivity_upper > 0:
                bound = float(one.self_diffusivity_upper)
                ax.errorbar([x], [bound], yerr=[[0.6 * bound], [0]], uplims=True, marker="_", markersize=7, linestyle="none", **look)
            else:
                continue
            labelled.add(name)
    ax.set(yscale="log")
    measured = ax.get_ylim()
    if fit is not None and "predicted_diffusivity" in fit:
        _lines(ax, fit, names)
    # where there are only bounds a band may fall without end: the axis stays with what was measured
    ax.set_ylim(measured[0] / 3, measured[1] * 1.5)
    ax.set_xlabel("1000 / T (1/K)")
    ax.set_ylabel(axis_label("self-diffusivity", members[0].self_diffusivity.attrs.get("units", "")))
    ax.legend()


def conduction(members: Sequence[xr.Dataset], ax: Any, *, fit: xr.Dataset | None = None) -> None:
    """Conductivity over 1000 / T with 95 % intervals; a run that is only bounded is an arrow. The band is that of the laws."""
    for data in members:
        x, value = 1000.0 / float(data.stated_temperature), float(data.ionic_conductivity)
        low, high = float(data.ionic_conductivity_lower), float(data.ionic_conductivity_upper)
        if np.isfinite(value):
            ax.errorbar([x], [value], yerr=[[min(value - low, 0.95 * value)], [high - value]], marker="o", markersize=4, capsize=2, color="C0")
        elif np.isfinite(high) and high > 0:
            ax.errorbar([x], [high], yerr=[[0.6 * high], [0]], uplims=True, marker="_", markersize=7, linestyle="none", color="C0")
    ax.set(yscale="log")
    measured = ax.get_ylim()
    if fit is not None:
        band = fit.where(fit.extrapolated == 0, drop=True)
        x = 1000 / band.predicted_temperature.values
        ax.plot(x, band.predicted_conductivity.values, color="C0", linewidth=0.9, linestyle="--", zorder=0)
        ends = (band.predicted_conductivity_lower.values, band.predicted_conductivity_upper.values)
        ax.fill_between(x, *ends, color="C0", alpha=0.15, linewidth=0, zorder=0)
    ax.set_ylim(measured[0] / 3, measured[1] * 1.5)
    ax.set_xlabel("1000 / T (1/K)")
    ax.set_ylabel(axis_label("ionic conductivity", members[0].ionic_conductivity.attrs.get("units", "")))


def _lines(ax: Any, fit: xr.Dataset, names: Sequence[str]) -> None:
    """What the laws together say, dashed, with their 95 % band: one Arrhenius line may be none of them."""
    for name in map(str, np.atleast_1d(fit.species.values)):
        one = fit.sel(species=name) if "species" in fit.dims else fit
        if np.isfinite(one.activation_energy):
            band = one.where(one.extrapolated == 0, drop=True)
            x = 1000 / band.predicted_temperature.values
            ax.plot(x, band.predicted_diffusivity.values, color=colour(name, names), linewidth=0.9, linestyle="--", zorder=0)
            ax.fill_between(
                x,
                band.predicted_diffusivity_lower.values,
                band.predicted_diffusivity_upper.values,
                color=colour(name, names),
                alpha=0.15,
                linewidth=0,
                zorder=0,
            )


def over_temperature(values: xr.DataArray, ax: Any, *, words: str, errors: xr.DataArray | None = None, level: float | None = None) -> None:
    """A number of each species over temperature (temperature, species), with the level that separates localised from mobile."""
    names = values.species.values
    for name in names:
        error = None if errors is None else 2 * errors.sel(species=name).values
        look = {"marker": "o", "markersize": 4, "capsize": 2, "color": colour(name, names), "label": safe(name)}
        ax.errorbar(values.temperature.values, values.sel(species=name).values, yerr=error, **look)
    if level is not None and np.isfinite(level):
        ax.axhline(level, color="0.5", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    ax.set_xlabel("temperature (K)")
    ax.set_ylabel(words)
    ax.legend()
