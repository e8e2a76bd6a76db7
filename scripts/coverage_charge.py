"""Do the intervals of conductivity, Haven ratio and transference numbers contain the truth as often as they say? Prints the table of README.

    python scripts/coverage_charge.py [--replicas 1000] [--minutes 20] [--seed 1] [--only "three species"] [--jobs 1] [--spectra]

Every replica is a run of ions whose velocities have exactly known spectra: v_i = a_i + sum_m c_im u_m, a_i Langevin (first-order
autoregression) and independent, u_m modes that ions share: flows in which species drag each other along or hold each other back,
and optical modes, which have nothing at f = 0. Drawn on a circle four times as long and cut, so that what the ends of windows do is
in it; positions are their sums. From there on everything is mdtools as a user calls it: `msd`, `charge_displacement_msd`,
`charge_current_acf`, `self_diffusivity`, `ionic_conductivity`, `haven_ratio`, `onsager`, `transference_number`.
With --spectra the currents of species alone are drawn, and their spectral matrix is estimated (mdtools.statistics.cross_spectral), a
twentieth of the work: the Green-Kubo route by itself. sigma and H_R by their intervals (H_R and Green-Kubo by exp(+-1.96 stderr /
value)), t by +-1.96 stderr. "quoted / true sd" is the root mean square of the standard errors over the scatter; "bias" is in units
of that scatter. Replica 17 of a seed is the same run whatever the options.
"""

import argparse
import itertools
import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would take coverage.py for the package of its name

import numpy as np

import mdtools as md

from mdtools.statistics.cross_spectral import zero_frequency_matrix

from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI

Spectrum = Callable[[np.ndarray], np.ndarray]
INTERVAL, LENGTH, TEMPERATURE = 0.02, 20.0, 1000.0
REPLICA_PART = 10  # replicas of a task


def langevin(memory: float) -> Spectrum:
    """Variance 1, forgets in `memory` frames."""
    keep = np.exp(-1 / memory)
    return lambda f: (1 - keep**2) / (1 - 2 * keep * np.cos(2 * np.pi * f) + keep**2)


def optical(at: float, damping: float, power: float) -> Spectrum:
    """Velocity of a damped oscillator, in cycles a frame; `power` at its maximum, 0 at f = 0."""
    return lambda f: power * (damping * f) ** 2 / ((at**2 - f**2) ** 2 + (damping * f) ** 2)


@dataclass(frozen=True)
class Kind:
    """Ions of each species, their charges, the spectra of their own velocities, and modes with what each species feels of them."""

    n_ions: tuple[int, ...]
    charges: tuple[float, ...]
    own: tuple[Spectrum, ...]
    modes: tuple[tuple[tuple[float, ...], Spectrum], ...] = ()
    n_frames: int = 2000
    windows: int = 4

    @property
    def species(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.n_ions)), self.n_ions)

    def matrix(self, f: np.ndarray) -> np.ndarray:
        """S(f) of the currents of species along one axis, units of SPEED^2 a frame: (frequency, species, species)."""
        ions, charge = np.array(self.n_ions), np.array(self.charges)
        out = np.einsum("sf,st->fst", [own(f) for own in self.own], np.diag(ions * charge**2))
        for felt, spectrum in self.modes:
            each = ions * charge * np.array(felt)
            out = out + np.outer(each, each) * spectrum(f)[:, None, None]
        return out

    def alone(self) -> np.ndarray:
        """What the ions would add to it independently, by species."""
        zero = np.zeros(1)
        each = np.array([float(own(zero)[0]) for own in self.own])
        for felt, spectrum in self.modes:
            each = each + np.square(felt) * spectrum(zero)[0]
        return np.array(self.n_ions) * np.square(self.charges) * each

    def truth(self) -> dict[str, float]:
        matrix = self.matrix(np.zeros(1))[0]
        total = matrix.sum()
        return {"sigma": total * per_spectrum(), "H_R": self.alone().sum() / total, "t of the first species": matrix[0].sum() / total}

    def run(self, random: np.random.Generator) -> Trajectory:
        circle = 4 * self.n_frames
        f = np.fft.rfftfreq(circle)
        of_ion = np.sqrt(np.array([own(f) for own in self.own]) * circle / 2)[self.species]

        def waves(n: int) -> np.ndarray:
            return random.standard_normal((3, n, len(f))) + 1j * random.standard_normal((3, n, len(f)))

        velocity = np.fft.irfft(waves(len(of_ion)) * of_ion)[..., : self.n_frames]
        for felt, spectrum in self.modes:
            shared = np.fft.irfft(waves(1) * np.sqrt(spectrum(f) * circle / 2))[..., : self.n_frames]
            velocity += np.array(felt)[self.species][:, None] * shared
        velocity = SPEED * velocity.transpose(2, 1, 0)
        path = np.cumsum(velocity, axis=0) * INTERVAL
        return Trajectory(
            scaled_positions=(path / LENGTH).astype(np.float64),
            velocities=velocity,
            cell=np.broadcast_to(LENGTH * np.eye(3), (self.n_frames, 3, 3)).copy(),
            time=np.arange(self.n_frames) * INTERVAL,
            species=np.array(["A", "B", "C", "D"])[self.species],
            masses=np.full(len(of_ion), 20.0),
            charges=np.array(self.charges)[self.species],
            temperature=TEMPERATURE,
            source="coverage_charge",
        )


def per_spectrum() -> float:
    """S/m per SPEED^2 a frame of the spectrum along an axis."""
    return SPEED**2 * INTERVAL * CONDUCTIVITY_TO_SI / (2 * LENGTH**3 * BOLTZMANN * TEMPERATURE)


SPEED = 5.0  # angstrom / ps along an axis
ION = langevin(10.0)
KINDS = {
    "independent, 200 correlation times": Kind((8, 8), (1.0, -1.0), (ION, langevin(5.0))),
    "dragged along (H_R 0.45)": Kind((8, 8), (1.0, -1.0), (ION, ION), (((0.4, 0.0), langevin(8.0)), ((0.1, -0.2), langevin(5.0)))),
    "neutral motion (H_R 1.4), optical mode": Kind(
        (8, 8), (1.0, -1.0), (ION, ION), (((0.8, 0.8), langevin(8.0)), ((0.5, -0.5), optical(0.1, 0.05, 4.0)))
    ),
    "three species": Kind(
        (8, 4, 4),
        (1.0, -1.0, -1.0),
        (ION, langevin(4.0), langevin(6.0)),
        (((0.3, -0.2, 0.0), langevin(8.0)), ((0.3, -0.3, -0.3), optical(0.1, 0.05, 4.0))),
    ),
}


def estimates(traj: Trajectory, windows: int) -> dict[str, tuple[float, float, float, float]]:
    """Value, stderr and interval of each; NaN where it is refused."""
    dipole = md.charge_displacement_msd(traj, reference="none")
    current = md.charge_current_acf(traj, windows=windows, reference="none")
    diffusivity = md.self_diffusivity(md.msd(traj, reference="none"))
    found = dict.fromkeys(("sigma", "H_R", "t of the first species"), (np.nan,) * 4)
    try:
        sigma = md.ionic_conductivity(dipole, current)
        found["sigma"] = tuple(float(sigma[f"ionic_conductivity{end}"]) for end in ("", "_stderr", "_lower", "_upper"))
        haven = md.haven_ratio(diffusivity, sigma)
        value, stderr = float(haven.haven_ratio), float(haven.haven_ratio_stderr)
        found["H_R"] = (value, stderr, value * np.exp(-1.96 * stderr / value), value * np.exp(1.96 * stderr / value))
        share = md.transference_number(md.onsager(dipole, current)).sel(species="A")
        found["t of the first species"] = tuple(float(share[f"transference_number{end}"]) for end in ("", "_stderr", "_lower", "_upper"))
    except md.NotEnoughData:
        pass
    return found


def spectral(kind: Kind, random: np.random.Generator) -> dict[str, tuple[float, float, float, float]]:
    """Green-Kubo by itself: value, stderr and interval of sigma and of the share of the first species, from the currents of species."""
    circle, length, n = 4 * kind.n_frames, kind.n_frames // kind.windows, len(kind.n_ions)
    f = np.fft.rfftfreq(circle)
    exact = kind.matrix(f)
    values, vectors = np.linalg.eigh(exact)
    root = vectors * np.sqrt(np.maximum(values, 0.0) * circle / 2)[:, None, :]
    waves = random.standard_normal((3, len(f), n)) + 1j * random.standard_normal((3, len(f), n))
    series = np.fft.irfft(np.einsum("fab,xfb->xaf", root, waves))[..., : kind.windows * length].reshape(3, n, kind.windows, length)
    basis = np.vstack([np.ones(n), np.eye(n)[:-1]])
    x = np.fft.rfft(np.einsum("pa,xawl->xpwl", basis, series))
    power = np.einsum("xpwf,xqwf->fpq", x.conj(), x).real / (3 * kind.windows * length)
    nothing = (np.nan,) * 4
    try:
        found = zero_frequency_matrix(np.fft.rfftfreq(length), power, series=3 * kind.windows)
    except md.NotEnoughData:
        return {"sigma": nothing, "t of the first species": nothing}
    lags = np.arange(1, length)
    acf = np.fft.irfft(exact, axis=0)
    ends = basis @ (acf[0] + 2 * np.sum((1 - lags / length)[:, None, None] * acf[lags], axis=0) - exact[0]) @ basis.T
    value, spread = found.value - ends, found.covariance
    share, total = value[1, 0] / value[0, 0], value[0, 0]
    stderr = float(np.sqrt(spread[0, 0, 0, 0]))
    gradient = np.array([-share, 1.0]) / total
    error = float(np.sqrt(gradient @ spread[:2, 0, :2, 0] @ gradient))
    at = per_spectrum() * total
    by = np.exp(1.96 * stderr / total)
    return {
        "sigma": (at, per_spectrum() * stderr, at / by, at * by),
        "t of the first species": (share, error, share - 1.96 * error, share + 1.96 * error),
    }


def part(name: str, seed: int, k: int, spectra: bool) -> list[dict[str, tuple[float, float, float, float]]]:
    kind = KINDS[name]
    randoms = (np.random.default_rng([seed, k, j]) for j in range(REPLICA_PART))
    return [spectral(kind, random) if spectra else estimates(kind.run(random), kind.windows) for random in randoms]


def replicas(name: str, *, count: int, seed: int, until: float = np.inf, pool: Any = None, spectra: bool = False) -> dict[str, np.ndarray]:
    """(replica, value stderr lower upper) of each quantity, as many as there are when time.monotonic() passes `until`."""
    done: list[dict[str, tuple[float, float, float, float]]] = []
    together = 2 * pool._processes if pool else 1
    for k in range(0, -(-count // REPLICA_PART), together):
        tasks = [(name, seed, j, spectra) for j in range(k, k + together)]
        for made in pool.starmap(part, tasks) if pool else itertools.starmap(part, tasks):
            done += made
        if time.monotonic() > until:
            break
    return {quantity: np.array([one[quantity] for one in done[:count]]) for quantity in done[0]}


COLUMNS = ("run", "quantity", "runs", "refused", "95 % interval covers", "quoted / true sd", "bias / sd", "true relative sd")
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def rows(name: str, found: dict[str, np.ndarray]) -> list[str]:
    """Lines of the table."""
    out = []
    for quantity, truth in KINDS[name].truth().items():
        if quantity not in found:
            continue
        known = found[quantity][np.isfinite(found[quantity][:, 0])]
        value, stderr, lower, upper = known.T
        scatter = value.std(ddof=1)
        inside = np.mean((lower <= truth) & (truth <= upper))
        ratio, bias = np.sqrt(np.mean(stderr**2)) / scatter, (value.mean() - truth) / scatter
        refused = 1 - len(known) / len(found[quantity])
        cells = [
            name,
            quantity,
            str(len(found[quantity])),
            f"{refused:.1%}",
            f"{inside:.1%}",
            f"{ratio:.2f}",
            f"{bias:+.2f}",
            f"{scatter / abs(truth):.2g}",
        ]
        out.append(f"| {' | '.join(cells)} |")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=np.inf, help="for the whole table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--spectra", action="store_true", help="the spectral matrix of drawn currents alone")
    given = parser.parse_args()
    end = time.monotonic() + 60 * given.minutes
    names = [name for name in KINDS if given.only in name]
    pool = multiprocessing.get_context("spawn").Pool(given.jobs) if given.jobs > 1 else None
    print(HEADER, flush=True)
    for k, name in enumerate(names):
        start = time.monotonic()
        until = start + (end - start) / (len(names) - k)
        print("\n".join(rows(name, replicas(name, count=given.replicas, seed=given.seed, until=until, pool=pool, spectra=given.spectra))), flush=True)
        print(f"{name}: {(time.monotonic() - start) / 60:.1f} minutes", file=sys.stderr, flush=True)
    if pool:
        pool.terminate()


if __name__ == "__main__":
    main()
