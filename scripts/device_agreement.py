#!/usr/bin/env python
"""Largest difference between what a device and the processor measure of the same run, as a table; exit code 1 where one is too large.

python scripts/device_agreement.py                 the first GPU
python scripts/device_agreement.py --device cpu    the processor with itself: zeros
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import jax
import numpy as np
import xarray as xr

import mdtools as md
from mdtools import synthetic

MOST = 1e-9  # of the largest value of a quantity: kernels compute in float64, sums in another order
SINGLE = 1e-5  # of spectra of velocities, which are transformed in the precision of the file

ANALYSES: dict[str, tuple[float, Callable[[Any], xr.Dataset]]] = {
    "msd": (MOST, lambda run: md.msd(run, tensor=True)),
    "non_gaussian_parameter": (MOST, md.non_gaussian_parameter),
    "charge_displacement_msd": (MOST, md.charge_displacement_msd),
    "charge_current_acf": (MOST, md.charge_current_acf),
    "velocity_acf": (MOST, md.velocity_acf),
    "phonon_dos": (SINGLE, md.phonon_dos),
    "van_hove_self": (MOST, md.van_hove_self),
    "van_hove_distinct": (MOST, md.van_hove_distinct),
    "structure_factor": (MOST, md.structure_factor),
    "intermediate_scattering": (MOST, md.intermediate_scattering),
    "intermediate_scattering_self": (MOST, md.intermediate_scattering_self),
    "current_correlation": (MOST, md.current_correlation),
    "melting_indicators": (MOST, md.melting_indicators),
}


def difference(one: xr.Dataset, other: xr.Dataset) -> float:
    """The largest over the numbers of two Datasets, each over the largest value of its quantity. Infinite where one has none."""
    worst = 0.0
    for name in one.data_vars:
        a, b = one[name].values, other[name].values
        if a.dtype.kind in "fi":
            if not np.array_equal(np.isnan(a), np.isnan(b)):
                return float("inf")
            apart = np.nanmax(np.abs(a - b), initial=0.0)
            worst = max(worst, float(apart / max(np.nanmax(np.abs(a), initial=0.0), 1e-300)))
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="gpu", help="gpu, cuda, tpu or cpu, as JAX calls it")
    options = parser.parse_args()
    run = synthetic.ornstein_uhlenbeck(n_atoms=64, n_frames=512, frame_interval=0.02, seed=1).replace(step={"step": "stated"}, temperature=1000.0)
    device, processor = jax.devices(options.device)[0], jax.devices("cpu")[0]
    print(f"{device.device_kind} and the processor, jax {jax.__version__}\n\n| analysis | largest difference | allowed |\n|---|---|---|")
    failed = False
    for name, (most, measure) in ANALYSES.items():
        found = []
        for where in (device, processor):
            with jax.default_device(where):
                found.append(measure(run))
        apart = difference(*found)
        failed = failed or not apart <= most
        print(f"| {name} | {apart:.1e} | {most:.0e} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
