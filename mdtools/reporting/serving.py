"""What the second process of a report does: it writes the results that it is told, draws them, and answers with the figures.

It listens before it imports what draws: who tells does not wait, neither for that nor for a figure.
"""

import io
import os
import pickle
import queue
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from mdtools.reporting.drawn import Drawn, Key, Pictured
    from mdtools.reporting.pictures import Picture

__all__ = ["DONE", "PLACE", "received", "sent", "serve"]

DONE = None  # said when every result was told: the figures are the answer
PLACE = "place"  # said when the page is written: the file takes its place, and True is the answer
_MARK = b"mdtools\0"  # before each message: what else is printed at the start of an interpreter is none
_HEAD = struct.Struct(f">{len(_MARK)}sQ")


def sent(stream: BinaryIO, what: Any) -> None:
    """Send one message."""
    whole = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_HEAD.pack(_MARK, len(whole)))
    stream.write(whole)
    stream.flush()


def received(stream: BinaryIO) -> bytearray:
    """The next message, pickled. Raises EOFError where none comes any more, or what comes is none."""
    mark, size = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if mark != _MARK:
        raise EOFError
    return _exactly(stream, size)


def _exactly(stream: BinaryIO, n: int) -> bytearray:
    whole = bytearray(n)
    left = memoryview(whole)
    while left:
        got = stream.readinto(left)  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        left = left[got:]
    return whole


def serve() -> None:
    """Be the second process. What fails here, the first one does again, and says what is wrong."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        _made(_Told(io.FileIO(sys.stdin.fileno(), closefd=False)), answers)
    except Exception:
        sys.exit(1)


class _Told:
    """What the first process says, taken from the pipe at once by a thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._coming: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._gone = threading.Event()
        threading.Thread(target=self._listen, args=(stream,), daemon=True).start()

    def _listen(self, stream: BinaryIO) -> None:
        try:
            while True:
                self._coming.put(received(stream))
        except Exception:  # the first process has gone, or left this one
            self._gone.set()
            self._coming.put(None)

    def next(self) -> Any:
        """The next message; wait for it. Raises EOFError where none comes any more."""
        whole = self._coming.get()
        if whole is None:
            raise EOFError
        return pickle.loads(whole)

    @property
    def is_silent(self) -> bool:
        return self._coming.empty()

    def heed(self) -> None:
        """Raise EOFError where nobody listens any more, whatever is still to be done."""
        if self._gone.is_set():
            raise EOFError


def _made(told: _Told, answers: BinaryIO) -> None:
    """Write every result that is told, and draw it while there is nothing to write."""
    import matplotlib as mpl

    from mdtools import chain
    from mdtools.reporting.style import styled

    path, settings = told.next()
    pictures = _Pictures()
    with mpl.rc_context(settings), styled(), chain.writing(path) as put:
        while True:
            told.heed()
            if told.is_silent and pictures.draw_one():
                continue
            what = told.next()
            if what is DONE:
                break
            group, number, stage, data = what
            put(group, data)
            if number is not None:
                pictures.add(number, stage, data)
        while pictures.draw_one(whole=False):
            told.heed()
        sent(answers, pictures.drawn)
        told.next()  # PLACE; else the file is removed
    sent(answers, True)


class _Pictures:
    """The pictures of all runs. drawn : those that are. Results are kept as long as there may be one to be drawn of them."""

    def __init__(self) -> None:
        self.drawn: Drawn = {}
        self._made: dict[int, dict[str, Any]] = {}
        self._open: dict[int, list[tuple[str, Picture]]] = {}
        self._waiting: dict[Key, Pictured] = {}

    def add(self, number: int, stage: str, data: Any) -> None:
        """A result of a run."""
        from mdtools.reporting.drawn import pictured

        made = self._made.setdefault(number, {})
        made[stage] = data
        self._waiting |= {one.key: one for one in pictured(made, number) if one.key not in self.drawn}
        self._forget(number)

    def draw_one(self, *, whole: bool = True) -> bool:
        """Draw the next picture, of those where all is there that it shows (`whole`), or of all; whether there was one."""
        from mdtools.reporting.drawn import drawn_of

        key = next((key for key, one in self._waiting.items() if one.is_whole or not whole), None)
        if key is None:
            return False
        self.drawn[key] = drawn_of(self._waiting.pop(key))
        self._forget(key[0])
        return True

    def _forget(self, number: int) -> None:
        """Let go of the results of a run that no picture needs which is still to be drawn."""
        from mdtools.reporting.pictures import PICTURES

        made = self._made[number]
        due = {key[1] for key in self._waiting if key[0] == number}
        seen = self._open.get(number) or [(result, one) for result, all_of_it in PICTURES.items() for one in all_of_it]
        self._open[number] = [(result, one) for result, one in seen if one.id in due or not {result, *one.needs} <= made.keys()]
        needed = {name for result, one in self._open[number] for name in (result, *one.needs, *one.also)}
        self._made[number] = {name: data for name, data in made.items() if name in needed}
