"""What the scripts that measure hand on and write down."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def loaded(monkeypatch):
    """The names of a script, which is not run."""

    def of(name: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "path", ["what the script takes away", *sys.path])
        return runpy.run_path(str(SCRIPTS / name))["main"].__globals__

    return of


def test_growth_lets_its_processes_take_as_much_as_it_was_told(loaded, monkeypatch, capsys):
    given = []

    def run(words, **_):
        given.append(words)
        return subprocess.CompletedProcess(words, 0, stdout=json.dumps({"seconds": [1.0, 2.0, 4.0], "peak_MB": [1.0, 1.0, 1.0]}))

    names = loaded("growth.py")
    monkeypatch.setattr(names["subprocess"], "run", run)
    monkeypatch.setattr(sys, "argv", ["growth.py", "msd", "--memory", "300MB", "--json"])
    names["main"]()
    assert [words[words.index("--memory") + 1] for words in given] == ["300MB", "300MB"]
    assert [json.loads(line)["slope"] for line in capsys.readouterr().out.splitlines()] == pytest.approx([1.0, 1.0])


def test_rows_of_a_benchmark_keep_their_names_and_growth_runs_where_it_is_named(loaded, monkeypatch, tmp_path):
    names = loaded("benchmark.py")
    more = {"case": "msd", "unit": "furlong", "slope": 1.0}
    cases = {
        "read": lambda repeats: iter([("a file", "mdtools", 1.0, "s")]),
        "growth": lambda repeats: iter([(f"growth of msd with {of}", "slope of time", 1.0, "power", more) for of in ("atoms", "frames")]),
    }
    for name, value in {"CASES": cases, "copied": lambda: 1e9, "multiplied": lambda: 1e9}.items():
        monkeypatch.setitem(names, name, value)

    def rows(*words: str) -> list[dict[str, Any]]:
        monkeypatch.setattr(sys, "argv", ["benchmark.py", *words, "--json", str(tmp_path / "found.json")])
        names["main"]()
        return json.loads((tmp_path / "found.json").read_text())["rows"]

    assert [row["case"] for row in rows()] == ["a file"]
    named = rows("growth")
    assert [row["case"] for row in named] == ["growth of msd with atoms", "growth of msd with frames"]
    assert [(row["unit"], row["slope"]) for row in named] == [("power", 1.0)] * 2
