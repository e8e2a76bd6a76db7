"""The large arrays of a run, block by block in the order of time: read, checked, unwrapped, converted, thinned.

Whoever takes the blocks decides where they go, memory or a store; beside them only a few blocks are in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mdtools import progress
from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.readers.unwrap import Unwrapper

if TYPE_CHECKING:
    from mdtools.readers.assemble import Understood

__all__ = ["Arrays", "Filled", "filled", "unwrapper_of"]

_BLOCK_BYTES = 2**21  # of a table of numbers: it stays in the cache of the processor between its passes


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Wanted frames as they are stored. goal : which of the wanted frames. charges : (frame, atom) e, where they come with the frames."""

    goal: slice
    scaled: np.ndarray | None
    velocities: np.ndarray | None
    charges: np.ndarray | None


class Arrays:
    """The blocks in memory."""

    def __init__(self, run: "Understood") -> None:
        precision = run.options.precision
        self._shape = (len(run.time), run.frames.n_atoms, 3)
        self.scaled = None if run.frames.placement == "none" else np.empty(self._shape, precision)
        self.velocities = np.empty(self._shape, precision) if run.frames.has_velocities else None
        self.charges: np.ndarray | None = None

    def put(self, part: Filled) -> None:
        if self.scaled is not None:
            self.scaled[part.goal] = part.scaled
        if self.velocities is not None:
            self.velocities[part.goal] = part.velocities
        if part.charges is not None and len(part.charges):
            self._put_charges(part.charges, part.goal)

    def _put_charges(self, charges: np.ndarray, goal: slice) -> None:
        """One charge per atom as long as it never changes, else one per frame and atom."""
        if self.charges is None:
            self.charges = charges[0]
        if self.charges.ndim == 1:
            if np.array_equal(charges, np.broadcast_to(self.charges, charges.shape)):
                return
            self.charges = np.broadcast_to(self.charges, self._shape[:2]).copy()
        self.charges[goal] = charges


def unwrapper_of(run: "Understood") -> Unwrapper:
    return Unwrapper(run.frames, run.basis, keep_home=run.options.unwrap == "lattice")


def filled(run: "Understood", unwrapper: Unwrapper, *, first: int = 0, row: int | None = None) -> Iterator[Filled]:
    """Blocks of the wanted frames from the `first` one on, `unwrapper` having seen all before it.

    row : no block reaches over a multiple of so many wanted frames, so that the work can be taken up again there.
    """
    frames, system, precision = run.frames, run.system, run.options.precision
    # the nearest image needs every frame from the first wanted one on; unwrapped positions need only the wanted ones
    wrapped = frames.placement == "wrapped"
    stride = run.options.stride if wrapped else 1
    positions = np.arange(len(run.kept))[slice(run.wanted.start, run.wanted.stop) if wrapped else run.wanted]
    for begin, end in _spans(first * stride, len(positions), (row or len(run.time)) * stride, _per_block(frames.n_atoms)):
        which = positions[begin:end]
        block = frames.load(run.kept[which])
        for name, values in (("positions", block.scaled), ("velocities", block.velocities), ("charges", block.charges)):
            _check_finite(frames, name, values, run.kept[which])
        chosen = np.arange(begin, end) % stride == 0
        start = -(-begin // stride)
        scaled = None if block.scaled is None else unwrapper.extend(block.scaled, which, run.kept[which])
        yield Filled(
            goal=slice(start, start + int(chosen.sum())),
            scaled=None if scaled is None else scaled[chosen].astype(precision),
            velocities=None if block.velocities is None else (block.velocities[chosen] * system.velocity).astype(precision),
            charges=block.charges[chosen] * system.charge if run.charges is None and block.charges is not None else None,
        )
        progress.advance(end, len(positions), "frames", n_bytes=_n_bytes(block.scaled, block.velocities))


def _per_block(n_atoms: int) -> int:
    return max(1, _BLOCK_BYTES // (n_atoms * 100))


def _spans(first: int, stop: int, row: int, block: int) -> Iterator[tuple[int, int]]:
    for begin in range(first, stop, row):
        end = min(begin + row, stop)
        for at in range(begin, end, block):
            yield at, min(at + block, end)


def _n_bytes(*parts: np.ndarray | None) -> int:
    return sum(part.nbytes for part in parts if part is not None)


def _check_finite(frames: Frames, name: str, values: np.ndarray | None, which: np.ndarray) -> None:
    if values is not None and not np.isfinite(values).all():
        frame, atom = np.argwhere(~np.isfinite(values))[0][:2]
        raise TrajectoryError(
            f"{frames.where(int(which[frame]))}: {name} of atom id {frames.ids[atom]} are not finite numbers; "
            "the run blew up or the file is damaged: read up to it with end=..."
        )
