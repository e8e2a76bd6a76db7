"""The sections of the page: what is said, in which order, from the results that are there."""

import json
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.chain import STAGES, Chain, Chains
from mdtools.reporting.closure import AGREES
from mdtools.reporting.melting_sections import lines_and_gates
from mdtools.reporting.mode_sections import softening
from mdtools.reporting.numbers import plain, probable, with_error
from mdtools.reporting.parts import Part, Section, Table

__all__ = ["closures", "conductivity", "diffusivity", "evidence", "histories", "not_made", "quasielastic", "verdicts"]


def temperature_of(run: Chain) -> float:
    """The stated temperature of a run; NaN where it is not known."""
    return next((float(data.stated_temperature) for data in run.made.values() if "stated_temperature" in data), np.nan)


def _bound(data: xr.Dataset, name: str, **at: Any) -> str:
    """A number that is only known to be smaller."""
    value = float(data[name].sel(**at)) if name in data else np.nan
    return f"< {plain(value, 2)}" if np.isfinite(value) else "–"


def _value(data: xr.Dataset, name: str, *, digits: int = 4, **at: Any) -> str:
    """A number with its error as text; what is not there is a dash."""
    if name not in data:
        return "–"
    value = data[name].sel(**at) if at else data[name]
    error = data.get(f"{name}_stderr")
    if error is not None:
        return with_error(float(value), float(error.sel(**at) if at else error)) if np.isfinite(value) else "–"
    return plain(float(value), digits) if np.isfinite(value) else "–"


def _temperature(run: Chain) -> str:
    value = temperature_of(run)
    return f"{value:g}" if np.isfinite(value) else "–"


def verdicts(runs: Chains) -> Section:
    """Verdict of the system and of each species, and of each mode over a series, with probability; why."""
    rows, reasons = [], []
    names = list(dict.fromkeys(str(name) for run in runs if "detect_melting" in run.made for name in run.made["detect_melting"].species.values))
    for run in runs:
        data = run.made.get("detect_melting")
        if data is None:
            continue
        probability = float(data.system_probability.max())
        row = [run.name, _temperature(run), str(data.system_verdict.item()), probable(probability)]
        for name in names:
            if name not in data.species.values:
                row.append("–")
                continue
            one = data.sel(species=name)
            most = int(np.argmax(one.probability.values))
            word = str(one.verdict.item())
            also = "" if word == str(one.state.values[most]) else f", most likely {one.state.values[most]}"
            row.append(f"{word} ({probable(float(one.probability[most]))}{also})")
        rows.append(tuple(row))
        if "system_reason" in data:
            reasons.append((f"{run.name}", str(data.system_reason.item())))
    soft = softening(runs)
    if not rows and soft is None:
        return Section("verdict", "Verdict", text=("No verdict could be made; the reasons are listed below.",))
    header = ("run", "T (K)", "system", "probability", *names)
    parts = [Part("Why", open=len(rows) == 1, tables=(Table(("run", "reason"), tuple(reasons)),))] if reasons else []
    tables = [Table(header, tuple(rows), words=(2,))] if rows else []
    if soft is not None:
        tables.append(soft[0])
        parts.append(Part("Why, of each mode", open=not rows, tables=(Table(("mode", "reason"), soft[1]),)))
    return Section("verdict", "Verdict", tables=tuple(tables), parts=tuple(parts))


def evidence(runs: Chains) -> Section | None:
    """Every indicator of every species: value, threshold and what it says."""
    parts = []
    for run in runs:
        data = run.made.get("detect_melting")
        if data is None:
            continue
        names = list(map(str, data.species.values))
        rows = []
        for indicator in data.indicator.values:
            row = [str(indicator).replace("_", " "), plain(float(data.threshold.sel(indicator=indicator)), 3)]
            for name in names:
                at = {"species": name, "indicator": indicator}
                row += [_value(data, "evidence", **at), str(data.says.sel(**at).item())]
            rows.append(tuple(row))
        header = ("indicator", "threshold", *(word for name in names for word in (name, "says")))
        reasons = tuple(f"{name}: {data.reason.sel(species=name).item()}" for name in names) if "reason" in data else ()
        parts.append(Part(f"Evidence: {run.name}", open=len(runs) == 1, tables=(Table(header, tuple(rows), notes=reasons),)))
    return Section("evidence", "Evidence for the verdict", parts=(*lines_and_gates(runs), *parts)) if parts else None


def diffusivity(runs: Chains) -> Section | None:
    """Self-diffusivity of each species, or the bound on it where it is caged."""
    rows = []
    unit = ""
    for run in runs:
        data = run.made.get("self_diffusivity")
        if data is None:
            continue
        unit = data.self_diffusivity.attrs["units"]
        for name in data.species.values:
            at = {"species": name}
            found = bool(np.isfinite(data.self_diffusivity.sel(**at)))
            rows.append(
                (
                    run.name,
                    _temperature(run),
                    str(name),
                    str(data.regime.sel(**at).item()),
                    _value(data, "self_diffusivity", **at) if found else _bound(data, "self_diffusivity_upper", **at),
                    _value(data, "self_diffusivity_cm2_per_s", **at) if found else "–",
                    _late(data, at) if found else "–",
                    f"{_value(data, 'lag_first', digits=3, **at)} to {_value(data, 'lag_last', digits=3, **at)}" if found else "–",
                    plain(float(data.effective_ions.sel(**at)), 3) if found else "–",
                    plain(float(data.fit_quality.sel(**at)), 2) if found else "–",
                    _value(data, "run_for_10_percent" if found else "run_for_tenth_of_bound", digits=2, species=str(name)),
                )
            )
    parts = (*_principal(runs), *_activation(runs))
    if not rows:
        return Section("diffusivity", "Self-diffusion", parts=parts) if parts else None
    shown = signs(unit)
    values = (f"D ({shown})", "D (cm²/s)", "longer lags", "fitted (ps)", "independent ions", "fit quality", "run needed (ps)")
    header = ("run", "T (K)", "species", "regime", *values)
    notes = (
        "D < bound: no diffusion is seen in this run, and the bound holds with 95 % probability.",
        "Longer lags: D of the longer half of the lags, and how many errors it lies from D; below -2.5 the slope falls within the run.",
        "Independent ions: how many would give this error. Fit quality: probability of a worse fit if the motion is diffusive.",
        "Run needed: length of the whole run for a standard error of 10 %; of a caged species, for a bound ten times smaller.",
    )
    return Section("diffusivity", "Self-diffusion", tables=(Table(header, tuple(rows), notes=notes),), parts=parts)


def _late(data: xr.Dataset, at: dict[str, Any]) -> str:
    if "late_z_score" not in data:  # saved by an earlier version
        return "–"
    return f"{_value(data, 'self_diffusivity_late', **at)} ({float(data.late_z_score.sel(**at)):+.1f})"


def _principal(runs: Chains) -> tuple[Part, ...]:
    """Diffusion along the principal axes of the species that diffuse."""
    rows, unit = [], ""
    for run in runs:
        data = run.made.get("self_diffusivity_tensor")
        if data is None:
            continue
        unit = data.principal_diffusivity.attrs.get("units", "")
        for name in map(str, data.species.values):
            one = data.sel(species=name)
            if np.isfinite(one.principal_diffusivity).any():
                values = (_value(one, "principal_diffusivity", principal=k) for k in one.principal.values)
                rows.append((run.name, _temperature(run), name, str(one.dimensionality.item()), *values, plain(float(one.isotropy), 2)))
    if not rows:
        return ()
    header = ("run", "T (K)", "species", "dimensions", *(f"{word} ({signs(unit)})" for word in ("fastest", "middle", "slowest")), "isotropy")
    notes = ("Isotropy: probability of a larger difference between the axes if there were none.",)
    return (Part("Diffusion along the principal axes", tables=(Table(header, tuple(rows), notes=notes),)),)


def _activation(runs: Chains) -> tuple[Part, ...]:
    parts = []
    for stage, title, dim in (
        ("activation_energy", "Activation energy of diffusion", "species"),
        ("conduction_activation_energy", "Activation energy of conduction", "transport"),
    ):
        if stage in runs.made:
            parts.append(_activated(runs.made[stage], title, dim))
    for stage, title in (("isotope_exponent", "Isotope exponent"), ("activation_volume", "Activation volume")):
        if stage in runs.made:
            parts.append(_response(runs.made[stage], stage, title))
    return tuple(parts)


def _activated(data: xr.Dataset, title: str, dim: str) -> Part:
    """Energy and prefactor of the line, and how probable each law is."""
    rows = []
    for name in map(str, data[dim].values):
        one = data.sel({dim: name})
        if not np.isfinite(one.activation_energy):
            continue
        laws = [f"{law} {plain(float(p), 2)}" for law, p in zip(data.law.values, one.law_probability.values, strict=True) if np.isfinite(p)]
        rows.append(
            (
                name,
                _value(one, "activation_energy"),
                _value(one, "log_prefactor"),
                plain(float(one.misfit), 2),
                f"{int(one.n_runs)} and {int(one.n_bounded)}",
                ", ".join(laws),
                plain(float(one.replica_scatter), 2) if np.isfinite(one.replica_scatter) else "–",
            )
        )
    notes = (
        "Misfit: probability of a worse fit if one Arrhenius line held; where it is small the error tells the scatter about the line.",
        "Bounds: runs without diffusion, which count by their upper bound. Replica scatter: of runs at one temperature over their quoted errors.",
    )
    unit = data.activation_energy.attrs.get("units", "")
    header = (dim, f"activation energy ({unit})", "ln of the prefactor", "misfit", "values and bounds", "probability of each law", "replica scatter")
    return Part(title, open=True, tables=(Table(header, tuple(rows), notes=notes), *_local(data, dim), *_meant(data, dim)))


def _local(data: xr.Dataset, dim: str) -> tuple[Table, ...]:
    """Activation energy at some of the predicted temperatures: where laws bend, one number says too little."""
    names = [name for name in map(str, data[dim].values) if np.isfinite(data.local_activation_energy.sel({dim: name})).any()]
    unit = data.local_activation_energy.attrs.get("units", "")
    rows = []
    every = np.linspace(0, data.sizes["predicted_temperature"] - 1, LOCAL).round().astype(int)
    for k in np.union1d(every, np.flatnonzero(data.extrapolated.values)):
        there = data.isel(predicted_temperature=k)
        outside = " (extrapolated)" if there.extrapolated else ""
        rows.append(
            (f"{float(there.predicted_temperature):.4g}{outside}", *(_value(there.sel({dim: name}), "local_activation_energy") for name in names))
        )
    header = ("T (K)", *(f"local activation energy of {name} ({unit})" for name in names))
    return (Table(header, tuple(rows), notes=("Averaged over the laws, each with its probability.",)),) if names and rows else ()


def _meant(data: xr.Dataset, dim: str) -> tuple[Table, ...]:
    """What the prefactor and the defect fractions say, where the jumps or the fractions were given."""
    rows = tuple(
        (
            str(name),
            _between(one, "prefactor_ratio"),
            *(_value(one, part) for part in ("defect_energy", "mobility_energy")),
        )
        for name, one in ((name, data.sel({dim: name})) for name in data[dim].values)
        if any(part in one and np.isfinite(one[part]) for part in ("prefactor_ratio", "defect_energy"))
    )
    notes = (
        "Prefactor over that of every ion jumping: 0.1 to 10 says that the whole sublattice takes part, much less that few defects do.",
        "Migration entropy alone may move it by a factor of ten.",
        "Activation energy = energy of defects (their fraction as given) + energy of their mobility.",
    )
    return (Table((dim, "prefactor / full sublattice", "energy of defects (eV)", "energy of mobility (eV)"), rows, notes=notes),) if rows else ()


def _between(data: xr.Dataset, name: str) -> str:
    """A number with its 95 % interval."""
    if name not in data or not np.isfinite(data[name]):
        return "–"
    value, low, high = (plain(float(data[name + end]), 3) for end in ("", "_lower", "_upper"))
    return f"{value} ({low} to {high})"


LOCAL = 5  # temperatures between the runs, of a table
CANNOT_PROVE = {
    "isotope_exponent": "Below 0.5 is no sign of zero-point motion: a framework that joins the jump, or friction, gives it in classical dynamics, "
    "which has no quantum part to show. All ions replaced at once is not the tracer isotope effect.",
    "activation_volume": "A negative value is not by itself a concerted mechanism: a lattice that softens under pressure gives one too. "
    "Jump length and attempt frequency change with pressure as well.",
}


def _response(data: xr.Dataset, stage: str, title: str) -> Part:
    rows = tuple((name, _value(data, stage, species=name)) for name in map(str, data.species.values) if np.isfinite(data[stage].sel(species=name)))
    return Part(
        title,
        open=True,
        tables=(Table(("species", f"{title.lower()} ({signs(data[stage].attrs.get('units', ''))})"), rows, notes=(CANNOT_PROVE[stage],)),),
    )


def conductivity(runs: Chains) -> Section | None:
    """Conductivity by both routes, as if ions moved alone, and the Haven ratio."""
    routes = ("ionic_conductivity", "ionic_conductivity_einstein_helfand", "ionic_conductivity_green_kubo")
    rows = []
    unit = "S/m"
    for run in runs:
        data, haven = run.made.get("ionic_conductivity"), run.made.get("haven_ratio")
        if data is None:
            continue
        unit = data.ionic_conductivity.attrs.get("units", "")
        rows.append(
            (
                run.name,
                _temperature(run),
                _value(data, routes[0]) if np.isfinite(data.ionic_conductivity) else _bound(data, "ionic_conductivity_upper"),
                *(_value(data, name) for name in routes[1:]),
                _value(data, "routes_difference", digits=2),
                "–" if haven is None else _value(haven, "ionic_conductivity_nernst_einstein"),
                "–" if haven is None else _value(haven, "haven_ratio"),
            )
        )
    if not rows:
        return None
    header = ("run", "T (K)", f"σ ({unit})", "Einstein-Helfand", "Green-Kubo", "difference / error", "Nernst-Einstein", "Haven ratio")
    return Section("conductivity", "Ionic conductivity", tables=(Table(header, tuple(rows)),), parts=(*_shares(runs), *_frames_unknown(runs)))


def _shares(runs: Chains) -> tuple[Part, ...]:
    """Which species carries the current: partial conductivities, what independent ions would give, and transference numbers."""
    rows = []
    for run in runs:
        matrix, share = run.made.get("onsager"), run.made.get("transference_number")
        if matrix is None:
            continue
        for name in map(str, matrix.species.values):
            rows.append(
                (
                    run.name,
                    name,
                    _value(matrix, "partial_conductivity", species=name),
                    _value(matrix, "partial_conductivity_nernst_einstein", species=name),
                    "–" if share is None else _value(share, "transference_number", species=name),
                    str(matrix.species_regime.sel(species=name).item()),
                    str(matrix.frame_of_reference.item()),
                )
            )
    header = ("run", "species", "partial σ (S/m)", "Nernst-Einstein", "transference number", "dipole", "frame")
    return (Part("Shares of the current", tables=(Table(header, tuple(rows)),)),) if rows else ()


def _frames_unknown(runs: Chains) -> tuple[Part, ...]:
    """Runs whose charges do not sum to zero, so that the current depends on a frame that is not known."""
    rows = []
    for run in runs:
        data = run.made.get("charge_displacement_msd")
        step = schema.history(data)[-1] if data is not None else {}
        if str(step.get("frame_error", "")).startswith("unknown"):
            rows.append((run.name, str(step["reference"]), plain(float(step["net_charge"]), 3), str(step["frame_error"])))
    return (Part("Frame of reference", open=True, tables=(Table(("run", "frame", "sum of charges (e)", "error"), tuple(rows)),)),) if rows else ()


def quasielastic(runs: Chains) -> Section | None:
    """The motion of each species by its quasielastic line, with jump length, residence time and D."""
    rows: list[tuple[str, ...]] = []
    units: tuple[str, ...] = ("", "", "")
    for run in runs:
        data = run.made.get("quasielastic_width")
        if data is None:
            continue
        units = tuple(data[name].attrs.get("units", "") for name in ("quasielastic_diffusivity", "jump_length", "residence_time"))
        for name in map(str, data.species.values):
            one = data.sel(species=name)
            motion = str(one.motion.item())
            at: dict[str, Any] = {"species": name}
            jumps = (_value(data, "jump_length", **at), _value(data, "residence_time", **at)) if motion == "jump" else ("–", "–")
            probability, misfit = (plain(float(one[word].sel(motion_model=motion)), 2) for word in ("motion_probability", "motion_misfit"))
            rows.append((run.name, _temperature(run), name, motion, probability, misfit, _value(data, "quasielastic_diffusivity", **at), *jumps))
    if not rows:
        return None
    named = (f"{word} ({signs(unit)})" for word, unit in zip(("D", "jump length", "residence time"), units, strict=True))
    header = ("run", "T (K)", "species", "motion", "probability", "misfit", *named)
    notes = (
        "Motion: the likeliest of elastic (nothing moves away), continuous, jump (Chudley-Elliott), rotor and confined, by spectra of exp(i q·r).",
        "Misfit: chi² per degree of freedom; where it is large no model holds to the precision of the run, and the errors are widened by it.",
    )
    return Section("quasielastic", "Quasielastic line", tables=(Table(header, tuple(rows), notes=notes),))


def closures(found: dict[str, xr.Dataset]) -> Section | None:
    """Do the numbers agree with each other? By run; open where something disagrees, or where there is one run."""
    parts = []
    header = ("identity", "left", "right", "error of the difference", "z", "", "if not: likely culprit")
    for run, data in found.items():
        rows = []
        for k, check in enumerate(data.check.values):
            one = data.isel(check=k)
            score = float(one.z_score)
            rows.append(
                (
                    signs(str(check)),
                    plain(float(one["first"]), 5),
                    plain(float(one["second"]), 5),
                    plain(float(one["difference_stderr"]), 2),
                    f"{score:+.1f}" if abs(score) >= 0.05 else "0.0",
                    "agree" if abs(score) <= AGREES else "disagree",
                    str(one.culprit.item()) or "–",
                )
            )
        bad = frozenset(k for k, row in enumerate(rows) if "disagree" in row)
        title = f"{run}: {len(rows) - len(bad)} of {len(rows)} agree"
        parts.append(Part(title, open=bool(bad) or len(found) == 1, tables=(Table(header, tuple(rows), bad=bad),)))
    if not parts:
        return None
    text = (f"Two numbers agree when they differ by at most {AGREES:g} of their combined standard error (z).",)
    return Section("closure", "Closure: do these numbers agree with each other?", text, parts=tuple(parts))


def not_made(runs: Chains) -> Section | None:
    """What could not be made, and why; of runs with one reason once."""
    whose: dict[tuple[str, str], list[str]] = {}
    for name, refused in [*((run.name, run.refused) for run in runs), ("all together", runs.refused)]:
        for stage, reason in refused.items():
            whose.setdefault((stage.replace("_", " "), str(reason)), []).append(name)
    if not whose:
        return None
    rows = tuple((", ".join(names) if len(names) < len(runs) or len(runs) == 1 else "each", *what) for what, names in whose.items())
    return Section("not-made", "What could not be made, and why", tables=(Table(("run", "result", "reason"), rows),))


def histories(runs: Chains) -> Section:
    """The steps that made the results of each run, each step once, with every setting; of all runs together what is only theirs."""
    of_runs = [schema.merged_history(run.made[stage] for stage in STAGES if stage in run.made) for run in runs]
    parts = [Part(run.name, text=_steps(steps)) for run, steps in zip(runs, of_runs, strict=True)]
    together = [step for step in schema.merged_history(runs.made.values()) if not any(step in steps for steps in of_runs)]
    if together:
        parts.append(Part("all runs", text=_steps(together)))
    return Section("history", "History of every number", parts=tuple(parts))


def _steps(steps: list[dict[str, Any]]) -> str:
    lines = []
    for step in steps:
        settings = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in step.items() if key not in ("step", "mdtools"))
        lines.append(f"{step['step']}: {settings}" if settings else str(step["step"]))
    return "\n".join(lines)


def signs(text: str) -> str:
    """A unit, or a line that names one, with signs for readers: angstrom^2/ps -> Å²/ps."""
    for word, sign in {"angstrom": "Å", "^2": "²", "^3": "³"}.items():
        text = text.replace(word, sign)
    return text
