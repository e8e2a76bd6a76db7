"""Haven ratios of lattice models against their exact values: python scripts/exact_haven.py [--runs 32] [--frames 4000] [--jobs 2]

Ions on a lattice are followed through many uncorrelated frames in several independent runs; sigma_NE, sigma and the error of their ratio come from
mdtools.haven_ratio of mdtools.self_diffusivity and mdtools.ionic_conductivity. The runs are pooled: the mean of sigma_NE over the mean of sigma (the
mean of ratios is too large by the relative variance of one sigma; it is printed beside it). "stderr" is that of the pooled ratio as the runs quote
it, "scatter" as they show it. Exact, up to one over the number of ions: one vacancy H_R = f; a lattice
gas of any occupancy c H_R = f(c) (kinetic Monte Carlo to 0.003); collinear interstitialcy on the fcc cations 1/3 (reference/science.md
B11). The exit status says whether every mean is within 0.01, or two of its errors, of that.
Three seconds of processor a run: --runs 12 leaves 0.007 and takes a minute a lattice with --jobs 2.
"""

import argparse
import itertools
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would take coverage.py for the package of its name

import numpy as np

import mdtools as md
from mdtools import synthetic

WANTED = 0.01
LAGS = 16  # frames, where a line has nothing left to gain from longer ones


def vacancy(lattice: Any, cells: int) -> Callable[[int, int], Any]:
    """About ten jumps an ion and frame: the vacancy has been everywhere."""
    jumps = {"sc": 10, "bcc": 20, "fcc": 40}[lattice] * cells**3
    return lambda frames, seed: synthetic.vacancy_hopper(lattice=lattice, cells=cells, n_frames=frames, jumps_per_frame=jumps, seed=seed)


def gas(occupancy: float) -> Callable[[int, int], Any]:
    """sc, 216 sites; ten attempts a vacancy and frame."""
    empty = round(216 * (1 - occupancy))
    return lambda frames, seed: synthetic.vacancy_hopper(
        lattice="sc", cells=6, vacancies=empty, n_frames=frames, jumps_per_frame=10 * max(empty, 100), seed=seed
    )


CASES = {
    "vacancy, sc": (vacancy("sc", 6), 0.653109),
    "vacancy, bcc": (vacancy("bcc", 5), 0.727194),
    "vacancy, fcc": (vacancy("fcc", 4), 0.781451),
    "lattice gas, sc, c = 0.2": (gas(0.2), 0.949),
    "lattice gas, sc, c = 0.5": (gas(0.5), 0.843),
    "lattice gas, sc, c = 0.8": (gas(0.8), 0.738),
    "collinear interstitialcy, fcc": (
        lambda frames, seed: synthetic.interstitialcy(cells=4, n_frames=frames, jumps_per_frame=2000, seed=seed),
        1 / 3,
    ),
}


def one_run(name: str, frames: int, seed: int) -> tuple[float, float, float, int]:
    """sigma_NE, sigma, the relative error of their ratio, and the number of ions."""
    traj = CASES[name][0](frames, seed)
    lags = np.arange(1, LAGS + 1) * traj.frame_interval
    steps = md.charge_current_acf(traj, windows=8, velocities="positions", reference="none")  # white: every ordinate counts
    sigma = md.ionic_conductivity(md.charge_displacement_msd(traj, lags=lags, reference="none"), steps, temperature=1000.0)
    ratio = md.haven_ratio(md.self_diffusivity(md.msd(traj, lags=lags, reference="none")), sigma)
    relative = float(ratio.haven_ratio_stderr / ratio.haven_ratio)
    return float(ratio.ionic_conductivity_nernst_einstein), float(sigma.ionic_conductivity), relative, traj.n_atoms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args()
    pool = multiprocessing.get_context("spawn").Pool(given.jobs) if given.jobs > 1 else None
    print(f"| model | ions | H_R | stderr | scatter / quoted | exact | difference | that of the mean of ratios | seconds |\n{'|---' * 9}|")
    good = True
    for name, (_, exact) in CASES.items():
        if given.only not in name:
            continue
        start = time.monotonic()
        tasks = [(name, given.frames, 1000 * given.seed + k) for k in range(given.runs)]
        found = np.array(pool.starmap(one_run, tasks) if pool else list(itertools.starmap(one_run, tasks)))
        alone, sigma, relative, ions = found.T
        ratio = alone.mean() / sigma.mean()
        stderr = ratio * np.sqrt(np.mean(np.square(relative)) / len(found))
        seen = (alone - ratio * sigma).std(ddof=1) / sigma.mean() / np.sqrt(len(found)) if len(found) > 1 else np.nan
        good = good and abs(ratio - exact) < max(WANTED, 2 * stderr) and stderr < WANTED
        cells = [name, f"{ions[0]:.0f}", f"{ratio:.4f}", f"{stderr:.4f}", f"{seen / stderr:.2f}", f"{exact:.4f}", f"{ratio - exact:+.4f}"]
        cells.append(f"{np.mean(alone / sigma) - exact:+.4f}")
        print(f"| {' | '.join(cells)} | {time.monotonic() - start:.0f} |", flush=True)
    if pool:
        pool.terminate()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
