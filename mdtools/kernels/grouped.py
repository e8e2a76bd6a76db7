"""The loop over atoms: paths of a block of atoms -> kernel for each atom and window -> sums over groups of atoms."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Float

__all__ = ["cartesian", "group_sums", "paths"]


def cartesian(
    values: Float[Array, "frame atom xyz"], cell: Float[Array, "*frame xyz xyz"], shift: Float[Array, "frame xyz"]
) -> Float[Array, "frame atom xyz"]:
    """values @ cell - shift in float64, as sums and products (no matrix unit: a TF32 product would keep ten bits)."""
    values = values.astype(jnp.float64)
    cell = cell if cell.ndim == 3 else cell[None]
    parts = [values[:, :, i, None] * cell[:, i, None, :] for i in range(3)]
    return parts[0] + parts[1] + parts[2] - shift[:, None, :]


def paths(
    values: Float[Array, "frame atom xyz"], cell: Float[Array, "*frame xyz xyz"], shift: Float[Array, "frame xyz"], *, windows: int
) -> Float[Array, "window atom xyz time"]:
    """Cartesian paths, cut into equal windows, time contiguous; frames that are left over are not used."""
    length = values.shape[0] // windows
    path = cartesian(values, cell, shift)[: windows * length]
    return path.reshape(windows, length, *path.shape[1:]).transpose(0, 2, 3, 1)


@functools.partial(jax.jit, static_argnames=("kernel", "options", "windows"))
def group_sums(
    kernel: Callable[..., Float[Array, "..."]],
    values: Float[Array, "frame atom xyz"],
    cell: Float[Array, "*frame xyz xyz"],
    shift: Float[Array, "frame xyz"],
    weights: Float[Array, "atom group"],
    arguments: tuple[Any, ...] = (),
    *,
    options: tuple[tuple[str, Any], ...] = (),
    windows: int = 1,
) -> Float[Array, "window group ..."]:
    """sum_i w_ig kernel(path of atom i in window w, *arguments, **options), for every window w and group g.

    kernel takes a path (xyz, time). The frames are cut into `windows` equal parts; what is left over is not used.
    """
    each = jax.vmap(jax.vmap(lambda x: kernel(x, *arguments, **dict(options))))(paths(values, cell, shift, windows=windows))
    return jnp.einsum("wa...,ag->wg...", each, weights, precision="highest")
