"""Counts of pairs a lag apart by freud: RDF(query_points=r(t), exclude_ii=True), by ordered pair of species: python make.py (with freud at hand).

Two runs of CaF2 that are in this repository, one in a cubic cell and one in a triclinic one.
"""

import json
import sys
from pathlib import Path

import freud
import numpy as np

import mdtools as md

ROOT = Path(__file__).parents[4]
CAF2 = ROOT / "tests" / "files" / "lammps" / "caf2"
CASES = {
    "cubic": ((ROOT / "data" / "caf2_1600K.lammpstrj.zst",), {"framework": "Ca"}, 8.4, 60, 40, [0, 1, 33], 6),
    "triclinic": ((CAF2 / "unwrapped.dcd",), {"topology": CAF2 / "equil.restricted.data", "frame_interval": "0.2 ps"}, 8.0, 80, 20, [0, 2, 10], 5),
}


def counts(traj: md.Trajectory, first: int, later: int, s: str, t: str, r_max: float, bins: int) -> np.ndarray:
    box = freud.box.Box.from_matrix(traj.cell[first].T)
    start, end = (box.wrap(np.asarray(traj.scaled_positions[k], dtype=np.float64) @ traj.cell[k]) for k in (first, later))
    rdf = freud.density.RDF(bins=bins, r_max=r_max)
    # exclude_ii compares the numbers of both lists: a like pair shares them, an unlike one has no ion twice
    rdf.compute((box, start[traj.indices(s)]), query_points=end[traj.indices(t)], neighbors={"r_max": r_max, "exclude_ii": s == t})
    return rdf.bin_counts.astype(int)


def main() -> None:
    table = {"freud": freud.__version__}
    for case, (files, options, r_max, bins, stride, lags, origins) in CASES.items():
        traj = md.read(*files, **options)
        rows = {}
        for lag in lags:
            for s in traj.species_names:
                for t in traj.species_names:
                    rows[f"{lag} {s}-{t}"] = sum(counts(traj, k, k + lag, s, t, r_max, bins) for k in range(0, origins * stride, stride)).tolist()
        table[case] = {"r_max": r_max, "bins": bins, "stride": stride, "origins": origins, "lags": lags, "counts": rows}
    Path(sys.argv[1] if len(sys.argv) > 1 else "counts.json").write_text(json.dumps(table) + "\n")


if __name__ == "__main__":
    main()
