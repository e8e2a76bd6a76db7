"""Velocity correlation and spectrum of one atom; `vmap` is the loop (kernels/grouped.py).

Every function takes the velocity of one atom along x, y, z in a window, float64.
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import autocorrelation
from mdtools.kernels.shapes import Array, Float
from mdtools.kernels.spectrum import periodogram

__all__ = ["velocity_correlation", "velocity_correlation_from_first", "velocity_power", "velocity_square"]


@jax.jit
def velocity_correlation(v: Float[Array, "xyz time"]) -> Float[Array, " lag"]:
    """C(m) = 1/(n - m) sum_k v(k) . v(k + m) for every lag m, by FFT."""
    return jnp.sum(autocorrelation(v), axis=0)


@jax.jit
def velocity_correlation_from_first(v: Float[Array, "xyz time"]) -> Float[Array, " lag"]:
    """C(m) = v(0) . v(m): the first frame is the only time origin."""
    return jnp.sum(v[:, :1] * v, axis=0)


def velocity_power(v: Float[Array, "xyz time"], taper: Float[Array, " time"], *, n_fft: int) -> Float[Array, "xyz frequency"]:
    """Periodogram of each component (see `periodogram`); its sum over all frequencies is n_fft times the mean square."""
    return periodogram(v, taper, n_fft=n_fft)


@jax.jit
def velocity_square(v: Float[Array, "xyz time"]) -> Float[Array, ""]:
    """Mean of |v|^2 over the window."""
    return jnp.sum(jnp.mean(jnp.square(v), axis=-1))
