"""Windows that breathe: the exact model of gated hops, definitions, refusals."""

import dataclasses

import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.bottleneck import bottleneck_radius
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

HEAT = BOLTZMANN * 600
VARIANCE = HEAT / KINETIC_TO_EV / (2 * 16 * (2 * np.pi * 4.0) ** 2)
CHOICE = {"mobile": "A", "corners": ["B"], "number": 2, "repeat": (6, 3, 3), "sites": "0 0.5 0.5"}


@pytest.fixture(scope="module")
def run():
    return synthetic.gated_hopper(chains=9, sites=6, n_frames=6000, seed=1)


@pytest.fixture(scope="module")
def measured(run):
    return bottleneck_radius(run, windows=6, **CHOICE)


def test_the_radius_has_its_variance_and_its_spectrum_the_same_integral(measured):
    assert measured.sizes["bottleneck"] == 54
    # 54 oscillators of 3 / ps: 120 ps are 54 * 120 * 3 / 2 draws
    assert float(measured.bottleneck_variance.mean()) == pytest.approx(VARIANCE, rel=4 * np.sqrt(2 / 9720))
    power = measured.bottleneck_periodogram.mean("window")
    assert float(2 * power.integrate("frequency")) == pytest.approx(VARIANCE, rel=0.05)
    assert float(power.frequency[int(power.argmax("frequency"))]) == pytest.approx(4.0, abs=0.3)
    np.testing.assert_allclose(measured.bottleneck_mean_radius, 2.0, atol=0.03)
    np.testing.assert_allclose(measured.bottleneck_radius_empty, measured.bottleneck_radius_mean, atol=0.01)


def test_windows_are_wider_when_a_hop_begins_by_the_exact_amount_and_the_hops_are_as_many(measured):
    hops = measured.bottleneck_hops.sum("window").sel(lag=0).item()
    shift = measured.bottleneck_opening.sum("window").sel(lag=0).item() / hops
    assert shift == pytest.approx(0.5 * VARIANCE / HEAT, abs=4 * np.sqrt(VARIANCE / hops))
    expected = 9 * 120 * 2 * 0.2 * np.exp(0.25 * VARIANCE / 2 / HEAT**2)
    assert float(measured.hop_starts.sum()) == pytest.approx(expected, abs=5 * np.sqrt(expected))
    # what is seen before and after is the correlation of the oscillator
    lag = measured.lag.sel(lag=slice(-0.3, 0.3)).values
    w, g = 2 * np.pi * 4.0, 3.0
    we = np.sqrt(w**2 - g**2 / 4)
    course = np.exp(-g * np.abs(lag) / 2) * (np.cos(we * lag) + g / (2 * we) * np.sin(we * np.abs(lag)))
    seen = (measured.bottleneck_opening.sum("window") / measured.bottleneck_hops.sum("window")).sel(lag=slice(-0.3, 0.3))
    np.testing.assert_allclose(seen, course * 0.5 * VARIANCE / HEAT, atol=5 * np.sqrt(VARIANCE / hops))


def test_the_radius_is_distributed_as_the_oscillator_and_at_a_hop_as_it_is_shifted(measured):
    """exp(g Q / k_B T) times a Gaussian is that Gaussian about g <Q^2> / k_B T."""
    from scipy.stats import norm

    density = measured.bottleneck_distribution.mean("window")
    width = float(measured.r[1] - measured.r[0])
    assert float(density.sum()) * width == pytest.approx(1, abs=1e-12)
    assert schema.history(measured)[-1]["beyond_twice_the_mean_radius"] == 0
    edges = np.append(measured.r - width / 2, measured.r[-1] + width / 2)
    np.testing.assert_allclose(density * width, np.diff(norm.cdf(edges, 2.0, np.sqrt(VARIANCE))), atol=0.006)
    counts = measured.bottleneck_counts_at_hop.sum("window").values
    assert counts.sum() == measured.hop_starts.sum()
    expected = counts.sum() * np.diff(norm.cdf(edges, 2.0 + 0.5 * VARIANCE / HEAT, np.sqrt(VARIANCE)))
    some = expected > 5
    chi2 = np.sum((counts[some] - expected[some]) ** 2 / expected[some])
    assert chi2 < some.sum() + 4 * np.sqrt(2 * some.sum())
    middle = float((measured.r * counts).sum() / counts.sum())  # the same moment by both routes
    shift = measured.bottleneck_opening.sum("window").sel(lag=0).item() / counts.sum()
    assert middle - 2.0 == pytest.approx(shift, abs=0.03)


def test_ions_cross_the_middle_of_their_sites_at_the_rate_of_a_gaussian_process(measured):
    """Rice, as frames show it: the sign changes with probability arccos(c(dt) / c(0)) / pi."""
    w, g, dt = 2 * np.pi * 8.0, 3.0, 0.02
    we = np.sqrt(w**2 - g**2 / 4)
    c = np.exp(-g * dt / 2) * (np.cos(we * dt) + g / (2 * we) * np.sin(we * dt))
    assert float(measured.site_crossings.mean()) == pytest.approx(np.arccos(c) / np.pi / dt, rel=0.02)


def test_the_radius_is_its_definition(run):
    """Of three corners the circumradius, of four the nearest to their centre, in a moving cell, across its faces."""
    import jax

    from mdtools.kernels.bottleneck import window_radius

    random = np.random.default_rng(3)
    scaled = random.random((5, 7, 3))
    cell = 10 * np.eye(3) + random.normal(0, 0.3, (5, 3, 3))
    corners, images = np.array([[0, 3, 5], [1, 2, 6]]), random.integers(-1, 2, (2, 3, 3)).astype(float)
    with jax.enable_x64(True):
        three = np.asarray(window_radius(scaled, cell, corners, images))
        four = np.asarray(window_radius(scaled, cell, np.array([[0, 1, 2, 3]]), np.zeros((1, 4, 3))))
    for f in range(5):
        for b in range(2):
            p = (scaled[f, corners[b]] + images[b]) @ cell[f]
            u, v = p[1] - p[0], p[2] - p[0]
            normal = np.cross(u, v)
            centre = p[0] + (np.dot(u, u) * np.cross(v, normal) + np.dot(v, v) * np.cross(normal, u)) / (2 * np.dot(normal, normal))
            np.testing.assert_allclose(np.linalg.norm(p - centre, axis=1), three[f, b], rtol=1e-9)
        p = scaled[f, :4] @ cell[f]
        assert np.linalg.norm(p - p.mean(axis=0), axis=1).min() == pytest.approx(four[f, 0], rel=1e-12)


def test_sites_are_found_at_the_peaks_of_the_density():
    salt = synthetic.harmonic_crystal(cells=4, n_frames=200, temperature=300.0, seed=3)
    out = bottleneck_radius(salt, mobile="A", corners=["B"], number=2, repeat=(2, 2, 2), windows=4, around=0.2)
    # A-A along the diagonal of a face, twelve paths from a site; two B at half a diagonal
    assert float(out.n_paths) == 12
    assert float(out.path_length) == pytest.approx(3 * np.sqrt(2), rel=0.01)
    np.testing.assert_allclose(out.bottleneck_mean_radius, 1.5 * np.sqrt(2), atol=0.1)
    assert float(out.hop_starts.sum()) == 0
    with pytest.raises(TrajectoryError, match=r"no clear 3 corners.*pass number=2"):
        bottleneck_radius(salt, mobile="A", corners=["B"], repeat=(2, 2, 2), windows=4, around=0.2)


def test_windows_of_time_and_memory_do_not_change_the_answer(run, measured, monkeypatch):
    assert schema.history(measured)[-1]["n_bottlenecks"] == 54
    monkeypatch.setattr("mdtools.memory.block", lambda: 1_200_000)
    again = bottleneck_radius(run, windows=6, **CHOICE)
    for name in ("bottleneck_opening", "bottleneck_hops", "bottleneck_periodogram", "bottleneck_variance", "site_crossings"):
        np.testing.assert_allclose(again[name], measured[name], rtol=1e-9, atol=1e-15)
    monkeypatch.setattr("mdtools.memory.limit", lambda: 800_000)
    with pytest.raises(TrajectoryError, match="pass more windows"):
        bottleneck_radius(run, windows=6, **CHOICE)


def test_what_is_not_clear_is_refused_in_a_line(run):
    with pytest.raises(TrajectoryError, match="no species Li; there are A, B"):
        bottleneck_radius(run, **{**CHOICE, "mobile": "Li"})
    with pytest.raises(TrajectoryError, match=r"corners=\['B'\] \(--corners\)"):
        bottleneck_radius(run, **{**CHOICE, "corners": ["A"]})
    with pytest.raises(TrajectoryError, match=r"sites='a b' is not understood"):
        bottleneck_radius(run, **{**CHOICE, "sites": "a b"})
    with pytest.raises(TrajectoryError, match="--path-length"):
        bottleneck_radius(run, path_length=13.0, **CHOICE)
    for width in (0.0, np.nan, np.inf, 5.0, 1e-9):
        with pytest.raises(TrajectoryError, match=r"--bin-width 0\.05"):
            bottleneck_radius(run, bin_width=width, **CHOICE)
    with pytest.raises(TrajectoryError, match=r"two corners or more.*--number 3"):
        bottleneck_radius(run, **{**CHOICE, "number": 1})
    with pytest.raises(TrajectoryError, match="make no windows of 4000 corners: pass a smaller number="):
        bottleneck_radius(run, **{**CHOICE, "number": 4000})
    with pytest.raises(TrajectoryError, match=r"pass a longer one \(--path-length\)"):
        bottleneck_radius(run, path_length=0.5, **CHOICE)
    with pytest.raises(TrajectoryError, match="evenly spaced"):
        bottleneck_radius(dataclasses.replace(run, time=run.time**1.1), **CHOICE)
    with pytest.raises(NotEnoughData, match="at least 8 frames"):
        bottleneck_radius(run, windows=1000, **CHOICE)
    with pytest.raises(TrajectoryError, match="reaches out of windows"):
        bottleneck_radius(run, windows=6, around=15.0, **CHOICE)
