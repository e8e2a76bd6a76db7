"""Transforms of real series padded with zeros, cut into short ones that stay in the cache of a processor.

Of the transform X_j = sum_k x_k exp(-2 pi i j k / N), N >= 2 n, of n samples the even j are the transform of x wrapped to half the
length, and the odd ones that of a quarter of the length, of (x_k - i x_{k + N/4}) exp(-2 pi i k / N), complex: no zero is transformed. The same
is done again with the halves until they are short. Entries come in the order of `entries`; what is quadratic in them and the same for j
and N - j, as Re(X_j* Y_j), is put `in_order` when it has been summed.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["entries", "in_order", "padded_length", "padded_transform", "twiddles"]

SHORT = 2**14  # numbers of a transform that is not cut: real ones, and twice as many complex ones (measured: a core has a cache of 1 or 2 MB)
Twiddles = dict[str, Array]
Pieces = tuple[Array, ...]


def padded_length(n: int) -> int:
    """The smallest length from n on that can be cut: 8 times one whose transform is fast, 64 times one where it is long.

    >>> padded_length(9998), padded_length(199999)
    (10000, 200000)
    """
    unit = 32 if n > 4 * SHORT else 4
    return unit * fast_length(-(-n // unit))


def padded_transform(x: Float[Array, "*batch time"], factors: Twiddles, *, n_fft: int) -> Pieces:
    """X_j of x padded with zeros to n_fft, in pieces (..., entry): j or n_fft - j of all j <= n_fft / 2, in the order of `entries`.

    factors : `twiddles` of n_fft. Exact to rounding, as one transform is.
    """
    half, n = n_fft // 2, x.shape[-1]
    zeros = [(0, 0)] * (x.ndim - 1)
    if n <= half:
        whole = jnp.pad(x, [*zeros, (0, half - n)])
        return _real(whole, whole, factors)
    late = jnp.pad(x[..., half:], [*zeros, (0, n_fft - n)])
    return _real(x[..., :half] + late, x[..., :half] - late, factors)


def _real(even: Array, odd: Array, factors: Twiddles) -> Pieces:
    """Transforms of a real series, from those of which its even and its odd entries are made."""
    n = odd.shape[-1] // 2
    first, second = odd[..., :n], odd[..., n:]
    turn = _alike(factors[_key(n, 4)], odd)
    turned = jax.lax.complex(first * turn.real + second * turn.imag, first * turn.imag - second * turn.real)
    return (*_complex(turned, factors), *((jnp.fft.rfft(even),) if _is_short(2 * n) else _real(*_halves(even), factors)))


def _complex(z: Array, factors: Twiddles) -> Pieces:
    if not _is_cut(z.shape[-1]):
        return (jnp.fft.fft(z),)
    even, odd = _halves(z)
    turn = _alike(factors[_key(odd.shape[-1], 2)], odd)
    return (*_complex(even, factors), *_complex(odd * turn, factors))


def _halves(x: Array) -> tuple[Array, Array]:
    n = x.shape[-1] // 2
    return x[..., :n] + x[..., n:], x[..., :n] - x[..., n:]


def _is_short(n: int) -> bool:
    """Whether n real numbers are transformed at once."""
    return n <= SHORT or n % 4 != 0


def _is_cut(n: int) -> bool:
    """Whether n complex numbers are not."""
    return n > 2 * SHORT and n % 2 == 0


def _key(n: int, part: int) -> str:
    return f"{n} of {part}"


def _alike(turn: Array, x: Array) -> Array:
    return jnp.expand_dims(turn, tuple(range(x.ndim - 1)))


@functools.partial(jax.jit, static_argnames="n_fft")
def twiddles(n_fft: int) -> Twiddles:
    """exp(-2 pi i k / (part n)), k < n, of every n and part that `padded_transform` needs: made once, and not again for each tile."""

    def of(n: int, part: int) -> Array:
        angle = -2.0 * jnp.pi * jnp.arange(n).astype(jnp.float64) / (part * n)
        return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))

    found, real = {}, n_fft // 2
    while True:
        n = real // 2
        found[_key(n, 4)] = of(n, 4)
        while _is_cut(n):
            n //= 2
            found[_key(n, 2)] = of(n, 2)
        if _is_short(real):
            return found
        real //= 2


def entries(n_fft: int) -> Int[Array, " entry"]:
    """The j <= n_fft / 2 of each entry of `padded_transform`.

    >>> entries(16).tolist()
    [1, 5, 7, 3, 0, 2, 4, 6, 8]
    """
    found, real, step = [], n_fft // 2, 1
    while True:
        odd = step * (4 * _order(real // 2) + 1)
        found.append(jnp.where(odd <= n_fft // 2, odd, n_fft - odd))
        if _is_short(real):
            return jnp.concatenate([*found, 2 * step * jnp.arange(real // 2 + 1)])
        real, step = real // 2, 2 * step


def _order(n: int) -> Int[Array, " entry"]:
    if not _is_cut(n):
        return jnp.arange(n)
    part = _order(n // 2)
    return jnp.concatenate([2 * part, 2 * part + 1])


@functools.partial(jax.jit, static_argnames="n_fft")
def in_order(power: Pieces, *, n_fft: int) -> Float[Array, "*batch frequency"]:
    """What has been made of the pieces of `padded_transform`, each (..., entry), at j = 0 ... n_fft / 2."""
    return jnp.take(jnp.concatenate(power, axis=-1), jnp.argsort(entries(n_fft)), axis=-1)
