"""A second process draws and writes what the first measures: the same page and the same file as without it, and nothing depends on it."""

import base64
import functools
import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import matplotlib as mpl
import pytest

import mdtools as md
from mdtools import chain, memory, synthetic
from mdtools.errors import TrajectoryError
from mdtools.reporting import aside, drawn, serving

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
    """Of two runs, of which one has a result already, which keep what is made elsewhere too, in a colour that was set here."""
    monkeypatch.setitem(mpl.rcParams, "text.color", "#123456")
    kept = []

    def runs():
        members = [chain.Chain(name=one, traj=gas, keep=lambda name, data: kept.append(name)) for one in ("a/gas", "a_gas")]
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
    assert {name for name, _ in one} == {"a_gas 1", "a_gas 2"}
    assert any(b"#123456" in figure for figure in figures(tmp_path / "beside.html"))
    assert all(one[key].identical(other[key]) for key in one)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.{end}" for name in ("beside", "alone") for end in ("html", "nc")}


@pytest.mark.parametrize("how", ["does not start", "ends early", "something is printed before"])
def test_what_it_could_not_do_is_done_here(gas, tmp_path, monkeypatch, how):
    code = {
        "does not start": lambda own: "import nothing_of_this_name",
        "ends early": lambda own: "import sys; sys.stdin.buffer.read(1000)",
        "something is printed before": lambda own: f"print('B, the start of a pickle', flush=True); {own}",
    }[how]
    real = subprocess.Popen
    quiet = {"stderr": subprocess.DEVNULL}
    monkeypatch.setattr(aside.subprocess, "Popen", lambda words, **more: real([sys.executable, "-c", code(words[-1])], **more, **quiet))
    page = md.report(gas, out=tmp_path / "gas.html")
    assert len(figures(page)) >= 5
    assert {stage for _, stage in contents(tmp_path / "gas.nc")} == set(ONLY)
    assert {path.name for path in tmp_path.iterdir()} == {"gas.html", "gas.nc"}


def test_no_interpreter_and_what_cannot_be_told_fail_nothing(gas, tmp_path, monkeypatch):
    runs, kept = chain.chains_of(gas), []
    runs.members[0].keep = lambda stage, data: kept.append(stage)
    with aside.second_process(runs, tmp_path / "gas.nc") as second:
        runs.members[0].keep("msd", lambda: "of this no pickle is made")
        runs.members[0].keep("velocity_acf", None)
        assert second.figures() is None
        assert not second.has_placed()
    monkeypatch.setattr(sys, "executable", None)
    with aside.second_process(runs, tmp_path / "gas.nc") as second:
        assert second is None
    assert kept == ["msd", "velocity_acf"]
    assert not list(tmp_path.iterdir())


def test_the_file_takes_its_place_at_a_word_and_nothing_is_left_without(gas, tmp_path):
    """A signal to all processes of a job leaves it to the first one, when both end; killed, it leaves nothing either."""
    runs, path = chain.Chains(members=[chain.Chain(name="gas", traj=gas, made={"msd": md.msd(gas)})]), tmp_path / "gas.nc"
    for how in ("placed", "left", "killed"):
        path.unlink(missing_ok=True)
        with aside.second_process(runs, path) as second:
            part = chain.part_of(path, second._process.pid)
            assert {key[1] for key in second.figures()} == {"msd"}
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(second._process.pid, number)
            if how == "killed":
                second._process.kill()
                second._process.wait()
            assert list(tmp_path.iterdir()) == [part]
            assert second.has_placed() if how == "placed" else how == "left" or not second.has_placed()
            start = time.monotonic()
        assert time.monotonic() - start < aside.PATIENCE / 2
        assert list(tmp_path.iterdir()) == ([path] if how == "placed" else [])


class Unwanted:
    """A result that nobody waits for."""

    def dump_to_store(self, store):
        pytest.fail("written for nobody")


def test_it_stops_at_once_where_the_first_has_gone(tmp_path):
    """Whatever was told before."""
    said = io.BytesIO()
    for what in ((tmp_path / "gas.nc", {}), ("gas/msd", 0, "msd", Unwanted()), serving.DONE):
        serving.sent(said, what)
    told = serving._Told(io.BytesIO(said.getvalue()))
    assert told._gone.wait(10)
    with pytest.raises(EOFError):
        serving._made(told, io.BytesIO())
    assert not list(tmp_path.iterdir())


def test_results_of_which_all_is_drawn_are_let_go(gas):
    runs = chain.Chain(traj=gas)
    seen = serving._Pictures()
    seen.add(0, "velocity_acf", runs.make("velocity_acf"))
    seen.add(0, "msd", runs.make("msd"))
    while seen.draw_one():
        pass
    before = set(seen._made[0])
    seen.add(0, "self_diffusivity", runs.make("self_diffusivity"))
    while seen.draw_one():
        pass
    assert before == {"msd"}  # self_diffusivity is drawn with it
    assert set(seen.drawn) == {one.key for one in drawn.pictured(runs.made, 0)}
    assert "msd" not in seen._made[0]


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
        from mdtools.reporting import serving
        real = serving._made
        def talking(*given):
            print("something", flush=True)
            return real(*given)
        serving._made = talking
        serving.serve()
    """)
    told = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=False)
    assert told.returncode == 1
    assert told.stdout == b""
    assert told.stderr.strip() == b"something"


def test_small_runs_and_saved_results_start_no_process(gas, tmp_path, monkeypatch):
    monkeypatch.setattr(aside, "WORTH", gas.n_frames * gas.n_atoms + 1)
    monkeypatch.setattr(aside.subprocess, "Popen", lambda *words, **more: pytest.fail("a process was started"))
    with aside.second_process(chain.chains_of(gas), tmp_path / "gas.nc") as second:
        assert second is None
    monkeypatch.setattr(aside, "WORTH", 1)
    with aside.second_process(chain.chains_of([md.msd(gas)]), tmp_path / "gas.nc") as second:
        assert second is None
