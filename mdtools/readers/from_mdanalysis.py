"""Universes, and formats that only MDAnalysis reads (GRO, MDCRD, ...)."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.dcd import MOVING_CELL
from mdtools.readers.frames import Block, Frames
from mdtools.readers.lengths_angles import cell_vectors
from mdtools.readers.opened import head

__all__ = ["attribute_of_universe", "frames_of_universe", "labels_of_universe", "read_files", "read_with_mdanalysis"]

_STEPPED = ("DCD", "LAMMPS")  # no unit of length but angstrom by habit, so that `units=` of the user counts
_TIMED = ("XTC", "TRR")  # formats that hold a time, in ps by definition; all others leave it to a default of 1 ps


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file; MDAnalysis converts, and where a format has no units they are resolved later."""
    return [read_with_mdanalysis(file) for file in files]


def read_with_mdanalysis(path: Path) -> Frames:
    """A binary trajectory, without its topology: atoms are numbered 1, 2, ... in the order of the file."""
    if not head(path, 8):
        raise TrajectoryError(f"{path}: is empty; pass a file with at least one frame")
    with warnings.catch_warnings():
        # in its own block: MDAnalysis puts filters of its own in front when it is imported
        warnings.simplefilter("ignore")
        from MDAnalysis.coordinates.core import reader
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trajectory = reader(str(path))
        except Exception as reason:
            raise TrajectoryError(
                f"{path}: MDAnalysis cannot read it ({type(reason).__name__}: {str(reason).splitlines()[0] if str(reason) else 'no reason given'}); "
                f"pass a text dump of the run, or a DCD, XTC or TRR"
            ) from None
    return _frames(trajectory, source=str(path))


def frames_of_universe(universe: Any) -> Frames:
    """A Universe; its own frame is where it was afterwards."""
    labels, kind = labels_of_universe(universe)
    trajectory = universe.trajectory
    source = str(getattr(trajectory, "filename", None) or "Universe")
    if trajectory.format == "LAMMPSDUMP":
        raise TrajectoryError(
            f"{source}: MDAnalysis ignores or misplaces image flags and velocities of LAMMPS dumps; pass the file itself: read({source!r})"
        )
    return _frames(
        trajectory,
        source=source,
        labels=labels,
        label_kind=kind,
        masses=attribute_of_universe(universe, "masses"),
        fixed_charges=attribute_of_universe(universe, "charges"),
    )


def labels_of_universe(universe: Any) -> tuple[np.ndarray | None, Any]:
    """Labels of the atoms that somebody wrote (elements, else types, else names), never those MDAnalysis guessed."""
    for name in ("elements", "types", "names"):
        values = attribute_of_universe(universe, name)
        if values is not None and all(str(value).strip() for value in values):
            labels = np.array([str(value) for value in values])
            return labels, "type" if all(label.isdigit() for label in set(labels.tolist())) else "label"
    return None, "label"


def attribute_of_universe(universe: Any, name: str) -> np.ndarray | None:
    """Values of the atoms under this name, where somebody wrote them; None for guesses and for NaN."""
    found = next((a for a in universe._topology.attrs if a.attrname == name), None)
    if found is None or getattr(found, "is_guessed", False):
        return None
    values = np.asarray(getattr(universe.atoms, name))
    return None if values.dtype.kind == "f" and not np.isfinite(values).all() else values


def _frames(trajectory: Any, *, source: str, fixed_charges: np.ndarray | None = None, **atoms: Any) -> Frames:
    n_frames, home = len(trajectory), trajectory.ts.frame
    # the small things of all frames: one pass, which for binary files costs about as much as reading them
    cell, time, moving = np.zeros((n_frames, 3, 3)), np.zeros(n_frames), True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, ts in enumerate(trajectory):
            if ts.dimensions is not None:
                cell[number] = cell_vectors(ts.dimensions[None, :3], ts.dimensions[None, 3:])[0]
            time[number] = ts.time if trajectory.format in _TIMED else 0.0
            moving = moving and ts.has_velocities
            if not ts.has_positions:
                raise TrajectoryError(f"{source}: frame {number} holds no positions; write positions, and velocities, at the same steps")
        trajectory[home]

    def load(frames: np.ndarray) -> Block:
        home = trajectory.ts.frame
        positions = np.empty((len(frames), trajectory.n_atoms, 3))
        velocities = np.empty_like(positions) if moving else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for row, frame in enumerate(frames):
                ts = trajectory[int(frame)]
                positions[row] = ts.positions
                if velocities is not None:
                    velocities[row] = ts.velocities
            trajectory[home]
        charges = None if fixed_charges is None else np.broadcast_to(fixed_charges, positions.shape[:2])
        return Block(scaled=positions @ np.linalg.inv(cell[frames]), velocities=velocities, charges=charges)

    changing = n_frames > 1 and np.ptp(cell, axis=0).max() > 0
    return Frames(
        source=source,
        kind=f"MDAnalysis {trajectory.format}",
        units="metal",
        in_angstrom_and_ps=trajectory.format not in _STEPPED,
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        placement="wrapped",  # or not: the nearest image changes nothing then
        columns="Cartesian",
        ids=np.arange(1, trajectory.n_atoms + 1),
        steps=_steps(trajectory, n_frames),
        times=time if trajectory.format in _TIMED else None,
        charges=fixed_charges,
        has_velocities=moving,
        load=load,
        notes=(MOVING_CELL,) if changing else (),
        pieces=((0, source),),
        **atoms,
    )


def _steps(trajectory: Any, n_frames: int) -> np.ndarray | None:
    """Step numbers of a DCD, whose head holds the first and their spacing; None for other formats."""
    if trajectory.format not in _STEPPED:
        return None
    head = trajectory._file.header
    return head["istart"] + head["nsavc"] * np.arange(n_frames, dtype=np.int64) if head["nsavc"] > 0 else None
