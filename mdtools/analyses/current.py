"""Charge displacement and charge current: what the ionic conductivity is made of."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.differenced import differenced
from mdtools.analyses.displacement import Times, displacements, times_of
from mdtools.analyses.labels import (
    common,
    even_interval,
    lag_frames,
    lag_times,
    noise_width,
    species_pairs,
    taper_weights,
    thermal_energy,
    window_starts,
)
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.over_frames import charge_by_species, in_windows
from mdtools.errors import TrajectoryError
from mdtools.kernels.correlation import crosscorrelation
from mdtools.kernels.current import displacement_product
from mdtools.kernels.spectrum import cross_periodogram
from mdtools.trajectory import Trajectory

__all__ = ["charge_current_acf", "charge_displacement_msd"]

NEUTRAL = 1e-3  # e per square root of the number of atoms: what rounded charges may sum to


@schema.recorded
def charge_displacement_msd(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Mean squared displacement of the charge dipole, total and by pair of species.

    MSD(t) = < |P(t0 + t) - P(t0)|^2 >, P = sum_s P_s, P_s(t) = sum_{i in s} q_i [r_i(t) - r_ref(t)], over the time
    origins t0 of a window; the part of a pair is < dP_a . dP_b >, unlike pairs counted in both orders, so that the sum
    over pairs is the total. Its slope over 6 V k_B T is the conductivity (Einstein-Helfand).

    windows, lags, reference : as in `msd`. Charges are one per atom, or Born tensors Z with P_a = sum_b Z_ab r_b.
    The total of a neutral cell does not depend on the reference; its parts do. A cell (or a selection) that is not
    neutral is refused unless the reference is named.

    Returns `charge_displacement_msd` (window, lag), `_by_axis` (window, xyz, lag), `_by_pair` (window, pair, lag) in
    e^2 angstrom^2; `_self_by_axis`, sum_i q_i^2 |dr_i|^2, which many ions resolve better than one dipole, so that the estimate
    learns from it (and from the same over blocks of time) from which lag on the motion is diffusive.
    One sample a frame, however many ions: the spread of the long lags is large (science.md B3).
    Raises TrajectoryError (no charges, charges that change with time, not neutral, uneven frames), NotEnoughData,
    ValueError for lags that a window does not hold. Source: reference/science.md A1 rows 1 and 3, B3.

    >>> from mdtools import synthetic
    >>> walk = synthetic.brownian(n_atoms=20, n_frames=4000, diffusivity=0.5, seed=1)
    >>> float(charge_displacement_msd(walk, lags=[0.1]).charge_displacement_msd.sel(lag=0.1).item().__round__(0))  # 6 D t sum q^2
    6.0
    """
    who = "charge_displacement_msd"
    traj.need("scaled_positions", "charges", who=who)
    if _per_frame(traj):
        raise TrajectoryError(
            f"{who}: the charges of {traj.source} change with time, and then sum q dr is no displacement of charge; "
            f"pass one charge per atom with charges=, or use charge_current_acf, which takes charges of each frame"
        )
    net = _net_charge(traj, reference, who=who)
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval)
    dipole, taken = charge_by_species(traj, "positions", reference=reference)
    by_axis, by_pair = _total_and_pairs(displacement_product, dipole, traj, windows)
    by_axis = np.maximum(by_axis, 0.0)[..., frames]
    out = {
        **common(traj),
        "charge_displacement_msd": (("window", "lag"), by_axis.sum(axis=1)),
        "charge_displacement_msd_by_axis": (("window", "xyz", "lag"), by_axis),
        "charge_displacement_msd_by_pair": (("window", "pair", "lag"), by_pair[..., frames]),
        "xyz": ["x", "y", "z"],
        **_coordinates(traj, windows, lag_times(frames, interval)),
        **_alone(traj, reference, times_of(traj, lags, "all", windows=windows, length=length)),
    }
    unused = traj.n_frames - windows * length
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, net_charge=net)


@schema.recorded
def charge_current_acf(
    traj: Trajectory,
    *,
    windows: int = 2,
    taper: Literal["hann", "none"] = "none",
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Autocorrelation and spectrum of the charge current, total and by pair of species.

    C(t) = < J(t0) . J(t0 + t) >, J = sum_s J_s, J_s = sum_{i in s} q_i (v_i - v_ref), over the time origins t0 of a
    window; the part of a pair is symmetrised in time and counted in both orders, so that the sum over pairs is C.
    S(f_j) = dt |sum_k w_k J_k exp(-2 pi i j k / n)|^2 / sum_k w_k^2, summed over x, y, z: the two-sided density at
    f >= 0 with the taper w; no mean is subtracted. sigma = 1 / (3 V k_B T) int_0^inf C dt = lim_{f -> 0} S / (6 V k_B T).

    windows : as in `msd`; a window should last 25 correlation times of J or more, the run 50. taper : of the spectrum. With
        "none" (w = 1) the ordinates are independent, but the optical modes leak to f = 0 as one over the length of a
        window; with "hann" they stay where they are, and an ordinate shares 4/9 of its scatter with the next.
    reference : as in `msd`, of the velocities. Charges are one per atom, per frame and atom, or Born tensors Z with
        J_a = sum_b Z_ab v_b.
    The total of a neutral cell does not depend on the reference; a cell or selection that is not neutral is refused
    unless the reference is named. Frames must resolve the vibrations (every 5 fs or so), else S is aliased; of velocities made of
    positions the zero frequency is exact at any frame interval, and no sum rule is given.

    Returns `charge_current_acf` (window, lag) and `_by_pair` (window, pair, lag) in e^2 angstrom^2/ps^2,
    `charge_current_periodogram` (window, frequency) in e^2 angstrom^2/ps: 2 S_j / S is chi^2 of 6 degrees of freedom (3
    at f = 0 and at half the sampling frequency) in each window; `_by_axis` (window, xyz, frequency) and `_by_pair` (window,
    pair, frequency): the co-spectrum dt Re[X_a* X_b] / sum w^2 summed over axes, twice for unlike pairs, so that the sum over
    pairs is the total (the spectral matrix of equilibrium is real; an unlike element of it is half the part of the pair);
    `frequency_resolution` (equivalent noise width of the
    taper) in THz, and `charge_current_sum_rule`, what C(0) must be:
    3 k_B T [sum_i q_i^2 / m_i - (sum_i q_i)^2 / M] (stated temperature and masses known; neutral, or the barycentre taken).
    Raises TrajectoryError (no velocities or charges, not neutral, uneven frames), NotEnoughData.
    Source: reference/science.md A1 row 2, B3.

    >>> from mdtools import synthetic
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=8000, seed=1)
    >>> acf = charge_current_acf(gas, reference="none")
    >>> bool(abs(acf.charge_current_acf.sel(lag=0.0).mean() / acf.charge_current_sum_rule - 1) < 0.2)
    True
    """
    who = "charge_current_acf"
    traj.need("velocities", "charges", who=who)
    net = _net_charge(traj, reference, who=who)
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    current, taken = charge_by_species(traj, "velocities", reference=reference)
    by_axis, by_pair = _total_and_pairs(crosscorrelation, current, traj, windows)
    weight = taper_weights(taper, length)
    spectrum, shared = _total_and_pairs(functools.partial(cross_periodogram, taper=weight), current, traj, windows)
    out = {
        **common(traj),
        "charge_current_acf": (("window", "lag"), by_axis.sum(axis=1)),
        "charge_current_acf_by_pair": (("window", "pair", "lag"), by_pair),
        "charge_current_periodogram": (("window", "frequency"), interval * spectrum.sum(axis=1)),
        "charge_current_periodogram_by_axis": (("window", "xyz", "frequency"), interval * spectrum),
        "charge_current_periodogram_by_pair": (("window", "pair", "frequency"), interval * shared),
        "xyz": ["x", "y", "z"],
        "frequency": np.arange(length // 2 + 1) / (length * interval),
        "frequency_resolution": noise_width(weight) / interval,
        **_coordinates(traj, windows, lag_times(np.arange(length), interval)),
    }
    made = differenced(traj)
    # velocities made of positions are smoothed: C(0) is too small, and only the zero frequency is exact
    if traj.temperature is not None and traj.masses is not None and made is None and (_is_neutral(traj, net) or taken == "barycentre"):
        out["charge_current_sum_rule"] = _sum_rule(traj)
    unused = traj.n_frames - windows * length
    told = {} if made is None else made.told
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, net_charge=net, **told)


def _alone(traj: Trajectory, reference: Sequence[str] | str | None, times: Times) -> dict[str, Any]:
    """sum_i q_i^2 dr_i^2: what the dipole would do if ions moved independently. Nothing for tensors, which mix the axes."""
    assert traj.charges is not None
    if traj.charges.ndim != 1:
        return {}
    found = displacements(traj, times, groups=np.zeros(traj.n_atoms, dtype=int), weights=np.square(traj.charges), reference=reference)
    assert found.blocks is not None
    assert found.block_products is not None
    return {
        "charge_displacement_msd_self_by_axis": (("window", "xyz", "lag"), found.products[:, 0]),
        "charge_displacement_block_self": (("xyz", "block_lag", "block"), found.block_products[0]),
        "independent_charges": np.sum(np.square(traj.charges)) ** 2 / max(np.sum(traj.charges**4), 1e-300),
        **found.blocks.coordinates(traj.frame_interval),
    }


def _total_and_pairs(product: Callable[..., Any], series: np.ndarray, traj: Trajectory, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """`product` of the sum over species with itself (window, xyz, lag), and of each pair summed over axes (window, pair, lag)."""
    first, second, _ = species_pairs(traj)
    parts = in_windows(series, windows)
    whole = in_windows(series.sum(axis=0), windows)
    orders = np.where(first == second, 1.0, 2.0)
    with jax.enable_x64(True):
        by_axis = np.asarray(product(whole, whole))
        by_pair = [orders[k] * np.asarray(product(parts[:, a], parts[:, b])).sum(axis=1) for k, (a, b) in enumerate(zip(first, second, strict=True))]
    return by_axis, np.stack(by_pair, axis=1)


def _coordinates(traj: Trajectory, windows: int, lag: np.ndarray) -> dict[str, Any]:
    return {"window": window_starts(traj, windows), "lag": lag, "pair": species_pairs(traj)[2]}


def _per_frame(traj: Trajectory) -> bool:
    assert traj.charges is not None
    return traj.charges.ndim == 2


def _tensors(traj: Trajectory) -> np.ndarray:
    """Charges as (frame or 1, atom, 1 or 9): the numbers whose square counts in the sum rule."""
    charges = np.asarray(traj.charges, dtype=np.float64)
    return charges[:, :, None] if _per_frame(traj) else charges.reshape(1, traj.n_atoms, -1)


def _is_neutral(traj: Trajectory, net: float) -> bool:
    return net <= NEUTRAL * np.sqrt(traj.n_atoms)


def _net_charge(traj: Trajectory, reference: Sequence[str] | str | None, *, who: str) -> float:
    """Largest |sum of charges| of any frame (or tensor element), e. Raises TrajectoryError where the answer would depend on it."""
    sums = _tensors(traj).sum(axis=1)
    net = float(np.abs(sums).max())
    if not _is_neutral(traj, net) and not reference:
        tensors = traj.charges is not None and traj.charges.ndim == 3
        cure = "subtract their mean (acoustic sum rule)" if tensors else "pass charges= that sum to zero"
        found = sums.flat[np.abs(sums).argmax()]
        raise TrajectoryError(
            f"{who}: the charges of {traj.source} sum to {found:+.4g} e, and the current of a cell that is not neutral depends on "
            f'the frame of reference; {cure}, or name the frame, for instance reference="none"'
        )
    return net


def _sum_rule(traj: Trajectory) -> float:
    """k_B T [sum_i |Z_i|^2 / m_i - |sum_i Z_i|^2 / M], |Z|^2 the sum of squares of the tensor (3 q^2 of a scalar charge)."""
    assert traj.masses is not None
    charges = _tensors(traj)
    axes = 3.0 if charges.shape[-1] == 1 else 1.0
    ions = np.einsum("tic,i->t", charges**2, 1.0 / traj.masses)
    drift = np.square(charges.sum(axis=1)).sum(axis=-1) / traj.masses.sum()
    return float(axes * thermal_energy(traj) * np.mean(ions - drift))
