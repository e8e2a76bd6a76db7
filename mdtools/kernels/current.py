"""Charge carried by groups of atoms, and products of two collective paths.

A collective path is one sample a frame, so there is no `vmap` over atoms here: leading axes are a batch.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.correlation import crosscorrelation, origins
from mdtools.kernels.grouped import cartesian
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


@functools.partial(jax.jit, static_argnames=("length", "windows", "steps", "products", "n_fft"))
def self_power(
    x: Float[Array, "xyz time"],
    taper: Float[Array, " sample"] | None,
    *,
    length: int,
    windows: int,
    steps: bool,
    products: tuple[tuple[int, int], ...],
    n_fft: int,
) -> Float[Array, "window product any"]:
    """What one ion adds to the self part of the current: Re(V_a* V_b) of its velocities padded to n_fft, then those of w v over sum w^2.

    x : velocities, or with `steps` positions, whose steps between frames are taken. The samples are cut into equal windows of `length`.
    Without a taper the first part is all, of which `even_periodogram` makes the other for all ions together.
    """
    v = x[:, 1:] - x[:, :-1] if steps else x
    v = v[:, : windows * length].reshape(v.shape[0], windows, length).transpose(1, 0, 2)

    def products_of(z: Array) -> Array:
        return jnp.stack([jnp.real(z[:, a]) * jnp.real(z[:, b]) + jnp.imag(z[:, a]) * jnp.imag(z[:, b]) for a, b in products], axis=1)

    padded = products_of(jnp.fft.rfft(v, n=n_fft))
    if taper is None:
        return padded
    return jnp.concatenate([padded, products_of(jnp.fft.rfft(v * taper[None, None, :])) / jnp.sum(jnp.square(taper))], axis=-1)


@functools.partial(jax.jit, static_argnames=("n", "n_fft"))
def even_periodogram(power: Float[Array, "*batch padded"], *, n: int, n_fft: int) -> Float[Array, "*batch frequency"]:
    """The periodogram of series of n samples without a taper, from Re(X* Y) of their transforms, padded with zeros to n_fft >= 2 n.

    It is the transform of the circular correlation, c(m) + c(n - m) of the sums over k: n is often a length whose transform is slow, and
    so there is one of it for all series that are summed.
    """
    sums = jnp.fft.irfft(power, n=n_fft)[..., :n]
    circular = sums + jnp.concatenate([jnp.zeros_like(sums[..., :1]), sums[..., :0:-1]], axis=-1)
    return jnp.real(jnp.fft.rfft(circular)) / n
