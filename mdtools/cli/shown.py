"""Results on a terminal: short tables with value and error, in colour only where somebody looks."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mdtools.catalogue import ANALYSES
from mdtools.chain import Chains
from mdtools.cli.info import PIECES, info, pieces

__all__ = ["show_info", "show_results", "table"]

IMAGINARY = -0.01  # THz, as files write them; acoustic modes at q = 0 are off zero by less
LEFT_OUT = ("longer lags", "independent ions", "fit quality")  # columns of the page for which a terminal is too narrow
# setting in the history of a result that saw one of so many -> the option that takes all, and of what
STRIDES = {"origin_stride": ("origins", "time origin"), "frame_stride": ("frames", "frame")}


def table(header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """Print a table: by rich on a terminal, in plain aligned text elsewhere."""
    if sys.stdout.isatty():
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        shown = Table(*header, box=SIMPLE)
        for row in body:
            shown.add_row(*map(escape, row))
        Console().print(shown)
        return
    widths = [max(len(row[k]) for row in (header, *body)) for k in range(len(header))]
    for row in (header, *body):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_results(runs: Chains, stages: Sequence[str], *, refused: Mapping[str, Exception] | None = None) -> None:
    """Every number of the named stages, with a column for the run where there are several; then what was refused."""
    from mdtools.reporting.tables import outline, rows

    several = len(runs) > 1
    if "detect_melting" in stages:
        _states(runs)
    if "detect_ramp" in stages:
        _ramp(runs)
    if "detect_soft_modes" in stages:
        _softening(runs)
    if "mode_frequencies" in stages:
        _frequencies(runs)
    if "self_diffusivity" in stages:
        _diffusivity(runs)
    body = []
    for run, made in [*((member.name, member.made) for member in runs), ("all runs", runs.made)]:
        for stage in stages:
            if stage in made:
                listed = rows(made[stage]) + outline(made[stage])
                body += [([run] if several else []) + [row.quantity, row.of, row.value, row.unit if row.unit != "1" else ""] for row in listed]
    table([*(["run"] if several else []), "quantity", "of", "value", "unit"], body)
    print("".join(f"{line}\n" for line in _sampled(runs, stages)), end="")
    if (
        "mode_spectra" in stages
        and (data := next((member.made["mode_spectra"] for member in runs if "mode_spectra" in member.made), None)) is not None
    ):
        _modes(data)
    for what, reason in (refused or {}).items():
        print(f"not made: {what}: {reason}")


def _sampled(runs: Chains, stages: Sequence[str]) -> list[str]:
    """Which measurements, also those that a result is made of, saw a part of a long run within a budget of work, and the option that takes all."""
    from mdtools import schema
    from mdtools.signatures import signature
    from mdtools.values import flag

    lines = []
    for run in runs:
        of = f" of {run.name}" if len(runs) > 1 else ""
        for stage in (one for one in stages if one in run.made):
            for told in (one for one in schema.history(run.made[stage]) if one["step"] in ANALYSES):
                command = told["step"].replace("_", "-")
                taken = "" if told["step"] == stage else f"mdtools {command} ... "
                for option, words, asking in _parts(told):
                    if signature(told["step"]).option(option):
                        lines.append(f"{command}{of} took {words}, within its budget of work; {taken}{flag(option)} {asking}")
    return list(dict.fromkeys(lines))


def _parts(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Of a step of the history: options that a budget of work has limited, what was taken, and what to give them for more."""
    whole = "all takes every one"
    took = [(option, f"one {what} in {told[name]}", whole) for name, (option, what) in STRIDES.items() if told.get(name, 1) > 1]
    if some := [f"{name} ({told['ions_taken'][name]} in each window)" for name, one in told.get("ion_stride", {}).items() if one > 1]:
        took.append(("ions", f"a part of the ions of {', of '.join(some)}", whole))
    if told.get("n_q", 0) < (usual := told.get("usual_n_q", 0)):
        took.append(("n_q", f"about {told['n_q']} wave vectors in place of {usual}", f"{usual} takes as many"))
    if told.get("stretch", 0) < told.get("window_frames", 0):
        took.append(("stretch", f"the first {told['stretch']} of {told['window_frames']} frames of each window", whole))
    return took


def _states(runs: Chains) -> None:
    """Of each run a row for the system and one a species: state, probability, and what speaks most for it and against it."""
    from mdtools.reporting.numbers import plain, probable

    body = []
    for run in runs:
        if "detect_melting" not in run.made:
            continue
        data = run.made["detect_melting"]
        for name, verdict, probability, evidence in (_system(data), *(_species(data.sel(species=name)) for name in data.species)):
            likeliest = str(probability[probability.dims[0]].values[probability.values.argmax()])
            word = verdict if verdict == likeliest else f"{verdict} ({likeliest}?)"
            row = [plain(float(data.stated_temperature), 6), name, word, probable(float(probability.max())), *evidence]
            body.append(([run.name] if len(runs) > 1 else []) + row)
    if body:
        header = ["T (K)", "species", "state", "probability", "strongest evidence for", "strongest evidence against"]
        table([*(["run"] if len(runs) > 1 else []), *header], body)
        print()


def _ramp(runs: Chains) -> None:
    """Of each run a row for every part of it, in the order of time, and then the temperatures that are worth holding."""
    from mdtools.reporting.numbers import plain

    several = len(runs) > 1
    for run in (one for one in runs if "detect_ramp" in one.made):
        data = run.made["detect_ramp"]
        names = [str(name) for name in data.species.values]
        body = []
        for part in _each(data, "window"):
            shown = [f"{plain(float(one.window_msd), 3)} {one.ramp_says.item()}" for one in (part.sel(species=name) for name in names)]
            body.append([*([run.name] if several else []), plain(float(part.window), 4), plain(float(part.temperature_by_window), 4), *shown])
        unit = data.window_msd.attrs["units"]
        table([*(["run"] if several else []), "from (ps)", "T (K)", *(f"{name} goes ({unit})" for name in names)], body)
        print("\na ramp lags behind and gets no verdict; worth runs at one temperature:")
        table(["T (K)", "why"], [[plain(float(one.suggested_temperature), 4), one.suggestion_reason.item()] for one in _each(data, "suggestion")])
        print()


def _each(data: Any, dim: str) -> list[Any]:
    return [data.isel({dim: k}) for k in range(data.sizes[dim])]


def _system(data: Any) -> tuple[str, str, Any, tuple[str, str]]:
    from mdtools.reporting.numbers import plain

    odds = data.get("line_log_odds")
    evidence = ("-", "-") if odds is None else _strongest(odds.line.values, odds.values, [f"(log-odds {plain(float(x), 2)})" for x in odds])
    return "system", data.system_verdict.item(), data.system_probability, evidence


def _species(one: Any) -> tuple[str, str, Any, tuple[str, str]]:
    from mdtools.reporting.numbers import plain

    evidence = ("-", "-")
    if "evidence_log_odds" in one:
        values = [(float(x), float(limit)) for x, limit in zip(one.evidence, one.threshold, strict=True)]
        says = [f"{plain(x, 3)} {'<' if x < limit else '>'} {plain(limit, 3)}" for x, limit in values]
        evidence = _strongest(one.indicator.values, one.evidence_log_odds.values, says)
    return one.species.item(), one.verdict.item(), one.probability, evidence


def _strongest(names: Sequence[str], odds: Sequence[float], says: Sequence[str]) -> tuple[str, str]:
    """The first of the lines with the largest log-odds, and of those with the least; a dash where none is above zero, or below."""
    known = [k for k, x in enumerate(odds) if x == x]
    most = max((k for k in known if odds[k] > 0), key=lambda k: odds[k], default=None)
    least = min((k for k in known if odds[k] < 0), key=lambda k: odds[k], default=None)
    shown = ["-" if k is None else f"{names[k]} {says[k]}".replace("_", " ") for k in (most, least)]
    return shown[0], shown[1]


def _diffusivity(runs: Chains) -> None:
    """Of each species of each run a row: regime, D, and what it rests on."""
    from mdtools.reporting.sections import diffusivity

    found = diffusivity(runs)
    if found is not None and found.tables:
        columns = [k for k, name in enumerate(found.tables[0].header) if name not in LEFT_OUT and (name != "run" or len(runs) > 1)]
        header, *rows = ([row[k] for k in columns] for row in (found.tables[0].header, *found.tables[0].rows))
        table(header, rows)
        print()


def _softening(runs: Chains) -> None:
    """Of each mode a row: verdict, probability, T_c by both routes; then the reasons."""
    from mdtools.reporting.mode_sections import softening

    found = softening(runs)
    if found is not None:
        table(found[0].header, found[0].rows)
        print("".join(f"{mode}: {reason}\n" for mode, reason in found[1]))


def _frequencies(runs: Chains) -> None:
    """Of each mode of each run a row: frequency, damping and susceptibility."""
    from mdtools.reporting.mode_sections import frequencies

    found = frequencies(runs)
    if found is not None:
        table(found.header, found.rows)
        print("".join(f"{line}\n" for line in found.notes[1:]))


def _modes(data: Any) -> None:
    """The modes of a run (all of a series have the same), a row each: what --q and --band take, and the frequency of the file."""
    body, imaginary = [], []
    for k in range(data.sizes["mode"]):
        q = ",".join(f"{x:.6g}" for x in data["q_reduced"].values[k])
        frequency, band = float(data["harmonic_frequency"][k]), int(data["band"][k])
        shown = "-" if frequency != frequency else f"{frequency:.4f}"
        if frequency < IMAGINARY:
            shown = f"{-frequency:.4f} imaginary"
            imaginary.append(f"--q {q} --band {band} ({shown})")
        body.append([q, str(band) if band else "pattern", shown.replace("-0.0000", "0.0000"), str(int(data["series"][k]))])
        body[-1].append(f"{float(data['dropped_weight'][k]):.3f}")
    table(["q", "band", "0 K frequency (THz)", "series", "dropped weight"], body)
    if imaginary and len(body) > len(imaginary):
        print("imaginary at 0 K, so that the structure of the file is no minimum there: " + "; ".join(imaginary))


def show_info(traj: Any, **options: Any) -> None:
    """What `info` found, in two tables, or three for a chain of restarts."""
    understood, possible = info(traj, **options)
    table(["what", "understood"], [list(row) for row in understood.items()])
    print()
    if audit := pieces(traj):
        table(list(PIECES.values()), audit)
        print()
    table(["can be made", "", "what is missing, and what gives it"], possible)
