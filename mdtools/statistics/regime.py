"""What a mean squared displacement says about the motion: caged, subdiffusive, diffusive, or too little to tell."""

from typing import Any

import numpy as np

__all__ = ["SIGNIFICANT", "classify"]

SIGNIFICANT = 3.0  # standard errors by which D = 0 must be rejected
CLEAR = 4.0  # the same where the error of D is larger than D
POOR = 0.01  # quality of a line that is not believed
HALF = 0.5  # log slope below which most of the MSD is still the cage
FALLS = -2.5  # errors of the difference by which the longer half of the lags is less steep: 0.6 % of the runs by chance
FAST = 1.5  # log slope above which ions fly or drift


def classify(
    *,
    significance: Any,
    log_slope: Any,
    log_slope_stderr: Any,
    quality: Any,
    relative: Any = 0.0,
    grew: Any = True,
    single_file: Any = False,
    late_z: Any = 0.0,
) -> Any:
    """The word for the motion, for numbers or arrays.

    D = 0 is rejected by three standard errors of a plateau with its own noise; by four where the error of D (`relative` to D) is larger
    than D, since what is left of the transient of a slow cage is a few of them, and few jumps are many.

    caged : D = 0 is not rejected, and the MSD is flat:
        d ln MSD / d ln t is below 1/2 with 97.5 % confidence at the longest lags, or the MSD of the longer half of the lags is not above
        what it reached in the first quarter (`grew`; a crystal without damping never settles to a line).
    undecided : D = 0 is not rejected, but neither is the MSD flat; or no range of lags fits a line because the MSD grows faster than one
        (log slope above 3/2 with 97.5 % confidence: a drift, or lags that end within the free flight).
    subdiffusive : D = 0 is rejected, but no range of lags fits a line (quality < 0.01), or the log slope is below
        1/2 with 97.5 % confidence, or the longer half of the lags is less steep (`late_z`), or the MSD goes as the square root of the lag long
        before a line holds (`single_file`, ions that cannot pass each other): what D is given still falls with the lag, or rests on few jumps.
    diffusive : otherwise.

    >>> str(classify(significance=50.0, log_slope=0.98, log_slope_stderr=0.03, quality=0.4))
    'diffusive'
    """
    flat = np.asarray(log_slope) + 2 * np.asarray(log_slope_stderr) < HALF
    seen = np.asarray(significance) >= np.where(np.asarray(relative) < 1, SIGNIFICANT, CLEAR)  # not so for NaN
    poor = np.asarray(quality) < POOR
    moving = np.where(flat | poor | np.asarray(single_file) | (np.asarray(late_z) < FALLS), "subdiffusive", "diffusive")
    moving = np.where(poor & (np.asarray(log_slope) - 2 * np.asarray(log_slope_stderr) > FAST), "undecided", moving)
    return np.where(seen, moving, np.where(flat | ~np.asarray(grew), "caged", "undecided"))
