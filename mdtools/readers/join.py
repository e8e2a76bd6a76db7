"""Several runs of one simulation made one: which frames count, the steps they are counted by, and an audit of every seam.

A run here is a stretch of frames whose steps increase; where there are no steps, frames of one file whose numbers do not start again.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.readers.seams import Seam, same_frame, seam_between

__all__ = ["Joined", "Piece", "join"]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One row of the audit: a file, or a stretch of it between restarts. first : its first frame that counts, among those that do."""

    name: str
    frames: int
    first: int
    kept: int
    seam: Seam | None = None


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A record whose steps and times go on through restarts, the indices of the frames that count, and what was found.

    broken : of the frames that count, those whose piece does not continue the one before.
    """

    frames: Frames
    kept: np.ndarray
    pieces: tuple[Piece, ...]
    broken: tuple[int, ...]
    notes: tuple[str, ...]


def join(frames: Frames, *, length: float = 1.0) -> Joined:
    """What counts of a record that may be several runs. length : angstrom in a unit of the file.

    The later run supersedes the tail of the earlier from its own first frame on: by steps where there are any, else by the frame
    that both hold. Raises TrajectoryError for steps that start again although the coordinates do not go on.
    """
    notes: list[str] = []
    if frames.steps is None:
        kept = _by_coordinates(frames, notes)
    else:
        frames = _counted_on(frames, length, notes)
        kept = _by_step(frames, notes)
    pieces = _pieces(frames, kept)
    broken = tuple(piece.first for piece in pieces if piece.seam and piece.seam.is_broken(length))
    return Joined(frames=frames, kept=kept, pieces=pieces, broken=broken, notes=tuple(notes))


def _starts(frames: Frames) -> list[int]:
    """First frames of the runs."""
    if frames.steps is not None:
        return [0, *(np.flatnonzero(np.diff(frames.steps) <= 0) + 1).tolist()]
    again = [] if frames.counters is None else (np.flatnonzero(np.diff(frames.counters) < 0) + 1).tolist()
    return sorted({0, *again, *(first for first, _ in frames.pieces)})


def _by_coordinates(frames: Frames, notes: list[str]) -> np.ndarray:
    kept = np.ones(frames.n_frames, dtype=bool)
    starts, files = [*_starts(frames), frames.n_frames], {first for first, _ in frames.pieces}
    for begin, first, stop in zip(starts, starts[1:], starts[2:], strict=False):
        # within a file a repeated frame says something only where atoms move
        if first not in files and (stop - first < 2 or same_frame(frames, first + 1, begin=first, stop=first + 1) is not None):
            continue
        same = same_frame(frames, first, begin=begin, stop=first)
        if same is None:
            continue
        if same == begin and first - begin > 1:
            raise TrajectoryError(
                f"{frames.where(first)} is the first frame of {frames.where(begin)} over again, so that nothing of that run would be left; "
                "leave the earlier one out, or read them apart if they are replicas (read_series)"
            )
        kept[same:first] = False
        number = first - same
        what = "its first frame repeats the last" if number == 1 else f"it starts again {number} frames before the end"
        notes.append(f"{frames.where(first)}: {what} of the run before; {_counted(number)} of that run dropped, the later copy kept")
    return np.flatnonzero(kept)


def _counted(number: int) -> str:
    return f"{number} frame{'s' if number > 1 else ''}"


def _counted_on(frames: Frames, length: float, notes: list[str]) -> Frames:
    """Steps and times that go on where those of a file start again (reset_timestep) but its coordinates continue."""
    assert frames.steps is not None
    starts = _starts(frames)
    stops = [*starts[1:], frames.n_frames]
    steps, times = frames.steps.copy(), None if frames.times is None else frames.times.copy()
    for begin, first, stop in zip(starts, starts[1:], stops[1:], strict=False):
        if steps[first] > steps[begin] or first - begin < 2:
            continue
        at, extra = _continued(frames, begin, first, stop, length)
        told = int(steps[first])
        usual = int(np.diff(steps[first:stop] if stop - first > 1 else steps[begin:first])[0])
        steps[first:] += steps[at] + extra * usual - told
        if times is not None:
            times[first:] += times[at] + extra * (times[at] - times[at - 1]) - times[first]
        notes.append(
            f"{frames.where(first)}: its steps start again, but its coordinates continue the run before; its steps are counted on, "
            f"so that step {told} is step {steps[first]}"
        )
    return frames if not notes else dataclasses.replace(frames, steps=steps, times=times)


def _continued(frames: Frames, begin: int, first: int, stop: int, length: float) -> tuple[int, int]:
    """The frame of the run before that a restarted run continues, and how many intervals lie between (0: it is the same frame)."""
    same = same_frame(frames, first, begin=begin, stop=first)
    if same is not None and same > begin:
        return same, 0
    seam = None if same is not None else seam_between(frames, first - 1, first, begin=begin, stop=stop)
    if seam is None or not seam.is_next():
        why = "it is the first frame of that run over again" if same is not None else "its coordinates do not show that it continues it"
        apart = f" (rms {seam.rms * length:.2f} angstrom from its last frame; {seam.inside_rms * length:.2f} between frames)" if seam else ""
        raise TrajectoryError(
            f"{frames.where(first)}: steps start again at or before the first of the run before it, and {why}{apart}, so that no frame of that run "
            "would be left; give the files in the order of time, pass the runs apart (read_series), or leave one out"
        )
    return first - 1, 1


def _by_step(frames: Frames, notes: list[str]) -> np.ndarray:
    # a run that starts again from a step supersedes whatever was written at and after that step
    steps = frames.steps
    assert steps is not None
    later = np.append(np.minimum.accumulate(steps[::-1])[::-1][1:], np.iinfo(np.int64).max)
    kept, lost = np.flatnonzero(steps < later), np.flatnonzero(steps >= later)
    if len(lost) == 0:
        return kept
    starts = _starts(frames)
    for first, stop in zip(starts, [*starts[1:], len(steps)], strict=True):
        if stop - first > 1 and not np.any((kept >= first) & (kept < stop)):
            raise TrajectoryError(
                f"{frames.where(stop)}: steps start again at or before the first of a run before it, so that no frame of that run would be left; "
                f"pass the runs apart (read_series), or leave one out"
            )
    restarts = len(starts) - 1
    times = f"{restarts} restart{'s' if restarts > 1 else ''}"
    notes.append(f"{len(lost)} frames written twice by {times} dropped, the later copy kept (steps {steps[lost].min()} to {steps[lost].max()})")
    return kept


def _pieces(frames: Frames, kept: np.ndarray) -> tuple[Piece, ...]:
    """A row for each file and each restart within one; nothing for a single run in a single file."""
    files = dict(frames.pieces)
    starts = np.array(sorted({0, *_starts(frames), *files}))
    if len(starts) == 1:
        return ()
    stops = np.append(starts[1:], frames.n_frames)
    lows, highs = np.searchsorted(kept, starts), np.searchsorted(kept, stops)
    rows: list[Piece] = []
    file, file_start = frames.source, 0
    for first, stop, low, high in zip(starts.tolist(), stops.tolist(), lows.tolist(), highs.tolist(), strict=True):
        if first in files:
            file, file_start = files[first], first
        seam = None
        if 0 < low < high:
            last = int(kept[low - 1])
            seam = _seam(frames, last, int(kept[low]), int(starts[np.searchsorted(starts, last, "right") - 1]), int(kept[high - 1]) + 1)
        name = file if first == file_start else f"{file} from frame {first - file_start}"
        rows.append(Piece(name=name, frames=stop - first, first=low, kept=high - low, seam=seam))
    return tuple(rows)


def _seam(frames: Frames, last: int, first: int, begin: int, stop: int) -> Seam | None:
    """The seam of two pieces; None also where a frame beside it cannot be read (whoever wants that frame is told why)."""
    intervals = None
    if frames.steps is not None:
        usual = np.diff(frames.steps[begin : last + 1]) if last > begin else np.diff(frames.steps[first:stop])
        intervals = float((frames.steps[first] - frames.steps[last]) / usual[0]) if len(usual) and usual[0] > 0 else 1.0
    try:
        return seam_between(frames, last, first, begin=begin, stop=stop, intervals=intervals)
    except TrajectoryError:
        return None
