"""Elastic constants from the strains of a cell that breathes freely."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_cubic, is_reduced
from mdtools.statistics.interval import lengthened
from mdtools.statistics.vibrations import jackknife_of_rows
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

__all__ = ["strain_elasticity"]

FEWEST = 8  # windows
FREE = 1e-4  # least eigenvalue of the covariance of strains over the largest, below which the barostat holds one of them
NAMES = ("shear_modulus", "elastic_c11", "elastic_c12", "elastic_c44", "bulk_modulus")


@schema.recorded
def strain_elasticity(cell_strain: xr.Dataset) -> xr.Dataset:
    """Elastic constants C = (k_B T / V) <e e>^-1 from the fluctuation of the strain e of a cell under a barostat that frees all six of its parts.

    Isothermal, at the pressure of the run. Of a cubic mean cell <e e> is averaged over the axes first; else the shear modulus is Voigt's mean of the
    whole matrix. The inverse of a sampled covariance is too large by (strains + 1) over the number of independent samples: a jackknife over
    windows takes that bias off, and gives the errors. A barostat of one volume (iso) or of three edges (aniso) holds strains fixed and is refused;
    positions alone give the modulus at a held cell (`shear_modulus`).

    The autocorrelation of the stress is not used: at a held cell it decays to zero in a solid too (G(t) = G_eq + C(t), C -> 0), and its
    plateau under a strain barostat is what the strains say directly.

    Returns `shear_modulus` (Voigt), `bulk_modulus`, and of a cubic cell `elastic_c11`, `elastic_c12`, `elastic_c44` (NaN of others) in GPa,
    with _stderr.
    Raises TrajectoryError for a cell that is held or freed in part, or without a temperature; NotEnoughData for fewer than eight windows.
    Source: reference/science.md A2 row 27, B10; M. Parrinello, A. Rahman, J. Chem. Phys. 76, 2662 (1982).

    >>> from mdtools.schema import dataset
    >>> one = np.diag([2.0, 2.0, 2.0, 4.0, 4.0, 4.0]) * 1e-4
    >>> flat = dataset({"window": list(range(16)), "volume": 1000.0, "stated_temperature": 300.0, "strain": (("window", "voigt"), np.zeros((16, 6))),
    ...     "strain_product": (("window", "voigt", "voigt2"), [one] * 16), "lattice": (("cell_axis", "xyz"), 10 * np.eye(3))})
    >>> round(strain_elasticity(flat).elastic_c44.item(), 1)  # .02585 eV / 1000 / 4e-4 * 160.2
    10.4
    """
    data = cell_strain
    who = "strain_elasticity"
    if data.sizes.get("window", 1) < FEWEST:
        raise NotEnoughData(f"{who} learns its errors from {FEWEST} windows or more: measure with windows=16")
    kelvin = float(data.stated_temperature)
    if not np.isfinite(kelvin):
        raise TrajectoryError(f"{who} needs the temperature: read the trajectory with temperature= (--temperature), or with the log of a thermostat")
    mean = data.strain.transpose("window", "voigt").values
    product = data.strain_product.transpose("window", "voigt", "voigt2").values
    values = np.linalg.eigvalsh(_covariance(mean, product))
    if values[0] <= FREE * values[-1]:
        held = "the cell is held" if values[-1] <= 0 else "the barostat does not free all six strains of the cell"
        raise TrajectoryError(
            f"{who} needs a run under a barostat of the whole cell (LAMMPS: fix npt tri), and {held}: shear_modulus takes positions alone"
        )
    reduced = is_reduced(data)
    unit = (1.0 if reduced else BOLTZMANN * EV_PER_ANGSTROM3_TO_GPA) * kelvin / float(data.volume)
    cubic = is_cubic(data.lattice.values)

    def of(chosen: np.ndarray) -> np.ndarray:
        return _constants(unit * np.linalg.inv(_symmetric(_covariance(mean[chosen], product[chosen]), cubic)), cubic)

    n = len(mean)
    value, error = jackknife_of_rows(of, np.arange(n))
    error = error * lengthened(n - 1)
    out = {**carried(data), **dict(zip(NAMES, value, strict=True)), **{f"{name}_stderr": x for name, x in zip(NAMES, error, strict=True)}}
    return schema.resolved(schema.dataset(out, reduced=reduced), symmetry="cubic" if cubic else "none")


def _covariance(mean: np.ndarray, product: np.ndarray) -> np.ndarray:
    """About the mean of these windows, made whole by the variance of that mean from their scatter."""
    middle = mean.mean(axis=0)
    return np.asarray(product.mean(axis=0) - np.outer(middle, middle) + np.cov(mean.T) / len(mean))


def _symmetric(covariance: np.ndarray, cubic: bool) -> np.ndarray:
    if not cubic:
        return covariance
    out = np.zeros((6, 6))
    normal = covariance[:3, :3]
    out[:3, :3] = (normal.sum() - np.trace(normal)) / 6
    out[range(3), range(3)] = np.trace(normal) / 3
    out[range(3, 6), range(3, 6)] = np.trace(covariance[3:, 3:]) / 3
    return out


def _constants(c: np.ndarray, cubic: bool) -> np.ndarray:
    """Voigt's shear modulus, C11, C12, C44 and the bulk modulus of a stiffness (6, 6)."""
    normal, mixed, shear = np.trace(c[:3, :3]), (c[:3, :3].sum() - np.trace(c[:3, :3])) / 2, np.trace(c[3:, 3:])
    single = [normal / 3, mixed / 3, shear / 3] if cubic else [np.nan] * 3
    return np.array([(normal - mixed + 3 * shear) / 15, *single, (normal + 2 * mixed) / 9])
