"""A batch of measured mean squared displacements with what their covariance depends on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.averaging import Average
from mdtools.statistics.covariance import PartedCovariance, parted_covariance
from mdtools.statistics.inflation import Blocks
from mdtools.statistics.least_squares import fit_line

__all__ = ["Measured", "Split"]

Floats = NDArray[Any]
HOT = 7.0  # squared distance between sites over the MSD of a cage at which crystals melt: vibrations of 0.15 of the distance an axis


@dataclass(frozen=True)
class Split:
    """The MSD as a line along each axis and, up to the first lag of the line, the rest as measured.

    slope : (batch,) of the sum over axes, not negative. share : (batch, axis) of it. cage : (batch, axis) intercepts. first : (batch,) index
    of the lag up to which the rest counts.
    """

    slope: Floats
    share: Floats
    cage: Floats
    first: Floats


@dataclass(frozen=True)
class Measured:
    """by_axis : (batch, axis, lag) at `lags` (frames), the mean over n_ions and `windows` windows of n_steps steps.

    blocks : block_msd (batch, axis, block_lag, block) and lengths (block_lag,), or None for a walker that is Gaussian by itself.
    by_ion : (batch, ion, block_lag) or None: squared displacement of each ion, mean over the blocks. jump : what one jump adds to the slope, where
    another measurement of the same ions has shown it.
    """

    lags: Floats
    by_axis: Floats
    n_steps: int
    n_ions: int
    windows: int
    blocks: tuple[Floats, Floats] | None
    by_ion: Floats | None
    jump: float = 0.0

    @property
    def total(self) -> Floats:
        return np.asarray(self.by_axis.sum(axis=-2))

    @property
    def all_steps(self) -> int:
        return self.n_steps * self.windows

    def __getitem__(self, part: Any) -> "Measured":
        blocks = None if self.blocks is None else (self.blocks[0][part], self.blocks[1])
        by_ion = None if self.by_ion is None else self.by_ion[part]
        return Measured(self.lags, self.by_axis[part], self.n_steps, self.n_ions, self.windows, blocks, by_ion, self.jump)

    def guess(self) -> Split:
        """To start with: from the longer two thirds of the lags."""
        start = len(self.lags) // 3
        x = self.lags[start:].astype(np.float64)
        rough = np.maximum(self.total[:, start:], 1e-300)
        line = fit_line(x, self.total[:, start:], (x * np.square(rough))[..., None] * np.eye(len(x)))
        weights = np.zeros((len(self.by_axis), 2, len(self.lags)))
        weights[..., start:] = line.weights
        return self._split(weights, np.full(len(weights), start), line.slope)

    def split(self, fit: Average) -> Split:
        return self._split(fit.weights, fit.first, fit.slope, np.stack([fit.intercept, fit.slope], axis=-1))

    def _split(self, weights: Floats, first: Floats, slope: Floats, whole_line: Floats | None = None) -> Split:
        lines = np.einsum("bpl,bal->bpa", weights, self.by_axis)
        if whole_line is not None:  # what a prior of the intercept pulls is not in the weights: the same along each axis
            lines = lines + (whole_line - lines.sum(axis=-1))[..., None] / lines.shape[-1]
        offsets, slopes = np.moveaxis(lines, 1, 0)
        slopes = np.maximum(slopes, 0.0)
        whole = slopes.sum(axis=-1, keepdims=True)
        share = np.where(whole > 0, slopes / np.where(whole > 0, whole, 1.0), 1.0 / slopes.shape[-1])
        return Split(np.maximum(slope, 0.0), share, offsets, first)

    def covariance(self, split: Split) -> PartedCovariance:
        """Of the mean over ions and windows: a group of the batch for each reach of the cage."""
        parts = [np.empty((len(self.by_axis), len(self.lags), len(self.lags))) for _ in range(3)]
        for first in np.unique(split.first):
            these = np.flatnonzero(split.first == first)
            h = np.union1d([0, self.lags[first] - 1], self.lags[: first + 1])  # the last step is that from the measured to the fitted value
            cage = self.at(h, these) - split.share[these, :, None] * split.slope[these, None, None] * h
            cage[..., -1] = split.cage[these]
            found = parted_covariance(self.lags, n_steps=self.n_steps, cage=cage, share=split.share[these], knots=h)
            for whole, part in zip(parts, (found.cage, found.cross, found.walk), strict=True):
                whole[these] = part
        return PartedCovariance(*parts).per(self.n_ions * self.windows)

    def at(self, frames: Floats, part: Any = slice(None)) -> Floats:
        """MSD along each axis at any frames, (batch, axis, frame), linear between lags and flat beyond the last one."""
        known = np.concatenate([[0], self.lags]).astype(np.float64)
        values = np.concatenate([np.zeros((*self.by_axis[part].shape[:-1], 1)), self.by_axis[part]], axis=-1)
        right = np.clip(np.searchsorted(known, frames), 1, len(known) - 1)
        share = np.clip((frames - known[right - 1]) / (known[right] - known[right - 1]), 0.0, 1.0)
        return np.asarray(values[..., right - 1] * (1 - share) + values[..., right] * share)

    def in_blocks(self, split: Split) -> Blocks | None:
        """What blocks of time and single ions show, beside what Gaussian ions would."""
        if self.blocks is None:
            return None
        block_msd, lengths = self.blocks
        beyond = np.maximum(np.asarray(lengths, dtype=np.float64) - self.lags[-1], 0.0)
        expected = self.at(lengths) + split.share[..., None] * split.slope[:, None, None] * beyond
        still = np.minimum(np.maximum(split.cage, 0.0)[..., None], expected)
        return Blocks(
            total=block_msd.sum(axis=-3),
            lengths=np.asarray(lengths),
            gaussian=2 * np.square(expected).sum(axis=-2),
            still=2 * np.square(still).sum(axis=-2),
            by_ion=self.by_ion,
            unseen=self.unseen(split),
            slope=split.slope,
            n_ions=self.n_ions,
            n_steps=self.all_steps,
        )

    def unseen(self, split: Split) -> Floats:
        """l^2 / (n N) where the cage is most of the MSD even at the longest lag (what diffuses there jumps, l^2 = 7 a0, Lindemann); else `jump`."""
        cage = np.maximum(split.cage.sum(axis=-1), 0.0)
        return np.where(2 * cage > self.total[:, -1], HOT * cage / (self.all_steps * self.n_ions), self.jump)
