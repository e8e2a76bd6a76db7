"""How much more the slope of the MSD varies than that of independent Gaussian ions would.

Two things make it vary more. Ions jump: a few large displacements instead of many small ones. What that adds to the variance of
the slope is the same for every fit, kappa / (n N), and each ion shows it: the squared displacements of single ions scatter more than those of
Gaussian walks. And ions move together: then blocks of time vary more than the ions' own scatter allows, by a factor R.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "Excess", "collective_factor", "excess_variance", "jump_variance"]

Floats = NDArray[Any]
FEWEST_BLOCKS = 8
LEAST = 0.1  # of R, and of the variance of Gaussian ions in the expected one: less is rounding
SURE = 1.0  # standard deviations by which jumps must be above what Gaussian ions show by chance


@dataclass(frozen=True)
class Blocks:
    """Squared displacements over non-overlapping blocks of the run, any batch (...).

    total : (..., length, block) sum over axes, mean over ions, NaN where there is no block. lengths : (length,) frames.
    gaussian : (..., length) 2 sum_a M_a^2, the variance that one Gaussian ion would have. still : (..., length) the same of the cage alone.
    by_ion : (..., ion, length) or None: of each ion, mean over the blocks. n_ions, n_steps : of the whole run.
    unseen : (...) what one jump adds to the slope where single ions are too noisy to tell, 0 where nothing is known of it. slope : (...).
    """

    total: Floats
    lengths: Floats
    gaussian: Floats
    still: Floats
    by_ion: Floats | None
    unseen: Floats
    slope: Floats
    n_ions: int
    n_steps: int

    @property
    def count(self) -> Floats:
        """Blocks of each length, (length,)."""
        return np.isfinite(self.total).reshape(-1, *self.total.shape[-2:]).any(axis=0).sum(axis=-1)


@dataclass(frozen=True)
class Excess:
    """What independent Gaussian ions lack, arrays (...): variance of the slope is factor (Gaussian variance + jumps).

    factor is an unbiased estimate with `dof` degrees of freedom: intervals are those of Student, and nothing else is added for it.
    """

    jumps: Floats
    factor: Floats
    dof: Floats


def excess_variance(blocks: Blocks, *, wanted: Floats, gaussian: Floats) -> Excess:
    """Jumps of single ions first; what the blocks vary beyond them is the factor.

    Jumps are taken times 1 - (chance / value)^2, which is 0 where they are below what Gaussian ions show by chance;
    then the slope times `unseen` stands for them. What they are off has no weight of its own: blocks of about the length `wanted` hold the same
    share of them as the slope does, and the factor makes up for it.

    wanted : (...) the block length whose walk is as uncertain as the fit. gaussian : (...) variance of the fitted slope of Gaussian ions.
    """
    jumps, chance = jump_variance(blocks, wanted=wanted)
    together, _ = collective_factor(blocks, jumps=np.maximum(jumps, 0.0), wanted=wanted)  # as many fewer samples
    sure = np.square(SURE * chance / np.where(jumps == 0, 1.0, jumps))
    kept = np.maximum(1 - np.maximum(together, 1.0) * sure, 0.0) * (jumps != 0)
    jumps = np.maximum(kept * jumps + (1 - kept) * blocks.slope * blocks.unseen, -0.75 * gaussian)
    return Excess(jumps, *collective_factor(blocks, jumps=jumps, wanted=wanted))


def jump_variance(blocks: Blocks, *, wanted: Floats) -> tuple[Floats, Floats]:
    """kappa / (n N), which jumps add to the variance of the slope, and its standard deviation if there were none.

    From the scatter s^2 of single ions at block length L, mean of B blocks: kappa = (s^2 - gaussian / B) B / L. Mean over the lengths from
    `wanted` up, weighted by how well each shows it. Negative where displacements are more alike than Gaussian ones.
    """
    if blocks.by_ion is None or blocks.n_ions < 2:
        none = np.zeros(np.shape(wanted))
        return none, none
    count, lengths = blocks.count.astype(np.float64), np.asarray(blocks.lengths, dtype=np.float64)
    adjacent = count * lengths > 0.75 * blocks.n_steps  # neighbours then share the position between them, and its noise
    shared = 0.5 * (1 - 1 / count) * adjacent * blocks.still
    expected = (blocks.gaussian + shared) / count
    scatter = blocks.by_ion.var(axis=-2, ddof=1)
    per_slope = count / (lengths * blocks.n_steps * blocks.n_ions)
    weight = (lengths >= np.minimum(wanted, lengths[-1])[..., None]) / np.square(np.maximum(expected * per_slope, 1e-150))
    weight /= weight.sum(axis=-1, keepdims=True)
    value = np.sum(weight * (scatter - expected) * per_slope, axis=-1)
    return value, np.sqrt(2 / (blocks.n_ions - 1)) * np.sum(weight * expected * per_slope, axis=-1)


def collective_factor(blocks: Blocks, *, jumps: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """R, the variance of blocks over that of independent ions, and its degrees of freedom.

    The observed variance over the expected one is R chi^2 / nu with nu = (B - 1) / (1 + (kurtosis - skewness^2) / 2): what part of the noise of
    a variance goes with that of the mean is left out, because the interval of a positive quantity has it already.
    The ratio is used as it is: with a prior for independent ions errors would be too small on average wherever ions move together a
    little, and Student's quantile covers what the ratio is uncertain.
    Of the block lengths from wanted / 2 up that leave 8 blocks, the one that shows most: most blocks, and least of the cage in them.
    """
    count, lengths = blocks.count, np.asarray(blocks.lengths, dtype=np.float64)
    alone = blocks.gaussian + jumps[..., None] * lengths * blocks.n_steps * blocks.n_ions
    independent = np.maximum(alone, LEAST * blocks.gaussian) / blocks.n_ions
    moving = np.clip(1 - blocks.still / blocks.n_ions / np.maximum(independent, 1e-300), 0.0, 1.0)
    usable = count >= min(FEWEST_BLOCKS, count.max())
    longest = lengths[usable].max()
    shown = np.where(usable & (lengths >= np.minimum(wanted / 2, longest)[..., None]), np.square(moving) * (count - 1) + 1e-9 * count, -1.0)
    chosen = shown.argmax(axis=-1)[..., None]
    sample = np.take_along_axis(blocks.total, chosen[..., None], axis=-2)[..., 0, :]
    there = np.isfinite(sample)
    n = there.sum(axis=-1)
    centred = np.where(there, sample - np.nanmean(sample, axis=-1, keepdims=True), 0.0)
    second = np.sum(centred**2, axis=-1) / n
    standard = centred / np.where(second > 0, np.sqrt(second), 1.0)[..., None]
    skewness, kurtosis = (np.sum(standard**k, axis=-1) / n for k in (3, 4))
    shape = kurtosis - 3 - skewness**2
    nu = (n - 1) / (1 + np.maximum(shape, 0.0) / 2)
    ratio = second * n / (n - 1) / np.maximum(np.take_along_axis(independent, chosen, axis=-1)[..., 0], 1e-300)
    return np.maximum(ratio, LEAST), np.maximum(nu, 1.0)
