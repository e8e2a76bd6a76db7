"""Scattering functions against dynasor, against their definitions, and where the answer is known exactly."""

import dataclasses
import json

import numpy as np
import pytest

import mdtools as md
from mdtools import memory, synthetic
from mdtools.analyses.wave_vectors import chosen, in_cycles, rods_of, shells_of
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

PAIRS = {"Ca-Ca": "Ca_Ca", "Ca-F": "Ca_F", "F-F": "F_F"}


@pytest.fixture(scope="module")
def table(files):
    return json.loads((files / "other" / "dynasor" / "dynasor.json").read_text())


@pytest.fixture(scope="module", params=["float64", "float32"])
def walk(request, files):
    path = files / "other" / "dynasor" / "walk.extxyz.gz"
    return md.read(path, frame_interval="10 fs", units="real", precision=request.param), 1e-12 if request.param == "float64" else 1e-5


def as_dynasor(table, *, longest=True):
    return {"hkl": table["hkl"], "windows": 1, "reference": "none", "convention": "dynasor", **({"longest": 0.25} if longest else {})}


def test_coherent_functions_are_those_of_dynasor(walk, table):
    traj, close = walk
    f = md.intermediate_scattering(traj, **as_dynasor(table)).intermediate_scattering[0]
    s = md.dynamic_structure_factor(traj, **as_dynasor(table))
    static = md.structure_factor(traj, **as_dynasor(table, longest=False)).structure_factor[0]
    for pair, key in PAIRS.items():
        np.testing.assert_allclose(f.sel(pair=pair), table[f"Fqt_coh_{key}"], rtol=0, atol=close)
        np.testing.assert_allclose(1000 * s.dynamic_structure_factor[0].sel(pair=pair), table[f"Sqw_coh_{key}"], rtol=0, atol=1000 * close)
        np.testing.assert_allclose(static.sel(pair=pair), table[f"Sq_{key}"], rtol=0, atol=close)
    np.testing.assert_allclose(f.sum("pair"), table["Fqt_coh"], rtol=0, atol=close)
    np.testing.assert_allclose(f.q, table["q"], rtol=1e-12)
    np.testing.assert_allclose(2 * np.pi * s.frequency / 1000, table["omega"], rtol=1e-12)


def test_self_functions_are_those_of_dynasor(walk, table):
    traj, close = walk
    f = md.intermediate_scattering_self(traj, **as_dynasor(table)).intermediate_scattering_self[0]
    s = md.dynamic_structure_factor(traj, incoherent=True, **as_dynasor(table)).dynamic_structure_factor_self[0]
    for name in ("Ca", "F"):
        np.testing.assert_allclose(f.sel(species=name), table[f"Fqt_incoh_{name}"], rtol=0, atol=close)
        np.testing.assert_allclose(1000 * s.sel(species=name), table[f"Sqw_incoh_{name}"], rtol=0, atol=1000 * close)


def test_currents_are_those_of_dynasor(walk, table):
    traj, close = walk
    c = md.current_correlation(traj, **as_dynasor(table))
    for pair, key in PAIRS.items():
        for name, word in (("longitudinal_current_acf", "Clqt"), ("transverse_current_acf", "Ctqt")):
            reference = 1e6 * np.array(table[f"{word}_{key}"])
            np.testing.assert_allclose(c[name][0].sel(pair=pair), reference, rtol=0, atol=close * np.abs(reference).max())


def test_dynasor_itself_gives_the_table(files, table):
    dynasor = pytest.importorskip("dynasor", reason='needs dynasor 2.5: pip install ".[bench]"')
    if tuple(map(int, dynasor.__version__.split(".")[:2])) < (2, 5):
        pytest.skip("needs dynasor 2.5 or newer")
    from dynasor.core.reciprocal import calc_rho_q

    traj = md.read(files / "other" / "dynasor" / "walk.extxyz.gz", frame_interval="10 fs", units="real", precision="float64")
    q = 2 * np.pi * in_cycles(np.array(table["hkl"]), traj.mean_cell)
    x = np.asarray(traj.scaled_positions) @ traj.cell[0]
    rho = np.array([calc_rho_q(np.ascontiguousarray(one[traj.indices("Ca")]), q) for one in x])
    ours = md.structure_factor(traj, **as_dynasor(table, longest=False)).structure_factor[0].sel(pair="Ca-Ca")
    np.testing.assert_allclose(np.mean(np.abs(rho) ** 2, axis=0) / traj.n_atoms, ours, atol=1e-12)


def test_the_convention_of_mdanse_is_a_change_of_factors(walk, table):
    traj, _ = walk
    options = as_dynasor(table) | {"convention": None}
    ours, theirs = (md.intermediate_scattering(traj, **(options | {"convention": name})).intermediate_scattering for name in (None, "mdanse"))
    factor = {"Ca-Ca": 20 / 12, "Ca-F": 20 / (2 * np.sqrt(96)), "F-F": 20 / 8}
    for pair, expected in factor.items():
        np.testing.assert_allclose(theirs.sel(pair=pair), expected * ours.sel(pair=pair), rtol=1e-12, atol=1e-14)
    ours, theirs = (md.dynamic_structure_factor(traj, **(options | {"convention": name})).dynamic_structure_factor for name in (None, "mdanse"))
    np.testing.assert_allclose(theirs.sel(pair="F-F"), 2.5 / (2 * np.pi) * ours.sel(pair="F-F"), rtol=1e-12, atol=1e-14)


@pytest.fixture(scope="module")
def breathing():
    """Ions in a cell that changes its size and shape from frame to frame."""
    random = np.random.default_rng(5)
    cell = np.array([[9.0, 0, 0], [2.0, 8.0, 0], [1.0, -1.0, 10.0]]) + 0.2 * random.normal(size=(30, 3, 3))
    s = random.uniform(size=(1, 14, 3)) + random.normal(0, 0.02, (30, 14, 3)).cumsum(axis=0)
    return md.Trajectory(
        scaled_positions=s, cell=cell, time=np.arange(30) * 0.1, species=np.array(["A"] * 6 + ["B"] * 8), masses=np.ones(14),
        velocities=random.normal(size=(30, 14, 3)),
    )  # fmt: skip


def test_under_a_changing_cell_indices_are_fixed_and_q_follows(breathing):
    hkl = np.array([[1, 0, 0], [2, -1, 3]])
    f = md.intermediate_scattering(breathing, hkl=hkl.tolist(), windows=1, reference="none").intermediate_scattering[0].sum("pair")
    c = md.current_correlation(breathing, hkl=hkl.tolist(), windows=1, reference="none").longitudinal_current_acf[0].sum("pair")
    wave = np.exp(2j * np.pi * np.einsum("tai,hi->tah", breathing.scaled_positions, hkl))
    rho = wave.sum(axis=1)
    unit = in_cycles(hkl, breathing.cell)
    unit /= np.linalg.norm(unit, axis=-1, keepdims=True)
    j = np.einsum("tah,tax,thx->th", wave, breathing.velocities, unit)
    for lag in (0, 3, 20):
        for found, series in ((f, rho), (c, j)):
            expected = np.mean(series[: 30 - lag] * series[lag:].conj(), axis=0).real / 14
            np.testing.assert_allclose(found.isel(lag=lag), expected, atol=1e-12)


def test_little_memory_and_a_store_change_nothing(breathing, tmp_path):
    from mdtools.lazy import Lazy

    hkl = chosen(breathing, hkl=None, path=None, q_max=4.0, n_q=10_000, who="test")[0]  # several parts of 1 MiB
    options = {"hkl": hkl.tolist(), "windows": 2, "shells": 5}
    whole, currents = md.intermediate_scattering(breathing, **options), md.current_correlation(breathing, **options)
    from dataclasses import replace

    stored = replace(breathing, scaled_positions=Lazy(breathing.scaled_positions), velocities=Lazy(breathing.velocities))
    with memory.limited("1 MiB"):
        parts, fewer = md.intermediate_scattering(stored, **options), md.current_correlation(stored, **options)
    np.testing.assert_allclose(parts.intermediate_scattering, whole.intermediate_scattering, atol=1e-12)
    np.testing.assert_allclose(fewer.transverse_current_acf, currents.transverse_current_acf, atol=1e-12)


def test_shells_are_plain_means(breathing):
    each = md.structure_factor(breathing, q_max=3.0, shells=0, windows=1)
    together = md.structure_factor(breathing, q_max=3.0, shells=4, windows=1)
    edges = np.linspace(0, float(each.q.max()), 5)
    number = np.clip(np.searchsorted(edges, each.q.values, side="left") - 1, 0, 3)
    for k, shell in enumerate(np.unique(number)):
        chosen_ones = each.isel(q=number == shell)
        assert int(together.n_wave_vectors[k]) == chosen_ones.sizes["q"]
        np.testing.assert_allclose(together.structure_factor.isel(q=k), chosen_ones.structure_factor.mean("q"), atol=1e-12)


def test_all_wave_vectors_of_half_space_within_the_sphere(breathing):
    indices, named = chosen(breathing, hkl=None, path=None, q_max=4.0, n_q=10**9, who="test")
    wide = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = wide[2 * np.pi * np.linalg.norm(in_cycles(wide, breathing.mean_cell), axis=1) <= 4.0]
    assert not named
    assert {*map(tuple, indices), *map(tuple, -indices), (0, 0, 0)} == set(map(tuple, inside))
    assert len(indices) == (len(inside) - 1) // 2


def test_thinning_leaves_about_as_many_as_asked_evenly_in_q():
    run = synthetic.brownian(n_atoms=10, n_frames=2, length=40.0)
    indices, _ = chosen(run, hkl=None, path=None, q_max=3.0, n_q=1000, who="test")
    assert 900 < len(indices) < 1100
    q = 2 * np.pi * np.linalg.norm(in_cycles(indices, run.mean_cell), axis=1)
    outer = np.histogram(q, bins=np.linspace(1.5, 3.0, 4))[0]
    assert outer.std() < 3 * np.sqrt(outer.mean())


def test_a_path_holds_every_whole_index_on_its_lines(breathing):
    indices, named = chosen(breathing, hkl=None, path=["1 0 0", "4 0 0", "4 6 0"], q_max=None, n_q=1, who="test")
    assert named
    assert indices.tolist() == [[1, 0, 0], [2, 0, 0], [3, 0, 0], [4, 0, 0], *[[4, k, 0] for k in range(1, 7)]]


def test_rods_hold_what_they_stand_for():
    hkl = np.random.default_rng(7).integers(-9, 10, (200, 3))
    plan = rods_of(hkl)
    back = np.concatenate([plan.rods[plan.rod], plan.along[:, None]], axis=1) * plan.conjugate[:, None]
    np.testing.assert_array_equal(back, hkl[:, plan.axes])


def test_weights_are_scattering_lengths_and_form_factors_of_each_wave_vector(walk):
    pytest.importorskip("periodictable", reason="needs periodictable, a dependency of mdtools: pip install periodictable")
    traj, _ = walk
    options = {"q_max": 3.0, "windows": 1, "reference": "none"}
    each = md.structure_factor(traj, shells=0, **options)
    for kind, length in (("neutron", lambda q: {"Ca": 4.70, "F": 5.654}), ("xray", None)):
        found = md.structure_factor(traj, shells=0, weights=kind, **options)
        if length is None:  # at q -> 0 the number of electrons, and less beyond
            total = found.xray_structure_factor[0] / each.structure_factor[0].sum("pair")
            assert float(total[0]) < 20**2
            continue
        b = length(None)
        factor = np.array([b[one] * b[other] for one, other in (pair.split("-") for pair in each.pair.values)])
        expected = (each.structure_factor[0] * factor[:, None]).sum("pair")
        np.testing.assert_allclose(found.neutron_structure_factor[0], expected, rtol=2e-3)
        np.testing.assert_allclose(found.structure_factor, each.structure_factor, rtol=1e-12)
    from mdtools.analyses.scattering_lengths import coherent

    np.testing.assert_allclose(coherent(traj, "xray", np.zeros(1), who="test")[:, 0], [20, 9], atol=1e-3)
    with pytest.raises(md.TrajectoryError, match=r"CA of .* is no chemical element"):  # and not carbon
        md.structure_factor(traj.relabel({"CA": traj.indices("Ca")}), weights="xray", **options)
    few, many = (md.structure_factor(traj, shells=n, weights="xray", **options) for n in (5, 0))
    width = float(many.q.max()) / 5
    last = many.isel(q=many.q.values > 4 * width * (1 + 1e-9))
    np.testing.assert_allclose(few.xray_structure_factor[0, -1], last.xray_structure_factor[0].mean(), rtol=1e-12)
    s = md.dynamic_structure_factor(traj, hkl=["1 0 0"], weights="neutron", incoherent=True, windows=1, reference="none")
    area = float(s.frequency[1]) * (s.neutron_incoherent_structure_factor[0, 0, 0] + 2 * s.neutron_incoherent_structure_factor[0, 0, 1:].sum())
    np.testing.assert_allclose(area, (12 * 5 + 8 * 0.08) / 20 / (4 * np.pi), rtol=1e-6)  # 0.05 barn of Ca, 0.0008 of F
    f = md.intermediate_scattering(traj, hkl=["1 0 0"], weights="neutron", windows=1, reference="none")
    static = md.structure_factor(traj, hkl=["1 0 0"], weights="neutron", windows=1, reference="none")
    np.testing.assert_allclose(f.neutron_intermediate_scattering[..., 0], static.neutron_structure_factor, rtol=1e-10)


def test_a_species_that_is_no_element_has_no_scattering_length(breathing):
    pytest.importorskip("periodictable", reason="needs periodictable, a dependency of mdtools: pip install periodictable")
    with pytest.raises(TrajectoryError, match="no chemical element"):
        md.structure_factor(breathing, weights="neutron")
    with pytest.raises(ValueError, match="neutron"):
        md.structure_factor(breathing, weights="muon")
    renamed = breathing.relabel({"Li_tet": breathing.indices("A"), "Na": breathing.indices("B")})
    assert "neutron_structure_factor" in md.structure_factor(renamed, weights="neutron")
    with pytest.raises(TrajectoryError, match="lj units"):
        md.structure_factor(dataclasses.replace(renamed, reduced=True), weights="neutron")


# -- exact answers ---------------------------------------------------------------------------------------------------


def test_an_ideal_gas_has_one_as_structure_factor_and_decays_with_the_diffusion():
    gas = synthetic.brownian(n_atoms=200, n_frames=2000, diffusivity=0.5, length=12.0, seed=3)
    f = md.intermediate_scattering(gas, q_max=1.2, shells=3, windows=4, longest=2.0, reference="none")
    total = f.intermediate_scattering.sum("pair")
    error = total.std("window", ddof=1) / 2
    expected = np.exp(-0.5 * f.q.values[:, None] ** 2 * f.lag.values)
    z = (total.mean("window") - expected) / error
    assert np.sqrt(np.mean(z.values**2)) < 2.0
    assert np.abs(total.mean("window").isel(lag=0) - 1).max() < 0.1


def test_brownian_ions_decay_as_exp_of_minus_d_q2_t_at_any_wave_number():
    walk = synthetic.brownian(n_atoms=200, n_frames=1500, diffusivity=0.5, seed=4)
    f = md.intermediate_scattering_self(walk, q=[0.37, 1.0, 2.2], windows=4, longest=3.0, reference="none").intermediate_scattering_self
    exact = np.exp(-0.5 * f.q.values[:, None] ** 2 * f.lag.values)
    np.testing.assert_allclose(f.mean(["window", "species"]), exact, atol=0.025)
    np.testing.assert_allclose(f.isel(lag=0), 1, atol=1e-12)


def test_harmonic_ions_keep_their_debye_waller_factor():
    solid = synthetic.damped_oscillator(cells=4, n_frames=2000, frequency=2.0, damping=6.0, temperature=600.0, frame_interval=0.05, seed=5)
    variance = BOLTZMANN * 600 / KINETIC_TO_EV / 20 / (2 * np.pi * 2.0) ** 2  # <u_x^2>
    f = md.intermediate_scattering_self(solid, q=[1.0, 3.0, 5.0], windows=2, reference="none").intermediate_scattering_self
    late = f.sel(lag=slice(5, 40)).mean(["window", "lag"])[0]
    np.testing.assert_allclose(late, np.exp(-(f.q.values**2) * variance), atol=5e-3)
    bragg = md.structure_factor(solid, hkl=["4 0 0", "8 0 0", "3 0 0"], windows=1, reference="none").structure_factor[0, 0]
    # at a reflection N exp(-q^2 u^2) and what the atoms scatter each on their own; between reflections the latter alone
    w = np.exp(-(bragg.q.values**2) * variance)
    np.testing.assert_allclose(bragg, [64 * w[0] + 1 - w[0], 64 * w[1] + 1 - w[1], 1 - w[2]], rtol=0.05)


def test_a_rotor_keeps_j0_squared():
    rotor = synthetic.rotor(cells=3, n_frames=1600, radius=1.5, rotational_diffusivity=1.0, seed=6)
    f = md.intermediate_scattering_self(rotor, q=[0.5, 1.5, 2.5], windows=2, reference="X").intermediate_scattering_self.sel(species="Y")
    late = f.sel(lag=slice(4, 20)).mean(["window", "lag"])
    np.testing.assert_allclose(late, np.sinc(f.q.values * 1.5 / np.pi) ** 2, atol=0.02)


def test_two_sites_keep_half_of_one_and_cosine(from_paths):
    random = np.random.default_rng(7)
    side = np.cumsum(random.random((3000, 200)) < 0.05, axis=0) % 2
    path = np.zeros((3000, 200, 3)) + 2.0
    path[..., 0] += 1.2 * side
    run = from_paths(path, np.diag([8.0, 8, 8]))
    vectors = np.array([[0.5, 0, 0], [1.0, 0, 0], [2.0, 0, 0]])
    f = md.intermediate_scattering_self(run, hkl=(vectors * 8 / (2 * np.pi)).tolist(), windows=2, reference="none").intermediate_scattering_self
    late = f.sel(lag=slice(10, 100)).mean(["window", "lag"])[0]
    np.testing.assert_allclose(late, 0.5 * (1 + np.cos(vectors[:, 0] * 1.2)), atol=0.02)


def test_jumps_on_a_lattice_decay_as_chudley_and_elliott_say(from_paths):
    random = np.random.default_rng(8)
    jumps = random.poisson(0.05, (2000, 300))
    step = np.zeros((2000, 300, 3))
    for k in range(int(jumps.max())):
        axis, sign = random.integers(0, 3, jumps.shape), random.choice([-1.0, 1.0], jumps.shape)
        np.put_along_axis(step, axis[..., None], np.take_along_axis(step, axis[..., None], 2) + np.where(jumps > k, 2.0 * sign, 0)[..., None], 2)
    run = from_paths(step.cumsum(axis=0), np.diag([10.0] * 3))
    f = md.intermediate_scattering_self(run, hkl=["1 0 0", "1 1 0", "2 2 1"], windows=2, longest=10.0, reference="none").intermediate_scattering_self
    q = 2 * np.pi * np.array([[1, 0, 0], [1, 1, 0], [2, 2, 1]]) / 10
    rate = 0.5 * (1 - np.cos(2.0 * q).mean(axis=1))
    np.testing.assert_allclose(f.mean("window")[0], np.exp(-rate[:, None] * f.lag.values), atol=0.025)


def test_the_second_moment_of_the_spectrum_is_q2_kt_over_m():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=300, n_frames=4000, friction=2.0, frame_interval=0.005, mass=20.0, temperature=1000.0, seed=9)
    s = md.dynamic_structure_factor(gas, hkl=["2 0 0", "0 3 0"], windows=4, longest=2.0, taper="hann", incoherent=True, reference="none")
    thermal = BOLTZMANN * 1000 / KINETIC_TO_EV / 20
    width = float(s.frequency[1])
    for q, part in ((k, s.dynamic_structure_factor_self.mean(["window", "species"]).isel(q=k)) for k in range(2)):
        area = float(part[0] + 2 * part[1:].sum()) * width
        second = 2 * float(((2 * np.pi * s.frequency) ** 2 * part).sum()) * width
        wave = float(s.q[q])
        # the taper adds its own curvature at t = 0, (pi / 2 (M + 1) dt)^2 / 2 times 2
        own = (np.pi / (2 * s.sizes["frequency"] * 0.005)) ** 2 * 2
        assert abs(area - 1) < 1e-9
        assert abs(second - own - wave**2 * thermal) < 0.05 * wave**2 * thermal


def test_the_current_along_q_is_the_curvature_of_f():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=100, n_frames=4000, friction=3.0, frame_interval=0.005, seed=10)
    options = {"hkl": ["2 0 0"], "windows": 1, "longest": 0.5, "reference": "none"}
    f = md.intermediate_scattering(gas, **options).intermediate_scattering.sum("pair")[0, 0].values
    c = md.current_correlation(gas, **options)
    q = float(c.q[0])
    along = c.longitudinal_current_acf.sum("pair")[0, 0].values
    curvature = -(f[2:] - 2 * f[1:-1] + f[:-2]) / 0.005**2 / q**2
    # differences of means over different origins: ends of the run leave some percent
    np.testing.assert_allclose(curvature[5:], along[1:-1][5:], atol=0.05 * along[0])
    across = c.transverse_current_acf.sum("pair")[0, 0, 0]
    thermal = BOLTZMANN * 1000 / KINETIC_TO_EV / 20
    assert 0.6 < along[0] / thermal < 1.5
    assert 0.7 < float(across) / thermal < 1.4


def test_the_resolution_multiplies_the_correlation():
    walk = synthetic.brownian(n_atoms=40, n_frames=800, diffusivity=0.2, seed=11)
    options = {"hkl": ["2 0 0"], "windows": 1, "longest": 20.0, "reference": "none"}
    sharp, blurred = (md.dynamic_structure_factor(walk, resolution=width, **options).dynamic_structure_factor[0, 0, 0] for width in (None, 0.2))
    f = sharp.frequency.values
    sigma = 0.2 / np.sqrt(8 * np.log(2))
    both = np.concatenate([sharp.values[:0:-1], sharp.values])
    at = np.concatenate([-f[:0:-1], f])
    expected = [np.sum(both * np.exp(-((at - one) ** 2) / (2 * sigma**2))) * f[1] / np.sqrt(2 * np.pi) / sigma for one in f[:60]]
    np.testing.assert_allclose(blurred[:60], expected, rtol=1e-6, atol=1e-9)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_meant_is_refused_in_words(breathing):
    still = synthetic.brownian(n_atoms=4, n_frames=20)
    for name, options, words in (
        ("intermediate_scattering", {"hkl": ["1 0"]}, "not understood"),
        ("intermediate_scattering", {"hkl": ["0.5 0 0"]}, "whole indices"),
        ("intermediate_scattering", {"hkl": [[1, 0, 0]], "path": ["1 0 0"]}, "not both"),
        ("intermediate_scattering", {"q_max": 0.01}, "pass a larger q_max"),
        ("intermediate_scattering", {"longest": 99.0}, "longest"),
        ("intermediate_scattering", {"convention": "vasp"}, "convention"),
        ("intermediate_scattering", {"shells": -1}, "shells"),
        ("dynamic_structure_factor", {"taper": "welch"}, "taper"),
        ("dynamic_structure_factor", {"resolution": 0.0}, "resolution"),
        ("current_correlation", {"hkl": ["0 0 0"]}, "no direction"),
        ("intermediate_scattering_self", {"q": [-1.0]}, "positive wave numbers"),
        ("intermediate_scattering_self", {"q": [1.0], "hkl": ["1 0 0"]}, "not both"),
    ):
        with pytest.raises(ValueError, match=words):
            getattr(md, name)(breathing, **options)
    with pytest.raises(TrajectoryError, match="velocities"):
        md.current_correlation(still)
    with pytest.raises(NotEnoughData, match="windows"):
        md.intermediate_scattering(still, windows=15)


def test_shells_of_one_length_hold_it(breathing):
    shells = shells_of(breathing, np.array([[1, 0, 0], [-1, 0, 0]]), 3, named=True)
    assert shells.counts.tolist() == [2]
