"""The ordinary straight line: its value is that of polyfit, its error is the scatter that it really has."""

import numpy as np
import pytest

from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.trajectory import Trajectory

FIRST, LAST = 2.0, 12.0  # ps, at 0.1 ps a frame


def walk(seed, *, n_ions=8, n_frames=301, rattle=0.3):
    random = np.random.default_rng(seed)
    paths = np.cumsum(0.1 * random.normal(size=(n_frames, n_ions, 3)), axis=0) + rattle * random.normal(size=(n_frames, n_ions, 3))
    cell = np.tile(100.0 * np.eye(3), (n_frames, 1, 1))
    return Trajectory(scaled_positions=0.5 + paths / 100, cell=cell, time=0.1 * np.arange(n_frames), species=np.array(["A"] * n_ions))


def line(measured, **options):
    return self_diffusivity(measured, lag_first=FIRST, lag_last=LAST, weights="equal", **options).sel(species="A")


def test_the_value_is_that_of_an_ordinary_straight_line():
    measured = msd(walk(0), reference="none", windows=2)
    found = line(measured)
    mean = measured.msd.mean("window").sel(species="A", lag=slice(FIRST - 1e-6, LAST + 1e-6))
    slope, intercept = np.polyfit(mean.lag, mean, 1)
    assert found.self_diffusivity.item() == pytest.approx(slope / 6, rel=1e-9)
    assert found.cage_size.item() == pytest.approx(intercept, rel=1e-7)
    assert (found.lag_first.item(), found.lag_last.item()) == pytest.approx((FIRST, LAST))
    exact = self_diffusivity(measured, lag_first=FIRST, lag_last=LAST).sel(species="A")
    assert found.self_diffusivity_stderr > exact.self_diffusivity_stderr
    assert found.self_diffusivity_lower < found.self_diffusivity < found.self_diffusivity_upper
    assert found.regime.item() == exact.regime.item()


def test_its_error_is_the_scatter_of_two_hundred_walks():
    found = [line(msd(walk(seed), reference="none")) for seed in range(200)]
    value, stderr, inflation = (
        np.array([one[name].item() for one in found]) for name in ("self_diffusivity", "self_diffusivity_stderr", "variance_inflation")
    )
    exact = 0.01 / 2 / 0.1
    assert abs(value.mean() - exact) < 4 * value.std() / np.sqrt(len(value))
    assert value.std() == pytest.approx(np.sqrt(np.mean(stderr**2 / inflation)), rel=0.15)
    inside = np.mean([one.self_diffusivity_lower.item() < exact < one.self_diffusivity_upper.item() for one in found])
    assert inside > 0.90  # 0.99: the inflation of a range that is given rests on few blocks


def test_a_msd_made_elsewhere_has_a_value_without_an_error():
    measured = msd(walk(1), reference="none")
    elsewhere = measured.drop_vars(["block_msd", "ion_msd", "ion_species", "block", "block_lag", "ion"])
    found = line(elsewhere)
    assert found.self_diffusivity.item() == pytest.approx(line(measured).self_diffusivity.item(), rel=1e-12)
    for name in ("self_diffusivity_stderr", "self_diffusivity_lower", "self_diffusivity_upper", "variance_inflation", "run_for_10_percent"):
        assert np.isnan(found[name].item()), name
    assert "no block_msd" in found.attrs["history"]
    with pytest.raises(NotEnoughData, match="block_msd"):
        self_diffusivity(elsewhere)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"weights": "equal"}, "pass both"),
        ({"weights": "equal", "lag_first": 1.0}, "pass both"),
        ({"weights": "even"}, "not understood"),
        ({"lag_last": 1e5}, "up to 30 ps"),
        ({"lag_first": -1.0}, "no lag of this measurement"),
        ({"lag_first": float("nan")}, "no lag of this measurement"),
        ({"lag_first": 5.0, "lag_last": 5.0}, "not before the last lag"),
        ({"intercept": 0.1, "intercept_stderr": 0.0}, "above 0"),
    ],
)
def test_lags_and_weights_that_are_not_there_are_refused_in_one_line(options, text):
    with pytest.raises(ValueError, match=text) as refusal:
        self_diffusivity(msd(walk(1), reference="none"), **options)
    assert "\n" not in str(refusal.value)
