"""What self-diffusivity says of runs that are no diffusion, of parts of a measurement, and of axes without motion."""

import numpy as np
import pytest

from mdtools.analyses.displacement import msd
from mdtools.errors import TrajectoryError
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.tensor import self_diffusivity_tensor

BOX = 20.0 * np.eye(3)


def sites(n_frames=400, n_ions=16, seed=0):
    return np.tile(np.random.default_rng(seed).uniform(0, 20, (1, n_ions, 3)), (n_frames, 1, 1))


def steps(seed=1, *, along=(1, 1, 1), n_frames=400, n_ions=16):
    return np.cumsum(0.1 * np.random.default_rng(seed).normal(size=(n_frames, n_ions, 3)) * along, axis=0)


@pytest.mark.parametrize("rattle", [0.0, 0.05])
def test_a_crystal_that_drifts_as_a_whole_does_not_diffuse(rattle, from_paths):
    drift = sites() + 0.01 * np.arange(400)[:, None, None] + rattle * np.random.default_rng(1).normal(size=(400, 16, 3))
    found = self_diffusivity(msd(from_paths(drift, BOX), reference="none")).isel(species=0)
    assert found.regime.item() == "undecided"
    assert np.isnan(found.self_diffusivity.item())
    assert found.variance_inflation > 0


def test_a_slow_cage_is_caged_also_where_the_rest_of_its_transient_is_seen(from_paths):
    """Relaxation over 1/33 of the run: a slope is left, smaller than its error."""
    for seed in range(4):
        paths, noise = np.zeros((6000, 8, 3)), np.random.default_rng(seed).normal(size=(8000, 8, 3))
        x = np.zeros((8, 3))
        for k, kick in enumerate(noise):
            x = (1 - 1 / 180) * x + 0.1 * kick
            if k >= 2000:
                paths[k - 2000] = x
        found = self_diffusivity(msd(from_paths(paths + 10, BOX), reference="none"))
        assert found.regime.item() == "caged"


def test_some_of_the_windows_or_their_mean_are_refused_because_their_length_is_lost(from_paths):
    measured = msd(from_paths(sites() + steps(), BOX), reference="none", windows=2, tensor=True)
    for part in (measured.isel(window=0), measured.isel(window=[0]), measured.mean("window", keep_attrs=True)):
        for estimate in (self_diffusivity, self_diffusivity_tensor):
            with pytest.raises(TrajectoryError, match="needs every window") as refusal:
                estimate(part)
            assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("along", "word"), [((1, 1, 0), "2-D"), ((0, 1, 0), "1-D")])
def test_axes_without_any_motion_have_the_diffusivity_zero(along, word, from_paths):
    found = self_diffusivity_tensor(msd(from_paths(sites() + steps(along=along), BOX), reference="none", tensor=True)).isel(species=0)
    assert found.dimensionality.item() == word
    still = np.arange(3) >= sum(along)
    for name in ("principal_diffusivity", "principal_diffusivity_stderr", "principal_diffusivity_lower", "principal_diffusivity_upper"):
        assert np.all(found[name].values[still] == 0), name
        assert np.all(found[name].values[~still] > 0), name
