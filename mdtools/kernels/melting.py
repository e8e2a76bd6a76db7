"""How far ions forget where they were: self-overlap, persistence, and the distance to their neighbours.

Functions of one atom take its path in angstrom, float64, and `vmap` is the loop (kernels/grouped.py); functions of a frame
take scaled coordinates.
"""

import functools

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import nearest_image
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["distance_shares", "moments_and_overlap", "neighbour_counts", "stayed_within"]


def moments_and_overlap(
    x: Float[Array, "xyz time"], first: Int[Array, "window origin"], last: Int[Array, "lag window origin"], wave_numbers: Float[Array, " k"]
) -> Float[Array, "window moment lag"]:
    """Means over the origins of a window of |dr|^2, |dr|^4 and sin(k |dr|)/(k |dr|) for each k, dr = x(last) - x(first).

    first, last : where in the path the origins are, and what is a lag later. sin(kr)/(kr) is exp(i k dr) averaged over the directions of k.
    """
    here = x[:, first]

    def one(later: Int[Array, "window origin"]) -> Float[Array, "window moment"]:
        square = jnp.sum(jnp.square(x[:, later] - here), axis=0)
        phase = jnp.sqrt(square)[None] * wave_numbers[:, None, None] / jnp.pi
        each = jnp.concatenate([square[None], jnp.square(square)[None], jnp.sinc(phase)])
        return jnp.mean(each, axis=-1).T

    return jnp.moveaxis(jax.lax.map(one, last), 0, -1)


def distance_shares(
    x: Float[Array, "xyz time"], first: Int[Array, "window origin"], last: Int[Array, "choice window origin"], edges: Float[Array, "choice edge"]
) -> Float[Array, "window choice bin"]:
    """Share of the origins of a window at which |x(last) - x(first)| lies between neighbouring edges, for each choice with its own edges.

    Counted as differences of the shares below each edge, so that a whole number of counts is exact.
    """

    def one(choice: tuple[Array, Array]) -> Float[Array, "window bin"]:
        later, bounds = choice
        r = jnp.sqrt(jnp.sum(jnp.square(x[:, later] - x[:, first]), axis=0))
        below = jnp.mean((r[:, :, None] < bounds[None, None, :]).astype(x.dtype), axis=1)
        return jnp.diff(below, axis=-1)

    return jnp.moveaxis(jax.lax.map(one, (last, edges)), 0, 1)


def stayed_within(
    x: Float[Array, "xyz time"], starts: Int[Array, "window origin"], radii: Float[Array, " radius"], *, width: int, reach: int
) -> Float[Array, "window radius"]:
    """Fraction of origins from which the smoothed path never went farther than each radius, over `reach` steps.

    The path is smoothed by means over `width` frames that do not overlap; starts and reach count such means.
    """
    n = x.shape[-1] // width
    smooth = jnp.mean(x[:, : n * width].reshape(x.shape[0], n, width), axis=-1)
    ahead = jnp.arange(1, reach + 1)

    def farthest(start: Int[Array, ""]) -> Float[Array, ""]:
        return jnp.sqrt(jnp.max(jnp.sum(jnp.square(smooth[:, start + ahead] - smooth[:, start, None]), axis=0)))

    reached = jax.lax.map(farthest, starts.reshape(-1)).reshape(starts.shape)
    return jnp.mean((reached[:, :, None] < radii[None, None, :]).astype(x.dtype), axis=1)


@functools.partial(jax.jit, static_argnames="bins")
def neighbour_counts(
    s: Float[Array, "frame atom xyz"], cell: Float[Array, "frame xyz xyz"], centres: Int[Array, " centre"], images: Float[Array, "image xyz"],
    r_max: Float[Array, ""], *, bins: int,
) -> Float[Array, " bin"]:  # fmt: skip
    """Histogram of the distances below r_max from the chosen centres to all atoms, nearest image and its neighbours `images`."""

    def frame(total: Float[Array, " bin"], values: tuple[Array, Array]) -> tuple[Float[Array, " bin"], None]:
        position, vectors = values
        apart = position[None, :, :].astype(jnp.float64) - position[centres].astype(jnp.float64)[:, None, :]
        apart = nearest_image(apart)[:, :, None, :] + images[None, None, :, :]
        parts = [apart[..., i, None] * vectors[i][None, None, None, :] for i in range(3)]
        r = jnp.sqrt(jnp.sum(jnp.square(parts[0] + parts[1] + parts[2]), axis=-1)).reshape(-1)
        index = jnp.where(r < r_max, (r / r_max * bins).astype(jnp.int64), bins)
        return total + jnp.zeros(bins + 1).at[jnp.minimum(index, bins)].add(1.0)[:bins], None

    return jax.lax.scan(frame, jnp.zeros(bins), (s, cell))[0]
