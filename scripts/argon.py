#!/usr/bin/env python
"""Rahman's liquid argon of 1964 by mdtools: D, peaks of g(r), the second moment of G_s, of runs of scripts/argon.in.

    for s in 1 2 3; do lmp -in scripts/argon.in -var seed $s -var out argon$s; done      (a minute each)
    python scripts/argon.py argon?.lammpstrj --json tests/files/other/argon/rahman.json --keep tests/files/other/argon/argon.nc

--keep writes what the test of the suite starts from: MSD and g(r) of the first run.
Prints a Markdown table beside what Rahman, Phys. Rev. 136, A405 (1964), and a replication of today (github.com/hunter-heidenreich/argon-simulation)
found.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np

import mdtools as md
from mdtools import chain

RAHMAN = {"D (1e-5 cm^2/s)": 2.43, "first peak of g(r) (angstrom)": 3.7, "second": 7.0, "third": 10.4}
REPLICATION = {"D (1e-5 cm^2/s)": 2.47, "first peak of g(r) (angstrom)": 3.82}


def peaks(g: np.ndarray, r: np.ndarray) -> list[float]:
    """The first three maxima, each the vertex of a parabola through what lies within a tenth of the height above 1 or 0.15 angstrom."""
    found = []
    for low, high in ((3.0, 5.0), (6.0, 8.5), (9.3, 12.0)):
        inside = (r > low) & (r < high)
        top = r[inside][np.argmax(g[inside])]
        near = abs(r - top) < (0.15 if low < 5 else 0.6)
        a, b, _ = np.polyfit(r[near] - top, g[near], 2)
        found.append(float(top - b / (2 * a)))
    return found


def of_run(path: str) -> dict[str, Any]:
    traj = md.read(path, masses={"Ar": 39.948})
    diffusion = md.self_diffusivity(md.msd(traj, reference="barycentre"))
    static = md.van_hove_distinct(traj, lags=[0.0], bins=348, r_max=17.38, pair_budget=4e8)
    moved = md.van_hove_self(traj, reference="barycentre", bins=800)
    density = moved.van_hove_self.isel(species=0)
    second = (density * moved.r**2).sum("r") * float(moved.r[1] - moved.r[0])
    later = moved.lag.values > 1.0
    ratio = (second / moved["msd"].isel(species=0)).values[:, later]
    first, other, third = peaks(static.van_hove_distinct.mean("window").values[0, 0], static.r.values)
    alpha = moved.non_gaussian_parameter.isel(species=0).mean("window")
    return {
        "D (1e-5 cm^2/s)": float(diffusion.self_diffusivity_cm2_per_s[0]) * 1e5,
        "its error": float(diffusion.self_diffusivity_cm2_per_s_stderr[0]) * 1e5,
        "first peak of g(r) (angstrom)": first,
        "second": other,
        "third": third,
        "second moment of G_s over MSD": float(ratio.mean()),
        "largest alpha_2": float(alpha.values.max()),
        "at (ps)": float(alpha.lag[int(np.argmax(alpha.values))]),
    }


def keep(run: str, path: Path) -> None:
    """MSD and g(r) of one run in one file, lags up to 25 ps."""
    traj = md.read(run, masses={"Ar": 39.948}, end="50 ps")
    chain.save(chain.chains_of([md.msd(traj, reference="barycentre"), md.van_hove_distinct(traj, lags=[0.0], bins=348, r_max=17.38)]), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.keep:
        keep(options.runs[0], options.keep)
    rows = [of_run(path) for path in options.runs]
    print("| quantity | mdtools, by run | Rahman 1964 | replication |\n|---|---|---|---|")
    for name in rows[0]:
        print(f"| {name} | {', '.join(f'{row[name]:.4g}' for row in rows)} | {RAHMAN.get(name, '')} | {REPLICATION.get(name, '')} |")
    if options.json:
        options.json.write_text(json.dumps({"runs": rows, "Rahman 1964": RAHMAN, "replication": REPLICATION}, indent=1) + "\n")


if __name__ == "__main__":
    main()
