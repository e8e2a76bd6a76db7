"""Pairs of all ions at once by the convolution theorem: densities on a grid, transformed in space and multiplied.

sum_v a(v) b(v + d) for every d costs the transforms of a and b, however many ions there are.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length
from mdtools.kernels.shapes import Array, Complex, Float, Int

__all__ = ["correlated_products", "density_planes", "density_spectrum", "difference_counts", "spectrum_products"]

TOGETHER = 16  # wave vectors whose series are transformed side by side: they stay in the cache of a processor


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


@jax.jit
def density_planes(counts: Float[Array, "frame group x y z"], k: Int[Array, " plane"]) -> Complex[Array, "frame group x y plane"]:
    """The planes k_z = k of `density_spectrum`, of many frames: a sum along z for the planes that are wanted, then transforms of planes."""
    z = jnp.arange(counts.shape[-1])
    turns = (z[:, None] * k[None, :] % counts.shape[-1]).astype(jnp.float64) / counts.shape[-1]
    along = [jnp.matmul(counts, wave(2.0 * jnp.pi * turns), precision="highest") for wave in (jnp.cos, jnp.sin)]
    return jnp.fft.fftn(jax.lax.complex(along[0], -along[1]), axes=(2, 3))


@functools.partial(jax.jit, static_argnames="longest")
def correlated_products(modes: Complex[Array, "frame group q"], lags: Int[Array, " lag"], *, longest: int) -> Complex[Array, "lag group group q"]:
    """sum_t conj(a_s(t)) a_t(t + m) over every time origin t, for each pair of groups and lag m up to `longest`, by FFT over time."""
    n = modes.shape[0]

    def one(series: Complex[Array, "group frame"]) -> Complex[Array, "group group lag"]:
        spectra = jnp.fft.fft(series, n=fast_length(n + longest))
        return jnp.fft.ifft(jnp.conj(spectra)[:, None] * spectra[None, :])[..., lags]

    each = jax.lax.map(one, jnp.moveaxis(modes, 0, 2).swapaxes(0, 1), batch_size=TOGETHER)
    return jnp.moveaxis(each, (3, 0), (0, 3))


@functools.partial(jax.jit, static_argnames="shape")
def difference_counts(total: Complex[Array, "group group x y half"], *, shape: tuple[int, int, int]) -> Int[Array, "group group x y z"]:
    """counts[s, t, d] = number of pairs, i in s at first and j in t later, whose grid points differ by d (periodic): whole numbers.

    Exact while rounding of the transforms, about 1e-16 times the square root of their length times the largest count, stays below 1/2.
    """
    return jnp.rint(jnp.fft.irfftn(total, s=shape, axes=(2, 3, 4))).astype(jnp.int64)
