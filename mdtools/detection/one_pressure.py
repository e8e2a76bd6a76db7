"""Enthalpy and volume of the runs of a series at one pressure, also of cells that were held at one of their own."""

import numpy as np
import xarray as xr

from mdtools.detection.gates import is_canonical
from mdtools.detection.pooled import Pooled, mean_of
from mdtools.statistics.interval import lengthened
from mdtools.statistics.series_mean import means_of_series
from mdtools.statistics.transition import line_at
from mdtools.statistics.vibrations import jackknife_of_rows
from mdtools.units import EV_PER_ANGSTROM3_TO_GPA

__all__ = ["bulk_modulus_of", "enthalpy_fluctuation_of", "enthalpy_of", "is_held", "log_length_of"]

FEWEST_WINDOWS = 4
HELD_CELL = 1e-3  # relative error of the volume of a cell that was held fixed, at the mean of some 10 ps at constant pressure: as cells breathe


def enthalpy_of(runs: Pooled) -> tuple[np.ndarray, np.ndarray] | None:
    """Enthalpy per ion at one pressure P0 for all runs: that stated, else the mean; with its error.

    E + P0 V is that of a run at P0. A cell that was held has a pressure P of its own, as its log says, and an enthalpy E + P V at that: by
    (dH/dP)_T = V (1 - alpha T) it is E + P0 V + (P - P0) V alpha T at P0, alpha of the volumes of the series. P V of every moment would only
    add noise.
    """
    every = [one for members in runs.members for one in members]
    if not all("total_energy" in one and np.isfinite(one.total_energy).sum() > 1 for one in every):
        return None
    energy, error = runs.mean("total_energy", over=lambda one: float(one.n_atoms))
    stated = [float(one.stated_pressure) for one in every if "stated_pressure" in one]
    measured = [float(np.nanmean(one.pressure)) for one in every if "pressure" in one]
    unit = 1.0 if every[0].attrs.get("unit_system") == "lj" else EV_PER_ANGSTROM3_TO_GPA
    pressure = float(np.mean(stated or measured or [0.0])) / unit
    volume = np.array([np.mean([float(one.volume) / float(one.n_atoms) for one in members]) for members in runs.members])
    off, noise = _pressure_of_held_cells(runs, pressure * unit)
    expands = volume * runs.kelvin * _expansivity(runs.kelvin, np.log(volume)) / unit
    return energy + pressure * volume + off * expands, np.hypot(error, noise * expands)


def enthalpy_fluctuation_of(runs: Pooled) -> tuple[np.ndarray, np.ndarray] | None:
    """var(H) / (N T^2) of each temperature and its error, in the units of the series.

    None where a run has not kept it or fluctuates as no canonical ensemble does (constant energy, Berendsen), as `heat_capacity` refuses it; and
    where some cells were held and others not: C_V of one and C_p of the next have a maximum between them.
    """
    every = [one for members in runs.members for one in members]
    if not all("enthalpy_variance" in one and np.isfinite(one.enthalpy_variance).sum() >= FEWEST_WINDOWS for one in every):
        return None
    if not all(map(is_canonical, every)) or len({is_held(one) for one in every}) > 1:
        return None

    def of(rows: np.ndarray) -> np.ndarray:
        return np.atleast_1d(rows[:, 1].mean() - rows[:, 0].mean() ** 2 + rows[:, 0].var(ddof=1) / len(rows))

    found = []
    for t, members in zip(runs.kelvin, runs.members, strict=True):
        each = []
        for one in members:
            rows = np.stack([one.enthalpy_by_window.values, one.enthalpy_variance.values], axis=1)
            rows = rows[np.isfinite(rows).all(axis=1)]
            wide = lengthened(len(rows) - 1)
            each.append((of(rows)[0], jackknife_of_rows(of, rows)[1][0] * wide))
        per = float(members[0].n_atoms) * t**2
        value, error = np.array(each).T / per
        found.append(mean_of(value, error))
    value, error = np.array(found).T
    return value, error


def _expansivity(kelvin: np.ndarray, log_volume: np.ndarray) -> np.ndarray:
    """d ln V / dT at each temperature: slope of the straight line through the five nearest, fewer where there are no more."""
    order = np.argsort(np.abs(kelvin[:, None] - kelvin[None, :]), axis=1)[:, :5]
    return np.array([np.polyfit(kelvin[near] - kelvin[near].mean(), log_volume[near], 1)[0] if len(near) > 1 else 0.0 for near in order])


def _pressure_of_held_cells(runs: Pooled, common: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the replicas of the pressure of a held cell less that of the series, and its error; 0 where cells breathe or no log tells."""
    off, noise = np.zeros((2, len(runs.kelvin)))
    for k, members in enumerate(runs.members):
        for one in members:
            if _tells_pressure(one) and is_held(one):
                some = one.pressure.values[np.isfinite(one.pressure.values)]
                off[k] += (some.mean() - common) / len(members)
                noise[k] += some.var(ddof=1) / len(some) / len(members) ** 2
    return off, np.sqrt(noise)


def _tells_pressure(one: xr.Dataset) -> bool:
    return "pressure" in one and int(np.isfinite(one.pressure).sum()) > 1


def is_held(one: xr.Dataset) -> bool:
    """Whether the cell of a run had one volume."""
    return "volume_by_window" in one and float(np.ptp(one.volume_by_window.values)) < 1e-6 * float(one.volume_by_window.mean())


def bulk_modulus_of(kelvin: np.ndarray, given: float | None, elastic: Pooled | None) -> tuple[np.ndarray, np.ndarray]:
    """B and its standard error at each temperature, in GPa (or reduced); NaN where it is not known to better than a half.

    As given; else on a straight line through that of the elastic constants, since a crystal softens as it expands; of two temperatures or one,
    their mean.
    """
    if given is not None:
        return np.full(len(kelvin), given), np.zeros(len(kelvin))
    every = [] if elastic is None else [one for members in elastic.members for one in members]
    known = [one for one in every if np.isfinite(one.elastic_c12) and np.isfinite(one.elastic_c12_stderr)]
    if not known:
        return np.full(len(kelvin), np.nan), np.full(len(kelvin), np.nan)
    t = np.array([float(one.stated_temperature) for one in known])
    values = np.array([float(one.elastic_c11 + 2 * one.elastic_c12) / 3 for one in known])
    error = np.array([np.hypot(float(one.elastic_c11_stderr), 2 * float(one.elastic_c12_stderr)) / 3 for one in known])
    value, sigma = line_at(kelvin, t, values, error, slope=len(np.unique(t)) >= 3)
    return np.where(value > 2 * sigma, value, np.nan), sigma


def log_length_of(runs: Pooled, bulk: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """ln V / 3 of each temperature and its error, held cells at one pressure where B is known; None where all runs have one volume."""
    every = [one for members in runs.members for one in members]
    pressures = [float(np.nanmean(one.pressure)) for one in every if "pressure" in one]
    common = float(np.mean(pressures)) if pressures else 0.0
    volumes = iter(means_of_series([one.volume_by_window.values for one in every]))
    rows, raw = [], []
    for members, modulus, modulus_error in zip(runs.members, *bulk, strict=True):
        value, error = np.empty((2, len(members)))
        for k, one in enumerate(members):
            volume = next(volumes)
            value[k] = np.log(volume.value / float(one.n_atoms))
            error[k] = volume.stderr / volume.value
            raw.append(value[k])
            if is_held(one):
                error[k] = HELD_CELL
                if "pressure" in one and np.isfinite(modulus):
                    some = one.pressure.values[np.isfinite(one.pressure.values)]  # forgotten from one window to the next
                    off, noise = some.mean() - common, some.std(ddof=1) / np.sqrt(len(some))
                    value[k] += off / modulus
                    error[k] = np.hypot(noise / modulus, off * modulus_error / modulus**2)
        rows.append(mean_of(value, np.maximum(error, 1e-9)))
    if np.ptp(raw) <= 1e-6:
        return None
    value, error = np.array(rows).T
    return value / 3, error / 3
