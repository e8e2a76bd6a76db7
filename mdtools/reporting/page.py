"""The report: one self-contained page, and every number beside it."""

import contextlib
from pathlib import Path
from typing import Any

from mdtools import __version__, chain
from mdtools.errors import TrajectoryError
from mdtools.reporting import drawn, melting_sections, mode_sections, sections
from mdtools.reporting.aside import second_process
from mdtools.reporting.closure import closure
from mdtools.reporting.parts import Section

__all__ = ["report"]


def report(source: Any, *, out: str | Path = "report.html", title: str | None = None, everything: bool = True) -> Path:
    """Everything that can be measured, estimated and decided, on one page, with every number beside it.

    source : a Trajectory, a Series, Datasets (a list, or a mapping name -> Dataset), or saved .nc files.
    out : the page; the numbers are beside it in one netCDF file of the same name, in groups run/result.
    title : heading of the page. everything : make all that can be made; else show what was given or asked for by name.

    What cannot be made is listed on the page with the reason. The page is one file that asks for nothing from outside:
    verdict, evidence, diffusion, conductivity, figures, closure (do these numbers agree with each other?), history.
    Both files are written beside their place and renamed. Returns the path of the page.
    Raises TrajectoryError where nothing at all can be shown.

    >>> import tempfile
    >>> from mdtools import msd, synthetic
    >>> walk = synthetic.brownian(n_atoms=16, n_frames=60)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report([msd(walk)], out=f"{folder}/walk.html").name
    'walk.html'
    """
    runs = chain.chains_of(source)
    page = Path(out)
    numbers = page.with_suffix(".nc")
    with second_process(runs, numbers) if everything else contextlib.nullcontext() as second:
        if everything:
            runs.make_all()
        if not any(run.made for run in runs) and not runs.made:
            reasons = [str(reason) for run in runs for reason in run.refused.values()] + [str(reason) for reason in runs.refused.values()]
            raise TrajectoryError(reasons[0] if reasons else "the report needs a trajectory, a series, or saved results; nothing was given")
        figures = None if second is None else second.figures()
        text = _rendered(runs, title or _title(runs), numbers.name, figures)
        with chain.renamed(page) as beside:
            beside.write_text(text, encoding="utf-8")
            if second is None or not second.has_placed():
                chain.save(runs, numbers)
    return page


def _rendered(runs: chain.Chains, title: str, numbers: str, figures: drawn.Drawn | None) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    checks = {run.name: found for run in runs if (found := closure(run.made)) is not None}
    shown: list[Section | None] = [
        sections.verdicts(runs),
        sections.evidence(runs),
        melting_sections.transition(runs),
        sections.diffusivity(runs),
        melting_sections.jumps(runs),
        sections.conductivity(runs),
        sections.quasielastic(runs),
        mode_sections.modes(runs),
        drawn.of_series(runs),
        drawn.of_runs(runs, figures),
        sections.closures(checks),
        sections.not_made(runs),
        sections.histories(runs),
    ]
    where = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=where, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template("page.html")
    return template.render(
        title=title,
        subtitle=_subtitle(runs),
        sections=[section for section in shown if section is not None],
        version=__version__,
        numbers=numbers,
    )


def _title(runs: chain.Chains) -> str:
    names = [run.name for run in runs]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more" if names else "Report"


def _subtitle(runs: chain.Chains) -> str:
    for run in runs:
        for data in (run.made[stage] for stage in chain.STAGES if stage in run.made):
            if "n_ions" in data:
                ions = ", ".join(f"{name} {int(n)}" for name, n in zip(data.species.values, data.n_ions.values, strict=True))
                return f"{len(runs)} run{'s' if len(runs) != 1 else ''} of {ions}"
    return f"{len(runs)} runs"
