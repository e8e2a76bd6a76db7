"""Correlation of time series over all time origins, by FFT.

Unbiased: lag m is the mean over the n - m origins that have it. Float64 in, float64 out: error below 1e-15 n / (n - m)
of the zero-lag value, so that only the last lags of a long series know an FFT was used (float32 loses up to 60 %,
reference/ecosystem.md 2).
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float

__all__ = ["correlation_of_power", "crosscorrelation", "fast_length", "origins"]


def origins(n: int) -> Float[Array, " lag"]:
    """Number of time origins n - m of each lag m."""
    return jnp.arange(n, 0, -1).astype(jnp.float64)


def fast_length(n: int) -> int:
    """The smallest even number from n on that has no prime factor above 5: a length whose FFT is fast.

    >>> fast_length(9998)
    10000
    """
    best = 2 ** max(1, (n - 1).bit_length())
    five = 1
    while five < best:
        three = five
        while three < best:
            least = -(-n // (2 * three))  # a power of two times 2 x three
            best = min(best, 2 * three * 2 ** max(0, (least - 1).bit_length()))
            three *= 3
        five *= 5
    return best


@functools.partial(jax.jit, static_argnames=("n", "n_fft"))
def correlation_of_power(power: Float[Array, "*batch frequency"], *, n: int, n_fft: int) -> Float[Array, "*batch lag"]:
    """The correlation of series of n samples at every lag m < n, from Re(X* Y) of their transforms, padded with zeros to n_fft >= 2 n."""
    return jnp.fft.irfft(power, n=n_fft)[..., :n] / jnp.expand_dims(origins(n), tuple(range(power.ndim - 1)))


@jax.jit
def crosscorrelation(x: Float[Array, "*batch time"], y: Float[Array, "*batch time"]) -> Float[Array, "*batch lag"]:
    """c(m) = 1/(n - m) sum_k [x(k) y(k + m) + y(k) x(k + m)] / 2: symmetrised in time, for every lag m < n."""
    n = x.shape[-1]
    product = jnp.conj(jnp.fft.rfft(x, n=fast_length(2 * n))) * jnp.fft.rfft(y, n=fast_length(2 * n))
    return correlation_of_power(jnp.real(product), n=n, n_fft=fast_length(2 * n))
