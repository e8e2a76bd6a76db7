"""Products of the displacements of two ions, summed by the distance they start from.

Distances, bin numbers and sums are float64: relative error below 1e-12 of the largest sum.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import nearest_image
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["displacement_by_distance"]


@functools.partial(jax.jit, static_argnames=("bins", "n_groups", "tile"))
def displacement_by_distance(
    start: Float[Array, "origin atom xyz"],
    step: Float[Array, "origin atom xyz"],
    cell: Float[Array, "origin xyz xyz"],
    group: Int[Array, " atom"],
    r_max: Float[Array, ""],
    *,
    n_groups: int,
    bins: int,
    tile: int = 128,
) -> tuple[Float[Array, "origin group group bin"], Float[Array, "origin group group bin"]]:
    """sum over ordered pairs i != j of step_i . step_j, and their number, for i in s, j in t, s <= t, and floor(r bins / r_max) = b.

    start : scaled positions, of which r is the distance of nearest images in `cell`, exact for r_max up to half the shortest
    face distance; the last bin holds all pairs beyond r_max. step : displacements times charges. Pairs are visited once, in
    tiles of tile x tile atoms, one origin after the other, and count in both orders: memory is bounded by the tile.
    """
    n = start.shape[1]
    n_tiles = -(-n // tile)
    tile = -(-n // n_tiles)
    padding = ((0, n_tiles * tile - n),)
    group = jnp.pad(group.astype(jnp.int32), padding)
    number = jnp.arange(n_tiles * tile, dtype=jnp.int32)
    n_slots = n_groups * n_groups * (bins + 1)
    corners = jnp.stack(jnp.triu_indices(n_tiles), axis=-1) * tile

    def of(values: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(values, corner, tile, axis=0)

    def one_origin(operands: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        place, moved = (jnp.pad(x.astype(jnp.float64), (*padding, (0, 0))) for x in operands[:2])
        box = operands[2]

        def one_tile(total: tuple[Array, Array], corner: Array) -> tuple[tuple[Array, Array], None]:
            a, b = of(place, corner[0]), of(place, corner[1])
            apart = [nearest_image(b[None, :, k] - a[:, None, k]) for k in range(3)]
            square = [jnp.square(apart[0] * box[0, k] + apart[1] * box[1, k] + apart[2] * box[2, k]) for k in range(3)]
            position = jnp.minimum(jnp.sqrt(square[0] + square[1] + square[2]) * (bins / r_max), jnp.full((tile, tile), float(bins)))
            i, j = of(number, corner[0])[:, None], of(number, corner[1])[None, :]
            counted = (i < j) & (j < n)
            s, t = of(group, corner[0])[:, None], of(group, corner[1])[None, :]
            pair = jnp.minimum(s, t) * n_groups + jnp.maximum(s, t)
            slot = jnp.where(counted, pair * (bins + 1) + position.astype(jnp.int32), n_slots).reshape(-1)
            u, v = of(moved, corner[0]), of(moved, corner[1])
            product = u[:, None, 0] * v[None, :, 0] + u[:, None, 1] * v[None, :, 1] + u[:, None, 2] * v[None, :, 2]
            return (total[0].at[slot].add(2.0 * product.reshape(-1)), total[1].at[slot].add(2.0)), None

        (sums, counts), _ = jax.lax.scan(one_tile, (jnp.zeros(n_slots + 1), jnp.zeros(n_slots + 1)), corners)
        shape = (n_groups, n_groups, bins + 1)
        return sums[:n_slots].reshape(shape), counts[:n_slots].reshape(shape)

    return jax.lax.map(one_origin, (start, step, cell))
