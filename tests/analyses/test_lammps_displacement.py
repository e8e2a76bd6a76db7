"""Against numbers that LAMMPS wrote in the same run, and a published VASP trajectory."""

from pathlib import Path

import numpy as np
import pytest

import mdtools as md
from mdtools.analyses.displacement import msd
from mdtools.analyses.van_hove import van_hove_distinct

# type -> column of the mean squared displacement (com no) in ref_msd_vacf_P_J.dat
COLUMN = {"Ca": 4, "F": 8}
F_WITHOUT_ITS_DRIFT = 9


@pytest.fixture(scope="module")
def caf2(files) -> Path:
    return files / "lammps" / "caf2"


def lammps(path, data):
    """Rows of a `fix ave/time` file at the lags of a Dataset (stored steps, 1 fs each)."""
    table = np.loadtxt(path)
    rows = np.searchsorted(table[:, 0], np.rint(data.lag.values * 1000))
    np.testing.assert_array_equal(table[rows, 0], np.rint(data.lag.values * 1000))
    return table[rows]


def read(path, **options):
    return md.read(path, units="metal", timestep="1 fs", **options)


# Written digits decide how well Ca, whose displacement is a vibration, can be known: 6 digits of 40 angstrom are 5e-5 angstrom.
FORMS = {
    "wrapped_image.lammpstrj.gz": ({"species": {1: "Ca", 2: "F"}, "masses": {"Ca": 40.078, "F": 18.998403}}, 5e-6, 3e-5),
    "unwrapped_element.lammpstrj": ({}, 5e-6, 3e-5),
    "allcolumns.lammpstrj.gz": ({}, 1e-7, 1e-6),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_msd_of_lammps_is_the_msd_of_one_origin(caf2, name):
    options, of_f, of_ca = FORMS[name]
    out = msd(read(caf2 / name, **options), origins="first", reference="none")
    reference = lammps(caf2 / "ref_msd_vacf_P_J.dat", out)
    for species, tolerance in (("F", of_f), ("Ca", of_ca)):
        found = out.msd.sel(species=species)[0].values
        np.testing.assert_allclose(found[1:], reference[1:, COLUMN[species]], rtol=tolerance)
        by_axis = out.msd_by_axis.sel(species=species)[0].values
        np.testing.assert_allclose(by_axis[:, 1:], reference[1:, COLUMN[species] - 3 : COLUMN[species]].T, rtol=10 * tolerance)


def test_the_msd_com_of_lammps_is_that_in_the_frame_of_the_group(caf2):
    traj = read(caf2 / "unwrapped_element.lammpstrj")
    out = msd(traj, origins="first", reference="F").msd.sel(species="F")[0]
    np.testing.assert_allclose(out[1:], lammps(caf2 / "ref_msd_vacf_P_J.dat", out)[1:, F_WITHOUT_ITS_DRIFT], rtol=5e-6)


def test_single_and_multi_origin_agree_at_the_last_lag(caf2):
    traj = read(caf2 / "unwrapped_element.lammpstrj")
    many, single = msd(traj, reference="none").msd[0, :, -1], msd(traj, origins="first", reference="none").msd[0, :, -1]
    np.testing.assert_allclose(many, single, rtol=1e-11)


def test_the_lattice_view_is_the_xu_of_lammps_in_a_cell_that_changes(caf2):
    traj = read(caf2 / "npt_unwrapped_element.lammpstrj.gz", unwrap="lattice")
    out = msd(traj, origins="first", reference="none").msd.sel(species="F")[0]
    np.testing.assert_allclose(out[1:], lammps(caf2 / "npt_ref_msd.dat", out)[1:, 4], rtol=1e-5)


def ties_at(edges, traj, precision):
    """How many distances of each pair of species, counted as LAMMPS counts, lie closer than `precision` to each edge."""
    f = traj.species == "F"
    of = {"Ca-Ca": np.outer(~f, ~f), "Ca-F": np.outer(~f, f), "F-F": np.outer(f, f)}
    found = {pair: np.zeros(len(edges)) for pair in of}
    for scaled, cell in zip(np.asarray(traj.scaled_positions, dtype=np.float64), traj.cell, strict=True):
        difference = scaled[:, None] - scaled
        r = np.linalg.norm((difference - np.rint(difference)) @ cell, axis=-1)
        edge = np.rint(r / edges[0]).astype(int)
        on = (abs(r - edge * edges[0]) < precision) & (edge > 0) & (edge <= len(edges))
        for pair, those in of.items():
            found[pair] += np.bincount(edge[on & those] - 1, minlength=len(edges))
    return found


def test_g_of_r_of_lammps_is_the_distinct_part_at_lag_zero_up_to_ties_at_bin_edges(caf2):
    # frames 1 ... 100, as `fix ave/time 200 100 20000` takes them. Positions of the DCD have 7 digits, those of the text dump 6.
    box = read(caf2 / "unwrapped_element.lammpstrj", begin="0.2 ps")
    exact = md.read(caf2 / "unwrapped.dcd", topology=caf2 / "equil.restricted.data", frame_interval="0.2 ps", begin="0.2 ps")
    assert exact.n_frames == box.n_frames == 100
    edges = np.arange(161) * 0.05
    out = van_hove_distinct(exact, windows=1, lags=[0], r_max=8.0, bins=160, origins="all")
    table = np.loadtxt(caf2 / "ref_rdf.dat", skiprows=4)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    ties = ties_at(edges[1:], exact, 6e-6)
    for column, pair, n, others, twice in ((2, "Ca-Ca", 125, 124, 2), (4, "Ca-F", 125, 250, 1), (6, "F-F", 250, 249, 2)):
        found = out.van_hove_count.sel(pair=pair)[0, 0].values / (2 if pair == "Ca-F" else 1)
        per_g = n * others * shells / box.volume * 100
        printed = table[:, column] * per_g  # 6 digits, enough to know the whole number of pairs (counted from both ends, if like)
        expected = twice * np.rint(printed / twice)
        assert np.all(abs(printed - expected) < 0.4), pair
        # below each edge as many, but for one count for each pair that lies on it (LAMMPS knew 16 digits, the file has 7)
        assert np.all(abs(np.cumsum(found - expected)) <= ties[pair]), pair
        assert np.sum(found == expected) > 130, pair
        # LAMMPS divides like pairs by N (N - 1), G_d / rho by N^2
        g = out.van_hove_distinct.sel(pair=pair)[0, 0].values * (n / others if twice == 2 else 1)
        assert np.all(abs(g - table[:, column]) <= (2 * twice + 0.4) / per_g), pair


def test_the_published_argyrodite_run_has_its_known_msd(files):
    run = files.parents[1] / "data" / "Li6PS5Cl_50p_run1_XDATCAR.gz"
    traj = md.read(run, frame_interval=0.1, framework=["P", "S", "Cl"])
    out = msd(traj, windows=1).msd.sel(species="Li")[0]
    np.testing.assert_allclose(out.sel(lag=[1.0, 5.0, 10.0, 13.9], method="nearest"), [1.60282, 5.11538, 8.94185, 11.81371], rtol=1e-5)
