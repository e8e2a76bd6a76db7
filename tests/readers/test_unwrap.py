"""Unwrapping undoes wrapping: any cell, changing cells, box flips; and refuses where it cannot know."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.frames import Block, Frames
from mdtools.readers.unwrap import Unwrapper, continuous_basis

CELLS = {
    "cubic": [[10, 0, 0], [0, 10, 0], [0, 0, 10]],
    "tilted": [[10, 0, 0], [4.9, 9, 0], [-4.8, 4.4, 11]],
    "strongly tilted": [[10, 0, 0], [14, 9, 0], [-17, 11, 8]],
}


def frames_of(scaled, cell, placement="wrapped", periodic=(True, True, True)):
    return Frames(
        source="memory",
        kind="test",
        units="metal",
        cell=np.broadcast_to(cell, (len(scaled), 3, 3)),
        periodic=np.array(periodic),
        ids=np.arange(1, scaled.shape[1] + 1),
        placement=placement,
        load=lambda which: Block(scaled=scaled[which]),
    )


def unwrapped(frames, n_frames, block):
    machine = Unwrapper(frames, None)
    parts = [np.arange(first, min(first + block, n_frames)) for first in range(0, n_frames, block)]
    out = np.empty((n_frames, frames.n_atoms, 3))
    for part in parts:
        machine.extend(frames.load(part).scaled, part, part, out[part[0] : part[-1] + 1])
    return out


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.floats(0.01, 0.39))
def test_wrapping_is_undone_whatever_the_blocks(seed, block, largest):
    rng = np.random.default_rng(seed)
    steps = rng.uniform(-largest, largest, (30, 5, 3))
    path = rng.uniform(0, 1, (1, 5, 3)) + np.cumsum(np.concatenate([np.zeros((1, 5, 3)), steps]), axis=0)
    out = unwrapped(frames_of(path - np.floor(path), np.eye(3)), 31, block)
    assert np.allclose(out, path - np.floor(path[0]), atol=1e-12)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("columns", ["id type xs ys zs", "id type x y z", "id type x y z ix iy iz", "id type xu yu zu", "id type zsu ysu xsu"])
def test_a_random_walk_comes_back_from_every_column_form(cell, columns, dump):
    rng = np.random.default_rng(1)
    cell = np.array(cell, dtype=float)
    origin = np.array([-3.0, 2.0, 0.5])
    path = rng.uniform(0, 1, (1, 8, 3)) + np.cumsum(rng.uniform(-0.3, 0.3, (20, 8, 3)), axis=0)
    images = np.floor(path)
    values = {
        **dict(zip(("xs", "ys", "zs"), np.moveaxis(path - images, -1, 0), strict=True)),
        **dict(zip(("xsu", "ysu", "zsu"), np.moveaxis(path, -1, 0), strict=True)),
        **dict(zip(("x", "y", "z"), np.moveaxis((path - images) @ cell + origin, -1, 0), strict=True)),
        **dict(zip(("xu", "yu", "zu"), np.moveaxis(path @ cell + origin, -1, 0), strict=True)),
        **dict(zip(("ix", "iy", "iz"), np.moveaxis(images, -1, 0), strict=True)),
    }
    values["id"] = np.tile(np.arange(1, 9), (20, 1))
    values["type"] = np.ones((20, 8))
    rows = [np.stack([values[name][t] for name in columns.split()], axis=-1)[rng.permutation(8)] for t in range(20)]
    (lx, ly, lz), (xy, xz, yz) = np.diag(cell), (cell[1, 0], cell[2, 0], cell[2, 1])
    low = origin + np.array([min(0, xy, xz, xy + xz), min(0, yz), 0])
    high = origin + np.array([lx + max(0, xy, xz, xy + xz), ly + max(0, yz), lz])
    box = "xy xz yz pp pp pp\n" + "\n".join(f"{a:.17g} {b:.17g} {c:.17g}" for a, b, c in zip(low, high, (xy, xz, yz), strict=True))
    traj = read(dump(columns, rows, box=box), units="metal", timestep=0.001, species={1: "Li"}, precision="float64")
    assert np.allclose(traj.cell, cell)
    assert np.allclose(traj.scaled_positions, path - np.floor(path[0]), atol=1e-9)


def test_coordinates_that_are_unwrapped_already_are_left_alone():
    rng = np.random.default_rng(2)
    path = rng.uniform(0, 1, (1, 4, 3)) + np.cumsum(rng.uniform(-0.2, 0.2, (50, 4, 3)), axis=0)
    assert np.allclose(unwrapped(frames_of(path, np.eye(3)), 50, 9), path - np.floor(path[0]), atol=1e-12)


def test_no_image_is_taken_along_a_direction_that_is_not_periodic(dump):
    frames = [[[1, 1, 1.0, 1.0, 1.0], [2, 1, 5.0, 5.0, 1.0]], [[1, 1, 9.9, 1.0, 4.0], [2, 1, 5.0, 5.0, 1.0]]]
    traj = read(dump("id type x y z", frames, box="pp pp ff\n0 10\n0 10\n0 10"), units="metal", timestep=0.001, species={1: "Li"})
    assert np.allclose(traj.scaled_positions[1, 0], [-0.01, 0.1, 0.4], atol=1e-6)


def test_a_step_beyond_0_4_of_a_cell_vector_is_refused_and_named(dump):
    frames = [[[1, 1, 1.0, 1.0, 1.0], [7, 1, 5.0, 5.0, 1.0]], [[1, 1, 1.0, 1.0, 1.0], [7, 1, 5.0, 9.5, 1.0]]]
    with pytest.raises(
        TrajectoryError, match=r"frame 1 \(step 10\): atom id 7 is 0.45 of cell vector b .* dump image flags \(ix iy iz\) or xu yu zu"
    ):
        read(dump("id type x y z", frames), units="metal", timestep=0.001, species={1: "Li"})


def test_the_same_step_is_allowed_where_the_file_tells_the_image(dump):
    frames = [[[1, 1, 1.0, 1.0, 1.0, 0, 0, 0]], [[1, 1, 1.0, 9.5, 1.0, 0, -3, 0]]]
    traj = read(dump("id type x y z ix iy iz", frames), units="metal", timestep=0.001, species={1: "Li"})
    assert np.allclose(traj.scaled_positions[1, 0] - traj.scaled_positions[0, 0], [0, 0.85 - 3, 0], atol=1e-6)


def test_stride_does_not_thin_out_the_frames_that_unwrapping_needs(dump):
    rng = np.random.default_rng(3)
    path = rng.uniform(0, 1, (1, 4, 3)) + np.cumsum(rng.uniform(-0.35, 0.35, (40, 4, 3)), axis=0)
    rows = [[[i + 1, 1, *(10 * (p - np.floor(p)))] for i, p in enumerate(frame)] for frame in path]
    file = dump("id type x y z", rows)
    options = {"units": "metal", "timestep": 0.001, "species": {1: "Li"}, "precision": "float64"}
    whole, part = read(file, **options), read(file, **options, begin=0.05, stride=7)
    assert np.allclose(part.time, whole.time[5::7])
    assert np.allclose(part.scaled_positions - part.scaled_positions[0], (whole.scaled_positions - whole.scaled_positions[5])[5::7], atol=1e-12)


def test_a_box_flip_is_undone_and_counted(dump):
    rng = np.random.default_rng(4)
    path = rng.uniform(0, 1, (1, 6, 3)) + np.cumsum(rng.uniform(-0.05, 0.05, (12, 6, 3)), axis=0)
    rows, boxes = [], []
    for t, frame in enumerate(path):
        xy = 3.0 + 0.5 * t  # sheared on until LAMMPS subtracts a whole edge
        cell = np.array([[10, 0, 0], [xy, 10, 0], [0, 0, 10.0]])
        written = cell.copy()
        if xy > 5:
            written[1, 0] -= 10
        cartesian = frame @ cell
        scaled = cartesian @ np.linalg.inv(written)
        images = np.floor(scaled)
        inside = (scaled - images) @ written
        rows.append([[i + 1, 1, *r, *n] for i, (r, n) in enumerate(zip(inside, images, strict=True))])
        tilt = written[1, 0]
        boxes.append(f"xy xz yz pp pp pp\n{min(0, tilt)} {10 + max(0, tilt)} {tilt}\n0 10 0\n0 10 0")
    options = {"units": "metal", "timestep": 0.001, "species": {1: "Li"}, "precision": "float64"}
    with_images = read(dump("id type x y z ix iy iz", rows, boxes=boxes), **options)
    nearest = read(dump("id type x y z a b c", rows, boxes=boxes), **options)
    for traj in (with_images, nearest):
        assert np.allclose(traj.scaled_positions, path - np.floor(path[0]), atol=1e-9)
        assert np.allclose(traj.cell[:, 1, 0], 3.0 + 0.5 * np.arange(12))
        assert any("box flip" in note for note in traj.notes)


def test_cells_that_do_not_flip_are_returned_as_they_are():
    cell = np.eye(3) * np.linspace(10, 12, 20)[:, None, None]
    same, basis, flips = continuous_basis(cell, "memory")
    assert same is cell
    assert basis is None
    assert len(flips) == 0


def test_what_comes_after_the_wanted_part_may_change_its_cell(dump):
    rows = [[1, 1, 1.0, 1.0, 1.0]]
    boxes = ["pp pp pp\n0 10\n0 10\n0 10"] * 3 + ["pp pp pp\n0 3\n0 3\n0 3"]
    path = dump("id type x y z", [rows] * 4, boxes=boxes)
    options = {"units": "metal", "timestep": 0.1, "species": {1: "Li"}}
    assert read(path, end=2, **options).n_frames == 3
    with pytest.raises(TrajectoryError, match=r"frame 3 is unrelated .* end="):
        read(path, **options)


def test_an_unrelated_cell_is_refused():
    with pytest.raises(TrajectoryError, match="frame 1 is unrelated"):
        continuous_basis(np.array([np.eye(3) * 10, np.eye(3) * 4]), "memory")


# -- a sheared Lennard-Jones liquid of LAMMPS whose box flips three times -------------------------------------------------


LJ = {"units": "lj", "timestep": 0.004, "species": {1: "A"}, "masses": {"A": 1.0}, "precision": "float64"}
SHEAR = np.array([[0, 0, 0], [0.20, 0, 0], [-0.09, 0.05, 0]])  # rates of xy, xz, yz in in.flip
EDGE = 3.3515344


@pytest.fixture(scope="module")
def sheared(files, tmp_path_factory):
    """The same run as wrapped, image-flag and unwrapped columns; and positions, velocities and steps of the text."""
    text = gzip.decompress((files / "lammps" / "flip" / "flip.lammpstrj.gz").read_bytes()).decode()
    columns = "x y z ix iy iz xu yu zu"
    forms = {"image flags": "x y z ix iy iz a b c", "unwrapped": "a b c d e f xu yu zu", "wrapped": "x y z a b c d e f"}
    folder = tmp_path_factory.mktemp("flip")
    for name, names in forms.items():
        (folder / f"{name}.lammpstrj").write_text(text.replace(columns, names))
    table = np.array([[line.split() for line in frame.splitlines()[8:40]] for frame in text.split("ITEM: TIMESTEP\n")[1:]], dtype=float)
    return {name: read(folder / f"{name}.lammpstrj", **LJ) for name in forms}, table


def test_flips_of_a_real_run_are_counted_and_the_cell_shears_on(sheared):
    trajectories, _ = sheared
    for traj in trajectories.values():
        assert any("the basis of the cell changed 3 times (box flip, first at 2.56 ps)" in note for note in traj.notes)
        expected = EDGE * (np.eye(3) + SHEAR * traj.time[:, None, None])
        # a flip keeps rows of one lattice: what LAMMPS took from xz with a flip of xy stays in the basis of the first frame
        assert np.allclose(traj.cell, expected, atol=2e-6)


def test_paths_of_a_real_run_go_on_through_flips(sheared):
    trajectories, table = sheared
    images, unwrapped, nearest = (trajectories[name] for name in ("image flags", "unwrapped", "wrapped"))
    assert images.history[0]["positions"] == "x y z ix iy iz"
    assert (unwrapped.history[0]["positions"], nearest.history[0]["positions"]) == ("xu yu zu", "x y z")
    for traj in (images, nearest):
        assert np.allclose(traj.scaled_positions, unwrapped.scaled_positions, atol=1e-7)
    # the unwrapped columns of LAMMPS do not jump at a flip, and ours are those but for whole cells at the start
    home = np.rint(table[0, :, 8:11] @ np.linalg.inv(images.cell[0]) - images.scaled_positions[0])
    assert np.allclose((images.scaled_positions + home) @ images.cell + images.origin[:, None], table[:, :, 8:11], atol=1e-7)
    # no ion moves further over a flip than elsewhere
    steps = np.abs(np.diff(images.scaled_positions, axis=0)).max(axis=(1, 2))
    assert steps[[31, 69, 93]].max() < steps.max() < 0.2  # into steps 640, 1400 and 1880


def test_velocities_are_not_touched_by_a_flip(sheared):
    trajectories, table = sheared
    for traj in trajectories.values():
        assert np.array_equal(traj.velocities, table[:, :, 11:14])


def test_shear_that_could_be_a_flip_is_refused():
    cell = np.array([[[10, 0, 0], [0, 10, 0], [0, 0, 10.0]], [[10, 0, 0], [4.6, 10, 0], [0, 0, 10.0]]])
    with pytest.raises(TrajectoryError, match=r"frame 1 is sheared by 0.46 .* whether the box flipped .* at least 3 times as often"):
        continuous_basis(cell, "memory")


# -- how often frames must be stored ------------------------------------------------------------------------------------


@pytest.mark.parametrize("thinned", [4, 6, 12])
def test_the_advice_is_good_for_a_run_of_diffusing_ions(thinned, dump):
    """A dump thinned so far that it is refused is read when it is thinned as much less as the refusal says."""
    rng = np.random.default_rng(6)
    path = rng.uniform(0, 1, (1, 20, 3)) + np.cumsum(rng.normal(0, 0.075, (600, 20, 3)), axis=0)

    def thin(every):
        kept = range(0, 600, every)
        rows = [[[i + 1, 1, *s] for i, s in enumerate(path[k] - np.floor(path[k]))] for k in kept]
        return dump("id type xs ys zs", rows, steps=[100 * k for k in kept])

    with pytest.raises(TrajectoryError, match=rf"times as often \(every \d+ steps, not {100 * thinned}\)") as refusal:
        read(thin(thinned), units="metal", timestep=0.001, species={1: "Li"})
    every = int(re.search(r"every (\d+) steps", str(refusal.value))[1])
    assert every <= 100 * thinned / 2
    traj = read(thin(max(1, every // 100)), units="metal", timestep=0.001, species={1: "Li"})
    assert np.allclose(traj.scaled_positions - traj.scaled_positions[0], path[:: max(1, every // 100)] - path[0], atol=1e-5)


def test_the_advice_is_good_for_a_real_run(caf2, metal, dump):
    """Frames of the CaF2 run without image flags are refused where they are sparse; as often as is advised they are read."""
    text = gzip.decompress((caf2 / "wrapped_image.lammpstrj.gz").read_bytes()).decode().replace(" ix iy iz", " a b c")
    frames = text.split("ITEM: TIMESTEP\n")[1:]

    def thin(every):
        file = dump("id type x y z", [[[1, 1, 1.0, 1.0, 1.0]]])
        file.write_text("".join("ITEM: TIMESTEP\n" + frame for frame in frames if int(frame.split()[0]) % every == 0))
        return file

    for spacing in (1000, 2000):
        with pytest.raises(TrajectoryError, match=rf"store frames at least \d+ times as often \(every \d+ steps, not {spacing}\)") as refusal:
            read(thin(spacing), **metal)
        every = int(re.search(r"every (\d+) steps", str(refusal.value))[1])
        assert 200 <= every <= spacing / 2
        assert read(thin(every // 200 * 200), **metal).n_frames > 20
