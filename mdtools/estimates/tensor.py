"""The tensor of self-diffusion, its principal axes, and along how many of them ions diffuse."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.estimates.common import (
    KNOWN,
    STILL,
    by_ion_of,
    carried,
    is_reduced,
    lag_frames,
    need_blocks,
    need_every_origin,
    need_every_window,
    three_jumps,
    with_species,
)
from mdtools.statistics.covariance import walk_covariance
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.least_squares import fit_line
from mdtools.statistics.tensor import dimensionality, isotropy, principal

__all__ = ["self_diffusivity_tensor"]

BY_SPECIES = ("msd", "msd_by_axis", "msd_tensor", "block_msd_tensor", "n_ions", "mass", "charge")
ROUNDING = 1e-12  # of the largest: what is left along an axis without motion when the tensor is turned
HOW = "measure the msd with tensor=True (--tensor)"


@schema.recorded
def self_diffusivity_tensor(msd: xr.Dataset) -> xr.Dataset:
    """Self-diffusion tensor of each species, its principal values and axes, and whether ions diffuse along one, two or three of them.

    <dr_a dr_b>(t) = c_ab + 2 D_ab t, by least squares over the lags of `self_diffusivity`, with one weight for all elements. The values along the
    principal axes are then estimated each by itself, as `self_diffusivity` does, with its interval or, where nothing moves, its bound.

    msd : measured with tensor=True.
    Returns `self_diffusivity_tensor` (species, xyz, xyz2) with _stderr; `principal_diffusivity` (species, principal), the fastest first, with
    _stderr, and _lower, _upper of 95 %, all less the shift by which measured eigenvalues repel each other; `principal_axis`
    (species, principal, xyz); `isotropy` (below 0.01: the axes differ); `dimensionality`: an axis counts where its lower end is above 0, and
    does not where its upper end is below a tenth of the lower end of the fastest; else "undecided", as of a species that does not
    diffuse. Where it is caged, values are NaN and upper ends are bounds, not below that of three jumps along the axis.
    Raises NotEnoughData (no tensor, fewer than 8 usable lags, origins left out), TrajectoryError (uneven frames).
    Source: reference/transport.md 2.6; T. W. Anderson, Ann. Math. Stat. 34, 122 (1963) for the repulsion.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.displacement import msd
    >>> walk = synthetic.brownian(n_atoms=64, n_frames=1000, diffusivity=0.5, seed=1)
    >>> found = self_diffusivity_tensor(msd(walk, reference="none", tensor=True))
    >>> found.dimensionality.values.tolist(), bool((found.isotropy > 0.01).all())
    (['3-D', '3-D'], True)
    """
    who = "self_diffusivity_tensor"
    need_every_origin(msd, who=who)
    need_every_window(msd, who=who)
    frames = lag_frames(msd, who=who)
    for name in ("msd_tensor", "block_msd_tensor"):
        need_blocks(msd, name, who=who, how=HOW)
    msd = with_species(msd, BY_SPECIES)
    found = [_one(msd.isel(species=[k]), frames) for k in range(msd.sizes["species"])]
    dims = {
        "self_diffusivity_tensor": ("species", "xyz", "xyz2"),
        "self_diffusivity_tensor_stderr": ("species", "xyz", "xyz2"),
        "principal_axis": ("species", "principal", "xyz"),
        "isotropy": ("species",),
        "dimensionality": ("species",),
    }
    columns = {name: (dims.get(name, ("species", "principal")), np.stack([one[name] for one in found])) for name in found[0]}
    axes = {"species": msd["species"].values, "xyz": ["x", "y", "z"], "xyz2": ["x", "y", "z"], "principal": ["fastest", "middle", "slowest"]}
    return schema.dataset({**axes, **carried(msd), **columns}, reduced=is_reduced(msd))


def _one(msd: xr.Dataset, frames: np.ndarray) -> dict[str, Any]:
    """All variables of one species (a measurement of that alone)."""
    ions = by_ion_of(msd)
    by_ion = None if ions is None else ions[0]
    msd = msd.isel(species=0)
    measured = msd["msd_tensor"].transpose("window", "xyz", "xyz2", "lag").values
    blocks = msd["block_msd_tensor"].transpose("xyz", "xyz2", "block_lag", "block").values
    interval, windows = float(msd["frame_interval"]), len(measured)
    settings: dict[str, Any] = {"n_frames": int(msd["n_frames"]) // windows, "n_ions": int(msd["n_ions"]), "windows": windows}
    lengths = np.rint(msd["block_lag"].values / interval)
    mean = measured.mean(axis=0)
    number = np.arange(3)
    still = STILL * float(msd["volume"]) ** (2 / 3)
    if mean[number, number].max() <= still:
        return _none(np.eye(3), np.zeros(3))
    whole = diffusion(frames, mean[number, number], blocks=(blocks[number, number], lengths), by_ion=by_ion, **settings)
    slopes = _slopes(frames, mean, whole, settings["n_frames"])
    relative = (whole.stderr / whole.slope) ** 2 * np.trace(slopes) ** 2 / np.sum(slopes**2)
    axes = principal(slopes, relative)
    turned = np.einsum("ka,abl,kb->kl", axes.axes, mean, axes.axes)
    turned_blocks = np.einsum("ka,abln,kb->kln", axes.axes, blocks, axes.axes)
    moves = turned.max(axis=1) > max(still, ROUNDING * turned.max())
    along = _along(frames, turned, turned_blocks, lengths, settings | {"jump": whole.jump}, moves=moves)  # jumps are along axes
    if whole.regime not in KNOWN:
        # three jumps in the run, all along one axis, are seen by no slope
        return _none(axes.axes, np.maximum(along["upper"] / (2 * interval), 3 * three_jumps(msd)))
    measured_values = np.einsum("ka,ab,kb->k", axes.axes, slopes, axes.axes)
    shift = np.where((along["lower"] > 0) & (axes.values > 0), axes.values / np.where(measured_values > 0, measured_values, 1.0), 1.0)
    diagonal = np.maximum(np.diag(slopes), 0.0)
    scatter = np.sqrt(relative * 0.5 * (slopes**2 + np.outer(diagonal, diagonal)))
    return {
        "self_diffusivity_tensor": slopes / (2 * interval),
        "self_diffusivity_tensor_stderr": scatter / (2 * interval),
        "principal_diffusivity": np.where(moves, axes.values, 0.0) / (2 * interval),
        "principal_diffusivity_stderr": shift * along["stderr"] / (2 * interval),
        "principal_diffusivity_lower": shift * along["lower"] / (2 * interval),
        "principal_diffusivity_upper": shift * along["upper"] / (2 * interval),
        "principal_axis": axes.axes,
        "isotropy": isotropy(slopes, relative),
        "dimensionality": dimensionality(along["lower"], along["upper"]),
    }


def _along(
    frames: np.ndarray, msd: np.ndarray, blocks: np.ndarray, lengths: np.ndarray, settings: dict[str, Any], *, moves: np.ndarray
) -> dict[str, np.ndarray]:
    """stderr, lower and upper of the slope (principal,) of msd (principal, lag), each by itself; 0 along an axis on which nothing moves."""
    out = {name: np.zeros(len(msd)) for name in ("stderr", "lower", "upper")}
    found = diffusion(frames, msd[moves, None], blocks=(blocks[moves, None], lengths), **settings)
    for name, values in out.items():
        values[moves] = getattr(found, name)
    return out


def _slopes(frames: np.ndarray, tensor: np.ndarray, whole: Diffusion, n_frames: int) -> np.ndarray:
    """Slopes of all elements (3, 3), per frame, by the weights of a walk with the noise of the cage over the lags of the fit."""
    index = np.flatnonzero((frames >= whole.lag_first) & (frames <= whole.lag_last))
    index = index[np.unique(np.geomspace(1, len(index), 24).round().astype(int)) - 1]
    lags = frames[index].astype(np.float64)
    covariance = walk_covariance(lags, n_steps=n_frames - 1, step_variance=max(whole.slope, 1e-300) / 3, noise=max(whole.intercept, 0.0) / 3)
    line = fit_line(lags, np.zeros(len(lags)), covariance)
    return np.asarray(np.einsum("l,abl->ab", line.weights[1], tensor[..., index]))


def _none(axes: np.ndarray, upper: np.ndarray) -> dict[str, Any]:
    """What is known of a species that does not diffuse."""
    unknown = np.full(3, np.nan)
    return {
        "self_diffusivity_tensor": np.full((3, 3), np.nan),
        "self_diffusivity_tensor_stderr": np.full((3, 3), np.nan),
        "principal_diffusivity": unknown,
        "principal_diffusivity_stderr": unknown,
        "principal_diffusivity_lower": np.zeros(3),
        "principal_diffusivity_upper": upper,
        "principal_axis": axes,
        "isotropy": np.nan,
        "dimensionality": "undecided",
    }
