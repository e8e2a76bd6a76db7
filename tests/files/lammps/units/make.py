"""32 argon atoms, Lennard-Jones, 40 steps of 2 fs, the same run in every unit system of LAMMPS: python make.py (with `lmp` at hand).

The factors are written here in SI from the manual of LAMMPS, apart from those of mdtools. Velocities of `electron` are bohr / fs,
whatever the manual says: with those the displacement of a step is velocity times step.
"""

import random
import subprocess
from pathlib import Path

BOLTZMANN, AMU, EV, HARTREE, BOHR, CAL = (
    1.380649e-23,
    1.66053906660e-27,
    1.602176634e-19,
    4.3597447222060e-18,
    5.29177210544e-11,
    4184 / 6.02214076e23,
)
TEMPERATURE, EPSILON, SIGMA, MASS, CELL, STEP = 60.0, 119.8 * BOLTZMANN, 3.405e-10, 39.948 * AMU, 5.35e-10, 2e-15
# length, energy, mass, time, velocity in SI
SYSTEMS = {
    "metal": (1e-10, EV, AMU, 1e-12, 1e2),
    "real": (1e-10, CAL, AMU, 1e-15, 1e5),
    "si": (1.0, 1.0, 1.0, 1.0, 1.0),
    "cgs": (1e-2, 1e-7, 1e-3, 1.0, 1e-2),
    "electron": (BOHR, HARTREE, AMU, 1e-15, BOHR / 1e-15),
    "micro": (1e-6, 1e-15, 1e-15, 1e-6, 1.0),
    "nano": (1e-9, 1e-21, 1e-21, 1e-9, 1.0),
    "lj": (SIGMA, EPSILON, MASS, (MASS * SIGMA**2 / EPSILON) ** 0.5, (EPSILON / MASS) ** 0.5),
}
ONE_LINE = "custom step time temp press ke pe etotal enthalpy vol pxx pyy pzz pxy pxz pyz"
STYLES = {"real": "multi", "si": "yaml", "nano": "yaml"}


def atoms() -> tuple[list[tuple[float, ...]], list[list[float]]]:
    """Positions (m) and velocities (m/s)."""
    random.seed(1)
    sites = ((0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
    positions = [((i + x) * CELL, (j + y) * CELL, (k + z) * CELL) for i in range(2) for j in range(2) for k in range(2) for x, y, z in sites]
    speed = (BOLTZMANN * TEMPERATURE / MASS) ** 0.5
    velocities = [[random.gauss(0, 1) * speed for _ in range(3)] for _ in positions]
    mean = [sum(v[axis] for v in velocities) / len(velocities) for axis in range(3)]
    return positions, [[v[axis] - mean[axis] for axis in range(3)] for v in velocities]


def data(length: float, mass: float, velocity: float) -> str:
    """A data file, atom style atomic."""
    positions, velocities = atoms()
    box = "\n".join(f"0 {2 * CELL / length:.12g} {axis}lo {axis}hi" for axis in "xyz")
    rows = "\n".join(f"{k} 1 " + " ".join(f"{x / length:.12g}" for x in p) for k, p in enumerate(positions, 1))
    speeds = "\n".join(f"{k} " + " ".join(f"{x / velocity:.12g}" for x in v) for k, v in enumerate(velocities, 1))
    return f"# Ar\n\n32 atoms\n1 atom types\n\n{box}\n\nMasses\n\n1 {MASS / mass:.12g}\n\nAtoms # atomic\n\n{rows}\n\nVelocities\n\n{speeds}\n"


def script(name: str, length: float, energy: float, time: float) -> str:
    return f"""units {name}
atom_style atomic
read_data {name}.data
pair_style lj/cut {5e-10 / length:.12g}
pair_coeff 1 1 {EPSILON / energy:.12g} {SIGMA / length:.12g}
neighbor {0.3e-10 / length:.12g} bin
timestep {STEP / time:.12g}
fix 1 all nve
thermo_style {STYLES.get(name, ONE_LINE)}
thermo_modify format float %.12g
thermo 10
dump 1 all custom 10 {name}.lammpstrj id type mass x y z ix iy iz vx vy vz
dump_modify 1 sort id format float %.10g units yes
run 40
"""


if __name__ == "__main__":
    for name, (length, energy, mass, time, velocity) in SYSTEMS.items():
        Path(f"{name}.data").write_text(data(length, mass, velocity))
        Path(f"in.{name}").write_text(script(name, length, energy, time))
        subprocess.run(["lmp", "-in", f"in.{name}", "-log", f"log.{name}", "-screen", "none"], check=True)
