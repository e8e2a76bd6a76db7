"""Laws of ln y against inverse temperature, fitted to values and to bounds, compared by evidence and averaged.

With b = 1 / k_B T, b_m the mean of the points and w their largest distance from it, every law is linear in its coefficients once
one number (or none) is fixed; e is the local activation energy -d ln y / d b:

    arrhenius     ln y = l - e (b - b_m)
    quadratic     ln y = l - e (b - b_m) - c (b - b_m)^2 / 2 w             e rises by c over w
    vogel         ln y = l - e_m g(T; T_0)                                 y = A exp(-B / (T - T_0)), e_m its e at b_m
    two branches  ln y = l - e (b - b_m) - (j + d (b - b_c)) [b > b_c]     e + d below the crossover, a step of j there

A value is Gaussian in ln y. A bound y_95 (of a run that shows no diffusion) enters as exp(-(1.96 y / y_95)^2 / 2), the half-Gaussian
whose 95 % lie below it. The posterior of the coefficients is Gaussian (exact without bounds, Laplace with them); the fixed number is
summed over a grid. Priors are the same for all laws in what they share, so that evidences compare only what they add.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mdtools.statistics.replicas import conditions

__all__ = ["LAWS", "Component", "Law", "Points", "arrhenius_line", "averaged", "fit_laws", "quantiles"]

Floats = NDArray[Any]
LEVEL = 1.96  # a bound is this many standard deviations of the half-Gaussian
PRIOR_LEVEL = 10.0  # standard deviation of l, in ln y
PRIOR_ENERGY = 20.0  # of e, in k_B T of the middle
PRIOR_CHANGE = 10.0  # of c and d, in the same
PRIOR_STEP = 3.0  # of j, in ln y
PASSES = 500  # of Newton's method, by far enough unless a bound contradicts the values
GRID = 24  # values of the fixed number (between two temperatures, for the crossover)
LAWS = ("arrhenius", "quadratic", "vogel", "two branches")


@dataclass(frozen=True, kw_only=True)
class Points:
    """One entry a run. log_value, stderr : ln y and its error, NaN where there is only a bound. log_bound : ln y_95, NaN where there is a value."""

    beta: Floats
    log_value: Floats
    stderr: Floats
    log_bound: Floats

    @property
    def known(self) -> Floats:
        return np.isfinite(self.log_value)

    @property
    def middle(self) -> float:
        return float(self.beta[self.known].mean())

    @property
    def half_width(self) -> float:
        return float(np.abs(self.beta - self.middle).max())

    @property
    def distinct(self) -> Floats:
        """1 / b of the temperatures that have a value, rising, in units of energy; those closer than a thousandth are one."""
        return np.unique(conditions(1 / self.beta[self.known]))


@dataclass(frozen=True, kw_only=True)
class Component:
    """One law with its number fixed: coefficients (mean, covariance), chi^2 of the values, and ln of evidence times prior of the number.

    fixed : T_0 or the crossover, as k_B T; NaN for laws without. violation : what the bounds add to chi^2.
    """

    law: str
    fixed: float
    mean: Floats
    covariance: Floats
    chi2: float
    violation: float
    log_evidence: float
    middle: float
    half_width: float

    def rows(self, beta: Floats) -> Floats:
        """(point, coefficient): ln y = rows @ coefficients."""
        return _design(self.law, self.fixed, np.asarray(beta, dtype=np.float64), self.middle, self.half_width)

    def slopes(self, beta: Floats) -> Floats:
        """(point, coefficient): e = slopes @ coefficients."""
        return _slopes(self.law, self.fixed, np.asarray(beta, dtype=np.float64), self.middle, self.half_width)


@dataclass(frozen=True, kw_only=True)
class Law:
    """A law with the grid of its fixed number summed: ln evidence, its components with their shares (sum 1), and how well it fits.

    free : values less coefficients. misfit : probability of a worse chi^2 (bounds included) of the best component; NaN where no freedom is left.
    """

    name: str
    log_evidence: float
    components: tuple[Component, ...]
    shares: Floats
    free: int
    misfit: float

    @property
    def best(self) -> Component:
        return self.components[int(self.shares.argmax())]


def fit_laws(points: Points) -> list[Law]:
    """Every law that the number of temperatures allows: 3 for the line, 4 for quadratic and vogel, 5 for two branches.

    Raises ValueError for fewer than three temperatures with a value.
    """
    n = len(points.distinct)
    if n < 3:
        raise ValueError(f"laws need values at three temperatures, and there are {n}")
    found = []
    for name, fewest in zip(LAWS, (3, 4, 4, 5), strict=True):
        if n >= fewest:
            components = [_component(points, name, fixed, prior) for fixed, prior in _grid(points, name)]
            log = np.array([one.log_evidence for one in components])
            total = float(special.logsumexp(log))
            shares = np.exp(log - total)
            best = components[int(shares.argmax())]
            free = int(points.known.sum()) - len(best.mean) - (not np.isnan(best.fixed))
            misfit = float(special.gammaincc(free / 2, (best.chi2 + best.violation) / 2)) if free > 0 else np.nan
            found.append(Law(name=name, log_evidence=total, components=tuple(components), shares=shares, free=free, misfit=misfit))
    return found


def averaged(laws: list[Law]) -> tuple[list[Component], Floats]:
    """All components of all laws with their probabilities, laws equally likely beforehand."""
    log = np.array([law.log_evidence for law in laws])
    of_law = special.softmax(log)
    parts = [component for law in laws for component in law.components]
    return parts, np.concatenate([p * law.shares for p, law in zip(of_law, laws, strict=True)])


def quantiles(means: Floats, deviations: Floats, shares: Floats, levels: Floats) -> Floats:
    """Quantiles (level, point) of mixtures of Gaussians, by bisection of their distribution functions.

    means, deviations : (component, point). shares : (component,).
    """
    low = np.tile((means - 9 * deviations).min(axis=0), (len(levels), 1))
    high = np.tile((means + 9 * deviations).max(axis=0), (len(levels), 1))
    wide = np.maximum(deviations, 1e-300)
    for _ in range(50):
        half = (low + high) / 2
        below = np.einsum("c,clp->lp", shares, special.ndtr((half - means[:, None]) / wide[:, None])) < np.asarray(levels)[:, None]
        low, high = np.where(below, half, low), np.where(below, high, half)
    return (low + high) / 2


def _grid(points: Points, law: str) -> Iterator[tuple[float, float]]:
    """Values of the fixed number, with ln of their prior weight (uniform in temperature over what is allowed)."""
    kelvin = points.distinct
    if law == "vogel":
        for share in (np.arange(2 * GRID) + 0.5) / (2 * GRID):
            yield 0.95 * share * float(min(kelvin[0], (1 / points.beta).min())), -np.log(2 * GRID)
    elif law == "two branches":
        whole = kelvin[-2] - kelvin[1]
        for low, high in pairwise(kelvin[1:-1]):
            for share in (np.arange(GRID) + 0.5) / GRID:
                yield float(low + share * (high - low)), float(np.log((high - low) / whole / GRID))
    else:
        yield np.nan, 0.0


def _design(law: str, fixed: float, beta: Floats, middle: float, half_width: float) -> Floats:
    away = beta - middle
    columns = [np.ones_like(beta), -away]
    if law == "quadratic":
        columns.append(-np.square(away) / (2 * half_width))
    elif law == "vogel":
        t, m = 1 / beta, 1 / middle
        columns[1] = (1 / (m - fixed) - 1 / (t - fixed)) * ((m - fixed) / m) ** 2
    elif law == "two branches":
        cold = beta > 1 / fixed
        columns += [-cold.astype(np.float64), -(beta - 1 / fixed) * cold]
    return np.stack(columns, axis=-1)


def _slopes(law: str, fixed: float, beta: Floats, middle: float, half_width: float) -> Floats:
    columns = [np.zeros_like(beta), np.ones_like(beta)]
    if law == "quadratic":
        columns.append((beta - middle) / half_width)
    elif law == "vogel":
        t, m = 1 / beta, 1 / middle
        columns[1] = np.square(t / (t - fixed) * (m - fixed) / m)
    elif law == "two branches":
        columns += [np.zeros_like(beta), (beta > 1 / fixed).astype(np.float64)]
    return np.stack(columns, axis=-1)


def _prior(law: str, points: Points) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each coefficient."""
    energy = 1 / points.middle
    more = {"quadratic": [PRIOR_CHANGE * energy], "two branches": [PRIOR_STEP, PRIOR_CHANGE * energy]}.get(law, [])
    deviation = np.array([PRIOR_LEVEL, PRIOR_ENERGY * energy, *more])
    mean = np.zeros(len(deviation))
    mean[0] = points.log_value[points.known].mean()
    return mean, deviation


def arrhenius_line(points: Points) -> tuple[Floats, Floats, float]:
    """(ln A, E), their covariance and chi^2 of the values, of the Arrhenius law without any prior."""
    rows = np.stack([np.ones_like(points.beta), -points.beta], axis=-1)
    at, hessian, chi2, _ = _maximum(points, rows, np.zeros(2), np.zeros(2))
    return at, np.linalg.inv(hessian), chi2


def _component(points: Points, law: str, fixed: float, log_prior: float) -> Component:
    rows = _design(law, fixed, points.beta, points.middle, points.half_width)
    mean, deviation = _prior(law, points)
    at, hessian, chi2, violation = _maximum(points, rows, mean, deviation**-2.0)
    known = points.known
    log_likelihood = -0.5 * (chi2 + violation) - float(np.log(points.stderr[known]).sum()) - 0.5 * known.sum() * np.log(2 * np.pi)
    scaled = (at - mean) / deviation
    occam = -0.5 * float(scaled @ scaled) - float(np.log(deviation).sum()) - 0.5 * float(np.linalg.slogdet(hessian)[1])
    return Component(
        law=law,
        fixed=fixed,
        mean=at,
        covariance=np.linalg.inv(hessian),
        chi2=chi2,
        violation=violation,
        log_evidence=log_likelihood + occam + log_prior,
        middle=points.middle,
        half_width=points.half_width,
    )


def _maximum(points: Points, rows: Floats, mean: Floats, precision: Floats) -> tuple[Floats, Floats, float, float]:
    """Coefficients of the largest posterior, its Hessian there, chi^2 of the values, and what the bounds add to it.

    Newton's method on minus the log posterior, which is convex; one step where there are only values.
    Raises ValueError where a bound lies out of reach of the values.
    """
    known = points.known
    weight = np.where(known, 1 / np.square(np.where(known, points.stderr, 1.0)), 0.0)
    target = np.where(known, points.log_value, 0.0)
    values = np.linalg.solve((rows.T * weight) @ rows + np.diag(precision), rows.T @ (weight * target) + precision * mean)
    at = values
    # beyond, where the pull of a bound is that of a thousand values many errors away, it grows no more: the Hessian stays sound
    reach = 8.0 + 0.5 * np.log(max(1.0, 1e-4 * float(weight.max())))
    for _ in range(PASSES):
        squares = _bound_terms(rows, at, points, reach)
        gradient = rows.T @ (weight * (target - rows @ at) - squares) - (at - mean) * precision
        hessian = (rows.T * (weight + 2 * squares)) @ rows + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        # far above a bound the curvature is that of an exponential: no step changes ln y by more than 5 there
        far = np.abs(rows[~known] @ step).max(initial=0.0)
        at = at + step * min(1.0, 5.0 / far if far > 0 else 1.0)
        if np.abs(rows @ step).max() < 1e-10:
            break
    else:
        raise ValueError("a bound lies too far below the values of other runs for any law: check the run that it comes from")
    squares = _bound_terms(rows, at, points, reach)
    hessian = (rows.T * (weight + 2 * squares)) @ rows + np.diag(precision)
    residual = (target - rows @ at)[known] / points.stderr[known]
    return at, hessian, float(residual @ residual), float(squares.sum())


def _bound_terms(rows: Floats, at: Floats, points: Points, reach: float) -> Floats:
    """(1.96 y / y_95)^2 of bounded points, 0 for the others; its half is what they add to minus ln likelihood."""
    bounded = ~points.known
    beyond = np.where(bounded, rows @ at - np.where(bounded, points.log_bound, 0.0), -np.inf)
    return np.square(LEVEL * np.exp(np.minimum(beyond, reach)))
