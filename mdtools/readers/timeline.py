"""Which frames of a record count, when they were, which are wanted, and where the run is not one run."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.clock import part, time_axis
from mdtools.readers.frames import Frames
from mdtools.readers.gaps import Break, breaks
from mdtools.readers.join import Piece, join
from mdtools.readers.seams import Seam
from mdtools.readers.understood import Options
from mdtools.units import UnitSystem

__all__ = ["Timeline", "shortened", "timeline"]

_MOST_ROWS = 40  # of the audit; of longer chains those where nothing happened are counted together


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The small things of a run in the order of time.

    frames : the record, its steps counted on through restarts. kept : (kept frame,) indices of the frames that count. time : of
    those, in ps. clock : in words, where it is from. wanted : of the kept frames. breaks : among the wanted ones.
    pieces : the audit, a row for each file and restart; empty for a single run in a single file.
    """

    frames: Frames
    kept: np.ndarray
    time: np.ndarray
    clock: str
    wanted: slice
    breaks: tuple[Break, ...]
    pieces: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def refuse_gaps(self) -> None:
        """Raise TrajectoryError for the first place that no time origin must cross."""
        gaps = [one for one in self.breaks if one.is_gap]
        if gaps:
            others = f" ({len(gaps) - 1} more such places)" if len(gaps) > 1 else ""
            raise TrajectoryError(f"{self._what(gaps[0])}{others}")

    def _what(self, gap: Break) -> str:
        where = self.frames.where(int(self.kept[gap.at]))
        split = "pass gaps='split' (--gaps split) for a series of the parts, which no time origin leaves"
        if not gap.broken:
            return (
                f"{where} comes {gap.interval:g} ps after the frame before it, where frames are {gap.usual:g} ps apart otherwise, "
                f"so frames are missing; {split}, or read one part with begin= and end="
            )
        row = next(row for row in self.pieces if row.get("begin") == gap.at)
        return (
            f"{where} does not continue the piece before it: atoms lie {row['seam_rms']:.2f} angstrom (rms; at most {row['seam_largest']:.2f}) "
            f"from its last frame, but move {row['inside_rms']:.2g} from frame to frame; give the frames that are missing, or the files in the "
            f"order of time (a shell puts run10 before run2: pass the pattern in quotes), read replicas as a series (read_series), or {split}"
        )


def timeline(frames: Frames, options: "Options", system: UnitSystem) -> Timeline:
    """The frames that count and their times. Raises TrajectoryError where something is missing or contradicts."""
    joined = join(frames, length=system.length)
    frames, kept, notes = joined.frames, joined.kept, [*joined.notes]
    time, clock = time_axis(frames, kept, system, timestep=options.timestep, frame_interval=options.frame_interval)
    if (frames.times is not None or frames.interval is not None) and clock not in ("the file", "a single frame"):
        notes.append(f"{clock}= was given and beats the times of the file")
    wanted = part(time, frames.source, begin=options.begin, end=options.end, stride=options.stride, reduced=system.name == "lj")
    found = breaks(time[wanted.start : wanted.stop], tuple(at - wanted.start for at in joined.broken if wanted.start < at < wanted.stop))
    rows = [_row(piece, time, system.length) for piece in joined.pieces]
    return Timeline(
        frames=frames,
        kept=kept,
        time=time,
        clock=clock,
        wanted=wanted,
        breaks=tuple(Break(at=one.at + wanted.start, interval=one.interval, usual=one.usual, broken=one.broken) for one in found),
        pieces=tuple(rows),
        notes=(*notes, *_in_short(rows, joined.pieces, system.length)),
    )


def _row(piece: Piece, time: np.ndarray, length: float) -> dict[str, Any]:
    """A row of the audit in angstrom and ps. begin : of its first kept frame, among all kept ones."""
    inside = np.diff(time[piece.first : piece.first + piece.kept])
    row: dict[str, Any] = {
        "piece": piece.name,
        "begin": piece.first,
        "frames": piece.frames,
        "kept": piece.kept,
        "dropped": piece.frames - piece.kept,
        "frame_interval": _rounded(float(np.median(inside))) if len(inside) else None,
    }
    if piece.seam:
        row |= {"seam_interval": _rounded(float(time[piece.first] - time[piece.first - 1]))}
        row |= {f"seam_{name}": _rounded(getattr(piece.seam, name) * length) for name in ("rms", "largest")}
        row |= {"inside_rms": _rounded(piece.seam.inside_rms * length)}
    return row


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _in_short(rows: list[dict[str, Any]], pieces: tuple[Piece, ...], length: float) -> list[str]:
    """The audit in a line."""
    if not rows:
        return []
    dropped = sum(row["dropped"] for row in rows)
    line = f"{len(rows)} pieces joined, {dropped} of {sum(row['frames'] for row in rows)} frames dropped"
    seams = [row for row in rows if "seam_rms" in row]
    if seams:
        worst = max(seams, key=lambda row: row["seam_rms"] / max(row["inside_rms"], 1e-9))
        line += f"; displacement over the seams at most {worst['seam_rms']:.2g} angstrom rms, where frames lie {worst['inside_rms']:.2g} apart"
    notes = [line]
    odd = [piece.name for piece in pieces if piece.seam and piece.seam.is_odd(length)]
    if odd:
        notes.append(f"atoms move unusually far on the way into {', '.join(odd[:3])}: frames may be missing there")
    # a frame that both hold, steps, or atoms that go further the longer they have time would show it
    dark = [piece.name for before, piece in pairwise(pieces) if piece.seam and _is_dark(before, piece.seam) and piece.name not in odd]
    if dark:
        notes.append(
            f"nothing shows whether frames are missing before {', '.join(dark[:3])}{' ...' if len(dark) > 3 else ''} (atoms move about as far "
            "in one frame as in several, and there are no steps): the files are taken to follow one another"
        )
    return notes


def _is_dark(before: Piece, seam: Seam) -> bool:
    return seam.intervals is None and before.kept == before.frames and not seam.is_next()


def shortened(rows: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """The audit of a long chain: the first and last rows, those with a drop, and the widest seams; the rest in one row."""
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    weight = [(row["dropped"] > 0, row.get("seam_rms", 0.0) / max(row.get("inside_rms", 0.0), 1e-9)) for row in rows]
    chosen = {0, len(rows) - 1, *sorted(range(len(rows)), key=weight.__getitem__)[-(_MOST_ROWS - 3) :]}
    rest = [row for number, row in enumerate(rows) if number not in chosen]
    counts = {name: sum(row[name] for row in rest) for name in ("frames", "kept", "dropped")}
    together = {"piece": f"{len(rest)} more, where nothing happened" if not counts["dropped"] else f"{len(rest)} more", "begin": None, **counts}
    return [*(rows[number] for number in sorted(chosen)), {**together, "frame_interval": None}]
