"""Radius of the window of ions that a mobile ion must pass, and the site that each mobile ion is nearest to. Float64."""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["sites_of_ions", "window_radius"]


@jax.jit
def window_radius(
    scaled: Float[Array, "frame atom xyz"],
    cell: Float[Array, "frame xyz xyz"],
    corners: Int[Array, "bottleneck corner"],
    images: Float[Array, "bottleneck corner xyz"],
) -> Float[Array, "frame bottleneck"]:
    """Radius of the circle through the corners of a window: half the distance of two, the circumradius of three.

    Of four and more: the distance of the nearest corner from the centre of them all, the circle about it that holds none.
    images : whole cell vectors by which a corner is moved to stand about its window.
    """
    points = jnp.take(scaled, corners.reshape(-1), axis=1).reshape(scaled.shape[0], *corners.shape, 3) + images[None]
    points = sum(points[..., i, None] * cell[:, None, None, i] for i in range(3))  # type: ignore[assignment]
    if corners.shape[1] == 2:
        return _length(points[:, :, 1] - points[:, :, 0]) / 2
    if corners.shape[1] == 3:
        a, b, c = (points[:, :, i] - points[:, :, i - 1] for i in range(3))
        return _length(a) * _length(b) * _length(c) / (2 * _length(jnp.cross(a, b)))
    return jnp.min(_length(points - jnp.mean(points, axis=2, keepdims=True)), axis=-1)


def _length(x: Float[Array, "*batch xyz"]) -> Float[Array, "*batch"]:
    return jnp.sqrt(jnp.sum(jnp.square(x), axis=-1))


@jax.jit
def sites_of_ions(
    scaled: Float[Array, "frame ion xyz"], sites: Float[Array, "site xyz"], cell: Float[Array, "frame xyz xyz"]
) -> tuple[Int[Array, "frame ion"], Int[Array, "frame ion"], Float[Array, "frame ion"], Float[Array, "frame ion xyz"]]:
    """Nearest site of each ion, the next nearest, the distance from the nearest and the vector from it (angstrom)."""

    def of_frame(x: tuple[Array, Array]) -> tuple[Array, Array, Array, Array]:
        apart = x[0][:, None] - sites[None]
        apart = apart - jnp.round(apart)
        vector = sum(apart[..., i, None] * x[1][None, None, i] for i in range(3))
        length = _length(vector)  # type: ignore[arg-type]
        nearest = jnp.argmin(length, axis=1)
        first = jnp.arange(sites.shape[0])[None] == nearest[:, None]
        second = jnp.argmin(jnp.where(first, jnp.inf, length), axis=1)
        rows = jnp.arange(x[0].shape[0])
        return nearest, second, length[rows, nearest], vector[rows, nearest]  # type: ignore[index]

    return jax.lax.map(of_frame, (scaled, cell))
