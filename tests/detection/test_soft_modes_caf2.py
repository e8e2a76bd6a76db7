"""The shipped CaF2 series: a superionic transition without a soft mode. Never a T_c, whatever wave vector and pattern are chosen."""

import itertools
from pathlib import Path

import ase
import numpy as np
import pytest

import mdtools as md
from mdtools.errors import TrajectoryError

DATA = Path(__file__).parents[2] / "data"
A = 5.6
FLUORITE = ase.Atoms(
    "CaF2", scaled_positions=[[0] * 3, [0.25] * 3, [0.75] * 3], cell=A * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]), pbc=True
)
X = [0.5, 0.5, 0.0]  # (2 pi / a) (0, 0, 1)


@pytest.fixture(scope="module")
def runs():
    return {T: md.read(DATA / f"caf2_{T}K.lammpstrj.zst", framework="Ca", temperature=T) for T in (1000, 1200, 1400, 1600, 1800, 2000)}


def fitted(runs, q, pattern):
    return [md.mode_frequencies(md.mode_spectra(run, primitive=FLUORITE, q=q, pattern=pattern, windows=1)) for run in runs]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [({"Ca": "0 0 1"}, {"softens but stays finite"}), ({"Ca": "1 0 0"}, {"stable", "softens but stays finite"})],
    ids=["longitudinal", "transverse"],
)
def test_waves_of_the_framework_at_x_stay_finite_through_the_transition(runs, pattern, words):
    """Of the whole series a word, of any five of its six runs too; of any four never a T_c."""
    fits = fitted(runs.values(), X, pattern)
    for some in (fits, *itertools.combinations(fits, 5), *itertools.combinations(fits, 4)):
        found = md.detect_soft_modes(some)
        assert found.verdict.item() in (words if len(some) > 4 else {*words, "stable", "undecided"}), found.reason.item()
        assert found.probability.sel(mode_state="softens to zero").item() < 0.05
        assert found.probability.sel(mode_state="overdamps").item() < 0.2
        assert np.all(np.isnan(found.critical_temperature))
        assert found.mode_frequency.min() > 1.0, found.mode_frequency.values


@pytest.mark.parametrize(
    ("q", "pattern"),
    [(X, {"F1": "0 0 1", "F2": "0 0 -1"}), (X, {"F1": "1 0 0", "F2": "1 0 0"}), ([0, 0, 0], {"Ca": "0 0 1", "F": "0 0 -1"})],
    ids=["F at X, opposite", "F at X, together", "F against Ca"],
)
def test_waves_of_fluoride_have_frequencies_while_it_keeps_its_sites_and_are_refused_once_it_leaves_them(runs, q, pattern):
    fits = fitted([runs[1000], runs[1200]], q, pattern)
    found = md.detect_soft_modes(fits)
    assert found.verdict.item() == "undecided"
    assert "three temperatures" in found.reason.item()
    assert np.all(np.isnan(found.critical_temperature))
    assert all(0.5 < float(one.mode_frequency[0]) < 15 for one in fits)
    with pytest.raises(TrajectoryError, match="atoms leave their sites"):
        md.mode_spectra(runs[1600], primitive=FLUORITE, q=q, pattern=pattern, windows=1)
