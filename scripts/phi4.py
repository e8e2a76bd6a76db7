"""T_c of the phi^4 lattice by its soft mode at q = 0, from trajectory to verdict: by own runs, or by those of LAMMPS (scripts/phi4.in).

    python scripts/phi4.py --on-site 4    --timestep 0.05 --frames 4000
    python scripts/phi4.py --on-site 0.25 --cells 20 --runs 8 --temperatures 1.5,1.6,1.75,2,2.4,3      (--cells 10 --runs 10 for the small lattice)
    lmp -in scripts/phi4.in -var T 2.6 -var nprod 100000 -var out FOLDER/phi4_2.6      (a minute; so every temperature)
    python scripts/phi4.py --lammps FOLDER

Prints stiffness and inverse susceptibility at every temperature and T_c by both routes. --save FOLDER keeps the spectra, from which
the rest is done again at once. Runs of 2000 time units; 10 cells take 0.8 s of a processor core each, 20 cells 5 s (1 and 4 minutes of a core).
"side / xi": a cell that is less than three correlation lengths wide is stiffer than a large one (1/chi at T = 1.5, 1.6 for A = 0.25: 0.022 and
0.033 of 10 cells, 0.013 and 0.025 of 20), which moves T_c of a small cell down: 1.25 +- .06 of 10 cells from T = 1.5 on, 1.31 +- .07 from 1.6,
1.37 +- .09 from 1.75, and 1.40 +- .02 of 20 cells.
"""

import argparse
import multiprocessing
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import ase
import numpy as np
import xarray as xr

import mdtools as md
from mdtools import schema, synthetic

THERMOSTAT = 0.05  # 1 / time, of both kinds of runs


def spectra_of(run: md.Trajectory, windows: int) -> xr.Dataset:
    """Of the mode in which all ions move as one."""
    n = round(run.n_atoms ** (1 / 3))
    site = ase.Atoms("X", cell=run.mean_cell / n, pbc=True)
    named = run.relabel({"X": range(run.n_atoms)})
    return md.mode_spectra(named, primitive=site, q=[0, 0, 0], pattern={"X": "0 0 1"}, windows=windows, reference="none")


def one_run(settings: dict[str, Any]) -> xr.Dataset:
    return spectra_of(synthetic.phi4_lattice(friction=THERMOSTAT, **settings), 1)


def own(asked: argparse.Namespace, temperature: float, workers: Executor) -> xr.Dataset:
    """Several runs of one temperature, a window each."""
    shared = {name: getattr(asked, name) for name in ("cells", "on_site", "every", "relax", "timestep")}
    each = [{**shared, "n_frames": asked.frames, "temperature": temperature, "seed": asked.seed + k} for k in range(asked.runs)]
    parts = [part.assign_coords(window=[1e6 * k]) for k, part in enumerate(workers.map(one_run, each))]
    return xr.concat(parts, dim="window", data_vars="minimal", coords="minimal", compat="override", join="override", combine_attrs="override")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on-site", type=float, default=4.0)
    parser.add_argument("--temperatures", default="2.1,2.3,2.6,3,3.6,4.2")
    for name, value in (("cells", 10), ("frames", 2000), ("runs", 10), ("every", 10), ("relax", 3000), ("seed", 53), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--timestep", type=float, default=0.1)
    parser.add_argument("--lammps", type=Path)
    parser.add_argument("--save", type=Path)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("spawn")) as workers:
        judge(asked, workers)


def judge(asked: argparse.Namespace, workers: Executor) -> None:
    found = []
    print("| T | W^2 | 1/chi | G | model | errors longer by | side / xi |\n|---|---|---|---|---|---|---|")
    for t in (float(one) for one in asked.temperatures.split(",")):
        place = None if asked.save is None else asked.save / f"phi4_{asked.on_site:g}_{asked.cells}_{t:g}.nc"
        if place is not None and place.exists():
            data = xr.load_dataset(place, engine="h5netcdf")
        else:
            data = own(asked, t, workers) if asked.lammps is None else from_lammps(asked.lammps, t)
            if place is not None:
                place.parent.mkdir(exist_ok=True, parents=True)
                schema.to_netcdf(data, place)
        found.append(md.mode_frequencies(data, thermostat_damping=THERMOSTAT))
        print(line(t, found[-1], asked.cells), flush=True)
    out = md.detect_soft_modes(found)
    print(f"\n{out.verdict.item()}: {out.reason.item()}")
    for route in out.route.values:
        one = out.sel(route=route).isel(mode=0)
        print(f"T_c by {route}: {float(one.critical_temperature):.3f} +- {float(one.critical_temperature_stderr):.3f}", end="")
        print(f", exponent {float(one.critical_exponent):.2f} +- {float(one.critical_exponent_stderr):.2f}")


def from_lammps(folder: Path, t: float) -> xr.Dataset:
    run = md.read(folder / f"phi4_{t:g}.lammpstrj", units="lj", timestep=0.02, species={1: "A"}, masses={"A": 1.0}, temperature=t)
    return spectra_of(run, 2)


def line(t: float, one: xr.Dataset, cells: int) -> str:
    one = one.isel(mode=0)
    stiffness = (2 * np.pi * float(one.mode_frequency)) ** 2
    error = 2 * stiffness * float(one.mode_frequency_stderr / one.mode_frequency)
    chi = float(one.static_susceptibility_direct)
    chi_error = float(one.static_susceptibility_direct_stderr) / chi**2
    damping = 2 * np.pi * float(one.mode_damping)
    sides = cells * np.sqrt(stiffness)  # in correlation lengths: stiffness W^2 + q^2 for C = 1 and short q
    numbers = f"{stiffness:.4f} +- {error:.4f} | {1 / chi:.4f} +- {chi_error:.4f} | {damping:.3f}"
    return f"| {t:g} | {numbers} | {one.mode_model.item()} | {float(one.fit_inflation):.1f} | {sides:.1f} |"


if __name__ == "__main__":
    main()
