"""fcc argon: our modes against LAMMPS' own dynamical matrix, and what its runs at 1 and 60 K gave (scripts/lj_argon.py makes the files)."""

import json

import numpy as np
import pytest

from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.force_constants import ForceConstants
from mdtools.harmonic.wave_vectors import commensurate, is_half_reciprocal

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


@pytest.fixture(scope="module")
def argon(files):
    return np.load(files / "lammps/lj_argon/row.npz")


@pytest.fixture(scope="module")
def found(files):
    return json.loads((files / "lammps/lj_argon/found.json").read_text())


def test_modes_of_all_wave_vectors_are_the_eigenvalues_of_the_whole_matrix(argon):
    """One row of the matrix, in the primitive cell, gives the 768 frequencies of 256 atoms."""
    cell = argon["cell"]
    crystal = Crystal(FCC * cell[0, 0] / 4, np.zeros((1, 3)), ("Ar",), np.array([39.948]))
    constants = ForceConstants(crystal, cell, argon["scaled"] - argon["scaled"][0], argon["row"][None] * 39.948, np.array([0]))
    matrix = np.rint(cell @ np.linalg.inv(crystal.cell))
    of_all = [np.repeat(constants.at(q).frequency, 1 if is_half_reciprocal(q) else 2) for q in commensurate(matrix)]
    of_all = np.sort(np.concatenate(of_all))
    assert len(of_all) == 768
    np.testing.assert_allclose(of_all[3:], np.sort(argon["frequencies"])[3:], atol=2e-5)


def test_modes_of_the_run_at_1_kelvin_lie_where_its_dynamical_matrix_says(found):
    away = np.abs([one["peak"] - one["harmonic"] for one in found["peaks"]]) / found["peaks"][0]["bin"]
    assert len(away) == 370
    assert away.max() <= 1
    assert np.median(away) < 0.3
    weight = [one["modes"] for one in found["peaks"]]
    ratio, exact = (np.sqrt(np.average([one[name] ** 2 for one in found["peaks"]], weights=weight)) for name in ("ratio", "harmonic"))
    assert ratio == pytest.approx(exact, rel=3e-3)


def test_the_density_of_states_of_the_runs_holds_all_modes_and_stiffens_when_hot(found):
    for name in ("1 K", "60 K"):
        assert found[name]["integral"] == pytest.approx(768, abs=0.1)
    # 765 modes that share energy slowly: 0.9 % of the rms frequency
    assert found["1 K"]["rms_frequency"] == pytest.approx(found["rms_frequency"] * np.sqrt(768 / 765), rel=0.03)
    assert found["60 K"]["rms_frequency"] == pytest.approx(1.52, rel=0.02)
