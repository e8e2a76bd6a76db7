"""Scattering: decay of F(q, t), the map of S(q, f), the static S(q), and the quasielastic width with the motion that explains it."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.numbers import plain
from mdtools.reporting.style import axis_label, colour, safe, shades, thinned

__all__ = [
    "current_correlation",
    "dynamic_structure_factor",
    "intermediate_scattering",
    "intermediate_scattering_self",
    "quasielastic_width",
    "structure_factor",
]


def structure_factor(data: xr.Dataset, ax: Any) -> None:
    """S(q) of each pair of species, and of several their sum; Bragg peaks are as tall as they are, so the axis is logarithmic where they are."""
    every = np.arange(data.sizes["q"])
    names = data.pair.values
    drawn = []
    if len(names) > 1:
        drawn.append(curve(ax, data.q.values, data.structure_factor.sum("pair"), every, color="0.45", linewidth=1.0, label="all"))
    for name in names:
        drawn.append(curve(ax, data.q.values, data.structure_factor.sel(pair=name), every, color=colour(name, names), label=safe(name)))
    if np.max(drawn[0]) > 20:
        ax.set_yscale("symlog", linthresh=1.0)
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xlabel(axis_label("q", data.q.attrs.get("units", "")))
    ax.set_ylabel("S(q)")
    ax.legend(handlelength=1.2, loc="center left", bbox_to_anchor=(1.0, 0.5))  # peaks of some pair are everywhere


def intermediate_scattering(data: xr.Dataset, ax: Any, *, n_q: int = 5) -> None:
    """F(q, t) of all species together over its value at lag 0, at some q."""
    _decays(data, data.intermediate_scattering.sum("pair"), ax, n_q, "F(q, t) / F(q, 0)")


def intermediate_scattering_self(data: xr.Dataset, ax: Any, *, species: str, n_q: int = 5) -> None:
    """F_s(q, t) of one species at some q."""
    _decays(data, data.intermediate_scattering_self.sel(species=species), ax, n_q, "F$_s$(q, t)")


def current_correlation(data: xr.Dataset, ax: Any, *, n_q: int = 3) -> None:
    """Longitudinal (full) and transverse (dashed) current correlation of all species together, over their values at lag 0, at some q."""
    lag = data.lag.values
    chosen = np.unique(np.linspace(0, data.sizes["q"] - 1, n_q).astype(int))
    for k, tint in zip(chosen, shades(len(chosen)), strict=True):
        for name, line in (("longitudinal_current_acf", "-"), ("transverse_current_acf", "--")):
            one = data[name].sum("pair").isel(q=k).mean("window")
            label = plain(float(data.q[k]), 3) if line == "-" else None
            ax.plot(lag, one / one.isel(lag=0), line, color=tint, linewidth=1.0, label=label)
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xlim(0, lag[-1] / 2)
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel("C$_L$, C$_T$ (dashed) / value at 0")
    ax.legend(title=axis_label("q", data.q.attrs.get("units", "")), title_fontsize=8, handlelength=1.2)


def _decays(data: xr.Dataset, values: xr.DataArray, ax: Any, n_q: int, words: str) -> None:
    lag = data.lag.values
    keep = thinned(max(2, int(0.7 * len(lag))))  # longer ones have few origins
    chosen = np.unique(np.linspace(0, data.sizes["q"] - 1, n_q).astype(int))
    for k, tint in zip(chosen, shades(len(chosen)), strict=True):
        one = values.isel(q=k)
        curve(ax, lag, one / one.isel(lag=0).mean("window"), keep, color=tint, label=plain(float(data.q[k]), 3))
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xscale("log")
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel(words)
    ax.legend(title=axis_label("q", data.q.attrs.get("units", "")), title_fontsize=8, handlelength=1.2)


def dynamic_structure_factor(data: xr.Dataset, ax: Any) -> Any:
    """S(q, f) of all species together as a map over q and frequency, its logarithm in four decades; returns what a colour bar needs."""
    from matplotlib.colors import LogNorm

    one = data.dynamic_structure_factor.mean("window").sum("pair").transpose("frequency", "q")
    values = one.values
    top = float(np.quantile(values, 0.999))
    shown = np.maximum(values, 1e-4 * top)
    mesh = ax.pcolormesh(one.q.values, one.frequency.values, shown, shading="nearest", cmap="viridis", norm=LogNorm(1e-4 * top, top), rasterized=True)
    ax.set_xlabel(axis_label("q", data.q.attrs.get("units", "")))
    ax.set_ylabel(axis_label("frequency", data.frequency.attrs.get("units", "")))
    return mesh


def quasielastic_width(data: xr.Dataset, ax: Any) -> None:
    """Gamma(q) of each species with two standard errors, and the line of the likeliest motion; in words where no species has a width."""
    names = data.species.values
    q = data.q.values
    for name in names:
        one = data.sel(species=name)
        tint = colour(name, names)
        motion = str(one.motion.item())
        error = 2 * np.nan_to_num(one.quasielastic_width_stderr.values)
        ax.errorbar(q**2, one.quasielastic_width.values, yerr=error, fmt="o", ms=3, color=tint, elinewidth=0.8, label=f"{safe(name)}: {motion}")
        ax.plot(q**2, one.predicted_quasielastic_width.values, color=tint, linewidth=1.0)
    ax.set_xlim(left=0, right=1.05 * float(q.max()) ** 2)
    ax.set_ylim(bottom=0)
    if not np.isfinite(data.quasielastic_width).any():
        ax.set_yticks([0])
        ax.text(0.5, 0.5, "no ion moves away:\nno width beyond the elastic line", transform=ax.transAxes, ha="center", va="center", color="0.4")
    ax.set_xlabel(axis_label("q²", "Å⁻²" if data.q.attrs.get("units") == "1/angstrom" else "1"))
    ax.set_ylabel(axis_label("half width Γ", data.quasielastic_width.attrs.get("units", "")))
    ax.legend()
