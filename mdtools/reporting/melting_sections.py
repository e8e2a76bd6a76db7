"""Sections of the page on melting: the four lines of evidence, the gates, sites and jumps, and T_c by every route."""

import numpy as np
import xarray as xr

from mdtools.chain import Chains
from mdtools.reporting.numbers import plain, with_error
from mdtools.reporting.parts import Part, Section, Table

__all__ = ["jumps", "lines_and_gates", "transition"]


def lines_and_gates(runs: Chains) -> tuple[Part, ...]:
    """What each line of evidence says of each run, and which gates it does not pass."""
    lines, gates = [], []
    header: tuple[str, ...] = ()
    for run in runs:
        data = run.made.get("detect_melting")
        if data is None or "line_says" not in data:
            continue
        header = ("run", "system", *map(str, data.line.values), "lines with data", "D at most")
        bounds = ", ".join(f"{name} {plain(float(data.diffusivity_bound.sel(species=name)), 2)}" for name in data.species.values)
        lines.append((run.name, str(data.system_verdict.item()), *map(str, data.line_says.values), f"{int(data.lines_available)}/4", bounds))
        gates += [(run.name, str(name), str(reason)) for name, reason in zip(data.gate.values, data.gate_reason.values, strict=True) if reason]
    parts = []
    if lines:
        notes = (
            "For or against what the system is called; D at most, in angstrom^2/ps: what the displacement of this run and three unseen jumps leave.",
        )
        parts.append(Part("Four lines of evidence", open=True, tables=(Table(header, tuple(lines), notes=notes),)))
    if gates:
        parts.append(Part("Gates that are not passed", open=True, tables=(Table(("run", "gate", "why"), tuple(gates)),)))
    return tuple(parts)


def jumps(runs: Chains) -> Section | None:
    """Residence time, correlation factor, D by jumps and defects of each species that jumps."""
    rows = []
    for run in runs:
        data = run.made.get("jump_diffusivity")
        if data is None:
            continue
        for name in map(str, data.species.values):
            one = data.sel(species=name)
            tau = f"> {plain(float(one.residence_time_lower), 2)}"
            if np.isfinite(one.residence_time):
                ends = (plain(float(one[f"residence_time_{end}"]), 3) for end in ("lower", "upper"))
                tau = f"{plain(float(one.residence_time), 3)} ({' to '.join(ends)})"
            rows.append((run.name, name, str(int(one.n_jumps)), tau, *(_value(one, key) for key in NUMBERS)))
    if not rows:
        return None
    header = ("run", "species", "jumps", "residence time (ps)", *NUMBERS.values())
    return Section("jumps", "Sites and jumps", tables=(Table(header, tuple(rows)),))


NUMBERS = {
    "jump_length": "jump length (Å)",
    "correlation_factor": "correlation factor",
    "jump_diffusivity": "D by jumps (Å²/ps)",
    "excess_defects": "empty sites beyond built-in",
    "core_fraction": "ions in cores",
}


def _value(one: xr.Dataset, name: str) -> str:
    value = float(one[name])
    if not np.isfinite(value):
        return "–"
    return with_error(value, float(one[f"{name}_stderr"])) if f"{name}_stderr" in one and float(one[f"{name}_stderr"]) > 0 else plain(value, 3)


def transition(runs: Chains) -> Section | None:
    """T_c by each route, never averaged, and the type of the transition."""
    data = runs.made.get("detect_transition")
    if data is None:
        return None
    rows = []
    for name in map(str, data.route.values):
        one = data.sel(route=name)
        found = np.isfinite(one.critical_temperature)
        interval = f"{plain(float(one.critical_temperature_lower), 4)} to {plain(float(one.critical_temperature_upper), 4)}" if found else "–"
        rows.append((name, plain(float(one.critical_temperature), 4) if found else "none in this series", interval))
    text = (
        f"Type {data.transition_type.item()} by the enthalpy (I: a step, II: an excess of finite width, III: smooth).",
        "The routes answer different questions and are not averaged; none is sharper than the distance of the runs.",
        *([f"Runs that are {data.reason.item()}."] if "reason" in data and data.reason.item() else []),
    )
    return Section("transition", "Temperature of the transition", text, tables=(Table(("route", "T_c (K)", "95 % interval"), tuple(rows)),))
