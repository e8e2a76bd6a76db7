"""What volume does to vibrations, and they to it: quasi-harmonic thermodynamics, and the Grueneisen parameters of single modes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import is_reduced
from mdtools.estimates.phonons import densities_of, per_atom, vibrational_moments
from mdtools.statistics.interval import lengthened
from mdtools.statistics.quasi_harmonic import Thermal, VolumeFit, equilibrium
from mdtools.statistics.straight_line import straight_line
from mdtools.statistics.vibrations import THERMODYNAMICS
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA, PLANCK

__all__ = ["mode_grueneisen", "quasi_harmonic_thermodynamics"]

SAME = 1e-3  # relative difference of temperatures that are one
APART = 1e-4  # of volumes that are two
STEPS = 25  # temperatures, where none are asked for
Table = dict[str, np.ndarray]


@schema.recorded
def quasi_harmonic_thermodynamics(
    phonon_dos: Sequence[xr.Dataset],
    *,
    static_energy: Sequence[float] | None = None,
    temperatures: Sequence[float] | None = None,
    pressure: float = 0.0,
    order: int = 3,
    vibrational_order: int = 2,
    classical: bool = False,
) -> xr.Dataset:
    """Equilibrium volume, thermal expansion, bulk modulus, Grueneisen parameter and heat capacities, from densities of states at several volumes.

    Per atom F(v, T) = E_0(v) + F_vib(v, T), F_vib = 3 k_B T int g_v ln(2 sinh(h f / 2 k_B T)) df / int g_v df (`vibrational_thermodynamics`).
    -dF/dv = pressure gives v(T), B_T = v d^2F/dv^2, alpha = (dS/dv)_T / 3 B_T (linear), gamma = 3 alpha B_T v / C_V, C_P = C_V + 9 alpha^2 B_T v T.
    E_0 is a polynomial in v^(-2/3) of `order`, F_vib, S and C_V are of `vibrational_order`: 3 is the equation of Birch and Murnaghan, 2 the same with
    B' = 4. Temperature acts through the volume alone: runs are at one temperature, at which modes were measured, and what they shift at one volume
    is left out.
    Errors: the jackknife over the windows of every run, times the root of chi^2 per degree of freedom where the polynomial goes through the runs
    worse; and the errors of E_0, of the windows (0 where it is given), or the scatter of all about their polynomial where that is more. The whole
    is lengthened so that 1.96 of it are the 95 % interval of Student's t, of nu = (sum_i s_i^2)^2 / sum_i (s_i^4 / nu_i) degrees of freedom
    (F. E. Satterthwaite, Biometrics Bull. 2, 110 (1946)): what the windows of a run tell has one less than it has windows, and the scatter, which
    is one number of all runs, has runs - order - 1 (five runs, order 3, given energies: one, 6.5 times as long; four runs: no scatter, no error).

    static_energy : E_0 of each run, eV per atom, in their order, of the crystal at rest. If not given it is the mean potential energy of the log
        less that of harmonic modes, which is the kinetic energy, window by window (so that their common scatter drops out): what is anharmonic at the
        temperature of the runs counts as static.
    temperatures : K; 25 up to that of the runs if not given. pressure : GPa. order, vibrational_order : one volume more than these is needed.
    classical : F_vib = 3 k_B T int g ln(h f / k_B T) df, with which the classical run itself is compared.

    Returns by temperature `equilibrium_volume` (angstrom^3 per atom), `thermal_expansion`, `bulk_modulus`, `bulk_modulus_adiabatic`,
    `thermal_grueneisen_parameter`, `vibrational_heat_capacity` (at constant volume), `heat_capacity` (at constant pressure), `gibbs_energy`
    (eV per atom); by run `volume_per_atom`, `static_energy` and `free_energy` (run, temperature), all but the volumes with _stderr. NaN where the
    volume lies outside those of the runs, and the history says where (`outside`).
    Raises NotEnoughData (too few volumes, windows, or none that holds the volume of equilibrium); TrajectoryError for runs at several temperatures or
    of several compositions, without static energies, with a species that diffuses, in lj units.
    Source: reference/science.md B6; F. Birch, Phys. Rev. 71, 809 (1947); A. Togo, I. Tanaka, Scr. Mater. 108, 1 (2015).

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.phonons import phonon_dos
    >>> runs, energies = [], []
    >>> for k, x in enumerate((0.96, 0.98, 1.0, 1.02, 1.04)):  # v / v_0: f = 3 THz x^-2, E_0 = (x^(-2/3) - 1)^2 8 eV
    ...     options = {"cells": 2, "frequency": 3.0 * x**-2, "damping": 0.3, "lattice_parameter": 5 * x ** (1 / 3), "seed": k}
    ...     runs.append(phonon_dos(synthetic.damped_oscillator(**options)))
    ...     energies.append(8 * (x ** (-2 / 3) - 1) ** 2)
    >>> found = quasi_harmonic_thermodynamics(runs, static_energy=energies, temperatures=[300.0]).isel(temperature=0)
    >>> bool(abs(found.thermal_grueneisen_parameter - 2) < 4 * found.thermal_grueneisen_parameter_stderr)
    True
    """
    who = "quasi_harmonic_thermodynamics"
    runs = list(phonon_dos)
    if not 2 <= order <= 6 or not 1 <= vibrational_order <= 6:
        raise ValueError(f"order={order} and vibrational_order={vibrational_order}: orders are 2 to 6, and of vibrations 1 to 6")
    kelvin = _need_one_crystal(runs, max(order, vibrational_order) + 1, who=who)
    atoms = np.array([float(one["n_atoms"]) for one in runs])
    volume = np.array([float(one["volume"]) for one in runs]) / atoms
    at = np.linspace(kelvin / STEPS, kelvin, STEPS) if temperatures is None else np.atleast_1d(np.asarray(temperatures, dtype=np.float64))
    if not np.all(at > 0):
        raise TrajectoryError(f"{who}: temperatures must be above 0 K, and {at.min():g} was given")
    static, static_error = _static(runs, static_energy, atoms, who=who)
    _need_crystals(runs, who=who)
    fits = VolumeFit(volume, order), VolumeFit(volume, vibrational_order)
    scatter = np.sqrt(fits[0].scatter(static))
    scattered = static_error < scatter  # whose error the misfit of all tells, and not the windows
    static_error = np.where(scattered, scatter, static_error)
    samples, owner = _vibrations(runs, at, classical=classical, who=who)
    made = _evaluated(static, static_error, samples, owner, fits, at, pressure / EV_PER_ANGSTROM3_TO_GPA)
    value = {name: rows[0] for name, rows in made.items()}
    if not np.isfinite(value["equilibrium_volume"]).any():
        raise NotEnoughData(
            f"{who}: the volume at {pressure:g} GPa lies outside those of the runs, {volume.min():.5g} to {volume.max():.5g} angstrom^3 per atom, "
            "at all temperatures: add runs at smaller or larger volumes"
        )
    whole, of_window = samples["free_energy"][0], np.array([_spread(samples["free_energy"][1:, run][owner == run]) for run in range(len(runs))])
    worse = np.maximum(1.0, fits[1].scatter(whole) / np.maximum(of_window.mean(axis=0), 1e-300))  # chi^2 per degree of freedom
    windows, still = slice(1, 1 + len(owner)), slice(1 + len(owner), None)
    by_few = np.bincount(owner, minlength=len(runs)) - 1  # degrees of freedom of the errors of a run, which a few windows tell
    of_scatter = max(len(runs) - order - 1, 1)
    of_static = np.where(scattered, of_scatter, by_few)

    def error(rows: np.ndarray) -> np.ndarray:
        by_windows = np.array([worse * _spread(rows[windows][owner == run]) for run in range(len(runs))])
        by_static = np.square(rows[still] - rows[0])
        pooled = by_static[scattered].sum(axis=0, keepdims=True)  # of one number, not of one for each run
        return _together([by_windows, by_static[~scattered], pooled], [by_few, by_few[~scattered], np.array([of_scatter])])

    both = np.stack([np.broadcast_to(static_error[:, None] ** 2, whole.shape), of_window], axis=1)
    of_run = ((list(one[:, None]), [each[None] for each in dof]) for one, dof in zip(both, np.stack([of_static, by_few], axis=1), strict=True))
    out: dict[str, Any] = {
        "temperature": at,
        "run": np.arange(len(runs)),
        "stated_temperature": kelvin,
        "volume_per_atom": ("run", volume),
        "static_energy": ("run", static),
        "static_energy_stderr": ("run", static_error * lengthened(of_static)),
        "free_energy": (("run", "temperature"), static[:, None] + whole),
        "free_energy_stderr": (("run", "temperature"), np.stack([_together(*one) for one in of_run])),
    }
    for name, values in value.items():
        out |= {name: ("temperature", values), f"{name}_stderr": ("temperature", error(made[name]))}
    outside = at[~np.isfinite(value["equilibrium_volume"])]
    taken = "given" if static_energy is not None else f"mean potential energy of the logs less the kinetic energy, at {kelvin:g} K"
    return schema.resolved(schema.dataset(out), static_energy_from=taken, **({"outside": outside.tolist()} if len(outside) else {}))


@schema.recorded
def mode_grueneisen(mode_frequencies: Sequence[xr.Dataset]) -> xr.Dataset:
    """Grueneisen parameter of each mode, -d ln f_0 / d ln V, from runs at one temperature and several volumes.

    By weighted least squares of ln f_0; the static stiffness goes as f_0^2, also where the mode is overdamped. A mode that thermal expansion alone
    shifts has the change of ln f_0 between temperatures that this parameter and the change of ln V make.

    Returns by mode `mode_grueneisen_parameter` with _stderr (times the root of chi^2 per degree of freedom where no line fits) and `misfit`, NaN for
    fewer than two volumes at which the mode is resolved; labels `q_reduced`, `band`.
    Raises NotEnoughData where no mode has two volumes; TrajectoryError for runs at several temperatures, or of different modes.

    >>> import ase
    >>> from mdtools import synthetic
    >>> from mdtools.analyses.lattice_modes import mode_spectra
    >>> from mdtools.estimates.modes import mode_frequencies
    >>> runs = []
    >>> for k, x in enumerate((0.96, 1.0, 1.04)):  # f = 3 THz x^-2
    ...     run = synthetic.damped_oscillator(cells=2, n_frames=4096, frequency=3 * x**-2, damping=0.5, lattice_parameter=5 * x ** (1 / 3), seed=k)
    ...     atom = ase.Atoms("X", cell=run.mean_cell / 2, pbc=True)
    ...     options = {"q": [0.5, 0.5, 0.5], "pattern": {"X": "1 0 0"}, "windows": 1}
    ...     runs.append(mode_frequencies(mode_spectra(run.relabel({"X": range(8)}), primitive=atom, **options)))
    >>> found = mode_grueneisen(runs).isel(mode=0)
    >>> bool(abs(found.mode_grueneisen_parameter - 2) < 4 * found.mode_grueneisen_parameter_stderr)
    True
    """
    who = "mode_grueneisen"
    runs = [one if "mode" in one.dims else one.expand_dims("mode") for one in mode_frequencies]
    _need_one_temperature(runs, who=who)
    first = runs[0]
    for one in runs[1:]:
        if one["q_reduced"].shape != first["q_reduced"].shape or not np.allclose(one["q_reduced"], first["q_reduced"], atol=1e-6):
            raise TrajectoryError(f"{who}: the runs are of different modes; measure mode_spectra of all with one q= and band= (--q, --band)")
        if not np.array_equal(one["band"], first["band"]):
            raise TrajectoryError(f"{who}: the runs are of different bands; measure mode_spectra of all with one q= and band= (--q, --band)")
    log_volume = np.log([float(one["volume"]) / float(one["n_atoms"]) for one in runs])
    value, error = (np.stack([one[name].values for one in runs]) for name in ("mode_frequency", "mode_frequency_stderr"))
    table = np.full((3, value.shape[1]), np.nan)
    for k in range(value.shape[1]):
        known = np.isfinite(value[:, k]) & (error[:, k] > 0)
        if len(_volumes(log_volume[known])) >= 2:
            line = straight_line(log_volume[known], np.log(value[known, k]), error[known, k] / value[known, k])
            table[:, k] = -line.slope, line.slope_stderr, line.misfit
    if np.isnan(table[0]).all():
        raise NotEnoughData(f"{who} needs a mode that is resolved at two volumes or more: add runs at other volumes")
    out: dict[str, Any] = {
        **{name: (first[name].dims, first[name].values) for name in ("q_reduced", "band", "harmonic_frequency") if name in first},
        "reciprocal": first["reciprocal"].values,
        "mode": np.arange(value.shape[1]),
        "stated_temperature": float(first["stated_temperature"]),
    }
    names = ("mode_grueneisen_parameter", "mode_grueneisen_parameter_stderr", "misfit")
    return schema.dataset(out | {name: ("mode", row) for name, row in zip(names, table, strict=True)}, reduced=is_reduced(first))


def _need_one_temperature(runs: list[xr.Dataset], *, who: str) -> float:
    """K."""
    if not runs:
        raise NotEnoughData(f"{who} needs runs at several volumes, and was given none")
    kelvin = np.array([float(one["stated_temperature"]) for one in runs])
    if not np.ptp(kelvin) <= SAME * kelvin.mean():
        raise TrajectoryError(
            f"{who} needs runs at one temperature that differ in volume, and these are at {kelvin.min():g} to {kelvin.max():g} K: give those of one"
        )
    return float(kelvin.mean())


def _need_one_crystal(runs: list[xr.Dataset], fewest: int, *, who: str) -> float:
    """The temperature of runs of one composition at `fewest` volumes or more."""
    kelvin = _need_one_temperature(runs, who=who)
    if any(is_reduced(one) for one in runs):
        raise TrajectoryError(f"{who} needs real units, since Planck's constant has none in lj: read the runs with their real units")
    shares = [dict(zip(one["species"].values.tolist(), (one["n_ions"] / one["n_atoms"]).values.round(6).tolist(), strict=True)) for one in runs]
    if any(one != shares[0] for one in shares):
        raise TrajectoryError(
            f"{who} needs runs of one composition, and these differ: {shares[0]} and {next(one for one in shares if one != shares[0])}"
        )
    found = _volumes(np.log([float(one["volume"]) / float(one["n_atoms"]) for one in runs]))
    if len(found) < fewest:
        raise NotEnoughData(
            f"{who} with these orders needs {fewest} volumes, and the runs have {len(found)}: add runs at other volumes"
            + (", or pass order=2 (--order 2: B' = 4), which needs 3" if len(found) == 3 else "")
        )
    return kelvin


def _volumes(log_volume: np.ndarray) -> list[float]:
    """Those that are apart."""
    out: list[float] = []
    for one in np.sort(log_volume):
        if not out or one - out[-1] > APART:
            out.append(float(one))
    return out


def _need_crystals(runs: list[xr.Dataset], *, who: str) -> None:
    for one in runs:
        moments = vibrational_moments(one)
        moving = [name for name in moments["species"].values.tolist() if np.isnan(float(moments["vibrational_displacement"].sel(sublattice=name)))]
        if moving:
            raise TrajectoryError(
                f"{who}: {', '.join(moving)} diffuses at {float(one['volume']):.6g} angstrom^3, and what diffuses has no harmonic free energy: "
                "give runs of the solid, at a lower temperature"
            )


def _static(runs: list[xr.Dataset], given: Sequence[float] | None, atoms: np.ndarray, *, who: str) -> tuple[np.ndarray, np.ndarray]:
    """E_0 of each run and its error, eV per atom."""
    if given is not None:
        energy = np.asarray(given, dtype=np.float64)
        if energy.shape != (len(runs),) or not np.isfinite(energy).all():
            raise ValueError(f"static_energy= takes one energy in eV per atom for each of the {len(runs)} runs, in their order")
        return energy, np.zeros(len(runs))
    if not all("potential_energy_by_window" in one for one in runs):
        raise TrajectoryError(
            f"{who} needs the energy of the crystal at rest at every volume: pass static_energy=[...] in eV per atom, in the order of the runs "
            "(--static-energy), or read the runs with their log (log=, --log), whose potential energy is taken"
        )
    energy, error = np.zeros(len(runs)), np.zeros(len(runs))
    for k, one in enumerate(runs):
        kinetic = 1.5 * BOLTZMANN * (one["n_ions"] * one["kinetic_temperature"]).sum("species").values
        each = (one["potential_energy_by_window"].values - kinetic) / atoms[k]
        energy[k], error[k] = each.mean(), each.std(ddof=1) / np.sqrt(len(each))
    return energy, error


def _vibrations(runs: list[xr.Dataset], at: np.ndarray, *, classical: bool, who: str) -> tuple[Table, np.ndarray]:
    """(sample, run, temperature) of free energy (eV), entropy and heat capacity (k_B) per atom, and the run (sample,) of which a window is left out.

    The first sample is of all windows, and has no such run.
    """
    names = ("free_energy", "entropy", "heat_capacity")
    made = []
    for one in runs:
        density, f, _ = densities_of(one, who=who)
        total = density[:, -1]
        left = np.stack([total.mean(axis=0), *((total.sum(axis=0) - window) / (len(total) - 1) for window in total)])
        made.append({name: _of_densities(left, f, at, name, classical=classical) for name in names})
        made[-1]["free_energy"] *= BOLTZMANN * at
    owner = np.repeat(np.arange(len(runs)), [len(one["entropy"]) - 1 for one in made])
    samples = {name: np.tile(np.stack([one[name][0] for one in made]), (1 + len(owner), 1, 1)) for name in names}
    for run, table in enumerate(made):
        for name in names:
            samples[name][1 + np.flatnonzero(owner == run), run] = table[name][1:]
    return samples, owner


def _evaluated(
    static: np.ndarray, error: np.ndarray, samples: Table, owner: np.ndarray, fits: tuple[VolumeFit, VolumeFit], at: np.ndarray, pressure: float
) -> Table:
    """Numbers (sample, temperature): of everything, with a window of one run left out, and with the static energy of one run off by its error."""
    n_runs = len(static)
    energies = np.concatenate([np.tile(static, (1 + len(owner), 1)), static + np.diag(error)])
    columns = {name: np.concatenate([rows, np.tile(rows[:1], (n_runs, 1, 1))]) for name, rows in samples.items()}
    flat = {name: rows.transpose(1, 0, 2).reshape(n_runs, -1) for name, rows in columns.items()}
    still = np.repeat(energies.T, len(at), axis=1)
    found = equilibrium(still, flat["free_energy"], BOLTZMANN * flat["entropy"], flat["heat_capacity"], fits, pressure=pressure)
    return {name: values.reshape(-1, len(at)) for name, values in _numbers(found, np.tile(at, len(energies))).items()}


def _of_densities(density: np.ndarray, f: np.ndarray, at: np.ndarray, name: str, *, classical: bool) -> np.ndarray:
    """(density, temperature)."""
    if classical and name == "heat_capacity":
        return np.full((len(density), len(at)), 3.0)
    weight = THERMODYNAMICS[f"{name}_classical" if classical else name]
    return per_atom(density, curves=np.stack([weight(PLANCK * f / (BOLTZMANN * one)) for one in at]), f=f)


def _spread(left: np.ndarray) -> np.ndarray:
    """The jackknife's variance of values (left-out window, ...)."""
    return np.asarray((len(left) - 1) / len(left) * np.sum(np.square(left - left.mean(axis=0)), axis=0))


def _together(parts: list[np.ndarray], freedom: list[np.ndarray]) -> np.ndarray:
    """Standard error (temperature,) of the sum of variances (part, temperature) with so many degrees of freedom (part,) each, so that 1.96 of it are
    the 95 % interval: (sum s^2)^2 / sum (s^4 / nu) are those of the sum (Satterthwaite). 0 where nothing varies.
    """
    variance, each = np.concatenate(parts), np.concatenate(freedom)[:, None]
    total = variance.sum(axis=0)
    dof = np.square(total) / np.maximum(np.sum(np.square(variance) / each, axis=0), 1e-300)
    return np.where(total == 0, 0.0, np.sqrt(total) * lengthened(dof))


def _numbers(found: Thermal, at: np.ndarray) -> Table:
    """Under the names of the vocabulary, in its units."""
    rise = found.expansion * found.modulus * found.volume / BOLTZMANN  # v (dS/dv)_T, k_B per atom
    grueneisen = rise / found.heat
    return {
        "equilibrium_volume": found.volume,
        "gibbs_energy": found.gibbs,
        "thermal_expansion": found.expansion / 3,
        "bulk_modulus": found.modulus * EV_PER_ANGSTROM3_TO_GPA,
        "bulk_modulus_adiabatic": found.modulus * EV_PER_ANGSTROM3_TO_GPA * (1 + found.expansion * grueneisen * at),
        "thermal_grueneisen_parameter": grueneisen,
        "vibrational_heat_capacity": found.heat,
        "heat_capacity": found.heat + found.expansion * rise * at,
    }
