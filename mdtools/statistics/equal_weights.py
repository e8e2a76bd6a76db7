"""The ordinary straight line through a mean squared displacement, as it is drawn by eye, with the error that it really has."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.covariance import walk_covariance
from mdtools.statistics.diffusion import Diffusion
from mdtools.statistics.interval import Variance, interval

__all__ = ["equal_weights"]

MOST = 1000  # lags whose covariance is formed; more of them, evenly spaced, change the error of the line by less than a percent


def equal_weights(
    lags: NDArray[np.float64], by_axis: NDArray[np.float64], exact: Diffusion, *, n_steps: int, n_walkers: int, known: bool = True
) -> Diffusion:
    """The line through all `lags` with equal weights, beside what the exact estimate `exact` of the same MSD says of everything else.

    Its variance is that of this linear combination of the MSD under the covariance of walks with the slope and the intercept of each axis,
    times the inflation of the exact estimate; without that (`known` false) errors and intervals are NaN.
    lags : (lag,) frames. by_axis : (axis, lag), the mean over n_walkers windows of ions, each of n_steps steps.
    """
    offsets, slopes = _line(lags) @ by_axis.T
    slope = float(slopes.sum())
    taken = lags[np.unique(np.linspace(0, len(lags) - 1, MOST).round().astype(int))]
    weights = _line(taken)
    both, still, walk = (
        sum(
            np.einsum("pl,lm,pm->p", weights, walk_covariance(taken, n_steps=n_steps, step_variance=max(s, 0.0) * a, noise=max(o, 0.0) * b), weights)
            for s, o in zip(slopes, offsets, strict=True)
        )
        * (exact.inflation / n_walkers if known else np.nan)
        for a, b in ((1, 1), (0, 1), (1, 0))
    )
    at = max(slope, 1e-300)
    parts = Variance(noise=still[1], mixed=(both - still - walk)[1] / at, squares=walk[1] / at / at)
    (lower, upper), (lower_68, upper_68) = (
        interval(slope, parts, dof=exact.dof, level=level) if known else (np.nan, np.nan) for level in (0.95, 0.6827)
    )
    ends = {"lower": lower, "upper": upper, "lower_68": lower_68, "upper_68": upper_68}
    return replace(
        exact,
        slope=slope,
        stderr=float(np.sqrt(both[1])),
        intercept=float(offsets.sum()),
        intercept_stderr=float(np.sqrt(both[0])),
        inflation=exact.inflation if known else np.nan,
        lag_first=float(lags[0]),
        lag_last=float(lags[-1]),
        **({name: float(end) for name, end in ends.items()} if exact.regime in ("diffusive", "subdiffusive") else {}),
    )


def _line(lags: NDArray[np.float64]) -> NDArray[np.float64]:
    """(intercept, slope) = weights (2, lag) @ y by ordinary least squares."""
    away = lags - lags.mean()
    slope = away / (away @ away)
    return np.stack([1 / len(lags) - lags.mean() * slope, slope])
