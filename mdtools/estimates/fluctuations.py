"""Heat capacity, thermal expansion and bulk modulus of one run, from what fluctuates in it."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.interval import lengthened
from mdtools.statistics.vibrations import jackknife_of_rows
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA

__all__ = ["heat_capacity"]

FEWEST = 4  # windows
HELD = 1e-14  # relative variance of the volume, up to which the cell was held: rounding; k_B T / B V is 1e-10 of 10^6 hard ions at 10 K
CANONICAL = 0.2  # relative deviation of the fluctuation of the kinetic energy from the canonical one, beyond three standard errors of it
NAMES = ("heat_capacity", "thermal_expansion", "bulk_modulus")


@schema.recorded
def heat_capacity(run_state: xr.Dataset) -> xr.Dataset:
    """Heat capacity by fluctuations, C = var(H) / k_B T^2; at a cell that breathes also expansion and bulk modulus.

    H = E + P V at one P: C_V of a held cell, C_p of one under a barostat, per ion in k_B. There alpha = cov(H, V) / (3 k_B T^2 V), linear, and
    B = k_B T V / var(V). Second moments are about the mean of the run and made whole by the variance of that mean, from the scatter of the
    windows; errors by a jackknife over windows. Only the canonical (isobaric) ensemble fluctuates so: refused where the kinetic
    energy does not, as at constant energy or under Berendsen's thermostat.

    Returns `heat_capacity` (k_B per ion), `thermal_expansion` (1/K) and `bulk_modulus` (GPa; NaN where the cell was held), with _stderr; the
    history says whether C is at constant volume or pressure.
    Raises TrajectoryError without a log of energy and volume, a temperature or a canonical thermostat; NotEnoughData for few windows or rows.
    Source: reference/science.md B9.

    >>> from mdtools.schema import dataset
    >>> part = {name: ("window", [x] * 8) for name, x in {"enthalpy_variance": 0.4, "enthalpy_by_window": 0.0, "volume_variance": 0.0,
    ...     "logged_volume_by_window": 0.0, "enthalpy_volume_covariance": 0.0, "kinetic_fluctuation": 1.0}.items()}
    >>> run = dataset({"window": list(range(8)), "stated_temperature": 1000.0, "n_atoms": 18, "volume": 200.0, **part})
    >>> round(heat_capacity(run).heat_capacity.item(), 2)  # .4 / (8.6e-5 * 1000)^2 / 18
    2.99
    """
    data = run_state
    who = "heat_capacity"
    if "enthalpy_variance" not in data:
        raise TrajectoryError(f"{who} needs energies and volume: read the trajectory with its log, log= (--log)")
    kelvin = float(data.stated_temperature)
    if not np.isfinite(kelvin):
        raise TrajectoryError(f"{who} needs the temperature: read the trajectory with temperature= (--temperature), or with the log of a thermostat")
    names = ("enthalpy_by_window", "enthalpy_variance", "logged_volume_by_window", "volume_variance", "enthalpy_volume_covariance")
    table = np.stack([data[name].values for name in names], axis=1)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < FEWEST:
        raise NotEnoughData(
            f"{who} learns its errors from {FEWEST} windows or more that hold rows of the log; there are {len(table)}: write the log more often"
        )
    _canonical(data, who)
    reduced = is_reduced(data)
    boltzmann = 1.0 if reduced else BOLTZMANN
    n, volume = float(data.n_atoms), float(data.volume)
    held = float(table[:, 3].mean()) < HELD * volume**2

    def of(rows: np.ndarray) -> np.ndarray:
        h, hh, v, vv, hv = rows.T
        more = 1 / len(rows)  # the mean of the run is not that of the ensemble, by the scatter of its windows
        enthalpy = hh.mean() - h.mean() ** 2 + more * h.var(ddof=1)
        capacity = enthalpy / (boltzmann * kelvin) ** 2 / n
        if held:
            return np.array([capacity, np.nan, np.nan])
        both = hv.mean() - h.mean() * v.mean() + more * np.cov(h, v)[0, 1]
        alone = vv.mean() - v.mean() ** 2 + more * v.var(ddof=1)
        stiff = boltzmann * kelvin * volume / alone * (1.0 if reduced else EV_PER_ANGSTROM3_TO_GPA)
        return np.array([capacity, both / (3 * boltzmann * kelvin**2 * volume), stiff])

    value = of(table)
    error = jackknife_of_rows(of, table)[1] * lengthened(len(table) - 1)
    out = {**carried(data), **dict(zip(NAMES, value, strict=True)), **{f"{name}_stderr": x for name, x in zip(NAMES, error, strict=True)}}
    return schema.resolved(schema.dataset(out, reduced=reduced), ensemble="constant volume" if held else "constant pressure")


def _canonical(data: xr.Dataset, who: str) -> None:
    if "kinetic_fluctuation" not in data:
        return
    ratio = data.kinetic_fluctuation.values
    ratio = ratio[np.isfinite(ratio)]
    if abs(ratio.mean() - 1) > CANONICAL + 3 * ratio.std(ddof=1) / np.sqrt(len(ratio)):
        raise TrajectoryError(
            f"{who} by fluctuations needs a canonical thermostat, and the kinetic energy of this run fluctuates {ratio.mean():.2g} of its canonical "
            "measure (below 1: constant energy, Berendsen; above: rigid bonds, a ramp): take dH/dT of several runs, detect_transition"
        )
