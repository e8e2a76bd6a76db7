"""Do the numbers of a run agree with each other? Identities, each with its combined error and the likely culprit."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["AGREES", "closure"]

AGREES = 3.0  # |z| up to which two numbers agree
HOLDS = 2.0  # misfit up to which a motion explains the quasielastic line, so that its D can be held against another
KEEPS = 0.5  # share of ions in the cores of their sites from which there are sites at all: a melt has none, and no jumps
ROUNDING = 1e-6  # relative error of sums that must be exact


class _Check(NamedTuple):
    """One identity: two numbers, the standard error of their difference, and what to suspect."""

    words: str
    first: float
    second: float
    error: float
    culprit: str
    windows: int = 0  # from the spread of how many windows the error was taken; 0: from elsewhere

    @property
    def z(self) -> float:
        """Difference over its error, as a normal deviate of the same probability: a spread over few windows is uncertain itself.

        Wallace, Ann. Math. Stat. 30, 1121 (1959): within 0.1 for 3 degrees of freedom and |z| < 4, closer for more.
        """
        t = (self.first - self.second) / self.error if self.error > 0 else 0.0
        freedom = self.windows - 1
        if freedom < 1:
            return t
        return math.copysign((8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t**2 / freedom)), t)


def closure(made: Mapping[str, xr.Dataset]) -> xr.Dataset | None:
    """The identities that the results of one run allow (`check`), each with `z_score` and `culprit`; None without any.

    Errors come from the spread over windows and from the estimates' own errors; sums of parts must agree to rounding.
    """
    checks = [check for test in _TESTS for check in test(made) if np.isfinite([check.first, check.second, check.error]).all()]
    if not checks:
        return None
    z = [check.z for check in checks]
    return schema.dataset(
        {
            "check": np.array([c.words for c in checks]),
            "first": ("check", np.array([c.first for c in checks])),
            "second": ("check", np.array([c.second for c in checks])),
            "difference_stderr": ("check", np.array([c.error for c in checks])),
            "z_score": ("check", np.array(z)),
            "culprit": ("check", np.array([c.culprit if abs(score) > AGREES else "" for c, score in zip(checks, z, strict=True)])),
        }
    )


def _over_windows(one: xr.DataArray) -> tuple[float, float]:
    """Mean over windows and its standard error; the error is NaN for one window."""
    values = np.atleast_1d(one.values)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def _dos_integral(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "phonon_dos" in made:
        dos = made["phonon_dos"]
        value, error = _over_windows(dos.phonon_dos.sum("species").integrate("frequency"))
        culprit = "stated temperature is not that of the run, velocities in other units, or frames too far apart"
        free = 3.0 * int(dos.n_atoms)
        # a run that keeps its momentum (NVE, Nose-Hoover) has no drift; one with a Langevin thermostat, or a part of a run, has
        words, expected = min((("3N - 3", free - 3), ("3N", free)), key=lambda one: abs(value - one[1]))
        yield _Check(f"integral of the DOS = {words}", value, expected, error, culprit, dos.sizes["window"])


def _kinetic(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "phonon_dos" in made:
        dos = made["phonon_dos"]
        for name in dos.species.values:
            value, error = _over_windows(dos.kinetic_temperature.sel(species=name))
            culprit = "stated temperature, the masses, or a thermostat that heats one species"
            yield _Check(f"kinetic = stated temperature, {name} (K)", value, float(dos.stated_temperature), error, culprit, dos.sizes["window"])


def _second_moment(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "van_hove_self" in made and "msd" in made:
        hove, direct = made["van_hove_self"], made["msd"]
        for name in hove.species.values:
            lag = float(hove.lag[hove.sizes["lag"] // 2])
            width = float(hove.r[1] - hove.r[0])
            moment = (hove.van_hove_self.sel(species=name, lag=lag) * hove.r**2).sum("r") * width
            value, error = _over_windows(moment)
            other, other_error = _over_windows(direct.msd.sel(species=name).sel(lag=lag, method="nearest"))
            culprit = "unlike reference, r_max, or unwrapping"
            unit, after = direct.msd.attrs["units"], f"{lag:.3g} {direct.lag.attrs['units']}".removesuffix(" 1")
            # both use the same ions: windows make them differ, and so does the width of the bins
            together = float(np.hypot(np.nan_to_num(error), np.nan_to_num(other_error))) + width**2 / 12
            yield _Check(f"second moment of van Hove self = MSD at {after}, {name} ({unit})", value, other, together, culprit, hove.sizes["window"])


def _late(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    """Both are of one run: the error is that of the difference."""
    if "self_diffusivity" in made and "late_z_score" in made["self_diffusivity"]:
        estimate = made["self_diffusivity"]
        unit = estimate.self_diffusivity.attrs.get("units", "")
        for name in map(str, estimate.species.values):
            one = estimate.sel(species=name)
            first, second, z = (float(one[which]) for which in ("self_diffusivity_late", "self_diffusivity", "late_z_score"))
            if z:
                culprit = "a transient (motion within cages, jumps back) nearly as long as the lags: D is that of the shorter ones"
                yield _Check(f"D of the longer half of the lags = D, {name} ({unit})", first, second, abs((first - second) / z), culprit)


def _quasielastic(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "quasielastic_width" in made and "self_diffusivity" in made:
        line, estimate = made["quasielastic_width"], made["self_diffusivity"]
        for name, first, second in _of_both(line, estimate):
            if float(first.motion_misfit.sel(motion_model=first.motion.item())) > HOLDS:
                continue
            error = float(np.hypot(first.quasielastic_diffusivity_stderr, second.self_diffusivity_stderr))
            culprit = "windows too short for the narrow lines at small q, or jumps that are neither continuous nor of one length"
            unit = line.quasielastic_diffusivity.attrs.get("units", "")
            words = f"D from the quasielastic line = D from the MSD, {name} ({unit})"
            yield _Check(words, float(first.quasielastic_diffusivity), float(second.self_diffusivity), error, culprit)


def _of_both(first: xr.Dataset, second: xr.Dataset) -> Iterator[tuple[str, xr.Dataset, xr.Dataset]]:
    """Every species that two results have, with what each says of it."""
    for name in map(str, first.species.values):
        if name in second.species.values:
            yield name, first.sel(species=name), second.sel(species=name)


def _jumps(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "jump_diffusivity" in made and "self_diffusivity" in made:
        counted, estimate = made["jump_diffusivity"], made["self_diffusivity"]
        unit = counted.jump_diffusivity.attrs.get("units", "")
        for name, first, second in _of_both(counted, estimate):
            if float(first.core_fraction) < KEEPS:
                continue
            error = float(np.hypot(first.jump_diffusivity_stderr, second.self_diffusivity_stderr))
            culprit = "sites that are not those of the ions, frames too far apart for single jumps, or drift of the framework"
            words = f"D from jumps between sites = D from the MSD, {name} ({unit})"
            yield _Check(words, float(first.jump_diffusivity), float(second.self_diffusivity), error, culprit)


def _velocity_integral(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    """D = 1/3 int <v(0) . v(t)> dt up to the longest lag: only where that is long against what is left of the correlation."""
    if "velocity_acf" in made and "self_diffusivity" in made:
        data, estimate = made["velocity_acf"], made["self_diffusivity"]
        unit = estimate.self_diffusivity.attrs.get("units", "")
        for name in data.species.values:
            if name not in estimate.species.values:
                continue
            one = data.velocity_acf.sel(species=name)
            value, error = _over_windows(one.integrate("lag") / 3)
            other = estimate.sel(species=name)
            both = float(np.hypot(error, other.self_diffusivity_stderr))
            culprit = "longest lag of the velocity correlation too short, frames too far apart, or velocities in other units"
            words = f"D from the VACF = D from the MSD, {name} ({unit})"
            yield _Check(words, value, float(other.self_diffusivity), both, culprit, data.sizes["window"])


def _susceptibility(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    """Stiffness of a mode by its spectrum against its mean square: both of one run, so that their common noise drops out of neither."""
    if "mode_frequencies" in made:
        data = made["mode_frequencies"]
        for k, mode in enumerate(np.atleast_1d(data.mode.values)):
            one = data.isel(mode=k)
            fit, direct = float(one.static_susceptibility), float(one.static_susceptibility_direct)
            error = max(float(one.get("static_susceptibility_stderr", np.nan)), float(one.static_susceptibility_direct_stderr))
            culprit = "a spectrum cut off below the mode or above its central peak, or drift of the mode coordinate"
            yield _Check(
                f"susceptibility of mode {mode}: spectrum = mean square ({data.static_susceptibility.attrs['units']})", fit, direct, error, culprit
            )


def _thermal_displacement(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    """<u^2> by the Debye-Waller line, about the site, against half the plateau of the MSD; only where nothing leaves its site."""
    if "debye_waller" in made and "detect_melting" in made:
        line, verdict = made["debye_waller"], made["detect_melting"]
        for name in line.species.values:
            if name not in verdict.species.values or verdict.verdict.sel(species=name) != "localised" or "melting_indicators" not in made:
                continue
            distance = float(made["melting_indicators"].neighbour_distance.sel(species=name))
            at = {"species": name, "indicator": "lindemann"}
            ratio, spread = float(verdict.evidence.sel(**at)), float(verdict.evidence_stderr.sel(**at))
            value, error = (ratio * distance) ** 2, 2 * ratio * spread * distance**2
            one = line.sel(species=name)
            both = float(np.hypot(error, one.thermal_displacement_stderr)) + 0.03 * value  # the plateau is read to a few per cent
            culprit = "unlike reference, sites at the wrong places, or ions that hop"
            words = f"<u^2> from the Debye-Waller line = half the plateau of the MSD, {name} (angstrom^2)"
            yield _Check(words, float(one.thermal_displacement), value, both, culprit)


def _zero_frequency(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "phonon_dos" in made and "self_diffusivity" in made:
        dos, estimate = made["phonon_dos"], made["self_diffusivity"]
        if dos.attrs.get("unit_system") == "lj":
            return
        for name in dos.species.values:
            if name not in estimate.species.values or not np.isfinite(estimate.self_diffusivity.sel(species=name)):
                continue
            one = dos.sel(species=name)
            mobility = BOLTZMANN * float(dos.stated_temperature) / (12 * float(one.mass) * float(one.n_ions) * KINETIC_TO_EV)
            value, error = _over_windows(one.phonon_dos.isel(frequency=0) * mobility)
            other, other_error = float(estimate.self_diffusivity.sel(species=name)), float(estimate.self_diffusivity_stderr.sel(species=name))
            culprit = "windows of the DOS too short for the slow part of the motion, or the MSD not yet diffusive"
            yield _Check(
                f"D from DOS(0) = D from the MSD, {name} (angstrom^2/ps)",
                value,
                other,
                float(np.hypot(error, other_error)),
                culprit,
                dos.sizes["window"],
            )


def _routes(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "ionic_conductivity" in made:
        data = made["ionic_conductivity"]
        names = [f"ionic_conductivity_{route}" for route in ("einstein_helfand", "green_kubo")]
        if all(name in data and data[name].ndim == 0 for name in names):
            first, second = (float(data[name]) for name in names)
            error = math.hypot(*(float(data[f"{name}_stderr"]) for name in names))
            if np.isfinite(apart := float(data.get("routes_difference", np.nan))) and apart:
                error = (first - second) / apart  # both are of one run, and what they have in common is known
            culprit = "frames too far apart for the current, or the run too short for one of the routes"
            yield _Check(f"Einstein-Helfand = Green-Kubo ({data[names[0]].attrs['units']})", first, second, error, culprit)


def _partial_sums(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    for name, dim in (("charge_displacement_msd", "lag"), ("charge_current_acf", "lag")):
        if name in made:
            data = made[name].mean("window")
            at = 1 if name == "charge_displacement_msd" else 0
            total, parts = data[name].isel({dim: at}), data[f"{name}_by_pair"].isel({dim: at})
            scale = ROUNDING * float(np.abs(parts).sum())
            yield _Check(
                f"sum of the pairs = {name.replace('_', ' ')} ({made[name][name].attrs['units']})", float(parts.sum()), float(total), scale, "a bug"
            )


def _sum_rule(made: Mapping[str, xr.Dataset]) -> Iterator[_Check]:
    if "charge_current_acf" in made and "charge_current_sum_rule" in made["charge_current_acf"]:
        data = made["charge_current_acf"]
        value, error = _over_windows(data.charge_current_acf.isel(lag=0))
        culprit = "stated temperature, masses, or the frame of reference"
        yield _Check(
            f"<J^2> = sum rule ({data.charge_current_acf.attrs['units']})",
            value,
            float(data.charge_current_sum_rule),
            error,
            culprit,
            data.sizes["window"],
        )


_TESTS: tuple[Callable[[Mapping[str, Any]], Iterator[_Check]], ...] = (
    _dos_integral,
    _kinetic,
    _second_moment,
    _late,
    _zero_frequency,
    _quasielastic,
    _jumps,
    _velocity_integral,
    _thermal_displacement,
    _susceptibility,
    _routes,
    _sum_rule,
    _partial_sums,
)
