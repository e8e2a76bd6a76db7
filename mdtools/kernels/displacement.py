"""Squared displacements of a tile of atoms: all lags and origins by FFT, chosen pairs of frames directly, blocks of time.

A tile is the paths (xyz, atom, frame) of a few atoms in angstrom, float64, and weights of the atoms; kernels/grouped.py
is the loop over tiles. What is linear in the atoms is summed before the inverse FFT, so that there is one of them for each
group and not for each atom.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import fast_length, origins
from mdtools.kernels.grouped import AXES, Products, in_parts, in_phase, summed_atoms, summed_products
from mdtools.kernels.padded import Pieces, Twiddles, in_order, padded_transform
from mdtools.kernels.shapes import Array, Float, Int

__all__ = [
    "block_terms",
    "centred",
    "correlation_terms",
    "displacement_terms",
    "mean_displacement",
    "moment_terms",
    "pair_terms",
    "squared_displacement",
]

FRAMES = 64  # of a window, whose mean stands for that of all


@jax.jit
def squared_displacement(x: Float[Array, "*any time"]) -> Float[Array, "*any lag"]:
    """MSD(m) = 1/(n - m) sum_k |x(k + m) - x(k)|^2 of each series for every lag m, as S1(m) - 2 S2(m).

    The path is centred first; what is left of the cancellation is 1e-16 of the squared extent of the path, so that a
    vibration of 0.1 angstrom on a drift of 300 angstrom keeps nine digits. Source: reference/science.md B1.
    """
    n = x.shape[-1]
    x = x - jnp.mean(x, axis=-1, keepdims=True)
    spectrum = jnp.fft.rfft(x, n=fast_length(2 * n))
    return jnp.maximum(mean_displacement(in_phase(spectrum, spectrum), jnp.square(x), n_fft=fast_length(2 * n)), 0.0)


def displacement_terms(
    path: Float[Array, "xyz atom frame"],
    weight: Float[Array, " atom"],
    pairs: tuple[Array, ...] | None,
    lags: Int[Array, " lag"] | None,
    blocks: tuple[Array, Array, Array] | None,
    factors: Twiddles | None,
    *,
    products: Products,
    windows: int = 1,
    n_fft: int = 0,
    n_lags: int = 0,
    ions: bool = False,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What an MSD is made of, in one visit to a tile: (summed over its atoms, kept of each).

    With pairs (those of `pair_terms`) the displacements at their lags and the summed path, else by FFT the terms of
    `correlation_terms`. With `ions` the msd of each is kept too, by FFT at `lags`; with blocks the terms of `block_terms`.
    """
    summed, kept = ({}, {}) if blocks is None else block_terms(path, weight, *blocks, products=products)
    if pairs is not None:
        frames_first = path.transpose(2, 1, 0)
        summed |= {"path": summed_atoms(path, weight), "msd": pair_terms(frames_first, weight, *pairs, n_lags=n_lags, products=products)}
        return summed, kept | ({"msd": pair_terms(frames_first, weight, *pairs, n_lags=n_lags, products=AXES, ions=True)} if ions else {})
    assert factors is not None
    x = centred(path, windows=windows)
    spectrum = padded_transform(x, factors, n_fft=n_fft)
    power, square = correlation_terms(x, spectrum, weight, products=products)
    summed |= {"path": summed_atoms(x, weight), "power": power, "square": square}
    if not ions:
        return summed, kept
    alone = in_order(tuple(in_phase(part, part) for part in spectrum), factors)
    each = mean_displacement(alone, jnp.square(x), n_fft=n_fft)
    return summed, kept | {"msd": jnp.maximum(each[..., lags], 0.0).transpose(2, 0, 1, 3)}


def centred(path: Float[Array, "xyz atom frame"], *, windows: int) -> Float[Array, "window xyz atom time"]:
    """Paths cut into equal windows, each less the mean of 64 of its frames or more; frames that are left over are not used.

    Displacements bear any origin; this one keeps the squares as small as those of the path about its mean.
    """
    x = in_parts(path, windows)
    middle = jnp.mean(x[..., :: max(1, x.shape[-1] // FRAMES)], axis=-1, keepdims=True)
    # made once, and not again by everything that reads it
    return jax.lax.optimization_barrier(x - middle)


def correlation_terms(
    x: Float[Array, "window xyz atom time"], spectrum: Pieces, weight: Float[Array, " atom"], *, products: Products
) -> tuple[Pieces, Float[Array, "window product time"]]:
    """What all lags are made of, summed over the atoms with their weights: Re(X_a* X_b) and x_a(k) x_b(k) of the products (a, b).

    x is centred, its spectrum the `padded_transform` of it, in pieces (window, xyz, atom, entry), of which pieces (window, product, entry)
    are made. `mean_displacement` makes the displacements of them when they are `in_order`.
    """
    return tuple(summed_products(part, weight, products) for part in spectrum), summed_products(x, weight, products)


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


@functools.partial(jax.jit, static_argnames=("products",))
def block_terms(
    path: Float[Array, "xyz atom frame"],
    weight: Float[Array, " atom"],
    first: Int[Array, " block"],
    last: Int[Array, " block"],
    share: Float[Array, "length block"],
    *,
    products: Products,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """`block`: dr_a dr_b between the first and the last frame of each block, summed over atoms with their weights (product, block);
    and of each atom sum_b share_b |dr|^2 (atom, length).
    """
    # one axis after the other, so that the frames are picked once and not again for each product
    step = jax.lax.map(lambda x: x.at[:, last].get(mode="promise_in_bounds") - x.at[:, first].get(mode="promise_in_bounds"), path)
    summed = [summed_atoms(step[a] * step[b], weight) for a, b in products]
    square = jnp.square(step[0]) + jnp.square(step[1]) + jnp.square(step[2])
    return {"block": jnp.stack(summed)}, {"block": jnp.matmul(square, share.T, precision="highest")}


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

    axes = [path[:, :, k] for k in range(3)]

    def one(total: Array, tile: tuple[Array, ...]) -> tuple[Array, None]:
        start, end, each, number = tile
        step = [x.at[end].get(mode="promise_in_bounds") - x.at[start].get(mode="promise_in_bounds") for x in axes]  # (row, pair, atom)
        terms = [step[a] * step[b] for a, b in products]
        if fourth:
            square = [jnp.square(x) for x in step]
            terms += [jnp.square(x) for x in square] + [jnp.square(square[0] + square[1] + square[2])]
        if ions:
            return total.at[:, number].add(jnp.stack([jnp.sum(each[:, :, None] * term, axis=1).T for term in terms], axis=-1)), None
        every = each[:, :, None] * weight[None, None, :]
        return total.at[number].add(jnp.stack([jnp.sum(every * term, axis=(1, 2)) for term in terms], axis=-1)), None

    shape = (n_lags, len(products) + 4 * fourth)
    total, _ = jax.lax.scan(one, jnp.zeros((path.shape[1], *shape) if ions else shape), (first, last, share, lag))
    return total


def moment_terms(
    path: Float[Array, "xyz atom frame"], weight: Float[Array, " atom"], *pairs: Array, n_lags: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """`moments`: means of dx^2, dy^2, dz^2, dx^4, dy^4, dz^4 and |dr|^4 over the pairs of `pair_terms`, (lag, moment)."""
    return {"moments": pair_terms(path.transpose(2, 1, 0), weight, *pairs, n_lags=n_lags, products=AXES, fourth=True)}, {}
