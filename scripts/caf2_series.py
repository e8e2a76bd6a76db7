#!/usr/bin/env python3
"""What the runs of a CaF2 series amount to, without their trajectories: `python -P scripts/caf2_series.py OUT.nc FOLDER...`

Every caf2_<T>K.lammpstrj[.zst] of the folders, with the log beside it: what `detect_transition` needs of the state of the run, the
occupation of sites, the verdict and the diffusion. scripts/make_data --series calls it.
"""

import re
import sys
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
        *CARRIED,
    ],
    "site_occupation": ["empty_sites", "empty_sites_variance", "n_sites", "jump_count", *CARRIED],
    "detect_melting": ["system_verdict", "system_probability", "system_probability_stderr", "n_ions", "stated_temperature"],
    "shear_modulus": ["elastic_c11", "elastic_c12", "elastic_c44", *(f"elastic_{c}_stderr" for c in ("c11", "c12", "c44")), *CARRIED],
    "self_diffusivity": ["self_diffusivity", "self_diffusivity_stderr", "self_diffusivity_upper", *CARRIED],
}


def main() -> None:
    target, *folders = sys.argv[1:]
    found = [(re.fullmatch(r"caf2_(\d+)K\.lammpstrj(\.zst)?", path.name), path) for folder in folders for path in Path(folder).iterdir()]
    files = {int(name[1]): path for name, path in found if name}
    members = []
    for kelvin, path in sorted(files.items()):
        log = next(path.parent.glob(f"caf2_{kelvin}K.log*"))
        run = chain.Chain(name=f"caf2_{kelvin}K", traj=read(path, framework="Ca", temperature=kelvin, log=log))
        made = {name: run.make(name) for name in KEPT}
        made = {name: data[[one for one in KEPT[name] if one in data]] for name, data in made.items()}
        members.append(chain.Chain(name=run.name, made=made))
        print(run.name, made["detect_melting"].system_verdict.item(), round(float(made["detect_melting"].system_probability.max()), 3), flush=True)
    chain.save(chain.Chains(members=members), target)


if __name__ == "__main__":
    main()
