"""Conductivity against frequency, and the infrared absorption that goes with it."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, frame_of_reference, is_reduced, temperature_of, thermal_energy_in_ev
from mdtools.statistics.bands import Bands, banded
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV, SIEMENS_PER_M_TO_ABSORPTION

__all__ = ["Folded", "averaged_over", "folded", "ionic_conductivity_spectrum", "of_current"]

SHAPE = 100  # ordinates of all series in a band by default: 10 % error


@schema.recorded
def ionic_conductivity_spectrum(charge_current_acf: xr.Dataset, *, resolution: float | None = None, temperature: float | None = None) -> xr.Dataset:
    """Conductivity sigma(f) with the errors of the Gamma law, its sum rule, and the infrared absorption.

    Re sigma(f) = S(f) / (6 V k_B T), S the two-sided spectrum of the charge current: means over bands of ordinates. Nothing
    is told below one over the length of a window; the limit at f = 0 is `ionic_conductivity`.

    resolution : width of a band in THz; by default such that each has an error of 10 %. temperature : K, where the run does not state it.
    Of currents made of positions sigma is that of the current averaged over a frame interval, divided by [sin(pi f dt) / (pi f dt)]^2; it is given
    up to a quarter of the frame frequency, and without a sum rule. What is faster than the frames is folded into it, (f dt)^2 / (1 - f dt)^2 of
    its density: bands end where that, of the power that <J^2> should have and the spectrum lacks, spread evenly, is more than their error.

    Returns `ionic_conductivity_spectrum` (frequency) in S/m with _stderr, _lower, _upper (95 %); `frequency_resolution` (the bands);
    `conductivity_sum` with _stderr: int_0^inf Re sigma dw over (pi / 2) sum_i q_i^2 / (m_i V), 1 in classical mechanics where the
    frames resolve the vibrations and the run is at its temperature; `infrared_absorption` (1/cm) = alpha(f) n(f) = sigma / (epsilon_0 c), n the
    refractive index. This is the classical spectrum and that with the harmonic quantum correction at once: the factors
    hbar w / (k_B T (1 - exp(-hbar w / k_B T))) and (1 - exp(-hbar w / k_B T)) cancel but for hbar w / k_B T.
    Raises TrajectoryError (no temperature, lj units), NotEnoughData for a resolution finer than one over the length of a window.
    Source: reference/science.md A1 row 15, B3.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_current_acf
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=8000, seed=1)
    >>> spectrum = ionic_conductivity_spectrum(charge_current_acf(gas, reference="none"))
    >>> bool(abs(spectrum.conductivity_sum - 1) < 3 * spectrum.conductivity_sum_stderr)
    True
    """
    who = "ionic_conductivity_spectrum"
    if is_reduced(charge_current_acf):
        raise TrajectoryError(f"{who} is in S/m, and this run is in lj units: use charge_current_periodogram, or read the run with its real units")
    kelvin = temperature_of(charge_current_acf, temperature, who=who)
    factor = of_current(charge_current_acf, kelvin)
    f = charge_current_acf["frequency"].values
    power = charge_current_acf["charge_current_periodogram"].transpose("window", "frequency").values
    series = 3 * len(power)
    step = float(f[1])
    if resolution is not None and not resolution >= step * (1 - 1e-9):
        raise NotEnoughData(
            f"{who}: a window of {1 / step:.4g} ps resolves {step:.3g} THz and not {resolution:g}: give longer windows, or a wider resolution"
        )
    width = float(resolution if resolution is not None else step * -(-SHAPE // series))
    tapered = float(charge_current_acf["frequency_resolution"]) > 1.2 * step
    taken = slice(None)
    mean = power.mean(axis=0)
    steps = averaged_over(charge_current_acf)
    if steps:
        taken = slice(0, max(3, len(f) // 2))
        mean = mean / np.square(np.sinc(f * steps))
    if (len(f[taken]) - 2) * step < width:
        raise NotEnoughData(f"{who} needs at least one band of {width:.3g} THz, and the windows have {len(f[taken])} ordinates: give longer windows")
    found = banded(f[taken], mean[taken], series=series, width=width, tapered=tapered)
    clear = _clear(found, folded(charge_current_acf, kelvin), steps, who=who)
    found = replace(found, **{name: getattr(found, name)[clear] for name in ("frequency", "value", "stderr", "lower", "upper")})
    out = {
        **{name: value for name, value in carried(charge_current_acf).items() if name != "stated_temperature"},
        "stated_temperature": kelvin,
        "species": charge_current_acf["species"].values,
        "frequency": found.frequency,
        "frequency_resolution": found.width,
        **{
            f"ionic_conductivity_spectrum{end}": ("frequency", getattr(found, name) * factor)
            for end, name in (("", "value"), ("_stderr", "stderr"), ("_lower", "lower"), ("_upper", "upper"))
        },
        "infrared_absorption": ("frequency", found.value * factor * SIEMENS_PER_M_TO_ABSORPTION),
        "infrared_absorption_stderr": ("frequency", found.stderr * factor * SIEMENS_PER_M_TO_ABSORPTION),
    }
    if "charge_current_sum_rule" in charge_current_acf and not steps:
        # trapezoids over all frequencies, positive and negative; an ordinate errs by its size over the root of the series
        weight = np.where((np.arange(len(f)) == 0) | ((np.arange(len(f)) == len(f) - 1) & (_length(charge_current_acf) % 2 == 0)), 1.0, 2.0) * step
        rule = float(charge_current_acf["charge_current_sum_rule"])
        spread = np.square(weight * mean) / np.where(weight == step, series / 2, series) * (1.94 if tapered else 1.0)
        out |= {"conductivity_sum": float(weight @ mean) / rule, "conductivity_sum_stderr": float(np.sqrt(spread.sum())) / rule}
    return schema.resolved(schema.dataset(out), temperature_used=kelvin, band=found.width, ordinates_start=step)


def of_current(data: xr.Dataset, kelvin: float) -> float:
    """S/m per e^2 angstrom^2 / ps of a spectrum summed over three axes."""
    return CONDUCTIVITY_TO_SI / (6 * float(data["volume"]) * thermal_energy_in_ev(kelvin, reduced=False))


def _length(data: xr.Dataset) -> int:
    """Frames of a window."""
    return round(1 / (float(data["frequency"].values[1]) * float(data["frame_interval"])))


def averaged_over(data: xr.Dataset) -> float:
    """Time over which currents made of positions are averaged, ps; 0 for velocities of the file."""
    found = [step["transfer_interval"] for step in schema.history(data) if "transfer_interval" in step]
    return float(found[-1]) if found else 0.0


@dataclass(frozen=True)
class Folded:
    """Power of currents that were made of positions over what <J^2> must be, 3 k_B T sum_i q_i^2 / m_i less the drift in the barycentric frame.

    seen : with the transfer function undone, up to half the frame frequency; 1 where frames resolve the vibrations, and the less the more lines
    lie beyond and are folded back. within : up to a quarter of it, where spectra end. would_do : ps, a frame interval that would resolve them.
    lacking : density of what is not seen, spread evenly, e^2 angstrom^2 / ps.
    """

    seen: float
    within: float
    lacking: float
    would_do: float


def folded(data: xr.Dataset, kelvin: float) -> Folded | None:
    """Of currents made of positions; None for velocities of the file, and where masses or charges are not known."""
    interval = averaged_over(data)
    if not interval or "mass" not in data or "charge" not in data:
        return None
    ions, charge, mass = (data[name].values.astype(np.float64) for name in ("n_ions", "charge", "mass"))
    drift = np.sum(ions * charge) ** 2 / np.sum(ions * mass) if frame_of_reference(data) == "barycentre" else 0.0
    rule = 3 * kelvin * BOLTZMANN / KINETIC_TO_EV * float(np.sum(ions * charge**2 / mass) - drift)
    if not rule > 0:
        return None
    f = data["frequency"].values
    power = data["charge_current_periodogram"].mean("window").values * np.where(f == 0, 1.0, 2.0) * f[1] / rule
    undone = (power / np.square(np.sinc(f * interval)))[f < 0.499 / interval]
    places = np.linspace(0.01, 0.99, 99)
    fastest = float(np.interp(-min(power.sum(), 1.0), -np.square(np.sinc(places)), places)) / interval  # one line that would leave as much
    seen, within = float(undone.sum()), float(undone[f[: len(undone)] <= 0.25 / interval].sum())
    return Folded(seen, within, max(0.0, 1 - seen) * rule * interval, 0.2 / fastest)


def _clear(found: Bands, beyond: Folded | None, interval: float, *, who: str) -> np.ndarray:
    """Which bands are clear of what is folded into them."""
    if beyond is None:
        return np.full(len(found.frequency), True)
    place = found.frequency * interval
    spoilt = beyond.lacking * np.square(place / (1 - place)) > found.stderr
    if spoilt[0]:
        raise NotEnoughData(
            f"{who} needs frames that resolve the vibrations: steps of positions {interval:.3g} ps apart hold {beyond.seen:.2g} of what <J^2> must "
            f"be, and the rest is folded into every band; store frames every {beyond.would_do:.2g} ps or less, or pass resolution= (--resolution)"
        )
    return np.arange(len(spoilt)) < (int(np.argmax(spoilt)) if spoilt.any() else len(spoilt))
