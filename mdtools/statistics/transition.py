"""Where a quantity measured at several temperatures changes most, where a line in 1/T bends, and whether there is an excess at all."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Located", "excess_models", "half_way", "knee", "steepest"]

MODELS = ("smooth", "excess", "step")
SEARCHED = {"step": 6, "excess": 8}  # parameters, those that are searched for on a grid counted twice
WIDTHS = 12  # of the transition, on a grid
OUT = 2.5  # standard errors, by which a maximum stands out
FOUND = 0.8  # share of the draws in which there is one, without which none is told


@dataclass(frozen=True)
class Located:
    """A temperature, its standard error, and the ends of its 95 % interval, no closer than the runs lie; NaN where there is none."""

    value: float = np.nan
    stderr: float = np.nan
    lower: float = np.nan
    upper: float = np.nan


def steepest(t: np.ndarray, y: np.ndarray, error: np.ndarray, *, draws: int, random: np.random.Generator) -> tuple[Located, np.ndarray, np.ndarray]:
    """Middle of the interval of t (ascending) where dy/dt is largest, with its error, and dy/dt of every interval with its own.

    The interval must lie within the series in 80 % of the draws: a slope that is largest at an end has no maximum. It must stand out of a
    straight line through the slopes of the others, its neighbours left out, by 2.5 standard errors.
    """
    middle, gap = (t[1:] + t[:-1]) / 2, np.diff(t)
    slope, slope_error = np.diff(y) / gap, np.hypot(error[1:], error[:-1]) / gap
    drawn = np.diff(y + error * random.normal(size=(draws, len(y))), axis=1) / gap
    at = np.argmax(drawn, axis=1)
    best = int(np.argmax(slope))
    inner = (at > 0) & (at < len(middle) - 1)
    if best in (0, len(middle) - 1) or inner.mean() < FOUND or _standing_out(middle, slope, slope_error, best) < OUT:
        return Located(), slope, slope_error
    return _located(middle, gap, at[inner], middle[best]), slope, slope_error


def half_way(t: np.ndarray, y: np.ndarray, error: np.ndarray, level: float, *, draws: int, random: np.random.Generator) -> Located:
    """Where y crosses `level`, linear between the runs: the first crossing; none where y does not."""

    def crossing(values: np.ndarray) -> float:
        above = values > level
        at = np.flatnonzero(above[1:] != above[:-1])
        if len(at) == 0:
            return np.nan
        k = int(at[0])
        return float(t[k] + (level - values[k]) / (values[k + 1] - values[k]) * (t[k + 1] - t[k]))

    value = crossing(y)
    drawn = np.array([crossing(y + error * random.normal(size=len(y))) for _ in range(draws)])
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(drawn) < FOUND * draws:
        return Located()
    k = int(np.clip(np.searchsorted(t, value), 1, len(t) - 1))
    return Located(value, float(np.hypot(drawn.std(), (t[k] - t[k - 1]) / np.sqrt(12))), *_wider(drawn, t[k - 1], t[k]))


def knee(t: np.ndarray, log_d: np.ndarray, error: np.ndarray, *, draws: int, random: np.random.Generator) -> Located:
    """Temperature at which two straight lines of ln D against 1/T meet, two runs or more on either side, the hot one flatter."""
    x = 1 / t
    grid = np.linspace(x[-2], x[1], 200)
    inverse = 1 / np.maximum(error, 1e-6)
    design = np.stack([np.stack([np.ones_like(x), x, np.maximum(x - one, 0.0)], axis=1) * inverse[:, None] for one in grid])
    pseudo = np.linalg.pinv(design)
    left = np.eye(len(t)) - design @ pseudo  # what the two lines of each meeting point leave over

    def best(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Meeting point and change of slope of each row."""
        scaled = y * inverse
        at = np.argmin(np.sum(np.einsum("gij,dj->dgi", left, scaled) ** 2, axis=-1), axis=1)
        return 1 / grid[at], np.einsum("dj,dj->d", pseudo[at, 2], scaled)

    if len(t) < 5:
        return Located()
    value, bend = (float(one[0]) for one in best(log_d[None]))
    drawn, bends = best(log_d + error * random.normal(size=(draws, len(t))))
    if bend >= 0 or np.mean(bends < 0) < FOUND:
        return Located()
    kept = drawn[bends < 0]
    k = int(np.clip(np.searchsorted(t, value), 1, len(t) - 1))
    return Located(value, float(kept.std()), *_wider(kept, t[k - 1], t[k]))


def excess_models(t: np.ndarray, h: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """Probability, by BIC, that h(t) is smooth (a parabola, or a cubic without a largest slope between its ends), has an excess of finite
    width (and one logistic step), or jumps.

    A heat capacity that bends, as of an anharmonic crystal, is no excess: a wide logistic step would follow it as well as the cubic does.

    Sharper than a quarter of the distance of the runs the width is not resolved: that is a jump.
    """
    scaled = (t - t.mean()) / np.ptp(t)
    gap = np.diff(t).max() / np.ptp(t)
    base = np.stack([np.ones_like(scaled), scaled, scaled**2], axis=1)
    spread = np.concatenate([[0.05 * gap], np.geomspace(0.25 * gap, 0.3, WIDTHS)])
    smooth = min(_chi2(base, h, error) + 3 * np.log(len(t)), _bent(scaled, h, error) + 4 * np.log(len(t)))
    found = {"smooth": smooth, "excess": np.inf, "step": np.inf}
    for centre in np.linspace(scaled[1], scaled[-2], 60):
        for width in spread:
            step = 1 / (1 + np.exp(-np.clip((scaled - centre) / width, -60, 60)))
            name = "step" if width < 0.1 * gap else "excess"
            # the heat of a transition is taken up, so that an excess that is negative is none
            chi2 = _chi2(np.column_stack([base[:, :2], step]) if name == "step" else np.column_stack([base, step]), h, error, last_positive=True)
            found[name] = min(found[name], chi2 + SEARCHED[name] * np.log(len(t)))
    least = min(found.values())
    weight = {name: np.exp(-0.5 * (value - least)) for name, value in found.items()}
    return {name: float(weight[name] / sum(weight.values())) for name in MODELS}


def _standing_out(x: np.ndarray, y: np.ndarray, error: np.ndarray, at: int) -> float:
    """How many standard errors y[at] lies above the straight line through what is not its neighbour."""
    others = np.abs(np.arange(len(x)) - at) > 1
    if others.sum() < 3:
        return 0.0
    design = np.stack([np.ones_like(x), x - x[at]], axis=1)
    covariance = np.linalg.inv(design[others].T @ (design[others] / error[others, None] ** 2))
    base = covariance @ (design[others].T @ (y[others] / error[others] ** 2))
    return float((y[at] - base[0]) / np.hypot(error[at], np.sqrt(covariance[0, 0])))


def _bent(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> float:
    """chi^2 of a cubic; infinite where its slope is largest between the ends, which is an excess."""
    cubic = np.polynomial.Polynomial.fit(x, y, 3, w=1 / error)
    third, second = cubic.deriv(3)(0.0), cubic.deriv(2)
    if third < 0 and second(x[0]) > 0 > second(x[-1]):
        return np.inf
    return float(np.sum(((y - cubic(x)) / error) ** 2))


def _chi2(design: np.ndarray, y: np.ndarray, error: np.ndarray, *, last_positive: bool = False) -> float:
    scaled = design / error[:, None]
    found = np.linalg.lstsq(scaled, y / error, rcond=None)[0]
    if last_positive and found[-1] <= 0:
        return np.inf
    return float(np.sum((y / error - scaled @ found) ** 2))


def _located(middle: np.ndarray, gap: np.ndarray, at: np.ndarray, value: float) -> Located:
    drawn = middle[at]
    k = int(np.argmin(np.abs(middle - value)))
    lower, upper = _wider(drawn, middle[k] - gap[k] / 2, middle[k] + gap[k] / 2)
    return Located(float(value), float(np.hypot(drawn.std(), gap[k] / np.sqrt(12))), lower, upper)


def _wider(drawn: np.ndarray, left: float, right: float) -> tuple[float, float]:
    """The interval of the draws, and at least that between the runs on either side: what lies between is not seen."""
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return float(min(lower, left)), float(max(upper, right))
