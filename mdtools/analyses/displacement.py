"""Mean squared displacement of ions and of species as a whole, multi-window and multi-origin."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
import xarray as xr

from mdtools import memory, once, schema
from mdtools.analyses.blocks import TimeBlocks, time_blocks
from mdtools.analyses.labels import common, lag_frames, lag_times, window_starts
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.over_tiles import tile_means
from mdtools.analyses.padded import factors_of, in_frequency
from mdtools.analyses.time_pairs import TimePairs, by_window, even_pairs, uneven_pairs
from mdtools.errors import TrajectoryError
from mdtools.kernels.displacement import displacement_terms, mean_displacement, pair_terms, squared_displacement
from mdtools.kernels.grouped import AXES, TENSOR
from mdtools.kernels.padded import padded_length
from mdtools.trajectory import Trajectory

__all__ = ["Displacements", "Times", "displacements", "displacements_of_species", "msd", "origin_frames", "square", "times_of"]

FEW = 1  # lags up to which pairs of frames cost less than Fourier transforms


@schema.recorded
def msd(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    origins: Literal["all", "first"] | int = "all",
    reference: Sequence[str] | str | None = None,
    tensor: bool = False,
    ions: bool = False,
) -> xr.Dataset:
    """Mean squared displacement of each species, of its centre of mass, and of ions one by one.

    MSD(t) = < |r_i(t0 + t) - r_i(t0)|^2 > over the ions i of a species and the time origins t0 of a window; of the species
    as a whole < |sum_i [r_i(t0 + t) - r_i(t0)]|^2 > / N, which is the same where ions move independently.

    windows : the run is cut into this many equal parts, each with its own estimate; frames left over are not used.
    lags : "all", "log", or times in ps. origins : "all" (by FFT), "first", or every so many frames.
    reference : species whose unweighted mean displacement is subtracted, "barycentre" or "none"; by default the
        framework that the trajectory declares, else the barycentre.
    tensor : also < dr_a dr_b > of the axes a and b. ions : also the msd of each ion at every lag, 24 bytes a window, ion
        and lag (120 MB for 1000 ions and 5000 lags; lags="log" keeps it small).

    Returns, in angstrom^2, `msd` and `collective_msd` (window, species, lag), both also `_by_axis` (window, species, xyz, lag);
    with `tensor` `msd_tensor` (window, species, xyz, xyz2, lag); with `ions` `msd_by_ion` (window, ion, xyz, lag); and
    `n_origins` (window, lag), the number of time origins of a lag. For the estimator, from non-overlapping blocks of
    time of the whole run: `block_msd` (species, xyz, block_lag, block), with `tensor` `block_msd_tensor`, both means over
    the ions, and `ion_msd` (ion, block_lag), the mean over the blocks of each ion.
    Unevenly spaced frames give the mean over all pairs of frames that lie exactly a lag apart, at every lag that occurs,
    windows being equal parts of the time (NaN where a window has no such pair), and no blocks.
    Raises TrajectoryError, NotEnoughData, ValueError for lags that a window does not hold.
    Source: reference/science.md B1.

    >>> from mdtools import synthetic
    >>> walk = synthetic.brownian(n_atoms=20, n_frames=400, diffusivity=0.5, seed=1)
    >>> float(msd(walk, lags=[1.0], reference="none").msd.sel(lag=1.0, species="A").item().__round__(0))  # 6 D t
    3.0
    """
    length = window_length(traj, windows, who="msd")
    times = times_of(traj, lags, origins, windows=windows, length=length)
    if ions:
        _bounded(traj, windows, len(times.lags))
    found = displacements_of_species(traj, times, reference=reference, tensor=tensor, ions=ions)
    whole = _collective(found.paths, times) * np.bincount(species_groups(traj))[None, :, None, None]
    out = {
        **common(traj),
        **_by_species("msd", found.products[:, :, :3]),
        **_by_species("collective_msd", whole),
        "n_origins": (("window", "lag"), times.counts),
        "window": window_starts(traj, windows) if times.pairs is None or times.pairs.starts is None else times.pairs.starts,
        "xyz": ["x", "y", "z"],
        "lag": times.lags,
        "ion": np.arange(traj.n_atoms),
        "ion_species": ("ion", traj.species.astype(str)),
    }
    if ions:
        out["msd_by_ion"] = (("window", "ion", "xyz", "lag"), found.by_ion)
    if tensor:
        out |= {"xyz2": ["x", "y", "z"], "msd_tensor": (("window", "species", "xyz", "xyz2", "lag"), square(found.products, axis=2))}
    if found.blocks is not None:
        out |= _blocks(found, found.blocks, traj.frame_interval, tensor)
    unused = traj.n_frames - windows * length if traj.is_even else 0
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=found.reference, frames_unused=unused)


class Times(NamedTuple):
    """Which lags are wanted (ps, and frames where they are even), over how many origins, and the pairs, where not all by FFT."""

    lags: np.ndarray
    counts: np.ndarray
    frames: np.ndarray | None
    pairs: TimePairs | None
    windows: int
    length: int


class Displacements(NamedTuple):
    """What was found: see `displacements`."""

    products: np.ndarray
    paths: np.ndarray
    by_ion: np.ndarray | None
    block_products: np.ndarray | None
    block_by_ion: np.ndarray | None
    blocks: TimeBlocks | None
    reference: Any


def times_of(traj: Trajectory, lags: Any, origins: Any, *, windows: int, length: int) -> Times:
    """The lags and origins that are meant. Raises ValueError for those that are not there."""
    starts = origin_frames(origins, length)
    if not traj.is_even:
        pairs = uneven_pairs(traj, lags, origins, windows=windows)
        return Times(pairs.lags, pairs.counts, None, pairs, windows, length)
    interval = traj.frame_interval
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval)
    if len(starts) == length and len(frames) > FEW:
        return Times(lag_times(frames, interval), np.tile(length - frames, (windows, 1)), frames, None, windows, length)
    pairs = even_pairs(frames, starts, length, windows=windows, frame_interval=interval)
    return Times(pairs.lags, pairs.counts, frames, pairs, windows, length)


def origin_frames(origins: Literal["all", "first"] | int, length: int) -> np.ndarray:
    """First frames of the time origins in a window of `length` frames: "all", "first", or every so many frames.

    Raises ValueError for anything else.

    >>> origin_frames(3, 8)
    array([0, 3, 6])
    """
    if isinstance(origins, str) and origins == "first":
        return np.arange(1)
    step = 1 if isinstance(origins, str) and origins == "all" else origins
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < 1:
        raise ValueError(f'origins={origins!r} is not understood; write "all", "first" or a number of frames, at least 1')
    return np.arange(0, length, step)


def displacements(
    traj: Trajectory,
    times: Times,
    *,
    groups: np.ndarray,
    reference: Sequence[str] | str | None,
    weights: np.ndarray | None = None,
    tensor: bool = False,
    ions: bool = False,
) -> Displacements:
    """Everything about displacements that one visit to the atoms gives: means over groups of atoms, or sums with weights.

    products (window, group, product, lag) of the axes xx, yy, zz (and xy, xz, yz with `tensor`), NaN without an origin;
    paths of the groups (group, xyz, frame), or in the windows where it goes by FFT (group, window, xyz, time); by_ion (window,
    atom, xyz, lag) with `ions`; over the blocks of evenly spaced frames block_products (group, product, length, block) and
    block_by_ion (atom, length). groups, reference, weights as in `tile_means`.
    """
    pairs, blocks = times.pairs, time_blocks(traj.n_frames) if traj.is_even else None
    products = TENSOR if tensor else AXES
    n_fft = 0 if pairs is not None or times.frames is None else padded_length(times.length + int(times.frames.max()))
    factors = factors_of(n_fft) if n_fft else None
    sums, kept, taken = tile_means(
        displacement_terms,
        traj,
        groups=groups,
        reference=reference,
        weights=weights,
        arguments=(
            None if pairs is None else pairs.in_rows(traj.n_frames),
            times.frames if ions else None,
            None if blocks is None else (blocks.first, blocks.last, blocks.share),
            factors,
        ),
        options={
            "products": products,
            "ions": ions,
            **({"windows": times.windows, "n_fft": n_fft} if pairs is None else {"n_lags": times.windows * len(times.lags)}),
        },
        bytes_per_atom=48 * times.windows * len(times.lags) if ions else 0,
    )
    if pairs is None:
        assert times.frames is not None
        assert factors is not None
        power = in_frequency(sums["power"], factors)
        with jax.enable_x64(True):
            found = np.array(mean_displacement(power, sums["square"], n_fft=n_fft))[..., times.frames]
        found = np.moveaxis(found, 0, 1)
        found[:, :, :3] = np.maximum(found[:, :, :3], 0.0)
        by_ion = np.moveaxis(kept["msd"], 0, 1) if ions else None
    else:
        found = by_window(sums["msd"], pairs)
        by_ion = by_window(kept["msd"], pairs) if ions else None
    return Displacements(
        found,
        sums["path"],
        by_ion,
        None if blocks is None else blocks.by_length(sums["block"]),
        None if blocks is None else kept["block"],
        blocks,
        taken,
    )


def displacements_of_species(
    traj: Trajectory, times: Times, *, reference: Sequence[str] | str | None, tensor: bool = False, ions: bool = False
) -> Displacements:
    """`displacements` as means over the ions of each species; made once for all measurements of a run (`once`) that want the same."""
    key = ("displacements", traj, str(reference), times.windows, times.length, times.lags.tobytes(), times.counts.tobytes())
    found = once.made(
        key,
        lambda: displacements(traj, times, groups=species_groups(traj), reference=reference, tensor=tensor, ions=ions),
        enough=lambda kept: kept.products.shape[2] >= (6 if tensor else 3) and (kept.by_ion is not None or not ions),
    )
    blocks = None if found.block_products is None else found.block_products[:, : 6 if tensor else 3]
    return found._replace(products=found.products[:, :, : 6 if tensor else 3], block_products=blocks)


def _collective(paths: np.ndarray, times: Times) -> np.ndarray:
    """Squared displacement of the mean path of each group, (window, group, xyz, lag)."""
    with jax.enable_x64(True):
        if times.pairs is not None:
            rows, n_lags = times.pairs.in_rows(paths.shape[-1]), times.windows * len(times.lags)
            each = pair_terms(paths.transpose(2, 0, 1), np.ones(len(paths)), *rows, n_lags=n_lags, products=AXES, ions=True)
            return by_window(np.asarray(each), times.pairs)
        return np.moveaxis(np.asarray(squared_displacement(paths))[..., times.frames], 1, 0)


def _by_species(name: str, by_axis: np.ndarray) -> dict[str, Any]:
    return {name: (("window", "species", "lag"), by_axis.sum(axis=2)), f"{name}_by_axis": (("window", "species", "xyz", "lag"), by_axis)}


def square(products: np.ndarray, *, axis: int) -> np.ndarray:
    """xx, yy, zz, xy, xz, yz along an axis -> the symmetric tensor, along that axis and a new one behind it."""
    number = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])
    return np.take(products, number, axis=axis)


def _blocks(found: Displacements, blocks: TimeBlocks, frame_interval: float, tensor: bool) -> dict[str, Any]:
    assert found.block_products is not None
    out: dict[str, Any] = {
        "block_msd": (("species", "xyz", "block_lag", "block"), found.block_products[:, :3]),
        "ion_msd": (("ion", "block_lag"), found.block_by_ion),
        **blocks.coordinates(frame_interval),
    }
    if tensor:
        out["block_msd_tensor"] = (("species", "xyz", "xyz2", "block_lag", "block"), square(found.block_products, axis=1))
    return out


def _bounded(traj: Trajectory, windows: int, n_lags: int) -> None:
    """Refuse to keep more of each ion than a machine holds."""
    n_bytes = 24 * windows * traj.n_atoms * n_lags
    if n_bytes > memory.limit():
        raise TrajectoryError(
            f"msd of each ion of {traj.source} is {memory.in_words(n_bytes)} ({traj.n_atoms} ions, {n_lags} lags, {windows} windows), more than "
            f'{memory.in_words(memory.limit())}: pass lags="log" (--lags log), select() fewer ions, or set MDTOOLS_MEMORY'
        )
