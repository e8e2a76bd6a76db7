"""Extended xyz: who wrote it decides the units; against ASE; every way of being cut."""

import gzip
import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.io import read as ase_read
from ase.io import write

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.extxyz import read_extxyz
from mdtools.units import ASE_TIME

LATTICE = 'Lattice="6 0 0 2 6 0 1 2 6"'


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    cell = np.array([[6, 0, 0], [2, 6, 0], [1, 2, 6.0]])
    path = rng.uniform(0, 1, (1, 4, 3)) + np.cumsum(rng.uniform(-0.1, 0.1, (5, 4, 3)), axis=0)
    out = []
    for number, frame in enumerate(path):
        atoms = Atoms("LiLiSS", scaled_positions=frame - np.floor(frame), cell=cell * (1 + number / 100), pbc=True)
        atoms.set_velocities(rng.normal(size=(4, 3)) * 0.01)
        out.append(atoms)
    return out


@pytest.fixture
def xyz(tmp_path):
    def make(frames, *, comment=LATTICE, name="run.xyz"):
        """frames : lists of rows as text."""
        path = tmp_path / name
        comments = [comment] * len(frames) if isinstance(comment, str) else comment
        path.write_text("".join(f"{len(rows)}\n{text}\n" + "".join(f"{row}\n" for row in rows) for rows, text in zip(frames, comments, strict=True)))
        return path

    return make


def test_ase_reads_the_same(images, tmp_path):
    path = tmp_path / "run.extxyz"
    for atoms in images:
        atoms.pbc = [True, True, False]
    write(path, images)
    theirs = ase_read(path, index=":")
    ours = read_extxyz(path)
    block = ours.load(np.arange(5))
    assert np.abs(block.scaled @ ours.cell - [atoms.positions for atoms in theirs]).max() < 1e-12
    assert np.allclose(block.velocities, [atoms.get_velocities() / ASE_TIME for atoms in theirs], rtol=1e-12)
    assert np.array_equal(ours.cell, [atoms.cell.array for atoms in theirs])
    assert ours.periodic.tolist() == [True, True, False]
    assert ours.labels.tolist() == ["Li", "Li", "S", "S"]


def test_masses_of_the_file_divide_its_momenta(images, tmp_path):
    for atoms in images:
        atoms.set_masses([6.0, 7.0, 32.0, 34.0])
        atoms.set_initial_charges([1, 1, -1, -1])
    path = tmp_path / "run.extxyz"
    write(path, images)
    traj = read(path, frame_interval=1, precision="float64")
    assert traj.masses.tolist() == [6, 7, 32, 34]
    assert traj.charges.tolist() == [1, 1, -1, -1]
    assert np.allclose(traj.velocities, [atoms.get_momenta() / atoms.get_masses()[:, None] / ASE_TIME for atoms in images], atol=1e-6)


def test_gpumd_writes_fs_and_its_cell_changes(files):
    path = files / "other" / "extxyz" / "BaTiS3_gpumd_npt_first6.extxyz.gz"
    traj = read(path, precision="float64")
    assert np.allclose(traj.time, 202.5 + 2.5 * np.arange(6))
    assert np.allclose(
        traj.cell[0], [[26.94944546, 0.0134099, 0.00162887], [-13.46314186, 23.35069706, 0.01344242], [0.00143201, 0.01417822, 23.1831068]]
    )
    assert np.ptp(traj.cell, axis=0).max() > 1e-2
    text = gzip.decompress(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import io

        theirs = ase_read(io.StringIO(text.decode()), index=":", format="extxyz")
    ours = read_extxyz(path)
    assert np.abs(ours.load(np.arange(6)).scaled @ ours.cell - [atoms.positions for atoms in theirs]).max() < 1e-9
    assert np.allclose(ours.cell, [atoms.cell.array for atoms in theirs])


def test_velocities_of_gpumd_are_angstrom_per_fs(xyz):
    rows = ["Li 1 1 1 6.94 0.001 0 -0.002"]
    header = 'Time={:.8f} pbc="T T T" ' + LATTICE + " Properties=species:S:1:pos:R:3:mass:R:1:vel:R:3"
    path = xyz([rows] * 3, comment=[header.format(time) for time in (0, 10, 20)])
    traj = read(path, precision="float64")
    assert np.allclose(traj.velocities[0, 0], [1, 0, -2])
    assert traj.masses.tolist() == [6.94]
    assert traj.frame_interval == pytest.approx(0.01)
    assert any("angstrom/fs, as GPUMD" in note for note in traj.notes)
    assert np.allclose(read(path, units="metal", precision="float64").velocities[0, 0], [0.001, 0, -0.002])


def test_unwrapped_positions_are_preferred(xyz):
    header = LATTICE + " Properties=species:S:1:pos:R:3:unwrapped_position:R:3"
    traj = read(xyz([["Li 1 1 1 1 1 1"], ["Li 2 2 2 8 2 2"]], comment=header), frame_interval=1, precision="float64")
    assert traj.history[0]["unwrapping"] == "by the file"
    assert np.allclose((traj.scaled_positions[1] - traj.scaled_positions[0]) @ traj.cell[0], [7, 1, 1])


def test_time_needs_a_unit(xyz):
    frames = [["Li 1 1 1"]] * 3
    for key, factor in (("time_fs", 1e-3), ("time_ps", 1.0), ("time(fs)", 1e-3)):
        assert read(xyz(frames, comment=[f"{LATTICE} {key}={t}" for t in (0, 2, 4)])).frame_interval == pytest.approx(2 * factor)
    unknown = xyz(frames, comment=[f"{LATTICE} Time={t}" for t in (0, 2, 4)])
    with pytest.raises(TrajectoryError, match="how much time lies between frames"):
        read(unknown)
    assert any("the key Time is left out" in note for note in read(unknown, frame_interval=1).notes)
    assert read(unknown, units="real").frame_interval == pytest.approx(0.002)
    steps = xyz(frames, comment=[f"{LATTICE} step={t}" for t in (0, 20, 40)])
    assert read(steps, timestep="1 fs").frame_interval == pytest.approx(0.02)
    constant = xyz(frames, comment=[f"{LATTICE} Time=0 timestep=0.5"] * 3)
    assert any("does not grow" in note for note in read(constant, frame_interval=1).notes)


def test_atoms_are_sorted_by_id(xyz):
    header = LATTICE + " Properties=id:I:1:species:S:1:pos:R:3"
    traj = read(xyz([["2 S 2 2 2", "1 Li 1 1 1"], ["1 Li 1.1 1 1", "2 S 2.1 2 2"]], comment=header), frame_interval=1, precision="float64")
    assert traj.species.tolist() == ["Li", "S"]
    assert np.allclose(np.diff(traj.scaled_positions, axis=0) @ traj.cell[0], [0.1, 0, 0])


def test_types_need_names(xyz):
    path = xyz([["1 1 1 1", "2 2 2 2"]] * 2, comment=LATTICE + " Properties=type:I:1:pos:R:3")
    with pytest.raises(TrajectoryError, match="atoms are of types 1, 2"):
        read(path, frame_interval=1)
    assert read(path, frame_interval=1, species={1: "Li", 2: "S"}).species.tolist() == ["Li", "S"]


def test_an_origin_is_subtracted(xyz):
    traj = read(xyz([["Li 0.5 0.5 0.5"]] * 2, comment=LATTICE + ' Origin="-1 -2 -3"'), frame_interval=1, precision="float64")
    assert np.allclose(traj.scaled_positions[0] @ traj.cell[0], [1.5, 2.5, 3.5])


def test_a_plain_file_takes_the_cell_of_a_topology(xyz, tmp_path):
    poscar = tmp_path / "POSCAR"
    poscar.write_text("Li S\n1.0\n5 0 0\n0 5 0\n0 0 5\nLi S\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    path = xyz([["Li 1 1 1 9.9", "S 2 2 2 9.9"]] * 2, comment="no lattice here")
    with pytest.raises(TrajectoryError, match=r"frame 0 has no cell.*topology="):
        read(path, frame_interval=1)
    traj = read(path, frame_interval=1, topology=poscar, precision="float64")
    assert np.allclose(traj.cell, np.eye(3) * 5)
    assert np.allclose(traj.scaled_positions[0], [[0.2] * 3, [0.4] * 3])
    assert any("the cell is that of" in note for note in traj.notes)


@pytest.mark.parametrize("name", ["run.extxyz.gz", "run.extxyz.xz", "run.extxyz.bz2"])
def test_however_it_is_packed(name, images, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(tmp_path / name, images)
    write(tmp_path / "plain.extxyz", images)
    assert np.array_equal(read_extxyz(tmp_path / name).load(np.arange(5)).scaled, read_extxyz(tmp_path / "plain.extxyz").load(np.arange(5)).scaled)


def test_a_file_cut_anywhere_gives_its_intact_frames(images, tmp_path):
    path = tmp_path / "run.extxyz"
    write(path, images)
    content = path.read_bytes()
    known = read_extxyz(path).load(np.arange(5)).scaled
    ends = known_ends(content)
    refused = []
    near = {end + shift for end in ends for shift in range(-4, 5) if end + shift < len(content)}
    for cut in sorted(near | set(np.random.default_rng(0).integers(1, len(content), 200).tolist())):
        path.write_bytes(content[:cut])
        try:
            frames = read_extxyz(path)
            found = frames.load(np.arange(frames.n_frames)).scaled
        except TrajectoryError as refusal:
            refused.append(("run.extxyz" in str(refusal), cut))
            continue
        # a frame is whole without the end of its last line, as long as its last number has all its digits
        assert frames.n_frames == sum(end - 1 <= cut for end in ends)
        assert np.array_equal(found, known[: frames.n_frames])
        whole = {0, *ends, *(end - 1 for end in ends)}
        assert any("the last, ends" in note for note in frames.notes) == (cut not in whole)
    assert all(named and cut < ends[0] - 1 for named, cut in refused)


def known_ends(content):
    ends, at = [], 0
    while at < len(content):
        for _ in range(6):
            at = content.index(b"\n", at) + 1
        ends.append(at)
    return ends


@pytest.mark.parametrize(
    ("frames", "comment", "message"),
    [
        ([["Li 1 1 1"], ["Li 1 1 1", "Li 2 2 2"]], LATTICE, r"frame 1, line 4: holds 2 atoms, the first frame 1"),
        ([["Li 1 1 1", "S 1 1 2"], ["S 1 1 1", "Li 1 1 2"]], LATTICE, r"frame 1, line 7: the row of atom 1 is of another element"),
        ([["Li 1 1 1"], ["Li 1 x 1"]], LATTICE, r"frame 1, line 6: the row of atom 1 is not 4 columns with numbers"),
        ([["Li 1 1 1"], ["Li 1 1"]], LATTICE, r"frame 1, line 6: the row of atom 1 is not 4 columns"),
        ([["Li 1 1 1"], ["Li 1 1 1 1"]], LATTICE, r"frame 1, line 6: the row of atom 1 has columns that were not announced"),
        ([["Li 1 1 1"], ["Li 1 1 1", "7"]], [LATTICE] * 2, r"frame 1, line 4: holds 2 atoms"),
        ([["Li 1 1 1"]] * 2, [LATTICE, 'Lattice="6 0 0 2 6 0 1 2"'], r"frame 1: Lattice is not nine numbers"),
        ([["Li 1 1 1"]] * 2, [LATTICE, "Lost"], r"frame 1 has no cell"),
        ([["Li 1 1 1"]] * 2, [LATTICE + " Properties=species:S:1:pos:R:3", LATTICE + " Properties=pos:R:3:species:S:1"], r"frame 1: the columns"),
        ([["x" * 300_000 + " 1 1 1"]], LATTICE, r"frame 0, line 3: the row of atom 1 has no label in column 1"),
        ([["Li 1 1 1"]], LATTICE + " Properties=species:S:1:pos:R", r"is not a list of name:type:number"),
        ([["Li 1 1 1"]], LATTICE + " Properties=species:S:1:force:R:3", r"no column pos"),
        ([["1 Li 1 1 1", "1 Li 2 2 2"]], LATTICE + " Properties=id:I:1:species:S:1:pos:R:3", r"frame 0: an id stands there twice"),
    ],
)
def test_what_is_wrong_is_refused_with_frame_and_line(frames, comment, message, xyz):
    with pytest.raises(TrajectoryError, match=message):
        read(xyz(frames, comment=comment), frame_interval=1)


def test_a_lost_or_repeated_row_is_refused(xyz, tmp_path):
    rows = ["Li 1 1 1", "Li 2 2 2"]
    path = xyz([rows] * 3)
    lines = path.read_text().splitlines(keepends=True)
    for damaged in (lines[:6] + lines[7:], lines[:7] + lines[6:]):
        path.write_text("".join(damaged))
        with pytest.raises(TrajectoryError, match=r"frame \d, line \d+: .* is not a number of atoms"):
            read(path, frame_interval=1)
    for last in (lines + lines[-1:], [*lines, lines[-1].rstrip()]):
        path.write_text("".join(last))
        with pytest.raises(TrajectoryError, match=r"frame 3, line 13: .* is not a number of atoms"):
            read(path, frame_interval=1)


def test_huge_counts_cost_nothing(xyz):
    path = xyz([["Li 1 1 1"]])
    path.write_text(path.read_text().replace("1\n", "999999999999\n", 1))
    with pytest.raises(TrajectoryError, match="no whole frame is left"):
        read(path)


def test_frames_of_different_number_are_refused(files):
    with pytest.raises(TrajectoryError, match=r"frame 1, line 4: holds 2 atoms, the first frame 1"):
        read(files / "other" / "extxyz" / "mixed_traj.xyz", frame_interval=1)
