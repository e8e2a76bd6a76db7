"""Results on a terminal: short tables with value and error, in colour only where somebody looks."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mdtools.chain import Chains
from mdtools.cli.info import PIECES, info, pieces

__all__ = ["show_info", "show_results", "table"]


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
    body = []
    for run, made in [*((member.name, member.made) for member in runs), ("all runs", runs.made)]:
        for stage in stages:
            if stage in made:
                listed = rows(made[stage]) + outline(made[stage])
                body += [([run] if several else []) + [row.quantity, row.of, row.value, row.unit if row.unit != "1" else ""] for row in listed]
    table([*(["run"] if several else []), "quantity", "of", "value", "unit"], body)
    for made in [member.made for member in runs]:
        for stage in stages:
            if stage in made and "harmonic_frequency" in made[stage]:
                table(*_modes(made[stage]))
    for what, reason in (refused or {}).items():
        print(f"not made: {what}: {reason}")


def _modes(data: Any) -> tuple[list[str], list[list[str]]]:
    """The modes of a result, a row each: what --q and --band take, and the frequency of the file."""
    body = []
    for k in range(data.sizes["mode"]):
        q = ",".join(f"{x:.6g}" for x in data["q_reduced"].values[k])
        frequency, band = float(data["harmonic_frequency"][k]), int(data["band"][k])
        shown = "-" if frequency != frequency else f"{frequency:.4f}" + (" imaginary" if frequency < -0.01 else "")
        body.append([q, str(band) if band else "pattern", shown, str(int(data["series"][k])), f"{float(data['dropped_weight'][k]):.3f}"])
    return ["q", "band", "0 K frequency (THz)", "series", "dropped weight"], body


def show_info(traj: Any, **options: Any) -> None:
    """What `info` found, in two tables, or three for a chain of restarts."""
    understood, possible = info(traj, **options)
    table(["what", "understood"], [list(row) for row in understood.items()])
    print()
    if audit := pieces(traj):
        table(list(PIECES.values()), audit)
        print()
    table(["can be made", "", "what is missing, and what gives it"], possible)
