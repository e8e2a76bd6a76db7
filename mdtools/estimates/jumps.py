"""What the jumps of a sublattice amount to: residence time, correlation factor, and the diffusion coefficient that they carry."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData
from mdtools.estimates.common import carried, is_reduced
from mdtools.statistics.counts import count_interval, dispersion
from mdtools.statistics.interval import lengthened

__all__ = ["jump_diffusivity"]

MEMORY = 4.0  # residence times over which the directions of jumps are correlated, at most a quarter of the run
FEWEST = 50  # jumps, fewer of which give no correlation factor
GROUPS = 16  # of ions, of which a jackknife leaves out one after the other
NAMES = (
    "residence_time",
    "residence_time_lower",
    "residence_time_upper",
    "jump_length",
    "correlation_factor",
    "correlation_factor_stderr",
    "back_jump_fraction",
    "jump_diffusivity",
    "jump_diffusivity_stderr",
    "jump_diffusivity_uncorrelated",
    "excess_defects",
    "excess_defects_stderr",
    "core_fraction",
    "core_fraction_stderr",
    "defect_diffusivity",
)


@schema.recorded
def jump_diffusivity(site_occupation: xr.Dataset) -> xr.Dataset:
    """Residence time, correlation factor f, excess defects, and D = f l^2 / 6 tau, from the jumps between sites.

    tau = N t / n of n jumps of N ions in the time t, with the interval of counts that scatter as those of the windows and of the blocks
    of ions do; l^2 = <r^2> of the jump vectors r; f = 1 + 2 sum_jk r_j . r_k / (1 - t_jk / t) / sum_j r_j^2 over pairs of jumps of one ion
    that lie t_jk < 4 tau (or t / 4) apart, with a jackknife over 16 groups of ions. Of fewer than 50 jumps f and D have no value:
    `jump_diffusivity_uncorrelated` has, f = 1.
    Excess defects: share of sites nearest to no ion, less that of sites for which there is no ion.

    Returns by species `residence_time` with _lower, _upper (95 %; of no jump the lower end alone), `jump_length`, `correlation_factor`,
    `back_jump_fraction` (jumps that undo the one before), `jump_diffusivity`, `excess_defects`, `core_fraction`, with _stderr;
    `defect_diffusivity` = D over the share of empty sites, and `n_jumps`.
    Raises NotEnoughData for fewer than two windows. Source: reference/science.md B8, A3 rows 34, 56.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.sites import site_occupation
    >>> walk = synthetic.vacancy_hopper(lattice="sc", cells=4, n_frames=4000, jumps_per_frame=1)
    >>> 0.5 < jump_diffusivity(site_occupation(walk, repeat=(4, 4, 4), reference="none")).correlation_factor.item() < 0.8
    True
    """
    data = site_occupation
    if data.sizes.get("window", 1) < 2:
        raise NotEnoughData("jump_diffusivity learns its errors from two windows or more: measure with windows=8")
    rows = [_of_species(data, str(name)) for name in data.species.values]
    out: dict[str, Any] = {
        **carried(data),
        "species": data.species.values,
        "n_jumps": ("species", data.jump_count.sum(("window", "ion_block")).values.astype(int)),
        **{name: ("species", np.array([row[name] for row in rows])) for name in NAMES},
    }
    return schema.dataset(out, reduced=is_reduced(data))


def _of_species(data: xr.Dataset, name: str) -> dict[str, float]:
    one = data.sel(species=name)
    counts = one.jump_count.transpose("window", "ion_block").values
    n, spread = float(counts.sum()), dispersion(counts)
    exposure = float(one.n_ions) * float(data.observed_time)
    few, many = count_interval(n, spread)
    chosen = np.flatnonzero(data.jump_species.values == name)
    vectors = data.jump_vector.transpose("jump", "xyz").values[chosen]
    ions = data.jump_ion.values[chosen]
    square = float(np.mean(np.sum(vectors**2, axis=1))) if n else np.nan
    time, length = data.jump_time.values[chosen], float(data.observed_time)
    factor, error = _correlation(vectors, ions, time, length, memory=min(MEMORY * exposure / max(n, 1.0), length / 4))
    free = square * n / exposure / 6
    value = factor * free
    value_error = free * np.hypot(error, factor * np.sqrt(spread / n)) if n else np.nan
    empty, empty_error = _mean(one.empty_sites.values)
    core, core_error = _two_way(one.core_fraction.transpose("window", "ion_block").values)
    stoichiometric = max(0.0, 1 - float(one.n_ions) / float(one.n_sites))
    return {
        "residence_time": exposure / n if n else np.nan,
        "residence_time_lower": exposure / many,
        "residence_time_upper": exposure / few if few > 0 else np.nan,
        "jump_length": np.sqrt(square),
        "correlation_factor": factor,
        "correlation_factor_stderr": error,
        "back_jump_fraction": _undone(vectors, ions),
        "jump_diffusivity": value,
        "jump_diffusivity_stderr": value_error,
        "jump_diffusivity_uncorrelated": free,
        "excess_defects": empty - stoichiometric,
        "excess_defects_stderr": empty_error,
        "core_fraction": core,
        "core_fraction_stderr": core_error,
        "defect_diffusivity": value / empty if empty > 0 else np.nan,
    }


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean over windows and its standard error, widened to one of many degrees of freedom."""
    return float(values.mean()), float(np.std(values, ddof=1) / np.sqrt(len(values)) * lengthened(len(values) - 1))


def _two_way(values: np.ndarray) -> tuple[float, float]:
    """Mean over (window, ion block) and the larger standard error of the two margins."""
    errors = [_mean(values.mean(axis=axis))[1] for axis in (0, 1) if values.shape[1 - axis] > 1]
    return float(values.mean()), max(errors)


def _in_turn(ions: np.ndarray) -> np.ndarray:
    """Order in which the jumps of an ion follow one another: jumps are in the order of time, and stay so within an ion."""
    return np.argsort(ions, kind="stable")


def _undone(vectors: np.ndarray, ions: np.ndarray) -> float:
    """Share of the jumps that follow one of the same ion which undo it."""
    order = _in_turn(ions)
    vectors, ions = vectors[order], ions[order]
    same = ions[1:] == ions[:-1]
    undone = np.sum((vectors[1:] + vectors[:-1]) ** 2, axis=1) < 0.1 * np.sum(vectors[:-1] ** 2, axis=1)
    return float(undone[same].mean()) if same.any() else np.nan


def _correlation(vectors: np.ndarray, ions: np.ndarray, time: np.ndarray, length: float, *, memory: float) -> tuple[float, float]:
    """Correlation factor and its standard error; NaN of too few jumps."""
    if len(ions) < FEWEST:
        return np.nan, np.nan
    order = _in_turn(ions)
    vectors, ions, time = vectors[order], ions[order], time[order]
    labels, ion = np.unique(ions, return_inverse=True)
    groups = min(GROUPS, len(labels))
    group = ion * groups // len(labels)
    squares = np.bincount(group, weights=np.sum(vectors**2, axis=1), minlength=groups)
    products = np.zeros(groups)
    for m in range(1, len(ions)):
        apart = time[m:] - time[:-m]
        near = (ion[m:] == ion[:-m]) & (apart < memory)
        if not near.any():
            break
        product = np.sum(vectors[m:] * vectors[:-m], axis=1)[near] / (1 - apart[near] / length)
        products += np.bincount(group[:-m][near], weights=product, minlength=groups)
    if groups < 2:
        return np.nan, np.nan
    each = np.array([1 + 2 * np.delete(products, k).sum() / np.delete(squares, k).sum() for k in range(groups)])
    error = np.sqrt((groups - 1) / groups * np.sum((each - each.mean()) ** 2)) * lengthened(groups - 1)
    return float(1 + 2 * products.sum() / squares.sum()), float(error)
