"""Charge displacement and charge current: what the ionic conductivity is made of."""

import functools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.charges import change_with_time, checked_charges, current_sum_rule, is_neutral
from mdtools.analyses.collective import block_averaged_current, by_block, distinct, of_ions_alone, total_and_pairs
from mdtools.analyses.differenced import differenced
from mdtools.analyses.displacement import Times, displacements, displacements_of_species, square, times_of
from mdtools.analyses.labels import (
    common,
    even_interval,
    lag_frames,
    lag_times,
    noise_width,
    species_pairs,
    taper_weights,
    window_starts,
)
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.over_frames import charge_by_species
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.kernels.correlation import crosscorrelation
from mdtools.kernels.current import displacement_product
from mdtools.kernels.spectrum import cross_periodogram
from mdtools.trajectory import Trajectory

__all__ = ["charge_current_acf", "charge_displacement_msd"]


@schema.recorded
def charge_displacement_msd(
    traj: Trajectory,
    *,
    windows: int = 1,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    reference: Sequence[str] | str | None = None,
    tensor: bool = False,
) -> xr.Dataset:
    """Mean squared displacement of the charge dipole: total, by pair of species, self and distinct.

    MSD(t) = < |P(t0 + t) - P(t0)|^2 >, P = sum_s P_s, P_s(t) = sum_{i in s} q_i [r_i(t) - r_ref(t)], over the time
    origins t0 of a window; the part of a pair is < dP_a . dP_b >, unlike pairs counted in both orders, so that the sum
    over pairs is the total. Its slope over 6 V k_B T is the conductivity (Einstein-Helfand).
    self = sum_{i in s} q_i^2 < |dr_i|^2 > is what ions of a species would do if they moved independently; distinct is what is left of
    each pair, so that the sum of both is the total, and Haven ratio = slope of the self part / slope of the total.

    windows, lags, reference : as in `msd`. Charges are one per atom, or Born tensors Z with P_a = sum_b Z_ab r_b.
        A run with formal and with model charges is two measurements: `traj.with_charges({"Na": 1, "Cl": -1})`, or two rows of a
        series table with `charges`. tensor : also < dP_a dP_b > of the axes a and b.
    The total of a neutral cell does not depend on the reference; its parts do. A cell (or a selection) that is not
    neutral is refused unless the reference is named, or is a declared framework without charge: then the mobile charges are all
    that is needed. The history says whether the frame leaves an error that is not known.

    Returns `charge_displacement_msd` (window, lag), `_by_axis` (window, xyz, lag), `_by_pair` and `_distinct` (window, pair, lag),
    `_self` (window, species, lag), `_self_by_axis` (window, xyz, lag) in e^2 angstrom^2; with `tensor` `_tensor` and `_self_tensor`
    (window, xyz, xyz2, lag). Over the non-overlapping blocks of time of `msd`: `charge_displacement_block_by_pair` (pair, xyz,
    block_lag, block), `charge_displacement_block_self` (xyz, block_lag, block), with `tensor` `charge_displacement_block_tensor`.
    `n_origins` (window, lag) as of `msd`. Self parts are not told of tensors, which mix the axes.
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
    if change_with_time(traj):
        raise TrajectoryError(
            f"{who}: the charges of {traj.source} change with time, and then sum q dr is no displacement of charge; "
            f"pass one charge per atom with charges=, or use charge_current_acf, which takes charges of each frame"
        )
    found = checked_charges(traj, reference, who=who)
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval)
    dipole, taken = charge_by_species(traj, "positions", reference=reference)
    products, by_pair = total_and_pairs(displacement_product, dipole, traj, windows, tensor=tensor)
    products, by_pair = products[..., frames], by_pair[..., frames]
    by_axis = np.maximum(products[:, :3], 0.0)
    out = {
        **common(traj),
        "charge_displacement_msd": (("window", "lag"), by_axis.sum(axis=1)),
        "charge_displacement_msd_by_axis": (("window", "xyz", "lag"), by_axis),
        "charge_displacement_msd_by_pair": (("window", "pair", "lag"), by_pair),
        "n_origins": (("window", "lag"), np.tile(length - frames, (windows, 1))),
        **by_block(dipole, traj, tensor=tensor),
        **_coordinates(traj, windows, lag_times(frames, interval), tensor),
        **_self_displacement(traj, reference, times_of(traj, lags, "all", windows=windows, length=length), by_pair, tensor),
    }
    if tensor:
        out["charge_displacement_msd_tensor"] = (("window", "xyz", "xyz2", "lag"), square(products, axis=1))
    unused = traj.n_frames - windows * length
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, **found)


@schema.recorded
def charge_current_acf(
    traj: Trajectory,
    *,
    windows: int = 2,
    taper: Literal["hann", "none"] = "none",
    velocities: Literal["file", "positions"] | None = None,
    reference: Sequence[str] | str | None = None,
    tensor: bool = False,
) -> xr.Dataset:
    """Autocorrelation and spectrum of the charge current: total, by pair of species, self and distinct.

    C(t) = < J(t0) . J(t0 + t) >, J = sum_s J_s, J_s = sum_{i in s} q_i (v_i - v_ref), over the time origins t0 of a
    window; the part of a pair is symmetrised in time and counted in both orders, so that the sum over pairs is C.
    S(f_j) = dt |sum_k w_k J_k exp(-2 pi i j k / n)|^2 / sum_k w_k^2, summed over x, y, z: the two-sided density at
    f >= 0 with the taper w; no mean is subtracted. sigma = 1 / (3 V k_B T) int_0^inf C dt = lim_{f -> 0} S / (6 V k_B T).
    self = sum_{i in s} q_i^2 < v_i . v_i(t) >, distinct what is left of each pair: Haven ratio = S_self(0) / S(0).

    windows : as in `msd`; a window should last 25 correlation times of J or more, the run 50. taper : of the spectrum. With
        "none" (w = 1) the ordinates are independent, but the optical modes leak to f = 0 as one over the length of a
        window; with "hann" they stay where they are, and an ordinate shares 4/9 of its scatter with the next.
    velocities : of the "file", for which frames must resolve the vibrations (every 5 fs or so), else S is aliased; or the steps of the
        unwrapped "positions", J_k = [P(t_k + dt) - P(t_k)] / dt, which is the current averaged over the frame interval: S is then
        that of J times [sin(pi f dt) / (pi f dt)]^2, aliased but for f = 0, where it is exact at any frame interval; C(0) is too
        small, and no sum rule is given. By default those of the file where it has them.
    reference : as in `msd`, of the velocities. tensor : also C and S of the axes a and b. Charges are one per atom, per frame and
        atom (in steps of positions by the mean of both frames), or Born tensors Z with J_a = sum_b Z_ab v_b.
    The total of a neutral cell does not depend on the reference; for one that is not see `charge_displacement_msd`.

    Returns `charge_current_acf` (window, lag), `_by_pair` and `_distinct` (window, pair, lag), `_self` (window, species, lag) in
    e^2 angstrom^2/ps^2; `charge_current_periodogram` (window, frequency) in e^2 angstrom^2/ps: 2 S_j / S is chi^2 of 6 degrees of
    freedom (3 at f = 0 and at half the sampling frequency) in each window; `_by_axis` (window, xyz, frequency), `_self` (window,
    species, frequency) and `_by_pair` (window, pair, frequency): the co-spectrum dt Re[X_a* X_b] / sum w^2 summed over axes, twice
    for unlike pairs, so that the sum over pairs is the total (the spectral matrix of equilibrium is real; an unlike element of it is
    half the part of the pair); with `tensor` both `_tensor` (window, xyz, xyz2, ...); `frequency_resolution`
    (equivalent noise width of the taper) in THz, and `charge_current_sum_rule`, what C(0) must be:
    3 k_B T [sum_i q_i^2 / m_i - (sum_i q_i)^2 / M] (stated temperature and masses known; neutral, or the barycentre taken).
    Self parts are not told of charges that change with time nor of tensors.
    Raises TrajectoryError (no velocities or charges, not neutral, uneven frames), NotEnoughData.
    Source: reference/science.md A1 row 2, B3; steps of positions: reference/transport.md 2.3.

    >>> from mdtools import synthetic
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=8000, seed=1)
    >>> acf = charge_current_acf(gas, reference="none")
    >>> bool(abs(acf.charge_current_acf.sel(lag=0.0).mean() / acf.charge_current_sum_rule - 1) < 0.2)
    True
    """
    who = "charge_current_acf"
    traj.need("charges", who=who)
    steps = _from_positions(traj, velocities, who=who)
    found = checked_charges(traj, reference, who=who)
    length = window_length(traj, windows, who=who)
    length = min(length, (traj.n_frames - steps) // windows)
    if length < 2:
        raise NotEnoughData(
            f"{who} needs at least 3 frames for a step in each of windows={windows}; {traj.source} has {traj.n_frames}: pass fewer windows"
        )
    interval = even_interval(traj, who=who)
    current, taken = block_averaged_current(traj, reference=reference) if steps else charge_by_species(traj, "velocities", reference=reference)
    weight = taper_weights(taper, length)
    products, by_pair = total_and_pairs(crosscorrelation, current, traj, windows, tensor=tensor)
    spectra, shared = total_and_pairs(functools.partial(cross_periodogram, taper=weight), current, traj, windows, tensor=tensor)
    out = {
        **common(traj),
        "charge_current_acf": (("window", "lag"), products[:, :3].sum(axis=1)),
        "charge_current_acf_by_pair": (("window", "pair", "lag"), by_pair),
        "charge_current_periodogram": (("window", "frequency"), interval * spectra[:, :3].sum(axis=1)),
        "charge_current_periodogram_by_axis": (("window", "xyz", "frequency"), interval * spectra[:, :3]),
        "charge_current_periodogram_by_pair": (("window", "pair", "frequency"), interval * shared),
        "frequency": np.arange(length // 2 + 1) / (length * interval),
        "frequency_resolution": noise_width(weight) / interval,
        **_coordinates(traj, windows, lag_times(np.arange(length), interval), tensor),
    }
    if tensor:
        out["charge_current_acf_tensor"] = (("window", "xyz", "xyz2", "lag"), square(products, axis=1))
        out["charge_current_periodogram_tensor"] = (("window", "xyz", "xyz2", "frequency"), interval * square(spectra, axis=1))
    alone = of_ions_alone(traj, "positions" if steps else "velocities", weight, windows=windows, reference=reference, tensor=tensor)
    if alone is not None:
        per_step = interval**-2 if steps else 1.0
        acf, power = (per_step * part for part in alone)
        acf_self = acf[:, :, :3].sum(axis=2)
        out["charge_current_acf_self"] = (("window", "species", "lag"), acf_self)
        out["charge_current_acf_distinct"] = (("window", "pair", "lag"), distinct(by_pair, acf_self, traj))
        out["charge_current_periodogram_self"] = (("window", "species", "frequency"), interval * power[:, :, :3].sum(axis=2))
        if tensor:
            out["charge_current_acf_self_tensor"] = (("window", "xyz", "xyz2", "lag"), square(acf.sum(axis=1), axis=1))
    # steps of positions are smoothed: C(0) is too small, and only the zero frequency is exact
    if traj.temperature is not None and traj.masses is not None and not steps and (is_neutral(traj) or taken == "barycentre"):
        out["charge_current_sum_rule"] = current_sum_rule(traj)
    unused = traj.n_frames - steps - windows * length
    told = {"velocities_taken": "of the file", **found}
    if steps:
        told |= {"velocities_taken": "steps of the dipole between frames", "transfer": "|sin(pi f dt) / (pi f dt)|", "transfer_interval": interval}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, **told)


def _from_positions(traj: Trajectory, velocities: str | None, *, who: str) -> bool:
    """Whether the current is made of steps of positions: asked for, or all there is. One route for all that is not measured."""
    if velocities not in ("file", "positions", None):
        raise ValueError(f'velocities={velocities!r} is not understood; write "file" or "positions"')
    steps = velocities == "positions" or (velocities is None and (traj.velocities is None or differenced(traj) is not None))
    traj.need("scaled_positions" if steps else "velocities", who=who)
    if velocities == "file" and differenced(traj) is not None:
        raise TrajectoryError(f'{who}: the velocities of {traj.source} were made of its positions; read it without velocities="positions"')
    return steps


def _self_displacement(traj: Trajectory, reference: Sequence[str] | str | None, times: Times, by_pair: np.ndarray, tensor: bool) -> dict[str, Any]:
    """sum_i q_i^2 dr_i^2: what the dipole would do if ions moved independently. Nothing for tensors, which mix the axes."""
    assert traj.charges is not None
    if traj.charges.ndim != 1:
        return {}
    each = [traj.charges[traj.indices(name)] for name in traj.species_names]
    if all(np.ptp(one) == 0 for one in each):  # what the MSD of the species says, and mostly was made for it
        found = displacements_of_species(traj, times, reference=reference, tensor=tensor)
        square_of = np.array([len(one) * one[0] ** 2 for one in each])
    else:
        found = displacements(traj, times, groups=species_groups(traj), weights=np.square(traj.charges), reference=reference, tensor=tensor)
        square_of = np.ones(len(each))
    assert found.blocks is not None
    assert found.block_products is not None
    blocks = np.tensordot(square_of, found.block_products, axes=1)
    found = found._replace(products=found.products * square_of[:, None, None])
    alone = found.products[:, :, :3].sum(axis=2)
    out: dict[str, Any] = {
        "charge_displacement_msd_self": (("window", "species", "lag"), alone),
        "charge_displacement_msd_distinct": (("window", "pair", "lag"), distinct(by_pair, alone, traj)),
        "charge_displacement_msd_self_by_axis": (("window", "xyz", "lag"), found.products[:, :, :3].sum(axis=1)),
        "charge_displacement_block_self": (("xyz", "block_lag", "block"), blocks[:3]),
        "independent_charges": np.sum(np.square(traj.charges)) ** 2 / max(np.sum(traj.charges**4), 1e-300),
    }
    if tensor:
        out["charge_displacement_msd_self_tensor"] = (("window", "xyz", "xyz2", "lag"), square(found.products.sum(axis=1), axis=1))
    return out


def _coordinates(traj: Trajectory, windows: int, lag: np.ndarray, tensor: bool) -> dict[str, Any]:
    axes = ["x", "y", "z"]
    return {
        "window": window_starts(traj, windows),
        "lag": lag,
        "pair": species_pairs(traj)[2],
        "xyz": axes,
        **({"xyz2": axes} if tensor else {}),
    }
