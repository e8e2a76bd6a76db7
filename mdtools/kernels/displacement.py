"""Squared displacement of one atom: over all origins by FFT, over chosen origins directly, and over blocks.

Every function takes the path of one atom in angstrom, float64; `vmap` is the loop (kernels/grouped.py).
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import autocorrelation, origins
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["block_displacement", "squared_displacement", "squared_displacement_at"]


@jax.jit
def squared_displacement(x: Float[Array, "xyz time"]) -> Float[Array, "xyz lag"]:
    """MSD(m) = 1/(n - m) sum_k |x(k + m) - x(k)|^2 per axis for every lag m, as S1(m) - 2 S2(m).

    The path is centred first; what is left of the cancellation is 1e-16 of the squared extent of the path, so that a
    vibration of 0.1 angstrom on a drift of 300 angstrom keeps nine digits. Source: reference/science.md B1.
    """
    n = x.shape[-1]
    x = x - jnp.mean(x, axis=-1, keepdims=True)
    square = jnp.square(x)
    below = jnp.cumsum(square, axis=-1)  # sum of the first k + 1
    head = below[:, ::-1]  # sum_{k < n - m}
    tail = below[:, -1:] - jnp.pad(below[:, :-1], ((0, 0), (1, 0)))  # sum_{k >= m}
    msd = (head + tail) / origins(n)[None, :] - 2.0 * autocorrelation(x)
    return jnp.maximum(msd, 0.0).at[:, 0].set(0.0)


@jax.jit
def squared_displacement_at(x: Float[Array, "xyz time"], lags: Int[Array, " lag"], starts: Int[Array, " origin"]) -> Float[Array, "xyz lag"]:
    """Mean over the origins k in `starts` of |x(k + m) - x(k)|^2 per axis, for the lags m that are given (in frames).

    An origin counts for a lag only if k + m lies within the path. No cancellation: exact to rounding.
    """
    n = x.shape[-1]
    first = x[:, starts]

    def one(lag: Int[Array, ""]) -> Float[Array, " xyz"]:
        end = starts + lag
        inside = (end < n).astype(x.dtype)
        square = jnp.square(x[:, jnp.minimum(end, n - 1)] - first)
        return jnp.sum(square * inside[None, :], axis=-1) / jnp.maximum(jnp.sum(inside), 1.0)

    return jnp.moveaxis(jax.lax.map(one, lags), 0, -1)


def block_displacement(x: Float[Array, "xyz time"], *, lengths: tuple[int, ...], n_blocks: int) -> Float[Array, "block_lag xyz block"]:
    """|x(k + L) - x(k)|^2 per axis over non-overlapping blocks of each length L in `lengths` (frames).

    At most n_blocks of a length, spread evenly; those that do not exist are 0 (see `block_count`).
    """
    rows = []
    for length in lengths:
        count = block_count(x.shape[-1], length, n_blocks)
        start = jnp.arange(count) * block_stride(x.shape[-1], length, n_blocks)
        square = jnp.square(x[:, start + length] - x[:, start])
        rows.append(jnp.pad(square, ((0, 0), (0, n_blocks - count))))
    return jnp.stack(rows)


def block_stride(n: int, length: int, n_blocks: int) -> int:
    """Frames from the start of one block to the start of the next."""
    return max(length, (n - 1) // n_blocks)


def block_count(n: int, length: int, n_blocks: int) -> int:
    """Number of non-overlapping blocks of one length in n frames, at most n_blocks."""
    return min(n_blocks, (n - 1 - length) // block_stride(n, length, n_blocks) + 1) if length < n else 0
