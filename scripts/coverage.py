"""Does the interval of D contain the truth as often as it says? Prints the table of README as Markdown.

    python scripts/coverage.py [--replicas 10000] [--seed 1] [--only "groups of 4"]

Every replica is an independent synthetic run with a known D. MSD, blocks and single ions are measured here with NumPy for many runs at once;
the rest is mdtools.statistics.diffusion as `self_diffusivity` calls it, for a batch. "quoted / true sd" is the root mean square of the
quoted standard errors over the scatter of the values, "bias" is in units of that scatter; both are of runs that are given a value.
A run that is refused (caged, undecided) counts as covered when the truth is below its bound.
"""

import argparse
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would take this file for the package of its name

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from mdtools import synthetic
from mdtools.analyses.blocks import time_blocks
from mdtools.statistics.diffusion import Diffusion, diffusion

Paths = NDArray[Any]  # (replica, ion, axis, frame)
Random = np.random.Generator
NUMBERS = 8_000_000  # coordinates made at once


def walk(random: Random, count: int, *, n_ions: int, n_frames: int, together: int = 1, paired: int = 0, noise: float = 0.0) -> Paths:
    """Gaussian steps of variance 1 an axis and frame, ions moving rigidly in groups, `paired` of them in twos; MSD slope 3 per frame."""
    alone = n_ions - paired
    steps = random.standard_normal((count, alone // together + paired // 2, 3, n_frames))
    number = np.concatenate([np.repeat(np.arange(alone // together), together), alone // together + np.repeat(np.arange(paired // 2), 2)])
    path = np.cumsum(steps, axis=-1)[:, number] if together > 1 or paired else np.cumsum(steps, axis=-1, out=steps)
    return path + noise * random.standard_normal(path.shape) if noise else path


def lattice(random: Random, count: int, *, n_ions: int, n_frames: int) -> Paths:
    """One step of length 1 along one of the six directions a frame; MSD slope 1 per frame."""
    direction = random.integers(0, 6, (count, n_ions, 1, n_frames))
    return np.cumsum((direction // 2 == np.arange(3)[:, None]) * (2.0 * (direction % 2) - 1), axis=-1)


def _remembering(random: Random, shape: tuple[int, ...], memory: float) -> Paths:
    """Stationary Gaussian series of variance 1 that forget in `memory` frames."""
    keep = np.exp(-1 / memory)
    kicks = random.standard_normal(shape) * np.sqrt(1 - keep**2)
    kicks[..., 0] /= np.sqrt(1 - keep**2)
    return np.asarray(signal.lfilter([1.0], [1.0, -keep], kicks, axis=-1))


def cage(random: Random, count: int, *, n_ions: int, n_frames: int, relaxation: float = 2.0) -> Paths:
    """Overdamped harmonic cage of variance 0.1 an axis that forgets in `relaxation` frames; MSD slope 0."""
    return np.sqrt(0.1) * _remembering(random, (count, n_ions, 3, n_frames), relaxation)


def langevin(random: Random, count: int, *, n_ions: int, n_frames: int, memory: float = 10.0) -> Paths:
    """Ornstein-Uhlenbeck velocities of variance 1 an axis that forget in `memory` frames, summed; MSD slope 3 coth(1 / 2 memory)."""
    return np.cumsum(_remembering(random, (count, n_ions, 3, n_frames), memory), axis=-1)


def cage_then_hop(random: Random, count: int, *, jumps: float, n_ions: int, n_frames: int) -> Paths:
    """The cage, moved by Poisson jumps of length 2 along an axis, `jumps` per ion and run; MSD slope 4 jumps / frames."""
    number = random.poisson(jumps * count * n_ions)
    steps = np.zeros((count, n_ions, 3, n_frames))
    where = tuple(random.integers(0, size, number) for size in steps.shape)
    np.add.at(steps, where, random.choice([-2.0, 2.0], number))
    return cage(random, count, n_ions=n_ions, n_frames=n_frames) + np.cumsum(steps, axis=-1)


CELLS, PER_FRAME, VIBRATION = 4, 63, 0.2


def vacancy(random: Random, count: int, *, n_ions: int, n_frames: int) -> Paths:
    """63 ions and one vacancy on a simple cubic lattice of constant 1, one jump an ion and frame, with vibration."""
    runs = []
    for seed in random.integers(0, 2**31, count):
        traj = synthetic.vacancy_hopper(
            lattice="sc", cells=CELLS, n_frames=n_frames, jumps_per_frame=PER_FRAME, lattice_parameter=1.0, rattle=VIBRATION, seed=int(seed)
        )
        runs.append(traj.scaled_positions.astype(np.float64).transpose(1, 2, 0) * CELLS)
    return np.stack(runs)


@functools.cache
def vacancy_slope() -> float:
    """MSD slope of `vacancy`, from one run 5000 times as long (the cell is too small for the correlation factor of the infinite lattice)."""
    traj = synthetic.vacancy_hopper(lattice="sc", cells=CELLS, n_frames=20001, jumps_per_frame=100 * PER_FRAME, lattice_parameter=1.0, seed=12345)
    step = np.diff(traj.scaled_positions[::2].astype(np.float64), axis=0) * CELLS
    return float(np.square(step).sum(axis=-1).mean() / 200)


def single_file(random: Random, count: int, *, n_ions: int, n_frames: int) -> Paths:
    """Ions on a ring of twice as many sites that cannot pass each other, four attempts an ion and frame, with vibration; MSD grows as sqrt(t)."""
    where = np.tile(2 * np.arange(n_ions), (count, 1))
    path = np.zeros((count, n_ions, 3, n_frames))
    runs = np.arange(count)
    for frame in range(n_frames):
        path[:, :, 0, frame] = where
        who, step = random.integers(0, n_ions, (4 * n_ions, count)), random.choice([-1, 1], (4 * n_ions, count))
        for ion, way in zip(who, step, strict=True):
            other = where[runs, (ion + way) % n_ions] + 2 * n_ions * ((ion + way) // n_ions)
            where[runs, ion] += way * (where[runs, ion] + way != other)
    return path + 0.1 * random.standard_normal(path.shape)


@dataclass(frozen=True)
class Kind:
    """A kind of walk, the slope of its MSD (None: it has none), and the lag in frames that is past its cage or memory."""

    make: Callable[..., Paths]
    slope: Callable[[], float]
    n_ions: int = 64
    n_frames: int = 400
    past: int = 2
    options: tuple[tuple[str, float], ...] = ()

    def paths(self, random: Random, count: int) -> Paths:
        return self.make(random, count, n_ions=self.n_ions, n_frames=self.n_frames, **dict(self.options))


def _hopping(jumps: float) -> Kind:
    return Kind(cage_then_hop, lambda: 4 * jumps / 400, past=10, options=(("jumps", jumps),))


def _walking(*, n_ions: int = 64, n_frames: int = 400, past: int = 2, **options: float) -> Kind:
    return Kind(walk, lambda: 3.0, n_ions, n_frames, past, tuple(options.items()))


KINDS = {
    "independent, 128 ions, 128 frames": _walking(n_ions=128, n_frames=128),
    "independent with cage noise": _walking(n_ions=128, n_frames=128, noise=1.0),
    "independent, 8 ions": _walking(n_ions=8),
    "one collective walker": _walking(n_ions=1),
    "half of the ions in pairs": _walking(paired=32),
    "groups of 4": _walking(together=4),
    "groups of 16": _walking(together=16),
    "Ornstein-Uhlenbeck, 100 velocity memories": Kind(langevin, lambda: 3 / np.tanh(0.05), n_frames=1000, past=50),
    "lattice walk": Kind(lattice, lambda: 1.0),
    "lattice vacancy, tracer": Kind(vacancy, vacancy_slope, n_ions=63, past=5),
    "cage then hop, 10 jumps per ion": _hopping(10.0),
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
    spectrum = np.fft.rfft(x, n=2 * n)
    power = np.square(spectrum.real).mean(axis=-3) + np.square(spectrum.imag).mean(axis=-3)
    product = np.fft.irfft(power, n=2 * n)[..., :n]
    square = np.square(x, out=x).mean(axis=-3)
    below = np.concatenate([np.zeros((*square.shape[:-1], 1)), np.cumsum(square, axis=-1)], axis=-1)
    return np.asarray((below[..., :0:-1] + below[..., -1:] - below[..., :-1] - 2 * product) / (n - np.arange(n)))


def blocks(paths: Paths) -> tuple[Paths, Paths, Paths]:
    """block_msd (replica, axis, block_lag, block), the lengths, and ion_msd (replica, ion, block_lag), as analyses.displacement.msd makes them."""
    cut = time_blocks(paths.shape[-1])
    means, by_ion = [], []
    for first, length in zip(np.split(cut.first, np.cumsum(cut.counts)[:-1]), cut.lengths, strict=True):
        stride = int(first[1] - first[0]) if len(first) > 1 else 1
        start = paths[..., : int(first[-1]) + 1 : stride]
        square = np.square(paths[..., length : length + int(first[-1]) + 1 : stride] - start)
        means.append(square.mean(axis=-3))
        by_ion.append(square.sum(axis=-2).mean(axis=-1))
    return cut.by_length(np.concatenate(means, axis=-1)), np.array(cut.lengths), np.stack(by_ion, axis=-1)


def estimate(paths: Paths, **options: Any) -> Diffusion:
    """(replica, ion, axis, frame) -> a batch of results."""
    _, n_ions, _, n_frames = paths.shape
    msd = mean_squared_displacement(paths)
    if n_ions > 1:
        block_msd, lengths, by_ion = blocks(paths)
        options |= {"blocks": (block_msd, lengths), "by_ion": by_ion}
    return diffusion(np.arange(n_frames), msd, n_frames=n_frames, n_ions=n_ions, **options)


def chunks(kind: Kind, *, count: int, seed: int) -> Iterator[Paths]:
    """The replicas of a kind, some at a time; which numbers they get does not depend on how many are asked for."""
    size = max(1, NUMBERS // (3 * kind.n_ions * kind.n_frames))
    for k in range(0, count, size):
        yield kind.paths(np.random.default_rng([seed, k // size]), size)[: count - k]


def joined(parts: list[Diffusion]) -> Diffusion:
    return Diffusion(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Diffusion)})


def replicas(kind: Kind, *, count: int, seed: int) -> Diffusion:
    return joined([estimate(paths) for paths in chunks(kind, count=count, seed=seed)])


HEADER = "| walk | 95 % interval covers | 68 % interval covers | quoted / true sd | bias / sd | sd of D | regime |\n|---|---|---|---|---|---|---|"


def row(name: str, kind: Kind, found: Diffusion) -> str:
    """One line of the table."""
    slope = kind.slope()
    words = {word: np.mean(found.regime == word) for word in ("diffusive", "subdiffusive", "undecided", "caged")}
    said = ", ".join(f"{word} {100 * share:.3g} %" for word, share in words.items() if share)
    known = np.isin(found.regime, ("diffusive", "subdiffusive"))
    if not np.isfinite(slope):
        return f"| {name} | - | - | - | - | - | {said} |"
    inside = [100 * np.mean((low <= slope) & (slope <= high)) for low, high in ((found.lower, found.upper), (found.lower_68, found.upper_68))]
    if known.mean() < 0.5:
        return f"| {name} | {inside[0]:.1f} % (bound) | - | - | - | - | {said} |"
    value, scatter = found.slope[known], found.slope[known].std(ddof=1)
    numbers = f"{np.sqrt(np.mean(found.stderr[known] ** 2)) / scatter:.2f} | {(value.mean() - slope) / scatter:+.2f} | {100 * scatter / slope:.2g} %"
    return f"| {name} | {inside[0]:.1f} % | {inside[1]:.1f} % | {numbers} | {said} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    given = parser.parse_args()
    print(HEADER)
    for name, kind in KINDS.items():
        if given.only in name:
            print(row(name, kind, replicas(kind, count=given.replicas, seed=given.seed)), flush=True)


if __name__ == "__main__":
    main()
