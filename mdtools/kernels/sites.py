"""Which lattice site an ion is at, and which one it keeps until it enters the core of another.

Sites are those of a unit cell and their images; s is in vectors of the simulation cell, which holds `repeat` unit cells.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Bool, Float, Int

__all__ = ["held", "nearest_site", "site_number"]


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
    number = (voxel[..., 0] * size[1] + voxel[..., 1]) * size[2] + voxel[..., 2]
    # what a voxel asks for lies together: one row is taken for an ion, and not one number for each of its candidates
    places = jnp.moveaxis(_cartesian(points, cell)[near.reshape(-1, near.shape[-1])], 1, -1)
    apart = _cartesian(inside, cell)[..., None] - places.at[number].get(mode="promise_in_bounds")
    square = jnp.square(apart[..., 0, :]) + jnp.square(apart[..., 1, :]) + jnp.square(apart[..., 2, :])
    best = jnp.argmin(square, axis=-1)
    found = address[near.reshape(-1, near.shape[-1])[number, best]]
    cells = jnp.concatenate([jnp.zeros_like(whole[..., :1]), whole], axis=-1).astype(found.dtype)
    return found + cells, jnp.sqrt(jnp.min(square, axis=-1))


def _cartesian(u: Float[Array, "*any xyz"], cell: Float[Array, "xyz xyz"]) -> Float[Array, "*any xyz"]:
    """u @ cell, as sums and products."""
    row = jnp.expand_dims(cell, tuple(range(1, u.ndim)))
    parts = [u[..., i, None] * row[i] for i in range(3)]
    return parts[0] + parts[1] + parts[2]


@functools.partial(jax.jit, static_argnames="n_sites")
def site_number(address: Int[Array, "frame atom part"], repeat: Int[Array, " xyz"], *, n_sites: int) -> Int[Array, "frame atom"]:
    """Number of a site in the simulation cell, from its address and the number of sites in a unit cell."""
    x, y, z = (jnp.mod(address[..., 1 + k], repeat[k]) for k in range(3))
    return address[..., 0] + n_sites * (z + repeat[2] * (y + repeat[1] * x))


@jax.jit
def held(
    address: Int[Array, "frame atom part"], inside: Bool[Array, "frame atom"], first: Int[Array, "atom part"]
) -> tuple[Int[Array, "frame atom part"], Int[Array, "frame atom"]]:
    """The site whose core each ion was in last, and the frame when it was: -1, and `first`, before it was in any."""
    frames = jnp.arange(address.shape[0])[:, None]
    last = jax.lax.cummax(jnp.where(inside, frames, -1), axis=0)
    every = jnp.concatenate([first[None], address])
    return jnp.take_along_axis(every, (last + 1)[..., None], axis=0), last
