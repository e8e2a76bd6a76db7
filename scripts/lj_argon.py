"""fcc argon by LAMMPS against its own dynamical matrix: frequencies of every mode at 1 K, rms frequency, DOS integral at 1 and 60 K.

    lmp -in in.ar -var T 1 -var n 4 -var out ar1      (LAMMPS; the input is tests/files/lammps/lj_argon/in.ar)
    lmp -in in.ar -var T 60 -var n 4 -var out ar60
    python scripts/lj_argon.py FOLDER [--vendor]

Says how far every peak is from its eigenfrequency in bins of the spectrum, and how far the rms frequency is. --vendor writes the
small files of tests/files/lammps/lj_argon: the row of the dynamical matrix of one atom, and what was found.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import ase.io
import numpy as np

import mdtools as md
from mdtools.analyses import lattice_windows
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.force_constants import ForceConstants
from mdtools.harmonic.modes import HarmonicCrystal
from mdtools.harmonic.wave_vectors import commensurate

VENDORED = Path(__file__).parents[1] / "tests" / "files" / "lammps" / "lj_argon"
MASS = 39.948
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
NEAR = 3  # bins: a line behind the taper is 1.5 wide, and its highest one jumps between two with the phases of the run
TO_THZ = np.sqrt(1 / 1.0364269656e-4) / (2 * np.pi)


def harmonic_of(cell: np.ndarray, scaled: np.ndarray, row: np.ndarray) -> HarmonicCrystal:
    """The primitive crystal, of the mass-weighted row (atom, 3, 3) of the first atom."""
    crystal = Crystal(FCC * cell[0, 0] / 4, np.zeros((1, 3)), ("Ar",), np.array([MASS]), "LAMMPS")
    return HarmonicCrystal(crystal, ForceConstants(crystal, cell, scaled - scaled[0], row[None] * MASS, np.array([0])).at)


def read_matrix(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cell, scaled positions, and the dynamical matrix (3 N, 3 N) in eV/(angstrom^2 amu)."""
    atoms = ase.io.read(folder / "ar1.min.data", format="lammps-data", units="metal", atom_style="atomic")
    order = np.argsort(atoms.arrays["id"])
    matrix = np.loadtxt(folder / "ar1.dynmat").reshape(3 * len(atoms), -1)
    return np.array(atoms.cell), atoms.get_scaled_positions()[order], (matrix + matrix.T) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vendor", action="store_true")
    options = parser.parse_args()
    cell, scaled, matrix = read_matrix(options.folder)
    exact = np.sqrt(np.abs(np.linalg.eigvalsh(matrix))) * TO_THZ
    rms = float(np.sqrt(np.mean(exact**2)))
    row = matrix.reshape(-1, 3, len(matrix) // 3, 3)[0].transpose(1, 0, 2)
    harmonic = harmonic_of(cell, scaled, row)
    chosen = {"rms_frequency": rms, "highest": float(exact.max())}
    for temperature in (1, 60):
        run = md.read(options.folder / f"ar{temperature}.lammpstrj", species={1: "Ar"}, units="metal", timestep=0.005, temperature=temperature)
        dos = md.phonon_dos(run, windows=1, taper="none")
        g = dos.phonon_dos.sum("species").isel(window=0)
        found = float(np.sqrt((g * g.frequency**2).integrate("frequency") / g.integrate("frequency")))
        kinetic = float(dos.kinetic_temperature.mean())
        modes = float(g.integrate("frequency")) * temperature / kinetic
        chosen[f"{temperature} K"] = {
            "kinetic_temperature": kinetic,
            "rms_frequency": found,
            "integral": modes,
        }
        print(
            f"{temperature} K ({kinetic:.2f} K): rms frequency {found:.4f} THz, harmonic {rms:.4f} THz ({100 * (found / rms - 1):+.2f} %), "
            f"integral {modes:.2f}"
        )
        if temperature == 1:
            chosen["peaks"] = peaks(run, harmonic)
    away = np.abs([peak["peak"] - peak["harmonic"] for peak in chosen["peaks"]]) / chosen["peaks"][0]["bin"]
    weight = np.array([peak["modes"] for peak in chosen["peaks"]])
    ratio, line = (np.sqrt(np.average([peak[name] ** 2 for peak in chosen["peaks"]], weights=weight)) for name in ("ratio", "harmonic"))
    print(f"rms over modes of sqrt(<|dQ/dt|^2> / <|Q|^2>) / 2 pi: {ratio:.4f} THz, harmonic {line:.4f} THz ({100 * (ratio / line - 1):+.2f} %)")
    print(f"{len(away)} sets of modes at 1 K: {100 * np.mean(away <= 1):.1f} % of the peaks within one bin, the furthest {away.max():.2f} bins")
    if options.vendor:
        VENDORED.mkdir(exist_ok=True)
        np.savez_compressed(VENDORED / "row.npz", cell=cell, scaled=scaled, row=row, frequencies=exact)
        (VENDORED / "found.json").write_text(json.dumps(chosen, indent=1))


def peaks(run: md.Trajectory, harmonic: HarmonicCrystal) -> list[dict[str, float]]:
    """Middle of the line (its centre of power, up to NEAR bins from the highest) of every set of modes, summed over the set, at every wave vector."""
    source = lattice_windows.lattice_source
    lattice_windows.lattice_source = lambda *_, who: (harmonic.crystal, harmonic)
    out = []
    for q in commensurate(np.rint(run.mean_cell @ np.linalg.inv(harmonic.crystal.cell)))[1:]:
        spectra = md.mode_spectra(run, phonopy="LAMMPS", q=q, windows=1)
        for number in np.unique(spectra.degenerate_set):
            one = spectra.isel(mode=np.flatnonzero(spectra.degenerate_set == number))
            power = one.mode_velocity_periodogram.isel(window=0).sum("mode")
            line = power.isel(frequency=slice(max(0, int(power.argmax("frequency")) - NEAR), int(power.argmax("frequency")) + NEAR + 1))
            peak = float((line * line.frequency).sum() / line.sum())
            # of a harmonic mode, whatever its energy
            ratio = float(np.sqrt(one.mode_velocity_square.sum() / one.mode_coordinate_square.sum()) / (2 * np.pi))
            n_modes = int(one.series.sum())
            out.append(
                {"harmonic": float(one.harmonic_frequency.mean()), "peak": peak, "ratio": ratio, "bin": float(one.frequency[1]), "modes": n_modes}
            )
    lattice_windows.lattice_source = source
    return out


if __name__ == "__main__":
    main()
