"""H5MD as LAMMPS lays it out (no units, images, shared steps), and as others do (units, vectors of the box, fixed quantities, ids)."""

import h5py
import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read

LENGTH = 10.0
REAL = {"units": "real", "species": {1: "Li", 2: "S"}}


@pytest.fixture(scope="module")
def run():
    """Unwrapped paths (frame, atom, 3) of atoms that leave the box, their wrapped positions and images."""
    rng = np.random.default_rng(0)
    path = rng.uniform(0, LENGTH, (6, 3)) + np.cumsum(rng.normal(0, 1.2, (8, 6, 3)), axis=0)
    image = np.floor(path / LENGTH).astype("i4")
    assert np.abs(image).max() >= 1
    return path, path - LENGTH * image, image


@pytest.fixture
def write(tmp_path, run):
    """Write as LAMMPS does; `change` gets the open file."""

    def write(change=None, *, unwrapped=False, image=True):
        path, wrapped, images = run
        # a new file each time: HDF5 does not write to one that a trajectory is still read from
        target = tmp_path / f"run{len(list(tmp_path.iterdir()))}.h5"
        with h5py.File(target, "w") as file:
            file.create_group("h5md").attrs["version"] = np.array([1, 0], "i4")
            group = file.create_group("particles/all")
            box = group.create_group("box")
            box.attrs["dimension"], box.attrs["boundary"] = 3, np.array([b"periodic"] * 3)
            position = group.create_group("position")
            position["value"] = path if unwrapped else wrapped
            position["step"], position["time"] = np.arange(1, 9, dtype="i4") * 5, np.arange(1, 9) * 2.5
            edges = box.create_group("edges")
            edges["value"] = np.full((8, 3), LENGTH)
            edges["step"], edges["time"] = position["step"], position["time"]  # the same objects, as LAMMPS makes them
            if image:
                group.create_group("image")["value"] = images
            velocity = group.create_group("velocity")
            velocity["value"] = np.gradient(path, 2.5, axis=0)
            velocity["step"], velocity["time"] = np.arange(1, 9, dtype="i4") * 5, np.arange(1, 9) * 2.5
            species = group.create_group("species")
            species["value"], species["step"], species["time"] = np.array([[1, 2, 1, 2, 2, 2]], "i4"), np.array([5], "i4"), np.array([2.5])
            if change is not None:
                change(file, group)
        return target

    return write


def refused(message, path, **options):
    with pytest.raises(TrajectoryError, match=message) as caught:
        read(path, **REAL | options)
    assert "\n" not in str(caught.value)


def same(traj, run):
    path = run[0] / LENGTH
    return np.abs(traj.scaled_positions - (path - np.floor(path[0]))).max()


def test_a_file_of_lammps_is_read_by_its_images(write, run):
    traj = read(write(), **REAL, precision="float64")
    assert same(traj, run) < 1e-12
    assert traj.history[0]["unwrapping"] == "by the file"
    assert np.allclose(traj.time, np.arange(1, 9) * 2.5e-3)
    assert np.allclose(traj.velocities, 1e3 * np.gradient(run[0], 2.5, axis=0))
    assert traj.species.tolist() == ["Li", "S", "Li", "S", "S", "S"]
    assert not any("left out" in note or "dropped" in note or "unwrapped" in note for note in traj.notes)


def test_images_of_unwrapped_positions_are_not_added_twice(write, run):
    traj = read(write(unwrapped=True), **REAL, precision="float64")
    assert same(traj, run) < 1e-12
    assert any("positions are unwrapped already" in note for note in traj.notes)
    # wrapped positions that a neighbour list has let out of the box a little are wrapped ones still
    slack = read(write(lambda file, group: group["position/value"].write_direct(run[1] + 0.04 * LENGTH * (run[2] != 0))), **REAL, precision="float64")
    assert same(slack, run) < 0.05


def test_without_images_the_nearest_is_taken(write, run):
    traj = read(write(image=False), **REAL, precision="float64")
    assert traj.history[0]["unwrapping"] == "nearest image"
    assert same(traj, run) < 1e-12


def test_units_are_asked_for_where_the_file_has_none(write):
    refused("pass units='metal'", write(), units=None)
    refused(r"--species 1=\.\.\.,2=\.\.\.", write(), species=None)


def test_units_of_the_file_are_followed(write, run):
    def units(file, group):
        group["position/value"].attrs["unit"] = "nm"
        group["position/time"].attrs["unit"] = b"fs"
        group["velocity/value"].attrs["unit"] = "nm fs-1"

    traj = read(write(units), species=REAL["species"], precision="float64")
    assert same(traj, run) < 1e-12
    assert np.allclose(traj.cell[0], 100 * np.eye(3))
    assert np.allclose(traj.time, np.arange(1, 9) * 2.5e-3)
    assert np.allclose(traj.velocities, 1e4 * np.gradient(run[0], 2.5, axis=0))


def test_units_that_are_half_there_or_unknown(write):
    def half(file, group):
        group["position/value"].attrs["unit"] = "Angstrom"

    path = write(half)
    refused("nothing says how", path, units=None)
    traj = read(path, species=REAL["species"], timestep="0.5 fs")
    assert traj.velocities is None
    assert any("velocities are left out" in note for note in traj.notes)

    def odd(file, group):
        group["position/value"].attrs["unit"] = "furlong"

    refused("has the unit 'furlong', which is not known here", write(odd))


def test_vectors_of_the_box_and_fixed_quantities(write, run):
    cell = np.array([[10.0, 0, 0], [2, 9, 0], [1, 1, 8]])

    def fixed(file, group):
        del group["box/edges"], group["species"], group["image"]
        group["box/edges"] = cell
        group["species"] = np.array([1, 2, 1, 2, 2, 2])
        group["mass"] = np.arange(6) + 1.0
        group["charge"] = np.array([1, -1, 1, -1, -1, 1.0])
        group["position/value"][...] = 0.1 * run[0]

    traj = read(write(fixed), **REAL, precision="float64")
    assert np.allclose(traj.cell, cell)
    assert traj.masses.tolist() == [1, 2, 3, 4, 5, 6]
    assert traj.charges.tolist() == [1, -1, 1, -1, -1, 1]
    scaled = 0.1 * run[0] @ np.linalg.inv(cell)
    assert np.allclose(traj.scaled_positions, scaled - np.floor(scaled[0]))


def test_particles_are_put_in_the_order_of_their_ids(write, run):
    rng = np.random.default_rng(1)
    orders = np.array([rng.permutation(6) for _ in range(8)])

    def shuffled(file, group):
        for name in ("position", "velocity", "image"):
            group[f"{name}/value"][...] = np.take_along_axis(group[f"{name}/value"][...], orders[:, :, None], axis=1)
        del group["species"]
        group["species"] = np.array([1, 2, 1, 2, 2, 2])[orders[0]]
        made = group.create_group("id")
        made["value"], made["step"] = orders + 11, group["position/step"]

    traj = read(write(shuffled), **REAL, precision="float64")
    assert traj.ids.tolist() == [11, 12, 13, 14, 15, 16]
    assert same(traj, run) < 1e-12
    assert traj.species.tolist() == ["Li", "S", "Li", "S", "S", "S"]

    def lost(file, group):
        shuffled(file, group)
        group["id/value"][4, 2] = 77

    refused("frame 4 holds other particles than the first", write(lost))


def test_quantities_are_matched_by_their_steps(write, run):
    def sparse(file, group):
        for name in ("value", "step", "time"):
            kept = group[f"velocity/{name}"][...][::2]
            del group[f"velocity/{name}"]
            group[f"velocity/{name}"] = kept

    traj = read(write(sparse), **REAL)
    assert traj.velocities is None
    assert any("velocity is left out, because it is not there for every step" in note for note in traj.notes)

    def often(file, group):
        del group["box/edges/value"], group["box/edges/step"], group["box/edges/time"]
        group["box/edges/value"] = LENGTH * np.ones((40, 3)) + 0.001 * np.arange(1, 41)[:, None]
        group["box/edges/step"] = np.arange(1, 41)

    assert np.allclose(read(write(often), **REAL).cell[:, 0, 0], LENGTH + 0.005 * np.arange(1, 9))

    def other(file, group):
        often(file, group)
        group["box/edges/step"][...] = np.arange(1, 41) + 100

    refused("the edges of the box are not there for every step", write(other))


def test_a_job_killed_between_value_and_step(write, run):
    def cut(file, group):
        for name in ("step", "time"):
            kept = group[f"position/{name}"][...][:6]
            del group[f"position/{name}"], group[f"box/edges/{name}"]
            group[f"position/{name}"] = kept
            group[f"box/edges/{name}"] = group[f"position/{name}"]

    traj = read(write(cut), **REAL, precision="float64")
    assert traj.n_frames == 6
    assert any("2 frames at the end have no step or time and are dropped" in note for note in traj.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file, group: file.create_group("particles/other"), r"has 2 groups of particles \(all, other\), and one is read"),
        (lambda file, group: file.pop("particles"), "has 0 groups of particles"),
        (lambda file, group: (group.pop("position"), group.pop("velocity")), "has no position or velocity"),
        (lambda file, group: group.pop("box"), "has no cell, or one of zero volume"),
        (
            lambda file, group: (group.pop("image"), group.create_group("image").create_dataset("value", data=np.zeros((8, 5, 3)))),
            "image has the shape",
        ),
        (
            lambda file, group: (group.pop("species"), group.create_dataset("species", data=np.array([1.5] * 6))),
            "species are not whole numbers",
        ),
        (
            lambda file, group: (
                group.pop("species"),
                group.create_group("species").create_dataset("value", data=np.arange(16).reshape(2, 8)[:, :6]),
            ),
            "particles change their species",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_refused(change, message, write):
    refused(message, write(change))


def test_a_cut_file_is_refused_in_one_line(write):
    path = write()
    content = path.read_bytes()
    for length in (100, 600, len(content) // 2, len(content) - 100):
        path.write_bytes(content[:length])
        refused("run0.h5", path)


def test_an_impossible_shape_takes_no_memory(write):
    def huge(file, group):
        del group["position/value"]
        group["position"].create_dataset("value", shape=(8, 10**9, 3), chunks=(1, 1000, 3), dtype="f8")

    refused("which [0-9]+ bytes cannot hold; the file is damaged", write(huge))
