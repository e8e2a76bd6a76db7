"""Do the error bars of modes hold? Langevin oscillators of known frequency, damping and susceptibility, with and without a central peak.

    python scripts/coverage_modes.py --seeds 600 --jobs 2     (0.2 s of processor a run, 0.6 s with a central peak: 20 minutes of two cores)

Numbers are the share of runs whose 95 % interval holds the truth, with its binomial error, and the median of the deviation in errors.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from mdtools.estimates.modes import mode_frequencies
from mdtools.units import BOLTZMANN, KINETIC_TO_EV
from tests.langevin import oscillator, spectra, with_neighbour

FREQUENCY, INTERVAL = 2.0, 0.02  # THz, ps
W, ENERGY = 2 * np.pi * FREQUENCY, 300 * BOLTZMANN / KINETIC_TO_EV


def fitted(make: Callable[..., np.ndarray], numbers: tuple[float, ...], frames: int, seeds: int, first: int) -> dict[str, np.ndarray]:
    """Numbers of the fits of `seeds` runs (run,)."""
    paths = make(*numbers, ENERGY, frames, INTERVAL, seeds, first)
    found = mode_frequencies(spectra(paths[:, :, 0], paths[:, :, 1], INTERVAL))
    return {str(name): found[name].values for name in found.data_vars if found[name].dims == ("mode",)}


def row(label: str, workers: Executor, asked: argparse.Namespace, make: Any, numbers: Any, truth: dict[str, float], right: str) -> None:
    starts = range(asked.first_seed, asked.first_seed + asked.seeds, asked.batch)
    jobs = [workers.submit(fitted, make, numbers, asked.frames, asked.batch, first) for first in starts]
    parts = [job.result() for job in jobs]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    cells = []
    for name, value in truth.items():
        error = found[f"{name}_stderr"]
        known = np.isfinite(error)
        inside = ((found[f"{name}_lower"] < value) & (value < found[f"{name}_upper"]))[known]
        bias = np.median((found[name][known] - value) / error[known])
        cells.append(f"{inside.mean():.1%} +- {np.sqrt(max(inside.mean() * (1 - inside.mean()), 1e-9) / known.sum()):.1%} ({bias:+.2f})")
    print(f"| {label} | {' | '.join(cells)} | {np.mean(found['mode_model'] == right):.1%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("seeds", 200), ("frames", 8192), ("first-seed", 53), ("batch", 20), ("jobs", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--only", choices=("oscillator", "central"), help="one of the two tables")
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("spawn")) as workers:
        if asked.only != "central":
            print("| mode | frequency | damping | susceptibility | right model |\n|---|---|---|---|---|")
            for ratio in (0.05, 0.3, 1.0, 2.0, 4.0):
                truth = {"mode_frequency": FREQUENCY, "mode_damping": ratio * FREQUENCY, "static_susceptibility": W**-2}
                row(f"G / W = {ratio:g}", workers, asked, oscillator, (W, ratio * W), truth, "oscillator")
        if asked.only != "oscillator":
            print("\n| mode | frequency | share | time | susceptibility | found |\n|---|---|---|---|---|---|")
            for share in (0.5, 0.2, 0.02):
                truth = {"mode_frequency": FREQUENCY, "central_peak_share": share, "central_peak_time": 2.0, "static_susceptibility": W**-2}
                numbers = (W, 4.0, W**2 * share / (1 - share), 0.5)
                row(f"central peak of {share:g}", workers, asked, with_neighbour, numbers, truth, "central peak")


if __name__ == "__main__":
    main()
