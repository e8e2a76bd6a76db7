"""Mean squared displacement of F in repeated runs of CaF2, one small file: tests/estimates/runs/caf2_1800K.nc.

    python scripts/replicas.py FOLDER OUT.nc        called by scripts/make_data --replicas

FOLDER holds r<seed>.lammpstrj of scripts/caf2.in at 1800 K, each from its own seed. What is kept is all that the estimate needs, so
that the test of its error bars against the scatter of the runs always uses the estimate as it is.
"""

import re
import sys
from pathlib import Path

sys.path.pop(0)  # scripts/coverage.py would stand in for the package of that name, which numba imports

import numpy as np
import xarray as xr

import mdtools as md

KEPT = (
    "msd",
    "msd_by_axis",
    "block_msd",
    "ion_msd",
    "ion_species",
    "n_ions",
    "n_frames",
    "n_atoms",
    "volume",
    "frame_interval",
    "stated_temperature",
)


def measured(path: Path) -> xr.Dataset:
    data = md.msd(md.read(path, framework="Ca", temperature=1800))
    return data[list(KEPT)].isel(species=data.species.values == "F", ion=data.ion_species.values == "F")


def main(folder: str, out: str) -> None:
    seeds = {int(re.findall(r"\d+", path.stem)[-1]): path for path in Path(folder).glob("r*.lammpstrj")}
    runs = []
    for seed in sorted(seeds):
        print(seed, flush=True)
        runs.append(measured(seeds[seed]))
    together = xr.concat(runs, dim="replica", combine_attrs="drop_conflicts").assign_coords(replica=sorted(seeds))
    large = [name for name in ("msd", "msd_by_axis", "block_msd", "ion_msd") if name in together]
    coding = {name: {"dtype": np.float32, "zlib": True, "complevel": 9, "shuffle": True} for name in large}
    together.to_netcdf(out, engine="h5netcdf", encoding=coding)


if __name__ == "__main__":
    main(*sys.argv[1:3])
