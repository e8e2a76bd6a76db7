"""What the fit of a mode says in numbers with errors and intervals: by its Gaussian posterior, or by the draws of one that is none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.whittle import Fit

__all__ = ["mode_numbers"]

Floats = NDArray[Any]
LEVEL = 1.96


def mode_numbers(modes: Sequence[tuple[Fit | None, str]], energy: float, thermostat: float) -> dict[str, Floats]:
    """Numbers (mode,) of fits and their regimes, NaN where there is no fit: name, and name with _stderr, _lower, _upper (95 %).

    Exponentials of combinations of ln A, ln W^2 and ln G: frequency, damping (less that of a thermostat) and lifetime, damping ratio,
    susceptibility; relaxation times where the regime is "overdamped"; share and time of a central peak.
    energy : k_B T. thermostat : 1/ps.
    """
    combinations: dict[str, tuple[Floats, float]] = {
        "mode_frequency": (np.array([0, 0.5, 0]), 1 / (2 * np.pi)),
        "mode_damping": (np.array([0, 0, 1]), 1 / (2 * np.pi)),
        "mode_lifetime": (np.array([0, 0, -1]), 1.0),
        "damping_ratio": (np.array([0, -0.5, 1]), 0.5),
        "static_susceptibility": (np.array([1, 0, 0]), 1 / energy),
    }
    out: dict[str, Floats] = {}
    for name, (by, factor) in combinations.items():
        rows = np.array([_exponential(fit, by, factor) for fit, _ in modes])
        if thermostat and name in ("mode_damping", "mode_lifetime"):
            rows = _without(np.array([_exponential(fit, np.array([0, 0, 1]), 1.0) for fit, _ in modes]), thermostat, lifetime=name == "mode_lifetime")
        out |= {f"{name}{word}": rows[:, k] for k, word in enumerate(("", "_stderr", "_lower", "_upper"))}
    for name in ("relaxation_time_slow", "relaxation_time_fast", "central_peak_share", "central_peak_time"):
        rows = np.array([_of_shape(fit, regime, name) for fit, regime in modes])
        out |= {f"{name}{word}": rows[:, k] for k, word in enumerate(("", "_stderr", "_lower", "_upper"))}
    return out


def _exponential(fit: Fit | None, by: np.ndarray, factor: float) -> tuple[float, float, float, float]:
    """Value, stderr and 95 % interval of factor exp(by . theta)."""
    if fit is None:
        return (np.nan,) * 4
    if fit.draws is not None:
        return _of_draws(factor * np.exp(fit.draws[:, :3] @ by))
    value, relative = factor * float(np.exp(by @ fit.theta[:3])), float(np.sqrt(by @ fit.covariance[:3, :3] @ by))
    with np.errstate(over="ignore"):  # a number that is not known has no upper end
        return value, value * relative, value * np.exp(-LEVEL * relative), value * np.exp(LEVEL * relative)


def _of_draws(values: np.ndarray) -> tuple[float, float, float, float]:
    """Median, half of the 68 % interval, and the 95 % interval."""
    low, lower, middle, upper, high = np.quantile(values, [0.025, 0.1587, 0.5, 0.8413, 0.975])
    return float(middle), float((upper - lower) / 2), float(low), float(high)


def _without(friction: np.ndarray, thermostat: float, *, lifetime: bool) -> np.ndarray:
    """G less the thermostat's over 2 pi, or one over the difference: value, stderr, 95 % interval by rows; what is left may be nothing."""
    value, error = friction[:, 0] - thermostat, friction[:, 1]
    low, high = np.maximum(friction[:, 2] - thermostat, 0.0), np.maximum(friction[:, 3] - thermostat, 0.0)
    if not lifetime:
        return np.stack([value, error, low, high], axis=1) / (2 * np.pi)
    with np.errstate(divide="ignore"):
        ends = [1 / high, 1 / low]
    known = value > LEVEL * error
    return np.stack([np.where(known, 1 / value, np.nan), np.where(known, error / value**2, np.nan), *ends], axis=1)


def _of_shape(fit: Fit | None, regime: str, name: str) -> tuple[float, float, float, float]:
    """Value, stderr and 95 % interval of a number of overdamped modes or central peaks; NaN for others."""
    if fit is None or (name.startswith("relaxation") and (fit.model == "lorentzian" or regime != "overdamped")):
        return (np.nan,) * 4
    if name.startswith("central") and fit.model != "central peak":
        return (np.nan,) * 4

    def of(theta: np.ndarray) -> float:
        if name == "central_peak_share":
            return float(np.exp(theta[3] - np.logaddexp(theta[1], theta[3])))
        if name == "central_peak_time":
            return float(np.exp(-theta[4]))
        stiffness, friction = np.exp(theta[1]), np.exp(theta[2])
        fast = friction / 2 + np.sqrt(max(friction**2 / 4 - stiffness, 0.0))
        return float(1 / fast if name == "relaxation_time_fast" else fast / stiffness)

    if fit.draws is not None:
        return _of_draws(np.array([of(theta) for theta in fit.draws]))
    steps = 1e-5 * np.eye(len(fit.theta))
    gradient = np.array([(of(fit.theta + step) - of(fit.theta - step)) / 2e-5 for step in steps])
    value, error = of(fit.theta), float(np.sqrt(gradient @ fit.covariance @ gradient))
    factor = float(np.exp(min(LEVEL * error / value, 700.0)))  # a time: symmetric in its logarithm, as those above
    return value, error, value / factor, value * factor
