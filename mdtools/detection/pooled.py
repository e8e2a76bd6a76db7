"""Runs of a series, those of one temperature together: replicas, sizes, and the ways by which a temperature was reached."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from mdtools.statistics.series_mean import SeriesMean, means_of_series

__all__ = ["Pooled", "mean_of", "pooled", "sizes_of", "sweeps_of"]


class Pooled(NamedTuple):
    """Temperatures, ascending, and the Datasets of each: replicas."""

    kelvin: np.ndarray
    members: list[list[xr.Dataset]]

    @property
    def first(self) -> xr.Dataset:
        return self.members[0][0]

    def having(self, species: str) -> "Pooled":
        """Those of one species."""
        rows = [(t, [one.sel(species=species) for one in data if species in one.species.values]) for t, data in zip(*self, strict=True)]
        kept = [(t, data) for t, data in rows if data]
        return Pooled(np.array([t for t, _ in kept]), [data for _, data in kept])

    def mean(self, name: str, over: Callable[[xr.Dataset], float] = lambda one: 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Mean of a variable over the windows of a run, each over a number of its own, and over the replicas; with its standard error.

        Energies and defects may relax over several windows: the error of a run is longer by what their means remember of one another.
        """
        rows = []
        for found in self._means(name, over):
            value, error = np.array([one[:2] for one in found]).T
            rows.append(mean_of(value, np.maximum(error, 1e-9 * np.abs(value) + 1e-12)))
        return np.array([value for value, _ in rows]), np.array([error for _, error in rows])

    def unsettled(self, name: str) -> list[float]:
        """Temperatures of which a run is too short for the error of its mean: the windows remember one another over a fifth of it or longer."""
        return [float(t) for t, found in zip(self.kelvin, self._means(name, lambda one: 1.0), strict=True) if not all(one.settled for one in found)]

    def _means(self, name: str, over: Callable[[xr.Dataset], float]) -> list[list[SeriesMean]]:
        """Of every run of each temperature."""
        each = [one[name].values[np.isfinite(one[name].values)] / over(one) for members in self.members for one in members]
        found = iter(means_of_series(each))
        return [[next(found) for _ in members] for members in self.members]


def mean_of(values: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Mean of replicas, and the larger of what their errors and, of three or more, their scatter leave of it.

    >>> mean_of(np.array([1.0, 3.0]), np.array([0.3, 0.4]))
    (2.0, 0.25)
    """
    n = len(values)
    scatter = float(values.std(ddof=1)) / np.sqrt(n) if n >= 3 else 0.0
    return float(values.mean()), max(float(np.sqrt(np.sum(errors**2))) / n, scatter)


def pooled(data: Sequence[xr.Dataset]) -> Pooled:
    """By stated temperature, ascending; runs without one are left out."""
    by_kelvin: dict[float, list[xr.Dataset]] = {}
    for one in data:
        kelvin = float(one.stated_temperature)
        if np.isfinite(kelvin):
            by_kelvin.setdefault(round(kelvin, 6), []).append(one)
    ascending = sorted(by_kelvin)
    return Pooled(np.array(ascending), [by_kelvin[t] for t in ascending])


def sizes_of(data: Sequence[xr.Dataset]) -> dict[int, list[xr.Dataset]]:
    """By number of ions: the size with most temperatures first, of those the largest."""
    by_size: dict[int, list[xr.Dataset]] = {}
    for one in data:
        by_size.setdefault(int(one.n_atoms), []).append(one)
    return dict(sorted(by_size.items(), key=lambda item: (-len(pooled(item[1]).kelvin), -item[0])))


def sweeps_of(data: Sequence[xr.Dataset], sweeps: Sequence[str] | None, names: Sequence[str]) -> dict[str, list[xr.Dataset]]:
    """The runs of each sweep; nothing where none are told. Raises ValueError for words that are not those, or not as many."""
    if sweeps is None:
        return {}
    said = sweeps.split(",") if isinstance(sweeps, str) else list(sweeps)
    if len(said) != len(data) or not set(said) <= set(names):
        raise ValueError(f"sweeps={said}: give one word for each of the {len(data)} runs, {' or '.join(names)}")
    return {name: [one for one, word in zip(data, said, strict=True) if word == name] for name in names}
