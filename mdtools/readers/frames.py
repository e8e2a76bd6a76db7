"""What every reader returns: the small things of all frames at once, the large things on demand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdtools.readers.logged import Logged

__all__ = ["Block", "Frames", "Placement"]

Placement = Literal["unwrapped", "wrapped", "none"]


@dataclass(frozen=True, kw_only=True)
class Block:
    """The large arrays of some frames, atoms in the order of `Frames.ids`.

    scaled : (frame, atom, 3) float64, in cell vectors of the frame itself. velocities, charges : in the file's units.
    """

    scaled: np.ndarray | None = None
    velocities: np.ndarray | None = None
    charges: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Frames:
    """A run as a file holds it: nothing converted, nothing dropped, nothing resolved.

    kind : what was read, in words. units : name of the file's unit system; None where the file does not say and the
        user must. in_angstrom_and_ps : formats that are so by definition, or were made so by their reader; `units` has
        no say then, except that "lj" marks reduced units.
    cell : (frame, 3, 3), rows are the vectors. origin : (frame, 3). periodic : (3,).
    steps : (frame,) of the integrator. times : (frame,) as the file says, in its units. interval : time between frames, in
        its units, where the file says that but not when it begins (VASP counts every run from its own start).
    counters : (frame,) numbers that a file gives its frames, in steps nobody knows; where they leave some out, frames are missing.
    temperature : K, of the thermostat, where the file states one that was held for the whole run.
    placement : whether positions are unwrapped (or were by image flags), wrapped, or not there. columns : where from.
    labels : (atom,) element symbols, or the numbers of the types where `label_kind` is "type"; None where there are none.
    types : (atom,) numbers of the types as text, beside elements. masses, charges : (atom,) in the file's units.
    load : indices of frames -> Block; raises TrajectoryError for what is wrong in them. threads : whether several threads
        may load at once (and gain by it: the work is compiled).
    pieces : index of the first frame of each file, and its name. runs : the log that the file itself is, read when it is asked for.
    """

    source: str
    kind: str
    units: str | None
    cell: np.ndarray
    periodic: np.ndarray
    ids: np.ndarray
    placement: Placement
    load: Callable[[np.ndarray], Block]
    threads: bool = False
    columns: str = ""
    in_angstrom_and_ps: bool = False
    origin: np.ndarray | None = None
    steps: np.ndarray | None = None
    times: np.ndarray | None = None
    interval: float | None = None
    counters: np.ndarray | None = None
    temperature: float | None = None
    labels: np.ndarray | None = None
    label_kind: Literal["element", "type", "label"] = "element"
    types: np.ndarray | None = None
    masses: np.ndarray | None = None
    charges: np.ndarray | None = None
    has_velocities: bool = False
    notes: tuple[str, ...] = ()
    pieces: tuple[tuple[int, str], ...] = ()
    runs: Callable[[], list[Logged]] | None = None

    @property
    def n_frames(self) -> int:
        return len(self.cell)

    @property
    def n_atoms(self) -> int:
        return len(self.ids)

    def where(self, frame: int) -> str:
        """A frame by the name of its file, its index in it, and its step, for messages."""
        first, name = max(((first, name) for first, name in self.pieces if first <= frame), default=(0, self.source))
        step = "" if self.steps is None else f" (step {self.steps[frame]})"
        return f"{name}: frame {frame - first}{step}"
