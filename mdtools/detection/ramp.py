"""Which temperatures of a heating or cooling ramp are worth runs of their own. Never a verdict: a ramp is not in equilibrium."""

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData

__all__ = ["detect_ramp"]

FEWEST = 6  # windows
MOVES = 0.15  # MSD over the neighbour distance squared from which a species moves (reference/science.md C3)
FAR = 1.0  # the same, from which it has gone as far as its neighbours
BESIDE = 0.05  # of the temperature, how far below and above an event runs are suggested
RAMPED = 0.1  # relative difference of the hottest and the coldest quarter of what is a ramp


@schema.recorded
def detect_ramp(heating_ramp: xr.Dataset) -> xr.Dataset:
    """Temperatures of a ramp that are worth holding: where a species begins to move, and where it does so most abruptly.

    Of each species: the first window, by temperature, from which on its mean squared displacement over half a window stays above 0.15 d^2, d the
    distance of neighbours; and where ln MSD rises most between windows, if it rises by a factor of 2 there beyond the rise of T. About each a run
    at it, 5 % below and 5 % above is listed, and the two ends of the ramp. No probabilities: a ramp lags behind, heating overshoots.

    Returns `suggested_temperature` (suggestion), ascending, and `suggestion_reason`; `onset_temperature` (species), NaN where it does not move,
    or moves from the begin; and the map: `temperature_by_window`, `window_msd` and `ramp_says` (window, species): "still", "moves" (MSD above
    0.15 d^2), or "far" (above d^2).
    Raises NotEnoughData for fewer than six windows or a temperature that does not change. Source: reference/science.md C1, C5.

    >>> kelvin = np.linspace(500, 1600, 12)
    >>> ramp = schema.dataset({"species": ["F"], "window": list(range(12)), "temperature_by_window": ("window", kelvin),
    ...     "neighbour_distance": ("species", [2.8]), "window_msd": (("window", "species"), np.where(kelvin > 1000, 9.0, 0.1)[:, None])})
    >>> detect_ramp(ramp).onset_temperature.item()
    1050.0
    """
    data = heating_ramp
    kelvin = data.temperature_by_window.values
    if len(kelvin) < FEWEST:
        raise NotEnoughData(f"detect_ramp needs {FEWEST} windows or more; there are {len(kelvin)}: measure with windows=16")
    if np.ptp([part.mean() for part in np.array_split(kelvin, 4)]) < RAMPED * kelvin.mean():
        raise NotEnoughData(
            f"detect_ramp is for a temperature that changes, and that of this run stays within {kelvin.min():.4g} and {kelvin.max():.4g} K: "
            "detect_melting judges a run at one temperature"
        )
    order = np.argsort(kelvin, kind="stable")
    t = kelvin[order]
    says = np.full((len(kelvin), data.sizes["species"]), "still", dtype="<U5")
    onsets, wanted = [], [(float(t[0]), "the cold end"), (float(t[-1]), "the hot end")]
    for k, name in enumerate(map(str, data.species.values)):
        msd = data.window_msd.transpose("window", "species").values[order, k]
        moved = msd / float(data.neighbour_distance[k]) ** 2
        says[order, k] = np.where(moved >= FAR, "far", np.where(moved >= MOVES, "moves", "still"))
        onset = _onset(t, moved)
        onsets.append(onset)
        if np.isfinite(onset):
            wanted += _about(onset, f"{name} begins to move")
        steepest = _steepest(t, moved)
        if np.isfinite(steepest):
            wanted += _about(steepest, f"{name} moves more most abruptly")
    listed: dict[float, list[str]] = {}
    for value, why in wanted:
        if t[0] - 1e-9 <= value <= t[-1] + 1e-9:
            listed.setdefault(float(f"{value:.3g}"), []).append(why)
    temperatures = sorted(listed)
    out = {
        "species": data.species.values,
        "window": data.window.values,
        "temperature_by_window": ("window", kelvin),
        "window_msd": (("window", "species"), data.window_msd.transpose("window", "species").values),
        "ramp_says": (("window", "species"), says),
        "onset_temperature": ("species", onsets),
        "suggestion": np.arange(len(temperatures)),
        "suggested_temperature": ("suggestion", temperatures),
        "suggestion_reason": ("suggestion", ["; ".join(dict.fromkeys(listed[one])) for one in temperatures]),
    }
    return schema.dataset(out, reduced=data.attrs.get("unit_system") == "lj")


def _onset(t: np.ndarray, moved: np.ndarray) -> float:
    """Middle between the last window in which a species does not move and the next; NaN where it never or always does."""
    still = np.flatnonzero(moved < MOVES)
    if len(still) == 0 or still[-1] == len(t) - 1:
        return np.nan
    return float(t[still[-1]] + t[still[-1] + 1]) / 2


def _steepest(t: np.ndarray, moved: np.ndarray) -> float:
    """Where ln MSD - ln T rises most between two windows to the left and two to the right, by a factor of 2 or more, to what moves."""
    y = np.log(np.maximum(moved, 1e-12) / t)
    rise = (y[2:-1] + y[3:]) / 2 - (y[:-3] + y[1:-2]) / 2
    at = int(np.argmax(rise))
    return float(t[at + 1] + t[at + 2]) / 2 if rise[at] > np.log(2) and moved[at + 3] >= MOVES else np.nan


def _about(value: float, why: str) -> list[tuple[float, str]]:
    return [(value * (1 - BESIDE), f"below where {why}"), (value, f"where {why}"), (value * (1 + BESIDE), f"above where {why}")]
