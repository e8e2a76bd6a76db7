"""Distinct van Hove counts against those of freud on two runs of CaF2, in a cubic and in a triclinic cell."""

import json
from dataclasses import replace

import numpy as np
import pytest

import mdtools as md
from mdtools.analyses.van_hove import van_hove_distinct

FLOAT32 = 4e-6  # angstrom: what single precision leaves of a distance between coordinates within 40 angstrom


@pytest.fixture(scope="module")
def runs(files):
    caf2 = files / "lammps" / "caf2"
    return {
        "cubic": md.read(files.parents[1] / "data" / "caf2_1600K.lammpstrj.zst", framework="Ca"),
        "triclinic": md.read(caf2 / "unwrapped.dcd", topology=caf2 / "equil.restricted.data", frame_interval="0.2 ps"),
    }


def part_of(traj, case, lag):
    """As many frames as hold the origins that the table has, `stride` frames apart."""
    frames = slice(0, (case["origins"] - 1) * case["stride"] + lag + 1)
    return replace(traj, scaled_positions=traj.scaled_positions[frames], cell=traj.cell[frames], time=traj.time[frames], velocities=None, origin=None)


def ties(traj, case, lag, pair):
    """How many pairs lie on each upper edge of a bin, as far as single precision can tell."""
    s, t = (traj.indices(name) for name in pair.split("-"))
    width = case["r_max"] / case["bins"]
    found = np.zeros(case["bins"] + 2, dtype=int)
    for k in range(0, case["origins"] * case["stride"], case["stride"]):
        start, end = (np.asarray(traj.scaled_positions[frame], dtype=np.float64) for frame in (k, k + lag))
        difference = end[t][None] - start[s][:, None]
        r = np.linalg.norm((difference - np.rint(difference)) @ traj.cell[k], axis=-1)
        edge = np.rint(r / width).astype(int)
        on = (abs(r - edge * width) < FLOAT32) & (edge <= case["bins"])
        found += np.bincount(edge[on], minlength=len(found))
    return found[1:-1]


@pytest.mark.parametrize("cell", ["cubic", "triclinic"])
def test_counts_are_those_of_freud_in_every_bin_but_for_pairs_on_an_edge(files, runs, cell):
    traj, case = runs[cell], json.loads((files / "other" / "freud" / "counts.json").read_text())[cell]
    same = several = 0
    for lag in case["lags"]:
        part = part_of(traj, case, lag)
        out = van_hove_distinct(
            part,
            windows=1,
            lags=[lag * traj.frame_interval],
            r_max=case["r_max"],
            bins=case["bins"],
            origins=case["stride"],
            ordered=True,
            reference="none",
        )
        for pair in out.pair.values:
            expected = np.array(case["counts"][f"{lag} {pair}"])
            found = out.van_hove_count.sel(pair=pair)[0, 0].values
            # below each edge as many, but for one count for each pair that lies on it
            assert np.all(abs(np.cumsum(found - expected)) <= ties(part, case, lag, pair)), (lag, pair)
            same, several = same + int(np.sum(found == expected)), several + len(found)
            assert expected.sum() > 100
    assert same > 0.95 * several
