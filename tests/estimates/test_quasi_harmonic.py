"""Quasi-harmonic thermodynamics: crystals with a known law of Grueneisen, the relation of Grueneisen, errors that cover, refusals."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq

from mdtools import schema, synthetic
from mdtools.analyses.phonons import phonon_dos
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.phonons import vibrational_thermodynamics
from mdtools.estimates.quasi_harmonic import _together, mode_grueneisen, quasi_harmonic_thermodynamics
from mdtools.statistics.interval import lengthened
from mdtools.thermo import Thermo
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA, PLANCK

ATOMS, GAMMA, V0 = 64, 2.2, 15.0
VOLUMES = V0 * np.array([0.96, 0.98, 1.0, 1.02, 1.04, 1.06, 1.08])
MODULUS, SLOPE = 50.0 / EV_PER_ANGSTROM3_TO_GPA, 4.6  # of the crystal at rest, eV / angstrom^3, and its derivative by pressure
LINES = np.array([60, 100])  # grid points of the two lines, 3 THz and 5 THz at V0


def static(v):
    """Birch and Murnaghan, third order, eV per atom."""
    y = (V0 / v) ** (2 / 3)
    return 9 / 16 * V0 * MODULUS * ((y - 1) ** 3 * SLOPE + (y - 1) ** 2 * (6 - 4 * y))


def density(v, *, temperature=300.0, windows=4, noise=None, series=200.0, atoms=ATOMS):
    """A density of states of two lines, half of the modes each, at frequencies that go as v^-GAMMA."""
    step = 0.05 * (v / V0) ** -GAMMA
    g = np.zeros((windows, 1, 141))
    g[:, 0, LINES] = 1.5 * atoms / step
    if noise is not None:
        g *= noise.gamma(series, 1 / series, size=g.shape)  # of so many series in a window
    return schema.dataset(
        {
            "phonon_dos": (("window", "species", "frequency"), g),
            "window": np.arange(windows) * 10.0,
            "species": ["A"],
            "frequency": step * np.arange(141),
            "frequency_resolution": step,
            "nyquist_frequency": 25.0,
            "frame_interval": 0.02,
            "n_frames": 2000,
            "n_atoms": atoms,
            "n_ions": ("species", [atoms]),
            "mass": ("species", [20.0]),
            "volume": v * atoms,
            "stated_temperature": temperature,
        }
    )


def exact(kelvin, pressure=0.0):
    """v, B_T and C_V of that crystal, its equilibrium by a root, derivatives by differences."""

    def lines(v):
        return 0.05 * LINES * (v / V0) ** -GAMMA

    def energy(v):
        x = PLANCK * lines(v) / (BOLTZMANN * kelvin)
        return static(v) + 1.5 * BOLTZMANN * kelvin * np.sum(np.log(2 * np.sinh(x / 2)))

    def exerted(v, h=1e-3):
        return -(energy(v + h) - energy(v - h)) / (2 * h)

    v = brentq(lambda one: exerted(one) - pressure / EV_PER_ANGSTROM3_TO_GPA, V0 * 0.95, V0 * 1.1, xtol=1e-12)
    x = PLANCK * lines(v) / (BOLTZMANN * kelvin)
    modulus = -v * (exerted(v + 0.01) - exerted(v - 0.01)) / 0.02
    return v, modulus * EV_PER_ANGSTROM3_TO_GPA, 1.5 * np.sum((x / 2 / np.sinh(x / 2)) ** 2)


@pytest.mark.parametrize("pressure", [0.0, 1.0])
def test_of_a_crystal_with_a_grueneisen_law_everything_is_as_it_must_be(pressure):
    at = np.array([20.0, 60.0, 300.0, 450.0])
    runs = [density(v) for v in VOLUMES]
    found = quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES), temperatures=at, pressure=pressure, vibrational_order=3)
    for k, kelvin in enumerate(at):
        volume, modulus, heat = exact(kelvin, pressure)
        one, near = found.isel(temperature=k), 1e-2 if kelvin < 50 else 3e-4  # at 20 K the entropy is 1e-3 k_B, and steep
        assert float(one.equilibrium_volume) == pytest.approx(volume, rel=2e-6)
        assert float(one.bulk_modulus) == pytest.approx(modulus, rel=2e-4)
        assert float(one.vibrational_heat_capacity) == pytest.approx(heat, rel=near)
        assert float(one.thermal_grueneisen_parameter) == pytest.approx(GAMMA, rel=near)
        # the relation of Grueneisen, with what is exact
        expansion = GAMMA * BOLTZMANN * heat / (3 * modulus / EV_PER_ANGSTROM3_TO_GPA * volume)
        assert float(one.thermal_expansion) == pytest.approx(expansion, rel=near)
        assert float(one.heat_capacity) == pytest.approx(heat * (1 + 3 * expansion * GAMMA * kelvin), rel=3e-4)
        assert float(one.bulk_modulus_adiabatic) == pytest.approx(modulus * (1 + 3 * expansion * GAMMA * kelvin), rel=3e-4)
    np.testing.assert_allclose(found.free_energy.sel(run=2, temperature=300.0), found.static_energy[2] + free_energy(5.0, 3.0), rtol=1e-10)


def free_energy(*lines):
    x = PLANCK * np.array(lines) / (BOLTZMANN * 300.0)
    return 1.5 * BOLTZMANN * 300.0 * np.sum(np.log(2 * np.sinh(x / 2)))


def test_expansion_is_the_slope_of_the_volume_and_heat_capacity_that_of_the_entropy():
    """Exactly so: what is fitted is one free energy."""
    at = 300.0 + np.array([-0.5, 0.0, 0.5])
    found = quasi_harmonic_thermodynamics([density(v) for v in VOLUMES], static_energy=static(VOLUMES), temperatures=at)
    slope = np.log(found.equilibrium_volume[2] / found.equilibrium_volume[0]) / 3
    assert float(found.thermal_expansion[1]) == pytest.approx(float(slope), rel=1e-6)
    entropy = -np.gradient(found.gibbs_energy.values, at)
    assert np.diff(found.gibbs_energy, 2)[0] / 0.25 == pytest.approx(-float(found.heat_capacity[1]) * BOLTZMANN / 300.0, rel=2e-4)
    assert np.all(entropy > 0)


def test_order_two_is_enough_for_vibrations_and_classical_vibrations_have_three_k_b():
    at = [300.0, 450.0]
    runs = [density(v) for v in VOLUMES]
    both = [quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES), temperatures=at, vibrational_order=n) for n in (2, 3)]
    np.testing.assert_allclose(both[0].thermal_expansion, both[1].thermal_expansion, rtol=5e-3)
    found = quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES), temperatures=at, classical=True)
    np.testing.assert_allclose(found.vibrational_heat_capacity, 3.0, rtol=1e-12)
    np.testing.assert_allclose(found.thermal_grueneisen_parameter, GAMMA, rtol=3e-3)
    noisy = [density(v, noise=np.random.default_rng(1)) for v in VOLUMES]
    found_of_noise = quasi_harmonic_thermodynamics(noisy, static_energy=static(VOLUMES), temperatures=at, classical=True)
    np.testing.assert_allclose(found_of_noise.vibrational_heat_capacity_stderr, 0.0, atol=1e-12)  # 3 k_B is certain
    assert np.all(found_of_noise.heat_capacity_stderr > 0)
    assert np.all(found.equilibrium_volume.values < both[0].equilibrium_volume.values)  # zero-point motion widens a crystal


def test_four_volumes_are_few_and_three_need_a_second_order():
    runs = [density(v) for v in VOLUMES[1::2]]
    with pytest.raises(NotEnoughData, match=r"needs 4 volumes, and the runs have 3: add runs at other volumes, or pass order=2 \(--order 2"):
        quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES[1::2]))
    found = quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES[1::2]), order=2, temperatures=[300.0])
    assert float(found.equilibrium_volume[0]) == pytest.approx(exact(300.0)[0], rel=1e-3)
    twice = [density(v) for v in (*VOLUMES[1::2], VOLUMES[1] * (1 + 1e-6))]  # a replica is no volume of its own
    with pytest.raises(NotEnoughData, match="the runs have 3"):
        quasi_harmonic_thermodynamics(twice, static_energy=static(VOLUMES[[1, 3, 5, 1]]))


def logged(one, energy, random, *, own, shared):
    """With potential energies by window (eV per atom) of a crystal whose energy wanders: `shared` with the kinetic one, and some of its `own`."""
    n = one.sizes["window"]
    wander = shared * random.standard_normal(n)
    kelvin = float(one.stated_temperature) * (1 - 1 / ATOMS) + wander / (1.5 * BOLTZMANN)
    potential = ATOMS * (energy + 1.5 * BOLTZMANN * kelvin + own * random.standard_normal(n))
    rows = {"potential_energy_by_window": ("window", potential), "kinetic_temperature": (("window", "species"), kelvin[:, None])}
    return one.assign(schema.dataset(rows).data_vars)


def test_errors_are_those_of_the_windows_and_cover():
    random, pulls = np.random.default_rng(5), {}
    volume, modulus, heat = exact(300.0)
    truth = {"equilibrium_volume": volume, "thermal_grueneisen_parameter": GAMMA}
    truth |= {"bulk_modulus": modulus, "thermal_expansion": GAMMA * BOLTZMANN * heat / (3 * modulus / EV_PER_ANGSTROM3_TO_GPA * volume)}
    for _ in range(48):
        runs = [logged(density(v, windows=8, noise=random), static(v), random, own=3e-5, shared=1e-3) for v in VOLUMES[[0, 1, 2, 4, 6]]]
        found = quasi_harmonic_thermodynamics(runs, temperatures=[300.0]).isel(temperature=0)
        for name, value in truth.items():
            pulls.setdefault(name, []).append((float(found[name]) - value) / float(found[f"{name}_stderr"]))
    for name, each in pulls.items():
        assert np.mean(np.abs(each) < 2.1) >= 0.85, name
        assert 0.6 < np.std(each) < 1.25, name
        assert abs(np.mean(each)) < 0.5, name


@pytest.mark.parametrize("n_runs", [1, 4])
@pytest.mark.parametrize("windows", [4, 8])
def test_errors_of_few_windows_are_longer_so_that_two_of_them_still_cover(n_runs, windows):
    """A sum over runs, and as large a part by their static energies: 95 % lie within 1.96 of the error (85 % of one run in four windows would)."""
    draws = np.random.default_rng(3).normal(size=(2, 4000, n_runs, windows)) * np.linspace(1, 2, n_runs)[:, None]
    squares = draws.var(axis=-1, ddof=1) / windows
    freedom = [np.full(n_runs, windows - 1)] * 2
    errors = np.array([_together(list(squares[:, k, :, None]), freedom)[0] for k in range(4000)])
    covered = np.mean(np.abs(draws.mean(axis=-1).sum(axis=(0, 2))) < 1.96 * errors)
    assert covered == pytest.approx(0.955, abs=0.015)


def test_the_scatter_of_given_energies_is_one_number_with_few_degrees_of_freedom():
    """Five runs and a polynomial of four numbers leave one: Student's 12.7 in place of 1.96. Exact volume and modulus are covered by it."""
    random, volumes = np.random.default_rng(8), VOLUMES[[0, 1, 2, 4, 6]]
    truth = dict(zip(("equilibrium_volume", "bulk_modulus"), exact(300.0), strict=False))
    within: dict[str, list[bool]] = {name: [] for name in (*truth, "static_energy")}
    for _ in range(60):
        runs = [density(v, windows=8, noise=random, series=4000.0) for v in volumes]
        energies = static(volumes) + 1e-4 * random.standard_normal(5)
        found = quasi_harmonic_thermodynamics(runs, static_energy=energies, temperatures=[300.0]).isel(temperature=0)
        for name, value in truth.items():
            within[name].append(bool(abs(found[name] - value) < 1.96 * found[f"{name}_stderr"]))
        within["static_energy"].append(bool(abs(energies[0] - static(volumes[0])) < 1.96 * found.static_energy_stderr[0]))
    for name, each in within.items():
        assert np.mean(each) >= 0.88, name
    assert lengthened(1) == pytest.approx(6.48, abs=0.01)
    exactly = quasi_harmonic_thermodynamics(runs[:4], static_energy=energies[:4], temperatures=[300.0])
    np.testing.assert_array_equal(exactly.static_energy_stderr, 0.0)  # four numbers go through four energies, which are as good as given


def test_static_energies_of_the_logs_are_mean_potential_energies_less_the_harmonic_part():
    solid = synthetic.damped_oscillator(cells=2, n_frames=800, seed=1)
    rows = 10.0 + 0.1 * np.sin(np.arange(800.0))
    time = np.concatenate([solid.time, solid.time[-1] + 1 + np.arange(50)])
    log = Thermo(time=time, values={"potential_energy": np.append(rows, np.full(50, 1e6))})
    measured = phonon_dos(solid.replace(step={"step": "log"}, log=log), windows=4)
    np.testing.assert_allclose(measured.potential_energy_by_window, rows.reshape(4, 200).mean(axis=1), rtol=1e-12)
    short = Thermo(time=solid.time[:300], values={"potential_energy": rows[:300]})
    assert "potential_energy_by_window" not in phonon_dos(solid.replace(step={"step": "log"}, log=short), windows=4)
    runs = [logged(density(v), static(v), np.random.default_rng(1), own=0.0, shared=0.01) for v in VOLUMES]
    given = quasi_harmonic_thermodynamics([density(v) for v in VOLUMES], static_energy=static(VOLUMES))
    found = quasi_harmonic_thermodynamics(runs)
    np.testing.assert_allclose(found.static_energy, given.static_energy, atol=1e-12)
    assert found.sizes["temperature"] == 25
    said = json.loads(found.attrs["history"])[-1]["static_energy_from"]
    assert said == "mean potential energy of the logs less the kinetic energy, at 300 K"


def test_temperatures_whose_volume_no_run_has_are_named_and_never_extrapolated():
    runs = [density(v) for v in VOLUMES[:5]]
    found = quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES[:5]), temperatures=[100.0, 2500.0])
    assert np.isfinite(found.equilibrium_volume[0])
    assert np.isnan(found.thermal_expansion[1])
    assert schema.history(found)[-1]["outside"] == [2500.0]
    with pytest.raises(NotEnoughData, match=r"lies outside those of the runs, 14.4 to 15.6 angstrom\^3 per atom, at all temperatures"):
        quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES[:5]), temperatures=[100.0], pressure=20.0)


def test_what_is_missing_or_contradicts_is_refused():
    runs = [density(v) for v in VOLUMES]
    with pytest.raises(TrajectoryError, match=r"pass static_energy=.* eV per atom.*--static-energy.*or read the runs with their log"):
        quasi_harmonic_thermodynamics(runs)
    with pytest.raises(ValueError, match="one energy in eV per atom for each of the 7 runs"):
        quasi_harmonic_thermodynamics(runs, static_energy=[1.0])
    with pytest.raises(TrajectoryError, match="needs runs at one temperature that differ in volume, and these are at 300 to 400 K"):
        quasi_harmonic_thermodynamics([*runs, density(V0 * 1.1, temperature=400.0)], static_energy=np.zeros(8))
    with pytest.raises(TrajectoryError, match="one composition"):
        quasi_harmonic_thermodynamics([*runs[:6], runs[6].assign_coords(species=["B"])], static_energy=static(VOLUMES))
    with pytest.raises(ValueError, match="order=1"):
        quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES), order=1)
    with pytest.raises(TrajectoryError, match="temperatures must be above 0 K"):
        quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES), temperatures=[0.0])
    with pytest.raises(NotEnoughData, match="was given none"):
        quasi_harmonic_thermodynamics([])
    gas = [phonon_dos(synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=2000, friction=5.0, length=length, seed=1)) for length in (20, 21, 22, 23.0)]
    with pytest.raises(TrajectoryError, match=r"A, B diffuses at 8000 angstrom.*what diffuses has no harmonic free energy"):
        quasi_harmonic_thermodynamics(gas, static_energy=[0.0, 1.0, 2.0, 3.0])


def modes(v, f, *, error=0.01, band=1, temperature=300.0):
    return schema.dataset(
        {
            "mode": [0, 1],
            "reciprocal": ["1", "2", "3"],
            "q_reduced": (("mode", "reciprocal"), np.zeros((2, 3))),
            "band": ("mode", [band, 2]),
            "mode_frequency": ("mode", [f, np.nan]),
            "mode_frequency_stderr": ("mode", [error * f, np.nan]),
            "volume": v,
            "n_atoms": 8,
            "stated_temperature": temperature,
        }
    )


def test_a_mode_whose_frequency_is_a_power_of_the_volume_has_that_power():
    runs = [modes(v, 3.0 * (v / 1000) ** -1.7) for v in (960.0, 1000.0, 1050.0)]
    found = mode_grueneisen(runs)
    assert float(found.mode_grueneisen_parameter[0]) == pytest.approx(1.7, rel=1e-10)
    x = np.log([960.0, 1000.0, 1050.0])
    assert float(found.mode_grueneisen_parameter_stderr[0]) == pytest.approx(0.01 / np.sqrt(np.sum((x - x.mean()) ** 2)), rel=1e-10)
    assert np.isnan(found.mode_grueneisen_parameter[1])
    with pytest.raises(NotEnoughData, match="a mode that is resolved at two volumes or more"):
        mode_grueneisen(runs[:1])
    with pytest.raises(TrajectoryError, match="one temperature"):
        mode_grueneisen([*runs, modes(990.0, 3.0, temperature=500.0)])
    with pytest.raises(TrajectoryError, match="different bands"):
        mode_grueneisen([*runs, modes(990.0, 3.0, band=4)])


def test_phonopy_says_the_same_of_the_same_free_energies():
    """Its fit of Birch and Murnaghan's form to F(V, T) at each temperature; expansion by differences of volumes 2 K apart."""
    qha = pytest.importorskip("phonopy", reason="needs phonopy (pip install phonopy)").PhonopyQHA
    at = np.arange(2.0, 421.0, 2.0)
    runs = [density(v) for v in VOLUMES]
    found = quasi_harmonic_thermodynamics(runs, static_energy=static(VOLUMES), temperatures=at, vibrational_order=3)
    to_kj = 96.4853321233
    each = [vibrational_thermodynamics(run, temperatures=at).sel(sublattice="all") for run in runs]
    free = (found.free_energy - found.static_energy).values.T * to_kj
    entropy, heat = (
        np.stack([one[f"vibrational_{name}"].values for one in each], axis=1) * BOLTZMANN * to_kj * 1e3 for name in ("entropy", "heat_capacity")
    )
    theirs = qha(
        volumes=VOLUMES,
        electronic_energies=static(VOLUMES),
        temperatures=at,
        free_energy=free,
        cv=heat,
        entropy=entropy,
        eos="birch_murnaghan",
        t_max=400,
    )
    n = len(theirs.volume_temperature)
    np.testing.assert_allclose(found.equilibrium_volume[:n], theirs.volume_temperature, rtol=1e-7)
    np.testing.assert_allclose(found.gibbs_energy[:n], theirs.gibbs_temperature, atol=2e-7)  # its kJ/mol in an eV differ by 6e-7
    np.testing.assert_allclose(found.bulk_modulus[:n], theirs.bulk_modulus_temperature, rtol=1e-5)
    warm = slice(25, n - 1)
    np.testing.assert_allclose(3 * found.thermal_expansion[:n][warm], theirs.thermal_expansion[warm], rtol=1e-3)
    np.testing.assert_allclose(found.thermal_grueneisen_parameter[:n][warm], theirs.gruneisen_temperature[warm], rtol=3e-3)
