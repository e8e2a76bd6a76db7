"""Elastic constants by equipartition of displacement waves: a Wishart likelihood of their covariances. Arrays in, arrays out."""

import numpy as np
from scipy import optimize

__all__ = ["christoffel", "elastic_constants"]


def christoffel(k: np.ndarray, *, cubic: bool) -> np.ndarray:
    """(constant, wave, 3, 3) whose sum with the constants gives V / (k_B T) times the inverse covariance of the wave at each k.

    Cubic: C11, C12, C44; isotropic: lambda + 2 mu, mu. Gamma_aa = C11 k_a^2 + C44 (k^2 - k_a^2), Gamma_ab = (C12 + C44) k_a k_b.
    """
    square = np.sum(k**2, axis=1)
    outer = k[:, :, None] * k[:, None, :]
    diagonal = outer * np.eye(3)
    mixed = outer - diagonal
    whole = square[:, None, None] * np.eye(3)
    if cubic:
        return np.stack([diagonal, mixed, whole - diagonal + mixed])
    return np.stack([outer, whole - outer])


def elastic_constants(covariance: np.ndarray, k: np.ndarray, *, thermal: float, volume: float, cubic: bool, dispersive: bool = True) -> np.ndarray:
    """Constants (constant,) at k -> 0, in the unit of thermal / volume, from covariances (wave, 3, 3).

    Maximum of sum_k [ln det G - tr(G S)] with G = V / (k_B T) sum_c C_c (1 - b_c k^2) X_c(k): G is linear in what is sought, so that the
    maximum is one, and the mean of an inverse, which is biased, is never taken. Without `dispersive` b = 0.
    """
    basis = christoffel(k, cubic=cubic) * volume / thermal
    square = np.sum(k**2, axis=1)
    scale = square.max()
    if dispersive:
        basis = np.concatenate([basis, -basis * (square / scale)[None, :, None, None]])
    n = basis.shape[0]
    # start: independent waves of equal stiffness
    stiffness = np.mean(3 * thermal / volume / (square * np.trace(covariance, axis1=1, axis2=2)))
    start = np.zeros(n)
    start[: 2 if not cubic else 3] = stiffness * np.array([2.0, 1.0] if not cubic else [2.0, 0.5, 1.0])

    def cost(c: np.ndarray) -> tuple[float, np.ndarray]:
        g = np.einsum("c,cwab->wab", c * stiffness, basis)
        low = np.linalg.eigvalsh(g)[:, 0]
        if np.any(low <= 0):
            return 1e12, np.zeros(n)
        inverse = np.linalg.inv(g)
        value = float(-np.log(np.linalg.det(g)).sum() + np.einsum("wab,wba->", g, covariance))
        return value, np.einsum("cwab,wba->c", basis, covariance - inverse) * stiffness

    found = optimize.minimize(cost, start / stiffness, jac=True, method="BFGS", options={"gtol": 1e-6})
    return np.asarray(found.x[: 2 if not cubic else 3] * stiffness)
