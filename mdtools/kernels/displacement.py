"""Squared displacements of a tile of atoms: all lags and origins by FFT, chosen pairs of frames directly, blocks of time.

A tile is the paths (frame, atom, xyz) of a few atoms in angstrom, float64, and weights of the atoms; kernels/grouped.py
is the loop over tiles. What is linear in the atoms is
summed before the inverse FFT, so that there is one of them for each group and not for each atom.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length, origins
from mdtools.kernels.shapes import Array, Complex, Float, Int

__all__ = [
    "AXES",
    "TENSOR",
    "block_terms",
    "centred",
    "correlation_terms",
    "displacement_terms",
    "mean_displacement",
    "pair_terms",
    "squared_displacement",
]

AXES = ((0, 0), (1, 1), (2, 2))
TENSOR = (*AXES, (0, 1), (0, 2), (1, 2))  # the six products of a symmetric tensor, the diagonal first
Products = tuple[tuple[int, int], ...]


@jax.jit
def squared_displacement(x: Float[Array, "*any time"]) -> Float[Array, "*any lag"]:
    """MSD(m) = 1/(n - m) sum_k |x(k + m) - x(k)|^2 of each series for every lag m, as S1(m) - 2 S2(m).

    The path is centred first; what is left of the cancellation is 1e-16 of the squared extent of the path, so that a
    vibration of 0.1 angstrom on a drift of 300 angstrom keeps nine digits. Source: reference/science.md B1.
    """
    n = x.shape[-1]
    x = x - jnp.mean(x, axis=-1, keepdims=True)
    spectrum = jnp.fft.rfft(x, n=fast_length(2 * n))
    return jnp.maximum(mean_displacement(_power(spectrum, spectrum), jnp.square(x), n_fft=fast_length(2 * n)), 0.0)


def displacement_terms(
    path: Float[Array, "frame atom xyz"],
    weight: Float[Array, " atom"],
    pairs: tuple[Array, ...] | None,
    blocks: tuple[Array, ...] | None,
    lags: Int[Array, " lag"] | None,
    *,
    products: Products,
    windows: int = 1,
    n_fft: int = 0,
    n_lags: int = 0,
    ions: bool = False,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Everything an MSD is made of, in one visit to a tile: (summed over its atoms, kept of each).

    With pairs (those of `pair_terms`) the displacements at their lags, else by FFT the terms of `correlation_terms`;
    `blocks` are those of `block_terms`, None where there are none. With `ions` the msd of each at `lags` is kept too.
    """
    summed, kept = {"path": jnp.sum(weight[None, :, None] * path, axis=1).T}, {}
    if blocks is not None:
        summed["block"], kept["block"] = block_terms(path, weight, *blocks, products=products)
    if pairs is not None:
        summed["msd"] = pair_terms(path, weight, *pairs, n_lags=n_lags, products=products)
        if ions:
            kept["msd"] = pair_terms(path, weight, *pairs, n_lags=n_lags, products=AXES, ions=True)
        return summed, kept
    x = centred(path, windows=windows)
    spectrum = jnp.fft.rfft(x, n=n_fft)
    summed["power"], summed["square"] = correlation_terms(x, spectrum, weight, products=products)
    if ions:
        each = mean_displacement(_power(spectrum, spectrum), jnp.square(x), n_fft=n_fft)
        kept["msd"] = jnp.maximum(each[..., lags], 0.0).transpose(2, 0, 1, 3)
    return summed, kept


def centred(path: Float[Array, "frame atom xyz"], *, windows: int) -> Float[Array, "window xyz atom time"]:
    """Paths cut into equal windows, each less its mean; time contiguous, frames that are left over not used."""
    length = path.shape[0] // windows
    x = path[: windows * length].reshape(windows, length, *path.shape[1:]).transpose(0, 3, 2, 1)
    return x - jnp.mean(x, axis=-1, keepdims=True)


def correlation_terms(
    x: Float[Array, "window xyz atom time"],
    spectrum: Complex[Array, "window xyz atom frequency"],
    weight: Float[Array, " atom"],
    *,
    products: Products,
) -> tuple[Float[Array, "window product frequency"], Float[Array, "window product time"]]:
    """What all lags are made of, summed over the atoms with their weights: Re(X_a* X_b) and x_a(k) x_b(k) of the products (a, b).

    x is centred, its spectrum that of x padded with zeros. `mean_displacement` makes the displacements of it.
    """
    each = weight[None, :, None]
    power = [jnp.sum(each * _power(spectrum[:, a], spectrum[:, b]), axis=1) for a, b in products]
    square = [jnp.sum(each * (x[:, a] * x[:, b]), axis=1) for a, b in products]
    return jnp.stack(power, axis=1), jnp.stack(square, axis=1)


@functools.partial(jax.jit, static_argnames=("n_fft",))
def mean_displacement(power: Float[Array, "*any frequency"], square: Float[Array, "*any time"], *, n_fft: int) -> Float[Array, "*any lag"]:
    """1/(n - m) sum_k [x_a(k + m) - x_a(k)] [x_b(k + m) - x_b(k)] for every lag m that n_fft holds apart, from `correlation_terms`."""
    n = square.shape[-1]
    n_lags = min(n, n_fft - n + 1)
    below = jnp.cumsum(square, axis=-1)  # sum of the first k + 1
    head = below[..., ::-1]  # sum_{k < n - m}
    tail = below[..., -1:] - (below - square)  # sum_{k >= m}
    total = head[..., :n_lags] + tail[..., :n_lags] - 2.0 * jnp.fft.irfft(power, n=n_fft)[..., :n_lags]
    mean = total / jnp.expand_dims(origins(n)[:n_lags], tuple(range(total.ndim - 1)))
    return mean.at[..., 0].set(0.0)


def block_terms(
    path: Float[Array, "frame atom xyz"],
    weight: Float[Array, " atom"],
    first: Int[Array, " block"],
    last: Int[Array, " block"],
    share: Float[Array, "length block"],
    *,
    products: Products,
) -> tuple[Float[Array, "product block"], Float[Array, "atom length"]]:
    """dr_a dr_b between the first and the last frame of each block, summed over atoms; and of each atom sum_b share |dr|^2."""
    step = path[last] - path[first]
    summed = [jnp.sum(weight[None, :] * (step[:, :, a] * step[:, :, b]), axis=1) for a, b in products]
    square = jnp.sum(jnp.square(step), axis=2)
    return jnp.stack(summed), jnp.einsum("lb,ba->al", share, square, precision="highest")


@functools.partial(jax.jit, static_argnames=("n_lags", "products", "fourth", "ions"))
def pair_terms(
    path: Float[Array, "frame atom xyz"],
    weight: Float[Array, " atom"],
    first: Int[Array, "tile row pair"],
    last: Int[Array, "tile row pair"],
    share: Float[Array, "tile row pair"],
    lag: Int[Array, "tile row"],
    *,
    n_lags: int,
    products: Products,
    fourth: bool = False,
    ions: bool = False,
) -> Float[Array, "*atom lag term"]:
    """sum over pairs of frames of share x dr_a dr_b for each lag, summed over atoms, or with `ions` of each atom.

    With `fourth` also dx^4, dy^4, dz^4 and |dr|^4. A row holds pairs of one lag; rows are visited a tile at a time.
    No cancellation: exact to rounding.
    """

    def one(total: Array, tile: tuple[Array, ...]) -> tuple[Array, None]:
        start, end, each, number = tile
        step = path[end] - path[start]  # (row, pair, atom, xyz)
        terms = [step[..., a] * step[..., b] for a, b in products]
        if fourth:
            square = jnp.square(step)
            terms += [jnp.square(square[..., a]) for a in range(3)] + [jnp.square(jnp.sum(square, axis=-1))]
        if ions:
            return total.at[:, number].add(jnp.stack([jnp.sum(each[:, :, None] * term, axis=1).T for term in terms], axis=-1)), None
        every = each[:, :, None] * weight[None, None, :]
        return total.at[number].add(jnp.stack([jnp.sum(every * term, axis=(1, 2)) for term in terms], axis=-1)), None

    shape = (n_lags, len(products) + 4 * fourth)
    total, _ = jax.lax.scan(one, jnp.zeros((path.shape[1], *shape) if ions else shape), (first, last, share, lag))
    return total


def _power(x: Array, y: Array) -> Array:
    """Re(x* y): the spectrum of a correlation symmetrised in time."""
    return x.real * y.real + x.imag * y.imag
