"""Motion of a crystal along its lattice waves: sums over cells with the phase of a wave vector. Float64.

One product of matrices for each atom of the primitive cell; relative error below 1e-13 of the largest sum.
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.grouped import cartesian
from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["cell_sums"]


@jax.jit
def cell_sums(
    values: Float[Array, "frame atom xyz"],
    sites: Float[Array, "basis cell xyz"],
    cell: Float[Array, "*frame xyz xyz"],
    shift: Float[Array, "frame xyz"],
    members: Int[Array, "basis cell"],
    phases: Float[Array, "basis wave cell"],
) -> Float[Array, "wave basis xyz frame"]:
    """sum_l c_wl x_l of the atoms l of each site of the primitive cell, x = (values - sites) @ cell - shift.

    members : which atom of the run each is. phases : real factors c, cosines and sines as waves of their own.
    """
    chosen = jnp.take(values, members.reshape(-1), axis=1).astype(jnp.float64) - sites.reshape(1, -1, 3)
    path = cartesian(chosen, cell, shift)
    path = path.reshape(path.shape[0], *members.shape, 3).transpose(1, 2, 3, 0).reshape(*members.shape, -1)
    sums = jnp.matmul(phases, path, precision="highest")
    return sums.reshape(*sums.shape[:2], 3, -1).transpose(1, 0, 2, 3)
