"""Van Hove functions as exact counts: how far ions have moved, and where the others are.

Distances and bin numbers are float64, counts are integers: equal to a double loop, to the last count.

Pairs go through three compilations, one after the other: positions into the cell, the slot of every pair of a tile, the
histogram of the slots. Only so does a CPU compute the slots in vectors; within one program the compiler draws the first two into the
loop of the third, where every pair is computed alone (six times slower).
"""

import functools
import math

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import wrapped
from mdtools.kernels.grouped import in_parts
from mdtools.kernels.shapes import Array, Float, Int

__all__ = [
    "displacement_counts",
    "displacement_counts_by_axis",
    "moment_terms",
    "pair_counts",
    "pair_counts_by_axis",
]


def _displacement(
    x: Float[Array, "xyz time"], lag: Int[Array, ""], starts: Int[Array, " origin"]
) -> tuple[Float[Array, " origin"], Float[Array, " origin"]]:
    """|x(k + m) - x(k)|^2 for the origins k in `starts`, and 1 where k + m lies within the path, else 0."""
    n = x.shape[-1]
    end = starts + lag
    inside = (end < n).astype(x.dtype)
    return jnp.sum(jnp.square(x[:, jnp.minimum(end, n - 1)] - x[:, starts]), axis=0) * inside, inside


def moment_terms(
    path: Float[Array, "xyz atom frame"], weight: Float[Array, " atom"], lags: Int[Array, " lag"], starts: Int[Array, " origin"], *, windows: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Of a tile of atoms (kernels/grouped.py) `moments` (window, moment, lag), weighted sums of the means over origins of r^2 and r^4,
    r = |x(k + m) - x(k)| for each lag m in frames, and of each atom `largest`, the largest r.
    """

    def of(x: Float[Array, "xyz time"]) -> Float[Array, "moment lag"]:
        def one(lag: Int[Array, ""]) -> Float[Array, " moment"]:
            square, inside = _displacement(x, lag, starts)
            total = jnp.stack([jnp.sum(square), jnp.sum(jnp.square(square))]) / jnp.maximum(jnp.sum(inside), 1.0)
            return jnp.concatenate([total, jnp.max(square)[None]])

        return jnp.moveaxis(jax.lax.map(one, lags), 0, -1)

    each = jax.vmap(jax.vmap(of))(in_parts(path, windows).swapaxes(1, 2))
    largest = jnp.sqrt(jnp.max(each[:, :, 2], axis=(0, 2)))
    return {"moments": jnp.einsum("wa...,a->w...", each[:, :, :2], weight, precision="highest")}, {"largest": largest}


def displacement_counts(
    x: Float[Array, "xyz time"], lags: Int[Array, " lag"], starts: Int[Array, " origin"], r_max: Float[Array, ""], *, bins: int
) -> Float[Array, "lag bin"]:
    """How many of the displacements r = |x(k + m) - x(k)| have floor(r bins / r_max) = b; the last column is r >= r_max."""

    def one(lag: Int[Array, ""]) -> Float[Array, " bin"]:
        square, inside = _displacement(x, lag, starts)
        bin_of = jnp.minimum(jnp.sqrt(square) * (bins / r_max), jnp.full_like(square, bins)).astype(jnp.int32)
        return jnp.zeros(bins + 1, x.dtype).at[bin_of].add(inside)

    return jax.lax.map(one, lags)


def displacement_counts_by_axis(
    x: Float[Array, "xyz time"], lags: Int[Array, " lag"], starts: Int[Array, " origin"], r_max: Float[Array, ""], *, bins: int
) -> Float[Array, "xyz lag bin"]:
    """How many of the displacements d along each axis have floor((d / r_max + 1) bins) = b, 0 <= b < 2 bins; others are not counted."""
    n = x.shape[-1]

    def one(lag: Int[Array, ""]) -> Float[Array, "xyz bin"]:
        end = starts + lag
        inside = (end < n).astype(x.dtype)
        place = jnp.floor((x[:, jnp.minimum(end, n - 1)] - x[:, starts] + r_max) * (bins / r_max))
        slot = jnp.where((place >= 0.0) & (place < 2.0 * bins), place, 2.0 * bins).astype(jnp.int32)
        return jax.vmap(lambda each: jnp.zeros(2 * bins + 1, x.dtype).at[each].add(inside))(slot)[:, :-1]

    return jnp.moveaxis(jax.lax.map(one, lags), 0, 1)


LANES = 4  # histograms side by side, so that one count need not wait for the last


def pair_counts(
    first: Float[Array, "origin row xyz"],
    later: Float[Array, "origin column xyz"],
    cell: Float[Array, "origin xyz xyz"],
    ions: tuple[Int[Array, " row"], Int[Array, " column"]],
    groups: tuple[Int[Array, " row"], Int[Array, " column"]],
    r_max: Float[Array, ""],
    *,
    n_groups: int,
    bins: int,
    ring: int = 0,
) -> Int[Array, "origin group group bin"]:
    """counts[k, s, t, b] = number of i in s, j in t, i != j, with floor(r bins / r_max) = b, r = |later_j - first_i|.

    first, later : scaled positions at the two times; r is that of the nearest image in `cell`, exact for r_max up to
    half the shortest face distance. ions, groups : which ion a row and a column is, and of which group; a row that is
    no ion has the number -1. ring : with so many ions on a ring, only pairs whose j is ahead of i by up to half of it: of i, j and
    j, i just one. Memory: a tile of origin x row x column slots of 2 or 4 bytes. Fewer than 2^31 pairs an origin.
    """
    slots = _slots_by_distance(_inside(first), _inside(later), cell, ions, groups, r_max, n_groups=n_groups, bins=bins, ring=ring)
    return _histograms(slots, shape=(n_groups, n_groups, bins))


def pair_counts_by_axis(
    first: Float[Array, "origin row xyz"],
    later: Float[Array, "origin column xyz"],
    ions: tuple[Int[Array, " row"], Int[Array, " column"]],
    groups: tuple[Int[Array, " row"], Int[Array, " column"]],
    *,
    axis: int,
    n_groups: int,
    bins: int,
) -> Int[Array, "origin group group bin"]:
    """counts[k, s, t, b] = number of i in s, j in t, i != j, with floor((d + 1/2) bins) = b: d in [-1/2, 1/2) is the difference
    later_j - first_i along one cell vector, in cell vectors, less whole ones. All pairs are counted. Arguments as in `pair_counts`.
    """
    slots = _slots_by_axis(_inside(first)[:, axis], _inside(later)[:, axis], ions, groups, n_groups=n_groups, bins=bins)
    return _histograms(slots, shape=(n_groups, n_groups, bins))


@jax.jit
def _inside(scaled: Float[Array, "origin atom xyz"]) -> Float[Array, "origin xyz atom"]:
    """Scaled positions in [0, 1), atoms contiguous."""
    return jnp.swapaxes(wrapped(scaled.astype(jnp.float64)), 1, 2)


@functools.partial(jax.jit, static_argnames=("bins", "n_groups", "ring"))
def _slots_by_distance(
    first: Float[Array, "origin xyz row"], later: Float[Array, "origin xyz column"], cell: Float[Array, "origin xyz xyz"],
    ions: tuple[Array, Array], groups: tuple[Array, Array], r_max: Float[Array, ""], *, n_groups: int, bins: int, ring: int,
) -> Array:  # fmt: skip
    def one(a: Array, b: Array, box: Array) -> Array:
        step = [_nearest(b[k][None, :] - a[k][:, None]) for k in range(3)]
        square = [jnp.square(step[0] * box[0, k] + step[1] * box[1, k] + step[2] * box[2, k]) for k in range(3)]
        position = jnp.sqrt(square[0] + square[1] + square[2]) * (bins / r_max)
        return _slots(position, ions, groups, n_groups=n_groups, bins=bins, ring=ring)

    return jax.vmap(one)(first, later, cell)


@functools.partial(jax.jit, static_argnames=("bins", "n_groups"))
def _slots_by_axis(
    first: Float[Array, "origin row"], later: Float[Array, "origin column"], ions: tuple[Array, Array], groups: tuple[Array, Array],
    *, n_groups: int, bins: int,
) -> Array:  # fmt: skip
    def one(a: Array, b: Array) -> Array:
        turned = b[None, :] - a[:, None] + 0.5  # in (-1/2, 3/2)
        turned = turned - jnp.where(turned >= 1.0, 1.0, 0.0) + jnp.where(turned < 0.0, 1.0, 0.0)
        position = jnp.floor(turned * bins)
        position = jnp.where(position >= bins, position - 1.0, position)  # -1e-20 + 1 rounds to 1
        return _slots(position, ions, groups, n_groups=n_groups, bins=bins)

    return jax.vmap(one)(first, later)


def _nearest(difference: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """The nearest image of a difference in (-1, 1): `nearest_image` in operations that a CPU does in vectors."""
    return difference - jnp.where(difference > 0.5, 1.0, 0.0) + jnp.where(difference < -0.5, 1.0, 0.0)


def _slots(
    position: Float[Array, "row column"], ions: tuple[Array, Array], groups: tuple[Array, Array], *, n_groups: int, bins: int, ring: int = 0
) -> Array:
    """Number of the histogram entry of every pair, for `_histograms`; positions from `bins` on are not counted."""
    n_slots = n_groups * n_groups * bins + 1  # the last is for what is not counted
    lane = (jnp.arange(position.shape[1], dtype=jnp.int32) % LANES * n_slots)[None, :]
    begin = groups[0].astype(jnp.int32)[:, None] * (n_groups * bins) + groups[1].astype(jnp.int32)[None, :] * bins
    ahead = ions[1][None, :] - ions[0][:, None]
    wanted = (ahead > 0) & (2 * ahead <= ring) | (2 * ahead < -ring) if ring else ahead != 0
    counted = (position < bins) & wanted & (ions[0] >= 0)[:, None]
    slot = jnp.where(counted, begin + jnp.minimum(position, float(bins)).astype(jnp.int32), n_slots - 1)
    return (slot + lane).astype(jnp.uint16 if n_slots * LANES <= 2**16 else jnp.int32)


@functools.partial(jax.jit, static_argnames="shape")
def _histograms(slots: Array, *, shape: tuple[int, int, int]) -> Int[Array, "origin group group bin"]:
    n_slots = math.prod(shape) + 1

    def one(each: Array) -> Array:
        counts = jnp.zeros(LANES * n_slots, jnp.int32).at[each].add(1, mode="promise_in_bounds")
        return jnp.sum(counts.reshape(LANES, n_slots), axis=0, dtype=jnp.int64)

    return jax.lax.map(one, slots.reshape(len(slots), -1))[:, :-1].reshape(-1, *shape)
