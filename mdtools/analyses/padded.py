"""Spectra of series padded with zeros, from which all lags of a correlation are made: what `tile_means` gives to its kernel and takes back."""

from collections.abc import Sequence

import jax
import numpy as np

from mdtools.kernels.padded import Twiddles, in_order, twiddles

__all__ = ["factors_of", "in_frequency"]


def factors_of(n_fft: int) -> Twiddles:
    """The twiddles of a length, as arrays of NumPy, which any device is sent."""
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, twiddles(n_fft))


def in_frequency(power: Sequence[np.ndarray], factors: Twiddles) -> np.ndarray:
    """Sums over atoms of what kernels make of `padded_transform`, (..., frequency)."""
    with jax.enable_x64(True):
        return np.asarray(in_order(tuple(power), factors))
