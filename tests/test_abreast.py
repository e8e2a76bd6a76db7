"""Two calls at a time, each as it would be made alone; and what two of them want is made once."""

import threading
import time

import jax
import pytest

from mdtools import abreast, memory, once, progress, shares, synthetic
from mdtools.chain import Chain


@pytest.fixture(autouse=True)
def _cores(monkeypatch):
    monkeypatch.setattr(memory, "cores", lambda: 4)


def test_two_are_made_at_a_time_and_no_more():
    together, most = [], []
    pair = threading.Barrier(2, timeout=20)  # passed by two at once, or broken

    def call():
        together.append(1)
        most.append(len(together))
        pair.wait()
        together.pop()

    abreast.all_of([call] * 6)
    assert len(most) == 6
    assert max(most) == 2


def test_each_has_the_settings_of_the_thread_that_asked():
    seen, said = [], []
    device = jax.devices("cpu")[0]

    def call():
        progress.advance(1, 2, "atoms")
        seen.append((memory.limit(), jax.config.jax_default_device))

    with memory.limited("300 MB"), jax.default_device(device), progress.listening(lambda *what: said.append(what)), progress.stage("msd"):
        abreast.all_of([call, call])
    assert seen == [(300_000_000, device)] * 2
    assert said == [("msd", 1, 2, "atoms", 0)] * 2


@pytest.mark.parametrize("first", [True, False])
def test_what_goes_wrong_is_raised_and_nothing_else_is_begun_or_goes_on(first):
    begun, steps = threading.Event(), []

    def wrong():
        begun.wait(20)
        raise KeyError("wrong")

    def long():
        begun.set()
        for step in range(2000):
            steps.append(step)
            progress.advance(step, 2000, "atoms")
            time.sleep(0.01)

    with pytest.raises(KeyError, match="wrong"):
        abreast.all_of([wrong, long, lambda: steps.append(-1)] if first else [long, wrong, lambda: steps.append(-1)])
    assert len(steps) < 1000
    assert -1 not in steps


def test_the_cause_is_raised_and_not_that_another_was_stopped_for_it():
    def wrong():
        raise KeyError("wrong")

    def ticking():
        for step in range(200):
            progress.advance(step, 200, "atoms")

    for _ in range(50):
        with pytest.raises(KeyError, match="wrong"):
            abreast.all_of([ticking, ticking, wrong, ticking])


@pytest.mark.parametrize("alone", ["a core", "processes"])
def test_one_after_the_other_where_there_is_one_core_or_several_processes(monkeypatch, alone):
    monkeypatch.setattr(memory, "cores", lambda: 1 if alone == "a core" else 4)
    monkeypatch.setattr(shares, "_of_all", [0, 1 if alone == "a core" else 2])
    threads = []
    abreast.all_of([lambda: threads.append(threading.current_thread())] * 3)
    assert threads == [threading.main_thread()] * 3


def test_what_two_threads_want_is_made_once():
    made = []

    def make():
        time.sleep(0.05)
        made.append(1)
        return len(made)

    found = []
    with once.kept():
        abreast.all_of([lambda: found.append(once.made("key", make))] * 4)
    assert found == [1] * 4


def test_a_run_makes_every_result_once_and_in_the_order_of_the_stages(monkeypatch):
    gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=200, seed=1)
    only = ("msd", "charge_displacement_msd", "velocity_acf", "self_diffusivity", "self_diffusivity_tensor", "haven_ratio")
    kept = []
    side_by_side = Chain(traj=gas, keep=lambda name, data: kept.append(name))
    side_by_side.make_all(only=only)
    assert len(kept) == len(set(kept))
    monkeypatch.setattr(memory, "cores", lambda: 1)
    one = Chain(traj=gas)
    one.make_all(only=only)
    order = [name for name in only if name in one.made]
    assert [name for name in side_by_side.made if name in only] == order
    assert set(side_by_side.made) == set(one.made)
    assert {name: str(reason) for name, reason in side_by_side.refused.items()} == {name: str(reason) for name, reason in one.refused.items()}
    for name, data in one.made.items():
        assert data.identical(side_by_side.made[name]), name
