#!/usr/bin/env python3
"""What the runs of a CaF2 series amount to, without their trajectories.

    python -P scripts/caf2_series.py [--pressure GPA] [--evidence] OUT.nc FOLDER...

Every caf2_<T>K.lammpstrj[.zst] of the folders, with the log beside it: what `detect_transition` needs of the state of the run, the
occupation of sites, the verdict and the diffusion; elastic constants where the cells were held. --pressure : that of the barostat of the runs.
--evidence : instead all that `detect_melting` judges by. scripts/make_data calls it.
"""

import argparse
import re
from pathlib import Path

from mdtools import chain, read

CARRIED = ["stated_temperature", "n_atoms", "n_ions", "volume"]
KEPT = {
    "run_state": [
        "total_energy",
        "pressure",
        "volume_by_window",
        "kinetic_fluctuation",
        "enthalpy_by_window",
        "enthalpy_variance",
        "enthalpy_third_moment",
        "enthalpy_fourth_moment",
        "logged_volume_by_window",
        "volume_variance",
        "enthalpy_volume_covariance",
        *CARRIED,
    ],
    "site_occupation": ["empty_sites", "empty_sites_variance", "n_sites", "jump_count", *CARRIED],
    "detect_melting": ["system_verdict", "system_probability", "system_probability_stderr", "n_ions", "stated_temperature"],
    "shear_modulus": ["elastic_c11", "elastic_c12", "elastic_c44", *(f"elastic_{c}_stderr" for c in ("c11", "c12", "c44")), *CARRIED],
    "self_diffusivity": ["self_diffusivity", "self_diffusivity_stderr", "self_diffusivity_upper", *CARRIED],
}
EVIDENCE = {
    "melting_indicators": [],
    "site_occupation": ["empty_sites", "core_fraction", "jump_count", "ions_of_block", "observed_time", "n_sites", *CARRIED],
    "shear_modulus": [],
    "run_state": [],
    "vibrational_moments": [],
}  # no names: all of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pressure", type=float)
    parser.add_argument("--evidence", action="store_true")
    parser.add_argument("target")
    parser.add_argument("folders", nargs="+")
    given = parser.parse_args()
    found = [(re.fullmatch(r"caf2_(\d+)K\.lammpstrj(\.zst)?", path.name), path) for folder in given.folders for path in Path(folder).iterdir()]
    files = {int(name[1]): path for name, path in found if name}
    kept = EVIDENCE if given.evidence else {name: values for name, values in KEPT.items() if name != "shear_modulus" or given.pressure is None}
    members = []
    for kelvin, path in sorted(files.items()):
        log = next(path.parent.glob(f"caf2_{kelvin}K.log*"))
        traj = read(path, framework="Ca", temperature=kelvin, pressure=given.pressure, log=log)
        run = chain.Chain(name=f"caf2_{kelvin}K", traj=traj)
        made = {name: run.make(name) for name in kept}
        made = {name: data[[one for one in kept[name] if one in data]] if kept[name] else data for name, data in made.items()}
        members.append(chain.Chain(name=run.name, made=made))
        verdict = run.make("detect_melting")
        print(run.name, verdict.system_verdict.item(), round(float(verdict.system_probability.max()), 3), flush=True)
    chain.save(chain.Chains(members=members), given.target)


if __name__ == "__main__":
    main()
