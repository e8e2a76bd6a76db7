"""A second process draws and writes what the first measures: the same page and the same file as without it, and nothing depends on it."""

import base64
import functools
import re
import subprocess
import sys
import textwrap

import pytest

import mdtools as md
from mdtools import chain, memory, synthetic
from mdtools.errors import TrajectoryError
from mdtools.reporting import aside, drawn

ONLY = ("msd", "van_hove_self", "self_diffusivity", "velocity_acf")


@pytest.fixture(autouse=True)
def _worth(monkeypatch):
    monkeypatch.setattr(memory, "cores", lambda: 2)
    monkeypatch.setattr(aside, "WORTH", 1)
    monkeypatch.setattr(chain.Chain, "make_all", functools.partialmethod(chain.Chain.make_all, only=ONLY))


@pytest.fixture(scope="module")
def gas():
    return synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=120, frame_interval=0.05, seed=1)


def contents(path):
    return {(name, chain.stage_of(data)): data for name, data in chain.load(path)}


def figures(page):
    return [base64.b64decode(one) for one in re.findall(r'data:image/svg\+xml;base64,([^"]+)', page.read_text())]


def test_page_and_file_are_those_of_one_process(gas, tmp_path, monkeypatch):
    """Of two runs, of which one has a result already, and which keep what is made elsewhere too."""
    kept = []

    def runs():
        members = [chain.Chain(name=f"{one}/gas", traj=gas, keep=lambda name, data: kept.append(name)) for one in "ab"]
        members[1].make("msd")
        return chain.Chains(members=members)

    drawn_here = []
    monkeypatch.setattr(drawn, "drawn_of", lambda one, real=drawn.drawn_of: drawn_here.append(one.key) or real(one))
    beside = md.report(runs(), out=tmp_path / "beside.html", title="gas")
    made_beside, kept[:] = sorted(kept), []
    assert not drawn_here
    monkeypatch.setattr(memory, "cores", lambda: 1)
    alone = md.report(runs(), out=tmp_path / "alone.html", title="gas")
    assert made_beside == sorted(kept)
    assert len(drawn_here) == 12  # the figures of both runs; those over temperature are of the first process in either case
    assert beside.read_text().replace("beside.nc", "alone.nc") == alone.read_text()
    one, other = contents(tmp_path / "beside.nc"), contents(tmp_path / "alone.nc")
    assert set(one) == set(other)
    assert all(one[key].identical(other[key]) for key in one)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.{end}" for name in ("beside", "alone") for end in ("html", "nc")}


@pytest.mark.parametrize("how", ["does not start", "ends early"])
def test_what_it_could_not_do_is_done_here(gas, tmp_path, monkeypatch, how):
    code = {"does not start": "import nothing_of_this_name", "ends early": "import sys, pickle; pickle.load(sys.stdin.buffer)"}[how]
    real = subprocess.Popen
    quiet = {"stderr": subprocess.DEVNULL}
    monkeypatch.setattr(aside.subprocess, "Popen", lambda words, **more: real([sys.executable, "-c", code], **more, **quiet))
    page = md.report(gas, out=tmp_path / "gas.html")
    assert len(figures(page)) >= 5
    assert {stage for _, stage in contents(tmp_path / "gas.nc")} == set(ONLY)


def test_where_nothing_can_be_made_or_measuring_fails_nothing_is_left(gas, tmp_path, monkeypatch):
    monkeypatch.setattr(chain, "_function", lambda name: wrong)
    for reason in (TrajectoryError("no"), KeyError("wrong")):

        def wrong(*given, reason=reason, **options):
            raise reason

        with pytest.raises(type(reason), match=reason.args[0]):
            md.report(gas, out=tmp_path / "gas.html")
    assert not list(tmp_path.iterdir())


def test_it_speaks_to_nobody_and_needs_no_jax():
    """Whatever is printed in it must not come between the figures."""
    code = textwrap.dedent("""
        import sys
        sys.modules["jax"] = None
        from mdtools.reporting import aside
        real = aside._made
        def talking(told):
            print("something", flush=True)
            return real(told)
        aside._made = talking
        aside.serve()
    """)
    told = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=False)
    assert told.returncode == 1
    assert told.stdout == b""
    assert told.stderr.strip() == b"something"


def test_small_runs_and_saved_results_start_no_process(gas, tmp_path, monkeypatch):
    monkeypatch.setattr(aside, "WORTH", gas.n_frames * gas.n_atoms + 1)
    monkeypatch.setattr(aside.subprocess, "Popen", lambda *words, **more: pytest.fail("a process was started"))
    with aside.aside(chain.chains_of(gas), tmp_path / "gas.nc") as finished:
        assert finished() is None
    monkeypatch.setattr(aside, "WORTH", 1)
    with aside.aside(chain.chains_of([md.msd(gas)]), tmp_path / "gas.nc") as finished:
        assert finished() is None
