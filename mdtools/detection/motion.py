"""What a verdict says beside the state: along how many axes ions move, and how long a run would have to be. Arrays in, words and numbers out."""

import numpy as np
import xarray as xr

from mdtools.detection.judged import NEEDED, Judged

__all__ = ["axes_in_words", "moving_axes", "time_needed"]

MOVES = 0.3  # root mean square displacement along an axis over the neighbour distance, from which enough ions have left their sites to say more
LEAST = 0.1  # of the largest principal value, below which an axis is not one of those along which they move
RESIDENCES = 3.0  # residence times that half a run must hold (reference/science.md C3)


def moving_axes(data: xr.Dataset) -> int:
    """Principal axes along which the mean places of a species moved from begin to end of the run: 0 to 3, and -1 where it was not measured."""
    if "moved_tensor" not in data:
        return -1
    values = np.linalg.eigvalsh(data.moved_tensor.transpose("xyz", "xyz2").values)
    if values[-1] < (MOVES * float(data.neighbour_distance)) ** 2:
        return 0
    return int(np.sum(values > LEAST * float(values[-1])))


def axes_in_words(name: str, data: xr.Dataset, axes: int) -> str:
    """A part of a sentence on channels and planes; empty where ions move along all axes or none."""
    if axes not in (1, 2):
        return ""
    _, vectors = np.linalg.eigh(data.moved_tensor.transpose("xyz", "xyz2").values)
    vector = vectors[:, -1] if axes == 1 else vectors[:, 0]
    vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
    shown = ", ".join(f"{x:.2f}" for x in vector + 0.0)
    return f"; {name} moves {'along one axis' if axes == 1 else 'in planes normal to'} ({shown}): one D for all directions hides that"


def time_needed(judged: Judged, half_run: float) -> float:
    """Length of a run in ps that would tell: twice 20 periods of vibration, and twice 3 residence times; NaN where no jump gives one.

    The residence time is by jumps between sites, else by the decay of the self-overlap.
    """
    period = judged.cage.period
    if not np.isfinite(period):
        return np.nan
    rates = [float(judged.evidence[name][0]) / period for name in ("jumps_per_vibration", "decays_per_vibration")]
    rate = next((one for one in rates if np.isfinite(one)), 0.0)
    if rate * half_run <= 0:
        return 2 * NEEDED * period if 2 * NEEDED * period > 2 * half_run else np.nan
    return 2 * max(NEEDED * period, RESIDENCES / rate)
