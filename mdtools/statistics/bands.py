"""Smoothing of a periodogram: means over bands of ordinates, with the errors of the Gamma law."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Bands", "banded", "instantaneous", "peak"]

Floats = NDArray[Any]
HANN = (4 / 9, 1 / 36)  # correlation of an ordinate with the next and the one after it under a Hann taper


@dataclass(frozen=True)
class Bands:
    """Means over bands (band,) at their middle, stderr, and the 95 % interval; `width` in units of the frequency."""

    frequency: Floats
    value: Floats
    stderr: Floats
    lower: Floats
    upper: Floats
    width: float


def banded(frequency: Floats, periodogram: Floats, *, series: int, width: float, tapered: bool = False) -> Bands:
    """Means of the ordinates from the second on (nothing below one over the length of a window), in bands of `width`.

    n ordinates of `series` series each are Gamma distributed about their mean with shape n x series: the interval is
    [x / g_0.975, x / g_0.025], g of mean 1. A Hann taper shares scatter between neighbours, which lowers the shape.

    >>> found = banded(np.arange(9.0), np.full(9, 2.0), series=3, width=3.5)
    >>> found.frequency.tolist(), found.value.tolist(), found.width
    ([2.0, 5.0], [2.0, 2.0], 3.0)
    """
    step = float(frequency[1] - frequency[0])
    n = max(1, int(width / step + 1e-9))
    inner = slice(1, 1 + n * ((len(frequency) - 2) // n))  # the last may be that of half the sampling frequency, which has another law
    value = periodogram[inner].reshape(-1, n).mean(axis=1)
    shared = 1 + 2 * sum(r * max(1 - lag / n, 0.0) for lag, r in enumerate(HANN, start=1)) if tapered else 1.0
    shape = n * series / shared
    ends = special.gammaincinv(shape, [0.975, 0.025]) / shape
    return Bands(frequency[inner].reshape(-1, n).mean(axis=1), value, value / np.sqrt(shape), value / ends[0], value / ends[1], n * step)


def instantaneous(acf: Floats) -> Floats:
    """Correlation of a series whose means over the sampling interval have the correlation acf (lag,), band-limited to half the sampling frequency.

    The transform of the even acf is divided by [sin(pi f) / (pi f)]^2, f in cycles a sample. What the series has above that is not undone.

    >>> t = np.arange(400)
    >>> mean = np.sinc(0.1) ** 2 * np.cos(2 * np.pi * 0.1 * t) * np.exp(-((t / 80) ** 2))
    >>> bool(np.abs(instantaneous(mean) - np.cos(2 * np.pi * 0.1 * t) * np.exp(-((t / 80) ** 2))).max() < 0.01)
    True
    """
    n = len(acf)
    spectrum = np.fft.rfft(np.concatenate([acf, [0.0], acf[:0:-1]]))
    return np.asarray(np.fft.irfft(spectrum / np.square(np.sinc(np.arange(len(spectrum)) / (2 * n))), 2 * n)[:n])


def peak(x: Floats, y: Floats, relative: Floats, *, shared: float) -> tuple[float, float]:
    """Where y > 0 is largest, and one standard error: vertex of a parabola through ln y where y is above half its maximum.

    relative : error of y over y. shared : how many neighbouring points scatter alike. The error is at least half a step.

    >>> x = np.linspace(0, 2, 41)
    >>> [round(float(one), 3) for one in peak(x, np.exp(-np.square(x - 1.1) / 0.3), np.full(41, 0.01), shared=1.0)]
    [1.1, 0.025]
    """
    top = int(np.argmax(y))
    low = np.flatnonzero(y < y[top] / 2)
    first = low[low < top].max(initial=-1) + 1
    last = low[low > top].min(initial=len(y))
    floor = float(x[1] - x[0]) / 2
    if last - first < 4:
        return float(x[top]), 2 * floor
    near, scale = slice(first, last), x[last - 1] - x[first]
    u = (x[near] - x[top]) / scale
    design = np.stack([np.ones_like(u), u, u * u], axis=-1)
    weight = np.broadcast_to(relative, y.shape)[near] ** -2.0
    covariance = np.linalg.inv((design.T * weight) @ design)
    _, b, c = covariance @ (design.T * weight) @ np.log(y[near])
    if not c < 0:
        return float(x[top]), float(scale) / 2
    gradient = np.array([0.0, -1 / (2 * c), b / (2 * c * c)])
    error = scale * np.sqrt(shared * gradient @ covariance @ gradient)
    return float(x[top] - scale * b / (2 * c)), float(np.hypot(error, floor))
