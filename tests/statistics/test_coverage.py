"""A small coverage table: nominal 95 and 68 %, the ratio of quoted to true error, the bias, and what is refused.

Limits are the targets of README with two standard errors of the number of runs, so that intervals that are 3 % too often right, errors 15 % too
small, or bounds below what few jumps allow are seen. The whole table, with what others quote, is scripts/coverage.py.
"""

import numpy as np
import pytest
from statistics_coverage import script

COVERAGE = script()
SEED = 7
KNOWN = ("diffusive", "subdiffusive")


def near(share, nominal, count, *, target):
    """Whether the share is the nominal one within `target`, and two standard errors of a binomial."""
    return abs(share - nominal) <= target + 2 * np.sqrt(nominal * (1 - nominal) / count)


@pytest.mark.parametrize(
    ("name", "count", "target"),
    [
        ("independent, 8 ions", 1500, 0.01),
        ("independent with cage noise, intercept given", 400, 0.01),
        ("independent, lags 10 to 40 given", 700, 0.01),
        ("half of the ions in pairs", 700, 0.02),
        ("cage then hop, 1 jump per ion", 700, 0.02),
        ("cage then hop, 0.1 jumps per ion", 1000, 0.02),
    ],
)
def test_the_intervals_hold_the_truth_as_often_as_they_say(name, count, target):
    truth = COVERAGE.KINDS[name].slope()
    found = COVERAGE.replicas(name, count=count, seed=SEED)[0]
    assert near(np.mean((found.lower <= truth) & (truth <= found.upper)), 0.95, count, target=target)
    known = np.isin(found.regime, KNOWN)
    assert near(np.mean((found.lower_68 <= truth) & (truth <= found.upper_68)), 0.6827, count, target=target)
    scatter = found.slope[known].std()
    assert np.sqrt(np.mean(found.stderr[known] ** 2)) / scatter == pytest.approx(1.0, abs=0.11)
    assert abs(found.slope[known].mean() - truth) < (0.1 + 2 / np.sqrt(count)) * scatter
    refused = 0.05 if "0.1 jumps" in name else 0.01  # 6.4 jumps in all: 5 % of the runs hold at most two
    assert np.mean(~known) <= refused + 2 * np.sqrt(refused / count)


def test_cages_are_refused_and_single_file_motion_is_not_called_diffusive():
    assert np.mean(COVERAGE.replicas("caged, no diffusion", count=300, seed=SEED)[0].regime == "caged") >= 0.99
    assert np.mean(COVERAGE.replicas("single file", count=300, seed=SEED)[0].regime == "diffusive") <= 0.02
