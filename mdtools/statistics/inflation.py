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
POINTS = 64  # of the grid of R
ALONE = 0.5  # prior probability that ions move independently, R = 1


@dataclass(frozen=True)
class Blocks:
    """Squared displacements over non-overlapping blocks of the run, any batch (...).

    total : (..., length, block) sum over axes, mean over ions, NaN where there is no block. lengths : (length,) frames.
    gaussian : (..., length) 2 sum_a M_a^2, the variance that one Gaussian ion would have. still : (..., length) the same of the cage alone.
    by_ion : (..., ion, length) or None: of each ion, mean over the blocks. n_ions, n_steps : of the whole run.
    unseen_jumps : (...) what jumps add to the variance of the slope where single ions are too noisy to tell.
    """

    total: Floats
    lengths: Floats
    gaussian: Floats
    still: Floats
    by_ion: Floats | None
    unseen_jumps: Floats
    n_ions: int
    n_steps: int

    @property
    def count(self) -> Floats:
        """Blocks of each length, (length,)."""
        return np.isfinite(self.total).reshape(-1, *self.total.shape[-2:]).any(axis=0).sum(axis=-1)


@dataclass(frozen=True)
class Excess:
    """What independent Gaussian ions lack, arrays (...): variance of the slope is factor (Gaussian variance + jumps).

    spread : relative variance with which factor (Gaussian variance + jumps) is known.
    """

    jumps: Floats
    factor: Floats
    spread: Floats


def excess_variance(blocks: Blocks, *, wanted: Floats, gaussian: Floats) -> Excess:
    """Jumps of single ions first; what the blocks vary beyond them is the factor.

    Jumps are taken times 1 - (chance / value)^2, which is 0 where they are below what Gaussian ions show by chance;
    then `unseen_jumps` stand for them.

    wanted : (...) the block length whose walk is as uncertain as the fit. gaussian : (...) variance of the fitted slope of Gaussian ions.
    """
    jumps, chance, noise = jump_variance(blocks, wanted=wanted)
    together, _ = collective_factor(blocks, jumps=np.maximum(jumps, 0.0), wanted=wanted)  # as many fewer samples
    kept = np.maximum(1 - together * np.square(chance / np.where(jumps == 0, 1.0, jumps)), 0.0) * (jumps != 0)
    jumps = np.maximum(kept * jumps + (1 - kept) * blocks.unseen_jumps, -0.75 * gaussian)
    noise = np.sqrt(kept * together) * noise
    factor, spread = collective_factor(blocks, jumps=jumps, wanted=wanted)
    alone = np.maximum(gaussian + jumps, 1e-300)
    return Excess(jumps, factor, spread + np.square(noise / alone))


def jump_variance(blocks: Blocks, *, wanted: Floats) -> tuple[Floats, Floats, Floats]:
    """kappa / (n N), which jumps add to the variance of the slope, its standard deviation if there were none, and its standard error.

    From the scatter s^2 of single ions at block length L, mean of B blocks: kappa = (s^2 - gaussian / B) B / L. Mean over the lengths from
    `wanted` up, weighted by how well each shows it. Negative where displacements are more alike than Gaussian ones.
    """
    if blocks.by_ion is None or blocks.n_ions < 2:
        none = np.zeros(np.shape(wanted))
        return none, none, none
    count, lengths = blocks.count.astype(np.float64), np.asarray(blocks.lengths, dtype=np.float64)
    adjacent = count * lengths > 0.75 * blocks.n_steps  # neighbours then share the position between them, and its noise
    shared = 0.5 * (1 - 1 / count) * adjacent * blocks.still
    expected = (blocks.gaussian + shared) / count
    scatter = blocks.by_ion.var(axis=-2, ddof=1)
    per_slope = count / (lengths * blocks.n_steps * blocks.n_ions)
    weight = (lengths >= np.minimum(wanted, lengths[-1])[..., None]) / np.square(np.maximum(expected * per_slope, 1e-150))
    weight /= weight.sum(axis=-1, keepdims=True)
    value = np.sum(weight * (scatter - expected) * per_slope, axis=-1)
    relative = np.sqrt(2 / (blocks.n_ions - 1))
    chance, noise = (relative * np.sum(weight * size * per_slope, axis=-1) for size in (expected, np.maximum(scatter, expected)))
    return value, chance, noise


def collective_factor(blocks: Blocks, *, jumps: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """Posterior mean and relative variance of R >= 1, the variance of blocks over that of independent ions.

    Prior: R = 1 with probability 1/2, else ln R uniform up to ln 4 N. Likelihood: the observed variance over the expected one is R chi^2 / nu
    with nu = (B - 1) / (1 + (kurtosis - skewness^2) / 2): what part of the noise of a variance goes with that of the mean is
    left out, because the interval of a positive quantity has it already.
    Of the block lengths from wanted / 2 up that leave 8 blocks, the one that shows most: most blocks, and least of the cage in them.
    """
    count, lengths = blocks.count, np.asarray(blocks.lengths, dtype=np.float64)
    independent = (blocks.gaussian + jumps[..., None] * lengths * blocks.n_steps * blocks.n_ions) / blocks.n_ions
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
    return _posterior(ratio, nu, 4.0 * blocks.n_ions)


def _posterior(ratio: Floats, nu: Floats, largest: float) -> tuple[Floats, Floats]:
    grid = np.linspace(0.0, np.log(largest), POINTS)
    log_likelihood = -0.5 * nu[..., None] * (grid + ratio[..., None] * np.exp(-grid))
    weight = np.exp(log_likelihood - log_likelihood.max(axis=-1, keepdims=True))
    prior = np.full(POINTS, (1 - ALONE) / POINTS)
    prior[0] += ALONE
    weight = weight * prior
    weight /= weight.sum(axis=-1, keepdims=True)
    value = np.exp(grid)
    mean = weight @ value
    return mean, weight @ value**2 / mean**2 - 1
