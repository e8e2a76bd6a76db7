"""Charge carried by groups of atoms, and products of two collective paths.

A collective path is one sample a frame, so there is no `vmap` over atoms here: leading axes are a batch.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import crosscorrelation, origins
from mdtools.kernels.grouped import Products, cartesian, in_parts, summed_products
from mdtools.kernels.padded import Twiddles, padded_transform
from mdtools.kernels.shapes import Array, Float

__all__ = ["charge_sums", "displacement_product", "even_periodogram", "self_power"]


@jax.jit
def charge_sums(
    values: Float[Array, "frame atom xyz"],
    cell: Float[Array, "*frame xyz xyz"],
    shift: Float[Array, "frame xyz"],
    charges: Float[Array, "..."],
    members: Float[Array, "atom group"],
) -> Float[Array, "frame group xyz"]:
    """sum_{i in g} q_i (x_i - shift), x_i = values_i @ cell, of every frame: the dipole of positions, the current of velocities.

    charges : q_i (atom,), q_i(t) (frame, atom), or Z_i (atom, xyz, xyz), which acts as sum_b Z_ab x_b. members : 1 or 0.
    """
    x = cartesian(values, cell, shift)
    if charges.ndim == 3:
        x = jnp.einsum("iab,tib->tia", charges, x, precision="highest")
    else:
        x = x * (charges[None, :, None] if charges.ndim == 1 else charges[:, :, None])
    return jnp.einsum("tix,ig->tgx", x, members, precision="highest")


@jax.jit
def displacement_product(x: Float[Array, "*batch time"], y: Float[Array, "*batch time"]) -> Float[Array, "*batch lag"]:
    """1/(n - m) sum_k [x(k + m) - x(k)] [y(k + m) - y(k)] for every lag m < n, by FFT.

    Both paths are centred first; what is left of the cancellation is 1e-16 of the product of their extents.
    """
    n = x.shape[-1]
    x, y = (path - jnp.mean(path, axis=-1, keepdims=True) for path in (x, y))
    product = x * y
    head = jnp.cumsum(product, axis=-1)[..., ::-1]  # sum_{k < n - m}
    tail = jnp.cumsum(product[..., ::-1], axis=-1)[..., ::-1]  # sum_{k >= m}
    both = (head + tail) / jnp.expand_dims(origins(n), tuple(range(x.ndim - 1)))
    return (both - 2.0 * crosscorrelation(x, y)).at[..., 0].set(0.0)


def self_power(
    path: Float[Array, "xyz atom time"],
    weight: Float[Array, " atom"],
    factors: Twiddles,
    taper: Float[Array, " sample"] | None,
    *,
    windows: int,
    steps: bool,
    products: Products,
    n_fft: int,
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Of a tile of ions (kernels/grouped.py), weighted and summed: `padded`, Re(V_a* V_b) of velocities padded to n_fft, pieces
    (window, product, entry) of `padded_transform`; with a taper `tapered` (window, product, frequency), those of w v over sum w^2.

    path : velocities, or with `steps` positions, whose steps between frames are taken. The samples are cut into equal windows.
    Without a taper `even_periodogram` makes the periodogram of the first part, for all ions together.
    """
    v = path[..., 1:] - path[..., :-1] if steps else path
    v = in_parts(v, windows)
    found = {"padded": tuple(summed_products(part, weight, products) for part in padded_transform(v, factors, n_fft=n_fft))}
    if taper is None:
        return found, {}
    tapered = summed_products(jnp.fft.rfft(v * taper[None, None, None, :]), weight, products)
    return found | {"tapered": tapered / jnp.sum(jnp.square(taper))}, {}


@functools.partial(jax.jit, static_argnames=("n", "n_fft"))
def even_periodogram(power: Float[Array, "*batch padded"], *, n: int, n_fft: int) -> Float[Array, "*batch frequency"]:
    """The periodogram of series of n samples without a taper, from Re(X* Y) of their transforms, padded with zeros to n_fft >= 2 n.

    It is the transform of the circular correlation, c(m) + c(n - m) of the sums over k: n is often a length whose transform is slow, and
    so there is one of it for all series that are summed.
    """
    sums = jnp.fft.irfft(power, n=n_fft)[..., :n]
    circular = sums + jnp.concatenate([jnp.zeros_like(sums[..., :1]), sums[..., :0:-1]], axis=-1)
    return jnp.real(jnp.fft.rfft(circular)) / n
