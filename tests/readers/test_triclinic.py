"""Cells and unwrapped displacements of triclinic runs against cell-vector arithmetic from the text, on three frames of each file."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from mdtools.readers import read


def text_of(path: Path) -> list[list[str]]:
    """The lines of each frame of a dump."""
    content = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return [part.splitlines() for part in content.split("ITEM: TIMESTEP\n")[1:]]


def by_hand(lines: list[str], columns: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cell vectors (rows), origin, and the named columns sorted by id, of one frame: text -> H -> x, by the LAMMPS manual alone."""
    n = int(lines[lines.index("ITEM: NUMBER OF ATOMS") + 1])
    at = next(k for k, line in enumerate(lines) if line.startswith("ITEM: BOX BOUNDS"))
    box = [[float(word) for word in line.split()] for line in lines[at + 1 : at + 4]]
    if lines[at].split()[3] == "abc":
        cell, origin = np.array([row[:3] for row in box]), np.array([row[3] for row in box])
    else:
        (xlo, xhi, xy), (ylo, yhi, xz), (zlo, zhi, yz) = box
        xlo, xhi = xlo - min(0, xy, xz, xy + xz), xhi - max(0, xy, xz, xy + xz)
        ylo, yhi = ylo - min(0, yz), yhi - max(0, yz)
        cell, origin = np.array([[xhi - xlo, 0, 0], [xy, yhi - ylo, 0], [xz, yz, zhi - zlo]]), np.array([xlo, ylo, zlo])
    start = next(k for k, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    names = lines[start].split()[2:]
    table = sorted((line.split() for line in lines[start + 1 : start + 1 + n]), key=lambda row: int(row[names.index("id")]))
    return cell, origin, np.array([[float(row[names.index(name)]) for name in columns.split()] for row in table])


def check(path: Path, options: dict, columns: str, to_cartesian, atol: float) -> None:
    """Scaled positions of three frames, times the cell, are the Cartesian positions by hand; and so are displacements in the mean cell."""
    traj = read(path, **options, precision="float64")
    frames = text_of(path)
    assert traj.n_frames == len(frames)
    home = None
    for frame in (0, len(frames) // 2, len(frames) - 1):
        cell, origin, values = by_hand(frames[frame], columns)
        assert np.allclose(traj.cell[frame], cell, rtol=0, atol=1e-12)
        x = to_cartesian(values, cell, origin)
        ours = traj.scaled_positions[frame] @ cell + origin
        home = np.rint((x - ours) @ np.linalg.inv(cell)) if home is None else home  # whole cells, the same in every frame
        assert np.abs(ours + home @ cell - x).max() < atol
        moved = (x - origin) @ np.linalg.inv(cell) - home - traj.scaled_positions[0]
        assert np.abs((traj.scaled_positions[frame] - traj.scaled_positions[0] - moved) @ traj.mean_cell).max() < atol


def unwrapped(values, cell, origin):
    return values


def imaged(values, cell, origin):
    """x + (ix, iy, iz) H."""
    return values[:, :3] + values[:, 3:] @ cell


def scaled(values, cell, origin):
    return values @ cell + origin


ALN = {"units": "metal", "timestep": 0.001, "species": {1: "Al", 2: "N"}}


def test_a_flexible_cell(files):
    path = files / "lammps/AlN_npt_triclinic/lmp.out.dump.gz"
    check(path, ALN, "xu yu zu", unwrapped, 1e-12)
    check(path, ALN, "xsu ysu zsu", scaled, 1e-4)  # six digits in the file


def test_a_general_cell(caf2, metal):
    path = caf2 / "general_triclinic.lammpstrj.gz"
    options = {"units": "metal", "timestep": 0.001}
    check(path, options, "xu yu zu", unwrapped, 1e-12)
    check(path, options, "x y z ix iy iz", imaged, 2e-4)  # digits of x y z against those of xu yu zu


def test_a_changing_cell_with_scaled_columns_and_images(caf2, metal):
    check(caf2 / "npt_scaled_image.lammpstrj.gz", metal, "xs ys zs ix iy iz", lambda v, h, o: (v[:, :3] + v[:, 3:]) @ h + o, 1e-10)


@pytest.mark.skipif("MDTOOLS_TEST_DATA" not in os.environ, reason="the file is not ours to ship: scripts/test-data DIR")
def test_a_strongly_tilted_cell_of_one_frame(tmp_path):
    folder = Path(os.environ["MDTOOLS_TEST_DATA"]) / "lammps/mda"
    path = tmp_path / "albite.dump"
    path.write_text((folder / "albite_triclinic.dump").read_text() + "\n")  # its last line has no end
    options = {"units": "real", "timestep": 0.001, "species": {i: f"type{i}" for i in range(1, 20)}}
    check(path, options, "xs ys zs", scaled, 1e-10)
    traj = read(path, **options, precision="float64")
    lines = [line.split() for line in (folder / "albite_triclinic.data").read_text().splitlines()]
    box = {
        " ".join(words[-k:]): [float(word) for word in words[:-k]]
        for words in lines
        for k in (2, 3)
        if len(words) == 2 * k and words[-1] in ("xhi", "yhi", "zhi", "yz")
    }
    (xlo, xhi), (ylo, yhi), (zlo, zhi), (xy, xz, yz) = (box[name] for name in ("xlo xhi", "ylo yhi", "zlo zhi", "xy xz yz"))
    cell = np.array([[xhi - xlo, 0, 0], [xy, yhi - ylo, 0], [xz, yz, zhi - zlo]])
    assert np.allclose(traj.cell[0], cell, atol=1e-6)
    atoms = np.array(sorted([float(word) for word in words] for words in lines if len(words) == 8))
    difference = (atoms[:, 2:5] - [xlo, ylo, zlo]) @ np.linalg.inv(cell) - traj.scaled_positions[0]
    assert np.abs((difference - np.rint(difference)) @ cell).max() < 2e-5  # six digits of the scaled columns
