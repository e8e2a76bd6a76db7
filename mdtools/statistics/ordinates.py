"""Spectra of F_s in windows, and what the same windows, seen through the same resolution, make of any model of it.

The periodogram of one window of L frames is the transform of its circular correlation c(m) = (1 - m/L) F(m) + m/L F(L - m), so its
mean under a model is the same transform of the model: what a finite window does to a line is part of the model, not a bias.
A resolution multiplies c by R(t) and its images, R summed over t + j L dt, which smooths the periodogram and keeps it positive.
A model is smooth in ln t: it is made at every frame up to RESOLVED and beyond at that many an e-fold, and the transform takes what six
neighbours say of the frames between. That is 1e-8 of F(0), and hundreds of times where a window holds tens of thousands of frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.resolution import Resolution

__all__ = ["NARROWEST", "Ordinates", "ordinates"]

Floats = NDArray[Any]
RESOLVED = 24  # frames, and times in each e-fold beyond them, at which a model is made
NEIGHBOURS = 6  # of them, between which it is a polynomial
NODES_TOGETHER = 16  # whose transforms are made at a time
NARROWEST = 0.05  # of the width of the resolution: a line narrower than that is elastic to the spectrometer


@dataclass(frozen=True)
class Ordinates:
    """Periodograms (window, q, frequency) at the lowest frequencies, and what belongs to them."""

    values: Floats
    kappa: Floats  # (q,) of one window
    q: Floats
    n: int  # frames of a window
    interval: float
    nodes: Floats  # (node,) frames at which a model is made
    of_node: Floats  # (node, frequency): the ordinates of a model that is 1 at one of them
    damping: Floats | None = None  # (lag,) of the circular correlation, by the resolution
    full_width: float = 0.0  # of the resolution

    @property
    def weight(self) -> Floats:
        """(q, frequency) of one window: neighbours that a resolution makes alike share the weight of one."""
        w = np.ones(self.values.shape[-1])
        w[0] = 0.5
        return self.kappa[:, None] * w * (1.0 if self.damping is None else np.mean(self.damping**2) / self.damping[0] ** 2)

    @property
    def time(self) -> Floats:
        """At which `of_model` wants a model."""
        return self.nodes * self.interval

    @property
    def hidden(self) -> float:
        """Rate of a relaxation whose line is too narrow for the resolution."""
        return np.pi * NARROWEST * self.full_width

    @property
    def slowest(self) -> float:
        """Rate below which a relaxation is taken for none: one over a window, or what the resolution hides."""
        return max(1 / (self.n * self.interval), self.hidden)

    def of_model(self, correlation: Floats) -> Floats:
        """Mean of the ordinates of a model of F (..., node), given at `time`."""
        return np.asarray(correlation @ self.of_node)


def ordinates(correlation: Floats, q: Floats, *, interval: float, highest: float, resolution: Resolution | None = None) -> Ordinates:
    """Periodograms up to the frequency `highest` of F_s (window, q, lag) at every lag of its windows, seen through a resolution."""
    n = correlation.shape[-1]
    damping = None if resolution is None else resolution.damping(n, interval)
    each = _transform(correlation, interval, damping)[..., : max(4, int(highest * n * interval) + 1)]
    each = np.maximum(each, 1e-12 * each.max())  # ions that do not move have nothing at other frequencies
    scatter = np.mean((each.var(axis=0, ddof=1) / each.mean(axis=0) ** 2)[:, 1:], axis=-1)
    full_width = 0.0 if resolution is None else resolution.full_width
    nodes = _nodes(n)
    of_node = np.concatenate([_transform(some, interval, damping)[..., : each.shape[-1]] for some in _between(nodes, n)])
    return Ordinates(each, 1 / np.maximum(scatter, 1e-6), np.asarray(q), n, interval, nodes, of_node, damping, full_width)


def _nodes(n: int) -> Floats:
    """Frames 0 ... n - 1 at which a model is made, ascending, the last among them."""
    beyond = RESOLVED * np.exp(np.arange(1, 1 + int(RESOLVED * np.log(max(1.0, n / RESOLVED)))) / RESOLVED)
    return np.unique(np.concatenate([np.arange(min(n, RESOLVED + 1)), np.minimum(np.rint(beyond), n - 1).astype(int), [n - 1]]))


def _between(nodes: Floats, n: int) -> Iterator[Floats]:
    """What each node counts at each frame (node, frame), some nodes at a time: Lagrange's polynomial of the nodes about it."""
    frame = np.arange(n)
    width = min(NEIGHBOURS, len(nodes))
    first = np.clip(np.searchsorted(nodes, frame, side="right") - width // 2, 0, len(nodes) - width)
    number = first[:, None] + np.arange(width)
    at = nodes[number].astype(np.float64)
    share = np.ones((n, width))
    for k in range(width):
        for other in range(width):
            if other != k:
                share[:, k] *= (frame - at[:, other]) / (at[:, k] - at[:, other])
    for start in range(0, len(nodes), NODES_TOGETHER):
        rows = np.zeros((min(NODES_TOGETHER, len(nodes) - start), n))
        inside = (number >= start) & (number < start + len(rows))
        rows[number[inside] - start, np.nonzero(inside)[0]] = share[inside]
        yield rows


def _transform(correlation: Floats, interval: float, damping: Floats | None) -> Floats:
    """dt sum_m c(m) cos(2 pi k m / L) of the circular correlation c, damped, k = 0 ... L/2."""
    n = correlation.shape[-1]
    share = np.arange(n) / n
    back = np.concatenate([correlation[..., :1], correlation[..., :0:-1]], axis=-1)
    circular = (1 - share) * correlation + share * back
    return np.asarray(interval * np.fft.rfft(circular if damping is None else circular * damping, axis=-1).real)
