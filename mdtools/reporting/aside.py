"""A second process draws the figures and writes the numbers of a report while the first goes on measuring.

Neither needs JAX, and both are Python from end to end: in one process they would take turns with whatever else is Python there. The second
is told every result as it is made. What it could not do, the first does when all is measured, so that nothing depends on it.
"""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mdtools import chain, memory, shares
from mdtools.reporting.drawn import Drawn, Key, Pictured, drawn_of, pictured
from mdtools.reporting.style import styled

__all__ = ["aside", "serve"]

WORTH = 2**18  # positions of a run from which on to measure it takes longer than to start a process
PATIENCE = 20.0  # seconds that a process which is not wanted any more has to clear up
_DONE = None  # said when every result was told


@contextlib.contextmanager
def aside(runs: chain.Chains, path: Path) -> Iterator[Callable[[], Drawn | None]]:
    """Inside, a second process writes every result that the runs make to a netCDF file, and draws it.

    What is yielded is called when all are made: it returns the figures, and the file is in its place; or None where there is no such process
    (too little to measure, one core, several processes that measure together) or it has failed: then nothing was written.
    """
    if memory.cores() < 2 or shares.count() > 1 or not any(_is_long(run) for run in runs):
        yield lambda: None
        return
    try:
        second = _Second(runs, path)
    except OSError:  # no process can be started here
        yield lambda: None
        return
    before = [run.keep for run in runs]
    for number, (run, keep) in enumerate(zip(runs, before, strict=True)):
        run.keep = second.told_beside(keep, number)
    try:
        yield second.finished
    finally:
        for run, keep in zip(runs, before, strict=True):
            run.keep = keep
        second.left()


def _is_long(run: chain.Chain) -> bool:
    return run.traj is not None and run.traj.n_frames * run.traj.n_atoms >= WORTH


class _Second:
    """The second process, as the first one sees it."""

    def __init__(self, runs: chain.Chains, path: Path) -> None:
        self._runs = runs
        self._told: set[str] = set()
        self._lock = threading.Lock()
        code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._say(path)

    def told_beside(self, keep: Callable[[str, Any], None], number: int) -> Callable[[str, Any], None]:
        """What keeps a result of a run as before, and tells it."""
        name = chain.group_name(self._runs.members[number].name, number)

        def both(stage: str, data: Any) -> None:
            keep(stage, data)
            self._tell(f"{name}/{stage}", number, stage, data)

        return both

    def _tell(self, group: str, *what: Any) -> None:
        with self._lock:
            if group not in self._told:
                self._told.add(group)
                self._say((group, *what))

    def _say(self, what: Any) -> None:
        with contextlib.suppress(OSError):  # it has failed, which is seen when it should have finished
            pickle.dump(what, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)  # type: ignore[arg-type]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def finished(self) -> Drawn | None:
        """The figures, when it has been told what it does not know yet and the file is in its place; None where it has failed."""
        for number, run in enumerate(self._runs):
            for stage, data in run.made.items():
                self._tell(f"{chain.group_name(run.name, number)}/{stage}", number, stage, data)
        for stage, data in self._runs.made.items():
            self._tell(stage, None, stage, data)
        self._say(_DONE)
        try:
            found: Drawn = pickle.load(self._process.stdout)  # type: ignore[arg-type]
        except (EOFError, pickle.UnpicklingError):
            return None
        return found

    def left(self) -> None:
        """End it: where it was not told that it is done, it removes what it has written."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.stdout.close()  # type: ignore[union-attr]
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve() -> None:
    """What the second process does: it is told the path of the file and then results, and answers with the figures."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one is interrupted, and leaves this one
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, told), daemon=True).start()
    try:
        found = _made(told)
    except Exception:  # the first process does it again, and says what is wrong
        sys.exit(1)
    with contextlib.suppress(OSError):
        pickle.dump(found, answers)
        answers.close()


def _listen(stream: BinaryIO, told: "queue.SimpleQueue[Any]") -> None:
    """Take everything at once: who tells does not wait for a figure."""
    try:
        while (what := pickle.load(stream)) is not _DONE:
            told.put(what)
        told.put(_DONE)
    except Exception as reason:  # the first process has gone
        told.put(reason)


def _made(told: "queue.SimpleQueue[Any]") -> Drawn:
    """Write every result that is told, and draw it while there is nothing to write: a picture when all that it shows is there."""
    drawn: Drawn = {}
    made: dict[int, dict[str, Any]] = {}
    waiting: dict[Key, Pictured] = {}
    with styled(), chain.writing(_next(told)) as put:
        while True:
            ready = next((key for key, one in waiting.items() if one.is_whole), None)
            if ready is not None and told.empty():
                drawn[ready] = drawn_of(waiting.pop(ready))
                continue
            what = _next(told)
            if what is _DONE:
                break
            group, number, stage, data = what
            put(group, data)
            if number is not None:
                made.setdefault(number, {})[stage] = data
                waiting |= {one.key: one for one in pictured(made[number], number) if one.key not in drawn}
        return drawn | {key: drawn_of(one) for key, one in waiting.items()}


def _next(told: "queue.SimpleQueue[Any]") -> Any:
    what = told.get()
    if isinstance(what, Exception):
        raise what
    return what
