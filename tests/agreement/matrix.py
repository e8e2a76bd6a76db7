"""File x reader: equal to so much, differs and why, or cannot.

`DIFFERS` is the table of reasons: a difference that is not in it fails the tests, and so does a row that no longer differs.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from agreement.peers import CannotRead, NotInstalled, Seen, read_with

__all__ = ["DIFFERS", "DIGITS", "Outcome", "compare", "differences", "reason_of"]

DIGITS = 2e-2  # angstrom; XTC has 0.005 in each direction, the text forms five decimals and more

_DUMPS = "lammps/*"
_STEPS = "a default of 1 ps a step or frame stands for the time that the file does not hold (row 5)"
_OVITO_TYPES = "types are kept as numbers, where we are told the elements"
_SCALE_FACTOR = "the attributes scale_factor of the file are not applied (row 13)"
_NO_CELL = "the xyz reader takes positions alone (row 15)"
# (file, peer, aspect) -> why. The first row that fits counts.
DIFFERS: tuple[tuple[str, str, str, str], ...] = (
    ("lammps/caf2/restart_overlap*", "*", "frames", "frames that a restart wrote twice are given twice (row 9)"),
    ("lammps/caf2/restart_overlap*", "*", "positions", "frames are counted with those written twice (row 9)"),
    ("lammps/caf2/restart_overlap*", "*", "velocities", "frames are counted with those written twice (row 9)"),
    (_DUMPS, "ASE", "species", "numbers of types are taken for atomic numbers: H, He (row 17)"),
    (_DUMPS, "OVITO", "species", _OVITO_TYPES),
    (_DUMPS, "ASE", "origin", "the origin of the box is left out of scaled columns (row 20)"),
    (_DUMPS, "MDAnalysis", "origin", "the origin of the box is subtracted, from scaled columns twice (row 6)"),
    ("lammps/*.dcd", "OVITO", "origin", "the cell, whose origin the file does not hold, is centred on zero"),
    ("lammps/*.xtc", "OVITO", "origin", "the cell, whose origin the file does not hold, is centred on zero"),
    ("lammps/*.dcd", "MDAnalysis", "time", "the AKMA units of CHARMM are assumed (row 12)"),
    (_DUMPS, "MDAnalysis", "time", _STEPS),
    ("lammps/mda/image_vf*", "*", "velocities", "units real are not converted: angstrom/fs (rows 7, 18)"),
    ("lammps/wildcard_series/*", "*", "velocities", "units real are not converted: angstrom/fs (rows 7, 18)"),
    ("lammps/binary/version-5.nc", "OVITO", "velocities", "units real are not converted: angstrom/fs (row 22)"),
    ("lammps/binary/scaled_traj.nc", "OVITO", "cell", _SCALE_FACTOR),
    ("lammps/binary/scaled_traj.nc", "OVITO", "positions", _SCALE_FACTOR),
    ("lammps/binary/scaled_traj.nc", "OVITO", "velocities", _SCALE_FACTOR),
    ("other/h5md_amber/ace_tip3p.nc", "OVITO", "velocities", _SCALE_FACTOR),
    ("other/h5md_amber/cpptraj_traj.nc", "MDAnalysis", "time", _STEPS),
    ("other/gromacs/traj.trr", "OVITO", "frames", "frames without positions are counted"),
    ("other/gromacs/traj.trr", "OVITO", "origin", "the cell, whose origin the file does not hold, is centred on zero"),
    ("vasp/xdatcar/XDATCAR_4", "ASE", "frames", "blank separators end the reading (row 25)"),
    ("vasp/xdatcar/BiMoO*", "ASE", "frames", "blank separators end the reading (row 25)"),
    ("vasp/vasprun/vasprun.ml_md*", "ASE", "frames", "only steps with a <calculation> are returned (row 26)"),
    ("vasp/vasprun/vasprun.ml_md*", "ASE", "positions", "frames are counted without the other 80 (row 26)"),
    ("other/cp2k_npt/*", "*", "cell", "the cell lies in a file beside (row 28)"),
    ("other/cp2k_npt/*", "*", "velocities", "the velocities lie in a file beside (row 28)"),
    ("other/ipi/*", "*", "cell", "the cell of the comment is not read (row 29)"),
    ("other/ipi/*", "*", "positions", "atomic units of the comment are taken for angstrom (row 29)"),
    ("other/extxyz/LiPS*", "OVITO", "velocities", "momenta are not made velocities"),
    ("other/*", "MDAnalysis", "cell", _NO_CELL),
    ("other/*xyz*", "MDAnalysis", "velocities", _NO_CELL),
    ("other/*xyz*", "MDAnalysis", "time", _STEPS),
)


def reason_of(name: str, peer: str, aspect: str) -> str | None:
    """Why a peer differs in one aspect of a file; None where nobody wrote it down."""
    return next((why for file, who, what, why in DIFFERS if fnmatch(name, file) and fnmatch(peer, who) and what == aspect), None)


@dataclass(frozen=True)
class Outcome:
    """What became of one file with one peer. word : "equal", "differs", "cannot" or "absent"."""

    word: str
    text: str
    aspects: tuple[str, ...] = ()


def differences(ours: Any, seen: Seen) -> dict[str, str]:
    """In what a peer's view differs from ours, each with a measure; positions are compared modulo whole cells."""
    found: dict[str, str] = {}
    if seen.n_frames != ours.n_frames:
        found["frames"] = f"{seen.n_frames} frames, not {ours.n_frames}"
    if seen.positions.shape[1] != ours.n_atoms:
        return found | {"atoms": f"{seen.positions.shape[1]} atoms, not {ours.n_atoms}"}
    shared = seen.frames < ours.n_frames
    frames = seen.frames[shared]
    cell = ours.cell[frames]
    if not np.abs(np.linalg.det(seen.cell)).all():
        found["cell"] = "no cell"
    elif (away := np.abs(seen.cell[shared] - cell).max()) > 2e-3:
        rotated = np.abs(seen.cell[shared] @ seen.cell[shared].transpose(0, 2, 1) - cell @ cell.transpose(0, 2, 1)).max() < 2e-2
        found["cell"] = "the same cell in other axes" if rotated else f"cell vectors differ by {away:.3g}"
    if ours.scaled_positions is not None:
        found |= _of_positions(ours, seen, frames, shared, "cell" in found and "axes" in found["cell"])
    if seen.labels is not None and (wrong := seen.labels != ours.species.astype(str)).any():
        found["species"] = f"{len(set(seen.labels[wrong].tolist()))} labels differ, first {seen.labels[wrong][0]} for {ours.species[wrong][0]}"
    if ours.velocities is not None:
        if seen.velocities is None:
            found["velocities"] = "no velocities"
        else:
            mine, theirs = np.asarray(ours.velocities, dtype=np.float64)[frames], seen.velocities[shared]
            if not np.allclose(mine, theirs, rtol=2e-3, atol=2e-3 * np.sqrt(np.mean(mine**2))):
                found["velocities"] = f"velocities times {np.sqrt(np.mean(theirs**2) / np.mean(mine**2)):.4g}"
    if seen.time is not None and len(frames) > 1:
        mine, theirs = np.diff(ours.time[frames]), np.diff(seen.time[shared])
        if not np.allclose(mine, theirs, rtol=1e-3):
            found["time"] = f"time between frames times {theirs[0] / mine[0]:.4g}"
    return found


def _of_positions(ours: Any, seen: Seen, frames: np.ndarray, shared: np.ndarray, rotated: bool) -> dict[str, str]:
    """Absolute positions; where those differ by one shift a frame alone, that is the origin."""
    cell = ours.cell[frames]
    mine = np.asarray(ours.scaled_positions, dtype=np.float64)[frames]
    origin = 0 if ours.origin is None else (ours.origin[frames][:, None] @ np.linalg.inv(cell))
    theirs = seen.positions[shared] @ np.linalg.inv(seen.cell[shared] if rotated else cell)
    away = theirs - mine - (0 if rotated else origin)
    whole = np.linalg.norm((away - np.rint(away)) @ cell, axis=-1).max()
    if whole <= DIGITS:
        return {"": f"{whole:.1g}"}
    away = away - away[:, :1]
    inner = np.linalg.norm((away - np.rint(away)) @ cell, axis=-1).max()
    if inner <= DIGITS:
        return {"origin": f"every atom of a frame is shifted alike, by up to {whole:.3g}", "": f"{inner:.1g}"}
    return {"positions": f"positions differ by up to {whole:.3g}"}


def compare(peer: str, path: Path, ours: Any) -> Outcome:
    """One cell of the matrix. ours : our Trajectory, float64."""
    try:
        seen = read_with(peer, path)
    except NotInstalled:
        return Outcome("absent", "not installed")
    except CannotRead as reason:
        return Outcome("cannot", str(reason))
    found = differences(ours, seen)
    equal = found.pop("", "")
    if found:
        return Outcome("differs", "; ".join(found.values()), tuple(sorted(found)))
    return Outcome("equal", f"to {equal} angstrom" if equal else "")
