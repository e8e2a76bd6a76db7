"""How long a run has to be."""

from typing import Any

import numpy as np

__all__ = ["run_for_bound", "run_for_error"]


def run_for_error(run: Any, value: Any, stderr: Any, *, relative: float = 0.1) -> Any:
    """Length of the run at which the standard error is `relative` times the value: run (stderr / (relative value))^2.

    The variance of a slope over given lags goes as 1 / run, and so does what jumps and ions that move together add to it.

    >>> round(float(run_for_error(20.0, 1.0, 0.2)), 6)
    80.0
    """
    return run * np.square(np.asarray(stderr) / (relative * np.asarray(value)))


def run_for_bound(run: Any, slope_bound: Any, unseen_bound: Any, *, factor: float = 10.0) -> Any:
    """Length of the run at which the bound on D, the larger of the two, is `factor` times smaller if there is still no diffusion.

    The bound from the slope goes as run^-3/2: the noise of a plateau as run^-1/2, and the longest lag as the run. That from jumps
    too rare to be seen goes as 1 / run.

    >>> float(run_for_bound(20.0, 0.1, 1.0))
    200.0
    """
    bound = np.maximum(slope_bound, unseen_bound)
    safe = np.where(bound > 0, bound, 1.0)
    longer = np.maximum(np.cbrt(np.square(factor * slope_bound / safe)), factor * unseen_bound / safe)
    return np.where(bound > 0, run * longer, np.nan)
