"""Which lattice site an ion is at, and which one it keeps until it enters the core of another.

Sites are those of a unit cell and their images; s is in vectors of the simulation cell, which holds `repeat` unit cells.
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Bool, Float, Int

__all__ = ["held", "nearest_site"]


@jax.jit
def nearest_site(
    s: Float[Array, "frame atom xyz"],
    repeat: Int[Array, " xyz"],
    cell: Float[Array, "xyz xyz"],
    points: Float[Array, "point xyz"],
    address: Int[Array, "point part"],
    near: Int[Array, "x y z candidate"],
) -> tuple[Int[Array, "frame atom part"], Float[Array, "frame atom"]]:
    """Address (number in the unit cell, then which unit cell) of the nearest site, and its distance.

    points : sites in and around the unit cell, in its vectors, with their addresses; near : of each voxel of the unit cell, every
    point that can be the nearest one of a place in it. cell : vectors of the unit cell. Unit cells are counted without wrapping.
    """
    u = s.astype(jnp.float64) * repeat.astype(jnp.float64)[None, None, :]
    whole = jnp.floor(u)
    inside = u - whole
    size = jnp.array(near.shape[:3])
    voxel = jnp.minimum((inside * size.astype(jnp.float64)[None, None, :]).astype(size.dtype), size[None, None, :] - 1)
    candidates = near[voxel[..., 0], voxel[..., 1], voxel[..., 2]]
    apart = inside[:, :, None, :] - points[candidates]
    parts = [apart[..., i, None] * cell[i][None, None, None, :] for i in range(3)]
    square = jnp.sum(jnp.square(parts[0] + parts[1] + parts[2]), axis=-1)
    best = jnp.argmin(square, axis=-1)[..., None]
    found = address[jnp.take_along_axis(candidates, best, axis=-1)[..., 0]]
    cells = jnp.concatenate([jnp.zeros_like(whole[..., :1]), whole], axis=-1).astype(found.dtype)
    return found + cells, jnp.sqrt(jnp.take_along_axis(square, best, axis=-1)[..., 0])


@jax.jit
def held(
    address: Int[Array, "frame atom part"], inside: Bool[Array, "frame atom"], first: Int[Array, "atom part"]
) -> tuple[Int[Array, "frame atom part"], Int[Array, "frame atom"]]:
    """The site whose core each ion was in last, and the frame when it was: -1, and `first`, before it was in any."""
    frames = jnp.arange(address.shape[0])[:, None]
    last = jax.lax.cummax(jnp.where(inside, frames, -1), axis=0)
    every = jnp.concatenate([first[None], address])
    return jnp.take_along_axis(every, (last + 1)[..., None], axis=0), last
