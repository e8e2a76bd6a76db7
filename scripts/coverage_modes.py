"""Do the error bars of modes hold? Langevin oscillators of known frequency, damping and susceptibility, 200 seeds a row.

python scripts/coverage_modes.py [--seeds 200] [--frames 8192] [--first-seed 53]
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from mdtools.estimates.modes import mode_frequencies
from mdtools.units import BOLTZMANN, KINETIC_TO_EV
from tests.langevin import oscillator, spectra, with_neighbour

FREQUENCY, INTERVAL = 2.0, 0.02  # THz, ps
W, ENERGY = 2 * np.pi * FREQUENCY, 300 * BOLTZMANN / KINETIC_TO_EV


def row(label: str, paths: np.ndarray, truth: dict[str, float], right: str) -> None:
    found = mode_frequencies(spectra(paths[:, :, 0], paths[:, :, 1], INTERVAL))
    cells = []
    for name, value in truth.items():
        error = found[f"{name}_stderr"].values
        known = np.isfinite(error)
        if f"{name}_lower" in found:
            inside = (found[f"{name}_lower"].values < value) & (value < found[f"{name}_upper"].values)
        else:
            inside = np.abs(found[name].values - value) < 1.96 * error
        bias = np.median((found[name].values[known] - value) / error[known])
        cells.append(f"{inside[known].mean():.1%} ({bias:+.2f})")
    kept = np.mean(found["mode_model"].values == right)
    print(f"| {label} | {' | '.join(cells)} | {kept:.1%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("seeds", 200), ("frames", 8192), ("first-seed", 53)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    print("| mode | frequency | damping | susceptibility | right model |\n|---|---|---|---|---|")
    for ratio in (0.05, 0.3, 1.0, 2.0, 4.0):
        truth = {"mode_frequency": FREQUENCY, "mode_damping": ratio * FREQUENCY, "static_susceptibility": W**-2}
        paths = oscillator(W, ratio * W, ENERGY, asked.frames, INTERVAL, asked.seeds, asked.first_seed)
        row(f"G / W = {ratio:g}", paths, truth, "oscillator")
    print("\n| mode | frequency | share | time | found |\n|---|---|---|---|---|")
    for share in (0.5, 0.2, 0.02):
        extra = W**2 * share / (1 - share)
        paths = with_neighbour(W, 4.0, extra, 0.5, ENERGY, asked.frames, INTERVAL, asked.seeds, asked.first_seed)
        row(f"central peak of {share:g}", paths, {"mode_frequency": FREQUENCY, "central_peak_share": share, "central_peak_time": 2.0}, "central peak")


if __name__ == "__main__":
    main()
