"""Transforms of real series padded with zeros, cut into short ones that stay in the cache of a processor.

Of the transform X_j = sum_k x_k exp(-2 pi i j k / N) the even j are one of half the length, of x_k + x_{k + N/2}, and the odd j one of a quarter
of it, complex, of (y_k - i y_{k + N/4}) exp(-2 pi i k / N), y_k = x_k - x_{k + N/2}: where half of x is zeros, none is transformed. The same is
done again with the even ones until they are short. Entries come in the order of `entries`; what is quadratic in them and the same for j
and N - j, as Re(X_j* Y_j), is put `in_order` when it has been summed.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length
from mdtools.kernels.shapes import Array, Complex, Float, Int

__all__ = ["Pieces", "Twiddles", "entries", "in_order", "padded_length", "padded_transform", "twiddles"]

# numbers of a transform that is not cut: real ones, and twice as many complex ones (measured: a core has a cache of 1 or 2 MB). Longer ones are cut
# only while their length divides by 4, the complex ones by 2, which `padded_length` sees to for a few halvings
SHORT = 2**14
Pieces = tuple[Array, ...]


class Twiddles(NamedTuple):
    """What `padded_transform` multiplies with, and where its entries belong."""

    turns: tuple[Pieces, ...]  # of each halving of the real series that of the odd entries, then those of the halvings of these
    order: Int[Array, " frequency"]  # place among the entries of j = 0 ... n_fft / 2


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
        return _real(whole, whole, factors.turns)
    late = jnp.pad(x[..., half:], [*zeros, (0, n_fft - n)])
    return _real(x[..., :half] + late, x[..., :half] - late, factors.turns)


def _real(even: Float[Array, "*batch time"], odd: Float[Array, "*batch time"], turns: tuple[Pieces, ...]) -> Pieces:
    """Transforms of a real series, from those of which its even and its odd entries are made."""
    n = odd.shape[-1] // 2
    first, second = odd[..., :n], odd[..., n:]
    turn = _alike(turns[0][0], first)
    turned = jax.lax.complex(first * turn.real + second * turn.imag, first * turn.imag - second * turn.real)
    rest = _real(*_halves(even), turns[1:]) if len(turns) > 1 else (jnp.fft.rfft(even),)
    return (*_complex(turned, turns[0][1:]), *rest)


def _complex(z: Complex[Array, "*batch time"], turns: Pieces) -> Pieces:
    if not turns:
        return (jnp.fft.fft(z),)
    even, odd = _halves(z)
    return (*_complex(even, turns[1:]), *_complex(odd * _alike(turns[0], odd), turns[1:]))


def _halves(
    x: Float[Array, "*batch time"] | Complex[Array, "*batch time"],
) -> tuple[Float[Array, "*batch half"] | Complex[Array, "*batch half"], Float[Array, "*batch half"] | Complex[Array, "*batch half"]]:
    n = x.shape[-1] // 2
    return x[..., :n] + x[..., n:], x[..., :n] - x[..., n:]


def _is_short(n: int) -> bool:
    """Whether n real numbers are transformed at once."""
    return n <= SHORT or n % 4 != 0


def _is_cut(n: int) -> bool:
    """Whether n complex numbers are not."""
    return n > 2 * SHORT and n % 2 == 0


def _alike(turn: Complex[Array, " time"], x: Float[Array, "*batch time"] | Complex[Array, "*batch time"]) -> Complex[Array, "*ones time"]:
    return jnp.expand_dims(turn, tuple(range(x.ndim - 1)))


@functools.partial(jax.jit, static_argnames="n_fft")
def twiddles(n_fft: int) -> Twiddles:
    """exp(-2 pi i k / (4 n)), k < n, of the odd entries, exp(-2 pi i k / (2 n)) of what these are halved into. Made once, not for each tile."""

    def of(n: int, part: int) -> Complex[Array, " entry"]:
        angle = -2.0 * jnp.pi * jnp.arange(n).astype(jnp.float64) / (part * n)
        return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))

    found, real = [], n_fft // 2
    while True:
        n = real // 2
        turns = [of(n, 4)]
        while _is_cut(n):
            n //= 2
            turns.append(of(n, 2))
        found.append(tuple(turns))
        if _is_short(real):
            return Twiddles(tuple(found), jnp.argsort(entries(n_fft)))
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


@jax.jit
def in_order(power: Pieces, factors: Twiddles) -> Float[Array, "*batch frequency"]:
    """What has been made of the pieces of `padded_transform`, each (..., entry), at j = 0 ... n_fft / 2."""
    return jnp.take(jnp.concatenate(power, axis=-1), factors.order, axis=-1)
