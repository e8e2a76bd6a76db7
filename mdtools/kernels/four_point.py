"""Which time origins an ion has not gone far from: the part of the overlap that each ion gives."""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["within_radii"]


def within_radii(
    x: Float[Array, "xyz time"], lags: Int[Array, " lag"], starts: Int[Array, "window origin"], radii: Float[Array, " radius"]
) -> Float[Array, "radius window origin lag"]:
    """1 where |x(t0 + lag) - x(t0)| is below a radius, else 0. Every start plus every lag must lie within the path."""
    first = x[:, starts]

    def one(lag: Int[Array, ""]) -> Float[Array, "radius window origin"]:
        square = jnp.sum(jnp.square(x[:, starts + lag] - first), axis=0)
        return (square[None] < jnp.square(radii)[:, None, None]).astype(x.dtype)

    return jnp.moveaxis(jax.lax.map(one, lags), 0, -1)
