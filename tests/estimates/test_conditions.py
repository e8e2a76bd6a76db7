"""Isotope exponent and activation volume: exact laws, repetitions, refusals."""

import numpy as np
import pytest

import mdtools as md
from mdtools import schema, synthetic
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.conditions import activation_volume, isotope_exponent
from mdtools.units import BOLTZMANN


def member(value, *, mass=(6.94, 32.06), kelvin=600.0, pressure=np.nan, relative=0.03):
    return schema.dataset(
        {
            "species": ["Li", "S"],
            "mass": (("species",), list(mass)),
            "self_diffusivity": (("species",), [value, np.nan]),
            "self_diffusivity_stderr": (("species",), [relative * value, np.nan]),
            "self_diffusivity_upper": (("species",), [2 * value, 1e-4]),
            "stated_temperature": kelvin,
            "stated_pressure": pressure,
        }
    )


def test_a_square_root_law_has_exponent_a_half():
    runs = [member(m**-0.5, mass=(m, 32.06)) for m in (6.0, 7.0, 12.0, 24.0)]
    found = isotope_exponent(runs)
    assert found.isotope_exponent.sel(species="Li").item() == pytest.approx(0.5)
    assert np.isnan(found.isotope_exponent.sel(species="S"))


def test_two_masses_give_the_error_that_they_quote():
    found = isotope_exponent([member(1.0, mass=(6.0, 32.06)), member(0.9, mass=(7.0, 32.06))]).sel(species="Li")
    assert found.isotope_exponent.item() == pytest.approx(-np.log(0.9) / np.log(7 / 6))
    assert found.isotope_exponent_stderr.item() == pytest.approx(0.03 * np.sqrt(2) / np.log(7 / 6))
    assert np.isnan(found.misfit)


def test_the_activation_volume_and_its_error_are_those_of_many_repetitions():
    random = np.random.default_rng(3)
    per_gpa = 5.0 / (BOLTZMANN * 600 * 160.21766)  # 5 angstrom^3
    found = []
    for _ in range(60):
        runs = [member(np.exp(-per_gpa * p + 0.03 * random.normal()), pressure=p) for p in (0.0, 1.0, 2.0, 3.0, 5.0)]
        found.append(activation_volume(runs).sel(species="Li"))
    value, stderr = (np.array([float(one[name]) for one in found]) for name in ("activation_volume", "activation_volume_stderr"))
    assert abs(value.mean() - 5.0) < 3 * value.std() / np.sqrt(60)
    assert np.mean(np.abs(value - 5.0) < 1.96 * stderr) > 0.87


def test_refusals_say_what_is_missing():
    with pytest.raises(TrajectoryError, match="600 to 900 K"):
        isotope_exponent([member(1.0), member(1.0, kelvin=900.0)])
    with pytest.raises(NotEnoughData, match="two masses"):
        isotope_exponent([member(1.0), member(1.1)])
    with pytest.raises(TrajectoryError, match="pressure="):
        activation_volume([member(1.0), member(1.1)])
    with pytest.raises(NotEnoughData, match="three pressures"):
        activation_volume([member(1.0, pressure=0.0), member(1.1, pressure=1.0)])
    with pytest.raises(NotEnoughData, match="was given 1"):
        activation_volume([member(1.0, pressure=0.0)])


def test_the_pressure_of_a_table_reaches_the_activation_volume(tmp_path):
    walks = {
        f"{p:g} GPa": {"path": atoms_of(synthetic.brownian(n_atoms=32, n_frames=300, diffusivity=float(np.exp(-p)), seed=int(p))), "pressure": p}
        for p in (0.0, 1.0, 2.0)
    }
    series = md.read_series(walks, frame_interval=0.1, temperature=600, errors="raise")
    runs = [md.self_diffusivity(md.msd(member, reference="none")) for _, member in series]
    assert [float(run.stated_pressure) for run in runs] == [0.0, 1.0, 2.0]
    found = activation_volume(runs)
    truth = BOLTZMANN * 600 * 160.21766
    assert abs(found.activation_volume.item() - truth) < 3 * found.activation_volume_stderr.item() + 0.5


def atoms_of(traj):
    """The frames of a trajectory as ase.Atoms; steps stay far below half the cell."""
    from ase import Atoms

    positions = np.einsum("tai,tij->taj", np.asarray(traj.scaled_positions), traj.cell)
    return [Atoms("Li" * traj.n_atoms, positions=p, cell=c, pbc=True) for p, c in zip(positions, traj.cell, strict=True)]
