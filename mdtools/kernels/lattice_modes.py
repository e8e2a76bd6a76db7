"""Motion of a crystal along its lattice waves: sums over cells with the phase of a wave vector.

One product of matrices for each atom of the primitive cell. Displacements from sites are made and summed in float64: relative error below
1e-13 of the largest sum. Velocities are summed in the precision that they have: below 5e-7 of it in float32, where each was rounded by 6e-8.
"""

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float, Int

__all__ = ["cell_sums"]


@jax.jit
def cell_sums(
    values: Float[Array, "atom xyz frame"],
    sites: Float[Array, "basis cell xyz"] | None,
    cell: Float[Array, "*frame xyz xyz"],
    shift: Float[Array, "frame xyz"],
    members: Int[Array, "basis cell"] | None,
    phases: Float[Array, "basis wave cell"],
) -> Float[Array, "wave basis xyz frame"]:
    """sum_l c_wl x_l of the atoms l of each site of the primitive cell, x = (values - sites) @ cell - shift.

    sites : None for velocities. members : which atom of the run each is; None where atoms come in that order. phases : real factors c, cosines
    and sines as waves of their own. What is linear is done to the sums and not to the atoms.
    """
    n_basis, _, n_cells = phases.shape
    chosen = values if members is None else jnp.take(values, members.reshape(-1), axis=0)
    if sites is not None:
        chosen = chosen.astype(jnp.float64) - sites.reshape(-1, 3)[:, :, None]
    sums = jnp.matmul(phases.astype(chosen.dtype), chosen.reshape(n_basis, n_cells, -1), precision="highest").astype(jnp.float64)
    sums = sums.reshape(*sums.shape[:2], 3, -1)
    axes = jnp.moveaxis(cell, 0, -1) if cell.ndim == 3 else cell[:, :, None]
    path = [sums[:, :, i, None] * axes[None, None, i] for i in range(3)]
    moved = jnp.sum(phases, axis=-1)[:, :, None, None] * shift.T[None, None]
    return jnp.swapaxes(path[0] + path[1] + path[2] - moved, 0, 1)
