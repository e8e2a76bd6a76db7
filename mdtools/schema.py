"""The only place that builds a Dataset.

A Dataset is built by `dataset`, which writes the unit and the meaning on every variable from `vocabulary` and
refuses a name that is not in it; a public function that returns one is marked `recorded`, which adds one step
(name, every option, versions) to the history that the Dataset carries from the file to the verdict.
"""

import functools
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec

import numpy as np
import xarray as xr

from mdtools import __version__
from mdtools.vocabulary import DIMENSIONS, QUANTITIES

__all__ = ["DIMENSIONS", "QUANTITIES", "dataset", "history", "recorded", "to_netcdf", "unit_of"]

_P = ParamSpec("_P")


def unit_of(name: str) -> str:
    """Unit of a quantity, of a dimension, or of its `_stderr`; KeyError for a word that is not in the vocabulary."""
    base = name.removesuffix("_stderr")
    return (QUANTITIES.get(name) or QUANTITIES.get(base) or DIMENSIONS[base])[0]


def _meaning(name: str) -> str:
    base = name if name in QUANTITIES else name.removesuffix("_stderr")
    meaning = (QUANTITIES.get(base) or DIMENSIONS[base])[1]
    return meaning if base == name else f"one standard error of {base}"


def dataset(variables: Mapping[str, Any], *, reduced: bool = False) -> xr.Dataset:
    """A Dataset of `variables` (name -> value, or (dims, values)) with unit and meaning written on each.

    Names are words of the vocabulary; a name that is a dimension becomes its coordinate. All data become NumPy.
    `reduced=True` writes the unit "1" on everything: a run in `lj` units is dimensionless, and says so.
    Raises KeyError for a name that is not in the vocabulary.
    """
    data: dict[str, xr.Variable] = {}
    for name, value in variables.items():
        unit = unit_of(name)
        dims, values = value if isinstance(value, tuple) else ((name,) if name in DIMENSIONS and np.ndim(value) else (), value)
        attrs = {"long_name": _meaning(name)}
        if unit:
            attrs["units"] = "1" if reduced else unit
        data[name] = xr.Variable(dims, np.asarray(values), attrs)
    along = {k: v for k, v in data.items() if k in DIMENSIONS and v.dims == (k,)}
    out = xr.Dataset({k: v for k, v in data.items() if k not in along}, coords=along)
    out.attrs["unit_system"] = "lj" if reduced else "angstrom, ps, amu, e, K, eV"
    return out


def history(source: Any) -> list[dict[str, Any]]:
    """The steps that made a Dataset (or a Trajectory), first to last, each with every setting.

    >>> history(dataset({"n_frames": 3}))
    []
    """
    steps = source.attrs.get("history", "[]") if isinstance(source, xr.Dataset) else getattr(source, "history", ())
    return json.loads(steps) if isinstance(steps, str) else list(steps)


def merged_history(sources: Iterable[Any]) -> list[dict[str, Any]]:
    """Histories of several inputs in order, each step once."""
    steps: list[dict[str, Any]] = []
    for source in sources:
        steps += [step for step in history(source) if step not in steps]
    return steps


def _plain(value: Any) -> Any:
    """A setting as JSON can keep it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _has_history(value: Any) -> bool:
    return isinstance(value, xr.Dataset) or hasattr(value, "history")


def recorded(function: Callable[_P, xr.Dataset]) -> Callable[_P, xr.Dataset]:
    """Mark a public stage: what it returns carries the history of its inputs and this step with every option."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> xr.Dataset:
        out = function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        inputs = [v for v in bound.arguments.values() if _has_history(v)]
        inputs += [m for v in bound.arguments.values() if isinstance(v, (list, tuple)) for m in v if _has_history(m)]
        options = {
            name: _plain(value)
            for name, value in bound.arguments.items()
            if not _has_history(value) and not (isinstance(value, (list, tuple)) and any(map(_has_history, value)))
        }
        # a function may add what it found out (the reference it took, frames left over) under "resolved"
        resolved = json.loads(out.attrs.pop("resolved", "{}"))
        measured = any(hasattr(value, "scaled_positions") for value in bound.arguments.values())
        arithmetic = {"arithmetic": "float64"} if measured else {}  # of a kernel, unless it says another
        step = {"step": function.__name__, **options, **arithmetic, **resolved, "mdtools": __version__}
        out.attrs["history"] = json.dumps([*merged_history(inputs), step])
        return out

    return wrapper


def resolved(out: xr.Dataset, **settings: Any) -> xr.Dataset:
    """Note settings that were found out on the way (not given), for `recorded` to write into the history."""
    before = json.loads(out.attrs.get("resolved", "{}"))
    out.attrs["resolved"] = json.dumps({**before, **{k: _plain(v) for k, v in settings.items()}})
    return out


def to_netcdf(data: xr.Dataset, path: Any) -> None:
    """Write a Dataset beside its place and rename, so that a killed job leaves no half file."""
    from pathlib import Path

    path = Path(path)
    beside = path.with_name(f".{path.name}.part")
    data.to_netcdf(beside, engine="h5netcdf")
    beside.replace(path)
