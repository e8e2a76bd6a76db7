"""Pairs of all ions at once by the convolution theorem: densities on a grid, transformed in space and multiplied.

sum_v a(v) b(v + d) for every d costs the transforms of a and b, however many ions there are.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Complex, Float, Int

__all__ = ["density_spectrum", "difference_counts", "spectrum_products"]


@jax.jit
def density_spectrum(counts: Float[Array, "group x y z"]) -> Complex[Array, "group x y half"]:
    """Transform in space of the number of ions at each grid point."""
    return jnp.fft.rfftn(counts, axes=(1, 2, 3))


@jax.jit
def spectrum_products(
    total: Complex[Array, "group group x y half"], first: Complex[Array, "group x y half"], later: Complex[Array, "group x y half"]
) -> Complex[Array, "group group x y half"]:
    """total + conj(first_s) later_t for every pair of groups s, t."""
    return total + jnp.conj(first)[:, None] * later[None, :]


@functools.partial(jax.jit, static_argnames="shape")
def difference_counts(total: Complex[Array, "group group x y half"], *, shape: tuple[int, int, int]) -> Int[Array, "group group x y z"]:
    """counts[s, t, d] = number of pairs, i in s at first and j in t later, whose grid points differ by d (periodic): whole numbers.

    Exact while rounding of the transforms, about 1e-16 times the square root of their length times the largest count, stays below 1/2.
    """
    return jnp.rint(jnp.fft.irfftn(total, s=shape, axes=(2, 3, 4))).astype(jnp.int64)
