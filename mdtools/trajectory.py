"""Trajectory: a frozen value that every stage reads.

Positions are kept unwrapped and *scaled* (in cell vectors), because in a crystal under changing cell both usual
unwrappings are wrong (reference: von Buelow, Bullerjahn, Hummer, J. Chem. Phys. 153, 021101 (2020), and the page
"Correct input" of README): cumulative scaled displacement times the mean cell is exact for affine breathing.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from mdtools import memory, progress, shares, visits
from mdtools.errors import TrajectoryError
from mdtools.histories import Histories
from mdtools.in_words import charges_in_words, html_table, thermo_in_words
from mdtools.lazy import Lazy
from mdtools.selection import atoms_by_expression
from mdtools.thermo import Thermo

__all__ = ["Quantity", "Trajectory", "Unwrap"]

Unwrap = Literal["scaled", "tor", "lattice"]
Quantity = Literal["positions", "velocities"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """One run of molecular dynamics: what was stored, in angstrom, ps, amu and e (or in reduced units, `lj`).

    scaled_positions : (frame, atom, 3), in cell vectors, unwrapped, the first frame in [0, 1) (for unwrap="lattice" in
        the images of the file, on which that view depends); None for a file that holds velocities only. An array, or
        anything that is sliced like one (a Zarr array).
    cell : (frame, 3, 3) angstrom, rows are the vectors. origin : (frame, 3), of the box, where it is known.
    time : (frame,) ps.
    species, ids : (atom,). masses : (atom,) amu.
    charges : (atom,), (frame, atom) or (atom, 3, 3) e.
    velocities : (frame, atom, 3) angstrom/ps.
    framework : labels of the species whose unweighted mean displacement is the lattice frame.
    temperature : K, as stated by the user or by a thermostat, never the kinetic one. pressure : GPa, as stated by the user.
    log : what the log of the run says of the whole system, in all its rows; `thermo` is its Dataset.
    unwrap : how Cartesian displacements are made: "scaled" (scaled displacement times mean cell), "lattice" (times the
        cell of its own time, as LAMMPS xu), "tor" (sum of Cartesian nearest-image steps).
    Raises TrajectoryError where the parts contradict each other.
    """

    scaled_positions: Any
    cell: np.ndarray
    time: np.ndarray
    species: np.ndarray
    masses: np.ndarray | None = None
    charges: np.ndarray | None = None
    velocities: Any = None
    framework: tuple[str, ...] = ()
    temperature: float | None = None
    pressure: float | None = None
    log: Thermo | None = None
    ids: np.ndarray | None = None
    origin: np.ndarray | None = None
    unwrap: Unwrap = "scaled"
    reduced: bool = False
    source: str = "memory"
    notes: tuple[str, ...] = ()
    history: tuple[dict[str, Any], ...] = field(default=())

    def __post_init__(self) -> None:
        n_frames, n_atoms = len(self.time), len(self.species)
        shapes = {
            "scaled_positions": (n_frames, n_atoms, 3),
            "velocities": (n_frames, n_atoms, 3),
            "cell": (n_frames, 3, 3),
            "masses": (n_atoms,),
            "ids": (n_atoms,),
            "origin": (n_frames, 3),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None and tuple(value.shape) != shape:
                raise TrajectoryError(f"{self.source}: {name} has shape {tuple(value.shape)}, but {n_frames} frames of {n_atoms} atoms need {shape}")
        if self.charges is not None and self.charges.shape not in ((n_atoms,), (n_frames, n_atoms), (n_atoms, 3, 3)):
            raise TrajectoryError(
                f"{self.source}: charges have shape {self.charges.shape}; give one per atom, per frame and atom, or a 3x3 tensor per atom"
            )
        if n_frames > 1 and not np.all(np.diff(self.time) > 0):
            at = int(np.argmin(np.diff(self.time) > 0))
            raise TrajectoryError(
                f"{self.source}: time does not increase from frame {at} ({self.time[at]:g} ps) to frame {at + 1} ({self.time[at + 1]:g} ps)"
            )
        unknown = [name for name in self.framework if name not in set(self.species.tolist())]
        if unknown:
            raise TrajectoryError(f"{self.source}: framework names {', '.join(unknown)}, but the species are {', '.join(self.species_names)}")

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def n_frames(self) -> int:
        return len(self.time)

    @property
    def n_atoms(self) -> int:
        return len(self.species)

    @cached_property
    def species_names(self) -> list[str]:
        """Labels in the order in which they first appear."""
        return list(dict.fromkeys(self.species.tolist()))

    def indices(self, name: str) -> np.ndarray:
        """Indices of the atoms of one species."""
        return np.flatnonzero(self.species == name)

    @cached_property
    def is_even(self) -> bool:
        """Whether frames are evenly spaced in time."""
        steps = np.diff(self.time)
        return len(steps) > 0 and bool(np.ptp(steps) <= 1e-4 * np.mean(steps))

    @property
    def frame_interval(self) -> float:
        """Time between stored frames in ps. Raises TrajectoryError where frames are unevenly spaced."""
        if self.n_frames < 2:
            raise TrajectoryError(f"{self.source} holds {self.n_frames} frame; a time between frames needs two")
        if not self.is_even:
            steps = np.diff(self.time)
            raise TrajectoryError(
                f"{self.source}: frames are unevenly spaced (from {steps.min():g} to {steps.max():g} ps); correlations by FFT need even "
                "spacing: read the even parts with gaps='split' (--gaps split) or one with begin= and end=, or use lags='log' where it is offered"
            )
        return float((self.time[-1] - self.time[0]) / (self.n_frames - 1))

    @cached_property
    def mean_cell(self) -> np.ndarray:
        return np.asarray(self.cell, dtype=np.float64).mean(axis=0)

    @cached_property
    def as_scaled(self) -> "Trajectory":
        """The same with the rule of displacements that says where ions are in the cell of their time: scaled."""
        return self if self.unwrap == "scaled" else dataclasses.replace(self, unwrap="scaled")

    @cached_property
    def volume(self) -> float:
        """Mean volume of the cell, angstrom^3."""
        return float(np.abs(np.linalg.det(self.cell)).mean())

    @cached_property
    def fixed_cell(self) -> bool:
        return bool(np.ptp(self.cell, axis=0).max() <= 1e-7 * np.abs(self.cell[0]).max())

    @cached_property
    def thermo(self) -> Any:
        """Dataset over `time` of every row of the log within the run: temperature, energies, enthalpy, pressure, volume; None without a log."""
        return None if self.log is None else self.log.dataset(reduced=self.reduced)

    @property
    def thermo_at_frames(self) -> Any:
        """The rows of `thermo` that were written at a stored frame. Raises TrajectoryError where there is none."""
        rows, there = self.log.at(self.time) if self.log is not None else (None, np.empty(0))
        if rows is None or len(there) == 0:
            raise TrajectoryError(f"{self.source}: no row of a log lies at a frame; pass log=... of this run, or --log")
        return rows.dataset(reduced=self.reduced)

    def need(self, *what: str, who: str) -> None:
        """Raise TrajectoryError unless the named parts are there; the message says what to pass."""
        cures = {
            "scaled_positions": ("positions", "give a file with positions"),
            "velocities": (
                "velocities",
                "write them (LAMMPS: dump ... vx vy vz), or make them of positions: velocities='positions' (--velocities positions)",
            ),
            "charges": (
                "charges",
                "pass for instance charges={"
                + ", ".join(f"'{s}': ..." for s in self.species_names)
                + "}, or --charges "
                + ",".join(f"{s}=..." for s in self.species_names),
            ),
            "masses": (
                "masses",
                f"pass for instance masses={{'{self.species_names[0]}': ...}} (--masses {self.species_names[0]}=...), or species= (--species)",
            ),
            "temperature": ("a stated temperature", "pass temperature=... in K, or --temperature ..."),
            "thermo": ("a log of energies and volume", "read it with log= (--log)"),
        }
        for part in what:
            if getattr(self, part) is None:
                name, cure = cures[part]
                raise TrajectoryError(f"{who} needs {name}, and {self.source} has none: {cure}")

    # -- changed copies -----------------------------------------------------------------------------------------

    def replace(self, *, step: dict[str, Any], **changes: Any) -> "Trajectory":
        """A copy with some parts changed, and the step that did it in its history."""
        return dataclasses.replace(self, **changes, history=(*self.history, step))

    def select(self, atoms: str | Sequence[str] | Sequence[int] | np.ndarray, *, when: Literal["first"] | float = "first") -> "Trajectory":
        """The atoms that are meant, as a new Trajectory.

        atoms : species labels (["Li", "S"]), indices, or an expression such as "Li and prop z > 10" in the selection
            language of MDAnalysis (species labels stand for themselves), evaluated at one moment.
        when : that moment: "first" frame, or a time in ps. Which atoms are meant never changes during the run.
        Raises TrajectoryError for a selection that is empty or not understood.
        """
        indices = self._meant(atoms, when)
        if len(indices) == 0:
            raise TrajectoryError(f"{self.source}: the selection {atoms!r} holds no atom; species are {', '.join(self.species_names)}")
        left = set(self.species[indices].tolist())
        lost = [name for name in self.framework if name not in left]
        notes = self.notes + ((f"the selection leaves out framework species {', '.join(lost)}",) if lost else ())

        def of(values: Any) -> Any:
            return None if values is None else values.part(atoms=indices) if isinstance(values, Lazy) else np.asarray(values[:])[:, indices]

        charges = self.charges
        if charges is not None:
            charges = charges[:, indices] if charges.shape == (self.n_frames, self.n_atoms) else charges[indices]
        return self.replace(
            step={"step": "select", "atoms": atoms if isinstance(atoms, str) else [str(a) for a in atoms], "when": when, "n_atoms": len(indices)},
            scaled_positions=of(self.scaled_positions),
            velocities=of(self.velocities),
            species=self.species[indices],
            masses=None if self.masses is None else self.masses[indices],
            ids=None if self.ids is None else self.ids[indices],
            charges=charges,
            framework=tuple(name for name in self.framework if name in left),
            notes=notes,
        )

    def _meant(self, atoms: Any, when: Literal["first"] | float) -> np.ndarray:
        if isinstance(atoms, str) and atoms not in self.species_names:
            self.need("scaled_positions", who="a selection by expression")
            frame = 0 if when == "first" else int(np.argmin(np.abs(self.time - float(when))))
            scaled = np.asarray(self.scaled_positions[frame], dtype=np.float64)
            wrapped = (scaled - np.floor(scaled)) @ self.cell[frame]
            try:
                return atoms_by_expression(atoms, wrapped, species=self.species, masses=self.masses, charges=self.charges)
            except ValueError as reason:
                raise TrajectoryError(
                    f"{self.source}: the selection {atoms!r} is not understood ({reason}); write species labels, indices "
                    "or for instance 'Li and prop z > 10'"
                ) from None
        wanted = [atoms] if isinstance(atoms, str) else list(atoms)
        if wanted and all(isinstance(name, str) for name in wanted):
            unknown = [name for name in wanted if name not in self.species_names]
            if unknown:
                raise TrajectoryError(f"{self.source}: no species {', '.join(unknown)}; there are {', '.join(self.species_names)}")
            return np.flatnonzero(np.isin(self.species, wanted))
        indices = np.asarray(wanted)
        if indices.dtype == bool:
            indices = np.flatnonzero(indices)
        if len(indices) and (indices.min() < 0 or indices.max() >= self.n_atoms):
            raise TrajectoryError(f"{self.source}: an index lies outside 0 ... {self.n_atoms - 1}")
        return indices.astype(np.intp)

    def relabel(self, labels: Mapping[str, Sequence[int] | np.ndarray]) -> "Trajectory":
        """A copy in which some atoms carry a new species label, so that a sublattice can be a species.

        labels : {"Li_tet": indices, ...}.
        """
        species = self.species.astype(object)
        for name, indices in labels.items():
            species[np.asarray(indices)] = name
        renamed = np.array([str(name) for name in species])
        left = set(renamed.tolist())
        return self.replace(
            step={"step": "relabel", **{name: len(np.atleast_1d(indices)) for name, indices in labels.items()}},
            species=renamed,
            framework=tuple(name for name in self.framework if name in left),
        )

    def with_charges(self, charges: Mapping[str, float] | np.ndarray | Sequence[float]) -> "Trajectory":
        """A copy with other charges: per species ({"Ca": 2, "F": -1}), per atom, per frame and atom, or Born tensors.

        A declared framework may be left out and then has none: in its frame the mobile charges are all that a current needs.
        Formal and model charges side by side are two such copies (or two rows of a series table); the history keeps both.
        Raises TrajectoryError for any other species without a charge.
        """
        if isinstance(charges, Mapping):
            charges = dict.fromkeys(self.framework, 0.0) | dict(charges)
            missing = [name for name in self.species_names if name not in charges]
            if missing:
                raise TrajectoryError(f"{self.source}: no charge for {', '.join(missing)}; pass for instance charges={{'{missing[0]}': ...}}")
            values = np.array([float(charges[name]) for name in self.species.tolist()])
            said: Any = {str(k): float(v) for k, v in charges.items()}
        else:
            values = np.asarray(charges, dtype=np.float64)
            said = f"array of shape {values.shape}"
        before = {} if self.charges is None else {"before": charges_in_words(self.charges, self.species)}
        return self.replace(step={"step": "with_charges", "charges": said, **before}, charges=values)

    def with_framework(self, framework: Sequence[str] | str) -> "Trajectory":
        """A copy whose lattice frame is the mean displacement of these species."""
        names = (framework,) if isinstance(framework, str) else tuple(framework)
        return self.replace(step={"step": "with_framework", "framework": list(names)}, framework=names)

    def held(self, most: int) -> "Trajectory":
        """The same with its arrays in memory, where they are on disk and take at most so many bytes in this process; else itself."""
        stored = {name: getattr(self, name) for name in ("scaled_positions", "velocities")}
        stored = {name: one for name, one in stored.items() if isinstance(one, Lazy)}
        if not stored or shares.count() > 1 or sum(one.nbytes for one in stored.values()) > most:
            return self
        return dataclasses.replace(self, **{name: one[:] for name, one in stored.items()})

    # -- visits -------------------------------------------------------------------------------------------------

    def over_atoms(
        self, quantity: Quantity = "positions", *, block: int, frames: slice | np.ndarray | None = None, shared: bool = False
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Whole histories of blocks of atoms: (which atoms, values of shape (block, 3, frame)).

        From disk they come contiguous in time; of an array in memory they are a view, which a processor had better turn bit by bit.
        Every block has one shape (the last is padded by repeating its last atom), so that there is one compilation.
        positions are scaled; the Cartesian rule is `self.unwrap` (see `dynamics_cell`). frames : those that are wanted, a slice or growing
        numbers, if not all. shared : of several processes each visits its share (see `shares`); one without a share is given an empty slice
        once, with values that count for nothing.
        """
        block = min(block, self.n_atoms)
        stored = self._stored(quantity)
        in_memory = isinstance(stored, np.ndarray)
        histories: Any = stored.transpose(1, 2, 0) if in_memory else Histories(stored, frames)
        picked = (..., frames) if in_memory and frames is not None else ...
        start, stop = visits.share(self.n_atoms, block) if shared else (0, self.n_atoms)
        if start == stop:
            yield slice(start, start), histories[:block][picked]
        for first, last, (values,) in visits.blocks_of([histories], start, stop, block, pick=lambda values: values[picked]):
            yield slice(first, last), values
            progress.advance(last, self.n_atoms, "atoms", n_bytes=values.nbytes)

    def over_frames(
        self, *quantities: Quantity, block: int, within: slice = slice(None), shared: bool = False
    ) -> Iterator[tuple[slice, tuple[np.ndarray, ...]]]:
        """Whole frames of blocks of times: (which frames, values of shape (block, atom, 3) for each quantity).

        Every block has one shape; the last is padded by repeating its last frame. within : a part of the run, without a step.
        shared : of several processes each visits its share (see `shares`), which may be nothing.
        """
        start, stop, _ = within.indices(self.n_frames)
        block = min(block, stop - start)
        if shared:
            start, stop = (start + one for one in visits.share(stop - start, block))
        stored = [self._stored(quantity) for quantity in quantities]
        for first, last, values in visits.blocks_of(stored, start, stop, block):
            yield slice(first, last), values
            progress.advance(last, self.n_frames, "frames", n_bytes=sum(one.nbytes for one in values))

    def _stored(self, quantity: Quantity) -> Any:
        """An array in memory, or what is sliced like one as `Lazy`, by which visits know how it lies on disk."""
        if quantity == "velocities":
            self.need("velocities", who="this analysis")
            stored = self.velocities
        else:
            self.need("scaled_positions", who="this analysis")
            stored = self.scaled_positions if self.unwrap != "tor" else self._tor_positions
        return stored if isinstance(stored, np.ndarray | Lazy) else Lazy(stored)

    def in_memory(self, quantity: Quantity = "positions") -> bool:
        """Whether a block of it is a part of what is there, and not a copy."""
        return isinstance(self._stored(quantity), np.ndarray)

    def precision(self, quantity: Quantity = "positions") -> np.dtype:
        """In which it is stored."""
        return np.dtype(self._stored(quantity).dtype)

    def atoms_together(self, quantity: Quantity = "positions") -> int:
        """Atoms that lie together on disk: a block of a multiple of them is read without a copy. 1 in memory, or where that is not known."""
        return 1 if self.in_memory(quantity) else Histories(self._stored(quantity)).chunk()

    def positions_at(self, frames: np.ndarray) -> np.ndarray:
        """Scaled positions of chosen frames (frame, atom, 3) in float64; the Cartesian rule is `self.unwrap` (see `dynamics_cell`)."""
        return np.asarray(self._stored("positions")[frames]).astype(np.float64)

    @cached_property
    def _tor_positions(self) -> np.ndarray:
        """Sum of Cartesian nearest-image steps (Bullerjahn 2023), expressed in the mean cell."""
        stored = np.asarray(self.scaled_positions[:], dtype=np.float64)
        wrapped = np.einsum("tai,tij->taj", stored - np.floor(stored), self.cell)
        steps = np.diff(wrapped, axis=0)
        crossed = np.diff(np.floor(stored), axis=0)
        # of the images of a step the nearest is x' - x + (crossed cells) L(t + dt)
        steps += np.einsum("tai,tij->taj", crossed, self.cell[1:])
        path = np.concatenate([wrapped[:1], wrapped[:1] + np.cumsum(steps, axis=0)])
        return path @ np.linalg.inv(self.mean_cell)

    @property
    def dynamics_cell(self) -> np.ndarray:
        """What scaled positions are multiplied with to give the path of an ion: (3, 3), or (frame, 3, 3) for "lattice"."""
        return np.asarray(self.cell, dtype=np.float64) if self.unwrap == "lattice" and not self.fixed_cell else self.mean_cell

    def reference_path(self, reference: Sequence[str] | str | None = None, quantity: Quantity = "positions") -> tuple[np.ndarray, list[str] | str]:
        """Path (frame, 3) of the frame of reference (scaled, or angstrom/ps for velocities), and the name of what was taken.

        reference : species labels (their unweighted mean), "barycentre", "none", or None: the declared framework, else
            the barycentre. Accumulated in float64.
        """
        meant: list[str] | str = reference if isinstance(reference, str) else list(reference or ())
        if not meant:
            meant = list(self.framework) or "barycentre"
        if isinstance(meant, str) and meant not in ("barycentre", "none"):
            meant = meant.split(",")
        if meant == "none":
            return np.zeros((self.n_frames, 3)), "none"
        key = (tuple(meant) if isinstance(meant, list) else meant, quantity)
        if key not in self._reference_paths:
            self._reference_paths[key] = self._mean_path(meant, quantity)
        return self._reference_paths[key], meant

    @cached_property
    def _reference_paths(self) -> dict[Any, np.ndarray]:
        """Those that were made, 24 bytes a frame: nearly every analysis asks for one, which is a visit to all frames."""
        return {}

    def _mean_path(self, meant: list[str] | str, quantity: Quantity) -> np.ndarray:
        if meant == "barycentre":
            self.need("masses", who='reference="barycentre"')
            assert self.masses is not None
            weights = self.masses / self.masses.sum()
        else:
            unknown = [name for name in meant if name not in self.species_names]
            if unknown:
                raise TrajectoryError(
                    f"{self.source}: reference names {', '.join(unknown)}; species are {', '.join(self.species_names)}, "
                    "other choices are 'barycentre' and 'none'"
                )
            chosen = np.isin(self.species, meant)
            weights = chosen / chosen.sum()
        path = np.zeros((self.n_frames, 3))
        most = memory.block() // (3 * 3 * 8 * max(self.n_atoms, 1))
        block = int(np.clip(most, 1, -(-self.n_frames // shares.count())))
        for frames, (values,) in self.over_frames(quantity, block=block, shared=True):
            part = np.einsum("tax,a->tx", values.astype(np.float64), weights)
            path[frames] = part[: frames.stop - frames.start]
        path = shares.summed(path)
        path.flags.writeable = False  # everybody is given the same
        return path

    # -- how it shows itself ------------------------------------------------------------------------------------

    def describe(self) -> dict[str, str]:
        """What was understood, in words: the rows of `mdtools info` and of the notebook table."""
        count = {name: len(self.indices(name)) for name in self.species_names}
        tau, length, temp = ("tau", "sigma", "epsilon/k_B") if self.reduced else ("ps", "angstrom", "K")
        lengths = np.linalg.norm(self.mean_cell, axis=1)
        rows = {
            "source": self.source,
            "atoms": f"{self.n_atoms} ({', '.join(f'{name} {n}' for name, n in count.items())})",
            "frames": f"{self.n_frames}",
            "time": f"{self.time[0]:g} to {self.time[-1]:g} {tau}",
            "cell": f"{lengths[0]:.4f} x {lengths[1]:.4f} x {lengths[2]:.4f} {length}, " + ("fixed" if self.fixed_cell else "changing"),
            "framework": ", ".join(self.framework) or "not declared (reference is the barycentre)",
            "temperature": "not stated" if self.temperature is None else f"{self.temperature:g} {temp}",
            "velocities": "no" if self.velocities is None else "yes",
            "charges": "no" if self.charges is None else charges_in_words(self.charges, self.species),
            **thermo_in_words(self.log, self.history, reduced=self.reduced),
        }
        if self.n_frames > 1:
            spacing = f"frame interval {self.frame_interval:.6g} {tau}" if self.is_even else "frames unevenly spaced"
            rows["time"] += f"; {spacing}, run {self.time[-1] - self.time[0]:.6g} {tau}"
        for number, note in enumerate(self.notes, start=1):
            rows[f"note {number}"] = note
        return rows

    def __repr__(self) -> str:
        rows = self.describe()
        return f"<Trajectory {rows['source']}: {rows['atoms']}, {rows['frames']} frames, {rows['time']}>"

    def _repr_html_(self) -> str:
        return html_table(self.describe())
