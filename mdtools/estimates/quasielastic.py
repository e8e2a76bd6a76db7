"""Quasielastic line: its width at each wave number, what stays elastic, and the motion that explains them."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, is_reduced, lag_frames
from mdtools.estimates.resolution import Instrument
from mdtools.statistics.interval import student
from mdtools.statistics.motions import MOTIONS
from mdtools.statistics.ordinates import NARROWEST, Ordinates, ordinates
from mdtools.statistics.quasielastic import Fit, compared
from mdtools.statistics.quasielastic_lines import lines
from mdtools.units import ANGSTROM2_PER_PS_TO_CM2_PER_S, EnergyUnit

__all__ = ["quasielastic_width"]

BAND = 1.0  # THz, below the vibrations of most solids
FEWEST = 4  # windows, for an error by their scatter
VAGUE = 1.0  # standard error of ln theta beyond which the data do not bind theta
PARAMETERS = {
    "jump": ("jump_length", "residence_time"),
    "rotor": ("rotation_radius", "rotational_diffusivity"),
    "confined": ("confinement_size", "confinement_time"),
}


@schema.recorded
def quasielastic_width(
    intermediate_scattering_self: xr.Dataset,
    *,
    highest: float | None = None,
    motions: Sequence[Literal["elastic", "continuous", "jump", "rotor", "confined"]] | None = None,
    resolution: str | xr.DataArray | np.ndarray | tuple[np.ndarray, np.ndarray] | None = None,
    resolution_shape: Literal["gaussian", "lorentzian", "triangular"] = "gaussian",
    resolution_unit: EnergyUnit | None = None,
) -> xr.Dataset:
    """Width of the quasielastic line and elastic incoherent structure factor at each q, and models of the motion compared.

    Whittle likelihood of the spectra of F_s below `highest`, the finite length of the windows being part of every model
    F_s(q, t) = A(q) M(q, t) + a part that is over within a frame:
    elastic M = 1; continuous M = exp(-D q^2 t); jump (Chudley-Elliott) M = exp[-(t / tau) (1 - sin ql / ql)];
    rotor M = sum_l (2 l + 1) j_l(qb)^2 exp(-l (l + 1) D_r t); confined (overdamped in a harmonic well) M = exp[-q^2 u^2 (1 - exp(-t / tau))].
    At each q on its own: A [E + (1 - E) exp(-2 pi Gamma t)], for Gamma with E = 0 where the likeliest motion is continuous or jumps.

    highest : THz, end of the band that is looked at, below the vibrations; by default 1 (of runs in lj units a fifth of the sampling
        frequency). motions : the models that are compared, by default all.
    resolution : as a spectrometer sees it: full width at half maximum of its resolution with the unit, "0.1 meV", "24 GHz" ("0.05", a
        number of 1/tau, of runs in lj units), its shape by resolution_shape. Or the curve that was measured, of vanadium say: a file of two
        columns, energy or frequency and intensity (a third with errors is not used), an array (point, 2), a pair of arrays, or a DataArray
        over one coordinate. It is straight between its points, is divided by its area, and counts with its mirror image, as the mean of both
        sides of the line does; without a background, which is refused. F_s is multiplied by the resolution in time, and so is every
        model: widths and parameters are those behind the resolution, `quasielastic_width_seen` is that of the folded line, and a line
        narrower than a twentieth of the resolution is elastic. The noise of a count of neutrons is not added.
    resolution_unit : of the energies of a curve, which is never guessed; a DataArray may state it as `units` of its coordinate.
    Errors are of the scatter between windows (a jackknife, Student's factor in the intervals), so that what ions and wave numbers
    share counts once; they are those of the model, times what it leaves over (its misfit) where that is more than noise.
    A misfit beyond 2 says that no model holds to the precision of the run: D of Langevin ions seen down to their free flight is 11 % low.

    Returns by species and q `quasielastic_width` (half width at half maximum Gamma, in cycles; NaN where the windows or the band do not
    resolve it), `elastic_incoherent_structure_factor` (A E: what of F_s outlasts a window, without the bias of its finite length) and
    `predicted_quasielastic_width` of the likeliest motion; by species and motion `motion_probability` and `motion_misfit` (chi^2 per
    degree of freedom); by species `motion`, the likeliest, `quasielastic_diffusivity` (D, or l^2 / 6 tau, averaged over both by
    probability; NaN where neither is likely), and the parameters of each model, NaN where the data do not bind them: `jump_length`,
    `residence_time`, `rotation_radius`, `rotational_diffusivity`, `confinement_size` (u), `confinement_time`. With _stderr; D, l and tau
    with _lower and _upper of 95 %. With a resolution also `quasielastic_width_seen`. Jumps of the model have random directions;
    those on a lattice are averaged over by shells of q or `q=`.
    Raises NotEnoughData (fewer than four windows, or not every lag, or windows too short for the resolution), TrajectoryError (uneven
    frames, a file that is no curve), ValueError. Source: statistics/quasielastic.py, statistics/resolution.py.

    >>> from mdtools import intermediate_scattering_self, synthetic
    >>> walk = synthetic.brownian(n_atoms=40, n_frames=1600, diffusivity=0.3, seed=2)
    >>> found = quasielastic_width(intermediate_scattering_self(walk, q=[0.5, 1.0, 1.5, 2.0], reference="none"))
    >>> str(found.motion.sel(species="A").item()), bool(abs(found.quasielastic_diffusivity.sel(species="A") - 0.3) < 0.04)
    ('continuous', True)
    """
    data = intermediate_scattering_self
    who = "quasielastic_width"
    names = _motions(motions)
    values, interval = _every_lag(data, who)
    seeing: dict[str, Any] = {"shape": resolution_shape, "unit": resolution_unit, "window": values.shape[-1] * interval}
    instrument = Instrument.of(data, resolution, who=who, **seeing)
    usual = 0.2 / interval if is_reduced(data) else min(BAND, 0.4 / interval)
    band = highest if highest is not None else min(max(usual, 4 * instrument.full_width), 0.5 / interval)
    if not 0 < band <= 0.5 / interval * (1 + 1e-9):
        raise ValueError(f"{who}: highest={highest!r}; write a frequency in THz, up to {0.5 / interval:g}, half the sampling frequency")
    instrument.check(band, who)
    q = data["q"].values
    used = q > 0
    if not used.any():
        raise NotEnoughData(f"{who} needs a wave number above 0: measure intermediate_scattering_self at some")
    seen: dict[str, Any] = {"interval": interval, "highest": band, "resolution": instrument.resolution}
    each = [ordinates(values[:, k][:, used], q[used], **seen) for k in range(values.shape[1])]
    rows = [_of_species(one, names, used, instrument) for one in each]
    out: dict[str, Any] = {**carried(data), "species": data["species"].values, "q": q, "motion_model": np.array(names)}
    dims = {"q": ("species", "q"), "m": ("species", "motion_model"), "": ("species",)}
    for name, (kind, _) in rows[0].items():
        if is_reduced(data) and name.startswith("quasielastic_diffusivity_cm2_per_s"):
            continue
        out[name] = (dims[kind], np.array([row[name][1] for row in rows]))
    found = {"highest": float(band), "n_windows": len(values), **instrument.described()}
    return schema.resolved(schema.dataset(out, reduced=is_reduced(data)), **found)


def _motions(motions: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(MOTIONS) if motions is None else tuple([motions] if isinstance(motions, str) else motions)
    unknown = [name for name in names if name not in MOTIONS]
    if unknown or not names:
        raise ValueError(f"motions={motions!r} is not understood; write some of {', '.join(MOTIONS)}")
    return names


def _every_lag(data: xr.Dataset, who: str) -> tuple[np.ndarray, float]:
    """F_s (window, species, q, lag), 1 at lag 0, and the time between frames."""
    if "intermediate_scattering_self" not in data:
        raise TrajectoryError(f"{who} needs intermediate_scattering_self; this measurement holds {', '.join(map(str, data.data_vars))}")
    frames = lag_frames(data, who=who) if "lag" in data.dims else np.zeros(1, dtype=int)
    n_windows = data.sizes.get("window", 0)
    if n_windows < FEWEST:
        raise NotEnoughData(
            f"{who} learns its errors from windows, and needs at least {FEWEST} of them; this measurement has {n_windows}: pass windows=8"
        )
    length = int(data["n_frames"]) // n_windows
    if len(frames) < 8 or len(frames) != length or not np.array_equal(frames, np.arange(length)):
        raise NotEnoughData(
            f"{who} needs every lag of windows of at least 8 frames, and this measurement has {len(frames)} lags of windows of {length} frames: "
            'measure intermediate_scattering_self with lags="all", without longest, and every window'
        )
    one = data.expand_dims("species") if "species" not in data.dims else data
    one = one.expand_dims("q") if "q" not in one.dims else one
    values = one["intermediate_scattering_self"].transpose("window", "species", "q", "lag").values
    return values / values[..., :1], float(data["frame_interval"])


def _of_species(data: Ordinates, names: tuple[str, ...], used: np.ndarray, instrument: Instrument) -> dict[str, tuple[str, Any]]:
    """name -> (which dimensions, values)."""
    fits = {fit.motion: fit for fit in compared(data, names)}
    evidence = np.array([fits[name].log_evidence for name in names])
    probability = np.exp(evidence - evidence.max())
    probability /= probability.sum()
    likeliest = names[int(np.argmax(probability))]
    t = float(student(len(data.values) - 1))
    each = lines(data)
    goes = likeliest in ("continuous", "jump")  # then nothing is elastic, and what is broader than the line belongs to vibrations
    width, uncertain = (each.width, each.width_stderr) if goes else (each.width_beside, each.width_beside_stderr)
    seen = (uncertain < width) & (width < 0.5 / data.interval) & (width > NARROWEST * data.full_width / 2)
    width, uncertain = np.where(seen, width, np.nan), np.where(seen, uncertain, np.nan)
    out: dict[str, tuple[str, Any]] = {
        "motion": ("", likeliest),
        "motion_probability": ("m", probability),
        "motion_misfit": ("m", np.array([fits[name].misfit for name in names])),
        "quasielastic_width": ("q", _spread(width, used)),
        "quasielastic_width_stderr": ("q", _spread(uncertain, used)),
        "elastic_incoherent_structure_factor": ("q", _spread(each.elastic, used)),
        "elastic_incoherent_structure_factor_stderr": ("q", _spread(each.elastic_stderr, used)),
        "predicted_quasielastic_width": ("q", _spread(_predicted(fits[likeliest], data.q), used)),
    }
    if instrument.resolution is not None:
        folded = instrument.seen(width, uncertain)
        out |= {f"quasielastic_width_seen{end}": ("q", _spread(one, used)) for end, one in zip(("", "_stderr"), folded, strict=True)}
    out |= _diffusivity(fits, dict(zip(names, probability, strict=True)), t)
    for motion, parameters in PARAMETERS.items():
        for k, name in enumerate(parameters):
            value, error = (fits[motion].theta[k], fits[motion].log_stderr[k]) if motion in fits else (np.nan, np.nan)
            out |= _stated(name, value, error, t if motion == "jump" else None)
    return out


def _stated(name: str, value: float, log_error: float, t: float | None) -> dict[str, tuple[str, Any]]:
    """A positive number whose logarithm has this error; NaN where it is not bound."""
    if not log_error < VAGUE:
        value = np.nan
    out: dict[str, tuple[str, Any]] = {name: ("", value), f"{name}_stderr": ("", value * log_error)}
    if t is not None:
        out |= {f"{name}_lower": ("", value * np.exp(-t * log_error)), f"{name}_upper": ("", value * np.exp(t * log_error))}
    return out


def _diffusivity(fits: dict[str, Fit], probability: dict[str, float], t: float) -> dict[str, tuple[str, Any]]:
    """ln D averaged over the two motions that go far, by probability; NaN where they are not likely."""
    logs, variances, weights = [], [], []
    for motion, gradient in (("continuous", np.array([1.0])), ("jump", np.array([2.0, -1.0]))):
        if motion in fits and np.isfinite(fits[motion].log_covariance).all():
            logs.append(float(gradient @ np.log(fits[motion].theta)) - (np.log(6) if motion == "jump" else 0.0))
            variances.append(float(gradient @ fits[motion].log_covariance @ gradient))
            weights.append(probability[motion])
    total = sum(weights)
    if total < 0.5:
        return {
            k: v for name in ("", "_cm2_per_s") for k, v in _stated(f"quasielastic_diffusivity{name}", np.nan, np.nan, None if name else t).items()
        }
    share = np.array(weights) / total
    mean = float(share @ np.array(logs))
    error = float(np.sqrt(share @ (np.array(variances) + (np.array(logs) - mean) ** 2)))
    value = float(np.exp(mean))
    return _stated("quasielastic_diffusivity", value, error, t) | _stated(
        "quasielastic_diffusivity_cm2_per_s", value * ANGSTROM2_PER_PS_TO_CM2_PER_S, error, None
    )


def _predicted(fit: Fit, q: np.ndarray) -> np.ndarray:
    """Half width of the motions whose line is one Lorentzian."""
    if fit.motion == "continuous":
        return np.asarray(fit.theta[0] * q**2 / (2 * np.pi))
    if fit.motion == "jump":
        return np.asarray((1 - np.sinc(q * fit.theta[0] / np.pi)) / (2 * np.pi * fit.theta[1]))
    return np.full(len(q), np.nan)


def _spread(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    out = np.full(len(used), np.nan)
    out[used] = values
    return out
