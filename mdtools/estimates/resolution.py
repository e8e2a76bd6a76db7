"""The resolution of a spectrometer, as it is passed: a width with its unit, or a measured curve from a file or an array, with its unit stated."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import xarray as xr

from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import is_reduced
from mdtools.statistics.resolution import SHAPES, Curve, Resolution, Shape, evened
from mdtools.units import EnergyUnit, linewidth

__all__ = ["Instrument"]

FEWEST = 5  # points within the full width at half maximum: straight lines between them then broaden it by 2 % at most
ENDS = 0.01  # of the peak: a curve that ends higher is cut off, or stands on a background
BELOW = 0.05  # of the peak: noise may take a curve that far below 0
ASIDE = 0.25  # of the full width: a peak further from 0 has another zero of energy


@dataclass(frozen=True)
class Instrument:
    """Resolution in THz (1/tau), None for none, and what it was made of in words."""

    resolution: Resolution | None
    words: str = ""

    @classmethod
    def of(cls, data: xr.Dataset, resolution: Any, *, shape: str, unit: str | None, window: float, who: str) -> "Instrument":
        """The resolution that the options of an estimate mean, for windows of this length."""
        if shape not in SHAPES:
            raise ValueError(f"resolution_shape={shape!r} is not understood; write one of {', '.join(SHAPES)}")
        if unit not in (None, *get_args(EnergyUnit)):
            raise ValueError(f"resolution_unit={unit!r} is not understood; write one of {', '.join(get_args(EnergyUnit))}")
        if resolution is None or (isinstance(resolution, str) and not Path(resolution).is_file()):
            if unit is not None:
                there = "is none" if resolution is None else "is none, nor the name of a file"
                raise ValueError(f"resolution_unit={unit!r} says what the energies of a measured curve are in, and resolution={resolution!r} {there}")
            if resolution is None:
                return cls(None)
            try:
                found: Resolution = Shape(linewidth(resolution, "resolution", reduced=is_reduced(data)), shape)
            except ValueError as reason:
                raise ValueError(f"{reason}; a measured curve is a file of two columns, and there is none of this name") from None
            words = f"resolution={resolution!r}"
        else:
            found, words = _measured(resolution, unit, reduced=is_reduced(data))
        if found.full_width * window < 1:
            time = "tau" if is_reduced(data) else "ps"
            raise NotEnoughData(
                f"{who}: {words} follows motion for {1 / found.full_width:.4g} {time}, and the windows hold {window:.4g} {time}: what such a "
                "spectrometer tells from an elastic line goes on beyond them; measure a longer run, with fewer windows (4 at least), or pass none"
            )
        return cls(found, words)

    @property
    def full_width(self) -> float:
        """0 where there is no resolution."""
        return 0.0 if self.resolution is None else self.resolution.full_width

    def described(self) -> dict[str, Any]:
        """What history keeps of a measured curve, in place of its points."""
        return {"resolution": self.words} if isinstance(self.resolution, Curve) else {}

    def check(self, band: float, who: str) -> None:
        """Raises ValueError where the band ends within the resolution."""
        if band < self.full_width:
            raise ValueError(
                f"{who}: the band ends at {band:g} THz, within the resolution of {self.full_width:g} THz: pass a larger highest, four times the "
                "resolution, which frames closer in time may be needed for"
            )

    def seen(self, width: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Half widths of the folded lines, with errors; NaN where there is none."""
        out = np.full((2, len(width)), np.nan)
        assert self.resolution is not None
        for k in np.flatnonzero(np.isfinite(width)):
            near = [self.resolution.half_width_seen(width[k] * (1 + step)) for step in (-1e-3, 0.0, 1e-3)]
            out[:, k] = near[1], error[k] * (near[2] - near[0]) / (2e-3 * width[k])
        return out[0], out[1]


def _measured(curve: Any, unit: str | None, *, reduced: bool) -> tuple[Resolution, str]:
    """A curve and its description."""
    name = f"resolution={str(curve)!r}" if isinstance(curve, str) else "the curve of resolution="
    if isinstance(curve, str):
        x, y = _columns(curve)
    elif isinstance(curve, xr.DataArray):
        x, y, unit = _labelled(curve, unit)
    else:
        x, y = _pair(curve)
    if reduced and unit is not None:
        raise ValueError(f"{name}: in lj units frequencies are in 1/tau: leave resolution_unit out")
    if not reduced and unit is None:
        known = " or ".join(get_args(EnergyUnit))
        raise ValueError(f"{name} does not say what its energies are in: pass resolution_unit= ({known}; --resolution-unit on a command line)")
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    _check(x, y, name, unit or "1/tau")
    found = evened(x * (1.0 if unit is None else linewidth(f"1 {unit}", "resolution_unit")), y)
    digest = hashlib.sha256(np.stack([x, y]).tobytes()).hexdigest()[:12]
    width = f"full width at half maximum {found.full_width:.4g} {'1/tau' if reduced else 'THz'}"
    return found, f"{name} ({len(x)} points, sha256 of the numbers {digest}, {width})"


def _columns(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Energies and intensities of a file of two columns, or three with errors; lines of # and one of names are passed over."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise TrajectoryError(f"{path} is no text of two columns, energy and intensity, that could be a resolution") from None
    rows: list[list[float]] = []
    names = 0
    for k, line in enumerate(lines, start=1):
        words = re.split(r"[,;\s]+", line.partition("#")[0].strip().strip(",;"))
        if words == [""]:
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            names += 1
            if rows or names > 1:
                raise TrajectoryError(f"{path}, line {k}: {line.strip()[:60]!r} is no row of numbers: energy, intensity") from None
            continue
        if len(row) not in (2, 3) or (rows and len(row) != len(rows[0])):
            raise TrajectoryError(f"{path}, line {k}, has {len(row)} columns: a resolution has two, energy and intensity, or a third with errors")
        rows.append(row)
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def _labelled(curve: xr.DataArray, unit: str | None) -> tuple[np.ndarray, np.ndarray, str | None]:
    if curve.ndim != 1 or curve.dims[0] not in curve.coords:
        raise ValueError(f"the curve of resolution= has the dimensions {curve.dims}: it is one curve over a coordinate of energy or frequency")
    along = curve[str(curve.dims[0])]
    stated = along.attrs.get("units")
    if stated is not None and unit is not None and stated != unit:
        raise ValueError(f"the curve of resolution= has a coordinate in {stated}, and resolution_unit={unit!r}: leave the one out that is wrong")
    if stated is not None and stated not in get_args(EnergyUnit):
        raise ValueError(f"the curve of resolution= has a coordinate in {stated}; known are {', '.join(get_args(EnergyUnit))}")
    return _numbers(along.values), _numbers(curve.values), stated if unit is None else unit


def _pair(curve: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(curve, tuple) and len(curve) == 2:
        x, y = _numbers(curve[0]), _numbers(curve[1])
        if x.ndim == 1 and x.shape == y.shape:
            return x, y
    else:
        table = _numbers(curve)
        if table.ndim == 2 and table.shape[1] == 2:
            return table[:, 0], table[:, 1]
    raise ValueError(
        "resolution= is a width with its unit, a file, a DataArray, an array (point, 2) of energy and intensity, or a pair of such arrays"
    )


def _numbers(values: Any) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"resolution={str(values)[:60]!r} holds no numbers: energies and intensities are asked for") from None


def _check(x: np.ndarray, y: np.ndarray, name: str, unit: str) -> None:
    """Raises ValueError where points, sorted by energy, are no resolution."""
    if len(x) < FEWEST:
        raise ValueError(f"{name} has {len(x)} points; a resolution needs at least {FEWEST} within its full width at half maximum")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"{name} holds values that are not finite")
    if not (np.diff(x) > 0).all():
        raise ValueError(f"{name} has two values at {x[:-1][np.diff(x) <= 0][0]:g} {unit}")
    peak = int(np.argmax(y))
    if not y[peak] > 0 or y.min() < -BELOW * y[peak]:
        raise ValueError(f"{name} lies between {y.min():.4g} and {y[peak]:.4g}: a resolution is not negative; too much may have been subtracted")
    if x[0] >= 0 or x[-1] <= 0:
        raise ValueError(f"{name} goes from {x[0]:g} to {x[-1]:g} {unit}: a resolution holds both sides of the elastic line, which lies at 0")
    few = max(1, len(x) // 20)
    level = max(y[:few].mean(), y[-few:].mean())
    if level > ENDS * y[peak]:
        raise ValueError(
            f"{name} ends at {level / y[peak]:.1%} of its peak: subtract its background ({level:.4g}), or pass a curve measured further out"
        )
    above = np.flatnonzero(y >= y[peak] / 2)
    if np.count_nonzero((x >= x[above[0]]) & (x <= x[above[-1]])) < FEWEST:
        raise ValueError(f"{name} has {len(above)} points within its full width at half maximum; it needs {FEWEST}")
    width = x[above[-1]] - x[above[0]]
    if abs(x[peak]) > ASIDE * width:
        raise ValueError(f"{name} peaks at {x[peak]:.4g} {unit} (width {width:.4g}): shift its energies so that elastic scattering lies at 0")
