"""Does the interval of D contain the truth as often as it says? Prints the table of README as Markdown.

    python scripts/coverage.py [--replicas 10000] [--minutes 25] [--peers 1000] [--seed 1] [--only "groups of 4"] [--jobs 1]

Every replica is an independent synthetic run with a known D, its path in float32. MSD, blocks and single ions are measured here with NumPy for
many runs at once; the rest is mdtools.statistics.diffusion as `self_diffusivity` calls it, for a batch. "quoted / true sd" is the root mean
square of the quoted standard errors over the scatter of the values, "bias" is in units of that scatter; both are of runs that are given a value.
A run that is refused (caged, undecided) counts as covered when the truth is below its bound.

Beside it what others quote for the first `--peers` of the same runs, as the share that their 95 % interval covers (quoted / true sd): ordinary
and weighted least squares, and the covariance of kinisi. They are told the lag past the cage or the memory; ours is not. With `--minutes` a row
ends early (not below 1000 replicas) when its part of the time is spent. Replica 17 of a seed is the same run whatever the options.
"""

import argparse
import functools
import itertools
import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would take this file for the package of its name

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import fft, linalg, signal, stats

from mdtools import synthetic
from mdtools.analyses.blocks import time_blocks
from mdtools.statistics.diffusion import Diffusion, diffusion

Paths = NDArray[Any]  # (replica, ion, axis, frame)
Random = np.random.Generator
NUMBERS = 3_000_000  # coordinates made at once
SINGLE = np.float32  # of paths: 1e-6 of an MSD


def walk(random: Random, count: int, *, n_ions: int, n_frames: int, together: int = 1, paired: int = 0, noise: float = 0.0) -> Paths:
    """Gaussian steps of variance 1 an axis and frame, ions moving rigidly in groups, `paired` of them in twos; MSD slope 3 per frame."""
    alone = n_ions - paired
    steps = random.standard_normal((count, alone // together + paired // 2, 3, n_frames), dtype=SINGLE)
    number = np.concatenate([np.repeat(np.arange(alone // together), together), alone // together + np.repeat(np.arange(paired // 2), 2)])
    path = np.cumsum(steps, axis=-1)[:, number] if together > 1 or paired else np.cumsum(steps, axis=-1, out=steps)
    return path + SINGLE(noise) * random.standard_normal(path.shape, dtype=SINGLE) if noise else path


def lattice(random: Random, count: int, *, n_ions: int, n_frames: int) -> Paths:
    """One step of length 1 along one of the six directions a frame; MSD slope 1 per frame."""
    direction = random.integers(0, 6, (count, n_ions, 1, n_frames), dtype=np.int8)
    return np.cumsum((direction // 2 == np.arange(3)[:, None]) * (2 * (direction % 2) - 1), axis=-1, dtype=SINGLE)


def _remembering(random: Random, shape: tuple[int, ...], memory: float) -> Paths:
    """Stationary Gaussian series of variance 1 that forget in `memory` frames."""
    keep = np.exp(-1 / memory)
    kicks = random.standard_normal(shape, dtype=SINGLE)
    kicks[..., 1:] *= SINGLE(np.sqrt(1 - keep**2))
    return np.asarray(signal.lfilter(np.array([1.0], SINGLE), np.array([1.0, -keep], SINGLE), kicks, axis=-1))


def cage(random: Random, count: int, *, n_ions: int, n_frames: int, relaxation: float = 2.0) -> Paths:
    """Overdamped harmonic cage of variance 0.1 an axis that forgets in `relaxation` frames; MSD slope 0."""
    return SINGLE(np.sqrt(0.1)) * _remembering(random, (count, n_ions, 3, n_frames), relaxation)


def langevin(random: Random, count: int, *, n_ions: int, n_frames: int, memory: float = 5.0) -> Paths:
    """Ornstein-Uhlenbeck velocities of variance 1 an axis that forget in `memory` frames, summed; MSD slope 3 coth(1 / 2 memory)."""
    return np.cumsum(_remembering(random, (count, n_ions, 3, n_frames), memory), axis=-1)


def cage_then_hop(random: Random, count: int, *, jumps: float, n_ions: int, n_frames: int) -> Paths:
    """The cage, moved by Poisson jumps of length 2 along an axis, `jumps` per ion and run; MSD slope 4 jumps / frames."""
    number = random.poisson(jumps * count * n_ions)
    steps = np.zeros((count, n_ions, 3, n_frames), SINGLE)
    where = tuple(random.integers(0, size, number) for size in steps.shape)
    np.add.at(steps, where, random.choice(np.array([-2.0, 2.0], SINGLE), number))
    return cage(random, count, n_ions=n_ions, n_frames=n_frames) + np.cumsum(steps, axis=-1, out=steps)


CELLS, PER_FRAME, VIBRATION = 4, 63, 0.2
FORGOTTEN = 10  # frames (630 jumps) between two runs cut from one: the vacancy has been everywhere in the cell of 64 sites


def vacancy(random: Random, count: int, *, n_ions: int, n_frames: int) -> Paths:
    """63 ions and one vacancy on a simple cubic lattice of constant 1, one jump an ion and frame, with vibration; cut from one long run."""
    each = n_frames + FORGOTTEN
    traj = synthetic.vacancy_hopper(
        lattice="sc", cells=CELLS, n_frames=count * each, jumps_per_frame=PER_FRAME, lattice_parameter=1.0, seed=int(random.integers(2**31))
    )
    runs = (traj.scaled_positions * CELLS).reshape(count, each, n_ions, 3)[:, :n_frames]
    path = (runs - runs[:, :1]).astype(SINGLE).transpose(0, 2, 3, 1)
    return path + SINGLE(VIBRATION) * random.standard_normal(path.shape, dtype=SINGLE)


@functools.cache
def vacancy_slope() -> float:
    """MSD slope of `vacancy`, from one run 5000 times as long (the cell is too small for the correlation factor of the infinite lattice)."""
    traj = synthetic.vacancy_hopper(lattice="sc", cells=CELLS, n_frames=20001, jumps_per_frame=100 * PER_FRAME, lattice_parameter=1.0, seed=12345)
    step = np.diff(traj.scaled_positions[::2].astype(np.float64), axis=0) * CELLS
    return float(np.square(step).sum(axis=-1).mean() / 200)


def single_file(random: Random, count: int, *, n_ions: int, n_frames: int) -> Paths:
    """Ions on a ring of twice as many sites that cannot pass each other, four attempts an ion and frame, with vibration; MSD grows as sqrt(t)."""
    path = np.zeros((count, n_ions, 3, n_frames), SINGLE)
    for run in path:
        _single_file(random, run[:, 0, :])
    return path + SINGLE(0.1) * random.standard_normal(path.shape, dtype=SINGLE)


@numba.njit
def _single_file(random: Random, path: Paths) -> None:
    n_ions, n_frames = path.shape
    where = 2 * np.arange(n_ions)
    for frame in range(n_frames):
        path[:, frame] = where
        for _ in range(4 * n_ions):
            ion, way = random.integers(0, n_ions), 2 * random.integers(0, 2) - 1
            other = where[(ion + way) % n_ions] + 2 * n_ions * ((ion + way) // n_ions)
            where[ion] += way * (where[ion] + way != other)


@dataclass(frozen=True)
class Kind:
    """A kind of walk, the slope of its MSD (None: it has none), and the lag in frames that is past its cage or memory."""

    make: Callable[..., Paths]
    slope: Callable[[], float]
    n_ions: int = 64
    n_frames: int = 400
    past: int = 2
    options: tuple[tuple[str, float], ...] = ()
    given: tuple[tuple[str, Any], ...] = ()
    """first and last lag of our line, or what is known of its intercept, as a user may give them"""

    @property
    def at_once(self) -> int:
        """Replicas made at once."""
        return max(1, NUMBERS // (3 * self.n_ions * self.n_frames))

    def paths(self, random: Random, count: int) -> Paths:
        return self.make(random, count, n_ions=self.n_ions, n_frames=self.n_frames, **dict(self.options))


def _hopping(jumps: float, **given: Any) -> Kind:
    return Kind(cage_then_hop, lambda: 4 * jumps / 400, past=10, options=(("jumps", jumps),), given=tuple(given.items()))


def _walking(*, n_ions: int = 64, n_frames: int = 400, past: int = 2, given: dict[str, Any] | None = None, **options: float) -> Kind:
    return Kind(walk, lambda: 3.0, n_ions, n_frames, past, tuple(options.items()), tuple((given or {}).items()))


LAGS = {"first": 10, "last": 40}

KINDS = {
    "independent, 128 ions, 128 frames": _walking(n_ions=128, n_frames=128),
    "independent with cage noise": _walking(n_ions=128, n_frames=128, noise=1.0),
    "independent with cage noise, intercept given": _walking(n_ions=128, n_frames=128, noise=1.0, given={"intercept": (6.0, 0.01)}),
    "independent, lags 10 to 40 given": _walking(n_ions=128, n_frames=128, past=10, given=LAGS),
    "independent, 8 ions": _walking(n_ions=8),
    "one collective walker": _walking(n_ions=1),
    "half of the ions in pairs": _walking(paired=32),
    "groups of 4": _walking(together=4),
    "groups of 4, lags 10 to 40 given": _walking(together=4, past=10, given=LAGS),
    "groups of 16": _walking(together=16),
    "Ornstein-Uhlenbeck, 100 velocity memories": Kind(langevin, lambda: 3 / np.tanh(0.1), n_frames=500, past=25),
    "lattice walk": Kind(lattice, lambda: 1.0),
    "lattice vacancy, tracer": Kind(vacancy, vacancy_slope, n_ions=63, past=5),
    "cage then hop, 10 jumps per ion": _hopping(10.0),
    "cage then hop, 10 jumps per ion, intercept given": _hopping(10.0, intercept=(0.6, 0.001)),
    "cage then hop, 3 jumps per ion": _hopping(3.0),
    "cage then hop, 1 jump per ion": _hopping(1.0),
    "cage then hop, 0.3 jumps per ion": _hopping(0.3),
    "cage then hop, 0.1 jumps per ion": _hopping(0.1),
    "caged, no diffusion": Kind(cage, lambda: 0.0, past=10),
    "single file": Kind(single_file, lambda: np.nan),
}


def mean_squared_displacement(paths: Paths) -> Paths:
    """(replica, axis, lag), mean over ions and all origins, by FFT."""
    n = paths.shape[-1]
    x = paths - paths.mean(axis=-1, keepdims=True)
    power = np.square(np.abs(fft.rfft(x, n=2 * n))).mean(axis=-3, dtype=np.float64)
    product = fft.irfft(power, n=2 * n)[..., :n]
    square = np.square(x, out=x).mean(axis=-3, dtype=np.float64)
    below = np.concatenate([np.zeros((*square.shape[:-1], 1)), np.cumsum(square, axis=-1)], axis=-1)
    return np.asarray((below[..., :0:-1] + below[..., -1:] - below[..., :-1] - 2 * product) / (n - np.arange(n)))


def blocks(paths: Paths) -> tuple[Paths, Paths, Paths]:
    """block_msd (replica, axis, block_lag, block), the lengths, and ion_msd (replica, ion, block_lag), as analyses.displacement.msd makes them."""
    cut = time_blocks(paths.shape[-1])
    means, by_ion = [], []
    for first, length in zip(np.split(cut.first, np.cumsum(cut.counts)[:-1]), cut.lengths, strict=True):
        square = np.square(paths[..., first + length] - paths[..., first])
        means.append(square.mean(axis=-3, dtype=np.float64))
        by_ion.append(square.sum(axis=-2).mean(axis=-1, dtype=np.float64))
    return cut.by_length(np.concatenate(means, axis=-1)), np.array(cut.lengths), np.stack(by_ion, axis=-1)


def estimate(paths: Paths, **options: Any) -> Diffusion:
    """(replica, ion, axis, frame) -> a batch of results."""
    _, n_ions, _, n_frames = paths.shape
    msd = mean_squared_displacement(paths)
    if n_ions > 1:
        block_msd, lengths, by_ion = blocks(paths)
        options |= {"blocks": (block_msd, lengths), "by_ion": by_ion}
    return diffusion(np.arange(n_frames), msd, n_frames=n_frames, n_ions=n_ions, **options)


@numba.njit(fastmath=True)
def square_moments(path: Paths) -> tuple[Paths, Paths]:
    """Mean and variance of the squared displacement over all ions and origins, at lags 1 ... n - 1; path (ion, axis, frame)."""
    n_ions, _, n = path.shape
    mean, variance = np.zeros(n - 1), np.zeros(n - 1)
    for lag in range(1, n):
        total, total_of_squares = 0.0, 0.0
        for ion in range(n_ions):
            first, second = np.float32(0), np.float32(0)
            x, y, z = path[ion]
            x_late, y_late, z_late = x[lag:], y[lag:], z[lag:]  # so that the loop is over vectors
            for k in range(n - lag):
                square = (x_late[k] - x[k]) ** 2 + (y_late[k] - y[k]) ** 2 + (z_late[k] - z[k]) ** 2
                first += square
                second += square * square
            total += first
            total_of_squares += second
        count = n_ions * (n - lag)
        mean[lag - 1] = total / count
        variance[lag - 1] = max(total_of_squares - total**2 / count, 0.0) / max(count - 1, 1)
    return mean, variance


PEERS = ("ordinary least squares", "weighted least squares", "kinisi's covariance")


def peers(paths: Paths, *, past: int) -> Paths:
    """(replica, peer, 4): slope of the MSD as others quote it, its standard error and 95 % interval; lines from the lag `past` on.

    Ordinary: lags below a third, with the error of the scatter about the line. Weighted: the same lags, with the variance s^2 / N' of each,
    s^2 that of squared displacements, N' = ions x frames / lag, as if lags were independent. kinisi: all lags (every second of 500), its
    covariance C_ij = var_i N'_i / N'_j (i <= j) of which it keeps what is positive, and the Gaussian posterior truncated at 0
    (reference/transport.md 2.1). kinisi 2.1.0 itself gives the same numbers for one walk to 4 % of the quoted error, what its sampling scatters.
    """
    result = np.stack([_peers(path, past) for path in paths])
    slope, error = result[:, 2, :2].T
    posterior = stats.truncnorm(-slope / error, np.inf, loc=slope, scale=error)
    low, middle, high = posterior.ppf(np.array([0.025, 0.5, 0.975])[:, None])
    ends = slope > 1.96 * error  # an interval that would pass 0 ends there
    result[:, 2] = np.stack([middle, posterior.std(), np.where(ends, low, 0.0), high], axis=-1)
    return result


def _peers(path: Paths, past: int) -> Paths:
    n_ions, _, n = path.shape
    mean, variance = square_moments(np.ascontiguousarray(path))
    lag = np.arange(1, n)
    samples = n_ions * (n - 1) / lag
    variance = variance / samples
    used = (lag >= past) & (lag <= (n - 1) / 3)
    every = (lag >= past) & (lag % -(-n // 400) == 0) & (variance > 0)  # one displacement alone has no variance
    line = stats.linregress(lag[used], mean[used])
    weighted = _line(lag[used], mean[used], np.diag(1 / np.sqrt(variance[used])))
    slope, error = np.array([(line.slope, line.stderr), weighted, _line(lag[every], mean[every], _root(variance[every], samples[every]))]).T
    return np.stack([slope, error, slope - 1.96 * error, slope + 1.96 * error], axis=-1)


def _root(variance: Paths, samples: Paths) -> Paths:
    """root, root root^T the inverse of the positive part of C_ij = var_i N'_i / N'_j (i <= j).

    msd_i N'_i is a sum of independent increments of variance v_i - v_(i - 1), v_i = var_i N'_i^2, so C^-1 is tridiagonal; where v falls C has
    negative eigenvalues.
    """
    one_over = 1 / np.diff(variance * samples**2, prepend=0.0)
    value, vector = linalg.eigh_tridiagonal((one_over + np.append(one_over[1:], 0.0)) * samples**2, -one_over[1:] * samples[1:] * samples[:-1])
    kept = value > 0
    return vector[:, kept] * np.sqrt(value[kept])


def _line(x: Paths, y: Paths, root: Paths) -> tuple[float, float]:
    """Slope and its standard error by least squares with the inverse covariance root root^T."""
    design = root.T @ np.stack([np.ones(len(x)), x], axis=-1)
    covariance = np.linalg.inv(design.T @ design)
    return (covariance @ design.T @ (root.T @ y))[1], np.sqrt(covariance[1, 1])


def part(name: str, seed: int, k: int, n_peers: int) -> tuple[Diffusion, Paths]:
    """The k-th few replicas of a kind, and what peers say of those that are among the first `n_peers`."""
    kind = KINDS[name]
    size = kind.at_once
    paths = kind.paths(np.random.default_rng([seed, k]), size)
    return estimate(paths, **dict(kind.given)), peers(paths[: max(n_peers - k * size, 0)], past=kind.past) if n_peers > k * size else np.empty(
        (0, len(PEERS), 4)
    )


def joined(parts: list[Diffusion]) -> Diffusion:
    return Diffusion(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Diffusion)})


def replicas(name: str, *, count: int, seed: int, n_peers: int = 0, until: float = np.inf, pool: Any = None) -> tuple[Diffusion, Paths]:
    """`count` replicas of a kind, or as many as are there when time.monotonic() passes `until`, at least 1000."""
    size, together = KINDS[name].at_once, pool._processes if pool else 1
    done: list[tuple[Diffusion, Paths]] = []
    for k in range(0, -(-count // size), together):
        tasks = [(name, seed, j, n_peers) for j in range(k, k + together) if j * size < count]
        done += pool.starmap(part, tasks) if pool else itertools.starmap(part, tasks)
        if time.monotonic() > until and len(done) * size >= 1000:
            break
    found = joined([one for one, _ in done])
    kept = {one.name: getattr(found, one.name)[:count] for one in fields(Diffusion)}
    return Diffusion(**kept), np.concatenate([others for _, others in done])


COLUMNS = ("walk", "runs", "95 % interval covers", "68 % covers", "quoted / true sd", "bias / sd", "sd of D", "regime", *PEERS)
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def row(name: str, found: Diffusion, others: Paths) -> str:
    """One line of the table."""
    slope = KINDS[name].slope()
    words = {word: np.mean(found.regime == word) for word in ("diffusive", "subdiffusive", "undecided", "caged")}
    said = ", ".join(f"{word} {100 * share:.3g} %" for word, share in words.items() if share)
    known = np.isin(found.regime, ("diffusive", "subdiffusive"))
    numbers = ["-"] * 5
    if np.isfinite(slope):
        inside = [100 * np.mean((low <= slope) & (slope <= high)) for low, high in ((found.lower, found.upper), (found.lower_68, found.upper_68))]
        numbers[0] = f"{inside[0]:.1f} % (bound)"
        if known.mean() >= 0.5:
            value, scatter = found.slope[known], found.slope[known].std(ddof=1)
            ratio, bias = np.sqrt(np.mean(found.stderr[known] ** 2)) / scatter, (value.mean() - slope) / scatter
            numbers = [f"{inside[0]:.1f} %", f"{inside[1]:.1f} %", f"{ratio:.2f}", f"{bias:+.2f}", f"{100 * scatter / slope:.2g} %"]
    return f"| {' | '.join([name, str(len(found.slope)), *numbers, said, *(_of_peer(one, slope) for one in others.transpose(1, 0, 2))])} |"


def _of_peer(said: Paths, slope: float) -> str:
    value, error, low, high = said.T
    if not (len(said) and np.isfinite(slope)):
        return "-"
    ratio = np.sqrt(np.mean(np.square(error))) / value.std(ddof=1)
    return f"{100 * np.mean((low <= slope) & (slope <= high)):.1f} % ({ratio:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=1000, help="of so many replicas")
    parser.add_argument("--minutes", type=float, default=np.inf, help="for the whole table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=[""], nargs="+", help="kinds whose name contains one of these")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args()
    end = time.monotonic() + 60 * given.minutes
    names = [name for name in KINDS if any(part in name for part in given.only)]
    pool = multiprocessing.get_context("spawn").Pool(given.jobs) if given.jobs > 1 else None
    print(HEADER, flush=True)
    for k, name in enumerate(names):
        start = time.monotonic()
        until = start + (end - start) / (len(names) - k)
        found, others = replicas(name, count=given.replicas, seed=given.seed, n_peers=min(given.peers, given.replicas), until=until, pool=pool)
        print(row(name, found, others), flush=True)
        print(f"{name}: {(time.monotonic() - start) / 60:.1f} minutes", file=sys.stderr, flush=True)
    if pool:
        pool.terminate()


if __name__ == "__main__":
    main()
