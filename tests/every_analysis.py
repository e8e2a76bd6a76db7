"""Every analysis once, on small made-up runs; and ways to the kernels that its defaults leave out."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import mdtools as md
from mdtools import synthetic
from mdtools.catalogue import ANALYSES
from mdtools.harmonic.crystal import Crystal
from mdtools.thermo import Thermo

__all__ = ["NAMES", "measured", "runs"]

ATOMS, FRAMES = 22, 58  # of nothing else that is run: where a kernel was traced before, the kernels within it would not be seen
SALT = Crystal(np.array([[3.0, 3, 0], [3, 0, 3], [0, 3, 3]]), np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), ("Li", "F"), np.array([7.0, 19.0]))
WITH: dict[str, dict[str, Any]] = {  # what an analysis cannot guess
    "bottleneck_radius": {"mobile": "Li", "corners": ["F"], "number": 2, "repeat": (2, 2, 2), "windows": 4, "around": 0.1},
    "heating_ramp": {"windows": 8},
    "mode_spectra": {"primitive": SALT, "q": [0.5, 0.5, 0.5], "pattern": {"F": "0 0 1"}},
    "proton_displacement": {"protons": ["Li"], "carriers": ["F"]},
    "spectral_energy_density": {"primitive": SALT},
}
RUNS = dict.fromkeys(("bottleneck_radius", "mode_spectra", "spectral_energy_density"), "crystal") | {"stress_fluctuations": "logged"}
BESIDES: dict[str, Callable[[Any], Any]] = {
    "msd of uneven frames": lambda runs: md.msd(runs["uneven"], tensor=True),
    "msd from the first frame": lambda runs: md.msd(runs["gas"], origins="first"),
    "msd of the ions": lambda runs: md.msd(runs["gas"], ions=True),
    "charge_current_acf under a taper": lambda runs: md.charge_current_acf(runs["gas"], taper="hann"),
    "velocity_acf from the first frame": lambda runs: md.velocity_acf(runs["gas"], origins="first"),
    "phonon_dos by several tapers": lambda runs: md.phonon_dos(runs["gas"], taper="multitaper", windows=1),
    "phonon_dos as GPUMD makes it": lambda runs: md.phonon_dos(runs["gas"], convention="gpumd", windows=1, correlation_time=0.5),
    "van_hove_distinct along the axes": lambda runs: md.van_hove_distinct(runs["gas"], by_axis=True),
    "van_hove_map of few origins": lambda runs: md.van_hove_map(runs["gas"], origins=9, lags=[0.1]),
}
NAMES = [*ANALYSES, *BESIDES]
for file in {*ANALYSES.values(), "mdtools.analyses.phonons_of_others"}:
    importlib.import_module(file)


def runs() -> dict[str, md.Trajectory]:
    """What they are run on."""

    def ready(run: Any) -> Any:
        named = run.relabel({"Li": run.indices("A"), "F": run.indices("B")})
        return named.replace(step={"step": "stated"}, temperature=1000.0)

    gas = ready(synthetic.ornstein_uhlenbeck(n_atoms=ATOMS, n_frames=FRAMES, friction=2.0, length=12.0, frame_interval=0.05, seed=3))
    tensor = np.random.default_rng(0).normal(size=(FRAMES, 3, 3))
    return {
        "gas": gas,
        "crystal": ready(synthetic.harmonic_crystal(cells=4, n_frames=FRAMES, frame_interval=0.05, temperature=1000.0, seed=3)),
        "uneven": replace(gas, time=gas.time + 0.1 * (np.arange(FRAMES) >= 30)),
        "logged": replace(gas, log=Thermo(time=gas.time, values={"pressure_tensor": tensor + tensor.transpose(0, 2, 1)})),
    }


def measured(name: str, runs: dict[str, md.Trajectory]) -> Any:
    """The result of one of NAMES."""
    return BESIDES[name](runs) if name in BESIDES else getattr(md, name)(runs[RUNS.get(name, "gas")], **WITH.get(name, {}))
