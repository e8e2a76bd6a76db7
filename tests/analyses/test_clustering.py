"""How ions moved through a run: shares, Moran's I, what neighbours share and the axes, of displacements that are set by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mdtools import imitators
from mdtools.analyses.clustering import moved_together

STEP = np.array([2.0, 0.0, 0.0])  # angstrom
DISTANCE = np.array([5.6 / np.sqrt(2), 2.8])  # of X, of A


def moved(chosen):
    """Moved of A where the ions `chosen(places in angstrom)` of it go by STEP half way through the run; X stays."""
    traj = imitators.crystal(n_frames=64, amplitude=1e-4)
    s = np.asarray(traj.scaled_positions, dtype=np.float64)
    edge = traj.cell[0, 0, 0]
    flags = chosen(np.round(s[0] * edge / 1.4) * 1.4) & (traj.species == "A")
    s[32:, flags] += STEP / edge
    out = moved_together(replace(traj, scaled_positions=s), DISTANCE, "X")
    return flags, out, list(traj.species_names).index("A"), list(traj.species_names).index("X")


def test_share_axes_and_correlation_are_those_of_the_displacements():
    """Of a simple cubic sublattice with 6 neighbours at d and 12 at 1.41 d: a moved half, planes normal to x that alternate."""
    flags, out, a, x = moved(lambda r: np.round(r[:, 0] / 2.8 - 0.5).astype(int) % 2 == 0)
    assert flags.sum() == 108
    assert out.share[a] == pytest.approx(0.5)
    assert out.share[x] == 0
    np.testing.assert_allclose(out.tensor[a], np.diag([0.5 * STEP[0] ** 2, 0, 0]), atol=2e-3)
    # before the step an ion shares its plane with 4 + 4 of its 18 neighbours; dr . dr' / <dr^2> is 2 f (1 / 2) = f of the pairs that both moved
    assert out.alike[a] == pytest.approx(8 / 18, abs=0.01)


def test_ions_that_sit_together_are_told_from_ions_that_do_not():
    _, slab, a, _ = moved(lambda r: r[:, 2] < 8.4)
    random = np.random.default_rng(3)
    _, scattered, _, _ = moved(lambda r: random.random(len(r)) < 0.5)
    assert slab.together[a] > 6
    assert abs(scattered.together[a]) < 3
    _, none, _, _ = moved(lambda r: np.zeros(len(r), dtype=bool))
    assert none.together[a] == 0


def test_matter_that_flows_carries_neighbours_along():
    _, out, a, _ = moved(lambda r: np.ones(len(r), dtype=bool))
    assert out.alike[a] == pytest.approx(1.0, abs=0.01)
    assert out.together[a] == 0  # all moved: no contrast
