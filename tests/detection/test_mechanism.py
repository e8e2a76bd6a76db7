"""Signs of the mechanism: exact lattices, neutral pairs, weak evidence."""

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.displacement import msd
from mdtools.detection.mechanism import detect_mechanism
from mdtools.estimates.conductivity import ionic_conductivity
from mdtools.estimates.diffusivity import self_diffusivity
from mdtools.estimates.haven import haven_ratio


def haven(value, stderr):
    return schema.dataset({"haven_ratio": value, "haven_ratio_stderr": stderr})


@pytest.mark.parametrize(
    ("value", "f", "word"),
    [
        (0.7815, 0.7815, "back-jumps"),  # vacancy, fcc
        (1 / 3, 2 / 3, "concerted"),  # collinear interstitialcy
        (0.25, 1.0, "concerted"),  # four ions that move as one
        (1.0, 1.0, "independent"),
        (1.18, None, "neutral"),  # molten NaCl
        (1.0, 0.65, "neutral"),  # back-jumps of ions, and less motion of charge still
        (0.5, None, "correlated"),
    ],
)
def test_exact_pairs_of_haven_ratio_and_correlation_factor_have_their_mechanism(value, f, word):
    found = detect_mechanism(haven(value, 0.02 * value), correlation_factor=f)
    assert found.system_verdict == word
    assert found.system_probability.sum().item() == pytest.approx(1)
    assert f"H_R = {value:.3g}" in found.system_reason.item()
    if f is not None:
        assert found.charge_correlation_factor.item() == pytest.approx(f / value)


@pytest.mark.parametrize(("value", "f"), [(0.6, 0.65), (1.2, None), (0.4, 2 / 3)])
def test_weak_evidence_is_undecided(value, f):
    found = detect_mechanism(haven(value, 0.5 * value), correlation_factor=f)
    assert found.system_verdict == "undecided"
    assert "give a longer run" in found.system_reason.item()


def test_without_a_correlation_factor_a_low_ratio_says_what_would_tell():
    assert "correlation_factor=" in detect_mechanism(haven(0.4, 0.02)).system_reason.item()


def test_a_run_of_interstitialcies_is_concerted():
    run = synthetic.interstitialcy(cells=3, n_frames=1200, jumps_per_frame=300, seed=1)
    lags = np.arange(1, 33) * run.frame_interval
    sigma = ionic_conductivity(charge_displacement_msd(run, lags=lags, reference="none"), temperature=600.0)
    ratio = haven_ratio(self_diffusivity(msd(run, lags=lags, reference="none")), sigma)
    assert abs(ratio.haven_ratio - 1 / 3) < 3 * ratio.haven_ratio_stderr + 0.01
    assert detect_mechanism(ratio, correlation_factor=2 / 3, correlation_factor_stderr=0.01).system_verdict == "concerted"


def test_a_factor_that_is_none_is_refused():
    with pytest.raises(ValueError, match="correlation_factor=-1"):
        detect_mechanism(haven(1.0, 0.1), correlation_factor=-1.0)
