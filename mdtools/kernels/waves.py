"""Waves exp(2 pi i h . s) over the atoms of a frame: density and current modes at wave vectors of the cell.

Scaled coordinates are wrapped, and one turn is one unit, so that the error of a phase is that of the coordinate, whatever
the distance travelled: 1e-13 of the number of atoms at |h| below 50. The wave factorises, exp(2 pi i h . s) = X^h Y^k Z^l.
The powers X^0 ... X^n are made by repeated products from one sine and cosine an axis, and wave vectors that share (h, k), a
*rod*, are one row of a real matrix product over the atoms, float64 at the highest precision: 8 N operations for l and -l together.
"""

import functools
import math

import jax
import jax.numpy as jnp

from mdtools.kernels.cell import wrapped
from mdtools.kernels.shapes import Array, Complex, Float, Int

__all__ = ["modes_by_group", "turned"]

# Taylor coefficients of sin and cos of 2 pi x in x^2: on |x| <= 1/8 what is left out is below 2e-17
_SINE = [(-1) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(8)]
_COSINE = [(-1) ** k * (2 * math.pi) ** (2 * k) / math.factorial(2 * k) for k in range(9)]
TOGETHER = 32  # wave vectors made at a time where each is made on its own


def turned(turns: Float[Array, "*any"]) -> tuple[Float[Array, "*any"], Float[Array, "*any"]]:
    """cos(2 pi x) and sin(2 pi x), float64, by polynomials that a processor runs through several numbers at a time.

    Relative to 1, the error is 3e-16 and that of x in turns times 2 pi.
    """
    quarter = jnp.round(4.0 * turns)
    x = turns - 0.25 * quarter
    square = x * x
    sine = functools.reduce(lambda total, c: total * square + c, reversed(_SINE[:-1]), jnp.full_like(x, _SINE[-1])) * x
    cosine = functools.reduce(lambda total, c: total * square + c, reversed(_COSINE[:-1]), jnp.full_like(x, _COSINE[-1]))
    half = jnp.floor(0.5 * quarter)
    odd = quarter - 2.0 * half > 0.5
    sign = 1.0 - 2.0 * (half - 2.0 * jnp.floor(0.5 * half))
    return sign * jnp.where(odd, -sine, cosine), sign * jnp.where(odd, cosine, sine)


def _powers(x: Float[Array, "xyz atom"], highest: int) -> tuple[Float[Array, "power xyz atom"], Float[Array, "power xyz atom"]]:
    """Real and imaginary part of exp(2 pi i n x), n = 0 ... highest."""
    real, imaginary = turned(x)

    def step(last: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        return (last[0] * real - last[1] * imaginary, last[0] * imaginary + last[1] * real), last

    return jax.lax.scan(step, (jnp.ones_like(x), jnp.zeros_like(x)), None, length=highest + 1)[1]


def _product(
    powers: tuple[Array, Array], first: Int[Array, " row"], second: Int[Array, " row"]
) -> tuple[Float[Array, "row atom"], Float[Array, "row atom"]]:
    """X^h Y^k of each row; h is not negative, k may be."""
    real, imaginary = powers
    sign = jnp.sign(second).astype(jnp.float64)[:, None]
    xr, xi = real[first, 0], imaginary[first, 0]
    yr, yi = real[jnp.abs(second), 1], imaginary[jnp.abs(second), 1] * sign
    return xr * yr - xi * yi, xr * yi + xi * yr


def _by_rods(
    powers: tuple[Array, Array], w: Float[Array, "component atom"], rods: Int[Array, "rod two"], rod: Int[Array, " q"], along: Int[Array, " q"]
) -> Float[Array, "part component q"]:
    """sum_i w_i exp(2 pi i h . s_i): one matrix product for all rods, from which the wave vectors are taken."""
    real, imaginary = _product(powers, rods[:, 0], rods[:, 1])
    z = jnp.concatenate([powers[0][:, 2], powers[1][:, 2]])
    n_rods, n_l, n_w = real.shape[0], z.shape[0] // 2, w.shape[0]
    right = (w[:, None, :] * z[None, :, :]).reshape(n_w * 2 * n_l, -1)
    sums = jnp.matmul(jnp.concatenate([real, imaginary]), right.T, precision="highest").reshape(2, n_rods, n_w, 2, n_l)
    sign = jnp.sign(along).astype(jnp.float64)[:, None]
    rc, rs, ic, is_ = (sums[a, rod, :, b, jnp.abs(along)] for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)))
    return jnp.stack([rc - sign * is_, sign * rs + ic]).transpose(0, 2, 1)


def _by_wave_vectors(
    powers: tuple[Array, Array], w: Float[Array, "component atom"], rods: Int[Array, "rod two"], rod: Int[Array, " q"], along: Int[Array, " q"]
) -> Float[Array, "part component q"]:
    """The same for wave vectors that share few rods: each wave on its own, some at a time."""

    def some(chunk: tuple[Array, Array]) -> Float[Array, "part q component"]:
        rod, along = chunk
        pr, pi = _product(powers, rods[rod, 0], rods[rod, 1])
        zr, zi = powers[0][jnp.abs(along), 2], powers[1][jnp.abs(along), 2] * jnp.sign(along).astype(jnp.float64)[:, None]
        wave = jnp.concatenate([pr * zr - pi * zi, pr * zi + pi * zr])
        return jnp.matmul(wave, w.T, precision="highest").reshape(2, -1, w.shape[0])

    n_q = rod.shape[0]
    pad = -n_q % TOGETHER
    parts = jax.lax.map(some, (jnp.pad(rod, (0, pad)).reshape(-1, TOGETHER), jnp.pad(along, (0, pad)).reshape(-1, TOGETHER)))
    return parts.transpose(1, 3, 0, 2).reshape(2, w.shape[0], -1)[:, :, :n_q]


@functools.partial(jax.jit, static_argnames=("highest", "n_groups", "shared", "together"))
def modes_by_group(
    s: Float[Array, "frame atom xyz"],
    path: Float[Array, "frame xyz"],
    velocities: Float[Array, "frame atom xyz"] | None,
    tiles: tuple[Int[Array, "tile member"], Float[Array, "tile member"], Int[Array, " tile"]],
    waves: tuple[Int[Array, "rod two"], Int[Array, " q"], Int[Array, " q"], Float[Array, " q"]],
    *,
    highest: int,
    n_groups: int,
    shared: bool,
    together: int,
) -> Complex[Array, "frame group component q"]:
    """sum_{i in g} w_i exp(2 pi i h . (s_i - path)) of each group of atoms in each frame: w = 1, or (v_x, v_y, v_z) where velocities are given.

    tiles : atoms of each tile, 1 or 0 where an atom only fills the tile up, and the group of the tile. waves : indices (h, k)
    of each rod, h >= 0, and of each wave vector its rod, its l, and +1 or -1 (it is minus what rod and l say). highest : largest
    index along any axis. shared : whether wave vectors share rods enough for a matrix product. together : frames side by side.
    """
    rods, rod, along, conjugate = waves
    sums = _by_rods if shared else _by_wave_vectors

    def frame(values: tuple[Array, Array, Array | None]) -> Float[Array, "group part component q"]:
        x, origin, v = values
        x = wrapped(x.astype(jnp.float64) - origin[None, :])

        def tile(total: Array, one: tuple[Array, Array, Array]) -> tuple[Array, None]:
            members, weight, group = one
            w = weight[None, :] if v is None else v[members].astype(jnp.float64).T * weight[None, :]
            return total.at[group].add(sums(_powers(x[members].T, highest), w, rods, rod, along)), None

        return jax.lax.scan(tile, jnp.zeros((n_groups, 2, 1 if v is None else 3, rod.shape[0])), tiles)[0]

    parts = jax.lax.map(frame, (s, path, velocities), batch_size=together)
    return jax.lax.complex(parts[:, :, 0], parts[:, :, 1] * conjugate[None, None, None, :])
