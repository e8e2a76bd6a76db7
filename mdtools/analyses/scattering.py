"""Coherent scattering: correlations of density and current modes by pair of species, their spectra, and the static structure factor."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.density_modes import DensityModes
from mdtools.analyses.labels import common, even_interval, lag_times, species_pairs, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.analyses.scattering_lengths import Weights, coherent
from mdtools.analyses.scattering_lengths import incoherent as incoherent_lengths
from mdtools.analyses.self_scattering import check_convention, correlation_times, per_ion, self_correlation
from mdtools.analyses.wave_vectors import Shells, chosen, in_cycles, lengths, shells_of
from mdtools.kernels.scattering import current_correlations, even_spectrum, mean_products, mode_correlations
from mdtools.trajectory import Trajectory

__all__ = ["current_correlation", "dynamic_structure_factor", "intermediate_scattering", "structure_factor"]

Convention = Literal["dynasor", "mdanse"]
FWHM = np.sqrt(8 * np.log(2))  # of a Gaussian, in standard deviations


@schema.recorded
def intermediate_scattering(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int = 300,
    shells: int | None = None,
    windows: int = 4,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    longest: float | None = None,
    reference: Sequence[str] | str | None = None,
    weights: Weights | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Coherent intermediate scattering function F(q, t), by pair of species.

    F_ab(q, t) = 1/N Re < rho_a(q, t0) rho_b*(q, t0 + t) >, rho_s(q, t) = sum_{i in s} exp(i q . r_i(t)), over the time
    origins t0 of a window; of unlike species both orders are added, so that the sum over pairs is F of equal scatterers. N counts
    all atoms. Phases are made from scaled coordinates: in a cell that changes, the indices of q are fixed and q follows the cell.

    hkl : indices of the simulation cell, each "h k l" (or three numbers). path : corners "h k l"; all whole indices on the lines between.
    q_max : else all wave vectors up to q_max (1/angstrom), by default 1.5 times 2 pi (N/V)^(1/3), n_q : thinned to about so many, the
        longer the fewer, so that beyond some |q| shells of equal width hold equally many. Of q and -q one is taken.
    shells : average over this many equal shells of |q|; 0 keeps every wave vector; by default 40, and 0 for hkl and path.
    windows, lags, reference : as in `msd`. longest : longest lag in ps, by default all that a window holds.
    weights : also the total as "neutron" (coherent, b_a b_b F_ab, fm^2) or "xray" (f_a(q) f_b(q) F_ab, electrons squared) see it, per atom;
        species are natural elements, the label or what it starts with.
    convention : "dynasor" (the same numbers), or "mdanse": one order of unlike species, over sqrt(N_a N_b) in place of N.

    Returns `intermediate_scattering` (window, pair, q, lag), with weights `neutron_intermediate_scattering` or `xray_intermediate_scattering`
    (window, q, lag), `n_wave_vectors` (q), and without shells `miller_index` (q, cell_axis).
    Raises TrajectoryError, NotEnoughData, ValueError. Source: reference/science.md B5; thinning: E. Fransson et al., Adv. Theory Simul.
    4, 2000240 (2021).

    >>> from mdtools import synthetic
    >>> gas = synthetic.brownian(n_atoms=40, n_frames=400, diffusivity=1.0, length=10.0)
    >>> F = intermediate_scattering(gas, hkl=["1 0 0", "0 1 0", "0 0 1"], shells=1, windows=1, reference="none").intermediate_scattering
    >>> float(F.sum("pair").sel(lag=0.0).item().__round__(0))  # an ideal gas: 1 exp(-D q^2 t)
    1.0
    """
    who = "intermediate_scattering"
    length, interval, frames = correlation_times(traj, windows, lags, longest, who=who)
    which = _Which(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=n_q, shells=shells, reference=reference, weights=weights)
    values, taken = which.correlations(_of_density(int(frames[-1])), windows=windows, length=length, frames=frames)
    out = {
        **common(traj),
        "intermediate_scattering": (("window", "pair", "q", "lag"), which.by_pair(values)[0] / _per(traj, convention)[:, None, None]),
        **which.weighted("intermediate_scattering", values[0], ("lag",)),
        **which.coordinates(windows, lag_times(frames, interval)),
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=traj.n_frames - windows * length)


@schema.recorded
def dynamic_structure_factor(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int = 300,
    shells: int | None = None,
    windows: int = 4,
    longest: float | None = None,
    taper: Literal["hann", "none"] = "none",
    resolution: float | None = None,
    incoherent: bool = False,
    reference: Sequence[str] | str | None = None,
    weights: Weights | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Dynamic structure factor S(q, f), by pair of species, and with `incoherent` the self part of each species.

    S(q, f) = int F(q, t) exp(-2 pi i f t) dt over both signs of t, f in cycles, at f >= 0; as the sum
    dt [F(0) + 2 sum_{m = 1}^M w_m F(m dt) cos(2 pi f_k m dt)], f_k = k / ((2 M + 1) dt). Over f (both signs) its integral is S(q).

    longest : M dt in ps, by default half a window; the resolution is one over twice that. taper : w, "hann" takes off the
        ripples of the cut. resolution : instead, full width at half maximum (THz) of a Gaussian instrument.
    convention : "dynasor" (its numbers are in fs: 1000 times these), or "mdanse" (as in `intermediate_scattering`, and divided by 2 pi).
    The other options are those of `intermediate_scattering`.

    Returns `dynamic_structure_factor` (window, pair, q, frequency) in ps, and of the self parts `dynamic_structure_factor_self`
    (window, species, q, frequency); with weights `neutron_dynamic_structure_factor` or `xray_dynamic_structure_factor` (window, q, frequency),
    and `neutron_incoherent_structure_factor`, the self parts weighted by the incoherent cross sections over 4 pi.
    One time series a wave vector: without shells or windows S scatters by as much as it is.
    Raises TrajectoryError (uneven frames), NotEnoughData, ValueError. Source: reference/science.md B5, reference/dynamics.md 2.1.

    >>> from mdtools import synthetic
    >>> gas = synthetic.brownian(n_atoms=20, n_frames=400, length=10.0)
    >>> S = dynamic_structure_factor(gas, hkl=["2 0 0"], windows=1, reference="none", longest=2.0)
    >>> S.dynamic_structure_factor.dims, S.sizes["frequency"]
    (('window', 'pair', 'q', 'frequency'), 21)
    """
    who = "dynamic_structure_factor"
    if longest is None:
        longest = (window_length(traj, windows, who=who) - 1) // 2 * even_interval(traj, who=who)
    length, interval, frames = correlation_times(traj, windows, "all", longest, who=who)
    which = _Which(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=n_q, shells=shells, reference=reference, weights=weights)
    values, taken = which.correlations(_of_density(int(frames[-1])), windows=windows, length=length, frames=frames)
    each_pair = which.by_pair(values)[0] / _per(traj, convention)[:, None, None]
    of_lag = _lag_weights(frames * interval, taper, resolution)
    cycles = 1 / (2 * np.pi) if convention == "mdanse" else 1.0
    out = {
        **common(traj),
        "dynamic_structure_factor": (("window", "pair", "q", "frequency"), cycles * _spectrum(each_pair, of_lag, interval)),
        **which.weighted("dynamic_structure_factor", cycles * _spectrum(values[0], of_lag, interval), ("frequency",)),
        "frequency": np.arange(len(frames)) / ((2 * len(frames) - 1) * interval),
        **which.coordinates(windows, None),
    }
    if incoherent:
        each = which.shells.mean(self_correlation(traj, which.indices, windows=windows, frames=frames, reference=reference)[0], 2)
        spectra = cycles * _spectrum(each, of_lag, interval)
        out["dynamic_structure_factor_self"] = (("window", "species", "q", "frequency"), per_ion(traj, convention)[:, None, None] * spectra)
        if weights == "neutron":
            share = incoherent_lengths(traj, who=who) * per_ion(traj, "dynasor")
            out["neutron_incoherent_structure_factor"] = (("window", "q", "frequency"), np.einsum("s,wsqf->wqf", share, spectra))
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=traj.n_frames - windows * length)


@schema.recorded
def structure_factor(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int = 2000,
    shells: int | None = None,
    windows: int = 4,
    reference: Sequence[str] | str | None = None,
    weights: Weights | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Static structure factor S(q), by pair of species.

    S_ab(q) = 1/N Re < rho_a(q) rho_b*(q) >, both orders of unlike species added: the sum over pairs is S(q) of equal scatterers,
    Bragg peaks and diffuse scattering together, and 1 of an ideal gas. Frames may be unevenly spaced. Options as in
    `intermediate_scattering`.

    Returns `structure_factor` (window, pair, q), and with weights `neutron_structure_factor` or `xray_structure_factor`
    (window, q). Raises TrajectoryError, NotEnoughData, ValueError. Source: reference/science.md A2 row 24.

    >>> from mdtools import synthetic
    >>> S = structure_factor(synthetic.brownian(n_atoms=40, n_frames=200), windows=1, reference="none").structure_factor
    >>> float(S.sum("pair").mean().round(1))
    1.0
    """
    who = "structure_factor"
    traj.need("scaled_positions", who=who)
    length = window_length(traj, windows, who=who, shortest=1)
    which = _Which(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=n_q, shells=shells, reference=reference, weights=weights)

    def square(modes: np.ndarray, pairs: Any, _: Any) -> Any:
        return mean_products(modes[:, 0], pairs=pairs)[None, :, :, None]

    values, taken = which.correlations(square, windows=windows, length=length, frames=np.zeros(1, dtype=int))
    out = {
        **common(traj),
        "structure_factor": (("window", "pair", "q"), which.by_pair(values)[0, ..., 0] / _per(traj, convention)[:, None]),
        **which.weighted("structure_factor", values[0, ..., 0], ()),
        **which.coordinates(windows, None),
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=traj.n_frames - windows * length)


@schema.recorded
def current_correlation(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int = 100,
    shells: int | None = None,
    windows: int = 4,
    lags: Literal["all", "log"] | Sequence[float] = "all",
    longest: float | None = None,
    reference: Sequence[str] | str | None = None,
    convention: Convention | None = None,
) -> xr.Dataset:
    """Longitudinal and transverse current correlations C_L(q, t) and C_T(q, t), by pair of species.

    C_L,ab = 1/N Re < (e.j_a)(t0) (e.j_b)*(t0 + t) >, e = q/|q|, j_s(q, t) = sum_{i in s} v_i exp(i q . r_i), and C_T half of
    1/N Re < j_a . j_b* > of what is left across q; both orders of unlike species added. C_L(0) = C_T(0) = k_B T / m of one species, and
    C_L = -(d^2/dt^2) F / q^2. Velocities are those of the frame of reference, and e follows the cell. Options as in
    `intermediate_scattering`; the numbers of dynasor are in angstrom^2/fs^2.

    Returns `longitudinal_current_acf` and `transverse_current_acf` (window, pair, q, lag) in angstrom^2/ps^2.
    Raises TrajectoryError (no velocities, uneven frames), NotEnoughData, ValueError for q = 0, which has no direction.

    >>> from mdtools import synthetic
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=20, n_frames=600, seed=1)
    >>> C = current_correlation(gas, hkl=["1 0 0", "0 1 0"], shells=1, windows=1, reference="none", lags=[0.0])
    >>> kt_over_m = 1000 * 8.617e-5 / (20 * 1.0364e-4)
    >>> bool(abs(C.transverse_current_acf.sum("pair").item() / kt_over_m - 1) < 0.3)
    True
    """
    who = "current_correlation"
    traj.need("scaled_positions", "velocities", who=who)
    length, interval, frames = correlation_times(traj, windows, lags, longest, who=who)
    which = _Which(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=n_q, shells=shells, reference=reference)
    if not np.all(np.any(which.indices, axis=1)):
        raise ValueError(f"{who}: q = 0 has no direction, along which a current could be longitudinal; leave out 0 0 0")

    def correlate(modes: np.ndarray, pairs: Any, at: tuple[slice, slice]) -> Any:
        return current_correlations(modes, _directions(traj, which.indices[at[0]], at[1]), pairs=pairs, longest=int(frames[-1]))

    values, taken = which.correlations(correlate, windows=windows, length=length, frames=frames, currents=True)
    values = which.by_pair(values) / _per(traj, convention)[:, None, None]
    dims = ("window", "pair", "q", "lag")
    out = {
        **common(traj),
        "longitudinal_current_acf": (dims, values[0]),
        "transverse_current_acf": (dims, values[1]),
        **which.coordinates(windows, lag_times(frames, interval)),
    }
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=traj.n_frames - windows * length)


class _Which:
    """The wave vectors and shells that the options of a measurement mean, and correlations of its modes there."""

    def __init__(
        self, traj: Trajectory, who: str, *, hkl: Any, path: Any, q_max: Any, n_q: int, shells: int | None, reference: Any, weights: str | None = None
    ) -> None:
        traj.need("scaled_positions", who=who)
        self.traj, self.reference, self.weights = traj, reference, weights
        self.indices, named = chosen(traj, hkl=hkl, path=path, q_max=q_max, n_q=n_q, who=who)
        self.shells: Shells = shells_of(traj, self.indices, shells, named=named)
        self.seen: np.ndarray | None = None
        if weights is not None:
            first, second, _ = species_pairs(traj)
            lengths_of = coherent(traj, weights, lengths(traj, self.indices), who=who)
            self.seen = lengths_of[first] * lengths_of[second] / traj.n_atoms  # (pair, q)

    def correlations(
        self, correlate: Callable[[Any, Any, Any], Any], *, windows: int, length: int, frames: np.ndarray, currents: bool = False
    ) -> tuple[np.ndarray, Any]:
        """(quantity, window, pair, q, lag) of correlate(modes, pairs, (which q, which frames)), and the reference that was taken.

        With weights one pair more: their total, weighted at each wave vector before shells are averaged.
        """
        first, second, names = species_pairs(self.traj)
        pairs = tuple(zip(first.tolist(), second.tolist(), strict=True))
        modes = DensityModes(self.traj, reference=self.reference, currents=currents)
        n_pairs = len(names) + (self.seen is not None)
        out = np.zeros((2 if currents else 1, windows, n_pairs, len(self.shells.q), len(frames)))
        for window, part, values in modes.over(self.indices, windows=windows, length=length):
            with jax.enable_x64(True):
                found = np.asarray(correlate(values, pairs, (part, slice(window * length, (window + 1) * length))))[..., frames]
            if self.seen is not None:
                total = np.einsum("cpql,pq->cql", found, self.seen[:, part])
                found = np.concatenate([found, total[:, None]], axis=1)
            if self.shells.indices is not None:
                out[:, window, :, part] = found
            else:
                out[:, window] += np.einsum("cpql,qs->cpsl", found, self.shells.share[part], optimize=True)
        return out, modes.taken

    def by_pair(self, values: np.ndarray) -> np.ndarray:
        """Without the weighted total."""
        return values if self.seen is None else values[:, :, :-1]

    def weighted(self, name: str, values: np.ndarray, last: tuple[str, ...]) -> dict[str, Any]:
        """The weighted total under its name, from values (window, pair, q, ...)."""
        return {} if self.seen is None else {f"{self.weights}_{name}": (("window", "q", *last), values[:, -1])}

    def coordinates(self, windows: int, lag: np.ndarray | None) -> dict[str, Any]:
        out = {"window": window_starts(self.traj, windows), "pair": species_pairs(self.traj)[2], **self.shells.described()}
        return out if lag is None else out | {"lag": lag}


def _of_density(longest: int) -> Callable[[Any, Any, Any], Any]:
    return lambda modes, pairs, _: mode_correlations(modes[:, 0], pairs=pairs, longest=longest)[None]


def _per(traj: Trajectory, convention: str | None) -> np.ndarray:
    """What the products of each pair are divided by."""
    check_convention(convention)
    first, second, _ = species_pairs(traj)
    if convention != "mdanse":
        return np.full(len(first), float(traj.n_atoms))
    sizes = np.array([len(traj.indices(name)) for name in traj.species_names], dtype=np.float64)
    return np.sqrt(sizes[first] * sizes[second]) * np.where(first == second, 1.0, 2.0)


def _lag_weights(t: np.ndarray, taper: str, resolution: float | None) -> np.ndarray:
    if taper not in ("hann", "none"):
        raise ValueError(f'taper={taper!r} is not understood; write "hann" or "none"')
    if resolution is not None and not (resolution > 0 and taper == "none"):
        raise ValueError(f'resolution={resolution!r}; write a positive width in THz, with taper="none"')
    if resolution is not None:
        return np.asarray(np.exp(-2 * (np.pi * resolution / FWHM * t) ** 2))
    return np.ones(len(t)) if taper == "none" else np.cos(np.pi * np.arange(len(t)) / (2 * len(t))) ** 2


def _spectrum(values: np.ndarray, weights: np.ndarray, interval: float) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(even_spectrum(values, weights, np.float64(interval)))


def _directions(traj: Trajectory, indices: np.ndarray, frames: slice) -> np.ndarray:
    """Unit vectors of q in the cell of each frame, (q, xyz, frame)."""
    cell = np.asarray(traj.cell[frames], dtype=np.float64)
    q = in_cycles(indices, cell[:1] if traj.fixed_cell else cell)
    unit = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return np.broadcast_to(np.moveaxis(unit, 0, -1), (len(indices), 3, len(cell))).copy()
