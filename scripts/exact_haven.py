"""Haven ratios of lattice models against their exact values: python scripts/exact_haven.py [--frames 20000]

Ions on a lattice are followed through many uncorrelated frames, so that D and sigma are known to a part in a hundred; both come
from mdtools.self_diffusivity and mdtools.ionic_conductivity, the ratio and its error from mdtools.haven_ratio. Frames of a lattice without
vibration are uncorrelated, so that the first lag alone has the ratio to sqrt(2 / 3 frames): the last column. Exact, up to one over
the number of ions: one vacancy H_R = f; a lattice gas of any occupancy c H_R = f(c) (kinetic Monte Carlo to 0.003); collinear
interstitialcy on the fcc cations 1/3 (reference/science.md B11).
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would take coverage.py for the package of its name

import numpy as np

import mdtools as md
from mdtools import synthetic


def vacancy(lattice: Any, cells: int, frames: int, seed: int) -> Any:
    return synthetic.vacancy_hopper(lattice=lattice, cells=cells, n_frames=frames, jumps_per_frame=1000, seed=seed)


def gas(occupancy: float, frames: int, seed: int) -> Any:
    """sc, 512 sites; two attempts a site and frame."""
    return synthetic.vacancy_hopper(
        lattice="sc", cells=8, vacancies=round(512 * (1 - occupancy)), n_frames=frames // 4, jumps_per_frame=1024, seed=seed
    )


CASES = {
    "vacancy, sc": (lambda n, seed: vacancy("sc", 5, n, seed), 0.653109),
    "vacancy, bcc": (lambda n, seed: vacancy("bcc", 4, n, seed), 0.727194),
    "vacancy, fcc": (lambda n, seed: vacancy("fcc", 3, n, seed), 0.781451),
    "lattice gas, sc, c = 0.2": (lambda n, seed: gas(0.2, n, seed), 0.949),
    "lattice gas, sc, c = 0.5": (lambda n, seed: gas(0.5, n, seed), 0.843),
    "lattice gas, sc, c = 0.8": (lambda n, seed: gas(0.8, n, seed), 0.738),
    "collinear interstitialcy, fcc": (
        lambda n, seed: synthetic.interstitialcy(cells=5, n_frames=n // 2, jumps_per_frame=2000, seed=seed),
        1 / 3,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=20000)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("| model | ions | H_R | stderr | exact | difference | seconds | difference of the first lag |\n|---|---|---|---|---|---|---|---|")
    for name, (make, exact) in CASES.items():
        if given.only not in name:
            continue
        start = time.monotonic()
        traj = make(given.frames, given.seed)
        lags = np.arange(1, 33) * traj.frame_interval
        dipole = md.charge_displacement_msd(traj, lags=lags, reference="none")
        first = dipole.isel(window=0, lag=0)
        alone = float(first.charge_displacement_msd_self.sum() / first.charge_displacement_msd)
        error = alone * np.sqrt(2 / (3 * traj.n_frames))
        sigma = md.ionic_conductivity(dipole, temperature=1000.0)
        ratio = md.haven_ratio(md.self_diffusivity(md.msd(traj, lags=lags, reference="none")), sigma)
        value, stderr = float(ratio.haven_ratio), float(ratio.haven_ratio_stderr)
        cells = [name, str(traj.n_atoms), f"{value:.4f}", f"{stderr:.4f}", f"{exact:.4f}", f"{value - exact:+.4f}", f"{time.monotonic() - start:.0f}"]
        print(f"| {' | '.join(cells)} | {alone - exact:+.4f} +- {error:.4f} |", flush=True)


if __name__ == "__main__":
    main()
