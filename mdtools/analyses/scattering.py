"""Coherent scattering in time: correlations of density modes by pair of species, and their spectra."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.chosen_waves import Chosen, Convention, per_pair
from mdtools.analyses.labels import common, lag_times
from mdtools.analyses.sampled import stretch_within, waves_within
from mdtools.analyses.scattering_lengths import Weights
from mdtools.analyses.scattering_lengths import incoherent as incoherent_lengths
from mdtools.analyses.self_scattering import correlation_times, per_ion, self_correlation
from mdtools.analyses.wave_vectors import SHELLS
from mdtools.kernels.scattering import even_spectrum, mode_correlations
from mdtools.trajectory import Trajectory

__all__ = ["dynamic_structure_factor", "intermediate_scattering"]

PHASES = 6e8  # that are summed unless told: a few seconds on one core
USUAL = 300  # wave vectors unless told, of a run that is not long
FWHM = np.sqrt(8 * np.log(2))  # of a Gaussian, in standard deviations


@schema.recorded
def intermediate_scattering(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int | None = None,
    stretch: Literal["auto", "all"] | int = "auto",
    phase_budget: float = PHASES,
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
        longer the fewer, so that beyond some |q| shells of equal width hold equally many; by default 300, down to 80 in long runs, so that
        the work, a phase for each ion, wave vector and frame, keeps within phase_budget. Of q and -q one is taken.
    stretch : frames that are visited at the start of each window: "all", so many, or "auto": all, or fewer (256 at least) where else the work
        would not keep within phase_budget; lags go no further, unless they are named. What was taken is in the history.
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
    waves = waves_within(n_q, usual=USUAL, fewest=2 * SHELLS, budget=phase_budget, per_wave=float(traj.n_atoms) * windows * length)
    which = Chosen(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=waves, shells=shells, reference=reference, weights=weights)
    seen, frames = stretch_within(
        stretch,
        length=length,
        lags=frames,
        asked=longest is not None or not isinstance(lags, str),
        budget=phase_budget,
        per_frame=float(traj.n_atoms) * windows * len(which.indices),
    )
    correlate = _of_density(int(frames[-1]))
    values, taken = which.correlations(correlate, windows=windows, length=length, stretch=seen, frames=frames, name="density")
    out = {
        **common(traj),
        "intermediate_scattering": (("window", "pair", "q", "lag"), which.by_pair(values)[0] / per_pair(traj, convention)[:, None, None]),
        **which.weighted("intermediate_scattering", values[0], ("lag",)),
        **which.coordinates(windows, lag_times(frames, interval)),
    }
    found = {"reference": taken, "frames_unused": traj.n_frames - windows * length, "stretch": seen, "window_frames": length}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found, **which.told(n_q, USUAL))


@schema.recorded
def dynamic_structure_factor(
    traj: Trajectory,
    *,
    hkl: Sequence[str] | Sequence[Sequence[int]] | None = None,
    path: Sequence[str] | None = None,
    q_max: float | None = None,
    n_q: int | None = None,
    stretch: Literal["auto", "all"] | int = "auto",
    phase_budget: float = PHASES,
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

    longest : M dt in ps, by default half a window (or stretch); the resolution is one over twice that. taper : w, "hann" takes off the
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
    length, interval, frames = correlation_times(traj, windows, "all", longest, who=who)
    waves = waves_within(n_q, usual=USUAL, fewest=2 * SHELLS, budget=phase_budget, per_wave=float(traj.n_atoms) * windows * length)
    which = Chosen(traj, who, hkl=hkl, path=path, q_max=q_max, n_q=waves, shells=shells, reference=reference, weights=weights)
    seen, frames = stretch_within(
        stretch,
        length=length,
        lags=frames,
        asked=longest is not None,
        budget=phase_budget,
        per_frame=float(traj.n_atoms) * windows * len(which.indices),
    )
    if longest is None:
        frames = frames[: max(2, (seen + 1) // 2)]
    correlate = _of_density(int(frames[-1]))
    values, taken = which.correlations(correlate, windows=windows, length=length, stretch=seen, frames=frames, name="density")
    of_lag = _lag_weights(frames * interval, taper, resolution)
    cycles = 1 / (2 * np.pi) if convention == "mdanse" else 1.0
    totals = cycles * _spectrum(values, of_lag, interval)
    each_pair = which.by_pair(totals)[0] / per_pair(traj, convention)[:, None, None]
    out = {
        **common(traj),
        "dynamic_structure_factor": (("window", "pair", "q", "frequency"), each_pair),
        **which.weighted("dynamic_structure_factor", totals[0], ("frequency",)),
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
    found = {"reference": taken, "frames_unused": traj.n_frames - windows * length, "stretch": seen, "window_frames": length}
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **found, **which.told(n_q, USUAL))


def _of_density(longest: int) -> Callable[[Any, Any, Any], Any]:
    return lambda modes, pairs, _: np.asarray(mode_correlations(modes[:, 0], pairs=pairs, longest=longest))[None]


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
