"""Velocity correlation of one atom in a window, and velocity spectra of a tile of atoms; the loops are in kernels/grouped.py."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length
from mdtools.kernels.grouped import AXES, in_parts, summed_atoms, summed_products
from mdtools.kernels.padded import Twiddles, padded_transform
from mdtools.kernels.shapes import Array, Float
from mdtools.kernels.spectrum import periodogram

__all__ = ["half_hann_spectrum", "trailing_correlation", "velocity_correlation_from_first", "velocity_power", "velocity_terms"]


def velocity_power(
    v: Float[Array, "xyz atom frame"], weight: Float[Array, " atom"], factors: Twiddles, *, windows: int, n_fft: int
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Of a tile of atoms (kernels/grouped.py), weighted and summed: `power`, |V|^2 of velocities padded with zeros to n_fft, over x, y and z.

    In pieces (window, entry) of `padded_transform`; `correlation_of_power` makes C(m) of them, 1/(n - m) sum_k v(k) . v(k + m) for every lag m.
    """
    parts = padded_transform(in_parts(v, windows), factors, n_fft=n_fft)
    return {"power": tuple(jnp.sum(summed_products(part, weight, AXES), axis=1) for part in parts)}, {}


@jax.jit
def velocity_correlation_from_first(v: Float[Array, "xyz time"]) -> Float[Array, " lag"]:
    """C(m) = v(0) . v(m): the first frame is the only time origin."""
    return jnp.sum(v[:, :1] * v, axis=0)


@functools.partial(jax.jit, static_argnames="lags")
def trailing_correlation(v: Float[Array, "xyz time"], *, lags: int) -> Float[Array, "xyz lag"]:
    """C(m) = 1/(n - lags + 1) sum_k v(k) v(k - m), m < lags, k from lags - 1 on: every lag has the same time origins."""
    n = v.shape[-1]
    late = v.at[:, : lags - 1].set(0.0)
    n_fft = fast_length(2 * n)
    product = jnp.fft.rfft(late, n=n_fft) * jnp.conj(jnp.fft.rfft(v, n=n_fft))
    return jnp.fft.irfft(product, n=n_fft)[..., :lags] / (n - lags + 1)


@jax.jit
def half_hann_spectrum(
    c: Float[Array, "*batch lag"], frequency: Float[Array, " frequency"], interval: Float[Array, ""]
) -> Float[Array, "frequency *batch"]:
    """D(f) = 2 dt sum_m (2 - delta_m0) h_m c(m) cos(2 pi f m dt), h_m = (1 + cos(pi m / n)) / 2: the half of Hann's taper on n lags.

    The integral over f from 0 to 1 / 2 dt is c(0) (but for what the grid of f leaves out). Negative where the taper's side lobes are.
    """
    m = jnp.arange(c.shape[-1]).astype(jnp.float64)
    weight = (1 + jnp.cos(jnp.pi * m / c.shape[-1])) / 2 * jnp.where(m == 0, 1.0, 2.0)
    tapered = c * jnp.expand_dims(weight, tuple(range(c.ndim - 1)))
    return jax.lax.map(lambda f: 2 * interval * jnp.tensordot(tapered, jnp.cos(2 * jnp.pi * f * m * interval), 1, precision="highest"), frequency)


def velocity_terms(
    v: Float[Array, "xyz atom frame"], weight: Float[Array, " atom"], tapers: Float[Array, "taper time"], *, windows: int, n_fft: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Of a tile of atoms (kernels/grouped.py), weighted and summed: `power` (window, xyz, frequency) and `square` (window,).

    As precise as v: velocities of single precision are transformed so, with an error of 3e-7 of the largest ordinate of an atom, and those of
    tiles summed in float64.

    power : periodogram (see `periodogram`), mean over the tapers; its sum over all n_fft frequencies is n_fft times the (tapered)
    mean square. square : mean of |v|^2 over the window.
    """
    parts = in_parts(v, windows)
    of_atom = weight.astype(v.dtype)
    each = [summed_atoms(periodogram(parts, taper.astype(v.dtype), n_fft=n_fft), of_atom) for taper in tapers]
    square = summed_atoms(jnp.square(parts.astype(jnp.float64)), weight)
    return {"power": functools.reduce(jnp.add, each) / tapers.shape[0], "square": jnp.sum(square, axis=(1, 2)) / square.shape[-1]}, {}
