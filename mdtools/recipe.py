"""All of it in one job: a TOML file whose sections are function names, with their options.

[read]                      # or [series] with table = "caf2.csv"
path = "run.lammpstrj.zst"
timestep = "2 fs"
species = { 1 = "Ca", 2 = "F" }

[msd]
windows = 4

[detect_melting]
"""

import difflib
import glob
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdtools import chain, progress
from mdtools.signatures import Option, signature
from mdtools.values import checked

__all__ = ["Recipe", "read_recipe", "run"]

SOURCES = {"read": ("read", "path"), "series": ("read_series", "table")}


@dataclass(frozen=True)
class Recipe:
    """What a recipe asks for, every word of it checked."""

    source: str
    paths: tuple[Path, ...]
    reading: Mapping[str, Any]
    stages: Mapping[str, Mapping[str, Any]]
    report: Mapping[str, Any]


def run(recipe: str | Path, *, folder: str | None = None) -> Path:
    """Everything a recipe asks for, in one job: a .nc for each section, and the report.

    folder : where the results are written; the folder of the recipe if not given.

    Everything is checked before anything starts. Paths in a recipe are meant from its own folder. Returns the path of
    the report. Raises ValueError for a word that is not understood, and what the functions raise.
    """
    from mdtools.reporting.page import report

    asked = read_recipe(recipe)
    target = Path(recipe).parent if folder is None else Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with progress.bar():
        runs = _opened(asked)
        runs.set_options(asked.stages)
        for name in asked.stages:
            chain.save(chain.made_for(runs, name), target / f"{name}.nc")
        named = {option.name: option.default for option in signature("report").options} | dict(asked.report)
        out = report(runs, **{**named, "out": target / named["out"]})
    print(f"written to {target}: {', '.join(f'{name}.nc' for name in asked.stages)}{', ' if asked.stages else ''}{out.name}")
    return out


def read_recipe(path: str | Path) -> Recipe:
    """A recipe, checked: sections, options, values and files. Raises ValueError naming the nearest word that is known."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no recipe {path}")
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as reason:
        raise ValueError(f"{path} is not TOML: {reason}") from None
    known = [*SOURCES, *chain.STAGES, "report"]
    for name, options in sections.items():
        if name not in known:
            raise ValueError(f"{path}: there is no section [{name}]{_nearest(name, known)}")
        if not isinstance(options, dict):
            raise ValueError(f"{path}: {name} is not a section; write [{name}] on a line of its own")
    given = [name for name in SOURCES if name in sections]
    if len(given) != 1:
        raise ValueError(f"{path} needs one of [read] with path = ... and [series] with table = ...; it has {' and '.join(given) or 'neither'}")
    source = given[0]
    paths = _paths(path, source, dict(sections[source]))
    reading = {name: _beside(path, name, value) for name, value in sections[source].items() if name != SOURCES[source][1]}
    return Recipe(
        source,
        paths,
        _checked(f"{path} [{source}]", reading, SOURCES[source][0]),
        {name: _checked(f"{path} [{name}]", sections[name], name) for name in sections if name in chain.STAGES},
        _checked(f"{path} [report]", sections.get("report", {}), "report"),
    )


def _opened(asked: Recipe) -> chain.Chains:
    from mdtools.readers import read, read_series

    with progress.stage("read"):
        if asked.source == "series":
            return chain.chains_of(read_series(asked.paths[0], **asked.reading))
        return chain.chains_of(read(asked.paths[0] if len(asked.paths) == 1 else list(asked.paths), **asked.reading))


def _paths(recipe: Path, source: str, section: dict[str, Any]) -> tuple[Path, ...]:
    key = SOURCES[source][1]
    value = section.get(key)
    values = [value] if isinstance(value, str) else value
    if not values or not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ValueError(f'{recipe} [{source}] needs {key} = "..."')
    paths = tuple(recipe.parent / one for one in values)
    for one in paths:
        if not one.exists() and not glob.glob(str(one)):
            raise ValueError(f"{recipe} [{source}]: there is no file {one}")
    return paths


def _beside(recipe: Path, name: str, value: Any) -> Any:
    """A file that is named beside the run, meant from the folder of the recipe."""
    if name not in ("log", "topology"):
        return value
    if isinstance(value, list):
        return [_beside(recipe, name, one) for one in value]
    return str(recipe.parent / value) if isinstance(value, str) else value


def _checked(where: str, options: Mapping[str, Any], function: str) -> dict[str, Any]:
    known: dict[str, Option] = {option.name: option for option in signature(function).options}
    if function == "read_series":  # what holds for every member
        known = {option.name: option for option in signature("read").options} | known
    for name in options:
        if name not in known:
            raise ValueError(f"{where}: there is no option {name}{_nearest(name, known)}")
    return {name: checked(value, known[name], where=where) for name, value in options.items()}


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
