"""Scattering functions from density and current modes: correlations over all time origins, and spectra of them.

Modes are complex series (..., time); a correlation is even in time, c(m) = Re <a(t) b*(t + m) + b(t) a*(t + m)> / 2, by FFT
in float64 with the error that kernels/correlation.py states. Self parts visit atoms, and no two atoms share a wave.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length, origins
from mdtools.kernels.grouped import paths
from mdtools.kernels.shapes import Array, Complex, Float
from mdtools.kernels.waves import turned

__all__ = ["current_correlations", "even_spectrum", "from_power", "mean_products", "mode_correlations", "self_power"]

TOGETHER = 16  # wave vectors whose series are transformed side by side: they stay in the cache of a processor
ROWS = 8  # spectra made side by side, for the same reason


def _length(n: int, longest: int) -> int:
    return fast_length(n + longest)


@functools.partial(jax.jit, static_argnames=("n", "longest"))
def from_power(power: Float[Array, "*batch frequency"], *, n: int, longest: int) -> Float[Array, "*batch lag"]:
    """Correlation at lags 0 ... longest from the products A(f) B*(f), real and even in f, of n frames padded to `_length`."""
    size = _length(n, longest)
    sums = jnp.fft.irfft(power, n=size)[..., : longest + 1]
    return sums / jnp.expand_dims(origins(n)[: longest + 1], tuple(range(power.ndim - 1)))


def _even(product: Float[Array, "*batch n"]) -> Float[Array, "*batch frequency"]:
    """Mean of f and -f, for f = 0 ... n / 2 (n is even)."""
    half = product.shape[-1] // 2 + 1
    mirrored = jnp.concatenate([product[..., :1], product[..., :0:-1]], axis=-1)
    return 0.5 * (product + mirrored)[..., :half]


def _products(a: Complex[Array, "*any"], b: Complex[Array, "*any"]) -> Float[Array, "*any"]:
    """Re a b*."""
    return a.real * b.real + a.imag * b.imag


@functools.partial(jax.jit, static_argnames=("pairs", "longest"))
def mode_correlations(modes: Complex[Array, "group q time"], *, pairs: tuple[tuple[int, int], ...], longest: int) -> Float[Array, "pair q lag"]:
    """Re <a(t) b*(t + m)> of each pair of groups (a, b), both orders of unlike groups added, for lags 0 ... longest."""
    n = modes.shape[-1]

    def one(series: Complex[Array, "group time"]) -> Float[Array, "pair lag"]:
        spectra = jnp.fft.fft(series, n=_length(n, longest))
        power = jnp.stack([(1.0 if a == b else 2.0) * _even(_products(spectra[a], spectra[b])) for a, b in pairs])
        return from_power(power, n=n, longest=longest)

    return jnp.moveaxis(jax.lax.map(one, jnp.moveaxis(modes, 1, 0), batch_size=TOGETHER), 0, 1)


@functools.partial(jax.jit, static_argnames=("pairs", "longest"))
def current_correlations(
    modes: Complex[Array, "group xyz q time"], direction: Float[Array, "q xyz time"], *, pairs: tuple[tuple[int, int], ...], longest: int
) -> Float[Array, "part pair q lag"]:
    """Longitudinal Re <(e.j_a)(t) (e.j_b)*(t + m)>, and half of Re <j_a(t) . j_b*(t + m)> of what is left, the transverse parts.

    direction : e, the unit vector of q at each time. Both orders of unlike groups are added.
    """
    n = modes.shape[-1]

    def one(values: tuple[Array, Array]) -> Float[Array, "part pair lag"]:
        series, unit = values
        unit = unit[None].astype(jnp.complex128)
        along = jnp.sum(series * unit, axis=1, keepdims=True)
        spectra = jnp.fft.fft(jnp.concatenate([along, series - along * unit], axis=1), n=_length(n, longest))
        products = jnp.stack([(1.0 if a == b else 2.0) * _even(_products(spectra[a], spectra[b])) for a, b in pairs])
        parts = jnp.stack([products[:, 0], 0.5 * (products[:, 1] + products[:, 2] + products[:, 3])])
        return from_power(parts, n=n, longest=longest)

    each = jax.lax.map(one, (jnp.moveaxis(modes, 2, 0), direction), batch_size=TOGETHER)
    return jnp.moveaxis(each, 0, 2)


@functools.partial(jax.jit, static_argnames=("pairs",))
def mean_products(modes: Complex[Array, "group q time"], *, pairs: tuple[tuple[int, int], ...]) -> Float[Array, "pair q"]:
    """Re <a b*> at one time, both orders of unlike groups added."""
    return jnp.stack([(1.0 if a == b else 2.0) * jnp.mean(_products(modes[a], modes[b]), axis=-1) for a, b in pairs])


@functools.partial(jax.jit, static_argnames=("windows", "longest"))
def self_power(
    values: Float[Array, "atom xyz frame"],
    cell: Float[Array, "*frame xyz xyz"],
    shift: Float[Array, "frame xyz"],
    weights: Float[Array, "atom group"],
    q: Float[Array, "q xyz"],
    *,
    windows: int,
    longest: int,
) -> Float[Array, "window group q frequency"]:
    """sum_i w_ig |FFT exp(2 pi i q . x_i)|^2, even in frequency, of the path of each atom; `from_power` makes F_s of it.

    q : in cycles per angstrom. The path starts from where the atom is at first, so that a phase keeps its digits.
    """
    path = paths(values, cell, shift, windows=windows)
    path = path - path[:, :, :, :1]
    size = _length(path.shape[-1], longest)

    def one(vector: Float[Array, " xyz"]) -> Float[Array, "window group frequency"]:
        cosine, sine = turned(path[:, :, 0] * vector[0] + path[:, :, 1] * vector[1] + path[:, :, 2] * vector[2])
        spectrum = jnp.fft.fft(jax.lax.complex(cosine, sine), n=size)
        return jnp.einsum("waf,ag->wgf", _even(_products(spectrum, spectrum)), weights, precision="highest")

    return jnp.moveaxis(jax.lax.map(one, q), 0, 2)


@jax.jit
def even_spectrum(correlation: Float[Array, "*batch lag"], taper: Float[Array, " lag"], dt: Float[Array, ""]) -> Float[Array, "*batch lag"]:
    """S(f_k) = dt [c(0) + 2 sum_{m = 1}^M w_m c(m) cos(2 pi k m / n)], n = 2 M + 1, f_k = k / (n dt), k = 0 ... M.

    The Fourier transform of the correlation continued to negative times: the mean over all n frequencies is c(0) / dt. n is odd and often
    prime, so the sums are made by Bluestein's convolution, with km = [k^2 + m^2 - (k - m)^2] / 2, in transforms of a fast length.
    """
    last = correlation.shape[-1] - 1
    n, size = 2 * last + 1, fast_length(2 * last + 1)
    m = jnp.arange(last + 1)
    turns = (m * m % (2 * n)).astype(jnp.float64) / (2 * n)  # of m^2 / 2n, whole ones left out
    chirp = jax.lax.complex(jnp.cos(2.0 * jnp.pi * turns), -jnp.sin(2.0 * jnp.pi * turns))
    back = jnp.conj(chirp)
    around = jnp.concatenate([back, jnp.zeros(size - n, back.dtype), back[:0:-1]])
    kernel, ahead = jnp.fft.fft(around), chirp * (taper * jnp.where(m == 0, 1.0, 2.0)).astype(chirp.dtype)

    def one(row: Float[Array, " lag"]) -> Float[Array, " lag"]:
        product = jnp.fft.ifft(jnp.fft.fft(row.astype(chirp.dtype) * ahead, n=size) * kernel)[: last + 1] * chirp
        return dt * jnp.real(product)

    rows = jax.lax.map(one, correlation.reshape(-1, last + 1), batch_size=ROWS)
    return rows.reshape(correlation.shape)
