"""Sections of the page on single modes: frequency, damping and susceptibility in each run, and whether a mode goes soft."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.chain import Chains
from mdtools.reporting.numbers import plain, probable, with_error
from mdtools.reporting.parts import Section, Table

__all__ = ["frequencies", "modes", "softening"]


def softening(runs: Chains) -> tuple[Table, tuple[tuple[str, str], ...]] | None:
    """Verdict, probability and T_c by both routes of each mode; and the reasons, a row a mode."""
    data = runs.made.get("detect_soft_modes")
    if data is None:
        return None
    unit = data.critical_temperature.attrs.get("units", "") if "critical_temperature" in data else ""
    rows, reasons = [], []
    for k in range(data.sizes["mode"]):
        one, name = data.isel(mode=k), name_of(data, k)
        probability = probable(float(one.probability.max())) if np.isfinite(one.probability).any() else "–"
        likeliest = str(one.mode_state.values[int(np.nanargmax(one.probability))]) if probability != "–" else ""
        word = str(one.verdict.item())
        word += f" ({likeliest}?)" if word not in (likeliest, "") and likeliest else ""
        rows.append((name, word, probability, *(_critical(one.sel(route=route)) for route in one.route.values)))
        reasons.append((name, str(one.reason.item())))
    named = (f"T_c by {route}" + (f" ({unit})" if unit not in ("", "1") else "") for route in data.route.values)
    return Table(("mode", "verdict", "probability", *named), tuple(rows), words=(1,)), tuple(reasons)


def modes(runs: Chains) -> Section | None:
    """What the spectrum of each mode says in each run."""
    table = frequencies(runs)
    return None if table is None else Section("modes", "Single modes", tables=(table,))


def frequencies(runs: Chains) -> Table | None:
    """A row for each mode of each run: frequency, damping, damping ratio and susceptibility."""
    rows, left_out = [], []
    units = {"mode_frequency": "", "mode_damping": "", "static_susceptibility_direct": ""}
    found = [(run, run.made["mode_frequencies"]) for run in runs if "mode_frequencies" in run.made]
    for run, data in sorted(found, key=lambda one: float(one[1].stated_temperature)):
        units = {name: data[name].attrs.get("units", "") for name in units}
        kelvin = float(data.stated_temperature)
        left_out += [f"{run.name}: {why}" for why in schema.history(data)[-1].get("left_out", [])]
        for k in range(data.sizes["mode"]):
            one = data.isel(mode=k)
            values = (_value(one, name) for name in ("mode_frequency", "mode_damping", "damping_ratio", "static_susceptibility_direct"))
            rows.append((run.name, plain(kelvin, 6), name_of(data, k), str(one.damping_regime.item()), str(one.mode_model.item()) or "–", *values))
    if not rows:
        return None
    frequency, damping, chi = (f" ({unit})" if unit not in ("", "1") else "" for unit in units.values())
    names = (f"frequency{frequency}", f"damping G{damping}", "G / 2 W", f"susceptibility{chi}")
    notes = ("Damping G: full width of the line in frequency. Above G / 2 W = 1 the mode is overdamped, and has no peak at its frequency.",)
    return Table(("run", "T", "mode", "regime", "model", *names), tuple(rows), notes=(*notes, *left_out))


def name_of(data: xr.Dataset, k: int) -> str:
    """A mode in words: its wave vector, and its band where it has one."""
    q, band = ", ".join(f"{x:.4g}" for x in data.q_reduced.values[k]), int(data.band[k]) if "band" in data else 0
    return f"q = {q}" + (f"; band {band}" if band else "; pattern")


def _critical(one: xr.Dataset) -> str:
    if "critical_temperature" not in one or not np.isfinite(one.critical_temperature):
        return "–"
    low, high = (plain(float(one[f"critical_temperature_{end}"]), 4) for end in ("lower", "upper"))
    return f"{_value(one, 'critical_temperature')} ({low} to {high})"


def _value(one: xr.Dataset, name: str) -> str:
    value, error = float(one[name]), float(one.get(f"{name}_stderr", xr.DataArray(np.nan)))
    if not np.isfinite(value):
        return "–"
    return with_error(value, error) if np.isfinite(error) else plain(value, 3)
