"""DCD, XTC and TRR against the library of MDAnalysis on real files and on files it wrote, and their damage."""

import struct
import warnings

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import dcd, gromacs, read

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from MDAnalysis.lib.formats.libdcd import DCDFile
    from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile

TIMED = {"species": "X", "precision": "float64"}


def refused(message, path, **options):
    with pytest.raises(TrajectoryError, match=message) as caught:
        read(path, **{"species": "X"} | options)
    assert "\n" not in str(caught.value)


def all_of(frames):
    """Cartesian positions of all frames, angstrom."""
    return frames.load(np.arange(frames.n_frames)).scaled @ frames.cell


@pytest.mark.parametrize("name", ["wrapped.xtc", "unwrapped.xtc", "npt_wrapped.xtc"])
def test_positions_of_a_real_xtc_are_those_of_the_library(name, caf2):
    frames = gromacs.read_files([caf2 / name], None)[0]
    with XTCFile(str(caf2 / name)) as file:
        theirs = [(one.x.copy(), one.box.copy(), one.time) for one in file]
    assert len(theirs) == frames.n_frames
    assert np.abs(all_of(frames) - 10 * np.array([x for x, _, _ in theirs])).max() < 1e-5
    assert np.abs(frames.cell - 10 * np.array([box for _, box, _ in theirs])).max() < 1e-5
    assert np.allclose(frames.times, [time for _, _, time in theirs], atol=1e-5)
    assert "positions are rounded to 0.005 angstrom by the format (XTC)" in frames.notes


def molecules(rng, n_atoms, width):
    """Atoms in groups of three, as water is, in a box."""
    places = rng.uniform(0, width, (n_atoms, 3))
    places[1::3] = places[::3][: len(places[1::3])] + rng.normal(0, 0.1, (len(places[1::3]), 3))
    places[2::3] = places[::3][: len(places[2::3])] + rng.normal(0, 0.1, (len(places[2::3]), 3))
    return places.astype(np.float32)


@pytest.mark.parametrize(
    ("n_atoms", "width", "precision"),
    [
        (1, 3, 1e3),
        (9, 3, 1e3),
        (10, 3, 1e3),
        (11, 2, 1e2),
        (300, 4, 1e3),
        (301, 4, 1e4),
        (900, 0.2, 1e3),
        (300, 2e4, 1e3),
        (300, 60, 1e5),
        (64, 1e-3, 1e3),
    ],
)
def test_every_way_of_packing_an_xtc_is_unpacked(n_atoms, width, precision, tmp_path):
    rng = np.random.default_rng(n_atoms)
    path, box = tmp_path / "packed.xtc", np.eye(3, dtype=np.float32) * max(width, 1)
    with XTCFile(str(path), "w") as file:
        for step in range(3):
            file.write(molecules(rng, n_atoms, width), box, step, 0.5 * step, precision)
    with XTCFile(str(path)) as file:
        theirs = np.array([one.x.copy() for one in file], dtype=np.float64)
    frames = gromacs.read_files([path], None)[0]
    # theirs is rounded once more, to float32
    assert np.abs(all_of(frames) / 10 - theirs).max() <= 2 * np.spacing(np.float32(np.abs(theirs).max()))
    assert np.allclose(frames.times, [0, 0.5, 1.0])


@pytest.fixture
def trr(tmp_path):
    """write(kinds) with a word for each frame that says what it holds: x, v, f."""

    def write(kinds, *, double=False, name="small.trr"):
        rng = np.random.default_rng(0)
        path, box = tmp_path / name, np.array([[3, 0, 0], [0.5, 3, 0], [0.2, 0.3, 3]], np.float32)
        frames = []
        with TRRFile(str(path), "w") as file:
            for step, kind in enumerate(kinds):
                parts = [rng.uniform(0, 3, (7, 3)).astype(np.float32) if part in kind else None for part in "xvf"]
                frames.append(parts)
                file.write(*parts, box, step, 0.1 * step, 0.0, 7)
        return path, frames, box

    return write


def test_positions_and_velocities_of_a_trr(trr):
    path, written, box = trr(["xv"] * 5)
    frames = gromacs.read_files([path], None)[0]
    assert np.abs(all_of(frames) - 10 * np.array([x for x, _, _ in written])).max() < 1e-5
    velocities = frames.load(np.arange(5)).velocities
    assert np.abs(velocities - 10 * np.array([v for _, v, _ in written])).max() < 1e-5
    assert np.allclose(frames.cell[0], 10 * box)
    assert np.allclose(frames.times, 0.1 * np.arange(5))
    assert frames.in_angstrom_and_ps


def test_frames_of_a_trr_without_positions_are_left_out_and_counted(trr):
    path, *_ = trr(["xv", "v", "f", "xv", "v"])
    frames = gromacs.read_files([path], None)[0]
    assert frames.n_frames == 2
    assert frames.has_velocities
    assert "small.trr: 3 of 5 frames hold no positions and are left out (GROMACS: nstvout = nstxout)" in frames.notes
    assert np.allclose(frames.times, [0, 0.3])
    only = gromacs.read_files([trr(["v"] * 4)[0]], None)[0]
    assert (only.placement, only.n_frames) == ("none", 4)
    refused("holds neither positions nor velocities", trr(["f"] * 3)[0])
    mixed = gromacs.read_files([trr(["xv", "x", "xv"])[0]], None)[0]
    assert not mixed.has_velocities


def test_positions_and_cells_of_a_real_dcd_are_those_of_the_library(caf2, files):
    for path in (caf2 / "wrapped.dcd", files / "lammps/AlN_npt_triclinic/lmp.out.dcd"):
        frames = dcd.read_dcd(path)
        with DCDFile(str(path)) as file:
            theirs = [(one.xyz.copy(), one.unitcell.copy()) for one in file]
        assert np.abs(all_of(frames) - np.array([x for x, _ in theirs])).max() < 1e-4
        lengths = np.linalg.norm(frames.cell, axis=2)
        assert np.allclose(lengths, [cell[[0, 2, 5]] for _, cell in theirs])
        with DCDFile(str(path)) as file:
            assert frames.steps[0] == file.header["istart"]
            assert np.unique(np.diff(frames.steps)).tolist() == [file.header["nsavc"]]


def dcd_bytes(*, order="<", n_frames=3, n_atoms=4, cell=(10.0, 0.0, 11.0, 0.0, 0.0, 12.0), announced=None, flags=(1, 0, 0), first=5, spacing=10):
    pack = lambda code, *values: struct.pack(f"{order}{code}", *values)  # noqa: E731
    control = [n_frames if announced is None else announced, first, spacing, *[0] * 17]
    control[10], control[11], control[8] = flags
    out = pack("i", 84) + b"CORD" + pack("20i", *control) + pack("i", 84)
    out += pack("2i", 84, 1) + b"title".ljust(80) + pack("i", 84) + pack("3i", 4, n_atoms, 4)
    for frame in range(n_frames):
        out += pack("i6di", 48, *cell, 48)
        for axis in range(3):
            out += pack(f"i{n_atoms}fi", 4 * n_atoms, *(np.arange(n_atoms) + 0.1 * frame + axis), 4 * n_atoms)
    return out


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_dcd_of_either_byte_order(order, tmp_path):
    path = tmp_path / "small.dcd"
    path.write_bytes(dcd_bytes(order=order))
    traj = read(path, **TIMED, timestep=0.01)
    assert np.allclose(traj.time, [0.05, 0.15, 0.25])
    assert np.allclose(traj.cell, np.diag([10.0, 11, 12]))
    assert np.allclose((traj.scaled_positions @ traj.cell)[2, :, 1], np.arange(4) + 1.2, atol=1e-6)


def test_angles_of_a_dcd_are_cosines_or_degrees(tmp_path):
    path, angles = tmp_path / "small.dcd", np.array([70.0, 80.0, 60.0])
    cells = []
    for values in (np.cos(np.radians(angles)), angles):
        path.write_bytes(dcd_bytes(cell=(10, values[2], 11, values[1], values[0], 12)))
        cells.append(dcd.read_dcd(path).cell[0])
    assert np.allclose(*cells)
    a, b, c = cells[0]
    assert np.degrees(np.arccos(b @ c / 132)) == pytest.approx(70)
    assert np.degrees(np.arccos(a @ b / 110)) == pytest.approx(60)
    path.write_bytes(dcd_bytes(cell=(10, 3, 11, -2.0, 0.5, 12)))
    refused("neither lengths and cosines nor lengths and degrees", path, timestep=1)


def test_what_a_dcd_lacks_is_said(tmp_path):
    path = tmp_path / "small.dcd"
    path.write_bytes(dcd_bytes(flags=(0, 0, 0)))
    refused("is a DCD without a cell", path, timestep=1)
    path.write_bytes(dcd_bytes(flags=(1, 0, 2)))
    refused("fixed atoms or a fourth dimension", path, timestep=1)
    path.write_bytes(dcd_bytes(announced=7))
    traj = read(path, **TIMED, timestep=1)
    assert traj.notes[0] == "small.dcd: is cut; its 3 whole frames of the 7 that its header announces are read"
    path.write_bytes(dcd_bytes(spacing=0))
    refused("nothing says how much time lies between frames", path)
    broken = bytearray(dcd_bytes())
    broken[-28] ^= 0xFF  # the mark behind the last but one array
    path.write_bytes(broken)
    refused("frame 2 is not whole; the file is damaged", path, timestep=1)


def test_the_time_of_a_dcd_is_asked_for_and_never_taken_from_the_file(caf2):
    options = {"species": ["F"] * 375}
    with pytest.raises(TrajectoryError, match=r"pass timestep=0\.001"):
        read(caf2 / "wrapped.dcd", **options)
    for clock in ({"timestep": "1 fs"}, {"frame_interval": 0.2}, {"timestep": 0.001, "units": "real"}):
        assert read(caf2 / "wrapped.dcd", **clock, **options).frame_interval == pytest.approx(0.2)
    assert read(caf2 / "wrapped.dcd", units="lj", frame_interval=0.1, **options).reduced


def test_the_time_of_an_xtc_is_in_the_file_and_evened_out(caf2):
    traj = read(caf2 / "wrapped.xtc", species=["F"] * 375)
    assert traj.frame_interval == pytest.approx(0.2, rel=1e-6)
    assert np.ptp(np.diff(traj.time)) < 1e-9
    assert read(caf2 / "wrapped.xtc", species=["F"] * 375, units="real").frame_interval == pytest.approx(0.2, rel=1e-6)


def test_no_file_appears_beside_what_is_read(caf2, tmp_path):
    for name in ("wrapped.xtc", "wrapped.dcd"):
        path = tmp_path / name
        path.write_bytes((caf2 / name).read_bytes())
        read(path, species="X", frame_interval=0.2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wrapped.dcd", "wrapped.xtc"]


def test_a_moving_cell_without_origin_is_noted(caf2):
    traj = read(caf2 / "npt_wrapped.xtc", topology=caf2 / "equil.restricted.data")
    assert any("does not hold the origin of the cell" in note for note in traj.notes)
    assert not traj.fixed_cell


def test_a_binary_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    for name in ("noise.dcd", "noise.xtc", "noise.trr"):
        (tmp_path / name).write_bytes(b"this is no trajectory" * 20)
        refused(f"{name}: is not a {name[6:].upper()} file, its first bytes say otherwise", tmp_path / name, frame_interval=1)
    refused("cannot be opened", tmp_path / "missing.dcd", frame_interval=1)


def test_damage_to_packed_positions_is_found_and_never_followed(caf2, tmp_path):
    content = (caf2 / "wrapped.xtc").read_bytes()[:20000]
    path, rng = tmp_path / "broken.xtc", np.random.default_rng(0)
    refusals = 0
    for _ in range(150):
        broken = bytearray(content)
        for at in rng.integers(0, len(broken), 3):
            broken[at] = rng.integers(256)
        path.write_bytes(broken)
        frames = []
        try:
            frames = gromacs.read_files([path], None)[0]
            frames.load(np.arange(frames.n_frames))
        except TrajectoryError:
            refusals += 1
    # a changed bit within a number is a number still; what does not fit the frame is found
    assert 20 < refusals < 150


@pytest.mark.parametrize("at", range(0, 140, 4))
@pytest.mark.parametrize("value", [2**31 - 1, -1, 2**27])
def test_impossible_counts_in_a_trr_are_refused_before_memory_is_asked_for(at, value, trr):
    path, _, _ = trr(["xv"] * 3)
    content = path.read_bytes()
    path.write_bytes(content[:at] + struct.pack(">i", value) + content[at + 4 :])
    try:
        assert gromacs.read_files([path], None)[0].n_frames <= 3
    except TrajectoryError as refusal:
        assert "small.trr" in str(refusal)  # noqa: PT017
