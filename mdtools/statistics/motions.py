"""F(q, t) of the motions that a quasielastic line is compared with, 1 at t = 0: vibrations and their Debye-Waller factor apart.

q (q,), t (time,) and theta (parameter, ..., 1, 1) make F (..., q, time).
Source: reference/science.md B5; C. T. Chudley and R. J. Elliott, Proc. Phys. Soc. 77, 353 (1961).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["MOTIONS"]

Floats = NDArray[Any]
ORDER = 12  # spherical harmonics of the rotor


def _elastic(q: Floats, t: Floats, theta: Floats) -> Floats:
    return np.ones((*theta.shape[1:-2], len(q), len(t)))


def _continuous(q: Floats, t: Floats, theta: Floats) -> Floats:
    """exp(-D q^2 t)."""
    return np.asarray(np.exp(-theta[0] * q[:, None] ** 2 * t))


def _jump(q: Floats, t: Floats, theta: Floats) -> Floats:
    """Chudley and Elliott, directions averaged: exp[-(t / tau) (1 - sin ql / ql)], theta = (l, tau)."""
    return np.asarray(np.exp(-(1 - np.sinc(q[:, None] * theta[0] / np.pi)) * t / theta[1]))


def _rotor(q: Floats, t: Floats, theta: Floats) -> Floats:
    """sum_l (2 l + 1) j_l(qb)^2 exp(-l (l + 1) D_r t), theta = (b, D_r)."""
    order = np.arange(ORDER + 1)
    share = (2 * order + 1) * special.spherical_jn(order, q[:, None] * theta[0]) ** 2
    share[..., -1] += 1 - share.sum(axis=-1)
    return np.asarray(share @ np.exp(-(order * (order + 1))[:, None] * theta[1] * t))


def _confined(q: Floats, t: Floats, theta: Floats) -> Floats:
    """Overdamped in a harmonic well: exp[-q^2 u^2 (1 - exp(-t / tau))], theta = (u, tau)."""
    return np.asarray(np.exp(-((q[:, None] * theta[0]) ** 2) * (1 - np.exp(-t / theta[1]))))


# with what each parameter is, which says between which ends it is looked for
MOTIONS: dict[str, tuple[Callable[[Floats, Floats, Floats], Floats], str]] = {
    "elastic": (_elastic, ""),
    "continuous": (_continuous, "D"),
    "jump": (_jump, "lt"),
    "rotor": (_rotor, "cr"),
    "confined": (_confined, "ct"),
}
