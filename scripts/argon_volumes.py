"""Quasi-harmonic argon against the pressure of the same runs: volume, expansion and bulk modulus at zero pressure, 15 to 25 K.

    for T in 15 20 25; do for s in 0.98 0.995 1.01 1.025 1.04 1.055 1.07; do
        lmp -in scripts/argon_volumes.in -var T $T -var s $s -var out FOLDER/q_${T}_$s; done; done      (21 runs, 10 s of a processor each)
    python scripts/argon_volumes.py FOLDER [--vendor]

Classical vibrations by the densities of states at 20 K, static energies by their logs; beside it the volume at which the virial of the runs at 15,
20 and 25 K is zero, a cubic in ln v. --vendor writes tests/estimates/runs/argon_volumes.nc.
"""

import argparse
import sys
from pathlib import Path

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np

import mdtools as md
from mdtools.chain import Chain, Chains, save

SCALES = ("0.98", "0.995", "1.01", "1.025", "1.04", "1.055", "1.07")
KELVIN = (15.0, 20.0, 25.0)
VENDORED = Path(__file__).parents[1] / "tests" / "estimates" / "runs" / "argon_volumes.nc"
BLOCKS = 10


def read(folder: Path, kelvin: float, scale: str) -> md.Trajectory:
    place = folder / f"q_{kelvin:g}_{scale}"
    return md.read(f"{place}.lammpstrj", log=f"{place}.log", species={1: "Ar"}, units="metal", timestep=0.005, temperature=kelvin)


def by_virial(runs: list[md.Trajectory], random: np.random.Generator) -> np.ndarray:
    """(draw, 2) volume per atom at zero pressure and bulk modulus (GPa); the first of the means, the others with their errors."""
    log_v = np.log([run.volume / run.n_atoms for run in runs])
    parts = np.array([[part.mean() for part in np.array_split(run.thermo.pressure.values, BLOCKS)] for run in runs])
    mean, error = parts.mean(axis=1), parts.std(axis=1, ddof=1) / np.sqrt(BLOCKS)
    out = []
    for k in range(300):
        cubic = np.polynomial.Polynomial.fit(log_v, mean + error * random.normal(size=len(mean)) * (k > 0), 3)
        roots = cubic.roots()
        place = next(x.real for x in roots if abs(x.imag) < 1e-12 and log_v[0] < x.real < log_v[-1])
        out.append((np.exp(place), -cubic.deriv()(place)))
    return np.array(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vendor", action="store_true")
    asked = parser.parse_args()
    densities = [md.phonon_dos(read(asked.folder, 20.0, scale)) for scale in SCALES]
    if asked.vendor:
        small = [one.drop_vars("phonon_dos_by_direction") for one in densities]
        save(Chains(members=[Chain(name=scale, made={"phonon_dos": one}) for scale, one in zip(SCALES, small, strict=True)]), VENDORED)
    found = md.quasi_harmonic_thermodynamics(densities, temperatures=KELVIN, classical=True)
    random = np.random.default_rng(1)
    direct = [by_virial([read(asked.folder, kelvin, scale) for scale in SCALES], random) for kelvin in KELVIN]
    print("| T | v | by the virial | B_T (GPa) | by the virial |\n|---|---|---|---|---|")
    for k, kelvin in enumerate(KELVIN):
        cells = []
        for name, column in (("equilibrium_volume", 0), ("bulk_modulus", 1)):
            cells.append(f"{float(found[name][k]):.3f} +- {float(found[f'{name}_stderr'][k]):.3f}")
            cells.append(f"{direct[k][0, column]:.3f} +- {direct[k][:, column].std():.3f}")
        print(f"| {kelvin:g} | {' | '.join(cells)} |")
    slope = np.log(direct[2][:, 0] / direct[0][:, 0]) / (3 * (KELVIN[2] - KELVIN[0]))
    mine = f"{float(found.thermal_expansion[1]):.3e} +- {float(found.thermal_expansion_stderr[1]):.1e}"
    print(f"\nlinear expansion at 20 K {mine}, by the virial {slope[0]:.3e} +- {slope.std():.1e} / K")


if __name__ == "__main__":
    main()
