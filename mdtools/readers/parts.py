"""The parts of a run that was split at its gaps, as a Series."""

from collections.abc import Sequence

from mdtools.errors import NotEnoughData
from mdtools.series import Series
from mdtools.trajectory import Trajectory

__all__ = ["MOST_NAMED", "parts_note", "series_of_parts"]

MOST_NAMED = 5


def parts_note(number: int, count: int, left_out: Sequence[float]) -> tuple[str, ...]:
    """What is to be said of one part. left_out : times (ps) of parts that are too short to be one."""
    note = f"segment {number} of {count} of a run that was split at its gaps"
    if not left_out:
        return (note,)
    named = ", ".join(f"{time:g}" for time in left_out[:MOST_NAMED])
    more = " ..." if len(left_out) > MOST_NAMED else ""
    return note, f"parts of fewer than two frames are left out: at {named}{more} ps"


def series_of_parts(source: str, members: Sequence[Trajectory]) -> Series:
    """A Series with a row for each part: name, path, replica (its number), begin and end (ps), and the temperature if it is stated."""
    if not members:
        raise NotEnoughData(f"{source}: no two frames follow one another without a gap; a part needs two")
    names, rows = [], []
    for number, member in enumerate(members, start=1):
        begin, end = float(member.time[0]), float(member.time[-1])
        names.append(f"segment {number} ({begin:.6g}-{end:.6g} {'tau' if member.reduced else 'ps'})")
        about = {"name": names[-1], "path": source, "replica": number, "begin": begin, "end": end}
        rows.append(about | ({} if member.temperature is None else {"temperature": member.temperature}))
    return Series(names=tuple(names), members=tuple(members), rows=tuple(rows))
