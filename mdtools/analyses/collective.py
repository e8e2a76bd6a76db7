"""Parts of one collective path, the charge carried by all ions: by axis, tensor, pair of species, self, and block of time."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from mdtools.analyses.blocks import time_blocks
from mdtools.analyses.charges import change_with_time
from mdtools.analyses.labels import species_pairs
from mdtools.analyses.over_atoms import species_groups
from mdtools.analyses.over_frames import charge_by_species, in_windows
from mdtools.analyses.over_tiles import tile_means
from mdtools.analyses.padded import factors_of, in_frequency
from mdtools.kernels.correlation import correlation_of_power
from mdtools.kernels.current import even_periodogram, self_power
from mdtools.kernels.grouped import AXES, TENSOR
from mdtools.kernels.padded import padded_length
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["block_averaged_current", "by_block", "distinct", "of_ions_alone", "total_and_pairs"]

Product = Callable[..., Any]


def block_averaged_current(traj: Trajectory, *, reference: Sequence[str] | str | None) -> tuple[np.ndarray, Any]:
    """sum_i q_i dr_i / dt of each species between neighbouring frames, (species, xyz, frame - 1): the mean current over dt.

    Charges of every frame act by their mean over the two frames, so that r dq is no current. Returns also the reference taken.
    """
    dipole, taken = charge_by_species(traj, "positions", reference=reference)
    step = np.diff(dipole, axis=-1)
    if change_with_time(traj):
        assert traj.charges is not None
        earlier, later = (
            charge_by_species(traj.with_charges(np.roll(traj.charges, k, axis=0)), "positions", reference=reference)[0] for k in (1, -1)
        )
        step = (step + earlier[..., 1:] - later[..., :-1]) / 2
    return step / traj.frame_interval, taken


def total_and_pairs(product: Product, series: np.ndarray, traj: Trajectory, windows: int, *, tensor: bool) -> tuple[np.ndarray, np.ndarray]:
    """`product` of the sum over species with itself (window, axes, lag), and of each pair summed over axes (window, pair, lag).

    axes : xx, yy, zz, with `tensor` also xy, xz, yz. Unlike pairs count in both orders.
    """
    first, second, _ = species_pairs(traj)
    parts = in_windows(series, windows)
    whole = in_windows(series.sum(axis=0), windows)
    orders = np.where(first == second, 1.0, 2.0)
    axes = TENSOR if tensor else AXES
    with jax.enable_x64(True):
        by_axis = np.stack([np.asarray(product(whole[:, a], whole[:, b])) for a, b in axes], axis=1)
        by_pair = [orders[k] * np.asarray(product(parts[:, a], parts[:, b])).sum(axis=1) for k, (a, b) in enumerate(zip(first, second, strict=True))]
    return by_axis, np.stack(by_pair, axis=1)


def distinct(by_pair: np.ndarray, alone: np.ndarray, traj: Trajectory) -> np.ndarray:
    """What is left of each pair of species (window, pair, lag) without every ion's own part (window, species, lag)."""
    first, second, _ = species_pairs(traj)
    out = np.array(by_pair)
    out[:, first == second] -= alone[:, first[first == second]]
    return out


def by_block(series: np.ndarray, traj: Trajectory, *, tensor: bool) -> dict[str, Any]:
    """Products of the steps that a collective path takes over blocks of time, by pair of species and axis; with `tensor` of the total."""
    blocks = time_blocks(traj.n_frames)
    step = series[..., blocks.last] - series[..., blocks.first]
    first, second, _ = species_pairs(traj)
    orders = np.where(first == second, 1.0, 2.0)[:, None, None]
    pairs = blocks.by_length(orders * step[first] * step[second])
    out: dict[str, Any] = {
        "charge_displacement_block_by_pair": (("pair", "xyz", "block_lag", "block"), pairs),
        **blocks.coordinates(traj.frame_interval),
    }
    if tensor:
        whole = step.sum(axis=0)
        out["charge_displacement_block_tensor"] = (("xyz", "xyz2", "block_lag", "block"), blocks.by_length(whole[:, None] * whole[None, :]))
    return out


def of_ions_alone(
    traj: Trajectory, quantity: Quantity, taper: np.ndarray, *, windows: int, reference: Sequence[str] | str | None, tensor: bool
) -> tuple[np.ndarray, np.ndarray] | None:
    """sum_i q_i^2 of the correlation (window, species, axes, lag) and of the periodogram (.., frequency) of single ions.

    quantity : "velocities", or "positions" for their steps between frames. None for charges that change or are tensors.
    """
    if traj.charges is None or traj.charges.ndim != 1:
        return None
    length = len(taper)
    n_fft = padded_length(2 * length)
    factors = factors_of(n_fft)
    plain = bool(np.all(taper == 1.0))
    found, _, _ = tile_means(
        self_power,
        traj,
        quantity,
        groups=species_groups(traj),
        reference=reference,
        arguments=(factors, None if plain else taper),
        options={"windows": windows, "steps": quantity == "positions", "products": TENSOR if tensor else AXES, "n_fft": n_fft},
        weights=np.square(traj.charges),
        exact=True,
    )
    padded = np.moveaxis(in_frequency(found["padded"], factors), 1, 0)
    with jax.enable_x64(True):
        acf = np.asarray(correlation_of_power(padded, n=length, n_fft=n_fft))
        power = np.array(even_periodogram(padded, n=length, n_fft=n_fft)) if plain else np.moveaxis(found["tapered"], 1, 0)
    power[:, :, :3] = np.maximum(power[:, :, :3], 0.0)
    return acf, power
