"""Pairs of frames that lie a lag apart: of evenly spaced frames at chosen lags and origins, of uneven ones wherever lags are equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools.analyses.labels import lag_times
from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["TimePairs", "by_window", "even_pairs", "uneven_pairs"]

MOST = 2**24  # pairs of frames
EQUAL = 1e-4  # of the shortest step: times that differ by less are one lag


@dataclass(frozen=True)
class TimePairs:
    """Lags in ps, and (window x lag) groups of pairs (first, last) of frames."""

    lags: np.ndarray  # (lag,)
    windows: int
    first: np.ndarray  # (pair,)
    last: np.ndarray
    group: np.ndarray  # (pair,): window x number of lags + number of the lag
    starts: np.ndarray | None = None  # (window,) ps, where windows are parts of the time

    @property
    def counts(self) -> np.ndarray:
        """Number of time origins, (window, lag)."""
        return np.bincount(self.group, minlength=self.windows * len(self.lags)).reshape(self.windows, -1)

    def in_rows(self, n_frames: int) -> tuple[np.ndarray, ...]:
        """first, last, share (tile, row, pair) and group (tile, row) for the kernel: pairs of one group in rows, about n_frames a tile.

        A row is as long as the mean group, so that at most half of the places are empty.
        """
        counts = self.counts.ravel()
        width = int(np.clip(len(self.first) // max(1, int(np.count_nonzero(counts))), 1, 256))
        rows = -(-counts // width)
        tall = max(1, n_frames // width)
        n_rows = -(-max(1, int(rows.sum())) // tall) * tall
        order = np.argsort(self.group, kind="stable")
        begin = np.cumsum(rows) - rows  # first row of a group
        within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = np.repeat(begin, counts) * width + within
        first, last, share = (np.zeros(n_rows * width, kind) for kind in (int, int, float))
        group = np.zeros(n_rows, int)
        first[place], last[place] = self.first[order], self.last[order]
        share[place] = 1.0 / counts[self.group[order]]
        group[: rows.sum()] = np.repeat(np.arange(len(counts)), rows)
        return (*(one.reshape(-1, tall, width) for one in (first, last, share)), group.reshape(-1, tall))


def even_pairs(frames: np.ndarray, starts: np.ndarray, length: int, *, windows: int, frame_interval: float) -> TimePairs:
    """Origins `starts` and lags `frames` (both in frames) in each of the equal windows of `length` frames."""
    lag, start = (one.ravel() for one in np.meshgrid(np.arange(len(frames)), starts, indexing="ij"))
    inside = start + frames[lag] < length
    lag, start = lag[inside], start[inside]
    window = np.repeat(np.arange(windows), len(lag))
    lag, start = np.tile(lag, windows), np.tile(start, windows) + window * length
    return TimePairs(lag_times(frames, frame_interval), windows, start, start + frames[lag], window * len(frames) + lag)


def uneven_pairs(traj: Trajectory, lags: str | Sequence[float] | np.ndarray, origins: Any, *, windows: int) -> TimePairs:
    """Pairs of unevenly spaced frames by their exact lag; windows are equal parts of the time.

    origins : "all", "first" (of each window), or every so many frames. Raises ValueError for a lag that no two frames
    have, TrajectoryError for more pairs than can be counted.
    """
    time = traj.time - traj.time[0]
    window = np.minimum((time * windows / time[-1] + 1e-9).astype(int), windows - 1)  # a frame on the border begins the next
    begin = np.flatnonzero(np.diff(window, prepend=-1))
    end = np.append(begin[1:], len(time))
    starts = begin if isinstance(origins, str) and origins == "first" else np.flatnonzero(_chosen(window, begin, origins))
    stop = end[np.searchsorted(begin, starts, side="right") - 1]
    many = int(np.sum(stop - starts))
    if many > MOST:
        step = (1 if isinstance(origins, str) else origins) * -(-many // MOST) + 1
        raise TrajectoryError(
            f"{traj.source}: {traj.n_frames} unevenly spaced frames make {many} pairs; start at every so many frames with "
            f"origins={step} (--origins {step}), or pass more windows"
        )
    first = np.repeat(starts, stop - starts)
    last = np.concatenate([np.arange(a, b) for a, b in zip(starts, stop, strict=True)])
    found, number = _distinct(time[last] - time[first], EQUAL * float(np.diff(time).min()))
    chosen = _matching(found, lags, EQUAL * float(np.diff(time).min()), traj.source)
    kept = np.full(len(found), -1)
    kept[chosen] = np.arange(len(chosen))
    there = kept[number] >= 0
    group = window[first[there]] * len(chosen) + kept[number[there]]
    begins = traj.time[0] + time[-1] * np.arange(windows) / windows
    return TimePairs(found[chosen], windows, first[there], last[there], group, begins)


def by_window(values: np.ndarray, pairs: TimePairs) -> np.ndarray:
    """(any, window x lag, product) -> (window, any, product, lag); NaN where a lag has no origin."""
    parts = values.reshape(len(values), pairs.windows, len(pairs.lags), -1).transpose(1, 0, 3, 2)
    return np.where(pairs.counts[:, None, None, :] > 0, parts, np.nan)


def _chosen(window: np.ndarray, begin: np.ndarray, origins: Any) -> np.ndarray:
    step = 1 if isinstance(origins, str) else origins
    return (np.arange(len(window)) - begin[np.searchsorted(begin, np.arange(len(window)), side="right") - 1]) % step == 0


def _distinct(lags: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values, sorted, to 12 digits, and the number of the one that each lag has."""
    order = np.argsort(lags, kind="stable")
    number = np.empty(len(lags), dtype=int)
    number[order] = np.cumsum(np.diff(lags[order], prepend=lags[order[0]]) > tolerance)
    means = np.bincount(number, weights=lags) / np.bincount(number)
    return np.array([float(f"{one:.12g}") for one in means]), number


def _matching(found: np.ndarray, lags: str | Sequence[float] | np.ndarray, tolerance: float, source: str) -> np.ndarray:
    """Numbers of the distinct lags that are asked for: "all", "log" (about ten a decade of those there are), or times in ps."""
    if isinstance(lags, str) and lags == "all":
        return np.arange(len(found))
    if isinstance(lags, str) and lags == "log":
        longer = found[1:]
        grid = np.geomspace(longer[0], longer[-1], max(2, int(np.ceil(10 * np.log10(longer[-1] / longer[0]))) + 1))
        return np.unique(np.concatenate([[0], 1 + np.abs(np.log(longer)[:, None] - np.log(grid)[None, :]).argmin(axis=0)]))
    if isinstance(lags, str):
        raise ValueError(f'lags={lags!r} is not understood; write "all", "log" or a list of times in ps')
    wanted = np.atleast_1d(np.asarray(lags, dtype=np.float64))
    nearest = np.array([int(np.abs(found - one).argmin()) for one in wanted], dtype=int)
    for one, near in zip(wanted, found[nearest], strict=True):
        if abs(one - near) > tolerance + 1e-9 * near:
            raise ValueError(
                f'{source}: no two of its unevenly spaced frames lie {one:g} ps apart; the nearest lag is {near:g} ps, or pass lags="log"'
            )
    return np.unique(nearest)
