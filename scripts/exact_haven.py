"""Haven ratios of lattice models against their exact values: python scripts/exact_haven.py [--runs 32] [--frames 4000] [--jobs 2]

Ions on a lattice are followed through many uncorrelated frames in several independent runs; sigma_NE, sigma and the error of their ratio come from
mdtools.haven_ratio of mdtools.self_diffusivity and mdtools.ionic_conductivity. The runs are pooled: the mean of sigma_NE over the mean of sigma (the
mean of ratios is too large by the relative variance of one sigma; it is printed beside it). "stderr" is that of the pooled ratio as the runs quote
it, "scatter" as they show it. Exact, up to one over the number of ions: one vacancy H_R = f; collinear interstitialcy on the fcc cations 1/3
(reference/science.md B11). Of all of these, and of the lattice gas, sigma is exact: the steps of the dipole have no memory (neighbours that hinder an
ion one way hinder others the other way, and that adds up to 0 over a periodic lattice), so that <|dP|^2> is the number of jumps
times the square of one; "sigma / exact" tests the collective part by itself. H_R of the lattice gas is then its tracer's f(c), which
is known by simulation (Nakazato and Kitahara's 1 / (1 + (1 - f) / f c / (2 - c)) is an approximation: 0.944, 0.850, 0.739): the values here
are those of 216 sites, by another program that follows single ions alone, +- 0.001; of 1728 sites 0.943, 0.846, 0.734.
The exit status says whether every mean is within 0.01, or two of its errors, of that.
0.7 seconds of processor a run: --runs 12 leaves 0.007 to 0.011 and --runs 60 a half of it.
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
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI

WANTED = 0.01
LAGS = 16  # frames, where a line has nothing left to gain from longer ones


Model = Callable[[int, int], tuple[Any, float]]  # of frames and seed: the run, and <|sum dr|^2> of a frame in angstrom^2


def hopping(lattice: Any, cells: int, vacancies: int, attempts: int) -> Model:
    """`attempts` of vacancies a frame, each with an ion that is there with the probability of an ion beside a vacancy."""

    def made(frames: int, seed: int) -> tuple[Any, float]:
        traj = synthetic.vacancy_hopper(lattice=lattice, cells=cells, vacancies=vacancies, n_frames=frames, jumps_per_frame=attempts, seed=seed)
        length = {"sc": 1.0, "bcc": np.sqrt(3) / 2, "fcc": np.sqrt(0.5)}[lattice] * traj.cell[0, 0, 0] / cells
        return traj, attempts * traj.n_atoms / (traj.n_atoms + vacancies - 1) * length**2

    return made


def vacancy(lattice: Any, cells: int) -> Model:
    """About ten jumps an ion and frame: the vacancy has been everywhere."""
    return hopping(lattice, cells, 1, {"sc": 10, "bcc": 20, "fcc": 40}[lattice] * cells**3)


def gas(occupancy: float) -> Model:
    """sc, 216 sites; ten attempts a vacancy and frame."""
    empty = round(216 * (1 - occupancy))
    return hopping("sc", 6, empty, 10 * max(empty, 100))


def knock_on(frames: int, seed: int) -> tuple[Any, float]:
    traj = synthetic.interstitialcy(cells=4, n_frames=frames, jumps_per_frame=2000, seed=seed)
    return traj, 2000 * 0.75 * (traj.cell[0, 0, 0] / 4) ** 2


CASES: dict[str, tuple[Model, float]] = {
    "vacancy, sc": (vacancy("sc", 6), 0.653109),
    "vacancy, bcc": (vacancy("bcc", 5), 0.727194),
    "vacancy, fcc": (vacancy("fcc", 4), 0.781451),
    "lattice gas, sc, c = 0.2": (gas(0.2), 0.947),
    "lattice gas, sc, c = 0.5": (gas(0.5), 0.849),
    "lattice gas, sc, c = 0.8": (gas(0.8), 0.736),
    "collinear interstitialcy, fcc": (knock_on, 1 / 3),
}


def one_run(name: str, frames: int, seed: int) -> tuple[float, float, float, int, float]:
    """sigma_NE, sigma, the relative error of their ratio, the number of ions, and sigma as it must be."""
    traj, square = CASES[name][0](frames, seed)
    lags = np.arange(1, LAGS + 1) * traj.frame_interval
    steps = md.charge_current_acf(traj, windows=8, velocities="positions", reference="none")  # white: every ordinate counts
    sigma = md.ionic_conductivity(md.charge_displacement_msd(traj, lags=lags, reference="none"), steps, temperature=1000.0)
    exact = square / (6 * traj.frame_interval * traj.volume * BOLTZMANN * 1000.0) * CONDUCTIVITY_TO_SI
    ratio = md.haven_ratio(md.self_diffusivity(md.msd(traj, lags=lags, reference="none")), sigma)
    relative = float(ratio.haven_ratio_stderr / ratio.haven_ratio)
    return float(ratio.ionic_conductivity_nernst_einstein), float(sigma.ionic_conductivity), relative, traj.n_atoms, exact


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args()
    pool = multiprocessing.get_context("spawn").Pool(given.jobs) if given.jobs > 1 else None
    columns = ("model", "ions", "H_R", "stderr", "scatter / quoted", "exact", "difference", "of the mean of ratios", "sigma / exact", "seconds")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    good = True
    for name, (_, exact) in CASES.items():
        if given.only not in name:
            continue
        start = time.monotonic()
        tasks = [(name, given.frames, 1000 * given.seed + k) for k in range(given.runs)]
        found = np.array(pool.starmap(one_run, tasks) if pool else list(itertools.starmap(one_run, tasks)))
        alone, sigma, relative, ions, truth = found.T
        ratio = alone.mean() / sigma.mean()
        stderr = ratio * np.sqrt(np.mean(np.square(relative)) / len(found))
        seen = (alone - ratio * sigma).std(ddof=1) / sigma.mean() / np.sqrt(len(found)) if len(found) > 1 else np.nan
        good = good and abs(ratio - exact) < max(WANTED, 2 * stderr) and stderr < WANTED
        cells = [name, f"{ions[0]:.0f}", f"{ratio:.4f}", f"{stderr:.4f}", f"{seen / stderr:.2f}", f"{exact:.4f}", f"{ratio - exact:+.4f}"]
        cells.append(f"{np.mean(alone / sigma) - exact:+.4f}")
        cells.append(f"{np.mean(sigma / truth):.4f} +- {np.std(sigma / truth, ddof=1) / np.sqrt(len(found)):.4f}")
        print(f"| {' | '.join(cells)} | {time.monotonic() - start:.0f} |", flush=True)
    if pool:
        pool.terminate()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
