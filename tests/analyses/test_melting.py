"""The indicators of melting against exact models, symmetries and the naive definition."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from mdtools import memory, synthetic
from mdtools.analyses.melting import melting_indicators
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.readers import read, write_store


def lattice(from_paths, kind, *, cells, noise, frames=40, parameter=4.0, seed=0):
    sites = synthetic.lattice_sites(kind, cells)[0] * parameter
    path = sites[None] + noise * np.random.default_rng(seed).normal(size=(frames, *sites.shape))
    return from_paths(path, cells * parameter * np.eye(3))


def static_square(data):
    """Phi^2 of each species and reflection: product of the two halves of the run."""
    amplitude = data.density_amplitude.sel(part="real") + 1j * data.density_amplitude.sel(part="imaginary")
    n = amplitude.sizes["block"] // 2
    first, second = amplitude[:n].mean("block"), amplitude[n:].mean("block")
    return (first * second.conj()).real


@pytest.fixture(scope="module")
def walk():
    return melting_indicators(synthetic.brownian(n_atoms=200, n_frames=600, diffusivity=0.4, seed=3), reference="none")


@pytest.mark.parametrize(("kind", "distance"), [("sc", 4.0), ("fcc", 4 / np.sqrt(2)), ("bcc", 4 * np.sqrt(0.75))])
@pytest.mark.parametrize("noise", [0.02, 0.25])
def test_the_neighbour_distance_is_that_of_the_lattice(from_paths, kind, distance, noise):
    data = melting_indicators(lattice(from_paths, kind, cells=4, noise=noise), reference="none")
    assert data.neighbour_distance.item() == pytest.approx(distance, rel=0.03)


@pytest.mark.parametrize(("kind", "ions", "distance"), [("sc", 1, 4.0), ("fcc", 4, 4 / np.sqrt(2)), ("bcc", 2, 4 * np.sqrt(0.75))])
def test_the_neighbours_of_a_few_ions_are_their_images(from_paths, kind, ions, distance):
    data = melting_indicators(lattice(from_paths, kind, cells=1, noise=0.05), reference="none", ion_blocks=ions)
    assert data.neighbour_distance.item() == pytest.approx(distance, rel=0.04)


def test_a_walk_has_its_exact_displacement_overlap_and_shape(walk):
    d, time = 0.4, walk.lag.values
    k = 2 * np.pi / walk.neighbour_distance.values[0]
    mean = walk.isel(species=0).mean(("window", "ion_block"))
    early = time < 10  # one standard error of 100 ions is 1 % at 1 ps and 6 % at 10 ps
    np.testing.assert_allclose(mean.msd[early], 6 * d * time[early], rtol=0.15)
    np.testing.assert_allclose(mean.msd[time < 1], 6 * d * time[time < 1], rtol=0.02)
    np.testing.assert_allclose(mean.self_overlap[early], np.exp(-d * k**2 * time[early]), atol=0.02)
    np.testing.assert_allclose(mean.non_gaussian_parameter[early], 0.0, atol=0.15)


def test_a_liquid_has_no_static_wave_although_its_strongest_reflections_were_chosen():
    squares, chosen = [], []
    for seed in range(6):
        data = melting_indicators(synthetic.brownian(n_atoms=100, n_frames=400, seed=seed), reference="none")
        squares.append(static_square(data).mean().item())
        half = data.density_amplitude[: data.sizes["block"] // 2].mean("block")
        chosen.append(float((half**2).sum("part").mean()))
    assert abs(np.mean(squares)) < 3 * np.std(squares) / np.sqrt(6) + 1e-4
    assert np.mean(chosen) > 10 * abs(np.mean(squares))  # what the same half would have said of itself


def test_a_crystal_keeps_the_debye_waller_amplitude_and_never_moves():
    data = melting_indicators(synthetic.harmonic_crystal(cells=4, n_frames=600, temperature=600))
    plateau = data.msd.mean(("window", "ion_block")).isel(lag=slice(-6, None)).mean("lag")  # 2 <u^2>
    expected = np.exp(-(data.wave_vector**2) * plateau / 6)  # Phi^2 = exp(-q^2 <u^2> / 3)
    np.testing.assert_allclose(static_square(data), expected, rtol=0.03)
    assert (data.never_moved == 1).all()
    k = 2 * np.pi / data.neighbour_distance
    late = data.self_overlap.mean(("window", "ion_block")).isel(lag=-1)
    np.testing.assert_allclose(late, np.exp(-(k**2) * plateau / 6), rtol=0.03)


def test_reflections_of_a_simple_cubic_sublattice_are_those_of_its_cell(from_paths):
    data = melting_indicators(lattice(from_paths, "sc", cells=4, noise=0.1), reference="none")
    q = np.sort(data.wave_vector.values[0]) / (2 * np.pi / 4.0)
    np.testing.assert_allclose(q[:3], 1.0, rtol=1e-6)  # (100), (010), (001)
    np.testing.assert_allclose(q[3:], np.sqrt(2), rtol=1e-6)


def test_ions_that_hop_are_counted_as_moved(from_paths):
    traj = lattice(from_paths, "sc", cells=3, noise=0.05, frames=240, parameter=3.0)
    path = np.asarray(traj.scaled_positions, dtype=np.float64)
    path[100:, ::3] += [1 / 3, 0, 0]  # a third of the ions move by one site at 10 ps
    data = melting_indicators(replace(traj, scaled_positions=path), reference="none", windows=1, ion_blocks=1)
    # origins lie in 0 ... 12 ps and look 12 ps ahead: those before 10 ps see it
    assert data.never_moved.item() == pytest.approx(1 - (1 / 3) * 10 / 12, abs=0.05)


def test_drift_translation_and_breathing_of_the_cell_change_nothing(from_paths):
    traj = synthetic.harmonic_crystal(cells=4, n_frames=200, temperature=600)
    plain = melting_indicators(traj.with_framework("A"))
    scaled = np.asarray(traj.scaled_positions, dtype=np.float64)
    drift = np.linspace(0, 3.0, 200)[:, None, None] * np.array([1.0, -0.5, 0.2]) + 0.37
    moved = melting_indicators(replace(traj, scaled_positions=scaled + drift).with_framework("A"))
    breath = 1 + 0.01 * np.sin(np.arange(200))[:, None, None]
    breathing = melting_indicators(replace(traj, cell=traj.cell * breath).with_framework("A"))
    np.testing.assert_allclose(moved.msd, plain.msd, atol=1e-5)
    np.testing.assert_allclose(static_square(moved), static_square(plain), atol=1e-5)
    np.testing.assert_allclose(static_square(breathing), static_square(plain), atol=1e-6)
    np.testing.assert_allclose(breathing.msd, plain.msd, rtol=1e-3)


def test_windows_share_the_origins_between_them():
    traj = synthetic.brownian(n_atoms=16, n_frames=128, seed=1)
    whole, parts = (melting_indicators(traj, windows=n, reference="none") for n in (1, 4))
    np.testing.assert_allclose(parts.msd.mean("window"), whole.msd[0], rtol=1e-10)
    np.testing.assert_allclose(parts.window, traj.time[[0, 16, 32, 48]])


def test_ion_blocks_share_the_ions_between_them():
    traj = synthetic.brownian(n_atoms=32, n_frames=64, seed=1).relabel({"A": np.arange(32)})
    whole, parts = (melting_indicators(traj, ion_blocks=n, reference="none") for n in (1, 8))
    np.testing.assert_allclose(parts.self_overlap.mean("ion_block"), whole.self_overlap.isel(ion_block=0), rtol=1e-10)


def test_it_comes_back_from_a_file_as_it_was(walk, tmp_path):
    walk.to_netcdf(tmp_path / "walk.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "walk.nc", engine="h5netcdf") as back:
        xr.testing.assert_identical(back.load(), walk)


@pytest.mark.parametrize(
    ("changes", "settings", "error", "says"),
    [
        ({}, {"windows": 8}, NotEnoughData, "windows=5"),
        ({}, {"ion_blocks": 20}, NotEnoughData, "ion_blocks=16"),
        ({}, {"windows": 0}, ValueError, "at least 1"),
        ({"time": np.arange(40) ** 1.5}, {}, TrajectoryError, "unevenly spaced"),
        ({"masses": None}, {"reference": None}, TrajectoryError, "masses"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_cure(changes, settings, error, says):
    traj = replace(synthetic.brownian(n_atoms=32, n_frames=40), **changes)
    with pytest.raises(error, match=says):
        melting_indicators(traj, **({"reference": "none"} | settings))


def test_from_disk_no_more_is_read_at_a_time_than_a_block_may_take(tmp_path, blocks_of_atoms):
    """Where few of the frames count, they alone are held."""
    gas = synthetic.brownian(n_atoms=64, n_frames=6000, seed=3)
    stored = read(write_store(gas, tmp_path / "run.zarr"))
    with memory.limited("16 MB"):
        expected = melting_indicators(gas, reference="none")
        blocks_of_atoms.clear()
        found = melting_indicators(stored, reference="none")
        assert max(n_bytes for _, n_bytes in blocks_of_atoms) <= memory.block()
    assert len(blocks_of_atoms) > 8
    for name in ("msd", "self_overlap", "never_moved", "late_overlap", "distance_share"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-6, err_msg=name)
