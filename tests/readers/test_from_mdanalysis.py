"""Universes and what MDAnalysis reads."""

import warnings

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read


@pytest.fixture
def universe():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import MDAnalysis
        from MDAnalysis.coordinates.memory import MemoryReader

        rng = np.random.default_rng(0)
        path = rng.uniform(0, 1, (1, 5, 3)) + np.cumsum(rng.uniform(-0.2, 0.2, (12, 5, 3)), axis=0)
        u = MDAnalysis.Universe.empty(5, trajectory=True)
        u.add_TopologyAttr("elements", ["Li", "Li", "Li", "S", "S"])
        u.add_TopologyAttr("masses", [7, 7, 7, 32, 32])
        u.add_TopologyAttr("charges", [1, 1, 1, -1.5, -1.5])
        box = np.tile([10.0, 10, 10, 90, 90, 90], (12, 1)).astype(np.float32)
        u.load_new((path % 1 * 10).astype(np.float32), format=MemoryReader, dimensions=box)
    return u, path


def test_a_universe_is_a_run(universe):
    u, path = universe
    u.trajectory[4]
    traj = read(u, frame_interval=0.5)
    assert np.allclose(traj.scaled_positions, path - np.floor(path[0]), atol=1e-5)
    assert traj.species.tolist() == ["Li", "Li", "Li", "S", "S"]
    assert traj.masses.tolist() == [7, 7, 7, 32, 32]
    assert traj.charges.tolist() == [1, 1, 1, -1.5, -1.5]
    assert traj.time[-1] == pytest.approx(5.5)
    assert u.trajectory.ts.frame == 4


def test_the_default_time_step_of_a_universe_is_not_believed(universe):
    with pytest.raises(TrajectoryError, match="pass frame_interval="):
        read(universe[0])


def test_a_universe_without_a_cell_is_refused(universe):
    u, _ = universe
    u.trajectory.dimensions_array[:] = 0
    with pytest.raises(TrajectoryError, match="has no cell, or one of zero volume"):
        read(u, frame_interval=1)


def test_a_universe_of_a_lammps_dump_is_sent_to_our_own_reader(caf2):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import MDAnalysis

        path = str(caf2 / "unwrapped_element.lammpstrj")
        u = MDAnalysis.Universe(path, format="LAMMPSDUMP", topology_format="LAMMPSDUMP")
    with pytest.raises(TrajectoryError, match=r"pass the file itself: read\("):
        read(u, frame_interval=0.2)
