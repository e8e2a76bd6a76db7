"""How a run is cut into blocks of atoms, and how the atoms of a tile are picked."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from mdtools import shares, synthetic
from mdtools.analyses import over_tiles
from mdtools.analyses.turning import Rooms, contiguous
from mdtools.lazy import Lazy


class OnDisk:
    """An array in chunks that hold so many atoms each."""

    def __init__(self, values, together):
        self.values, self.shape, self.chunks, self.dtype = values, values.shape, (len(values), together, 3), values.dtype

    def __getitem__(self, key):
        return self.values[key]


def block(monkeypatch, n_atoms, together, *, room, processes=1):
    """Atoms in a block where memory takes so many of them."""
    run = synthetic.brownian(n_atoms=n_atoms, n_frames=4)
    monkeypatch.setattr(shares, "_of_all", [0, processes])
    monkeypatch.setattr(over_tiles, "block_bytes", lambda: room * 2 * 3 * run.scaled_positions.itemsize * 4)
    stored = dataclasses.replace(run, scaled_positions=Lazy(OnDisk(run.scaled_positions, together)))
    return over_tiles._block_of_atoms(stored, "positions", 4, 0, picked=False)


@pytest.mark.parametrize(
    ("n_atoms", "together", "room", "processes", "expected"),
    [
        (1000, 334, 10**6, 1, 1000),  # memory takes all of it
        (5000, 334, 10**6, 1, 5000),
        (1000, 334, 1000, 1, 1000),
        (1000, 334, 10**6, 2, 500),  # the share of a process
        (1000, 334, 999, 1, 500),  # two blocks of whole chunks would be 1336 atoms
        (1000, 334, 400, 1, 334),  # three of them, of 1002
        (1000, 334, 100, 1, 100),
        (1000, 100, 450, 1, 334),  # three of 400 would be a fifth more
        (1000, 4, 450, 1, 336),
        (1000, 10, 450, 3, 340),
        (10000, 27, 55, 1, 54),  # whole chunks in 186 blocks rather than 182
        (1000, 16, 120, 2, 100),  # five a process; of 112 atoms there would be nine
    ],
)
def test_as_few_equal_blocks_as_memory_takes_and_as_many_for_each_process(monkeypatch, n_atoms, together, room, processes, expected):
    found = block(monkeypatch, n_atoms, together, room=room, processes=processes)
    n_blocks = -(-n_atoms // found)
    assert found == expected
    assert n_blocks % processes == 0
    assert found <= room
    assert found * n_blocks <= n_atoms * 17 / 16


def test_what_is_one_block_is_read_at_once_whatever_lies_together(monkeypatch):
    run = synthetic.brownian(n_atoms=10, n_frames=23)
    read, whole = [], Lazy.turn
    monkeypatch.setattr(Lazy, "turn", lambda self, out, atoms, frames=None: read.append((atoms.start, atoms.stop)) or whole(self, out, atoms, frames))
    ((atoms, values),) = dataclasses.replace(run, scaled_positions=Lazy(OnDisk(run.scaled_positions, 4))).over_atoms(block=10)
    assert (atoms, read) == (slice(0, 10), [(0, 10)])
    assert np.array_equal(values, run.scaled_positions.transpose(1, 2, 0))


def test_picked_atoms_go_straight_to_the_room_of_a_thread():
    values = np.random.default_rng(0).standard_normal((40, 3, 5000))
    wanted, rooms = np.array([3, 39, 0, 7, 7]), Rooms()
    contiguous(values, rooms, wanted)
    tracemalloc.start()
    found = contiguous(values, rooms, wanted)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(found, values[wanted])
    assert peak < found.nbytes / 10
