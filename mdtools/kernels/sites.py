"""Which lattice site an ion is at, and which one it keeps until it enters the core of another.

Sites are those of a unit cell and their images; s is in vectors of the simulation cell, which holds `repeat` unit cells. The address
of a site, its number n of N in the unit cell and which unit cell (x, y, z), unwrapped, is one whole number, n + N (z + R (y + R x)): R is
large, so that x, y, z may have either sign.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Bool, Float, Int

__all__ = ["held", "nearest_site"]


@functools.partial(jax.jit, static_argnames=("n_sites", "far"))
def nearest_site(
    s: Float[Array, "frame atom xyz"],
    repeat: Int[Array, " xyz"],
    cell: Float[Array, "xyz xyz"],
    points: Float[Array, "point xyz"],
    parts: Int[Array, "point part"],
    near: Int[Array, "x y z candidate"],
    *,
    n_sites: int,
    far: int,
) -> tuple[Int[Array, "frame atom"], Int[Array, "frame atom"], Float[Array, "frame atom"]]:
    """Address of the nearest site, its number in the simulation cell, n + N (z + r_z (y + r_y x)) of x, y, z wrapped, and its distance.

    points : sites in and around the unit cell, in its vectors, and the parts (n, x, y, z) of their addresses; near : of each voxel of the
    unit cell, every point that can be the nearest one of a place in it. cell : vectors of the unit cell, which has n_sites. far : R.
    """
    u = s.astype(jnp.float64) * repeat.astype(jnp.float64)[None, None, :]
    whole = jnp.floor(u)
    inside = u - whole
    size = jnp.array(near.shape[:3], dtype=jnp.int32)
    voxel = jnp.minimum((inside * size.astype(jnp.float64)[None, None, :]).astype(jnp.int32), size[None, None, :] - 1)
    number = (voxel[..., 0] * size[1] + voxel[..., 1]) * size[2] + voxel[..., 2]
    # what a voxel asks for lies together: one row is taken for an ion, and not one number for each of its candidates
    rows = near.reshape(-1, near.shape[-1])
    places = jnp.moveaxis(_cartesian(points, cell)[rows], 1, -1)
    apart = _cartesian(inside, cell)[..., None] - places.at[number].get(mode="promise_in_bounds")
    square = jnp.square(apart[..., 0, :]) + jnp.square(apart[..., 1, :]) + jnp.square(apart[..., 2, :])
    found = rows.at[number, jnp.argmin(square, axis=-1)].get(mode="promise_in_bounds")
    cells = whole + parts[:, 1:].astype(jnp.float64).at[found].get(mode="promise_in_bounds")
    of_cell = parts[:, 0].at[found].get(mode="promise_in_bounds")
    wrapped = cells - repeat.astype(jnp.float64)[None, None, :] * jnp.floor(cells / repeat.astype(jnp.float64)[None, None, :])
    each = jnp.full(3, far, dtype=parts.dtype), repeat.astype(parts.dtype)
    address, place = (
        of_cell + n_sites * ((x[..., 0] * r[1] + x[..., 1]) * r[2] + x[..., 2])
        for x, r in ((cells.astype(parts.dtype), each[0]), (wrapped.astype(parts.dtype), each[1]))
    )
    return address, place.astype(jnp.int32), jnp.sqrt(jnp.min(square, axis=-1))


def _cartesian(u: Float[Array, "*any xyz"], cell: Float[Array, "xyz xyz"]) -> Float[Array, "*any xyz"]:
    """u @ cell, as sums and products."""
    row = jnp.expand_dims(cell, tuple(range(1, u.ndim)))
    parts = [u[..., i, None] * row[i] for i in range(3)]
    return parts[0] + parts[1] + parts[2]


@jax.jit
def held(
    address: Int[Array, "frame atom"], number: Int[Array, "frame atom"], inside: Bool[Array, "frame atom"], first: Int[Array, "what atom"]
) -> tuple[Int[Array, "frame atom"], Int[Array, "frame atom"], Int[Array, "frame atom"]]:
    """The site whose core each ion was in last, its address and its number, and the frame when it was: -1 before it was in any.

    first : the address and the number of the site that it keeps until then.
    """
    frames = jnp.arange(address.shape[0])
    before = first[0].astype(address.dtype), first[1].astype(number.dtype), jnp.full(address.shape[1:], -1, frames.dtype)

    def one(kept: tuple[Array, Array, Array], now: tuple[Array, ...]) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
        there, *found = now
        site, place, last = (jnp.where(there, new, old) for new, old in zip(found, kept, strict=True))
        return (site, place, last), (site, place, last)

    return jax.lax.scan(one, before, (inside, address, number, frames))[1]
