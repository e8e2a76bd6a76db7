"""Non-overlapping stretches of time of many lengths, from which estimates learn how far ions move together."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools.analyses.labels import lag_times

__all__ = ["TimeBlocks", "block_lengths", "time_blocks"]

N_BLOCKS = 64  # of one length, at most


@dataclass(frozen=True)
class TimeBlocks:
    """First and last frames of all blocks, one length after the other."""

    lengths: tuple[int, ...]  # frames
    counts: np.ndarray  # (length,)
    first: np.ndarray  # (block,)
    last: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """(length, block): what makes means over the blocks of a length."""
        number = np.repeat(np.arange(len(self.lengths)), self.counts)
        return (number[None, :] == np.arange(len(self.lengths))[:, None]) / self.counts[:, None]

    def by_length(self, values: np.ndarray) -> np.ndarray:
        """(..., block of any length) -> (..., length, block), NaN where a block does not exist."""
        out = np.full((*values.shape[:-1], len(self.lengths), N_BLOCKS), np.nan)
        out[..., np.arange(N_BLOCKS)[None, :] < self.counts[:, None]] = values
        return out

    def coordinates(self, frame_interval: float) -> dict[str, Any]:
        return {"block_lag": lag_times(self.lengths, frame_interval), "block": np.arange(N_BLOCKS)}


def block_lengths(n_frames: int, *, fewest: int = 4) -> tuple[int, ...]:
    """Block lengths in frames, a factor sqrt(2) apart, from 1 to what leaves `fewest` blocks."""
    longest = max(1, (n_frames - 1) // fewest)
    return tuple(sorted({round(2 ** (k / 2)) for k in range(64) if round(2 ** (k / 2)) <= longest}))


def time_blocks(n_frames: int) -> TimeBlocks:
    """At most 64 blocks of each length, spread evenly over the run; two never overlap.

    >>> time_blocks(9).lengths, time_blocks(9).first.tolist()
    ((1, 2), [0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 4, 6])
    """
    lengths = block_lengths(n_frames)
    strides = [max(length, (n_frames - 1) / N_BLOCKS) for length in lengths]
    starts = [np.floor(np.arange(N_BLOCKS) * stride).astype(int) for stride in strides]
    first = [start[start + length < n_frames] for start, length in zip(starts, lengths, strict=True)]
    counts = np.array([len(one) for one in first])
    start = np.concatenate(first)
    return TimeBlocks(lengths, counts, start, start + np.repeat(lengths, counts))
