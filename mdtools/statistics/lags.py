"""Which lags of a mean squared displacement enter a fit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.errors import NotEnoughData
from mdtools.statistics.covariance import relative_variance

__all__ = ["FEWEST_LAGS", "PER_DECADE", "usable_lags"]

Floats = NDArray[Any]
FEWEST_LAGS = 8
PER_DECADE = 12


def usable_lags(lags: Floats, *, n_frames: int, n_walkers: int, last: float | None = None, per_decade: int = PER_DECADE) -> Floats:
    """Which lags enter: at most 50, about `per_decade`, up to a third of the window (or `last`), with a relative error below 1/4.

    Raises NotEnoughData where fewer than 8 are left.
    """
    lags = np.asarray(lags, dtype=np.float64)
    fits = (lags >= 1) & (lags <= ((n_frames - 1) / 3 if last is None else last)) & (lags < n_frames)
    fits[fits] &= relative_variance(lags[fits], n_steps=n_frames - 1, n_walkers=n_walkers) <= 1 / 16 if last is None else True
    index = np.flatnonzero(fits)
    if len(index) < FEWEST_LAGS:
        raise NotEnoughData(
            f"a diffusion coefficient needs at least {FEWEST_LAGS} lags up to {'a third of a window' if last is None else 'the last one asked for'}, "
            f"with a relative error of the msd below 1/4; windows of {n_frames} frames leave {len(index)} of the {len(lags)} measured: "
            + (
                "give a longer run, fewer windows, shorter times between frames, or more lags"
                if last is None
                else "pass a longer lag_last, or more lags"
            )
        )
    wanted = np.geomspace(lags[index[0]], lags[index[-1]], min(50, 5 + int(per_decade * np.log10(lags[index[-1]] / lags[index[0]]))))
    grid = np.unique(np.abs(np.log(lags[index])[None, :] - np.log(wanted)[:, None]).argmin(axis=1))
    return index[grid] if len(grid) >= FEWEST_LAGS else index
