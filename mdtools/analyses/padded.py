"""Spectra of series padded with zeros, from which all lags of a correlation are made: what `tile_means` gives to its kernel and takes back."""

from collections.abc import Sequence

import jax
import numpy as np

from mdtools.kernels.padded import in_order, twiddles

__all__ = ["factors_of", "in_frequency"]


def factors_of(n_fft: int) -> dict[str, np.ndarray]:
    """The twiddles of a length, which every device is sent."""
    with jax.enable_x64(True):
        return {name: np.asarray(one) for name, one in twiddles(n_fft).items()}


def in_frequency(power: Sequence[np.ndarray], n_fft: int) -> np.ndarray:
    """Sums over atoms of what kernels make of `padded_transform`, (..., frequency)."""
    with jax.enable_x64(True):
        return np.asarray(in_order(tuple(power), n_fft=n_fft))
