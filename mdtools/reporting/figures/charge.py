"""Charge-current correlation, and the running Green-Kubo conductivity with the estimates beside it."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.figures.bands import curve
from mdtools.reporting.style import COLOURS, axis_label, decades, thinned
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI

__all__ = ["charge_current_acf", "charge_displacement_msd", "dielectric_function", "green_kubo_running", "ionic_conductivity_spectrum"]

# name -> (words, colour) of the estimates that are drawn as a level with its band
LEVELS = {
    "ionic_conductivity_green_kubo": ("Green-Kubo", COLOURS[0]),
    "ionic_conductivity_einstein_helfand": ("Einstein-Helfand", COLOURS[1]),
    "ionic_conductivity": ("both", COLOURS[2]),
}


def charge_current_acf(data: xr.Dataset, ax: Any) -> None:
    """Charge-current correlation until it has died, with the sum rule as a mark at lag 0."""
    lag = data.lag.values
    mean = data.charge_current_acf.mean("window").values
    until = _died(mean)
    keep = np.arange(min(len(lag), until))
    curve(ax, lag, data.charge_current_acf, keep, color=COLOURS[0])
    if "charge_current_sum_rule" in data:
        ax.plot(
            [0], [float(data.charge_current_sum_rule)], marker="D", markersize=5, color=COLOURS[1], linestyle="none", label="sum rule", clip_on=False
        )
        ax.legend()
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.ticklabel_format(axis="y", scilimits=(-3, 4), useMathText=True)
    ax.set_ylabel(axis_label("⟨J(0)·J(t)⟩", data.charge_current_acf.attrs.get("units", "")))


def _died(mean: np.ndarray) -> int:
    """Number of lags until the correlation stays within 2 % of its value at 0 for a while, half as much again."""
    large = np.flatnonzero(np.abs(mean[: max(2, len(mean) // 2)]) > 0.02 * abs(mean[0]))
    return max(20, int(1.5 * (large[-1] + 1))) if len(large) else 20


def charge_displacement_msd(data: xr.Dataset, ax: Any) -> None:
    """Squared displacement of the charge dipole, and what it would be if ions moved independently: they are apart by the Haven ratio."""
    lag = data.lag.values
    keep = thinned(len(lag))
    curve(ax, lag, data.charge_displacement_msd, keep, floor=0.0, color=COLOURS[0], label="all charges together")
    if "charge_displacement_msd_self" in data:
        alone = data.charge_displacement_msd_self.sum("species")
        curve(ax, lag, alone, keep, floor=0.0, color=COLOURS[1], label="as if ions moved alone")
    ax.set(xscale="log", yscale="log")
    decades(ax)
    ax.set_xlabel(axis_label("time", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("⟨|Σ q dr|²⟩", data.charge_displacement_msd.attrs.get("units", "")))
    ax.legend()


def green_kubo_running(data: xr.Dataset, ax: Any, *, ionic_conductivity: xr.Dataset | None = None) -> None:
    """The running Green-Kubo integral 1 / (3 V k_B T) int_0^t C dt' of a `charge_current_acf`, and each estimate as a level.

    Bands are two standard errors: of the integral from the spread over windows, of the estimates their own.
    """
    lag = data.lag.values
    temperature = float(data.stated_temperature if ionic_conductivity is None else ionic_conductivity.stated_temperature)
    integral = data.charge_current_acf.cumulative_integrate("lag") * (CONDUCTIVITY_TO_SI / (3 * float(data.volume) * BOLTZMANN * temperature))
    # beyond half a window the integral is noise that would set the scale
    keep = thinned(max(2, len(lag) // 2), most=600)
    curve(ax, lag, integral, keep, color="0.35", linewidth=1.0, label="running integral")
    for name, (words, tint) in LEVELS.items():
        if ionic_conductivity is not None and np.isfinite(ionic_conductivity[name]):
            value, error = float(ionic_conductivity[name]), float(ionic_conductivity[f"{name}_stderr"])
            ax.axhline(value, color=tint, linewidth=1.2, label=words)
            ax.axhspan(value - 2 * error, value + 2 * error, color=tint, alpha=0.15, linewidth=0)
    ax.set(xscale="log")
    ax.set_xlabel(axis_label("upper limit of the integral", data.lag.attrs.get("units", "")))
    ax.set_ylabel(axis_label("conductivity", "S/m"))
    ax.legend()


def ionic_conductivity_spectrum(data: xr.Dataset, ax: Any) -> None:
    """sigma(f) of an `ionic_conductivity_spectrum` in its bands, with their 95 % intervals; nothing is drawn below one over a window."""
    f = data.frequency.values
    value, low, high = (data[f"ionic_conductivity_spectrum{end}"].values for end in ("", "_lower", "_upper"))
    ax.plot(f, value, color=COLOURS[0], linewidth=1.0)
    ax.fill_between(f, low, high, color=COLOURS[0], alpha=0.22, linewidth=0)
    ax.set(xscale="log", xlim=(f[0], f[-1]), ylim=(0, None))
    ax.set_xlabel(axis_label("frequency", data.frequency.attrs.get("units", "")))
    ax.set_ylabel(axis_label("conductivity", data.ionic_conductivity_spectrum.attrs.get("units", "")))


def dielectric_function(data: xr.Dataset, ax: Any) -> None:
    """Real and imaginary part of a `dielectric_function` over frequency, with two standard errors where there are any."""
    f = data.frequency.values
    for part, tint in (("real", COLOURS[0]), ("imaginary", COLOURS[1])):
        name = f"dielectric_function_{part}"
        values = data[name].values
        ax.plot(f, values, color=tint, linewidth=1.0, label=part)
        if f"{name}_stderr" in data:
            wide = 2 * data[f"{name}_stderr"].values
            ax.fill_between(f, values - wide, values + wide, color=tint, alpha=0.22, linewidth=0)
    ax.axhline(0, color="0.7", linewidth=0.7, zorder=0)
    ax.set(xlim=(0, f[-1]))
    ax.set_xlabel(axis_label("frequency", data.frequency.attrs.get("units", "")))
    ax.set_ylabel("ε(f)")
    ax.legend()
