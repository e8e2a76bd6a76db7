"""Which charges a current is made of, and which are refused: arrays, several species, one ion, none, not neutral."""

import dataclasses

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.current import charge_current_acf, charge_displacement_msd
from mdtools.errors import TrajectoryError

MEASURES = (charge_displacement_msd, charge_current_acf)


@pytest.fixture(scope="module")
def gas():
    return synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=201, seed=3)


def error_of(out):
    return schema.history(out)[-1]["frame_error"]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_charge_of_its_own_for_every_ion_is_right(gas, measure):
    """Twice the charge is four times the product; one odd ion is its own species, or its own number: the total is the same."""
    one = measure(gas, reference="none")[measure.__name__]
    np.testing.assert_allclose(measure(gas.with_charges(2 * gas.charges), reference="none")[measure.__name__], 4 * one, rtol=1e-9, atol=1e-9)
    odd = np.array(gas.charges)
    odd[[0, 5]] = 3.0, -3.0
    out = measure(gas.with_charges(odd), reference="none")
    apart = measure(gas.relabel({"A3": [0], "B3": [5]}).with_charges({"A": 1, "B": -1, "A3": 3, "B3": -3}), reference="none")
    np.testing.assert_allclose(out[measure.__name__], apart[measure.__name__], rtol=1e-9, atol=1e-9)
    assert apart.sizes["pair"] == 10
    np.testing.assert_allclose(apart[f"{measure.__name__}_by_pair"].sum("pair"), apart[measure.__name__], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_one_mobile_ion_has_no_distinct_part(gas, measure):
    one = gas.select([0])
    out = measure(one, reference="none")
    name = measure.__name__
    np.testing.assert_allclose(out[f"{name}_distinct"], 0.0, atol=1e-9 * float(out[name].max()))
    np.testing.assert_allclose(out[f"{name}_self"].sum("species"), out[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_where_no_ion_moves_or_none_is_charged_there_is_no_current(gas, measure):
    """Zero mobile ions: a result, not a crash; the estimate is what refuses it."""
    still = dataclasses.replace(gas, scaled_positions=np.broadcast_to(gas.scaled_positions[:1], gas.scaled_positions.shape), velocities=None)
    for run in (still, gas.with_charges({"A": 0, "B": 0})):
        out = measure(run)
        for label in out.data_vars:
            if label.startswith(measure.__name__):
                assert float(np.abs(out[label]).max()) < 1e-9, label


@pytest.mark.parametrize("measure", MEASURES)
def test_mobile_charges_alone_will_do_in_the_frame_of_the_framework(gas, measure):
    """A file with a framework whose charges nobody knows: J of the mobile ions in its frame needs none of them."""
    framed = gas.with_framework(["B"])
    bare = framed.with_charges({"A": 1})
    np.testing.assert_array_equal(bare.charges, framed.with_charges({"A": 1, "B": 0}).charges)
    assert bare.history[-1]["before"] == "A +1, B -1 (sum +0 e)"
    out = measure(bare)
    np.testing.assert_allclose(out[measure.__name__], measure(framed)[measure.__name__], rtol=1e-9, atol=1e-9)
    assert schema.history(out)[-1]["reference"] == ["B"]
    named = gas.with_charges({"A": 1, "B": 0})
    for one in (out, measure(named, reference=["B"]), measure(named, reference="B")):
        assert error_of(one).startswith("none: only ions that move")
    assert error_of(measure(named, reference="none")).startswith("unknown")
    assert error_of(measure(framed)) == "none: the charges sum to zero"
    with pytest.raises(TrajectoryError, match=r"sum to \+2 e"):
        measure(framed.with_charges({"A": 1, "B": -0.5}))


@pytest.mark.parametrize("measure", MEASURES)
def test_mobile_ions_alone_need_a_named_frame_and_its_error_is_unknown(gas, measure):
    mobile = gas.select(["A"])
    with pytest.raises(TrajectoryError, match=r'sum to \+4 e.*reference="none"'):
        measure(mobile)
    assert error_of(measure(mobile, reference="none")).startswith("unknown: the charges do not sum to zero")


def test_formal_and_model_charges_are_two_rows_of_a_series(tmp_path, gas):
    """The file says 0.6 e, chemistry says 1 e: conductivity side by side differs by the square of the ratio, and the reader says both sums."""
    import mdtools as md

    path = tmp_path / "run.lammpstrj"
    x = (np.asarray(gas.scaled_positions, dtype=float)) @ gas.cell[0]
    edge = gas.cell[0, 0, 0]
    with open(path, "w") as file:
        for k in range(gas.n_frames):
            bounds = "ITEM: BOX BOUNDS pp pp pp\n" + f"0 {edge}\n" * 3
            file.write(f"ITEM: UNITS\nmetal\nITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n8\n{bounds}ITEM: ATOMS id element q xu yu zu\n")
            for a in range(8):
                where = " ".join(f"{v:.9g}" for v in x[k, a])
                file.write(f"{a + 1} {'Ag' if a < 4 else 'I'} {0.6 * gas.charges[a]:g} {where}\n")
    shared = {"path": str(path), "timestep": gas.frame_interval, "temperature": 700.0}
    series = md.read_series([{**shared, "name": "model"}, {**shared, "name": "formal", "charges": "Ag=1,I=-1"}])
    model, formal = (charge_displacement_msd(run) for _, run in series)
    np.testing.assert_allclose(formal.charge_displacement_msd * 0.36, model.charge_displacement_msd, rtol=1e-6, atol=1e-8)
    step = schema.history(formal)[0]
    assert step["charges"] == "from charges="
    assert step["charges_of_the_file"] == pytest.approx({"Ag": 0.6, "I": -0.6})
    run = dict(series)["formal"]
    assert any("Ag +1 (file +0.6), I -1 (file -0.6); sum +0 e (file +0 e)" in note for note in run.notes)
