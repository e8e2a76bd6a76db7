#!/usr/bin/env python
"""Do the intervals of quasielastic estimates cover, and is the right motion found? A Markdown table.

    python scripts/coverage_quasielastic.py --runs 120 --seed 11

Independent ions in three dimensions: Brownian; jumps of one length in random directions with rattling; overdamped in a harmonic well.
Every run is cut into eight windows; intervals have Student's factor of seven degrees of freedom.
"""

import argparse

import numpy as np
from scipy.special import stdtrit

from mdtools.statistics.quasielastic import compared, ordinates

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


def correlation(path: np.ndarray) -> np.ndarray:
    """F_s (window, q, lag), over three axes."""
    length = FRAMES // WINDOWS
    x = path.reshape(WINDOWS, length, -1)
    out = np.empty((WINDOWS, len(Q), length))
    for k, q in enumerate(Q):
        spectrum = np.fft.fft(np.exp(1j * q * (x - x[:, :1])), 2 * length, axis=1)
        out[:, k] = np.fft.ifft((np.abs(spectrum) ** 2).mean(axis=2))[:, :length].real / np.arange(length, 0, -1)
    return out


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


if __name__ == "__main__":
    main()
