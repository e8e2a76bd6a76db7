"""What a series may hold besides one run a temperature: replicas, sizes, heating and cooling, cells held at a wrong volume."""

import numpy as np
import pytest
import xarray as xr

from mdtools.detection.states import SYSTEM_STATES
from mdtools.detection.transition import detect_transition
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

KELVIN = np.arange(1000.0, 2001.0, 100.0)
BULK = 70.0  # GPa


def enthalpy(t, kind, centre, n):
    """Of an ion: 3 k_B T, and what the transition takes up; a step in a large system is sharper."""
    h = 3 * BOLTZMANN * t
    width = {"smooth": None, "excess": 60.0, "step": 1e-3, "sharper": 60.0 * 300 / n}[kind]
    return h if width is None else h + 0.03 / (1 + np.exp(-np.clip((t - centre) / width, -60, 60)))


def rise(t, centre):
    return 1 / (1 + np.exp(-(t - centre) / 40))


def run(t, *, n=300, kind="excess", centre=1450.0, noise=1e-3, wrong=0.0, random):
    """run_state of n ions, noise of the mean energy of an ion; the held cell is `wrong` by a part of its volume.

    Its pressure shows it, and its energy differs by (dE/dV)_T dV = (alpha B T - P) dV, which is alpha B T dV where P was 0.
    """
    volume = 14.0 * n * np.exp(3 * (25e-6 * (t - 1000) + 0.002 * rise(t, centre)))
    expansivity = 3 * (25e-6 + 0.002 / 40 * rise(t, centre) * (1 - rise(t, centre)))
    energy = n * (enthalpy(t, kind, centre, n) + 4 * noise * random.normal(size=16))
    energy += expansivity * t * BULK / EV_PER_ANGSTROM3_TO_GPA * volume * wrong
    return xr.Dataset(
        {
            "n_atoms": n, "stated_temperature": t, "volume": volume * (1 + wrong), "total_energy": ("window", energy),
            "volume_by_window": ("window", np.full(16, volume * (1 + wrong))), "pressure": ("window", -BULK * wrong + 0.04 * random.normal(size=16)),
        }
    )  # fmt: skip


def made(kelvin=KELVIN, *, seed=0, **options):
    random = np.random.default_rng(seed)
    return [run(t, random=random, **options) for t in kelvin]


def told(p):
    table = np.zeros(len(SYSTEM_STATES))
    table[[SYSTEM_STATES.index("superionic"), SYSTEM_STATES.index("crystal")]] = p, 1 - p
    return table


def at(found, route):
    return found.sel(route=route)


def test_replicas_are_pooled():
    """The error of the heat capacity of four replicas is half that of one, and T_c of them is found where one leaves it open."""
    one = made(noise=4e-3)
    four = [x for seed in range(4) for x in made(noise=4e-3, seed=seed)]
    single, pooled = detect_transition(one), detect_transition(four)
    ratio = (pooled.heat_capacity_stderr / single.heat_capacity_stderr).mean().item()
    assert 0.4 < ratio < 0.75
    mean = np.mean([detect_transition(made(noise=4e-3, seed=seed)).heat_capacity for seed in range(4)], axis=0)
    np.testing.assert_allclose(pooled.heat_capacity, mean, rtol=1e-9)


def test_probabilities_of_replicas_multiply():
    for_it = np.exp((KELVIN - 1450) / 60)
    p = 0.25 * for_it / (0.25 * for_it + 0.75)  # two states of the eight
    verdicts = [
        xr.Dataset({"stated_temperature": t, "system_probability": ("system_state", told(x))}, coords={"system_state": list(SYSTEM_STATES)})
        for t, x in zip(KELVIN, p, strict=True)
    ]
    one, three = (at(detect_transition(made(), verdicts * n), "probability") for n in (1, 3))
    for found in (one, three):
        assert found.critical_temperature.item() == pytest.approx(1450, abs=15)
        assert found.critical_temperature_lower < 1440
        assert found.critical_temperature_upper > 1460
    assert three.critical_temperature_stderr < one.critical_temperature_stderr


def test_sizes_are_not_mixed_and_say_how_the_peak_grows():
    fine = np.arange(1250.0, 1651.0, 40.0)
    small, large = (made(fine, n=n, kind="sharper", noise=2e-4, seed=n) for n in (300, 900))
    found = detect_transition(small + large)
    largest = [np.diff(enthalpy(fine, "sharper", 1450.0, n)).max() for n in (300, 900)]
    exact = np.log(largest[1] / largest[0]) / np.log(3)  # .41: of the whole heat capacity, which is 3 k_B far from the transition
    assert abs(found.size_exponent - exact) < 3 * found.size_exponent_stderr
    assert found.size_exponent_stderr < 0.1
    alone = detect_transition(large)
    np.testing.assert_allclose(found.heat_capacity, alone.heat_capacity)
    assert "size_exponent" not in alone
    same = detect_transition(made(n=300) + made(n=900, seed=1))
    assert abs(same.size_exponent) < 3 * same.size_exponent_stderr


def test_hysteresis_is_the_difference_of_heating_and_cooling():
    runs = made(kind="step", centre=1650.0) + made(kind="step", centre=1350.0, seed=1)
    found = detect_transition(runs, sweeps=["heating"] * len(KELVIN) + ["cooling"] * len(KELVIN))
    assert found.hysteresis.item() == pytest.approx(300, abs=10)
    assert found.hysteresis > 2 * found.hysteresis_stderr
    assert at(found, "two branches").critical_temperature.item() == pytest.approx(1650, abs=10)
    with pytest.raises(ValueError, match="heating or cooling"):
        detect_transition(runs, sweeps=["up"] * len(runs))
    with pytest.raises(ValueError, match="one word for each of the 22 runs"):
        detect_transition(runs, sweeps=["heating"])


def test_a_jump_has_a_latent_heat_and_an_excess_has_a_bound():
    jump = detect_transition(made(kind="step", noise=3e-4))
    assert jump.transition_type.item() == "I"
    assert abs(jump.latent_heat - 0.03) < 3 * jump.latent_heat_stderr
    assert jump.latent_heat_stderr < 0.01
    excess = detect_transition(made(noise=3e-4))
    assert excess.transition_type.item() == "II"
    assert np.isnan(excess.latent_heat)
    assert 0 < excess.latent_heat_bound < 0.03
    assert jump.latent_heat_bound > 0.025


def test_the_enthalpy_of_held_cells_is_brought_to_one_pressure():
    """Cells off by 1e-3 have energies off by .5 meV an ion, as others have noise; at one pressure the heat capacity is that of exact cells."""
    z, z_untold = [], []
    for seed in range(6):
        random = np.random.default_rng(seed)
        wrong = 1e-3 * random.normal(size=len(KELVIN))
        runs = [run(t, wrong=w, noise=1e-4, random=random) for t, w in zip(KELVIN, wrong, strict=True)]
        exact = np.diff(enthalpy(KELVIN, "excess", 1450.0, 300)) / 100 / BOLTZMANN
        for some, into in ((runs, z), ([one.drop_vars("pressure") for one in runs], z_untold)):
            found = detect_transition(some, draws=50)
            into.append((found.heat_capacity - exact) / found.heat_capacity_stderr)
    assert np.std(z) < 1.3
    assert np.std(z_untold) > 2


def test_the_one_pressure_is_the_stated_one():
    """Cells a part in a hundred too wide are at -.7 GPa; at the stated 0 they have 3 k_B an ion, and .05 less where the mean pressure is taken."""
    random = np.random.default_rng(0)
    runs = [run(t, kind="smooth", centre=9000.0, wrong=0.01, noise=1e-4, random=random).assign(stated_pressure=0.0) for t in KELVIN]
    assert float(detect_transition(runs, draws=50).heat_capacity.mean()) == pytest.approx(3.0, abs=0.01)


def test_the_enthalpy_fluctuates_most_where_the_heat_capacity_is_largest():
    """3 k_B an ion, and 4 more at 1450 K, known to a tenth."""
    random = np.random.default_rng(0)
    runs = made()
    for state in runs:
        t = float(state.stated_temperature)
        variance = 300 * (3 + 4 * np.exp(-(((t - 1450) / 120) ** 2))) * (BOLTZMANN * t) ** 2
        state["enthalpy_by_window"] = "window", 0.05 * np.sqrt(variance) * random.normal(size=16)
        state["enthalpy_variance"] = "window", variance * (1 + 0.4 * random.normal(size=16))
    one = at(detect_transition(runs), "enthalpy fluctuation")
    assert one.critical_temperature_lower <= 1450 <= one.critical_temperature_upper
    assert 50 <= one.critical_temperature_stderr < 110
    assert np.isnan(at(detect_transition(made()), "enthalpy fluctuation").critical_temperature)  # not kept of these runs
    berendsen = [one.assign(kinetic_fluctuation=("window", 0.2 + 0.01 * random.normal(size=16))) if k == 5 else one for k, one in enumerate(runs)]
    some_breathe = [
        one.assign(volume_by_window=one.volume_by_window * (1 + 1e-3 * random.normal(size=16))) if k > 5 else one for k, one in enumerate(runs)
    ]
    for unlike in (berendsen, some_breathe):
        assert np.isnan(at(detect_transition(unlike), "enthalpy fluctuation").critical_temperature)


@pytest.mark.parametrize("bounded", [False, True])
def test_replicas_that_gave_but_a_bound_count(bounded):
    """Two replicas in three show no D at the onset: the third, with three times of it, is not what diffusion is there, and its knee is none."""
    ln_d = -2.3 / (BOLTZMANN * KELVIN) + 2.3 / (BOLTZMANN * 1600) + np.where(KELVIN > 1600, 1.7 * (1 / BOLTZMANN / KELVIN - 1 / BOLTZMANN / 1600), 0)
    diffusing = []
    for t, d in zip(KELVIN, np.exp(ln_d), strict=True):
        for k in range(3):
            seen = k == 0 or t > 1350
            values = (3 * d if t < 1350 else d, 0.2 * d, np.nan) if seen else (np.nan, np.nan, 1.2 * d if bounded else np.nan)
            names = ("self_diffusivity", "self_diffusivity_stderr", "self_diffusivity_upper")
            diffusing.append(xr.Dataset({"stated_temperature": t, **{name: ("species", [x]) for name, x in zip(names, values, strict=True)}},
                                        coords={"species": ["F"]}))  # fmt: skip
    found = at(detect_transition(made(), self_diffusivity=diffusing, draws=50), "knee of D").critical_temperature.item()
    if bounded:
        assert abs(found - 1600) < 60
    else:
        assert found < 1400


@pytest.mark.parametrize("seed", range(4))
def test_the_pressure_shows_how_far_held_cells_are_off(seed):
    """Cells off by 1e-3 hide where the expansion is largest; their pressures give it back."""
    random = np.random.default_rng(seed)
    wrong = 1e-3 * random.normal(size=len(KELVIN))
    runs = [run(t, wrong=w, random=random) for t, w in zip(KELVIN, wrong, strict=True)]
    mended = detect_transition(runs, bulk_modulus=BULK)
    assert at(mended, "thermal expansion").critical_temperature.item() == pytest.approx(1450, abs=50)
    assert at(mended, "thermal expansion").critical_temperature_stderr < 45
    assert mended.thermal_expansion_stderr.max() < 0.5 * detect_transition(runs).thermal_expansion_stderr.max()


@pytest.mark.parametrize("seed", range(2))
def test_the_elastic_constants_of_the_runs_mend_held_cells_as_the_true_bulk_modulus_does(seed):
    """B falls from 70 GPa at 1000 K to 30 GPa at 2000 K, as that of CaF2, and is measured to a tenth; one number for all would leave errors."""
    random = np.random.default_rng(seed)
    bulk = 70.0 - 0.04 * (KELVIN - 1000)
    wrong = 1e-3 * random.normal(size=len(KELVIN))
    runs = [run(t, wrong=w, random=random) for t, w in zip(KELVIN, wrong, strict=True)]
    for one, b, w in zip(runs, bulk, wrong, strict=True):
        one["pressure"] = one.pressure + (BULK - b) * w
    elastic = [
        xr.Dataset({"stated_temperature": t, "elastic_c11": c, "elastic_c12": c, "elastic_c11_stderr": 0.1 * b, "elastic_c12_stderr": 0.1 * b})
        for t, b, c in zip(KELVIN, bulk, bulk * (1 + 0.07 * random.normal(size=len(KELVIN))), strict=True)
    ]
    found = detect_transition(runs, shear_modulus=elastic)
    assert at(found, "thermal expansion").critical_temperature.item() == pytest.approx(1450, abs=50)
    exact = np.diff(np.log([float(one.volume) / (1 + w) for one, w in zip(runs, wrong, strict=True)])) / 300
    z = (found.thermal_expansion - exact) / found.thermal_expansion_stderr
    assert np.abs(z).max() < 3.5
    assert found.thermal_expansion_stderr.max() < 0.5 * detect_transition(runs).thermal_expansion_stderr.max()


def test_a_jump_between_two_runs_is_no_property_of_a_size():
    """dH/dT is then the jump over the distance of the runs, whatever N: an exponent of 0 would be that of type II."""
    found = detect_transition(made(n=300, kind="step", noise=3e-4) + made(n=900, kind="step", noise=3e-4))
    assert found.transition_type.item() == "I"
    assert "size_exponent" not in found


def test_a_verdict_without_evidence_moves_no_change_point():
    p = np.where(KELVIN < 1450, 0.02, 0.98)
    verdicts = [
        xr.Dataset({"stated_temperature": t, "system_probability": ("system_state", told(x)), "resolved_share": ("species", [1.0, 1.0])},
                   coords={"system_state": list(SYSTEM_STATES)})
        for t, x in zip(KELVIN, p, strict=True)
    ]  # fmt: skip
    nothing = verdicts[5].copy(deep=True)
    nothing["system_probability"][:] = 1 / len(SYSTEM_STATES)
    nothing["resolved_share"][:] = 0.0
    one, other = (at(detect_transition(made(), some), "probability") for some in (verdicts, [*verdicts, nothing, nothing]))
    assert other.critical_temperature.item() == one.critical_temperature.item()
    assert other.critical_temperature_stderr.item() == one.critical_temperature_stderr.item()
