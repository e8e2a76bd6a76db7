"""What every estimate does with the Dataset that it is given: which numbers go on, which lags are frames, which refusals."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.units import BOLTZMANN

__all__ = [
    "KNOWN",
    "STILL",
    "by_ion_of",
    "carried",
    "frame_of_reference",
    "is_cubic",
    "is_reduced",
    "lag_frames",
    "need_blocks",
    "need_every_origin",
    "need_every_window",
    "need_same_run",
    "run_length",
    "temperature_of",
    "thermal_energy_in_ev",
    "three_jumps",
    "top_share",
    "with_species",
]

KNOWN = ("diffusive", "subdiffusive")  # regimes in which D has a value
STILL = 1e-16  # of the squared size of the cell: what rounding leaves of atoms that are held fixed
CUBIC = 5e-3  # relative difference of edges, and cosine of angles, up to which a mean cell is cubic
SAME = 1e-3  # relative difference of volumes, temperatures and charges of one run: mean volumes over other frames of it are never equal
CARRIED = ("n_frames", "n_atoms", "n_ions", "volume", "stated_temperature", "stated_pressure", "frame_interval", "mass", "charge")


def carried(data: xr.Dataset) -> dict[str, Any]:
    """The variables that later stages need, as `schema.dataset` takes them."""
    return {name: (data[name].dims, data[name].values) for name in CARRIED if name in data}


def is_reduced(data: xr.Dataset) -> bool:
    return bool(data.attrs.get("unit_system") == "lj")


def is_cubic(cell: np.ndarray) -> bool:
    """Whether the edges of a cell (3, 3), rows its vectors, are equal and at right angles, within half a percent.

    >>> is_cubic(np.diag([5.0, 5.01, 5.0])), is_cubic(np.diag([5.0, 5.1, 5.0]))
    (True, False)
    """
    edges = np.linalg.norm(cell, axis=1)
    cosines = (cell @ cell.T) / np.outer(edges, edges) - np.eye(3)
    return bool(np.ptp(edges) < CUBIC * edges.mean() and np.abs(cosines).max() < CUBIC)


def frame_of_reference(data: xr.Dataset) -> str:
    """The frame of the last measurement, in words: species, "barycentre", "none", or "unknown" where no history says it."""
    taken = [step["reference"] for step in schema.history(data) if step.get("reference") is not None]
    if not taken:
        return "unknown"
    return taken[-1] if isinstance(taken[-1], str) else ", ".join(map(str, taken[-1]))


def lag_frames(data: xr.Dataset, *, who: str) -> np.ndarray:
    """Lags in whole frames. Raises TrajectoryError for frames that are unevenly spaced."""
    if "frame_interval" not in data:
        raise TrajectoryError(
            f"{who} needs evenly spaced frames, and this measurement comes from uneven ones: read an even part with begin=, end= or stride="
        )
    return np.rint(data["lag"].values / float(data["frame_interval"])).astype(np.int64)


def need_every_origin(data: xr.Dataset, *, who: str) -> None:
    """Raise NotEnoughData if the measurement left out time origins: its covariance is that of all of them."""
    taken = [step["origins"] for step in schema.history(data) if step.get("step") == "msd" and "origins" in step]
    if taken and taken[-1] not in ("all", 1):
        raise NotEnoughData(f'{who} needs the mean over all time origins, and this msd has origins={taken[-1]!r}: measure it with origins="all"')


def need_every_window(data: xr.Dataset, *, who: str) -> None:
    """Raise TrajectoryError if windows were selected or averaged: the length of one, and with it every error, would be taken wrongly."""
    whole = "window" in data.dims
    if whole and "n_origins" in data and "frame_interval" in data:
        length = int(data["n_origins"].isel(window=0, lag=-1)) + int(lag_frames(data, who=who)[-1])
        whole = length == int(data["n_frames"]) // data.sizes["window"]
    if not whole:
        raise TrajectoryError(
            f"{who} needs every window of the measurement, and some were selected, or all averaged: pass the msd as it was measured, "
            "or measure a part of the run, read with begin= and end="
        )


def need_same_run(first: xr.Dataset, second: xr.Dataset, *, names: tuple[str, str], who: str, compared: tuple[str, ...] = ("volume",)) -> None:
    """Raise TrajectoryError where ions by species differ, or one of the numbers `compared` that both have (volume, temperature, charges)."""
    ions, charges = ([_by_species(one, name) for one in (first, second)] for name in ("n_ions", "charge"))
    differ = ions[0] != ions[1]
    if "charge" in compared and all(charges) and not differ:
        differ = any(abs(charges[0][name] - charges[1][name]) > SAME * abs(charges[0][name]) for name in charges[0])
    for name in ("volume", "stated_temperature"):
        if name in compared and name in first and name in second:
            a, b = float(first[name]), float(second[name])
            differ = differ or abs(a - b) > SAME * abs(a)  # not so for NaN
    if differ:
        both = (_told(one, compared) for one in (first, second))
        told = " and ".join(f"{name} ({words})" for name, words in zip(names, both, strict=True))
        raise TrajectoryError(f"{who}: {told} are of different runs; give both of one run")


def _by_species(data: xr.Dataset, name: str) -> dict[str, float]:
    return dict(zip(np.atleast_1d(data["species"].values).tolist(), np.atleast_1d(data[name].values).tolist(), strict=True)) if name in data else {}


def _told(data: xr.Dataset, compared: tuple[str, ...]) -> str:
    """Ions, their charges, volume and temperature in words, as far as they are compared."""
    charges = _by_species(data, "charge") if "charge" in compared else {}
    words = [f"{n:g} {name}" + (f" of {charges[name]:+g} e" if name in charges else "") for name, n in _by_species(data, "n_ions").items()]
    words += [f"volume {float(data['volume']):g}"] if "volume" in data else []
    words += [f"{float(data['stated_temperature']):g} K"] if "stated_temperature" in compared and "stated_temperature" in data else []
    return ", ".join(words)


def with_species(data: xr.Dataset, names: tuple[str, ...]) -> xr.Dataset:
    """The measurement with its species dimension, also where one species was selected."""
    return data if "species" in data.dims else data.assign({name: data[name].expand_dims("species") for name in names if name in data})


def need_blocks(data: xr.Dataset, name: str, *, who: str, how: str = "measure the msd again with this version") -> None:
    if name not in data:
        raise NotEnoughData(f"{who} needs {name}, from which it learns how far ions move together: {how}")


def by_ion_of(msd: xr.Dataset) -> np.ndarray | None:
    """(species, ion, block_lag) squared displacement of each ion of species with as many ions; None where a measurement has not kept it."""
    if "ion_msd" not in msd:
        return None
    each = [msd["ion_msd"].transpose("ion", "block_lag").values[msd["ion_species"].values == name] for name in msd["species"].values]
    return np.stack(each)


def top_share(msd: xr.Dataset) -> np.ndarray:
    """Share of the displacement over the longest blocks that the top tenth of the ions of each species carries; NaN where it is not known."""
    if "ion_msd" not in msd:
        return np.full(msd.sizes["species"], np.nan)
    longest = msd["ion_msd"].isel(block_lag=-1).values
    each = (np.sort(longest[msd["ion_species"].values == name]) for name in msd["species"].values)
    return np.array([one[-max(1, len(one) // 10) :].sum() / one.sum() if one.sum() > 0 else np.nan for one in each])


def run_length(data: xr.Dataset) -> float:
    """ps."""
    return int(data["n_frames"]) * float(data["frame_interval"])


def temperature_of(data: xr.Dataset, temperature: float | None, *, who: str) -> float:
    """The temperature in K that is given, else the stated one. Raises TrajectoryError where there is none."""
    found = float(data["stated_temperature"]) if "stated_temperature" in data else np.nan
    value = found if temperature is None else float(temperature)
    if not value > 0:
        raise TrajectoryError(f"{who} needs a stated temperature, and this measurement has none: pass temperature=... in K, or --temperature ...")
    return value


def thermal_energy_in_ev(temperature: float, *, reduced: bool) -> float:
    """k_B T in eV, or in epsilon."""
    return temperature if reduced else BOLTZMANN * temperature


def three_jumps(data: xr.Dataset) -> np.ndarray:
    """3 l^2 / (6 N t_run) of each species: the D of three jumps in the run, l = (V / N)^(1/3) the distance between like ions.

    A run without a jump excludes a rate of three per run at 95 % (exp(-3) = 0.05) and no less: no bound on D is sharper,
    however flat the mean squared displacement.
    """
    ions = np.atleast_1d(data["n_ions"].values)
    length = np.cbrt(float(data["volume"]) / ions)
    return 3 * length**2 / (6 * ions * run_length(data))
