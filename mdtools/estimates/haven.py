"""Haven ratio: how far ions carry charge together."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_reduced, need_same_run, thermal_energy_in_ev
from mdtools.statistics.conductivity import Estimate, haven_interval, sum_stderr
from mdtools.units import CONDUCTIVITY_TO_SI

__all__ = ["haven_ratio"]

LEVEL = 1.96  # standard errors that a 95 % bound is taken for


@schema.recorded
def haven_ratio(self_diffusivity: xr.Dataset, ionic_conductivity: xr.Dataset) -> xr.Dataset:
    """Haven ratio: the conductivity that independent ions would have, over the measured one.

    H_R = sigma_NE / sigma, sigma_NE = sum_s N_s q_s^2 D_s / (V k_B T).
    (stderr / H_R)^2 = a^2 + b^2 - 2 rho a b, a and b the relative stderr of sigma_NE and sigma, rho the correlation of sum q^2 dr^2 with
    |dP|^2 over stretches of the run (`self_collective_correlation` of the conductivity): 1 / sqrt(N) of N independent ions, 1 of ions
    that move as one, whose Haven ratio 1 / N is then exact. Where the measurement has no dipole by time block rho is 0, and the bar rather too long.
    The errors of D of two species go together as `self_diffusivity_correlation` says (0 where it is not there).
    The interval has the shape of that of sigma: its ends are as far from H_R, in ln, as those of 1 / sigma, times stderr / H_R over b.
    The measured charges and temperature are those of the conductivity. Species that are caged or undecided add nothing to
    sigma_NE; their bound D_max is taken for 1.96 standard errors of it.
    To average runs, divide the mean of sigma_NE by the mean of sigma: the mean of 1 / sigma is too large by b^2 of it.

    Returns `haven_ratio` with _stderr, _lower and _upper (95 %), and `ionic_conductivity_nernst_einstein` (S/m) with _stderr.
    Raises NotEnoughData where sigma is only bounded, or no species diffuses; TrajectoryError where the two Datasets are of
    different runs (volume, ions), or charges are missing.
    Source: reference/science.md A1 rows 6 and 8.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_displacement_msd
    >>> from mdtools.analyses.displacement import msd
    >>> from mdtools.estimates.conductivity import ionic_conductivity
    >>> from mdtools.estimates.diffusivity import self_diffusivity
    >>> walk = synthetic.brownian(n_frames=4000, temperature=1000.0, seed=1)
    >>> ratio = haven_ratio(self_diffusivity(msd(walk, reference="none")), ionic_conductivity(charge_displacement_msd(walk)))
    >>> bool(abs(ratio.haven_ratio - 1) < 3 * ratio.haven_ratio_stderr)
    True
    """
    who = "haven_ratio"
    _same_run(self_diffusivity, ionic_conductivity, who=who)
    sigma, error = float(ionic_conductivity["ionic_conductivity"]), float(ionic_conductivity["ionic_conductivity_stderr"])
    if not np.isfinite(sigma):
        raise NotEnoughData(f"{who} needs a conductivity, and the dipole of this run is {ionic_conductivity['regime'].item()}: give a longer run")
    value, stderr, bounded = _nernst_einstein(self_diffusivity, ionic_conductivity)
    if value <= 0:
        raise NotEnoughData(f"{who} needs a charged species that diffuses, and in this run there is none: give a longer run, or a hotter one")
    ratio = value / sigma
    together = _together(ionic_conductivity)
    ends = (float(ionic_conductivity[f"ionic_conductivity_{end}"]) for end in ("lower", "upper"))
    spread, (lower, upper) = haven_interval((value, stderr), Estimate(sigma, error, *ends), together)
    out = {
        **carried(ionic_conductivity),
        "species": ionic_conductivity["species"].values,
        "haven_ratio": ratio,
        "haven_ratio_stderr": spread,
        "haven_ratio_lower": lower,
        "haven_ratio_upper": upper,
        "ionic_conductivity_nernst_einstein": value,
        "ionic_conductivity_nernst_einstein_stderr": stderr,
    }
    return schema.resolved(schema.dataset(out), bounded_species=bounded, correlation=together)


def _together(conductivity: xr.Dataset) -> float:
    """Correlation of D and sigma, 0 where it is not known."""
    found = float(conductivity["self_collective_correlation"]) if "self_collective_correlation" in conductivity else 0.0
    return found if np.isfinite(found) else 0.0


def _same_run(diffusivity: xr.Dataset, conductivity: xr.Dataset, *, who: str) -> None:
    if is_reduced(diffusivity):
        raise TrajectoryError(f"{who} needs a conductivity in S/m, and this run is in lj units: read it with its real units")
    if "charge" not in conductivity:
        raise TrajectoryError(f"{who} needs the charge of each species: measure charge_displacement_msd of a trajectory with charges=")
    need_same_run(diffusivity, conductivity, names=("the diffusivity", "the conductivity"), who=who)


def _nernst_einstein(diffusivity: xr.Dataset, conductivity: xr.Dataset) -> tuple[float, float, list[str]]:
    """sigma_NE, its stderr, and the species of which only a bound is known."""
    names = conductivity["species"].values
    diffusivity = diffusivity.sel(species=names)
    kelvin = float(conductivity["stated_temperature"])
    charge, ions = conductivity["charge"].values, conductivity["n_ions"].values
    strength = CONDUCTIVITY_TO_SI * ions * charge**2 / (float(conductivity["volume"]) * thermal_energy_in_ev(kelvin, reduced=False))
    value, stderr = diffusivity["self_diffusivity"].values, diffusivity["self_diffusivity_stderr"].values
    known = np.isfinite(value)
    stderr = np.where(known, stderr, diffusivity["self_diffusivity_upper"].values / LEVEL)
    together = np.eye(len(names))
    if "self_diffusivity_correlation" in diffusivity:
        together = diffusivity["self_diffusivity_correlation"].sel(species2=names).values
    return float(strength @ np.where(known, value, 0.0)), sum_stderr(strength * stderr, together), [str(name) for name in names[~known]]
