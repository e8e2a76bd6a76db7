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


def test_the_time_of_a_dcd_is_asked_for_and_never_taken_from_the_file(caf2):
    options = {"species": ["F"] * 375}
    with pytest.raises(TrajectoryError, match=r"pass timestep=0.001"):
        read(caf2 / "wrapped.dcd", **options)
    assert read(caf2 / "wrapped.dcd", timestep="1 fs", **options).frame_interval == pytest.approx(0.2)
    assert read(caf2 / "wrapped.dcd", frame_interval=0.2, **options).frame_interval == pytest.approx(0.2)


def test_the_time_of_an_xtc_is_in_the_file(caf2):
    traj = read(caf2 / "wrapped.xtc", species=["F"] * 375)
    assert traj.frame_interval == pytest.approx(0.2, rel=1e-5)
    assert read(caf2 / "wrapped.xtc", species=["F"] * 375, units="real").frame_interval == pytest.approx(0.2, rel=1e-5)


def test_a_moving_cell_without_origin_is_noted(caf2):
    traj = read(caf2 / "npt_wrapped.xtc", topology=caf2 / "equil.restricted.data")
    assert any("does not hold the origin of the cell" in note for note in traj.notes)
    assert not traj.fixed_cell


def test_a_binary_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    for name in ("noise.dcd", "noise.xtc", "noise.nc"):
        (tmp_path / name).write_bytes(b"this is no trajectory" * 20)
        with pytest.raises(TrajectoryError, match=f"{name}: is not a {name[6:].upper()} file"):
            read(tmp_path / name, frame_interval=1, species="Li")
    (tmp_path / "wide.nc").write_bytes(b"CDF\x05" + bytes(100))
    with pytest.raises(TrajectoryError, match="CDF-5"):
        read(tmp_path / "wide.nc", frame_interval=1, species="Li")
    with pytest.raises(TrajectoryError, match="cannot be opened"):
        read(tmp_path / "missing.dcd", frame_interval=1, species="Li")


def test_a_run_in_reduced_units_stays_reduced(caf2):
    traj = read(caf2 / "wrapped.dcd", units="lj", frame_interval=0.1, species=["A"] * 375)
    assert traj.reduced
