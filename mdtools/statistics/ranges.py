"""Ranges of lags to which lines are fitted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST", "NARROW", "WIDE", "Ranges", "lag_ranges"]

Floats = NDArray[Any]
FEWEST = 6  # lags in a range
WIDE, NARROW = 4.0, 2.0  # last over first lag of a range; narrow where the motion starts ballistically, to start late enough


@dataclass(frozen=True)
class Ranges:
    """Indices of lags: a range is lags[start:end], and `earlier` is where it starts when it is extended down to half its first lag."""

    start: Floats
    end: Floats
    earlier: Floats


def lag_ranges(lags: Floats, *, first: float | None = None, last: float | None = None, earliest: float = 0.0, wide: float = WIDE) -> Ranges:
    """Ranges over at least a factor `wide` in lag and six lags; the last lag is the longest one, or 1/2 or 1/4 of it.

    Only ranges that can be extended down to half their first lag, as long as there are any. `first` and `last` (frames) allow only ranges
    that start at the lag next to `first`, or end next to `last`; `earliest` only those that start there or later, as far as there are any.
    """
    lags = np.asarray(lags, dtype=np.float64)
    ends = sorted({int(np.searchsorted(lags, lags[-1] * factor, side="right")) for factor in ((1,) if last is not None else (1, 0.5, 0.25))})
    starts = np.arange(len(lags)) if first is None else np.array([int(np.abs(lags - first).argmin())])
    wide = 1.0 if first is not None else wide
    start, end = (grid.ravel() for grid in np.meshgrid(starts, ends, indexing="ij"))
    kept = (end - start >= FEWEST) & (lags[end - 1] >= wide * lags[start])
    start, end = start[kept], end[kept]
    for limit in (2 * lags[0], earliest):
        late = lags[start] >= limit
        if late.any():
            start, end = start[late], end[late]
        elif len(start):
            start, end = start[start == start.max()], end[start == start.max()]
    earlier = np.minimum(np.searchsorted(lags, lags[start] / 2 * (1 + 1e-9)), start) if first is None else start
    return Ranges(start, end, earlier)
