"""Files read by other packages, each in the way its own documentation says first, as plain arrays.

OVITO need not be installed beside us: MDTOOLS_OVITO_PYTHON names the interpreter of an environment that has it.
"""

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["PEERS", "CannotRead", "NotInstalled", "Seen", "read_with"]

FEW = 12  # frames of a file that are compared: the first, the last, and some between
_UNPACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


class CannotRead(Exception):
    """The peer refuses the file; the text is its own."""


class NotInstalled(Exception):
    """The peer is not there to be asked."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A file as a peer sees it. frames : which of its frames are in the arrays. positions : Cartesian, angstrom or the file's unit."""

    n_frames: int
    frames: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    labels: np.ndarray | None
    velocities: np.ndarray | None
    time: np.ndarray | None


def some(n_frames: int) -> np.ndarray:
    return np.unique(np.linspace(0, n_frames - 1, min(FEW, n_frames)).round().astype(int))


def unpacked(path: Path, folder: Path) -> Path:
    """A plain copy: a peer is asked about the format, not about the packing (row 24). Else a link, because peers write beside what they read."""
    if path.suffix not in _UNPACK:
        link = folder / path.name
        link.symlink_to(path.resolve())
        return link
    plain = folder / path.stem
    with open(path, "rb") as file:
        data = file.read()
    try:
        plain.write_bytes(_UNPACK[path.suffix](data))
    except EOFError as reason:
        raise CannotRead(str(reason)) from None
    return plain


_ASE = (
    ("vasprun", "vasp-xml"),
    ("XDATCAR", "vasp-xdatcar"),
    ("OUTCAR", "vasp-out"),
    (".lammpstrj", "lammps-dump-text"),
    (".dump", "lammps-dump-text"),
    ("dump.rdx", "lammps-dump-text"),
    ("dump.tatb", "lammps-dump-text"),
    ("_custom.txt", "lammps-dump-text"),
    ("lmp.out.dump", "lammps-dump-text"),
    (".extxyz", "extxyz"),
    ("extended_crlf", "extxyz"),
    ("mixed_traj", "extxyz"),
    ("dump.xyz", "extxyz"),
    ("PbTe.xyz", "extxyz"),
    (".xyz", "xyz"),
    (".nc", "netcdftrajectory"),
    (".traj", "traj"),
    (".dcd", "cp2k-dcd"),
)


def _ase(path: Path) -> Seen:
    import ase.io

    form = next((form for word, form in _ASE if word in path.name), None)
    if form == "cp2k-dcd":
        raise CannotRead("no reader of DCD files of LAMMPS")
    images: list[Any] = ase.io.read(path, index=":", format=form)
    if not images:
        raise CannotRead("returns no frame")
    if len({len(atoms) for atoms in images}) > 1:
        raise CannotRead(f"frames of {len(images[0])} and of {next(len(a) for a in images if len(a) != len(images[0]))} atoms")
    which = some(len(images))
    moving = all(atoms.has("momenta") for atoms in images)
    return Seen(
        n_frames=len(images),
        frames=which,
        positions=np.array([images[i].positions for i in which]),
        cell=np.array([images[i].cell.array for i in which]),
        labels=np.array(images[0].get_chemical_symbols()),
        velocities=np.array([images[i].get_velocities() for i in which]) / (1000 * ase.units.fs) ** -1 if moving else None,
        time=None,
    )


def _mdanalysis(path: Path) -> Seen:
    import MDAnalysis

    text = path.suffix not in (".dcd", ".xtc", ".trr", ".nc", ".h5", ".h5md", ".xyz")
    if text and ("XDATCAR" in path.name or path.suffix in (".xml", ".traj") or "OUTCAR" in path.name or path.suffix == ".yaml"):
        raise CannotRead("no reader of this format")
    if text and path.suffix != ".extxyz":
        universe = MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")
        trajectory = universe.trajectory
    else:
        from MDAnalysis.coordinates.core import reader

        options: dict[str, Any] = {"format": "H5MD"} if path.suffix in (".h5", ".h5md") else {"format": "XYZ"} if "xyz" in path.suffix else {}
        trajectory = reader(str(path), **options)
    which = some(len(trajectory))
    found: dict[str, list[Any]] = {"positions": [], "cell": [], "velocities": [], "time": []}
    for frame in which:
        ts = trajectory[int(frame)]
        found["positions"].append(np.array(ts.positions, dtype=np.float64))
        found["cell"].append(np.zeros((3, 3)) if ts.dimensions is None else np.array(ts.triclinic_dimensions, dtype=np.float64))
        found["time"].append(ts.time)
        if ts.has_velocities:
            found["velocities"].append(np.array(ts.velocities, dtype=np.float64))
    return Seen(
        n_frames=len(trajectory),
        frames=which,
        positions=np.array(found["positions"]),
        cell=np.array(found["cell"]),
        labels=None,
        velocities=np.array(found["velocities"]) if len(found["velocities"]) == len(which) else None,
        time=np.array(found["time"]),
    )


# one process for all files: loading OVITO takes longer than reading most of them
_OVITO = """
import json, sys
import numpy as np
from ovito.io import import_file

def see(path, out, few, kind):
    pipe = import_file(path, sort_particles=True) if kind == "dump" else import_file(path)
    n = pipe.source.num_frames
    which = np.unique(np.linspace(0, n - 1, min(few, n)).round().astype(int))
    pos, cell, vel, lab = [], [], [], None
    for i in which:
        data = pipe.compute(int(i))
        if "Position" not in data.particles:
            raise ValueError("no positions")
        pos.append(np.array(data.particles.positions, dtype=float))
        cell.append(np.zeros((3, 4)) if data.cell is None else np.array(data.cell[...], dtype=float))
        if "Velocity" in data.particles:
            vel.append(np.array(data.particles["Velocity"], dtype=float))
        if lab is None and "Particle Type" in data.particles:
            types = data.particles["Particle Type"]
            names = {t.id: t.name or str(t.id) for t in types.types}
            lab = [names.get(int(t), str(t)) for t in types]
    if len({len(p) for p in pos}) > 1:
        raise ValueError("frames of different numbers of atoms")
    np.savez(out, n=n, which=which, pos=pos, cell=cell, vel=vel if len(vel) == len(pos) else [], lab=lab or [])

for line in sys.stdin:
    try:
        see(*json.loads(line))
        print("##", flush=True)
    except Exception as reason:
        print("##", (type(reason).__name__ + ": " + str(reason)).replace(chr(10), " "), flush=True)
"""
_RUNNING: list[Any] = []


def _ask_ovito(question: list[Any]) -> str:
    """What OVITO complains of; empty where it wrote the answer."""
    if not _RUNNING or _RUNNING[0].poll() is not None:
        python = os.environ.get("MDTOOLS_OVITO_PYTHON", sys.executable)
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        _RUNNING[:] = [subprocess.Popen([python, "-W", "ignore", "-c", _OVITO], **pipes)]
    (process,) = _RUNNING
    try:
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
    for line in process.stdout:
        if line.startswith("##"):
            return str(line[2:].strip())
    if "No module named 'ovito'" in process.stderr.read():
        raise NotInstalled("ovito")
    return "ends with the process"


def _ovito(path: Path) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seen.npz"
        # a dump is sorted by id; any other file has no ids
        kind = "dump" if any(word in path.name for word in ("lammpstrj", "dump", "_custom.txt")) and "xyz" not in path.name else "other"
        complaint = _ask_ovito([str(path), str(out), FEW, kind])
        if complaint or not out.exists():
            raise CannotRead(complaint or "no reason given")
        with np.load(out) as found:
            # cells of OVITO are columns: vectors and the origin
            return Seen(
                n_frames=int(found["n"]),
                frames=found["which"],
                positions=found["pos"],
                cell=np.swapaxes(found["cell"][:, :, :3], 1, 2),
                labels=found["lab"] if len(found["lab"]) else None,
                velocities=found["vel"] if len(found["vel"]) else None,
                time=None,
            )


PEERS: dict[str, Callable[[Path], Seen]] = {"ASE": _ase, "MDAnalysis": _mdanalysis, "OVITO": _ovito}


def read_with(peer: str, path: Path) -> Seen:
    """The file as `peer` sees it. Raises CannotRead with the peer's own words, or NotInstalled."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return PEERS[peer](unpacked(path, Path(folder)))
        except (CannotRead, NotInstalled):
            raise
        except ImportError as reason:
            raise NotInstalled(str(reason)) from None
        except (Exception, SystemExit) as reason:
            text = (str(reason).strip().splitlines() or [""])[0]
            raise CannotRead(f"{type(reason).__name__}: {text}"[:120]) from None


if __name__ == "__main__":
    print(json.dumps({name: str(read_with(name, Path(sys.argv[1])))[:300] for name in PEERS}, indent=1))
