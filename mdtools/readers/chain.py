"""Several files that make one run: their frames one after the other."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Block, Frames
from mdtools.readers.join import join

__all__ = ["chain"]


def chain(pieces: Sequence[Frames]) -> Frames:
    """One record of several files, in the order of their first steps; in the order of the list where there are no steps, or where
    they start again and the coordinates go on in that order.

    Raises TrajectoryError where the files do not hold the same atoms, columns and units.
    """
    if len(pieces) == 1:
        return pieces[0]
    for piece in pieces[1:]:
        _check_same(pieces[0], piece)
    listed = _concatenated(pieces)
    if listed.steps is None:
        return listed
    first_steps = [int(piece.steps[0]) for piece in pieces if piece.steps is not None]
    order = sorted(range(len(pieces)), key=first_steps.__getitem__)
    if order == list(range(len(pieces))) or len(set(first_steps)) < len(pieces):
        return listed
    by_step = _concatenated([pieces[k] for k in order])
    return listed if not _goes_on(by_step) and _goes_on(listed) else by_step


def _goes_on(frames: Frames) -> bool:
    """Whether every piece continues the one before, by its steps and its coordinates."""
    try:
        joined = join(frames)
    except TrajectoryError:
        return False
    return not joined.broken and all(piece.seam is None or (piece.seam.intervals or 1.0) < 1.5 for piece in joined.pieces)


def _concatenated(pieces: Sequence[Frames]) -> Frames:
    first = pieces[0]
    offsets = np.cumsum([0, *(piece.n_frames for piece in pieces)])
    timed = all(piece.times is not None for piece in pieces)

    def load(frames: np.ndarray) -> Block:
        which = np.searchsorted(offsets, frames, side="right") - 1
        blocks = [pieces[i].load(frames[which == i] - offsets[i]) for i in np.unique(which)]
        return Block(**{f.name: _joined([getattr(block, f.name) for block in blocks]) for f in dataclasses.fields(Block)})

    names = [Path(piece.source).name for piece in pieces]
    return dataclasses.replace(
        first,
        source=f"{first.source} ... {names[-1]} ({len(pieces)} files)",
        cell=np.concatenate([piece.cell for piece in pieces]),
        origin=_joined([piece.origin for piece in pieces]),
        steps=_joined([piece.steps for piece in pieces]),
        times=np.concatenate([piece.times for piece in pieces]) if timed else None,
        counters=_joined([piece.counters for piece in pieces]),
        temperature=first.temperature if len({piece.temperature for piece in pieces}) == 1 else None,
        load=load,
        notes=tuple(note for piece in pieces for note in piece.notes),
        pieces=tuple((int(offset), piece.source) for offset, piece in zip(offsets, pieces, strict=False)),
        runs=None if first.runs is None else lambda: [run for piece in pieces if piece.runs for run in piece.runs()],
    )


def _joined(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known and len(known) == len(parts) else None


def _check_same(first: Frames, piece: Frames) -> None:
    """Refuse a piece of another run. Arrays that files share are one object, so that a run of many files costs no time."""
    same: dict[str, Callable[[Frames], object]] = {
        "atoms": lambda p: p.ids,
        "species": lambda p: p.labels,
        "columns of positions": lambda p: (p.placement, p.columns),
        "velocities": lambda p: p.has_velocities,
        "units": lambda p: p.units,
        "time between frames": lambda p: p.interval,
        "periodic directions": lambda p: p.periodic,
    }
    for what, of in same.items():
        one, two = of(first), of(piece)
        if one is not two and not np.array_equal(np.asarray(one), np.asarray(two)):
            parts = what == "atoms" and piece.steps is not None and first.steps is not None and piece.steps[0] == first.steps[0]
            of_processors = "; if they are files of one processor each, dump without % in the name" if parts else ""
            raise TrajectoryError(
                f"{piece.source} and {first.source} differ in {what} ({_shown(one, first)} and {_shown(two, piece)}), "
                f"so they are not one run; read them apart (read_series), or leave one out{of_processors}"
            )


def _shown(value: object, piece: Frames) -> str:
    if not isinstance(value, np.ndarray) or len(value) <= 3:
        return str(value)
    if piece.labels is None:
        return f"{len(value)} of them"
    names, counts = np.unique(piece.labels, return_counts=True)
    return " ".join(f"{name}{count}" for name, count in zip(names.tolist(), counts.tolist(), strict=True))
