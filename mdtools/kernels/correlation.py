"""Correlation of time series over all time origins, by FFT.

Unbiased: lag m is the mean over the n - m origins that have it. Float64 in, float64 out: error below 1e-15 n / (n - m)
of the zero-lag value, so that only the last lags of a long series know an FFT was used (float32 loses up to 60 %,
reference/ecosystem.md 2).
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float

__all__ = ["autocorrelation", "crosscorrelation", "origins"]


def origins(n: int) -> Float[Array, " lag"]:
    """Number of time origins n - m of each lag m."""
    return jnp.arange(n, 0, -1).astype(jnp.float64)


@jax.jit
def autocorrelation(x: Float[Array, "*batch time"]) -> Float[Array, "*batch lag"]:
    """c(m) = 1/(n - m) sum_k x(k) x(k + m) along the last axis, for every lag m < n."""
    n = x.shape[-1]
    spectrum = jnp.square(jnp.abs(jnp.fft.rfft(x, n=2 * n)))
    return jnp.fft.irfft(spectrum, n=2 * n)[..., :n] / jnp.expand_dims(origins(n), tuple(range(x.ndim - 1)))


@jax.jit
def crosscorrelation(x: Float[Array, "*batch time"], y: Float[Array, "*batch time"]) -> Float[Array, "*batch lag"]:
    """c(m) = 1/(n - m) sum_k [x(k) y(k + m) + y(k) x(k + m)] / 2: symmetrised in time, for every lag m < n."""
    n = x.shape[-1]
    product = jnp.conj(jnp.fft.rfft(x, n=2 * n)) * jnp.fft.rfft(y, n=2 * n)
    return jnp.fft.irfft(jnp.real(product), n=2 * n)[..., :n] / jnp.expand_dims(origins(n), tuple(range(x.ndim - 1)))
