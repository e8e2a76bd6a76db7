"""What Bragg reflections say of a sublattice: how much of the scattering is order, and how far ions are from their sites."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried
from mdtools.statistics.interval import student

__all__ = ["debye_waller"]

WINDOWS = 4  # fewer give no error
FALSE = 0.01  # of the reflections of a sublattice without order, the share that passes for Bragg
WEAK = 0.05  # |F|^2 below which a reflection of the ions at rest is taken for extinct


@schema.recorded
def debye_waller(bragg_reflections: xr.Dataset) -> xr.Dataset:
    """Bragg and diffuse part of each reflection, and <u^2> of each species by the Debye-Waller line.

    I = |<rho>|^2 by products of different windows, in which what a finite time leaves of a liquid averages to nothing;
    Bragg amplitude Phi = sqrt(I) / |F|, F the wave of the ions at rest; diffuse part S = N <|rho|^2> - N I.
    ln(I / |F|^2) = -q^2 <u^2> / 3, through the origin, weighted by I / (|F|^2 - I), of the reflections that stand out of
    the noise at 1 %. <u^2> is about a site, in space. Errors are those of a jackknife over the windows. Where ions are not
    harmonic about one site the line bends: `debye_waller_offset` is where a free line meets q = 0, over its error.

    Returns (species, reflection) `bragg_amplitude`, `bragg_intensity`, `diffuse_intensity`, with _stderr, and
    `bragg_significance`, the probability of such a mean in a sublattice without order; (species) `thermal_displacement`
    with _stderr, _lower and _upper (95 %), `debye_waller_offset`, and `n_reflections` on the line. Without two lengths of
    the wave vector on the line (no order, or wrong sites) there is no value.
    Raises NotEnoughData for fewer than four windows.
    Source: reference/science.md A1 rows 23, 24 and C3.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.bragg import bragg_reflections
    >>> found = debye_waller(bragg_reflections(synthetic.damped_oscillator(cells=3, n_frames=400), repeat=(3, 3, 3)))
    >>> bool(0 < found.thermal_displacement[0] < 0.5)
    True
    """
    data = bragg_reflections
    n_windows = data.sizes.get("window", 1)
    if n_windows < WINDOWS:
        raise NotEnoughData(f"debye_waller learns its errors from {WINDOWS} windows or more, and there are {n_windows}: measure with windows=8")
    waves = _complex(data["density_amplitude"].transpose("window", "species", "reflection", "part"))
    still = _complex(data["lattice_amplitude"].transpose("species", "reflection", "part"))
    total = data["scattered_intensity"].transpose("window", "species", "reflection").values
    q = data["wave_vector"].values
    ions = data["n_ions"].values[:, None]
    left_out = [np.delete(np.arange(n_windows), k) for k in range(n_windows)]
    intensity, intensity_error = _jackknife(lambda w: _products(waves[w]), left_out)
    diffuse, diffuse_error = _jackknife(lambda w: total[w].mean(axis=0) - ions * _products(waves[w]), left_out)
    chance = _chance(waves)
    strength = np.abs(still) ** 2
    on_line = (chance < FALSE) & (strength > WEAK) & (intensity > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = intensity / strength
        # var ln I = 4 s / I, with the noise s as large as what is not Bragg; errors seen in so few windows would favour lucky reflections
        weight = np.where(on_line, ratio / np.maximum(1 - ratio, 1e-6), 0.0)
        amplitude = np.where((strength > WEAK) & (intensity > 0), np.sqrt(np.maximum(intensity, 0) / strength), np.nan)
        amplitude_error = amplitude * intensity_error / (2 * intensity)
    enough = np.array([len(np.unique(np.round(q[one], 6))) >= 2 for one in on_line])
    square, error = _jackknife(lambda w: _through_origin(q, _products(waves[w]), strength, weight), left_out)
    offset, offset_error = _jackknife(lambda w: _free(q, _products(waves[w]), strength, weight), left_out)
    t = float(student(n_windows - 1))
    of_species: dict[str, Any] = {
        "thermal_displacement": square,
        "thermal_displacement_stderr": error,
        "thermal_displacement_lower": np.maximum(square - t * error, 0.0),
        "thermal_displacement_upper": square + t * error,
        "debye_waller_offset": offset / offset_error,
    }
    of_reflection = {
        "bragg_amplitude": amplitude,
        "bragg_amplitude_stderr": amplitude_error,
        "bragg_intensity": intensity,
        "bragg_intensity_stderr": intensity_error,
        "diffuse_intensity": diffuse,
        "diffuse_intensity_stderr": diffuse_error,
        "bragg_significance": chance,
    }
    out = {
        **carried(data),
        **{name: ("species", np.where(enough, values, np.nan)) for name, values in of_species.items()},
        **{name: (("species", "reflection"), values) for name, values in of_reflection.items()},
        "n_reflections": ("species", on_line.sum(axis=1)),
        **{name: (data[name].dims, data[name].values) for name in ("species", "reflection", "miller", "wave_vector", "cell_axis")},
    }
    return schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj")


def _complex(parts: xr.DataArray) -> np.ndarray:
    return np.asarray(parts.sel(part="real").values + 1j * parts.sel(part="imaginary").values)


def _products(waves: np.ndarray) -> np.ndarray:
    """Mean of Re rho_a rho_b* over the pairs of different windows a, b: what they share, without the noise of each."""
    n = len(waves)
    return (np.abs(waves.sum(axis=0)) ** 2 - np.sum(np.abs(waves) ** 2, axis=0)) / (n * (n - 1))


def _chance(waves: np.ndarray) -> np.ndarray:
    """Probability that n independent complex Gaussian numbers of mean zero have so large a mean for their scatter: F(2, 2n - 2)."""
    n = len(waves)
    mean = waves.mean(axis=0)
    scatter = np.sum(np.abs(waves - mean) ** 2, axis=0) / (n * (n - 1))
    ratio = np.divide(np.abs(mean) ** 2, scatter, out=np.full(mean.shape, np.inf), where=scatter > 0)
    return (1 + ratio / (n - 1)) ** -(n - 1.0)


def _through_origin(q: np.ndarray, intensity: np.ndarray, strength: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """<u^2> of each species by the line ln(I / |F|^2) = -q^2 <u^2> / 3."""
    x, y = q**2 / 3, _logarithm(intensity, strength, weight)
    below = np.sum(weight * x**2, axis=1)
    return -np.divide(np.sum(weight * x * y, axis=1), below, out=np.full(len(weight), np.nan), where=below > 0)


def _free(q: np.ndarray, intensity: np.ndarray, strength: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """ln(I / |F|^2) at q = 0 of each species by a line with both ends free."""
    x, y = np.broadcast_to(q**2, weight.shape), _logarithm(intensity, strength, weight)
    total = np.maximum(weight.sum(axis=1), 1e-300)
    at, high = np.sum(weight * x, axis=1) / total, np.sum(weight * y, axis=1) / total
    spread = np.sum(weight * (x - at[:, None]) ** 2, axis=1)
    slope = np.divide(np.sum(weight * (x - at[:, None]) * y, axis=1), spread, out=np.full(len(weight), np.nan), where=spread > 0)
    return high - slope * at


def _logarithm(intensity: np.ndarray, strength: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """ln(I / |F|^2) of the reflections on the line; what the other windows leave below zero is taken for very little."""
    ratio = np.divide(intensity, strength, out=np.ones_like(intensity), where=weight > 0)
    return np.log(np.maximum(np.where(weight > 0, ratio, 1.0), 1e-12))


def _jackknife(value: Any, left_out: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The value of all windows, and its standard error from leaving out one after the other."""
    n = len(left_out)
    each = np.stack([value(windows) for windows in left_out])
    return value(np.arange(n)), np.sqrt((n - 1) / n * np.sum((each - each.mean(axis=0)) ** 2, axis=0))
