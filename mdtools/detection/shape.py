"""What confines an ion, by the shape of the elastic line over wave number: a well, two places, or a sphere. Arrays in, arrays out."""

import numpy as np

__all__ = ["sphere_over_well"]

RADII, WIDTHS = 48, 24  # of the grids over which the models are searched


def sphere_over_well(k: np.ndarray, elastic: np.ndarray) -> np.ndarray:
    """(draw,) misfit of the better of exp(-k^2 u^2 / 3) and (1 + j_0(kd)) / 2 exp(-k^2 u^2 / 3) over that of j_0(kb)^2 exp(-k^2 u^2 / 3).

    elastic (draw, k); the first draw is the estimate. The scatter over the draws is added to each misfit, so that noise decides nothing.
    """
    reach = np.pi / k.min()
    radius = np.geomspace(0.02, 1.0, RADII) * reach
    square = np.geomspace(1e-4, 0.5, WIDTHS) * reach**2 / 3
    waves = np.exp(-np.multiply.outer(square, k**2) / 3)  # (width, k)
    sphere = np.sinc(np.multiply.outer(radius, k) / np.pi) ** 2
    two = 0.5 * (1 + np.sinc(np.multiply.outer(radius, k) / np.pi))
    noise = float(elastic[1:].var(axis=0).sum()) + 1e-6

    def least(models: np.ndarray) -> np.ndarray:
        flat = models.reshape(-1, len(k))
        misfit = (elastic**2).sum(axis=1)[:, None] - 2 * elastic @ flat.T + (flat**2).sum(axis=1)[None]
        return np.maximum(misfit.min(axis=1), 0.0)

    well = np.minimum(least(waves), least(two[:, None] * waves[None]))
    return np.asarray((well + noise) / (least(sphere[:, None] * waves[None]) + noise))
