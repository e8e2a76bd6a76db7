"""Shear modulus of the framework, from positions alone."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_cubic, is_reduced
from mdtools.statistics.elastic import elastic_constants
from mdtools.statistics.interval import lengthened
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

__all__ = ["shear_modulus"]

FEWEST = 4  # windows
SHORT = (
    0.0027  # relative error that the part in k^2 leaves, over (k d)^3 of the shortest wave: crystals of springs, sc 27 to 1728, fcc 32 to 864 ions
)
DRIFTS = 0.75  # share of the displacement in one half of the run beyond which ions do not keep their places


@schema.recorded
def shear_modulus(displacement_waves: xr.Dataset) -> xr.Dataset:
    """Shear modulus by equipartition of displacement waves, <A A*> = (k_B T / V) [k . C . k]^-1, extrapolated to k = 0.

    Of a cubic cell the constants C11, C12, C44 of a cubic crystal, else those of an isotropic solid, each with a part in k^2
    that makes up for the dispersion of the lattice, by the likelihood of the covariances; errors by a jackknife over windows, and
    what higher powers of k leave: .0027 (k d)^3, d^3 the volume of a framework ion (2 % of 500 ions, 9 % of 108, 15 % of 64). The shear
    modulus is Voigt's mean (C11 - C12 + 3 C44) / 5. `rigidity_ratio` is it over n k_B T of the framework: hundreds in a
    crystal, about one where its ions are independent; a liquid has no mean places and its number means nothing.

    The autocorrelation of the stress is not used: at a fixed cell it decays to zero in a solid too, G(t) = G_eq + C(t), C -> 0.

    Returns `shear_modulus`, `elastic_c11`, `elastic_c12`, `elastic_c44` (GPa; NaN where the cell is not cubic) and `rigidity_ratio`, with _stderr.
    Raises TrajectoryError without a stated temperature; NotEnoughData for fewer than four windows.
    Source: reference/science.md A2 row 27, B10; J. P. Wittmer et al., Phys. Rev. E 91, 022107 (2015).

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.rigidity import displacement_waves
    >>> crystal = synthetic.harmonic_crystal(cells=6, n_frames=500, temperature=300, frame_interval=0.05)
    >>> bool(shear_modulus(displacement_waves(crystal)).rigidity_ratio > 30)
    True
    """
    data = displacement_waves
    if data.sizes.get("window", 1) < FEWEST:
        raise NotEnoughData(f"shear_modulus learns its errors from {FEWEST} windows or more: measure with windows=8")
    temperature = float(data.stated_temperature)
    if not np.isfinite(temperature):
        raise TrajectoryError(
            "shear_modulus needs the temperature: read the trajectory with temperature= (--temperature), or with the log of a thermostat"
        )
    reduced = is_reduced(data)
    thermal, volume = temperature * (1.0 if reduced else BOLTZMANN), float(data.volume)
    covariance = data.displacement_covariance.transpose("window", "wave", "xyz", "xyz2").values
    k = data.wave_vector_xyz.transpose("wave", "xyz").values
    cubic = is_cubic(data.lattice.values)
    unit = 1.0 if reduced else EV_PER_ANGSTROM3_TO_GPA

    def of(windows: np.ndarray) -> np.ndarray:
        mean = covariance[windows].mean(axis=0)
        if not np.all(np.linalg.eigvalsh(mean) > 0):
            return np.full(5, np.nan)
        c = elastic_constants(mean, k, thermal=thermal, volume=volume, cubic=cubic) * unit
        shear = (c[0] - c[1] + 3 * c[2]) / 5 if cubic else c[1]
        ratio = shear / unit / (float(data.n_framework) * thermal / volume)
        return np.array([shear, *(c if cubic else [np.nan] * 3), ratio])

    n = len(covariance)
    each = np.stack([of(np.delete(np.arange(n), one)) for one in range(n)])
    error = np.sqrt((n - 1) / n * np.sum((each - each.mean(axis=0)) ** 2, axis=0)) * lengthened(n - 1)
    names = ("shear_modulus", "elastic_c11", "elastic_c12", "elastic_c44", "rigidity_ratio")
    values = of(np.arange(n))
    largest = values.copy()
    largest[2] = np.abs(values[1:3]).max()  # C12 is a difference of what waves show
    error = np.hypot(error, SHORT * float(np.square(k).sum(axis=1).max()) ** 1.5 * volume / float(data.n_framework) * np.abs(largest))
    settled = bool(abs(float(data.still_share) - 0.5) < DRIFTS - 0.5)
    out = {
        **carried(data),
        "species": data.species.values,
        **dict(zip(names, values, strict=True)),
        **{f"{name}_stderr": value for name, value in zip(names, error, strict=True)},
        "still_share": float(data.still_share),
    }
    return schema.resolved(schema.dataset(out, reduced=reduced), symmetry="cubic" if cubic else "isotropic", settled=settled)
