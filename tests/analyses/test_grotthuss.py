"""Vehicular and hopping parts of proton motion: an exact chain, identities, refusals."""

import dataclasses

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.current import charge_displacement_msd
from mdtools.analyses.grotthuss import forward_hand_overs, proton_displacement
from mdtools.errors import TrajectoryError


@pytest.fixture(scope="module")
def chain():
    return synthetic.grotthuss_chain(n_frames=8001, hop=0.1, diffusivity=0.5, carrier_charge=-0.2, seed=4)


def test_the_chain_has_its_exact_vehicular_and_hopping_parts(chain):
    out = proton_displacement(chain, carriers=["O"], windows=1, lags=[0.0, 0.1, 1.0], reference="none").isel(window=0)
    walker = np.sqrt(2 / 3 / 8000)
    for lag, m in ((0.1, 1), (1.0, 10)):
        one = out.sel(lag=lag)
        assert float(one.proton_msd_vehicular) == pytest.approx(6 * 0.5 * lag, rel=4 * walker * np.sqrt(max(1, 2 * m / 3)))
        # nine independent walkers in one dimension; a step is 0 or 3 angstrom
        assert float(one.proton_msd_hopping) == pytest.approx(2 * 0.1 * 9 * m, rel=4 * np.sqrt(5 / 8000 / 9 * m))
        scale = np.sqrt(float(one.proton_msd_vehicular * one.proton_msd_hopping))
        assert abs(float(one.proton_msd_cross)) < 8 * scale * np.sqrt(m / 8000 / 3)
    total = out.proton_msd_vehicular + out.proton_msd_hopping + out.proton_msd_cross
    np.testing.assert_allclose(out.proton_msd, total, rtol=1e-9, atol=1e-9)  # the bond is stiff
    assert float(out.hand_overs) == pytest.approx(0.2 * 8000 * 9, rel=4 / np.sqrt(0.2 * 8000 * 9))
    assert float(out.carrier_kept.sel(lag=0.1)) == pytest.approx(0.8, abs=0.01)
    assert float(out.carrier_kept.sel(lag=0.0)) == 1.0


def test_neutral_chains_conduct_by_hand_over_alone_and_routes_add_up(chain):
    out = proton_displacement(chain, carriers="O", windows=2, lags=[0.1, 0.5, 2.0])
    routes = out.charge_displacement_msd_by_route
    np.testing.assert_allclose(routes.sum("route_pair"), out.charge_displacement_msd, rtol=1e-9)
    np.testing.assert_allclose(routes.sel(route_pair="hopping-hopping"), out.charge_displacement_msd, rtol=1e-6)
    dipole = charge_displacement_msd(chain, windows=2, lags=[0.1, 0.5, 2.0])
    np.testing.assert_allclose(out.charge_displacement_msd, dipole.charge_displacement_msd, rtol=1e-9)


def test_bare_protons_on_vehicles_carry_charge_both_ways():
    chain = synthetic.grotthuss_chain(n_frames=4001, seed=4)
    out = proton_displacement(chain, carriers=["O"], windows=1, lags=[0.1], reference="none").isel(window=0, lag=0)
    routes = out.charge_displacement_msd_by_route
    assert float(routes.sel(route_pair="vehicular-vehicular")) == pytest.approx(81 * 6 * 0.5 * 0.1, rel=4 * np.sqrt(2 / 3 / 4000))
    assert float(routes.sel(route_pair="hopping-hopping")) == pytest.approx(9 * 2 * 0.1 * 9, rel=0.1)
    assert schema.history(proton_displacement(chain, carriers=["O"], reference="none"))[-1]["frame_error"].startswith("unknown")


def test_a_proton_that_rattles_makes_no_hand_over_and_undone_ones_are_not_forward():
    assert forward_hand_overs(np.array([[0, 1, 0, 1, 0, 0], [3, 3, 4, 5, 4, 6]])) == (8, 2)
    chain = synthetic.grotthuss_chain(n_frames=300, hop=0.0, seed=1)
    rattled = np.asarray(chain.scaled_positions) + 0.0
    rattled[:, -9:, 0] += np.where(np.arange(300) % 2, 1.55, 1.45)[:, None] / chain.cell[0, 0, 0]  # about the middle of two carriers
    held = dataclasses.replace(chain, scaled_positions=rattled)
    few, many = (float(proton_displacement(held, carriers=["O"], margin=m, windows=1, reference="none").hand_overs.sum()) for m in (0.3, 0.0))
    assert few == 0
    assert many == 9 * 299


def test_the_result_does_not_depend_on_the_size_of_blocks(chain, monkeypatch):
    some = dataclasses.replace(chain, scaled_positions=chain.scaled_positions[:400], time=chain.time[:400], cell=chain.cell[:400])
    one = proton_displacement(some, carriers=["O"])
    monkeypatch.setattr("mdtools.memory.block", lambda: 7 * 6 * 3 * 8 * chain.n_atoms)
    other = proton_displacement(some, carriers=["O"])
    for name in one.data_vars:
        np.testing.assert_allclose(other[name], one[name], rtol=1e-9, atol=1e-12)


def test_what_is_missing_is_named_with_its_cure(chain):
    with pytest.raises(TrajectoryError, match=r"carriers=\['O'\] \(--carriers O\)"):
        proton_displacement(chain)
    with pytest.raises(TrajectoryError, match=r"carriers= names N.*species of .* are O, H"):
        proton_displacement(chain, carriers=["N"])
    with pytest.raises(TrajectoryError, match="cannot be proton and carrier"):
        proton_displacement(chain, carriers=["O", "H"])
    with pytest.raises(TrajectoryError, match="protons= names D"):
        proton_displacement(chain, carriers=["O"], protons="D")
    with pytest.raises(ValueError, match="0 or more"):
        proton_displacement(chain, carriers=["O"], margin=-1.0)
    without = dataclasses.replace(chain, charges=None)
    out = proton_displacement(without, carriers=["O"])
    assert "charge_displacement_msd" not in out
    step = schema.history(out)[-1]
    assert step["charge"] == "no charges: protons alone"
    assert step["hand_overs_per_proton_and_frame"] == pytest.approx(0.2, abs=0.01)
