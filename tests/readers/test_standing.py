"""Directions that are not periodic: a box that is wrapped about the atoms moves no atom; and what a dump may not change midway."""

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import convert, read
from mdtools.readers.standing import standing_box

METAL = {"units": "metal", "timestep": "1 fs", "species": "Li", "precision": "float64"}


def boxes(low, high, flags="pp pp ss"):
    return [f"{flags}\n0 10\n0 10\n{a:.15g} {b:.15g}" for a, b in zip(low, high, strict=True)]


@pytest.fixture
def slab(dump):
    """One atom that stands still, one that moves up and makes the box higher; scaled columns, so that the reader must undo them."""
    z = np.array([[1.0, 9.0 + 0.5 * t] for t in range(12)])
    low, high = 0.5 - 0.1 * np.arange(12), z[:, 1] + 0.01
    frames = [[[1, 0.1, 0.2, (z[t, 0] - low[t]) / (high[t] - low[t])], [2, 0.3, 0.4, (z[t, 1] - low[t]) / (high[t] - low[t])]] for t in range(12)]
    return dump("id xs ys zs", frames, boxes=boxes(low, high)), z


def test_an_atom_in_a_shrink_wrapped_box_moves_as_it_does_in_space(slab):
    path, z = slab
    traj = read(path, **METAL)
    moved = (traj.scaled_positions - traj.scaled_positions[0]) @ traj.mean_cell
    assert np.allclose(moved[:, :, 2], z - z[0], atol=1e-12)
    assert np.allclose(moved[:, :, :2], 0, atol=1e-12)
    assert traj.fixed_cell
    assert any("the box moves along c" in note for note in traj.notes)


def test_a_store_of_it_holds_the_same(slab, tmp_path):
    path, _ = slab
    kept = read(convert(path, tmp_path / "slab.zarr", **METAL))
    whole = read(path, **METAL)
    assert np.array_equal(kept.scaled_positions[:], whole.scaled_positions)
    assert np.array_equal(kept.cell, whole.cell)
    assert kept.notes == whole.notes
    assert np.array_equal(kept.origin, whole.origin)


def test_a_box_that_breathes_along_periodic_directions_is_left_alone():
    rng = np.random.default_rng(1)
    cell = np.eye(3) * rng.uniform(9, 11, (6, 1, 3))
    assert standing_box(cell, -cell[:, 0] / 2, np.array([True, True, True])) is None
    fixed = cell.copy()
    fixed[:, 2, 2] = 30.0
    assert standing_box(fixed, None, np.array([True, True, False])) is None


def test_positions_in_space_stay_whatever_the_cells_and_origins():
    rng = np.random.default_rng(2)
    cell, origin = np.eye(3) * rng.uniform(9, 11, (6, 1, 3)), rng.normal(size=(6, 3))
    cell[:, 1, 0] = 1.5
    s = rng.random((6, 4, 3))
    box = standing_box(cell, origin, np.array([True, True, False]))
    assert box.axes == "c"
    again = (s @ box.matrix + box.shift[:, None]) @ box.cell + box.origin[:, None]
    assert np.allclose(again, s @ cell + origin[:, None])
    assert np.allclose((s @ box.matrix + box.shift[:, None])[..., :2], s[..., :2])


def test_periodic_directions_and_units_do_not_change_within_a_dump(dump):
    rows = [[1, 1.0, 1.0, 1.0]]
    path = dump("id x y z", [rows] * 4, boxes=boxes([0] * 2, [10] * 2, "pp pp pp") + boxes([0] * 2, [10] * 2, "pp pp ff"))
    with pytest.raises(TrajectoryError, match=r"frame 2 \(step 20\) has other periodic directions"):
        read(path, **METAL)
    text = path.read_text().replace("pp pp ff", "pp pp pp")
    first, second = text.split("ITEM: TIMESTEP\n20")
    path.write_text("ITEM: UNITS\nmetal\n" + first + "ITEM: UNITS\nreal\nITEM: TIMESTEP\n20" + second)
    with pytest.raises(TrajectoryError, match=r"frame 2 \(step 20\) is in units real, the first frame in metal"):
        read(path, **METAL)


def test_a_dump_that_does_not_say_what_is_periodic_is_noted(dump):
    path = dump("id x y z", [[[1, 1.0, 1.0, 1.0]]] * 2, box="\n0 10\n0 10\n0 10")
    assert "the dump does not say which directions are periodic (an old LAMMPS); all are taken to be" in read(path, **METAL).notes
