"""Velocity correlation of one atom in a window, and velocity spectra of a tile of atoms; the loops are in kernels/grouped.py. Float64."""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import autocorrelation
from mdtools.kernels.shapes import Array, Float
from mdtools.kernels.spectrum import periodogram

__all__ = ["velocity_correlation", "velocity_correlation_from_first", "velocity_terms"]


@jax.jit
def velocity_correlation(v: Float[Array, "xyz time"]) -> Float[Array, " lag"]:
    """C(m) = 1/(n - m) sum_k v(k) . v(k + m) for every lag m, by FFT."""
    return jnp.sum(autocorrelation(v), axis=0)


@jax.jit
def velocity_correlation_from_first(v: Float[Array, "xyz time"]) -> Float[Array, " lag"]:
    """C(m) = v(0) . v(m): the first frame is the only time origin."""
    return jnp.sum(v[:, :1] * v, axis=0)


def velocity_terms(
    v: Float[Array, "xyz atom frame"], weight: Float[Array, " atom"], tapers: Float[Array, "taper time"], *, windows: int, n_fft: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Of a tile of atoms (kernels/grouped.py), weighted and summed: `power` (window, xyz, frequency) and `square` (window,).

    power : periodogram (see `periodogram`), mean over the tapers; its sum over all n_fft frequencies is n_fft times the (tapered)
    mean square. square : mean of |v|^2 over the window.
    """
    length = tapers.shape[-1]
    parts = v[..., : windows * length].reshape(*v.shape[:2], windows, length)
    each = [jnp.einsum("xawf,a->wxf", periodogram(parts, taper, n_fft=n_fft), weight) for taper in tapers]
    power = functools.reduce(jnp.add, each) / tapers.shape[0]
    square = jnp.einsum("xaw,a->w", jnp.mean(jnp.square(parts), axis=-1), weight)
    return {"power": power, "square": square}, {}
