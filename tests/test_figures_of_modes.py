"""Figures of modes show what was measured: the curves, marks and bands that are drawn are the numbers of the Datasets."""

import ase
import numpy as np
import pytest

from mdtools import schema, synthetic
from mdtools.analyses.bottleneck import bottleneck_radius
from mdtools.analyses.energy_spectrum import spectral_energy_density
from mdtools.analyses.lattice_modes import mode_spectra
from mdtools.detection.soft_modes import detect_soft_modes
from mdtools.estimates.modes import mode_frequencies
from mdtools.reporting import figures
from mdtools.reporting.style import figure, svg
from tests.langevin import oscillator, spectra


@pytest.fixture
def ax():
    made, axes = figure()
    yield axes[0, 0]
    assert "<svg" in svg(made)


def of_temperature(t):
    x = oscillator(3.0 * np.sqrt(t - 1.0), 1.0, t, 4096, 0.05, 1, 3)
    return spectra(x[:, :, 0], x[:, :, 1], 0.05, temperature=t, reduced=True)


def test_a_mode_and_its_fit(ax):
    data = of_temperature(2.0)
    fit = mode_frequencies(data)
    figures.mode_spectra(data, ax, mode_frequencies=fit)
    drawn = ax.lines[1].get_ydata()
    np.testing.assert_array_equal(drawn, fit.fitted_periodogram[0])
    # the fit is the mean of what it was fitted to: ordinates scatter about it as exponentials
    ratio = (data.mode_coordinate_periodogram[0, 0] / fit.fitted_periodogram[0]).sel(frequency=slice(0.1, 2.0))
    assert float(ratio.mean()) == pytest.approx(1.0, abs=5 / np.sqrt(ratio.size / 2))
    assert ax.lines[2].get_xdata()[0] == float(fit.mode_frequency[0])


def test_a_soft_mode_over_temperature(ax):
    found = detect_soft_modes([mode_frequencies(of_temperature(t)) for t in (1.2, 1.5, 1.9, 2.4)])
    figures.soft_mode(found, ax)
    assert ax.get_legend().get_title().get_text() == "softens to zero"
    assert len(ax.patches) == 2  # T_c by both routes
    low, high = ax.patches[0].get_x(), ax.patches[0].get_x() + ax.patches[0].get_width()
    assert low < 1.0 < high


def test_free_energies_over_volume_with_the_volume_of_equilibrium(ax):
    free = np.array([[3.0, 2.0], [1.0, 1.0], [2.0, 4.0]]) / 1e3  # the first run has the largest volume
    rows = {"free_energy": free, "free_energy_stderr": np.full((3, 2), 1e-4)}
    points = {"equilibrium_volume": [11.0, np.nan], "equilibrium_volume_stderr": [0.1, np.nan], "gibbs_energy": [1e-3, np.nan]}
    data = schema.dataset(
        {
            "temperature": [100.0, 900.0],
            "run": [0, 1, 2],
            "volume_per_atom": ("run", [12.0, 11.0, 10.0]),
            **{name: (("run", "temperature"), values) for name, values in rows.items()},
            **{name: ("temperature", values) for name, values in points.items()},
        }
    )
    figures.quasi_harmonic_thermodynamics(data, ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["100 K"]  # 900 K has no volume
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[10, 1], [11, 0], [12, 2]], atol=1e-12)
    assert ax.lines[-1].get_xdata()[0] == 11.0


def test_the_map_of_a_path_with_fitted_modes(ax):
    run = synthetic.damped_oscillator(cells=4, n_frames=1024, seed=1).relabel({"Na": range(64)})
    site = ase.Atoms("Na", cell=[5, 5, 5], pbc=True)
    data = spectral_energy_density(run, primitive=site, path="0 0 0  0.5 0 0", windows=1)
    fit = mode_frequencies(mode_spectra(run, primitive=site, q=[0.25, 0, 0], pattern={"Na": "1 0 0"}, windows=1))
    mesh = figures.spectral_energy_density(data, ax, mode_frequencies=[fit])
    shown = mesh.get_array().reshape(data.sizes["frequency"], 3)
    total = data.spectral_energy_density.sum(["basis_atom", "direction"])[0]
    np.testing.assert_allclose(10**shown, total.T, rtol=1e-9, atol=1e-290)
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_ydata()[0] for line in marks] == [float(fit.mode_frequency[0])]
    assert float(fit.mode_frequency[0]) == pytest.approx(3.0, abs=0.15)


def test_windows_about_a_hop(ax):
    run = synthetic.gated_hopper(chains=4, sites=4, n_frames=1600, rate=0.3, seed=1)
    data = bottleneck_radius(run, mobile="A", corners=["B"], number=2, repeat=(4, 2, 2), sites="0 0.5 0.5", around=0.2, windows=4)
    figures.bottleneck_opening(data, ax)
    whole = data.bottleneck_opening.sum("window") / data.bottleneck_hops.sum("window")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), whole)
