"""How much more the displacement varies from block to block than independent Gaussian ions would make it.

Ions that move together, and ions that jump rarely, both make the mean squared displacement of a block of time vary
more than 2 sum_a M_a^2 / N. The excess is measured on blocks and added to the variance of D.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Excess", "excess_variance"]

Floats = NDArray[Any]
FEWEST_BLOCKS = 8


@dataclass(frozen=True)
class Excess:
    """`variance` to be added to that of the slope (MSD per frame), from blocks of `length` frames; `dof` of that variance."""

    variance: float
    length: float
    dof: float


def excess_variance(block_msd: Floats, lengths: Floats, *, expected: Floats, n_ions: int, n_steps: int, wanted: float) -> Excess:
    """Excess of the variance of the slope, max(0, observed - 2 sum_a M_a(L)^2 / N) (L / n) / L^2, at block length L.

    block_msd : (axis, block_lag, block), NaN where there is no block; the variance of its sum over axes is observed,
        so that jumps that move an ion along several axes at once count in full.
    expected : (axis, block_lag) M_a(L) of one ion. n_steps : of the whole run.
    wanted : the block length (frames) whose walk has the variance of the fit. Excess from groups grows with L and that from rare
        jumps does not, so that only at this L both are right. Longer blocks than leave 8 are not taken: the excess is
        then scaled by L, which is right for groups and too wide for jumps.
    dof : (B - 1) / (1 + kurtosis / 2) with the excess kurtosis of the blocks (0 if negative), at least 2.
    """
    total = block_msd.sum(axis=0)
    count = np.isfinite(total).sum(axis=1)
    usable = np.flatnonzero(count >= min(FEWEST_BLOCKS, count.max()))
    chosen = usable[np.argmin(np.abs(np.log(np.asarray(lengths)[usable] / max(wanted, 1.0))))]
    blocks, length = total[chosen][np.isfinite(total[chosen])], float(lengths[chosen])
    observed = float(blocks.var(ddof=1))
    excess = max(0.0, observed - 2 * float(np.square(expected[:, chosen]).sum()) / n_ions)
    stretch = max(1.0, wanted / length)
    return Excess(excess * stretch / (length * n_steps), length, _dof(blocks, observed))


def _dof(blocks: Floats, observed: float) -> float:
    if observed == 0:
        return float(len(blocks) - 1)
    centred = blocks - blocks.mean()
    kurtosis = float(np.mean(centred**4) / np.mean(centred**2) ** 2 - 3)
    return max(2.0, (len(blocks) - 1) / (1 + max(kurtosis, 0.0) / 2))
