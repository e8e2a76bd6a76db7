"""The loop over atoms: paths of a block of atoms -> kernel for each atom and window -> sums over groups of atoms."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from mdtools.kernels.shapes import Array, Complex, Float, Int

__all__ = ["AXES", "TENSOR", "Products", "cartesian", "each_atom", "in_parts", "in_phase", "paths", "summed_atoms", "summed_products", "tile_sums"]

Products = tuple[tuple[int, int], ...]  # pairs of axes
AXES: Products = ((0, 0), (1, 1), (2, 2))
TENSOR: Products = (*AXES, (0, 1), (0, 2), (1, 2))  # the six products of a symmetric tensor; the diagonal comes first everywhere


def cartesian(
    values: Float[Array, "frame atom xyz"], cell: Float[Array, "*frame xyz xyz"], shift: Float[Array, "frame xyz"]
) -> Float[Array, "frame atom xyz"]:
    """values @ cell - shift in float64, as sums and products (no matrix unit: a TF32 product would keep ten bits)."""
    values = values.astype(jnp.float64)
    cell = cell if cell.ndim == 3 else cell[None]
    parts = [values[:, :, i, None] * cell[:, i, None, :] for i in range(3)]
    return parts[0] + parts[1] + parts[2] - shift[:, None, :]


def paths(
    values: Float[Array, "atom xyz frame"], cell: Float[Array, "*frame xyz xyz"], shift: Float[Array, "frame xyz"], *, windows: int
) -> Float[Array, "window atom xyz time"]:
    """Cartesian paths, cut into equal windows; frames that are left over are not used."""
    return in_parts(_along_time(values, cell, shift.T), windows).swapaxes(1, 2)


def each_atom(
    path: Float[Array, "xyz atom frame"],
    weight: Float[Array, " atom"],
    *arguments: Any,
    kernel: Callable[..., Float[Array, "..."]],
    parts: int,
    **options: Any,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """A kernel for `tile_sums` from one of a single atom: `mean` (window, ...), sum_i w_i kernel(path of atom i in window w).

    kernel takes a path (xyz, time). The frames are cut into equal parts, the windows; what is left over is not used.
    """
    each = jax.vmap(jax.vmap(lambda x: kernel(x, *arguments, **options)))(in_parts(path, parts).swapaxes(1, 2))
    return {"mean": jnp.einsum("wa...,a->w...", each, weight, precision="highest")}, {}


def in_parts(path: Float[Array, "xyz atom frame"], parts: int) -> Float[Array, "window xyz atom time"]:
    """Paths cut into equal windows; frames that are left over are not used."""
    length = path.shape[-1] // parts
    return path[..., : parts * length].reshape(*path.shape[:2], parts, length).transpose(2, 0, 1, 3)


def summed_products(
    x: Float[Array, "window xyz atom any"] | Complex[Array, "window xyz atom any"], weight: Float[Array, " atom"], products: Products
) -> Float[Array, "window product any"]:
    """sum_i w_i Re(x_a* x_b) of the products (a, b). The first three are the diagonal, xx, yy and zz (`AXES`), and are taken at once."""
    unlike = [summed_atoms(in_phase(x[:, a], x[:, b]), weight)[:, None] for a, b in products[3:]]
    return jnp.concatenate([summed_atoms(in_phase(x, x), weight), *unlike], axis=1)


def summed_atoms(x: Float[Array, "*any atom time"], weight: Float[Array, " atom"]) -> Float[Array, "*any time"]:
    """sum_i w_i x_i, eight atoms at a time written out: one pass that fuses with what makes x, where a reduction would be slow."""
    n = x.shape[-2]
    apart = 8 if n % 8 == 0 else n if n < 8 else 1
    x, weight = x.reshape(*x.shape[:-2], n // apart, apart, x.shape[-1]), weight.reshape(-1, apart)
    each = [jnp.expand_dims(weight[:, k, None], tuple(range(x.ndim - 3))) * x[..., k, :] for k in range(apart)]
    return jnp.sum(functools.reduce(jnp.add, each), axis=-2)


def in_phase(x: Float[Array, "*any"] | Complex[Array, "*any"], y: Float[Array, "*any"] | Complex[Array, "*any"]) -> Float[Array, "*any"]:
    """Re(x* y): of transforms, the spectrum of a correlation symmetrised in time."""
    return x.real * y.real + x.imag * y.imag if jnp.iscomplexobj(x) else x * y


# the pieces of a processor each have a core of their own: threads within a piece would take it from the others
@functools.partial(jax.jit, static_argnames=("kernel", "options", "n_groups"), compiler_options={"xla_cpu_multi_thread_eigen": False})
def tile_sums(
    kernel: Callable[..., Any],
    values: Float[Array, "tile member xyz frame"],
    cell: Float[Array, "*frame xyz xyz"] | None,
    shift: Float[Array, "frame xyz"],
    weights: Float[Array, "tile member"],
    groups: Int[Array, " tile"],
    arguments: tuple[Any, ...] = (),
    *,
    options: tuple[tuple[str, Any], ...] = (),
    n_groups: int,
) -> tuple[Any, Any]:
    """Sums over the tiles of each group, and what each tile keeps: kernel(path, weight, *arguments, **options) -> (summed, kept).

    path : (xyz, atom, frame), values @ cell - shift in float64; where there is no cell, values - shift as precise as the values.
    The members of a tile are of one group; weights : 0 for those that only fill it up. A tile is
    small, so that its paths, spectra and sums stay in the cache of a processor: nothing as large as the trajectory is ever written.
    summed and kept are trees of arrays; the first comes back with a leading axis (group), the second with (tile).
    """
    along = shift.T  # turned once: where time is not contiguous, a processor goes through it one number at a time

    def of(tile: tuple[Array, Array, Array]) -> tuple[Any, Any]:
        path = _along_time(tile[0], cell, along)
        return kernel(path, tile[1], *arguments, **dict(options))

    def one(total: Any, tile: tuple[Array, Array, Array]) -> tuple[Any, Any]:
        summed, kept = of(tile)
        return jax.tree.map(lambda whole, part: whole.at[tile[2]].add(part.astype(whole.dtype)), total, summed), kept

    tiles = (values, weights, groups)
    part = jax.eval_shape(lambda: of(jax.tree.map(lambda each: each[0], tiles))[0])
    nothing = jax.tree.map(lambda one: jnp.zeros((n_groups, *one.shape), jnp.float64 if one.dtype == jnp.float32 else one.dtype), part)
    return jax.lax.scan(one, nothing, tiles)


def _along_time(
    values: Float[Array, "atom xyz frame"], cell: Float[Array, "*frame xyz xyz"] | None, shift: Float[Array, "xyz frame"]
) -> Float[Array, "xyz atom frame"]:
    """`cartesian` of values that lie contiguous in time: the same sums and products.

    The axes side by side, which is one pass over the values; the result stands in memory, as what is a mere expression is made again for
    everything that reads it.
    """
    if cell is None:
        return jnp.swapaxes(values, 0, 1) - shift[:, None].astype(values.dtype)
    values = values.astype(jnp.float64)
    columns = jnp.moveaxis(cell, 0, -1) if cell.ndim == 3 else cell[:, :, None]

    def one(axis: int) -> Array:
        parts = [values[:, k] * columns[k, axis, None] for k in range(3)]
        return parts[0] + parts[1] + parts[2] - shift[axis, None]

    return jax.lax.optimization_barrier(jnp.stack([one(axis) for axis in range(3)]))
