"""The store gives back what was put in, lazily."""

import numpy as np
import pytest
import zarr

from mdtools.errors import TrajectoryError
from mdtools.readers import read, write_store


@pytest.fixture
def run(caf2, metal):
    return read(caf2 / "npt_unwrapped_element.lammpstrj.gz", **metal, framework="Ca", temperature=1500, charges={"Ca": 2, "F": -1}, unwrap="lattice")


def same(one, two):
    for name in ("scaled_positions", "velocities", "cell", "time", "masses", "charges", "ids", "origin"):
        assert np.array_equal(np.asarray(getattr(one, name)[:]), np.asarray(getattr(two, name)[:])), name
    assert one.species.tolist() == two.species.tolist()
    assert (one.framework, one.temperature, one.unwrap, one.reduced, one.source) == (
        two.framework,
        two.temperature,
        two.unwrap,
        two.reduced,
        two.source,
    )


def test_a_store_gives_back_the_trajectory(run, tmp_path):
    back = read(write_store(run, tmp_path / "run.zarr"))
    same(run, back)
    assert back.history[0] == run.history[0]
    assert back.history[-1]["format"] == "store"
    assert back.notes == run.notes


def test_the_large_arrays_stay_on_disk_and_are_visited_in_blocks(run, tmp_path):
    back = read(write_store(run, tmp_path / "run.zarr"))
    assert not isinstance(back.scaled_positions, np.ndarray)
    assert not isinstance(back.velocities, np.ndarray)
    for (where, one), (_, two) in zip(run.over_atoms(block=64), back.over_atoms(block=64), strict=True):
        assert np.array_equal(one, two), where
    for (where, (one,)), (_, (two,)) in zip(run.over_frames("velocities", block=7), back.over_frames("velocities", block=7), strict=True):
        assert np.array_equal(one, two), where


def test_a_store_is_chunked_in_frames_and_in_atoms(tmp_path):
    from ase import Atoms

    box = Atoms("H1500", positions=np.zeros((1500, 3)), cell=[5, 5, 5], pbc=True)
    path = write_store(read([box] * 300, frame_interval=1), tmp_path / "run.zarr")
    stored = zarr.open_group(path)["scaled_positions"]
    assert stored.chunks == (256, 300, 3)
    assert stored.shards == (512, 1500, 3)
    assert np.array_equal(read(path).scaled_positions[:], np.zeros((300, 1500, 3)))


def test_a_part_of_a_store_is_a_part_of_the_run(run, tmp_path):
    path = write_store(run, tmp_path / "run.zarr")
    part = read(path, begin=1, end=4, stride=3)
    assert np.allclose(part.time, run.time[10:41:3])
    assert np.array_equal(part.scaled_positions, run.scaled_positions[10:41:3])
    assert np.array_equal(part.cell, run.cell[10:41:3])


def test_what_the_store_does_not_fix_may_be_said_anew(run, tmp_path):
    path = write_store(run, tmp_path / "run.zarr")
    new = read(path, charges="Ca=1,F=-0.5", framework=["Ca", "F"], temperature=900, unwrap="tor")
    assert new.charges[:2].tolist() == [1, -0.5]
    assert (new.framework, new.temperature, new.unwrap) == (("Ca", "F"), 900, "tor")
    with pytest.raises(TrajectoryError, match="a store knows its timestep, species already"):
        read(path, timestep=1, species="Ca")


def test_nothing_is_overwritten_unless_asked(run, tmp_path):
    path = write_store(run, tmp_path / "run.zarr")
    with pytest.raises(TrajectoryError, match="is there already"):
        write_store(run, path)
    same(run, read(write_store(run, path, overwrite=True)))
    assert [one.name for one in tmp_path.iterdir()] == ["run.zarr"]  # neither the old one nor a half
    (tmp_path / "precious").mkdir()
    with pytest.raises(TrajectoryError, match="is there already"):
        write_store(run, tmp_path / "precious", overwrite=True)


def test_no_half_store_is_left(run, tmp_path, monkeypatch):
    from mdtools.readers import store

    monkeypatch.setattr(store, "_SMALL", ("cell", "no such part"))
    with pytest.raises(AttributeError):
        store.write_store(run, tmp_path / "run.zarr")
    assert not (tmp_path / "run.zarr").exists()


def test_velocities_alone_can_be_stored(caf2, tmp_path):
    run = read(caf2 / "velF_every5.lammpstrj.gz", units="metal", timestep=0.001, species="F", end=0.1)
    back = read(write_store(run, tmp_path / "run.zarr"))
    assert back.scaled_positions is None
    assert np.array_equal(back.velocities[:], run.velocities)


def test_another_folder_is_no_store(tmp_path):
    zarr.open_group(tmp_path / "other.zarr", mode="w").attrs["made_by"] = "somebody else"
    with pytest.raises(TrajectoryError, match="not one written by mdtools"):
        read(tmp_path / "other.zarr")
