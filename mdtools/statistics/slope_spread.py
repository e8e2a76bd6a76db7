"""What the slope of a mean squared displacement varies by, taken apart by how each part depends on the slope. Arrays (motion,)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.averaging import Average
from mdtools.statistics.inflation import Excess
from mdtools.statistics.interval import Variance
from mdtools.statistics.measured import Measured, Split

__all__ = ["SlopeSpread", "spread_of_slope"]

Floats = NDArray[Any]


@dataclass(frozen=True)
class SlopeSpread:
    """The variance of a slope is stretch (gaussian + jumps) + between.

    gaussian : of independent Gaussian ions: plateau + mixed s + squares s^2. jumps : what single jumps add, negative where displacements are
    more alike than Gaussian ones; counts, over the slope. stretch : ions that move together, times misfit: no line holds. between : the
    variance between ranges of lags, where none holds. still : the variance that a slope of 0 would have. edges : what a jump adds, over
    what it adds to a straight mean.
    """

    slope: Floats
    gaussian: Floats
    jumps: Floats
    misfit: Floats
    stretch: Floats
    between: Floats
    still: Floats
    edges: Floats
    plateau: Floats
    mixed: Floats
    squares: Floats
    counts: Floats

    @property
    def variance(self) -> Floats:
        return np.asarray(self.stretch * (self.gaussian + self.jumps) + self.between)

    @property
    def significance(self) -> Floats:
        """Slope over the error that slope 0 would have."""
        error = np.sqrt(np.maximum(self.still, 1e-300))
        return np.where(self.still > 0, self.slope / error, np.where(self.slope > 0, np.inf, 0.0))

    @property
    def relative(self) -> Floats:
        """Error over slope, of ions that move each for itself."""
        positive = np.where(self.slope > 0, self.slope, 1.0)
        return np.where(self.slope > 0, np.sqrt(self.misfit * (self.gaussian + self.jumps)) / positive, np.inf)

    @property
    def inflation(self) -> Floats:
        """Variance over that of independent Gaussian ions."""
        return np.asarray(self.stretch * (1 + np.where(self.gaussian > 0, self.jumps / np.maximum(self.gaussian, 1e-300), 0.0)))

    @property
    def at_rest(self) -> Floats:
        """The part of the variance that does not depend on the slope."""
        return np.asarray(self._like * self.plateau + self.between)

    def law(self, counts: Floats) -> Variance:
        """How the variance depends on the true slope, with what one count adds."""
        return Variance(self.at_rest, self._like * self.mixed, self._like * self.squares, counts)

    @property
    def _like(self) -> Floats:
        return np.asarray(self.stretch * (1 + np.minimum(self.jumps, 0.0) / np.maximum(self.gaussian, 1e-300)))


def spread_of_slope(measured: Measured, fit: Average, split: Split, excess: Excess, by_jumps: Floats) -> SlopeSpread:
    """by_jumps : (lag, lag) covariance of the MSD that one jump makes."""
    at = split.slope
    v0, v1, v2 = (fit.choice * part for part in measured.covariance(split).along(fit.weights[:, 1]))
    edges = np.einsum("bi,ij,bj->b", fit.weights[:, 1], by_jumps, fit.weights[:, 1])  # above 1: jumps near the ends of the run count less
    gaussian = np.maximum(v0 + v1 * at + v2 * at**2, 0.0)  # below 0 by rounding where all ions drift alike
    # where no line holds, the scatter about it is the least that the error can be; jumps tilt the line and leave no scatter
    misfit = np.maximum(1.0, fit.misfit)
    stretch = misfit * excess.factor
    jumps = np.maximum(excess.jumps * edges, -0.75 * gaussian) / misfit
    between = np.where(fit.misfit > 1, fit.spread, 0.0)
    positive = np.where(fit.slope > 0, fit.slope, 1.0)
    # motion that starts ballistically has less than the line at short lags, in proportion to it: all of its variance is that of squares
    whole = (fit.intercept < 0) & (fit.slope > 0)
    plateau, mixed = (np.where(whole, 0.0, part) for part in (np.maximum(v0 + np.minimum(v1, 0.0) * at, 0.0), np.maximum(v1, 0.0)))
    return SlopeSpread(
        slope=fit.slope,
        gaussian=gaussian,
        jumps=jumps,
        misfit=misfit,
        stretch=stretch,
        between=between,
        still=np.maximum(stretch, misfit) * v0 + between,  # ions that seem to move less than alone by chance make no plateau a slope
        edges=edges,
        plateau=plateau,
        mixed=mixed,
        squares=np.where(whole, gaussian / positive**2, v2),
        counts=np.where(fit.slope > 0, np.maximum(jumps, 0.0) / positive, 0.0),
    )
