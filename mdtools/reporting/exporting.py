"""Results as plain files for other programs: tables with a row of units, or JSON with everything."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mdtools import chain, schema
from mdtools.errors import TrajectoryError
from mdtools.reporting.tables import CARRIED

__all__ = ["export"]

# dimensions (and names) of the terms that estimates and errors are made of: of no use in a table, but in the way
TERMS = {"self_diffusivity_correlation", "block", "block_lag", "ion", "ion_block", "reflection", "part"}


def export(source: Any, *, out: str | Path, everything: bool = False) -> list[Path]:
    """Write results as tables (NAME.csv) or as one JSON file (NAME.json).

    source : Datasets of mdtools (one, a list), or saved .nc files.
    out : NAME.csv or NAME.json.
    everything : also what every result carries along (number of ions, volume ...) and the terms of its error bars, and each window.

    A CSV file has names in its first row and units in its second. A result is a file for each set of axes that its numbers
    have (NAME.run.result.lag.csv; plain NAME.csv where there is one in all); labels such as species are columns beside an axis,
    rows without one. Numbers of several windows are their mean, with the standard error from their spread as NAME_stderr. JSON
    holds every number, coordinate, unit, meaning and the history; what is not a number is null.
    Files are written beside their place and renamed. Returns their paths.
    Raises TrajectoryError for another suffix, or for what mdtools did not make.

    >>> import tempfile
    >>> from mdtools import msd, self_diffusivity, synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (written,) = export(self_diffusivity(msd(synthetic.brownian(n_atoms=16, n_frames=60))), out=f"{folder}/d.csv")
    ...     [row.split(",")[:2] for row in written.read_text().splitlines()][:2]
    [['species', 'self_diffusivity'], ['', 'angstrom^2/ps']]
    """
    path = Path(out)
    kind = path.suffix.lower()
    if kind not in (".csv", ".json"):
        raise TrajectoryError(f"results are exported as NAME.csv or NAME.json, not as {path.name}: pass out=... with such a name (--out)")
    runs = chain.chains_of(source)
    results = [(run.name if len(runs) > 1 else "", result, data) for run in runs for result, data in run.made.items()]
    results += [("", result, data) for result, data in runs.made.items()]
    if kind == ".json":
        return [_written(path, json.dumps([_as_json(*one) for one in results], indent=1, allow_nan=False, ensure_ascii=False))]
    tables = [(run, result, axes, rows) for run, result, data in results for axes, rows in _tables(data, everything=everything)]
    out_paths = []
    for run, result, axes, rows in tables:
        several = [word for word in (run, result if len(results) > 1 else "", axes) if word]
        name = path.name if len(tables) == 1 else f"{path.stem}.{'.'.join(several) or result}.csv"
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        out_paths.append(_written(path.with_name(name.replace("/", "_")), text.getvalue()))
    return out_paths


def _written(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return path


def _as_json(run: str, result: str, data: xr.Dataset) -> dict[str, Any]:
    def one(name: str) -> dict[str, Any]:
        value = data[name]
        return {
            "dims": list(map(str, value.dims)),
            "units": value.attrs.get("units", ""),
            "meaning": value.attrs.get("long_name", ""),
            "values": _finite(value.values.tolist()),
        }

    return {
        "run": run,
        "result": result,
        "coordinates": {str(name): one(str(name)) for name in data.coords},
        "quantities": {str(name): one(str(name)) for name in data.data_vars},
        "history": schema.history(data),
    }


def _finite(value: Any) -> Any:
    """What JSON can hold: no NaN and no infinity."""
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _tables(data: xr.Dataset, *, everything: bool) -> Iterator[tuple[str, list[list[str]]]]:
    """Tables of a result: (its axes, rows with names and units first)."""
    by_axes: dict[tuple[str, ...], dict[str, xr.DataArray]] = {}
    for name, one in _columns(data, everything=everything):
        by_axes.setdefault(_rows_of(one), {})[name] = one
    for axes, columns in by_axes.items():
        yield "-".join(axes), _table(axes, columns)


def _columns(data: xr.Dataset, *, everything: bool) -> Iterator[tuple[str, xr.DataArray]]:
    for name in map(str, data.data_vars):
        one = data[name]
        if not everything and (name in CARRIED or TERMS & {name, *one.dims}):
            continue
        if "window" not in one.dims or everything:
            yield name, one
            continue
        yield name, one.mean("window", keep_attrs=True)
        n = one.sizes["window"]
        if n > 1 and one.dtype.kind == "f" and f"{name}_stderr" not in data:
            yield f"{name}_stderr", (one.std("window", ddof=1) / np.sqrt(n)).assign_attrs(one.attrs)


def _rows_of(one: xr.DataArray) -> tuple[str, ...]:
    """Dimensions that are rows: numbered axes where there are any (labels are columns then), else the labels."""
    labels = [str(dim) for dim in one.dims if dim in one.coords and one[dim].dtype.kind in "UOT"]
    return tuple(str(dim) for dim in one.dims if dim not in labels) or tuple(labels)


def _table(axes: tuple[str, ...], columns: dict[str, xr.DataArray]) -> list[list[str]]:
    first = next(iter(columns.values()))
    sizes = [first.sizes[axis] for axis in axes]
    names, units, values = [], [], []
    for axis, index in zip(axes, np.indices(sizes).reshape(len(axes), -1) if axes else (), strict=True):
        there = axis in first.coords
        names.append(axis)
        units.append(str(first[axis].attrs.get("units", "")) if there else "")
        values.append(first[axis].values[index] if there else index)
    for name, one in columns.items():
        across = [dim for dim in one.dims if dim not in axes]
        for at in np.ndindex(*(one.sizes[dim] for dim in across)):
            where = dict(zip(across, at, strict=True))
            names.append(" ".join([name, *(str(one[dim].values[k]) for dim, k in where.items())]))
            units.append(str(one.attrs.get("units", "")))
            values.append(np.atleast_1d(one.isel(where).transpose(*axes).values).reshape(-1))
    return [names, units, *([_text(value) for value in row] for row in zip(*values, strict=True))]


def _text(value: Any) -> str:
    """A number with every digit that it has; nothing for one that is not known."""
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else repr(float(value)) if not isinstance(value, np.float32) else str(value)
    return str(value)
