"""What the phonon density of states says of a crystal: band centres, Debye temperature, diffusion, thermodynamics, fluidity."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.spectral import zero_frequency
from mdtools.statistics.vibrations import THERMODYNAMICS, displacement, fluidity, integral, jackknife, moment
from mdtools.units import BOLTZMANN, KINETIC_TO_EV, PLANCK

__all__ = ["densities_of", "per_atom", "vibrational_moments", "vibrational_thermodynamics"]

FEWEST = 4  # windows, for an error from their spread
EDGE, FOLDED = 0.95, 0.015  # part of the Nyquist limit, and share of the power above it from which lines are taken to be folded back
STILL = 0.1  # of <u^2>, that a species may diffuse within a window
ALL = "all"


@schema.recorded
def vibrational_moments(phonon_dos: xr.Dataset, *, frequency_range: Sequence[float] | None = None) -> xr.Dataset:
    """Band centre, mean square frequency, Debye temperature, diffusivity and fluidity of each species, from its density of states.

    Of g_s(f): band centre int f g df / int g df; <f^2> alike, which for a harmonic crystal is Tr D / (3 N (2 pi)^2) of its dynamical matrix D;
    Debye temperature h sqrt(5/3 <f^2>) / k_B, that of a Debye spectrum with the same <f^2>; D = k_B T g_s(0) / (12 m N_s), g_s(0) by maximum
    likelihood of the lowest ordinates; fluidity f of the two-phase model from Delta = (2 g_s(0) / 9 N_s) (pi k_B T / m)^1/2 (N_s / V)^1/3
    (6 / pi)^2/3: 0 of a solid, 1 of a gas. It is an indicator of a molten sublattice, not thermodynamics: g_s(0) is the lowest ordinate there, which
    where D is NaN depends on the length of the windows. <u^2> = k_B T / (4 pi^2 m N_s) int g / f^2 df, below twice the resolution with the f^2
    law of sound waves; half the plateau of the MSD in a harmonic crystal. NaN for what diffuses by a tenth of it in a window, and for "all".
    Errors: the jackknife over the windows. D is NaN where the spectrum does not level off at zero frequency (a caged
    species), and `undetermined` in the history says why. The row "all" is of all atoms.

    frequency_range : lowest and highest frequency (THz) of the band whose centre is meant; the others are of the whole density.

    Returns `band_centre`, `mean_square_frequency`, `debye_temperature`, `fluidity`, `vibrational_displacement` (sublattice) and
    `dos_diffusivity` (species), with _stderr;
    `modes` (sublattice): the integral over 3 N_s, T_s / T at equipartition. A run in lj units has no Debye temperature.
    Raises NotEnoughData below four windows and for frames too far apart; TrajectoryError for a part of a measurement.
    Source: reference/science.md B6; S.-T. Lin, M. Blanco, W. A. Goddard, J. Chem. Phys. 119, 11792 (2003).

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.phonons import phonon_dos
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=64, n_frames=8000, friction=5.0, mass=20.0, temperature=1000.0, seed=1)
    >>> out = vibrational_moments(phonon_dos(gas))
    >>> exact = 0.831446 * 1000 / (20 * 5)  # k_B T / (m friction)
    >>> bool((abs(out.dos_diffusivity - exact) < 4 * out.dos_diffusivity_stderr).all())
    True
    """
    who = "vibrational_moments"
    density, f, counts = densities_of(phonon_dos, who=who)
    reduced = is_reduced(phonon_dos)
    heat = float(phonon_dos["stated_temperature"]) * (1.0 if reduced else BOLTZMANN / KINETIC_TO_EV)
    mass = np.append(phonon_dos["mass"].values, np.average(phonon_dos["mass"].values, weights=counts[:-1]))
    scale = 2 / (9 * counts) * np.sqrt(np.pi * heat / mass) * (counts / float(phonon_dos["volume"])) ** (1 / 3) * (6 / np.pi) ** (2 / 3)
    band = _band(f, frequency_range, who=who)
    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "band_centre": lambda g: moment(g[..., band], f[band], 1),
        "mean_square_frequency": lambda g: moment(g, f, 2),
        "modes": lambda g: integral(g, f) / (3 * counts),
        "fluidity": lambda g: fluidity(scale * g[..., 0]),
    }
    if not reduced:
        found["debye_temperature"] = lambda g: PLANCK / BOLTZMANN * np.sqrt(5 / 3 * moment(g, f, 2))
    out: dict[str, Any] = {**carried(phonon_dos), **_labels(phonon_dos)}
    for name, function in found.items():
        value, error = jackknife(function, density)
        out |= {name: ("sublattice", value), f"{name}_stderr": ("sublattice", error)}
    value, error, why = _zero_frequency(phonon_dos, density, f, counts)
    factor = heat / (12 * phonon_dos["mass"].values * counts[:-1])
    out |= {"dos_diffusivity": ("species", factor * value), "dos_diffusivity_stderr": ("species", factor * error)}
    lowest = 2 * float(phonon_dos["frequency_resolution"])
    amplitude, amplitude_error = jackknife(lambda g: heat / (mass * counts) * displacement(g, f, lowest), density)
    window = 1.0 / f[1]
    wandered = np.nan_to_num(6 * factor * value * window)
    still = np.append(wandered < STILL * amplitude[:-1], False)  # what diffuses has no <u^2>
    out |= {
        "vibrational_displacement": ("sublattice", np.where(still, amplitude, np.nan)),
        "vibrational_displacement_stderr": ("sublattice", np.where(still, amplitude_error, np.nan)),
    }
    return schema.resolved(schema.dataset(out, reduced=reduced), undetermined=why)


@schema.recorded
def vibrational_thermodynamics(phonon_dos: xr.Dataset, *, temperatures: Sequence[float] | None = None) -> xr.Dataset:
    """Harmonic free energy, energy, entropy and heat capacity of each species, quantum and classical, from its density of states.

    Per atom, as 3 int g w(x) df / int g df with x = h f / k_B T: free energy w = k_B T ln(2 sinh(x / 2)), energy (h f / 2) coth(x / 2),
    entropy (E - F) / T, heat capacity k_B (x / 2)^2 / sinh^2(x / 2); classical: k_B T ln x, k_B T, k_B. The density is scaled to
    3 modes an atom, so that the scatter of the kinetic energy does not count. Modes are those of the temperature of the run: at
    others this is the harmonic approximation, over a series of volumes the quasi-harmonic one. Diffusing ions have no harmonic
    entropy: what lies at zero frequency counts as a mode of half a bin there.
    Errors: the jackknife over the windows.

    temperatures : K; the temperature of the run if not given.

    Returns `vibrational_free_energy`, `vibrational_energy` (eV per atom, with zero-point energy), `vibrational_entropy`,
    `vibrational_heat_capacity` (k_B per atom), and
    `vibrational_free_energy_classical`, `vibrational_entropy_classical`, `quantum_correction` (energy less 3 k_B T, eV per atom), all
    (sublattice, temperature) with _stderr; the row "all" is the mean over all atoms.
    Raises NotEnoughData below four windows and for frames too far apart; TrajectoryError for a run in lj units.
    Source: reference/science.md B6; P. H. Berens et al., J. Chem. Phys. 79, 2375 (1983).

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.phonons import phonon_dos
    >>> solid = synthetic.damped_oscillator(cells=2, n_frames=8000, frequency=3.0, damping=0.5, seed=1)
    >>> out = vibrational_thermodynamics(phonon_dos(solid), temperatures=[1000.0]).sel(sublattice="all", temperature=1000.0)
    >>> round(float(out.vibrational_heat_capacity), 2)  # 3 (1 - x^2 / 12), x = 0.144
    2.99
    """
    who = "vibrational_thermodynamics"
    if is_reduced(phonon_dos):
        raise TrajectoryError(f"{who} needs real units, since Planck's constant has none in lj: read the run with its real units")
    density, f, _ = densities_of(phonon_dos, who=who)
    at = np.atleast_1d(np.asarray(phonon_dos["stated_temperature"] if temperatures is None else temperatures, dtype=np.float64))
    if not np.all(at > 0):
        raise TrajectoryError(f"{who}: temperatures must be above 0 K, and {at.min():g} was given")
    out: dict[str, Any] = {**carried(phonon_dos), **_labels(phonon_dos), "temperature": at}
    units = {"free_energy": BOLTZMANN * at, "energy": BOLTZMANN * at, "free_energy_classical": BOLTZMANN * at}
    for name, weight in THERMODYNAMICS.items():
        curves = np.stack([weight(PLANCK * f / (BOLTZMANN * one)) for one in at])
        value, error = jackknife(functools.partial(per_atom, curves=curves, f=f), density)
        scale = units.get(name, np.ones(len(at)))
        out |= {
            f"vibrational_{name}": (("sublattice", "temperature"), value * scale),
            f"vibrational_{name}_stderr": (("sublattice", "temperature"), error * scale),
        }
    out["quantum_correction"] = (("sublattice", "temperature"), out["vibrational_energy"][1] - 3 * BOLTZMANN * at)
    out["quantum_correction_stderr"] = out["vibrational_energy_stderr"]
    return schema.dataset(out)


def _band(f: np.ndarray, frequency_range: Sequence[float] | None, *, who: str) -> slice:
    if frequency_range is None:
        return slice(None)
    low, high = frequency_range if len(frequency_range) == 2 else (1.0, 0.0)
    first, last = (int(k) for k in np.searchsorted(f, [low, high]))
    if not 0 <= low < high or last - first < 2:
        raise TrajectoryError(
            f"{who}: frequency_range={list(frequency_range)!r} holds no two of the frequencies from 0 to {f[-1]:.3g} THz, {f[1]:.2g} apart: "
            "pass the lowest and the highest of a band (--frequency-range 2,5)"
        )
    return slice(first, last + 1)


def per_atom(g: np.ndarray, *, curves: np.ndarray, f: np.ndarray) -> np.ndarray:
    """(sublattice, temperature) of densities (sublattice, frequency) and weights (temperature, frequency)."""
    return np.asarray(3 * integral(g[:, None] * curves, f) / integral(g, f)[:, None])


def _labels(phonon_dos: xr.Dataset) -> dict[str, Any]:
    names = phonon_dos["species"].values.tolist()
    return {"species": names, "sublattice": [*names, ALL]}


def densities_of(phonon_dos: xr.Dataset, *, who: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Densities (window, species and all, frequency), frequencies, and the number of atoms of each."""
    if "window" not in phonon_dos.dims or "species" not in phonon_dos.dims:
        raise TrajectoryError(f"{who} needs every window and species of the measurement: pass phonon_dos as it was measured")
    if any(step.get("step") == "phonon_dos" and step.get("convention") for step in schema.history(phonon_dos)):
        raise TrajectoryError(f"{who} needs densities normalised by the temperature: measure phonon_dos without convention=")
    n = phonon_dos.sizes["window"]
    if n < FEWEST:
        raise NotEnoughData(
            f"{who} needs {FEWEST} windows for its errors, and this phonon_dos has {n}: measure it with windows={FEWEST} or more (--windows)"
        )
    density = phonon_dos["phonon_dos"].transpose("window", "species", "frequency").values
    _need_resolved(phonon_dos, density.sum(axis=(0, 1)), who=who)
    counts = phonon_dos["n_ions"].values.astype(np.float64)
    return np.concatenate([density, density.sum(axis=1, keepdims=True)], axis=1), phonon_dos["frequency"].values, np.append(counts, counts.sum())


def _need_resolved(phonon_dos: xr.Dataset, density: np.ndarray, *, who: str) -> None:
    """Raise NotEnoughData where frames are too far apart: a spectrum that ends below the Nyquist limit holds next to nothing at it."""
    f, nyquist = phonon_dos["frequency"].values, float(phonon_dos.get("nyquist_frequency", np.inf))
    beyond = f > EDGE * nyquist
    share = float(density[beyond].sum() / density.sum()) if beyond.any() else 0.0
    if share > FOLDED:
        raise NotEnoughData(
            f"{who} needs frames that resolve the vibrations: {100 * share:.2g} % of the power lies in the last twentieth below the Nyquist limit "
            f"({nyquist:.3g}{'' if is_reduced(phonon_dos) else ' THz'}), so lines beyond it are folded back; store frames more often, every "
            f"{0.25 / nyquist:.2g} ps or less (smaller dump interval, NBLOCK or --stride): every 0.02 ps shows vibrations up to 20 THz, every "
            "0.008 ps up to 50 THz"
        )


def _zero_frequency(phonon_dos: xr.Dataset, density: np.ndarray, f: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """g(0) and its error of each species; NaN, and why, where the spectrum does not level off.

    Ordinates closer than the taper resolves are not independent, and every so many is taken. Ions that move together are fewer series
    than 3 N: the error is never below the scatter of the windows.
    """
    apart = max(1, int(np.ceil(float(phonon_dos["frequency_resolution"]) / f[1] - 0.1)))
    value, error, why = np.full((2, len(counts) - 1), np.nan)[0], np.full(len(counts) - 1, np.nan), {}
    for k, name in enumerate(phonon_dos["species"].values.tolist()):
        thinned = density[:, k, ::apart]
        try:
            fit = zero_frequency(f[::apart], thinned.mean(axis=0), series=int(3 * counts[k] * len(density)))
        except NotEnoughData as reason:
            why[name] = str(reason)
            continue
        inside = f[::apart] <= max(fit.cutoff, f[apart])
        scatter = float(thinned[:, inside].mean(axis=1).std(ddof=1) / np.sqrt(len(density)))
        value[k], error[k] = fit.value, max(fit.stderr, scatter)
    return value, error, why
