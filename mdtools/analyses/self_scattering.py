"""Incoherent scattering: the self part of the intermediate scattering function, at any wave vector."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
import xarray as xr

from mdtools import schema, shares
from mdtools.analyses.devices import block_bytes, evenly, in_turn, split
from mdtools.analyses.labels import common, even_interval, lag_frames, lag_times, window_starts
from mdtools.analyses.over_atoms import frame_of, species_groups, window_length
from mdtools.analyses.sampled import every, some_of_each, strides_within
from mdtools.analyses.wave_vectors import Shells, chosen, in_cycles, shells_of
from mdtools.kernels.scattering import from_power, self_power
from mdtools.trajectory import Trajectory

__all__ = ["check_convention", "correlation_times", "intermediate_scattering_self", "per_ion", "self_correlation"]

PHASES = 1e8  # that are made unless told: a few seconds on one core
ATOMS = 32  # whose spectra are in the cache of a processor together

# half of the 26 points of Lebedev on a sphere (F_s is even), which integrate polynomials of degree 7: faces, edges and corners of a cube
_FACES = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
_EDGES = [[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]
_CORNERS = [[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]
DIRECTIONS = np.array(_FACES + _EDGES + _CORNERS) / np.linalg.norm(np.array(_FACES + _EDGES + _CORNERS), axis=1, keepdims=True)
SHARES = 2 * np.array([1 / 21] * 3 + [4 / 105] * 6 + [9 / 280] * 4)


@schema.recorded
def intermediate_scattering_self(
    traj: Trajectory,
    *,
    q: Sequence[float] | None = None,
    hkl: Sequence[str] | Sequence[Sequence[float]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int = 60,
    shells: int | None = 12,
    windows: int = 8,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    longest: float | None = None,
    ions: Literal["auto", "all"] | int | Mapping[str, int] = "auto",
    phase_budget: float = PHASES,
    reference: Sequence[str] | str | None = None,
    convention: Literal["dynasor", "mdanse"] | None = None,
) -> xr.Dataset:
    """Self part of the intermediate scattering function, F_s(q, t), of each species.

    F_s(q, t) = < cos q . [r_i(t0 + t) - r_i(t0)] > over the ions i of a species and the time origins t0 of a window, by FFT of
    exp(i q . r_i) of the unwrapped path of each ion.

    q : wave numbers (1/angstrom), each averaged over 13 directions that integrate polynomials of degree 7 over the sphere; a wave vector
        need not belong to the cell. hkl : indices of the simulation cell, here also fractions. path, q_max, n_q : as in
        `intermediate_scattering`. shells : equal shells of |q| that are averaged, 0 for none; of q, hkl and path none are.
    windows, lags, reference : as in `msd`. longest : longest lag in ps, by default all that a window holds.
    ions : "all", one of so many of each species, drawn at random, of all alike or by species (Li=8,Cl=1), or "auto": as many as keep the work,
        a phase for each ion, wave vector and frame, within phase_budget, all species having the same share and small ones taken whole; what was
        taken is in the history (ion_stride, and ions_taken in each window). Every window has ions of its own, so that the scatter of windows
        holds what ions differ by for good, of a species of which one ion in `windows` or fewer is taken; of more, windows share ions, and it
        holds the less the more they do.
    phase_budget : how many phases are made at most where ions is "auto"; the default takes seconds.
    convention : "dynasor" divides by all atoms in place of those of the species; "mdanse" as here.

    Returns `intermediate_scattering_self` (window, species, q, lag), `n_wave_vectors` (q). Where an ion stays, F_s levels off at the
    elastic incoherent structure factor; where it diffuses, F_s -> exp(-D q^2 t) at small q: widths and models in `quasielastic_width`,
    which needs lags="all".
    Raises TrajectoryError (uneven frames), NotEnoughData, ValueError. Source: reference/science.md B5.

    >>> from mdtools import synthetic
    >>> walk = synthetic.brownian(n_atoms=40, n_frames=500, diffusivity=1.0)
    >>> F = intermediate_scattering_self(walk, q=[1.0], lags=[1.0], reference="none").intermediate_scattering_self
    >>> bool(abs(F.mean() - np.exp(-1.0)) < 0.03)
    True
    """
    who = "intermediate_scattering_self"
    traj.need("scaled_positions", who=who)
    length, interval, frames = correlation_times(traj, windows, lags, longest, who=who)
    indices, average = _chosen(traj, who, q=q, hkl=hkl, path=path, q_max=q_max, n_q=n_q, shells=shells)
    stride = _strides(traj, ions, phase_budget, float(len(indices)) * windows * length)
    values, taken = self_correlation(traj, indices, windows=windows, frames=frames, reference=reference, ion_stride=stride)
    values = values * per_ion(traj, convention)[:, None, None]
    out = {
        **common(traj),
        "intermediate_scattering_self": (("window", "species", "q", "lag"), average.mean(values, 2)),
        "window": window_starts(traj, windows),
        "lag": lag_times(frames, interval),
        **average.described(),
    }
    found: dict[str, Any] = {"reference": taken, "frames_unused": traj.n_frames - windows * length}
    found["ions_taken"] = {name: -(-len(traj.indices(name)) // one) for name, one in stride.items()}
    found |= {"ion_stride": stride} if ions == "auto" else {}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found)


def _strides(traj: Trajectory, ions: Any, budget: float, per_ion: float) -> dict[str, int]:
    """One of how many ions of each species: what was asked for, or what keeps the work, so much for each ion, within a budget."""
    sizes = {name: len(traj.indices(name)) for name in traj.species_names}
    if isinstance(ions, str) and ions == "auto":
        return strides_within(budget, per_ion, sizes, name="phase_budget")
    if isinstance(ions, Mapping):
        if set(ions) != set(sizes):
            raise ValueError(f"ions={dict(ions)!r}: write one of how many ions for each species of the run, {', '.join(sizes)}")
        stride = dict(ions)
    else:
        stride = dict.fromkeys(sizes, 1 if isinstance(ions, str) and ions == "all" else ions)
    most = max(sizes.values())
    if any(isinstance(one, bool) or not isinstance(one, int | np.integer) or not 1 <= one <= most for one in stride.values()):
        raise ValueError(f'ions={ions!r} is not understood; write "auto", "all" or one of how many ions, 1 to {most}, of all species or by species')
    return {name: min(int(one), sizes[name]) for name, one in stride.items()}


def correlation_times(
    traj: Trajectory, windows: int, lags: str | Sequence[float], longest: float | None, *, who: str
) -> tuple[int, float, np.ndarray]:
    """Frames of a window, time between frames, and lags in frames."""
    length = window_length(traj, windows, who=who)
    interval = even_interval(traj, who=who)
    most = length - 1
    if longest is not None:
        if not 0 < longest <= most * interval * (1 + 1e-9):
            raise ValueError(
                f"{who}: longest={longest!r}; write a time in ps, up to {most * interval:g}, the length of a window, or pass fewer windows"
            )
        most = max(1, round(longest / interval))
    return length, interval, lag_frames(lags, longest=most, frame_interval=interval)


def check_convention(convention: str | None) -> None:
    """Raises ValueError for a word that is no peer's."""
    if convention not in (None, "dynasor", "mdanse"):
        raise ValueError(f'convention={convention!r} is not understood; write "dynasor" or "mdanse", or leave it out')


def per_ion(traj: Trajectory, convention: str | None) -> np.ndarray:
    """Factor of a mean over the ions of each species: dynasor divides by all atoms."""
    check_convention(convention)
    sizes = np.array([len(traj.indices(name)) for name in traj.species_names], dtype=np.float64)
    return sizes / traj.n_atoms if convention == "dynasor" else np.ones(len(sizes))


def self_correlation(
    traj: Trajectory,
    indices: np.ndarray,
    *,
    windows: int,
    frames: np.ndarray,
    reference: Sequence[str] | str | None,
    ion_stride: Mapping[str, int] | None = None,
) -> tuple[np.ndarray, Any]:
    """F_s (window, species, q, lag) at indices of the mean cell, whole or not, and the reference that was taken.

    ion_stride : one of so many ions of each species stands for all, others in each window; by default all are taken.
    """
    cell, shift, taken = frame_of(traj, reference, "positions")  # of all ions
    groups = species_groups(traj)
    n_groups = int(groups.max()) + 1
    vectors = in_cycles(np.asarray(indices, dtype=np.float64), traj.mean_cell)
    length, longest = traj.n_frames // windows, int(frames[-1])
    out = np.empty((windows, n_groups, len(indices), len(frames)))
    for seen in _seen(traj, ion_stride, windows, length):
        here = cell[seen.frames] if cell.ndim == 3 else cell, shift[seen.frames]
        for q, power in _powers(seen, *here, _shares(groups[seen.ions], n_groups), vectors, longest=longest):
            with jax.enable_x64(True):
                out[seen.windows, :, q] = np.asarray(from_power(power, n=length, longest=longest))[..., frames]
    return out, taken


class _Seen(NamedTuple):
    """Some windows and the ions that are seen in them: which frames of the run, and which of those that the trajectory of these ions has."""

    windows: slice
    number: int
    traj: Trajectory
    ions: np.ndarray
    frames: slice
    part: slice


def _seen(traj: Trajectory, stride: Mapping[str, int] | None, windows: int, length: int) -> Iterator[_Seen]:
    """All windows with all ions; or each on its own with ions of its own, one of so many: the scatter of windows then holds that of ions."""
    whole = slice(0, windows * length)
    if stride is None or set(stride.values()) == {1}:
        yield _Seen(slice(0, windows), windows, traj, np.arange(traj.n_atoms), whole, whole)
        return
    for k in range(windows):
        ions, frames = some_of_each(traj, stride, draw=k), slice(k * length, (k + 1) * length)
        if traj.unwrap == "tor":  # steps are summed from the first frame on, in the mean cell of the run
            yield _Seen(slice(k, k + 1), 1, traj.select(ions), ions, frames, frames)
        else:
            yield _Seen(slice(k, k + 1), 1, every(traj, 1, frames).select(ions), ions, frames, slice(0, length))


def _powers(
    seen: _Seen, cell: np.ndarray, shift: np.ndarray, share: np.ndarray, vectors: np.ndarray, *, longest: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """(which wave vectors, sum over ions of share times the power of exp(i q . r), (window, group, q, frequency)): some at a time."""
    n_atoms, n_groups = share.shape
    series = seen.number * (len(shift) // seen.number + longest)
    most = block_bytes() // (8 * 3 * len(shift) + 6 * 16 * series)
    block = evenly(n_atoms, split(int(np.clip(most, 1, min(ATOMS, n_atoms))), n_atoms))
    some = max(1, block_bytes() // (3 * 8 * n_groups * series))
    for first in range(0, len(vectors), some):
        q = slice(first, min(first + some, len(vectors)))

        def of(visited: tuple[slice, np.ndarray], q: slice = q) -> Any:
            atoms, values = visited
            weights = np.zeros((block, n_groups))
            weights[: atoms.stop - atoms.start] = share[atoms]
            return self_power(values, cell, shift, weights, vectors[q], windows=seen.number, longest=longest)

        total: Any = 0.0
        for _, part in in_turn(seen.traj.over_atoms(block=block, frames=seen.part, shared=True), of, each_core=False):
            total = total + np.asarray(part)
        yield q, shares.summed(np.asarray(total))


def _shares(groups: np.ndarray, n_groups: int) -> np.ndarray:
    """(atom, group): what each atom counts in the mean of its group."""
    share = np.zeros((len(groups), n_groups))
    share[np.arange(len(groups)), groups] = 1.0 / np.bincount(groups, minlength=n_groups)[groups]
    return share


def _chosen(traj: Trajectory, who: str, *, q: Any, hkl: Any, path: Any, q_max: Any, n_q: int, shells: int | None) -> tuple[np.ndarray, Shells]:
    """Indices, and how they are averaged: shells of |q|, or the directions of each wave number."""
    if q is None:
        indices, named = chosen(traj, hkl=hkl, path=path, q_max=q_max, n_q=n_q, who=who, fractional=True)
        return indices, shells_of(traj, indices, 0 if named else shells, named=named)
    numbers = np.atleast_1d(np.asarray(q, dtype=np.float64))
    if hkl is not None or path is not None or q_max is not None:
        raise ValueError(f"{who}: pass q=, or wave vectors of the cell by hkl=, path= or q_max=, not both")
    if numbers.ndim != 1 or len(numbers) == 0 or not np.all(numbers > 0):
        raise ValueError(f"{who}: q={q!r} is not understood; write positive wave numbers in 1/angstrom")
    vectors = (numbers[:, None, None] * DIRECTIONS / (2 * np.pi)).reshape(-1, 3)
    share = np.kron(np.eye(len(numbers)), SHARES[:, None])
    return vectors @ traj.mean_cell.T, Shells(numbers, np.full(len(numbers), len(SHARES)), share, None)
