"""Datasets as short tables: one row a number, value and error rounded, with the unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting.numbers import plain, with_error

__all__ = ["Row", "outline", "rows"]

# what every measurement carries along; shown by `info`, not beside a result
CARRIED = {"frame_interval", "n_frames", "n_ions", "n_atoms", "volume", "stated_temperature", "stated_pressure", "mass", "charge"}
LONGEST = 60  # numbers of one variable that are still listed one by one


@dataclass(frozen=True)
class Row:
    """One number: what it is, of what (species, state ...), its value with error as text, and its unit."""

    quantity: str
    of: str
    value: str
    unit: str


def rows(data: xr.Dataset) -> list[Row]:
    """Every scalar, and every number over labels such as species and state; curves are left to `outline`.

    >>> from mdtools import schema
    >>> rows(schema.dataset({"haven_ratio": 0.5, "haven_ratio_stderr": 0.03}))
    [Row(quantity='haven_ratio', of='', value='0.500 ± 0.030', unit='1')]
    """
    out = []
    for name in map(str, data.data_vars):
        if name.endswith("_stderr") or name in CARRIED or not _is_listed(data[name]):
            continue
        unit = data[name].attrs.get("units", "")
        error = data.get(f"{name}_stderr")
        for at, of in _labels(data[name]):
            value = data[name].values[at]
            out.append(Row(name, of, _text(value, None if error is None else error.broadcast_like(data[name]).values[at]), unit))
    return out


def outline(data: xr.Dataset) -> list[Row]:
    """The curves of a Dataset: their shape in words, the range of their values, the unit."""
    out = []
    for name in map(str, data.data_vars):
        one = data[name]
        if name in CARRIED or _is_listed(one) or one.dtype.kind not in "fiu":
            continue
        finite = one.values[np.isfinite(one.values)]
        extent = f"{plain(finite.min())} to {plain(finite.max())}" if finite.size else "empty"
        out.append(Row(name, " x ".join(f"{size} {dim}" for dim, size in one.sizes.items()), extent, one.attrs.get("units", "")))
    return out


def _is_listed(one: xr.DataArray) -> bool:
    labelled = all(dim in one.coords and one[dim].dtype.kind in "UOT" for dim in one.dims)
    return one.size <= LONGEST and (labelled or one.ndim == 0)


def _labels(one: xr.DataArray) -> Iterator[tuple[tuple[int, ...], str]]:
    for at in np.ndindex(one.shape):
        yield at, ", ".join(str(one[dim].values[k]) for dim, k in zip(one.dims, at, strict=True))


def _text(value: Any, error: Any) -> str:
    if isinstance(value, (str, bytes)) or np.asarray(value).dtype.kind in "UOTb":
        return str(value)
    if error is not None and np.isfinite(error):
        return with_error(float(value), float(error))
    return plain(float(value))
