"""Density maps: what is where, folded, and the files that other programs read."""

import io

import numpy as np
import pytest

import mdtools as md
from mdtools.analyses.density import density_map
from mdtools.cli import main
from mdtools.units import BOHR

TILTED = np.array([[4.0, 0, 0], [1.0, 5.0, 0], [-0.5, 0.8, 6.0]])


@pytest.fixture
def crystal(from_paths):
    """Two Li and one O a unit cell, 2 x 1 x 3 of them, that rattle about their sites."""
    sites = {"Li": [[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]], "O": [[0.35, 0.5, 0.05]]}
    cells = np.stack(np.meshgrid(range(2), range(1), range(3), indexing="ij"), axis=-1).reshape(-1, 3)
    label = [name for name, those in sites.items() for _ in those for _ in cells]
    scaled = np.concatenate([(np.array(one) + cells) for those in sites.values() for one in those])
    path = scaled @ TILTED + np.random.default_rng(0).normal(0, 0.12, (200, len(scaled), 3))
    return from_paths(path, TILTED * np.array([[2], [1], [3]]), species=np.array(label), dtype=np.float64), sites


def voxel(data):
    return abs(np.linalg.det(data.lattice.values)) / np.prod(data.density_map.shape[-3:])


def test_the_integral_is_the_number_of_ions_of_a_unit_cell_in_every_window(crystal):
    out = density_map(crystal[0], repeat=[2, 1, 3], windows=4, reference="none")
    np.testing.assert_allclose(out.density_map.sum(("along_a", "along_b", "along_c")) * voxel(out), [[2, 1]] * 4, rtol=1e-12)
    np.testing.assert_allclose(out.lattice, TILTED, rtol=1e-12)
    whole = density_map(crystal[0], reference="none")
    np.testing.assert_allclose(whole.density_map.sum(("along_a", "along_b", "along_c")) * voxel(whole), [[12, 6]], rtol=1e-12)


def test_it_is_the_histogram_about_the_grid_points_and_its_peaks_are_the_sites(crystal):
    traj, sites = crystal
    out = density_map(traj, repeat=[2, 1, 3], spacing=0.5, reference="none")
    size = np.array(out.density_map.shape[-3:])
    np.testing.assert_array_equal(size, np.ceil(np.linalg.norm(TILTED, axis=1) / 0.5))
    scaled = np.asarray(traj.scaled_positions)[:, traj.species == "Li"].reshape(-1, 3) * [2, 1, 3]
    nearest = np.floor(scaled * size + 0.5).astype(int) % size
    expected = np.zeros(size)
    np.add.at(expected, tuple(nearest.T), 1 / (200 * 6 * voxel(out)))
    np.testing.assert_allclose(out.density_map.sel(species="Li")[0], expected, rtol=1e-12)
    for name, those in sites.items():
        found = out.site_position[out.site_species.values == name].values
        difference = found[:, None] - np.array(those)[None]
        distance = np.linalg.norm((difference - np.rint(difference)) @ TILTED, axis=-1)
        assert np.all(distance.min(axis=0) < 0.05), name


def test_a_cube_is_what_ase_reads(crystal, tmp_path):
    from ase.io.cube import read_cube

    out = density_map(crystal[0], repeat=[2, 1, 3], reference="none")
    paths = md.write_density(out, out=tmp_path / "x.cube")
    assert [path.name for path in paths] == ["x.Li.cube", "x.O.cube"]
    read = read_cube(io.StringIO(paths[0].read_text()))
    np.testing.assert_allclose(read["data"] / BOHR**3, out.density_map.sel(species="Li")[0], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(read["atoms"].cell, TILTED, atol=2e-4)
    np.testing.assert_array_equal(read["atoms"].get_chemical_symbols(), ["Li", "Li", "O"])
    np.testing.assert_allclose(read["origin"], 0)
    np.testing.assert_allclose(read["atoms"].get_scaled_positions(), out.site_position, atol=1e-4)


def test_a_chgcar_is_what_ase_reads(crystal, tmp_path):
    from ase.calculators.vasp import VaspChargeDensity

    out = density_map(crystal[0], repeat=[2, 1, 3], windows=2, reference="none")
    (path,) = md.write_density(out, out=tmp_path / "CHGCAR", species="O")
    read = VaspChargeDensity(str(path))
    np.testing.assert_allclose(read.chg[0], out.density_map.sel(species="O").mean("window"), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(read.atoms[0].cell, TILTED, atol=1e-9)
    np.testing.assert_allclose(read.atoms[0].get_scaled_positions(), out.site_position, atol=1e-7)


def test_the_command_line_writes_cubes_by_the_name_of_out(crystal, write_dump, from_paths, tmp_path, capsys):
    cubic = from_paths(np.random.default_rng(0).normal(3, 0.1, (6, 2, 3)), 6 * np.eye(3), species=np.array(["Li", "O"]))
    dump = write_dump(cubic, tmp_path / "run.lammpstrj")
    assert main(["density-map", str(dump), "--spacing", "1", "--out", str(tmp_path / "d.cube")]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.cube")) == ["d.Li.cube", "d.O.cube"]
    assert "d.O.cube" in capsys.readouterr().out
    assert main(["van-hove-map", str(dump), "--spacing", "1", "--lags", "0.1", "--out", str(tmp_path / "h.cube")]) == 0
    expected = {f"h.{name}.0.1ps.cube" for name in ("Li", "O", "Li-Li", "Li-O", "O-Li", "O-O")}
    assert {path.name for path in tmp_path.glob("h.*")} == expected
    assert main(["msd", str(dump), "--out", str(tmp_path / "d.cube")]) == 2
    assert "density" in capsys.readouterr().err


def test_each_run_of_a_series_has_files_of_its_own(write_dump, from_paths, tmp_path, capsys):
    """The last run took the names of the others."""
    random = np.random.default_rng(0)
    cells = {"cold": 6.0, "hot": 7.0, "short": 6.0}
    for name, edge in cells.items():
        path = random.normal(3, 0.1, (2 if name == "short" else 6, 2, 3))
        write_dump(from_paths(path, edge * np.eye(3), species=np.array(["Li", "O"])), tmp_path / f"{name}.lammpstrj")
    table = tmp_path / "series.csv"
    table.write_text("path,temperature\n" + "".join(f"{name}.lammpstrj,{300 + k}\n" for k, name in enumerate(cells)))
    density = ["density-map", str(table), "--spacing", "1", "--windows", "2"]
    assert main([*density, "--out", str(tmp_path / "d.cube")]) == 0
    said = capsys.readouterr().out
    assert {path.name for path in tmp_path.glob("*.cube")} == {f"d.{run}.{name}.cube" for run in ("cold", "hot") for name in ("Li", "O")}
    assert "not made: density_map of short" in said
    assert "windows=1 or fewer" in said
    assert main([*density, "--out", str(tmp_path / "CHGCAR")]) == 0
    assert {path.name for path in tmp_path.glob("CHGCAR*")} == {f"CHGCAR.{run}.{name}" for run in ("cold", "hot") for name in ("Li", "O")}
    assert "7.0000" in (tmp_path / "CHGCAR.hot.Li").read_text().splitlines()[2]


def test_what_cannot_be_is_refused_with_what_to_write(crystal, tmp_path):
    with pytest.raises(ValueError, match="spacing"):
        density_map(crystal[0], spacing=0.0)
    with pytest.raises(ValueError, match="--memory"):
        density_map(crystal[0], spacing=0.001)
    with pytest.raises(ValueError, match="repeat"):
        density_map(crystal[0], repeat=[2, 0, 3])
    out = density_map(crystal[0], reference="none")
    with pytest.raises(md.TrajectoryError, match="CHGCAR"):
        md.write_density(out, out=tmp_path / "x.xsf")
    with pytest.raises(md.TrajectoryError, match="it has Li, O"):
        md.write_density(out, out=tmp_path / "x.cube", species="F")


def test_a_page_shows_the_slice_of_the_density_and_the_map_of_the_distinct_part(crystal, tmp_path):
    made = [density_map(crystal[0], repeat=[2, 1, 3], reference="none"), md.van_hove_distinct(crystal[0], bins=20, reference="none")]
    text = md.report(made, out=tmp_path / "page.html").read_text()
    for words in ("Mean density of Li", "Mean density of O", "Van Hove map, Li-O"):
        assert words in text
