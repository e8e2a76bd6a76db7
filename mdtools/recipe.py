"""All of it in one job: a TOML file whose sections are function names, with their options.

[read]                      # or [series] with table = "caf2.csv"
path = "run.lammpstrj.zst"
timestep = "2 fs"
species = { 1 = "Ca", 2 = "F" }

[msd]
windows = 4

[detect_melting]

[slurm]                     # what mdtools slurm takes
time = "02:00:00"
"""

import difflib
import glob
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mdtools import chain, progress
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.signatures import Option, signature
from mdtools.values import checked

__all__ = ["Recipe", "opened", "read_recipe", "written"]

SOURCES = {"read": ("read", "path"), "series": ("read_series", "table")}
FILES = ("log", "topology", "phonopy", "primitive")  # options that name a file
FILES_OR_WORDS = ("sites", "resolution")
OTHERS = {"slurm": "mdtools.sbatch"}  # sections of functions that are no stage


@dataclass(frozen=True)
class Recipe:
    """What a recipe asks for, every word of it checked. row : the row of the table, where it is one run of a series alone."""

    source: str
    paths: tuple[Path, ...]
    reading: Mapping[str, Any]
    stages: Mapping[str, Mapping[str, Any]]
    report: Mapping[str, Any]
    slurm: Mapping[str, Any] = field(default_factory=dict)
    row: Mapping[str, Any] | None = None

    def members(self) -> list[tuple[str, "Recipe"]]:
        """Each run of it alone, with its name. Raises TrajectoryError where the table is not understood."""
        if self.source == "read":
            return [(chain.run_name(str(self.paths[0])), self)]
        from mdtools.readers.series import placed_rows

        return [(chain.run_name(row["name"]), replace(self, row=row)) for row in placed_rows(self.paths[0])]

    def named(self) -> Iterator[Path]:
        """Every file that is named for one run, patterns and folders as they are written."""
        told = {**self.reading, **(self.row or {})}
        values = [self.paths if self.row is None else told.get("path", told.get("paths")), told.get("log"), told.get("topology")]
        for value in values:
            yield from (Path(one) for one in ([value] if isinstance(value, (str, Path)) else value or ()))

    def lost(self) -> list[Path]:
        """The files that are named, and are not there."""
        return [one for one in self.named() if not one.exists() and not glob.glob(str(one))]

    def files(self) -> tuple[Path, ...]:
        """The files that one run is read from; of a store, the one that says what it holds."""
        found: list[Path] = []
        for one in self.named():
            matching = [one] if one.exists() else [Path(match) for match in sorted(glob.glob(str(one)))]
            for path in matching:
                inside = [path / "zarr.json"] if (path / "zarr.json").is_file() else sorted(path.rglob("*")) if path.is_dir() else [path]
                found += [file for file in inside if file.is_file()]
        return tuple(found)


def written(runs: chain.Chains, asked: Recipe, target: Path) -> tuple[Path, dict[str, Exception]]:
    """A .nc for each section and the report, in a folder: the path of the report, and the sections that no run allows."""
    from mdtools.reporting.page import report

    refused: dict[str, Exception] = {}
    for name in asked.stages:
        try:
            chain.save(chain.made_for(runs, name), target / f"{name}.nc")
        except (TrajectoryError, NotEnoughData) as reason:
            refused[name] = reason
    options = {option.name: option.default for option in signature("report").options} | dict(asked.report)
    out = report(runs, **{**options, "out": target / options["out"]})
    files = [f"{name}.nc" for name in asked.stages if name not in refused]
    print(f"written to {target}: {', '.join([*files, out.name])}")
    return out, refused


def read_recipe(path: str | Path) -> Recipe:
    """A recipe, checked: sections, options, values and files. Raises ValueError naming the nearest word that is known."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no recipe {path}")
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as reason:
        raise ValueError(f"{path} is not TOML: {reason}") from None
    known = [*SOURCES, *chain.STAGES, "report", *OTHERS]
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
    reading = _all_beside(path, {name: value for name, value in sections[source].items() if name != SOURCES[source][1]})
    return Recipe(
        source,
        paths,
        _checked(f"{path} [{source}]", reading, SOURCES[source][0]),
        {name: _checked(f"{path} [{name}]", _all_beside(path, sections[name]), name) for name in sections if name in chain.STAGES},
        _checked(f"{path} [report]", sections.get("report", {}), "report"),
        _checked(f"{path} [slurm]", sections.get("slurm", {}), "slurm"),
    )


def opened(asked: Recipe) -> chain.Chains:
    """The runs that a recipe names; what is doubtful about them is said."""
    runs = chain.chains_of(_read(asked))
    print("".join(f"{doubt}\n" for doubt in chain.doubts(runs)), end="", file=sys.stderr)
    return runs


def _read(asked: Recipe) -> Any:
    from mdtools.readers import read, read_series

    with progress.stage("read"):
        if asked.row is not None:
            return read_series([asked.row], **asked.reading)
        if asked.source == "series":
            return read_series(asked.paths[0], **asked.reading)
        return read(asked.paths[0] if len(asked.paths) == 1 else list(asked.paths), **asked.reading)


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


def _all_beside(recipe: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _beside(recipe, name, value) for name, value in options.items()}


def _beside(recipe: Path, name: str, value: Any) -> Any:
    """A file that is named beside the run, meant from the folder of the recipe; of options that take words too, where there is such a file."""
    either = name in FILES_OR_WORDS and isinstance(value, str) and (recipe.parent / value).is_file()
    if name not in FILES and not either:
        return value
    if isinstance(value, list):
        return [_beside(recipe, name, one) for one in value]
    return str(recipe.parent / value) if isinstance(value, str) else value


def _checked(where: str, options: Mapping[str, Any], function: str) -> dict[str, Any]:
    known: dict[str, Option] = {option.name: option for option in signature(function, OTHERS.get(function)).options}
    if function == "read_series":  # what holds for every member
        known = {option.name: option for option in signature("read").options} | known
    for name in options:
        if name not in known:
            raise ValueError(f"{where}: there is no option {name}{_nearest(name, known)}")
    return {name: checked(value, known[name], where=where) for name, value in options.items()}


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
