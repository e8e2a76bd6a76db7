"""How long the strings are in which ions take one another's places, and whether they close."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.interval import lengthened
from mdtools.statistics.vibrations import jackknife_of_rows

__all__ = ["string_length"]

FEWEST = 4  # windows
ENOUGH = 1.0  # ions that have moved, mean of a time origin in every window, from which their strings are counted
NAMES = ("string_number", "string_ions", "replaced_ions", "loop_ions")


@schema.recorded
def string_length(replacement_strings: xr.Dataset) -> xr.Dataset:
    """Mean number of ions in a string <n> = (ions that have moved) / (strings), for each species and lag.

    1 of ions that go to places that were empty, n of chains in which each takes the place of the one before (a vacancy that has hopped n times leaves
    one of n), 2 and more of ions that change places. `replaced_share` is the share of the ions that have moved whose places were
    taken: (n - 1) / n of open chains, 1 of loops; `loop_share` that of ions in loops. In a liquid places are taken by chance once most ions have
    moved, `replaced_by_chance` of them, and strings join at random: the short lags speak. Errors by a jackknife over windows.

    Returns `string_length`, `replaced_share`, `loop_share` with _stderr and `replaced_by_chance` (species, lag), NaN where a window has fewer than
    one such ion a time origin; (species) `string_lag`, the lag at which strings are longest, `string_length_longest` there with _stderr (as the
    largest of values that scatter it is a little too high), and `regime`: "peak", "rising" where that is the longest lag, "no motion".
    Raises NotEnoughData for fewer than four windows.
    Source: C. Donati et al., Phys. Rev. Lett. 80, 2338 (1998); reference/science.md row 32, C3.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.strings import replacement_strings
    >>> walk = synthetic.vacancy_hopper(cells=3, n_frames=400, jumps_per_frame=1, framework=True)
    >>> bool(string_length(replacement_strings(walk)).string_length_longest[0] > 2)
    True
    """
    data = replacement_strings
    n_windows = data.sizes["window"]
    if n_windows < FEWEST:
        raise NotEnoughData(
            f"string_length learns its errors from {FEWEST} windows or more; there are {n_windows}: measure with windows=8 (--windows)"
        )
    each = np.stack([data[name].transpose("window", "species", "lag").values for name in NAMES], axis=1)
    shape = each.shape[2:]
    enough = np.all(each[:, 1] >= ENOUGH, axis=0)
    rows = each.reshape(n_windows, -1)

    def ratios(some: np.ndarray) -> np.ndarray:
        strings, ions, replaced, looped = some.mean(axis=0).reshape(len(NAMES), *shape)
        there = np.where(enough, ions, np.nan)
        return np.stack([there / np.maximum(strings, 1e-300), replaced / there, looped / there])

    error = jackknife_of_rows(lambda some: ratios(some).ravel(), rows)[1]
    length, replaced, looped = ratios(rows)  # ratios of sums: 1 where no string is longer, which a correction would move
    error = error.reshape(3, *shape) * lengthened(n_windows - 1)
    there = enough.any(axis=1)
    at = np.argmax(np.where(enough, length, -np.inf), axis=1)
    of = np.arange(len(at)), at
    lag = data.lag.values
    names = ("string_length", "replaced_share", "loop_share")
    out = {
        **carried(data),
        **{name: (("species", "lag"), x) for name, x in zip(names, (length, replaced, looped), strict=True)},
        **{f"{name}_stderr": (("species", "lag"), x) for name, x in zip(names, error, strict=True)},
        "replaced_by_chance": (("species", "lag"), np.where(enough, data.replaced_by_chance.transpose("species", "lag").values, np.nan)),
        "string_lag": ("species", np.where(there, lag[at], np.nan)),
        "string_length_longest": ("species", np.where(there, length[of], np.nan)),
        "string_length_longest_stderr": ("species", np.where(there, error[0][of], np.nan)),
        "regime": ("species", np.where(there, np.where(at < len(lag) - 1, "peak", "rising"), "no motion")),
        "species": data.species.values,
        "lag": lag,
    }
    return schema.dataset(out, reduced=is_reduced(data))
