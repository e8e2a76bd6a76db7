"""Waves of the displacements of a lattice about its mean places."""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float

__all__ = ["displacement_waves"]


@jax.jit
def displacement_waves(
    u: Float[Array, "frame atom xyz"], places: Float[Array, "atom xyz"], waves: Float[Array, "wave xyz"]
) -> Float[Array, "frame wave xyz part"]:
    """A(k) = 1/N sum_i u_i exp(i k . R_i), real and imaginary part; u in angstrom, k in 1/angstrom, R the mean places in angstrom."""
    angle = jnp.sum(places[:, None, :] * waves[None, :, :], axis=-1)
    parts = [jnp.einsum("fax,aw->fwx", u, one, precision="highest") / u.shape[1] for one in (jnp.cos(angle), jnp.sin(angle))]
    return jnp.stack(parts, axis=-1)
