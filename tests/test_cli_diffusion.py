"""Mistakes with diffusion on the command line: one line on stderr, exit code 2."""

import subprocess
import sys

import pytest

from mdtools import synthetic
from mdtools.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_dump):
    """A walk as a dump, its msd and its self-diffusivity."""
    place = tmp_path_factory.mktemp("diffusion")
    walk = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=300, frame_interval=0.05, seed=1)
    dump = str(write_dump(walk, place / "walk.lammpstrj"))
    assert main(["msd", dump, "--reference", "none", "--out", str(place / "msd.nc")]) == 0
    assert main(["self-diffusivity", str(place / "msd.nc"), "--out", str(place / "d.nc")]) == 0
    return place


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("self-diffusivity", "d.nc", "--lag-first", "2"), "its own result"),
        (("self-diffusivity", "msd.nc", "--lag-last", "600"), "no lag of this measurement"),
        (("self-diffusivity", "msd.nc", "--weights", "equal"), "--lag-first 5 --lag-last 50"),
        (("self-diffusivity", "msd.nc", "--weights", "even"), "exact, equal"),
        (("self-diffusivity-tensor", "msd.nc"), "--tensor"),
        (("activation-energy", "d.nc"), "column temperature"),
        (("msd", "walk.lammpstrj", "--reference", "none", "--lags", "1,500"), "lags must lie between"),
        (("msd", "walk.lammpstrj", "--framework", "Xx"), "Xx"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(words, text, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.startswith("mdtools: ")
    assert error.count("\n") == 1


def test_a_reader_that_goes_away_is_no_traceback(folder):
    words = [sys.executable, "-m", "mdtools", "info", str(folder / "d.nc")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=None) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert b"Traceback" not in error
    assert process.returncode == 0
