"""A curve with the spread over windows as a band."""

from typing import Any

import numpy as np
import xarray as xr

__all__ = ["curve", "mean_and_error"]


def mean_and_error(one: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Mean over windows and its standard error from their spread; None where there is one window."""
    if "window" not in one.dims:
        return one, None
    n = one.sizes["window"]
    return one.mean("window"), None if n < 2 else one.std("window", ddof=1) / np.sqrt(n)


def curve(ax: Any, x: np.ndarray, one: xr.DataArray, keep: np.ndarray, *, floor: float | None = None, **look: Any) -> np.ndarray:
    """Draw the mean over windows with two standard errors as a band, at the indices `keep`; returns what was drawn.

    floor : nothing is drawn below it, for a logarithmic axis.
    """
    mean, error = mean_and_error(one)
    values = np.asarray(mean.values, dtype=np.float64)[keep]
    shown = np.where(values > floor, values, np.nan) if floor is not None else values
    (line,) = ax.plot(x[keep], shown, **look)
    if error is not None:
        wide = 2 * error.values[keep]
        low = values - wide if floor is None else np.maximum(values - wide, np.maximum(values * 0.05, floor))
        ax.fill_between(x[keep], low, values + wide, color=line.get_color(), alpha=0.22, linewidth=0)
    return values
