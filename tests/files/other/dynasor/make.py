#!/usr/bin/env python
"""Made walk.extxyz.gz and dynasor.json, with dynasor 2.5 (MIT) and ase, in an environment of their own: python make.py

The walk: 12 Ca and 8 F in a triclinic cell, 60 frames 10 fs apart, unwrapped random steps with drift. dynasor's numbers are in
angstrom and fs: F, F_s and S(q) have no unit, currents are angstrom^2/fs^2, S(q, w) is in fs.
"""

import gzip
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
CELL = np.array([[9.0, 0.0, 0.0], [2.5, 8.0, 0.0], [-1.0, 1.5, 10.0]])
SPECIES = ["Ca"] * 12 + ["F"] * 8
HKL = [[1, 0, 0], [0, -1, 0], [0, 0, 1], [1, 2, 0], [-2, 1, 3], [4, -3, 2], [1, 2, -1]]
WINDOW, INTERVAL = 25, 10.0


def write(path: Path) -> None:
    random = np.random.default_rng(2026)
    x = random.uniform(size=(20, 3)) @ CELL + random.normal(0, 0.25, (60, 20, 3)).cumsum(axis=0) + 0.05 * np.arange(60)[:, None, None]
    v = random.normal(0, 0.004, x.shape) + 0.001
    lattice = " ".join(f"{value:.17g}" for value in CELL.ravel())
    with gzip.open(path, "wt", compresslevel=9) as file:
        for frame in range(60):
            file.write(f'20\nLattice="{lattice}" Properties=species:S:1:pos:R:3:vel:R:3 pbc="T T T"\n')
            for a, name in enumerate(SPECIES):
                file.write(f"{name} " + " ".join(f"{value:.17g}" for value in (*x[frame, a], *v[frame, a])) + "\n")


def main() -> None:
    from dynasor import Trajectory, compute_dynamic_structure_factors, compute_static_structure_factors

    write(HERE / "walk.extxyz.gz")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "walk.xyz"
        with gzip.open(HERE / "walk.extxyz.gz") as packed, open(plain, "wb") as file:
            shutil.copyfileobj(packed, file)

        def traj() -> Trajectory:
            kinds = {"Ca": list(range(12)), "F": list(range(12, 20))}
            return Trajectory(str(plain), trajectory_format="extxyz", atomic_indices=kinds, length_unit="Angstrom", time_unit="fs")

        q = 2 * np.pi * np.array(HKL) @ np.linalg.inv(CELL).T
        sample = compute_dynamic_structure_factors(traj(), q, dt=INTERVAL, window_size=WINDOW, calculate_currents=True, calculate_incoherent=True)
        static = compute_static_structure_factors(traj(), q)
    names = [name for name in sample.available_correlation_functions if name.startswith(("Fqt", "Sqw", "Clqt", "Ctqt"))]
    table = {name: sample[name].tolist() for name in names}
    table |= {name: static[name].reshape(-1).tolist() for name in static.available_correlation_functions}
    table |= {"hkl": HKL, "q": np.linalg.norm(q, axis=1).tolist(), "omega": sample.omega.tolist(), "time": sample.time.tolist()}
    (HERE / "dynasor.json").write_text(json.dumps(table))


if __name__ == "__main__":
    main()
