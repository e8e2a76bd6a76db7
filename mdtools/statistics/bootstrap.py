"""Bootstrap over two directions at once: blocks of time and blocks of ions."""

import numpy as np

__all__ = ["resampled", "two_way_means"]


def resampled(n: int, draws: int, random: np.random.Generator) -> np.ndarray:
    """Weights (draw, n) of n equal pieces drawn n times with replacement; each row sums to 1.

    >>> resampled(4, 2, np.random.default_rng(0)).sum(axis=1)
    array([1., 1.])
    """
    return random.multinomial(n, np.full(n, 1.0 / n), size=draws) / n


def two_way_means(values: np.ndarray, axes: tuple[int, int], weights: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Weighted means over two axes with weights (draw, n) and (draw, m): (draw, *the other axes).

    Both directions are drawn on their own: the spread of a mean over the draws is then that of both together.
    Source: A. B. Owen, Ann. Appl. Stat. 1, 386 (2007): for crossed factors it errs on the wide side.

    >>> two_way_means(np.arange(6.0).reshape(2, 3), (0, 1), (np.full((1, 2), 0.5), np.full((1, 3), 1 / 3)))
    array([2.5])
    """
    values = np.moveaxis(values, axes, (0, 1))
    flat = values.reshape(*values.shape[:2], -1)
    return np.einsum("dw,db,wbr->dr", *weights, flat, optimize=True).reshape(-1, *values.shape[2:])
