"""Vibrations seen in the velocities: their autocorrelation and the phonon density of states."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.differenced import Differenced, differenced
from mdtools.analyses.labels import arithmetic, common, even_interval, lag_times, tapers_of, thermal_energy, window_starts
from mdtools.analyses.over_atoms import species_groups, window_length
from mdtools.analyses.over_tiles import group_means, tile_means
from mdtools.analyses.padded import factors_of, in_frequency
from mdtools.analyses.phonons_of_others import dos_of_gpumd, welch
from mdtools.errors import TrajectoryError
from mdtools.kernels.correlation import correlation_of_power, fast_length
from mdtools.kernels.padded import padded_length
from mdtools.kernels.phonons import velocity_correlation_from_first, velocity_power, velocity_terms
from mdtools.trajectory import Trajectory

__all__ = ["phonon_dos", "velocity_acf"]


@schema.recorded
def velocity_acf(
    traj: Trajectory,
    *,
    windows: int = 8,
    origins: Literal["all", "first"] = "all",
    reference: Sequence[str] | str | None = "none",
) -> xr.Dataset:
    """Velocity autocorrelation of each species.

    C(t) = < v_i(t0) . v_i(t0 + t) > over the ions i of a species and the time origins t0 of a window.
    C(0) = 3 k_B T / m; (1/3) int_0^inf C dt = D.

    windows : as in `msd`. Velocities forget within picoseconds, so that eight windows cost no lag of interest and show
        the spread. origins : "all" (by FFT), or "first": the first frame of each window only, as LAMMPS `compute vacf`.
    reference : as in `msd`, of the velocities; "none" by default, because a drift is a finding and not to be hidden.

    Velocities made of positions are smoothed: C(t) near t = 0 is too small (the history says by which transfer function), its
        integral is not; where frames are too far apart for the vibrations they are refused.

    Returns `velocity_acf` (window, species, lag) in angstrom^2/ps^2. Uneven frames need origins="first", windows=1.
    Raises TrajectoryError (no velocities, uneven frames), NotEnoughData. Source: reference/science.md B2.

    >>> from mdtools import synthetic
    >>> gas = synthetic.ornstein_uhlenbeck(n_atoms=40, n_frames=4000, friction=5.0, seed=1)
    >>> acf = velocity_acf(gas).velocity_acf.mean("window").sel(species="A")
    >>> float((acf.sel(lag=0.2) / acf.sel(lag=0.0)).round(1))  # exp(-5 * 0.2) = 0.37
    0.4
    """
    who = "velocity_acf"
    traj.need("velocities", who=who)
    made = differenced(traj)
    if made is not None:
        made.need_spectrum(traj.temperature, who=who)
    if origins not in ("all", "first"):
        raise ValueError(f'origins={origins!r} is not understood; write "all" or "first"')
    length = window_length(traj, windows, who=who)
    direct = origins == "first" and windows == 1  # the only route that bears uneven frames
    lag = traj.time - traj.time[0] if direct else lag_times(np.arange(length), even_interval(traj, who=who))
    shared: dict[str, Any] = {"groups": species_groups(traj), "reference": reference}
    if origins == "all":
        n_fft = padded_length(2 * length)
        factors = factors_of(n_fft)
        options = {"n_fft": n_fft, "windows": windows}
        sums, _, taken = tile_means(velocity_power, traj, "velocities", arguments=(factors,), options=options, exact=True, **shared)
        power = np.moveaxis(in_frequency(sums["power"], factors), 0, 1)
        with jax.enable_x64(True):
            acf = np.asarray(correlation_of_power(power, n=length, n_fft=n_fft))
    else:
        acf, taken = group_means(velocity_correlation_from_first, traj, "velocities", windows=windows, **shared)
    out = {
        **common(traj),
        "velocity_acf": (("window", "species", "lag"), acf),
        "window": window_starts(traj, windows),
        "lag": lag,
    }
    unused = traj.n_frames - windows * length
    told = {} if made is None else made.told
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, **told)


@schema.recorded
def phonon_dos(
    traj: Trajectory,
    *,
    windows: int = 8,
    taper: Literal["hann", "multitaper", "dpss", "none"] = "hann",
    tapers: int = 5,
    reference: Sequence[str] | str | None = "none",
    cross_sections: Mapping[str, float] | None = None,
    convention: Literal["gpumd", "pwtools"] | None = None,
    correlation_time: float | None = None,
) -> xr.Dataset:
    """Phonon density of states of each species and direction, normalised by theory.

    g_s(f) = 2 / (k_B T) sum_{i in s} m_i dt |sum_k w_k v_i,k exp(-2 pi i f k dt)|^2 / sum_k w_k^2, f >= 0, with the
    stated temperature T and the taper w. The integral over f, by the trapezoidal rule (`g.integrate("frequency")`), is
    3 N_s T_w / T, T_w the temperature of the (tapered) velocities: 3 N_s is not imposed, so that it is a check.
    g_s(0) = 12 m N_s D / (k_B T): no mean is subtracted, since the mean velocity of an ion is its diffusion.

    A species is any label: relabel the atoms of a site ("Li_tet", `Trajectory.relabel`) for the density of that site.

    windows : equal parts, each with its own g; the resolution is their inverse length. They do not overlap, so that their spread is
        the error. They are padded with zeros to an even length whose transform is fast, for which the rule still holds.
    taper : "hann" keeps a strong line from leaking; "multitaper" is the mean over `tapers` orthogonal sine tapers, smooth and
        (tapers + 1) over the length of a window wide, "dpss" that over Slepian's, which leak less; "none" makes the integral exact.
    tapers : number of tapers of "multitaper" and "dpss". reference : as in `msd`, of the velocities.
    cross_sections : total neutron scattering cross section of every species, in any one unit ("Ca=2.83,F=4.018", barn), for what inelastic neutron
        scattering sees: g_n = N sum_s (sigma_s / m_s) g_s / sum_s (sigma_s / m_s) N_s, with the same integral 3 N.
    convention : "gpumd" gives the numbers of that program's compute_dos, each species a group: half a Hann taper on `correlation_time` (ps) of the
        velocity correlation, every axis normalised to N_s by its own C(0) in place of the temperature; at f = j / (2 correlation_time), the
        angular frequencies of theirs over 2 pi; a density may be negative. "pwtools": the parabola of Welch on the velocities, and zeros to twice
        their length less one; over its integral it is pwtools' curve by either method. Estimates take neither, `taper` has no say in them.
    Frames must come faster than 2.5 times the highest frequency, else lines are folded back into the spectrum. Of velocities made
        of positions the transfer function of the differences is divided out, up to four fifths of the Nyquist limit, where the
        axis ends; frames too far apart for that are refused. The kinetic temperature is then that of the integral.

    Returns `phonon_dos` (window, species, frequency) and `phonon_dos_by_direction` (window, species, direction,
    frequency) in 1/THz, with cross_sections `phonon_dos_neutron` (window, frequency),
    `kinetic_temperature` (window, species; m v^2 / 3 k_B, no degree of freedom taken off) in K,
    `frequency_resolution` (equivalent noise width of the taper: 1.5 over the length of a window for "hann"), `nyquist_frequency` in THz; of a run
    with a log `potential_energy_by_window`, which `quasi_harmonic_thermodynamics` takes.
    Raises TrajectoryError (no velocities, masses or stated temperature; uneven frames), NotEnoughData.
    Source: reference/science.md B6; g(0): Lin, Blanco, Goddard, J. Chem. Phys. 119, 11792 (2003).

    >>> from mdtools import synthetic
    >>> solid = synthetic.damped_oscillator(cells=2, n_frames=4096, frequency=3.0, damping=2.0, seed=1)
    >>> dos = phonon_dos(solid).phonon_dos.mean("window").sel(species="A")
    >>> float(dos.frequency[dos.argmax("frequency")].round(0)), int(dos.integrate("frequency") / 8 + 0.5)
    (3.0, 3)
    """
    who = "phonon_dos"
    traj.need("velocities", "masses", "temperature", who=who)
    assert traj.masses is not None
    assert traj.temperature is not None
    made = differenced(traj)
    if made is not None:
        made.need_spectrum(traj.temperature, who=who)
    length = window_length(traj, windows, who=who)
    interval, energy = even_interval(traj, who=who), thermal_energy(traj)
    if convention == "gpumd":
        if made is not None:
            raise TrajectoryError(f'{who} with convention="gpumd" needs velocities of the file, and these were made of positions: leave it out')
        shape: dict[str, Any] = {"length": length, "interval": interval, "windows": windows, "reference": reference, "who": who}
        by_direction, frequency, kinetic, taken = dos_of_gpumd(traj, correlation_time, **shape)
        width = 1.0 / (len(frequency) - 1)  # of half a Hann taper on n lags
    elif convention in (None, "pwtools"):
        weight, width = welch(length) if convention else tapers_of(taper, length, tapers)
        n_fft = 2 * length - 1 if convention else fast_length(length)
        by_direction, frequency, kinetic, taken = _of_spectra(traj, weight, n_fft, made, interval=interval, windows=windows, reference=reference)
    else:
        raise ValueError(f'convention={convention!r} is not understood; write "gpumd" or "pwtools", or leave it out')
    freedom = 3.0 * np.array([len(traj.indices(name)) for name in traj.species_names])
    out = {
        **common(traj),
        "phonon_dos": (("window", "species", "frequency"), by_direction.sum(axis=2)),
        "phonon_dos_by_direction": (("window", "species", "direction", "frequency"), by_direction),
        "kinetic_temperature": (("window", "species"), kinetic / freedom * (traj.temperature / energy)),
        "frequency_resolution": width / interval,
        "nyquist_frequency": 0.5 / interval,
        "window": window_starts(traj, windows),
        "direction": ["x", "y", "z"],
        "frequency": frequency,
    }
    if cross_sections is not None:
        out["phonon_dos_neutron"] = (("window", "frequency"), _as_neutrons_see(traj, by_direction.sum(axis=2), cross_sections, who=who))
    out |= _potential_energy(traj, windows, length)
    unused = traj.n_frames - windows * length
    told = {"arithmetic": arithmetic(traj.velocities)} | ({} if made is None else {**made.told, "transfer_undone_to": made.band})
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), reference=taken, frames_unused=unused, **told)


def _potential_energy(traj: Trajectory, windows: int, length: int) -> dict[str, Any]:
    """Mean over the rows of the log within each window; nothing where a window has none."""
    if traj.log is None or "potential_energy" not in traj.log.values:
        return {}
    edges = traj.time[: windows * length].reshape(windows, length)[:, [0, -1]]
    rows = [traj.log.between(float(first), float(last)).values["potential_energy"] for first, last in edges]
    if not all(len(one) and np.isfinite(one).all() for one in rows):
        return {}
    return {"potential_energy_by_window": ("window", np.array([one.mean() for one in rows]))}


def _of_spectra(
    traj: Trajectory,
    tapers: np.ndarray,
    n_fft: int,
    made: Differenced | None,
    *,
    interval: float,
    windows: int,
    reference: Sequence[str] | str | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Density of each species and axis (window, species, direction, frequency), frequencies, sum of m v^2 (window, species), reference."""
    energy = thermal_energy(traj)
    shared: dict[str, Any] = {"groups": species_groups(traj), "reference": reference, "weights": traj.masses}
    terms, _, taken = tile_means(velocity_terms, traj, "velocities", arguments=(tapers,), options={"windows": windows, "n_fft": n_fft}, **shared)
    by_direction = 2.0 * interval / energy * np.moveaxis(terms["power"], 1, 0)
    frequency = np.arange(n_fft // 2 + 1) / (n_fft * interval)
    if made is None:
        return by_direction, frequency, terms["square"].T, taken
    frequency = frequency[frequency <= made.band]
    by_direction = by_direction[..., : len(frequency)] / made.transfer(frequency) ** 2
    return by_direction, frequency, energy * np.trapezoid(by_direction.sum(axis=2), frequency, axis=-1), taken


def _as_neutrons_see(traj: Trajectory, dos: np.ndarray, cross_sections: Mapping[str, float], *, who: str) -> np.ndarray:
    """(window, frequency) of the densities (window, species, frequency), each weighted with sigma / m."""
    missing = [name for name in traj.species_names if name not in cross_sections]
    if missing:
        raise TrajectoryError(
            f"{who}: no cross section of {', '.join(missing)}; pass one for every species, cross_sections={{'{missing[0]}': ...}} (--cross-sections)"
        )
    assert traj.masses is not None
    each = np.array([cross_sections[name] / traj.masses[traj.indices(name)].mean() for name in traj.species_names])
    count = np.array([len(traj.indices(name)) for name in traj.species_names])
    return np.asarray(np.einsum("wsf,s->wf", dos, each) * (traj.n_atoms / np.sum(each * count)))
