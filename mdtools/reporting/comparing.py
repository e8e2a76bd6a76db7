"""Two sets of results beside each other: what differs, by how many standard errors, and which settings."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from mdtools import chain, schema
from mdtools.errors import TrajectoryError
from mdtools.reporting.tables import CARRIED

__all__ = ["compare"]


def compare(first: Any, second: Any) -> xr.Dataset:
    """Every number that two results have in common: difference, and z = (first - second) / sqrt(stderr_1^2 + stderr_2^2).

    first, second : Datasets of mdtools (one, a list), or saved .nc files; runs and results are matched by name, one run with one run.

    Numbers by label are compared one by one; a curve by its point of largest |z| (errors from the spread over windows; without them
    of largest difference). Results made from the same run have no z: what they differ by is the settings, not chance.
    Dataset (check): first, second, difference, difference_stderr, z_score, unit; attribute `settings_that_differ`: JSON rows of
    step, setting, first, second, from the two histories.
    Raises TrajectoryError where nothing is common to both.

    >>> from mdtools import msd, self_diffusivity, synthetic
    >>> walks = [self_diffusivity(msd(synthetic.brownian(n_atoms=16, n_frames=99, seed=k))) for k in (1, 2)]
    >>> found = compare(*walks)
    >>> bool(abs(found.z_score.sel(check="self_diffusivity of A")) < 4)
    True
    """
    rows = []
    for name, one, other in _common(first, second):
        rows += [(f"{name}: {what}" if name else what, *numbers) for what, *numbers in _numbers(one, other, same=_of_one_run(one, other))]
    if not rows:
        raise TrajectoryError("the two hold no number that is in both: give results of the same kind, of the same species")
    names, values, others, errors, units = zip(*rows, strict=True)
    difference = np.subtract(values, others)
    error = np.asarray(errors, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, difference / error, np.nan)
    out = schema.dataset(
        {
            "check": np.asarray(names, dtype=object),
            "first": ("check", np.asarray(values)),
            "second": ("check", np.asarray(others)),
            "difference": ("check", difference),
            "difference_stderr": ("check", error),
            "z_score": ("check", z),
            "unit": ("check", np.asarray(units, dtype=object)),
        }
    )
    out.attrs["settings_that_differ"] = json.dumps(_settings(first, second))
    return out


def _of_one_run(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Whether two results are of the same ions at the same time: of files of one name, at one temperature and volume."""
    first, second = (next(iter(schema.history(data)), {}) for data in (one, other))
    keys = [key for key in ("source", "model", "checksum") if key in first or key in second]
    carried = [key for key in ("stated_temperature", "volume") if key in one or key in other]
    alike = all(key in one and key in other and np.allclose(one[key], other[key], rtol=1e-9, equal_nan=True) for key in carried)
    return bool(keys) and all(first.get(key) == second.get(key) for key in keys) and alike


def _settings(first: Any, second: Any) -> list[tuple[str, str, str, str]]:
    """(step, setting, first, second) of every setting in which the histories of two results differ, reading included."""
    found: dict[tuple[str, str, str, str], None] = {}
    for _, one, other in _common(first, second):
        left, right = ({step["step"]: step for step in schema.history(data)} for data in (one, other))
        for step in dict.fromkeys([*left, *right]):
            a, b = left.get(step), right.get(step)
            if a is None or b is None:
                found[(step, "", "made" if a else "not made", "made" if b else "not made")] = None
                continue
            for key in dict.fromkeys([*a, *b]):
                if a.get(key) != b.get(key):
                    found[(step, key, str(a.get(key, "-")), str(b.get(key, "-")))] = None
    return list(found)


def _common(first: Any, second: Any) -> Iterator[tuple[str, xr.Dataset, xr.Dataset]]:
    """Results that both have: ("run, result" or what of it tells them apart, of the first, of the second)."""
    left, right = chain.chains_of(first), chain.chains_of(second)
    named = {run.name: run for run in right}
    alone = len(left) == len(right) == 1
    for run in left:
        other = right.members[0] if alone else named.get(run.name)
        for result, data in run.made.items():
            if other is not None and result in other.made:
                words = [] if alone else [run.name]
                yield ", ".join([*words, *([result] if len(run.made) > 1 else [])]), data, other.made[result]
    for result, data in left.made.items():
        if result in right.made:
            yield result, data, right.made[result]


def _numbers(one: xr.Dataset, other: xr.Dataset, *, same: bool) -> Iterator[tuple[str, float, float, float, str]]:
    """(what, first, second, error of the difference, unit) of every quantity that both have."""
    for name in map(str, one.data_vars):
        if name in CARRIED or name not in other or name.endswith(("_stderr", "_lower", "_upper", "_68", "_covariance", "_correlation")):
            continue
        if one[name].dtype.kind not in "fiu" or one[name].attrs.get("units") != other[name].attrs.get("units"):
            continue
        values, others = (_mean(data, name) for data in (one, other))
        try:
            (a, ea), (b, eb) = values, others
            a, ea, b, eb = xr.align(a, ea, b, eb, join="inner")
        except ValueError:  # axes without coordinates, of different lengths
            continue
        if not a.size:
            continue
        combined = (ea**2 + eb**2) ** 0.5 * (np.nan if same else 1.0)
        unit = str(one[name].attrs.get("units", ""))
        for label, at in _places(a, b, combined):
            x, y, e = (float(part.values[at]) for part in (a, b, combined))
            if np.isfinite(x) and np.isfinite(y):
                yield f"{name}{label}", x, y, e, unit


def _mean(data: xr.Dataset, name: str) -> tuple[xr.DataArray, xr.DataArray]:
    """A quantity and its standard error: its own, or from the spread over windows, or NaN."""
    value = data[name].astype(np.float64)
    if f"{name}_stderr" in data:
        error = data[f"{name}_stderr"].broadcast_like(value)
    elif value.sizes.get("window", 1) > 1:
        error = value.std("window", ddof=1) / np.sqrt(value.sizes["window"])
    else:
        error = (value.mean("window") if "window" in value.dims else value) * np.nan
    return (value.mean("window") if "window" in value.dims else value), (error.mean("window") if "window" in error.dims else error)


def _places(a: xr.DataArray, b: xr.DataArray, error: xr.DataArray) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Where two quantities are compared: every label, and along axes the place of the largest difference."""
    labels = [dim for dim in a.dims if dim in a.coords and a[dim].dtype.kind in "UOT"]
    axes = [dim for dim in a.dims if dim not in labels]
    far = abs(a - b).values
    if np.isfinite(error.values).any():
        with np.errstate(divide="ignore", invalid="ignore"):
            far = far / error.values
    far = np.where(np.isfinite(far), far, -1.0)
    for at in np.ndindex(*(a.sizes[dim] for dim in labels)):
        fixed = dict(zip(labels, at, strict=True))
        where: tuple[Any, ...] = tuple(fixed.get(dim, slice(None)) for dim in a.dims)
        rest = np.unravel_index(int(np.argmax(far[where])), far[where].shape) if axes else ()
        along = dict(zip(axes, map(int, rest), strict=True))
        words = [str(a[dim].values[k]) for dim, k in fixed.items()]
        words += [f"{dim} {float(a[dim].values[k]):.4g}" if dim in a.coords else f"{dim} {k}" for dim, k in along.items()]
        label = (" of " + ", ".join(words[: len(fixed)]) if fixed else "") + (" at most, at " + ", ".join(words[len(fixed) :]) if along else "")
        yield label, tuple({**fixed, **along}[dim] for dim in a.dims)
