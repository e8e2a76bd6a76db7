"""Grotthuss or vehicle: what of the motion of protons is that of the atoms that carry them, and what is being handed over."""

from collections.abc import Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import memory, progress, schema
from mdtools.analyses.charges import checked_charges
from mdtools.analyses.labels import common, even_interval, lag_frames, lag_times, window_starts
from mdtools.analyses.over_atoms import block_of_atoms, frame_of, window_length
from mdtools.analyses.over_frames import block_of_frames, charge_by_species, in_windows
from mdtools.errors import TrajectoryError
from mdtools.kernels.current import displacement_product
from mdtools.kernels.grotthuss import carriers_of, hand_over_steps
from mdtools.trajectory import Trajectory

__all__ = ["forward_hand_overs", "proton_displacement"]

ROUTES = ("vehicular", "hopping", "bond", "other")


@schema.recorded
def proton_displacement(
    traj: Trajectory,
    *,
    carriers: Sequence[str] | str | None = None,
    protons: Sequence[str] | str = "H",
    margin: float = 0.3,
    windows: int = 2,
    lags: Literal["log", "all"] | Sequence[float] = "log",
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Displacement of protons, split into that of the atoms that carry them (vehicular) and hand-over from one to the next (hopping).

    dr_i = V_i + H_i + bond, V_i the sum of the steps of whichever atom carries proton i, H_i the sum of the vectors from each carrier to
    the next at a hand-over; the rest is the difference of two bonds, which is bounded. MSD = < |V|^2 > + < |H|^2 > + 2 < V . H > + bond.
    Of charge: dP = sum_c Q_c dR_c (vehicular, Q_c the charge of a carrier with its protons) + sum_hops q_H (R_c' - R_c) (hopping)
    + bonds + all other ions; the part of a pair of routes is counted in both orders, so that the sum over pairs is the total. Formal
    charges (H 1, O -2) make Q_c that of the molecular ion.

    carriers : species whose atoms carry protons (["O"], ["N", "O"]). protons : the species that is handed over.
    margin : angstrom; a proton changes hands when another carrier is nearer than its own by more than this.
    windows, lags, reference : as in `msd`. Frames must be closer than hand-overs are: the history tells how many there are a frame.

    Returns, mean over the protons, `proton_msd`, `_vehicular`, `_hopping`, `_cross` (2 < V . H >) (window, lag) in angstrom^2;
    `carrier_kept` (window, lag), the share of protons on the carrier of a time t ago (intermittent); per window `hand_overs` and
    `forward_hand_overs`, without those that are undone by the next (A to B to A); with charges in the trajectory
    `charge_displacement_msd` (window, lag) and `_by_route` (window, route_pair, lag) in e^2 angstrom^2.
    Raises TrajectoryError (carriers not named or not there, charges not neutral, uneven frames, too large for the memory), NotEnoughData.
    Source: reference/science.md A5 rows 59 to 61; forward hops: Chandra, Tuckerman, Marx, Phys. Rev. Lett. 99, 145901 (2007).

    >>> from mdtools import synthetic
    >>> chain = synthetic.grotthuss_chain(n_frames=2000, seed=1)
    >>> out = proton_displacement(chain, carriers=["O"], windows=1, lags=[1.0], reference="none")
    >>> bool(abs(out.proton_msd - out.proton_msd_vehicular - out.proton_msd_hopping - out.proton_msd_cross).max() < 1e-3)
    True
    """
    who = "proton_displacement"
    traj.need("scaled_positions", who=who)
    if not 0 <= margin < np.inf:
        raise ValueError(f"margin={margin!r}; write a distance in angstrom, 0 or more")
    hydrogen, heavy = _chosen(traj, protons, carriers, who=who)
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    frames = lag_frames(lags, longest=length - 1, frame_interval=interval)
    _bounded(traj, len(hydrogen), who=who)
    held, vehicular, hopping, taken = _followed(traj, hydrogen, heavy, margin, reference)
    parts = _proton_parts(traj, hydrogen, vehicular, hopping, windows, frames, reference)
    used = in_windows(held.T, windows)
    kept = [np.mean(used[..., lag:] == used[..., : length - lag], axis=(1, 2)) for lag in frames]
    changes = [forward_hand_overs(one) for one in used]
    dims = ("window", "lag")
    out = {
        **common(traj),
        **{name: (dims, values) for name, values in parts.items()},
        "carrier_kept": (dims, np.stack(kept, axis=1)),
        "hand_overs": ("window", np.array([all_of for all_of, _ in changes])),
        "forward_hand_overs": ("window", np.array([forward for _, forward in changes])),
        "window": window_starts(traj, windows),
        "lag": lag_times(frames, interval),
    }
    told: dict[str, Any] = {
        "reference": taken,
        "frames_unused": traj.n_frames - windows * length,
        "hand_overs_per_proton_and_frame": float(np.mean(held[1:] != held[:-1])),  # well below 1, or frames are too far apart
        "charge": "no charges: protons alone",
    }
    if traj.charges is not None and traj.charges.ndim == 1:
        told |= {"charge": "by route", **checked_charges(traj, reference, who=who)}
        out |= _charge_parts(traj, hydrogen, heavy, vehicular, hopping, windows, frames, reference)
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **told)


def forward_hand_overs(held: np.ndarray) -> tuple[int, int]:
    """Changes of the carrier (proton, frame), and those that the next change does not undo.

    >>> forward_hand_overs(np.array([[1, 1, 2, 1, 2, 3]]))  # to 2, back to 1, to 2, on to 3
    (4, 2)
    """
    total = forward = 0
    for one in held:
        visited = [one[0]]
        for carrier in one[1:][np.diff(one) != 0]:
            total += 1
            if len(visited) > 1 and visited[-2] == carrier:
                visited.pop()
            else:
                visited.append(carrier)
        forward += len(visited) - 1
    return total, forward


def _chosen(traj: Trajectory, protons: Sequence[str] | str, carriers: Sequence[str] | str | None, *, who: str) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the protons and of the atoms that carry them."""
    if not carriers:
        raise TrajectoryError(
            f"{who} needs to know what carries the protons of {traj.source}: pass carriers=['O'] (--carriers O); "
            f"there are {', '.join(traj.species_names)}"
        )
    meant = [one.split(",") if isinstance(one, str) else list(one) for one in (protons, carriers)]
    for what, names in zip(("protons", "carriers"), meant, strict=True):
        unknown = [name for name in names if name not in traj.species_names]
        if unknown:
            raise TrajectoryError(
                f"{who}: {what}= names {', '.join(unknown)}, and the species of {traj.source} are {', '.join(traj.species_names)}; "
                f"pass {what}= (--{what}) of these"
            )
    both = set(meant[0]) & set(meant[1])
    if both:
        raise TrajectoryError(f"{who}: {', '.join(sorted(both))} cannot be proton and carrier; pass other carriers= (--carriers)")
    hydrogen, heavy = (np.flatnonzero(np.isin(traj.species, names)) for names in meant)
    return hydrogen, heavy


def _bounded(traj: Trajectory, n_protons: int, *, who: str) -> None:
    """Refuse to keep more of the paths of protons than a machine holds."""
    n_bytes = 2 * 3 * 8 * traj.n_frames * n_protons
    if n_bytes > memory.limit():
        raise TrajectoryError(
            f"{who} keeps {memory.in_words(n_bytes)} of paths of {n_protons} protons of {traj.source}, more than {memory.in_words(memory.limit())}: "
            "read fewer frames (stride=, --stride), select() fewer protons, or set MDTOOLS_MEMORY"
        )


def _followed(
    traj: Trajectory, hydrogen: np.ndarray, heavy: np.ndarray, margin: float, reference: Sequence[str] | str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Carrier of each proton (frame, proton), and the sums of its vehicular and hopping steps (frame, proton, xyz), angstrom."""
    cell, shift, taken = frame_of(traj, reference, "positions")
    held = np.empty((traj.n_frames, len(hydrogen)), dtype=np.int32)
    vehicular, hopping = np.zeros((2, traj.n_frames, len(hydrogen), 3))
    cells = np.broadcast_to(cell, (traj.n_frames, 3, 3))
    block = max(2, block_of_frames(traj.n_frames, traj.n_atoms))
    before = np.full(len(hydrogen), -1, dtype=np.int32)
    with jax.enable_x64(True):
        for first in range(0, traj.n_frames - 1, block - 1):  # neighbouring blocks share a frame
            at = np.arange(first, min(first + block, traj.n_frames))
            stored = np.asarray(traj.scaled_positions[at]).astype(np.float64)
            light, dark = stored[:, hydrogen], stored[:, heavy]
            here = np.asarray(carriers_of(light, dark, np.asarray(traj.cell, dtype=np.float64)[at], before, np.float64(margin)))
            path = np.matmul(traj.positions_at(at)[:, heavy], cells[at]) - shift[at, None, :]
            steps = hand_over_steps(light, dark, path, cells[at], here)
            for total, part in zip((vehicular, hopping), steps, strict=True):
                total[at[1:]] = np.asarray(part)
            held[at], before = here, here[-1]
            progress.advance(int(at[-1]) + 1, traj.n_frames, "frames", n_bytes=stored.nbytes)
    return held, np.cumsum(vehicular, axis=0), np.cumsum(hopping, axis=0), taken


def _proton_parts(
    traj: Trajectory,
    hydrogen: np.ndarray,
    vehicular: np.ndarray,
    hopping: np.ndarray,
    windows: int,
    frames: np.ndarray,
    reference: Sequence[str] | str | None,
) -> dict[str, np.ndarray]:
    """Mean over the protons of the squared displacements and of their product (window, lag)."""
    cell, shift, _ = frame_of(traj, reference, "positions")
    names = ("proton_msd", "proton_msd_vehicular", "proton_msd_hopping", "proton_msd_cross")
    total = np.zeros((len(names), windows, len(frames)))
    size = block_of_atoms(3 * traj.n_frames, len(hydrogen))
    with jax.enable_x64(True):
        for first in range(0, len(hydrogen), size):
            some = slice(first, first + size)
            path = np.matmul(traj.select(hydrogen[some]).positions_at(np.arange(traj.n_frames)), cell) - shift[:, None, :]
            r, v, h = (in_windows(np.moveaxis(x, 0, -1), windows) for x in (path, vehicular[:, some], hopping[:, some]))
            for k, (x, y, orders) in enumerate(((r, r, 1), (v, v, 1), (h, h, 1), (v, h, 2))):
                total[k] += orders * np.asarray(displacement_product(x, y))[..., frames].sum(axis=(1, 2))
    return dict(zip(names, total / len(hydrogen), strict=True))


def _charge_parts(
    traj: Trajectory,
    hydrogen: np.ndarray,
    heavy: np.ndarray,
    vehicular: np.ndarray,
    hopping: np.ndarray,
    windows: int,
    frames: np.ndarray,
    reference: Sequence[str] | str | None,
) -> dict[str, Any]:
    """Mean squared displacement of the dipole, and of each pair of routes by which charge moves."""
    assert traj.charges is not None
    dipole, _ = charge_by_species(traj, "positions", reference=reference)
    of_carriers = dipole[np.isin(traj.species_names, np.unique(traj.species[heavy]))].sum(axis=0)
    of_protons = dipole[np.isin(traj.species_names, np.unique(traj.species[hydrogen]))].sum(axis=0)
    rode, jumped = (np.einsum("tix,i->xt", part, traj.charges[hydrogen]) for part in (vehicular, hopping))
    paths = [of_carriers + rode, jumped, of_protons - rode - jumped, dipole.sum(axis=0) - of_carriers - of_protons]
    parts = in_windows(np.stack(paths), windows)
    whole = in_windows(dipole.sum(axis=0), windows)
    first, second = np.triu_indices(len(ROUTES))
    with jax.enable_x64(True):
        total = np.asarray(displacement_product(whole, whole))[..., frames].sum(axis=1)
        each = [
            (1.0 if a == b else 2.0) * np.asarray(displacement_product(parts[:, a], parts[:, b]))[..., frames].sum(axis=1)
            for a, b in zip(first, second, strict=True)
        ]
    return {
        "charge_displacement_msd": (("window", "lag"), total),
        "charge_displacement_msd_by_route": (("window", "route_pair", "lag"), np.stack(each, axis=1)),
        "route_pair": [f"{ROUTES[a]}-{ROUTES[b]}" for a, b in zip(first, second, strict=True)],
    }
