"""Density of a species as waves at fixed indices and as visits on a grid: from which Bragg reflections are found.

Phases are sums of products of wrapped coordinates (no matrix unit under a phase).
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import wrapped
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["density_on_grid", "density_waves"]


@jax.jit
def density_waves(s: Float[Array, "frame atom xyz"], miller: Int[Array, "reflection xyz"]) -> Float[Array, "frame reflection part"]:
    """1/N sum_i exp(2 pi i h . s_i) at fixed indices h, real and imaginary part: the cell breathes under the wave."""
    s = wrapped(s.astype(jnp.float64))

    def one(h: Float[Array, " xyz"]) -> Float[Array, "frame part"]:
        turns = s[..., 0] * h[0] + s[..., 1] * h[1] + s[..., 2] * h[2]
        angle = 2.0 * jnp.pi * (turns - jnp.floor(turns))
        return jnp.stack([jnp.mean(jnp.cos(angle), axis=-1), jnp.mean(jnp.sin(angle), axis=-1)], axis=-1)

    return jnp.moveaxis(jax.lax.map(one, miller.astype(jnp.float64)), 0, 1)


@functools.partial(jax.jit, static_argnames="shape")
def density_on_grid(s: Float[Array, "frame atom xyz"], *, shape: tuple[int, int, int]) -> Float[Array, "x y z"]:
    """Number of visits of each voxel of the cell, as float64 (nearest grid point)."""
    s = s.astype(jnp.float64)
    size = jnp.array(shape)[None, :]
    s = s.reshape(-1, 3)
    voxel = jnp.minimum(((s - jnp.floor(s)) * size.astype(jnp.float64)).astype(jnp.int64), size - 1)
    return jnp.zeros(shape).at[voxel[:, 0], voxel[:, 1], voxel[:, 2]].add(1.0)
