"""What a mean squared displacement says about the motion: caged, subdiffusive, diffusive, or too little to tell."""

__all__ = ["SIGNIFICANT", "classify"]

SIGNIFICANT = 3.0  # standard errors by which D = 0 must be rejected
POOR = 0.01  # quality of a line that is not believed
HALF = 0.5  # log slope below which most of the MSD is still the cage


def classify(*, significance: float, log_slope: float, log_slope_stderr: float, quality: float, grew: bool = True) -> str:
    """The word for the motion.

    caged : D = 0 is not rejected by three standard errors (those of a plateau with its own noise), and the MSD is flat:
        d ln MSD / d ln t is below 1/2 with 97.5 % confidence at the longest lags, or the MSD of the longer half of the lags is not above
        what it reached in the first quarter (`grew`; a crystal without damping never settles to a line).
    undecided : D = 0 is not rejected, but neither is the MSD flat.
    subdiffusive : D = 0 is rejected, but no range of lags fits a line (quality < 0.01), or the log slope is below
        1/2 with 97.5 % confidence: what D is given still falls with the lag, or rests on few jumps.
    diffusive : otherwise.

    >>> classify(significance=50.0, log_slope=0.98, log_slope_stderr=0.03, quality=0.4)
    'diffusive'
    """
    flat = log_slope + 2 * log_slope_stderr < HALF
    if not significance >= SIGNIFICANT:
        return "caged" if flat or not grew else "undecided"
    return "subdiffusive" if flat or quality < POOR else "diffusive"
