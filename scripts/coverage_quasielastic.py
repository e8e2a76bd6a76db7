#!/usr/bin/env python
"""Do the intervals of quasielastic estimates cover, and is the right motion found? A Markdown table.

    python scripts/coverage_quasielastic.py --runs 120 --seed 11

Independent ions in three dimensions: Brownian; jumps of one length in random directions with rattling; overdamped in a harmonic well.
Every run is cut into eight windows; intervals have Student's factor of seven degrees of freedom. Then the width of a line of 0.1 THz
(Brownian ions at one wave number, windows of 40 ps) behind a resolution whose half width is 5, 1 and 0.2 of it. About ten minutes.
"""

import argparse

import numpy as np
from scipy.special import stdtrit

from mdtools.statistics.ordinates import ordinates
from mdtools.statistics.quasielastic import compared
from mdtools.statistics.quasielastic_lines import lines
from mdtools.statistics.resolution import Shape

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


def behind_a_resolution(runs: int, random: np.random.Generator) -> None:
    print("\n| resolution | line / resolution | 95 % interval covers | 68 % covers | bias / sd | scatter | refused |\n|---|---|---|---|---|---|---|")
    step = np.sqrt(2 * (2 * np.pi * WIDTH / ALONE**2) * STEP)
    q = np.array([ALONE])
    every = [correlation(random.normal(0, step, (LONGER * FRAMES, IONS, 3)).cumsum(axis=0), q) for _ in range(runs)]
    for shape in ("gaussian", "lorentzian", "triangular"):
        for ratio in (0.2, 1.0, 5.0):
            seen = {"interval": STEP, "highest": 0.5 / STEP, "resolution": Shape(2 * WIDTH / ratio, shape)}
            found = [lines(ordinates(one, q, **seen)) for one in every]
            width, error = (np.array([getattr(one, name)[0] for one in found]) for name in ("width", "width_stderr"))
            known = error < width
            z = (np.log(width[known]) - np.log(WIDTH)) / (error[known] / width[known])
            covers = [f"{np.mean(np.abs(z) < stdtrit(WINDOWS - 1, 0.5 + level / 2)):.1%}" for level in (0.95, 0.68)]
            scatter = np.std(np.log(width[known]))
            row = f"{covers[0]} | {covers[1]} | {np.mean(z) / np.std(z):+.2f} | {scatter:.1%} | {1 - known.mean():.1%}"
            print(f"| {shape} | {ratio:g} | {row} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    print("| motion | parameter | 95 % interval covers | 68 % covers | bias / sd | right motion |\n|---|---|---|---|---|---|")
    for motion, (make, truth) in CASES.items():
        scores, right = [], 0
        for _ in range(options.runs):
            fits = {fit.motion: fit for fit in compared(ordinates(correlation(make(random)), Q, interval=STEP, highest=1.0))}
            right += max(fits.values(), key=lambda fit: fit.log_evidence).motion == motion
            scores.append((np.log(fits[motion].theta) - np.log(list(truth.values()))) / fits[motion].log_stderr)
        z = np.array(scores)
        for k, name in enumerate(truth):
            covers = [f"{np.mean(np.abs(z[:, k]) < stdtrit(WINDOWS - 1, 0.5 + level / 2)):.1%}" for level in (0.95, 0.68)]
            print(
                f"| {motion} | {name} | {covers[0]} | {covers[1]} | {z[:, k].mean() / z[:, k].std():+.2f} | {right / options.runs:.1%} |", flush=True
            )
    behind_a_resolution(options.runs, random)


if __name__ == "__main__":
    main()
