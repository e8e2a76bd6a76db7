#!/usr/bin/env python
"""How far do published runs of one material scatter, in units of the error that is quoted for each? Prints a table as Markdown (2 minutes).

    python scripts/argyrodites.py FOLDER        of github.com/bjmorgan/data_argyrodite_disorder (MIT; B. J. Morgan, Chem. Mater. 33, 2004 (2021))

37 ab-initio runs of Li6PS5Cl and Li6PS5I with 0, 50 and 100 % of the sites of S and the halogen exchanged, 500 K, 7 to 14 ps each. "scatter" is
the root mean square of (D - mean) / quoted error over the runs of a composition, n - 1 in the mean square; real differences between
the structures that runs start from are part of it. z is the sum of `late_z_score` over the square root of the number of runs: far below 0
the slope still falls within the runs.
"""

import sys
from pathlib import Path

import numpy as np

import mdtools as md


def diffusivities(folder: Path) -> dict[str, np.ndarray]:
    """D, its error, D of the longer lags, its error, z and whether it is called subdiffusive, of each run by composition."""
    found: dict[str, list[list[float]]] = {}
    for path in sorted(folder.glob("data/*/*/run*/actual_XDATCAR.gz")):
        run = md.read(path, frame_interval="100 fs", temperature=500)
        msd = md.msd(run.with_framework([name for name in run.species_names if name != "Li"]), windows=1)
        d = md.self_diffusivity(msd).sel(species="Li")
        names = ("self_diffusivity", "self_diffusivity_stderr", "self_diffusivity_late", "self_diffusivity_late_stderr", "late_z_score")
        found.setdefault(f"{path.parts[-4]}, {path.parts[-3].rstrip('p')} %", []).append(
            [*(float(d[name]) for name in names), d.regime == "subdiffusive"]
        )
    return {name: np.array(rows, dtype=np.float64).T for name, rows in found.items()}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = diffusivities(Path(sys.argv[1]))
    if not found:
        sys.exit(f"{sys.argv[1]} has no data/*/*/run*/actual_XDATCAR.gz: give the folder of the repository")
    print("| composition | runs | D | of the longer lags | scatter | of the longer lags | z | subdiffusive |\n" + "|---" * 8 + "|")
    squares = np.zeros(2)
    for name, (d, error, late, late_error, z, falls) in found.items():
        own = [np.sum(np.square((value - value.mean()) / quoted)) for value, quoted in ((d, error), (late, late_error))]
        squares += own
        scatter = " | ".join(f"{np.sqrt(one / (len(d) - 1)):.2f}" for one in own)
        print(f"| {name} | {len(d)} | {d.mean():.3f} | {late.mean():.3f} | {scatter} | {z.sum() / np.sqrt(len(z)):.1f} | {falls.sum():.0f} |")
    freedom = sum(len(rows[0]) - 1 for rows in found.values())
    print(f"\nscatter over all: {np.sqrt(squares[0] / freedom):.2f}, of the longer lags {np.sqrt(squares[1] / freedom):.2f}")


if __name__ == "__main__":
    main()
