"""Dielectric function, static dielectric constant and the relation of Lyddane, Sachs and Teller."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, thermal_energy_in_ev
from mdtools.estimates.conductivity import need_measured_alike, routes
from mdtools.estimates.conductivity_spectrum import averaged_over, folded, of_current
from mdtools.statistics.bands import instantaneous, peak
from mdtools.statistics.lag_window import half_transform, half_variance, hann
from mdtools.units import CONDUCTIVITY_TO_SI, VACUUM_PERMITTIVITY

__all__ = ["dielectric_function"]

TINY = 1e-9
SEEN, WITHIN = 0.7, 0.5  # of what <J^2> must be: currents that hold less are folded, spectra that hold less have no peak
PER_WIDTH = 4  # frequencies to a resolution
SHARED = PER_WIDTH / 0.75  # neighbours that scatter alike under the window
ORDINATES = 8  # a resolution by default of so many times one over the length of the run


@schema.recorded
def dielectric_function(
    charge_displacement_msd: xr.Dataset,
    charge_current_acf: xr.Dataset | None = None,
    *,
    resolution: float | None = None,
    high_frequency: float = 1.0,
    temperature: float | None = None,
) -> xr.Dataset:
    """Dielectric function of the ions, static dielectric constant, and the test of Lyddane, Sachs and Teller.

    epsilon(f) = epsilon_inf + i sigma(f) / (2 pi f epsilon_0), sigma(f) = 1 / (3 V k_B T) int_0^inf C(t) w(t) exp(2 pi i f t) dt, C the
    correlation of the charge current, w a Hann window of the stated resolution. Where the dipole is caged (no ion carries charge across
    the run) epsilon_static = epsilon_inf + <dM^2> / (3 epsilon_0 V k_B T), 2 <dM^2> the plateau of <|dP|^2>; conducting boundary, as of Ewald sums.
    In a conductor <M^2> grows without end and epsilon_static is NaN; epsilon(f) then contains sigma(0) / (2 pi f epsilon_0).
    Lyddane-Sachs-Teller: epsilon_static / epsilon_inf = (f_LO / f_TO)^2 of a crystal with one infrared branch, f_TO the maximum of Re sigma,
    f_LO that of Im(-1 / epsilon). Of several branches the ratio is the product over them, and the test is no test.

    resolution : THz; by default 8 over the length of the run. high_frequency : epsilon_inf, of the electrons; 1 for ions that do not
    polarise. temperature : K, where the run does not state it.

    Returns `static_dielectric_constant` with _stderr, `regime` of the dipole; with currents `dielectric_function_real` and `_imaginary` (frequency)
    with _stderr, the real one from the whole spectrum, whose scatter it shares by the relation of Kramers and Kronig; `frequency_resolution`; of an
    insulator `transverse_frequency` and `longitudinal_frequency` (THz) and `lyddane_sachs_teller` = (f_LO / f_TO)^2 epsilon_inf / epsilon_static
    (1 where it holds), with _stderr. Errors are those of epsilon under the window, which has no structure sharper than the resolution.
    Of currents made of positions C is first freed of the mean over a frame interval (its transform divided by [sin(pi f dt) / (pi f dt)]^2), and
    epsilon is given up to a quarter of the frame frequency. Frames must resolve the vibrations, else what is faster is folded into it: currents
    that hold less than 0.7 of what <J^2> must be are refused, and of less than a half up to a quarter of the frame frequency the frequencies are NaN.
    Raises TrajectoryError (no temperature, lj units, different runs), NotEnoughData where the resolution is finer than one over
    the length of a window, and for frames too far apart.
    Source: reference/science.md A1 row 15, A4 row 54, B3.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_displacement_msd
    >>> crystal = synthetic.damped_oscillator(cells=3, n_frames=4000, frequency=3.0, damping=5.0, seed=2).with_charges({"A": 1.0})
    >>> found = dielectric_function(charge_displacement_msd(crystal, reference="none"))
    >>> exact = 1 + 27 / 15.0**3 / (5.526349e-3 * 20.0 * 1.0364269656e-4 * (2 * 3.14159265 * 3.0) ** 2)  # N q^2 / (V epsilon_0 m w0^2)
    >>> bool(abs(found.static_dielectric_constant - exact) < 4 * found.static_dielectric_constant_stderr)
    True
    """
    who = "dielectric_function"
    found = routes(charge_displacement_msd, None, temperature=temperature, who=who)
    if charge_current_acf is not None:
        need_measured_alike(charge_displacement_msd, charge_current_acf, who=who)
    per = 1 / (VACUUM_PERMITTIVITY * float(charge_displacement_msd["volume"]) * thermal_energy_in_ev(found.temperature, reduced=False))
    caged = found.dipole.regime == "caged"
    static = high_frequency + found.dipole.intercept * per / 6 if caged else np.nan
    error = found.dipole.intercept_stderr * per / 6 if caged else np.nan
    out: dict[str, Any] = {
        **{name: value for name, value in carried(charge_displacement_msd).items() if name != "stated_temperature"},
        "stated_temperature": found.temperature,
        "species": charge_displacement_msd["species"].values,
        "static_dielectric_constant": static,
        "static_dielectric_constant_stderr": error,
        "regime": found.dipole.regime,
    }
    told = {} if caged else {"static": f"not given: the dipole is {found.dipole.regime}, and in a conductor <M^2> grows without end"}
    if charge_current_acf is not None:
        out |= _spectrum(charge_current_acf, found.temperature, resolution, high_frequency, (static, error), who=who)
    return schema.resolved(schema.dataset(out), temperature_used=found.temperature, **told)


def _spectrum(
    data: xr.Dataset, kelvin: float, resolution: float | None, high_frequency: float, static: tuple[float, float], *, who: str
) -> dict[str, Any]:
    interval, windows = float(data["frame_interval"]), data.sizes["window"]
    duration = data["lag"].size * interval
    width = float(resolution if resolution is not None else ORDINATES / (duration * windows))
    if width < 1 / duration:
        raise NotEnoughData(
            f"{who}: a window of {duration:.4g} ps resolves {1 / duration:.3g} THz and not {width:.3g}: give longer windows, or a wider resolution"
        )
    steps = averaged_over(data)
    beyond = folded(data, kelvin)
    if beyond is not None and beyond.seen < SEEN:
        raise NotEnoughData(
            f"{who} needs frames that resolve the vibrations: steps of positions {interval:.3g} ps apart hold {beyond.seen:.2g} of what <J^2> must "
            f"be, and the rest is folded back; store frames every {beyond.would_do:.2g} ps or less, or give charge_displacement_msd alone, for the "
            "static constant"
        )
    highest = 0.25 if steps else 0.5  # of the frame frequency
    step, count = width / PER_WIDTH, max(1, int(highest * PER_WIDTH / (interval * width)) - 1)
    f = step * np.arange(1, count + 1)
    acf = data["charge_current_acf"].mean("window").values
    acf = instantaneous(acf) if steps else acf
    window = hann(min(len(acf), max(2, int(1 / (width * interval)) + 1)))
    per = 2 * of_current(data, kelvin) / CONDUCTIVITY_TO_SI
    sigma = per * half_transform(acf[: len(window)] * window, interval=interval, step=step, count=count + 1)[1:]
    spread = _spread(data, window, steps=steps, interval=interval, step=step, count=count)
    to_epsilon = 1 / (2 * np.pi * f * VACUUM_PERMITTIVITY)
    epsilon = high_frequency + 1j * sigma * to_epsilon
    of_imaginary, of_real = (per * np.sqrt(one) * to_epsilon for one in spread)  # epsilon turns sigma by a quarter
    out: dict[str, Any] = {
        "frequency": f,
        "frequency_resolution": width,
        "dielectric_function_real": ("frequency", epsilon.real),
        "dielectric_function_real_stderr": ("frequency", of_real),
        "dielectric_function_imaginary": ("frequency", epsilon.imag),
        "dielectric_function_imaginary_stderr": ("frequency", of_imaginary),
    }
    if np.isfinite(static[0]) and (beyond is None or beyond.within > WITHIN):
        relative = np.full(count, np.sqrt((2 * np.square(window).sum() - 1) * interval / (3 * windows * duration)))
        transverse, of_transverse = peak(f, sigma.real, relative, shared=SHARED)
        of_loss = np.maximum(relative * np.abs(epsilon - high_frequency) / np.abs(epsilon), TINY)
        longitudinal, of_longitudinal = peak(f, (-1 / epsilon).imag, of_loss, shared=SHARED)
        ratio = (longitudinal / transverse) ** 2 * high_frequency / static[0]
        spread_of = np.sqrt((2 * of_longitudinal / longitudinal) ** 2 + (2 * of_transverse / transverse) ** 2 + (static[1] / static[0]) ** 2)
        out |= {
            "transverse_frequency": transverse,
            "transverse_frequency_stderr": of_transverse,
            "longitudinal_frequency": longitudinal,
            "longitudinal_frequency_stderr": of_longitudinal,
            "lyddane_sachs_teller": ratio,
            "lyddane_sachs_teller_stderr": ratio * spread_of,
        }
    return out


def _spread(data: xr.Dataset, window: np.ndarray, *, steps: float, interval: float, step: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Variances of the real and of the imaginary part of the transform of C, from the ordinates of the periodogram."""
    frequency, power = data["frequency"].values, data["charge_current_periodogram"].mean("window").values
    if steps:
        power = power / np.square(np.sinc(frequency * interval))
    by_pairs = window / (1 - np.arange(len(window)) / data.sizes["lag"])  # the periodogram counts fewer pairs of frames at long lags, C does not
    return half_variance(by_pairs, frequency, power, series=3 * data.sizes["window"], interval=interval, step=step, count=count)
