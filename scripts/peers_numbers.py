#!/usr/bin/env python
"""What other programs say of the shipped runs, for notebooks/10_other_programs.ipynb: writes data/peers.json (half a minute).

    python scripts/peers_numbers.py

Needs `pip install ".[bench]" stacie`. A program that is not installed keeps the numbers it has in the file. Every call is one that its
manual shows; where it must be told something that mdtools finds, the number told stands in the table.
"""

import json
import logging
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np

import mdtools as md
from mdtools import synthetic
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI

DATA = Path(__file__).parents[1] / "data"
Q = [[6, 0, 0], [2, 1, 0], [4, 4, 2]]  # of the simulation cell; the first is a reflection, (200) of fluorite
FRAMES = 201


def kinisi() -> dict[str, Any]:
    """Li in the frame of P, S and Cl of the argyrodite, through ASE; D from lags of 2 ps and of 5 ps on."""
    import ase.io
    import scipp
    from kinisi.analyze import DiffusionAnalyzer

    atoms = ase.io.read(DATA / "Li6PS5Cl_50p_run1_XDATCAR.gz", index=":", format="vasp-xdatcar")
    one, step = 1 * scipp.units.dimensionless, 0.1 * scipp.Unit("ps")
    found = DiffusionAnalyzer.from_ase(atoms, specie="Li", time_step=step, step_skip=one, progress=False)
    lag = found.da.coords["time interval"].values
    out: dict[str, Any] = {"lag": [1.0, 5.0, 10.0]}
    out["msd"] = [float(found.msd.values[np.argmin(abs(lag - one_lag))]) for one_lag in out["lag"]]
    for start in (2.0, 5.0):
        found.diffusion(start * scipp.Unit("ps"), progress=False, random_state=np.random.RandomState(1))
        draws = found.D.to(unit="angstrom^2/ps").values
        out[f"D from {start:.0f} ps"] = [float(np.mean(draws)), float(np.std(draws))]
    return out


def dynasor() -> dict[str, Any]:
    """F(q, t) and S(q, f) of CaF2 at 1600 K at three wave vectors."""
    from dynasor import compute_dynamic_structure_factors

    logging.getLogger("dynasor").setLevel(logging.ERROR)
    run = fluorite(1600)
    q = 2 * np.pi * np.array(Q) @ np.linalg.inv(run.mean_cell).T
    found = compute_dynamic_structure_factors(_Frames(run), q, dt=1000 * run.frame_interval, window_size=100, calculate_incoherent=True)
    names = ("Fqt_coh_Ca_Ca", "Fqt_coh_Ca_F", "Fqt_coh_F_F", "Fqt_incoh_F", "Sqw_coh_F_F", "time", "omega")
    return {name: np.asarray(getattr(found, name))[..., ::10].tolist() for name in names}


class _Frames:
    """What dynasor asks of a trajectory: positions in angstrom, from what mdtools has read."""

    def __init__(self, run: md.Trajectory) -> None:
        self.atomic_indices = {name: run.indices(name) for name in run.species_names}
        self.atom_types, self.n_atoms, self.frame_step, self.cell = sorted(run.species_names), run.n_atoms, 1, run.mean_cell
        self.positions = np.asarray(run.scaled_positions, dtype=np.float64) @ run.mean_cell
        self.number_of_frames_read, self.has_positions, self.has_velocities = 0, True, False

    def __iter__(self) -> Any:
        from dynasor.trajectory.trajectory_frame import TrajectoryFrame

        for k, x in enumerate(self.positions):
            self.number_of_frames_read += 1
            yield TrajectoryFrame(self.atomic_indices, k, x.copy(), None, None, properties=("positions",))


def freud() -> dict[str, Any]:
    """Pairs F-Ca of CaF2 at 1600 K by distance, every tenth frame, 50 bins up to 8 angstrom."""
    from freud.box import Box
    from freud.density import RDF

    run = fluorite(1600)
    rdf = RDF(bins=50, r_max=8.0, normalization_mode="finite_size")
    positions = np.asarray(run.scaled_positions, dtype=np.float64) @ run.mean_cell
    for x in positions[::10]:
        box = Box.from_matrix(run.mean_cell.T)
        rdf.compute((box, box.wrap(x[run.indices("F")])), query_points=box.wrap(x[run.indices("Ca")]), reset=False)
    return {"r": rdf.bin_centers.tolist(), "g": rdf.rdf.tolist(), "counts": rdf.bin_counts.tolist()}


def stacie() -> dict[str, Any]:
    """Conductivity of 32 charges of Ornstein and Uhlenbeck, 1600 correlation times, from their current: two models of the spectrum."""
    from stacie import ExpPolyModel, LorentzModel, compute_spectrum, estimate_acint

    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=16000, seed=5)
    current = np.einsum("tax,a->xt", np.asarray(gas.velocities, dtype=np.float64), gas.charges)
    factor = CONDUCTIVITY_TO_SI / (gas.volume * BOLTZMANN * 1000.0)
    spectrum = compute_spectrum(current, prefactors=factor, timestep=gas.frame_interval, include_zero_freq=True)
    found = {name: estimate_acint(spectrum, model) for name, model in (("exp(b0 + b1 f^2)", ExpPolyModel([0, 2])), ("Lorentz", LorentzModel()))}
    return {name: [float(one.acint), float(one.acint_std)] for name, one in found.items()}


def fluorite(temperature: int) -> md.Trajectory:
    run = md.read(DATA / f"caf2_{temperature}K.lammpstrj.zst", framework="Ca", temperature=temperature, end=(FRAMES - 1) * 0.03, precision="float64")
    assert run.n_frames == FRAMES
    return run


PROGRAMS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "kinisi": ("kinisi", kinisi),
    "dynasor": ("dynasor", dynasor),
    "freud": ("freud-analysis", freud),
    "stacie": ("stacie", stacie),
}


def main() -> None:
    path = DATA / "peers.json"
    table = json.loads(path.read_text()) if path.exists() else {}
    for name, (package, call) in PROGRAMS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                numbers = call()
        except ModuleNotFoundError as missing:
            print(f"{name}: {missing}; its numbers stay as they are", file=sys.stderr)
            continue
        table[name] = {"version": version(package), **numbers}
        print(name, table[name]["version"])
    path.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
