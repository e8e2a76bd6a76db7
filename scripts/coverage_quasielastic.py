#!/usr/bin/env python
"""Do the intervals of quasielastic estimates cover, and is the right motion found? A Markdown table.

    python scripts/coverage_quasielastic.py --runs 300 --seed 11 --jobs 2

Independent ions in three dimensions: Brownian; jumps of one length in random directions with rattling; overdamped in a harmonic well.
Every run is cut into eight windows; intervals have Student's factor of seven degrees of freedom. Then the width of a line of 0.1 THz
(Brownian ions at one wave number, windows of 40 ps) behind a resolution whose half width is 5, 1 and 0.2 of it, also one that was
measured. A run takes 1.5 s of processor: 300 take about eight minutes. Each has random numbers of its own: --jobs changes no figure.
"""

import argparse
import multiprocessing

import numpy as np
from scipy.special import stdtrit

from mdtools.statistics.ordinates import ordinates
from mdtools.statistics.quasielastic import compared
from mdtools.statistics.quasielastic_lines import lines
from mdtools.statistics.resolution import SHAPES, Resolution, Shape, evened

STEP, FRAMES, IONS, WINDOWS = 0.1, 800, 24, 8
Q = np.linspace(0.5, 2.5, 5)


def continuous(random: np.random.Generator) -> np.ndarray:
    return random.normal(0, np.sqrt(2 * 0.3 * STEP), (FRAMES, IONS, 3)).cumsum(axis=0)


def jump(random: np.random.Generator) -> np.ndarray:
    number, step = random.poisson(STEP / 2.0, (FRAMES, IONS)), np.zeros((FRAMES, IONS, 3))
    for k in range(number.max()):
        direction = random.normal(size=step.shape)
        step += np.where((number > k)[..., None], 2.0 * direction / np.linalg.norm(direction, axis=-1, keepdims=True), 0.0)
    return step.cumsum(axis=0) + random.normal(0, 0.15, step.shape)


def confined(random: np.random.Generator) -> np.ndarray:
    path, keep = np.zeros((FRAMES, IONS, 3)), np.exp(-STEP / 1.5)
    path[0] = random.normal(0, 0.5, (IONS, 3))
    for k in range(1, FRAMES):
        path[k] = keep * path[k - 1] + random.normal(0, 0.5 * np.sqrt(1 - keep**2), (IONS, 3))
    return path


CASES = {
    "continuous": (continuous, {"D": 0.3}),
    "jump": (jump, {"l": 2.0, "tau": 2.0}),
    "confined": (confined, {"u": 0.5, "tau": 1.5}),
}


WIDTH, LONGER, ALONE = 0.1, 4, 1.5  # THz, of the frames above, 1/angstrom


def correlation(path: np.ndarray, wave_numbers: np.ndarray = Q) -> np.ndarray:
    """F_s (window, q, lag), over three axes."""
    length = len(path) // WINDOWS
    x = path.reshape(WINDOWS, length, -1)
    out = np.empty((WINDOWS, len(wave_numbers), length))
    for k, q in enumerate(wave_numbers):
        spectrum = np.fft.fft(np.exp(1j * q * (x - x[:, :1])), 2 * length, axis=1)
        out[:, k] = np.fft.ifft((np.abs(spectrum) ** 2).mean(axis=2))[:, :length].real / np.arange(length, 0, -1)
    return out


def of_motion(task: tuple[str, int, int]) -> tuple[np.ndarray, bool]:
    """Errors of ln theta in quoted ones of one run, and whether its motion is found."""
    motion, seed, run = task
    make, truth = CASES[motion]
    path = make(np.random.default_rng([seed, list(CASES).index(motion), run]))
    fits = {fit.motion: fit for fit in compared(ordinates(correlation(path), Q, interval=STEP, highest=1.0))}
    z = (np.log(fits[motion].theta) - np.log(list(truth.values()))) / fits[motion].log_stderr
    return z, max(fits.values(), key=lambda fit: fit.log_evidence).motion == motion


def of_width(task: tuple[int, int]) -> np.ndarray:
    """Width and its error behind every resolution (resolution, two) of one run."""
    seed, run = task
    random = np.random.default_rng([seed, len(CASES), run])
    step = np.sqrt(2 * (2 * np.pi * WIDTH / ALONE**2) * STEP)
    q = np.array([ALONE])
    seen = correlation(random.normal(0, step, (LONGER * FRAMES, IONS, 3)).cumsum(axis=0), q)
    found = [lines(ordinates(seen, q, interval=STEP, highest=0.5 / STEP, resolution=one)) for _, _, one in resolutions()]
    return np.array([(one.width[0], one.width_stderr[0]) for one in found])


def resolutions() -> list[tuple[str, float, Resolution]]:
    """Shape, width of the line over that of the resolution, and the resolution: the last is measured, with noise and the tail of a pulsed source."""
    random = np.random.default_rng(0)
    each: list[tuple[str, float, Resolution]] = []
    for ratio in (0.2, 1.0, 5.0):
        full = 2 * WIDTH / ratio
        each += [(shape, ratio, Shape(full, shape)) for shape in SHAPES]
        f = full * np.linspace(-2, 10, 241)
        tail = np.where(f >= 0, np.exp(-f / full), np.exp(f / (0.3 * full))) * (1 + random.normal(0, 0.03, len(f)))
        each.append(("measured, with a tail", ratio, evened(f, tail)))
    return sorted(each, key=lambda one: [*SHAPES, one[0]].index(one[0]))


def covers(z: np.ndarray, level: float) -> str:
    return f"{np.mean(np.abs(z) < stdtrit(WINDOWS - 1, 0.5 + level / 2)):.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        print("| motion | parameter | 95 % interval covers | 68 % covers | bias / sd | right motion |\n|---|---|---|---|---|---|")
        for motion, (_, truth) in CASES.items():
            found = pool.map(of_motion, [(motion, options.seed, run) for run in range(options.runs)], chunksize=1)
            z, right = np.array([one[0] for one in found]), np.mean([one[1] for one in found])
            for k, name in enumerate(truth):
                bias = z[:, k].mean() / z[:, k].std()
                print(f"| {motion} | {name} | {covers(z[:, k], 0.95)} | {covers(z[:, k], 0.68)} | {bias:+.2f} | {right:.1%} |", flush=True)
        widths = np.array(pool.map(of_width, [(options.seed, run) for run in range(options.runs)], chunksize=1))
    print("\n| resolution | line / resolution | 95 % interval covers | 68 % covers | bias / sd | scatter | refused |\n|---|---|---|---|---|---|---|")
    for k, (shape, ratio, _) in enumerate(resolutions()):
        width, error = widths[:, k].T
        known = error < width
        logs = np.log(width[known] / WIDTH)
        z = logs * width[known] / error[known]
        row = f"{covers(z, 0.95)} | {covers(z, 0.68)} | {np.mean(z) / np.std(z):+.2f} | {np.std(logs):.1%} | {1 - known.mean():.1%}"
        print(f"| {shape} | {ratio:g} | {row} |", flush=True)


if __name__ == "__main__":
    main()
