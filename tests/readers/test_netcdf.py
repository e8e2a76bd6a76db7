"""netCDF: scale factors, clocks of single precision, directions without a length, and files that nobody wrote in full."""

import gzip
import struct

import numpy as np
import pytest
from scipy.io import netcdf_file

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.cdf import read_cdf
from mdtools.readers.lengths_angles import cell_vectors, evened
from mdtools.readers.opened import OpenedFile

PATH = np.arange(4)[:, None, None] * [0.1, 0.2, 0.3] + np.arange(5)[:, None] * [1.5, 1.0, 0.5] + 1.0


@pytest.fixture
def write(tmp_path):
    """Write a small file of scipy's: write(variables, ...) with variables as name -> (values, dims, attributes)."""

    def write(changes=None, *, attributes=None, name="small.nc", version=2, n_frames=4):
        variables = {
            "time": (np.arange(n_frames, dtype="f4") * 10, ("frame",), {"units": "picosecond", "scale_factor": np.float32(0.001)}),
            "cell_lengths": (np.full((n_frames, 3), 10.0), ("frame", "spatial"), {"units": "angstrom"}),
            "cell_angles": (np.full((n_frames, 3), 90.0), ("frame", "spatial"), {"units": "degree"}),
            "cell_origin": (np.zeros((n_frames, 3)), ("frame", "spatial"), {"units": "angstrom"}),
            "coordinates": (PATH[:n_frames], ("frame", "atom", "spatial"), {"units": "angstrom"}),
        } | (changes or {})
        path = tmp_path / name
        with netcdf_file(path, "w", version=version) as file:
            for dim, length in {"frame": None, "atom": 5, "spatial": 3}.items():
                file.createDimension(dim, length)
            for key, value in ({"Conventions": "AMBER", "program": "LAMMPS"} if attributes is None else attributes).items():
                setattr(file, key, value)
            for key, row in variables.items():
                if row is not None:
                    values, dims, about = row
                    values = np.asarray(values)
                    made = file.createVariable(key, values.dtype.newbyteorder(">"), dims)
                    made[:] = values
                    for word, value in about.items():
                        setattr(made, word, value)
        return path

    return write


def refused(message, path, **options):
    with pytest.raises(TrajectoryError, match=message) as caught:
        read(path, **{"species": "Li"} | options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_another_writer_is_read(version, write):
    traj = read(write(version=version), species="Li", precision="float64")
    assert np.allclose(traj.scaled_positions * 10, PATH)
    # steps are whole, and the float32 of 0.001 is 0.001
    assert np.array_equal(traj.time, np.arange(4) * 10 * 0.001)
    assert traj.history[0]["units"] == "metal"
    assert traj.history[0]["format"] == "LAMMPS netCDF dump"


def test_every_scale_factor_is_applied(write):
    path = write(
        {
            "coordinates": (PATH / 0.455, ("frame", "atom", "spatial"), {"scale_factor": 0.455}),
            "velocities": (PATH, ("frame", "atom", "spatial"), {"scale_factor": -0.856}),
            "cell_lengths": (np.full((4, 3), 10 / 1.765), ("frame", "spatial"), {"units": "Angstrom", "scale_factor": 1.765}),
        }
    )
    traj = read(path, species="Li", precision="float64")
    assert np.allclose(traj.cell[0], 10 * np.eye(3))
    assert np.allclose(traj.scaled_positions * 10, PATH)
    assert np.allclose(traj.velocities, -0.856 * PATH)


def test_a_real_file_of_lammps_cut_by_a_full_disk(files):
    packed = files / "lammps" / "netcdf" / "version-5_cut.nc.gz"
    traj = read(packed, species={1: "A", 2: "B", 3: "C", 4: "D"}, precision="float64")
    assert traj.n_frames == 3
    assert traj.notes[0] == "version-5_cut.nc.gz: is cut; its 3 whole frames of the 11 that its header announces are read"
    assert "direction c is not periodic and the file holds no length for it: 60.1" in traj.notes[1]
    assert traj.history[0]["units"] == "real"
    assert np.allclose(traj.time, np.arange(3) * 8.058974e-3, rtol=1e-9)
    assert np.array_equal(np.sort(traj.charges), np.sort(read_cdf(OpenedFile(packed))[1]["q"].values[0].astype(float)))
    # angstrom/fs to angstrom/ps, and positions as the library of Unidata reads them
    raw = read_cdf(OpenedFile(packed))[1]
    order = np.argsort(raw["id"].values[2])
    assert np.allclose(traj.velocities[2], 1e3 * raw["velocities"].values[2][order])
    assert (np.array([[7.7213, 12.9825325, 52.823616]], np.float32) == raw["coordinates"].values[0, 0]).all()
    # the velocities move the positions
    moved = np.einsum("ti,ij->tj", (traj.scaled_positions[2] - traj.scaled_positions[0]), traj.cell[0])
    assert np.corrcoef(moved.ravel(), traj.velocities[1].ravel())[0, 1] > 0.99


def test_a_direction_without_length_is_not_periodic(write):
    lengths = np.tile([10.0, 10.0, 0.0], (4, 1))
    traj = read(write({"cell_lengths": (lengths, ("frame", "spatial"), {"units": "angstrom"})}), species="Li", precision="float64")
    assert traj.cell[0, 2, 2] == pytest.approx(np.ptp(PATH[:, :, 2]))
    moved = (traj.scaled_positions[3] - traj.scaled_positions[0]) @ traj.cell[0]
    assert np.allclose(moved, [0.3, 0.6, 0.9])


@pytest.mark.parametrize(
    ("length", "time", "system", "factor"),
    [
        ("angstrom", "femtosecond", "real", 1.0),
        ("Bohr", "femtoseconds", "electron", 0.529177210544),
        ("nanometers", "nanoseconds", "nano", 10.0),
        ("lj", "lj", "lj", 1.0),
    ],
)
def test_words_of_units_name_the_unit_system(length, time, system, factor, write):
    path = write(
        {
            "time": (np.arange(4, dtype="f4"), ("frame",), {"units": time, "scale_factor": np.float32(0.5)}),
            "cell_lengths": (np.full((4, 3), 10.0), ("frame", "spatial"), {"units": length}),
        }
    )
    traj = read(path, species="Li")
    assert traj.history[0]["units"] == system
    assert np.allclose(traj.cell[0], 10 * factor * np.eye(3))


def test_units_that_are_missing_are_asked_for_and_odd_ones_refused(write):
    bare = {
        "time": (np.arange(4.0), ("frame",), {}),
        "cell_lengths": (np.full((4, 3), 10.0), ("frame", "spatial"), {}),
        "coordinates": (PATH, ("frame", "atom", "spatial"), {}),
    }
    refused("pass units='metal'", write(bare))
    assert read(write(bare), species="Li", units="real").time[1] == pytest.approx(1e-3)
    odd = {"time": (np.arange(4.0), ("frame",), {"units": "fortnight"})}
    refused("is in units of angstrom and fortnight", write(odd))


def test_steps_that_single_precision_cannot_hold_are_left_out(write):
    # 2^24 is the last step in front of which every step is a float32
    steps = (2**24 + 1001 * np.arange(4)).astype("f4")
    assert np.ptp(np.diff(steps.astype(float))) > 0
    path = write({"time": (steps, ("frame",), {"units": "picosecond", "scale_factor": np.float32(0.001)})})
    refused("nothing says how much time lies between frames", path)
    traj = read(path, species="Li", frame_interval=1.001)
    assert traj.frame_interval == pytest.approx(1.001)
    assert any("steps are in single precision" in note for note in traj.notes)
    even = (2**26 + 1000 * np.arange(4)).astype("f4")
    whole = write({"time": (even, ("frame",), {"units": "picosecond", "scale_factor": np.float32(0.001)})})
    assert read(whole, species="Li").frame_interval == pytest.approx(1.0)


def test_times_of_single_precision_are_evened():
    times = (1e5 + 0.002 * np.arange(1000)).astype(np.float32)
    assert np.ptp(np.diff(evened(times))) < 1e-9
    uneven = np.array([0, 1, 2, 4], np.float32)
    assert evened(uneven).tolist() == [0, 1, 2, 4]


def test_what_was_never_written_is_refused(write):
    fill = PATH.copy()
    fill[2, 1, 0] = 9.969209968386869e36
    refused(r"frame 2 has x that were never written", write({"coordinates": (fill, ("frame", "atom", "spatial"), {"units": "angstrom"})}))
    cell = np.full((4, 3), 10.0)
    cell[3] = 9.969209968386869e36
    refused("frame 3 has cell_lengths that were never written", write({"cell_lengths": (cell, ("frame", "spatial"), {})}))


def test_files_that_lack_what_is_needed(write):
    refused("without coordinates or velocities", write({"coordinates": None}))
    refused(r"has no cell \(cell_lengths and cell_angles\)", write({"cell_lengths": None}))
    refused("does not say in which unit system", write({"time": None}))
    refused("nothing says how much time", write({"time": None}), units="metal")
    refused("in place of .frames, atoms, 3.; pass a trajectory, not a restart", write({"coordinates": (PATH[0], ("atom", "spatial"), {})}))
    bad = {"scale_factor": 0.0, "units": "angstrom"}
    refused("scale_factor of 0.0", write({"coordinates": (PATH, ("frame", "atom", "spatial"), bad)}))


def test_positions_outside_their_triclinic_cell_are_refused(write):
    tilted = {"cell_angles": (np.full((4, 3), [90.0, 90.0, 60.0]), ("frame", "spatial"), {})}
    inside = PATH[:, :, [2, 1, 0]] * [0.3, 1, 1]
    at = lambda x: {"coordinates": (x, ("frame", "atom", "spatial"), {"units": "angstrom"})}  # noqa: E731
    assert read(write(tilted | at(inside + np.array([2.0, 0, 0]))), species="Li").n_frames == 4
    refused("triclinic/general yes", write(tilted | at(inside + np.array([0, 6.0, 0]))))


def test_ids_of_lammps_put_the_atoms_in_order(write):
    rng = np.random.default_rng(0)
    orders = np.array([rng.permutation(5) for _ in range(4)])
    shuffled = np.take_along_axis(PATH, orders[:, :, None], axis=1)
    path = write(
        {
            "id": ((orders + 1).astype("i4"), ("frame", "atom"), {}),
            "type": ((1 + orders % 2).astype("i4"), ("frame", "atom"), {}),
            "coordinates": (shuffled, ("frame", "atom", "spatial"), {"units": "angstrom"}),
        }
    )
    traj = read(path, species={1: "Li", 2: "S"}, precision="float64")
    assert np.allclose(traj.scaled_positions * 10, PATH)
    assert traj.species.tolist() == ["Li", "S", "Li", "S", "Li"]


def test_a_cell_of_lengths_and_angles_has_those_lengths_and_angles():
    rng = np.random.default_rng(0)
    lengths, angles = rng.uniform(2, 20, (50, 3)), rng.uniform(62, 115, (50, 3))
    cell = cell_vectors(lengths, angles)
    assert np.allclose(np.linalg.norm(cell, axis=2), lengths)
    for (i, j), angle in zip([(1, 2), (0, 2), (0, 1)], angles.T, strict=True):
        cosine = np.sum(cell[:, i] * cell[:, j], axis=1) / lengths[:, i] / lengths[:, j]
        assert np.allclose(np.degrees(np.arccos(cosine)), angle)
    assert np.array_equal(np.triu(cell, 1), np.zeros_like(cell))
    assert np.array_equal(cell_vectors(np.array([[1, 2, 3]]), np.full((1, 3), 90.0))[0], np.diag([1.0, 2, 3]))


def test_a_header_with_impossible_counts_is_refused_before_memory_is_asked_for(write, tmp_path):
    content = write().read_bytes()
    path = tmp_path / "broken.nc"
    refusals = 0
    for at in range(4, 400, 4):
        for value in (2**31 - 1, 2**32 - 1, 2**28):
            path.write_bytes(content[:at] + struct.pack(">I", value) + content[at + 4 :])
            try:
                traj = read(path, species="Li", frame_interval=1, precision="float64")
            except TrajectoryError:
                refusals += 1
            else:
                assert traj.scaled_positions.shape == (4, 5, 3)
    assert refusals > 50


def test_a_file_written_as_a_stream_has_as_many_frames_as_it_holds(write, tmp_path):
    content = bytearray(write().read_bytes())
    content[4:8] = b"\xff" * 4
    path = tmp_path / "stream.nc"
    path.write_bytes(content)
    assert read(path, species="Li").n_frames == 4
    packed = tmp_path / "stream.nc.gz"
    packed.write_bytes(gzip.compress(bytes(content)))
    assert read(packed, species="Li").n_frames == 4


def test_other_versions_are_refused(tmp_path):
    path = tmp_path / "other.nc"
    path.write_bytes(b"CDF\3" + bytes(100))
    refused("is not a netCDF file|of version 3", path)
    path.write_bytes(b"CDF\5" + bytes(4))
    refused("it ends within its header", path)
    path.write_bytes(b"this is no trajectory" * 20)
    refused("other.nc: is not a netCDF file, its first bytes say otherwise", path)
