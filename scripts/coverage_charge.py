"""Do the intervals of conductivity, Haven ratio and transference numbers contain the truth as often as they say? Prints the table of README.

    python scripts/coverage_charge.py [--replicas 10000] [--minutes 20] [--seed 1] [--only "three species"] [--jobs 1] [--check]

Every replica is a run of ions whose velocities have exactly known spectra: v_i = a_i + b_p + sum_m c_im u_m, a_i Langevin (first-order
autoregression) and independent, b_p the motion of a bound pair, u_m modes that ions share: flows in which species drag each other along or hold each
other back, and optical modes, which have nothing at f = 0. Drawn on a circle four times as long and cut, so that what the ends of windows do is
in it; positions are their sums. Displacements, dipoles and spectra are measured with NumPy for many runs at once, and estimated by the functions of
mdtools.statistics that `self_diffusivity`, `ionic_conductivity`, `haven_ratio`, `onsager` and `transference_number` call, for a batch. With --check
(and in the tests) the first runs of each kind are also made trajectories and taken through these public functions: the numbers must be the same.
sigma and H_R by their intervals, t by +-1.96 stderr. "quoted / true sd" is the root mean square of the
standard errors over the scatter; "bias" is in units of that scatter. A run whose sigma is refused with a bound counts as covered when the truth is
below the bound. The rows grow together, a batch each in turn, and the table is printed at the end, after --minutes, or when the process is ended by
Ctrl-C or SIGTERM. Replica 17 of a seed is the same run whatever the options.
The table of README: --replicas 10000 --seed 83 --jobs 2 --minutes 85 (some 40 ms of processor a run).
"""

import argparse
import functools
import itertools
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would take coverage.py for the package of its name

import numpy as np
from numpy.typing import NDArray
from scipy import fft

import mdtools as md
from mdtools.analyses.blocks import time_blocks
from mdtools.errors import NotEnoughData
from mdtools.statistics import covariance
from mdtools.statistics.conductivity import (
    BOUNDED,
    Alone,
    Estimate,
    combined,
    dipole_slope,
    einstein_helfand,
    green_kubo,
    haven_interval,
    route_correlation,
    steep_alone,
    sum_stderr,
    weight_of_first,
)
from mdtools.statistics.cross_spectral import ZeroFrequencyMatrix, zero_frequency_matrices
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.onsager import basis, by_current, by_dipole
from mdtools.statistics.onsager import combined as combined_shares
from mdtools.statistics.spectral import followed, zero_frequencies
from mdtools.statistics.stretches import in_common
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI

Floats = NDArray[Any]
Spectrum = Callable[[Floats], Floats]
Found = dict[str, Floats]
INTERVAL, LENGTH, TEMPERATURE = 0.02, 20.0, 1000.0
PART, DRAWN = 200, 10  # replicas estimated, and drawn, at once
FORMS = 48  # of covariances, that depend on the lags alone and are kept

covariance._form = functools.lru_cache(maxsize=FORMS)(covariance._form.__wrapped__)


def langevin(memory: float) -> Spectrum:
    """Variance 1, forgets in `memory` frames."""
    keep = np.exp(-1 / memory)
    return lambda f: (1 - keep**2) / (1 - 2 * keep * np.cos(2 * np.pi * f) + keep**2)


def optical(at: float, damping: float, power: float) -> Spectrum:
    """Velocity of a damped oscillator, in cycles a frame; `power` at its maximum, 0 at f = 0."""
    return lambda f: power * (damping * f) ** 2 / ((at**2 - f**2) ** 2 + (damping * f) ** 2)


@dataclass(frozen=True)
class Kind:
    """Ions of each species, their charges, the spectra of their own velocities, modes with what each species feels of them, and of bound pairs (ion k
    of the first species with ion k of the second) the spectrum of what both do together."""

    n_ions: tuple[int, ...]
    charges: tuple[float, ...]
    own: tuple[Spectrum, ...]
    modes: tuple[tuple[tuple[float, ...], Spectrum], ...] = ()
    pair: Spectrum | None = None
    n_frames: int = 1000
    windows: int = 4

    @property
    def species(self) -> Floats:
        return np.repeat(np.arange(len(self.n_ions)), self.n_ions)

    def matrix(self, f: Floats) -> Floats:
        """S(f) of the currents of species along one axis, units of SPEED^2 a frame: (frequency, species, species)."""
        ions, charge = np.array(self.n_ions), np.array(self.charges)
        out = np.einsum("sf,st->fst", [own(f) for own in self.own], np.diag(ions * charge**2))
        if self.pair is not None:
            out = out + ions[0] * np.outer(charge, charge) * self.pair(f)[:, None, None]
        for felt, spectrum in self.modes:
            each = ions * charge * np.array(felt)
            out = out + np.outer(each, each) * spectrum(f)[:, None, None]
        return out

    def alone(self) -> Floats:
        """What the ions would add to it independently, by species."""
        zero = np.zeros(1)
        each = np.array([float(own(zero)[0]) for own in self.own])
        if self.pair is not None:
            each = each + self.pair(zero)[0]
        for felt, spectrum in self.modes:
            each = each + np.square(felt) * spectrum(zero)[0]
        return np.array(self.n_ions) * np.square(self.charges) * each

    def truth(self) -> dict[str, float]:
        matrix = self.matrix(np.zeros(1))[0]
        total = matrix.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"sigma": total * per_spectrum(), "H_R": self.alone().sum() / total, "t of the first species": matrix[0].sum() / total}

    def velocities(self, random: np.random.Generator) -> Floats:
        """Of one run, (ion, xyz, frame) in angstrom / ps."""
        circle = 4 * self.n_frames
        f = np.fft.rfftfreq(circle)

        def drawn(spectra: list[Spectrum]) -> Floats:
            waves = random.standard_normal((len(spectra), 3, len(f), 2)).view(np.complex128)[..., 0]
            return np.asarray(fft.irfft(waves * np.sqrt(np.array([one(f) for one in spectra]) * circle / 2)[:, None], axis=-1)[..., : self.n_frames])

        velocity = drawn([self.own[s] for s in self.species])
        if self.pair is not None:
            velocity += np.tile(drawn([self.pair] * self.n_ions[0]), (2, 1, 1))
        for felt, spectrum in self.modes:
            velocity += np.array(felt)[self.species][:, None, None] * drawn([spectrum])
        return SPEED * velocity

    def trajectory(self, velocity: Floats) -> Trajectory:
        return Trajectory(
            scaled_positions=np.cumsum(velocity.transpose(2, 0, 1), axis=0) * INTERVAL / LENGTH,
            velocities=velocity.transpose(2, 0, 1),
            cell=np.broadcast_to(LENGTH * np.eye(3), (self.n_frames, 3, 3)).copy(),
            time=np.arange(self.n_frames) * INTERVAL,
            species=np.array(["A", "B", "C", "D"])[self.species],
            masses=np.full(len(self.species), 20.0),
            charges=np.array(self.charges)[self.species],
            temperature=TEMPERATURE,
            source="coverage_charge",
        )


def per_diffusivity() -> float:
    """S/m per e^2 angstrom^2 / ps."""
    return CONDUCTIVITY_TO_SI / (LENGTH**3 * BOLTZMANN * TEMPERATURE)


def per_spectrum() -> float:
    """S/m per SPEED^2 a frame of the spectrum along an axis."""
    return SPEED**2 * INTERVAL * per_diffusivity() / 2


SPEED = 5.0  # angstrom / ps along an axis
ION = langevin(5.0)
NEUTRAL = (((0.8, 0.8), langevin(4.0)), ((0.5, -0.5), optical(0.2, 0.1, 4.0)))
KINDS = {
    "independent, 200 correlation times": Kind((8, 8), (1.0, -1.0), (ION, langevin(2.5))),
    "dragged along (H_R 0.45)": Kind((8, 8), (1.0, -1.0), (ION, ION), (((0.4, 0.0), langevin(4.0)), ((0.1, -0.2), langevin(2.5)))),
    "neutral motion (H_R 1.4), optical mode": Kind((8, 8), (1.0, -1.0), (ION, ION), NEUTRAL),
    "three species": Kind(
        (8, 4, 4),
        (1.0, -1.0, -1.0),
        (ION, langevin(2.0), langevin(3.0)),
        (((0.3, -0.2, 0.0), langevin(4.0)), ((0.3, -0.3, -0.3), optical(0.2, 0.1, 4.0))),
    ),
    "12 of +1 and 4 of -3, memories 9 and 1.5": Kind((12, 4), (1.0, -3.0), (langevin(9.0), langevin(1.5)), (((0.2, -0.1), langevin(3.0)),)),
    "6 of +1, 6 of +2, 3 of -6": Kind(
        (6, 6, 3), (1.0, 2.0, -6.0), (langevin(1.2), langevin(7.0), langevin(4.0)), (((0.3, 0.3, 0.1), langevin(6.0)),)
    ),
    "bound pairs (sigma 0)": Kind((8, 8), (1.0, -1.0), (optical(0.2, 0.1, 1.0),) * 2, pair=ION),
    "20 correlation times, optical mode": Kind((8, 8), (1.0, -1.0), (ION, ION), NEUTRAL, n_frames=100),
    "20 correlation times, one window": Kind((8, 8), (1.0, -1.0), (ION, ION), n_frames=100, windows=1),
}


@dataclass(frozen=True)
class Measured:
    """Of a batch of runs: what the measurements of mdtools hold of each, lags and lengths in frames."""

    msd: Floats  # (run, species, axis, lag)
    block_msd: Floats  # (run, species, axis, length, block)
    ion_msd: Floats  # (run, ion, length)
    dipole: Floats  # (run, axis, lag)
    dipoles: Floats  # (run, lag, species, species)
    block_dipole: Floats  # (run, axis, length, block)
    spectra: Floats  # (run, frequency, species, species), mean over windows
    spectrum_self: Floats  # (run, frequency)


def displacements(path: Floats, of: Floats | None = None) -> Floats:
    """Mean square over all origins, (..., frame) -> (..., lag); with `of` (group, ion) of (run, ion, xyz, frame) the means over groups of ions."""
    n = path.shape[-1]
    path = path - path.mean(axis=-1, keepdims=True)
    waves = fft.rfft(path, 2 * n)
    power, square = waves.real**2 + waves.imag**2, path * path
    if of is not None:
        mean = of / of.sum(axis=1, keepdims=True)
        power, square = ((mean @ one.reshape(*one.shape[:2], -1)).reshape(len(one), len(of), *one.shape[2:]) for one in (power, square))
    products = fft.irfft(power, 2 * n)[..., :n]
    ahead = np.cumsum(square, axis=-1)
    either = ahead[..., ::-1] + ahead[..., -1:] - np.concatenate([np.zeros_like(ahead[..., :1]), ahead[..., :-1]], axis=-1)
    found = (either - 2 * products) / (n - np.arange(n))
    found[..., 0] = 0.0
    return np.asarray(found)


def measured(kind: Kind, velocity: Floats) -> Measured:
    """Of (run, ion, xyz, frame)."""
    n, kinds, charge = kind.n_frames, len(kind.n_ions), np.array(kind.charges)
    of = kind.species[None, :] == np.arange(kinds)[:, None]
    path = np.cumsum(velocity, axis=-1) * INTERVAL
    blocks = time_blocks(n)
    step = path[..., blocks.last] - path[..., blocks.first]
    ion_blocks = blocks.by_length(step * step)
    parts = np.einsum("si,rixt->rsxt", of * charge[:, None], path)
    whole = parts.sum(axis=1)
    each, total = displacements(parts), displacements(whole)
    dipoles = np.zeros((len(path), n, kinds, kinds))
    for a in range(kinds):
        dipoles[:, :, a, a] = each[:, a].sum(axis=1)
    for a, b in itertools.combinations(range(kinds), 2):
        both = displacements(parts[:, a] + parts[:, b]).sum(axis=1)
        dipoles[:, :, a, b] = dipoles[:, :, b, a] = (both - dipoles[:, :, a, a] - dipoles[:, :, b, b]) / 2
    length = n // kind.windows
    windows = velocity[..., : kind.windows * length].reshape(*velocity.shape[:-1], kind.windows, length)
    waves = fft.rfft(np.einsum("si,rixwt->rsxwt", of * charge[:, None], windows))
    scale = INTERVAL / (length * kind.windows)
    spectra = np.einsum("rsxwf,rtxwf->rfst", waves.conj(), waves).real * scale
    alone = fft.rfft(windows)
    block_step = blocks.by_length(whole[..., blocks.last] - whole[..., blocks.first])
    return Measured(
        msd=displacements(path, of),
        block_msd=np.stack([ion_blocks[:, mask].mean(axis=1) for mask in of], axis=1),
        ion_msd=np.nanmean(ion_blocks.sum(axis=2), axis=-1),
        dipole=total,
        dipoles=dipoles,
        block_dipole=block_step * block_step,
        spectra=spectra,
        spectrum_self=np.einsum("i,rixwf->rf", np.square(charge)[kind.species], alone.real**2 + alone.imag**2) * scale,
    )


def diffusivities(kind: Kind, run: Measured) -> tuple[Floats, Floats, Floats]:
    """D of species and its stderr (run, species) in angstrom^2 / ps, where it is bounded 0 and the bound over 1.96; correlations of the errors."""
    value, stderr, first = np.zeros((3, len(run.msd), len(kind.n_ions)))
    lengths = np.array(time_blocks(kind.n_frames).lengths)
    for ions in set(kind.n_ions):
        alike = np.flatnonzero(np.array(kind.n_ions) == ions)
        by_ion = np.stack([run.ion_msd[:, kind.species == s] for s in alike], axis=1)
        blocks = (run.block_msd[:, alike], lengths)
        found = diffusion(np.arange(kind.n_frames), run.msd[:, alike], n_frames=kind.n_frames, n_ions=ions, blocks=blocks, by_ion=by_ion)
        known = ~np.isin(found.regime, BOUNDED)
        jumps = 3 * (LENGTH**3 / ions) ** (2 / 3) / (ions * kind.n_frames)
        value[:, alike] = np.where(known, found.slope, 0.0) / (6 * INTERVAL)
        stderr[:, alike] = np.where(known, found.stderr, np.maximum(found.upper, jumps) / 1.96) / (6 * INTERVAL)
        first[:, alike] = found.lag_first
    return value, stderr, np.array([in_common(blocks, lengths, lag=lag) for blocks, lag in zip(run.block_msd, first.max(axis=1), strict=True)])


def one_of(batch: Any, k: int) -> Any:
    return type(batch)(**{one.name: getattr(batch, one.name)[k] for one in fields(batch)})


def estimates(kind: Kind, run: Measured) -> Found:
    """(run, value stderr lower upper) of each quantity; NaN where it is refused, with the bound of sigma."""
    strength = np.array(kind.n_ions) * np.square(kind.charges)
    count, frames = len(run.msd), np.arange(kind.n_frames)
    none = np.full((count, 4), np.nan)
    out = {"sigma": none.copy(), "H_R": none.copy(), "t of the first species": none.copy()}
    lengths = np.array(time_blocks(kind.n_frames).lengths)
    of_ions = np.einsum("s,rsxl->rxl", strength, run.msd), np.einsum("s,rsxlb->rxlb", strength, run.block_msd)
    weight = np.square(kind.charges)[kind.species]
    alone = Alone(*of_ions, lengths, max(1, round(float(weight.sum() ** 2 / np.square(weight).sum()))))
    try:
        dipole = dipole_slope(frames, run.dipole, n_frames=kind.n_frames, windows=1, alone=alone)
    except NotEnoughData:
        return out
    einstein = einstein_helfand(dipole).scaled(per_diffusivity() / (6 * INTERVAL))
    length, series = kind.n_frames // kind.windows, 3 * kind.windows
    frequency = np.fft.rfftfreq(length, INTERVAL)
    forth, _ = basis(np.arange(len(kind.n_ions)), len(kind.n_ions))
    power = forth @ run.spectra @ forth.T
    current, correlation, matrices = Estimate(np.full(count, np.nan), *[np.full(count, np.nan)] * 3), np.zeros(count), None
    try:
        allowed = followed(frequency, run.spectrum_self, series=series, n_ions=alone.n_ions)
        limit = zero_frequencies(frequency, power[..., 0, 0], series=series, allowed=allowed)
        steep = steep_alone(frequency, run.spectrum_self, series=series * alone.n_ions)
        current = green_kubo(limit, dipole, duration=length * INTERVAL, steep=steep).scaled(per_diffusivity() / 6)
        correlation = route_correlation(dipole, limit, power[..., 0, 0], series=series, length=length)
        matrices = zero_frequency_matrices(frequency, power, series=series, allowed=allowed)
    except NotEnoughData:
        pass
    both, weight = combined(einstein, current, correlation), weight_of_first(einstein, current, correlation)
    unseen = 3 * max(c**2 * (LENGTH**3 / n) ** (2 / 3) for c, n in zip(kind.charges, kind.n_ions, strict=True)) / (6 * kind.n_frames * INTERVAL)
    bounded = np.isin(dipole.regime, BOUNDED)
    columns = [np.where(bounded, np.nan, both.value), np.where(bounded, np.nan, both.stderr), np.where(bounded, 0.0, both.lower)]
    out["sigma"] = np.stack([*columns, np.where(bounded, np.maximum(einstein.upper, per_diffusivity() * unseen), both.upper)], axis=1)
    d, d_stderr, d_together = diffusivities(kind, run)
    for k in np.flatnonzero(~bounded):
        sigma, error = out["sigma"][k, :2]
        independent = per_diffusivity() * (strength @ d[k]), per_diffusivity() * sum_stderr(strength * d_stderr[k], d_together[k])
        if independent[0] > 0:
            together = in_common(np.stack([alone.blocks[k], run.block_dipole[k]]), lengths, lag=float(dipole.lag_first[k]))[0, 1]
            stderr, ends = haven_interval(independent, Estimate(*out["sigma"][k]), together)
            out["H_R"][k] = independent[0] / sigma, stderr, *ends
        if sigma > 2 * error:
            matrix = None if matrices is None or np.isnan(current.value[k]) else one_of(matrices, k)
            share, stderr = shares(run, k, one_of(dipole, k), matrix, (float(weight[k]), float(correlation[k])), kind, length)
            out["t of the first species"][k] = share, stderr, share - 1.96 * stderr, share + 1.96 * stderr
    return out


def shares(
    run: Measured, k: int, dipole: Diffusion, matrix: ZeroFrequencyMatrix | None, routes: tuple[float, float], kind: Kind, length: int
) -> tuple[float, float]:
    """Share of the current that the first species carries, and its stderr; `routes`: the weight of the first one, and their correlation."""
    moving = np.arange(len(kind.n_ions))
    first = by_dipole(np.arange(kind.n_frames), run.dipoles[k], moving, dipole, n_frames=kind.n_frames, windows=1)
    second = None if matrix is None or matrix.refused else by_current(matrix, first, moving, duration=length * INTERVAL)
    found = combined_shares(first, second, *routes)
    return float(found.shares[0]), float(np.sqrt(max(found.shares_covariance[0, 0], 0.0)))


def by_public_functions(kind: Kind, velocity: Floats) -> dict[str, tuple[float, float]]:
    """Value and stderr of one run as a user gets them; NaN where refused."""
    traj = kind.trajectory(velocity)
    dipole = md.charge_displacement_msd(traj, reference="none")
    current = md.charge_current_acf(traj, windows=kind.windows, reference="none")
    found = dict.fromkeys(("sigma", "H_R", "t of the first species"), (np.nan, np.nan))
    try:
        sigma = md.ionic_conductivity(dipole, current)
        found["sigma"] = (float(sigma.ionic_conductivity), float(sigma.ionic_conductivity_stderr))
        haven = md.haven_ratio(md.self_diffusivity(md.msd(traj, reference="none")), sigma)
        found["H_R"] = (float(haven.haven_ratio), float(haven.haven_ratio_stderr))
        share = md.transference_number(md.onsager(dipole, current)).sel(species="A")
        found["t of the first species"] = (float(share.transference_number), float(share.transference_number_stderr))
    except md.NotEnoughData:
        pass
    return found


def checked(name: str, *, count: int, seed: int) -> float:
    """Largest relative difference of the numbers of the first runs from those of the public functions."""
    kind = KINDS[name]
    runs = [kind.velocities(np.random.default_rng([seed, k])) for k in range(count)]
    batch = estimates(kind, measured(kind, np.array(runs)))
    worst = 0.0
    for k, velocity in enumerate(runs):
        for quantity, (value, stderr) in by_public_functions(kind, velocity).items():
            found = batch[quantity][k, :2]
            if not (np.isnan(value) and np.isnan(found[0])):
                worst = max(worst, *np.abs(found / [value, stderr] - 1))
    return worst


def part(name: str, seed: int, first: int, count: int) -> Found:
    kind = KINDS[name]
    made: list[Measured] = []
    for start in range(first, first + count, DRAWN):
        numbers = range(start, min(start + DRAWN, first + count))
        made.append(measured(kind, np.array([kind.velocities(np.random.default_rng([seed, k])) for k in numbers])))
    return estimates(kind, Measured(*(np.concatenate([getattr(one, field.name) for one in made]) for field in fields(Measured))))


def batch(name: str, seed: int, first: int, count: int, pool: Any) -> Found:
    """(replica, value stderr lower upper) of each quantity, of the replicas from `first` to `first` + count."""
    tasks = [(name, seed, k, min(PART, first + count - k)) for k in range(first, first + count, PART)]
    done = pool.starmap(part, tasks) if pool else list(itertools.starmap(part, tasks))
    return {quantity: np.concatenate([one[quantity] for one in done]) for quantity in done[0]}


COLUMNS = ("run", "quantity", "runs", "refused", "95 % interval covers", "quoted / true sd", "bias / sd", "true relative sd")
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def rows(name: str, found: Found) -> list[str]:
    """Lines of the table."""
    out = []
    for quantity, truth in KINDS[name].truth().items():
        value, stderr, lower, upper = found[quantity].T
        known, told = np.isfinite(value), np.isfinite(upper)
        inside = (f"{np.mean((lower <= truth) & (truth <= upper), where=told):.1%}" + (" (bound)" if not known.any() else "")) if told.any() else "-"
        cells = [name, quantity, str(len(value)), f"{np.mean(~known):.3g}" if known.all() else f"{np.mean(~known):.2%}", inside]
        if known.sum() > 1 and np.isfinite(truth) and truth:
            scatter = value[known].std(ddof=1)
            ratio, bias = np.sqrt(np.mean(np.square(stderr[known]))) / scatter, (value[known].mean() - truth) / scatter
            cells += [f"{ratio:.2f}", f"{bias:+.2f}", f"{scatter / abs(truth):.2g}"]
        else:
            cells += ["-"] * 3
        out.append(f"| {' | '.join(cells)} |")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=np.inf, help="for the whole table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--check", action="store_true", help="only compare two runs of each kind with the public functions")
    given = parser.parse_args()
    start = time.monotonic()
    end = start + 60 * given.minutes
    names = [name for name in KINDS if given.only in name]
    if given.check:
        for name in names:
            print(f"{name}: largest relative difference {checked(name, count=2, seed=given.seed):.1e}", flush=True)
        return
    pool = multiprocessing.get_context("spawn").Pool(given.jobs) if given.jobs > 1 else None
    found: dict[str, list[Found]] = {name: [] for name in names}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    size = PART * given.jobs
    try:
        for first, name in itertools.product(range(0, given.replicas, size), names):
            if time.monotonic() > end:
                break
            found[name].append(batch(name, given.seed, first, min(size, given.replicas - first), pool))
            print(f"{name}: {first + size} runs, {(time.monotonic() - start) / 60:.1f} minutes", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("stopped: the table holds what was done", file=sys.stderr)
    print(HEADER)
    for name in names:
        if found[name]:
            print(
                "\n".join(rows(name, {quantity: np.concatenate([one[quantity] for one in found[name]]) for quantity in found[name][0]})), flush=True
            )
    if pool:
        pool.terminate()


if __name__ == "__main__":
    main()
