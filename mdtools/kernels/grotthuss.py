"""Which heavy atom carries a proton, and the steps that a proton owes to its carrier and to being handed over.

Distances and steps are float64; carriers are numbers of atoms.
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import nearest_image
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["carriers_of", "hand_over_steps"]


def _bond(proton: Float[Array, "*#any xyz"], carrier: Float[Array, "*#any xyz"], cell: Float[Array, "*#any xyz xyz"]) -> Float[Array, "..."]:
    """From the carrier to the proton, nearest image, as sums of products (no matrix unit)."""
    apart = nearest_image(proton - carrier)
    return apart[..., 0:1] * cell[..., 0, :] + apart[..., 1:2] * cell[..., 1, :] + apart[..., 2:3] * cell[..., 2, :]


@jax.jit
def carriers_of(
    protons: Float[Array, "frame proton xyz"],
    carriers: Float[Array, "frame carrier xyz"],
    cell: Float[Array, "frame xyz xyz"],
    before: Int[Array, " proton"],
    margin: Float[Array, ""],
) -> Int[Array, "frame proton"]:
    """The carrier of each proton: the one it had (`before`, -1 where none yet), until another is nearer by more than `margin`.

    protons, carriers : scaled positions. The hysteresis keeps a proton that rattles in the middle of a bond from changing hands.
    """

    def one(held: Array, frame: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        proton, carrier, box = frame
        distance = jnp.sqrt(jnp.sum(jnp.square(_bond(proton[:, None], carrier[None, :], box[None, None])), axis=-1))
        nearest = jnp.argmin(distance, axis=1).astype(held.dtype)
        there = jnp.take_along_axis(distance, jnp.maximum(held, jnp.zeros_like(held))[:, None], axis=1)[:, 0]
        taken = (held < 0) | (jnp.min(distance, axis=1) + margin < there)
        held = jnp.where(taken, nearest, held)
        return held, held

    return jax.lax.scan(one, before, (protons, carriers, cell))[1]


@jax.jit
def hand_over_steps(
    protons: Float[Array, "frame proton xyz"],
    carriers: Float[Array, "frame carrier xyz"],
    path: Float[Array, "frame carrier xyz"],
    cell: Float[Array, "frame xyz xyz"],
    held: Int[Array, "frame proton"],
) -> tuple[Float[Array, "step proton xyz"], Float[Array, "step proton xyz"]]:
    """Step of the carrier that a proton has, and step from it to the next one where it is handed over, between neighbouring frames.

    vehicular = R_c(k + 1) - R_c(k) with c the carrier at k; hopping = R_c'(k + 1) - R_c(k + 1), c' the carrier at k + 1, as the
    difference of the two bonds of the proton, which are short, so that no image is ambiguous. path : Cartesian R.
    """

    def of(values: Array, which: Array) -> Array:
        return jnp.take_along_axis(values, which[:, :, None], axis=1)

    vehicular = of(path[1:] - path[:-1], held[:-1])
    before, after = (_bond(protons[1:], of(carriers[1:], which), cell[1:, None]) for which in (held[:-1], held[1:]))
    return vehicular, before - after
