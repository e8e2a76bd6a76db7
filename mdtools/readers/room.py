"""Whether a run has room in memory, said before it is filled: a store needs no more than a part of it at a time."""

from mdtools import memory
from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames

__all__ = ["check_room"]

_MUCH = 0.5  # of the memory that is free


def check_room(frames: Frames, n_frames: int, itemsize: int) -> tuple[str, ...]:
    """Notes on a run of so many frames, its numbers of `itemsize` bytes. Raises TrajectoryError where it cannot fit."""
    needed = n_frames * frames.n_atoms * 3 * itemsize * ((frames.placement != "none") + frames.has_velocities)
    free = memory.available()
    name = frames.pieces[0][1] if frames.pieces else ""
    cure = f"mdtools convert {name}{' ...' if len(frames.pieces) > 1 else ''} run.zarr, with the same options, and read run.zarr" if name else ""
    cure = cure or "convert it to a store (mdtools.readers.convert) and read that"
    if free is not None and needed > free:
        raise TrajectoryError(
            f"{frames.source}: its positions and velocities take {memory.in_words(needed)}, and {memory.in_words(free)} of memory are free: {cure}"
        )
    if free is not None and needed > _MUCH * free:
        return (f"positions and velocities take {memory.in_words(needed)} of the {memory.in_words(free)} of memory that are free: better {cure}",)
    if memory.is_said() and needed > memory.limit():
        return (f"positions and velocities take {memory.in_words(needed)}, more than the limit of {memory.in_words(memory.limit())}: better {cure}",)
    return ()
