"""The large arrays of a run, block by block in the order of time: read, checked, unwrapped, converted, thinned.

Whoever takes the blocks decides where they go, memory or a store; beside them only a few blocks are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools import memory, progress
from mdtools.errors import TrajectoryError
from mdtools.readers import passes
from mdtools.readers.frames import Block
from mdtools.readers.understood import Understood
from mdtools.readers.unwrap import Unwrapper

__all__ = ["Arrays", "Filled", "filled", "unwrapper_of", "workers"]

_MOST_WORKERS = 16  # beyond, the interpreter's lock between two blocks holds them up
_FURTHEST = 1e6  # cell vectors from home: from there on single precision tells a tenth of a cell at best, and no run goes there
_LARGEST = 1e30  # velocity or charge, in any unit system; beyond it lies damage
_BLOCK_BYTES = 2**21  # of a table of numbers: it stays in the cache of the processor between its passes


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Wanted frames as they are stored. goal : which of the wanted frames. charges : (frame, atom) e, where they come with the frames.

    closes : whether it is the last block of its row.
    """

    goal: slice
    closes: bool
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
    return Unwrapper(run.frames, run.basis, shift=run.shift, keep_home=run.options.unwrap == "lattice")


def filled(run: "Understood", unwrapper: Unwrapper, *, first: int = 0, row: int | None = None) -> Iterator[Filled]:
    """Blocks of the wanted frames from the `first` one on, `unwrapper` having seen all before it.

    row : no block reaches over a multiple of so many wanted frames, so that the work can be taken up again there.
    """
    frames = run.frames
    # the nearest image needs every frame from the first wanted one on; unwrapped positions need only the wanted ones
    wrapped = frames.placement == "wrapped"
    stride = run.options.stride if wrapped else 1
    positions = np.arange(len(run.kept))[slice(run.wanted.start, run.wanted.stop) if wrapped else run.wanted]
    row = (row or len(run.time)) * stride
    spans = _spans(first * stride, len(positions), row, _per_block(frames.n_atoms))

    def load(span: tuple[int, int]) -> tuple[int, int, Block, Filled]:
        begin, end = span
        block = frames.load(run.kept[positions[begin:end]])
        _check_numbers(run, block, run.kept[positions[begin:end]])
        return begin, end, block, _converted(run, block, begin, stride, closes=end % row == 0 or end == len(positions))

    for begin, end, block, part in _in_order(load, spans, workers() if frames.threads else 1):
        if block.scaled is not None and part.scaled is not None:
            which = positions[begin:end]
            unwrapper.extend(block.scaled, which, run.kept[which], part.scaled, start=-begin % stride, stride=stride)
        yield part
        progress.advance(end, len(positions), "frames", n_bytes=_n_bytes(block.scaled, block.velocities))


def _converted(run: "Understood", block: Block, begin: int, stride: int, *, closes: bool) -> Filled:
    """A block in our units, thinned, with room for its positions. begin : place of its first frame among those that are read."""
    values = next(one for one in (block.scaled, block.velocities) if one is not None)
    start, goal = -begin % stride, -(-begin // stride)
    shape = (len(range(start, len(values), stride)), *values.shape[1:])
    precision = run.options.precision
    velocities = None if block.velocities is None else np.empty(shape, precision)
    if block.velocities is not None:
        passes.settle(block.velocities, np.zeros(shape[1:]), run.system.velocity, start, stride, velocities)
    return Filled(
        goal=slice(goal, goal + shape[0]),
        closes=closes,
        scaled=None if block.scaled is None else np.empty(shape, precision),
        velocities=velocities,
        charges=block.charges[start::stride] * run.system.charge if run.charges is None and block.charges is not None else None,
    )


def workers() -> int:
    """Threads that read at once: the processor cores that this process may use, as the scheduler says, up to 16."""
    return min(memory.cores(), _MOST_WORKERS)


def _in_order(work: Callable[[Any], Any], items: Iterable[Any], number: int) -> Iterator[Any]:
    """work(item) of each item, in order; with several threads a few are worked on ahead."""
    if number == 1:
        yield from map(work, items)
        return
    ahead: deque[Any] = deque()
    with ThreadPoolExecutor(number) as pool:
        try:
            for item in items:
                ahead.append(pool.submit(work, item))
                if len(ahead) > number:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _per_block(n_atoms: int) -> int:
    return max(1, _BLOCK_BYTES // (n_atoms * 100))


def _spans(first: int, stop: int, row: int, block: int) -> Iterator[tuple[int, int]]:
    for begin in range(first, stop, row):
        end = min(begin + row, stop)
        for at in range(begin, end, block):
            yield at, min(at + block, end)


def _n_bytes(*parts: np.ndarray | None) -> int:
    return sum(part.nbytes for part in parts if part is not None)


def _check_numbers(run: "Understood", block: Block, which: np.ndarray) -> None:
    frames = run.frames
    for name, values, limit in (
        ("positions", block.scaled, _FURTHEST),
        ("velocities", block.velocities, _LARGEST),
        ("charges", block.charges, _LARGEST),
    ):
        if values is None:
            continue
        values = values if values.ndim == 3 else values[:, :, None]
        frame, atom = passes.first_beyond(values, limit)
        if frame >= 0:
            what = "are not finite numbers" if not np.isfinite(values[frame, atom]).all() else f"are beyond {limit:g}"
            what += " cell vectors" if name == "positions" and "beyond" in what else ""
            raise TrajectoryError(
                f"{frames.where(int(which[frame]))}: {name} of atom id {frames.ids[atom]} {what}; "
                "the run blew up or the file is damaged: read up to it with end=..."
            )
