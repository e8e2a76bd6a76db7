"""How diffusion answers to what else can be changed between runs: the mass of an ion, and pressure."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import is_reduced, temperature_of, thermal_energy_in_ev
from mdtools.statistics.straight_line import StraightLine, straight_line
from mdtools.units import EV_PER_ANGSTROM3_TO_GPA

__all__ = ["activation_volume", "isotope_exponent"]

SAME = 0.01  # relative difference of temperatures that count as one


@schema.recorded
def isotope_exponent(self_diffusivity: Sequence[xr.Dataset]) -> xr.Dataset:
    """Isotope exponent of diffusion, from runs at one temperature that differ in the mass of a species.

    alpha = -d ln D / d ln m by weighted least squares; 0.5 is the classical value of one ion jumping in a rigid framework.
    What it cannot prove: classical dynamics gives alpha <= 0.5 whenever the framework joins the motion at the saddle, or friction
    is high, so that alpha < 0.5 is no sign of zero-point motion; and no classical run can show the quantum part, which needs
    path-integral trajectories. A value from all ions replaced at once is not the tracer isotope effect.

    Returns by species `isotope_exponent` with _stderr, NaN for a species whose mass is the same in all runs or that has fewer
    than two masses with a value, and `misfit` (NaN for two points).
    Raises NotEnoughData where no species has two masses; TrajectoryError for runs at different temperatures or without masses.
    Source: reference/science.md rows 62 and 63.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> from mdtools.estimates.diffusivity import self_diffusivity
    >>> runs = []
    >>> for mass in (6.0, 7.0, 24.0):
    ...     walk = synthetic.brownian(n_frames=500, diffusivity=mass**-0.5, temperature=600.0, seed=int(mass))
    ...     heavy = walk.replace(step={"step": "masses"}, masses=np.full(walk.n_atoms, mass))
    ...     runs.append(self_diffusivity(msd(heavy, reference="none")))
    >>> found = isotope_exponent(runs).sel(species="A")
    >>> bool(abs(found.isotope_exponent - 0.5) < 3 * found.isotope_exponent_stderr)
    True
    """
    who = "isotope_exponent"
    members = _at_one_temperature(self_diffusivity, who=who)
    if not all("mass" in one for one in members):
        raise TrajectoryError(f"{who} needs the mass of each species in every run: read the trajectories with masses=")

    def mass(one: xr.Dataset, name: str) -> float:
        return float(np.log(one["mass"].sel(species=name)))

    return _answer(
        members, mass, factor=-1.0, name="isotope_exponent", fewest=2, who=who, wants="runs with two masses of a diffusing species or more"
    )


@schema.recorded
def activation_volume(self_diffusivity: Sequence[xr.Dataset]) -> xr.Dataset:
    """Activation volume of diffusion of each species, from runs at one temperature and several stated pressures.

    Delta V = -k_B T (d ln D / dP)_T by weighted least squares, as measured: the jump length and the attempt frequency change with
    pressure too. That of conduction is larger by -k_B T kappa_T (kappa_T the compressibility) if the Haven ratio does not change.
    What it cannot prove: a negative value is not by itself a concerted mechanism, since a softer lattice under pressure gives one too.

    Returns by species `activation_volume` (angstrom^3) with _stderr and `misfit`; NaN for fewer than three pressures with a value.
    Raises NotEnoughData where no species has three pressures; TrajectoryError for runs at different temperatures or without a
    stated pressure.
    Source: reference/science.md row 64.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> from mdtools.estimates.diffusivity import self_diffusivity
    >>> runs = []
    >>> for pressure in (0.0, 2.0, 4.0):
    ...     walk = synthetic.brownian(n_frames=500, diffusivity=float(np.exp(-0.5 * pressure)), temperature=600.0, seed=int(pressure))
    ...     runs.append(self_diffusivity(msd(walk, reference="none")).assign(stated_pressure=pressure))
    >>> found = activation_volume(runs).sel(species="A")  # k_B T 0.5 / GPa = 4.14 angstrom^3
    >>> bool(abs(found.activation_volume - 4.14) < 3 * found.activation_volume_stderr)
    True
    """
    who = "activation_volume"
    members = _at_one_temperature(self_diffusivity, who=who)
    if not all("stated_pressure" in one and np.isfinite(float(one["stated_pressure"])) for one in members):
        raise TrajectoryError(
            f"{who} needs the stated pressure of every run: read them with pressure=... in GPa, or give the series table a column pressure"
        )
    energy = thermal_energy_in_ev(float(temperature_of(members[0], None, who=who)), reduced=is_reduced(members[0]))

    def pressure(one: xr.Dataset, name: str) -> float:
        return float(one["stated_pressure"]) / (1.0 if is_reduced(one) else EV_PER_ANGSTROM3_TO_GPA)

    wants = "a diffusing species at three pressures or more"
    return _answer(members, pressure, factor=-energy, name="activation_volume", fewest=3, who=who, wants=wants)


def _at_one_temperature(given: Sequence[xr.Dataset], *, who: str) -> list[xr.Dataset]:
    members = [one if "species" in one.dims else one.expand_dims("species") for one in given]
    if len(members) < 2:
        raise NotEnoughData(f"{who} needs several runs, and was given {len(members)}")
    kelvin = np.array([temperature_of(one, None, who=who) for one in members])
    if np.ptp(kelvin) > SAME * kelvin.mean():
        raise TrajectoryError(
            f"{who} compares runs at one temperature, and these are at {kelvin.min():g} to {kelvin.max():g} K: give those of one temperature"
        )
    return members


def _answer(
    members: list[xr.Dataset], condition: Callable[[xr.Dataset, str], float], *, factor: float, name: str, fewest: int, who: str, wants: str
) -> xr.Dataset:
    """factor x d ln D / d condition of each species."""
    species = [str(one) for one in members[0]["species"].values]
    table = np.full((3, len(species)), np.nan)
    for k, one in enumerate(species):
        line = _line([(condition(run, one), run.sel(species=one)) for run in members if one in run["species"].values], fewest)
        if line is not None:
            table[:, k] = factor * line.slope, abs(factor) * line.slope_stderr, line.misfit
    if np.isnan(table[0]).all():
        raise NotEnoughData(f"{who} needs {wants}: add such runs")
    rows = zip((name, f"{name}_stderr", "misfit"), table, strict=True)
    return schema.dataset({"species": species, **{word: (("species",), row) for word, row in rows}}, reduced=is_reduced(members[0]))


def _line(runs: Sequence[tuple[float, xr.Dataset]], fewest: int) -> StraightLine | None:
    x, value, stderr = np.array([[x, float(run["self_diffusivity"]), float(run["self_diffusivity_stderr"])] for x, run in runs]).T
    known = np.isfinite(value) & (stderr > 0)
    if len(np.unique(np.round(x[known], 9))) < fewest:
        return None
    return straight_line(x[known], np.log(value[known]), stderr[known] / value[known])
