"""Time made contiguous: values of whole frames turned into histories, piece by piece through the cache of a processor."""

import threading
from collections.abc import Callable

import numpy as np

__all__ = ["Rooms", "contiguous", "turned"]

CACHE = 2**19  # bytes of the rows that become columns together
LEAST = 64  # frames of them, however many atoms there are: fewer would leave columns too short to be written well
ALIGNED = 64  # bytes: a processor computes on an array that begins at a multiple of it as it is, without a copy


class Rooms(threading.local):
    """Where a thread turns one piece after the other: memory that is new for each would cost as much as the turning.

    What is made of a piece must be ready before the thread turns the next.
    """

    held = np.empty(0, np.uint8)

    def of(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        n_bytes = int(np.prod(shape)) * dtype.itemsize
        if len(self.held) < n_bytes + ALIGNED:
            self.held = np.empty(n_bytes + ALIGNED, np.uint8)
        first = -self.held.ctypes.data % ALIGNED
        return self.held[first : first + n_bytes].view(dtype).reshape(shape)


def contiguous(values: np.ndarray, rooms: Rooms, wanted: np.ndarray | None = None) -> np.ndarray:
    """(atom, xyz, frame), some of the atoms or all, contiguous in time and where a processor computes on it without another copy.

    Histories that were read from disk are so, or nearly; a view of frames in memory is turned, in the room of this thread.
    """
    if not values.flags.c_contiguous:
        return turned(values.transpose(2, 0, 1), rooms, lambda part: part if wanted is None else np.take(part, wanted, axis=1))
    if wanted is None and values.ctypes.data % ALIGNED == 0:
        return values
    room = rooms.of((len(values) if wanted is None else len(wanted), *values.shape[1:]), values.dtype)
    if wanted is None:
        room[:] = values
        return room
    return np.take(values, wanted, axis=0, out=room, mode="clip")  # all are there, and with "raise" NumPy picks into a copy of the room first


def turned(values: np.ndarray, rooms: Rooms, pick: Callable[[np.ndarray], np.ndarray] = lambda part: part) -> np.ndarray:
    """(frame, atom, xyz) -> (atom, xyz, frame) in the room of this thread. pick : of the atoms of some frames those that are wanted.

    >>> turned(np.arange(6.0).reshape(2, 1, 3), Rooms())[0].tolist()
    [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    """
    n_atoms = pick(values[:1]).shape[1]
    room = rooms.of((3 * n_atoms, len(values)), values.dtype)
    together = max(LEAST, CACHE // max(1, 3 * n_atoms * values.dtype.itemsize))
    for first in range(0, len(values), together):
        part = pick(values[first : first + together])
        room[:, first : first + together] = part.reshape(len(part), -1).T  # two axes change places faster than three, the last of them short
    return room.reshape(n_atoms, 3, len(values))
