"""chi_4 of ions that move each for itself and of groups that move as one, whatever their number; its error."""

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.four_point import overlap_fluctuations
from mdtools.errors import NotEnoughData
from mdtools.estimates.four_point import four_point_susceptibility

CUBE = 40.0 * np.eye(3)


def walks(from_paths, *, ions, together, seed, frames=900, radius=2.0, still=0):
    """Ions that walk in groups of `together`, all of a group by the same steps, and of which the first `still` groups stay."""
    steps = np.random.default_rng(seed).normal(0, 0.4, (frames, ions // together, 3))
    steps[:, :still] = 0
    path = np.repeat(np.cumsum(steps, axis=0), together, axis=1)
    return four_point_susceptibility(overlap_fluctuations(from_paths(path, CUBE, dtype=np.float64), radius=radius, reference="none"))


@pytest.mark.parametrize("ions", [32, 128])
@pytest.mark.parametrize("together", [1, 4])
def test_it_counts_the_ions_that_move_together_whatever_their_number(from_paths, ions, together):
    found = walks(from_paths, ions=ions, together=together, seed=ions + together)
    assert abs(found.correlated_ions.item() - together) < 3.5 * found.correlated_ions_stderr.item()
    assert found.correlated_ions_stderr.item() < 0.5 * together
    q = found.overlap
    z = (found.four_point_susceptibility - together * q * (1 - q)) / found.four_point_susceptibility_stderr
    assert np.abs(z).max() < 4.5
    assert found.regime.item() in ("peak", "rising")


def test_ions_that_stay_make_it_less(from_paths):
    """chi_4 = p q (1 - q) of a share p that moves with the overlap q, and <Q> = 1 - p + p q: 1 / (2 - p) where q = 1/2."""
    found = walks(from_paths, ions=60, together=1, seed=1, still=30)
    assert abs(found.correlated_ions - 2 / 3) < 3.5 * found.correlated_ions_stderr
    assert found.correlated_ions < 1 - 2 * found.correlated_ions_stderr


def test_errors_are_those_of_independent_runs(from_paths):
    runs = [walks(from_paths, ions=16, together=1, seed=seed, frames=360) for seed in range(100)]
    chi, error, q = (
        np.stack([one[name].values[0] for one in runs]) for name in ("four_point_susceptibility", "four_point_susceptibility_stderr", "overlap")
    )
    some = (q.mean(axis=0) > 0.1) & (q.mean(axis=0) < 0.9)
    exact = (q.mean(axis=0) * (1 - q.mean(axis=0)))[some]
    spread = chi.std(axis=0)[some]
    assert np.all(np.abs(chi.mean(axis=0)[some] - exact) < 4 * spread / 10)  # the jackknife has taken the bias away
    ratio = error.mean(axis=0)[some] / spread
    assert np.all((ratio > 0.8) & (ratio < 1.6))


def test_a_crystal_does_not_move_and_few_windows_have_no_error():
    crystal = overlap_fluctuations(synthetic.harmonic_crystal(cells=4, n_frames=90, temperature=300))
    found = four_point_susceptibility(crystal)
    assert set(found.regime.values) == {"no motion"}
    assert np.isnan(found.correlated_ions).all()
    with pytest.raises(NotEnoughData, match="windows=8"):
        four_point_susceptibility(crystal.isel(window=slice(0, 3)))
