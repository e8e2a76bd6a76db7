"""The periodic cell: scaled coordinates within it, nearest images, and how far they can be trusted.

Rows of a cell are its vectors; scaled coordinates are in cell vectors.
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float

__all__ = ["face_distances", "nearest_image", "wrapped"]


def wrapped(scaled: Float[Array, "*any xyz"]) -> Float[Array, "*any xyz"]:
    """Scaled positions brought into [0, 1): what a phase is made from, so that its error does not grow with the distance travelled."""
    inside = scaled - jnp.floor(scaled)
    return jnp.where(inside < 1.0, inside, jnp.zeros_like(inside))  # -1e-20 - floor(-1e-20) rounds to 1


def nearest_image(scaled: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """Scaled differences brought into [-1/2, 1/2], component by component.

    Of all images of a difference this is the shortest one whenever any is shorter than half the shortest face distance,
    in every cell, however tilted: component c of a vector v is its height over face c divided by the face distance h_c,
    so |v| < min(h) / 2 gives |v_c| < 1/2 for all three, and only one image has that. Beyond, it need not be (`face_distances`).
    """
    return scaled - jnp.round(scaled)


@jax.jit
def face_distances(cell: Float[Array, "*any xyz xyz"]) -> Float[Array, "*any xyz"]:
    """Distance h_a = V / |b x c| between the two faces that vector a connects, for each of the three vectors."""
    across = jnp.stack([jnp.cross(cell[..., (k + 1) % 3, :], cell[..., (k + 2) % 3, :]) for k in range(3)], axis=-2)
    volume = jnp.abs(jnp.sum(cell[..., 0, :] * across[..., 0, :], axis=-1, keepdims=True))
    return volume / jnp.sqrt(jnp.sum(jnp.square(across), axis=-1))
