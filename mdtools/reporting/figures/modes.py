"""Modes of a crystal: spectra with their fits, the map of the spectral energy density, softening over temperature, windows that breathe."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import COLOURS, axis_label

__all__ = ["bottleneck_opening", "mode_spectra", "soft_mode", "spectral_energy_density"]

DECADES = 4.0  # of a map, below its maximum
MODES = 6  # at most so many spectra in one figure


def mode_spectra(data: xr.Dataset, ax: Any, *, mode_frequencies: xr.Dataset | None = None) -> None:
    """Power spectra of mode coordinates, each with its fit, dashed, as far as it was fitted; marks: f_0 of the static stiffness."""
    frequency = data.frequency.values
    fits = mode_frequencies
    top = 0.0
    for k in range(min(data.sizes["mode"], MODES)):
        look = COLOURS[k % len(COLOURS)]
        one = data.mode_coordinate_periodogram.isel(mode=k)
        values = curve(ax, frequency, one, np.arange(1, len(frequency)), floor=0.0, color=look, alpha=0.55, linewidth=0.8, label=_name(data, k))
        top = max(top, float(np.nanmax(values)))
        if fits is not None and np.isfinite(fits.mode_frequency[k]):
            ax.plot(frequency, fits.fitted_periodogram.isel(mode=k).values, color="black", linewidth=1.1, linestyle=(0, (4, 2)))
            ax.axvline(float(fits.mode_frequency[k]), color=look, linewidth=0.8, linestyle=":")
    ax.set(yscale="log", ylim=(top * 1e-6, top * 3))
    weight = np.cumsum(data.mode_coordinate_periodogram.mean(["window", "mode"]).values * frequency**2)
    ax.set_xlim(0, frequency[min(int(np.searchsorted(weight, 0.995 * weight[-1])) + 1, len(frequency) - 1)])
    ax.set_xlabel(axis_label("frequency", data.frequency.attrs.get("units", "")))
    ax.set_ylabel(axis_label("power of the mode", data.mode_coordinate_periodogram.attrs.get("units", "")))
    ax.legend()


def _name(data: xr.Dataset, k: int) -> str:
    q = ", ".join(f"{x:.3g}" for x in data.q_reduced.values[k])
    return f"q = {q}" + (f", band {int(data.band[k])}" if int(data.band[k]) else "")


def spectral_energy_density(data: xr.Dataset, ax: Any, *, mode_frequencies: Sequence[xr.Dataset] = ()) -> Any:
    """Map of the spectral energy density along its path, summed over atoms and axes, or bands; circles: fitted modes; lines: harmonic bands.

    Each wave vector is as wide as halfway to its neighbours. Returns the mesh, for a colour bar.
    """
    by_band = "spectral_energy_density_by_band" in data
    values = data[f"spectral_energy_density{'_by_band' if by_band else ''}"]
    total = values.sum([name for name in ("basis_atom", "direction", "band") if name in values.dims]).mean("window")
    order = np.argsort(data.path_position.values, kind="stable")
    place, frequency = data.path_position.values[order], data.frequency.values
    density = np.maximum(total.transpose("q_point", "frequency").values[order], 1e-300)
    floor = np.log10(density.max()) - DECADES
    edges = np.concatenate([[place[0]], (place[1:] + place[:-1]) / 2, [place[-1]]]) if len(place) > 1 else np.array([-0.5, 0.5])
    step = frequency[1]
    mesh = ax.pcolormesh(
        edges, np.append(frequency - step / 2, frequency[-1] + step / 2), np.log10(density).T, vmin=floor, cmap="viridis", rasterized=True
    )
    if by_band:
        ax.plot(place, data.harmonic_frequency.values[order], color="white", linewidth=0.7, alpha=0.8)
    for fit in mode_frequencies:
        _ridges(fit, data, ax)
    weight = np.cumsum(density.sum(axis=0))
    ax.set_ylim(0, 1.1 * frequency[min(int(np.searchsorted(weight, 0.998 * weight[-1])) + 1, len(frequency) - 1)])
    ax.set_xlabel("position along the path")
    ax.set_ylabel(axis_label("frequency", data.frequency.attrs.get("units", "")))
    return mesh


def _ridges(fit: xr.Dataset, data: xr.Dataset, ax: Any) -> None:
    """Fitted modes where their wave vector (or its negative) lies on the path."""
    for k in range(fit.sizes["mode"]):
        for sign in (1, -1):
            apart = sign * fit.q_reduced.values[k] - data.q_reduced.values
            here = data.path_position.values[np.all(np.abs(apart - np.rint(apart)) < 1e-6, axis=1)]
            if len(here) and np.isfinite(fit.mode_frequency[k]):
                value = float(fit.mode_frequency[k])
                half = 0.5 * float(fit.mode_damping[k])
                look = {"marker": "o", "markersize": 3.5, "markerfacecolor": "none", "color": "#D55E00", "linestyle": "none"}
                ax.errorbar(here, np.full(len(here), value), yerr=half, elinewidth=0.8, markeredgewidth=0.9, **look)
                break


def soft_mode(data: xr.Dataset, ax: Any, *, mode: int = 0) -> None:
    """Stiffness W^2 and 1 / chi of a mode over temperature with 95 % intervals; bands: 95 % intervals of T_c by each."""
    one = data.isel(mode=mode)
    kelvin = data.temperature.values
    frequency = one.mode_frequency.values
    chi, chi_error = one.static_susceptibility_direct.values, one.static_susceptibility_direct_stderr.values
    stiffness = (2 * np.pi * frequency) ** 2
    routes = (
        ("frequency", "W²", stiffness, 2 * one.mode_frequency_stderr.values / frequency * stiffness, "o"),
        ("susceptibility", "1 / χ", 1 / chi, chi_error / chi**2, "s"),
    )
    for k, (route, label, value, error, marker) in enumerate(routes):
        look = {"marker": marker, "markersize": 4, "capsize": 2, "linestyle": "none", "color": COLOURS[k]}
        ax.errorbar(kelvin, np.where(np.isfinite(frequency), value, np.nan), yerr=2 * error, label=label, **look)
        critical = one.sel(route=route)
        low, high = float(critical.critical_temperature_lower), float(critical.critical_temperature_upper)
        if np.isfinite(low):
            ax.axvspan(low, high, color=COLOURS[k], alpha=0.15, linewidth=0)
            middle, power = float(critical.critical_temperature), float(critical.critical_exponent)
            shape = np.abs(kelvin - middle) ** power
            known = np.isfinite(value) & np.isfinite(error) & np.isfinite(frequency)
            height = np.exp(np.average(np.log(value[known] / shape[known]), weights=(value[known] / error[known]) ** 2))
            x = np.linspace(middle, kelvin.max() if kelvin.mean() > middle else kelvin.min(), 80)
            ax.plot(x, height * np.abs(x - middle) ** power, color=COLOURS[k], linewidth=1.0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(axis_label("temperature", data.temperature.attrs.get("units", "")))
    ax.set_ylabel(axis_label("stiffness", "" if data.attrs.get("unit_system") == "lj" else "rad² ps⁻²"))
    ax.legend(title=str(one.verdict.item()))


def bottleneck_opening(data: xr.Dataset, ax: Any) -> None:
    """Radius of the window of a hop less its mean, about the last frame on the old site, with two standard errors over windows of time."""
    hops = data.bottleneck_hops.transpose("window", "lag").values
    opening = data.bottleneck_opening.transpose("window", "lag").values
    whole = opening.sum(axis=0) / np.maximum(hops.sum(axis=0), 1)
    n = len(hops)
    left = np.array([np.delete(opening, k, axis=0).sum(axis=0) / np.maximum(np.delete(hops, k, axis=0).sum(axis=0), 1) for k in range(n)])
    error = np.sqrt((n - 1) / n * np.sum(np.square(left - left.mean(axis=0)), axis=0))
    lag = data.lag.values
    ax.plot(lag, whole, color=COLOURS[0])
    ax.fill_between(lag, whole - 2 * error, whole + 2 * error, color=COLOURS[0], alpha=0.22, linewidth=0)
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.axvline(0, color="0.5", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    ax.set_xlabel(axis_label("time from the start of a hop", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("radius less its mean", data.bottleneck_variance.attrs.get("units", "").removesuffix("^2")))
    ax.set_title(f"{int(data.hop_starts.sum())} hops")
