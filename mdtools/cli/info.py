"""What a trajectory holds and what can be made of it, before anything long is started."""

from typing import Any

from mdtools import memory
from mdtools.catalogue import ANALYSES, DECISIONS, ESTIMATES, VARIES
from mdtools.errors import TrajectoryError
from mdtools.signatures import signature

__all__ = ["NEEDS", "info", "joined", "pieces"]

# what a measurement needs besides positions; a test ties this table to what the functions refuse
NEEDS = {
    "charge_displacement_msd": ("charges",),
    "charge_displacement_by_distance": ("charges",),
    "charge_current_acf": ("charges",),
    "current_correlation": ("velocities",),
    "velocity_acf": ("velocities",),
    "phonon_dos": ("velocities", "masses", "temperature"),
    "mode_spectra": ("masses",),
    "spectral_energy_density": ("velocities", "masses"),
    "vibrational_moments": ("temperature",),
    "vibrational_thermodynamics": ("temperature",),
    "quasi_harmonic_thermodynamics": ("temperature",),
    "ionic_conductivity": ("temperature",),
    "heat_capacity": ("thermo", "temperature"),
    "enthalpy_bimodality": ("thermo",),
    "strain_elasticity": ("temperature",),
    "stress_elasticity": ("temperature",),
    "onsager": ("temperature",),
    "ionic_conductivity_spectrum": ("temperature",),
    "dielectric_function": ("temperature",),
    "haven_ratio": ("temperature",),
    "shear_modulus": ("temperature",),
}
# what runs of a series must differ in -> in words
DIFFER = {
    "stated_temperature": "several temperatures",
    "mass": "runs that differ in the mass of a species",
    "stated_pressure": "several pressures",
    "volume": "several volumes at one temperature",
}
# columns of the audit of a chain of restarts -> how they are headed
PIECES = {
    "piece": "piece",
    "frames": "frames",
    "kept": "kept",
    "dropped": "dropped",
    "frame_interval": "interval (ps)",
    "seam_interval": "before it (ps)",
    "seam_rms": "moved into it, rms (angstrom)",
    "seam_largest": "largest",
    "inside_rms": "inside, rms",
}
ION_FRAMES_PER_SECOND = 2e6  # of an MSD by FFT in float64 on one processor core, measured


def info(traj: Any) -> tuple[dict[str, str], list[list[str]]]:
    """What a file holds, what can be measured from it, what is missing, and what it will cost.

    Returns what was understood (row -> words), and for each result whether it can be made and what is missing.
    """
    understood = traj.describe() | _unwrapping(traj) | _cost(traj)
    possible = []
    for name in (*ANALYSES, *ESTIMATES, *DECISIONS):
        lacking = missing(traj, name)
        possible.append([name.replace("_", "-"), "no" if lacking else "yes", "; ".join(lacking)])
    return understood, possible


def pieces(traj: Any) -> list[list[str]]:
    """The audit of a chain of restarts, a row for each piece: what was kept of it, and how far atoms move on the way into it."""
    rows = traj.history[0].get("pieces", ()) if traj.history else ()
    return [
        [
            row["piece"],
            *(str(row[name]) for name in ("frames", "kept", "dropped")),
            *(f"{row[name]:.4g}" if row.get(name) is not None else "-" for name in list(PIECES)[4:]),
        ]
        for row in rows
    ]


def joined(traj: Any) -> list[str]:
    """What every command says of a chain of restarts: the audit in a line, and what is odd about it."""
    if not traj.history or not traj.history[0].get("pieces"):
        return []
    return [note for note in traj.notes if " pieces joined, " in note or "counted on" in note or "unusually far" in note or "nothing shows" in note]


def _unwrapping(traj: Any) -> dict[str, str]:
    from mdtools.readers.naive import in_words

    found = next((step["naive_unwrapping"] for step in traj.history if "naive_unwrapping" in step), None)
    return {"other unwrapping": in_words(found, unit="sigma^2" if traj.reduced else "angstrom^2")} if found else {}


def missing(traj: Any, name: str) -> list[str]:
    """What a trajectory lacks for a result, with the option that gives it: nothing where it can be made."""
    lacking = []
    for part in dict.fromkeys(_needed(name)):
        try:
            traj.need(part, who=name)
        except TrajectoryError as reason:
            lacking.append(str(reason).split(" needs ", 1)[1].replace(f", and {traj.source} has none", ""))
    stages = _stages(name)
    if any(signature(stage).option("primitive") for stage in stages):
        lacking.append("a primitive cell: --phonopy phonopy_params.yaml, or --primitive POSCAR")
    if any(signature(stage).option("carriers") for stage in stages):
        lacking.append("what carries the protons: --carriers O")
    if any(signature(stage).option("corners") for stage in stages):
        lacking.append("what hops, and between what: --mobile Li --corners S")
    if "heating_ramp" in stages and traj.thermo is None and (traj.velocities is None or traj.masses is None):
        lacking.append("the temperature along the run: a log (--log), or velocities and masses")
    if "stress_fluctuations" in stages and (traj.log is None or "pressure_tensor" not in traj.log.values):
        lacking.append("the stress along the run: a log (--log) with the pressure tensor")
    if signature(name).option("born"):
        lacking.append("the Born term of the potential: --born C11,C12,C44 (GPa)")
    if "cell_strain" in stages[1:] and traj.fixed_cell:
        lacking.append("a cell that breathes: a run under a barostat of the whole cell (LAMMPS: fix npt tri)")
    if name == "enthalpy_bimodality" and traj.fixed_cell:
        lacking.append("a cell that breathes: a run under a barostat")
    if any(one.many for one in signature(name).inputs):
        lacking.append(f"{DIFFER[VARIES[name]]}: give a series table")
    return lacking


def _stages(name: str) -> list[str]:
    """A result and everything that it is made of."""
    inputs = [one.name for one in signature(name).inputs if one.required and one.name in {**ANALYSES, **ESTIMATES}]
    return [name, *(stage for one in inputs for stage in _stages(one))]


def _needed(name: str) -> list[str]:
    needed = list(NEEDS.get(name, ())) if name not in ANALYSES else ["scaled_positions", *NEEDS.get(name, ())]
    if name in ("velocity_acf", "phonon_dos", "charge_current_acf"):
        needed.remove("scaled_positions")
    for wanted in signature(name).inputs:
        if wanted.required and wanted.name in {**ANALYSES, **ESTIMATES}:
            needed += _needed(wanted.name)
    return needed


def _cost(traj: Any) -> dict[str, str]:
    """Predicted size of a store, time of an MSD, and memory."""
    parts = (traj.scaled_positions is not None) + (traj.velocities is not None)
    store = traj.n_frames * (traj.n_atoms * 3 * 4 * parts + 9 * 8 + 8)
    seconds = traj.n_frames * traj.n_atoms / ION_FRAMES_PER_SECOND

    return {
        "as a store": f"{memory.in_words(store)} (mdtools convert, uncompressed)",
        "time": traj.describe()["time"],
        "an MSD will take": f"about {max(1, round(seconds))} s on one processor core",
        "memory": f"{memory.in_words(store)} of arrays from a file, and blocks of at most {memory.in_words(memory.limit())} (--memory); "
        "from a store the blocks alone",
    }
