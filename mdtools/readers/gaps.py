"""Where a run is not one run: intervals that are longer than the others, and pieces that do not continue one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["Break", "breaks", "segments"]

_EVEN = 1e-2  # relative difference to the usual interval from which on an interval is another one
_LONG = 1.5  # times the usual interval


@dataclass(frozen=True, kw_only=True)
class Break:
    """Before frame `at` something is amiss: `interval` of time instead of the `usual` one, or atoms that jump (`broken`)."""

    at: int
    interval: float
    usual: float
    broken: bool = False

    @property
    def is_gap(self) -> bool:
        """Whether it must not be passed over; what is merely uneven may be."""
        return self.broken or self.interval > _LONG * self.usual


def breaks(time: np.ndarray, broken: Sequence[int] = ()) -> list[Break]:
    """Every place where frames are not one usual interval apart although most are, or where a piece is `broken` off the one before.

    Frames that are unevenly spaced by intent (logarithmic, in bursts) have no gaps: no interval is the usual one, or it does
    not come back after a longer one, or the longer ones come at regular intervals themselves.
    """
    intervals = np.diff(time)
    usual = float(np.median(intervals)) if len(intervals) else 0.0
    other = np.flatnonzero(np.abs(intervals - usual) > _EVEN * usual)
    long = other[intervals[other] > _LONG * usual]
    by_intent = len(other) * 2 >= len(intervals) or not _comes_back(intervals, usual, long) or _regular(intervals, long)
    at = sorted({*broken, *((other + 1).tolist() if not by_intent else ())})
    return [Break(at=k, interval=float(intervals[k - 1]), usual=usual, broken=k in broken) for k in at if 0 < k < len(time)]


def _comes_back(intervals: np.ndarray, usual: float, long: np.ndarray) -> bool:
    return len(long) == 0 or bool((np.abs(intervals[long[-1] + 1 :] - usual) <= _EVEN * usual).any())


def _regular(intervals: np.ndarray, long: np.ndarray) -> bool:
    """Whether the longer intervals are a schedule: three or more, all alike and at equal distances."""
    return len(long) >= 3 and bool(np.ptp(np.diff(long)) == 0 and np.ptp(intervals[long]) <= _EVEN * intervals[long[0]])


def segments(wanted: slice, found: Sequence[Break]) -> list[slice]:
    """The wanted frames cut at every break, each part thinned from its own first frame."""
    bounds = [wanted.start, *(one.at for one in found if wanted.start < one.at < wanted.stop), wanted.stop]
    return [slice(low, high, wanted.step) for low, high in pairwise(bounds)]
