"""Does the 95 % interval of D contain the truth in 95 % of runs? Prints the table of README as Markdown.

    python scripts/coverage.py [--replicas 1000] [--seed 1] [--only "groups of 4"]

Every replica is an independent synthetic run (400 frames unless said) with a known D; MSD and blocks are computed here with NumPy,
the rest is mdtools.statistics.diffusion as `self_diffusivity` calls it. "quoted / true sd" is the root mean square of the
quoted standard errors over the scatter of the values, "bias" is in units of that scatter.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.analyses.displacement import N_BLOCKS, block_lengths
from mdtools.kernels.displacement import block_count, block_stride
from mdtools.statistics.diffusion import Diffusion, diffusion

Paths = NDArray[Any]  # (ion, axis, frame)
FRAMES = 400


def walk(random: np.random.Generator, *, n_ions: int = 64, together: int = 1, n_frames: int = FRAMES, noise: float = 0.0) -> Paths:
    """Gaussian steps of variance 1 an axis and frame, ions moving rigidly in groups; MSD slope 3 per frame."""
    path = np.repeat(np.cumsum(random.normal(size=(n_ions // together, 3, n_frames)), axis=-1), together, axis=0)
    return path + noise * random.normal(size=path.shape)


def lattice(random: np.random.Generator, *, n_ions: int = 64, n_frames: int = FRAMES) -> Paths:
    """One step of length 1 along one of the six directions a frame; MSD slope 1 per frame."""
    axis = random.integers(0, 3, (n_ions, n_frames))
    step = (axis[:, None, :] == np.arange(3)[None, :, None]) * random.choice([-1.0, 1.0], (n_ions, 1, n_frames))
    return np.cumsum(step, axis=-1)


def cage(random: np.random.Generator, *, n_ions: int = 64, n_frames: int = FRAMES, relaxation: float = 2.0) -> Paths:
    """Overdamped harmonic cage of variance 0.1 an axis that forgets in `relaxation` frames; MSD slope 0."""
    keep = np.exp(-1 / relaxation)
    kicks = random.normal(size=(n_ions, 3, n_frames)) * np.sqrt(0.1 * (1 - keep**2))
    kicks[..., 0] = random.normal(size=(n_ions, 3)) * np.sqrt(0.1)
    for frame in range(1, n_frames):
        kicks[..., frame] += keep * kicks[..., frame - 1]
    return kicks


def langevin(random: np.random.Generator, *, n_ions: int = 64, n_frames: int = 1000, memory: float = 10.0) -> Paths:
    """Ornstein-Uhlenbeck velocities of variance 1 an axis that forget in `memory` frames, summed; MSD slope 3 coth(1 / 2 memory)."""
    keep = np.exp(-1 / memory)
    velocity = random.normal(size=(n_ions, 3, n_frames)) * np.sqrt(1 - keep**2)
    velocity[..., 0] = random.normal(size=(n_ions, 3))
    for frame in range(1, n_frames):
        velocity[..., frame] += keep * velocity[..., frame - 1]
    return np.cumsum(velocity, axis=-1)


def cage_then_hop(random: np.random.Generator, *, jumps: float, n_ions: int = 64, n_frames: int = FRAMES) -> Paths:
    """The cage, moved by Poisson jumps of length 2 along an axis, `jumps` per ion and run; MSD slope 4 jumps / frames."""
    count = random.poisson(jumps / n_frames / 6, (2, n_ions, 3, n_frames))
    return cage(random, n_ions=n_ions, n_frames=n_frames) + 2.0 * np.cumsum(count[0] - count[1], axis=-1)


def mean_squared_displacement(paths: Paths) -> Paths:
    """(axis, lag), mean over ions and all origins, by FFT."""
    n = paths.shape[-1]
    x = paths - paths.mean(axis=-1, keepdims=True)
    product = np.fft.irfft(np.square(np.abs(np.fft.rfft(x, n=2 * n))).mean(axis=0), n=2 * n)[:, :n]
    below = np.concatenate([np.zeros((3, 1)), np.cumsum(np.square(x).mean(axis=0), axis=-1)], axis=1)
    return (below[:, :0:-1] + below[:, -1:] - below[:, :-1] - 2 * product) / (n - np.arange(n))


def blocks(paths: Paths) -> tuple[Paths, Paths]:
    """block_msd (axis, block_lag, block) and the lengths, as analyses.displacement.msd makes them."""
    n = paths.shape[-1]
    lengths = block_lengths(n)
    out = np.full((3, len(lengths), N_BLOCKS), np.nan)
    for k, length in enumerate(lengths):
        start = np.arange(block_count(n, length, N_BLOCKS)) * block_stride(n, length, N_BLOCKS)
        out[:, k, : len(start)] = np.square(paths[..., start + length] - paths[..., start]).mean(axis=0)
    return out, np.array(lengths)


def estimate(paths: Paths) -> Diffusion:
    msd = mean_squared_displacement(paths)
    n_ions, _, n_frames = paths.shape
    return diffusion(np.arange(n_frames), msd, n_frames=n_frames, n_ions=n_ions, blocks=blocks(paths) if n_ions > 1 else None)


@dataclass(frozen=True)
class Kind:
    make: Callable[..., Paths]
    options: dict[str, Any]
    slope: float


KINDS = {
    "independent, 64 ions": Kind(walk, {}, 3.0),
    "independent with cage noise": Kind(walk, {"noise": 1.0}, 3.0),
    "groups of 4 (64 ions)": Kind(walk, {"together": 4}, 3.0),
    "groups of 16 (64 ions)": Kind(walk, {"together": 16}, 3.0),
    "lattice walk, 64 ions": Kind(lattice, {}, 1.0),
    "cage then hop, 10 jumps per ion": Kind(cage_then_hop, {"jumps": 10.0}, 0.1),
    "cage then hop, 1 jump per ion": Kind(cage_then_hop, {"jumps": 1.0}, 0.01),
    "Langevin ions, 100 velocity memories": Kind(langevin, {}, 3 / np.tanh(0.05)),
    "8 ions": Kind(walk, {"n_ions": 8}, 3.0),
    "one collective walker": Kind(walk, {"n_ions": 1}, 3.0),
    "caged, no diffusion": Kind(cage, {}, 0.0),
}


def replicas(kind: Kind, *, count: int, seed: int) -> list[Diffusion]:
    return [estimate(kind.make(np.random.default_rng([seed, k]), **kind.options)) for k in range(count)]


def row(name: str, kind: Kind, results: list[Diffusion]) -> str:
    """One line of the table."""
    value, stderr = (np.array(v) for v in zip(*((r.slope, r.stderr) for r in results), strict=True))
    inside = np.mean([r.lower <= kind.slope <= r.upper for r in results])
    words = {word: sum(r.regime == word for r in results) for word in ("diffusive", "subdiffusive", "undecided", "caged")}
    scatter = value.std(ddof=1)
    said = ", ".join(f"{word} {100 * n / len(results):.1f} %" for word, n in words.items() if n)
    return (
        f"| {name} | {100 * inside:.1f} % | {np.sqrt(np.mean(stderr**2)) / scatter:.2f} | {(value.mean() - kind.slope) / scatter:+.2f} | "
        + (f"{100 * scatter / kind.slope:.1f} %" if kind.slope else "-")
        + f" | {said} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    given = parser.parse_args()
    print("| walk | coverage of the 95 % interval | quoted / true sd | bias / sd | sd of D | regime |\n|---|---|---|---|---|---|")
    for name, kind in KINDS.items():
        if given.only in name:
            print(row(name, kind, replicas(kind, count=given.replicas, seed=given.seed)), flush=True)


if __name__ == "__main__":
    main()
