"""How many ions move together: the four-point susceptibility."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.interval import lengthened
from mdtools.statistics.vibrations import jackknife_of_rows

__all__ = ["four_point_susceptibility"]

FEWEST = 4  # windows
OPEN = (0.02, 0.98)  # overlaps between which some ions have moved and others have not


@schema.recorded
def four_point_susceptibility(overlap_fluctuations: xr.Dataset) -> xr.Dataset:
    """chi_4(t) = N (<Q^2> - <Q>^2) of the overlap Q of each species, and how many ions move together.

    Of ions that move each for itself, and all alike, chi_4 = q (1 - q), q = <Q>, whatever their number: chi_4 does not grow with N, and is
    intensive once the cell is wider than the groups that move together. `correlated_ions` = chi_4 / (q (1 - q)) at the lag of the
    largest chi_4 is 1 for these, m for groups of m; several where ions go in strings or a region flows. Where only a share p of the
    ions of a species moves it is 1 / (2 - p) times that (2/3 for a half): near 1 is no proof that ions go alone. As the largest of values that
    scatter it is too high by 2 to 7 %, 0.4 of its errors. A run of fixed N, V and T (or E) leaves out what fluctuations of these would add: its
    chi_4 is a lower bound of that of an open system, so that runs of different ensembles, or of a cell too small for the groups, do not compare.
    Bias of the finite run is taken away from chi_4, and errors are made, by a jackknife over the windows.

    Returns `four_point_susceptibility` (species, lag) with _stderr, `overlap` (species, lag); (species) `correlated_ions` with _stderr,
    `heterogeneity_lag`, the lag of the largest chi_4 (NaN, as is `correlated_ions`, where q stays above 0.98 or below 0.02: none, or all, moved),
    and `regime`: "peak", "rising" where that is the longest lag, "no motion".
    Raises NotEnoughData for fewer than four windows.
    Source: L. Berthier et al., J. Chem. Phys. 126, 184503 (2007); reference/science.md C3.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.four_point import overlap_fluctuations
    >>> walk = synthetic.brownian(n_atoms=200, n_frames=1800, diffusivity=0.4, seed=1)
    >>> found = four_point_susceptibility(overlap_fluctuations(walk, reference="none"))
    >>> bool(abs(found.correlated_ions[0] - 1) < 3 * found.correlated_ions_stderr[0])
    True
    """
    data = overlap_fluctuations
    n_windows = data.sizes["window"]
    if n_windows < FEWEST:
        raise NotEnoughData(
            f"four_point_susceptibility learns its errors from {FEWEST} windows or more; there are {n_windows}: measure with windows=8 (--windows)"
        )
    mean, square = (data[name].transpose("window", "species", "lag").values for name in ("overlap", "overlap_square"))
    ions = data.n_ions.values[:, None]
    rows = np.stack([mean, square], axis=1).reshape(n_windows, -1)

    def moments(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = some.mean(axis=0).reshape(2, *mean.shape[1:])
        return first, ions * (second - first**2)

    chi, error = jackknife_of_rows(lambda some: moments(some)[1].ravel(), rows)
    chi, error = chi.reshape(mean.shape[1:]), error.reshape(mean.shape[1:])
    q = mean.mean(axis=0)
    some = (q > OPEN[0]) & (q < OPEN[1])
    at = np.argmax(np.where(some, chi, -np.inf), axis=1)
    each = np.arange(len(q)), at
    there = some.any(axis=1)

    def together(part: np.ndarray) -> np.ndarray:
        first, fourth = moments(part)
        first, fourth = first[each], fourth[each]
        return np.where(there, fourth / np.maximum(first * (1 - first), 1e-12), np.nan)

    ratio, ratio_error = jackknife_of_rows(together, rows)
    wide = lengthened(n_windows - 1)
    lag = data.lag.values
    out = {
        **carried(data),
        "four_point_susceptibility": (("species", "lag"), chi),
        "four_point_susceptibility_stderr": (("species", "lag"), error * wide),
        "overlap": (("species", "lag"), q),
        "correlated_ions": ("species", ratio),
        "correlated_ions_stderr": ("species", ratio_error * wide),
        "heterogeneity_lag": ("species", np.where(there, lag[at], np.nan)),
        "regime": ("species", np.where(there, np.where(at < len(lag) - 1, "peak", "rising"), "no motion")),
        "species": data.species.values,
        "lag": lag,
    }
    return schema.dataset(out, reduced=is_reduced(data))
