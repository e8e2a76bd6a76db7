"""Where a quantity measured at several temperatures changes most, where a line in 1/T bends, and whether there is an excess at all."""

from dataclasses import dataclass

import numpy as np

from mdtools.statistics.peak import steepest_of_process

__all__ = ["Located", "change_point", "excess_models", "knee", "largest", "line_at", "steepest", "two_branches"]

MODELS = ("smooth", "excess", "step")
SEARCHED = {"step": 6, "excess": 8}  # parameters, those that are searched for on a grid counted twice
WIDTHS = 12  # of the transition, on a grid
DOUBT = 0.02  # probability of a smooth curve, above which a maximum that no two points show is none
BENT = 9.2  # chi^2 that two lines must explain beyond one
OUT = 2.5  # standard errors, by which a maximum stands out
PLACES = 9  # in a gap, where a step may be
SUREST = np.log(1e4)  # log-odds that one run adds at most
FOUND = 0.8  # share of the draws in which there is one, without which none is told


@dataclass(frozen=True)
class Located:
    """A temperature, its standard error, and the ends of its 95 % interval, no closer than the runs lie; NaN where there is none."""

    value: float = np.nan
    stderr: float = np.nan
    lower: float = np.nan
    upper: float = np.nan


def steepest(t: np.ndarray, y: np.ndarray, error: np.ndarray, *, draws: int, random: np.random.Generator) -> tuple[Located, np.ndarray, np.ndarray]:
    """t (ascending) where dy/dt is largest, with its error, and dy/dt of every interval between neighbouring points with its own.

    The place is the median over the curves of a Gaussian process that the points allow: it may lie anywhere between the runs, and its
    error holds what their distance leaves open. In 80 % of the draws it must lie within the series (a slope that is largest in the interval at an
    end has no maximum), and there the slope must stand out of a straight line through those of the others, neighbours left out, by 2.5
    standard errors; or, where points lie so close that no slope between two of them does, y must not be smooth (`excess_models`, 2 %).
    """
    middle, gap = (t[1:] + t[:-1]) / 2, np.diff(t)
    slope, slope_error = np.diff(y) / gap, np.hypot(error[1:], error[:-1]) / gap
    _, _, at = steepest_of_process(t, y, error, draws=draws, random=random)
    inner = (at > t[1]) & (at < t[-2])
    if len(t) < 4 or inner.mean() < FOUND:
        return Located(), slope, slope_error
    value = float(np.median(at[inner]))
    near = np.abs(middle - value) <= gap
    stands = max(_standing_out(middle, slope, slope_error, int(k)) for k in np.flatnonzero(near)) >= OUT
    if not stands and excess_models(t, y, error)["smooth"] > DOUBT:
        return Located(), slope, slope_error
    k = int(np.clip(np.searchsorted(t, value), 1, len(t) - 1))
    return Located(value, float(at[inner].std()), *_wider(at[inner], t[k - 1], t[k])), slope, slope_error


def change_point(t: np.ndarray, probability: np.ndarray, *, prior: float = 0.5) -> Located:
    """Temperature above which a state is there, from its calibrated probability in a run at each t (ascending, equal t allowed).

    prior : of the state, before anything was measured, in these probabilities. What run i says for the state is L_i = p_i / (1 - p_i) *
    (1 - prior) / prior: a run that says nothing has p_i = prior. With T_c equally likely everywhere, p(T_c between t_k and t_k+1) ~
    (t_k+1 - t_k) prod_{i > k} L_i, runs being independent. Below the first and above the last run T_c has the width of the next gap; it
    must lie between them with a probability of 80 %. Median, standard deviation and 95 % interval of that distribution.
    """
    p = np.clip(probability, 1e-12, 1 - 1e-12)
    places, first = np.unique(t, return_index=True)
    if len(places) < 2:
        return Located()
    edges = np.append(first, len(t))
    against = np.clip(np.log((1 - p) / p * prior / (1 - prior)), -SUREST, SUREST)
    log_state = np.concatenate([[0.0], np.cumsum(against)])[edges]  # of the runs up to each place, none of them in the state
    width = np.diff(places)
    log_weight = log_state + np.log(np.concatenate([[width[0]], width, [width[-1]]]))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    inner = weight[1:-1]
    if inner.sum() < FOUND:
        return Located()
    inner = inner / inner.sum()
    total = np.concatenate([[0.0], np.cumsum(inner)])
    lower, value, upper = np.interp([0.025, 0.5, 0.975], total, places)
    middle = (places[1:] + places[:-1]) / 2
    mean = float(inner @ middle)
    variance = float(inner @ ((middle - mean) ** 2 + width**2 / 12))
    return Located(float(value), float(np.sqrt(variance)), float(lower), float(upper))


def two_branches(t: np.ndarray, h: np.ndarray, error: np.ndarray) -> tuple[Located, float, float]:
    """Where two straight branches of h(t) are left for one another, the step of h there, and its standard error.

    Every gap that leaves three points on either side is weighed by its likelihood and its width, since the step may be anywhere in it.
    """
    rows = []
    for k in range(2, len(t) - 3):
        sides = [_straight(t[part], h[part], error[part]) for part in (slice(0, k + 1), slice(k + 1, len(t)))]
        (low, low_cov, low_chi), (high, high_cov, high_chi) = sides
        for at in t[k] + (t[k + 1] - t[k]) * (np.arange(PLACES) + 0.5) / PLACES:
            design = np.array([1.0, at])
            step = float(design @ (high - low))
            rows.append((at, step, float(design @ (low_cov + high_cov) @ design), low_chi + high_chi, t[k + 1] - t[k]))
    if not rows:
        return Located(), np.nan, np.nan
    places, step, variance, chi2, width = np.array(rows).T
    weight = width * np.exp(-0.5 * (chi2 - chi2.min()))
    weight /= weight.sum()
    order = np.argsort(places)
    total = np.cumsum(weight[order])
    lower, value, upper = np.interp([0.025, 0.5, 0.975], total, places[order])
    mean = float(weight @ step)
    spread = float(np.sqrt(weight @ (variance + (step - mean) ** 2)))
    k = int(np.clip(np.searchsorted(t, value), 1, len(t) - 1))
    deviation = float(np.sqrt(weight @ (places - weight @ places) ** 2))
    return Located(float(value), deviation, float(min(lower, t[k - 1])), float(max(upper, t[k]))), mean, spread


def knee(t: np.ndarray, log_d: np.ndarray, error: np.ndarray, *, draws: int, random: np.random.Generator) -> Located:
    """Temperature at which two straight lines of ln D against 1/T meet, two runs or more on either side, the hot one flatter.

    None where one straight line leaves no more than 9.2 of chi^2 beyond that of two, which chance does in 1 % (two parameters more).
    """
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
    two = float(np.min(np.sum((left @ (log_d * inverse)) ** 2, axis=-1)))
    one_line = float(_straight(x, log_d, error)[2])
    if bend >= 0 or np.mean(bends < 0) < FOUND or one_line - two < BENT:
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


def largest(t: np.ndarray, y: np.ndarray, error: np.ndarray, *, draws: int, random: np.random.Generator) -> Located:
    """The point at which y is largest, as a fluctuation is at T_c: no nearer than the points beside it.

    None where it lies at an end, where less than 80 % of the draws lie within, or where it does not stand out of a straight line through
    the others, neighbours left out, by 2.5 standard errors: the largest of equal numbers is somewhere.
    """
    peak = int(np.argmax(y))
    if not 0 < peak < len(t) - 1 or _standing_out(t, y, error, peak) < OUT:
        return Located()
    drawn = np.argmax(y + error * random.normal(size=(draws, len(t))), axis=1)
    if np.mean((drawn > 0) & (drawn < len(t) - 1)) < FOUND:
        return Located()
    left, right = t[peak - 1], t[peak + 1]
    return Located(float(t[peak]), float(t[drawn].std() + (right - left) / 4), *_wider(t[drawn], left, right))


def line_at(at: np.ndarray, x: np.ndarray, y: np.ndarray, error: np.ndarray, *, slope: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Straight line through y(x), weighted by its errors, and the line's standard error, `at` some x; without a slope the weighted mean.

    Errors are longer by sqrt(chi^2 / degrees of freedom) where that is more than 1.

    >>> line_at(np.array([2.0]), np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 4.0]), np.ones(3))[0]
    array([3.])
    """
    powers = np.arange(2 if slope else 1)
    centre = x.mean()
    design, wanted = (np.power.outer(one - centre, powers) for one in (x, at))
    covariance = np.linalg.inv(design.T @ (design / error[:, None] ** 2))
    found = covariance @ (design.T @ (y / error**2))
    chi2 = float(np.sum(((y - design @ found) / error) ** 2))
    longer = max(1.0, chi2 / max(len(x) - len(powers), 1))
    return wanted @ found, np.sqrt(longer * np.einsum("ap,pq,aq->a", wanted, covariance, wanted))


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


def _straight(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Intercept and slope, their covariance, and chi^2."""
    design = np.stack([np.ones_like(x), x], axis=1)
    covariance = np.linalg.inv(design.T @ (design / error[:, None] ** 2))
    found = covariance @ (design.T @ (y / error**2))
    return found, covariance, float(np.sum(((y - design @ found) / error) ** 2))


def _wider(drawn: np.ndarray, left: float, right: float) -> tuple[float, float]:
    """The interval of the draws, and at least that between the runs on either side: what lies between is not seen."""
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return float(min(lower, left)), float(max(upper, right))
