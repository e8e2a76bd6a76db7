"""What is done with saved results: drawn, exported, compared, cited."""

import json
from pathlib import Path
from typing import Any, Literal

from mdtools import chain
from mdtools.cli.arguments import Refusal, Request
from mdtools.cli.shown import table

__all__ = ["plot", "show_saved"]

FIGURES = (".svg", ".pdf", ".png", ".eps")


def show_saved(request: Request) -> None:
    """Carry out one of the commands that take saved results."""
    missing = [path for path in request.paths if not Path(path).exists()]
    if missing:
        raise Refusal(f"there is no file {missing[0]}")
    {"plot": _plot, "export": _export, "compare": _compare, "cite": _cite}[request.function](request)


def plot(
    source: Any,
    *,
    out: str | None = None,
    result: str | None = None,
    species: str | None = None,
    pair: str | None = None,
    kind: Literal["lines", "map"] | None = None,
) -> Path:
    """A figure of a saved result, as on the page of a report: .svg, .pdf, .png or .eps.

    out : the figure; RESULT.svg if not given.
    result : which one, of files that hold several.
    species, pair : which one, of a result with a figure for each; else all of them side by side.
    kind : lines or map, where a result has both.
    """
    from mdtools.reporting.plotting import plot as drawn

    runs = chain.chains_of(source)
    made: dict[str, list[Any]] = {}
    for run in runs:
        for name, data in run.made.items():
            made.setdefault(name, []).append(data)
    for name, data in runs.made.items():
        made.setdefault(name, []).append(data)
    if result is None and len(made) > 1:
        raise Refusal(f"these files hold {len(made)} results: pass --result, one of {', '.join(made)}")
    name = result.replace("-", "_") if result else next(iter(made))
    if name not in made:
        raise Refusal(f"there is no {name} in these files; they hold {', '.join(made)}")
    path = Path(out or f"{name}.svg")
    if path.suffix.lower() not in FIGURES:
        raise Refusal(f"a figure is written as {', '.join(f'NAME{one}' for one in FIGURES)}, not as {path.name}: pass --out with such a name")
    beside = [one for other, several in made.items() if other != name and len(several) == 1 for one in several]
    several = made[name]
    axes = drawn(several[0] if len(several) == 1 else several, beside=beside, species=species, pair=pair, kind=kind)
    figure = axes.figure if hasattr(axes, "figure") else axes[0].figure
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    figure.savefig(part)
    part.replace(path)
    return path


def _plot(request: Request) -> None:
    print(f"written to {plot(list(request.paths), **request.options)}")


def _export(request: Request) -> None:
    from mdtools.reporting.exporting import export

    for path in export(list(request.paths), **request.options):
        print(f"written to {path}")


def _compare(request: Request) -> None:
    from mdtools.reporting.comparing import compare
    from mdtools.reporting.numbers import plain, with_error

    found = compare(*request.paths)
    body = []
    for k, name in enumerate(map(str, found.check.values)):
        first, second, difference, error, z = (float(found[one][k]) for one in ("first", "second", "difference", "difference_stderr", "z_score"))
        unit = str(found.unit[k].item())
        body.append([name, plain(first), plain(second), with_error(difference, error), "-" if z != z else f"{z:+.1f}", "" if unit == "1" else unit])
    table(["quantity", Path(request.paths[0]).name, Path(request.paths[1]).name, "difference", "z", "unit"], body)
    differ = json.loads(found.attrs["settings_that_differ"])
    print()
    table(["step", "setting that differs", Path(request.paths[0]).name, Path(request.paths[1]).name], differ or [["none", "", "", ""]])
    if "-" in {row[4] for row in body}:
        print("z -: of the same run, or without error bars; such numbers differ by settings, not by chance")


def _cite(request: Request) -> None:
    from mdtools.reporting.citing import cite

    print(cite(list(request.paths)))
