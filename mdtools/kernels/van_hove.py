"""Van Hove functions as exact counts: how far ions have moved, and where the others are.

Distances and bin numbers are float64, counts are integers: equal to a double loop, to the last count.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import nearest_image
from mdtools.kernels.grouped import paths
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["displacement_counts", "displacement_moments", "largest_displacement", "pair_counts"]


def _displacement(
    x: Float[Array, "xyz time"], lag: Int[Array, ""], starts: Int[Array, " origin"]
) -> tuple[Float[Array, " origin"], Float[Array, " origin"]]:
    """|x(k + m) - x(k)|^2 for the origins k in `starts`, and 1 where k + m lies within the path, else 0."""
    n = x.shape[-1]
    end = starts + lag
    inside = (end < n).astype(x.dtype)
    return jnp.sum(jnp.square(x[:, jnp.minimum(end, n - 1)] - x[:, starts]), axis=0) * inside, inside


def displacement_moments(x: Float[Array, "xyz time"], lags: Int[Array, " lag"], starts: Int[Array, " origin"]) -> Float[Array, "moment lag"]:
    """Means over origins of r^2 and r^4, r = |x(k + m) - x(k)|, for each lag m (in frames)."""

    def one(lag: Int[Array, ""]) -> Float[Array, " moment"]:
        square, inside = _displacement(x, lag, starts)
        return jnp.stack([jnp.sum(square), jnp.sum(jnp.square(square))]) / jnp.maximum(jnp.sum(inside), 1.0)

    return jnp.moveaxis(jax.lax.map(one, lags), 0, -1)


def displacement_counts(
    x: Float[Array, "xyz time"], lags: Int[Array, " lag"], starts: Int[Array, " origin"], r_max: Float[Array, ""], *, bins: int
) -> Float[Array, "lag bin"]:
    """How many of the displacements r = |x(k + m) - x(k)| have floor(r bins / r_max) = b; the last column is r >= r_max."""

    def one(lag: Int[Array, ""]) -> Float[Array, " bin"]:
        square, inside = _displacement(x, lag, starts)
        bin_of = jnp.minimum(jnp.sqrt(square) * (bins / r_max), jnp.full_like(square, bins)).astype(jnp.int32)
        return jnp.zeros(bins + 1, x.dtype).at[bin_of].add(inside)

    return jax.lax.map(one, lags)


@functools.partial(jax.jit, static_argnames=("windows",))
def largest_displacement(
    values: Float[Array, "frame atom xyz"],
    cell: Float[Array, "*frame xyz xyz"],
    shift: Float[Array, "frame xyz"],
    lags: Int[Array, " lag"],
    starts: Int[Array, " origin"],
    *,
    windows: int = 1,
) -> Float[Array, ""]:
    """The largest |x(k + m) - x(k)| of any atom, window, lag and origin. Arguments as in kernels/grouped.py."""
    each = jax.vmap(jax.vmap(lambda x: jnp.max(jax.lax.map(lambda lag: jnp.max(_displacement(x, lag, starts)[0]), lags))))
    return jnp.sqrt(jnp.max(each(paths(values, cell, shift, windows=windows))))


@functools.partial(jax.jit, static_argnames=("bins", "n_groups", "tile"))
def pair_counts(
    first: Float[Array, "origin atom xyz"],
    later: Float[Array, "origin atom xyz"],
    cell: Float[Array, "origin xyz xyz"],
    group: Int[Array, " atom"],
    r_max: Float[Array, ""],
    *,
    n_groups: int,
    bins: int,
    tile: int = 1024,
) -> Int[Array, "origin group group bin"]:
    """counts[k, s, t, b] = number of i in s, j in t, i != j, with floor(r bins / r_max) = b, r = |later_j - first_i|.

    first, later : scaled positions at the two times; r is that of the nearest image in `cell`, exact for r_max up to
    half the shortest face distance. Pairs are visited in tiles of tile x tile atoms, one origin after the other:
    memory is bounded by the tile and by the (small) result, never by origins x atoms x atoms.
    """
    n = first.shape[1]
    n_tiles = -(-n // tile)
    tile = -(-n // n_tiles)
    padding = ((0, n_tiles * tile - n),)
    group = jnp.pad(group.astype(jnp.int32), padding)
    number = jnp.arange(n_tiles * tile, dtype=jnp.int32)
    nowhere = n_groups * n_groups * bins  # the slot of what is not counted
    corners = jnp.stack(jnp.meshgrid(jnp.arange(n_tiles), jnp.arange(n_tiles), indexing="ij"), axis=-1).reshape(-1, 2) * tile

    def of(values: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(values, corner, tile, axis=0)

    def one_origin(operands: tuple[Array, Array, Array]) -> Array:
        start, end = (jnp.pad(x.astype(jnp.float64), (*padding, (0, 0))) for x in operands[:2])
        box = operands[2]

        def one_tile(counts: Array, corner: Array) -> tuple[Array, None]:
            a, b = of(start, corner[0]), of(end, corner[1])
            step = [nearest_image(b[None, :, k] - a[:, None, k]) for k in range(3)]
            square = [jnp.square(step[0] * box[0, k] + step[1] * box[1, k] + step[2] * box[2, k]) for k in range(3)]
            position = jnp.sqrt(square[0] + square[1] + square[2]) * (bins / r_max)
            i, j = of(number, corner[0])[:, None], of(number, corner[1])[None, :]
            counted = (i != j) & (i < n) & (j < n) & (position < bins)
            pair = of(group, corner[0])[:, None] * n_groups + of(group, corner[1])[None, :]
            slot = jnp.where(counted, pair * bins + position.astype(jnp.int32), nowhere)
            return counts.at[slot.reshape(-1)].add(1), None

        counts, _ = jax.lax.scan(one_tile, jnp.zeros(nowhere + 1, jnp.int64), corners)
        return counts[:nowhere].reshape(n_groups, n_groups, bins)

    return jax.lax.map(one_origin, (first, later, cell))
