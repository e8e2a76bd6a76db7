"""Elastic constants of a held cell: Born term, less the fluctuation of the stress, and the kinetic part."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_cubic, is_reduced
from mdtools.statistics.interval import lengthened
from mdtools.statistics.vibrations import jackknife_of_rows
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

__all__ = ["stress_elasticity"]

FEWEST = 8  # windows
NAMES = ("shear_modulus", "elastic_c11", "elastic_c12", "elastic_c44", "bulk_modulus")
# of the 21 constants in the order of LAMMPS' compute born/matrix: rows and columns in Voigt's order xx, yy, zz, yz, xz, xy
ROWS = (0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4)
COLUMNS = (0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 2, 3, 4, 5, 3, 4, 5, 4, 5, 5)
KINETIC = np.diag([4.0, 4.0, 4.0, 2.0, 2.0, 2.0])  # of N k_B T / V: 2 (d_ik d_jl + d_il d_jk)


@schema.recorded
def stress_elasticity(stress_fluctuations: xr.Dataset, *, born: Sequence[float] | None = None) -> xr.Dataset:
    """Elastic constants C = born - (V / k_B T) <s s> + 2 (N k_B T / V) (d_ik d_jl + d_il d_jk), less P, of a cell that is held.

    <s s> is the covariance of the stress s, kinetic part and all, of which the third term makes up for. Isothermal, and as stress goes with strain
    at the mean pressure P of the run: C11 - P, C12 + P, C44 - P, as `strain_elasticity` and long waves have them; an ideal gas has no shear
    modulus so. Of a cubic cell means over the axes are taken. Errors by a jackknife over windows, of the fluctuation; born is taken as exact.

    born : mean of (1 / V) d^2 U / d e_i d e_j, of pairs (1 / V) sum (u'' - u' / r) r_a r_b r_c r_d / r^2. It holds second derivatives of the
        potential, which no trajectory has. In GPa (reduced runs: energy over volume): C11, C12, C44 of a cubic crystal, or 21 numbers in the
        order of LAMMPS' compute born/matrix (11, 22, 33, 44, 55, 66, 12, 13, ... 56), whose output is times V.

    The autocorrelation of the stress is not used: at a held cell it decays to zero in a solid too, G(t) = G_eq + C(t), C -> 0.

    Returns `shear_modulus` (Voigt), `bulk_modulus`, and of a cubic cell `elastic_c11`, `elastic_c12`, `elastic_c44` (NaN of others) in GPa,
    with _stderr, and the parts `born_term`, `stress_fluctuation_term`, `kinetic_term` (voigt, voigt2).
    Raises TrajectoryError without born or a temperature, or for a cell that breathes; NotEnoughData for fewer than eight windows; ValueError for
    other numbers of constants. Source: reference/science.md A2 row 27, B10; D. R. Squire, A. C. Holt, W. G. Hoover, Physica 42, 388 (1969).

    >>> from mdtools.schema import dataset
    >>> part = {"stress": (("window", "voigt"), np.zeros((16, 6))), "stress_product": (("window", "voigt", "voigt2"), [np.eye(6)] * 16)}
    >>> run = dataset({"window": list(range(16)), "volume": 4142.0, "stated_temperature": 300.0, "n_atoms": 0, "cell_held": 1, **part,
    ...     "lattice": (("cell_axis", "xyz"), 16.06 * np.eye(3))})
    >>> found = stress_elasticity(run, born=[1200.0, 400.0, 1100.0])
    >>> round(found.elastic_c44.item(), 1), round(found.elastic_c12.item(), 1)  # V / k_B T is 1000 / GPa
    (100.0, 400.0)
    """
    data, who = stress_fluctuations, "stress_elasticity"
    kelvin = float(data.stated_temperature)
    if not np.isfinite(kelvin):
        raise TrajectoryError(f"{who} needs the temperature: read the trajectory with temperature= (--temperature), or with the log of a thermostat")
    if not int(data.cell_held):
        raise TrajectoryError(f"{who} needs a cell that is held, and that of this run breathes: strain_elasticity takes its strains")
    if born is None:
        raise TrajectoryError(
            f"{who} needs the Born term, which holds derivatives of the potential and cannot come from a trajectory: pass born=[C11, C12, C44] "
            "(--born C11,C12,C44) or 21 numbers in GPa, compute born/matrix over the volume; shear_modulus takes positions alone"
        )
    if data.sizes.get("window", 1) < FEWEST:
        raise NotEnoughData(f"{who} learns its errors from {FEWEST} windows or more: measure with windows=16")
    reduced = is_reduced(data)
    unit = 1.0 if reduced else EV_PER_ANGSTROM3_TO_GPA
    volume, thermal = float(data.volume), kelvin * (1.0 if reduced else BOLTZMANN)
    mean = data.stress.transpose("window", "voigt").values
    product = data.stress_product.transpose("window", "voigt", "voigt2").values
    first = _matrix(born)
    kinetic = KINETIC * float(data.n_atoms) * thermal / volume * unit
    cubic = is_cubic(data.lattice.values)
    whole = mean.mean(axis=0)

    def fluctuation(chosen: np.ndarray) -> np.ndarray:
        middle = mean[chosen].mean(axis=0) - whole
        covariance = product[chosen].mean(axis=0) - np.outer(middle, middle) + np.cov(mean[chosen].T) / len(chosen)
        return np.asarray(volume / thermal / unit * covariance)

    def of(chosen: np.ndarray) -> np.ndarray:
        pressure = -mean[chosen].mean(axis=0)[:3].mean()
        return _constants(first - fluctuation(chosen) + kinetic, pressure, cubic)

    n = len(mean)
    value, error = jackknife_of_rows(of, np.arange(n))
    error = error * lengthened(n - 1)
    out = {
        **carried(data),
        **dict(zip(NAMES, value, strict=True)),
        **{f"{name}_stderr": x for name, x in zip(NAMES, error, strict=True)},
        "born_term": (("voigt", "voigt2"), first),
        "stress_fluctuation_term": (("voigt", "voigt2"), fluctuation(np.arange(n))),
        "kinetic_term": (("voigt", "voigt2"), kinetic),
        "voigt": data.voigt.values if "voigt" in data.coords else ["xx", "yy", "zz", "yz", "xz", "xy"],
        "voigt2": data.voigt2.values if "voigt2" in data.coords else ["xx", "yy", "zz", "yz", "xz", "xy"],
    }
    return schema.resolved(schema.dataset(out, reduced=reduced), symmetry="cubic" if cubic else "none")


def _matrix(born: Sequence[float]) -> np.ndarray:
    """The Born term (6, 6) of C11, C12, C44, or of 21 numbers."""
    given = np.asarray(born, dtype=np.float64)
    out = np.zeros((6, 6))
    if given.shape == (3,):
        out[:3, :3] = given[1]
        out[range(6), range(6)] = [given[0]] * 3 + [given[2]] * 3
    elif given.shape == (21,):
        out[ROWS, COLUMNS] = out[COLUMNS, ROWS] = given
    else:
        raise ValueError(f"born has {given.size} numbers: write C11, C12, C44 of a cubic crystal, or the 21 of LAMMPS' compute born/matrix, in GPa")
    return out


def _constants(c: np.ndarray, pressure: float, cubic: bool) -> np.ndarray:
    """Voigt's shear modulus, C11, C12, C44 and the bulk modulus of a stiffness (6, 6), as stress goes with strain at a pressure."""
    normal, mixed, shear = (
        np.trace(c[:3, :3]) / 3 - pressure,
        (c[:3, :3].sum() - np.trace(c[:3, :3])) / 6 + pressure,
        np.trace(c[3:, 3:]) / 3 - pressure,
    )
    single = [normal, mixed, shear] if cubic else [np.nan] * 3
    return np.array([(normal - mixed + 3 * shear) / 5, *single, (normal + 2 * mixed) / 3])
