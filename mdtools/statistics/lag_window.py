"""Half-sided transform of a correlation function under a lag window, and what its real and imaginary part err by.

    X(f) = int_0^inf C(t) w(t) exp(2 pi i f t) dt = sum_k I_k [K(f - f_k) + K(f + f_k)] / T_w,   K(x) = int_0^inf w(t) exp(2 pi i x t) dt,

I the periodogram over windows of length T_w. Ordinates are independent and Gamma distributed about S, so that each part of X has the variance
sum_k S_k^2 / (M T_w^2) of the square of that part of the bracket, M series. Re K is narrow: the real part errs by what S is about f. Im K falls as
1 / (2 pi x): the imaginary part errs by what S is anywhere, beside a sharp peak by far more than in proportion to the real part.

What the ends of windows leave of a peak elsewhere, L(f) = int S(f') / (2 pi^2 (f' - f)^2 T_w) df' beyond the resolution, is of one random amplitude
at all f, and no mean over ordinates reduces it: the real part, nearly 0 below all peaks, errs by L / (2 M^(1/2)) beside that.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["half_transform", "half_variance", "hann"]

Floats = NDArray[Any]
NEAR = 64  # frequencies beyond which Im K is its limit, 1 / (2 pi x), to a thousandth; of so many lowest ones every term is summed


def hann(count: int) -> Floats:
    """The falling half of a Hann window, 1 at lag 0 and 0 at lag `count`."""
    return np.square(np.cos(0.5 * np.pi * np.arange(count) / count))


def half_transform(values: Floats, *, interval: float, step: float, count: int) -> Floats:
    """int_0^inf values(t) exp(2 pi i f t) dt by the trapezoidal rule, at `count` frequencies f = 0, step, 2 step, ...

    >>> t = 0.01 * np.arange(2000)
    >>> found = half_transform(np.exp(-t), interval=0.01, step=0.05, count=3)
    >>> bool(np.allclose(found, 1 / (1 - 2j * np.pi * 0.05 * np.arange(3)), atol=1e-4))
    True
    """
    values = np.array(values, dtype=np.float64)
    values[0] /= 2
    return _turned(values, 2 * np.pi * step * interval, count) * interval


def _turned(values: Floats, turn: float, count: int) -> Floats:
    """sum_t values_t exp(i turn k t) for k < count, by 2 k t = k^2 + t^2 - (k - t)^2 (Bluestein): scipy.signal takes half a second to load."""
    n = len(values)
    chirp = np.exp(0.5j * turn * np.square(np.arange(max(n, count))))
    size = fft.next_fast_len(n + count - 1)
    kernel = fft.fft(np.concatenate([chirp[n - 1 : 0 : -1], chirp[:count]]).conj(), size)
    found = fft.ifft(fft.fft(values * chirp[:n], size) * kernel)
    return np.asarray(found[n - 1 : n + count - 1] * chirp[:count])


def _convolved(one: Floats, other: Floats) -> Floats:
    """sum_b one_b other_(k - b) wherever there is a term."""
    n = len(one) + len(other) - 1
    size = fft.next_fast_len(n, real=True)
    return np.asarray(fft.irfft(fft.rfft(one, size) * fft.rfft(other, size), size)[:n])


def half_variance(
    window: Floats, frequency: Floats, periodogram: Floats, *, series: int, interval: float, step: float, count: int
) -> tuple[Floats, Floats]:
    """Variances of the real and of the imaginary part of X at f = step, 2 step, ... count step, below half the sampling frequency.

    window : w at every lag, over 1 - t / T_w where C is the mean over the pairs of frames that there are. frequency, periodogram : (ordinate,) from 0
    on, mean over `series` series.
    Ordinates are shared out to bins `step` apart, which is to be well below the resolution of the window. With T(m) = K(m step) and P_b the
    variance of bin b: sum_b P_b [T(j - b) + T(j + b)]^2. The squares are convolutions; of the product, the NEAR bins on both sides of f are
    summed one by one.
    """
    at_ends = np.ones(len(frequency))  # f = 0, which is -f as well, and half the sampling frequency; their shape is M / 2
    at_ends[0] = 0.5
    at_ends[-1] = 0.5 if np.isclose(2 * frequency[-1] * interval, 1.0) else 1.0
    bins = _shared(frequency / step, at_ends * np.square(periodogram) / (series + 1) * frequency[1] ** 2)  # E I^2 = S^2 (1 + 1 / M)
    table = half_transform(window, interval=interval, step=step, count=count + max(len(bins), count) + 1)
    limit = np.zeros(len(table))
    limit[1:] = 0.5 * interval / np.tan(np.pi * interval * step * np.arange(1, len(table)))
    found = []
    for part, sign in ((table.real, 1), (table.imag, -1)):
        square = np.sum(_summed(bins, np.square(part), count, sign=1), axis=0)
        product = _near(bins, part, count, sign=sign)
        if sign < 0:
            product += _far(bins, limit, count, interval=interval, step=step) - _near(bins, limit, count, sign=sign)
        variance = np.maximum(square + 2 * product, 0.0)
        variance[:NEAR] = _lowest(bins, part, min(NEAR, count), sign=sign)  # where the terms of f and -f all but cancel
        found.append(variance)
    apart = step * np.arange(len(table))
    beyond = apart * len(window) * interval >= 1
    ends = np.where(beyond, frequency[1] / (2 * np.square(np.pi * np.where(beyond, apart, 1.0))), 0.0)
    left = np.sum(_summed(_shared(frequency / step, at_ends * periodogram * frequency[1]), ends, count, sign=1), axis=0)
    return found[0] + np.square(left) / (4 * series), found[1]


def _shared(place: Floats, values: Floats) -> Floats:
    """Values at places between bins, shared out to the two bins beside each."""
    whole, share = np.divmod(place, 1.0)
    return np.asarray(np.bincount(np.concatenate([whole, whole + 1]).astype(np.int64), np.concatenate([values * (1 - share), values * share])))


def _lowest(bins: Floats, kernel: Floats, count: int, *, sign: int) -> Floats:
    """sum_b P_b [kernel(j - b) + kernel(j + b)]^2 for j = 1 ... count; kernel(-m) = sign kernel(m)."""
    b = np.arange(len(bins))
    return np.array([bins @ np.square(np.where(j < b, sign, 1) * kernel[np.abs(j - b)] + kernel[j + b]) for j in range(1, count + 1)])


def _summed(bins: Floats, kernel: Floats, count: int, *, sign: int) -> Floats:
    """sum_b P_b kernel(j - b), and that of kernel(j + b), for j = 1 ... count; kernel(-m) = sign kernel(m)."""
    size = len(bins)
    both = np.concatenate([sign * kernel[size - 1 : 0 : -1], kernel[: count + 1]])
    return np.stack([_convolved(one, other)[size : size + count] for one, other in ((bins, both), (bins[::-1], kernel))])


def _near(bins: Floats, kernel: Floats, count: int, *, sign: int) -> Floats:
    """sum_b P_b kernel(j - b) kernel(j + b) of |j - b| <= NEAR."""
    away = np.arange(-NEAR, NEAR + 1)
    b = np.arange(1, count + 1)[:, None] - away
    there = np.where((b >= 0) & (b < len(bins)), bins[np.clip(b, 0, len(bins) - 1)], 0.0)
    beyond = np.clip(2 * b + away, 0, len(kernel) - 1)
    return np.asarray(np.sum(there * np.where(away < 0, sign, 1) * kernel[np.minimum(np.abs(away), len(kernel) - 1)] * kernel[beyond], axis=1))


def _far(bins: Floats, limit: Floats, count: int, *, interval: float, step: float) -> Floats:
    """sum_b P_b limit(j - b) limit(j + b), limit(m) = c cot(a m) and 0 at m = 0, by cot x cot y = 1 + cot(x + y) (cot x + cot y)."""
    j = np.arange(1, count + 1)
    at = np.append(bins, np.zeros(max(0, count + 1 - len(bins))))[j]
    apart, together = _summed(bins, limit, count, sign=-1)
    half = 0.5 * interval
    return np.asarray(half**2 * (bins.sum() - at) + half / np.tan(2 * np.pi * interval * step * j) * (apart + together - at * limit[2 * j]))
