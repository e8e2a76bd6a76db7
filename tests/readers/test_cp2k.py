"""CP2K: positions with the velocities and cells beside them, against the kinetic energies CP2K printed."""

import gzip
import json
import shutil

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.cp2k import read_cp2k
from mdtools.units import BOLTZMANN, HARTREE, KINETIC_TO_EV


@pytest.fixture
def folder(files, tmp_path):
    """The run, unpacked, in a folder of its own."""
    for path in (files / "other" / "cp2k_npt").iterdir():
        if path.suffix == ".gz":
            (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        else:
            shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def positions(folder):
    return folder / "PROJECT-pos-1.xyz"


def test_kinetic_energies_are_those_cp2k_printed(files, positions):
    expected = json.loads((files / "EXPECTED.json").read_text())["cp2k_npt"]
    printed = np.loadtxt(positions.parent / "PROJECT-1.ener")
    traj = read(positions, precision="float64")
    assert (traj.n_frames, traj.n_atoms) == (16, 57)
    assert np.allclose(traj.time, np.arange(16) * 0.001)
    kinetic = 0.5 * np.einsum("a,fax,fax->f", traj.masses, traj.velocities, traj.velocities) * KINETIC_TO_EV / HARTREE
    assert np.allclose(kinetic, printed[:, 2], rtol=1e-4)
    assert kinetic[3] == pytest.approx(expected["kinetic_energy_frame3_Ha"], rel=1e-4)
    assert np.allclose(2 * kinetic * HARTREE / (3 * 57 - 3) / BOLTZMANN, printed[:, 3], rtol=1e-4)


def test_the_cell_changes_with_the_file_beside(positions):
    table = np.loadtxt(positions.parent / "PROJECT-1.cell")
    traj = read(positions, precision="float64")
    assert np.allclose(traj.cell.reshape(-1, 9), table[:, 2:11], atol=0)
    assert np.allclose(np.linalg.det(traj.cell), table[:, 11], atol=1e-6)
    # the first row of the file, by hand
    assert np.allclose((traj.scaled_positions[0, 0] @ traj.cell[0]) % 8.4, [3.589, 3.755, 4.394])


def test_velocities_agree_with_the_positions(positions):
    traj = read(positions, precision="float64")
    speed = (traj.scaled_positions[2:] - traj.scaled_positions[:-2]) @ traj.cell.mean(axis=0) / 0.002
    middle = traj.velocities[1:-1]
    assert np.corrcoef(speed.ravel(), middle.ravel())[0, 1] > 0.98
    assert np.sqrt(np.mean(speed**2) / np.mean(middle**2)) == pytest.approx(1, abs=0.05)


def test_files_may_be_packed_listed_or_elsewhere(files, positions, tmp_path):
    known = read(positions, precision="float64")
    packed = files / "other" / "cp2k_npt"
    assert np.array_equal(read(packed / "PROJECT-pos-1.xyz.gz", precision="float64").velocities, known.velocities)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    lonely = shutil.copy(positions, elsewhere / "other-pos-1.xyz")
    with pytest.raises(TrajectoryError, match=r"has no cell, and no .cell file lies beside it; pass topology="):
        read(lonely)
    assert read(lonely, topology=positions.parent / "PROJECT-1.cell").velocities is None
    assert np.array_equal(read(lonely, topology=positions.parent / "PROJECT-1.cell").cell, known.cell)
    listed = read([positions.parent / "PROJECT-1.cell", lonely, positions.parent / "PROJECT-vel-1.xyz"], precision="float64")
    assert np.array_equal(listed.velocities, known.velocities)
    assert np.array_equal(listed.scaled_positions, known.scaled_positions)


def test_a_fixed_cell_may_come_from_a_topology(positions, tmp_path):
    (positions.parent / "PROJECT-1.cell").unlink()
    poscar = tmp_path / "POSCAR"
    poscar.write_text("all\n1.0\n8.5 0 0\n0 8.5 0\n0 0 8.5\nSr Cl O H\n1 2 18 36\nDirect\n" + "0 0 0\n" * 57)
    traj = read(positions, topology=poscar)
    assert np.allclose(traj.cell, np.eye(3) * 8.5)
    assert any("the cell is that of" in note for note in traj.notes)


def test_one_cell_is_that_of_all_frames_only_where_the_user_says_so(positions):
    cells = positions.parent / "PROJECT-1.cell"
    cells.write_text("".join(cells.read_text().splitlines(keepends=True)[:2]))
    beside = read(positions)
    assert beside.n_frames == 1  # a file that was cut
    assert any("the last 15 frames are dropped, because PROJECT-1.cell ends" in note for note in beside.notes)
    assert read(positions, topology=cells).n_frames == 16


def test_files_without_positions_are_refused(positions):
    for name in ("PROJECT-vel-1.xyz", "PROJECT-1.cell"):
        with pytest.raises(TrajectoryError, match=r"holds no positions; pass the -pos-1.xyz"):
            read(positions.parent / name)


def test_trailing_blank_lines_do_no_harm(positions):
    positions.write_bytes(positions.read_bytes() + b"\n \n\n")
    assert read(positions).n_frames == 16


def test_frames_beyond_a_cut_file_are_dropped_and_counted(positions):
    known = read(positions, precision="float64")
    for name in ("PROJECT-vel-1.xyz", "PROJECT-1.cell"):
        path = positions.parent / name
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        traj = read(positions, precision="float64")
        assert 6 <= traj.n_frames <= 8
        assert any(f"frames are dropped, because {name} ends before them" in note for note in traj.notes)
        assert np.array_equal(traj.velocities, known.velocities[: traj.n_frames])
        assert np.array_equal(traj.cell, known.cell[: traj.n_frames])
        path.write_bytes(content)


def test_velocities_of_other_atoms_are_left_out_or_refused(positions):
    velocities = positions.parent / "PROJECT-vel-1.xyz"
    velocities.write_bytes(velocities.read_bytes().replace(b" Sr ", b" Ba "))
    traj = read(positions)
    assert traj.velocities is None
    assert any("the velocities beside are left out" in note for note in traj.notes)
    with pytest.raises(TrajectoryError, match=r"its atoms are not those of PROJECT-pos-1.xyz"):
        read([positions, velocities])


def test_velocities_of_other_steps_are_refused(positions):
    velocities = positions.parent / "PROJECT-vel-1.xyz"
    velocities.write_bytes(velocities.read_bytes().replace(b" i =        3,", b" i =       33,"))
    with pytest.raises(TrajectoryError, match="does not hold the velocities of all steps"):
        read([positions, velocities])


def test_a_file_cut_anywhere_gives_its_intact_frames(positions):
    content = positions.read_bytes()
    known = read_cp2k(positions, cells=positions.parent / "PROJECT-1.cell").load(np.arange(16)).scaled
    size = len(content) // 16
    for cut in np.random.default_rng(0).integers(size, len(content), 30).tolist():
        positions.write_bytes(content[:cut])
        frames = read_cp2k(positions, cells=positions.parent / "PROJECT-1.cell")
        assert frames.n_frames == (cut + 1) // size
        assert np.array_equal(frames.load(np.arange(frames.n_frames)).scaled, known[: frames.n_frames])
        assert any("the last, ends" in note for note in frames.notes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b" i =        3,", b" i =        x,", r"frame 3: the comment .* says no i = step"),
        (b"time =        3.000", b"time =        3.0.0", r"a time that is no number"),
        (b" Sr ", b" Ba ", r"frame 0"),
    ],
)
def test_damage_is_refused(old, new, message, positions):
    content = positions.read_bytes()
    assert old in content
    at = content.index(b" Sr ", 5000) if old == b" Sr " else 0
    positions.write_bytes(content[:at] + content[at:].replace(old, new, 1))
    with pytest.raises(TrajectoryError, match=message if at == 0 else r"frame \d, line \d+: the row of atom 1 is of another element"):
        read(positions)


def test_a_damaged_cell_is_refused_with_its_line(positions):
    path = positions.parent / "PROJECT-1.cell"
    path.write_text(path.read_text().replace("8.4331083383", "8.4331o83383"))
    with pytest.raises(TrajectoryError, match=r"PROJECT-1.cell: line 3: .* is not a step, a time"):
        read(positions)
