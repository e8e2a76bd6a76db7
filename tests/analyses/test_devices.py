"""The same numbers on one device and on four, whatever is visited: atoms, frames, origins, wave vectors."""

import contextlib
import json
import os
import subprocess
import sys
import threading

import jax
import numpy as np
import pytest
from accelerator import Accelerator

import mdtools as md
from mdtools import memory, shares, synthetic
from mdtools.analyses import devices
from mdtools.analyses.turning import Rooms, turned

MEASURED = """
import json, sys
import jax, numpy as np
import mdtools as md
from mdtools import synthetic
from mdtools.analyses import devices
gas = synthetic.ornstein_uhlenbeck(n_atoms=18, n_frames=64, frame_interval=0.05, seed=4)
results = [
    md.msd(gas),
    md.phonon_dos(gas.replace(step={"step": "stated"}, temperature=1000.0)),
    md.van_hove_distinct(gas, windows=1),
    md.intermediate_scattering(gas, q_max=1.0),
    md.charge_current_acf(gas),
]
named = {f"{k} {name}": one.values for k, data in enumerate(results) for name, one in data.data_vars.items() if one.dtype.kind in "fi"}
np.savez(sys.argv[1], **named)
print(json.dumps({"devices": len(set(devices.places())), "there": jax.local_device_count()}))
"""


def measured(path, n_devices: int) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    settings = os.environ | {
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={n_devices}",
        "JAX_PLATFORMS": "cpu",
    }
    answer = subprocess.run([sys.executable, "-c", MEASURED, str(path)], env=settings, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    with np.load(path) as kept:
        return {name: kept[name] for name in kept.files}, json.loads(answer.stdout.splitlines()[-1])


def test_one_two_and_four_devices_measure_the_same(tmp_path):
    one, said = measured(tmp_path / "1.npz", 1)
    assert said == {"devices": 1, "there": 1}
    for n in (2, 4):
        several, said = measured(tmp_path / f"{n}.npz", n)
        assert said == {"devices": n, "there": n}
        assert len(several) > 15
        for name, found in several.items():
            values = one[name]
            scale = np.nanmax(np.abs(values), initial=0.0)
            np.testing.assert_allclose(found, values, rtol=1e-10, atol=1e-12 * scale, err_msg=name)


def test_a_block_takes_a_quarter_of_what_an_accelerator_has_free(monkeypatch):
    with memory.limited("8 GiB"):
        assert devices.block_bytes() == 2**30
        for free, taken in ((2**34, 2**30), (2**31 + 5, 2**29), (2**31 - 5, 2**28), (0, 2**18)):
            monkeypatch.setattr(devices, "places", lambda *, each_core=True, free=free: [Accelerator(2**34), Accelerator(free)])
            assert devices.block_bytes() == taken


def test_an_accelerator_is_sent_a_piece_while_another_is_computed(monkeypatch):
    monkeypatch.setattr(devices, "places", lambda *, each_core=True: [Accelerator(2**30)])
    monkeypatch.setattr(devices.jax, "default_device", lambda place: contextlib.nullcontext())
    together = threading.Barrier(2, timeout=20)  # passed by two at once, or broken

    def work(item: int) -> int:
        together.wait()
        return 10 * item

    assert list(devices.in_turn(range(6), work)) == [(k, 10 * k) for k in range(6)]


class Late:
    """What an asynchronous device gives back: what was sent is read when somebody waits for the result, and not before."""

    def __init__(self, sent: np.ndarray) -> None:
        self.sent, self.value = sent, np.nan

    def block_until_ready(self) -> "Late":
        if np.isnan(self.value):
            self.value = float(self.sent[0])
        return self


@pytest.mark.parametrize("there", [["core"], ["core"] * 3, ["accelerator"], ["accelerator"] * 2], ids=lambda there: f"{len(there)} {there[0]}")
def test_no_room_is_filled_again_before_what_was_in_it_is_consumed(there, monkeypatch):
    """Pieces are turned in the room of a thread, which a device reads in its own time: from it, or while it is sent."""
    accelerators = {"core": jax.devices("cpu")[0], "accelerator": Accelerator(2**30)}
    monkeypatch.setattr(devices, "places", lambda *, each_core=True: [accelerators[one] for one in there])
    monkeypatch.setattr(devices.jax, "default_device", lambda place: contextlib.nullcontext())
    rooms = Rooms()

    def work(item: int) -> list[Late]:
        return [Late(turned(np.full((70, 2, 3), float(item)), rooms)[0, 0])]

    made = list(devices.in_turn(range(40), work))
    assert [found[0].block_until_ready().value for _, found in made] == list(range(40))


def test_no_more_pieces_wait_than_two_a_place_and_one(monkeypatch):
    monkeypatch.setattr(devices, "places", lambda *, each_core=True: [Accelerator(2**30)])
    monkeypatch.setattr(devices.jax, "default_device", lambda place: contextlib.nullcontext())
    given: list[int] = []

    def items():
        for k in range(20):
            given.append(k)
            yield k

    for item, _ in devices.in_turn(items(), lambda item: item):
        assert len(given) - item <= 3


def test_shares_cover_everything_once(monkeypatch):
    for n_processes in (1, 2, 3, 7):
        for n in (0, 1, 5, 7, 20):
            parts = []
            for k in range(n_processes):
                monkeypatch.setattr(shares, "_of_all", [k, n_processes])
                parts += list(range(*shares.mine(n)))
            assert parts == list(range(n))


@pytest.fixture
def several(monkeypatch):
    """Runs a measurement as each of n processes in turn, which is as many processes whose sums are put together afterwards."""

    def run(measure, n: int):
        sums: list[list[np.ndarray]] = []

        def noted(values):
            sums[-1].append(np.array(values))
            return values

        monkeypatch.setattr(shares, "summed", noted)
        for k in range(n):
            monkeypatch.setattr(shares, "_of_all", [k, n])
            sums.append([])
            measure()
        return [np.sum(parts, axis=0) for parts in zip(*sums, strict=True)]

    return run


@pytest.mark.parametrize("n", [2, 3, 19])
def test_what_processes_sum_is_what_one_process_finds(several, n, monkeypatch):
    gas = synthetic.ornstein_uhlenbeck(n_atoms=18, n_frames=64, frame_interval=0.05, seed=4)
    options = {"reference": "none"}  # so that every sum of the visits is one of what was measured
    measures = {
        "msd": lambda: md.msd(gas, **options),
        "van_hove_distinct": lambda: md.van_hove_distinct(gas, windows=1, **options),
        "velocity_acf": lambda: md.velocity_acf(gas, **options),
        "intermediate_scattering": lambda: md.intermediate_scattering(gas, q_max=1.0, **options),
    }
    for name, measure in measures.items():
        whole = several(measure, 1)
        for part, expected in zip(several(measure, n), whole, strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-10, atol=1e-12 * np.nanmax(np.abs(expected), initial=0.0), err_msg=name)


def test_blocks_are_split_so_that_every_process_and_device_has_one(monkeypatch):
    monkeypatch.setattr(devices, "places", lambda **_: ["a", "b"])
    monkeypatch.setattr(shares, "_of_all", [0, 2])
    assert devices.split(100, 10) == 3
    assert devices.split(2, 10) == 2
