"""Every public name exists, is documented with an example, and README knows it."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import mdtools
from mdtools.catalogue import ANALYSES, DECISIONS, ESTIMATES, PUBLIC, SHOWING, WRITING
from mdtools.cli.arguments import COMMANDS

README = (Path(__file__).parents[1] / "README.md").read_text()
STAGES = {**ANALYSES, **ESTIMATES, **DECISIONS}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_there_and_is_where_the_catalogue_says(name):
    thing = getattr(mdtools, name)
    assert thing is getattr(importlib.import_module(PUBLIC[name]), name)
    assert inspect.getdoc(thing)
    assert name in dir(mdtools)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_readme_names_it(name):
    assert f"`{name}`" in README or f"md.{name}" in README, f"README does not mention {name}"


def test_the_table_of_readme_has_every_function_and_no_other():
    table = README.partition("## What it answers")[2].partition("Also public:")[0]
    assert set(re.findall(r"`md\.(\w+)", table)) == {*STAGES, *SHOWING, *WRITING}


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_stage_shows_a_runnable_example_and_is_listed_by_its_module(name):
    module = importlib.import_module(STAGES[name])
    assert ">>>" in inspect.getdoc(getattr(module, name))
    assert name in module.__all__


@pytest.mark.parametrize("name", sorted(STAGES))
def test_options_are_keyword_only_so_that_the_command_line_can_be_made_from_them(name):
    for parameter in inspect.signature(getattr(mdtools, name)).parameters.values():
        assert parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name not in ANALYSES:
            assert parameter.name in STAGES, f"{name} takes {parameter.name}, which nothing makes"


def test_every_public_function_is_a_command_but_for_those_that_only_python_needs():
    only_python = {"read", "read_series", "Trajectory", "Series", "history", "write_density", "TrajectoryError", "NotEnoughData"}
    own = {"info", "convert", "run", "slurm"}  # commands that are no public function
    functions = [function for _, function in COMMANDS.values()]
    assert {*functions} - own == {*PUBLIC} - only_python
    assert len(functions) == len({*functions})


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match="public names are"):
        _ = mdtools.mean_square_distance
