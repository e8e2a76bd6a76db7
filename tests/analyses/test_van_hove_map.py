"""Van Hove functions in space: integer counts of a double loop on the same grid, sums, and agreement with the radial counts."""

import io
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from ase.calculators.vasp import VaspChargeDensity
from ase.io.cube import read_cube

import mdtools as md
from mdtools import memory, synthetic
from mdtools.analyses import grid_pairs
from mdtools.analyses import van_hove_map as van_hove_map_file
from mdtools.analyses.density import density_map
from mdtools.analyses.van_hove import van_hove_distinct, van_hove_self
from mdtools.analyses.van_hove_map import van_hove_map
from mdtools.schema import history
from mdtools.units import BOHR

TILTED = np.array([[9.0, 0, 0], [4.1, 8.0, 0], [-4.2, 3.4, 7.0]])


@pytest.fixture
def breathing(from_paths):
    random = np.random.default_rng(0)
    path = random.uniform(0, 9, (1, 12, 3)) + np.cumsum(random.normal(0, 0.5, (8, 12, 3)), axis=0) - 40.0
    cells = TILTED * (1 + 0.02 * random.normal(size=(8, 3, 1)))
    return from_paths(path, cells, species=np.array(list("AABABBAABABA")), dtype=np.float64)


def test_every_voxel_is_that_of_a_double_loop_over_ions_and_origins(breathing):
    out = van_hove_map(breathing, lags=[0.0, 0.3], spacing=1.5, reference="none")
    shape = np.array(history(out)[-1]["grid"])
    half = (shape - 1) // 2
    point = np.floor(np.asarray(breathing.scaled_positions) * shape).astype(int)
    for k, lag in enumerate((0, 3)):
        for s in "AB":
            members = np.flatnonzero(breathing.species == s)
            alone = np.zeros(2 * half + 1)
            for origin in range(8 - lag):
                for i in members:
                    moved = point[origin + lag, i] - point[origin, i]
                    if np.all(abs(moved) <= half):
                        alone[tuple(moved + half)] += 1
            voxel = breathing.volume / np.prod(shape)
            np.testing.assert_allclose(out.van_hove_self_map.sel(species=s)[0, k] * voxel * len(members) * (8 - lag), alone, atol=1e-9)
            for t in "AB":
                others = np.zeros(2 * half + 1)
                targets = np.flatnonzero(breathing.species == t)
                for origin in range(8 - lag):
                    for i in members:
                        for j in targets[targets != i]:
                            d = (point[origin + lag, j] - point[origin, i] + half) % shape
                            if np.all(d <= 2 * half):
                                others[tuple(d)] += 1
                counts = out.van_hove_distinct_map.sel(pair=f"{s}-{t}")[0, k] * len(members) * len(targets) * (8 - lag) / np.prod(shape)
                np.testing.assert_allclose(counts, others, atol=1e-9)
                assert others.sum() > 50


def test_a_transform_over_time_and_products_by_origin_give_the_same_whole_numbers(breathing, monkeypatch):
    options = {"lags": [0.0, 0.1, 0.4], "spacing": 1.5, "reference": "none", "windows": 1}
    at_once = van_hove_map(breathing, origins="all", **options)
    for planes in (2, 0):  # some planes of wave vectors at a time; no room for any
        monkeypatch.setattr(grid_pairs, "_planes", lambda *_, planes=planes: planes)
        other = van_hove_map(breathing, origins="all", **options)
        for name in ("van_hove_distinct_map", "van_hove_self_map"):
            np.testing.assert_array_equal(other[name], at_once[name])


def test_strided_origins_are_those_of_a_run_with_fewer_frames():
    gas = synthetic.brownian(n_atoms=12, n_frames=16, length=9.0)
    options = {"lags": [0.0, 4 * gas.frame_interval], "spacing": 1.5, "reference": "none"}
    strided = van_hove_map(gas, origins=2, **options)
    fewer = replace(gas, scaled_positions=np.asarray(gas.scaled_positions)[::2], cell=gas.cell[::2], time=gas.time[::2])
    every = van_hove_map(fewer, origins="all", **options)
    for name in ("van_hove_distinct_map", "van_hove_self_map"):
        np.testing.assert_allclose(strided[name], every[name], rtol=1e-12)


def test_the_room_that_is_asked_for_is_what_is_taken(monkeypatch):
    gas = synthetic.brownian(n_atoms=30, n_frames=24, length=12.0)
    asked = []
    room = van_hove_map_file._room
    monkeypatch.setattr(van_hove_map_file, "_room", lambda *of: asked.append(room(*of)) or asked[-1])
    options = {"lags": "all", "spacing": 0.5, "reference": "none", "windows": 2}
    van_hove_map(gas, **options)  # compiled
    tracemalloc.start()
    out = van_hove_map(gas, **options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * asked[-1] + 2 * memory.block() / 8
    assert out.van_hove_distinct_map.nbytes + out.van_hove_self_map.nbytes < asked[-1] < 3 * peak


def test_the_radial_counts_are_those_of_the_map_to_the_width_of_a_voxel(from_paths):
    sites = np.stack(np.meshgrid(*[np.arange(4) * 3.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    path = np.repeat(sites[None], 12, axis=0)
    for k in range(0, 64, 2):  # neighbours change places half way
        path[6:, [k, k + 1]] = path[6:, [k + 1, k]]
    lattice = from_paths(path + np.random.default_rng(0).normal(0, 0.1, path.shape), 12 * np.eye(3))
    lags = [0.0, 0.7]
    space = van_hove_map(lattice, lags=lags, spacing=0.25, reference="none").isel(window=0, pair=0, species=0)
    radial = van_hove_distinct(lattice, windows=1, lags=lags, origins="all", reference="none", r_max=5.0, bins=50).isel(window=0, pair=0)
    alone = van_hove_self(lattice, windows=1, lags=lags, reference="none", r_max=5.0, bins=50).isel(window=0, species=0)
    axes = np.meshgrid(space.along_a, space.along_b, space.along_c, indexing="ij")
    r = np.linalg.norm(np.stack(axes, axis=-1) @ space.lattice.values, axis=-1)
    voxel = lattice.volume / np.prod(history(space)[-1]["grid"])
    ions = lattice.n_atoms
    for k in range(2):
        for reach in (1.5, 3.6, 4.7):  # between the shells of neighbours
            pairs = (space.van_hove_distinct_map[k].values[r < reach]).sum() * voxel * ions / lattice.volume
            shells = 4 / 3 * np.pi * np.diff((np.arange(51) * 0.1) ** 3)
            counted = float((radial.van_hove_distinct[k] * shells)[: round(reach * 10)].sum()) * ions / lattice.volume
            assert abs(pairs - counted) < 0.03 * max(counted, 1.0), (k, reach)
            moved = space.van_hove_self_map[k].values[r < reach].sum() * voxel
            assert abs(moved - float(alone.van_hove_self[k][: round(reach * 10)].sum() * 0.1)) < 0.02


def test_the_whole_map_holds_every_pair_and_the_reach_is_a_unit_cell():
    gas = synthetic.brownian(n_atoms=30, n_frames=20, length=9.0)
    out = van_hove_map(gas, lags=[0.5], spacing=1.0, reference="none")
    assert out.sizes["along_a"] == 9  # all of an odd grid
    np.testing.assert_allclose(out.van_hove_distinct_map.sel(pair="A-B").mean(), 1.0, rtol=1e-12)
    np.testing.assert_allclose(out.van_hove_distinct_map.sel(pair="A-A").mean(), 14 / 15, rtol=1e-12)
    third = van_hove_map(gas, lags=[0.5], spacing=1.0, repeat=[3, 3, 3], reference="none")
    np.testing.assert_allclose(third.along_a, np.arange(-3, 4) / 3)


def test_time_reversal_mirrors_the_map_of_the_other_order(breathing):
    back = replace(breathing, scaled_positions=breathing.scaled_positions[::-1].copy(), cell=breathing.cell[::-1].copy())
    options = {"lags": [0.2], "spacing": 1.5, "reference": "none"}
    forward, backward = (van_hove_map(one, **options).van_hove_distinct_map for one in (breathing, back))
    np.testing.assert_allclose(forward.sel(pair="A-B").values, backward.sel(pair="B-A").values[..., ::-1, ::-1, ::-1], atol=1e-9)


def test_what_memory_does_not_hold_is_refused_with_what_to_pass(breathing):
    with memory.limited("2MB"), pytest.raises(ValueError, match="spacing"):
        van_hove_map(breathing, lags="all", spacing=0.4)
    assert history(van_hove_map(breathing, lags=[0.1], spacing=3.0))[-1]["origin_stride"] == 1


def test_grids_of_runs_in_lj_units_are_as_fine_as_those_in_angstrom():
    gas = synthetic.brownian(n_atoms=64, n_frames=8, length=10.0)  # (V/N)^(1/3) is 2.5 angstrom
    reduced = replace(gas, cell=gas.cell / 2.5, reduced=True)
    for measured, option in ((van_hove_map, {"lags": [0.0]}), (density_map, {})):
        real, lj = (measured(one, reference="none", **option) for one in (gas, reduced))
        assert {name: real.sizes[name] for name in real.sizes if name.startswith("along")} == {
            name: lj.sizes[name] for name in lj.sizes if name.startswith("along")
        }


def test_every_species_pair_and_lag_is_a_cube_that_ase_reads_and_whose_ion_stands_at_no_difference(breathing, tmp_path):
    out = van_hove_map(breathing, windows=2, lags=[0.1, 0.3], spacing=1.5)
    paths = md.write_density(out, out=tmp_path / "x.cube")
    assert {f"x.{name}.{lag}ps.cube" for name in (*out.species.values, *out.pair.values) for lag in (0.1, 0.3)} == {path.name for path in paths}
    for name, kind, unit in (("A", "van_hove_self_map", BOHR**3), ("A-B", "van_hove_distinct_map", 1.0)):
        dim = "pair" if "-" in name else "species"
        expected = out[kind].sel({dim: name}).isel(lag=1).mean("window")
        read = read_cube(io.StringIO((tmp_path / f"x.{name}.0.3ps.cube").read_text()))
        np.testing.assert_allclose(read["data"] / unit, expected, rtol=1e-5, atol=1e-9)
        steps = [read["atoms"].cell[k] / read["data"].shape[k] for k in range(3)]
        differences = [float(out[f"along_{axis}"][2] - out[f"along_{axis}"][1]) for axis in "abc"]
        np.testing.assert_allclose(steps, out.lattice * np.array(differences)[:, None], atol=2e-4)
        start = np.array([out[f"along_{axis}"][0] for axis in "abc"]) @ out.lattice.values
        np.testing.assert_allclose(read["origin"], start, atol=1e-4)
        np.testing.assert_allclose(read["atoms"].positions, 0.0, atol=1e-4)


def test_one_lag_of_one_pair_is_one_chgcar_with_the_ion_in_the_middle(breathing, tmp_path):
    out = van_hove_map(breathing, lags=[0.1, 0.4], spacing=1.5)
    (path,) = md.write_density(out.sel(lag=0.4), out=tmp_path / "CHGCAR", species="A-B")
    assert path.name == "CHGCAR"
    read = VaspChargeDensity(str(path))
    one = out.van_hove_distinct_map.sel(pair="A-B", lag=0.4)[0]
    np.testing.assert_allclose(read.chg[0], one, rtol=1e-8, atol=1e-12)
    place = read.atoms[0].get_scaled_positions()[0] * one.shape
    np.testing.assert_allclose(place, (np.array(one.shape) - 1) / 2, atol=1e-6)
    with pytest.raises(md.TrajectoryError, match=r"no species X in this van Hove map; it has A, B, .*A-A"):
        md.write_density(out, out=path, species="X")
