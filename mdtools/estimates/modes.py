"""Frequency, damping and softness of single modes of a crystal."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried, temperature_of
from mdtools.statistics.mode_numbers import mode_numbers
from mdtools.statistics.oscillator import MODELS, Sampling, Spectrum, rates
from mdtools.statistics.whittle import Fit, central_peak_draws, fit_modes
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["mode_frequencies"]

LEVEL = 1.96
ODDS = 3.0  # ln of the odds at which a central peak is believed: 20 to 1
GOOD = 0.01  # probability of residuals as structured at which a model fits
NARROW = 0.25  # G / W up to which a Lorentzian is a mode's: beyond, its f_0 is no stiffness, and at f_0 = 0 it is a relaxation
NARROWER = 1.5  # times lower is the frequency up to which the spectrum is fitted next, where no model fits
WORSE = 4.0  # times the least variance of the stiffness among the bands, that a band in which a model fits may have
ABOVE = 3.0  # times the frequency of the mode, below which it is not lowered
FEWEST = 24  # ordinates of a fit
FOLDED = 0.9  # of the Nyquist limit, above which a mode may be folded back
SLOWEST = 8.0  # the slowest relaxation must fit this often into a window
NO_MAXIMUM = "the likelihood of no model has a maximum: pass frequency_max= nearer to the mode"
CONDENSED = 0.5  # share of the square of the mean in the mean square from which a mode is not centred on its site


@schema.recorded
def mode_frequencies(
    mode_spectra: xr.Dataset,
    *,
    temperature: float | None = None,
    quantity: Literal["coordinate", "velocity"] = "coordinate",
    frequency_max: float | None = None,
    thermostat_damping: float = 0.0,
    degenerate: bool = True,
) -> xr.Dataset:
    """Frequency, damping, lifetime and static susceptibility of each mode, by the likelihood of its power spectrum.

    Damped oscillator Q'' + G Q' + W^2 Q = noise, S_Q = 2 G k_B T / ((w^2 - W^2)^2 + G^2 w^2), W = 2 pi f_0; the same with a
    relaxing neighbour, which adds a central peak of the share x of the stiffness; and a Lorentzian at f_0. Their mean periodograms
    are exact for the window and the frame interval (statistics/oscillator.py), ordinates are Gamma distributed about them. The
    simplest model is kept unless the odds for a central peak are 20 to 1. An overdamped mode (G > 2 W) has no peak at f_0: it
    is described by two relaxation times.

    temperature : K, where the run does not state it. quantity : whose spectrum is fitted; that of the coordinate shows what is slow.
    frequency_max : THz, above which the spectrum is not fitted. Unless told it is lowered from the Nyquist limit, to three times the
        frequency of the mode at least, until a model fits: far above a mode its spectrum is that of what it couples to. Where none does
        (long runs tell a mode from every model), that which has the smallest errors is taken, each longer by the square root of chi^2 per degree of
        freedom of its residuals, `fit_inflation`.
    thermostat_damping : of a Langevin thermostat, 1/ps, taken off `mode_damping` and `mode_lifetime`.
    degenerate : modes of one frequency by symmetry (`degenerate_set`) are fitted together, and share their numbers.

    Returns by mode `mode_frequency` f_0 (THz), `mode_damping` G / 2 pi (THz: the full width at half maximum where G << W),
    `mode_lifetime` 1 / G (ps), `damping_ratio` G / 2 W (above 1: overdamped), `static_susceptibility` <|Q|^2> / k_B T (ps^2) by the
    fit; `relaxation_time_slow` and `_fast` where overdamped; `central_peak_share` x and `central_peak_time` where
    there is one (f_0 is then the static stiffness, the peak is seen higher, near f_0 / sqrt(1 - x)); each with _stderr, _lower and _upper (95 %),
    symmetric in the logarithm, of a mode with a central peak median and quantiles of draws from its posterior;
    `static_susceptibility_direct` by the mean square; `mode_model`, `damping_regime`, `model_log_evidence` (mode, model), `fit_quality`,
    `fit_inflation`, `fitted_to` (THz), `fitted_periodogram` (mode, frequency). A Lorentzian, for narrow lines, is not taken for a mode of G > W / 4.
    A mode slower than an eighth of a window, or faster than frames show, is "unresolved", one that sits off its site "condensed": NaN, with a
    reason.
    Raises TrajectoryError (spectra without taper, no temperature), NotEnoughData (no spectra, no ordinates below frequency_max).
    Source: reference/science.md B7.

    >>> import ase
    >>> from mdtools import synthetic
    >>> from mdtools.analyses.lattice_modes import mode_spectra
    >>> run = synthetic.damped_oscillator(cells=2, n_frames=4096, frequency=3.0, damping=2.0, temperature=300, seed=1)
    >>> atom = ase.Atoms("X", cell=run.mean_cell / 2, pbc=True)
    >>> spectra = mode_spectra(run.relabel({"X": range(8)}), primitive=atom, q=[0.5, 0.5, 0.5], pattern={"X": "1 0 0"}, windows=1)
    >>> float(mode_frequencies(spectra).mode_frequency[0].round(1))
    3.0
    """
    who = "mode_frequencies"
    name = f"mode_{quantity}_periodogram"
    data = mode_spectra if "mode" in mode_spectra.dims else mode_spectra.expand_dims("mode")
    if name not in data:
        raise NotEnoughData(f"{who} needs {name}: measure mode_spectra of a run with {'velocities' if quantity == 'velocity' else 'q and band'}")
    kelvin = temperature_of(data, temperature, who=who)
    energy = kelvin * (1.0 if data.attrs.get("unit_system") == "lj" else BOLTZMANN / KINETIC_TO_EV)
    sampling = _sampling(data, quantity == "velocity", who=who)
    high = sampling.frequency[-1] if frequency_max is None else frequency_max
    if np.sum(sampling.frequency <= high) < 16:
        raise NotEnoughData(
            f"{who} needs 16 ordinates of the spectrum, and those up to {high:g} THz are fewer: pass frequency_max= higher, or windows=1"
        )
    sets = data["degenerate_set"].values if degenerate else np.arange(data.sizes["mode"])
    members = [np.flatnonzero(sets == one) for one in sets]
    found: dict[int, _Mode] = {}
    for one in sets:
        if int(one) not in found:
            some = data.isel(mode=np.flatnonzero(sets == one))
            found[int(one)] = _mode(some, name, sampling, energy, high, said=frequency_max is not None)
    modes = [found[int(one)] for one in sets]
    out = {
        **{key: value for key, value in carried(data).items() if key != "stated_temperature"},
        **{key: (data[key].dims, data[key].values) for key in ("q_reduced", "band", "harmonic_frequency", "degenerate_set") if key in data},
        "species": data["species"].values,
        "reciprocal": data["reciprocal"].values,
        "stated_temperature": kelvin,
        "model": list(MODELS),
        "mode_model": ("mode", ["" if one.fit is None else one.fit.model for one in modes]),
        "damping_regime": ("mode", [one.regime for one in modes]),
        "model_log_evidence": (("mode", "model"), np.array([one.evidence for one in modes])),
        "fit_quality": ("mode", [np.nan if one.fit is None else one.fit.quality for one in modes]),
        "fit_inflation": ("mode", [one.inflation for one in modes]),
        "fitted_to": ("mode", [one.fitted_to for one in modes]),
        "frequency": sampling.frequency,
        "fitted_periodogram": (("mode", "frequency"), np.stack([_fitted(one, sampling) for one in modes])),
        "static_susceptibility_direct": ("mode", _direct(data, members) / energy),
        "static_susceptibility_direct_stderr": ("mode", np.array([one.square_stderr for one in modes]) / energy),
        **{name: ("mode", values) for name, values in mode_numbers([(one.fit, one.regime) for one in modes], energy, thermostat_damping).items()},
    }
    told = sorted({one.why for one in modes if one.why})
    return schema.resolved(
        schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj"), temperature_used=kelvin, **({"left_out": told} if told else {})
    )


@dataclass(frozen=True, kw_only=True)
class _Mode:
    """What the spectrum of one mode (or degenerate set) says; fit is None where it says nothing, and why."""

    regime: str
    fit: Fit | None = None
    evidence: tuple[float, ...] = (np.nan,) * len(MODELS)
    inflation: float = np.nan
    fitted_to: float = np.nan
    square_stderr: float = np.nan
    why: str = ""


def _sampling(data: xr.Dataset, velocity: bool, *, who: str) -> Sampling:
    step = [one for one in schema.history(data) if one.get("step") == "mode_spectra"][-1]
    if step["taper"] != "hann":
        raise TrajectoryError(
            f"{who} needs spectra with a taper: without, the tail of a spectrum that falls as 1/f^4 is what leaks from its peak, and errors are "
            'ten times too small; measure mode_spectra with taper="hann" (--taper hann)'
        )
    interval = float(data["frame_interval"])
    n = round(float(data["window_length"]) / interval)
    return Sampling(interval=interval, taper=np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2, velocity=velocity)


def _mode(data: xr.Dataset, name: str, sampling: Sampling, energy: float, high: float, *, said: bool) -> _Mode:
    power = data[name].transpose("window", "mode", "frequency").values.mean(axis=(0, 1))
    series = int(data.sizes["window"] * data["series"].values.sum())
    square = float(data["mode_coordinate_square"].mean())
    mean = np.mean(np.sum(data["mode_coordinate_mean"].transpose("window", "mode", "part").values.mean(axis=0) ** 2, axis=-1))
    if mean > CONDENSED * square:
        return _Mode(regime="condensed", why="a mode has a mean off its sites: its frequency is that of the distorted structure, not given")
    scale = _by_squares(data, square, energy)
    if scale > FOLDED * sampling.frequency[-1]:
        return _Mode(
            regime="unresolved",
            why=f"a mode moves at about {scale:.3g} THz by its mean squares, and frames {sampling.interval:.3g} ps apart show what lies below "
            f"{FOLDED * sampling.frequency[-1]:.3g}: store frames every {0.4 / scale:.2g} ps or less",
        )
    tried: list[tuple[float, Fit, list[Fit]]] = []
    for cut in _cuts(sampling, high, said=said):
        fits = fit_modes(power, sampling, series=series, band=(0.0, cut))
        best = _kept(fits)
        if best is not None:
            tried.append((cut, best, fits))
        if best is None or best.quality > GOOD or cut < ABOVE * _scale(best):
            break
    window = sampling.n * sampling.interval
    if not tried:
        slow = [1 / float(np.abs(rates(fit.model, fit.theta)[0].real).min()) for fit in fits]
        return _Mode(regime="unresolved", why=_too_slow(max(slow), window) if slow and max(slow) * SLOWEST > window else NO_MAXIMUM)
    cut, best, fits = _chosen(tried)
    widened = 1.0 if best.quality > GOOD else max(best.misfit, 1.0)
    if best.model == "central peak":
        drawn = central_peak_draws(best, power, sampling, series=series, band=(0.0, cut))
        best = replace(best, draws=best.theta + np.sqrt(widened) * (drawn - best.theta))
    best = replace(best, covariance=best.covariance * widened)
    by = {fit.model: fit for fit in fits}
    z, residue = rates(best.model, best.theta)
    slowest = float(1 / np.abs(z.real).min())
    if slowest * SLOWEST > window:
        return _Mode(regime="unresolved", why=_too_slow(slowest, window))
    pair = residue[:, None] * residue[None, :] / -(z[:, None] + z[None, :])
    correlated = 2 * float(np.real(pair.sum()))  # int c(t)^2 dt over both signs of t, for c(0) = 1
    return _Mode(
        regime=_regime(best),
        fit=best,
        evidence=tuple(by[model].log_evidence - fits[0].log_evidence if model in by else -np.inf for model in MODELS),
        inflation=float(np.sqrt(widened)),
        fitted_to=float(cut),
        square_stderr=square * float(np.sqrt(2 * correlated / (series * window))),
    )


def _chosen(tried: list[tuple[float, Fit, list[Fit]]]) -> tuple[float, Fit, list[Fit]]:
    """The widest band in which a model fits, unless its stiffness is known less than half as well as in another, widened where none does."""

    def variance(fit: Fit) -> float:
        return float(fit.covariance[1, 1]) * (1.0 if fit.quality > GOOD else max(fit.misfit, 1.0))

    least = min(variance(fit) for _, fit, _ in tried)
    good = [one for one in tried if one[1].quality > GOOD and variance(one[1]) <= WORSE * least]
    return good[0] if good else min(tried, key=lambda one: variance(one[1]))


def _by_squares(data: xr.Dataset, square: float, energy: float) -> float:
    """THz: of <|dQ/dt|^2> / <|Q|^2>, which no frame interval folds; without velocities by equipartition."""
    speed = float(data["mode_velocity_square"].mean()) if "mode_velocity_square" in data else energy
    return float(np.sqrt(speed / square) / (2 * np.pi))


def _fitted(mode: _Mode, sampling: Sampling) -> np.ndarray:
    if mode.fit is None:
        return np.full(len(sampling.frequency), np.nan)
    return np.where(sampling.frequency <= mode.fitted_to, Spectrum(mode.fit.model, sampling)(mode.fit.theta), np.nan)


def _too_slow(slowest: float, window: float) -> str:
    return f"relaxes in {slowest:.3g} ps, and a window has {window:.3g} ps: pass fewer windows, or give {SLOWEST * slowest:.3g} ps in a window"


def _cuts(sampling: Sampling, high: float, *, said: bool) -> Iterator[float]:
    """Frequencies up to which to fit, the highest first: that of the user, or ever lower ones while no model fits."""
    yield high
    while not said and high > FEWEST * sampling.frequency[1]:
        high /= NARROWER
        yield high


def _scale(fit: Fit) -> float:
    """THz: f_0, or of an overdamped mode the rate of its slow relaxation over 2 pi."""
    stiffness, friction = np.exp(fit.theta[1]), np.exp(fit.theta[2])
    return float(min(np.sqrt(stiffness), stiffness / friction) / (2 * np.pi))


def _kept(fits: list[Fit]) -> Fit | None:
    """The simplest model, unless the odds for a central peak are high."""
    simple = [fit for fit in fits if fit.model == "oscillator" or (fit.model == "lorentzian" and np.exp(fit.theta[2] - fit.theta[1] / 2) < NARROW)]
    if not simple:
        return None
    best = max(simple, key=lambda fit: fit.log_evidence)
    peak = [fit for fit in fits if fit.model == "central peak" and fit.log_evidence > best.log_evidence + ODDS]
    return (peak or [best])[0]


def _regime(fit: Fit) -> str:
    """By the sign of ln(G / 2 W), where it is known."""
    if fit.model == "lorentzian":
        return "underdamped"
    by = np.zeros(len(fit.theta))
    by[1:3] = -0.5, 1.0
    value, stderr = by @ fit.theta - np.log(2), np.sqrt(by @ fit.covariance @ by)
    return "undecided" if abs(value) < LEVEL * stderr else "overdamped" if value > 0 else "underdamped"


def _direct(data: xr.Dataset, members: list[np.ndarray]) -> np.ndarray:
    square = data["mode_coordinate_square"].transpose("window", "mode").values.mean(axis=0)
    return np.array([square[some].mean() for some in members])
