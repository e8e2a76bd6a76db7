"""Quasielastic widths from measured F_s: known walks, what is refused, and what is carried."""

import numpy as np
import pytest
import xarray as xr

import mdtools as md
from mdtools import chain, synthetic
from mdtools.cli import main
from mdtools.errors import NotEnoughData, TrajectoryError


@pytest.fixture(scope="module")
def walk():
    run = synthetic.brownian(n_atoms=60, n_frames=1600, diffusivity=0.3, seed=5)
    return md.intermediate_scattering_self(run, q=[0.5, 1.0, 1.5, 2.0], reference="none")


def test_brownian_ions_diffuse_continuously_and_the_line_is_d_q2(walk):
    found = md.quasielastic_width(walk)
    assert found.motion.values.tolist() == ["continuous", "continuous"]
    assert np.all(found.quasielastic_diffusivity_lower < 0.3)
    assert np.all(found.quasielastic_diffusivity_upper > 0.3)
    exact = 0.3 * found.q.values**2 / (2 * np.pi)
    np.testing.assert_allclose(found.predicted_quasielastic_width, np.broadcast_to(exact, (2, 4)), rtol=0.15)
    z = (found.quasielastic_width - exact) / found.quasielastic_width_stderr
    assert np.nanmax(np.abs(z)) < 5
    np.testing.assert_allclose(found.motion_probability.sum("motion_model"), 1)
    assert np.isnan(found.rotation_radius).all() or (found.rotation_radius < 4).all()


def test_a_rotor_is_seen_turning_on_its_radius():
    run = synthetic.rotor(cells=3, n_frames=2400, radius=1.5, rotational_diffusivity=0.2, frame_interval=0.1, seed=6)
    measured = md.intermediate_scattering_self(run, q=[0.8, 1.4, 2.0, 2.6], reference="X")
    found = md.quasielastic_width(measured).sel(species="Y")
    assert found.motion.item() == "rotor"
    assert abs(found.rotation_radius - 1.5) < 4 * found.rotation_radius_stderr + 0.02
    assert abs(found.rotational_diffusivity - 0.2) < 5 * found.rotational_diffusivity_stderr
    assert np.isnan(found.quasielastic_diffusivity)


def test_a_crystal_is_elastic_with_its_debye_waller_factor():
    solid = synthetic.damped_oscillator(cells=3, n_frames=1600, frequency=2.0, damping=6.0, temperature=600.0, frame_interval=0.05, seed=7)
    found = md.quasielastic_width(md.intermediate_scattering_self(solid, q=[1.0, 2.0, 4.0], reference="none"), highest=0.3)
    variance = 8.617333e-5 * 600 / 1.0364270e-4 / 20 / (2 * np.pi * 2.0) ** 2
    np.testing.assert_allclose(found.elastic_incoherent_structure_factor[0], np.exp(-(found.q.values**2) * variance), atol=0.01)
    assert np.isnan(found.quasielastic_diffusivity).all()


def test_what_it_cannot_use_is_refused_in_words(walk):
    for data, words in (
        (walk.isel(lag=slice(0, 20)), "every lag"),
        (walk.isel(window=slice(0, 2)), "at least 4"),
        (walk.isel(window=slice(0, 4)), "every window"),
        (walk.mean("window"), "windows=8"),
    ):
        with pytest.raises(NotEnoughData, match=words):
            md.quasielastic_width(data)
    with pytest.raises(TrajectoryError, match="needs intermediate_scattering_self"):
        md.quasielastic_width(walk.drop_vars("intermediate_scattering_self"))
    with pytest.raises(ValueError, match="highest"):
        md.quasielastic_width(walk, highest=6.0)
    with pytest.raises(ValueError, match="motions"):
        md.quasielastic_width(walk, motions=["flow"])


def test_one_species_or_wave_number_may_be_selected(walk):
    whole = md.quasielastic_width(walk, motions=["continuous", "jump"])
    one = md.quasielastic_width(walk.sel(species=["A"]), motions=["continuous", "jump"])
    np.testing.assert_allclose(one.quasielastic_diffusivity, whole.quasielastic_diffusivity.sel(species=["A"]), rtol=1e-6)


def test_the_convention_does_not_change_the_estimate():
    run = synthetic.brownian(n_atoms=40, n_frames=800, diffusivity=0.3, seed=8)
    found = [
        md.quasielastic_width(md.intermediate_scattering_self(run, q=[0.8, 1.6], reference="none", convention=name), motions=["continuous"])
        for name in (None, "dynasor")
    ]
    np.testing.assert_allclose(found[0].quasielastic_diffusivity, found[1].quasielastic_diffusivity, rtol=1e-6)


def test_behind_a_resolution_the_motion_is_the_same_and_the_line_is_broader(walk):
    plain = md.quasielastic_width(walk, motions=["elastic", "continuous"])
    for shape in ("gaussian", "lorentzian"):
        found = md.quasielastic_width(walk, motions=["elastic", "continuous"], resolution="0.5 meV", resolution_shape=shape)
        assert found.motion.values.tolist() == ["continuous", "continuous"]
        difference = found.quasielastic_diffusivity - plain.quasielastic_diffusivity
        assert np.all(abs(difference) < 2 * plain.quasielastic_diffusivity_stderr)
        full = 0.5 / 4.135667696923859
        there = np.isfinite(found.quasielastic_width.values)
        assert there.sum() >= 5
        assert np.all(abs(found.quasielastic_width - plain.quasielastic_width).values[there] < 3 * found.quasielastic_width_stderr.values[there])
        width, seen = found.quasielastic_width.values[there], found.quasielastic_width_seen.values[there]
        if shape == "lorentzian":
            np.testing.assert_allclose(seen, width + full / 2, rtol=1e-9)
        else:
            # 0.5346 L + sqrt(0.2166 L^2 + G^2) of full widths, to 2e-4: J. Olivero and R. Longbothum, J. Quant. Spectrosc. 17, 233 (1977)
            np.testing.assert_allclose(seen, 0.5346 * width + np.sqrt(0.2166 * width**2 + full**2 / 4), rtol=5e-4)
            assert np.all(found.quasielastic_width_seen_stderr.values[there] < found.quasielastic_width_stderr.values[there])


def test_a_line_that_the_resolution_hides_has_no_width_and_counts_as_elastic():
    slow = synthetic.brownian(n_atoms=40, n_frames=1600, diffusivity=0.05, seed=9)
    measured = md.intermediate_scattering_self(slow, q=[0.6], reference="none")  # a line of 0.003 THz
    found = md.quasielastic_width(measured, motions=["elastic", "continuous"], resolution="2 meV")
    assert np.isnan(found.quasielastic_width).all()
    assert np.isnan(found.quasielastic_width_seen).all()
    assert np.all(found.elastic_incoherent_structure_factor > 0.9)


def test_a_resolution_is_never_guessed(walk):
    for resolution, words in (
        ("0.5", "with its unit"),
        ("0.5 K", "meV, ueV, THz or GHz"),
        ("-1 meV", "positive"),
        ("40 meV", "pass a larger highest"),
    ):
        with pytest.raises(ValueError, match=words):
            md.quasielastic_width(walk, resolution=resolution)
    with pytest.raises(ValueError, match="gaussian, lorentzian, triangular"):
        md.quasielastic_width(walk, resolution="1 meV", resolution_shape="square")
    with pytest.raises(NotEnoughData, match="fewer windows"):
        md.quasielastic_width(walk, resolution="1 ueV")
    assert "quasielastic_width_seen" not in md.quasielastic_width(walk, motions=["continuous"])


def test_a_run_in_lj_units_gives_its_resolution_as_a_number(walk):
    reduced = walk.assign_attrs(unit_system="lj")
    found = md.quasielastic_width(reduced, motions=["continuous"], resolution="0.12")
    assert np.isfinite(found.quasielastic_width_seen).any()
    with pytest.raises(ValueError, match="1/tau"):
        md.quasielastic_width(reduced, resolution="0.5 meV")


FULL = 0.5  # meV
ENERGY = np.arange(-2.0, 2.005, 0.01)
GAUSSIAN = 4000 * np.exp(-4 * np.log(2) * (ENERGY / FULL) ** 2)
FEW = {"motions": ["elastic", "continuous"]}


def test_a_measured_curve_is_folded_in_as_the_shape_that_it_has(walk, tmp_path):
    given = md.quasielastic_width(walk, **FEW, resolution="0.5 meV")
    file = tmp_path / "vanadium.csv"
    np.savetxt(file, np.column_stack([ENERGY, GAUSSIAN, np.sqrt(GAUSSIAN + 1)])[::-1], delimiter=",", header="energy,intensity,error", comments="")
    labelled = xr.DataArray(GAUSSIAN, {"energy": ("energy", ENERGY * 1000, {"units": "ueV"})}, "energy")
    for found in (
        md.quasielastic_width(walk, **FEW, resolution=str(file), resolution_unit="meV"),
        md.quasielastic_width(walk, **FEW, resolution=(ENERGY, GAUSSIAN), resolution_unit="meV"),
        md.quasielastic_width(walk, **FEW, resolution=np.column_stack([ENERGY / 4.135667696923859, GAUSSIAN]), resolution_unit="THz"),
        md.quasielastic_width(walk, **FEW, resolution=labelled),
    ):
        for name in ("quasielastic_diffusivity", "quasielastic_width", "quasielastic_width_seen", "elastic_incoherent_structure_factor"):
            np.testing.assert_allclose(found[name], given[name], rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(found[f"{name}_stderr"], given[f"{name}_stderr"], rtol=1e-2, atol=1e-6)
    step = md.history(md.quasielastic_width(walk, **FEW, resolution=str(file), resolution_unit="meV"))[-1]
    assert step["resolution_unit"] == "meV"
    assert "vanadium.csv' (401 points, sha256" in step["resolution"]
    assert "full width at half maximum 0.1209 THz" in step["resolution"]


def test_the_command_line_takes_a_curve_from_a_file(walk, tmp_path, capsys):
    saved, file, out = tmp_path / "walk.nc", tmp_path / "vanadium.dat", tmp_path / "width.nc"
    walk.to_netcdf(saved, engine="h5netcdf")
    np.savetxt(file, np.column_stack([ENERGY, GAUSSIAN]), header="meV  counts")
    words = ["quasielastic-width", str(saved), "--motions", "elastic,continuous", "--out", str(out), "--resolution", str(file)]
    assert main(words) == 2
    assert "--resolution-unit on a command line" in capsys.readouterr().err
    assert main([*words, "--resolution-unit", "meV"]) == 0
    ((_, found),) = chain.load(out)
    given = md.quasielastic_width(walk, **FEW, resolution="0.5 meV")
    np.testing.assert_allclose(found.quasielastic_diffusivity, given.quasielastic_diffusivity, rtol=1e-3)


def test_a_curve_with_a_tail_gives_the_width_behind_it(walk):
    tail = np.where(ENERGY >= 0, np.exp(-ENERGY / 0.3), np.exp(ENERGY / 0.1))
    plain, found = md.quasielastic_width(walk, **FEW), md.quasielastic_width(walk, **FEW, resolution=(ENERGY, tail), resolution_unit="meV")
    assert found.motion.values.tolist() == ["continuous", "continuous"]
    assert np.all(abs(found.quasielastic_diffusivity - plain.quasielastic_diffusivity) < 2 * plain.quasielastic_diffusivity_stderr)
    assert np.nanmin(found.quasielastic_width_seen - found.quasielastic_width) > 0.01


def test_a_curve_that_is_no_resolution_is_refused_in_a_line(walk, tmp_path):
    pair = (ENERGY, GAUSSIAN)
    for curve, unit, words in (
        (pair, None, "pass resolution_unit"),
        (pair, "K", "meV, ueV, THz, GHz"),
        ((ENERGY, GAUSSIAN + 200), "meV", r"4\.8% of its peak: subtract its background \(200\)"),
        ((ENERGY, GAUSSIAN - 400), "meV", "not negative"),
        ((ENERGY + 0.3, GAUSSIAN), "meV", "peaks at 0.3 meV"),
        ((ENERGY[::25], GAUSSIAN[::25]), "meV", "2 points within"),
        ((ENERGY[:3], GAUSSIAN[:3]), "meV", "has 3 points"),
        ((ENERGY[ENERGY > -0.001], GAUSSIAN[ENERGY > -0.001]), "meV", "both sides of the elastic line"),
        ((np.repeat(ENERGY, 2), np.repeat(GAUSSIAN, 2)), "meV", "two values at -2 meV"),
        ((ENERGY, np.where(ENERGY > 1, np.nan, GAUSSIAN)), "meV", "not finite"),
        ((ENERGY, GAUSSIAN[1:]), "meV", "pair of such arrays"),
        (xr.DataArray(GAUSSIAN, {"energy": ENERGY}, "energy"), None, "pass resolution_unit"),
        (xr.DataArray(GAUSSIAN, dims="energy"), "meV", "one curve over a coordinate"),
        (xr.DataArray(GAUSSIAN, {"energy": ("energy", ENERGY, {"units": "meV"})}, "energy"), "THz", "leave the one out"),
        ("vanadium.dat", "meV", "is none"),
        ("vanadium.dat", None, "no(ne| file) of this name"),
    ):
        with pytest.raises(ValueError, match=words) as refused:
            md.quasielastic_width(walk, resolution=curve, resolution_unit=unit)
        assert "\n" not in str(refused.value)
    for text, words in (("0 1\n0.1 x\n", "line 2"), ("0 1 2 3\n", "4 columns"), ("# nothing\n", "has 0 points"), ("0 1\n1 2 3\n", "3 columns")):
        file = tmp_path / "curve.dat"
        file.write_text(text)
        with pytest.raises(ValueError, match=words):
            md.quasielastic_width(walk, resolution=str(file), resolution_unit="meV")
    with pytest.raises(NotEnoughData, match="fewer windows"):
        md.quasielastic_width(walk, resolution=pair, resolution_unit="ueV")
    with pytest.raises(ValueError, match="leave resolution_unit out"):
        md.quasielastic_width(walk.assign_attrs(unit_system="lj"), resolution=pair, resolution_unit="meV")
