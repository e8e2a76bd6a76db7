"""Spectra of evenly spaced series: tapers and the periodogram.

Float64 in, float64 out: relative error below 1e-13 of the largest ordinate.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float

__all__ = ["cross_periodogram", "hann", "periodogram", "sines"]


@functools.partial(jax.jit, static_argnames="n")
def hann(n: int) -> Float[Array, " time"]:
    """w_k = sin^2(pi (k + 1/2) / n): zero half a frame outside the window, so that no frame is thrown away."""
    return jnp.square(jnp.sin(jnp.pi * (jnp.arange(n).astype(jnp.float64) + 0.5) / n))


@functools.partial(jax.jit, static_argnames=("n", "count"))
def sines(n: int, count: int) -> Float[Array, "taper time"]:
    """w_jk = sqrt(2 / (n + 1)) sin(pi j (k + 1) / (n + 1)), j = 1 ... count: orthonormal tapers of least bias.

    Source: K. S. Riedel, A. Sidorenko, IEEE Trans. Signal Process. 43, 188 (1995).
    """
    j, k = jnp.arange(1, count + 1).astype(jnp.float64), jnp.arange(1, n + 1).astype(jnp.float64)
    return jnp.sqrt(2.0 / (n + 1)) * jnp.sin(jnp.pi * j[:, None] * k[None, :] / (n + 1))


@functools.partial(jax.jit, static_argnames="n_fft")
def periodogram(x: Float[Array, "*batch time"], taper: Float[Array, " time"], *, n_fft: int | None = None) -> Float[Array, "*batch frequency"]:
    """S_j = |sum_k w_k x_k exp(-2 pi i j k / n)|^2 / sum_k w_k^2 for j = 0 ... n/2: two-sided density times 1/dt.

    Nothing is subtracted from x. n_fft >= n pads with zeros. Parseval: the mean of S_j over all n (positive and
    negative) frequencies is sum_k w_k^2 x_k^2 / sum_k w_k^2.
    """
    transform = jnp.fft.rfft(x * jnp.expand_dims(taper, tuple(range(x.ndim - 1))), n=n_fft)
    # a square of parts: abs() would take a root first and lose it again
    return (jnp.square(jnp.real(transform)) + jnp.square(jnp.imag(transform))) / jnp.sum(jnp.square(taper))


@jax.jit
def cross_periodogram(
    x: Float[Array, "*batch time"], y: Float[Array, "*batch time"], taper: Float[Array, " time"]
) -> Float[Array, "*batch frequency"]:
    """Re[X_j* Y_j] / sum_k w_k^2 of the transforms X, Y of w x and w y, for j = 0 ... n/2: bilinear, and the periodogram where y is x.

    Of a spectral matrix that is real (cross correlations symmetric in time) this real part is all that the data say.
    """
    w = jnp.expand_dims(taper, tuple(range(x.ndim - 1)))
    a, b = jnp.fft.rfft(x * w), jnp.fft.rfft(y * w)
    return (jnp.real(a) * jnp.real(b) + jnp.imag(a) * jnp.imag(b)) / jnp.sum(jnp.square(taper))
