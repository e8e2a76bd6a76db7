"""i-PI: units and cell are in the comment; velocities lie beside."""

import gzip
import json

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.units import ATOMIC_TIME, BOHR


@pytest.fixture
def water(files):
    return files / "other" / "ipi" / "ref_simulation.pos_0.xyz.gz"


@pytest.fixture
def run(tmp_path):
    def write(unit="angstrom", cell="CELL(abcABC):   10.0  10.0  10.0  90.0  90.0  90.0", what="positions", cells="angstrom", bead="0", factor=1.0):
        name = {"positions": "pos", "velocities": "vel", "x_centroid": "xc"}[what]
        path = tmp_path / f"run.{name}_{bead}.xyz"
        rows = np.arange(1, 7).reshape(2, 3)
        text = ""
        for frame in range(3):
            text += f"2\n# {cell}  Step:  {frame * 10}  Bead:  {bead} {what}{{{unit}}}  cell{{{cells}}}\n"
            text += "".join(f"  {symbol} {x:.8e} {y:.8e} {z:.8e}\n" for symbol, (x, y, z) in zip("OH", (rows + frame * 0.1) * factor, strict=True))
        path.write_text(text)
        return path

    return write


def test_bohr_is_not_angstrom(water, files):
    expected = json.loads((files / "EXPECTED.json").read_text())["ipi"]
    traj = read(water, timestep="0.5 fs", precision="float64")
    assert (traj.n_frames, traj.n_atoms) == (6, 648)
    bond = (traj.scaled_positions[0, 1] - traj.scaled_positions[0, 0] + 0.5) % 1 - 0.5
    assert np.linalg.norm(bond @ traj.cell[0]) == pytest.approx(expected["O-H_first_A"], abs=2e-4)
    assert np.allclose(traj.cell[0], np.eye(3) * 35.233 * BOHR, atol=1e-9)
    assert traj.cell[-1, 0, 0] == pytest.approx(35.2182 * BOHR)
    assert np.allclose(traj.time, np.arange(6) * 0.001)  # every second step


def test_units_are_those_of_the_comment(run):
    known = read(run(), timestep=0.001, precision="float64")
    for unit, factor in (("atomic_unit", 1 / BOHR), ("nanometer", 0.1)):
        traj = read(run(unit=unit, factor=factor), timestep=0.001, precision="float64")
        assert np.allclose(traj.scaled_positions, known.scaled_positions, atol=1e-7)
    assert np.allclose(read(run(cells="atomic_unit"), timestep=1).cell, np.eye(3) * 10 * BOHR)
    for unit, cells in (("parsec", "angstrom"), ("angstrom", "parsec")):
        with pytest.raises(TrajectoryError, match="does not state units that are known"):
            read(run(unit=unit, cells=cells), timestep=1)


def test_lengths_and_angles_are_three_vectors(run):
    from ase.geometry import cellpar_to_cell

    traj = read(run(cell="CELL(abcABC):  10.0  11.0  12.0  80.0  85.0  95.0"), timestep=1)
    assert np.allclose(traj.cell[0], cellpar_to_cell([10, 11, 12, 80, 85, 95]))
    matrix = read(run(cell="CELL(H):  10 1 2 0 11 3 0 0 12"), timestep=1)
    assert np.allclose(matrix.cell[0], [[10, 0, 0], [1, 11, 0], [2, 3, 12]])


def test_velocities_beside_are_converted(run):
    path = run()
    run(what="velocities", unit="atomic_unit")
    traj = read(path, timestep=0.001, precision="float64")
    assert np.allclose(traj.velocities[0], np.arange(1, 7).reshape(2, 3) * BOHR / ATOMIC_TIME)
    run(what="velocities", unit="m/s")
    assert np.allclose(read(path, timestep=0.001, precision="float64").velocities[0, 0], [0.01, 0.02, 0.03])


def test_velocities_that_end_early_or_are_of_others(run):
    path, velocities = run(), run(what="velocities", unit="atomic_unit")
    text = velocities.read_text()
    velocities.write_text(text[: len(text) * 3 // 4])
    traj = read(path, timestep=1)
    assert traj.n_frames == 2
    assert any("the last 1 frames are dropped" in note for note in traj.notes)
    velocities.write_text(text.replace("  O ", "  N "))
    traj = read(path, timestep=1)
    assert traj.velocities is None
    assert any("the velocities beside are left out" in note for note in traj.notes)
    with pytest.raises(TrajectoryError, match="its atoms are not those"):
        read([path, velocities], timestep=1)


def test_beads_are_no_run(run):
    one, two = run(bead="0"), run(bead="1")
    with pytest.raises(TrajectoryError, match="are beads 0, 1 of one ring polymer; pass one bead, or the centroid"):
        read([one, two], timestep=1)
    assert read(one, timestep=1).n_frames == 3


def test_velocities_alone_and_damage_are_refused(run):
    with pytest.raises(TrajectoryError, match="holds velocities, not positions"):
        read(run(what="velocities", unit="atomic_unit"), timestep=1)
    path = run()
    text = path.read_text()
    for old, new, message in (
        ("Step:  10", "Stop:  10", "frame 1: its comment says no Step:"),
        ("Step:  10  Bead:  0", "Step:  10  Bead:  1", r"frame 1 is of another bead \(0, 1\)"),
        ("10.0  90.0  90.0  90.0  Step:  10", "10.0  90.0  90.0  Step:  10", "frame 1: its comment holds no cell"),
        ("positions{angstrom}  cell{angstrom}\n  O 1.1", "positions{nanometer}  cell{angstrom}\n  O 1.1", "frame 1: quantity or units change"),
    ):
        assert old in text
        path.write_text(text.replace(old, new))
        with pytest.raises(TrajectoryError, match=message):
            read(path, timestep=1)


def test_a_file_cut_anywhere_gives_its_intact_frames(water, tmp_path):
    content = gzip.decompress(water.read_bytes())
    path = tmp_path / "ref_simulation.pos_0.xyz"
    path.write_bytes(content)
    known = read(path, timestep=1, precision="float64").scaled_positions
    size = len(content) // 6
    for cut in np.random.default_rng(0).integers(size + 100, len(content), 12).tolist():
        path.write_bytes(content[:cut])
        traj = read(path, timestep=1, precision="float64")
        assert traj.n_frames in (cut // size, (cut + 40) // size)
        assert np.array_equal(traj.scaled_positions, known[: traj.n_frames])
        assert any("the last, ends" in note for note in traj.notes)
