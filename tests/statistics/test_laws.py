"""Laws of ln D: evidence against its integral, the true law wins, intervals cover, bounds pull the right way."""

import numpy as np
import pytest
from scipy import integrate, stats

from mdtools.statistics.laws import LEVEL, Points, averaged, fit_laws, quantiles
from mdtools.units import BOLTZMANN

KELVIN = np.array([500.0, 600.0, 700.0, 800.0, 900.0, 1000.0])


def points(log_value, stderr=0.05, *, kelvin=KELVIN, bounds=()):
    """Values at `kelvin`, and bounds as (temperature, ln y_95)."""
    cold = np.array([t for t, _ in bounds])
    beta = 1 / (BOLTZMANN * np.concatenate([kelvin, cold]))
    nan = np.full(len(cold), np.nan)
    return Points(
        beta=beta,
        log_value=np.concatenate([log_value, nan]),
        stderr=np.concatenate([np.full(len(kelvin), stderr), nan]),
        log_bound=np.concatenate([np.full(len(kelvin), np.nan), [b for _, b in bounds]]),
    )


def line(kelvin, energy=0.3, level=3.0):
    return level - energy / (BOLTZMANN * kelvin)


def law(found, name):
    return next(one for one in found if one.name == name)


def test_without_bounds_the_evidence_is_that_of_the_gaussian_of_the_data():
    given = points(line(KELVIN) + 0.05 * np.random.default_rng(1).normal(size=6))
    for name in ("arrhenius", "quadratic"):
        one = law(fit_laws(given), name).best
        rows, kt = one.rows(given.beta), 1 / given.middle
        deviation = np.array([10.0, 20 * kt, 10 * kt][: rows.shape[1]])
        covariance = (rows * deviation**2) @ rows.T + 0.05**2 * np.eye(6)
        exact = stats.multivariate_normal(np.full(6, given.log_value.mean()), covariance).logpdf(given.log_value)
        assert one.log_evidence == pytest.approx(exact, abs=1e-6)


def test_with_a_bound_the_evidence_is_near_its_integral():
    given = points(line(KELVIN), bounds=((400.0, line(400.0) + 0.3),))
    one = law(fit_laws(given), "arrhenius").best
    rows, deviation = one.rows(given.beta), np.array([10.0, 20 / given.middle])
    centre, spread = one.mean, np.sqrt(np.diag(one.covariance))

    level, energy = (np.linspace(c - 8 * s, c + 8 * s, 161) for c, s in zip(centre, spread, strict=True))
    at = rows[:, :1, None] * level[:, None] + rows[:, 1:, None] * energy
    log = stats.norm(at[:6], 0.05).logpdf(given.log_value[:6, None, None]).sum(axis=0) - 0.5 * (LEVEL * np.exp(at[6] - given.log_bound[6])) ** 2
    log += stats.norm(given.log_value[:6].mean(), deviation[0]).logpdf(level)[:, None] + stats.norm(0, deviation[1]).logpdf(energy)
    integral = integrate.trapezoid(integrate.trapezoid(np.exp(log - one.log_evidence), energy), level)
    assert integral == pytest.approx(1.0, abs=0.05)


def test_local_energies_are_the_slopes_of_the_laws():
    given = points(line(KELVIN))
    beta = 1 / (BOLTZMANN * np.array([550.0, 810.0]))
    for one in fit_laws(given):
        for part in one.components[::7]:
            at = np.random.default_rng(3).normal(size=len(part.mean))
            h = 1e-5
            slope = -(part.rows(beta + h) - part.rows(beta - h)) @ at / (2 * h)
            assert part.slopes(beta) @ at == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    ("truth", "kelvin"),
    [
        ("arrhenius", KELVIN),
        ("vogel", np.linspace(500, 1000, 9)),
        ("two branches", np.linspace(500, 1000, 9)),
    ],
)
def test_the_law_that_made_the_data_has_the_largest_evidence(truth, kelvin):
    made = {
        "arrhenius": line(kelvin),
        "vogel": 3.0 - 600.0 / (kelvin - 380.0),
        "two branches": line(kelvin, 0.2) - 0.8 * np.maximum(1 / (BOLTZMANN * kelvin) - 1 / (BOLTZMANN * 745.0), 0.0),
    }[truth]
    random = np.random.default_rng(5)
    won = 0
    for _ in range(20):
        found = fit_laws(points(made + 0.04 * random.normal(size=len(kelvin)), 0.04, kelvin=kelvin))
        won += max(found, key=lambda one: one.log_evidence).name == truth
    assert won >= 17


def test_the_crossover_is_found_within_its_error():
    kelvin = np.linspace(500, 1000, 11)
    made = line(kelvin, 0.2) - 0.8 * np.maximum(1 / (BOLTZMANN * kelvin) - 1 / (BOLTZMANN * 745.0), 0.0)
    one = law(fit_laws(points(made + 0.03 * np.random.default_rng(2).normal(size=11), 0.03, kelvin=kelvin)), "two branches")
    fixed = np.array([part.fixed for part in one.components]) / BOLTZMANN
    mean = one.shares @ fixed
    assert abs(mean - 745) < 3 * np.sqrt(one.shares @ (fixed - mean) ** 2) + 5


def test_the_averaged_prediction_covers_the_truth():
    random = np.random.default_rng(7)
    at = 1 / (BOLTZMANN * np.array([450.0, 750.0, 1200.0]))
    inside = []
    for _ in range(50):
        parts, shares = averaged(fit_laws(points(line(KELVIN) + 0.05 * random.normal(size=6))))
        rows = [part.rows(at) for part in parts]
        means = np.array([r @ part.mean for r, part in zip(rows, parts, strict=True)])
        sd = np.sqrt(np.array([np.diag(r @ part.covariance @ r.T) for r, part in zip(rows, parts, strict=True)]))
        low, high = quantiles(means, sd, shares, np.array([0.025, 0.975]))
        inside.append((low <= line(1 / (BOLTZMANN * at))) & (line(1 / (BOLTZMANN * at)) <= high))
    assert np.mean(inside) > 0.92


def test_a_bound_below_the_line_steepens_it_and_one_above_says_nothing():
    free = law(fit_laws(points(line(KELVIN))), "arrhenius").best.mean[1]
    above = law(fit_laws(points(line(KELVIN), bounds=((300.0, line(300.0) + 6),))), "arrhenius").best.mean[1]
    below = law(fit_laws(points(line(KELVIN), bounds=((300.0, line(300.0) - 2),))), "arrhenius").best.mean[1]
    assert above == pytest.approx(free, abs=1e-4)
    assert below > free + 0.01


def test_quantiles_of_one_gaussian_are_its_own():
    got = quantiles(np.array([[2.0]]), np.array([[0.5]]), np.array([1.0]), np.array([0.025, 0.5, 0.975]))
    assert got[:, 0] == pytest.approx(stats.norm(2, 0.5).ppf([0.025, 0.5, 0.975]), abs=1e-9)


def test_two_temperatures_are_refused():
    with pytest.raises(ValueError, match="three temperatures"):
        fit_laws(points(line(KELVIN[:2]), kelvin=KELVIN[:2]))
