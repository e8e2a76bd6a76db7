"""Activation energy of diffusion from runs at several temperatures."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import is_reduced, temperature_of, thermal_energy_in_ev
from mdtools.statistics.straight_line import straight_line

__all__ = ["activation_energy"]

FEWEST = 3


@schema.recorded
def activation_energy(self_diffusivity: Sequence[xr.Dataset]) -> xr.Dataset:
    """Activation energy and prefactor of the diffusion of each species, from one Dataset a temperature.

    ln D = log_prefactor - E_a / k_B T by least squares, weighted with stderr / D. Where the points do not lie on the line
    (chi^2 above its degrees of freedom, probability `misfit`) both errors are multiplied by sqrt(chi^2 / dof): they
    then tell the scatter about the line, not that one activation energy exists.

    Runs at one temperature count as points of their own. Members in which a species is caged or undecided are left out
    for that species, and named in the history; a species with fewer than three temperatures left has NaN.

    Returns by species `activation_energy` (eV), `log_prefactor`, each with _stderr, and `misfit`.
    Raises NotEnoughData where no species has three temperatures; TrajectoryError for a member without stated temperature,
    or without a species that the others have.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> from mdtools.estimates.diffusivity import self_diffusivity
    >>> runs = [synthetic.brownian(n_frames=500, diffusivity=float(np.exp(-0.3 / (8.617333262e-5 * t))), temperature=t, seed=int(t))
    ...         for t in (600.0, 800.0, 1000.0, 1200.0)]
    >>> fit = activation_energy([self_diffusivity(msd(run, reference="none")) for run in runs]).sel(species="A")
    >>> bool(abs(fit.activation_energy - 0.3) < 3 * fit.activation_energy_stderr)
    True
    """
    who = "activation_energy"
    members = list(self_diffusivity)
    if not members:
        raise NotEnoughData(f"{who} needs the self-diffusivity at {FEWEST} temperatures or more, and was given none")
    kelvin = np.array([temperature_of(one, None, who=who) for one in members])
    beta = np.array([1 / thermal_energy_in_ev(t, reduced=is_reduced(one)) for t, one in zip(kelvin, members, strict=True)])
    species = [str(name) for name in np.atleast_1d(members[0]["species"].values)]
    columns = np.full((5, len(species)), np.nan)
    left_out: dict[str, list[str]] = {}
    for k, name in enumerate(species):
        value, stderr = _points(members, kelvin, name, who=who)
        known = np.isfinite(value) & (stderr > 0)
        left_out[name] = [f"{t:g} K" for t in kelvin[~known]]
        if len(set(kelvin[known].tolist())) >= FEWEST:
            line = straight_line(beta[known], np.log(value[known]), stderr[known] / value[known])
            columns[:, k] = -line.slope, line.slope_stderr, line.intercept, line.intercept_stderr, line.misfit
    if np.isnan(columns[0]).all():
        without = "; ".join(f"{name} without {', '.join(out)}" for name, out in left_out.items() if out)
        raise NotEnoughData(
            f"{who} needs a diffusing species at {FEWEST} temperatures or more; there are {len(set(kelvin.tolist()))}"
            + (f", and left out as caged or undecided are {without}" if without else "")
            + ": add runs at other temperatures"
        )
    names = ("activation_energy", "activation_energy_stderr", "log_prefactor", "log_prefactor_stderr", "misfit")
    out = schema.dataset(
        {"species": species, **{name: (("species",), column) for name, column in zip(names, columns, strict=True)}}, reduced=is_reduced(members[0])
    )
    return schema.resolved(out, temperatures=kelvin.tolist(), left_out={name: out for name, out in left_out.items() if out})


def _points(members: Sequence[xr.Dataset], kelvin: np.ndarray, name: str, *, who: str) -> tuple[np.ndarray, np.ndarray]:
    """D of one species in each member, with its stderr."""
    found = []
    for one, t in zip(members, kelvin, strict=True):
        one = one if "species" in one.dims else one.expand_dims("species")
        if name not in one["species"].values:
            raise TrajectoryError(f"{who}: the run at {t:g} K has no species {name}; give runs of the same species")
        found.append([float(one[column].sel(species=name)) for column in ("self_diffusivity", "self_diffusivity_stderr")])
    value, stderr = np.array(found).T
    return value, stderr
